//! A stem: the audio of one track, in a file or in memory, read a few frames at a time.

use crate::audio_file::Reader;
use crate::fault::{Fault, Result};
use crate::figures;
use crate::resample::Converter;
use crate::show;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The audio of a track; mono is on both sides.
#[derive(Clone, Debug)]
pub enum Stem {
    /// In a file that has been looked at.
    File {
        /// Where it is.
        path: PathBuf,
        /// Channels, 1 or 2.
        channels: usize,
        /// Its length, at the rate that it is read at.
        frames: u64,
        /// The rates from and to which it is converted, where it is.
        converted: Option<(u32, u32)>,
    },
    /// In memory: left and right, of one length.
    Memory(Arc<[Vec<f32>; 2]>),
}

impl Stem {
    /// The stem in the file at `path`, which must be at `sample_rate_hz`.
    ///
    /// # Errors
    /// As [`figures::open`], and a file at another rate.
    pub fn open(path: &Path, sample_rate_hz: u32) -> Result<Stem> {
        let reader = figures::open(path)?;
        let description = reader.description();
        if description.sample_rate_hz != sample_rate_hz {
            return Err(Fault::in_file(
                path,
                format!("is at {} Hz, the session at {sample_rate_hz} Hz", description.sample_rate_hz),
                "convert the file, or set the session's sample_rate_hz",
            ));
        }
        let channels = description.channels;
        let frames = match description.frames {
            Some(frames) => frames,
            None => count_frames(reader)?,
        };
        Ok(Stem::File { path: path.to_owned(), channels, frames, converted: None })
    }

    /// The file at `path` at `sample_rate_hz`, converted where it is at another rate.
    ///
    /// # Errors
    /// As [`figures::open`].
    pub fn converted(path: &Path, sample_rate_hz: u32) -> Result<Stem> {
        let own_hz = figures::open(path)?.description().sample_rate_hz;
        match Stem::open(path, own_hz)? {
            Stem::File { path, channels, frames, .. } if own_hz != sample_rate_hz => Ok(Stem::File {
                path,
                channels,
                frames: Converter::converted_frames(own_hz, sample_rate_hz, frames),
                converted: Some((own_hz, sample_rate_hz)),
            }),
            as_it_is => Ok(as_it_is),
        }
    }

    /// A stem in memory.
    #[must_use]
    pub fn in_memory(audio: [Vec<f32>; 2]) -> Stem {
        Stem::Memory(Arc::new(audio))
    }

    /// Its length.
    #[must_use]
    pub fn frames(&self) -> u64 {
        match self {
            Stem::File { frames, .. } => *frames,
            Stem::Memory(audio) => audio[0].len() as u64,
        }
    }

    /// Starts to read it.
    ///
    /// # Errors
    /// A file that is gone or has changed.
    pub fn reader(&self) -> Result<StemReader> {
        Ok(match self {
            Stem::File { path, channels, converted, .. } => {
                let planes = vec![vec![]; *channels];
                let converter = converted.map(|(from, to)| Box::new(Converter::new(from, to, *channels)));
                let reader = Box::new(Reader::open(path)?);
                StemReader::File { reader, converter, ready: planes.clone(), planes, taken: 0, ended: false }
            }
            Stem::Memory(audio) => StemReader::Memory { audio: audio.clone(), at: 0 },
        })
    }

    /// SHA-256 of the bits of all samples in single precision, left then right, as [`engine::sha256`](crate::engine::sha256)
    /// has it.
    ///
    /// # Errors
    /// A file that cannot be read to its end.
    pub fn sha256(&self) -> Result<String> {
        let mut hash = Sha256::new();
        let mut block = [vec![0.0f32; READ_FRAMES], vec![0.0; READ_FRAMES]];
        for side in 0..2 {
            let mut reader = self.reader()?;
            let mut left_over = self.frames();
            while left_over > 0 {
                let frames = left_over.min(READ_FRAMES as u64) as usize;
                let [left, right] = &mut block;
                reader.read([&mut left[..frames], &mut right[..frames]])?;
                block[side][..frames].iter().for_each(|s| hash.update(s.to_le_bytes()));
                left_over -= frames as u64;
            }
        }
        Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }

    /// All of it.
    ///
    /// # Errors
    /// A file that cannot be read to its end.
    pub fn load(&self) -> Result<[Vec<f32>; 2]> {
        let frames = self.frames() as usize;
        let mut audio = [vec![0.0; frames], vec![0.0; frames]];
        let [left, right] = &mut audio;
        self.reader()?.read([left, right])?;
        Ok(audio)
    }
}

fn count_frames(mut reader: Reader) -> Result<u64> {
    let mut planes = vec![vec![]; reader.description().channels];
    let mut frames = 0;
    loop {
        match reader.read(&mut planes, READ_FRAMES)? {
            0 => return Ok(frames),
            n => frames += n as u64,
        }
    }
}

/// A stem on its way, from its first frame on.
pub enum StemReader {
    /// Out of a file.
    File {
        /// The file.
        reader: Box<Reader>,
        /// What brings it to another rate.
        converter: Option<Box<Converter>>,
        /// One vector a channel, for what the file gives.
        planes: Vec<Vec<f64>>,
        /// Frames that were read and, where there is a converter, converted.
        ready: Vec<Vec<f64>>,
        /// Frames that were read out of the file.
        taken: u64,
        /// Whether its end was seen.
        ended: bool,
    },
    /// Out of memory.
    Memory {
        /// All of it.
        audio: Arc<[Vec<f32>; 2]>,
        /// The next frame.
        at: usize,
    },
}

impl StemReader {
    /// Fills both sides with the next frames, and with silence after the last.
    ///
    /// # Errors
    /// A file that is damaged, shorter than it says, or holds samples that are no numbers.
    pub fn read(&mut self, [left, right]: [&mut [f32]; 2]) -> Result<()> {
        match self {
            StemReader::File { reader, converter, planes, ready, taken, ended } => {
                while ready[0].len() < left.len() && !*ended {
                    let frames = reader.read(planes, READ_FRAMES)?;
                    if let Some(n) = (0..frames).find(|n| planes.iter().any(|plane| !plane[*n].is_finite())) {
                        return Err(not_a_number(reader, *taken + n as u64));
                    }
                    *taken += frames as u64;
                    *ended = frames == 0;
                    match converter {
                        Some(converter) if *ended => converter.finish(ready),
                        Some(converter) => converter.process(planes, ready),
                        None => ready.iter_mut().zip(&mut *planes).for_each(|(ready, plane)| ready.append(plane)),
                    }
                }
                let frames = ready[0].len().min(left.len());
                // the same plane for both sides of a mono file
                for (side, plane) in [&mut *left, &mut *right].into_iter().zip(ready.iter().cycle()) {
                    side.iter_mut().zip(plane).for_each(|(to, from)| *to = *from as f32);
                    side[frames..].fill(0.0);
                }
                ready.iter_mut().for_each(|plane| drop(plane.drain(..frames)));
            }
            StemReader::Memory { audio, at } => {
                for (to, from) in [&mut *left, &mut *right].into_iter().zip(audio.iter()) {
                    let from = &from[(*at).min(from.len())..];
                    let frames = to.len().min(from.len());
                    to[..frames].copy_from_slice(&from[..frames]);
                    to[frames..].fill(0.0);
                }
                *at += left.len();
            }
        }
        Ok(())
    }
}

fn not_a_number(reader: &Reader, frame: u64) -> Fault {
    let seconds = frame as f64 / f64::from(reader.description().sample_rate_hz);
    let what = format!("holds a sample that is no number, at {}", show::time(seconds));
    Fault::in_file(reader.path(), what, "export it again")
}

/// Frames that are asked of a file at once.
const READ_FRAMES: usize = 4096;
