//! From the gain that each frame needs to a smooth gain that is never above it.

/// Sliding minimum, release, smoothing.
///
/// With a lookahead of `L` frames the gain of frame n is made when frame n + `delay_frames` = n + L + 2 has been seen.
/// The minimum reaches over L + 6 frames and the smoothing over L + 1, so every value that is averaged into the gains of
/// the frames n − 2 … n + 3 is at most what frame n needs: no overshoot by construction, and none on either side of a peak
/// that lies between frames, where the gain between the samples counts too.
///
/// The smoothing is three running means in a row (a quadratic B-spline: side lobes fall by 18 dB an octave). They are
/// sums of whole numbers, so that nothing drifts, and no reduction is exactly none.
#[derive(Clone, Debug)]
pub(super) struct GainPath {
    minimum: SlidingMinimum,
    /// What is taken off the gain, 0 to 1, after release.
    reduction: f64,
    means: [RunningSum; 3],
    scale: f64,
    lookahead_frames: usize,
}

/// A reduction of 1 as a whole number. Three sums over a third of 7680 frames (10 ms at 768 kHz) stay under 2^63.
const UNIT: f64 = (1u32 << 28) as f64;

impl GainPath {
    /// A path with this much lookahead, at least 1 frame; the gain starts at 1. May allocate.
    pub(super) fn new(lookahead_frames: usize) -> Self {
        let lookahead_frames = lookahead_frames.max(1);
        // supports add up to L + 1: the lengths to L + 3
        let lengths = [0, 1, 2].map(|i| (lookahead_frames + 3 + i) / 3);
        GainPath {
            minimum: SlidingMinimum::new(lookahead_frames + 6),
            reduction: 0.0,
            means: lengths.map(RunningSum::new),
            scale: 1.0 / (lengths.iter().map(|l| *l as f64).product::<f64>() * UNIT),
            lookahead_frames,
        }
    }

    /// Frames by which the gain lags what it is made from. Real-time safe.
    pub(super) fn delay_frames(&self) -> usize {
        self.lookahead_frames + 2
    }

    /// The gain is 1 and has been. Real-time safe.
    pub(super) fn reset(&mut self) {
        self.minimum.reset();
        self.reduction = 0.0;
        self.means.iter_mut().for_each(RunningSum::reset);
    }

    /// Drops what is left of a reduction that nobody could tell from none. Real-time safe.
    pub(super) fn flush(&mut self) {
        // half a unit of the whole numbers: −175 dB
        if self.reduction < 0.5 / UNIT {
            self.reduction = 0.0;
        }
    }

    /// Takes the gains that frames need, 0 to 1, and leaves smooth ones. `keep` is the share of a reduction that is left
    /// one frame later: exp(−1/τ). Real-time safe.
    pub(super) fn process(&mut self, gains: &mut [f32], keep: f64) {
        self.minimum.process(gains);
        let take = 1.0 - keep;
        let mut reduction = self.reduction;
        for gain in gains {
            let needed = 1.0 - f64::from(*gain);
            let released = reduction * keep + needed * take;
            reduction = if needed > released { needed } else { released };
            // rounded up, so that the gain is at most what is needed
            let mut sum = i64::from((reduction * UNIT + 0.999_999) as i32);
            for mean in &mut self.means {
                sum = mean.push(sum);
            }
            *gain = (1.0 - sum as f64 * self.scale) as f32;
        }
        self.reduction = reduction;
    }
}

/// The least of the last `window` values.
///
/// Two comparisons a value, whatever the window (van Herk 1992; Gil and Werman 1993): values are taken in blocks of the
/// window's length; a window that ends within a block is the rest of the block before, whose minima from the back are
/// kept, and the beginning of this one, whose minimum runs along.
#[derive(Clone, Debug)]
struct SlidingMinimum {
    /// The block before from `at` on: `minima[i]` is the least of its values from i on. Up to `at`: this block.
    values: Vec<f32>,
    at: usize,
    running: f32,
}

impl SlidingMinimum {
    fn new(window: usize) -> Self {
        SlidingMinimum { values: vec![1.0; window.max(1)], at: 0, running: 1.0 }
    }

    fn reset(&mut self) {
        self.values.fill(1.0);
        self.at = 0;
        self.running = 1.0;
    }

    fn process(&mut self, mut values: &mut [f32]) {
        while !values.is_empty() {
            let room = self.values.len() - self.at;
            let (now, later) = values.split_at_mut(room.min(values.len()));
            let mut running = self.running;
            for (i, value) in now.iter_mut().enumerate() {
                let place = self.at + i;
                // the window that ends here begins one further on in the block before, if anything is left of it
                let before = self.values.get(place + 1).copied().unwrap_or(1.0);
                self.values[place] = *value;
                running = running.min(*value);
                *value = running.min(before);
            }
            self.at += now.len();
            self.running = running;
            if self.at == self.values.len() {
                let mut least = 1.0f32;
                for value in self.values.iter_mut().rev() {
                    least = least.min(*value);
                    *value = least;
                }
                self.at = 0;
                self.running = 1.0;
            }
            values = later;
        }
    }
}

/// The sum of the last values, exact.
#[derive(Clone, Debug)]
struct RunningSum {
    ring: Vec<i64>,
    at: usize,
    sum: i64,
}

impl RunningSum {
    fn new(len: usize) -> Self {
        RunningSum { ring: vec![0; len.max(1)], at: 0, sum: 0 }
    }

    fn reset(&mut self) {
        self.ring.fill(0);
        self.at = 0;
        self.sum = 0;
    }

    fn push(&mut self, value: i64) -> i64 {
        if let Some(place) = self.ring.get_mut(self.at) {
            self.sum += value - std::mem::replace(place, value);
        }
        self.at = if self.at + 1 >= self.ring.len() { 0 } else { self.at + 1 };
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(frames: usize) -> Vec<f32> {
        let mut state = 1u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = (state >> 40) as f32 / (1 << 24) as f32;
            if x > 0.97 { x - 0.9 } else { 1.0 }
        };
        (0..frames).map(next).collect()
    }

    #[test]
    fn sliding_minimum_is_the_least_of_the_window() {
        let values = noise(2000);
        for window in [1, 2, 3, 7, 33, 240] {
            for len in [1, 5, 64, 999] {
                let mut minimum = SlidingMinimum::new(window);
                let mut out = values.clone();
                out.chunks_mut(len).for_each(|chunk| minimum.process(chunk));
                for n in 0..values.len() {
                    let least = values[(n + 1).saturating_sub(window)..=n].iter().copied().fold(1.0, f32::min);
                    assert_eq!(out[n], least, "window {window}, frame {n}");
                }
            }
        }
    }

    /// The gains from two frames before to three after a frame are at most what the frame needs.
    #[test]
    fn gains_are_at_most_what_is_needed() {
        let needed = noise(4000);
        for lookahead in [1, 2, 3, 4, 5, 48, 240] {
            for keep in [0.0, 0.9, 0.9999] {
                let mut path = GainPath::new(lookahead);
                let mut gains = needed.clone();
                path.process(&mut gains, keep);
                let delay = path.delay_frames();
                assert_eq!(delay, lookahead + 2);
                for n in 2..gains.len() - delay - 3 {
                    for k in n - 2..=n + 3 {
                        // single precision rounds the gain by 2^-25 at most
                        assert!(gains[k + delay] <= needed[n] + 3.1e-8, "lookahead {lookahead}, {n} {k}");
                    }
                }
                // and the smoothing does reach over all of the lookahead: the gain moves as soon as it can
                let mut step = vec![1.0f32; 1000];
                step[500..].fill(0.5);
                let mut path = GainPath::new(lookahead);
                path.process(&mut step, keep);
                assert!(step[499] == 1.0 && step[500] < 1.0 && step[500 + lookahead] <= 0.5);
            }
        }
    }

    /// Once the reduction is over, the gain is 1 to the bit.
    #[test]
    fn nothing_is_left_of_a_reduction() {
        let mut path = GainPath::new(100);
        let mut gains = noise(3000);
        path.process(&mut gains, 0.99);
        let mut rest = vec![1.0; 6000];
        for chunk in rest.chunks_mut(32) {
            path.flush();
            path.process(chunk, 0.99);
        }
        assert_eq!(rest[5999], 1.0);
        assert_eq!(path.means.iter().map(|m| m.sum).sum::<i64>(), 0);
    }
}
