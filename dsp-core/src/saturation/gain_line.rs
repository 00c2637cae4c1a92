//! Drive, and the gains that follow from it.

use crate::math;

/// What goes into the curve for each 1 of input: √(10^(drive/10) − 1). From 6 dB on it is the drive in decibels within
/// 1.3 dB, from 12 dB on within 0.3; at 0 dB it is 0. So distortion of third order, which grows as the square, begins with
/// the drive, and the stage becomes the identity without a step. Real-time safe.
#[must_use]
pub fn curve_drive(drive_db: f64) -> f64 {
    (math::exp(drive_db * (math::LN_10 / 10.0)) - 1.0).max(0.0).sqrt()
}

/// How much of the input reaches the output without oversampling: all of it at no drive, ever less as it grows. So what
/// the filters take from the bent part at the top of the band (over 20 kHz) is always under what the curve leaves of it.
pub(super) fn apart(drive: f64) -> f64 {
    1.0 / (1.0 + drive * drive)
}

/// Delays gains as the oversampler delays the audio that they belong to.
#[derive(Clone, Debug)]
pub(super) struct GainLine {
    pub(super) ring: Vec<Gains>,
    pub(super) at: usize,
    pub(super) newest: (f64, f64),
    pub(super) newest_gains: Gains,
    pub(super) newest_drive: f64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gains {
    pub(super) gain: f64,
    pub(super) inverse_drive: f64,
    pub(super) apart: f64,
    /// 0 without drive, 1 at the most.
    pub(super) bump: f64,
}

impl GainLine {
    pub(super) fn new(frames: usize) -> Self {
        GainLine {
            ring: vec![Gains::default(); frames],
            at: 0,
            newest: (f64::NAN, f64::NAN),
            newest_gains: Gains::default(),
            newest_drive: 0.0,
        }
    }

    pub(super) fn fill(&mut self, gain_db: f64, drive_db: f64) {
        self.at = 0;
        self.set(gain_db, drive_db);
        self.ring.fill(self.newest_gains);
    }

    pub(super) fn set(&mut self, gain_db: f64, drive_db: f64) {
        let drive = curve_drive(drive_db);
        self.newest = (gain_db, drive_db);
        self.newest_drive = drive;
        self.newest_gains = Gains {
            gain: math::db_to_gain(gain_db),
            // without drive there is no residual to scale
            inverse_drive: if drive > 1e-9 { 1.0 / drive } else { 0.0 },
            apart: apart(drive),
            bump: drive * drive / (1.0 + drive * drive),
        };
    }

    pub(super) fn push(&mut self, gain_db: f64, drive_db: f64) -> Gains {
        if self.newest != (gain_db, drive_db) {
            self.set(gain_db, drive_db);
        }
        let frames = self.ring.len();
        let Some(place) = self.ring.get_mut(self.at) else { return self.newest_gains };
        self.at = if self.at + 1 == frames { 0 } else { self.at + 1 };
        std::mem::replace(place, self.newest_gains)
    }
}
