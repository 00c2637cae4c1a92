//! Cost of the delay, 48 kHz stereo.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::space::delay::{Delay, DelayMode, DelayParams, TimeChange};

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

fn delay(c: &mut Criterion) {
    let off = DelayParams::default();
    let whole = DelayParams { on: true, time_ms: 125.0, feedback_percent: 40.0, ..off };
    let plain = DelayParams { time_ms: 125.01, low_cut_hz: 100.0, high_cut_hz: 6000.0, ..whole };
    let all = DelayParams {
        mode: DelayMode::PingPong,
        drive_db: 6.0,
        wow_percent: 0.3,
        flutter_percent: 0.1,
        diffusion_percent: 40.0,
        ducking_db: 12.0,
        width_percent: 130.0,
        ..plain
    };
    for frames in [64, 512] {
        let mut group = c.benchmark_group(["delay/", if frames == 64 { "64" } else { "512" }].concat());
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, moving) in [
            ("off", off, false),
            ("whole frames", whole, false),
            ("fraction and cuts", plain, false),
            ("fraction and cuts, gliding on tape", DelayParams { time_change: TimeChange::Tape, ..plain }, true),
            ("fraction and cuts, crossfading", plain, true),
            ("everything", all, false),
            ("everything, gliding", all, true),
        ] {
            let mut delay = Delay::<2>::new();
            delay.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
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
                        delay.set_params(&DelayParams {
                            time_ms: 125.01 + to,
                            feedback_percent: 40.0 + to,
                            low_cut_hz: 100.0 + 5.0 * to,
                            high_cut_hz: 6000.0 + 300.0 * to,
                            ..params
                        });
                    }
                    delay.process(&mut Block::new([&mut left, &mut right]));
                });
            });
        }
    }
}

criterion_group!(benches, delay);
criterion_main!(benches);
