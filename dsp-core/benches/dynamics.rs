//! What compressor and gate cost: 48 kHz stereo, seeded noise, blocks of 64 and 512 frames.
#![allow(clippy::disallowed_macros)] // names of benches are no audio

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::dynamics::compressor::{Compressor, CompressorParams};
use dsp_core::dynamics::gate::{Gate, GateParams};
use dsp_core::dynamics::key_filter::KeyFilterParams;
use dsp_core::dynamics::style::Style;
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;

/// Noise with beats, so that the gain moves. xorshift64*: Marsaglia 2003, Vigna 2016.
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

fn stage<P: Processor<2>>(c: &mut Criterion, name: &str, make: impl Fn() -> P, params: P::Params, other: P::Params) {
    let source = [noise(48_000, 1), noise(48_000, 2)];
    for frames in [64usize, 512] {
        for gliding in [false, true] {
            let mut group = c.benchmark_group("dynamics");
            group.throughput(Throughput::Elements(frames as u64));
            let mut stage = make();
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

fn dynamics(c: &mut Criterion) {
    let key = KeyFilterParams {
        on: true,
        low_cut_hz: 90.0,
        high_cut_hz: 9_000.0,
        bell_hz: 2_500.0,
        bell_gain_db: 4.0,
        ..Default::default()
    };
    let clean = CompressorParams { on: true, threshold_db: -24.0, ..Default::default() };
    let lower =
        |params: CompressorParams| CompressorParams { threshold_db: -30.0, ratio: 3.0, make_up_db: 3.0, ..params };
    let mut compressor = |name: &str, params: CompressorParams| {
        stage(c, name, Compressor::<2>::new, params, lower(params));
    };
    compressor("compressor", clean);
    compressor("compressor with key filter", CompressorParams { key, ..clean });
    compressor("compressor, half linked", CompressorParams { stereo_link_percent: 50.0, key, ..clean });
    compressor(
        "compressor, opto, RMS, lookahead",
        CompressorParams { style: Style::Opto, rms_percent: 50.0, lookahead_ms: 5.0, key, ..clean },
    );
    compressor("compressor, off", CompressorParams { on: false, ..clean });
    let gate = GateParams { on: true, threshold_db: -20.0, key, ..Default::default() };
    stage(c, "gate with key filter", Gate::<2>::new, gate, GateParams { threshold_db: -22.0, ..gate });
}

criterion_group!(benches, dynamics);
criterion_main!(benches);
