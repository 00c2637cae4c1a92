//! Speed of dither: a step of the clock per stereo frame at 48 kHz.

#![allow(clippy::disallowed_methods)] // a bench's tone may differ in its last bit

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::dither::{Dither, DitherBits, DitherNoise, DitherParams};
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;

fn dither(c: &mut Criterion) {
    let mut group = c.benchmark_group("dither");
    for noise in [DitherNoise::White, DitherNoise::ShapedStrong] {
        for frames in [64, 512] {
            let params = DitherParams { word_length: DitherBits::Bits16, noise, auto_blank: true };
            let mut stage = Dither::<2>::new();
            stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
            let input: Vec<f32> = (0..frames).map(|n| 0.3 * (0.1 * n as f32).sin()).collect();
            let (mut left, mut right) = (input.clone(), input.clone());
            group.throughput(Throughput::Elements(frames as u64));
            group.bench_function(
                BenchmarkId::new(if noise == DitherNoise::White { "white" } else { "shaped" }, frames),
                |b| {
                    b.iter(|| {
                        left.copy_from_slice(&input);
                        right.copy_from_slice(&input);
                        stage.process(&mut Block::new([black_box(&mut left), black_box(&mut right)]));
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, dither);
criterion_main!(benches);
