//! Audio in and out of files.

use crate::fault::{Fault, Result};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

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

/// Reads a whole file: WAV, AIFF, FLAC, MP3, Ogg Vorbis, M4A (AAC, ALAC).
///
/// # Errors
/// A file that is missing, empty, no audio, damaged or shorter than it says.
pub fn read(path: &Path) -> Result<Audio> {
    let file = File::open(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Fault::in_file(path, "there is no such file", "check the name, or put the file there"),
        _ => Fault::in_file(path, format!("cannot be opened ({e})"), "make it readable"),
    })?;
    if file.metadata().is_ok_and(|m| m.len() == 0) {
        return Err(Fault::in_file(path, "the file is empty (0 bytes)", "export it again"));
    }
    let not_audio = |e: &Error| {
        Fault::in_file(path, format!("is not audio that can be read ({e})"), "use WAV, AIFF, FLAC, MP3, Ogg or M4A")
    };
    let damaged = |e: &Error, frames: usize| {
        Fault::in_file(path, format!("is damaged after {frames} frames ({e})"), "export or copy it again")
    };

    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|e| not_audio(&e))?;
    let no_track = || Fault::in_file(path, "holds no audio track", "use a file with audio in it");
    let track = format.default_track(TrackType::Audio).ok_or_else(no_track)?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(no_track)?;
    let (track_id, promised) = (track.id, track.num_frames);
    let sample_rate_hz = parameters
        .sample_rate
        .ok_or_else(|| Fault::in_file(path, "does not tell its sample rate", "export it again as WAV or FLAC"))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true))
        .map_err(|e| not_audio(&e))?;

    let mut channels: Vec<Vec<f32>> = vec![];
    let mut interleaved: Vec<f32> = vec![];
    loop {
        let frames = channels.first().map_or(0, Vec::len);
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // some demuxers report a file that ends too early so
            Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => break,
            Err(e) => return Err(damaged(&e, frames)),
        };
        if packet.track_id != track_id {
            continue;
        }
        let buffer = decoder.decode(&packet).map_err(|e| damaged(&e, frames))?;
        let count = buffer.num_planes();
        if channels.is_empty() {
            channels = vec![vec![]; count];
        }
        if count != channels.len() || count == 0 {
            return Err(Fault::in_file(path, "changes its channel count midway", "export it again"));
        }
        interleaved.resize(buffer.samples_interleaved(), 0.0);
        buffer.copy_to_slice_interleaved(&mut interleaved);
        for (c, channel) in channels.iter_mut().enumerate() {
            channel.extend(interleaved.iter().skip(c).step_by(count));
        }
    }
    let audio = Audio { sample_rate_hz, channels };
    let frames = audio.frames();
    if let Some(promised) = promised
        && (frames as u64) < promised
    {
        let what = format!("is truncated: {frames} of {promised} frames are there");
        return Err(Fault::in_file(path, what, "copy or export it again"));
    }
    if frames == 0 {
        return Err(Fault::in_file(path, "holds no frames", "export it again"));
    }
    if decoder.finalize().verify_ok == Some(false) {
        return Err(Fault::in_file(path, "its audio does not match its own checksum", "copy or export it again"));
    }
    Ok(audio)
}

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
    write_beside(path, |part| {
        let mut writer = hound::WavWriter::create(part, spec).map_err(|e| e.to_string())?;
        for n in 0..audio.frames() {
            for channel in &audio.channels {
                let sample = channel.get(n).copied().unwrap_or(0.0);
                let written = match format {
                    SampleFormat::Float32 => writer.write_sample(sample),
                    SampleFormat::Int24 => {
                        let steps = (f64::from(sample) * f64::from(1 << 23)).round();
                        writer.write_sample(steps.clamp(-f64::from(1 << 23), f64::from((1 << 23) - 1)) as i32)
                    }
                };
                written.map_err(|e| e.to_string())?;
            }
        }
        writer.finalize().map_err(|e| e.to_string())
    })
}

/// Writes a text file in the same careful way.
///
/// # Errors
/// As [`write_wav`].
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    write_beside(path, |part| std::fs::write(part, text).map_err(|e| e.to_string()))
}

fn write_beside(path: &Path, write: impl FnOnce(&Path) -> std::result::Result<(), String>) -> Result<()> {
    let part: PathBuf = path.with_added_extension("part");
    let written = write(&part).and_then(|()| std::fs::rename(&part, path).map_err(|e| e.to_string()));
    written.map_err(|e| {
        // what is left of a failed attempt is of no use to anybody; that it may not be there is no trouble
        let _ = std::fs::remove_file(&part);
        Fault::in_file(path, format!("cannot be written ({e})"), "choose a folder with room that you may write to")
    })
}
