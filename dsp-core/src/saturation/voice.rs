//! A model at work: what all channels share.

use super::emphasis::Shelf;
use super::gain_line::GainLine;
use super::model::{Model, Parts};
use super::saturator::{SATURATION_GLIDE_SECONDS, SaturationParams, output_gain};
use super::shaper::{MAX_CHUNK_SAMPLES, Workings};
use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// Gains of the frames of a span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpanGains {
    pub(super) drive: [f64; GRID_FRAMES],
    pub(super) inverse_drive: [f64; GRID_FRAMES],
    pub(super) gain: [f64; GRID_FRAMES],
    pub(super) bump: [f64; GRID_FRAMES],
    pub(super) blocking: [f64; GRID_FRAMES],
    pub(super) apart: [f64; GRID_FRAMES],
}

/// Drive and bias in the frames of a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpanDrive {
    pub(super) drive_db: [f64; GRID_FRAMES],
    pub(super) bias_percent: [f64; GRID_FRAMES],
}

/// A model at work.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    pub(super) model: Model,
    pub(super) parts: Parts,
    pub(super) emphasis: Shelf,
    pub(super) workings: Workings,
    pub(super) span: SpanGains,
    gain_db: Ramp,
    blocking: Ramp,
    /// Whether the workings still hold a glide.
    unsettled: bool,
    /// Gains go in with the audio and come out with it.
    gains: GainLine,
    stages: usize,
    sample_rate_hz: f64,
}

impl Voice {
    /// For a curve 2 to the power of `stages` times faster than the audio, `latency` frames late.
    pub(super) fn new(stages: usize, latency: usize, sample_rate_hz: f64) -> Self {
        let (model, parts) = (Model::default(), Model::default().parts());
        let ramp = || Ramp::with_seconds(0.0, SATURATION_GLIDE_SECONDS, sample_rate_hz);
        Voice {
            model,
            parts,
            emphasis: Shelf::FLAT,
            workings: Workings::new(parts.bias_at(0.0), 1.0),
            span: SpanGains::default(),
            gain_db: ramp(),
            blocking: ramp(),
            unsettled: false,
            gains: GainLine::new(latency),
            stages,
            sample_rate_hz,
        }
    }

    /// Becomes the model that is asked for, at once, with the drive and the bias as they are.
    pub(super) fn start(&mut self, params: &SaturationParams, drive_db: f64, bias_percent: f64) {
        self.model = params.model;
        self.parts = self.model.parts();
        self.emphasis = self.parts.shelf(self.sample_rate_hz);
        self.set_targets(params);
        self.gain_db.snap();
        self.blocking.snap();
        self.gains.fill(self.gain_db.value(), drive_db);
        self.settle(bias_percent);
    }

    pub(super) fn set_targets(&mut self, params: &SaturationParams) {
        let params = SaturationParams { model: self.model, ..*params };
        self.gain_db.set_target(math::gain_to_db(output_gain(&params)));
        let lopsided = self.parts.bias + self.parts.bias_range * params.bias_percent / 100.0 != 0.0;
        self.blocking.set_target(if lopsided { 1.0 } else { 0.0 });
    }

    pub(super) fn is_moving(&self) -> bool {
        self.gain_db.is_moving() || self.blocking.is_moving()
    }

    /// Whether it makes an offset, or has one yet to lose.
    pub(super) fn is_lopsided(&self) -> bool {
        self.blocking.is_moving() || self.blocking.target() != 0.0
    }

    /// Gains of the next `len` frames, and workings if drive or bias glide.
    pub(super) fn glide(&mut self, len: usize, drive: &SpanDrive, glides: bool) {
        let bump = math::db_to_gain(self.parts.bump_db) - 1.0;
        for frame in 0..len {
            let gains = self.gains.push(self.gain_db.next_value(), drive.drive_db[frame]);
            if glides {
                let bias = self.parts.bias_at(drive.bias_percent[frame]);
                let samples = frame << self.stages..(frame + 1) << self.stages;
                self.workings.fill(samples, bias, self.gains.newest_gains.apart);
                self.unsettled = true;
            }
            self.span.drive[frame] = self.gains.newest_drive;
            self.span.apart[frame] = gains.apart;
            self.span.gain[frame] = gains.gain;
            self.span.inverse_drive[frame] = gains.inverse_drive;
            self.span.bump[frame] = bump * gains.bump;
            self.span.blocking[frame] = self.blocking.next_value();
        }
        if self.unsettled && !glides {
            self.settle(drive.bias_percent[0]);
        }
    }

    /// Gains and workings that have settled, for spans of any length.
    pub(super) fn hold(&mut self, drive_db: f64, bias_percent: f64) {
        // the last push may have been one frame short of where the glide ended
        self.gains.push(self.gain_db.value(), drive_db);
        if self.unsettled {
            self.settle(bias_percent);
        }
        let gains = self.gains.newest_gains;
        self.span = SpanGains {
            drive: [self.gains.newest_drive; GRID_FRAMES],
            inverse_drive: [gains.inverse_drive; GRID_FRAMES],
            gain: [gains.gain; GRID_FRAMES],
            bump: [(math::db_to_gain(self.parts.bump_db) - 1.0) * gains.bump; GRID_FRAMES],
            blocking: [self.blocking.value(); GRID_FRAMES],
            apart: [gains.apart; GRID_FRAMES],
        };
    }

    /// What has been reached holds for chunks of any length.
    fn settle(&mut self, bias_percent: f64) {
        let bias = self.parts.bias_at(bias_percent);
        self.workings.fill(0..MAX_CHUNK_SAMPLES, bias, self.gains.newest_gains.apart);
        self.unsettled = false;
    }
}
