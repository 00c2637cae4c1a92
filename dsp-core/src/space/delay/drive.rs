//! Saturation in the loop.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::saturation::model::REFERENCE_RMS;
use fearless_simd::Simd;
use fearless_simd_macros::simd;

/// y = x / √(1 + (k x)²), one of the family of D. Yeh, J. Abel, J. O. Smith (DAFx-07, eq. 3): of slope 1 at the origin
/// whatever k, so that the drive never changes how long quiet echoes last, and of the ceiling 1/k.
///
/// Against aliases the mean of the curve between two samples is taken (antiderivative antialiasing; J. Parker,
/// V. Zavalishin, E. Le Bivic, DAFx-16), for this curve (x₀ + x₁)/(√(1 + (k x₀)²) + √(1 + (k x₁)²)), and of it only what it adds to
/// the straight line: so what is quiet keeps its bits and loses no treble, however often it goes round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Drive {
    last: f32,
}

/// k at a drive in decibels: half of what the drive is over unity, so that 24 dB bend from −17 dBFS on; 0 at 0 dB, which is the
/// straight line.
pub(super) fn bend(drive_db: f64) -> f64 {
    0.5 * (math::db_to_gain(drive_db) - 1.0)
}

/// Behind the loop, what the curve takes from −18 dBFS is given back. Real-time safe.
#[inline(always)]
pub(super) fn make_up(k: f32) -> f32 {
    let bent = k * REFERENCE_RMS as f32;
    (1.0 + bent * bent).sqrt()
}

impl Drive {
    /// Lets the first `len` of `samples` pass as they are.
    #[inline(always)]
    pub fn pass(&mut self, samples: &[f32; GRID_FRAMES], len: usize) {
        self.last = samples[len - 1];
    }

    /// Bends the first `len` of `samples` in place, each by its k.
    #[simd]
    pub fn process<S: Simd>(&mut self, _: S, k: &[f32; GRID_FRAMES], samples: &mut [f32; GRID_FRAMES], len: usize) {
        let mut before = [self.last; GRID_FRAMES];
        before[1..].copy_from_slice(&samples[..GRID_FRAMES - 1]);
        self.last = samples[len - 1];
        for n in 0..GRID_FRAMES {
            let (x0, x1) = (before[n], samples[n]);
            let (v0, v1) = (k[n] * x0, k[n] * x1);
            let roots = (1.0 + v0 * v0).sqrt() + (1.0 + v1 * v1).sqrt();
            samples[n] = x1 + 0.5 * (x0 + x1) * (2.0 / roots - 1.0);
        }
    }
}
