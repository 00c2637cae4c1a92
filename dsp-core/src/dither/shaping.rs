//! Where the noise of rounding goes: to where the ear is deaf.
//!
//! A shaper with taps c gives white noise the spectrum |1 − Σ cₖ z⁻ᵏ|². The mean of its logarithm cannot be less than 0
//! (M. Gerzon and P. Craven, "Optimal noise shaping and dither of digital signals", AES 87, 1989): noise is moved, and there
//! is more of it in all. Best is what a listener hears least.
//!
//! **Our designs** are made for the sample rate at hand. What is heard of noise is taken to be its power through a filter as
//! deaf as the ear at the threshold of hearing, in the formula of E. Terhardt ("Calculating virtual pitch", Hearing Research
//! 1, 1979, eq. 1): T(f) = 3.64 f^−0.8 − 6.5 exp(−0.6 (f − 3.3)²) + 10⁻³ f⁴ dB, f in kHz. With the weight w = 10^(−T/10),
//! the taps that make ∫ w |1 − Σ cₖ z⁻ᵏ|² least are those that predict a signal of the spectrum w from its past: the normal
//! equations of linear prediction, solved by Levinson's recursion. A constant λ added to w makes the total noise count as
//! well; it is chosen so that shaping adds the decibels that it may. At 44.1 and 48 kHz, against white noise:
//!
//! | shaping | taps | total | heard |
//! |---|---|---|---|
//! | light | 3 | +6.0 dB | −9.9, −10.9 dB |
//! | Lipshitz | 5 | +12.2 dB | −9.4, −10.5 dB |
//! | strong | 9 | +18.0 dB | −18.6, −21.0 dB |
//!
//! Higher rates have more room where nobody hears: strong at 96 kHz is 45 dB less to be heard. At 8 kHz there is none.

use crate::math;

/// The most taps of a shaper.
pub const MAX_TAPS: usize = 9;
/// S. Lipshitz, J. Vanderkooy, R. Wannamaker, "Minimally audible noise shaping", JAES 39(11), 1991: five taps against the
/// ear's sensitivity to noise, meant for 44.1 kHz.
pub const LIPSHITZ_TAPS: [f64; 5] = [2.033, -2.165, 1.959, -1.590, 0.6149];

/// The taps that are subtracted: what an error takes off each of the samples that follow it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shaper {
    taps: [f64; MAX_TAPS],
}

impl Shaper {
    /// No taps: white noise stays white.
    pub const NONE: Shaper = Shaper { taps: [0.0; MAX_TAPS] };

    /// The taps, first to last. Real-time safe.
    #[must_use]
    pub fn taps(&self) -> &[f64; MAX_TAPS] {
        &self.taps
    }

    /// 1 + Σ|cₖ|: how far errors can add up. Real-time safe.
    #[must_use]
    pub fn magnitude(&self) -> f64 {
        1.0 + self.taps.iter().map(|tap| tap.abs()).sum::<f64>()
    }

    /// 1 + Σ cₖ²: by how much there is more noise in all. Real-time safe.
    #[must_use]
    pub fn power(&self) -> f64 {
        1.0 + self.taps.iter().map(|tap| tap * tap).sum::<f64>()
    }

    /// The design of ours with `taps` taps (at most [`MAX_TAPS`]) that adds `total_db` decibels in all, or as many as help.
    /// Real-time safe, though slow: about a tenth of a millisecond.
    #[must_use]
    pub fn for_hearing(taps: usize, total_db: f64, sample_rate_hz: f64) -> Shaper {
        let taps = taps.min(MAX_TAPS);
        let heard = autocorrelation(sample_rate_hz);
        let power = math::exp(total_db * (math::LN_10 / 10.0));
        // λ in units of the mean weight: more of it, less noise in all
        let (mut little, mut much) = (-12.0, 6.0);
        for _ in 0..50 {
            let middle = 0.5 * (little + much);
            if predictor(&heard, math::exp(middle * math::LN_10), taps).power() > power {
                little = middle;
            } else {
                much = middle;
            }
        }
        predictor(&heard, math::exp(much * math::LN_10), taps)
    }
}

/// Light, Lipshitz and strong at this rate. Lipshitz's own taps from 40 to 50 kHz; elsewhere a design of ours with as many
/// taps and as much noise.
pub(super) fn shapers(sample_rate_hz: f64) -> [Shaper; 3] {
    let mut lipshitz = Shaper::NONE;
    lipshitz.taps.iter_mut().zip(LIPSHITZ_TAPS).for_each(|(to, tap)| *to = tap);
    if !(40_000.0..=50_000.0).contains(&sample_rate_hz) {
        let total_db = 10.0 * math::log10(lipshitz.power());
        lipshitz = Shaper::for_hearing(LIPSHITZ_TAPS.len(), total_db, sample_rate_hz);
    }
    [Shaper::for_hearing(3, 6.0, sample_rate_hz), lipshitz, Shaper::for_hearing(9, 18.0, sample_rate_hz)]
}

/// The threshold of hearing at `hz`, in dB re 20 µPa; under 20 Hz as at 20 Hz. Real-time safe.
#[must_use]
pub fn threshold_of_hearing_db(hz: f64) -> f64 {
    let khz = hz.max(20.0) / 1000.0;
    let near = khz - 3.3;
    3.64 * math::pow(khz, -0.8) - 6.5 * math::exp(-0.6 * near * near) + 1e-3 * (khz * khz) * (khz * khz)
}

/// Of a signal whose power spectrum is the weight, by lag, re lag 0.
fn autocorrelation(sample_rate_hz: f64) -> [f64; MAX_TAPS + 1] {
    const POINTS: usize = 2048;
    let mut sums = [0.0; MAX_TAPS + 1];
    for point in 0..POINTS {
        // middles of even parts of 0 to half the rate
        let share = (point as f64 + 0.5) / POINTS as f64;
        let db = threshold_of_hearing_db(0.5 * share * sample_rate_hz);
        let weight = math::exp(db * (-math::LN_10 / 10.0));
        let cosine = math::cos(math::PI * share);
        // cos((k + 1) x) = 2 cos x cos(k x) − cos((k − 1) x)
        let (mut before, mut now) = (cosine, 1.0);
        for sum in &mut sums {
            *sum += weight * now;
            (before, now) = (now, 2.0 * cosine * now - before);
        }
    }
    sums.map(|sum| sum / sums[0])
}

/// Levinson's recursion (N. Levinson 1947; J. Durbin 1960) for the best predictor of a signal with this autocorrelation
/// and `white` more at lag 0.
fn predictor(autocorrelation: &[f64; MAX_TAPS + 1], white: f64, taps: usize) -> Shaper {
    let r = autocorrelation;
    let mut shaper = Shaper::NONE;
    let mut left = r[0] + white;
    for order in 0..taps {
        let known = shaper.taps;
        let explained: f64 = (0..order).map(|k| known[k] * r[order - k]).sum();
        let reflection = (r[order + 1] - explained) / left;
        for k in 0..order {
            shaper.taps[k] = known[k] - reflection * known[order - 1 - k];
        }
        shaper.taps[order] = reflection;
        left *= 1.0 - reflection * reflection;
    }
    shaper
}
