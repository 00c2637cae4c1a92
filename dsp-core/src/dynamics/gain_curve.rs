//! The static curves: from a level in decibels to a gain in decibels, in closed form.
//!
//! Source: Giannoulis, Massberg, Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 4. With the
//! overshoot z = x − T and the knee's width W, their curve y − x is (1/R − 1) s(z), where
//!
//! s(z) = 0 below the knee, (z + W/2)² / (2W) inside, z above it.
//!
//! Since s(−z) = s(z) − z, the curve that lifts what is *below* the threshold towards it is the same s, mirrored.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

/// The most that upward compression ever lifts, in decibels, however wide the range: a loud sound after silence must
/// not meet more gain than a careful hand would have left there.
pub const MAX_LIFT_DB: f64 = 24.0;

/// The static curve of a compressor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainCurve {
    /// Middle of the knee, in decibels.
    pub threshold_db: f64,
    /// Width of the knee, in decibels, at least 0.
    pub knee_db: f64,
    /// 1 − 1/ratio of what is above the threshold: 0 for 1:1, 1 for ∞:1.
    pub slope_above: f64,
    /// 1 − 1/ratio of what is below the threshold, which upward compression lifts.
    pub slope_below: f64,
    /// The largest change of gain, in decibels, at least 0; upwards no more than [`MAX_LIFT_DB`].
    pub range_db: f64,
}

impl GainCurve {
    /// The gain, in decibels, for a steady level in decibels (the peak of a sine). Exact. Real-time safe.
    #[must_use]
    pub fn gain_db(&self, level_db: f64) -> f64 {
        let z = level_db - self.threshold_db;
        let s = soft_ramp(z, self.knee_db);
        let gain_db = self.slope_below * (s - z) - self.slope_above * s;
        gain_db.clamp(-self.range_db, self.range_db.min(MAX_LIFT_DB))
    }

    /// The ratio in force at a level, x:1: the slope of input over output, 1 outside of the range's reach. Real-time safe.
    #[must_use]
    pub fn ratio_at(&self, level_db: f64) -> f64 {
        let z = level_db - self.threshold_db;
        let part =
            if self.knee_db > 0.0 { (z / self.knee_db + 0.5).clamp(0.0, 1.0) } else { f64::from(u8::from(z > 0.0)) };
        let slope = self.slope_above * part + self.slope_below * (1.0 - part);
        let gain_db = self.gain_db(level_db);
        if gain_db <= -self.range_db || gain_db >= self.range_db.min(MAX_LIFT_DB) { 1.0 } else { 1.0 / (1.0 - slope) }
    }
}

/// The static curve of a gate or downward expander.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpanderCurve {
    /// The level at which it opens, in decibels.
    pub threshold_db: f64,
    /// How far below the threshold the level must fall until it closes, in decibels, at least 0.
    pub hysteresis_db: f64,
    /// 1:ratio below the threshold; infinity for a gate.
    pub ratio: f64,
    /// The most that it turns down, in decibels, at least 0.
    pub range_db: f64,
}

impl ExpanderCurve {
    /// The gain, in decibels, for a steady level in decibels while closed: on the way up. Exact. Real-time safe.
    #[must_use]
    pub fn gain_db(&self, level_db: f64) -> f64 {
        let below = (self.threshold_db - level_db).max(0.0);
        // a gate's ∞ · 0 at the threshold itself is no gain change
        let gain_db = if below > 0.0 { (1.0 - self.ratio) * below } else { 0.0 };
        gain_db.max(-self.range_db)
    }

    /// The gain, in decibels, for a steady level in decibels while open: on the way down. Exact. Real-time safe.
    #[must_use]
    pub fn open_gain_db(&self, level_db: f64) -> f64 {
        if level_db >= self.threshold_db - self.hysteresis_db { 0.0 } else { self.gain_db(level_db) }
    }
}

/// 1 − 1/ratio; `infinite` is the ratio that stands for infinity. Real-time safe.
#[must_use]
pub fn slope_of_ratio(ratio: f64, infinite: f64) -> f64 {
    if ratio >= infinite { 1.0 } else { 1.0 - 1.0 / ratio }
}

/// s(z) of the module: zero, a parabola inside the knee, z. Real-time safe.
#[must_use]
fn soft_ramp(z: f64, knee_db: f64) -> f64 {
    let half = knee_db / 2.0;
    let inside = (z + half).clamp(0.0, knee_db);
    let parabola = if knee_db > 0.0 { inside * inside / (2.0 * knee_db) } else { 0.0 };
    parabola + (z - half).max(0.0)
}

/// A [`GainCurve`] whose numbers are vectors: eight frames, each with its own curve while controls glide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurveVector<S: Simd> {
    pub threshold_db: f32x8<S>,
    pub knee_db: f32x8<S>,
    pub slope_above: f32x8<S>,
    pub slope_below: f32x8<S>,
    pub range_db: f32x8<S>,
}

impl<S: Simd> CurveVector<S> {
    /// Reduction (the gain's negative) and the share of the knee that the level has climbed, 0 to 1.
    #[inline(always)]
    pub fn reduction_db(&self, level_db: f32x8<S>) -> (f32x8<S>, f32x8<S>) {
        let z = level_db - self.threshold_db;
        let knee = self.knee_db.max(MIN_KNEE_DB);
        let half = knee * 0.5;
        let part = (z + half).max(0.0).min(knee);
        let share = part / knee;
        let s = share * part * 0.5 + (z - half).max(0.0);
        let reduction = self.slope_above * s - self.slope_below * (s - z);
        let lift = self.range_db.min(MAX_LIFT_DB as f32);
        (reduction.min(self.range_db).max(-lift), share)
    }
}

/// The narrowest knee: a corner rounded by an eighth of it, 1e-4 dB, with a share that is defined everywhere.
const MIN_KNEE_DB: f32 = 1e-3;
