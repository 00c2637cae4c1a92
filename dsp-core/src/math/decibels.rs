//! Decibels in vectors: log2 and exp2 by polynomials, the same bits whatever the width of the machine's registers.
//!
//! libm's logarithm and exponential cost some forty cycles a sample; these cost one or two, are accurate to what a gain
//! in decibels needs, and use nothing but IEEE additions, multiplications and the bits of the exponent, so that every
//! machine computes the same. The coefficients are minimax fits (reweighted least squares on Chebyshev nodes) made for
//! this file; the errors below are held by the tests against libm over the whole range.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8, i32x8};

/// The lowest power that is told from silence: −200 dB.
pub const MIN_POWER: f32 = 1e-20;

/// The largest error of [`power_to_db`] between −200 and +200 dB, in decibels: half a unit in the last place of a log2
/// of up to 66, times 3.01, and as much again for the polynomial.
pub const POWER_TO_DB_ERROR_DB: f64 = 3e-5;

/// The largest relative error of [`db_to_gain`] between −200 and +200 dB, in decibels: half a unit in the last place of
/// the argument over 6.02, which is up to 33, times 6.02, and as much again for the polynomial.
pub const DB_TO_GAIN_ERROR_DB: f64 = 3e-5;

/// Decibels of a power, 10 log10(power); −200 dB for anything below, silence included. A power of 1 is exactly 0 dB.
/// Real-time safe.
#[inline(always)]
pub fn power_to_db<S: Simd>(power: f32x8<S>) -> f32x8<S> {
    log2(power.max(MIN_POWER)) * DB_PER_OCTAVE_OF_POWER
}

/// Amplitude ratio of `db` decibels, 10^(db/20). 0 dB is exactly 1. Held between −750 and +750 dB. Real-time safe.
#[inline(always)]
pub fn db_to_gain<S: Simd>(db: f32x8<S>) -> f32x8<S> {
    exp2(db * OCTAVES_PER_DB)
}

/// Logarithm to base 2 of positive normal numbers. Real-time safe.
#[inline(always)]
fn log2<S: Simd>(x: f32x8<S>) -> f32x8<S> {
    // x = 2^e m with m between √½ and √2, so that f = m − 1 is small on both sides of a power of two
    let bits: i32x8<S> = x.bitcast();
    let exponent = (bits - SQRT_HALF_BITS) >> 23u32;
    let f = (bits - (exponent << 23u32)).bitcast::<f32x8<S>>() - 1.0;
    let mut sum = f32x8::splat(f.token(), LOG2[8]);
    for coefficient in LOG2.iter().rev().skip(1) {
        sum = sum * f + *coefficient;
    }
    exponent.to_float::<f32x8<S>>() + f * sum
}

/// 2 to the power of `x`, `x` held between −125 and 125. Real-time safe.
#[inline(always)]
fn exp2<S: Simd>(x: f32x8<S>) -> f32x8<S> {
    let x = x.max(-125.0).min(125.0);
    // adding 1.5 · 2^23 rounds to a whole number, which is then the low bits of the sum
    let shifted = x + ROUNDER;
    let f = x - (shifted - ROUNDER);
    let mut sum = f32x8::splat(x.token(), EXP2[5]);
    for coefficient in EXP2.iter().rev().skip(1) {
        sum = sum * f + *coefficient;
    }
    let scale = (shifted.bitcast::<i32x8<S>>() << 23u32) + ONE_BITS;
    (1.0 + f * sum) * scale.bitcast::<f32x8<S>>()
}

/// 10 log10(2).
const DB_PER_OCTAVE_OF_POWER: f32 = 3.010_3;
/// 1 / (20 log10(2)).
const OCTAVES_PER_DB: f32 = 0.166_096_4;
/// The bits of √½.
const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
/// The bits of 1.
const ONE_BITS: i32 = 0x3f80_0000;
/// 1.5 · 2^23.
const ROUNDER: f32 = 12_582_912.0;

/// log2(1 + f) / f on √½ − 1 … √2 − 1, from the constant up; minimax error of f·P(f) 7e-9.
const LOG2: [f32; 9] = [
    1.442_694_9,
    -0.721_347_15,
    0.480_922_5,
    -0.360_720_84,
    0.287_657_32,
    -0.238_525_91,
    0.217_380_8,
    -0.210_266_75,
    0.125_366_32,
];

/// (2^f − 1) / f on −½ … ½, from the constant up; minimax error of f·Q(f) 2e-9.
const EXP2: [f32; 6] =
    [std::f32::consts::LN_2, 0.240_226_5, 0.055_503_275, 0.009_618_013, 0.001_340_033_8, 0.000_154_737_43];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use fearless_simd::{Level, dispatch};

    fn all(level: Level, f: impl Fn(f32) -> f32 + Copy, n: usize) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let x: Vec<f32> = (0..n).map(|i| f(i as f32)).collect();
        let (mut db, mut gain) = (x.clone(), x.clone());
        dispatch!(level, simd => {
            for (d, g) in db.chunks_exact_mut(8).zip(gain.chunks_exact_mut(8)) {
                power_to_db(f32x8::from_slice(simd, d)).store_slice(d);
                db_to_gain(f32x8::from_slice(simd, g)).store_slice(g);
            }
        });
        (x, db, gain)
    }

    /// Powers from −200 to +200 dB, finely, against libm; the two errors together stay below 1e-4 dB.
    #[test]
    fn decibels_of_powers_are_accurate() {
        let n = 1 << 20;
        let (x, db, _) =
            all(Level::new(), |i| math::exp2((f64::from(i) / (1 << 20) as f64 * 2.0 - 1.0) * 66.4) as f32, n);
        let mut worst = 0.0f64;
        for (x, db) in x.iter().zip(db) {
            worst = worst.max((f64::from(db) - 10.0 * math::log10(f64::from(*x))).abs());
        }
        assert!(worst < POWER_TO_DB_ERROR_DB, "{worst} dB");
        const { assert!(POWER_TO_DB_ERROR_DB + DB_TO_GAIN_ERROR_DB <= 1e-4) };
    }

    /// Gains from −200 to +200 dB, finely, against libm.
    #[test]
    fn gains_of_decibels_are_accurate() {
        let (x, _, gain) = all(Level::new(), |i| (i / (1 << 20) as f32 * 2.0 - 1.0) * 200.0, 1 << 20);
        let mut worst = 0.0f64;
        for (x, gain) in x.iter().zip(gain) {
            worst = worst.max((20.0 * math::log10(f64::from(gain)) - f64::from(*x)).abs());
        }
        assert!(worst < DB_TO_GAIN_ERROR_DB, "{worst} dB");
    }

    /// Unity is exact both ways: what is not reduced must not change a bit. Silence reads −200 dB.
    #[test]
    fn unity_is_exact() {
        let (_, db, gain) = all(Level::new(), |i| if i < 4.0 { 1.0 } else { 0.0 }, 8);
        assert_eq!(db[0], 0.0);
        assert_eq!(gain[4], 1.0);
        assert!((db[4] + 200.0).abs() < 1e-4);
    }

    /// The widest registers and none at all give the same bits.
    #[test]
    fn width_changes_no_bit() {
        let ramp = |i: f32| (i - 5000.0) * 0.037;
        let wide = all(Level::new(), ramp, 10_000);
        let narrow = all(Level::baseline(), ramp, 10_000);
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&wide.1), bits(&narrow.1));
        assert_eq!(bits(&wide.2), bits(&narrow.2));
    }
}
