//! What a file measures.

use dsp_core::math::gain_to_db;
use dsp_core::metering::loudness::LoudnessMeter;
use dsp_core::metering::true_peak::TruePeakMeter;
use dsp_core::processor::{PrepareError, StreamConfig};
use serde::Serialize;

/// The figures of a file; `None`, null in JSON, where something could not be measured: silence has no loudness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Greatest magnitude of a sample, dBFS.
    pub sample_peak_dbfs: Option<f64>,
    /// Greatest magnitude of the sound between its samples, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Integrated loudness, LUFS (ITU-R BS.1770-5).
    pub integrated_lufs: Option<f64>,
    /// Highest loudness of 400 ms, LUFS (EBU Tech 3341).
    pub momentary_max_lufs: Option<f64>,
    /// Highest loudness of 3 s, LUFS (EBU Tech 3341).
    pub short_term_max_lufs: Option<f64>,
    /// Loudness range, LU (EBU Tech 3342).
    pub loudness_range_lu: Option<f64>,
}

/// Loudness over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// The end of each hop, in seconds.
    pub seconds: Vec<f64>,
    /// Loudness of the 400 ms up to there, LUFS.
    pub momentary_lufs: Vec<Option<f64>>,
    /// Loudness of the 3 s up to there, LUFS.
    pub short_term_lufs: Vec<Option<f64>>,
}

/// Time from one point of a [`Course`] to the next, in seconds.
pub const HOP_SECONDS: f64 = 0.05;

/// Frames from one point of a [`Course`] to the next.
#[must_use]
pub fn hop_frames(sample_rate_hz: u32) -> usize {
    (HOP_SECONDS * f64::from(sample_rate_hz)).round() as usize
}

/// A measurement that goes on.
pub struct Measurement {
    loudness: LoudnessMeter<2>,
    true_peak: TruePeakMeter<2>,
    course: Course,
    rate_hz: f64,
    hop: usize,
    frames: usize,
}

impl Measurement {
    /// Nothing was heard yet.
    ///
    /// # Errors
    /// [`PrepareError`] for a sample rate that is not served.
    pub fn new(sample_rate_hz: u32) -> Result<Self, PrepareError> {
        let (hop, rate_hz) = (hop_frames(sample_rate_hz), f64::from(sample_rate_hz));
        let mut loudness = LoudnessMeter::<2>::new();
        loudness.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: hop })?;
        let (true_peak, course) = (TruePeakMeter::new(rate_hz), Course::default());
        Ok(Measurement { loudness, true_peak, course, rate_hz, hop, frames: 0 })
    }

    /// Hears the next frames, any number.
    pub fn hear(&mut self, [mut left, mut right]: [&[f32]; 2]) {
        while !left.is_empty() {
            let now = (self.hop - self.frames % self.hop).min(left.len());
            let block = [&left[..now], &right[..now]];
            self.loudness.process(block);
            self.true_peak.process(block);
            self.frames += now;
            if self.frames.is_multiple_of(self.hop) {
                self.mark();
            }
            (left, right) = (&left[now..], &right[now..]);
        }
    }

    /// The figures of all that was heard.
    #[must_use]
    pub fn finish(mut self) -> (Measured, Course) {
        if !self.frames.is_multiple_of(self.hop) {
            self.mark();
        }
        self.true_peak.finish();
        let reading = self.loudness.reading();
        let greatest = |peaks: [f64; 2]| Some(gain_to_db(peaks[0].max(peaks[1]))).filter(|db| db.is_finite());
        let measured = Measured {
            sample_peak_dbfs: greatest(self.loudness.sample_peak()),
            true_peak_dbtp: greatest(self.true_peak.held().map(f64::from)),
            integrated_lufs: reading.integrated_lufs.filter(|l| l.is_finite()),
            momentary_max_lufs: reading.momentary_max_lufs.filter(|l| l.is_finite()),
            short_term_max_lufs: reading.short_term_max_lufs.filter(|l| l.is_finite()),
            loudness_range_lu: reading.loudness_range_lu,
        };
        (measured, self.course)
    }

    /// A point of the course.
    fn mark(&mut self) {
        let reading = self.loudness.reading();
        self.course.seconds.push(self.frames as f64 / self.rate_hz);
        self.course.momentary_lufs.push(reading.momentary_lufs.filter(|l| l.is_finite()));
        self.course.short_term_lufs.push(reading.short_term_lufs.filter(|l| l.is_finite()));
    }
}
