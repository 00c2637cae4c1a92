//! What the multiband compressor costs: 48 kHz stereo, seeded noise, blocks of 64 and 512 frames.
#![allow(clippy::disallowed_macros)] // names of benches are no audio

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::control_grid::GRID_FRAMES;
use dsp_core::dynamics::multiband::{BandCount, Multiband, MultibandParams, Phase};
use dsp_core::filter::crossover::{Crossover, MAX_BANDS, Pairs};
use dsp_core::processor::{Processor, StreamConfig};
use fearless_simd::Level;
use std::hint::black_box;

/// Noise with beats, so that the gains move. xorshift64*: Marsaglia 2003, Vigna 2016.
fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|n| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let unit = (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32 - 0.5;
            unit * if n / 6000 % 3 == 0 { 1.0 } else { 0.2 }
        })
        .collect()
}

fn stage(c: &mut Criterion, name: &str, params: MultibandParams, other: MultibandParams) {
    let source = [noise(48_000, 1), noise(48_000, 2)];
    for frames in [64usize, 512] {
        for gliding in [false, true] {
            let mut group = c.benchmark_group("multiband");
            group.throughput(Throughput::Elements(frames as u64));
            let mut stage = Multiband::<2>::new();
            stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
            let mut buffers = [vec![0.0; frames], vec![0.0; frames]];
            let (mut at, mut turn) = (0, 0usize);
            let id = format!("{name}, {frames} frames, {}", if gliding { "gliding" } else { "settled" });
            group.bench_function(id, |b| {
                b.iter(|| {
                    for (buffer, source) in buffers.iter_mut().zip(&source) {
                        buffer.copy_from_slice(&source[at..at + frames]);
                    }
                    at = if at + 2 * frames > 48_000 { 0 } else { at + frames };
                    turn += 1;
                    // automation writes every block
                    stage.set_params(if gliding && turn % 2 == 0 { &other } else { &params });
                    let [left, right] = &mut buffers;
                    stage.process(&mut Block::new([left, right]));
                    black_box(&mut buffers);
                });
            });
        }
    }
}

fn multiband(c: &mut Criterion) {
    let of = |bands: BandCount| {
        let mut params = MultibandParams { on: true, bands, ..Default::default() };
        params.band.iter_mut().for_each(|band| band.threshold_db = -36.0);
        params
    };
    let moved = |params: &MultibandParams| {
        let mut moved = *params;
        moved.band.iter_mut().for_each(|band| (band.threshold_db, band.ratio) = (-40.0, 3.0));
        moved.crossover_2_hz = 1_100.0;
        moved
    };
    let mut all = |name: &str, params: MultibandParams| stage(c, name, params, moved(&params));
    all("4 bands", of(BandCount::Four));
    all("6 bands", of(BandCount::Six));
    let mut key = of(BandCount::Four);
    key.band.iter_mut().for_each(|band| {
        band.key.on = true;
        band.key.low_cut_hz = 40.0;
        band.key.bell_gain_db = 3.0;
    });
    all("4 bands with key filters", key);
    let mut drive = of(BandCount::Four);
    drive.band.iter_mut().for_each(|band| (band.drive_db, band.width_percent) = (6.0, 120.0));
    all("4 bands with drive and width", drive);
    all("4 bands, linear phase", MultibandParams { phase: Phase::Linear, ..of(BandCount::Four) });
    all("off", MultibandParams { on: false, ..of(BandCount::Four) });
}

/// The crossovers alone.
fn crossovers(c: &mut Criterion) {
    let mut group = c.benchmark_group("crossover");
    group.throughput(Throughput::Elements(GRID_FRAMES as u64));
    let mut input: Pairs = [[0.0; 2]; GRID_FRAMES + 2];
    for (pair, (left, right)) in input.iter_mut().zip(noise(GRID_FRAMES, 1).into_iter().zip(noise(GRID_FRAMES, 2))) {
        *pair = [f64::from(left), f64::from(right)];
    }
    let mut out: [Pairs; MAX_BANDS] = [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS];
    for bands in [2, 4, 6] {
        let mut crossover = Crossover::new(&[120.0, 400.0, 1_000.0, 3_000.0, 9_000.0], bands, 48_000.0);
        group.bench_function(format!("{bands} bands"), |b| {
            b.iter(|| {
                crossover.on_grid();
                crossover.process(Level::new(), black_box(&input), black_box(&mut out), GRID_FRAMES);
            });
        });
    }
}

criterion_group!(benches, multiband, crossovers);
criterion_main!(benches);
