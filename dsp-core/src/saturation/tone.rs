//! A tilt that glides.

use super::emphasis::Shelf;
use super::saturator::{SATURATION_GLIDE_SECONDS, TONE_PIVOT_HZ};
use crate::control_grid::GRID_FRAMES;
use crate::ramp::Ramp;

/// A tilt that glides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    pub(super) ramp: Ramp,
    pub(super) sample_rate_hz: f64,
    pub(super) now: Shelf,
    pub(super) next: Shelf,
    pub(super) frame: usize,
}

impl Tone {
    pub(super) fn new(db: f64, sample_rate_hz: f64) -> Self {
        let shelf = Shelf::tilt(db, TONE_PIVOT_HZ, sample_rate_hz);
        let ramp = Ramp::with_seconds(db, SATURATION_GLIDE_SECONDS, sample_rate_hz);
        Tone { ramp, sample_rate_hz, now: shelf, next: shelf, frame: 0 }
    }

    pub(super) fn snap(&mut self) {
        self.ramp.snap();
        self.next = Shelf::tilt(self.ramp.value(), TONE_PIVOT_HZ, self.sample_rate_hz);
        self.now = self.next;
        self.frame = 0;
    }

    pub(super) fn on_grid(&mut self) {
        self.now = self.next;
        self.frame = 0;
        if self.ramp.is_moving() {
            self.ramp.advance(GRID_FRAMES);
            self.next = Shelf::tilt(self.ramp.value(), TONE_PIVOT_HZ, self.sample_rate_hz);
        }
    }

    pub(super) fn advance(&mut self, frames: usize) {
        self.frame += frames;
    }

    pub(super) fn span(&self) -> ToneSpan {
        ToneSpan { now: self.now, next: self.next, frame: self.frame, moving: self.now != self.next }
    }
}

/// A tone from some frame of the grid on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToneSpan {
    pub(super) now: Shelf,
    pub(super) next: Shelf,
    pub(super) frame: usize,
    pub(super) moving: bool,
}

impl ToneSpan {
    pub(super) fn shelf(&self, frame: usize) -> Shelf {
        if self.moving {
            self.now.toward(self.next, (self.frame + frame) as f64 / GRID_FRAMES as f64)
        } else {
            self.now
        }
    }
}
