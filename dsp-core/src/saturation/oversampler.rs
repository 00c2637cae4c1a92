//! Oversampling by 2, 4 or 8: half-band filters, one after the other, in single precision and wide registers.
//!
//! Every stage is a linear-phase half-band filter of 4K − 1 taps, a sinc under a Kaiser window (J. F. Kaiser, IEEE ISCAS
//! 1974): every other tap but the middle one is zero, so that one of the two phases is a plain delay and the other an
//! FIR of 2K taps. The first stage is flat to 20 kHz of 44.1 kHz and stops from 24.1 kHz on; the later ones have only
//! the images of that band to stop, and are short.

use crate::control_grid::GRID_FRAMES;
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x8};
use fearless_simd_macros::simd;

/// The most frames that are taken at a time.
pub const MAX_CHUNK_FRAMES: usize = GRID_FRAMES;
/// The most stages: three make a factor of 8.
pub const MAX_STAGES: usize = 3;

/// K and the Kaiser window's β of each stage. Measured: stop band −124, −129 and −135 dB, ripple under 1e-5 dB. The third
/// K is odd, so that up and down by 8 together make whole frames with a quarter of one to spare.
const DESIGN: [(usize, f64); MAX_STAGES] = [(45, 12.8), (9, 14.0), (7, 14.3)];

/// Raises one channel's rate by 2 to the power of the number of stages.
#[derive(Clone, Debug)]
pub struct Upsampler {
    level: Level,
    stages: Vec<Doubler>,
}

/// Lowers one channel's rate by 2 to the power of the number of stages.
#[derive(Clone, Debug)]
pub struct Downsampler {
    level: Level,
    stages: Vec<Halver>,
}

impl Upsampler {
    /// Silent, with `stages` stages, at most [`MAX_STAGES`]. May allocate.
    #[must_use]
    pub fn new(stages: usize) -> Self {
        Upsampler { level: Level::new(), stages: (0..stages.min(MAX_STAGES)).map(Doubler::new).collect() }
    }

    /// Samples out for each one in. Real-time safe.
    #[must_use]
    pub fn factor(&self) -> usize {
        1 << self.stages.len()
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(Doubler::reset);
    }

    /// Fills `output` from `input`, of at most [`MAX_CHUNK_FRAMES`] frames; `output` is `factor` times as long. What is
    /// too long is cut off. Real-time safe.
    pub fn process(&mut self, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        let frames = input.len().min(MAX_CHUNK_FRAMES).min(output.len() >> self.stages.len());
        dispatch!(self.level, simd => self.run(simd, &input[..frames], output, scratch));
    }

    #[cfg(test)]
    pub(super) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    #[simd]
    fn run<S: Simd>(&mut self, simd: S, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        let Scratch { lines: [from, to], filtered } = scratch;
        let mut len = input.len();
        from[..len].copy_from_slice(input);
        for stage in &mut self.stages {
            stage.process(simd, &from[..len], to, filtered);
            len *= 2;
            std::mem::swap(from, to);
        }
        output[..len].copy_from_slice(&from[..len]);
    }
}

impl Downsampler {
    /// Silent, with `stages` stages, at most [`MAX_STAGES`]. May allocate.
    #[must_use]
    pub fn new(stages: usize) -> Self {
        Downsampler { level: Level::new(), stages: (0..stages.min(MAX_STAGES)).rev().map(Halver::new).collect() }
    }

    /// Samples in for each one out. Real-time safe.
    #[must_use]
    pub fn factor(&self) -> usize {
        1 << self.stages.len()
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(Halver::reset);
    }

    /// Fills `output`, of at most [`MAX_CHUNK_FRAMES`] frames, from `input`, which is `factor` times as long. What is too
    /// long is left out. Real-time safe.
    pub fn process(&mut self, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        let frames = output.len().min(MAX_CHUNK_FRAMES).min(input.len() >> self.stages.len());
        dispatch!(self.level, simd => self.run(simd, &input[..frames << self.stages.len()], &mut output[..frames], scratch));
    }

    #[cfg(test)]
    pub(super) fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    #[simd]
    fn run<S: Simd>(&mut self, simd: S, input: &[f32], output: &mut [f32], scratch: &mut Scratch) {
        let Scratch { lines: [from, to], filtered } = scratch;
        let mut len = input.len();
        from[..len].copy_from_slice(input);
        for stage in &mut self.stages {
            stage.process(simd, &from[..len], to, filtered);
            len /= 2;
            std::mem::swap(from, to);
        }
        output.copy_from_slice(&from[..len]);
    }
}

/// Delay of an upsampler and a downsampler of `stages` stages together, in samples of the raised rate. Real-time safe.
#[must_use]
pub fn round_trip_samples(stages: usize) -> usize {
    let stages = stages.min(MAX_STAGES);
    // a stage delays by half its length, 2K − 1 samples of its own higher rate, up and down
    DESIGN.iter().zip(1..=stages).map(|((k, _), stage)| (2 * (2 * k - 1)) << (stages - stage)).sum()
}

/// The impulse response of a stage's filter at its higher rate, for a gain of 1 in the pass band. May allocate.
#[must_use]
pub fn half_band(stage: usize) -> Vec<f32> {
    let fir = taps(stage);
    let mut response = vec![0.0; 2 * fir.len() - 1];
    response.iter_mut().step_by(2).zip(&fir).for_each(|(place, tap)| *place = tap / 2.0);
    response[fir.len() - 1] = 0.5;
    response
}

/// Where samplers work; any number of them may take turns.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// What a stage takes and what it gives.
    lines: [Vec<f32>; 2],
    filtered: Vec<f32>,
}

impl Scratch {
    /// Empty. May allocate.
    #[must_use]
    pub fn new() -> Self {
        let line = |stages: usize| vec![0.0; (MAX_CHUNK_FRAMES << stages) + LANES];
        Scratch { lines: [line(MAX_STAGES), line(MAX_STAGES)], filtered: line(MAX_STAGES - 1) }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// The taps of the phase that is no plain delay, 2K of them, symmetric, adding up to 1.
fn taps(stage: usize) -> Vec<f32> {
    let (k, beta) = DESIGN[stage.min(MAX_STAGES - 1)];
    let middle = 2 * k as i32 - 1;
    let shape = |n: usize| {
        // distance from the middle, in samples of the higher rate: odd, so that the sinc is ±1 / (π x)
        let x = f64::from(2 * n as i32 - middle);
        let sign = if (2 * n as i32 - middle).rem_euclid(4) == 1 { 1.0 } else { -1.0 };
        let edge = x / f64::from(middle);
        sign / x * bessel_i0(beta * (1.0 - edge * edge).max(0.0).sqrt())
    };
    let half: Vec<f64> = (0..k).map(shape).collect();
    let sum: f64 = 2.0 * half.iter().sum::<f64>();
    half.iter().chain(half.iter().rev()).map(|tap| (tap / sum) as f32).collect()
}

/// The modified Bessel function of order zero, by its power series Σ ((x/2)^n / n!)².
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..60 {
        let factor = x / (2.0 * f64::from(n));
        term *= factor * factor;
        sum += term;
    }
    sum
}

/// Lanes of a vector.
const LANES: usize = 8;

/// Doubles the rate.
#[derive(Clone, Debug)]
struct Doubler {
    taps: Vec<f32>,
    /// The last 2K − 1 samples, then the new ones, then room for a whole vector.
    line: Vec<f32>,
}

impl Doubler {
    fn new(stage: usize) -> Self {
        let taps = taps(stage);
        let longest = MAX_CHUNK_FRAMES << stage;
        Doubler { line: vec![0.0; taps.len() - 1 + longest + LANES], taps }
    }

    fn reset(&mut self) {
        self.line.fill(0.0);
    }

    #[simd]
    fn process<S: Simd>(&mut self, simd: S, input: &[f32], output: &mut [f32], filtered: &mut [f32]) {
        let (past, len) = (self.taps.len() - 1, input.len());
        self.line[past..past + len].copy_from_slice(input);
        convolve(simd, &self.taps, &self.line, filtered, len);
        let plain = &self.line[self.taps.len() / 2..];
        for ((pair, even), odd) in output.chunks_exact_mut(2).zip(&filtered[..len]).zip(plain) {
            pair.copy_from_slice(&[*even, *odd]);
        }
        self.line.copy_within(len..len + past, 0);
    }
}

/// Halves the rate.
#[derive(Clone, Debug)]
struct Halver {
    taps: Vec<f32>,
    /// Samples of even index as in [`Doubler`], and those of odd index, of which the last K are kept.
    even: Vec<f32>,
    odd: Vec<f32>,
}

impl Halver {
    fn new(stage: usize) -> Self {
        let taps = taps(stage);
        let longest = MAX_CHUNK_FRAMES << stage;
        Halver {
            even: vec![0.0; taps.len() - 1 + longest + LANES],
            odd: vec![0.0; taps.len() / 2 + longest + LANES],
            taps,
        }
    }

    fn reset(&mut self) {
        self.even.fill(0.0);
        self.odd.fill(0.0);
    }

    #[simd]
    fn process<S: Simd>(&mut self, simd: S, input: &[f32], output: &mut [f32], filtered: &mut [f32]) {
        let (past, delay, len) = (self.taps.len() - 1, self.taps.len() / 2, input.len() / 2);
        let places = self.even[past..past + len].iter_mut().zip(&mut self.odd[delay..delay + len]);
        for (pair, (even, odd)) in input.chunks_exact(2).zip(places) {
            (*even, *odd) = (pair[0], pair[1]);
        }
        convolve(simd, &self.taps, &self.even, filtered, len);
        for ((sample, filtered), plain) in output[..len].iter_mut().zip(&*filtered).zip(&self.odd) {
            *sample = 0.5 * (filtered + plain);
        }
        self.even.copy_within(len..len + past, 0);
        self.odd.copy_within(len..len + delay, 0);
    }
}

/// `output[i]` = Σ `taps[k]` `line[i + k]`, in this order whatever the lane, for i under `len`. Both slices have room for
/// a whole vector beyond that.
#[simd]
fn convolve<S: Simd>(simd: S, taps: &[f32], line: &[f32], output: &mut [f32], len: usize) {
    const WIDE: usize = 4 * LANES;
    let zero = f32x8::splat(simd, 0.0);
    let mut at = 0;
    while at + 3 * LANES < len && at + WIDE <= output.len() {
        let mut sums = [zero; 4];
        for (tap, samples) in taps.iter().zip(line[at..].windows(WIDE)) {
            let tap = f32x8::splat(simd, *tap);
            for (sum, lanes) in sums.iter_mut().zip(samples.chunks_exact(LANES)) {
                *sum += tap * f32x8::from_slice(simd, lanes);
            }
        }
        for (sum, lanes) in sums.iter().zip(output[at..at + WIDE].chunks_exact_mut(LANES)) {
            sum.store_slice(lanes);
        }
        at += WIDE;
    }
    while at < len && at + LANES <= output.len() {
        let mut sum = zero;
        for (tap, samples) in taps.iter().zip(line[at..].windows(LANES)) {
            sum += f32x8::splat(simd, *tap) * f32x8::from_slice(simd, samples);
        }
        sum.store_slice(&mut output[at..at + LANES]);
        at += LANES;
    }
}
