//! What keeps a loop of more than unity bounded, and what is heard of it.

use crate::control_grid::GRID_FRAMES;
use fearless_simd::Simd;
use fearless_simd_macros::simd;

/// The identity up to full scale; above, y = 1 + e/√(1 + e²) of what is over, e = |x| − 1: no corner, and never over
/// [`CEILING`]. What is inside keeps its bits, so that a loop at unity neither grows nor dies.
///
/// Against aliases the mean of the curve between two samples is taken, of the part that differs from the identity (as in the
/// drive): with A, B the parts of both samples that are over, (B − A)/(x₁ − x₀) × ((A + B)/(√(1 + A²) + √(1 + B²)) − (A + B)/2).
/// The ceiling holds sample by sample besides: a tone at half the rate has no mean that could hold it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SoftLimit {
    last: f32,
}

/// +6 dBFS.
pub(super) const CEILING: f32 = 2.0;

impl SoftLimit {
    /// Limits the first `len` of `samples` in place.
    #[simd]
    pub fn process<S: Simd>(&mut self, _: S, samples: &mut [f32; GRID_FRAMES], len: usize) {
        let first = self.last;
        let highest = samples.iter().fold(first.abs(), |high, s| if s.abs() > high { s.abs() } else { high });
        self.last = samples[len - 1];
        if highest <= 1.0 {
            return;
        }
        let mut before = first;
        for sample in samples.iter_mut() {
            let x = *sample;
            let bent = mean_over(before, x) - mean_over(-before, -x);
            *sample = (x + bent).clamp(-CEILING, CEILING);
            before = x;
        }
    }
}

/// The mean between two samples of what the curve for positive ones adds to the identity: 0 or less.
#[inline(always)]
fn mean_over(x0: f32, x1: f32) -> f32 {
    let (a, b) = ((f64::from(x0) - 1.0).max(0.0), (f64::from(x1) - 1.0).max(0.0));
    if a == 0.0 && b == 0.0 {
        return 0.0;
    }
    // how much of the way lies over full scale
    let share = if a > 0.0 && b > 0.0 { 1.0 } else { (b - a) / (f64::from(x1) - f64::from(x0)) };
    let sum = a + b;
    (share * (sum / ((1.0 + a * a).sqrt() + (1.0 + b * b).sqrt()) - 0.5 * sum)) as f32
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};

    fn limited(input: &[f32]) -> Vec<f32> {
        let mut limit = SoftLimit::default();
        let mut output = vec![];
        for piece in input.chunks(GRID_FRAMES) {
            let mut lane = [0.0; GRID_FRAMES];
            lane[..piece.len()].copy_from_slice(piece);
            dispatch!(Level::new(), simd => limit.process(simd, &mut lane, piece.len()));
            output.extend(&lane[..piece.len()]);
        }
        output
    }

    /// Steady levels follow the curve; up to full scale nothing changes.
    #[test]
    fn steady_levels_follow_the_curve() {
        for x in [0.0f32, 0.3, -1.0, 1.0, 1.2, -1.7, 5.0, -1e5, 3e5] {
            let e = (f64::from(x).abs() - 1.0).max(0.0);
            let expected = f64::from(x).abs().min(1.0) + e / (1.0 + e * e).sqrt();
            // twice a rounding of the sample, which the two parts have the size of
            let error = (f64::from(limited(&[x; 3])[2].abs()) - expected).abs();
            assert!(error <= 1.2e-7 * f64::from(x).abs().max(1.0), "{x}: off by {error}");
        }
        let inside: Vec<f32> = (0..500).map(|n| (n as f32 * 0.3).sin()).collect();
        assert_eq!(limited(&inside), inside);
    }

    /// What it adds is the mean of the curve between the samples: Simpson's rule in 2000 parts errs by less than 1e-7 at
    /// the corner of the second derivative.
    #[test]
    fn means_are_means() {
        for (x0, x1) in [(0.2, 1.8), (1.1, 1.3), (3.0, 1.0), (-0.5, 6.0), (1.5, 1.5), (-2.0, -0.1), (-3.0, 2.0)] {
            let curve = |x: f64| {
                let e = (x.abs() - 1.0).max(0.0);
                (e / (1.0 + e * e).sqrt() - e) * x.signum()
            };
            let sum: f64 = (0..=2000)
                .map(|n| {
                    let weight = if n == 0 || n == 2000 { 1.0 } else { 2.0 + 2.0 * f64::from(n % 2) };
                    weight * curve(x0 + (x1 - x0) * f64::from(n) / 2000.0) / 6000.0
                })
                .sum();
            let (x0, x1) = (x0 as f32, x1 as f32);
            let mean = f64::from(mean_over(x0, x1) - mean_over(-x0, -x1));
            assert!((mean - sum).abs() < 1e-6, "{x0} {x1}: {mean} for {sum}");
        }
    }
}
