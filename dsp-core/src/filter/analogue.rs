//! The analogue filters of an equalizer themselves: their exact magnitudes, for filters that are made from magnitudes.
//!
//! The same transfer functions as in [`super::prototype`], with s in units of ω₀.

use crate::filter::prototype::{MAX_ORDER, Side};
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x8};
use fearless_simd_macros::simd;

/// Sections in series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Analogue {
    sections: [Section; MAX_SECTIONS],
    count: usize,
}

/// (z₀ + z₁s + z₂s²) / (p₀ + p₁s + p₂s²).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Section {
    zeros: [f64; 3],
    poles: [f64; 3],
}

const MAX_SECTIONS: usize = MAX_ORDER.div_ceil(2);
/// Magnitudes in a vector.
const LANES: usize = 8;

impl Analogue {
    /// A bell. Real-time safe.
    #[must_use]
    pub fn bell(q: f64, gain_db: f64) -> Self {
        let a = math::db_to_gain(0.5 * gain_db);
        Analogue::one([1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0])
    }

    /// A low shelf. Real-time safe.
    #[must_use]
    pub fn low_shelf(q: f64, gain_db: f64) -> Self {
        let (a, root) = (math::db_to_gain(0.5 * gain_db), math::db_to_gain(0.25 * gain_db));
        Analogue::one([a * a, a * root / q, a], [1.0, root / q, a])
    }

    /// A high shelf. Real-time safe.
    #[must_use]
    pub fn high_shelf(q: f64, gain_db: f64) -> Self {
        let (a, root) = (math::db_to_gain(0.5 * gain_db), math::db_to_gain(0.25 * gain_db));
        Analogue::one([a, a * root / q, a * a], [a, root / q, 1.0])
    }

    /// A tilt. Real-time safe.
    #[must_use]
    pub fn tilt(q: f64, gain_db: f64) -> Self {
        let a = math::db_to_gain(0.5 * gain_db);
        Analogue::one([1.0, a / q, a * a], [a * a, a / q, 1.0])
    }

    /// A notch. Real-time safe.
    #[must_use]
    pub fn notch(q: f64) -> Self {
        Analogue::one([1.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0])
    }

    /// A band pass of unit gain at ω₀. Real-time safe.
    #[must_use]
    pub fn band_pass(q: f64) -> Self {
        Analogue::one([0.0, 1.0 / q, 0.0], [1.0, 1.0 / q, 1.0])
    }

    /// A Butterworth cut of 6 dB per octave and `order` (1 to [`MAX_ORDER`]), its sharpest section's Q times √2 `q`; a
    /// first-order cut has no Q. Real-time safe.
    #[must_use]
    pub fn cut(side: Side, q: f64, order: usize) -> Self {
        let order = order.clamp(1, MAX_ORDER);
        let (odd, pairs) = (order % 2, order / 2);
        let mut cut = Analogue::one([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]);
        cut.count = odd + pairs;
        for (n, section) in cut.sections.iter_mut().enumerate().take(cut.count) {
            *section = if n < odd {
                let zeros = if side == Side::Low { [0.0, 1.0, 0.0] } else { [1.0, 0.0, 0.0] };
                Section { zeros, poles: [1.0, 1.0, 0.0] }
            } else {
                // poles at ±angle from the negative real axis (S. Butterworth, 1930)
                let pair = n - odd + 1;
                let angle = math::PI * (2 * pair - 1 + odd) as f64 / (2 * order) as f64;
                let butterworth = 1.0 / (2.0 * math::cos(angle));
                let q = if pair == pairs { butterworth * math::SQRT_2 * q } else { butterworth };
                let zeros = if side == Side::Low { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
                Section { zeros, poles: [1.0, 1.0 / q, 1.0] }
            };
        }
        cut
    }

    fn one(zeros: [f64; 3], poles: [f64; 3]) -> Self {
        Analogue { sections: [Section { zeros, poles }; MAX_SECTIONS], count: 1 }
    }

    /// The magnitudes at `first`, `first` + 1 … times `step`, in units of ω₀, as many as whole vectors of eight there are
    /// in `magnitudes`. Real-time safe.
    pub fn magnitudes(&self, level: Level, first: usize, step: f64, magnitudes: &mut [f64]) {
        dispatch!(level, simd => self.in_vectors(simd, first, step, magnitudes));
    }

    #[simd]
    fn in_vectors<S: Simd>(&self, simd: S, first: usize, step: f64, magnitudes: &mut [f64]) {
        let within = f64x8::from_slice(simd, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        for (v, to) in magnitudes.chunks_exact_mut(LANES).enumerate() {
            let ratio = (within + (first + LANES * v) as f64) * step;
            // −s²
            let square = ratio * ratio;
            let power = |[constant, linear, quadratic]: [f64; 3]| {
                let even = f64x8::splat(simd, constant) - square * quadratic;
                even * even + square * (linear * linear)
            };
            let (mut above, mut below) = (f64x8::splat(simd, 1.0), f64x8::splat(simd, 1.0));
            for section in self.sections.iter().take(self.count) {
                above *= power(section.zeros);
                below *= power(section.poles);
            }
            (above / below).sqrt().store_slice(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(filter: &Analogue, ratio: f64) -> f64 {
        let mut magnitudes = [0.0; 2 * LANES];
        filter.magnitudes(Level::new(), 3, ratio / 12.0, &mut magnitudes);
        // 12 steps from 0, past the first vector
        magnitudes[9]
    }

    /// Gains where they are known in closed form: peaks, ends, corners, and Butterworth's 1/√(1 + x^2n).
    #[test]
    fn magnitudes_are_those_of_the_definitions() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} is not {b}");
        let gain = |db: f64| math::db_to_gain(db);
        for (q, db) in [(0.3, -12.0), (2.0, 9.0), (8.0, 30.0)] {
            close(at(&Analogue::bell(q, db), 1.0), gain(db));
            close(at(&Analogue::low_shelf(q, db), 1e-9), gain(db));
            close(at(&Analogue::low_shelf(q, db), 1e9), 1.0);
            close(at(&Analogue::high_shelf(q, db), 1e-9), 1.0);
            close(at(&Analogue::high_shelf(q, db), 1e9), gain(db));
            close(at(&Analogue::tilt(q, db), 1e-9), gain(-db));
            close(at(&Analogue::tilt(q, db), 1e9), gain(db));
            // half way, both in decibels and in octaves
            close(at(&Analogue::low_shelf(q, db), 1.0), gain(0.5 * db));
            close(at(&Analogue::tilt(q, db), 1.0), 1.0);
            close(at(&Analogue::band_pass(q), 1.0), 1.0);
            // Q is f₀ over the distance of the half-power points
            let half = (1.0 + 0.25 / (q * q)).sqrt() + 0.5 / q;
            close(at(&Analogue::band_pass(q), half), 0.5_f64.sqrt());
            close(at(&Analogue::notch(q), half), 0.5_f64.sqrt());
            for order in 2..=MAX_ORDER {
                close(at(&Analogue::cut(Side::Low, q, order), 1.0), q);
                close(at(&Analogue::cut(Side::High, q, order), 1.0), q);
            }
        }
        assert!(at(&Analogue::notch(3.0), 1.0) < 1e-12);
        for order in 1..=MAX_ORDER {
            for ratio in [0.4, 1.0, 1.7] {
                let power: f64 = (0..2 * order).map(|_| ratio).product();
                let q = 1.0 / math::SQRT_2;
                close(at(&Analogue::cut(Side::High, q, order), ratio), 1.0 / (1.0 + power).sqrt());
                close(at(&Analogue::cut(Side::Low, q, order), 1.0 / ratio), 1.0 / (1.0 + power).sqrt());
            }
        }
    }

    /// The width of the registers changes no bit.
    #[test]
    fn every_machine_has_the_same_bits() {
        let filter = Analogue::cut(Side::Low, 1.3, 7);
        let run = |level: Level| {
            let mut magnitudes = [0.0; 64];
            filter.magnitudes(level, 5, 0.037, &mut magnitudes);
            magnitudes
        };
        assert_eq!(run(Level::new()), run(Level::baseline()));
    }
}
