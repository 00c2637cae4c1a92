//! A delay of any length down to nothing, for audio that must not wait: exactly flat, and free of latency.
//!
//! A windowed sinc needs half its taps of delay in hand: 16 frames at 32 taps, 0.33 ms at 48 kHz. Time panning starts at
//! nothing and may add no latency, and a causal finite response that short is not flat (the best 32 taps for a delay of
//! half a frame are 11 dB up or 20 dB wrong at the top). An all-pass is flat by construction, so all that is left to
//! err is the delay, and only at the top.

use crate::math;

/// Delays one channel by a number of frames that need not be whole and may glide.
///
/// Whole frames by a ring, the rest d by Thiran's all-pass (J.-P. Thiran, IEEE Trans. Circuit Theory 18, 1971; T. Laakso
/// et al., "Splitting the unit delay", IEEE Signal Processing Magazine 13(1), 1996, eq. 86), of second order at d from
/// 1.4 to 2.6, of first order for delays too short for that. The gain is 1 at every frequency. The delay is exact at the
/// bottom; at 48 kHz it is 0.10 frames off at 10 kHz and 0.48 at 20 kHz where d is worst: 2 µs and 10 µs, where 10 µs is
/// the least that listeners notice (Klumpp and Eady, JASA 28, 1956).
///
/// Where a glide needs another whole number of frames, a second all-pass with the same delay takes over within
/// [`HANDOVER_FRAMES`]; the two differ in nothing but the delay at the top.
#[derive(Clone, Debug, Default)]
pub struct FractionalDelay {
    /// A power of two of samples.
    ring: Vec<f32>,
    at: usize,
    now: Allpass,
    before: Allpass,
    /// Frames until `now` has taken over from `before`.
    handover: u32,
    /// Something went in since the start.
    running: bool,
}

/// Frames in which one all-pass takes over from another.
pub const HANDOVER_FRAMES: u32 = 32;

/// Under this many frames of delay the output is a blend with the input, so that no pole comes near the unit circle.
const SHORTEST_FRAMES: f64 = 0.05;

/// Frames that an all-pass is run over the past before it is heard: its poles are at 0.81 at most then (second order,
/// d = 1.15), and 0.81^96 is −175 dB.
const WARM_UP_FRAMES: usize = 96;

/// The delay over which second order serves, and the one under which first order takes over again.
const SECOND_ORDER_FRAMES: (f64, f64) = (1.3, 1.15);

impl FractionalDelay {
    /// A line for delays from 0 to `longest_frames`, silent. May allocate.
    #[must_use]
    pub fn new(longest_frames: f64) -> Self {
        let len = longest_frames.ceil() as usize + WARM_UP_FRAMES + 4;
        FractionalDelay { ring: vec![0.0; len.next_power_of_two()], ..Self::default() }
    }

    /// Frames until the output is silent after the input has been, at a delay of `frames`: the pole of the all-pass is
    /// at 0.905 or less, and 0.905^1024 brings the loudest input, 10^10, under 10⁻³⁰. Real-time safe.
    #[must_use]
    pub fn tail_frames(frames: f64) -> usize {
        if frames > 0.0 { frames.ceil() as usize + 1024 } else { 0 }
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.ring.fill(0.0);
        self.at = 0;
        self.now = Allpass::default();
        self.before = Allpass::default();
        self.handover = 0;
        self.running = false;
    }

    /// Snaps state of under 1e-30 to zero. To be called on the control grid. Real-time safe.
    pub fn flush(&mut self) {
        for allpass in [&mut self.now, &mut self.before] {
            allpass.y = allpass.y.map(math::flush);
        }
    }

    /// Puts `input` in and takes out what went in `delay_frames` ago. The delay may change by at most half a frame per
    /// frame; one of 0 gives the input itself. Real-time safe.
    pub fn push(&mut self, input: f32, delay_frames: f64) -> f32 {
        if self.ring.is_empty() {
            return input;
        }
        self.at = (self.at + 1) & (self.ring.len() - 1);
        self.ring[self.at] = input;
        let rest = delay_frames - self.now.whole as f64;
        let fits = match self.now.order {
            Order::First => rest <= SECOND_ORDER_FRAMES.0,
            Order::Second if self.now.whole == 0 => rest >= SECOND_ORDER_FRAMES.1 && rest < 2.6,
            Order::Second => (1.4..2.6).contains(&rest),
        };
        if self.handover == 0 && !fits {
            self.take_over(delay_frames);
        }
        if !self.running {
            // at the start of the stream there is nothing to take over from
            (self.running, self.handover) = (true, 0);
        }
        let input = f64::from(input);
        let mut output = Self::step(&mut self.now, &self.ring, self.at, delay_frames);
        if self.handover > 0 {
            let old = Self::step(&mut self.before, &self.ring, self.at, delay_frames);
            let u = f64::from(self.handover) / f64::from(HANDOVER_FRAMES + 1);
            // smoothstep, so that no corner is left where the two differ
            output += (old - output) * (u * u * u * (10.0 + u * (6.0 * u - 15.0)));
            self.handover -= 1;
        }
        if delay_frames < SHORTEST_FRAMES {
            output = input + (output - input) * (delay_frames.max(0.0) / SHORTEST_FRAMES);
        }
        output as f32
    }

    /// Starts a glide from no delay at all at `input`, as if it had always been there. Real-time safe.
    pub fn start_at(&mut self, input: f32) {
        let input = f64::from(input);
        self.now = Allpass { x: [input; 2], y: [input; 2], ..Allpass::default() };
        self.running = true;
    }

    /// Starts the all-pass that fits, as if it had always run.
    fn take_over(&mut self, delay_frames: f64) {
        self.before = self.now;
        self.handover = HANDOVER_FRAMES;
        let longest = self.ring.len() - WARM_UP_FRAMES - 2;
        self.now = if delay_frames >= SECOND_ORDER_FRAMES.1 {
            Allpass {
                order: Order::Second,
                whole: ((delay_frames - 1.5).max(0.0) as usize).min(longest),
                ..Allpass::default()
            }
        } else {
            Allpass::default()
        };
        for past in (1..=WARM_UP_FRAMES).rev() {
            let at = self.at.wrapping_sub(past) & (self.ring.len() - 1);
            Self::step(&mut self.now, &self.ring, at, delay_frames);
        }
    }

    fn step(allpass: &mut Allpass, ring: &[f32], at: usize, delay_frames: f64) -> f64 {
        // the ring is a power of two long, and not empty
        let input = f64::from(ring[at.wrapping_sub(allpass.whole) & (ring.len() - 1)]);
        if delay_frames != allpass.tuned_to {
            allpass.tune(delay_frames);
        }
        let ([x1, x2], [y1, y2], [a1, a2]) = (allpass.x, allpass.y, allpass.a);
        let output = match allpass.order {
            Order::First => a1 * (input - y1) + x1,
            Order::Second => a2 * (input - y2) + a1 * (x1 - y1) + x2,
        };
        allpass.x = [input, x1];
        allpass.y = [output, y1];
        output
    }
}

/// Thiran's all-pass behind `whole` frames of delay.
#[derive(Clone, Copy, Debug, Default)]
struct Allpass {
    order: Order,
    whole: usize,
    /// The whole delay that the coefficients give.
    tuned_to: f64,
    a: [f64; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Allpass {
    fn tune(&mut self, delay_frames: f64) {
        let d = delay_frames - self.whole as f64;
        self.tuned_to = delay_frames;
        self.a = match self.order {
            Order::First => {
                let d = d.clamp(SHORTEST_FRAMES, 4.0);
                [(1.0 - d) / (1.0 + d), 0.0]
            }
            Order::Second => {
                let d = d.clamp(1.05, 5.0);
                [2.0 * (2.0 - d) / (d + 1.0), (d - 1.0) * (d - 2.0) / ((d + 1.0) * (d + 2.0))]
            }
        };
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Order {
    #[default]
    First,
    Second,
}
