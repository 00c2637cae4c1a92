//! What the true-peak detector and the limiter cost, per frame.

#![allow(clippy::disallowed_macros)] // names of measurements are made here

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::dynamics::limiter::{Limiter, LimiterParams};
use dsp_core::metering::true_peak::TruePeak;
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;

fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
    };
    (0..frames).map(next).collect()
}

fn detector(c: &mut Criterion) {
    let mut group = c.benchmark_group("true_peak, mono");
    for rate_hz in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        for frames in [64, 512] {
            let input = noise(frames, 1);
            let mut peaks = vec![0.0; frames];
            let mut detector = TruePeak::new(rate_hz);
            group.throughput(Throughput::Elements(frames as u64));
            group.bench_function(format!("{rate_hz} Hz, {frames} frames"), |b| {
                b.iter(|| detector.process(black_box(&input), black_box(&mut peaks)));
            });
        }
    }
}

/// Noise that is limited by some 6 dB, stereo, 48 kHz; settled, and with gain, ceiling and release moved every block.
fn limiter(c: &mut Criterion) {
    let mut group = c.benchmark_group("limiter, stereo");
    for frames in [64, 512] {
        for gliding in [false, true] {
            let source = [noise(frames * 64, 1), noise(frames * 64, 2)];
            let params = [6.0, 7.0].map(|gain_db| LimiterParams {
                gain_db,
                ceiling_dbtp: gain_db - 8.0,
                release_ms: 10.0 * gain_db,
                ..Default::default()
            });
            let mut limiter = Limiter::<2>::new();
            let config = StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames };
            limiter.prepare(config, &params[0]).expect("48 kHz is served");
            let (mut left, mut right, mut at) = (vec![0.0; frames], vec![0.0; frames], 0);
            group.throughput(Throughput::Elements(frames as u64));
            let name = format!("{frames} frames, {}", if gliding { "gliding" } else { "settled" });
            group.bench_function(name, |b| {
                b.iter(|| {
                    at = (at + 1) % 64;
                    left.copy_from_slice(&source[0][at * frames..][..frames]);
                    right.copy_from_slice(&source[1][at * frames..][..frames]);
                    if gliding {
                        limiter.set_params(&params[at % 2]);
                    }
                    limiter.process(&mut Block::new([&mut left, &mut right]));
                    black_box((&left, &right));
                });
            });
        }
    }
}

criterion_group!(benches, detector, limiter);
criterion_main!(benches);
