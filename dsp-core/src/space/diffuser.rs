//! Diffusion: all-passes in a row, which smear a sound in time and leave its spectrum alone.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// All-passes in a row for one channel: y = s − g v, v = x + g s, where s is v of D frames ago, so that
/// H = (z⁻ᴰ − g)/(1 − g z⁻ᴰ) (M. Schroeder, B. Logan, JAES 9(3), 1961; series: M. Schroeder, JAES 10(3), 1962). Each
/// is flat at every frequency, and so is the row: no energy is lost or made, as a loop or a network around it needs
/// (M. Gerzon, "Unitary (energy-preserving) multichannel networks with feedback", Electronics Letters 12(11), 1976).
///
/// The group delay of each, over all frequencies, is D on the mean, whatever g: the sound is spread about a point in
/// time [`Diffuser::delay_frames`] later, which a line in front can make up for.
///
/// At an amount of 0 it changes no bit and delays by nothing. Over 0 the sound is diffused, at g of
/// amount × [`LARGEST_COEFFICIENT`]. From the one to the other what goes into the all-passes is faded against what goes past
/// them, so that they never ring from a cut, and ring out when they are left.
#[derive(Clone, Debug)]
pub struct Diffuser {
    stages: Vec<Stage>,
    /// g.
    coefficient: Ramp,
    /// How much goes into the all-passes; the rest goes past them.
    share: Ramp,
    /// Frames for which they ring on after nothing goes in any more.
    ringing: usize,
    coefficients: [f32; GRID_FRAMES],
}

/// g at an amount of 1: by here echoes are dense and no stage rings on.
pub const LARGEST_COEFFICIENT: f64 = 0.7;
/// How long a moved amount, and the crossfade to and from none, take, in seconds.
pub const DIFFUSER_GLIDE_SECONDS: f64 = 0.06;

impl Diffuser {
    /// All-passes of these delays, in frames, each at least [`GRID_FRAMES`] (shorter ones are made so), at `amount`, 0 to 1,
    /// silent. May allocate.
    #[must_use]
    pub fn new(delays_frames: &[usize], amount: f64, sample_rate_hz: f64) -> Self {
        let ramp = |value| Ramp::with_seconds(value, DIFFUSER_GLIDE_SECONDS, sample_rate_hz);
        Diffuser {
            stages: delays_frames.iter().map(|frames| Stage::new(*frames)).collect(),
            coefficient: ramp(coefficient(amount)),
            share: ramp(share(amount)),
            ringing: 0,
            coefficients: [0.0; GRID_FRAMES],
        }
    }

    /// Moves the amount, 0 to 1. Real-time safe.
    pub fn set_amount(&mut self, amount: f64) {
        if amount > 0.0 {
            let was_idle = self.is_idle();
            self.coefficient.set_target(coefficient(amount));
            if was_idle {
                self.coefficient.snap();
            }
        }
        self.share.set_target(share(amount));
    }

    /// Forgets all audio; the amount arrives. Real-time safe.
    pub fn reset(&mut self) {
        self.coefficient.snap();
        self.share.snap();
        self.forget();
    }

    /// Frames by which the sound's middle comes later while it is diffused: the sum of the delays. Real-time safe.
    #[must_use]
    pub fn delay_frames(&self) -> usize {
        self.stages.iter().map(|s| s.ring.len()).sum()
    }

    /// Whether it diffuses, or is about to. Real-time safe.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.share.target() > 0.0
    }

    /// Frames until it is silent after its input has been. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        if self.is_idle() { 0 } else { self.ring_frames() }
    }

    /// Diffuses `samples` in place. Real-time safe.
    pub fn process(&mut self, samples: &mut [f32]) {
        for piece in samples.chunks_mut(GRID_FRAMES) {
            if self.is_idle() {
                return;
            }
            let mut past = [0.0; GRID_FRAMES];
            if self.share.is_moving() {
                for (sample, past) in piece.iter_mut().zip(&mut past) {
                    let into = *sample * self.share.next_value() as f32;
                    (*past, *sample) = (*sample - into, into);
                }
                if !self.share.is_moving() && self.share.target() == 0.0 {
                    self.ringing = self.ring_frames();
                }
            } else if self.share.target() == 0.0 {
                past[..piece.len()].copy_from_slice(piece);
                piece.fill(0.0);
                self.ringing = self.ringing.saturating_sub(piece.len());
            }
            let coefficients = &mut self.coefficients[..piece.len()];
            if self.coefficient.is_moving() {
                coefficients.iter_mut().for_each(|g| *g = self.coefficient.next_value() as f32);
            } else {
                coefficients.fill(self.coefficient.target() as f32);
            }
            self.stages.iter_mut().for_each(|stage| stage.process(piece, coefficients));
            piece.iter_mut().zip(past).for_each(|(diffused, past)| *diffused += past);
            if self.is_idle() {
                self.forget();
            }
        }
    }

    /// Whether the sound passes as it is.
    fn is_idle(&self) -> bool {
        self.share.target() == 0.0 && !self.share.is_moving() && self.ringing == 0
    }

    /// Every D frames a stage falls by g, from the loudest input, 10^5, and what the stages before make of it, to 10⁻³⁰.
    fn ring_frames(&self) -> usize {
        let g = self.coefficient.target().max(self.coefficient.value());
        // the samples of a stage's response add up to g + (1 − g²)(1 + g + g² …) = 1 + 2 g
        let nepers = math::ln(1e35) + self.stages.len() as f64 * math::ln(1.0 + 2.0 * g);
        let rounds = if g > 0.0 { (nepers / -math::ln(g)).ceil() as usize + 1 } else { 1 };
        self.delay_frames() * rounds
    }

    fn forget(&mut self) {
        self.ringing = 0;
        self.stages.iter_mut().for_each(|stage| stage.ring.fill(0.0));
    }
}

fn coefficient(amount: f64) -> f64 {
    LARGEST_COEFFICIENT * amount.clamp(0.0, 1.0)
}

fn share(amount: f64) -> f64 {
    if amount > 0.0 { 1.0 } else { 0.0 }
}

/// One all-pass.
#[derive(Clone, Debug)]
struct Stage {
    /// v of the last D frames.
    ring: Vec<f32>,
    at: usize,
}

impl Stage {
    fn new(frames: usize) -> Self {
        Stage { ring: vec![0.0; frames.max(GRID_FRAMES)], at: 0 }
    }

    /// In place, at most as many frames as the ring holds: none of what goes in comes out again meanwhile.
    fn process(&mut self, samples: &mut [f32], coefficients: &[f32]) {
        let (first, rest) = samples.split_at_mut(samples.len().min(self.ring.len() - self.at));
        let (first_g, rest_g) = coefficients.split_at(first.len());
        lattice(&mut self.ring[self.at..self.at + first.len()], first, first_g);
        lattice(&mut self.ring[..rest.len()], rest, rest_g);
        self.at = (self.at + samples.len()) % self.ring.len();
    }
}

/// Frames that lie side by side in the ring. State under the floor is zero.
#[inline(always)]
fn lattice(ring: &mut [f32], samples: &mut [f32], coefficients: &[f32]) {
    for ((stored, sample), g) in ring.iter_mut().zip(samples).zip(coefficients) {
        let v = *sample + g * *stored;
        let v = if v.abs() >= math::STATE_FLOOR as f32 { v } else { 0.0 };
        *sample = *stored - g * v;
        *stored = v;
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;
    use realfft::num_complex::Complex64;
    use std::f64::consts::TAU;

    const RATE_HZ: f64 = 48_000.0;
    const DELAYS: [usize; 4] = [149, 257, 431, 683];

    fn impulse_response(amount: f64, frames: usize) -> Vec<f32> {
        let mut samples = vec![0.0; frames];
        samples[0] = 1.0;
        Diffuser::new(&DELAYS, amount, RATE_HZ).process(&mut samples);
        samples
    }

    /// The response is Π (z⁻ᴰ − g)/(1 − g z⁻ᴰ) at every frequency: of magnitude 1, and of the phase that this has. What is
    /// cut off of the impulse response, g^40 after 40 rounds, and roundings of 6e-8 in each of a few hundred samples stay
    /// under 1e-5.
    #[test]
    fn response_is_that_of_the_all_passes() {
        for amount in [0.1, 0.5, 1.0] {
            let g = 0.7 * amount;
            let response = impulse_response(amount, 60_000);
            for hz in [0.0, 17.3, 440.0, 3000.1, 15_777.0, 24_000.0] {
                let measured: Complex64 = response
                    .iter()
                    .enumerate()
                    .map(|(n, s)| Complex64::from_polar(f64::from(*s), -TAU * hz / RATE_HZ * n as f64))
                    .sum();
                let expected: Complex64 = DELAYS
                    .iter()
                    .map(|d| {
                        let z = Complex64::from_polar(1.0, -TAU * hz / RATE_HZ * *d as f64);
                        (z - g) / (1.0 - g * z)
                    })
                    .product();
                assert!((measured - expected).norm() < 1e-5, "{amount} at {hz} Hz: {measured} for {expected}");
                assert!((measured.norm() - 1.0).abs() < 1e-5);
            }
        }
    }

    /// Energy is kept and lies about the sum of the delays: by Parseval Σ n h² is the mean group delay, which is D for
    /// each stage.
    #[test]
    fn energy_is_spread_about_the_sum_of_the_delays() {
        let response = impulse_response(1.0, 60_000);
        let energy: f64 = response.iter().map(|s| f64::from(*s).powi(2)).sum();
        let middle: f64 = response.iter().enumerate().map(|(n, s)| n as f64 * f64::from(*s).powi(2)).sum();
        let delay = Diffuser::new(&DELAYS, 1.0, RATE_HZ).delay_frames();
        assert_eq!(delay, 149 + 257 + 431 + 683);
        assert!((energy - 1.0).abs() < 1e-5, "{energy}");
        assert!((middle - delay as f64).abs() < 0.1, "{middle}");
    }

    /// None at all is the input, bit for bit, before and after it was diffused; the way there has no step.
    #[test]
    fn none_changes_no_bit_and_the_fade_has_no_step() {
        let sine = |n: usize| (TAU * 200.0 / RATE_HZ * n as f64).sin() as f32;
        let input: Vec<f32> = (0..24_000).map(sine).collect();
        let mut diffuser = Diffuser::new(&DELAYS, 0.0, RATE_HZ);
        let mut output = vec![];
        for (n, piece) in input.chunks(240).enumerate() {
            match n {
                20 => diffuser.set_amount(1.0),
                34 => diffuser.set_amount(0.0),
                _ => {}
            }
            let mut piece = piece.to_vec();
            diffuser.process(&mut piece);
            output.extend(piece);
        }
        // its longest stage rings out by 0.7 each 683 frames: by 60 dB within 0.28 s, wholly after the tail
        assert_eq!(output[..4800], input[..4800]);
        assert!(output[23_900..].iter().zip(&input[23_900..]).all(|(o, i)| (o - i).abs() < 1e-3));
        let mut rest = vec![0.0; diffuser.tail_frames()];
        diffuser.process(&mut rest);
        let mut piece = input.clone();
        diffuser.process(&mut piece);
        assert_eq!(piece, input);
        assert_ne!(output[9600..11_000], input[9600..11_000]);
        // a 200 Hz sine moves by 0.026 a frame, two of them by 0.053; the fade of 2880 frames adds 1.9/2880 of 2
        assert!(output.windows(2).all(|w| (w[1] - w[0]).abs() < 0.055));
    }

    /// Pieces of any length give the same bits, and the tail ends where it says.
    #[test]
    fn pieces_and_tail() {
        let input: Vec<f32> = (0..6000).map(|n| if n < 3000 { (n as f32 * 1.7).sin() * 1e5 } else { 0.0 }).collect();
        let run = |len: usize| {
            let mut diffuser = Diffuser::new(&DELAYS, 0.4, RATE_HZ);
            let mut output = input.clone();
            for (n, piece) in output.chunks_mut(len).enumerate() {
                if n * len >= 1000 && n * len < 1000 + len {
                    diffuser.set_amount(0.4);
                }
                diffuser.process(piece);
            }
            (diffuser, output)
        };
        let (mut diffuser, whole) = run(6000);
        for len in [1, 7, 32, 500] {
            assert_eq!(run(len).1, whole, "{len}");
        }
        let tail = diffuser.tail_frames();
        let mut rest = vec![0.0; tail + 1000];
        diffuser.process(&mut rest);
        assert!(rest[tail - 3000..].iter().all(|s| *s == 0.0));
        assert!(rest[tail / 4..].iter().any(|s| *s != 0.0));
    }
}
