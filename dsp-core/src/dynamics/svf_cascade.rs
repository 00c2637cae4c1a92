//! Three second-order sections in a row, f64, for filters that only a detector hears.
//!
//! State-variable sections by trapezoidal integration, after Simper, "Solving the continuous SVF equations using
//! trapezoidal integration and equivalent currents", 2013: they may be swept without a click. Each is run as the matrix
//! it is, s' = A s + b x, y = c s + d x, and the three run side by side in vectors: while the first takes frame n, the
//! second takes the first's frame n − 1 and the third the second's frame n − 2. At both ends of a span only those that
//! have a frame to take move on, so that nothing is late.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Pairs;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x2, f64x4};

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
    /// The rows of the sections' matrices, each number for both channels of the first two sections …
    front: [[f64; 4]; NUMBERS],
    /// … and for both channels of the third.
    back: [[f64; 2]; NUMBERS],
    /// Both states of the first two sections, then of the third.
    front_state: [[f64; 4]; 2],
    back_state: [[f64; 2]; 2],
}

const SECTIONS: usize = 3;
/// A's two rows with b, and c with d.
const NUMBERS: usize = 9;

impl SvfCascade {
    pub fn new() -> Self {
        let section = Section::new(Svf::Neutral, 1.0);
        let mut cascade = SvfCascade {
            sections: [section; SECTIONS],
            front: [[0.0; 4]; NUMBERS],
            back: [[0.0; 2]; NUMBERS],
            front_state: [[0.0; 4]; 2],
            back_state: [[0.0; 2]; 2],
        };
        (0..SECTIONS).for_each(|index| cascade.set(index, Svf::Neutral, 1.0));
        cascade
    }

    /// Section `index`, 0 to 2, does this at t = tan(π f / rate).
    pub fn set(&mut self, index: usize, svf: Svf, t: f64) {
        let section = Section::new(svf, t);
        for (number, value) in section.numbers().into_iter().enumerate() {
            if index < 2 {
                self.front[number][2 * index..2 * index + 2].fill(value);
            } else {
                self.back[number] = [value; 2];
            }
        }
        if svf == Svf::Neutral {
            for state in 0..2 {
                if index < 2 {
                    self.front_state[state][2 * index..2 * index + 2].fill(0.0);
                } else {
                    self.back_state[state] = [0.0; 2];
                }
            }
        }
        self.sections[index.min(SECTIONS - 1)] = section;
    }

    /// Whether nothing is filtered at all.
    pub fn is_neutral(&self) -> bool {
        self.sections.iter().all(|s| s.svf == Svf::Neutral)
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        (self.front_state, self.back_state) = ([[0.0; 4]; 2], [[0.0; 2]; 2]);
    }

    /// Snaps what has died away to zero.
    pub fn flush(&mut self) {
        self.front_state.iter_mut().flatten().for_each(|s| *s = math::flush(*s));
        self.back_state.iter_mut().flatten().for_each(|s| *s = math::flush(*s));
    }

    /// Filters `frames` frames in place.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, pairs: &mut Pairs, frames: usize) {
        let frames = frames.min(GRID_FRAMES);
        let none = f64x2::splat(simd, 0.0);
        let mut running = Running {
            front: std::array::from_fn(|i| f64x4::from_slice(simd, &self.front[i])),
            back: std::array::from_fn(|i| f64x2::from_slice(simd, &self.back[i])),
            front_state: [f64x4::from_slice(simd, &self.front_state[0]), f64x4::from_slice(simd, &self.front_state[1])],
            back_state: [f64x2::from_slice(simd, &self.back_state[0]), f64x2::from_slice(simd, &self.back_state[1])],
            first: none,
            second: none,
        };
        running.tick_at_the_ends(f64x2::from_slice(simd, &pairs[0]), 0, frames);
        running.tick_at_the_ends(f64x2::from_slice(simd, &pairs[1]), 1, frames);
        // each frame is put back two ticks after it was taken in
        for n in 2..frames {
            running.tick(f64x2::from_slice(simd, &pairs[n])).store_slice(&mut pairs[n - 2]);
        }
        for n in frames.max(2)..frames + 2 {
            running.tick_at_the_ends(none, n, frames).store_slice(&mut pairs[n - 2]);
        }
        // beyond the span there is nothing
        for pair in pairs.iter_mut().skip(frames) {
            *pair = [0.0; 2];
        }
        for s in 0..2 {
            running.front_state[s].store_slice(&mut self.front_state[s]);
            running.back_state[s].store_slice(&mut self.back_state[s]);
        }
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

/// Matrices and states in registers.
struct Running<S: Simd> {
    front: [f64x4<S>; NUMBERS],
    back: [f64x2<S>; NUMBERS],
    front_state: [f64x4<S>; 2],
    back_state: [f64x2<S>; 2],
    /// What the first and the second section put out a tick ago.
    first: f64x2<S>,
    second: f64x2<S>,
}

impl<S: Simd> Running<S> {
    /// Takes a frame in; what the third section puts out.
    #[inline(always)]
    fn tick(&mut self, x: f64x2<S>) -> f64x2<S> {
        let simd = x.token();
        let ([f1, f2], [b1, b2], f, b) = (self.front_state, self.back_state, &self.front, &self.back);
        let (x, z) = (simd.combine_f64x2(x, self.first), self.second);
        (self.first, self.second) = simd.split_f64x4(f[6] * x + (f[7] * f1 + f[8] * f2));
        let out = b[6] * z + (b[7] * b1 + b[8] * b2);
        self.front_state = [(f[0] * f1 + f[1] * f2) + f[2] * x, (f[3] * f1 + f[4] * f2) + f[5] * x];
        self.back_state = [(b[0] * b1 + b[1] * b2) + b[2] * z, (b[3] * b1 + b[4] * b2) + b[5] * z];
        out
    }

    /// Tick `n` of a span, of which the first section works from 0 to `frames`, the second one tick later and the third
    /// two: the others' states stay.
    #[inline(always)]
    fn tick_at_the_ends(&mut self, x: f64x2<S>, n: usize, frames: usize) -> f64x2<S> {
        let simd = x.token();
        let (front, back) = (self.front_state, self.back_state);
        let out = self.tick(x);
        for s in 0..2 {
            let (next, now) = (simd.split_f64x4(self.front_state[s]), simd.split_f64x4(front[s]));
            let first = if n < frames { next.0 } else { now.0 };
            let second = if n >= 1 && n <= frames { next.1 } else { now.1 };
            self.front_state[s] = simd.combine_f64x2(first, second);
            if n < 2 {
                self.back_state[s] = back[s];
            }
        }
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
    fn numbers(&self) -> [f64; NUMBERS] {
        if self.svf == Svf::Neutral {
            return [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        }
        let [m0, m1, m2] = self.mix;
        let a1 = 1.0 / (1.0 + self.g * (self.g + self.k));
        let (a2, a3) = (self.g * a1, self.g * self.g * a1);
        let (row1, row2) = ([2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2], [2.0 * a2, 1.0 - 2.0 * a3, 2.0 * a3]);
        let out = [m0 + m1 * a2 + m2 * a3, m1 * a1 + m2 * a2, m2 * (1.0 - a3) - m1 * a2];
        [row1[0], row1[1], row1[2], row2[0], row2[1], row2[2], out[0], out[1], out[2]]
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
