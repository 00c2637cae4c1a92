//! The analogue filters of an equalizer as cascades of digital sections.
//!
//! Frequencies are ω₀ in radians per sample (2π f₀ / sample rate); they may lie beyond the Nyquist frequency. The
//! prototypes, with s in units of ω₀ and A = 10^(gain/40):
//!
//! | filter | H(s) |
//! |---|---|
//! | bell | (s² + sA/Q + 1) / (s² + s/(AQ) + 1) |
//! | low shelf | A (s² + s√A/Q + A) / (As² + s√A/Q + 1) |
//! | high shelf | A (As² + s√A/Q + 1) / (s² + s√A/Q + A) |
//! | tilt | (A²s² + sA/Q + 1) / (s² + sA/Q + A²): −gain below, +gain above |
//! | notch | (s² + 1) / (s² + s/Q + 1) |
//! | band pass | (s/Q) / (s² + s/Q + 1) |
//! | all-pass | (s² − s/Q + 1) / (s² + s/Q + 1) |
//! | cuts | Butterworth of order n; the sharpest section's Q times √2 Q, so that Q is the gain at f₀ |
//!
//! The first three are R. Bristow-Johnson's (*Audio EQ Cookbook*); the tilt is his high shelf of twice the gain, halved.

use crate::filter::matched::{self, Factors};
use crate::filter::section::{Ratio, Section};
use crate::math;

/// A bell. Real-time safe.
#[must_use]
pub fn bell(omega: f64, q: f64, gain_db: f64) -> [Section; 2] {
    let a = math::db_to_gain(0.5 * gain_db);
    over(matched::fit_resonance(omega, q / a), matched::fit_resonance(omega, q * a), 1.0)
}

/// A low shelf. Real-time safe.
#[must_use]
pub fn low_shelf(omega: f64, q: f64, gain_db: f64) -> [Section; 2] {
    let root = math::db_to_gain(0.25 * gain_db);
    let [numerator, denominator] = matched::fit_pair([omega * root, omega / root], q);
    over(numerator, denominator, math::db_to_gain(gain_db))
}

/// A high shelf. Real-time safe.
#[must_use]
pub fn high_shelf(omega: f64, q: f64, gain_db: f64) -> [Section; 2] {
    let root = math::db_to_gain(0.25 * gain_db);
    let [numerator, denominator] = matched::fit_pair([omega / root, omega * root], q);
    over(numerator, denominator, 1.0)
}

/// A tilt about ω₀: −gain far below, +gain far above. Real-time safe.
#[must_use]
pub fn tilt(omega: f64, q: f64, gain_db: f64) -> [Section; 2] {
    let root = math::db_to_gain(0.5 * gain_db);
    let [numerator, denominator] = matched::fit_pair([omega / root, omega * root], q);
    over(numerator, denominator, math::db_to_gain(-gain_db))
}

/// A notch, exactly silent at ω₀ where that is under the Nyquist frequency. Real-time safe.
#[must_use]
pub fn notch(omega: f64, q: f64) -> [Section; 2] {
    let denominator = matched::fit(omega, q);
    over(matched::fit_null(omega), denominator, 1.0)
}

/// A band pass of unit gain at ω₀. Real-time safe.
#[must_use]
pub fn band_pass(omega: f64, q: f64) -> [Section; 2] {
    let denominator = matched::fit(omega, q);
    let (factor, [a, b, c]) = matched::LINEAR;
    let slope = factor / (omega * omega * q * q);
    [
        section(matched::spectral_factor([0.0, slope, -slope / c]), denominator.near),
        section(matched::spectral_factor(product(1.0, a, b)), denominator.far),
    ]
}

/// An all-pass that turns the phase by −180° at ω₀, phase and group delay exact there. Real-time safe.
#[must_use]
pub fn all_pass(omega: f64, q: f64) -> Section {
    // the bilinear form s = u/g has its phase at −180° where tan(ω/2) = g; dω of s is ω₀ / sin ω₀ too steep
    let at = omega.min(0.46 * math::TAU);
    let g = math::tan(0.5 * at);
    let band = g * at / (q * math::sin(at));
    Section::from_ratio(&Ratio { numerator: [g * g, -band, 1.0], denominator: [g * g, band, 1.0] })
}

/// Which side a cut takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Everything under f₀: a high-pass.
    Low,
    /// Everything over f₀: a low-pass.
    High,
}

/// The highest order of a cut: 96 dB per octave.
pub const MAX_ORDER: usize = 16;

/// A cut of 6 dB per octave and `order` (1 to [`MAX_ORDER`]), its sections one by one to `each`. A first-order cut has
/// no Q. Real-time safe if `each` is.
pub fn cut(side: Side, omega: f64, q: f64, order: usize, mut each: impl FnMut(Section)) {
    let order = order.clamp(1, MAX_ORDER);
    let pairs = order / 2;
    if order % 2 == 1 {
        each(first_order(side, omega));
    }
    for pair in 1..=pairs {
        // poles at ±angle from the negative real axis (S. Butterworth, 1930)
        let steps = if order % 2 == 1 { 2 * pair } else { 2 * pair - 1 };
        let angle = math::PI * steps as f64 / (2 * order) as f64;
        let butterworth = 1.0 / (2.0 * math::cos(angle));
        let q = if pair == pairs { butterworth * math::SQRT_2 * q } else { butterworth };
        second_order(side, omega, q).into_iter().for_each(&mut each);
    }
}

fn second_order(side: Side, omega: f64, q: f64) -> [Section; 2] {
    let (numerator, denominator) = match side {
        Side::High => matched::fit_low_pass(omega, q),
        Side::Low => matched::fit_high_pass(omega, q),
    };
    [
        section(matched::spectral_factor(numerator.near), denominator.near),
        section(matched::spectral_factor(numerator.far), denominator.far),
    ]
}

fn first_order(side: Side, omega: f64) -> Section {
    let [n, c, d] = matched::FIRST_ORDER;
    let slope = 4.0 / (omega * omega);
    let weight = [1.0, c, d];
    let square = [0.0, slope, slope * n];
    let sum = [1.0, c + slope, d + slope * n];
    section(matched::spectral_factor(if side == Side::High { weight } else { square }), sum)
}

/// `factor` (1 − φ/a)(1 − φ/b).
fn product(factor: f64, a: f64, b: f64) -> [f64; 3] {
    [factor, -factor * (1.0 / a + 1.0 / b), factor / (a * b)]
}

fn over(numerator: Factors, denominator: Factors, gain: f64) -> [Section; 2] {
    [
        section(matched::spectral_factor(numerator.near).map(|c| gain * c), denominator.near),
        section(matched::spectral_factor(numerator.far), denominator.far),
    ]
}

/// The section with that numerator in u and that squared denominator in φ, which is kept stable whatever it is.
fn section(numerator: [f64; 3], denominator: [f64; 3]) -> Section {
    let [low, band, high] = matched::spectral_factor(denominator);
    let high = high.max(1e-6 * low);
    let low = low.max(1e-12 * high);
    let band = band.max(1e-6 * (low * high).sqrt());
    Section::from_ratio(&Ratio { numerator, denominator: [low, band, high] })
}
