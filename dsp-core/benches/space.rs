//! Cost of the panner, 48 kHz stereo.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::space::panner::{Panner, PannerParams};

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

fn panner(c: &mut Criterion) {
    let neutral = PannerParams::default();
    let pan = PannerParams { pan: 30.0, ..neutral };
    let all = PannerParams { width_percent: 130.0, mono_below: true, time_pan_ms: 0.3, ..pan };
    for frames in [64, 512] {
        let mut group = c.benchmark_group(["panner/", if frames == 64 { "64" } else { "512" }].concat());
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, moving) in [
            ("neutral", neutral, false),
            ("pan", pan, false),
            ("everything", all, false),
            ("everything, gliding", all, true),
        ] {
            let mut panner = Panner::<2>::new();
            panner.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
            let (source_left, source_right) = (noise(frames, 1), noise(frames, 2));
            let (mut left, mut right) = (source_left.clone(), source_right.clone());
            let mut turn = false;
            group.bench_function(name, |b| {
                b.iter(|| {
                    left.copy_from_slice(&source_left);
                    right.copy_from_slice(&source_right);
                    if moving {
                        turn = !turn;
                        let to = if turn { 1.0 } else { -1.0 };
                        panner.set_params(&PannerParams {
                            pan: 30.0 * to,
                            time_pan_ms: 0.3 + 0.1 * to,
                            mono_below_hz: 120.0 + 20.0 * to,
                            width_percent: 130.0 + 10.0 * to,
                            ..params
                        });
                    }
                    panner.process(&mut Block::new([&mut left, &mut right]));
                });
            });
        }
    }
}

criterion_group!(benches, panner);
criterion_main!(benches);
