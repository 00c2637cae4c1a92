//! Interpolation between frames: a windowed sinc.

use super::heads::WINDOW_FRAMES;
use crate::control_grid::GRID_FRAMES;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

/// Taps. A Kaiser window (J. Kaiser, 1974) of β = 10 over 24 of them, each phase normalised to a sum of 1. Worst gain error
/// over all fractions at 48 kHz: 0.0002 dB at 15 kHz, 0.003 dB at 18 kHz, 0.33 dB at 20 kHz; nowhere over
/// +0.0002 dB, so that a loop at 100 % grows by that much a round at most. (16 taps: −0.003 and −0.054 dB.)
pub(super) const TAPS: usize = 24;
const KAISER_BETA: f64 = 10.0;

/// Fractions of a frame in the table; between two of them the taps are interpolated linearly, (ω/256)²/8 off: −110 dB at
/// 10 kHz.
const PHASES: usize = 256;

/// Taps at one fraction.
pub(super) type Taps = [f32; TAPS];

/// Taps at the fraction `f` of a frame, 0 to 1 and a little beyond: the value at f between the frames 0 and 1 is Σ taps[k] x[k − 11].
fn taps_at(f: f64) -> Taps {
    let mut taps = [0.0f64; TAPS];
    for (k, tap) in taps.iter_mut().enumerate() {
        let t = k as f64 - (TAPS / 2 - 1) as f64 - f;
        let inside = 1.0 - (t / (TAPS / 2) as f64) * (t / (TAPS / 2) as f64);
        let sinc = if t == 0.0 { 1.0 } else { math::sin(math::PI * t) / (math::PI * t) };
        // at a whole frame the sinc is zero, but for the rounding of π
        let whole = t == t.round() && t != 0.0;
        *tap = if inside <= 0.0 || whole { 0.0 } else { sinc * bessel_i0(KAISER_BETA * inside.sqrt()) };
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

/// The modified Bessel function of the first kind and order zero, by its series Σ (x/2)^2k / k!².
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Samples about the read head: as many as the fastest head passes over in a span.
pub(super) type Window = [f32; WINDOW_FRAMES];

/// Reads `window` at a fraction that stays: `out[n]` = Σ taps[k] window[n + k].
#[inline(always)]
pub(super) fn read_steady<S: Simd>(simd: S, taps: &Taps, window: &Window, out: &mut [f32; GRID_FRAMES]) {
    let mut sums = [f32x8::splat(simd, 0.0); GRID_FRAMES / 8];
    for (k, tap) in taps.iter().enumerate() {
        for (n, sum) in sums.iter_mut().enumerate() {
            *sum += f32x8::from_slice(simd, &window[k + 8 * n..k + 8 * n + 8]) * *tap;
        }
    }
    for (sum, out) in sums.iter().zip(out.chunks_exact_mut(8)) {
        sum.store_slice(out);
    }
}

/// Taps at any fraction, quickly.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// From one phase before 0 to one behind 1, for what lies between to be interpolated.
    rows: Vec<Taps>,
}

impl Table {
    /// May allocate.
    pub fn new() -> Self {
        Table { rows: (0..PHASES + 3).map(|row| taps_at((row as f64 - 1.0) / PHASES as f64)).collect() }
    }

    /// Taps at the fraction `f`, 0 to 1 without 1, for a head that moves: straight between two phases.
    #[inline(always)]
    pub fn taps<S: Simd>(&self, simd: S, f: f64) -> [f32x8<S>; TAPS / 8] {
        let (row, share) = place(f);
        let share = share as f32;
        let (low, high) = (&self.rows[row], &self.rows[row + 1]);
        std::array::from_fn(|i| {
            let low = f32x8::from_slice(simd, &low[8 * i..8 * i + 8]);
            let high = f32x8::from_slice(simd, &high[8 * i..8 * i + 8]);
            low + (high - low) * share
        })
    }

    /// The same for a head that rests: the cubic through four phases (Lagrange), which is off by 3 h⁴ π⁴/128 at most,
    /// h = 1/256: 5e-10.
    pub fn steady_taps(&self, f: f64) -> Taps {
        let (row, t) = place(f);
        let weights = [
            -t * (t - 1.0) * (t - 2.0) / 6.0,
            (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
            -(t + 1.0) * t * (t - 2.0) / 2.0,
            (t + 1.0) * t * (t - 1.0) / 6.0,
        ];
        std::array::from_fn(|k| {
            let rows = &self.rows[row - 1..row + 3];
            rows.iter().zip(weights).map(|(row, weight)| weight * f64::from(row[k])).sum::<f64>() as f32
        })
    }
}

/// The row before a fraction, and how far it lies beyond, in phases.
#[inline(always)]
fn place(f: f64) -> (usize, f64) {
    let phase = f * PHASES as f64;
    let row = (phase as usize).min(PHASES - 1);
    (row + 1, phase - row as f64)
}

/// Σ taps[k] window[k], in a fixed order.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, taps: &[f32x8<S>; TAPS / 8], window: &[f32]) -> f32 {
    let part = |i: usize| f32x8::from_slice(simd, &window[8 * i..8 * i + 8]) * taps[i];
    let (low, high) = simd.split_f32x8(part(0) + part(1) + part(2));
    let [a, b, c, d] = *(low + high).as_array();
    (a + c) + (b + d)
}
