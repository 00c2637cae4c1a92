//! What a page shows of one file, taken in one pass whatever its length.

use super::spectrum::Spectrum;
use crate::fault::{Fault, Result};
use crate::measurement::{Course, Measured, Measurement};
use crate::stem::Stem;

/// A file as the report shows it.
pub struct Portrait {
    /// Its figures.
    pub measured: Measured,
    /// Its loudness over time.
    pub course: Course,
    /// Its length in seconds.
    pub(super) seconds: f64,
    /// The lowest and the highest sample of each column of its waveform, left and right.
    pub(super) columns: [Vec<(f32, f32)>; 2],
    /// Its long-term spectrum: hertz and decibels.
    pub(super) spectrum: Vec<(f64, f64)>,
}

/// Columns of a waveform.
const COLUMNS: u64 = 920;
/// Frames that are read at a time.
const BLOCK_FRAMES: u64 = 1 << 14;

impl Portrait {
    /// Reads all of `source`.
    ///
    /// # Errors
    /// A source that cannot be read to its end, a rate that is not served.
    pub fn of(source: &Stem, sample_rate_hz: u32) -> Result<Self> {
        let mut measurement = Measurement::new(sample_rate_hz).map_err(|e| Fault {
            place: "report".to_owned(),
            what: e.to_string(),
            cure: "convert the file".to_owned(),
        })?;
        let mut spectrum = Spectrum::new(sample_rate_hz);
        let frames = source.frames();
        let per_column = frames.div_ceil(COLUMNS).max(1);
        let mut columns = [vec![], vec![]];
        let mut reader = source.reader()?;
        let mut block = [vec![], vec![]];
        let mut at = 0;
        while at < frames {
            let now = (frames - at).min(BLOCK_FRAMES) as usize;
            block.iter_mut().for_each(|c: &mut Vec<f32>| c.resize(now, 0.0));
            let [left, right] = &mut block;
            reader.read([left, right])?;
            measurement.hear([left, right]);
            spectrum.hear([left, right]);
            for (columns, channel) in columns.iter_mut().zip(&block) {
                for (frame, sample) in (at..).zip(channel) {
                    if frame.is_multiple_of(per_column) {
                        columns.push((0.0, 0.0));
                    }
                    if let Some((low, high)) = columns.last_mut() {
                        *low = sample.min(*low);
                        *high = sample.max(*high);
                    }
                }
            }
            at += now as u64;
        }
        let (measured, course) = measurement.finish();
        let seconds = frames as f64 / f64::from(sample_rate_hz);
        Ok(Portrait { measured, course, seconds, columns, spectrum: spectrum.average() })
    }
}
