//! Reading a line at a delay that moves: slow sines, different for every line, and the interpolation between samples.

use super::ring::Ring;
use super::vectors::{LINES, Spans, load, store};
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// The most that a delay moves either way, in milliseconds: at most 14 cents, at the highest rate.
pub(super) const MAX_EXCURSION_MS: f64 = 0.4;
/// The highest rate of the slowest line, in hertz.
pub(super) const MAX_RATE_HZ: f64 = 2.0;
/// Frames that interpolation needs at either side of the point that it reads.
pub(super) const MARGIN_FRAMES: u32 = TAPS as u32 / 2 + 1;

/// Taps of the interpolation.
const TAPS: usize = 9;
/// Half the width of its window, in frames: wherever the point lies, from [`EDGE`] before the taps' middle frame to as much after
/// it, all of the window is over taps, and no tap comes in but at zero.
const HALF_WIDTH: f64 = 4.3;
/// Kaiser's β. With this width the mean gain over all places between two frames, which is what a line that moves does to a
/// decay, round after round, is within 0.0008 dB of 1 up to 8 kHz of 48 kHz (to 7.5 kHz: 0.0005 dB), measured; a span's path between
/// two sets of weights is included by [`Tap::new`]. (8 taps and β = 7: −0.0026 dB at 2 kHz, −0.006 at 4 to 6 kHz.) At no place
/// and frequency is it over 0.0025 dB, which is less than a line loses at the longest decay: 0.0037 dB, the shortest line of the
/// smallest room.
const BETA: f64 = 7.8;
/// Steps of the table to a frame.
const STEPS: usize = 128;
/// Steps from the middle frame to either end of the table: half a frame, half of what a line moves in a span, 0.13 frames at most, and
/// a little more.
const EDGE: usize = 88;
/// Rows of the table.
const ROWS: usize = 2 * EDGE + 2;

/// Nine weights, the first of the oldest frame, and zeros up to a whole vector.
type Weights = [f32; LINES];

/// Reads all lines.
#[derive(Clone, Debug)]
pub(super) struct Modulation {
    table: Vec<Weights>,
    phases: [u32; LINES],
    /// Delay beyond the layout's at the last point of the grid and at the next, in frames.
    now: [f32; LINES],
    next: [f32; LINES],
    /// What is read up to the next point of the grid, in the present layout and in the next one.
    taps: [[Tap; LINES]; 2],
    moving: bool,
}

/// How one line is read during a span of the grid: with weights that go from one set to another.
#[derive(Clone, Copy, Debug, Default)]
struct Tap {
    /// Delay of the first weight's frame.
    delay: usize,
    start: Weights,
    change: Weights,
}

impl Modulation {
    /// At rest. May allocate.
    pub fn new() -> Self {
        let row = |row: usize| weights((row as f64 - EDGE as f64) / STEPS as f64);
        let mut modulation = Modulation {
            table: (0..ROWS).map(row).collect(),
            phases: [0; LINES],
            now: [0.0; LINES],
            next: [0.0; LINES],
            taps: [[Tap::default(); LINES]; 2],
            moving: false,
        };
        modulation.reset();
        modulation
    }

    /// Back to the start of the stream.
    pub fn reset(&mut self) {
        // the golden ratio's multiples lie apart from each other
        self.phases = std::array::from_fn(|i| (i as u32).wrapping_mul(0x9E37_79B9));
        (self.now, self.next, self.moving) = ([0.0; LINES], [0.0; LINES], false);
    }

    /// On the control grid: where the lines' ends go until the next point. `depth_frames` at most half of the shortest
    /// line.
    #[inline(always)]
    pub fn on_grid<S: Simd>(
        &mut self,
        simd: S,
        rate_hz: f64,
        depth_frames: f64,
        sample_rate_hz: f64,
        layouts: [Option<&[u32; LINES]>; 2],
    ) {
        self.now = self.next;
        // turns a span of the grid, as a share of 2³²
        let turns = rate_hz * GRID_FRAMES as f64 / sample_rate_hz * 4_294_967_296.0;
        for (i, (phase, next)) in self.phases.iter_mut().zip(&mut self.next).enumerate() {
            *phase = phase.wrapping_add((turns * (1.0 + RATE_SPREAD * i as f64 / LINES as f64)) as u32);
            *next = depth_frames as f32 * sine(*phase);
        }
        self.moving = self.now != [0.0; LINES] || self.next != [0.0; LINES];
        if self.moving {
            for (taps, lines) in self.taps.iter_mut().zip(layouts) {
                let Some(lines) = lines else { continue };
                for (i, (tap, line)) in taps.iter_mut().zip(lines).enumerate() {
                    *tap = Tap::new(simd, &self.table, *line, self.now[i], self.next[i]);
                }
            }
        }
    }

    /// The ends of all lines, for a span that starts `phase` frames after the last point of the grid.
    #[inline(always)]
    pub fn read<S: Simd>(
        &self,
        simd: S,
        rings: &[Ring; LINES],
        layouts: [Option<&[u32; LINES]>; 2],
        share: &Lane,
        phase: usize,
        spans: &mut Spans,
    ) {
        let place: Lane = std::array::from_fn(|n| (phase + n) as f32 * (1.0 / GRID_FRAMES as f32));
        let mut from_next = [0.0; GRID_FRAMES];
        for (i, (span, ring)) in spans.iter_mut().zip(rings).enumerate() {
            for (which, lines) in layouts.into_iter().enumerate() {
                let Some(lines) = lines else { continue };
                let out = if which == 0 { &mut *span } else { &mut from_next };
                if self.moving {
                    self.taps[which][i].read(simd, ring, &place, out);
                } else {
                    *out = *ring.read(lines[i] as usize);
                }
                if which == 1 {
                    for h in [0, LINES] {
                        let (now, next) = (load(simd, span, h), load(simd, &from_next, h));
                        store(now + load(simd, share, h) * (next - now), span, h);
                    }
                }
            }
        }
    }
}

/// How much faster the fastest line moves than the slowest, as a share of its rate.
const RATE_SPREAD: f64 = 0.6;

/// What a line moves in a span that loses no treble worth the work: (ω d)²/6 of its power (the mean of 2 p (1 − p) (1 − cos ω d) over
/// the way p), 0.0002 dB at 8 kHz of 48 kHz; twice that, of which nothing is lost, 0.0008 dB. At the default rate and depth
/// lines move by up to 0.013.
const SLOW_FRAMES: f32 = 1.0 / 64.0;

impl Tap {
    /// Weights go in a straight line from one set to the other, which is shorter than the curve between them: treble would be
    /// lost where lines move fast. So the line is moved along by as much as makes its mean that of the curve, by Simpson's rule
    /// from its ends and its middle; from [`SLOW_FRAMES`] on, and from twice that wholly.
    #[inline(always)]
    fn new<S: Simd>(simd: S, table: &[Weights], line: u32, now: f32, next: f32) -> Self {
        let line = line as f32;
        let halfway = 0.5 * (now + next);
        // one set of frames for the whole span: those about its middle
        let whole = (line + halfway + 0.5) as u32 as f32;
        let start = interpolate(simd, table, line + now - whole);
        let end = interpolate(simd, table, line + next - whole);
        let mut bow = f32x16::splat(simd, 0.0);
        let share = ((next - now).abs() * (1.0 / SLOW_FRAMES) - 1.0).min(1.0);
        if share > 0.0 {
            let middle = interpolate(simd, table, line + halfway - whole);
            bow = (middle + middle - (start + end)) * (share / 3.0);
        }
        let mut tap = Tap { delay: whole as usize + TAPS / 2, ..Tap::default() };
        (start + bow).store_slice(&mut tap.start);
        (end - start).store_slice(&mut tap.change);
        tap
    }

    #[inline(always)]
    fn read<S: Simd>(&self, simd: S, ring: &Ring, place: &Lane, out: &mut Lane) {
        let samples = ring.read::<{ GRID_FRAMES + TAPS }>(self.delay);
        for h in [0, LINES] {
            let zero = f32x16::splat(simd, 0.0);
            let (mut start, mut change) = (zero, zero);
            for k in 0..TAPS {
                let x = f32x16::from_slice(simd, &samples[h + k..h + k + LINES]);
                start += f32x16::splat(simd, self.start[k]) * x;
                change += f32x16::splat(simd, self.change[k]) * x;
            }
            store(start + load(simd, place, h) * change, out, h);
        }
    }
}

/// The weights at `frames` of delay beyond the middle frame, between two rows of the table.
#[inline(always)]
fn interpolate<S: Simd>(simd: S, table: &[Weights], frames: f32) -> f32x16<S> {
    let at = (frames * STEPS as f32 + EDGE as f32).clamp(0.0, (ROWS - 2) as f32);
    let row = (at as usize).min(ROWS - 2);
    let rest = f32x16::splat(simd, at - row as f32);
    let (a, b) = (f32x16::from_slice(simd, &table[row]), f32x16::from_slice(simd, &table[row + 1]));
    a + rest * (b - a)
}

/// Weights for a delay of `frames` beyond that of the middle frame: a sinc under a Kaiser window (J. F. Kaiser, IEEE ISCAS
/// 1974), scaled to leave a constant alone; at whole frames that frame alone.
fn weights(frames: f64) -> Weights {
    // the first weight is that of the oldest frame, TAPS / 2 frames of delay beyond the middle one
    let distance = |k: usize| (TAPS / 2) as f64 - k as f64 - frames;
    if frames == frames.round() {
        return std::array::from_fn(|k| if distance(k) == 0.0 { 1.0 } else { 0.0 });
    }
    let taps: [f64; LINES] = std::array::from_fn(|k| {
        let (x, edge) = (math::PI * distance(k), distance(k) / HALF_WIDTH);
        if edge.abs() < 1.0 { math::sin(x) / x * bessel_i0(BETA * (1.0 - edge * edge).sqrt()) } else { 0.0 }
    });
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
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

/// A sine of a phase in turns of 2³², by two parabolas squared together; 0.1 % off, smooth, exactly zero at zero.
#[inline(always)]
fn sine(phase: u32) -> f32 {
    let x = (phase as i32) as f32 * (1.0 / 2_147_483_648.0);
    let parabola = 4.0 * x * (1.0 - x.abs());
    parabola + 0.225 * (parabola * parabola.abs() - parabola)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};

    /// Power gain of a tap at `radians` a frame, on the mean over the frames of its span.
    fn power(tap: &Tap, radians: f64) -> f64 {
        let at = |n: usize| {
            let (mut re, mut im) = (0.0, 0.0);
            for k in 0..TAPS {
                let weight = f64::from(tap.start[k]) + n as f64 / GRID_FRAMES as f64 * f64::from(tap.change[k]);
                let angle = radians * (tap.delay as f64 - k as f64);
                (re, im) = (re + weight * angle.cos(), im - weight * angle.sin());
            }
            re * re + im * im
        };
        (0..GRID_FRAMES).map(at).sum::<f64>() / GRID_FRAMES as f64
    }

    /// What a line that moves does to a decay: its gain in decibels, on the mean over all places between two frames, is within
    /// 0.0008 dB of 0 up to 8 kHz of 48 kHz. That is 0.9 % of what the smallest attenuation is there, of a room of 30 s at a size of
    /// 100 %. At rest and at the fastest that lines move. At rest no place gains more than 0.0025 dB anywhere.
    #[test]
    fn moving_lines_neither_lose_nor_gain() {
        let table = Modulation::new().table;
        for frames_a_span in [0.0f32, 0.02, 0.257] {
            for hz in (1..=240).map(|n| 100.0 * f64::from(n)) {
                let gain_db = |place: usize| {
                    let place = (place as f32 + 0.5) / 64.0;
                    let tap =
                        dispatch!(Level::new(), simd => Tap::new(simd, &table, 1000, place, place + frames_a_span));
                    10.0 * power(&tap, std::f64::consts::TAU * hz / 48_000.0).log10()
                };
                let gains: Vec<f64> = (0..64).map(gain_db).collect();
                let mean = gains.iter().sum::<f64>() / 64.0;
                assert!(hz > 8000.0 || mean.abs() < 0.0008, "{frames_a_span} a span, {hz} Hz: {mean} dB");
                let highest = gains.iter().fold(-9.0f64, |a, b| a.max(*b));
                assert!(frames_a_span > 0.0 || highest < 0.0025, "{frames_a_span} a span, {hz} Hz: {highest} dB");
            }
        }
    }
}
