//! How alike left and right are, over the whole band and in eight bands.

use crate::math;
use fearless_simd::{Level, Simd, dispatch, f32x8, prelude::*};
use fearless_simd_macros::simd;

/// Number of bands.
pub const BANDS: usize = 8;
/// Edges of the bands in hertz: those of the octave bands around 63 Hz to 8 kHz (IEC 61260-1: 1000 × 10^(0.3 k ± 0.15)),
/// the outermost widened to 20 Hz and 20 kHz so that all that is heard belongs to a band.
pub const BAND_EDGES_HZ: [f64; BANDS + 1] = [20.0, 89.125, 177.83, 354.81, 707.95, 1412.5, 2818.4, 5623.4, 20_000.0];

/// Hops over which correlation is taken.
const WINDOW_HOPS: usize = 40;
/// The part of the sample rate beyond which no band reaches: the bilinear transform ends at a half.
const HIGHEST_EDGE: f64 = 0.46;
/// Mean square under which a signal counts as silent: −120 dB.
const SILENCE: f64 = 1e-12;

/// What a correlation meter shows: −1 (opposite) over 0 (nothing in common) to 1 (the same).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CorrelationReading {
    /// Of all, not weighted. `None` of silence, 0 where only one side sounds.
    pub whole: Option<f32>,
    /// In each band; `None` also where a band lies beyond what the sample rate carries.
    pub bands: [Option<f32>; BANDS],
}

/// Measures the correlation Σlr / √(Σl² Σr²) over the last 400 ms.
///
/// Each band is a Butterworth band-pass of order four, 12 dB an octave to both sides, in two state-variable sections,
/// with the bands side by side in a vector. Sums run frame after frame: they do not depend on how the stream is cut.
#[derive(Clone, Debug)]
pub struct Correlation {
    level: Level,
    bank: Bank,
    /// How many bands the sample rate carries.
    bands: usize,
    frames: usize,
    hops: [Sums; WINDOW_HOPS],
    next: usize,
    len: usize,
}

/// Sums of l², r² and l r over the frames of a hop, of all and by band.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    whole: [f64; 3],
    bands: [[f32; BANDS]; 3],
    frames: usize,
}

impl Correlation {
    /// At this rate, in hertz. Real-time safe.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        Correlation {
            level: Level::new(),
            bank: Bank::new(sample_rate_hz),
            bands: BAND_EDGES_HZ[..BANDS].iter().filter(|low| **low < 0.8 * HIGHEST_EDGE * sample_rate_hz).count(),
            frames: 0,
            hops: [Sums::default(); WINDOW_HOPS],
            next: 0,
            len: 0,
        }
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.bank.state = State::default();
        (self.frames, self.next, self.len) = (0, 0, 0);
    }

    /// Takes in audio, which must be finite. Real-time safe.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        self.frames += left.len().min(right.len());
        let bank = &mut self.bank;
        dispatch!(self.level, simd => bank.process(simd, left, right));
    }

    /// Ends a hop: what was taken in since the last one enters the window. Real-time safe.
    pub fn end_hop(&mut self) {
        self.bank.state.flush();
        let sums = &mut self.bank.state.sums;
        sums.frames = std::mem::take(&mut self.frames);
        if let Some(hop) = self.hops.get_mut(self.next) {
            *hop = std::mem::take(sums);
        }
        self.next = (self.next + 1) % WINDOW_HOPS;
        self.len = (self.len + 1).min(WINDOW_HOPS);
    }

    /// The values over the last 400 ms; `None` before. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> CorrelationReading {
        if self.len < WINDOW_HOPS {
            return CorrelationReading::default();
        }
        let mut frames = 0;
        let mut whole = [0.0; 3];
        let mut bands = [[0.0; BANDS]; 3];
        for hop in &self.hops {
            frames += hop.frames;
            for (sum, part) in whole.iter_mut().zip(hop.whole) {
                *sum += part;
            }
            for (sum, part) in bands.as_flattened_mut().iter_mut().zip(hop.bands.as_flattened()) {
                *sum += f64::from(*part);
            }
        }
        let [ll, rr, lr] = bands;
        let mut readings = [None; BANDS];
        for (reading, ((ll, rr), lr)) in readings.iter_mut().zip(ll.iter().zip(rr).zip(lr)).take(self.bands) {
            *reading = correlation([*ll, rr, lr], frames);
        }
        CorrelationReading { whole: correlation(whole, frames), bands: readings }
    }
}

/// Of the sums of l², r² and l r over `frames`.
fn correlation([left, right, product]: [f64; 3], frames: usize) -> Option<f32> {
    let silence = SILENCE * frames as f64;
    match (left > silence, right > silence) {
        (false, false) => None,
        (true, true) => Some((product / (left * right).sqrt()).clamp(-1.0, 1.0) as f32),
        _ => Some(0.0),
    }
}

/// The band-passes, one band in each lane.
#[derive(Clone, Debug)]
struct Bank {
    sections: [Section; 2],
    state: State,
}

/// Coefficients of a section: the trapezoidal state-variable filter (Simper 2013), band-pass output. With
/// g = tan(π f / fs), k = 1/Q, a₁ = 1/(1 + g(g + k)) and a₂ = g a₁ it is v = a₁ i₁ + a₂ (x − i₂), then
/// i₁ ← 2v − i₁ and i₂ ← i₂ + 2 g v. k v has a peak of 1. In single precision it is as sound at 63 Hz and 192 kHz as
/// anywhere, which a direct form is not.
#[derive(Clone, Copy, Debug, Default)]
struct Section {
    a1: [f32; BANDS],
    a2: [f32; BANDS],
    g2: [f32; BANDS],
    k: [f32; BANDS],
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// By section, by side: i₁ and i₂.
    integrators: [[[[f32; BANDS]; 2]; 2]; 2],
    sums: Sums,
}

impl State {
    fn flush(&mut self) {
        for value in self.integrators.as_flattened_mut().as_flattened_mut().as_flattened_mut() {
            *value = math::flush(f64::from(*value)) as f32;
        }
    }
}

impl Bank {
    fn new(sample_rate_hz: f64) -> Self {
        let mut sections = [Section::default(); 2];
        for band in 0..BANDS {
            let limit = HIGHEST_EDGE * sample_rate_hz;
            let (low, high) = (BAND_EDGES_HZ[band], BAND_EDGES_HZ[band + 1].min(limit));
            // a band that the rate does not carry runs idle, on any sound design
            let low = if low < 0.8 * limit { low } else { high / 2.0 };
            let [low, high] = [low, high].map(|f| math::tan(math::PI * f / sample_rate_hz));
            for (section, (g, q)) in sections.iter_mut().zip(butterworth_band_pass(low, high)) {
                let k = 1.0 / q;
                let a1 = 1.0 / (1.0 + g * (g + k));
                section.a1[band] = a1 as f32;
                section.a2[band] = (g * a1) as f32;
                section.g2[band] = (2.0 * g) as f32;
                section.k[band] = k as f32;
            }
        }
        Bank { sections, state: State::default() }
    }

    #[simd]
    fn process<S: Simd>(&mut self, simd: S, left: &[f32], right: &[f32]) {
        let load = |v: [f32; BANDS]| f32x8::simd_from(simd, v);
        let [one, two] = self.sections.map(|s| [s.a1, s.a2, s.g2, s.k].map(load));
        let [[mut l1, mut r1], [mut l2, mut r2]] = self.state.integrators.map(|s| s.map(|side| side.map(load)));
        let [mut ll, mut rr, mut lr] = self.state.sums.bands.map(load);
        let [mut whole_ll, mut whole_rr, mut whole_lr] = self.state.sums.whole;
        for (&left, &right) in left.iter().zip(right) {
            let l = step(&two, &mut l2, step(&one, &mut l1, f32x8::splat(simd, left)));
            let r = step(&two, &mut r2, step(&one, &mut r1, f32x8::splat(simd, right)));
            ll += l * l;
            rr += r * r;
            lr += l * r;
            let (left, right) = (f64::from(left), f64::from(right));
            whole_ll += left * left;
            whole_rr += right * right;
            whole_lr += left * right;
        }
        let store = |v: f32x8<S>| -> [f32; BANDS] { v.into() };
        self.state.integrators = [[l1, r1], [l2, r2]].map(|s| s.map(|side| side.map(store)));
        self.state.sums.bands = [ll, rr, lr].map(store);
        self.state.sums.whole = [whole_ll, whole_rr, whole_lr];
    }
}

#[inline(always)]
fn step<S: Simd>([a1, a2, g2, k]: &[f32x8<S>; 4], [i1, i2]: &mut [f32x8<S>; 2], x: f32x8<S>) -> f32x8<S> {
    let v = *a1 * *i1 + *a2 * (x - *i2);
    *i1 = (v + v) - *i1;
    *i2 += *g2 * v;
    *k * v
}

/// Frequency and quality of the two sections of a Butterworth band-pass of order four between two (warped)
/// frequencies. The low-pass prototype's poles p = (−1 ± j)/√2 go to the roots of s² − p B s + w² = 0 (w² = low × high,
/// B = high − low): two conjugate pairs with the same quality, at w·x and w/x.
fn butterworth_band_pass(low: f64, high: f64) -> [(f64, f64); 2] {
    let w = (low * high).sqrt();
    let b = (high - low) / w;
    // (s² + s x/q + x²)(s² + s/(x q) + 1/x²) = s⁴ + √2 b s³ + (2 + b²) s² + √2 b s + 1, so that
    // (x + 1/x)/q = √2 b and x² + 1/x² + 1/q² = 2 + b²; with u = (x + 1/x)²: u + 2b²/u = 4 + b²
    let half = (4.0 + b * b) / 2.0;
    let u = half + (half * half - 2.0 * b * b).sqrt();
    let q = u.sqrt() / (math::SQRT_2 * b);
    let x = (u.sqrt() + (u - 4.0).max(0.0).sqrt()) / 2.0;
    [(w * x, q), (w / x, q)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lanes are bands, so the width of the machine's registers changes no bit.
    #[test]
    fn every_level_gives_the_same_bits() {
        let noise: Vec<f32> = (0u32..4800).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7 - 0.8).collect();
        let (left, right) = (&noise[..4000], &noise[800..]);
        let sums = |level| {
            let mut correlation = Correlation { level, ..Correlation::new(48_000.0) };
            correlation.process(left, right);
            correlation.bank.state.sums
        };
        assert_eq!(sums(Level::baseline()), sums(Level::new()));
    }
}
