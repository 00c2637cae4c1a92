//! Audio into files, a few frames at a time.

use super::flac::FlacFile;
use super::labels::Labels;
use super::wav::WavFile;
use crate::beside::Beside;
use crate::fault::Result;
use std::path::Path;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// WAV or FLAC.
    pub container: Container,
    /// How samples are held.
    pub sample: SampleFormat,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// Channels, 1 or 2.
    pub channels: u16,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// WAV with the broadcast extension; RF64 where it is over 4 GB.
    Wav,
    /// FLAC; integers only.
    Flac,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// 32-bit float.
    Float32,
    /// 24-bit integer, rounded to the nearest step.
    Int24,
    /// 16-bit integer, rounded to the nearest step.
    Int16,
}

impl SampleFormat {
    /// Bits of a sample.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            SampleFormat::Float32 => 32,
            SampleFormat::Int24 => 24,
            SampleFormat::Int16 => 16,
        }
    }

    /// The sample as this format holds it: the nearest step, or the bits of the float. What is over full scale becomes
    /// the highest step.
    #[must_use]
    pub fn encode(self, sample: f32) -> i32 {
        match self {
            SampleFormat::Float32 => sample.to_bits().cast_signed(),
            SampleFormat::Int24 | SampleFormat::Int16 => {
                let steps = f64::from(1u32 << (self.bits() - 1));
                (f64::from(sample) * steps).round().clamp(-steps, steps - 1.0) as i32
            }
        }
    }
}

/// The loudness fields of a broadcast WAV (EBU Tech 3285 v2, 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoudnessFields {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, LU.
    pub range_lu: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// Highest momentary loudness, LUFS.
    pub momentary_max_lufs: Option<f64>,
    /// Highest short-term loudness, LUFS.
    pub short_term_max_lufs: Option<f64>,
}

/// A file that is being written; it is nowhere to be found until it is finished.
pub struct Writer {
    sample: SampleFormat,
    file: File,
    steps: Vec<i32>,
}

enum File {
    Wav(Box<WavFile>),
    Flac(Box<FlacFile>),
}

impl Writer {
    /// A new file. `cue` is the text of a cue sheet for FLAC's CUESHEET block, which is for images of a CD.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn create(path: &Path, form: Form, labels: &Labels, cue: Option<(&str, u64)>) -> Result<Writer> {
        let beside = Beside::create(path)?;
        let file = match form.container {
            Container::Wav => File::Wav(Box::new(WavFile::begin(beside, form, labels)?)),
            Container::Flac => File::Flac(Box::new(FlacFile::begin(beside, form, labels, cue)?)),
        };
        Ok(Writer { sample: form.sample, file, steps: vec![] })
    }

    /// Appends frames, one slice a channel. Returns the samples as the file has them, interleaved: see
    /// [`SampleFormat::encode`].
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<&[i32]> {
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        self.steps.clear();
        for n in 0..frames {
            self.steps.extend(channels.iter().map(|c| self.sample.encode(c[n])));
        }
        match &mut self.file {
            File::Wav(file) => file.write(&self.steps)?,
            File::Flac(file) => file.write(&self.steps)?,
        }
        Ok(&self.steps)
    }

    /// Completes the file: a broadcast WAV takes the loudness, which is known only now. It must still be moved to its
    /// place, by [`Beside::finish`].
    ///
    /// # Errors
    /// A full disk.
    pub fn complete(self, loudness: LoudnessFields) -> Result<Beside> {
        match self.file {
            File::Wav(file) => file.complete(loudness),
            File::Flac(file) => file.complete(),
        }
    }
}
