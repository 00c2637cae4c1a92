//! The strip's input: trim, polarity, and what becomes of an offset.
#![allow(clippy::disallowed_methods)] // expected values are worked out here

use dsp_core::block::Block;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::level::{Input, InputParams, LEVEL_GLIDE_SECONDS};
use dsp_core::processor::{Processor, StreamConfig};
use std::f64::consts::TAU;

const RATE_HZ: f64 = 48_000.0;
const CONFIG: StreamConfig = StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 4096 };

fn run<P: Processor<2>>(stage: &mut P, [left, right]: &[Vec<f32>; 2]) -> [Vec<f32>; 2] {
    let (mut left, mut right) = (left.clone(), right.clone());
    for (l, r) in left.chunks_mut(480).zip(right.chunks_mut(480)) {
        stage.process(&mut Block::new([l, r]));
    }
    [left, right]
}

/// Trim is 10^(dB/20), once rounded; each side has its own polarity, exactly.
#[test]
fn trim_and_polarity_are_what_they_say() {
    let sound: Vec<f32> = (0..960).map(|n| ((n * 7919 % 1013) as f32 - 506.0) / 506.0).collect();
    for trim_db in [-24.0, -6.5, 0.0, 3.0, 24.0] {
        for (invert_left, invert_right) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut input = Input::<2>::new();
            input.prepare(CONFIG, &InputParams { trim_db, invert_left, invert_right }).unwrap();
            let out = run(&mut input, &[sound.clone(), sound.clone()]);
            for (side, invert) in out.iter().zip([invert_left, invert_right]) {
                let gain = 10f64.powf(trim_db / 20.0) * if invert { -1.0 } else { 1.0 };
                for (y, x) in side.iter().zip(&sound) {
                    // the gain's last bits, and one rounding to single precision
                    let expected = f64::from(*x) * gain;
                    assert!(
                        (f64::from(*y) - expected).abs() <= 7e-8 * expected.abs(),
                        "{trim_db} dB: {y} for {expected}"
                    );
                }
            }
        }
    }
}

/// An offset passes as it is, and no move makes a click of it: from one gain to another it follows the smoothstep
/// 10u³ − 15u⁴ + 6u⁵, whose steepest slope is 15/8 of the way in the glide's time.
#[test]
fn offsets_do_not_click() {
    let offset = vec![0.5f32; 4800];
    let base = InputParams::default();
    for (name, to, gain) in [
        ("polarity", InputParams { invert_left: true, ..base }, -1.0),
        ("trim up", InputParams { trim_db: 24.0, ..base }, 10f64.powf(1.2)),
        ("trim down", InputParams { trim_db: -24.0, ..base }, 10f64.powf(-1.2)),
    ] {
        let mut input = Input::<2>::new();
        input.prepare(CONFIG, &base).unwrap();
        assert_eq!(run(&mut input, &[offset.clone(), offset.clone()])[0], offset);
        input.set_params(&to);
        let [left, _] = run(&mut input, &[offset.clone(), offset.clone()]);
        let way = 0.5 * (gain - 1.0f64).abs();
        let steepest = 1.875 * way / (LEVEL_GLIDE_SECONDS * RATE_HZ);
        let mut before = 0.5;
        for y in &left {
            // a rounding of numbers up to 8
            assert!((f64::from(*y) - before).abs() <= steepest + 5e-7, "{name}: {before} to {y}");
            before = f64::from(*y);
        }
        assert!((before - 0.5 * gain).abs() < 1e-6, "{name} ends at {before}");
    }
}

/// An offset that comes and goes upsets no later stage for longer than its own times: two seconds after it has gone a
/// strip with everything at work sounds as one that never met it, to −120 dBFS.
#[test]
fn strips_get_over_an_offset() {
    let mut params = ChannelStripParams::default();
    params.gate.on = true;
    params.gate.threshold_db = -50.0;
    params.eq.band[3].on = true;
    params.eq.band[3].gain_db = 6.0;
    (params.eq.band[4].on, params.eq.band[4].range_db, params.eq.band[4].threshold_db) = (true, -9.0, -40.0);
    params.compressor.on = true;
    params.compressor.threshold_db = -30.0;
    params.saturation.drive_db = 12.0;
    params.panner.width_percent = 140.0;
    (params.panner.mono_below, params.panner.mono_below_hz) = (true, 120.0);
    let (met, gone, frames) = (24_000, 72_000, 192_000);
    let tone = |n: usize, phase: f64| 0.1 * (TAU * 440.0 / RATE_HZ * n as f64 + phase).sin();
    let sound = |offset: f64| {
        let at = |n: usize| if (met..gone).contains(&n) { offset } else { 0.0 };
        [0.0, 1.0].map(|phase| (0..frames).map(|n| (tone(n, phase) + at(n)) as f32).collect::<Vec<f32>>())
    };
    let strip = |sound: &[Vec<f32>; 2]| {
        let mut strip = ChannelStrip::<2>::new();
        strip.prepare(CONFIG, &params).unwrap();
        run(&mut strip, sound)
    };
    let expected = strip(&sound(0.0));
    for offset in [0.5, -1.0, 100.0] {
        let heard = strip(&sound(offset));
        assert!(heard.iter().flatten().all(|s| s.is_finite()));
        assert_ne!(heard[0][met..gone], expected[0][met..gone]);
        for (heard, expected) in heard.iter().zip(&expected) {
            let worst = heard[gone + 96_000..].iter().zip(&expected[gone + 96_000..]);
            let worst = worst.fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 1e-6, "{offset}: {worst}");
        }
    }
}
