//! Pre-delay: whole frames, and a crossfade from one time to the next.

use super::ring::Ring;
use super::vectors::{HALVES, load, store};
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::ramp::Ramp;
use fearless_simd::Simd;

/// Delays both sides.
#[derive(Clone, Debug)]
pub(super) struct PreDelay {
    rings: [Ring; 2],
    target: usize,
    now: usize,
    next: usize,
    /// From `now`, 0, to `next`, 1.
    fade: Ramp,
}

impl PreDelay {
    /// Silent. May allocate.
    pub fn new(longest_frames: usize, fade_seconds: f64, sample_rate_hz: f64) -> Self {
        PreDelay {
            rings: std::array::from_fn(|_| Ring::new(longest_frames)),
            target: 0,
            now: 0,
            next: 0,
            fade: Ramp::with_seconds(0.0, fade_seconds, sample_rate_hz),
        }
    }

    /// Asks for another time.
    pub fn set_frames(&mut self, frames: usize) {
        self.target = frames.min(self.rings[0].longest_frames());
    }

    /// Forgets all audio.
    pub fn forget(&mut self) {
        self.rings.iter_mut().for_each(Ring::forget);
    }

    /// The time is what was asked for.
    pub fn snap(&mut self) {
        (self.now, self.next) = (self.target, self.target);
        self.fade.snap_to(0.0);
    }

    /// On the control grid: a fade that has arrived ends, another time comes in.
    pub fn on_grid(&mut self) {
        if self.fade.is_moving() {
            return;
        }
        self.now = self.next;
        self.fade.snap_to(0.0);
        if self.target != self.now {
            self.next = self.target;
            self.fade.set_target(1.0);
        }
    }

    /// Frames until the output is silent after the input has been.
    pub fn tail_frames(&self) -> usize {
        self.now.max(self.next).max(self.target)
    }

    /// Delays a span of `len` frames in place.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, lanes: &mut [Lane; 2], len: usize) {
        let mut share = [0.0; GRID_FRAMES];
        let fading = self.next != self.now;
        if fading {
            share.iter_mut().take(len).for_each(|share| *share = self.fade.next_value() as f32);
        }
        for (ring, lane) in self.rings.iter_mut().zip(lanes) {
            ring.write(lane, len);
            if fading {
                let (now, next) = (*ring.read(self.now), *ring.read(self.next));
                for h in HALVES {
                    let (now, next) = (load(simd, &now, h), load(simd, &next, h));
                    store(now + load(simd, &share, h) * (next - now), lane, h);
                }
            } else {
                *lane = *ring.read(self.now);
            }
            ring.advance(len);
        }
    }
}
