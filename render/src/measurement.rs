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

/// Measures stereo audio.
///
/// # Errors
/// [`PrepareError`] for a sample rate that is not served.
pub fn measure(audio: &[Vec<f32>; 2], sample_rate_hz: u32) -> Result<(Measured, Course), PrepareError> {
    let hop = hop_frames(sample_rate_hz);
    let rate_hz = f64::from(sample_rate_hz);
    let mut loudness = LoudnessMeter::<2>::new();
    loudness.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: hop })?;
    let mut true_peak = TruePeakMeter::<2>::new(rate_hz);
    let mut course = Course::default();
    let [left, right] = audio;
    let mut at = 0;
    for (left, right) in left.chunks(hop).zip(right.chunks(hop)) {
        loudness.process([left, right]);
        true_peak.process([left, right]);
        at += left.len();
        let reading = loudness.reading();
        course.seconds.push(at as f64 / rate_hz);
        course.momentary_lufs.push(reading.momentary_lufs.filter(|l| l.is_finite()));
        course.short_term_lufs.push(reading.short_term_lufs.filter(|l| l.is_finite()));
    }
    true_peak.finish();
    let reading = loudness.reading();
    let greatest = |peaks: [f64; 2]| Some(gain_to_db(peaks[0].max(peaks[1]))).filter(|db| db.is_finite());
    let measured = Measured {
        sample_peak_dbfs: greatest(loudness.sample_peak()),
        true_peak_dbtp: greatest(true_peak.held().map(f64::from)),
        integrated_lufs: reading.integrated_lufs.filter(|l| l.is_finite()),
        momentary_max_lufs: reading.momentary_max_lufs.filter(|l| l.is_finite()),
        short_term_max_lufs: reading.short_term_max_lufs.filter(|l| l.is_finite()),
        loudness_range_lu: reading.loudness_range_lu,
    };
    Ok((measured, course))
}
