//! How long each frequency sounds, and the filters in the network's lines that make it so.
//!
//! All modes of a feedback delay network with a lossless mix decay alike where the attenuation of every line, in decibels, is
//! its length times one number (J.-M. Jot & A. Chaigne, "Digital delay networks for designing artificial reverberators", AES
//! 90th Convention, 1991). That number may depend on frequency, if each line's filter follows it: a one-pole does so at
//! two frequencies only (S. Schlecht & E. Habets, "Accurate reverberation time control in feedback delay networks", DAFx-17).
//! Here a gain and two shelves of first order are exact at 0 Hz, at half the sample rate and at one place between, whatever the line's
//! length. A shelf of many decibels has a wider slope than the curve: left of a corner it does too much, right of it too little. That
//! place is where both are alike, a little to the side of the middle band, see [`MATCHED`]. Over random settings the decay is off by 0.5 %
//! at the worst frequency in the median, and by 6.5 % at worst, where one band decays ten times as fast as its neighbour.

use super::vectors::{Frames, LINES};
use crate::control_grid::GRID_FRAMES;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// Seconds in which the sound decays by 60 dB, over frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecayCurve {
    /// At 0 Hz.
    pub low_seconds: f64,
    /// Between the corners.
    pub mid_seconds: f64,
    /// Far above the upper corner.
    pub high_seconds: f64,
    /// Where the rate of decay is halfway from low to middle, in hertz.
    pub low_corner_hz: f64,
    /// Where the rate of decay is halfway from middle to high, in hertz.
    pub high_corner_hz: f64,
}

/// The shortest decay of any frequency, in seconds.
pub const SHORTEST_DECAY_SECONDS: f64 = 0.05;
/// The longest decay of any frequency, in seconds.
pub const LONGEST_DECAY_SECONDS: f64 = 60.0;

impl DecayCurve {
    /// Seconds for 60 dB at `hz`. The rates of decay, decibels a second, go from one to the next as 1/(1 + (f/corner)²),
    /// what a shelf of first order does to a level. Real-time safe.
    #[must_use]
    pub fn seconds(&self, hz: f64) -> f64 {
        let [low, mid, high] = [self.low_seconds, self.mid_seconds, self.high_seconds].map(|seconds| 1.0 / seconds);
        1.0 / (mid
            + (low - mid) * low_share(hz, self.low_corner_hz)
            + (high - mid) * high_share(hz, self.high_corner_hz))
    }

    /// The longest decay of any frequency. Real-time safe.
    #[must_use]
    pub fn longest_seconds(&self) -> f64 {
        self.low_seconds.max(self.mid_seconds).max(self.high_seconds)
    }
}

fn low_share(hz: f64, corner_hz: f64) -> f64 {
    1.0 / (1.0 + (hz / corner_hz) * (hz / corner_hz))
}

fn high_share(hz: f64, corner_hz: f64) -> f64 {
    1.0 - low_share(hz, corner_hz)
}

/// Two sections of first order in every line: y = direct x + s, s' = pole s + input x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Filters([[f32; LINES]; NUMBERS]);

/// Pole, input and direct of the first section, then of the second.
const NUMBERS: usize = 6;

impl Filters {
    /// For `curve` in lines of these lengths; wholly lossless where `frozen` is 1, between the two on the way. Real-time
    /// safe.
    pub fn new(curve: &DecayCurve, line_frames: &[f64; LINES], frozen: f64, sample_rate_hz: f64) -> Self {
        // nepers a frame
        let rate = |seconds: f64| math::ln(1000.0) / (seconds * sample_rate_hz);
        let mid = rate(curve.mid_seconds);
        let low =
            Shelf::new(sample_rate_hz, [curve.low_corner_hz, 1.0 / MATCHED], rate(curve.low_seconds) - mid, low_share);
        let high =
            Shelf::new(sample_rate_hz, [curve.high_corner_hz, MATCHED], rate(curve.high_seconds) - mid, high_share);
        let mut numbers = [[0.0; LINES]; NUMBERS];
        for (i, frames) in line_frames.iter().enumerate() {
            let gain = math::exp(-mid * frames);
            let ([p1, c1, d1], [p2, c2, d2]) = (low.section(*frames), high.section(*frames));
            for (place, (number, lossless)) in
                numbers.iter_mut().zip([(p1, 0.0), (gain * c1, 0.0), (gain * d1, 1.0), (p2, 0.0), (c2, 0.0), (d2, 1.0)])
            {
                place[i] = (number + frozen * (lossless - number)) as f32;
            }
        }
        Filters(numbers)
    }

    /// What to add at every frame to be at `end` after a span of the grid.
    fn step_to(&self, end: &Filters) -> Filters {
        Filters(std::array::from_fn(|k| {
            std::array::from_fn(|i| (end.0[k][i] - self.0[k][i]) * (1.0 / GRID_FRAMES as f32))
        }))
    }
}

/// What the shelves of all lines have in common.
struct Shelf {
    /// Nepers a frame by which the squared gain grows, at full share.
    slope: f64,
    /// Shares at 0 Hz, where it is matched and at half the sample rate.
    shares: [f64; 3],
    /// (1 − φ)/φ there, where φ = sin²(π f / rate).
    matched: f64,
}

impl Shelf {
    fn new(sample_rate_hz: f64, [corner_hz, matched]: [f64; 2], nepers: f64, share: fn(f64, f64) -> f64) -> Self {
        let matched_hz = (matched * corner_hz).min(0.25 * sample_rate_hz);
        let sine = math::sin(math::PI * matched_hz / sample_rate_hz);
        let phi = sine * sine;
        let shares = [0.0, matched_hz, sample_rate_hz / 2.0].map(|hz| share(hz, corner_hz));
        Shelf { slope: -2.0 * nepers, shares, matched: (1.0 - phi) / phi }
    }

    /// Pole, input and direct for a line of `frames`. |H|² = (n₀ (1 − φ) + n₁ φ)/(1 − φ + d φ) takes the three values that
    /// it is given.
    fn section(&self, frames: f64) -> [f64; 3] {
        let nepers = (self.slope * frames).clamp(-MAX_NEPERS, MAX_NEPERS);
        let [start, matched, end] = self.shares.map(|share| math::exp(nepers * share));
        let ratio = if nepers.abs() < 1e-6 {
            (self.shares[0] - self.shares[1]) / (self.shares[1] - self.shares[2])
        } else {
            (start - matched) / (matched - end)
        };
        let d = ratio * self.matched;
        let [n0, n1, d1] = [start, end * d, d].map(f64::sqrt);
        let scale = 1.0 / (1.0 + d1);
        let (b0, b1, a1) = ((n0 + n1) * scale, (n0 - n1) * scale, (1.0 - d1) * scale);
        [-a1, b1 - a1 * b0, b0]
    }
}

/// Where the upper shelf is matched, as a share of its corner, and one over the same of the lower one: a hall that decays eleven times
/// as fast at high frequencies as at middle ones is off by −2.6 to +2.8 % on either side of it (matched at the corner itself: by
/// −5.2 to +1.1 %).
const MATCHED: f64 = 0.65;

/// The most that a shelf may do in one pass, as the logarithm of its squared gain: 24 dB. Beyond it nothing is left after two.
const MAX_NEPERS: f64 = 5.5;

/// The filters of all lines, running.
#[derive(Clone, Debug)]
pub(super) struct Absorption {
    now: Filters,
    end: Filters,
    step: Filters,
    moving: bool,
    state: [[f32; LINES]; 2],
}

impl Absorption {
    /// Silent. Real-time safe.
    pub fn new(filters: Filters) -> Self {
        let step = filters.step_to(&filters);
        Absorption { now: filters, end: filters, step, moving: false, state: [[0.0; LINES]; 2] }
    }

    /// On the control grid: glides to `end` by the next point.
    pub fn on_grid(&mut self, end: Filters) {
        self.now = self.end;
        self.end = end;
        self.step = self.now.step_to(&end);
        self.moving = self.now != end;
    }

    /// On the control grid: stays where it is.
    pub fn rest(&mut self) {
        if self.moving {
            self.on_grid(self.end);
        }
    }

    /// Snaps what has died away to zero.
    pub fn flush(&mut self, floor: f32) {
        self.state.as_flattened_mut().iter_mut().for_each(|s| *s = if s.abs() >= floor { *s } else { 0.0 });
    }

    /// Filters `len` frames in place.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, frames: &mut Frames, len: usize) {
        let load = |lines: &[f32; LINES]| f32x16::from_slice(simd, lines);
        let [mut s1, mut s2] = [load(&self.state[0]), load(&self.state[1])];
        let mut now: [f32x16<S>; NUMBERS] = std::array::from_fn(|k| load(&self.now.0[k]));
        if !self.moving {
            let [p1, c1, d1, p2, c2, d2] = now;
            for frame in frames.iter_mut().take(len) {
                let x = load(frame);
                let y = d1 * x + s1;
                s1 = p1 * s1 + c1 * x;
                let z = d2 * y + s2;
                s2 = p2 * s2 + c2 * y;
                z.store_slice(frame);
            }
        } else {
            let step: [f32x16<S>; NUMBERS] = std::array::from_fn(|k| load(&self.step.0[k]));
            for frame in frames.iter_mut().take(len) {
                let [p1, c1, d1, p2, c2, d2] = now;
                let x = load(frame);
                let y = d1 * x + s1;
                s1 = p1 * s1 + c1 * x;
                let z = d2 * y + s2;
                s2 = p2 * s2 + c2 * y;
                z.store_slice(frame);
                now.iter_mut().zip(&step).for_each(|(number, step)| *number += *step);
            }
            now.iter().zip(&mut self.now.0).for_each(|(number, kept)| number.store_slice(kept));
        }
        s1.store_slice(&mut self.state[0]);
        s2.store_slice(&mut self.state[1]);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;

    /// Power gain of line `i` at `hz`, from the numbers that run.
    fn power(filters: &Filters, i: usize, hz: f64, sample_rate_hz: f64) -> f64 {
        let w = std::f64::consts::TAU * hz / sample_rate_hz;
        // direct + input z⁻¹/(1 − pole z⁻¹)
        let section = |k: usize| {
            let [pole, input, direct] = [0, 1, 2].map(|n| f64::from(filters.0[k + n][i]));
            let (re, im) = (1.0 - pole * w.cos(), pole * w.sin());
            let (top_re, top_im) = (direct * re + input * w.cos(), direct * im - input * w.sin());
            (top_re * top_re + top_im * top_im) / (re * re + im * im)
        };
        section(0) * section(3)
    }

    /// Attenuation in decibels is −60 × length/decay, to within 8 % where nothing is more than 8 dB a pass: decays that differ by
    /// ten to one are off by 6.5 % halfway between the frequencies that are matched. No line gains at any frequency, whatever is
    /// set.
    #[test]
    fn lines_decay_by_the_curve_and_never_gain() {
        let lines: [f64; LINES] = std::array::from_fn(|i| 700.0 + 240.0 * i as f64);
        let mut seed = 0x5EED_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 11) as f64 / (1u64 << 53) as f64
        };
        for n in 0..400 {
            let rate_hz = [44_100.0, 48_000.0, 96_000.0][n % 3];
            let mid_seconds = 0.5 * 120f64.powf(next());
            let mut decay = || (mid_seconds * 0.1 * 40f64.powf(next())).clamp(0.05, 60.0);
            let (low_seconds, high_seconds) = (decay(), decay());
            let (low_corner_hz, high_corner_hz) = (50.0 * 20f64.powf(next()), 1000.0 * 16f64.powf(next()));
            let curve = DecayCurve { low_seconds, mid_seconds, high_seconds, low_corner_hz, high_corner_hz };
            let filters = Filters::new(&curve, &lines, 0.0, rate_hz);
            for (i, frames) in lines.iter().enumerate() {
                for step in 0..=200 {
                    let hz = 0.5 * rate_hz * 1e-4f64.powf(1.0 - f64::from(step) / 200.0);
                    let db = 10.0 * power(&filters, i, hz, rate_hz).log10();
                    assert!(db < 0.0, "{curve:?} at {hz} Hz: {db} dB");
                    let rate = |seconds: f64| 60.0 * frames / rate_hz / seconds;
                    if rate(low_seconds.min(high_seconds)) < 8.0 {
                        let expected = -rate(curve.seconds(hz));
                        assert!((db / expected - 1.0).abs() < 0.08, "{curve:?} at {hz} Hz: {db} dB for {expected}");
                    }
                }
            }
        }
    }
}
