//! Pan, width and time pan, held against closed forms.
// expected values come from std, not from the functions under test; figures are shown with --nocapture
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use crate::measure::{dft, full_scale_noise as noise, splatter_db};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::space::panner::{PanLaw, PanMode, Panner, PannerParams, matrix, pan_gains};
use dsp_core::space::width::side_response;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

fn panner(rate_hz: f64, params: &PannerParams) -> Panner<2> {
    let mut panner = Panner::new();
    panner.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
    panner
}

fn run(panner: &mut Panner<2>, audio: &mut [Vec<f32>; 2]) {
    let [left, right] = audio;
    for (left, right) in left.chunks_mut(4096).zip(right.chunks_mut(4096)) {
        panner.process(&mut Block::new([left, right]));
    }
}

/// Left and right for `frames` frames of each input.
fn through(rate_hz: f64, params: &PannerParams, left: &[f32], right: &[f32]) -> [Vec<f32>; 2] {
    let mut audio = [left.to_vec(), right.to_vec()];
    run(&mut panner(rate_hz, params), &mut audio);
    audio
}

fn sine(hz: f64, rate_hz: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (TAU * hz / rate_hz * n as f64).sin() as f32).collect()
}

const LAWS: [PanLaw; 4] = [PanLaw::Zero, PanLaw::Minus3, PanLaw::Minus4_5, PanLaw::Minus6];

/// 101 positions: the closed form of each law through the whole stage; what the law keeps stays within 1e-6 dB; hard
/// sides are exact. A sample is rounded by 6e-8 at most, 5e-7 dB.
#[test]
fn laws_keep_what_they_promise() {
    for law in LAWS {
        for n in 0..=100 {
            let pan = -100.0 + 2.0 * f64::from(n);
            let params = PannerParams { mode: PanMode::Pan, law, pan, ..Default::default() };
            let [left, right] = through(48_000.0, &params, &[1.0], &[1.0]);
            let (l, r) = (f64::from(left[0]), f64::from(right[0]));
            let angle = f64::from(n) / 100.0 * PI / 2.0;
            let t = f64::from(n) / 100.0;
            let (expected_l, expected_r, kept) = match law {
                PanLaw::Zero => ((2.0 - 2.0 * t).min(1.0), (2.0 * t).min(1.0), l.max(r)),
                PanLaw::Minus3 => (angle.cos(), angle.sin(), (l * l + r * r).sqrt()),
                PanLaw::Minus4_5 => (((1.0 - t) * angle.cos()).sqrt(), (t * angle.sin()).sqrt(), 1.0),
                PanLaw::Minus6 => (1.0 - t, t, l + r),
            };
            assert!((l - expected_l).abs() < 1e-7 && (r - expected_r).abs() < 1e-7, "{law:?} {pan}: {l} {r}");
            assert!((20.0 * kept.log10()).abs() < 1e-6, "{law:?} {pan}: {kept}");
            match n {
                0 => assert_eq!((l, r), (1.0, 0.0)),
                100 => assert_eq!((l, r), (0.0, 1.0)),
                _ => {}
            }
        }
        // two different sides: their mean is placed
        let params = PannerParams { mode: PanMode::Pan, law, pan: -30.0, ..Default::default() };
        let [left, right] = through(48_000.0, &params, &[0.75], &[-0.25]);
        let [gain_left, gain_right] = pan_gains(law, -0.3).map(|gain| (0.25 * gain) as f32);
        assert!((left[0] - gain_left).abs() < 1e-7 && (right[0] - gain_right).abs() < 1e-7);
        // in f64 the same to a few roundings, and mirrored exactly
        for n in 0..=100 {
            let [l, r] = pan_gains(law, f64::from(n - 50) / 50.0);
            assert_eq!([r, l], pan_gains(law, f64::from(50 - n) / 50.0));
        }
    }
    for (law, db) in LAWS.iter().zip([0.0, -3.0103, -4.5154, -6.0206]) {
        assert!((20.0 * pan_gains(*law, 0.0)[0].log10() - db).abs() < 1e-4);
    }
}

/// Balance: nothing happens at the centre, whatever the law; off it the law's curve is raised by its centre.
#[test]
fn balance_keeps_the_centre() {
    let (left, right) = (noise(2000, 1), noise(2000, 2));
    for (law, centre) in LAWS.iter().zip([1.0, 0.5f64.sqrt(), 0.5f64.powf(0.75), 0.5]) {
        let params = PannerParams { law: *law, ..Default::default() };
        assert_eq!(through(48_000.0, &params, &left, &right), [left.clone(), right.clone()]);
        for pan in [-100.0, -31.0, 12.5, 100.0] {
            let [gain_left, gain_right] = pan_gains(*law, pan / 100.0);
            let params = PannerParams { pan, ..params };
            let expected = [[gain_left / centre, 0.0], [0.0, gain_right / centre]];
            for (gain, expected) in matrix(&params).iter().flatten().zip(expected.iter().flatten()) {
                assert!((gain - expected).abs() < 1e-12);
            }
            let [out_left, out_right] = through(48_000.0, &params, &left, &right);
            for (n, (l, r)) in out_left.iter().zip(&out_right).enumerate() {
                // one rounding of numbers up to 2
                assert!((f64::from(*l) - f64::from(left[n]) * expected[0][0]).abs() < 1.3e-7);
                assert!((f64::from(*r) - f64::from(right[n]) * expected[1][1]).abs() < 1.3e-7);
            }
        }
    }
}

/// Dual pan: each side goes where it is sent; at their own sides nothing changes.
#[test]
fn dual_pan_places_each_side() {
    let (left, right) = (noise(500, 3), noise(500, 4));
    for law in LAWS {
        let own = PannerParams { mode: PanMode::DualPan, law, ..Default::default() };
        assert_eq!(through(48_000.0, &own, &left, &right), [left.clone(), right.clone()]);
        let swapped = PannerParams { left_pan: 100.0, right_pan: -100.0, ..own };
        assert_eq!(through(48_000.0, &swapped, &left, &right), [right.clone(), left.clone()]);
        let placed = PannerParams { left_pan: -40.0, right_pan: 15.0, ..own };
        let ([ll, rl], [lr, rr]) = (pan_gains(law, -0.4), pan_gains(law, 0.15));
        let [out_left, out_right] = through(48_000.0, &placed, &left, &right);
        for n in 0..500 {
            let (a, b) = (f64::from(left[n]), f64::from(right[n]));
            assert!((f64::from(out_left[n]) - (ll * a + lr * b)).abs() < 1.3e-7);
            assert!((f64::from(out_right[n]) - (rl * a + rr * b)).abs() < 1.3e-7);
        }
    }
}

/// A mono strip has no sides: every control at a far end changes no bit. Nor does a panner that is off.
#[test]
fn mono_and_off_are_transparent() {
    let all = PannerParams {
        on: true,
        mode: PanMode::Pan,
        law: PanLaw::Minus6,
        pan: 70.0,
        left_pan: 3.0,
        right_pan: -3.0,
        time_pan_ms: 0.7,
        width_percent: 0.0,
        mono_below: true,
        mono_below_hz: 300.0,
    };
    let audio = noise(3000, 5);
    let mut mono = audio.clone();
    let mut panner = Panner::<1>::new();
    panner.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 4096 }, &all).unwrap();
    panner.process(&mut Block::new([&mut mono]));
    assert_eq!(mono, audio);
    let other = noise(3000, 6);
    assert_eq!(through(48_000.0, &PannerParams { on: false, ..all }, &audio, &other), [audio, other]);
}

/// Width scales the side alone: 0 gives the mid on both sides, 200 twice the difference and the same sum.
#[test]
fn width_scales_the_side() {
    let (left, right) = (noise(500, 7), noise(500, 8));
    for percent in [0.0, 50.0, 130.0, 200.0] {
        let params = PannerParams { width_percent: percent, ..Default::default() };
        let [out_left, out_right] = through(48_000.0, &params, &left, &right);
        for n in 0..500 {
            let (l, r) = (f64::from(out_left[n]), f64::from(out_right[n]));
            let (a, b) = (f64::from(left[n]), f64::from(right[n]));
            // two roundings of numbers up to 3
            assert!((l + r - (a + b)).abs() < 3e-7);
            assert!((l - r - (a - b) * percent / 100.0).abs() < 3e-7);
        }
        if percent == 0.0 {
            assert_eq!(out_left, out_right);
        }
    }
}

/// Mono below: the side falls by x⁴/(1 + x⁴) in the warped ratio x = tan(π f/rate)/tan(π f₀/rate) (Linkwitz-Riley of
/// fourth order: −6.02 dB at f₀, 24 dB/oct under it) in phase with the mid, whose level stays the same everywhere.
/// The samples of an impulse response are rounded by 6e-8 of themselves; their magnitudes add up to less than 3.
#[test]
fn mono_below_takes_the_sides_low_end_alone() {
    for (rate_hz, f0) in [(44_100.0, 20.0), (48_000.0, 120.0), (48_000.0, 300.0), (96_000.0, 300.0)] {
        let params = PannerParams { mono_below: true, mono_below_hz: f0, ..Default::default() };
        let frames = 1 << 16;
        let mut impulse = vec![0.0f32; frames];
        impulse[0] = 1.0;
        let negative: Vec<f32> = impulse.iter().map(|s| -s).collect();
        let [mid, mid_right] = through(rate_hz, &params, &impulse, &impulse);
        let [side, side_right] = through(rate_hz, &params, &impulse, &negative);
        assert_eq!(mid, mid_right);
        assert!(side.iter().zip(&side_right).all(|(l, r)| *l == -*r));
        for ratio in [0.125, 0.25, 0.5, 0.9, 1.0, 1.3, 2.0, 4.0, 10.0, 60.0] {
            let hz = f0 * ratio;
            let (mid, side) = (dft(&mid, hz, rate_hz), dft(&side, hz, rate_hz));
            let x4 = ((PI * hz / rate_hz).tan() / (PI * f0 / rate_hz).tan()).powi(4);
            let expected = x4 / (1.0 + x4);
            assert!((mid.norm() - 1.0).abs() < 2e-7, "mid at {hz} Hz: {}", mid.norm());
            assert!((side / mid - expected).norm() < 4e-7, "side at {hz} Hz: {} for {expected}", side / mid);
            assert!((side_response(hz, f0, rate_hz) - expected).abs() < 1e-12);
        }
    }
}

/// Time pan: one side is delayed by the time set, equally loud at all frequencies; the other keeps its bits. Thiran's
/// all-pass is exact at the bottom; the bounds, in radians a frame and frames, are the worst cases of its closed form of
/// first order over delays from 0.05 to 1.5 frames: those of higher orders lie under them.
#[test]
fn time_pan_delays_one_side() {
    let frames = 24_000;
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        for ms in [-0.7, -0.333, -0.02, -0.003, 0.011, 0.1, 0.25, 0.7] {
            let params = PannerParams { time_pan_ms: ms, ..Default::default() };
            for hz in [100.0, 1000.0, 5000.0, 10_000.0, 18_000.0] {
                let input = sine(hz, rate_hz, frames);
                let out = through(rate_hz, &params, &input, &input);
                let (later, same) = if ms > 0.0 { (&out[0], &out[1]) } else { (&out[1], &out[0]) };
                assert_eq!(*same, input);
                // whole periods at the end, long after the start; all frequencies above are multiples of 100 Hz
                let period = (rate_hz / 100.0) as usize;
                let ratio =
                    dft(&later[frames - 20 * period..], hz, rate_hz) / dft(&same[frames - 20 * period..], hz, rate_hz);
                assert!(
                    (20.0 * ratio.norm().log10()).abs() < 1e-5,
                    "{ms} ms at {hz} Hz: {} dB",
                    20.0 * ratio.norm().log10()
                );
                let w = TAU * hz / rate_hz;
                let error_frames = (ratio * Complex64::from_polar(1.0, w * ms.abs() / 1000.0 * rate_hz)).arg() / w;
                let bound = [(0.03, 1e-3), (0.14, 2e-3), (0.66, 0.061), (1.5, 0.25), (2.7, 0.44)];
                let bound = bound.iter().find(|(up_to, _)| w <= *up_to).unwrap().1;
                assert!(error_frames.abs() < bound, "{ms} ms at {hz} Hz, {rate_hz}: off by {error_frames} frames");
            }
        }
    }
}

/// Every control, moved from end to end over a sine at full scale, leaves a peak of less than −80 dBFS beyond the sine's
/// neighbourhood: a glide of 20 ms widens the line by a few hundred hertz, a click would reach everywhere.
#[test]
fn moves_do_not_click() {
    let (rate_hz, frames) = (48_000.0, 32_768);
    let base = PannerParams { mode: PanMode::Pan, ..Default::default() };
    let moves: [(&str, PannerParams, PannerParams); 9] = [
        ("pan", PannerParams { pan: -100.0, ..base }, PannerParams { pan: 100.0, ..base }),
        ("law", PannerParams { law: PanLaw::Zero, ..base }, PannerParams { law: PanLaw::Minus6, ..base }),
        ("mode", base, PannerParams { mode: PanMode::DualPan, left_pan: 100.0, ..base }),
        ("time", PannerParams { time_pan_ms: -0.7, ..base }, PannerParams { time_pan_ms: 0.7, ..base }),
        ("time, a little", PannerParams { time_pan_ms: 0.0, ..base }, PannerParams { time_pan_ms: 0.012, ..base }),
        (
            "width",
            PannerParams { width_percent: 0.0, ..Default::default() },
            PannerParams { width_percent: 200.0, ..Default::default() },
        ),
        ("mono", Default::default(), PannerParams { mono_below: true, mono_below_hz: 300.0, ..Default::default() }),
        (
            "crossover",
            PannerParams { mono_below: true, mono_below_hz: 20.0, ..Default::default() },
            PannerParams { mono_below: true, mono_below_hz: 300.0, ..Default::default() },
        ),
        (
            "on",
            PannerParams { pan: 60.0, time_pan_ms: 0.5, on: false, ..base },
            PannerParams { pan: 60.0, time_pan_ms: 0.5, ..base },
        ),
    ];
    for (hz, passed_hz) in [(200.0, (0.0, 1500.0)), (1000.0, (0.0, 2300.0)), (9000.0, (7700.0, 10_300.0))] {
        let left = sine(hz, rate_hz, frames);
        let right: Vec<f32> = (0..frames).map(|n| (TAU * hz / rate_hz * n as f64).cos() as f32).collect();
        for (name, from, to) in moves {
            let mut panner = panner(rate_hz, &from);
            let mut audio = [left.clone(), right.clone()];
            let [l, r] = &mut audio;
            // there in the middle, back before the glide has ended
            for (n, (l, r)) in l.chunks_mut(512).zip(r.chunks_mut(512)).enumerate() {
                panner.set_params(if (32..40).contains(&n) || n > 44 { &to } else { &from });
                panner.process(&mut Block::new([l, r]));
            }
            for side in &audio {
                let db = splatter_db(side, passed_hz, rate_hz);
                println!("{name:15} {hz:6} Hz {db:7.1} dBFS");
                assert!(db < -80.0, "{name} at {hz} Hz: {db} dBFS");
            }
        }
    }
}

/// A 10 Hz sweep of time pan over its whole range: nothing is heard beyond the neighbourhood of the tone.
#[test]
fn time_pan_sweeps_cleanly() {
    let (rate_hz, frames) = (48_000.0, 65_536);
    for hz in [1000.0, 12_000.0] {
        let mut panner = panner(rate_hz, &PannerParams::default());
        let tone = sine(hz, rate_hz, frames);
        let mut audio = [tone.clone(), tone];
        let [l, r] = &mut audio;
        for (n, (l, r)) in l.chunks_mut(64).zip(r.chunks_mut(64)).enumerate() {
            let time_pan_ms = 0.7 * (TAU * 10.0 * n as f64 * 64.0 / rate_hz).sin();
            panner.set_params(&PannerParams { time_pan_ms, ..Default::default() });
            panner.process(&mut Block::new([l, r]));
        }
        for side in &audio {
            let db = splatter_db(side, (hz - 1500.0, hz + 1500.0), rate_hz);
            println!("sweep at {hz} Hz: {db} dBFS");
            assert!(db < -100.0, "{hz} Hz: {db} dBFS");
        }
    }
}

/// The bus's image is made of the panner's parts: width and low end as there, balance that fades the other side linearly and
/// raises nothing.
#[test]
fn stereo_of_a_mix() {
    use dsp_core::space::stereo::{Stereo, StereoParams};
    let run = |params: &StereoParams| {
        let mut stage = Stereo::<2>::new();
        stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 64 }, params).unwrap();
        let (mut left, mut right) = ([0.5f32; 64], [-0.25f32; 64]);
        stage.process(&mut Block::new([&mut left, &mut right]));
        [f64::from(left[63]), f64::from(right[63])]
    };
    let near = |found: [f64; 2], expected: [f64; 2]| {
        // single precision
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-7), "{found:?} {expected:?}");
    };
    let neutral = StereoParams::default();
    near(run(&neutral), [0.5, -0.25]);
    near(run(&StereoParams { balance: 40.0, ..neutral }), [0.5 * 0.6, -0.25]);
    near(run(&StereoParams { balance: -100.0, ..neutral }), [0.5, 0.0]);
    // mid 1/8, side 3/8
    near(run(&StereoParams { width_percent: 0.0, ..neutral }), [0.125, 0.125]);
    near(run(&StereoParams { width_percent: 200.0, ..neutral }), [0.125 + 0.75, 0.125 - 0.75]);
    near(run(&StereoParams { on: false, width_percent: 0.0, balance: 50.0, ..neutral }), [0.5, -0.25]);
}
