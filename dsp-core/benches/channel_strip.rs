//! Cost of whole chains, 48 kHz stereo: everything on, settled and gliding, and nothing on; and the slowest of many blocks.
#![allow(clippy::disallowed_macros)] // figures are printed

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::controls;
use dsp_core::dynamics::style::Style;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::quality::Quality;
use std::hint::black_box;
use std::time::Instant;

const RATE_HZ: f64 = 48_000.0;

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

/// Every module at work, as hard as an engineer would have it: eight bands, two of them dynamic; quality `Mix`.
fn everything() -> ChannelStripParams {
    let mut p = ChannelStripParams::default();
    p.input.trim_db = -1.0;
    p.gate.on = true;
    p.gate.threshold_db = -50.0;
    p.gate.key.on = true;
    for (n, band) in p.eq.band.iter_mut().enumerate().take(8) {
        band.on = true;
        band.gain_db = if n % 2 == 0 { 3.0 } else { -2.0 };
        band.range_db = if n < 2 { -4.0 } else { 0.0 };
    }
    p.compressor.on = true;
    p.compressor.style = Style::Clean;
    p.compressor.threshold_db = -24.0;
    p.compressor.key.on = true;
    p.compressor.mix_percent = 80.0;
    p.saturation.drive_db = 6.0;
    p.saturation.quality = Quality::Mix;
    p.panner.pan = 20.0;
    p.panner.width_percent = 120.0;
    p.panner.mono_below = true;
    p.delay.on = true;
    p.delay.mix_percent = 20.0;
    p.reverb.on = true;
    p.reverb.mix_percent = 20.0;
    p.output.gain_db = -3.0;
    p
}

fn strip(c: &mut Criterion) {
    let all = everything();
    for frames in [64, 512] {
        let mut group = c.benchmark_group(["channel strip/", &frames.to_string()].concat());
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, moving) in [
            ("nothing on", ChannelStripParams::default(), false),
            ("everything on", all, false),
            ("everything on, gliding", all, true),
        ] {
            let mut strip = ChannelStrip::<2>::new();
            strip.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: frames }, &params).unwrap();
            let sources = [noise(frames, 1), noise(frames, 2)];
            let [mut left, mut right] = sources.clone();
            let mut turn = 0u32;
            group.bench_function(name, |b| {
                b.iter(|| {
                    left.copy_from_slice(&sources[0]);
                    right.copy_from_slice(&sources[1]);
                    if moving {
                        turn = turn.wrapping_add(1);
                        strip.set_params(&moved(&params, turn));
                    }
                    strip.process(&mut Block::new([&mut left, &mut right]));
                });
            });
        }
    }
}

/// What a hand on a controller moves at once: one control of each module.
fn moved(params: &ChannelStripParams, turn: u32) -> ChannelStripParams {
    let share = f64::from(turn % 64) / 64.0;
    let mut p = *params;
    p.gate.threshold_db = -50.0 + 5.0 * share;
    p.eq.band[3].frequency_hz = 1000.0 * (1.0 + share);
    p.compressor.threshold_db = -24.0 + 4.0 * share;
    p.saturation.drive_db = 6.0 + 2.0 * share;
    p.panner.pan = 20.0 * share;
    p.delay.feedback_percent = 30.0 + 10.0 * share;
    p.reverb.decay_seconds = 1.5 + share;
    p.output.gain_db = -3.0 - share;
    controls::clamped(&p)
}

/// Ten thousand blocks of noise, each timed: whether the load is steady.
fn steadiness(_: &mut Criterion) {
    for frames in [64, 512] {
        let mut strip = ChannelStrip::<2>::new();
        strip.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: frames }, &everything()).unwrap();
        let sources = [noise(frames, 1), noise(frames, 2)];
        let [mut left, mut right] = sources.clone();
        let mut took: Vec<f64> = (0..10_000)
            .map(|_| {
                left.copy_from_slice(&sources[0]);
                right.copy_from_slice(&sources[1]);
                let start = Instant::now();
                strip.process(black_box(&mut Block::new([&mut left, &mut right])));
                start.elapsed().as_secs_f64() * 1e9 / frames as f64
            })
            .collect();
        took.sort_by(f64::total_cmp);
        let (median, p99, slowest) = (took[5000], took[9900], took[9999]);
        println!(
            "channel strip/{frames}, everything on: median {median:.0} ns a frame, 99 % {p99:.0}, slowest {slowest:.0}"
        );
    }
}

criterion_group!(benches, strip, steadiness);
criterion_main!(benches);
