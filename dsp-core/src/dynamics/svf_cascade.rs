//! Three second-order sections in a row, f64, for filters that only a detector hears.
//!
//! State-variable sections by trapezoidal integration, after Simper, "Solving the continuous SVF equations using
//! trapezoidal integration and equivalent currents", 2013: they may be swept without a click. Each is run as the matrix
//! it is, s' = A s + b x, y = c s + d x, two frames at a time: s″ = A² s + A b x₀ + b x₁ and y₁ = c A s + c b x₀ + d x₁
//! wait for the state half as often as frame by frame. Sections that pass everything on cost nothing.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Pairs;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x2};

/// What one section does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Svf {
    /// Passes everything on.
    Neutral,
    /// 12 dB an octave.
    LowCut { q: f64 },
    /// 12 dB an octave.
    HighCut { q: f64 },
    /// Q is that of the bell's middle.
    Bell { q: f64, gain_db: f64 },
    /// Gain above.
    HighShelf { q: f64, gain_db: f64 },
}

/// Three sections and the state of up to two channels.
#[derive(Clone, Debug)]
pub(crate) struct SvfCascade {
    sections: [Section; SECTIONS],
    steps: [Step; SECTIONS],
    /// A span ended after the first of two frames, which the steps remember: they have not moved on yet.
    halfway: bool,
}

const SECTIONS: usize = 3;

/// Two frames of one section, both channels.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Of y₀: both states and x₀; of y₁, and of each state: both states, x₀ and x₁.
    first: [f64; 3],
    second: [f64; 4],
    states: [[f64; 4]; 2],
    state: [[f64; 2]; 2],
    /// x₀ where a span ended after it.
    x: [f64; 2],
}

impl SvfCascade {
    pub fn new() -> Self {
        let sections = [Section::new(Svf::Neutral, 1.0); SECTIONS];
        SvfCascade { sections, steps: sections.map(|s| s.step()), halfway: false }
    }

    /// Section `index`, 0 to 2, does this at t = tan(π f / rate).
    pub fn set(&mut self, index: usize, svf: Svf, t: f64) {
        let (Some(section), Some(step)) = (self.sections.get_mut(index), self.steps.get_mut(index)) else { return };
        *section = Section::new(svf, t);
        // at rest there is nothing to remember
        let (state, x) = if svf == Svf::Neutral { Default::default() } else { (step.state, step.x) };
        *step = Step { state, x, ..section.step() };
    }

    /// Whether nothing is filtered at all.
    pub fn is_neutral(&self) -> bool {
        self.sections.iter().all(|s| s.svf == Svf::Neutral)
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        self.steps.iter_mut().for_each(|step| (step.state, step.x) = Default::default());
        self.halfway = false;
    }

    /// Snaps what has died away to zero.
    pub fn flush(&mut self) {
        self.steps.iter_mut().flat_map(|step| step.state.as_flattened_mut()).for_each(|s| *s = math::flush(*s));
    }

    /// Filters `frames` frames in place.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, pairs: &mut Pairs, frames: usize) {
        let frames = &mut pairs[..frames.min(GRID_FRAMES)];
        for (section, step) in self.sections.iter().zip(&mut self.steps) {
            if section.svf != Svf::Neutral {
                step.process(simd, frames, self.halfway);
            }
        }
        self.halfway ^= frames.len() % 2 == 1;
    }

    /// Frames until state that stood at +200 dBFS is flushed: 1600 dB in each section.
    pub fn tail_frames(&self) -> usize {
        self.sections.iter().map(Section::tail_frames).sum()
    }

    /// Magnitude in decibels at t = tan(π f / rate).
    pub fn response_db(&self, t: f64) -> f64 {
        self.sections.iter().map(|s| s.response_db(t)).sum()
    }
}

impl Step {
    /// Filters `frames` in place, the first of them as the second of two if a span ended `halfway`.
    #[inline(always)]
    fn process<S: Simd>(&mut self, simd: S, frames: &mut [[f64; 2]], halfway: bool) {
        let mut run = Running {
            first: std::array::from_fn(|n| f64x2::splat(simd, self.first[n])),
            second: std::array::from_fn(|n| f64x2::splat(simd, self.second[n])),
            states: std::array::from_fn(|row| std::array::from_fn(|n| f64x2::splat(simd, self.states[row][n]))),
            state: std::array::from_fn(|n| f64x2::from_slice(simd, &self.state[n])),
        };
        let load = |frame: &[f64; 2]| f64x2::from_slice(simd, frame);
        let (begun, frames) = frames.split_at_mut(frames.len().min(usize::from(halfway)));
        if let [second] = begun {
            run.two(load(&self.x), load(second))[1].store_slice(second);
        }
        let (twos, rest) = frames.as_chunks_mut::<2>();
        for [first, second] in twos {
            let [y, y1] = run.two(load(first), load(second));
            y.store_slice(first);
            y1.store_slice(second);
        }
        for (state, value) in self.state.iter_mut().zip(run.state) {
            value.store_slice(state);
        }
        if let [first] = rest {
            self.x = *first;
            run.two(load(first), f64x2::splat(simd, 0.0))[0].store_slice(first);
        }
    }
}

/// A [`Step`] in registers.
struct Running<S: Simd> {
    first: [f64x2<S>; 3],
    second: [f64x2<S>; 4],
    states: [[f64x2<S>; 4]; 2],
    state: [f64x2<S>; 2],
}

impl<S: Simd> Running<S> {
    /// Takes two frames in; what comes out.
    #[inline(always)]
    fn two(&mut self, x: f64x2<S>, x1: f64x2<S>) -> [f64x2<S>; 2] {
        let [s1, s2] = self.state;
        // what does not wait for the state comes first
        let row = |r: &[f64x2<S>; 4]| (r[2] * x + r[3] * x1) + (r[0] * s1 + r[1] * s2);
        let [a, b, c] = self.first;
        let out = [c * x + (a * s1 + b * s2), row(&self.second)];
        self.state = [row(&self.states[0]), row(&self.states[1])];
        out
    }
}

/// One section's design.
#[derive(Clone, Copy, Debug)]
struct Section {
    svf: Svf,
    /// tan(π f / rate).
    g: f64,
    /// 1 / Q.
    k: f64,
    /// Shares of input, band-pass and low-pass in the output.
    mix: [f64; 3],
}

impl Section {
    fn new(svf: Svf, t: f64) -> Self {
        let (g, k, mix) = match svf {
            Svf::Neutral => (1.0, 1.0, [1.0, 0.0, 0.0]),
            Svf::LowCut { q } => (t, 1.0 / q, [1.0, -1.0 / q, -1.0]),
            Svf::HighCut { q } => (t, 1.0 / q, [0.0, 0.0, 1.0]),
            Svf::Bell { q, gain_db } => {
                let a = math::db_to_gain(gain_db / 2.0);
                let k = 1.0 / (q * a);
                (t, k, [1.0, k * (a * a - 1.0), 0.0])
            }
            Svf::HighShelf { q, gain_db } => {
                let (a, k) = (math::db_to_gain(gain_db / 2.0), 1.0 / q);
                (t * a.sqrt(), k, [a * a, k * (1.0 - a) * a, 1.0 - a * a])
            }
        };
        Section { svf, g, k, mix }
    }

    /// The matrices. With a1 = 1 / (1 + g (g + k)), a2 = g a1, a3 = g a2, the band-pass v1 = a1 s1 + a2 (x − s2) and the
    /// low-pass v2 = s2 + a2 s1 + a3 (x − s2), the states become 2 v1 − s1 and 2 v2 − s2.
    fn step(&self) -> Step {
        let [m0, m1, m2] = self.mix;
        let a1 = 1.0 / (1.0 + self.g * (self.g + self.k));
        let (a2, a3) = (self.g * a1, self.g * self.g * a1);
        let rows = [[2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2], [2.0 * a2, 1.0 - 2.0 * a3, 2.0 * a3]];
        let out = [m1 * a1 + m2 * a2, m2 * (1.0 - a3) - m1 * a2, m0 + m1 * a2 + m2 * a3];
        // a row r of two states and an input, one frame later
        let later = |[r1, r2, input]: [f64; 3]| {
            let through = |column: usize| r1 * rows[0][column] + r2 * rows[1][column];
            [through(0), through(1), through(2), input]
        };
        Step { first: out, second: later(out), states: rows.map(later), ..Step::default() }
    }

    fn tail_frames(&self) -> usize {
        if self.svf == Svf::Neutral {
            return 0;
        }
        // the slower pole of s² + k s + 1, brought to the z plane by z = (1 + g s) / (1 − g s)
        let (g, half) = (self.g, self.k / 2.0);
        let slow = if half < 1.0 { half } else { half - (half * half - 1.0).sqrt() };
        let norm = if half < 1.0 { 1.0 } else { slow * slow };
        let magnitude2 = (1.0 - 2.0 * g * slow + g * g * norm) / (1.0 + 2.0 * g * slow + g * g * norm);
        (1600.0 / (-10.0 * math::log10(magnitude2))).ceil() as usize + 2 * GRID_FRAMES
    }

    /// With s = j w, w = t / g: (m0 (1 − w² + j k w) + j m1 w + m2) / (1 − w² + j k w).
    fn response_db(&self, t: f64) -> f64 {
        let w = t / self.g;
        let ([m0, m1, m2], real) = (self.mix, 1.0 - w * w);
        let (re, im) = (m0 * real + m2, (m0 * self.k + m1) * w);
        10.0 * math::log10((re * re + im * im) / (real * real + self.k * self.k * w * w))
    }
}
