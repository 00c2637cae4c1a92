//! Linkwitz-Riley crossovers of 24 dB an octave for one to six bands, whose sum is flat.
//!
//! A crossover of this kind (S. Linkwitz, JAES 24(1), 1976) is a Butterworth low-pass of second order twice, and the
//! high-pass likewise; both are 6 dB down and in phase at the frequency, and add up to the all-pass
//! A(s) = (s² − √2 s + 1)/(s² + √2 s + 1). Crossovers come one after the other, from the lowest up: each parts what the
//! one before it has left over, and turns the bands below by its own A, so that all bands keep in step and their sum is
//! A₁ A₂ …: flat, to the roundings of f64. (J. D'Appolito, "Active realization of multiway all-pass crossover systems",
//! JAES 35(4), 1987.)
//!
//! The sections are state-variable filters with trapezoidal integrators (V. Zavalishin, The Art of VA Filter Design,
//! 2018, ch. 4), whose frequency may move with every frame. Two pairs of channels fill a vector: the bands below and what
//! is left over side by side, then the low-pass and the high-pass.

use crate::control_grid::GRID_FRAMES;
use crate::filter::complex::Complex;
use crate::math;
use crate::ramp::Ramp;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x2, f64x4};

/// The most bands.
pub const MAX_BANDS: usize = 6;
/// The most crossovers.
pub const MAX_CROSSOVERS: usize = MAX_BANDS - 1;
/// How long a moved crossover takes to arrive, in seconds.
pub const GLIDE_SECONDS: f64 = 0.1;
/// How long a crossover takes to come and go at the top of the spectrum, in seconds.
pub const FADE_SECONDS: f64 = 0.02;
/// The highest crossover, in sample rates. Here a band comes and goes.
pub const TOP: f64 = 0.49;

/// Frames of both channels (the second is 0 in mono), with room for two frames more.
pub type Pairs = [[f64; 2]; GRID_FRAMES + 2];

/// Parts one or two channels into bands.
///
/// A band is added and taken away at the top of the spectrum: its crossover glides down from there, or up to it and out.
/// So nothing is ever faded between two phases, which would leave a hole at the crossover.
#[derive(Clone, Debug)]
pub struct Crossover {
    sample_rate_hz: f64,
    stages: [Stage; MAX_CROSSOVERS],
    /// Crossovers that are asked for …
    wanted: usize,
    /// … and those at work, among them some on their way out.
    running: usize,
    /// Some coefficient or share moves.
    moving: bool,
}

/// One crossover: what it does to the bands below it, and how it parts the rest.
#[derive(Clone, Debug)]
struct Stage {
    /// log2 of the frequency in hertz, at the next point of the grid.
    octave: Ramp,
    /// How far it is in the way: 0 passes everything by.
    share: Ramp,
    /// tan(π f / rate), and what it is multiplied by from frame to frame.
    g: f64,
    ratio: f64,
    /// Band-pass and low-pass states of the first sections: bands below in their order, then the rest, by twos.
    first: [[[f64; 4]; 2]; FIRST],
    /// Of the second sections: low-pass, then high-pass.
    second: [[f64; 4]; 2],
}

/// Vectors of first sections in the last crossover.
const FIRST: usize = MAX_CROSSOVERS.div_ceil(2);

impl Crossover {
    /// At rest: crossovers at `frequencies_hz`, of which the first `bands` − 1 are in use. Real-time safe.
    #[must_use]
    pub fn new(frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize, sample_rate_hz: f64) -> Self {
        let stage = Stage {
            octave: Ramp::with_seconds(0.0, GLIDE_SECONDS, sample_rate_hz),
            share: Ramp::with_seconds(0.0, FADE_SECONDS, sample_rate_hz),
            g: 1.0,
            ratio: 1.0,
            first: [[[0.0; 4]; 2]; FIRST],
            second: [[0.0; 4]; 2],
        };
        let stages = std::array::from_fn(|_| stage.clone());
        let mut crossover = Crossover { sample_rate_hz, stages, wanted: 0, running: 0, moving: false };
        crossover.set_targets(frequencies_hz, bands);
        crossover.reset();
        crossover
    }

    /// Moves to these frequencies, in hertz, and to this many bands, 1 to [`MAX_BANDS`]. A crossover that is set below the
    /// one before it stands where that one stands. Real-time safe.
    pub fn set_targets(&mut self, frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize) {
        self.wanted = bands.clamp(1, MAX_BANDS) - 1;
        let top = self.top_octave();
        let mut least = f64::MIN;
        for (index, (stage, hz)) in self.stages.iter_mut().zip(frequencies_hz).enumerate() {
            let octave = math::log2(*hz).min(top).max(least);
            least = octave;
            if index < self.wanted {
                if index >= self.running {
                    stage.forget();
                    stage.octave.snap_to(top);
                    stage.share.snap_to(0.0);
                    stage.arrive(self.sample_rate_hz);
                }
                stage.octave.set_target(octave);
                stage.share.set_target(1.0);
            } else {
                stage.octave.set_target(top);
            }
        }
        self.running = self.running.max(self.wanted);
        self.moving = true;
    }

    /// Bands in use, those on their way out included. Real-time safe.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.running + 1
    }

    /// Forgets all audio and arrives at once. Real-time safe.
    pub fn reset(&mut self) {
        self.running = self.wanted;
        for (index, stage) in self.stages.iter_mut().enumerate() {
            stage.octave.snap();
            stage.share.snap_to(if index < self.wanted { 1.0 } else { 0.0 });
            stage.arrive(self.sample_rate_hz);
            stage.forget();
        }
        self.moving = false;
    }

    /// Forgets all audio; glides go on. Real-time safe.
    pub fn forget(&mut self) {
        self.stages.iter_mut().for_each(Stage::forget);
    }

    /// What happens on a point of the control grid: frequencies glide, and quiet state falls silent. Real-time safe.
    pub fn on_grid(&mut self) {
        let top = self.top_octave();
        let rate = self.sample_rate_hz;
        if self.moving {
            self.moving = false;
            for (index, stage) in self.stages.iter_mut().enumerate().take(self.running) {
                if index >= self.wanted && !stage.octave.is_moving() && stage.octave.target() == top {
                    stage.share.set_target(0.0);
                }
                stage.arrive(rate);
                if stage.octave.is_moving() {
                    stage.octave.advance(GRID_FRAMES);
                    stage.ratio = math::exp(math::ln(warp(stage.octave.value(), rate) / stage.g) / GRID_FRAMES as f64);
                }
                self.moving |= stage.ratio != 1.0 || stage.octave.is_moving() || stage.share.is_moving();
            }
            while self.running > self.wanted {
                let share = &self.stages[self.running - 1].share;
                if share.is_moving() || share.target() != 0.0 {
                    break;
                }
                self.running -= 1;
            }
        }
        for stage in self.stages.iter_mut().take(self.running) {
            let states = stage.first.iter_mut().chain([&mut stage.second]);
            states.flatten().flatten().for_each(|s| *s = math::flush(*s));
        }
    }

    /// Parts `frames` frames, no further than to the next point of the grid, into [`Crossover::bands`] bands; what lies
    /// behind them, and the bands that are not in use, stay as they are. Real-time safe.
    pub fn process(&mut self, level: Level, input: &Pairs, bands: &mut [Pairs; MAX_BANDS], frames: usize) {
        dispatch!(level, simd => match (self.running, self.moving) {
            (0, _) => bands[0][..frames].copy_from_slice(&input[..frames]),
            (1, false) => self.run::<_, 1, false>(simd, input, bands, frames),
            (2, false) => self.run::<_, 2, false>(simd, input, bands, frames),
            (3, false) => self.run::<_, 3, false>(simd, input, bands, frames),
            (4, false) => self.run::<_, 4, false>(simd, input, bands, frames),
            (_, false) => self.run::<_, 5, false>(simd, input, bands, frames),
            // crossovers that are not in use pass everything by
            (_, true) => self.run::<_, 5, true>(simd, input, bands, frames),
        });
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // loops over stages and vectors are to be unrolled
    fn run<S: Simd, const N: usize, const MOVING: bool>(
        &mut self,
        simd: S,
        input: &Pairs,
        bands: &mut [Pairs; MAX_BANDS],
        frames: usize,
    ) {
        let zero = f64x4::splat(simd, 0.0);
        let (half, half_k) = (f64x4::splat(simd, 0.5), f64x4::splat(simd, 0.5 * DAMPING));
        let mut path = [[[0.0; GRID_FRAMES]; 4]; N];
        let mut first = [[[zero; 2]; FIRST]; N];
        let mut second = [[zero; 2]; N];
        let mut still = [[zero; 3]; N];
        for j in 0..N {
            let stage = &mut self.stages[j];
            if MOVING {
                for n in 0..frames.min(GRID_FRAMES) {
                    let [keep, cross, rise] = coefficients(stage.g);
                    stage.g *= stage.ratio;
                    let share = stage.share.next_value();
                    for (line, value) in path[j].iter_mut().zip([keep, cross, rise, share]) {
                        line[n] = value;
                    }
                }
            }
            still[j] = coefficients(stage.g).map(|c| f64x4::splat(simd, c));
            for v in 0..=j / 2 {
                first[j][v] = stage.first[v].each_ref().map(|s| f64x4::from_slice(simd, s));
            }
            second[j] = stage.second.each_ref().map(|s| f64x4::from_slice(simd, s));
        }
        for n in 0..frames.min(GRID_FRAMES) {
            let mut rest = f64x2::from_slice(simd, &input[n]);
            let mut below = [rest; MAX_CROSSOVERS];
            for j in 0..N {
                let [keep, cross, rise] =
                    if MOVING { [0, 1, 2].map(|c| f64x4::splat(simd, path[j][c][n])) } else { still[j] };
                let share = if MOVING { f64x2::splat(simd, path[j][3][n]) } else { rest };
                let past = |share: f64x2<S>, before: f64x2<S>, after: f64x2<S>| (1.0 - share) * before + share * after;
                let mut parted = zero;
                for v in 0..=j / 2 {
                    // the last vector holds the rest: behind the last band below, or twice
                    let left = if 2 * v < j { below[2 * v] } else { rest };
                    let right = if 2 * v + 1 < j { below[2 * v + 1] } else { rest };
                    let x = simd.combine_f64x2(left, right);
                    let [band, low] = tick(&mut first[j][v], x, [keep, cross, rise]);
                    if 2 * v < j {
                        let turned = simd.split_f64x4(x - DAMPING * band);
                        below[2 * v] = if MOVING { past(share, left, turned.0) } else { turned.0 };
                        if 2 * v + 1 < j {
                            below[2 * v + 1] = if MOVING { past(share, right, turned.1) } else { turned.1 };
                        }
                    }
                    if v == j / 2 {
                        let (low, high) = (low * half, x - half_k * band - low * half);
                        let low = simd.split_f64x4(low);
                        let low = if 2 * v < j { low.1 } else { low.0 };
                        parted = simd.combine_f64x2(low, simd.split_f64x4(high).1);
                    }
                }
                let [band, low] = tick(&mut second[j], parted, [keep, cross, rise]);
                let high = simd.split_f64x4(parted - half_k * band - low * half).1;
                let low = simd.split_f64x4(low * half).0;
                let band = if MOVING { past(share, rest, low) } else { low };
                rest = if MOVING { share * high } else { high };
                if j + 1 < N {
                    below[j] = band;
                } else {
                    for b in 0..j {
                        below[b].store_slice(&mut bands[b][n]);
                    }
                    band.store_slice(&mut bands[j][n]);
                    rest.store_slice(&mut bands[j + 1][n]);
                }
            }
        }
        for j in 0..N {
            for v in 0..=j / 2 {
                for (kept, state) in self.stages[j].first[v].iter_mut().zip(first[j][v]) {
                    state.store_slice(kept);
                }
            }
            for (kept, state) in self.stages[j].second.iter_mut().zip(second[j]) {
                state.store_slice(kept);
            }
        }
    }

    /// Gain and phase of each band at `frequency_hz`, as the crossovers stand now; 0 for bands that are not in use. Exact.
    /// Real-time safe.
    #[must_use]
    pub fn response(&self, frequency_hz: f64) -> [Complex; MAX_BANDS] {
        let mut bands = [Complex::ZERO; MAX_BANDS];
        let mut rest = Complex::ONE;
        for (j, stage) in self.stages.iter().enumerate().take(self.running) {
            let w = math::tan(math::PI * (frequency_hz / self.sample_rate_hz).clamp(0.0, 0.499_999)) / stage.g;
            let share = stage.share.value();
            let past = |before: Complex, after: Complex| before.scale(1.0 - share) + after.scale(share);
            let real = 1.0 - w * w;
            let over = Complex { re: real, im: DAMPING * w }.recip();
            let turn = Complex { re: real, im: -DAMPING * w } * over;
            let (low, high) = (over * over, (over * over).scale(w * w * w * w));
            for band in bands.iter_mut().take(j) {
                *band = past(*band, *band * turn);
            }
            bands[j] = past(rest, rest * low);
            rest = (rest * high).scale(share);
        }
        bands[self.running] = rest;
        bands
    }

    /// Frames until all bands are silent after their input has been: from the loudest, 10^10, to 10⁻³⁰ a double pole takes
    /// 92 nepers, and 10 more for the t of its t e^(−t). Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        let stages = self.stages.iter().take(self.running);
        stages
            .map(|stage| {
                // of where it is and where it goes, whichever rings longer
                [stage.octave.value(), stage.octave.target(), self.top_octave()]
                    .iter()
                    .map(|octave| {
                        let g = warp(*octave, self.sample_rate_hz);
                        let power = (1.0 + g * (g - DAMPING)) / (1.0 + g * (g + DAMPING));
                        (2.0 * 102.0 / -math::ln(power)).ceil() as usize + 2 * GRID_FRAMES
                    })
                    .fold(0, usize::max)
            })
            .sum()
    }

    fn top_octave(&self) -> f64 {
        math::log2(TOP * self.sample_rate_hz)
    }
}

impl Stage {
    /// Stands where the glide is.
    fn arrive(&mut self, sample_rate_hz: f64) {
        self.g = warp(self.octave.value(), sample_rate_hz);
        self.ratio = 1.0;
    }

    fn forget(&mut self) {
        (self.first, self.second) = ([[[0.0; 4]; 2]; FIRST], [[0.0; 4]; 2]);
    }
}

/// 1/Q of a Butterworth section.
const DAMPING: f64 = math::SQRT_2;

/// tan(π f / rate): the bilinear transform puts this analogue frequency at f.
fn warp(octave: f64, sample_rate_hz: f64) -> f64 {
    math::tan(math::PI * (math::exp2(octave) / sample_rate_hz).min(TOP))
}

/// With a = 1/(1 + g (g + k)): 2a − 1, 2ga and 2g²a, of which the states take s₁ ← (2a − 1) s₁ + 2ga e and
/// s₂ ← s₂ + 2ga s₁ + 2g²a e, e = x − s₂.
#[inline(always)]
fn coefficients(g: f64) -> [f64; 3] {
    let a2 = 2.0 / (1.0 + g * (g + DAMPING));
    [a2 - 1.0, g * a2, g * g * a2]
}

/// One frame of four sections: twice the band-pass and twice the low-pass, each the mean of a state before and after.
#[inline(always)]
fn tick<S: Simd>(state: &mut [f64x4<S>; 2], x: f64x4<S>, [keep, cross, rise]: [f64x4<S>; 3]) -> [f64x4<S>; 2] {
    let [band, low] = *state;
    let e = x - low;
    *state = [keep * band + cross * e, low + (cross * band + rise * e)];
    [band + state[0], low + state[1]]
}
