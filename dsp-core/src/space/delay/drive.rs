//! Saturation in the loop.

use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::math;
use crate::ramp::Ramp;
use crate::saturation::model::REFERENCE_RMS;
use crate::saturation::oversampler::{Downsampler, Scratch, Upsampler, round_trip_samples};
use fearless_simd::Simd;
use fearless_simd_macros::simd;

/// y = x / √(1 + (k x)²), one of the family of D. Yeh, J. Abel, J. O. Smith (DAFx-07, eq. 3): of slope 1 at the origin
/// whatever k, so that the drive never changes how long quiet echoes last, and of the ceiling 1/k.
///
/// Against aliases it works at twice the rate on the mean of the curve between two samples (antiderivative antialiasing;
/// J. Parker, V. Zavalishin, E. Le Bivic, DAFx-16), for this curve (x₀ + x₁)/(√(1 + (k x₀)²) + √(1 + (k x₁)²)). Only what that adds to
/// the straight line goes through the filters: what is quiet keeps its bits and loses no treble, however often it goes round.
///
/// The filters' delay of [`Drive::latency_frames`] is taken off the head's; that comes in, and goes, with a crossfade.
#[derive(Clone, Debug)]
pub(super) struct Drive {
    up: Upsampler,
    down: Downsampler,
    scratch: Scratch,
    /// Of the filters' delay, and always fed.
    line: DelayLine,
    /// The last sample at twice the rate.
    last: f32,
    /// 0 off, 1 on; moves from point to point of the grid.
    share: Ramp,
    active: bool,
    fades: bool,
}

/// k at a drive in decibels: half of what the drive is over unity, so that 24 dB bend from −17 dBFS on; 0 at 0 dB, which is the
/// straight line.
pub(super) fn bend(drive_db: f64) -> f64 {
    0.5 * (math::db_to_gain(drive_db) - 1.0)
}

/// Behind the loop, what the curve takes from −18 dBFS is given back. Real-time safe.
#[inline(always)]
pub(super) fn make_up(k: f32) -> f32 {
    let bent = k * REFERENCE_RMS as f32;
    (1.0 + bent * bent).sqrt()
}

impl Drive {
    /// Off; fades for `fade_frames`, a multiple of the grid. May allocate.
    pub fn new(fade_frames: u32) -> Self {
        Drive {
            up: Upsampler::new(1),
            down: Downsampler::new(1),
            scratch: Scratch::new(),
            line: DelayLine::new(Self::latency_frames()),
            last: 0.0,
            share: Ramp::new(0.0, fade_frames),
            active: false,
            fades: false,
        }
    }

    /// Frames by which the sound comes later while the drive is on.
    pub fn latency_frames() -> usize {
        round_trip_samples(1) / 2
    }

    /// Switches on or off. To be called on the grid.
    pub fn set_on(&mut self, on: bool) {
        self.share.set_target(f64::from(u8::from(on)));
    }

    /// Forgets all audio; the switch is where it was put.
    pub fn reset(&mut self) {
        self.share.snap();
        self.line.reset();
        self.forget();
    }

    /// What happens on a point of the control grid.
    pub fn on_grid(&mut self) {
        self.fades = self.share.is_moving();
        let active = self.fades || self.share.target() > 0.0;
        if self.active && !active {
            self.forget();
        }
        self.active = active;
    }

    /// Bends the first `len` of `samples` in place, each by its k; at most up to the next point of the grid.
    #[simd]
    pub fn process<S: Simd>(&mut self, _: S, k: &[f32; GRID_FRAMES], samples: &mut [f32; GRID_FRAMES], len: usize) {
        let mut driven = *samples;
        self.line.process(&mut driven[..len]);
        if !self.active {
            return;
        }
        let (mut before, mut bent, mut added) = ([0.0; 2 * GRID_FRAMES], [0.0; 2 * GRID_FRAMES], [0.0; GRID_FRAMES]);
        self.up.process(&samples[..len], &mut bent[..2 * len], &mut self.scratch);
        before[0] = self.last;
        before[1..].copy_from_slice(&bent[..2 * GRID_FRAMES - 1]);
        self.last = bent[2 * len - 1];
        for n in 0..2 * GRID_FRAMES {
            let (x0, x1) = (before[n], bent[n]);
            let (v0, v1) = (k[n / 2] * x0, k[n / 2] * x1);
            let roots = (1.0 + v0 * v0).sqrt() + (1.0 + v1 * v1).sqrt();
            bent[n] = 0.5 * (x0 + x1) * (2.0 / roots - 1.0);
        }
        self.down.process(&bent[..2 * len], &mut added[..len], &mut self.scratch);
        for n in 0..GRID_FRAMES {
            driven[n] += added[n];
        }
        if self.fades {
            for n in 0..len {
                samples[n] += self.share.next_value() as f32 * (driven[n] - samples[n]);
            }
        } else {
            *samples = driven;
        }
    }

    fn forget(&mut self) {
        self.up.reset();
        self.down.reset();
        self.last = 0.0;
    }
}
