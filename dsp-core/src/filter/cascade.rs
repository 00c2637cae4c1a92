//! Sections in series, four to a vector: each lane works one frame behind the lane before it, so that a recursion that
//! is serial by nature keeps all lanes busy.
//!
//! Every lane does what [`Section::tick`] does, operation by operation, so the bits are the same whatever the
//! machine's registers and however sections are grouped. Groups that stand still may settle into the direct form, which is
//! shorter: [`crate::filter::direct_form`].

use crate::control_grid::GRID_FRAMES;
use crate::filter::direct_form::{self, Direct};
use crate::filter::section::Section;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x4, mask64x4};
use fearless_simd_macros::simd;

/// Sections in a group.
pub const LANES: usize = 4;
/// The most frames that [`process`] takes at once; while coefficients move, only as many as are left to the next grid
/// point.
pub const MAX_SPAN: usize = 4 * GRID_FRAMES;

/// Frames to process, and a little room behind them.
pub type Line = [f64; MAX_SPAN + LANES];

const COEFFICIENTS: usize = 6;
/// Shorter spans are not worth filling and draining the lanes.
const SHORTEST_VECTOR_SPAN: usize = 2 * LANES;

/// Four sections in series, for `CH` channels, with coefficients that may move along a cubic.
#[derive(Clone, Copy, Debug)]
pub struct Group<const CH: usize> {
    /// Each coefficient now, and what its value, its step and its step's step gain per frame.
    coefficients: [[[f64; LANES]; 4]; COEFFICIENTS],
    /// Band-pass and low-pass state.
    state: [[[f64; LANES]; 2]; CH],
    moving: bool,
    /// In the direct form, states and all: `coefficients` are still right, `state` is not.
    settled: bool,
    direct: Direct<CH>,
}

impl<const CH: usize> Group<CH> {
    /// Four wires.
    pub const WIRES: Group<CH> = {
        let mut coefficients = [[[0.0; LANES]; 4]; COEFFICIENTS];
        coefficients[0][0] = [1.0; LANES];
        Group { coefficients, state: [[[0.0; LANES]; 2]; CH], moving: false, settled: false, direct: Direct::WIRES }
    };

    /// Goes over to the direct form if nothing moves and all sections suit it. For grid points. Real-time safe.
    pub fn settle(&mut self) {
        if self.moving || self.settled || (0..LANES).any(|lane| !Direct::<CH>::suits(&self.section(lane))) {
            return;
        }
        for lane in 0..LANES {
            let state = self.state(lane);
            self.direct.enter(lane, &self.section(lane), state);
        }
        self.settled = true;
    }

    /// Comes back from the direct form: before any section or state is read or set. For grid points. Real-time safe.
    pub fn unsettle(&mut self) {
        if std::mem::take(&mut self.settled) {
            for lane in 0..LANES {
                self.set_state(lane, self.direct.leave(lane, &self.section(lane)));
            }
        }
    }

    /// The section in `lane` as it is now.
    fn section(&self, lane: usize) -> Section {
        Section::from_array(self.coefficients.map(|c| c[0][place_of(lane)]))
    }

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
        self.direct.flush();
        for s in self.state.iter_mut().flatten().flatten() {
            *s = math::flush(*s);
        }
    }
}

/// Where in the vectors the section of a lane is: the first section comes last.
pub(super) fn place_of(lane: usize) -> usize {
    LANES - 1 - lane.min(LANES - 1)
}

/// Processes the first `frames` (at most [`MAX_SPAN`]) of `lines` in place through all `groups`; each line has its states
/// in the channel of its place. With fewer lines than channels the other channels' states stay. What is behind the
/// frames is overwritten. Real-time safe.
pub fn process<const CH: usize, const N: usize>(
    level: Level,
    groups: &mut [Group<CH>],
    mut lines: [&mut Line; N],
    frames: usize,
) {
    let frames = frames.min(MAX_SPAN);
    if frames < SHORTEST_VECTOR_SPAN {
        for group in groups {
            if group.settled {
                group.direct.one_by_one(&mut lines, frames);
            } else {
                one_by_one(group, &mut lines, frames);
            }
        }
        return;
    }
    dispatch!(level, simd => all(simd, groups, &mut lines, frames));
}

#[simd]
fn all<S: Simd, const CH: usize, const N: usize>(
    simd: S,
    groups: &mut [Group<CH>],
    lines: &mut [&mut Line; N],
    frames: usize,
) {
    // two groups at once keep the arithmetic busy while each waits for itself
    let mut pairs = groups.chunks_exact_mut(2);
    for pair in &mut pairs {
        let [first, second] = pair else { continue };
        if first.settled && second.settled {
            direct_form::in_lanes::<S, CH, N, 2>(simd, [&mut first.direct, &mut second.direct], lines, frames);
        } else if first.settled || second.settled {
            alone::<S, CH, N>(simd, first, lines, frames);
            alone::<S, CH, N>(simd, second, lines, frames);
        } else if first.moving || second.moving {
            in_lanes::<S, CH, N, 2, true>(simd, [first, second], lines, frames);
        } else {
            in_lanes::<S, CH, N, 2, false>(simd, [first, second], lines, frames);
        }
    }
    for group in pairs.into_remainder() {
        alone::<S, CH, N>(simd, group, lines, frames);
    }
}

/// One group.
#[inline(always)]
fn alone<S: Simd, const CH: usize, const N: usize>(
    simd: S,
    group: &mut Group<CH>,
    lines: &mut [&mut Line; N],
    frames: usize,
) {
    if group.settled {
        direct_form::in_lanes::<S, CH, N, 1>(simd, [&mut group.direct], lines, frames);
    } else if group.moving {
        in_lanes::<S, CH, N, 1, true>(simd, [group], lines, frames);
    } else {
        in_lanes::<S, CH, N, 1, false>(simd, [group], lines, frames);
    }
}

/// Which lanes of the group `g` have a frame of a span of `frames` at time `t`.
#[inline(always)]
pub(super) fn lanes_at_work<S: Simd>(simd: S, t: usize, g: usize, frames: usize) -> mask64x4<S> {
    let behind = (g * LANES) as f64;
    let frame = f64x4::splat(simd, t as f64 - behind) - f64x4::from_slice(simd, &[3.0, 2.0, 1.0, 0.0]);
    frame.simd_ge(0.0) & frame.simd_lt(frames as f64)
}

/// `G` groups on `N` lines. The first section is in the last lane, so that the last section's output is in the first,
/// and storing all lanes frame after frame leaves the right one behind.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // loops over groups, lines and coefficients are to be unrolled
fn in_lanes<S: Simd, const CH: usize, const N: usize, const G: usize, const MOVING: bool>(
    simd: S,
    groups: [&mut Group<CH>; G],
    lines: &mut [&mut Line; N],
    frames: usize,
) {
    let zero = f64x4::splat(simd, 0.0);
    let mut k = Lanes {
        coefficients: [[[zero; 4]; COEFFICIENTS]; G],
        band: [[zero; N]; G],
        low: [[zero; N]; G],
        output: [[zero; N]; G],
    };
    for g in 0..G {
        for c in 0..COEFFICIENTS {
            for order in 0..if MOVING { 4 } else { 1 } {
                k.coefficients[g][c][order] = f64x4::from_slice(simd, &groups[g].coefficients[c][order]);
            }
        }
        for n in 0..N.min(CH) {
            k.band[g][n] = f64x4::from_slice(simd, &groups[g].state[n][0]);
            k.low[g][n] = f64x4::from_slice(simd, &groups[g].state[n][1]);
        }
    }
    // the last section's output of a frame overwrites its input; the other lanes' output lands behind it, on frames that
    // have been read, and is overwritten in turn
    let last_lag = G * LANES - 1;
    for t in 0..last_lag.min(frames) {
        let before = k;
        let mut input = [0.0; N];
        for n in 0..N {
            input[n] = lines[n][t];
        }
        k.tick::<MOVING>(simd, &input);
        k.keep_unless::<MOVING>(simd, &before, t, frames);
    }
    for t in last_lag..frames {
        let mut input = [0.0; N];
        for n in 0..N {
            input[n] = lines[n][t];
        }
        k.tick::<MOVING>(simd, &input);
        for n in 0..N {
            k.output[G - 1][n].store_slice(&mut lines[n][t - last_lag..t - last_lag + LANES]);
        }
    }
    for t in frames.max(last_lag)..frames + last_lag {
        let before = k;
        k.tick::<MOVING>(simd, &[0.0; N]);
        for n in 0..N {
            k.output[G - 1][n].store_slice(&mut lines[n][t - last_lag..t - last_lag + LANES]);
        }
        k.keep_unless::<MOVING>(simd, &before, t, frames);
    }
    for g in 0..G {
        for n in 0..N.min(CH) {
            k.band[g][n].store_slice(&mut groups[g].state[n][0]);
            k.low[g][n].store_slice(&mut groups[g].state[n][1]);
        }
        if MOVING {
            for c in 0..COEFFICIENTS {
                for order in 0..4 {
                    k.coefficients[g][c][order].store_slice(&mut groups[g].coefficients[c][order]);
                }
            }
        }
    }
}

/// Groups in registers, and what each lane put out last.
#[derive(Clone, Copy)]
struct Lanes<S: Simd, const N: usize, const G: usize> {
    coefficients: [[[f64x4<S>; 4]; COEFFICIENTS]; G],
    band: [[f64x4<S>; N]; G],
    low: [[f64x4<S>; N]; G],
    output: [[f64x4<S>; N]; G],
}

#[allow(clippy::needless_range_loop)] // loops over groups, lines and coefficients are to be unrolled
impl<S: Simd, const N: usize, const G: usize> Lanes<S, N, G> {
    /// One frame in each lane: in the last lane of the first group that of `input`, in each lane on one frame earlier.
    #[inline(always)]
    fn tick<const MOVING: bool>(&mut self, simd: S, input: &[f64; N]) {
        for n in 0..N {
            let mut handed_on = f64x4::splat(simd, input[n]);
            for g in 0..G {
                let c = &self.coefficients[g];
                let (band, low, output) = (self.band[g][n], self.low[g][n], self.output[g][n]);
                let u = output.slide::<1>(handed_on);
                handed_on = output;
                let e = u - low;
                self.output[g][n] = c[0][0] * u + (c[1][0] * band - c[2][0] * low);
                self.band[g][n] = c[3][0] * band + c[4][0] * e;
                self.low[g][n] = low + (c[4][0] * band + c[5][0] * e);
            }
        }
        if MOVING {
            for g in 0..G {
                for c in 0..COEFFICIENTS {
                    let [value, first, second, third] = self.coefficients[g][c];
                    self.coefficients[g][c] = [value + first, first + second, second + third, third];
                }
            }
        }
    }

    /// Takes back what happened in lanes that have no frame at time `t`: not yet, or no more.
    #[inline(always)]
    fn keep_unless<const MOVING: bool>(&mut self, simd: S, before: &Self, t: usize, frames: usize) {
        for g in 0..G {
            let running = lanes_at_work(simd, t, g, frames);
            for n in 0..N {
                self.band[g][n] = running.select(self.band[g][n], before.band[g][n]);
                self.low[g][n] = running.select(self.low[g][n], before.low[g][n]);
            }
            if MOVING {
                for c in 0..COEFFICIENTS {
                    for order in 0..3 {
                        self.coefficients[g][c][order] =
                            running.select(self.coefficients[g][c][order], before.coefficients[g][c][order]);
                    }
                }
            }
        }
    }
}

/// The same as `in_lanes`, section after section.
fn one_by_one<const CH: usize, const N: usize>(group: &mut Group<CH>, lines: &mut [&mut Line; N], frames: usize) {
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

    /// Settled groups sound as they did, to the rounding of the larger numbers in between; the same bits whatever the span and
    /// the registers; and their states come back.
    #[test]
    fn settled_groups_sound_the_same() {
        use crate::filter::prototype;
        let mut groups = [Group::<2>::WIRES; 3];
        for n in 0..6 {
            let pair = prototype::bell(0.004 * math::pow(3.0, f64::from(n)), 2.0, 6.0);
            for (k, section) in pair.iter().enumerate() {
                let lane = 2 * n as usize + k;
                groups[lane / LANES].set(lane % LANES, section);
            }
        }
        let noise = |n: usize| ((n * 7919 % 1013) as f64 - 500.0) / 500.0;
        let input: [Line; 2] = std::array::from_fn(|c| std::array::from_fn(|n| noise(n + 50 * c)));
        let run = |level: Level, groups: &mut [Group<2>; 3], spans: &[usize]| {
            let (mut out, mut at) = ([[0.0; MAX_SPAN]; 2], 0);
            for &frames in spans {
                let mut part = input.map(|line| std::array::from_fn(|n| if n < frames { line[at + n] } else { 0.0 }));
                let [left, right] = &mut part;
                process(level, groups, [left, right], frames);
                for (out, part) in out.iter_mut().zip(&part) {
                    out[at..at + frames].copy_from_slice(&part[..frames]);
                }
                at += frames;
            }
            out
        };
        // some sound in it before it settles
        run(Level::new(), &mut groups, &[MAX_SPAN]);
        let mut settled = groups;
        settled.iter_mut().for_each(Group::settle);
        assert!(settled.iter().all(|group| group.settled));
        let (mut cut, mut narrow) = (settled, settled);
        let expected = run(Level::new(), &mut groups, &[MAX_SPAN]);
        let whole = run(Level::new(), &mut settled, &[MAX_SPAN]);
        assert_eq!(whole, run(Level::new(), &mut cut, &[3, 5, 40, 1, 9, 7, 31, 32]));
        assert_eq!(whole, run(Level::baseline(), &mut narrow, &[64, 64]));
        assert_eq!(cut.map(|g| g.direct), settled.map(|g| g.direct));
        settled.iter_mut().for_each(Group::unsettle);
        let pairs = whole.iter().flatten().zip(expected.iter().flatten());
        // ω = 0.004: 1e-16 Q/ω² is 1e-11
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-10));
        let states = settled
            .iter()
            .zip(&groups)
            .flat_map(|(a, b)| a.state.iter().flatten().flatten().zip(b.state.iter().flatten().flatten()));
        assert!(states.into_iter().all(|(a, b)| (a - b).abs() < 1e-10));
    }

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
        // two that go together, and one alone
        let mut lanes = [Group::<2>::WIRES; 3];
        for (n, group) in lanes.iter_mut().enumerate() {
            for lane in 0..LANES {
                let path: [Section; 4] = std::array::from_fn(|i| section(lane + i));
                if n == 1 { group.set(lane, &path[0]) } else { group.glide(lane, path.each_ref()) }
            }
            group.set_moving(n != 1);
        }
        let mut single = lanes;
        let noise = |n: usize| ((n * 7919 % 1013) as f64 - 500.0) / 500.0;
        let mut a: [Line; 2] = std::array::from_fn(|c| std::array::from_fn(|n| noise(n + 50 * c)));
        let mut b = a;
        let [left, right] = &mut a;
        process(level, &mut lanes, [left, right], 32);
        let mut at = 0;
        for frames in [3, 5, 1, 7, 9, 7] {
            let mut part = b.map(|line| std::array::from_fn(|n| if n < frames { line[at + n] } else { 0.0 }));
            let [left, right] = &mut part;
            for group in &mut single {
                one_by_one(group, &mut [left, right], frames);
            }
            for (b, part) in b.iter_mut().zip(&part) {
                b[at..at + frames].copy_from_slice(&part[..frames]);
            }
            at += frames;
        }
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a[..32], b[..32]);
        }
        for (lanes, single) in lanes.iter().zip(&single) {
            assert_eq!(lanes.state, single.state);
            assert_eq!(lanes.coefficients, single.coefficients);
        }
    }
}
