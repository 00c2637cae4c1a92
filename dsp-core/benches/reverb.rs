//! Cost of the reverb, 48 kHz stereo.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::space::reverb::{Reverb, ReverbParams, Space};

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

fn reverb(c: &mut Criterion) {
    let off = ReverbParams::default();
    let hall = ReverbParams { on: true, ..off };
    let still = ReverbParams { modulation_depth_percent: 0.0, ..hall };
    let room = ReverbParams { space: Space::Room, ducking_db: 12.0, ..hall };
    let frozen = ReverbParams { freeze: true, ..hall };
    for frames in [64, 512] {
        let mut group = c.benchmark_group(["reverb/", if frames == 64 { "64" } else { "512" }].concat());
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, moving) in [
            ("off", off, false),
            ("hall", hall, false),
            ("hall, no modulation", still, false),
            ("room, ducking", room, false),
            ("frozen", frozen, false),
            ("hall, gliding", hall, true),
        ] {
            let mut reverb = Reverb::<2>::new();
            reverb.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
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
                        reverb.set_params(&ReverbParams {
                            decay_seconds: 2.0 + to,
                            high_corner_hz: 4000.0 + 1000.0 * to,
                            size_percent: 100.0 + 20.0 * to,
                            mix_percent: 30.0 + 10.0 * to,
                            low_cut_hz: 100.0 + 20.0 * to,
                            ..params
                        });
                    }
                    reverb.process(&mut Block::new([&mut left, &mut right]));
                });
            });
        }
    }
}

criterion_group!(benches, reverb);
criterion_main!(benches);
