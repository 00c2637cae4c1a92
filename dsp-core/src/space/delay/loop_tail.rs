//! How long a loop sounds on.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::processor::Tail;
use crate::space::delay::{MAX_CUT_HZ, MIN_CUT_HZ};
use crate::space::diffuser::LARGEST_COEFFICIENT;

/// A loop, in which the echoes decay.
pub(super) struct Loop<'a> {
    /// Frames once round, at most.
    pub delay_frames: f64,
    /// Gain once round, 0 to 1.
    pub feedback: f64,
    /// Low and high cut; at their ends they are off.
    pub cuts_hz: [f64; 2],
    /// Delays of the all-passes; none without diffusion.
    pub diffusion_frames: &'a [f64],
    pub sample_rate_hz: f64,
}

/// From what a line may hold, 10^5 of input and a few of feedback, and what cuts and diffusion may make of it, to 10⁻³⁰: in
/// nepers.
const RANGE_NEPERS: f64 = 85.0;

impl Loop<'_> {
    /// Everything decays at least as e^(−s n), n in frames, where once round, on the circle |z| = e^(−s), nothing is
    /// louder: ln feedback + s × delay + Σ ln (largest gain of a part there) ≤ 0. The s found is within a quarter of the
    /// largest.
    pub fn tail(&self) -> Tail {
        // once through, and what the parts ring
        let once = self.delay_frames + 2.0 * GRID_FRAMES as f64;
        let fastest = if self.feedback > 0.0 { -math::ln(self.feedback) / self.delay_frames } else { 1.0 };
        let mut s = fastest;
        // a loop that decays has an s; 200 quarters less is 10⁻²⁵ of the fastest
        for _ in 0..200 {
            let grows = if self.feedback > 0.0 { math::ln(self.feedback) + s * self.delay_frames } else { 0.0 };
            match self.parts(s) {
                Some(parts) if self.feedback == 0.0 || grows + parts <= 0.0 => {
                    let frames = once + (RANGE_NEPERS + parts) / s;
                    // a cast saturates
                    return Tail::Frames(frames.ceil() as usize);
                }
                _ => s *= 0.75,
            }
        }
        Tail::Infinite
    }

    /// ln of the largest gain of cuts and diffusion on |z| = e^(−s); none where one of them rings longer.
    fn parts(&self, s: f64) -> Option<f64> {
        let mut sum = 0.0;
        let [low, high] = self.cuts_hz;
        for (hz, on) in [(low, low > MIN_CUT_HZ), (high, high < MAX_CUT_HZ)] {
            if on {
                // 1/|1 − √2 u + u²| of the analogue section at −u, the nearest that the circle comes to its poles at
                // (−1 ± j)/√2; the tangent moves poles away from it
                let u = s * self.sample_rate_hz / (math::TAU * hz.min(0.45 * self.sample_rate_hz));
                if u > 0.5 {
                    return None;
                }
                sum -= math::ln(1.0 - math::SQRT_2 * u + u * u);
            }
        }
        for frames in self.diffusion_frames {
            // (e^(s D) − g)/(1 − g e^(s D)), where the numerator is largest and the denominator smallest
            let (g, up) = (LARGEST_COEFFICIENT, math::exp(s * frames));
            if g * up >= 0.99 {
                return None;
            }
            sum += math::ln((up - g) / (1.0 - g * up));
        }
        Some(sum)
    }
}
