//! Audio in and out of files.

mod flac;
pub mod labels;
mod reader;
mod rf64;
mod wav;
mod writer;

use crate::fault::Result;
use std::path::Path;

pub use labels::Labels;
pub use reader::Reader;
pub use writer::{Container, Form, LoudnessFields, SampleFormat, Writer};

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

/// Writes a WAV file: beside its place first, then moved there, so that nothing half-written is ever found.
///
/// # Errors
/// A folder that cannot be written to, a full disk.
pub fn write_wav(path: &Path, audio: &Audio, format: SampleFormat) -> Result<()> {
    let channels = u16::try_from(audio.channels.len()).unwrap_or(u16::MAX);
    let form = Form { container: Container::Wav, sample: format, sample_rate_hz: audio.sample_rate_hz, channels };
    let mut writer = Writer::create(path, form, &Labels::default(), None)?;
    let channels: Vec<&[f32]> = audio.channels.iter().map(Vec::as_slice).collect();
    for start in (0..audio.frames()).step_by(BLOCK_FRAMES) {
        let end = audio.frames().min(start + BLOCK_FRAMES);
        let block: Vec<&[f32]> = channels.iter().map(|c| &c[start..end]).collect();
        writer.write(&block)?;
    }
    writer.complete(LoudnessFields::default())?.finish()
}
