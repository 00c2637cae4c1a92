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
///
/// All channels go along in one loop: each frame waits for the one before, so they can share the wait.
#[derive(Clone, Debug)]
pub(super) struct GainPath<const CH: usize> {
    minimum: SlidingMinimum<CH>,
    /// What is taken off the gain, 0 to 1, after release.
    reduction: [f64; CH],
    means: [RunningSum<CH>; 3],
    scale: f64,
    lookahead_frames: usize,
}

/// A reduction of 1 as a whole number. Three sums over a third of 7680 frames (10 ms at 768 kHz) stay under 2^63.
const UNIT: f64 = (1u32 << 28) as f64;

impl<const CH: usize> GainPath<CH> {
    /// A path with this much lookahead, at least 1 frame; the gain starts at 1. May allocate.
    pub(super) fn new(lookahead_frames: usize) -> Self {
        let lookahead_frames = lookahead_frames.max(1);
        // supports add up to L + 1: the lengths to L + 3
        let lengths = [0, 1, 2].map(|i| (lookahead_frames + 3 + i) / 3);
        GainPath {
            minimum: SlidingMinimum::new(lookahead_frames + 6),
            reduction: [0.0; CH],
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
        self.reduction = [0.0; CH];
        self.means.iter_mut().for_each(RunningSum::reset);
    }

    /// Drops what is left of a reduction that nobody could tell from none. Real-time safe.
    pub(super) fn flush(&mut self) {
        for reduction in &mut self.reduction {
            // half a unit of the whole numbers: −175 dB
            if *reduction < 0.5 / UNIT {
                *reduction = 0.0;
            }
        }
    }

    /// Takes the gains that the first `frames` frames need, 0 to 1, and leaves smooth ones. `keep` is the share of a
    /// reduction that is left one frame later: exp(−1/τ). Real-time safe.
    pub(super) fn process<const N: usize>(&mut self, gains: &mut [[f32; N]; CH], frames: usize, keep: f64) {
        let take = 1.0 - keep;
        let mut reduction = self.reduction;
        let mut frame = [1.0f32; CH];
        for n in 0..frames.min(N) {
            for c in 0..CH {
                frame[c] = gains[c][n];
            }
            let least = self.minimum.push(frame);
            let mut sums = [0i64; CH];
            for c in 0..CH {
                let needed = 1.0 - f64::from(least[c]);
                let released = reduction[c] * keep + needed * take;
                reduction[c] = if needed > released { needed } else { released };
                // rounded up, so that the gain is at most what is needed
                sums[c] = i64::from((reduction[c] * UNIT + 0.999_999) as i32);
            }
            for mean in &mut self.means {
                sums = mean.push(sums);
            }
            for c in 0..CH {
                gains[c][n] = (1.0 - sums[c] as f64 * self.scale) as f32;
            }
        }
        self.reduction = reduction;
    }
}

/// The least of the last `window` values of each channel.
///
/// Two comparisons a value, whatever the window (van Herk 1992; Gil and Werman 1993): values are taken in blocks of the
/// window's length; a window that ends within a block is the rest of the block before, whose minima from the back are
/// kept, and the beginning of this one, whose minimum runs along.
#[derive(Clone, Debug)]
struct SlidingMinimum<const CH: usize> {
    /// From `at` on the block before: each the least of its values from there to the end. Up to `at`: this block.
    values: Vec<[f32; CH]>,
    at: usize,
    running: [f32; CH],
}

impl<const CH: usize> SlidingMinimum<CH> {
    fn new(window: usize) -> Self {
        SlidingMinimum { values: vec![[1.0; CH]; window.max(1)], at: 0, running: [1.0; CH] }
    }

    fn reset(&mut self) {
        self.values.fill([1.0; CH]);
        self.at = 0;
        self.running = [1.0; CH];
    }

    fn push(&mut self, values: [f32; CH]) -> [f32; CH] {
        if let Some(place) = self.values.get_mut(self.at) {
            *place = values;
        }
        self.at += 1;
        self.running = least(self.running, values);
        // the window that ends here begins one further on in the block before, if anything is left of it
        match self.values.get(self.at) {
            Some(before) => least(self.running, *before),
            None => self.next_block(),
        }
    }

    /// The block is full, and its least is the window's. Prepares the minima from its back.
    fn next_block(&mut self) -> [f32; CH] {
        let whole = self.running;
        let mut running = [1.0; CH];
        for values in self.values.iter_mut().rev() {
            running = least(running, *values);
            *values = running;
        }
        self.at = 0;
        self.running = [1.0; CH];
        whole
    }
}

fn least<const CH: usize>(a: [f32; CH], b: [f32; CH]) -> [f32; CH] {
    std::array::from_fn(|c| if b[c] < a[c] { b[c] } else { a[c] })
}

/// The sums of the last values of each channel, exact.
#[derive(Clone, Debug)]
struct RunningSum<const CH: usize> {
    ring: Vec<[i64; CH]>,
    at: usize,
    sum: [i64; CH],
}

impl<const CH: usize> RunningSum<CH> {
    fn new(len: usize) -> Self {
        RunningSum { ring: vec![[0; CH]; len.max(1)], at: 0, sum: [0; CH] }
    }

    fn reset(&mut self) {
        self.ring.fill([0; CH]);
        self.at = 0;
        self.sum = [0; CH];
    }

    fn push(&mut self, values: [i64; CH]) -> [i64; CH] {
        if let Some(place) = self.ring.get_mut(self.at) {
            let old = std::mem::replace(place, values);
            for c in 0..CH {
                self.sum[c] += values[c] - old[c];
            }
        }
        self.at = if self.at + 1 >= self.ring.len() { 0 } else { self.at + 1 };
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise<const N: usize>() -> [f32; N] {
        let mut state = 1u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = (state >> 40) as f32 / (1 << 24) as f32;
            if x > 0.97 { x - 0.9 } else { 1.0 }
        };
        std::array::from_fn(next)
    }

    #[test]
    fn sliding_minimum_is_the_least_of_the_window() {
        let values = noise::<2000>();
        for window in [1, 2, 3, 7, 33, 240] {
            let mut minimum = SlidingMinimum::new(window);
            for n in 0..values.len() {
                let least = values[(n + 1).saturating_sub(window)..=n].iter().copied().fold(1.0, f32::min);
                assert_eq!(minimum.push([values[n], 1.0]), [least, 1.0], "window {window}, frame {n}");
            }
        }
    }

    /// The gains from two frames before to three after a frame are at most what the frame needs.
    #[test]
    fn gains_are_at_most_what_is_needed() {
        let needed = noise::<4000>();
        for lookahead in [1, 2, 3, 4, 5, 48, 240] {
            for keep in [0.0, 0.9, 0.9999] {
                let mut path = GainPath::new(lookahead);
                let mut gains = [needed];
                path.process(&mut gains, 4000, keep);
                let gains = gains[0];
                let delay = path.delay_frames();
                assert_eq!(delay, lookahead + 2);
                for n in 2..gains.len() - delay - 3 {
                    for k in n - 2..=n + 3 {
                        // single precision rounds the gain by 2^-25 at most
                        assert!(gains[k + delay] <= needed[n] + 3.1e-8, "lookahead {lookahead}, {n} {k}");
                    }
                }
                // and the smoothing does reach over all of the lookahead: the gain moves as soon as it can
                let mut step = [[1.0f32; 1000]];
                step[0][500..].fill(0.5);
                let mut path = GainPath::new(lookahead);
                path.process(&mut step, 1000, keep);
                let step = step[0];
                assert!(step[499] == 1.0 && step[500] < 1.0 && step[500 + lookahead] <= 0.5);
            }
        }
    }

    /// Once the reduction is over, the gain is 1 to the bit.
    #[test]
    fn nothing_is_left_of_a_reduction() {
        let mut path = GainPath::new(100);
        path.process(&mut [noise::<3000>(); 2], 3000, 0.99);
        let mut rest = [[0.0; 32]; 2];
        for _ in 0..200 {
            path.flush();
            rest = [[1.0; 32]; 2];
            path.process(&mut rest, 32, 0.99);
        }
        assert_eq!(rest[1][31], 1.0);
        assert!(path.means.iter().all(|m| m.sum == [0; 2]));
    }
}
