//! Controls that glide frame by frame, laid out for vectors.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::ramp::Ramp;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

/// `N` gliding values and, for the span under way, what each of them is at every frame.
#[derive(Clone, Debug)]
pub(crate) struct Glides<const N: usize> {
    ramps: [Ramp; N],
    values: [Lane; N],
    /// All of `values` are what the ramps rest at.
    at_rest: bool,
}

impl<const N: usize> Glides<N> {
    /// At rest at `targets`.
    pub fn new(targets: [f64; N], seconds: f64, sample_rate_hz: f64) -> Self {
        let ramps = targets.map(|t| Ramp::with_seconds(t, seconds, sample_rate_hz));
        Glides { ramps, values: [[0.0; GRID_FRAMES]; N], at_rest: false }
    }

    /// Starts towards `targets`.
    pub fn set_targets(&mut self, targets: [f64; N]) {
        for (ramp, target) in self.ramps.iter_mut().zip(targets) {
            ramp.set_target(target);
        }
        self.at_rest = false;
    }

    /// The first `count` arrive at once.
    pub fn snap(&mut self, count: usize) {
        self.ramps.iter_mut().take(count).for_each(Ramp::snap);
        self.at_rest = false;
    }

    /// Where one of them goes.
    pub fn target(&self, which: usize) -> f64 {
        self.ramps[which].target()
    }

    /// Whether one of them has arrived at `value`.
    pub fn rests_at(&self, which: usize, value: f64) -> bool {
        let ramp = &self.ramps[which];
        !ramp.is_moving() && ramp.target() == value
    }

    /// Writes the next `len` values, at most a span, of each.
    #[inline(always)]
    pub fn advance(&mut self, len: usize) {
        let moving = self.ramps.iter().any(Ramp::is_moving);
        if !moving && self.at_rest {
            return;
        }
        for (ramp, values) in self.ramps.iter_mut().zip(&mut self.values) {
            if ramp.is_moving() {
                values.iter_mut().take(len).for_each(|v| *v = ramp.next_value() as f32);
            } else {
                values.fill(ramp.target() as f32);
            }
        }
        self.at_rest = !moving;
    }

    /// One of them, frame by frame.
    pub fn lane(&self, which: usize) -> &Lane {
        &self.values[which]
    }

    /// Eight frames of one of them, from `n` on.
    #[inline(always)]
    pub fn vector<S: Simd>(&self, simd: S, which: usize, n: usize) -> f32x8<S> {
        f32x8::from_slice(simd, &self.values[which][n..n + 8])
    }
}

/// Calls `each` with 0, 8, 16, 24: the places of a lane's vectors. A span that is shorter has zeros, or what is left of
/// an earlier one, beyond its end, which cost little and which nobody reads.
#[inline(always)]
pub(crate) fn each_vector(mut each: impl FnMut(usize)) {
    for n in (0..GRID_FRAMES).step_by(8) {
        each(n);
    }
}

/// The highest magnitude, `so_far` included. Lanes are zero beyond their span.
#[inline(always)]
pub(crate) fn peak<S: Simd>(simd: S, lanes: &[Lane], so_far: f32) -> f32 {
    let mut highest = f32x8::splat(simd, so_far);
    for lane in lanes {
        for x in lane.chunks_exact(8) {
            highest = highest.max(f32x8::from_slice(simd, x).abs());
        }
    }
    highest.reduce_max()
}

/// Fades `heard` in over `lanes` by the product of two lanes of shares.
#[inline(always)]
pub(crate) fn fade_over(lanes: &mut [Lane], heard: &[Lane], shares: [&Lane; 2], len: usize) {
    for (lane, heard) in lanes.iter_mut().zip(heard) {
        for (n, (x, key)) in lane.iter_mut().zip(heard).enumerate().take(len) {
            let share = shares[0][n] * shares[1][n];
            *x = (1.0 - share) * *x + share * *key;
        }
    }
}
