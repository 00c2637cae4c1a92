//! Gate and compressor against closed forms.
#![allow(clippy::disallowed_methods)] // what is expected is computed by other means than what is tested
#![allow(clippy::disallowed_macros)] // measured figures are printed with --nocapture
#![allow(clippy::cloned_ref_to_slice_refs)] // one channel is an array of one, not a slice

use crate::measure::run;
use dsp_core::controls::{self, Kind};
use dsp_core::dynamics::ballistics::{Follower, Times};
use dsp_core::dynamics::compressor::{Compressor, CompressorParams, Direction, INFINITE_RATIO};
use dsp_core::dynamics::gate::{Gate, GateParams};
use dsp_core::dynamics::key_filter::KeyFilterParams;
use dsp_core::dynamics::style::{AUTO_RELEASE_MS, Style};
use dsp_core::processor::{Processor, StreamConfig};
use realfft::RealFftPlanner;
use std::f64::consts::TAU;

const RATE_HZ: f64 = 48_000.0;

fn compressor<const CH: usize>(rate_hz: f64, params: &CompressorParams) -> Compressor<CH> {
    let mut stage = Compressor::new();
    stage.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
    stage
}

fn sine(rate_hz: f64, hz: f64, peak: f64, phase: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (peak * (TAU * hz / rate_hz * n as f64 + phase).sin()) as f32).collect()
}

/// A start without a click: a click has a level of its own, which a slow release would remember.
fn fade_in(x: &mut [f32], frames: usize) {
    for (n, x) in x.iter_mut().enumerate().take(frames) {
        *x *= (0.5 - 0.5 * (TAU / 2.0 * n as f64 / frames as f64).cos()) as f32;
    }
}

fn db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

/// Peak of the sine at `hz` in `x`, by projection: exact for whole periods.
fn peak_of(x: &[f32], rate_hz: f64, hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, x) in x.iter().enumerate() {
        let angle = TAU * hz / rate_hz * n as f64;
        re += f64::from(*x) * angle.cos();
        im += f64::from(*x) * angle.sin();
    }
    2.0 / x.len() as f64 * re.hypot(im)
}

/// Giannoulis, Massberg, Reiss 2012, eq. 4, with ratio ∞ as 1/R = 0.
fn downward(x: f64, t: f64, inverse_ratio: f64, w: f64) -> f64 {
    let over = x - t;
    if 2.0 * over < -w {
        x
    } else if 2.0 * over.abs() <= w && w > 0.0 {
        x + (inverse_ratio - 1.0) * (over + w / 2.0).powi(2) / (2.0 * w)
    } else {
        t + over * inverse_ratio
    }
}

/// Fastest attack, so that the settled gain is there soon, and a slow release, which shows every ripple as an error.
fn steady() -> CompressorParams {
    CompressorParams { on: true, attack_ms: 0.02, release_ms: 2500.0, ..Default::default() }
}

/// A 1 kHz sine from −60 to +20 dBFS at any phase comes out at the level of the closed form within 0.01 dB, knee
/// included, whatever the release, the ratio, the share of RMS and the rate.
#[test]
fn static_curve_is_the_closed_form() {
    let mut worst = 0.0f64;
    for (rate_hz, ratio, knee_db, rms_percent, release_ms) in [
        (48_000.0, 4.0, 0.0, 0.0, 2500.0),
        (48_000.0, 4.0, 12.0, 0.0, 5.0),
        (44_100.0, 100.0, 36.0, 0.0, 2500.0),
        (48_000.0, 100.0, 6.0, 0.0, 2500.0),
        (96_000.0, 1.5, 24.0, 0.0, 2500.0),
        (192_000.0, 20.0, 6.0, 0.0, 2500.0),
        (48_000.0, 8.0, 6.0, 100.0, 2500.0),
        (48_000.0, 8.0, 6.0, 37.0, 50.0),
    ] {
        let params = CompressorParams { ratio, knee_db, rms_percent, release_ms, threshold_db: -18.0, ..steady() };
        let inverse_ratio = if ratio >= 100.0 { 0.0 } else { 1.0 / ratio };
        for step in -30..=10 {
            let level_db = 2.0 * f64::from(step);
            let phase = 0.37 * f64::from(step);
            let frames = (rate_hz * 0.25) as usize;
            let mut x = sine(rate_hz, 1000.0, 10f64.powf(level_db / 20.0), phase, frames);
            fade_in(&mut x, (rate_hz * 0.02) as usize);
            let [out] = run(&mut compressor::<1>(rate_hz, &params), &[x], None, |_, _| ());
            let last = &out[frames - (rate_hz * 0.1) as usize..];
            let error = db(peak_of(last, rate_hz, 1000.0)) - downward(level_db, -18.0, inverse_ratio, knee_db);
            assert!(error.abs() <= 0.01, "{error} dB at {level_db} dB, {params:?}");
            worst = worst.max(error.abs());
        }
    }
    println!("static curve: worst error {worst:.5} dB");
}

/// The curve of every style, direction and range, as the editor draws it and as the sound meets it.
#[test]
fn every_style_meets_its_curve() {
    let lift = |x: f64, t: f64, inverse_ratio: f64, w: f64| (t - downward(t - x, 0.0, inverse_ratio, w)).min(x + 24.0);
    for style in Style::ALL {
        for direction in Direction::ALL {
            for (ratio, knee_db, range_db) in [(3.0, 10.0, 60.0), (100.0, 0.0, 9.0)] {
                let (style, direction) = (*style, *direction);
                let params = CompressorParams {
                    style,
                    direction,
                    ratio,
                    knee_db,
                    range_db,
                    threshold_db: -30.0,
                    release_ms: 5.0,
                    ..steady()
                };
                let inverse_ratio = if ratio >= 100.0 { 0.0 } else { 1.0 / ratio };
                // the ratio of a vari-mu grows over 24 dB more, from the same beginning
                let bend = if style == Style::VariMu { 24.0 } else { 0.0 };
                for level_db in [-70.0, -50.0, -36.0, -33.0, -30.0, -26.0, -18.0, -6.0, 6.0] {
                    let mut x = sine(RATE_HZ, 1000.0, 10f64.powf(level_db / 20.0), 0.9, 24_000);
                    fade_in(&mut x, 2400);
                    let [out] = run(&mut compressor::<1>(RATE_HZ, &params), &[x], None, |_, _| ());
                    let measured = db(peak_of(&out[19_200..], RATE_HZ, 1000.0)) - level_db;
                    let expected = match direction {
                        Direction::Downward => downward(level_db, -30.0 + bend / 2.0, inverse_ratio, knee_db + bend),
                        Direction::Upward => lift(level_db, -30.0 - bend / 2.0, inverse_ratio, knee_db + bend),
                    };
                    let expected = (expected - level_db).clamp(-range_db, range_db);
                    assert!(
                        (measured - expected).abs() <= 0.01,
                        "{measured} for {expected} dB at {level_db}, {params:?}"
                    );
                    // the drawn curve is the closed form, but for roundings
                    assert!((params.gain_curve().gain_db(level_db) - expected).abs() < 1e-12);
                }
            }
        }
    }
}

/// Frames (with a fraction) until `gain_db` has gone 63.2 % of the way from its first value to `to_db`.
fn time_to_63(gain_db: &[f64], to_db: f64) -> f64 {
    let from = gain_db[0];
    let goal = from + (to_db - from) * (1.0 - (-1.0f64).exp());
    let after = gain_db.iter().position(|g| (g - goal) * (to_db - from).signum() >= 0.0).expect("never there");
    let (a, b) = (gain_db[after - 1], gain_db[after]);
    (after - 1) as f64 + (goal - a) / (b - a)
}

/// Both labels are true to 1 % at every rate and for every pair of times: of the follower itself, so that the way to
/// measure level plays no part.
#[test]
fn labels_are_true() {
    for rate_hz in [44_100.0, 96_000.0, 192_000.0] {
        for attack_ms in [0.02, 0.1, 1.0, 10.0, 80.0, 250.0] {
            for release_ms in [5.0, 20.0, 100.0, 640.0, 2500.0] {
                for glue in [false, true] {
                    let times = Times { attack_ms, release_ms, hold_ms: 0.0, glue, memory: None };
                    let rates = times.rates(rate_hz);
                    let mut follower = Follower::default();
                    let step = |follower: &mut Follower, target| {
                        if glue {
                            follower.step_weighted(target, 1.0, 1.0, &rates)
                        } else {
                            follower.step(target, &rates)
                        }
                    };
                    let frames = |ms: f64| (ms * 1e-3 * rate_hz) as usize;
                    let up: Vec<f64> = std::iter::once(0.0)
                        .chain((0..frames(attack_ms) * 4 + 20).map(|_| step(&mut follower, 10.0)))
                        .collect();
                    // a time counts from the frame before the step, whose gain is the old one
                    let attack = time_to_63(&up, 10.0) / rate_hz * 1e3;
                    (0..frames(attack_ms) * 20 + 100).for_each(|_| {
                        step(&mut follower, 10.0);
                    });
                    let down: Vec<f64> = std::iter::once(10.0)
                        .chain((0..frames(release_ms) * 4).map(|_| step(&mut follower, 0.0)))
                        .collect();
                    let release = time_to_63(&down, 0.0) / rate_hz * 1e3;
                    // the least attack is about one frame at 44.1 kHz: between frames the path is drawn straight, which
                    // for a time of one frame is off by up to 12 %: there only whole frames can be asked for
                    let least = if attack_ms * 1e-3 * rate_hz < 20.0 { 1.0 / rate_hz * 1e3 } else { 0.0 };
                    assert!((attack - attack_ms).abs() <= 0.01 * attack_ms + least, "attack {attack} for {times:?}");
                    assert!((release - release_ms).abs() <= 0.01 * release_ms, "release {release} for {times:?}");
                }
            }
        }
    }
}

/// The gain that each frame met, in decibels, where the sound is strong enough to tell.
fn gains_db(x: &[f32], y: &[f32]) -> Vec<Option<f64>> {
    x.iter().zip(y).map(|(x, y)| (x.abs() > 1e-4).then(|| db(f64::from(y / x)))).collect()
}

/// The labels are true of the sound too, in every style: a tone of 11 kHz over the knee, and gone. Half a millisecond
/// is left to the measurement of level.
#[test]
fn labels_are_true_of_the_sound() {
    for style in Style::ALL {
        for (attack_ms, release_ms, ratio) in [
            (5.0, 100.0, 4.0),
            (40.0, 50.0, 4.0),
            (120.0, 400.0, 4.0),
            (5.0, 50.0, INFINITE_RATIO),
            (1.0, 200.0, INFINITE_RATIO),
        ] {
            let params = CompressorParams {
                on: true,
                style: *style,
                attack_ms,
                release_ms,
                threshold_db: -26.0,
                ratio,
                knee_db: 0.0,
                ..Default::default()
            };
            let (silent, loud) = (480, ((attack_ms * 14.0 + release_ms * 6.0) * 48.0) as usize);
            let frames = silent + loud + (release_ms * 48.0 * 6.0) as usize;
            let mut x = sine(RATE_HZ, 11_000.0, 1.0, 0.3, frames);
            for (n, x) in x.iter_mut().enumerate() {
                *x *= if (silent..silent + loud).contains(&n) { 0.5 } else { 0.0006 };
            }
            let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
            let gains = gains_db(&x, &y);
            let known = |from: usize, to: usize| -> Vec<f64> {
                let mut last = gains[from..].iter().flatten().next().copied().unwrap();
                gains[from..to]
                    .iter()
                    .map(|g| {
                        last = g.unwrap_or(last);
                        last
                    })
                    .collect()
            };
            let attack = time_to_63(
                &[vec![0.0], known(silent, silent + loud)].concat(),
                *known(silent, silent + loud).last().unwrap(),
            ) / 48.0;
            let expected = params.gain_curve().gain_db(db(0.5));
            // the weights of feedback are those above the knee: a vari-mu is still inside it
            if *style != Style::VariMu {
                let settled = *known(silent, silent + loud).last().unwrap();
                assert!((settled - expected).abs() < 0.02, "{style:?}: {settled} for {expected} dB");
                assert!(
                    (attack - attack_ms).abs() <= 0.01 * attack_ms + 0.5,
                    "{style:?}: attack {attack} for {attack_ms}"
                );
            }
            // lasting reduction recovers in two stages: see below
            if params.style.character().memory.is_none() {
                let release = time_to_63(&known(silent + loud - 1, frames), 0.0) / 48.0;
                println!("{style:?} {attack_ms}/{release_ms} ms: {attack:.2}/{release:.2} ms");
                assert!(
                    (release - release_ms).abs() <= 0.01 * release_ms + 0.5,
                    "{style:?}: release {release} for {release_ms}"
                );
            }
        }
    }
}

/// xorshift64*: Marsaglia 2003, Vigna 2016. Noise between ±½.
fn noise(seed: u64, frames: usize) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            ((state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f64 / f64::from(1 << 24) - 0.5) as f32
        })
        .collect()
}

/// At full link both channels meet the same gain, to the bit, from the start and after a visit to no link at all.
#[test]
fn linked_gains_are_identical() {
    let frames = 96_000;
    for style in Style::ALL {
        let params = CompressorParams { on: true, style: *style, threshold_db: -40.0, ..Default::default() };
        let unlinked = CompressorParams { stereo_link_percent: 0.0, ..params };
        let loud = noise(7, frames);
        // the same sound, 2^−6 as strong: what the gain does to it is the same up to that factor, exactly
        let soft: Vec<f32> = loud.iter().map(|x| x / 64.0).collect();
        let mut stage = compressor::<2>(RATE_HZ, &params);
        let [left, right] = run(&mut stage, &[loud, soft], None, |stage, at| match at {
            19_200 => stage.set_params(&unlinked),
            24_000 => stage.set_params(&params),
            _ => (),
        });
        let same = |from: usize, to: usize| left[from..to].iter().zip(&right[from..to]).all(|(l, r)| *l == *r * 64.0);
        assert!(same(0, 19_200), "{style:?}");
        assert!(!same(20_200, 24_000), "{style:?} is linked at 0 %");
        assert!(same(48_000, frames), "{style:?}: linked again, but not alike");
    }
}

/// Nothing is reduced below the knee: not a bit changes, at any mix, in any style, with lookahead too; and a delta of
/// nothing is silence.
#[test]
fn no_reduction_is_transparent() {
    let x = noise(3, 30_000);
    for style in Style::ALL {
        for mix_percent in [0.0, 12.3, 50.0, 77.7, 100.0] {
            for lookahead_ms in [0.0, 3.0] {
                let params = CompressorParams {
                    on: true,
                    style: *style,
                    mix_percent,
                    lookahead_ms,
                    threshold_db: 0.0,
                    knee_db: 6.0,
                    ratio: 100.0,
                    ..Default::default()
                };
                let mut stage = compressor::<1>(RATE_HZ, &params);
                let latency = stage.latency_frames();
                assert_eq!(latency, (lookahead_ms * 48.0) as usize);
                // −6 dBFS of noise stays 3 dB below the knee's edge
                let [y] = run(&mut stage, &[x.iter().map(|x| x * 0.7).collect()], None, |_, _| ());
                assert!(y[latency..].iter().zip(&x).all(|(y, x)| *y == *x * 0.7), "{style:?}, mix {mix_percent}");
                let delta = CompressorParams { delta: true, ..params };
                let [y] =
                    run(&mut compressor::<1>(RATE_HZ, &delta), &[x.iter().map(|x| x * 0.7).collect()], None, |_, _| ());
                assert!(y.iter().all(|y| *y == 0.0), "{style:?}: delta of nothing");
            }
        }
    }
}

/// After a reduction the path comes back to transparency, to the bit.
#[test]
fn recovery_ends_in_transparency() {
    let mut x = noise(5, 240_000);
    x[4_800..].iter_mut().for_each(|x| *x *= 0.01);
    for style in Style::ALL {
        let params = CompressorParams { on: true, style: *style, release_ms: 20.0, ..Default::default() };
        let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
        assert!(y[4_000..4_800] != x[4_000..4_800]);
        assert!(y[216_000..] == x[216_000..], "{style:?}");
    }
}

/// Mix and make-up and delta are the gains they say: out = (1 − m) x + m u g x, delta = m (1 − g) x.
#[test]
fn mix_make_up_and_delta_add_up() {
    let base = CompressorParams { threshold_db: -30.0, ratio: 4.0, knee_db: 0.0, ..steady() };
    let mut x = sine(RATE_HZ, 1000.0, 0.5, 0.0, 24_000);
    fade_in(&mut x, 1000);
    let g = 10f64.powf(base.gain_curve().gain_db(db(0.5)) / 20.0);
    let peak = |params: CompressorParams| {
        let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
        peak_of(&y[19_200..], RATE_HZ, 1000.0) / 0.5
    };
    let near =
        |measured: f64, expected: f64| assert!(db(measured / expected).abs() < 0.01, "{measured} for {expected}");
    near(peak(base), g);
    near(peak(CompressorParams { mix_percent: 30.0, ..base }), 0.7 + 0.3 * g);
    near(peak(CompressorParams { make_up_db: 6.0, ..base }), g * 10f64.powf(0.3));
    let automatic = CompressorParams { auto_make_up: true, auto_make_up_db: 4.0, make_up_db: 2.0, ..base };
    near(peak(automatic), g * 10f64.powf(0.3));
    near(peak(CompressorParams { auto_make_up: false, ..automatic }), g * 10f64.powf(0.1));
    near(peak(CompressorParams { delta: true, mix_percent: 40.0, make_up_db: 9.0, ..base }), 0.4 * (1.0 - g));
}

/// A low note is not bent: third harmonic of 50 Hz under 6 dB of reduction. A rectifying detector leaves −40 dB here.
#[test]
fn bass_is_not_distorted() {
    let params = CompressorParams {
        on: true,
        threshold_db: -14.0,
        ratio: 4.0,
        attack_ms: 5.0,
        release_ms: 50.0,
        ..Default::default()
    };
    let mut x = sine(RATE_HZ, 50.0, 0.5, 0.0, 96_000);
    fade_in(&mut x, 4800);
    let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x], None, |_, _| ());
    let harmonics: f64 = (2..20).map(|h| peak_of(&y[48_000..], RATE_HZ, 50.0 * f64::from(h)).powi(2)).sum();
    let thd_db = db(harmonics.sqrt() / peak_of(&y[48_000..], RATE_HZ, 50.0));
    println!("distortion at 50 Hz: {thd_db:.1} dB");
    // ripple of 5.5e-4 in power is 2.8e-4 in amplitude; half of it in each of two sidebands, smoothed: below −77 dB
    assert!(thd_db < -77.0, "{thd_db}");
}

/// With lookahead the gain is down before the peak comes out, and stays until it has passed.
#[test]
fn lookahead_sees_a_burst_coming() {
    let params = CompressorParams {
        on: true,
        threshold_db: -20.0,
        ratio: 100.0,
        knee_db: 0.0,
        attack_ms: 0.5,
        release_ms: 5.0,
        lookahead_ms: 4.0,
        ..Default::default()
    };
    let mut x = sine(RATE_HZ, 6_300.0, 0.05, 0.2, 9_600);
    x[4_800..4_848].iter_mut().for_each(|x| *x *= 20.0);
    let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
    // eight attacks long the gain has fallen; e^−8 of 20 dB is 0.007 dB
    let highest = y[4_992..5_040].iter().fold(0.0f32, |a, y| a.max(y.abs()));
    assert!(db(f64::from(highest)) < -20.0 + 0.05, "{highest}");
    // and without lookahead it comes through
    let [y] =
        run(&mut compressor::<1>(RATE_HZ, &CompressorParams { lookahead_ms: 0.0, ..params }), &[x], None, |_, _| ());
    assert!(y[4_800..4_824].iter().any(|y| y.abs() > 0.5));
}

/// A tone that falls below the threshold keeps its reduction for the hold, then recovers by the label.
#[test]
fn hold_holds() {
    for hold_ms in [0.0, 10.0, 150.0] {
        let params = CompressorParams { on: true, hold_ms, release_ms: 50.0, knee_db: 0.0, ..Default::default() };
        let mut x = sine(RATE_HZ, 11_000.0, 0.5, 0.3, 48_000);
        x[19_200..].iter_mut().for_each(|x| *x *= 0.01);
        let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
        let mut last = 0.0;
        let gains: Vec<f64> = gains_db(&x, &y)
            .into_iter()
            .map(|g| {
                last = g.unwrap_or(last);
                last
            })
            .collect();
        let time = time_to_63(&gains[19_199..], 0.0) / 48.0;
        assert!((time - hold_ms - 50.0).abs() < 1.0, "{time} ms with a hold of {hold_ms}");
    }
}

/// Opto and the automatic release recover fast from what was short, and in two stages from what lasted.
#[test]
fn programme_dependent_releases_have_two_stages() {
    let opto = CompressorParams {
        on: true,
        style: Style::Opto,
        release_ms: 80.0,
        knee_db: 0.0,
        attack_ms: 1.0,
        ..Default::default()
    };
    let auto = CompressorParams { style: Style::Clean, auto_release: true, release_ms: 2500.0, ..opto };
    for (params, share, fast_ms) in [(opto, 0.5, 80.0), (auto, 0.7, AUTO_RELEASE_MS)] {
        let recovery = |loud_ms: f64| {
            let loud = (loud_ms * 48.0) as usize;
            let mut x = sine(RATE_HZ, 11_000.0, 0.5, 0.3, loud + 144_000);
            x[loud..].iter_mut().for_each(|x| *x *= 0.01);
            let [y] = run(&mut compressor::<1>(RATE_HZ, &params), &[x.clone()], None, |_, _| ());
            let mut last = 0.0;
            let gains: Vec<f64> = gains_db(&x, &y)
                .into_iter()
                .map(|g| {
                    last = g.unwrap_or(last);
                    last
                })
                .collect();
            let full = gains[loud - 1];
            gains[loud..].iter().map(|g| g / full).collect::<Vec<f64>>()
        };
        let (short, long) = (recovery(15.0), recovery(4000.0));
        let after = |left: &[f64], ms: f64| left[(ms * 48.0) as usize];
        // the memory of 15 ms is at most 15/250 of the reduction
        assert!((after(&short, fast_ms) - 0.368).abs() < 0.06, "{}", after(&short, fast_ms));
        // after three fast releases only the remembered share is left, itself on the way down for 3/10 of its time
        let left = after(&long, 4.0 * fast_ms);
        assert!(left < share + 0.02 && left > 0.6 * share, "{left} left of {share}");
        assert!(after(&long, 2_900.0) < 0.1, "{}", after(&long, 2_900.0));
    }
}

/// The side chain rules when asked to, and only then; one that is not connected is silent.
#[test]
fn external_side_chain_is_the_key() {
    let x = sine(RATE_HZ, 1000.0, 0.25, 0.0, 24_000);
    let key = [sine(RATE_HZ, 300.0, 1.0, 0.0, 24_000)];
    let params = CompressorParams {
        external_key: true,
        threshold_db: -12.0,
        ratio: 100.0,
        knee_db: 0.0,
        release_ms: 100.0,
        ..steady()
    };
    let level = |params: &CompressorParams, key| {
        let [y] = run(&mut compressor::<1>(RATE_HZ, params), &[x.clone()], key, |_, _| ());
        db(peak_of(&y[19_200..], RATE_HZ, 1000.0))
    };
    assert!((level(&params, Some(&key)) - (db(0.25) - 12.0)).abs() < 0.02);
    let sensitive = CompressorParams { threshold_db: -40.0, ..params };
    assert!((level(&sensitive, None) - db(0.25)).abs() < 0.01, "silence is under every threshold");
    assert!((level(&CompressorParams { external_key: false, ..params }, Some(&key)) - db(0.25)).abs() < 0.01);
}

/// What the key filter's response promises is what listening to the key plays: the DFT of its impulse response.
#[test]
fn key_filter_response_is_what_is_heard() {
    let filter = KeyFilterParams {
        on: true,
        low_cut_hz: 120.0,
        high_cut_hz: 6_000.0,
        bell_hz: 900.0,
        bell_gain_db: 8.0,
        bell_q: 2.0,
        listen: true,
    };
    let mut x = vec![0.0; 1 << 15];
    x[0] = 1.0;
    let mut compressor = compressor::<1>(RATE_HZ, &CompressorParams { on: true, key: filter, ..Default::default() });
    let mut gate = Gate::<1>::new();
    gate.prepare(
        StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 64 },
        &GateParams { on: true, key: filter, ..Default::default() },
    )
    .unwrap();
    let [y] = run(&mut compressor, &[x.clone()], None, |_, _| ());
    let [z] = run(&mut gate, &[x], None, |_, _| ());
    assert!(y == z);
    for hz in [30.0, 60.0, 120.0, 300.0, 700.0, 900.0, 1200.0, 3000.0, 6000.0, 12_000.0, 20_000.0] {
        // a whole number of periods is not needed: the response has died away
        let measured = db(peak_of(&y, RATE_HZ, hz) * y.len() as f64 / 2.0);
        let promised = compressor.key_response_db(hz);
        // single precision between the sections: 24 bits below the largest sample
        assert!((measured - promised).abs() < 0.005, "{measured} for {promised} dB at {hz} Hz");
        assert_eq!(promised, gate.key_response_db(hz));
    }
    // corners of second-order Butterworth cuts, and the bell's top, seen alone
    let alone = |params: KeyFilterParams| {
        let params = CompressorParams { on: true, key: KeyFilterParams { on: true, ..params }, ..Default::default() };
        let stage = self::compressor::<1>(RATE_HZ, &params);
        move |hz: f64| stage.key_response_db(hz)
    };
    assert!((alone(KeyFilterParams { low_cut_hz: 200.0, ..Default::default() })(200.0) + 3.0103).abs() < 1e-3);
    assert!((alone(KeyFilterParams { high_cut_hz: 5e3, ..Default::default() })(5e3) + 3.0103).abs() < 1e-3);
    assert!(
        (alone(KeyFilterParams { bell_hz: 1e3, bell_gain_db: -7.0, ..Default::default() })(1e3) + 7.0).abs() < 1e-3
    );
    assert_eq!(alone(KeyFilterParams::default())(1e3), 0.0);
}

/// The make-up that is read brings the loudness back, at any mix, measured as BS.1770 does it; and reading moves nothing.
#[test]
fn measured_make_up_restores_loudness() {
    let frames = 48_000 * 12;
    let x: Vec<f32> =
        noise(11, frames).iter().enumerate().map(|(n, x)| x * if n / 6000 % 4 == 0 { 1.0 } else { 0.2 }).collect();
    for mix_percent in [100.0, 40.0] {
        let params = CompressorParams {
            on: true,
            threshold_db: -30.0,
            attack_ms: 1.0,
            release_ms: 60.0,
            mix_percent,
            auto_make_up: true,
            ..Default::default()
        };
        let mut stage = compressor::<1>(RATE_HZ, &params);
        let [unmeasured] = run(&mut stage, &[x.clone()], None, |_, _| ());
        assert_eq!(stage.reading().measured_make_up_db, None);
        let mut stage = compressor::<1>(RATE_HZ, &params);
        stage.set_measuring(true);
        let [measured] = run(&mut stage, &[x.clone()], None, |_, _| ());
        assert!(unmeasured == measured);
        let auto_make_up_db = stage.reading().measured_make_up_db.unwrap();
        assert!(auto_make_up_db > 3.0, "{auto_make_up_db}");
        let [y] = run(
            &mut compressor::<1>(RATE_HZ, &CompressorParams { auto_make_up_db, ..params }),
            &[x.clone()],
            None,
            |_, _| (),
        );
        let loudness = |x: &[f32]| {
            let mut meter = ebur128::EbuR128::new(1, 48_000, ebur128::Mode::I).unwrap();
            meter.add_frames_f32(x).unwrap();
            meter.loudness_global().unwrap()
        };
        let difference = loudness(&y) - loudness(&x);
        println!("measured make-up {auto_make_up_db:.2} dB at mix {mix_percent}: {difference:.3} LU off");
        // the meter's gate and the ten seconds' forgetting differ; the programme is the same all along
        assert!(difference.abs() < 0.2, "{difference}");
    }
}

/// Highest spectral line, in dB re full scale, further than `apart_hz` from `hz`: a sine at full scale reads 0. Under a
/// Kaiser window of β = 20, whose side lobes lie below −150 dB and whose main lobe is 7 bins wide on either side.
fn splatter_db(x: &[f32], hz: f64, apart_hz: f64) -> f64 {
    let len = x.len();
    let bessel = |x: f64| {
        (1..60)
            .fold((1.0, 1.0), |(sum, term), k| {
                let term = term * (x / 2.0 / f64::from(k)).powi(2);
                (sum + term, term)
            })
            .0
    };
    let window: Vec<f64> = (0..len)
        .map(|n| {
            bessel(20.0 * (1.0 - (2.0 * n as f64 / (len - 1) as f64 - 1.0).powi(2)).max(0.0).sqrt()) / bessel(20.0)
        })
        .collect();
    let mut input: Vec<f64> = x.iter().zip(&window).map(|(x, w)| f64::from(*x) * w).collect();
    let fft = RealFftPlanner::new().plan_fft_forward(len);
    let mut spectrum = fft.make_output_vec();
    fft.process(&mut input, &mut spectrum).unwrap();
    let gain = 2.0 / window.iter().sum::<f64>();
    let bin_hz = RATE_HZ / len as f64;
    let highest = spectrum
        .iter()
        .enumerate()
        .filter(|(bin, _)| (*bin as f64 * bin_hz - hz).abs() > apart_hz)
        .fold(0.0f64, |a, (_, s)| a.max(s.norm()));
    db(highest * gain)
}

/// Moves each control under a 1 kHz sine at −12 dBFS and returns what the worst of them leaves outside ±200 Hz.
fn worst_splatter<P: Processor<1>>(make: impl Fn() -> P, base: P::Params) -> f64 {
    let frames = 1 << 15;
    let x = sine(RATE_HZ, 1000.0, 10f64.powf(-0.6), 0.4, 2 * frames);
    let mut worst = f64::MIN;
    for (index, listed) in controls::list::<P::Params>().iter().enumerate() {
        if listed.control.structural {
            continue;
        }
        for down in [false, true] {
            let at = |travel: f64| {
                let mut params = base;
                let travel = if down { 1.0 - travel } else { travel };
                controls::set(&mut params, index, listed.control.kind.value_at(travel));
                params
            };
            let mut stage = make();
            stage.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 64 }, &at(0.0)).unwrap();
            // a ramp over the whole range in 100 ms, from 200 ms into the second half on; switches are thrown
            let [y] = run(&mut stage, &[x.clone()], None, |stage, n| {
                let travel = (n as f64 - frames as f64 - 9_600.0) / 4_800.0;
                let travel = if matches!(listed.control.kind, Kind::Float(_)) { travel } else { travel.ceil() };
                stage.set_params(&at(travel.clamp(0.0, 1.0)));
            });
            let splatter = splatter_db(&y[frames..], 1000.0, 200.0);
            worst = worst.max(splatter);
        }
    }
    worst
}

/// No control clicks: whatever moves, nothing above −80 dBFS lies further than 200 Hz from the tone.
#[test]
fn compressor_automation_does_not_click() {
    for (attack_ms, release_ms) in [(0.02, 5.0), (10.0, 100.0)] {
        let base = CompressorParams {
            on: true,
            threshold_db: -30.0,
            ratio: 8.0,
            attack_ms,
            release_ms,
            key: KeyFilterParams {
                on: true,
                bell_hz: 1000.0,
                bell_gain_db: 6.0,
                low_cut_hz: 300.0,
                ..Default::default()
            },
            ..Default::default()
        };
        let worst = worst_splatter(Compressor::<1>::new, base);
        assert!(worst <= -80.0, "{worst} dBFS with {attack_ms}/{release_ms} ms");
    }
}

fn gate<const CH: usize>(params: &GateParams) -> Gate<CH> {
    let mut stage = Gate::new();
    stage.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 4096 }, params).unwrap();
    stage
}

/// Below the threshold an expander leaves T − (T − x) R, down to its range; above it not a bit changes.
#[test]
fn expander_meets_its_curve() {
    for (ratio, range_db) in [(1.0, 40.0), (1.7, 60.0), (4.0, 30.0), (100.0, 60.0), (100.0, 100.0)] {
        let params = GateParams {
            on: true,
            ratio,
            range_db,
            threshold_db: -30.0,
            hysteresis_db: 0.0,
            attack_ms: 0.02,
            hold_ms: 0.0,
            release_ms: 5.0,
            ..Default::default()
        };
        for level_db in [-80.0, -60.0, -45.0, -33.0, -30.5, -29.5, -10.0, 12.0] {
            let mut x = sine(RATE_HZ, 1000.0, 10f64.powf(level_db / 20.0), 0.6, 24_000);
            fade_in(&mut x, 2400);
            let [y] = run(&mut gate::<1>(&params), &[x.clone()], None, |_, _| ());
            let below = (-30.0 - level_db).max(0.0);
            let expected = if below == 0.0 {
                0.0
            } else if ratio >= 100.0 {
                -range_db
            } else {
                (below * (1.0 - ratio)).max(-range_db)
            };
            let measured = db(peak_of(&y[19_200..], RATE_HZ, 1000.0)) - level_db;
            // the ratio multiplies the ripple of level
            assert!((measured - expected).abs() <= 0.01, "{measured} for {expected} dB at {level_db}, {params:?}");
            assert!((params.gain_curve().gain_db(level_db) - expected).abs() < 1e-12);
            if below == 0.0 {
                assert!(y[19_200..] == x[19_200..], "open, but not transparent");
            }
        }
    }
}

/// It opens at the threshold and closes only below it by the hysteresis; a level between the two changes nothing.
#[test]
fn hysteresis_keeps_the_gate_from_chattering() {
    let params = GateParams {
        on: true,
        threshold_db: -30.0,
        hysteresis_db: 6.0,
        hold_ms: 0.0,
        attack_ms: 0.1,
        release_ms: 10.0,
        range_db: 60.0,
        ..Default::default()
    };
    // a slow way up and down again between −45 and −20 dB
    let level_db = |n: usize| -20.0 - 25.0 * (n as f64 / 96_000.0 - 1.0).abs();
    let x: Vec<f32> = sine(RATE_HZ, 2_000.0, 1.0, 0.0, 192_000)
        .iter()
        .enumerate()
        .map(|(n, x)| (f64::from(*x) * 10f64.powf(level_db(n) / 20.0)) as f32)
        .collect();
    let mut openings = vec![];
    let mut open = false;
    run(&mut gate::<1>(&params), &[x], None, |stage: &mut Gate<1>, n| {
        if stage.reading().open != open {
            open = !open;
            openings.push((open, level_db(n)));
        }
    });
    // blocks of 64 frames are 0.017 dB apart
    assert_eq!(openings.len(), 2, "{openings:?}");
    assert!(openings[0].0 && (openings[0].1 + 30.0).abs() < 0.05, "{openings:?}");
    assert!(!openings[1].0 && (openings[1].1 + 36.0).abs() < 0.05, "{openings:?}");
}

/// Attack, hold and release of the gate are what their labels say, in decibels.
#[test]
fn gate_times_are_true() {
    for (attack_ms, hold_ms, release_ms) in [(5.0, 0.0, 50.0), (20.0, 40.0, 200.0), (60.0, 7.0, 100.0)] {
        let params = GateParams {
            on: true,
            attack_ms,
            hold_ms,
            release_ms,
            range_db: 30.0,
            threshold_db: -20.0,
            ..Default::default()
        };
        let loud = ((attack_ms * 15.0) * 48.0) as usize;
        let frames = 4_800 + loud + ((hold_ms + release_ms * 6.0) * 48.0) as usize;
        let mut x = sine(RATE_HZ, 11_000.0, 0.5, 0.3, frames);
        for (n, x) in x.iter_mut().enumerate() {
            *x *= if (4_800..4_800 + loud).contains(&n) { 1.0 } else { 0.02 };
        }
        let [y] = run(&mut gate::<1>(&params), &[x.clone()], None, |_, _| ());
        let mut last = -30.0;
        let gains: Vec<f64> = gains_db(&x, &y)
            .into_iter()
            .map(|g| {
                last = g.unwrap_or(last);
                last
            })
            .collect();
        let attack = time_to_63(&gains[4_799..4_800 + loud], 0.0) / 48.0;
        assert!((attack - attack_ms).abs() <= 0.01 * attack_ms + 0.5, "{attack} for {attack_ms} ms");
        let release = time_to_63(&gains[4_799 + loud..], -30.0) / 48.0 - hold_ms;
        assert!((release - release_ms).abs() <= 0.01 * release_ms + 0.5, "{release} for {release_ms} ms");
    }
}

/// With lookahead a gate is open when the sound comes: of a burst every sample passes to the bit, from the first one on, with
/// an attack that is over by then, and without lookahead the first ones are turned down. It closes behind the last of them.
#[test]
fn lookahead_opens_in_time() {
    let (from, to) = (9_600, 14_400);
    let mut x = sine(RATE_HZ, 1000.0, 0.5, 0.3, 48_000);
    for (n, x) in x.iter_mut().enumerate() {
        *x *= if (from..to).contains(&n) { 1.0 } else { 1e-4 };
    }
    let base = GateParams {
        on: true,
        attack_ms: 0.2,
        hold_ms: 0.0,
        release_ms: 20.0,
        threshold_db: -30.0,
        ..Default::default()
    };
    for lookahead_ms in [0.0, 5.0] {
        let mut stage = gate::<1>(&GateParams { lookahead_ms, ..base });
        let late = stage.latency_frames();
        assert_eq!(late, (lookahead_ms * 48.0) as usize);
        let [y] = run(&mut stage, &[x.clone()], None, |_, _| ());
        let first_db = db(f64::from(y[from + late] / x[from]));
        if late == 0 {
            assert!(first_db < -20.0, "{first_db}");
        } else {
            // 5 ms are 25 attacks: the 40 dB that were closed are open but for 40 e^-25
            assert!(first_db > -1e-6, "{first_db}");
            let passed = y[from + late..to + late].iter().zip(&x[from..to]);
            assert!(passed.clone().all(|(y, x)| (y - x).abs() <= 1e-6 * x.abs()), "the burst is whole");
        }
        // five releases behind the burst 40 dB are there but for 40 e^-5
        let closed_db = db(f64::from(y[to + late + 4_800] / x[to + 4_800]));
        assert!((closed_db + 40.0).abs() < 0.5, "{closed_db}");
    }
}

/// The side chain opens the gate when asked to, and only then; one that is not connected is silent, and closes it.
#[test]
fn gates_are_keyed_from_outside() {
    let x = sine(RATE_HZ, 1000.0, 0.25, 0.0, 24_000);
    let quiet = sine(RATE_HZ, 1000.0, 1e-4, 0.0, 24_000);
    let key = [sine(RATE_HZ, 300.0, 0.5, 0.0, 24_000)];
    let params = GateParams { on: true, external_key: true, threshold_db: -30.0, range_db: 40.0, ..Default::default() };
    let moved_db = |params: &GateParams, x: &[f32], key| {
        let [y] = run(&mut gate::<1>(params), &[x.to_vec()], key, |_, _| ());
        db(peak_of(&y[19_200..], RATE_HZ, 1000.0)) - db(peak_of(&x[19_200..], RATE_HZ, 1000.0))
    };
    assert!(moved_db(&params, &quiet, Some(&key)).abs() < 1e-3, "opened by what is louder outside");
    assert!((moved_db(&params, &x, None) + 40.0).abs() < 1e-3, "silence is under every threshold");
    let own = GateParams { external_key: false, ..params };
    assert!((moved_db(&own, &quiet, Some(&key)) + 40.0).abs() < 1e-3 && moved_db(&own, &x, None).abs() < 1e-3);
}

/// Both channels of a gate open together, to the bit.
#[test]
fn gate_keeps_the_image() {
    let loud = noise(7, 48_000);
    let soft: Vec<f32> = loud.iter().map(|x| x / 64.0).collect();
    let params = GateParams { on: true, threshold_db: -8.0, ..Default::default() };
    let [left, right] = run(&mut gate::<2>(&params), &[loud, soft], None, |_, _| ());
    assert!(left.iter().zip(&right).all(|(l, r)| *l == *r * 64.0));
}

/// No control of the gate clicks. The tone stays above the threshold or below it while the others move: a gate that
/// opens is heard, and that is its work. Its ratio and threshold then move what an expander does.
#[test]
fn gate_automation_does_not_click() {
    let key = KeyFilterParams { on: true, bell_hz: 1000.0, bell_gain_db: 3.0, low_cut_hz: 300.0, ..Default::default() };
    for (ratio, threshold_db) in [(2.0, -5.0), (3.0, -30.0)] {
        let base = GateParams {
            on: true,
            ratio,
            threshold_db,
            hysteresis_db: 0.0,
            attack_ms: 10.0,
            hold_ms: 0.0,
            release_ms: 50.0,
            key,
            ..Default::default()
        };
        let worst = worst_splatter(Gate::<1>::new, base);
        assert!(worst <= -80.0, "{worst} dBFS");
    }
}

/// Readings say what happened, and forget it once read.
#[test]
fn readings_hold_the_most_since_the_last() {
    let params = CompressorParams { threshold_db: -20.0, ratio: 100.0, knee_db: 0.0, release_ms: 50.0, ..steady() };
    let mut stage = compressor::<2>(RATE_HZ, &params);
    assert_eq!(stage.reading().key_level_db, None);
    let mut x = sine(RATE_HZ, 1000.0, 0.5, 0.0, 24_000);
    fade_in(&mut x, 2400);
    run(&mut stage, &[x.clone(), x.iter().map(|x| x / 2.0).collect()], None, |_, _| ());
    let first = stage.reading();
    // 0.5 is 13.98 dB over
    assert!((first.gain_db + 13.98).abs() < 0.01 && (first.max_reduction_db - 13.98).abs() < 0.02, "{first:?}");
    assert!((first.key_level_db.unwrap() + 6.02).abs() < 0.01, "{first:?}");
    assert!((first.input_peak - 0.5).abs() < 1e-3 && first.output_peak < 0.5 && first.output_peak >= 0.1, "{first:?}");
    let silence = vec![0.0; 48_000];
    run(&mut stage, &[silence.clone(), silence.clone()], None, |_, _| ());
    let second = stage.reading();
    assert!(second.max_reduction_db > 13.9 && second.gain_db > -0.01, "{second:?}");
    assert_eq!((second.input_peak, second.output_peak), (0.0, 0.0));
    run(&mut stage, &[silence.clone(), silence], None, |_, _| ());
    assert!(stage.reading().max_reduction_db < 0.01);
}
