//! The heads that read the lines, and how they get to a new time.

use super::kernel::{self, Table, Taps};
use super::line::Line;
use super::{CROSSFADE_SECONDS, Lanes, SHORTEST_FRAMES};
use crate::control_grid::GRID_FRAMES;
use crate::ramp::Ramp;
use fearless_simd::Simd;

/// One read head a channel. New times are faded in beside the old ones, or the heads glide to them.
///
/// All moves begin and end on the grid.
#[derive(Clone, Debug)]
pub(super) struct Heads<const CH: usize> {
    table: Table,
    sample_rate_hz: f64,
    longest_frames: f64,
    wanted: [f64; CH],
    glides: bool,
    /// Frames of delay.
    now: [Ramp; CH],
    next: [f64; CH],
    /// From `now`, 0, to `next`, 1.
    fade: Ramp,
    /// Of the fractions at which the heads rest.
    taps: [[Taps; CH]; 2],
}

/// Samples that a head may pass over in a span, and those that its taps reach over: four times the tape's speed is more than
/// any glide has.
pub(super) const WINDOW_FRAMES: usize = 4 * GRID_FRAMES + kernel::TAPS + 8;

/// The least time that a glide takes, in seconds.
const SHORTEST_GLIDE_SECONDS: f64 = 0.15;

impl<const CH: usize> Heads<CH> {
    /// At the shortest delay, for delays up to `longest_frames`. May allocate.
    pub fn new(longest_frames: f64, sample_rate_hz: f64) -> Self {
        let fade_frames = whole_spans(CROSSFADE_SECONDS * sample_rate_hz);
        Heads {
            table: Table::new(),
            sample_rate_hz,
            longest_frames,
            wanted: [SHORTEST_FRAMES; CH],
            glides: false,
            now: [Ramp::new(SHORTEST_FRAMES, 1); CH],
            next: [SHORTEST_FRAMES; CH],
            fade: Ramp::new(0.0, fade_frames),
            taps: [[[0.0; kernel::TAPS]; CH]; 2],
        }
    }

    /// Asks for other delays, in frames, to be reached by gliding or by a crossfade.
    pub fn set_targets(&mut self, frames: [f64; CH], glides: bool) {
        (self.wanted, self.glides) = (frames, glides);
    }

    /// The delays are what was asked for.
    pub fn snap(&mut self) {
        self.next = self.wanted;
        self.arrive();
    }

    /// The longest delay that is heard or asked for, in frames.
    pub fn longest_frames(&self) -> f64 {
        let now = self.now.iter().flat_map(|ramp| [ramp.value(), ramp.target()]);
        now.chain(self.next).chain(self.wanted).fold(0.0, f64::max)
    }

    /// What happens on a point of the control grid: a move ends, and the next begins.
    pub fn on_grid(&mut self) {
        if self.fade.is_moving() {
            return;
        }
        if self.fade.target() == 1.0 {
            self.arrive();
        }
        if (0..CH).all(|c| self.wanted[c] == self.now[c].target()) {
            return;
        }
        self.next = self.wanted;
        if self.glides {
            for (c, (head, wanted)) in self.now.iter_mut().zip(self.wanted).enumerate() {
                // a quintic is fastest in its middle, 15/8 of the mean: an octave down is half the speed, one up twice
                let way = wanted - head.value();
                let limit = if way > 0.0 { 0.5 } else { 1.0 };
                let frames = (1.875 * way.abs() / limit).max(SHORTEST_GLIDE_SECONDS * self.sample_rate_hz);
                head.set_target_within(wanted, whole_spans(frames));
                self.taps[0][c] = taps_of(&self.table, wanted);
            }
        } else {
            self.taps[1] = self.next.map(|frames| taps_of(&self.table, frames));
            self.fade.set_target(1.0);
        }
    }

    fn arrive(&mut self) {
        self.fade.snap_to(0.0);
        for (head, next) in self.now.iter_mut().zip(self.next) {
            head.snap_to(next);
        }
        self.taps[0] = self.next.map(|frames| taps_of(&self.table, frames));
    }

    /// Fills `out` with the next `len` frames of each line, delayed; `offsets` are added to the delays. At most up to the
    /// next point of the grid.
    #[inline(always)]
    pub fn read<S: Simd>(
        &mut self,
        simd: S,
        lines: &[Line; CH],
        offsets: Option<&[f64]>,
        out: &mut Lanes<CH>,
        len: usize,
    ) {
        let glides = self.now.iter().any(Ramp::is_moving);
        if glides || offsets.is_some() {
            let mut delays = [[0.0; GRID_FRAMES]; CH];
            for (delays, head) in delays.iter_mut().zip(&mut self.now) {
                delays.iter_mut().take(len).for_each(|d| *d = head.next_value());
            }
            self.read_moving(simd, lines, &mut delays, offsets, out, len);
        } else {
            for c in 0..CH {
                read_resting(simd, &lines[c], self.now[c].target(), &self.taps[0][c], &mut out[c], len);
            }
        }
        if !self.fade.is_moving() {
            return;
        }
        let mut new = [[0.0; GRID_FRAMES]; CH];
        if offsets.is_some() {
            let mut delays = self.next.map(|frames| [frames; GRID_FRAMES]);
            self.read_moving(simd, lines, &mut delays, offsets, &mut new, len);
        } else {
            for c in 0..CH {
                read_resting(simd, &lines[c], self.next[c], &self.taps[1][c], &mut new[c], len);
            }
        }
        for n in 0..len {
            let share = self.fade.next_value() as f32;
            for (out, new) in out.iter_mut().zip(&new) {
                out[n] += share * (new[n] - out[n]);
            }
        }
    }

    /// The same by delays that change from frame to frame.
    #[inline(always)]
    fn read_moving<S: Simd>(
        &self,
        simd: S,
        lines: &[Line; CH],
        delays: &mut Lanes64<CH>,
        offsets: Option<&[f64]>,
        out: &mut Lanes<CH>,
        len: usize,
    ) {
        let mut places = [[(0i64, 0.0); GRID_FRAMES]; CH];
        let mut windows = [[0.0; WINDOW_FRAMES]; CH];
        for c in 0..CH {
            let (mut first, mut last) = (i64::MAX, i64::MIN);
            for n in 0..len {
                let delay = delays[c][n] + offsets.map_or(0.0, |o| o[n]);
                let delay = delay.clamp(SHORTEST_FRAMES, self.longest_frames);
                delays[c][n] = delay;
                // the frame before the place, counted from the first of this span, and how far beyond it the place is
                let place = n as f64 - delay;
                let frame = place.floor();
                places[c][n] = (frame as i64, place - frame);
                (first, last) = (first.min(frame as i64), last.max(frame as i64));
            }
            let frames = (last - first) as usize + kernel::TAPS;
            let oldest = kernel::TAPS as i64 / 2 - 1 - first;
            lines[c].read(oldest as usize, &mut windows[c][..frames.min(WINDOW_FRAMES)]);
            places[c].iter_mut().take(len).for_each(|(frame, _)| *frame -= first);
        }
        let alike = CH == 2 && delays[0][..len] == delays[CH - 1][..len];
        for n in 0..len {
            let mut taps = self.table.taps(simd, places[0][n].1);
            for c in 0..CH {
                let (frame, fraction) = places[c][n];
                if c > 0 && !alike {
                    taps = self.table.taps(simd, fraction);
                }
                let at = (frame as usize).min(WINDOW_FRAMES - kernel::TAPS);
                out[c][n] = kernel::dot(simd, &taps, &windows[c][at..at + kernel::TAPS]);
            }
        }
    }
}

type Lanes64<const CH: usize> = [[f64; GRID_FRAMES]; CH];

/// A line at a delay that stays: a copy where it is whole.
#[inline(always)]
fn read_resting<S: Simd>(simd: S, line: &Line, frames: f64, taps: &Taps, out: &mut [f32; GRID_FRAMES], len: usize) {
    let whole = frames as usize;
    if frames == whole as f64 {
        line.read(whole, &mut out[..len]);
    } else {
        let mut window = [0.0; WINDOW_FRAMES];
        line.read(whole + kernel::TAPS / 2, &mut window[..GRID_FRAMES + kernel::TAPS]);
        kernel::read_steady(simd, taps, &window, out);
    }
}

/// The taps for a delay: its place lies 1 − fraction beyond a frame. None are needed where it is whole.
fn taps_of(table: &Table, frames: f64) -> Taps {
    table.steady_taps(frames.ceil() - frames)
}

/// At least so many frames, from point to point of the grid.
pub(super) fn whole_spans(frames: f64) -> u32 {
    let spans = (frames / GRID_FRAMES as f64).ceil().max(1.0);
    (spans * GRID_FRAMES as f64) as u32
}
