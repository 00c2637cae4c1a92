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
const TAPS: usize = 8;
/// Half the width of its window, in frames: of eight taps at least seven are in it, wherever the point lies from a quarter
/// of a frame before the taps' middle frame to one and a quarter after it, and no tap comes in but at zero.
const HALF_WIDTH: f64 = 3.75;
/// Kaiser's β. Measured: at most 0.0005 dB off at 1 kHz of 48 kHz, 0.009 dB to 8 kHz, 0.064 at 11.3 kHz, and never over
/// 1, so that a line that is read a thousand times gains nothing.
const BETA: f64 = 7.0;
/// The largest gain of the window's sinc at any frequency and place, measured: 0.00074 dB.
const LARGEST_GAIN: f64 = 1.000_09;
/// Steps of the table to a frame.
const STEPS: usize = 128;
/// A quarter of a frame before the first and after the last step of a whole frame.
const EDGE: usize = STEPS / 4;
/// Rows of the table.
const ROWS: usize = STEPS + 2 * EDGE + 2;

/// Eight weights, the first of the oldest frame.
type Weights = [f32; TAPS];

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
    pub fn on_grid(
        &mut self,
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
                    *tap = Tap::new(&self.table, *line, self.now[i], self.next[i]);
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

impl Tap {
    #[inline(always)]
    fn new(table: &[Weights], line: u32, now: f32, next: f32) -> Self {
        let line = line as f32;
        // one set of frames for the whole span: those about its middle
        let whole = (line + 0.5 * (now + next)) as u32 as f32;
        let start = interpolate(table, line + now - whole);
        let end = interpolate(table, line + next - whole);
        let change = std::array::from_fn(|k| end[k] - start[k]);
        Tap { delay: whole as usize + TAPS / 2, start, change }
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

/// The weights at `frames` of delay beyond the middle frame, −¼ to 1¼, between two rows of the table.
#[inline(always)]
fn interpolate(table: &[Weights], frames: f32) -> Weights {
    let at = ((frames + 0.25) * STEPS as f32).clamp(0.0, (ROWS - 2) as f32);
    let row = (at as usize).min(ROWS - 2);
    let rest = at - row as f32;
    let (a, b) = (&table[row], &table[row + 1]);
    std::array::from_fn(|k| a[k] + rest * (b[k] - a[k]))
}

/// Weights for a delay of `frames` beyond that of the middle frame: a sinc under a Kaiser window (J. F. Kaiser, IEEE ISCAS
/// 1974), scaled to leave a constant alone but for [`LARGEST_GAIN`]; at whole frames that frame alone.
fn weights(frames: f64) -> Weights {
    // the first weight is that of the oldest frame, TAPS / 2 frames of delay beyond the middle one
    let distance = |k: usize| (TAPS / 2) as f64 - k as f64 - frames;
    if frames == frames.round() {
        return std::array::from_fn(|k| if distance(k) == 0.0 { 1.0 } else { 0.0 });
    }
    let taps: [f64; TAPS] = std::array::from_fn(|k| {
        let (x, edge) = (math::PI * distance(k), distance(k) / HALF_WIDTH);
        if edge.abs() < 1.0 { math::sin(x) / x * bessel_i0(BETA * (1.0 - edge * edge).sqrt()) } else { 0.0 }
    });
    let scale = LARGEST_GAIN * taps.iter().sum::<f64>();
    std::array::from_fn(|k| (taps[k] / scale) as f32)
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
