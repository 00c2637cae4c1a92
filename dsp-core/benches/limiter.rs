//! What the true-peak detector and the limiter cost, per frame.

#![allow(clippy::disallowed_macros)] // names of measurements are made here

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::metering::true_peak::TruePeak;
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

criterion_group!(benches, detector);
criterion_main!(benches);
