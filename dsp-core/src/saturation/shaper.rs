//! A curve at work on one channel at the raised rate.

use super::curve::{Bias, Curve, over};
use super::divided_difference::{
    algebraic_mean, asinh, asinh_mean, parabola_mean_1, parabola_mean_2, ramp_mean_1, ramp_mean_2,
};
use super::oversampler::{MAX_CHUNK_FRAMES, MAX_STAGES};
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use fearless_simd_macros::simd;

/// The most samples that are taken at a time.
pub const MAX_CHUNK_SAMPLES: usize = MAX_CHUNK_FRAMES << MAX_STAGES;

/// By how many samples of its own rate a centred shaper delays.
pub const CENTRED_DELAY_SAMPLES: usize = 2;

/// What is to be evened out of the means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// The output is put exactly [`CENTRED_DELAY_SAMPLES`] late and its droop made up for, up to 20 kHz of 44.1.
    Centred,
    /// The output may not be late at all. The curve's output is split into a straight part, the input times a slope that
    /// follows the audio, and the rest. Only the rest is a mean of first order, half a sample late and short of treble by
    /// cos(ω/2); the straight part stays as it is, so that what is not bent is not filtered, and what is bent keeps its
    /// fundamental on time.
    Prompt,
}

impl Alignment {
    /// How much of the input the curves leave away; a prompt shaper's all of it, since that is added on time.
    fn apart(self, workings: &Workings, len: usize) -> &[f64] {
        match self {
            Alignment::Centred => &workings.apart[..len],
            Alignment::Prompt => &[1.0; MAX_CHUNK_SAMPLES][..len],
        }
    }
}

/// What makes a mean of first order, cos(ω/2) e^(−iω/2), a delay of two samples. Its inverse, less that delay, is
/// 1 + i tan(ω/2); the tangent is taken as 2 b sin ω − 2 a sin 2ω, taps (−a, b, 1, −b, a), exact at 0, 11.76 and 19.02 kHz
/// of 176.4: Chebyshev's nodes for the band to 20 kHz. Even there within 0.0012 dB, and nowhere raised.
const EVEN_1: [f64; 2] = [0.073_430_825_596, 0.395_460_509_103];

/// How far the arguments of a mean of second order are moved against their curvature x″ (x₀ − 2 x₁ + x₂).
///
/// Clipped, the mean is that of a triangle in time, sin²(ω/2)/(ω/2)² ≈ 1 − ω²/12; straight, it is (x₀ + x₁ + x₂)/3 =
/// x₁ + x″/3 ≈ 1 − ω²/3. One filter cannot make up for both. With x″/4 taken from all three arguments the straight mean
/// is x₁ + x″/12, (5 + cos ω)/6, which is ≈ 1 − ω²/12 as well.
const AGAINST_CURVATURE: f64 = 0.25;

/// What makes a mean of second order with straightened arguments a delay: taps −c, 1 + 2c, −c, response 1 + 2 c (1 − cos ω), of
/// which 6/(5 + cos ω) asks c = 1/(2 (5 + cos ω)). This is that c at 17 kHz of 176.4: even to 20 kHz within 0.005 dB.
const EVEN_2: f64 = 0.085_84;

/// For how long a prompt shaper remembers how much was bent, in seconds. So short that over bass that is bent the slope is
/// that of each moment: with 5 ms, the steps of the bass where it is straight count for all, and 12 kHz over 60 Hz is 1.8 dB
/// too loud; with 0.3 ms, 0.1 dB.
const MEMORY_SECONDS: f64 = 0.0003;

/// What is added to the power of the input's steps, so that silence is straight: −200 dB.
const LEAST_STEPS: f64 = 1e-20;

/// How the curve is worked, for each sample of a chunk.
#[derive(Clone, Debug)]
pub struct Workings {
    /// How much of the input has another way to the output.
    apart: Box<[f64; MAX_CHUNK_SAMPLES]>,
    shift: Box<[f64; MAX_CHUNK_SAMPLES]>,
    zero: Box<[f64; MAX_CHUNK_SAMPLES]>,
    inverse_slope: Box<[f64; MAX_CHUNK_SAMPLES]>,
}

impl Workings {
    /// The same throughout. May allocate.
    #[must_use]
    pub fn new(bias: Bias, apart: f64) -> Self {
        Workings {
            apart: Box::new([apart; MAX_CHUNK_SAMPLES]),
            shift: Box::new([bias.shift; MAX_CHUNK_SAMPLES]),
            zero: Box::new([bias.zero; MAX_CHUNK_SAMPLES]),
            inverse_slope: Box::new([bias.inverse_slope; MAX_CHUNK_SAMPLES]),
        }
    }

    /// Sets the samples of `range`. Real-time safe.
    pub fn fill(&mut self, range: std::ops::Range<usize>, bias: Bias, apart: f64) {
        let range = range.start.min(MAX_CHUNK_SAMPLES)..range.end.min(MAX_CHUNK_SAMPLES);
        self.apart[range.clone()].fill(apart);
        self.shift[range.clone()].fill(bias.shift);
        self.zero[range.clone()].fill(bias.zero);
        self.inverse_slope[range].fill(bias.inverse_slope);
    }
}

/// Gives f_b(u) − a u of a curve, its aliases kept down by antiderivatives: of first order for the curves whose harmonics
/// fall fast by themselves, of second order for the clips. In f64.
///
/// The part a of the input reaches the output without oversampling: all of it where nothing is bent, so that then nothing
/// is filtered either, and ever less of it as the drive grows, so that what the filters do to the one part does not
/// show beside the other.
#[derive(Clone, Debug)]
pub struct Shaper {
    level: Level,
    alignment: Alignment,
    /// What [`Lines`] had at their ends.
    past: [[f64; PAST]; 5],
    /// Of a prompt shaper, the fading sums of the squared steps of the input, and of their products with the steps of what the
    /// curve takes away from it; their quotient is the share that it takes away, by least squares. Steps instead of
    /// levels, since it is in the treble that the mean is late.
    steps: f64,
    losses: f64,
    /// What the curve took away last.
    loss: f64,
    /// By how much the sums fade with each sample.
    keep: f64,
}

/// Room for the past and a chunk.
type Line = [f64; PAST + MAX_CHUNK_SAMPLES];
const PAST: usize = 4;

/// Where a [`Shaper`] works; any number of them may take turns.
#[derive(Clone, Debug)]
pub struct Lines {
    input: Line,
    argument: Line,
    root: Line,
    value: Line,
    /// What is to be put out, before it is aligned.
    shaped: Line,
}

impl Lines {
    /// Empty. May allocate.
    #[must_use]
    pub fn new() -> Box<Self> {
        let line = [0.0; PAST + MAX_CHUNK_SAMPLES];
        Box::new(Lines { input: line, argument: line, root: line, value: line, shaped: line })
    }

    fn all(&mut self) -> [&mut Line; 5] {
        [&mut self.input, &mut self.argument, &mut self.root, &mut self.value, &mut self.shaped]
    }
}

impl Shaper {
    /// Silent about no bias, for samples at `rate_hz`. May allocate.
    #[must_use]
    pub fn new(alignment: Alignment, rate_hz: f64) -> Self {
        let keep = math::exp(-1.0 / (MEMORY_SECONDS * rate_hz));
        let past = [[0.0; PAST]; 5];
        Shaper { level: Level::new(), alignment, past, steps: 0.0, losses: 0.0, loss: 0.0, keep }
    }

    /// Forgets all audio: silent about `bias` of `curve`. Real-time safe.
    pub fn reset(&mut self, bias: Bias) {
        let root = (1.0 + bias.shift * bias.shift).sqrt();
        self.past = [0.0, bias.shift, root, asinh(bias.shift, root), 0.0].map(|value| [value; PAST]);
        self.steps = 0.0;
        self.losses = 0.0;
        self.loss = 0.0;
    }

    /// Snaps state of under 1e-30 to zero. To be called on the control grid. Real-time safe.
    pub fn flush(&mut self) {
        for state in [&mut self.steps, &mut self.losses] {
            *state = math::flush(*state);
        }
    }

    /// Fills `output` from `input`; at most [`MAX_CHUNK_SAMPLES`], what is longer is cut off. Real-time
    /// safe.
    pub fn process(&mut self, curve: Curve, workings: &Workings, input: &[f32], output: &mut [f32], lines: &mut Lines) {
        let len = input.len().min(output.len()).min(MAX_CHUNK_SAMPLES);
        dispatch!(self.level, simd => self.run(simd, curve, workings, &input[..len], &mut output[..len], lines));
    }

    #[simd]
    fn run<S: Simd>(
        &mut self,
        simd: S,
        curve: Curve,
        workings: &Workings,
        input: &[f32],
        output: &mut [f32],
        lines: &mut Lines,
    ) {
        let len = input.len();
        for (line, past) in lines.all().into_iter().zip(&self.past) {
            line[..PAST].copy_from_slice(past);
        }
        for (place, sample) in lines.input[PAST..].iter_mut().zip(input) {
            *place = f64::from(*sample);
        }
        match curve {
            Curve::Algebraic { ceiling } => self.algebraic(simd, ceiling, workings, lines, len),
            Curve::Asinh => self.asinh(simd, workings, lines, len),
            Curve::Clip { knee } => self.clip(simd, knee, workings, lines, len),
        }
        let second_order = matches!(curve, Curve::Clip { .. });
        match self.alignment {
            Alignment::Centred => self.centre(simd, second_order, lines, output),
            Alignment::Prompt => self.catch_up(curve, workings, lines, output),
        }
        for (line, past) in lines.all().into_iter().zip(&mut self.past) {
            past.copy_from_slice(&line[len..len + PAST]);
        }
    }

    #[simd]
    fn algebraic<S: Simd>(&self, _: S, ceiling: f64, workings: &Workings, lines: &mut Lines, len: usize) {
        let inverse = 1.0 / ceiling;
        let shift = &workings.shift[..len];
        let input = &lines.input[PAST..PAST + len];
        let argument = &mut lines.argument[PAST..PAST + len];
        let root = &mut lines.root[PAST..PAST + len];
        for i in 0..len {
            let v = input[i] * inverse + shift[i];
            argument[i] = v;
            root[i] = (1.0 + v * v).sqrt();
        }
        let apart = self.alignment.apart(workings, len);
        let (zero, inverse_slope) = (&workings.zero[..len], &workings.inverse_slope[..len]);
        let ([x0, x1], [v0, v1], [r0, r1]) =
            (pair(&lines.input, len), pair(&lines.argument, len), pair(&lines.root, len));
        let shaped = &mut lines.shaped[PAST..PAST + len];
        for i in 0..len {
            let mean = algebraic_mean([v1[i], r1[i]], [v0[i], r0[i]]);
            shaped[i] = ceiling * (mean - zero[i]) * inverse_slope[i] - apart[i] * (0.5 * (x1[i] + x0[i]));
        }
    }

    #[simd]
    fn asinh<S: Simd>(&self, _: S, workings: &Workings, lines: &mut Lines, len: usize) {
        let shift = &workings.shift[..len];
        let input = &lines.input[PAST..PAST + len];
        let argument = &mut lines.argument[PAST..PAST + len];
        let root = &mut lines.root[PAST..PAST + len];
        let value = &mut lines.value[PAST..PAST + len];
        for i in 0..len {
            let v = input[i] + shift[i];
            argument[i] = v;
            root[i] = (1.0 + v * v).sqrt();
            value[i] = asinh(v, root[i]);
        }
        let apart = self.alignment.apart(workings, len);
        let (zero, inverse_slope) = (&workings.zero[..len], &workings.inverse_slope[..len]);
        let ([x0, x1], [v0, v1], [r0, r1], [a0, a1]) =
            (pair(&lines.input, len), pair(&lines.argument, len), pair(&lines.root, len), pair(&lines.value, len));
        let shaped = &mut lines.shaped[PAST..PAST + len];
        for i in 0..len {
            let mean = asinh_mean([v1[i], r1[i], a1[i]], [v0[i], r0[i], a0[i]]);
            shaped[i] = (mean - zero[i]) * inverse_slope[i] - apart[i] * (0.5 * (x1[i] + x0[i]));
        }
    }

    #[simd]
    fn clip<S: Simd>(&self, _: S, knee: f64, workings: &Workings, lines: &mut Lines, len: usize) {
        let shift = &workings.shift[..len];
        let input = &lines.input[PAST..PAST + len];
        let argument = &mut lines.argument[PAST..PAST + len];
        for i in 0..len {
            argument[i] = input[i] + shift[i];
        }
        let apart = self.alignment.apart(workings, len);
        let [x0, x1] = pair(&lines.input, len);
        let x2 = &lines.input[PAST - 2..PAST - 2 + len];
        let [v0, v1] = pair(&lines.argument, len);
        let v2 = &lines.argument[PAST - 2..PAST - 2 + len];
        let shaped = &mut lines.shaped[PAST..PAST + len];
        match (self.alignment, knee > 0.0) {
            (Alignment::Centred, false) => {
                for i in 0..len {
                    let curvature = x1[i] - 2.0 * x0[i] + x2[i];
                    let by = AGAINST_CURVATURE * curvature;
                    let [h, m, l] = sorted(v1[i] - by, v0[i] - by, v2[i] - by);
                    let bent = ramp_mean_2(-l - 1.0, -m - 1.0, -h - 1.0) - ramp_mean_2(h - 1.0, m - 1.0, l - 1.0);
                    shaped[i] = bent + (1.0 - apart[i]) * (x0[i] + (1.0 / 3.0 - AGAINST_CURVATURE) * curvature);
                }
            }
            (Alignment::Centred, true) => {
                let (from, to, scale) = (1.0 - knee, 1.0 + knee, 0.25 / knee);
                let over = |h: f64, m: f64, l: f64| {
                    parabola_mean_2(h - from, m - from, l - from) - parabola_mean_2(h - to, m - to, l - to)
                };
                for i in 0..len {
                    let curvature = x1[i] - 2.0 * x0[i] + x2[i];
                    let by = AGAINST_CURVATURE * curvature;
                    let [h, m, l] = sorted(v1[i] - by, v0[i] - by, v2[i] - by);
                    let bent = scale * (over(-l, -m, -h) - over(h, m, l));
                    shaped[i] = bent + (1.0 - apart[i]) * (x0[i] + (1.0 / 3.0 - AGAINST_CURVATURE) * curvature);
                }
            }
            (Alignment::Prompt, false) => {
                for i in 0..len {
                    let (h, l) = (larger(v1[i], v0[i]), smaller(v1[i], v0[i]));
                    let bent = ramp_mean_1(-l - 1.0, -h - 1.0) - ramp_mean_1(h - 1.0, l - 1.0);
                    shaped[i] = bent + (1.0 - apart[i]) * (0.5 * (x0[i] + x1[i]));
                }
            }
            (Alignment::Prompt, true) => {
                let (from, to, scale) = (1.0 - knee, 1.0 + knee, 0.25 / knee);
                let over = |h: f64, l: f64| parabola_mean_1(h - from, l - from) - parabola_mean_1(h - to, l - to);
                for i in 0..len {
                    let (h, l) = (larger(v1[i], v0[i]), smaller(v1[i], v0[i]));
                    let bent = scale * (over(-l, -h) - over(h, l));
                    shaped[i] = bent + (1.0 - apart[i]) * (0.5 * (x0[i] + x1[i]));
                }
            }
        }
    }

    /// Adds what is straight, on time, to what is bent.
    fn catch_up(&mut self, curve: Curve, workings: &Workings, lines: &Lines, output: &mut [f32]) {
        let len = output.len();
        let ([x1, x0], bent) = (pair(&lines.input, len), &lines.shaped[PAST..PAST + len]);
        let (argument, root, value) = (&lines.argument[PAST..], &lines.root[PAST..], &lines.value[PAST..]);
        let (zero, inverse_slope) = (&workings.zero[..len], &workings.inverse_slope[..len]);
        let apart = &workings.apart[..len];
        for (i, out) in output.iter_mut().enumerate() {
            let loss = match curve {
                Curve::Algebraic { ceiling } => x0[i] - ceiling * (argument[i] / root[i] - zero[i]) * inverse_slope[i],
                Curve::Asinh => x0[i] - (value[i] - zero[i]) * inverse_slope[i],
                Curve::Clip { knee } => over(argument[i], knee) - over(-argument[i], knee),
            };
            let step = x0[i] - x1[i];
            self.steps = self.keep * self.steps + step * step;
            self.losses = self.keep * self.losses + step * (loss - self.loss);
            self.loss = loss;
            let lost = self.losses / (self.steps + LEAST_STEPS);
            let rest = bent[i] + lost * (0.5 * (x0[i] + x1[i]));
            *out = (rest + (1.0 - lost - apart[i]) * x0[i]) as f32;
        }
    }

    #[simd]
    fn centre<S: Simd>(&self, _: S, second_order: bool, lines: &Lines, output: &mut [f32]) {
        let len = output.len();
        let late = |by: usize| &lines.shaped[PAST - by..PAST - by + len];
        let (r0, r1, r2, r3, r4) = (late(0), late(1), late(2), late(3), late(4));
        if second_order {
            let c = EVEN_2;
            // (−c, 1 + 2c, −c)
            for i in 0..len {
                output[i] = ((1.0 + 2.0 * c) * r1[i] - c * (r0[i] + r2[i])) as f32;
            }
        } else {
            let [a, b] = EVEN_1;
            // (−a, b, 1, −b, a)
            for i in 0..len {
                output[i] = (r2[i] + b * (r1[i] - r3[i]) + a * (r4[i] - r0[i])) as f32;
            }
        }
    }
}

/// The samples before the newest `len`, and the newest.
#[inline(always)]
fn pair(line: &Line, len: usize) -> [&[f64]; 2] {
    [&line[PAST - 1..PAST - 1 + len], &line[PAST..PAST + len]]
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a > b { b } else { a }
}

/// Largest first.
#[inline(always)]
fn sorted(a: f64, b: f64, c: f64) -> [f64; 3] {
    let (high, low) = (larger(a, b), smaller(a, b));
    let (rest, least) = (larger(low, c), smaller(low, c));
    [larger(high, rest), smaller(high, rest), least]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saturation::oversampler::{Downsampler, Scratch, Upsampler};

    /// The narrowest registers and the widest give the same bits, for every curve, through the whole chain.
    #[test]
    fn register_width_changes_no_bit() {
        let mut seed = 0x5EED_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 40) as f32 / (1u64 << 22) as f32 - 2.0
        };
        let input: Vec<f32> = (0..4000).map(|_| next()).collect();
        let curves =
            [Curve::Algebraic { ceiling: 1.5 }, Curve::Asinh, Curve::Clip { knee: 0.0 }, Curve::Clip { knee: 0.5 }];
        for curve in curves {
            for alignment in [Alignment::Centred, Alignment::Prompt] {
                let [narrow, wide] = [Level::baseline(), Level::new()].map(|level| {
                    let (mut up, mut down, mut shaper) =
                        (Upsampler::new(3), Downsampler::new(3), Shaper::new(alignment, 48_000.0));
                    up.set_level(level);
                    down.set_level(level);
                    shaper.level = level;
                    let bias = curve.bias(0.3);
                    shaper.reset(bias);
                    let workings = Workings::new(bias, 0.2);
                    let (mut raised, mut bent, mut out) = ([0.0; 256], [0.0; 256], vec![]);
                    for chunk in input.chunks(27) {
                        let (mut lowered, mut lines, mut scratch) = ([0.0; 27], Lines::new(), Scratch::new());
                        up.process(chunk, &mut raised[..8 * chunk.len()], &mut scratch);
                        shaper.process(
                            curve,
                            &workings,
                            &raised[..8 * chunk.len()],
                            &mut bent[..8 * chunk.len()],
                            &mut lines,
                        );
                        down.process(&bent[..8 * chunk.len()], &mut lowered[..chunk.len()], &mut scratch);
                        out.extend(lowered[..chunk.len()].iter().map(|s| s.to_bits()));
                    }
                    out
                });
                assert!(narrow == wide, "{curve:?} {alignment:?}");
            }
        }
    }
}
