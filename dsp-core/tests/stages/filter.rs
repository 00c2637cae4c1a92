//! Digital sections against the analogue prototypes that they stand for. The expected magnitudes are |H(jΩ)|² of the
//! transfer functions in the documentation of `filter::prototype`, worked out here.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // the test's own reference; figures with --nocapture
#![allow(clippy::approx_constant)] // a control of 0.7071 is meant as it is written

use dsp_core::filter::complex::Complex;
use dsp_core::filter::prototype::{self, Side};
use dsp_core::filter::section::Section;
use std::f64::consts::{PI, TAU};

const RATE_HZ: f64 = 44_100.0;
const QS: [f64; 9] = [0.5, 0.6, 0.7071, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0];
const GAINS_DB: [f64; 6] = [-18.0, -12.0, -6.0, 6.0, 12.0, 18.0];

/// 20 Hz to 20 kHz, close enough together that a Q of 10 cannot hide: 240 steps of 0.042 octaves.
fn audible_hz() -> impl Iterator<Item = f64> {
    (0..=240).map(|n| 20.0 * 1000f64.powf(f64::from(n) / 240.0))
}

/// 0.1 to 20 kHz, dense at the top, where designs fail.
fn corners_hz() -> impl Iterator<Item = f64> {
    [100.0, 300.0, 1000.0, 3000.0].into_iter().chain((4..=20).map(|k| 1000.0 * f64::from(k)))
}

/// (1 − r)² + r/q², r the squared frequency over the corner's: |s² + s/q + 1|².
fn quadratic(r: f64, q: f64) -> f64 {
    (1.0 - r) * (1.0 - r) + r / (q * q)
}

fn bell_db(f: f64, f0: f64, q: f64, gain_db: f64) -> f64 {
    let (r, a) = ((f / f0).powi(2), 10f64.powf(gain_db / 40.0));
    10.0 * (quadratic(r, q / a) / quadratic(r, q * a)).log10()
}

/// |A(As² + s√A/Q + 1)|² / |s² + s√A/Q + A|² with A from the gain.
fn high_shelf_db(f: f64, f0: f64, q: f64, gain_db: f64) -> f64 {
    let (r, a) = ((f / f0).powi(2), 10f64.powf(gain_db / 40.0));
    let numerator = (1.0 - a * r).powi(2) + r * a / (q * q);
    let denominator = (a - r).powi(2) + r * a / (q * q);
    10.0 * (a * a * numerator / denominator).log10()
}

/// The high shelf of the inverted frequency axis.
fn low_shelf_db(f: f64, f0: f64, q: f64, gain_db: f64) -> f64 {
    high_shelf_db(f0 / f, 1.0, q, gain_db)
}

fn digital_db(sections: &[Section], f: f64) -> f64 {
    let z = Complex::from_angle(TAU * f / RATE_HZ);
    sections.iter().map(|s| s.response(z).db()).sum()
}

/// The largest error in decibels over the audible range, for all corners up to `highest_hz`, Q and gains.
fn worst(
    highest_hz: f64,
    qs: &[f64],
    gains_db: &[f64],
    design: impl Fn(f64, f64, f64) -> Vec<Section>,
    expected: Expected,
) -> f64 {
    let mut worst = 0.0f64;
    for f0 in corners_hz().filter(|f| *f <= highest_hz) {
        for &q in qs {
            for &gain_db in gains_db {
                let sections = design(TAU * f0 / RATE_HZ, q, gain_db);
                for f in audible_hz() {
                    let error = (digital_db(&sections, f) - expected(f, f0, q, gain_db)).abs();
                    worst = if error <= worst { worst } else { error };
                }
            }
        }
    }
    worst
}
type Expected = fn(f64, f64, f64, f64) -> f64;

/// The target is 0.1 dB, and 0.01 dB for mastering: one design is good for both.
#[test]
fn bells_follow_their_prototype() {
    let design = |w: f64, q: f64, g: f64| prototype::bell(w, q, g).to_vec();
    let all = worst(20_000.0, &QS, &GAINS_DB, design, bell_db);
    println!("bells: {all:.4} dB");
    assert!(all <= 0.01, "{all} dB");
}

/// The target is 0.1 dB, and 0.01 dB for mastering, which is met up to Q = 1.5, and up to 10 kHz at every Q. Beyond, a
/// shelf's poles lie 0.75 octaves from its corner with 18 dB, up to 33 kHz, where sharp ones have no smooth factorisation:
/// 0.0118 dB.
#[test]
fn shelves_follow_their_prototype() {
    let high = |w: f64, q: f64, g: f64| prototype::high_shelf(w, q, g).to_vec();
    let low = |w: f64, q: f64, g: f64| prototype::low_shelf(w, q, g).to_vec();
    for (name, design, expected) in [
        ("high", &high as &dyn Fn(f64, f64, f64) -> Vec<Section>, high_shelf_db as Expected),
        ("low", &low, low_shelf_db),
    ] {
        let all = worst(20_000.0, &QS, &GAINS_DB, design, expected);
        let gentle = worst(20_000.0, &QS[..5], &GAINS_DB, design, expected);
        let most = worst(10_000.0, &QS, &GAINS_DB, design, expected);
        println!("{name} shelves: {all:.4} dB, {gentle:.4} up to Q = 1.5, {most:.4} up to 10 kHz");
        assert!(all <= 0.0125 && gentle <= 0.008 && most <= 0.008, "{all} {gentle} {most} dB");
    }
}

/// Between the controls of the other test too: Q about where the factors change their roles, and where a sharp shelf's
/// poles pass the Nyquist frequency. Measured: 0.0215 dB.
#[test]
fn shelves_have_no_ridges() {
    let high = |w: f64, q: f64, g: f64| prototype::high_shelf(w, q, g).to_vec();
    let qs: Vec<f64> = (0..=60).map(|n| 1.6 * 1.75f64.powf(f64::from(n) / 60.0)).chain([8.0, 9.0]).collect();
    let all = worst(20_000.0, &qs, &[-18.0, -9.0, -3.0, 1.0, 6.0, 15.0], high, high_shelf_db);
    println!("shelves between: {all:.4} dB");
    assert!(all < 0.024, "{all} dB");
}

/// A tilt is a high shelf of twice the gain, lowered by the gain.
#[test]
fn tilts_follow_their_prototype() {
    let expected = |f, f0, q, g: f64| high_shelf_db(f, f0, q, 2.0 * g) - g;
    let all = worst(20_000.0, &QS, &[-9.0, -3.0, 3.0, 9.0], |w, q, g| prototype::tilt(w, q, g).to_vec(), expected);
    println!("tilts: {all:.4} dB");
    assert!(all < 0.015, "{all} dB");
}

fn cut(side: Side, omega: f64, q: f64, order: usize) -> Vec<Section> {
    let mut sections = vec![];
    prototype::cut(side, omega, q, order, |s| sections.push(s));
    sections
}

/// The target is 0.1 dB at 12 dB per octave, and 0.01 dB for mastering. Measured: 0.0031 dB for low-passes and 0.0052 dB for
/// high-passes, whose numerator is an approximation too.
#[test]
fn cuts_follow_their_prototype() {
    let high = |w: f64, q: f64, _: f64| cut(Side::High, w, q, 2);
    let low = |w: f64, q: f64, _: f64| cut(Side::Low, w, q, 2);
    let high_db: Expected = |f, f0, q, _| -10.0 * quadratic((f / f0).powi(2), q).log10();
    let low_db: Expected = |f, f0, q, _| -10.0 * quadratic((f0 / f).powi(2), q).log10();
    for (design, expected) in [(&high as &dyn Fn(f64, f64, f64) -> Vec<Section>, high_db), (&low, low_db)] {
        let all = worst(20_000.0, &QS, &[0.0], design, expected);
        println!("cuts: {all:.4} dB");
        assert!(all <= 0.006, "{all} dB");
    }
}

/// A Butterworth cut of order n is |H|² = 1/(1 + (f/f₀)^2n) (S. Butterworth, 1930), at every slope, down to −120 dB.
#[test]
fn steep_cuts_are_butterworth() {
    let q = 0.5f64.sqrt();
    for order in 1..=prototype::MAX_ORDER {
        for f0 in [30.0, 300.0, 3000.0, 10_000.0, 16_000.0] {
            for side in [Side::Low, Side::High] {
                let sections = cut(side, TAU * f0 / RATE_HZ, q, order);
                for f in audible_hz() {
                    let ratio = if side == Side::Low { f0 / f } else { f / f0 };
                    let expected = -10.0 * (1.0 + ratio.powi(2 * order as i32)).log10();
                    let error = (digital_db(&sections, f) - expected).abs();
                    // each pair of poles adds its own error, 0.006 dB; the first-order section has 0.016
                    let allowed = 0.006 * (order / 2) as f64 + if order % 2 == 1 { 0.017 } else { 0.0 };
                    assert!(expected < -120.0 || error < allowed, "{side:?} {order} {f0} {f}: {error} dB");
                }
            }
        }
    }
}

/// Q is the gain at the cut-off frequency of even orders: the other sections have 1/√2 together.
#[test]
fn q_is_the_gain_at_the_cut_off() {
    for order in [2, 4, 8, 16] {
        for q in [0.3, 1.0, 4.0] {
            let gain_db = digital_db(&cut(Side::High, TAU * 5000.0 / RATE_HZ, q, order), 5000.0);
            assert!((gain_db - 20.0 * f64::log10(q)).abs() < 0.005 * order as f64, "{order} {q}: {gain_db} dB");
        }
    }
}

/// Band passes and notches: |s/Q|² and |s² + 1|² over the quadratic, where they are not near silence.
#[test]
fn band_passes_and_notches_follow_their_prototypes() {
    for f0 in [50.0, 1000.0, 8000.0, 15_000.0, 20_000.0] {
        for q in QS {
            let w = TAU * f0 / RATE_HZ;
            let (pass, notch) = (prototype::band_pass(w, q), prototype::notch(w, q));
            for f in audible_hz() {
                let r = (f / f0).powi(2);
                let pass_db = 10.0 * (r / (q * q) / quadratic(r, q)).log10();
                assert!((digital_db(&pass, f) - pass_db).abs() < 0.035, "band pass {f0} {q} at {f}");
                let notch_db = 10.0 * ((1.0 - r) * (1.0 - r) / quadratic(r, q)).log10();
                assert!(
                    notch_db < -30.0 || (digital_db(&notch, f) - notch_db).abs() < 0.1,
                    "notch {f0} {q} at {f}: {}",
                    digital_db(&notch, f) - notch_db
                );
            }
            let depth_db = digital_db(&notch, f0);
            assert!(depth_db < -70.0, "notch {f0} {q}: {depth_db} dB");
        }
    }
}

/// An all-pass has unit gain everywhere, −180° at f₀, and the group delay of its prototype there, 4Q/ω₀.
#[test]
fn all_passes_turn_the_phase_only() {
    for f0 in [40.0, 1000.0, 10_000.0, 18_000.0] {
        for q in QS {
            let w = TAU * f0 / RATE_HZ;
            let section = prototype::all_pass(w, q);
            for f in audible_hz() {
                // rounding of a few products near 1
                assert!(digital_db(&[section], f).abs() < 1e-9, "{f0} {q} at {f}");
            }
            let phase = |w: f64| section.response(Complex::from_angle(w)).phase();
            assert!((phase(w).abs() - PI).abs() < 1e-9);
            let h = 1e-4 * w / q;
            let delay = (phase(w - h) - phase(w + h)).rem_euclid(TAU) / (2.0 * h);
            // the central difference errs by h²/6 of the third derivative, (Q/ω)³-fold: some 1e-7
            assert!((delay * w / (4.0 * q) - 1.0).abs() < 1e-5, "{f0} {q}: {delay}");
        }
    }
}

/// The whole range of the controls, beyond the Nyquist frequency too, as far as it is heard: frequencies to 30 kHz, Q from
/// 0.025 to 40, ±30 dB, at 44.1 kHz.
#[test]
fn extremes_stay_close() {
    let f0s = || (0..=40).map(|n| 10.0 * 3000f64.powf(f64::from(n) / 40.0)).chain([21e3, 22e3, 23e3, 25e3, 28e3]);
    let qs = [0.025, 0.1, 0.3, 0.7071, 1.5, 3.0, 10.0, 20.0, 40.0];
    let (mut bells, mut shelves) = ([0.0f64; 2], [0.0f64; 2]);
    for f0 in f0s() {
        let w = TAU * f0 / RATE_HZ;
        let beyond = usize::from(f0 > 20_000.0);
        for q in qs {
            for gain_db in [-30.0, -10.0, 10.0, 30.0] {
                let (bell, shelf) = (prototype::bell(w, q, gain_db), prototype::high_shelf(w, q, gain_db));
                // and close to the corner, where a Q of 40 and 30 dB are 0.005 octaves wide
                let near = (-8..=8).map(|n| f0 * (1.0 + f64::from(n) * 0.001)).filter(|f| (20.0..=20e3).contains(f));
                for f in audible_hz().step_by(6).chain(near) {
                    let bell = (digital_db(&bell, f) - bell_db(f, f0, q, gain_db)).abs();
                    let shelf = (digital_db(&shelf, f) - high_shelf_db(f, f0, q, gain_db)).abs();
                    bells[beyond] = bells[beyond].max(bell);
                    shelves[beyond] = shelves[beyond].max(shelf);
                }
            }
        }
    }
    println!("extremes: bells {bells:.3?} dB, shelves {shelves:.3?} dB, to 20 kHz and beyond");
    assert!(bells[0] <= 0.01 && bells[1] < 0.05, "{bells:?}");
    assert!(shelves[0] < 0.035 && shelves[1] < 0.03, "{shelves:?}");
}

/// Corners beyond the Nyquist frequency: 0.2 dB, where the part of the prototype that is heard is that of 0.1 dB over
/// poles and zeros each.
#[test]
fn corners_beyond_nyquist_stay_close() {
    let mut worst = 0.0f64;
    for step in 0..=60 {
        let f0 = 20_000.0 * 1.5f64.powf(f64::from(step) / 60.0);
        for q in [0.5, 0.7071, 1.0, 1.4, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0] {
            let bell = prototype::bell(TAU * f0 / RATE_HZ, q, 12.0);
            let shelf = prototype::high_shelf(TAU * f0 / RATE_HZ, q, 12.0);
            for f in audible_hz().step_by(4) {
                worst = worst.max((digital_db(&bell, f) - bell_db(f, f0, q, 12.0)).abs());
                worst = worst.max((digital_db(&shelf, f) - high_shelf_db(f, f0, q, 12.0)).abs());
            }
        }
    }
    assert!(worst < 0.2, "{worst} dB");
}

/// Every frequency, Q and gain that controls can reach, at rates from 8 to 768 kHz: poles inside the unit circle, and
/// no number that is not finite.
#[test]
fn every_design_is_stable() {
    let steps =
        |n: i32, low: f64, high: f64| (0..=n).map(move |i| low * (high / low).powf(f64::from(i) / f64::from(n)));
    for rate_hz in [8000.0, 44_100.0, 768_000.0] {
        for f0 in steps(60, 10.0, 30_000.0) {
            for q in steps(30, 0.025, 40.0) {
                let w = TAU * f0 / rate_hz;
                let mut sections = cut(Side::High, w, q, 3);
                sections.extend(cut(Side::Low, w, q, 3));
                sections.extend(prototype::notch(w, q));
                sections.extend(prototype::band_pass(w, q));
                sections.push(prototype::all_pass(w, q));
                // the most that gain, dynamic range and gain scale add up to
                for gain_db in [-120.0, -30.0, -1.0, 0.0, 7.0, 120.0] {
                    sections.extend(prototype::bell(w, q, gain_db));
                    sections.extend(prototype::low_shelf(w, q, gain_db));
                    sections.extend(prototype::high_shelf(w, q, gain_db));
                    sections.extend(prototype::tilt(w, q, gain_db));
                }
                for section in sections {
                    let finite = section.to_array().iter().all(|c| c.is_finite());
                    assert!(finite && section.slowest_pole() < 1.0, "{rate_hz} {f0} {q}: {section:?}");
                }
            }
        }
    }
}

/// The sections compute what `response` says: the Fourier transform of the impulse response.
#[test]
fn responses_are_those_of_the_impulse() {
    for sections in [prototype::bell(0.3, 2.0, 9.0), prototype::high_shelf(2.0, 0.7, -9.0), prototype::notch(1.0, 3.0)]
    {
        let mut states = [[0.0; 2]; 2];
        let impulse = |n: usize| if n == 0 { 1.0 } else { 0.0 };
        let heard: Vec<f64> = (0..4000)
            .map(|n| {
                let first = sections[0].tick(&mut states[0], impulse(n));
                sections[1].tick(&mut states[1], first)
            })
            .collect();
        for w in [0.0, 0.1, 0.5, 1.0, 2.0, 3.0] {
            let sum = heard.iter().enumerate().fold(Complex::ZERO, |sum, (n, x)| {
                sum + Complex { re: x * (w * n as f64).cos(), im: -x * (w * n as f64).sin() }
            });
            let z = Complex::from_angle(w);
            let error = (sections[0].response(z) * sections[1].response(z) - sum).power().sqrt();
            // 4000 roundings of 1e-16
            assert!(error < 1e-12, "{w}: {error}");
        }
    }
}
