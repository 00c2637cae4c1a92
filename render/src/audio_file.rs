//! Audio in and out of files.

mod reader;

use crate::beside::Beside;
use crate::fault::Result;
use std::io;
use std::path::Path;

pub use reader::Reader;

/// What a file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// Channels.
    pub channels: usize,
    /// Frames that it promises, where it does.
    pub frames: Option<u64>,
    /// The container: `wave`, `flac`, `isomp4`.
    pub container: &'static str,
    /// The codec: `pcm_s24le`, `flac`, `alac`.
    pub codec: &'static str,
    /// How it holds its samples.
    pub word: Word,
}

/// How a file holds its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Integers of this many bits.
    Integer(u32),
    /// Floating point of this many bits.
    Float(u32),
    /// A lossy codec's coefficients: no word length.
    Lossy,
}

/// Planar audio of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// One vector a channel, all of one length.
    pub channels: Vec<Vec<f32>>,
}

impl Audio {
    /// Frames in the file.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}

/// Reads a whole file in single precision; see [`Reader`] for what it takes.
///
/// # Errors
/// A file that is missing, empty, no audio, damaged or shorter than it says.
pub fn read(path: &Path) -> Result<Audio> {
    let mut reader = Reader::open(path)?;
    let Description { sample_rate_hz, channels, .. } = *reader.description();
    let mut block = vec![vec![]; channels];
    let mut audio = Audio { sample_rate_hz, channels: vec![vec![]; channels] };
    while reader.read(&mut block, BLOCK_FRAMES)? > 0 {
        for (whole, block) in audio.channels.iter_mut().zip(&block) {
            whole.extend(block.iter().map(|s| *s as f32));
        }
    }
    Ok(audio)
}

/// Frames that are read at a time.
pub const BLOCK_FRAMES: usize = 1 << 14;

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// 32-bit float.
    Float32,
    /// 24-bit integer, rounded to the nearest step.
    Int24,
}

/// Writes a WAV file: beside its place first, then moved there, so that nothing half-written is ever found.
///
/// # Errors
/// A folder that cannot be written to, a full disk.
pub fn write_wav(path: &Path, audio: &Audio, format: SampleFormat) -> Result<()> {
    let (bits_per_sample, sample_format) = match format {
        SampleFormat::Float32 => (32, hound::SampleFormat::Float),
        SampleFormat::Int24 => (24, hound::SampleFormat::Int),
    };
    let spec = hound::WavSpec {
        channels: u16::try_from(audio.channels.len()).unwrap_or(u16::MAX),
        sample_rate: audio.sample_rate_hz,
        bits_per_sample,
        sample_format,
    };
    let mut beside = Beside::create(path)?;
    match write_samples(&mut beside, audio, spec) {
        Ok(()) => beside.finish(),
        Err(e) => Err(beside.fault(&io::Error::other(e))),
    }
}

fn write_samples(beside: &mut Beside, audio: &Audio, spec: hound::WavSpec) -> hound::Result<()> {
    let mut writer = hound::WavWriter::new(beside, spec)?;
    for n in 0..audio.frames() {
        for channel in &audio.channels {
            let sample = channel.get(n).copied().unwrap_or(0.0);
            if spec.sample_format == hound::SampleFormat::Float {
                writer.write_sample(sample)?;
            } else {
                let steps = (f64::from(sample) * f64::from(1 << 23)).round();
                writer.write_sample(steps.clamp(-f64::from(1 << 23), f64::from((1 << 23) - 1)) as i32)?;
            }
        }
    }
    writer.finalize()
}
