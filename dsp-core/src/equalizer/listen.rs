//! Solo: hear only what a band works on.

use crate::control_grid::GRID_FRAMES;
use crate::equalizer::design::Route;
use crate::equalizer::params::Shape;
use crate::filter::section::{Bilinear, Section};
use crate::math;
use crate::ramp::Ramp;

/// A filter that passes the region of a band, faded in and out at its *input*, so that it starts and ends without a
/// transient of its own.
#[derive(Clone, Copy, Debug)]
pub struct Listen<const CH: usize> {
    amount: Ramp,
    now: [f64; 6],
    step: [f64; 6],
    target: Section,
    shape: Shape,
    route: Route,
    state: [[f64; 2]; CH],
}

/// What a band works on.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// The band's shape.
    pub shape: Shape,
    /// Which signal it works on.
    pub route: Route,
    /// Its frequency in radians per sample.
    pub omega: f64,
    /// Its Q.
    pub q: f64,
}

impl Region {
    fn filter(&self) -> Section {
        let butterworth = 1.0 / math::SQRT_2;
        match self.shape {
            Shape::LowShelf | Shape::LowCut => Section::bilinear(Bilinear::LowPass, self.omega, butterworth),
            Shape::HighShelf | Shape::HighCut => Section::bilinear(Bilinear::HighPass, self.omega, butterworth),
            _ => Section::bilinear(Bilinear::BandPass, self.omega, self.q.clamp(0.35, 10.0)),
        }
    }
}

impl<const CH: usize> Listen<CH> {
    /// Silent, with fades of `fade_frames`.
    #[must_use]
    pub fn new(fade_frames: u32) -> Self {
        Listen {
            amount: Ramp::new(0.0, fade_frames),
            now: Section::WIRE.to_array(),
            step: [0.0; 6],
            target: Section::WIRE,
            shape: Shape::Bell,
            route: Route::Each,
            state: [[0.0; 2]; CH],
        }
    }

    /// Forgets all audio and arrives. `region` is what the band works on, `None` if it is not to be heard. Real-time safe.
    pub fn reset(&mut self, region: Option<Region>) {
        self.amount.snap_to(if region.is_some() { 1.0 } else { 0.0 });
        self.state = [[0.0; 2]; CH];
        if let Some(region) = region {
            self.latch(&region);
        }
        (self.now, self.step) = (self.target.to_array(), [0.0; 6]);
    }

    /// Whether anything is or may yet be heard. Real-time safe.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.amount.is_moving() || self.amount.target() != 0.0 || self.state.iter().flatten().any(|s| *s != 0.0)
    }

    /// The filter, as it will be at the next grid point. Real-time safe.
    #[must_use]
    pub fn section(&self) -> &Section {
        &self.target
    }

    /// At a grid point: goes, until the next, to that region, or fades out. Another shape or route is faded to through
    /// silence. Real-time safe.
    pub fn on_grid(&mut self, region: Option<Region>) {
        for s in self.state.iter_mut().flatten() {
            *s = math::flush(*s);
        }
        self.now = self.target.to_array();
        match region {
            Some(region) if self.shape == region.shape && self.route == region.route => {
                if self.is_active() {
                    self.target = region.filter();
                } else {
                    self.latch(&region);
                }
                self.amount.set_target(1.0);
            }
            Some(region) if self.amount.target() == 0.0 && !self.amount.is_moving() => {
                self.latch(&region);
                self.amount.set_target(1.0);
            }
            _ => self.amount.set_target(0.0),
        }
        for ((step, now), to) in self.step.iter_mut().zip(self.now).zip(self.target.to_array()) {
            *step = (to - now) / GRID_FRAMES as f64;
        }
    }

    fn latch(&mut self, region: &Region) {
        (self.shape, self.route, self.target) = (region.shape, region.route, region.filter());
        self.now = self.target.to_array();
        self.state = [[0.0; 2]; CH];
    }

    /// Filters `input`, a frame, and adds what is heard of it to `output`. Real-time safe.
    pub fn add(&mut self, input: &[f64; CH], output: &mut [f64; CH]) {
        let section = Section::from_array(self.now);
        for (now, step) in self.now.iter_mut().zip(self.step) {
            *now += step;
        }
        let amount = self.amount.next_value();
        match self.route {
            Route::Each => {
                for ((input, output), state) in input.iter().zip(output).zip(&mut self.state) {
                    *output += section.tick(state, amount * *input);
                }
            }
            Route::One(channel) => {
                let (Some(input), Some(output)) = (input.get(channel), output.get_mut(channel)) else { return };
                if let Some(state) = self.state.first_mut() {
                    *output += section.tick(state, amount * *input);
                }
            }
            Route::Mid | Route::Side => {
                let sign = if self.route == Route::Mid { 1.0 } else { -1.0 };
                if let ([left, right, ..], [out_left, out_right, ..], [state, ..]) =
                    (&input[..], &mut output[..], &mut self.state[..])
                {
                    let heard = section.tick(state, amount * 0.5 * (left + sign * right));
                    *out_left += heard;
                    *out_right += sign * heard;
                }
            }
        }
    }
}
