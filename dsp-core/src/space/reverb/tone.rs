//! The cuts of the wet sound and the shelf of its kind: three sections of second order, both sides side by side, f64.
//!
//! State-variable sections by trapezoidal integration (A. Simper, "Solving the continuous SVF equations using trapezoidal
//! integration and equivalent currents", 2013), each run as the matrix that it is. While a control glides the matrices' numbers
//! go in a straight line from one point of the control grid to the next.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::math;
use crate::ramp::Ramp;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x2};

/// What the sections do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ToneTargets {
    /// Butterworth high-pass, 12 dB/oct.
    pub low_cut_hz: f64,
    /// Butterworth low-pass, 12 dB/oct.
    pub high_cut_hz: f64,
    /// Middle of a high shelf with a Q of ½.
    pub shelf_hz: f64,
    /// Gain above it.
    pub shelf_db: f64,
}

/// The sections and their state.
#[derive(Clone, Debug)]
pub(super) struct Tone {
    sample_rate_hz: f64,
    /// log2 of the three frequencies, and the gain.
    controls: [Ramp; 4],
    now: Matrices,
    end: Matrices,
    step: Matrices,
    state: [[[f64; 2]; 2]; SECTIONS],
}

const SECTIONS: usize = 3;
/// Two rows of three numbers for the states, one for the output.
type Matrices = [[f64; 9]; SECTIONS];

impl Tone {
    pub fn new(targets: ToneTargets, glide_seconds: f64, sample_rate_hz: f64) -> Self {
        let controls = controls(targets).map(|value| Ramp::with_seconds(value, glide_seconds, sample_rate_hz));
        let now = matrices(&controls, sample_rate_hz);
        Tone { sample_rate_hz, controls, now, end: now, step: [[0.0; 9]; SECTIONS], state: [[[0.0; 2]; 2]; SECTIONS] }
    }

    pub fn set_targets(&mut self, targets: ToneTargets) {
        self.controls.iter_mut().zip(controls(targets)).for_each(|(ramp, target)| ramp.set_target(target));
    }

    /// Forgets all audio and arrives.
    pub fn reset(&mut self) {
        self.controls.iter_mut().for_each(Ramp::snap);
        self.now = matrices(&self.controls, self.sample_rate_hz);
        self.end = self.now;
        self.state = [[[0.0; 2]; 2]; SECTIONS];
    }

    pub fn on_grid(&mut self) {
        self.state.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|s| *s = math::flush(*s));
        self.now = self.end;
        if self.controls.iter().any(Ramp::is_moving) {
            self.controls.iter_mut().for_each(|ramp| ramp.advance(GRID_FRAMES));
            self.end = matrices(&self.controls, self.sample_rate_hz);
            self.step = std::array::from_fn(|s| {
                std::array::from_fn(|k| (self.end[s][k] - self.now[s][k]) * (1.0 / GRID_FRAMES as f64))
            });
        }
    }

    /// Frames until the sections are silent after their input has been. The slowest pole of a section at f decays by exp(−√½ 2π
    /// f t); from +200 dBFS to 10⁻³⁰ takes 92 nepers, and 10 more for a double pole. High cut and shelf lie at 1 kHz and
    /// above, the shelf's poles at most a factor of √2 lower.
    pub fn tail_frames(&self) -> usize {
        let low_cut_hz = math::exp2(self.controls[0].target().min(self.controls[0].value()));
        let slowest = |hz: f64| (102.0 * self.sample_rate_hz / (math::SQRT_2 * math::PI * hz)).ceil() as usize;
        slowest(low_cut_hz) + 2 * slowest(700.0) + 2 * GRID_FRAMES
    }

    /// Filters `len` frames of both sides in place.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, [left, right]: &mut [Lane; 2], len: usize) {
        let pair = |pair: &[f64; 2]| f64x2::from_slice(simd, pair);
        let mut state = self.state.map(|states| [pair(&states[0]), pair(&states[1])]);
        let mut numbers = self.now.map(|matrix| matrix.map(|number| f64x2::splat(simd, number)));
        let moving = self.now != self.end;
        let steps = self.step.map(|matrix| matrix.map(|number| f64x2::splat(simd, number)));
        for (l, r) in left.iter_mut().zip(right).take(len) {
            let mut x = pair(&[f64::from(*l), f64::from(*r)]);
            for ([s1, s2], n) in state.iter_mut().zip(&numbers) {
                let y = n[6] * x + (n[7] * *s1 + n[8] * *s2);
                (*s1, *s2) = ((n[0] * *s1 + n[1] * *s2) + n[2] * x, (n[3] * *s1 + n[4] * *s2) + n[5] * x);
                x = y;
            }
            (*l, *r) = (x[0] as f32, x[1] as f32);
            if moving {
                for (number, step) in numbers.as_flattened_mut().iter_mut().zip(steps.as_flattened()) {
                    *number += *step;
                }
            }
        }
        if moving {
            self.now = numbers.map(|matrix| matrix.map(|number| number[0]));
        }
        for (kept, state) in self.state.iter_mut().zip(&state) {
            state[0].store_slice(&mut kept[0]);
            state[1].store_slice(&mut kept[1]);
        }
    }
}

fn controls(targets: ToneTargets) -> [f64; 4] {
    let ToneTargets { low_cut_hz, high_cut_hz, shelf_hz, shelf_db } = targets;
    [math::log2(low_cut_hz), math::log2(high_cut_hz), math::log2(shelf_hz), shelf_db]
}

fn matrices(controls: &[Ramp; 4], sample_rate_hz: f64) -> Matrices {
    let [low_cut, high_cut, shelf] = [0, 1, 2].map(|i| {
        let hz = math::exp2(controls[i].value()).min(0.49 * sample_rate_hz);
        math::tan(math::PI * hz / sample_rate_hz)
    });
    let k = math::SQRT_2;
    // a shelf with gain A² and 1/Q = 2, about its middle
    let a = math::db_to_gain(controls[3].value() / 2.0);
    [
        matrix(low_cut, k, [1.0, -k, -1.0]),
        matrix(high_cut, k, [0.0, 0.0, 1.0]),
        matrix(shelf * a.sqrt(), 2.0, [a * a, 2.0 * (1.0 - a) * a, 1.0 - a * a]),
    ]
}

/// With a1 = 1 / (1 + g (g + k)), a2 = g a1, a3 = g a2, the band-pass v1 = a1 s1 + a2 (x − s2) and the low-pass v2 = s2 + a2
/// s1 + a3 (x − s2), the states become 2 v1 − s1 and 2 v2 − s2; the output is a mix of x, v1 and v2.
fn matrix(g: f64, k: f64, [m0, m1, m2]: [f64; 3]) -> [f64; 9] {
    let a1 = 1.0 / (1.0 + g * (g + k));
    let (a2, a3) = (g * a1, g * g * a1);
    let (row1, row2) = ([2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2], [2.0 * a2, 1.0 - 2.0 * a3, 2.0 * a3]);
    let out = [m0 + m1 * a2 + m2 * a3, m1 * a1 + m2 * a2, m2 * (1.0 - a3) - m1 * a2];
    [row1[0], row1[1], row1[2], row2[0], row2[1], row2[2], out[0], out[1], out[2]]
}
