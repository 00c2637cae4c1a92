//! What the equalizer costs: 48 kHz stereo, seeded noise, blocks of 64 and 512 frames.
#![allow(clippy::disallowed_macros)] // a bench names its rows

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::equalizer::{
    BroadEqualizer, BroadEqualizerParams, Equalizer, EqualizerParams, Phase, Placement, Shape, Slope,
};
use dsp_core::filter::prototype;
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;

/// xorshift64*: Marsaglia 2003, Vigna 2016.
fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32 - 0.5
        })
        .collect()
}

fn run<const BANDS: usize>(
    c: &mut Criterion,
    name: &str,
    params: EqualizerParams<BANDS>,
    other: Option<EqualizerParams<BANDS>>,
) {
    run_stage(c, name, Equalizer::<2, BANDS>::new, params, other);
}

fn run_stage<P: Processor<2>>(
    c: &mut Criterion,
    name: &str,
    new: fn() -> P,
    params: P::Params,
    other: Option<P::Params>,
) {
    let source = [noise(48_000, 1), noise(48_000, 2)];
    for frames in [64usize, 512] {
        let mut group = c.benchmark_group("equalizer");
        group.throughput(Throughput::Elements(frames as u64));
        let mut stage = new();
        stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
        let mut buffers = [vec![0.0; frames], vec![0.0; frames]];
        let (mut at, mut turn) = (0, false);
        group.bench_function(format!("{name}, {frames} frames"), |b| {
            b.iter(|| {
                for (buffer, source) in buffers.iter_mut().zip(&source) {
                    buffer.copy_from_slice(&source[at..at + frames]);
                }
                at = if at + 2 * frames > 48_000 { 0 } else { at + frames };
                if let Some(other) = &other {
                    // automation writes every block
                    turn = !turn;
                    stage.set_params(if turn { other } else { &params });
                }
                let [left, right] = &mut buffers;
                stage.process(&mut Block::new([left, right]));
                black_box(&mut buffers);
            });
        });
    }
}

/// Bells over the whole spectrum, a shelf at either end.
fn bands<const BANDS: usize>() -> EqualizerParams<BANDS> {
    let mut params = EqualizerParams::<BANDS>::default();
    for (n, band) in params.band.iter_mut().enumerate() {
        let shape = match n {
            0 => Shape::LowShelf,
            _ if n + 1 == BANDS => Shape::HighShelf,
            _ => Shape::Bell,
        };
        (band.on, band.shape, band.q, band.gain_db) = (true, shape, 1.0, if n % 2 == 0 { 4.0 } else { -3.0 });
    }
    params
}

fn equalizer(c: &mut Criterion) {
    run(c, "8 bands, settled", bands::<8>(), None);
    run(c, "12 bands, settled", bands::<12>(), None);
    let mut moved = bands::<8>();
    moved.band.iter_mut().for_each(|b| b.frequency_hz *= 1.1);
    run(c, "8 bands, gliding", bands::<8>(), Some(moved));
    let mut moved = bands::<8>();
    moved.band[3].frequency_hz *= 1.1;
    run(c, "8 bands, one gliding", bands::<8>(), Some(moved));
    let mut dynamic = bands::<8>();
    dynamic.band.iter_mut().for_each(|b| (b.range_db, b.threshold_db) = (-6.0, -30.0));
    run(c, "8 bands, all dynamic", dynamic, None);
    let mut cuts = bands::<8>();
    for (n, band) in cuts.band.iter_mut().enumerate().take(2) {
        (band.shape, band.slope) = (if n == 0 { Shape::LowCut } else { Shape::HighCut }, Slope::Db96);
    }
    run(c, "6 bands, two 96 dB cuts, settled", cuts, None);
    let mut sides = bands::<8>();
    for (n, band) in sides.band.iter_mut().enumerate() {
        band.placement = if n % 2 == 0 { Placement::Mid } else { Placement::Side };
    }
    run(c, "8 bands, mid and side by turns, settled", sides, None);
    run(c, "8 bands off", EqualizerParams::<8>::default(), None);

    let linear = |phase, bands: EqualizerParams<8>| BroadEqualizerParams {
        phase,
        band: bands.band,
        ..BroadEqualizerParams::default()
    };
    for (name, phase) in [("short", Phase::LinearShort), ("medium", Phase::LinearMedium), ("long", Phase::LinearLong)] {
        run_stage(c, &format!("8 bands, linear phase, {name}"), BroadEqualizer::new, linear(phase, bands::<8>()), None);
    }
    let medium = |bands| linear(Phase::LinearMedium, bands);
    run_stage(c, "8 bands, linear phase, medium, mid and side", BroadEqualizer::new, medium(sides), None);
    let mut other = bands::<8>();
    other.band[3].gain_db = 5.0;
    let (one, other) = (medium(bands::<8>()), medium(other));
    run_stage(c, "8 bands, linear phase, medium, always another kernel", BroadEqualizer::new, one, Some(other));

    let mut group = c.benchmark_group("design");
    for omega in [0.1, 2.0] {
        group.bench_function(format!("bell at {omega}"), |b| {
            b.iter(|| prototype::bell(black_box(omega), black_box(1.0), black_box(6.0)));
        });
    }
}

criterion_group!(benches, equalizer);
criterion_main!(benches);
