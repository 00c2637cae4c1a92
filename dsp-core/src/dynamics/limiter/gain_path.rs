//! From the gain that each frame needs to a smooth gain that is never above it.

use super::history::{History, SPAN_FRAMES};
use fearless_simd::{f32x16, prelude::*};
use fearless_simd_macros::simd;

/// Frames of a span, one row a channel.
pub(super) type Rows<const CH: usize> = [[f32; SPAN_FRAMES]; CH];

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
pub(super) struct GainPath<const CH: usize> {
    minima: [SlidingMinimum; CH],
    /// What is taken off the gain, 0 to 1, after release.
    reduction: [f64; CH],
    means: [RunningSum<CH>; 3],
    scale: f64,
    lookahead_frames: usize,
}

/// A reduction of 1 as a whole number. Three sums over a third of 7680 frames (10 ms at 768 kHz) stay under 2^63.
const UNIT: f64 = (1u32 << 28) as f64;
/// 1.5 · 2^52: a number from 0 to 2^51 that is added to it is rounded to a whole one, which its lowest bits then hold.
const WHOLE: f64 = 6_755_399_441_055_744.0;

impl<const CH: usize> GainPath<CH> {
    /// A path with this much lookahead, at least 1 frame; the gain starts at 1. May allocate.
    pub(super) fn new(lookahead_frames: usize) -> Self {
        let lookahead_frames = lookahead_frames.max(1);
        // supports add up to L + 1: the lengths to L + 3
        let lengths = [0, 1, 2].map(|i| (lookahead_frames + 3 + i) / 3);
        GainPath {
            minima: std::array::from_fn(|_| SlidingMinimum::new(lookahead_frames + 6)),
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
        self.minima.iter_mut().for_each(SlidingMinimum::reset);
        self.reduction = [0.0; CH];
        self.means.iter_mut().for_each(RunningSum::reset);
    }

    /// Drops what is left of a reduction that nobody could tell from none. Real-time safe.
    pub(super) fn flush(&mut self) {
        for reduction in &mut self.reduction {
            // under −200 dB, and a fifth of what the whole numbers can tell
            if *reduction < 1e-9 {
                *reduction = 0.0;
            }
        }
    }

    /// Takes the gains that the first `frames` frames need, 0 to 1, and leaves smooth ones. `keep` is the share of a
    /// reduction that is left one frame later: exp(−1/τ). Real-time safe.
    #[inline(always)]
    pub(super) fn process(&mut self, gains: &mut Rows<CH>, frames: usize, keep: f64) {
        for (minimum, gains) in self.minima.iter_mut().zip(gains.iter_mut()) {
            minimum.process(&mut gains[..frames]);
        }
        // the channels side by side: each frame waits for the one before, so they share the wait
        let take = 1.0 - keep;
        let mut reduction = self.reduction;
        let mut reductions = [[0.0; CH]; SPAN_FRAMES];
        for (n, reductions) in reductions[..frames].iter_mut().enumerate() {
            for c in 0..CH {
                let needed = 1.0 - f64::from(gains[c][n]);
                let released = reduction[c] * keep + needed * take;
                reduction[c] = if needed > released { needed } else { released };
            }
            *reductions = reduction;
        }
        self.reduction = reduction;
        // rounded up, so that the gain is at most what is needed
        let whole = |r: f64| ((r * UNIT + 0.499_999) + WHOLE).to_bits() as i64 - WHOLE.to_bits() as i64;
        let mut sums = reductions.map(|r| r.map(whole));
        for mean in &mut self.means {
            mean.process(&mut sums, frames);
        }
        for (n, sums) in sums.iter().enumerate() {
            for c in 0..CH {
                gains[c][n] = (1.0 - sums[c] as f64 * self.scale) as f32;
            }
        }
    }
}

/// A short path without a release, for the little that is left: the least of 22 frames under a bell of 17 frames, the
/// product of 1 + z^−k over k = 1, 2, 3, 4, 6. The same promise with a lookahead of 16.
///
/// Both windows are short enough to be made by rounds of pairs, whole spans at a time, without leaving the registers.
#[derive(Clone, Debug)]
pub(super) struct ShortGainPath<const CH: usize> {
    before: [[f32; SHORT_REACH]; CH],
}

/// Lookahead of the short path: its smoothing reaches over one frame more, its minimum over six.
const SHORT_LOOKAHEAD_FRAMES: usize = 16;
/// How far back the minimum and the smoothing after it see.
const SHORT_REACH: usize = SHORT_LOOKAHEAD_FRAMES + 5 + SHORT_LOOKAHEAD_FRAMES;
/// Frames in a vector.
const LANES: usize = 16;
/// Vectors that hold the frames that go into a span.
const VECTORS: usize = (SHORT_REACH + SPAN_FRAMES).div_ceil(LANES);

impl<const CH: usize> ShortGainPath<CH> {
    /// Real-time safe.
    pub(super) fn new() -> Self {
        ShortGainPath { before: [[0.0; SHORT_REACH]; CH] }
    }

    /// Frames by which the gain lags what it is made from. Real-time safe.
    pub(super) fn delay_frames(&self) -> usize {
        SHORT_LOOKAHEAD_FRAMES + 2
    }

    /// The gain is 1 and has been. Real-time safe.
    pub(super) fn reset(&mut self) {
        self.before = [[0.0; SHORT_REACH]; CH];
    }

    /// Takes the gains that the first `frames` frames need, 0 to 1, and leaves smooth ones. Real-time safe.
    #[simd]
    pub(super) fn process<S: Simd>(&mut self, simd: S, gains: &mut Rows<CH>, frames: usize) {
        for (before, gains) in self.before.iter_mut().zip(gains) {
            // reductions: their greatest is the least gain, and none is none to the bit
            let mut line = [0.0f32; VECTORS * LANES];
            line[..SHORT_REACH].copy_from_slice(before);
            for (reduction, gain) in line[SHORT_REACH..].iter_mut().zip(gains.iter()) {
                *reduction = 1.0 - gain;
            }
            before.copy_from_slice(&line[frames..frames + SHORT_REACH]);
            let mut line: Line<S> = std::array::from_fn(|i| f32x16::from_slice(simd, &line[i * LANES..][..LANES]));
            // of 2, 4, 8, 16, 22 frames
            line = greatest::<S, 1>(line);
            line = greatest::<S, 2>(line);
            line = greatest::<S, 4>(line);
            line = greatest::<S, 8>(line);
            line = greatest::<S, 6>(line);
            line = sum::<S, 1>(line);
            line = sum::<S, 2>(line);
            line = sum::<S, 3>(line);
            line = sum::<S, 4>(line);
            line = sum::<S, 6>(line);
            for (gains, sum) in gains.chunks_exact_mut(LANES).zip(&line) {
                (1.0 - *sum * (1.0 / 32.0)).store_slice(gains);
            }
        }
    }
}

type Line<S> = [f32x16<S>; VECTORS];

/// Of each frame and the one `LAG` later, where there is one: what comes after the line is the line's end again.
#[inline(always)]
fn greatest<S: Simd, const LAG: usize>(line: Line<S>) -> Line<S> {
    std::array::from_fn(|i| line[i].max(line[i].slide::<LAG>(line[(i + 1).min(VECTORS - 1)])))
}

#[inline(always)]
fn sum<S: Simd, const LAG: usize>(line: Line<S>) -> Line<S> {
    std::array::from_fn(|i| line[i] + line[i].slide::<LAG>(line[(i + 1).min(VECTORS - 1)]))
}

/// The least of the last `window` values.
///
/// Two comparisons a value, whatever the window (van Herk 1992; Gil and Werman 1993): values are taken in blocks of the
/// window's length; a window that ends within a block is the rest of the block before, whose minima from the back are
/// kept, and the beginning of this one, whose minimum runs along.
#[derive(Clone, Debug)]
struct SlidingMinimum {
    /// From `at` on the block before: the least of its values after each. Up to `at`: this block's values.
    block: Vec<f32>,
    at: usize,
    running: f32,
}

impl SlidingMinimum {
    fn new(window: usize) -> Self {
        SlidingMinimum { block: vec![1.0; window.max(1)], at: 0, running: 1.0 }
    }

    fn reset(&mut self) {
        self.block.fill(1.0);
        self.at = 0;
        self.running = 1.0;
    }

    #[inline(always)]
    fn process(&mut self, mut values: &mut [f32]) {
        while !values.is_empty() {
            let room = self.block.len() - self.at;
            let (now, later) = values.split_at_mut(room.min(values.len()));
            let mut running = self.running;
            for (value, place) in now.iter_mut().zip(&mut self.block[self.at..]) {
                let before = std::mem::replace(place, *value);
                running = least(running, *value);
                *value = least(running, before);
            }
            self.running = running;
            self.at += now.len();
            if self.at == self.block.len() {
                let mut after = 1.0;
                for place in self.block.iter_mut().rev() {
                    after = least(after, std::mem::replace(place, after));
                }
                self.at = 0;
                self.running = 1.0;
            }
            values = later;
        }
    }
}

#[inline(always)]
fn least(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

/// The sums of the last values of each channel, exact.
#[derive(Clone, Debug)]
struct RunningSum<const CH: usize> {
    history: History<[i64; CH]>,
    len: usize,
    sum: [i64; CH],
}

impl<const CH: usize> RunningSum<CH> {
    fn new(len: usize) -> Self {
        let len = len.max(1);
        RunningSum { history: History::new(len, [0; CH]), len, sum: [0; CH] }
    }

    fn reset(&mut self) {
        self.history.reset([0; CH]);
        self.sum = [0; CH];
    }

    #[inline(always)]
    fn process(&mut self, values: &mut [[i64; CH]; SPAN_FRAMES], frames: usize) {
        self.history.push(values, frames);
        let old = self.history.delayed(self.len, frames);
        let mut sum = self.sum;
        for (values, old) in values.iter_mut().zip(&old) {
            for c in 0..CH {
                sum[c] += values[c] - old[c];
            }
            *values = sum;
        }
        self.sum = values[frames.max(1) - 1];
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

    /// Both channels the same, in spans of all lengths.
    fn spans(values: &[f32], mut process: impl FnMut(&mut Rows<2>, usize)) -> Vec<f32> {
        let (mut out, mut rest, mut len) = (vec![], values, 1);
        while !rest.is_empty() {
            let frames = len.min(rest.len());
            let mut rows = [[1.0; SPAN_FRAMES]; 2];
            rows.iter_mut().for_each(|row| row[..frames].copy_from_slice(&rest[..frames]));
            process(&mut rows, frames);
            assert_eq!(rows[0], rows[1]);
            out.extend(&rows[0][..frames]);
            rest = &rest[frames..];
            len = len % SPAN_FRAMES + 1;
        }
        out
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

    /// The gains from two frames before to three after a frame are at most what the frame needs, and the smoothing does
    /// reach over all of the lookahead: the gain moves as soon as it can.
    fn check(lookahead: usize, delay: usize, mut process: impl FnMut(&[f32]) -> Vec<f32>) {
        assert_eq!(delay, lookahead + 2);
        let needed = noise(4000);
        let gains = process(&needed);
        for (n, around) in gains[delay..].windows(6).enumerate() {
            // the frames n to n + 5: two before and three after n + 2; single precision rounds by 2^-24 at most
            assert!(around.iter().all(|gain| *gain <= needed[n + 2] + 6.1e-8), "lookahead {lookahead}, {n}");
        }
        let mut step = vec![1.0; 1000];
        step[500..].fill(0.5);
        let gains = process(&step);
        assert!(gains[499] == 1.0 && gains[500] < 1.0 && gains[500 + lookahead] <= 0.5);
    }

    #[test]
    fn gains_are_at_most_what_is_needed() {
        for lookahead in [1, 2, 3, 4, 5, 48, 240] {
            for keep in [0.0, 0.9, 0.9999] {
                check(lookahead, GainPath::<2>::new(lookahead).delay_frames(), |needed| {
                    let mut path = GainPath::new(lookahead);
                    spans(needed, |gains, frames| path.process(gains, frames, keep))
                });
            }
        }
        check(SHORT_LOOKAHEAD_FRAMES, ShortGainPath::<2>::new().delay_frames(), |needed| {
            let mut path = ShortGainPath::new();
            let level = fearless_simd::Level::new();
            spans(needed, |gains, frames| fearless_simd::dispatch!(level, simd => path.process(simd, gains, frames)))
        });
    }

    /// Once the reduction is over, the gain is 1 to the bit.
    #[test]
    fn nothing_is_left_of_a_reduction() {
        let mut path = GainPath::new(100);
        spans(&noise(3000), |gains, frames| path.process(gains, frames, 0.99));
        let rest = spans(&[1.0; 6000], |gains, frames| {
            path.flush();
            path.process(gains, frames, 0.99);
        });
        assert_eq!(rest[5999], 1.0);
        assert!(path.means.iter().all(|m| m.sum == [0; 2]));
    }
}
