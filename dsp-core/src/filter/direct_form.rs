//! Sections that stand still, in direct form II: nine operations a sample where the state-variable form takes thirteen.
//!
//! w = u − (a₁w₁ + a₂w₂), y = d u + (c₁w₁ + c₂w₂), then w₂ ← w₁ ← w; with d taken out of the numerator, the way from input
//! to output is one product and one sum long, which is what lanes in a row wait for. A state-variable section with A = [[keep, −cross], [cross,
//! 1 − rise]] and B = [cross, rise] holds s = B w₁ + (A − tr A) B w₂ (adj(z − A) = z + A − tr A), that is
//! s₁ = cross (w₁ − w₂), s₂ = rise w₁ + (cross² − keep rise) w₂: one form takes the sound over from the other with nothing
//! but a rounding of 1e-16/ω.
//!
//! w is up to Q/ω² as large as the sound, and what is lost by that is noise: sections under [`LEAST_CROSS`] keep the other
//! form, where 1e-16 Q/ω² would come near to single precision.

use crate::filter::cascade::{LANES, Line, lanes_at_work, place_of};
use crate::filter::section::Section;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x4};

/// About ω in radians per sample: 8 Hz at 48 kHz.
const LEAST_CROSS: f64 = 1e-3;

/// Four sections in series, for `CH` channels, that stand still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direct<const CH: usize> {
    /// d, c₁, c₂, a₁, a₂.
    coefficients: [[f64; LANES]; 5],
    /// w₁ and w₂.
    state: [[[f64; LANES]; 2]; CH],
    /// What is less is as good as nothing.
    floor: [f64; LANES],
}

impl<const CH: usize> Direct<CH> {
    /// Four wires.
    pub const WIRES: Direct<CH> = {
        let mut coefficients = [[0.0; LANES]; 5];
        coefficients[0] = [1.0; LANES];
        Direct { coefficients, state: [[[0.0; LANES]; 2]; CH], floor: [math::STATE_FLOOR; LANES] }
    };

    /// Whether a section may take this form: one that does not lie too low, or a wire. Where the response is 1 no bit
    /// changes in this form either. Real-time safe.
    #[must_use]
    pub fn suits(section: &Section) -> bool {
        *section == Section::WIRE || section.cross >= LEAST_CROSS
    }

    /// Takes over a section that [`suits`](Self::suits) in `lane`, with its states. Real-time safe.
    pub fn enter(&mut self, lane: usize, section: &Section, state: [[f64; 2]; CH]) {
        let at = place_of(lane);
        let Section { direct, from_band, from_low, keep, cross, rise } = *section;
        let (mut numbers, mut floor) = ([1.0, 0.0, 0.0, 0.0, 0.0], math::STATE_FLOOR);
        let mut direct_state = [[0.0; 2]; CH];
        if *section != Section::WIRE {
            let (a1, a2) = (rise - 1.0 - keep, keep * (1.0 - rise) + cross * cross);
            let beside = cross * cross - keep * rise;
            let (c1, c2) = (from_band * cross - from_low * rise, -from_band * cross - from_low * beside);
            numbers = [direct, c1, c2, a1, a2];
            floor /= rise.min(1.0);
            for (place, [band, low]) in direct_state.iter_mut().zip(state) {
                let difference = band / cross;
                let w2 = (low - rise * difference) / (rise + beside);
                *place = [w2 + difference, w2];
            }
        }
        for (place, number) in self.coefficients.iter_mut().zip(numbers) {
            place[at] = number;
        }
        self.floor[at] = floor;
        for (channel, state) in self.state.iter_mut().zip(direct_state) {
            (channel[0][at], channel[1][at]) = (state[0], state[1]);
        }
    }

    /// The states in `lane` as `section`, which entered there, would have them. Real-time safe.
    #[must_use]
    pub fn leave(&self, lane: usize, section: &Section) -> [[f64; 2]; CH] {
        let at = place_of(lane);
        let Section { keep, cross, rise, .. } = *section;
        self.state.map(|[w1, w2]| {
            let (w1, w2) = (w1[at], w2[at]);
            [cross * (w1 - w2), rise * w1 + (cross * cross - keep * rise) * w2]
        })
    }

    /// Snaps states to zero that have all but died away. For grid points. Real-time safe.
    pub fn flush(&mut self) {
        for line in self.state.iter_mut().flatten() {
            for (w, floor) in line.iter_mut().zip(self.floor) {
                *w = if w.abs() >= floor { *w } else { 0.0 };
            }
        }
    }

    /// What `in_lanes` does, section after section. Real-time safe.
    pub fn one_by_one<const N: usize>(&mut self, lines: &mut [&mut Line; N], frames: usize) {
        for at in (0..LANES).rev() {
            let [d, c1, c2, a1, a2] = self.coefficients.map(|c| c[at]);
            for (line, state) in lines.iter_mut().zip(&mut self.state) {
                for sample in line.iter_mut().take(frames) {
                    let (w1, w2) = (state[0][at], state[1][at]);
                    let w = *sample - (a1 * w1 + a2 * w2);
                    *sample = d * *sample + (c1 * w1 + c2 * w2);
                    (state[0][at], state[1][at]) = (w, w1);
                }
            }
        }
    }
}

/// `G` groups on `N` lines, each lane a frame behind the one before it: see [`crate::filter::cascade`].
#[inline(always)]
#[allow(clippy::needless_range_loop)] // loops over groups and lines are to be unrolled
pub fn in_lanes<S: Simd, const CH: usize, const N: usize, const G: usize>(
    simd: S,
    groups: [&mut Direct<CH>; G],
    lines: &mut [&mut Line; N],
    frames: usize,
) {
    let zero = f64x4::splat(simd, 0.0);
    let mut k = Lanes { coefficients: [[zero; 5]; G], w1: [[zero; N]; G], w2: [[zero; N]; G], output: [[zero; N]; G] };
    for g in 0..G {
        k.coefficients[g] = std::array::from_fn(|c| f64x4::from_slice(simd, &groups[g].coefficients[c]));
        for n in 0..N.min(CH) {
            k.w1[g][n] = f64x4::from_slice(simd, &groups[g].state[n][0]);
            k.w2[g][n] = f64x4::from_slice(simd, &groups[g].state[n][1]);
        }
    }
    let last_lag = G * LANES - 1;
    for t in 0..last_lag.min(frames) {
        let before = k;
        k.tick(simd, &std::array::from_fn(|n| lines[n][t]));
        k.keep_unless(simd, &before, t, frames);
    }
    for t in last_lag..frames {
        k.tick(simd, &std::array::from_fn(|n| lines[n][t]));
        for n in 0..N {
            k.output[G - 1][n].store_slice(&mut lines[n][t - last_lag..t - last_lag + LANES]);
        }
    }
    for t in frames.max(last_lag)..frames + last_lag {
        let before = k;
        k.tick(simd, &[0.0; N]);
        for n in 0..N {
            k.output[G - 1][n].store_slice(&mut lines[n][t - last_lag..t - last_lag + LANES]);
        }
        k.keep_unless(simd, &before, t, frames);
    }
    for g in 0..G {
        for n in 0..N.min(CH) {
            k.w1[g][n].store_slice(&mut groups[g].state[n][0]);
            k.w2[g][n].store_slice(&mut groups[g].state[n][1]);
        }
    }
}

/// Groups in registers, and what each lane put out last.
#[derive(Clone, Copy)]
struct Lanes<S: Simd, const N: usize, const G: usize> {
    coefficients: [[f64x4<S>; 5]; G],
    w1: [[f64x4<S>; N]; G],
    w2: [[f64x4<S>; N]; G],
    output: [[f64x4<S>; N]; G],
}

#[allow(clippy::needless_range_loop)] // loops over groups and lines are to be unrolled
impl<S: Simd, const N: usize, const G: usize> Lanes<S, N, G> {
    /// One frame in each lane.
    #[inline(always)]
    fn tick(&mut self, simd: S, input: &[f64; N]) {
        for n in 0..N {
            let mut handed_on = f64x4::splat(simd, input[n]);
            for g in 0..G {
                let [d, c1, c2, a1, a2] = self.coefficients[g];
                let (w1, w2, output) = (self.w1[g][n], self.w2[g][n], self.output[g][n]);
                let u = output.slide::<1>(handed_on);
                handed_on = output;
                let w = u - (a1 * w1 + a2 * w2);
                self.output[g][n] = d * u + (c1 * w1 + c2 * w2);
                (self.w1[g][n], self.w2[g][n]) = (w, w1);
            }
        }
    }

    /// Takes back what happened in lanes that have no frame at time `t`: not yet, or no more.
    #[inline(always)]
    fn keep_unless(&mut self, simd: S, before: &Self, t: usize, frames: usize) {
        for g in 0..G {
            let running = lanes_at_work(simd, t, g, frames);
            for n in 0..N {
                self.w1[g][n] = running.select(self.w1[g][n], before.w1[g][n]);
                self.w2[g][n] = running.select(self.w2[g][n], before.w2[g][n]);
            }
        }
    }
}
