//! The low and the high cut in the loop.

use super::{Lanes, MAX_CUT_HZ, MIN_CUT_HZ};
use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x2};

/// How long a moved cut takes to arrive, in seconds.
const CUT_GLIDE_SECONDS: f64 = 0.1;

/// Two Butterworth sections of 12 dB an octave, in f64: neither has a gain over 1, so a loop that is stable without them is
/// stable with them. In the topology-preserving form (V. Zavalishin, The Art of VA Filter Design, 2018, ch. 4), while they
/// rest as the matrix that this is. A cut that leaves its end of the range, where it is off, is faded in.
#[derive(Clone, Debug)]
pub(super) struct Cuts<const CH: usize> {
    low: Cut,
    high: Cut,
    /// One of them moves in this span.
    moves: bool,
    /// By section, two integrators, then side.
    state: [[[f64; 2]; 2]; 2],
}

/// Where one cut is.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// log2 of hertz.
    octave: Ramp,
    /// 0 off, 1 on.
    share: Ramp,
    /// tan(π f / rate), and what it grows by from frame to frame.
    g: f64,
    step: f64,
    sample_rate_hz: f64,
}

impl<const CH: usize> Cuts<CH> {
    /// Off.
    pub fn new(sample_rate_hz: f64) -> Self {
        Cuts {
            low: Cut::new(MIN_CUT_HZ, sample_rate_hz),
            high: Cut::new(MAX_CUT_HZ, sample_rate_hz),
            moves: false,
            state: [[[0.0; 2]; 2]; 2],
        }
    }

    /// Moves the targets. To be called on the grid.
    pub fn set_targets(&mut self, low_hz: f64, high_hz: f64) {
        self.low.set_target(low_hz, low_hz > MIN_CUT_HZ);
        self.high.set_target(high_hz, high_hz < MAX_CUT_HZ);
    }

    /// Forgets all audio and arrives.
    pub fn reset(&mut self) {
        self.low.snap();
        self.high.snap();
        self.moves = false;
        self.state = [[[0.0; 2]; 2]; 2];
    }

    /// What happens on a point of the control grid: cuts glide, and quiet state falls silent.
    pub fn on_grid(&mut self) {
        let [low, high] = [self.low.on_grid(), self.high.on_grid()];
        self.moves = low || high;
        for (section, cut) in self.state.iter_mut().zip([&self.low, &self.high]) {
            for state in section.iter_mut().flatten() {
                *state = if cut.is_on() { math::flush(*state) } else { 0.0 };
            }
        }
    }

    /// Filters the first `len` frames in place, at most up to the next point of the grid.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, lanes: &mut Lanes<CH>, len: usize) {
        if self.moves {
            self.process_moving(lanes, len);
        } else {
            match (self.low.is_on(), self.high.is_on()) {
                (false, false) => {}
                (true, false) => self.process_resting::<S, true, false>(simd, lanes, len),
                (false, true) => self.process_resting::<S, false, true>(simd, lanes, len),
                (true, true) => self.process_resting::<S, true, true>(simd, lanes, len),
            }
        }
    }

    #[inline(always)]
    fn process_resting<S: Simd, const LOW: bool, const HIGH: bool>(
        &mut self,
        simd: S,
        lanes: &mut Lanes<CH>,
        len: usize,
    ) {
        let load = |state: &[f64; 2]| f64x2::from_slice(simd, state);
        let [mut low, mut high] = [0, 1].map(|s| [load(&self.state[s][0]), load(&self.state[s][1])]);
        let matrix = |numbers: [f64; 9]| numbers.map(|v| f64x2::splat(simd, v));
        let (low_cut, high_cut) = (matrix(self.low.low_cut()), matrix(self.high.high_cut()));
        for n in 0..len.min(GRID_FRAMES) {
            let mut x = f64x2::simd_from(simd, [f64::from(lanes[0][n]), f64::from(lanes[CH - 1][n])]);
            if LOW {
                x = tick(&low_cut, &mut low, x);
            }
            if HIGH {
                x = tick(&high_cut, &mut high, x);
            }
            let out = x.as_array();
            for (lane, out) in lanes.iter_mut().zip(out) {
                lane[n] = *out as f32;
            }
        }
        for (state, held) in self.state.iter_mut().flatten().zip(low.iter().chain(&high)) {
            held.store_slice(state);
        }
    }

    /// The same with coefficients of each frame's own.
    fn process_moving(&mut self, lanes: &mut Lanes<CH>, len: usize) {
        for n in 0..len.min(GRID_FRAMES) {
            let (low, low_share) = self.low.next_frame();
            let (high, high_share) = self.high.next_frame();
            for (c, lane) in lanes.iter_mut().enumerate() {
                let side = c.min(1);
                let x = f64::from(lane[n]);
                let (band, lowest) = step(&mut self.state[0], side, low, x);
                let x = x + low_share * (x - math::SQRT_2 * band - lowest - x);
                let (_, lowest) = step(&mut self.state[1], side, high, x);
                lane[n] = (x + high_share * (lowest - x)) as f32;
            }
        }
    }
}

/// One frame of a section whose rows are A's two with b, and c with d: what it puts out.
#[inline(always)]
fn tick<S: Simd>(m: &[f64x2<S>; 9], state: &mut [f64x2<S>; 2], x: f64x2<S>) -> f64x2<S> {
    let [s1, s2] = *state;
    *state = [(m[2] * x + m[0] * s1) + m[1] * s2, (m[5] * x + m[3] * s1) + m[4] * s2];
    (m[6] * x + m[7] * s1) + m[8] * s2
}

/// Band-pass and low-pass of a section.
#[inline(always)]
fn step(state: &mut [[f64; 2]; 2], side: usize, g: f64, x: f64) -> (f64, f64) {
    let a = 1.0 / (1.0 + g * (g + math::SQRT_2));
    let (s1, s2) = (state[0][side], state[1][side]);
    let band = a * (s1 + g * (x - s2));
    let low = s2 + g * band;
    state[0][side] = 2.0 * band - s1;
    state[1][side] = 2.0 * low - s2;
    (band, low)
}

impl Cut {
    fn new(hz: f64, sample_rate_hz: f64) -> Self {
        let seconds = |value, seconds: f64| {
            let spans = (seconds * sample_rate_hz / GRID_FRAMES as f64).ceil().max(1.0);
            Ramp::new(value, (spans * GRID_FRAMES as f64) as u32)
        };
        let octave = math::log2(hz);
        let mut cut = Cut {
            octave: seconds(octave, CUT_GLIDE_SECONDS),
            share: seconds(0.0, CUT_GLIDE_SECONDS),
            g: 0.0,
            step: 0.0,
            sample_rate_hz,
        };
        cut.g = cut.g_at(octave);
        cut
    }

    fn set_target(&mut self, hz: f64, on: bool) {
        let was_off = !self.is_on();
        self.octave.set_target(math::log2(hz));
        if was_off {
            self.octave.snap();
            self.g = self.g_at(self.octave.target());
        }
        self.share.set_target(f64::from(u8::from(on)));
    }

    fn snap(&mut self) {
        self.octave.snap();
        self.share.snap();
        self.step = 0.0;
        self.g = self.g_at(self.octave.target());
    }

    fn is_on(&self) -> bool {
        self.share.is_moving() || self.share.target() != 0.0
    }

    /// Whether it moves in the span to come.
    fn on_grid(&mut self) -> bool {
        self.g = self.g_at(self.octave.value());
        let glides = self.octave.is_moving();
        self.step = if glides {
            self.octave.advance(GRID_FRAMES);
            (self.g_at(self.octave.value()) - self.g) / GRID_FRAMES as f64
        } else {
            0.0
        };
        glides || self.share.is_moving()
    }

    /// g and the share of the next frame.
    fn next_frame(&mut self) -> (f64, f64) {
        let g = self.g;
        self.g += self.step;
        (g, self.share.next_value())
    }

    fn g_at(&self, octave: f64) -> f64 {
        // the bilinear transform puts the analogue frequency tan(π f / rate) at f
        math::tan(math::PI * (math::exp2(octave) / self.sample_rate_hz).min(0.45))
    }

    fn low_cut(&self) -> [f64; 9] {
        self.numbers(1.0, -math::SQRT_2, -1.0)
    }

    fn high_cut(&self) -> [f64; 9] {
        self.numbers(0.0, 0.0, 1.0)
    }

    /// The rows of `tick`, for these shares of input, band-pass and low-pass in the output.
    fn numbers(&self, input: f64, band: f64, low: f64) -> [f64; 9] {
        let g = self.g;
        let a1 = 1.0 / (1.0 + g * (g + math::SQRT_2));
        let (a2, a3) = (g * a1, g * g * a1);
        [
            2.0 * a1 - 1.0,
            -2.0 * a2,
            2.0 * a2,
            2.0 * a2,
            1.0 - 2.0 * a3,
            2.0 * a3,
            input + band * a2 + low * a3,
            band * a1 + low * a2,
            low * (1.0 - a3) - band * a2,
        ]
    }
}
