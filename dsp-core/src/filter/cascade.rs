//! Sections in series, four to a vector: each lane works one frame behind the lane before it, so that a recursion that
//! is serial by nature keeps all lanes busy.
//!
//! Every lane does what [`Section::tick`] does, operation by operation, so the bits are the same whatever the
//! machine's registers and however sections are grouped.

use crate::control_grid::GRID_FRAMES;
use crate::filter::section::Section;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x4};
use fearless_simd_macros::simd;

/// Sections in a group.
pub const LANES: usize = 4;
/// The most frames that [`process`] takes at once.
pub const MAX_SPAN: usize = GRID_FRAMES;

const COEFFICIENTS: usize = 6;
/// Shorter spans are not worth filling and draining the lanes.
const SHORTEST_VECTOR_SPAN: usize = 8;

/// Four sections in series, for `CH` channels, with coefficients that may move along a cubic.
#[derive(Clone, Copy, Debug)]
pub struct Group<const CH: usize> {
    /// Each coefficient now, and what its value, its step and its step's step gain per frame.
    coefficients: [[[f64; LANES]; 4]; COEFFICIENTS],
    /// Band-pass and low-pass state.
    state: [[[f64; LANES]; 2]; CH],
    moving: bool,
}

impl<const CH: usize> Group<CH> {
    /// Four wires.
    pub const WIRES: Group<CH> = {
        let mut coefficients = [[[0.0; LANES]; 4]; COEFFICIENTS];
        coefficients[0][0] = [1.0; LANES];
        Group { coefficients, state: [[[0.0; LANES]; 2]; CH], moving: false }
    };

    /// The section in `lane` stands still. Real-time safe.
    pub fn set(&mut self, lane: usize, section: &Section) {
        for (place, value) in self.coefficients.iter_mut().zip(section.to_array()) {
            for (order, difference) in place.iter_mut().enumerate() {
                if let Some(d) = difference.get_mut(place_of(lane)) {
                    *d = if order == 0 { value } else { 0.0 };
                }
            }
        }
    }

    /// The section in `lane` goes from `path[1]` to `path[2]` in [`GRID_FRAMES`] frames, along the cubic whose slopes at
    /// both ends are those of the neighbours (E. Catmull and R. Rom, 1974): no corner where spans meet. Real-time safe.
    pub fn glide(&mut self, lane: usize, path: [&Section; 4]) {
        let h = 1.0 / GRID_FRAMES as f64;
        let path = path.map(|section| section.to_array());
        let [before, from, to, after] = &path;
        let values = before.iter().zip(from).zip(to).zip(after);
        for (place, (((p0, p1), p2), p3)) in self.coefficients.iter_mut().zip(values) {
            // p(t) = p1 + c1 t + c2 t² + c3 t³, t from 0 to 1
            let c1 = 0.5 * (p2 - p0);
            let c2 = p0 - 2.5 * p1 + 2.0 * p2 - 0.5 * p3;
            let c3 = 0.5 * (p3 - p0) + 1.5 * (p1 - p2);
            let (a, b, c) = (c1 * h, c2 * h * h, c3 * h * h * h);
            // forward differences at t = 0
            let differences = [*p1, a + b + c, 2.0 * b + 6.0 * c, 6.0 * c];
            for (difference, value) in place.iter_mut().zip(differences) {
                if let Some(d) = difference.get_mut(place_of(lane)) {
                    *d = value;
                }
            }
        }
    }

    /// Whether any lane moves: coefficients then follow their cubic. Real-time safe.
    pub fn set_moving(&mut self, moving: bool) {
        self.moving = moving;
    }

    /// The states of `lane` in each channel. Real-time safe.
    #[must_use]
    pub fn state(&self, lane: usize) -> [[f64; 2]; CH] {
        self.state.map(|channel| channel.map(|s| s.get(place_of(lane)).copied().unwrap_or(0.0)))
    }

    /// Puts states into `lane`. Real-time safe.
    pub fn set_state(&mut self, lane: usize, state: [[f64; 2]; CH]) {
        for (channel, values) in self.state.iter_mut().zip(state) {
            for (place, value) in channel.iter_mut().zip(values) {
                if let Some(s) = place.get_mut(place_of(lane)) {
                    *s = value;
                }
            }
        }
    }

    /// Snaps states to zero that have all but died away. For grid points. Real-time safe.
    pub fn flush(&mut self) {
        for s in self.state.iter_mut().flatten().flatten() {
            *s = math::flush(*s);
        }
    }
}

/// Where in the vectors the section of a lane is: the first section comes last.
fn place_of(lane: usize) -> usize {
    LANES - 1 - lane.min(LANES - 1)
}

/// Processes `lines` in place through all `groups`; each line has its states in the channel of its place. Lines are of
/// one length, at most [`MAX_SPAN`] frames; with fewer lines than channels the other channels' states stay. Real-time
/// safe.
pub fn process<const CH: usize, const N: usize>(level: Level, groups: &mut [Group<CH>], lines: [&mut [f64]; N]) {
    let mut lines = lines;
    let frames = lines.iter().map(|l| l.len()).min().unwrap_or(0).min(MAX_SPAN);
    if frames < SHORTEST_VECTOR_SPAN {
        for group in groups {
            one_by_one(group, &mut lines, frames);
        }
        return;
    }
    dispatch!(level, simd => all(simd, groups, &mut lines, frames));
}

#[simd]
fn all<S: Simd, const CH: usize, const N: usize>(
    simd: S,
    groups: &mut [Group<CH>],
    lines: &mut [&mut [f64]; N],
    frames: usize,
) {
    for group in groups {
        if group.moving {
            in_lanes::<S, CH, N, true>(simd, group, lines, frames);
        } else {
            in_lanes::<S, CH, N, false>(simd, group, lines, frames);
        }
    }
}

/// One group on `N` lines. The first section is in the last lane, so that the last section's output is in the first,
/// and storing all lanes frame after frame leaves the right one behind.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // loops over lines and coefficients are to be unrolled
fn in_lanes<S: Simd, const CH: usize, const N: usize, const MOVING: bool>(
    simd: S,
    group: &mut Group<CH>,
    lines: &mut [&mut [f64]; N],
    frames: usize,
) {
    let zero = f64x4::splat(simd, 0.0);
    let mut k = Lanes { coefficients: [[zero; 4]; COEFFICIENTS], band: [zero; N], low: [zero; N], output: [zero; N] };
    for c in 0..COEFFICIENTS {
        for order in 0..if MOVING { 4 } else { 1 } {
            k.coefficients[c][order] = f64x4::from_slice(simd, &group.coefficients[c][order]);
        }
    }
    for n in 0..N.min(CH) {
        k.band[n] = f64x4::from_slice(simd, &group.state[n][0]);
        k.low[n] = f64x4::from_slice(simd, &group.state[n][1]);
    }
    // how many frames each lane lags
    let lag = f64x4::from_slice(simd, &[3.0, 2.0, 1.0, 0.0]);
    let mut output = [[0.0; MAX_SPAN + 2 * LANES]; N];
    for t in 0..LANES - 1 {
        let before = k;
        let mut input = [0.0; N];
        for n in 0..N {
            input[n] = lines[n][t];
        }
        k.tick::<MOVING>(simd, &input);
        k.keep_where_not::<MOVING>(lag.simd_le(f64x4::splat(simd, t as f64)), &before);
    }
    for t in LANES - 1..frames {
        let mut input = [0.0; N];
        for n in 0..N {
            input[n] = lines[n][t];
        }
        k.tick::<MOVING>(simd, &input);
        for n in 0..N {
            k.output[n].store_slice(&mut output[n][t..t + LANES]);
        }
    }
    for t in frames..frames + LANES - 1 {
        let before = k;
        k.tick::<MOVING>(simd, &[0.0; N]);
        for n in 0..N {
            k.output[n].store_slice(&mut output[n][t..t + LANES]);
        }
        k.keep_where_not::<MOVING>(lag.simd_gt(f64x4::splat(simd, (t - frames) as f64)), &before);
    }
    for n in 0..N {
        lines[n][..frames].copy_from_slice(&output[n][LANES - 1..LANES - 1 + frames]);
    }
    for n in 0..N.min(CH) {
        k.band[n].store_slice(&mut group.state[n][0]);
        k.low[n].store_slice(&mut group.state[n][1]);
    }
    if MOVING {
        for c in 0..COEFFICIENTS {
            for order in 0..4 {
                k.coefficients[c][order].store_slice(&mut group.coefficients[c][order]);
            }
        }
    }
}

/// A group in registers, and what each lane put out last.
#[derive(Clone, Copy)]
struct Lanes<S: Simd, const N: usize> {
    coefficients: [[f64x4<S>; 4]; COEFFICIENTS],
    band: [f64x4<S>; N],
    low: [f64x4<S>; N],
    output: [f64x4<S>; N],
}

#[allow(clippy::needless_range_loop)] // loops over lines and coefficients are to be unrolled
impl<S: Simd, const N: usize> Lanes<S, N> {
    /// One frame in each lane: in the last lane that of `input`, in each lane before it one frame earlier.
    #[inline(always)]
    fn tick<const MOVING: bool>(&mut self, simd: S, input: &[f64; N]) {
        let [direct, from_band, from_low, keep, cross, rise] = [
            self.coefficients[0][0],
            self.coefficients[1][0],
            self.coefficients[2][0],
            self.coefficients[3][0],
            self.coefficients[4][0],
            self.coefficients[5][0],
        ];
        for n in 0..N {
            let (band, low) = (self.band[n], self.low[n]);
            let u = self.output[n].slide::<1>(f64x4::splat(simd, input[n]));
            let e = u - low;
            self.output[n] = direct * u + (from_band * band - from_low * low);
            self.band[n] = keep * band + cross * e;
            self.low[n] = low + (cross * band + rise * e);
        }
        if MOVING {
            for c in 0..COEFFICIENTS {
                let [value, first, second, third] = self.coefficients[c];
                self.coefficients[c] = [value + first, first + second, second + third, third];
            }
        }
    }

    /// Takes back what happened in lanes that are not `running`.
    #[inline(always)]
    fn keep_where_not<const MOVING: bool>(&mut self, running: fearless_simd::mask64x4<S>, before: &Self) {
        for n in 0..N {
            self.band[n] = running.select(self.band[n], before.band[n]);
            self.low[n] = running.select(self.low[n], before.low[n]);
        }
        if MOVING {
            for c in 0..COEFFICIENTS {
                for order in 0..3 {
                    self.coefficients[c][order] =
                        running.select(self.coefficients[c][order], before.coefficients[c][order]);
                }
            }
        }
    }
}

/// The same as `in_lanes`, section after section.
fn one_by_one<const CH: usize, const N: usize>(group: &mut Group<CH>, lines: &mut [&mut [f64]; N], frames: usize) {
    for lane in 0..LANES {
        let mut coefficients = group.coefficients.map(|c| c.map(|d| d[place_of(lane)]));
        let mut states = group.state(lane);
        for frame in 0..frames {
            let section = Section::from_array(coefficients.map(|c| c[0]));
            for (line, state) in lines.iter_mut().zip(&mut states) {
                if let Some(sample) = line.get_mut(frame) {
                    *sample = section.tick(state, *sample);
                }
            }
            if group.moving {
                for [value, first, second, third] in &mut coefficients {
                    *value += *first;
                    *first += *second;
                    *second += *third;
                }
            }
        }
        for (place, values) in group.coefficients.iter_mut().zip(coefficients) {
            for (place, value) in place.iter_mut().zip(values) {
                place[place_of(lane)] = value;
            }
        }
        group.set_state(lane, states);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lanes and single sections give the same bits, whatever the length of the span.
    #[test]
    fn lanes_are_sections_in_series() {
        let level = Level::new();
        let section = |n: usize| Section {
            direct: 0.9,
            from_band: 0.1 * n as f64,
            from_low: 0.05,
            keep: 0.8 - 0.1 * n as f64,
            cross: 0.3,
            rise: 0.1,
        };
        let mut lanes = Group::<2>::WIRES;
        for lane in 0..LANES {
            let path: [Section; 4] = std::array::from_fn(|i| section(lane + i));
            lanes.glide(lane, path.each_ref());
        }
        lanes.set_moving(true);
        let mut single = lanes;
        let noise = |n: usize| ((n * 7919 % 1013) as f64 - 500.0) / 500.0;
        let mut a: [Vec<f64>; 2] = std::array::from_fn(|c| (0..32).map(|n| noise(n + 50 * c)).collect());
        let mut b = a.clone();
        let [left, right] = &mut a;
        process(level, std::slice::from_mut(&mut lanes), [left, right]);
        for at in [0, 3, 8, 9, 16, 25] {
            let end = [(0, 3), (3, 8), (8, 9), (9, 16), (16, 25), (25, 32)].iter().find(|p| p.0 == at).unwrap().1;
            let [left, right] = &mut b;
            one_by_one(&mut single, &mut [&mut left[at..end], &mut right[at..end]], end - at);
        }
        assert_eq!(a, b);
        assert_eq!(lanes.state, single.state);
        assert_eq!(lanes.coefficients, single.coefficients);
    }
}
