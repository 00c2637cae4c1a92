//! A delay of any length down to nothing, for audio that must not wait: exactly flat, and free of latency.
//!
//! A windowed sinc needs half its taps of delay in hand: 16 frames at 32 taps, 0.33 ms at 48 kHz. Time panning starts at
//! nothing and may add no latency, and a causal finite response that short is not flat (the best 32 taps for a delay of
//! half a frame are 11 dB up or 20 dB wrong at the top). An all-pass is flat by construction, so all that is left to
//! err is the delay, and only at the top.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// Delays one channel by a number of frames that need not be whole.
///
/// Whole frames by a ring, the rest d by Thiran's all-pass (J.-P. Thiran, IEEE Trans. Circuit Theory 18, 1971; T. Laakso
/// et al., "Splitting the unit delay", IEEE Signal Processing Magazine 13(1), 1996, eq. 86), of fourth order at d from
/// 3.5 to 4.5, of a lower one N at N − ½ to N + ½ for delays too short for that. The gain is 1 at every frequency, the
/// delay exact at the bottom. At 48 kHz it is at most 0.012 frames off at 10 kHz for delays of 3.5 frames and more, 0.2 for
/// shorter ones, and 0.44 at 20 kHz: never more than 10 µs, the least that listeners notice (Klumpp and Eady, JASA 28,
/// 1956).
///
/// A new delay is faded in beside the old one, so that no pitch bends and nothing clicks; one that is asked for
/// meanwhile waits for its turn.
#[derive(Clone, Debug)]
pub struct FractionalDelay {
    /// A power of two of samples, always written, so that a new delay finds its past.
    ring: Vec<f32>,
    at: usize,
    target_frames: f64,
    now: Tap,
    next: Tap,
    /// From `now`, 0, to `next`, 1.
    fade: Ramp,
}

/// Under this many frames of delay the output is a blend with the input, so that no pole comes near the unit circle.
const SHORTEST_FRAMES: f64 = 0.05;

impl FractionalDelay {
    /// A line for delays from 0 to `longest_frames`, at `frames`, silent, which fades for `fade_frames`. May allocate.
    #[must_use]
    pub fn new(frames: f64, longest_frames: f64, fade_frames: u32) -> Self {
        let len = longest_frames.ceil() as usize + GRID_FRAMES + MAX_ORDER;
        let tap = Tap::new(frames);
        FractionalDelay {
            ring: vec![0.0; len.next_power_of_two()],
            at: 0,
            target_frames: frames,
            now: tap,
            next: tap,
            fade: Ramp::new(0.0, fade_frames),
        }
    }

    /// Asks for another delay. Real-time safe.
    pub fn set_delay(&mut self, frames: f64) {
        self.target_frames = frames;
    }

    /// Frames until the output is silent after the input has been: the poles of the all-passes are at 0.905 or less, and
    /// 0.905^1024 brings the loudest input, 10^10, under 10⁻³⁰. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        let longest = self.target_frames.max(self.now.frames).max(self.next.frames);
        if longest > 0.0 { longest.ceil() as usize + 1024 } else { 0 }
    }

    /// Forgets all audio; the delay is what was asked for. Real-time safe.
    pub fn reset(&mut self) {
        self.ring.fill(0.0);
        self.at = 0;
        self.now = Tap::new(self.target_frames);
        self.next = self.now;
        self.fade.snap_to(0.0);
    }

    /// What happens on a point of the control grid: a new delay comes in, and quiet state falls silent. Real-time safe.
    pub fn on_grid(&mut self) {
        self.now.flush();
        self.next.flush();
        if !self.fade.is_moving() && self.target_frames != self.now.frames {
            self.next = Tap::new(self.target_frames);
            // its all-pass has settled long before it is heard
            self.fade.snap_to(0.0);
            self.fade.set_target(1.0);
        }
    }

    /// Whether nothing is delayed until something else is asked for. Real-time safe.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        self.now.frames == 0.0 && self.target_frames == 0.0 && !self.fade.is_moving()
    }

    /// Takes in any number of samples, for the delays that may be asked for after them. Real-time safe.
    pub fn remember(&mut self, samples: &[f32]) {
        let forgotten = samples.len().saturating_sub(self.ring.len());
        let start = self.at.wrapping_add(forgotten) & (self.ring.len() - 1);
        let kept = &samples[forgotten..];
        let (first, rest) = kept.split_at(kept.len().min(self.ring.len() - start));
        self.ring[start..start + first.len()].copy_from_slice(first);
        self.ring[..rest.len()].copy_from_slice(rest);
        self.at = self.at.wrapping_add(samples.len());
    }

    /// Delays `samples` in place, at most up to the next point of the grid. Real-time safe.
    pub fn process(&mut self, samples: &mut [f32]) {
        let mut at = self.at;
        self.remember(samples);
        let mut samples = samples.iter_mut();
        while self.fade.is_moving() {
            let Some(sample) = samples.next() else { return };
            let fade = self.fade.next_value();
            let (old, new) = (self.now.step(&self.ring, at), self.next.step(&self.ring, at));
            *sample = (old + fade * (new - old)) as f32;
            at = at.wrapping_add(1);
            if !self.fade.is_moving() {
                self.now = self.next;
                self.fade.snap_to(0.0);
            }
        }
        if self.now.frames > 0.0 {
            for sample in samples {
                *sample = self.now.step(&self.ring, at) as f32;
                at = at.wrapping_add(1);
            }
        }
    }
}

/// The highest order of an all-pass.
const MAX_ORDER: usize = 4;

/// One delay: whole frames, and Thiran's all-pass.
#[derive(Clone, Copy, Debug)]
struct Tap {
    frames: f64,
    whole: usize,
    order: usize,
    /// How much of the all-pass is heard, the rest being the input.
    share: f64,
    /// a₁ to a₄; those beyond the order are 0.
    a: [f64; MAX_ORDER],
    /// The last inputs and outputs, newest first.
    x: [f64; MAX_ORDER],
    y: [f64; MAX_ORDER],
}

impl Tap {
    fn new(frames: f64) -> Self {
        let order = ((frames + 0.5) as usize).clamp(1, MAX_ORDER);
        let whole = (frames - order as f64 + 0.5).max(0.0) as usize;
        let d = (frames - whole as f64).max(SHORTEST_FRAMES);
        let n = order as f64;
        let mut a = [0.0; MAX_ORDER];
        // a_k = (−1)^k (N over k) Π (d − N + i)/(d − N + k + i), i from 0 to N
        let mut binomial = 1.0;
        for (k, a) in (1..=order).zip(&mut a) {
            let k = k as f64;
            binomial *= -(n - k + 1.0) / k;
            *a = (0..=order).map(|i| d - n + i as f64).fold(binomial, |product, p| product * (p / (p + k)));
        }
        let (x, y) = ([0.0; MAX_ORDER], [0.0; MAX_ORDER]);
        Tap { frames, whole, order, share: (frames / SHORTEST_FRAMES).clamp(0.0, 1.0), a, x, y }
    }

    /// The output at `at` of the ring, which is a power of two long and not empty.
    #[inline(always)]
    fn step(&mut self, ring: &[f32], at: usize) -> f64 {
        let sample = |at: usize| f64::from(ring[at & (ring.len() - 1)]);
        if self.frames == 0.0 {
            return sample(at);
        }
        let input = sample(at.wrapping_sub(self.whole));
        // H = (a_N + … + a₁ z^(1−N) + z^−N)/(1 + a₁ z⁻¹ + … + a_N z^−N)
        let [a1, a2, a3, a4] = self.a;
        let ([x1, x2, x3, x4], [y1, y2, y3, y4]) = (self.x, self.y);
        let output = match self.order {
            1 => a1 * (input - y1) + x1,
            2 => a2 * (input - y2) + a1 * (x1 - y1) + x2,
            3 => a3 * (input - y3) + a2 * (x1 - y2) + a1 * (x2 - y1) + x3,
            _ => a4 * (input - y4) + a3 * (x1 - y3) + a2 * (x2 - y2) + a1 * (x3 - y1) + x4,
        };
        self.x = [input, x1, x2, x3];
        self.y = [output, y1, y2, y3];
        if self.share < 1.0 { input + self.share * (output - input) } else { output }
    }

    fn flush(&mut self) {
        self.y = self.y.map(math::flush);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was taken in at once, in more pieces than the ring holds or in fewer, is there for a delay asked for later, as
    /// if every frame had gone through.
    #[test]
    fn what_passed_at_rest_is_remembered() {
        let sample = |n: usize| (n % 89) as f32 / 89.0 - 0.5;
        let passed: Vec<f32> = (0..1000).map(sample).collect();
        for pieces in [&[1000usize][..], &[3, 997], &[40, 30, 20, 10, 900], &[500, 499, 1]] {
            let (mut through, mut at_rest) =
                (FractionalDelay::new(0.0, 34.0, 960), FractionalDelay::new(0.0, 34.0, 960));
            passed.chunks(GRID_FRAMES).for_each(|chunk| through.process(&mut chunk.to_vec()));
            let mut rest = &passed[..];
            for piece in pieces {
                let (now, later) = rest.split_at(*piece);
                at_rest.remember(now);
                rest = later;
            }
            assert!(at_rest.is_neutral());
            let mut at = 1000;
            for frames in [33.6, 33.6, 5.2, 5.2] {
                let mut outputs = [vec![], vec![]];
                for (delay, output) in [&mut through, &mut at_rest].into_iter().zip(&mut outputs) {
                    delay.set_delay(frames);
                    for start in (at..at + 320).step_by(GRID_FRAMES) {
                        delay.on_grid();
                        let mut chunk: Vec<f32> = (start..start + GRID_FRAMES).map(sample).collect();
                        delay.process(&mut chunk);
                        output.extend(chunk);
                    }
                }
                at += 320;
                assert_eq!(outputs[0], outputs[1]);
            }
            assert!(!at_rest.is_neutral());
        }
    }
}
