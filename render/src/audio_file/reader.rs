//! Audio out of files, a few frames at a time.

use super::rf64::{Rf64, RiffHeader};
use super::{Description, Word};
use crate::fault::{Fault, Result};
use crate::show;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// A file that is being read. Samples come as double precision, in which integers of up to 32 bits and single precision
/// are exact; ±1 is full scale. Memory does not grow with the file.
pub struct Reader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    description: Description,
    /// What was decoded, interleaved, and how many of its samples were given away.
    decoded: Vec<f64>,
    taken: usize,
    /// Frames given away.
    at_frame: u64,
    ended: bool,
}

impl Reader {
    /// Opens WAV (BWF, RF64, BW64), AIFF, FLAC, MP3, Ogg Vorbis, M4A (AAC, ALAC).
    ///
    /// # Errors
    /// A file that is missing, empty, or no audio that can be read.
    pub fn open(path: &Path) -> Result<Reader> {
        let mut file = File::open(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                Fault::in_file(path, "there is no such file", "check the name, or put the file there")
            }
            _ => Fault::in_file(path, format!("cannot be opened ({e})"), "make it readable"),
        })?;
        if file.metadata().is_ok_and(|m| m.is_dir()) {
            return Err(Fault::in_file(path, "is a folder", "name the files in it"));
        }
        if file.metadata().is_ok_and(|m| m.len() == 0) {
            return Err(Fault::in_file(path, "the file is empty (0 bytes)", "export it again"));
        }
        let not_audio = |e: Error| {
            Fault::in_file(path, format!("is not audio that can be read ({e})"), "use WAV, AIFF, FLAC, MP3, Ogg or M4A")
        };
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let not_read = |e: io::Error| Fault::in_file(path, format!("cannot be read ({e})"), "copy it again");
        let header = RiffHeader::of(&mut file).map_err(not_read)?;
        if header.as_ref().is_some_and(|h| h.channels == Some(0)) {
            return Err(Fault::in_file(path, "has 0 channels, expected 1 or 2", "export it again"));
        }
        let (source, long_frames): (Box<dyn MediaSource>, _) = match header.filter(|h| h.is_64_bit) {
            Some(header) => {
                let frames = header.frames();
                (Box::new(Rf64::new(file, header).map_err(not_read)?), frames)
            }
            None => (Box::new(file), None),
        };
        let stream = MediaSourceStream::new(source, Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(not_audio)?;
        let no_track = || Fault::in_file(path, "holds no audio track", "use a file with audio in it");
        let track = format.default_track(TrackType::Audio).ok_or_else(no_track)?;
        let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(no_track)?;
        let sample_rate_hz = parameters
            .sample_rate
            .ok_or_else(|| Fault::in_file(path, "does not tell its sample rate", "export it again as WAV or FLAC"))?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true))
            .map_err(not_audio)?;
        let description = Description {
            sample_rate_hz,
            channels: 0,
            frames: long_frames.or(track.num_frames),
            container: format.format_info().short_name,
            codec: decoder.codec_info().short_name,
            word: declared_word(parameters),
        };
        let track_id = track.id;
        let mut reader = Reader {
            path: path.to_owned(),
            format,
            decoder,
            track_id,
            description,
            decoded: vec![],
            taken: 0,
            at_frame: 0,
            ended: false,
        };
        // only the first packet tells for certain how many channels there are
        reader.decode()?;
        if reader.ended {
            reader.check_end()?;
        }
        Ok(reader)
    }

    /// What the file says about itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the next frames, `max_frames` at most, one vector a channel; what was in them is gone. Returns how many there
    /// were: 0 at the end only.
    ///
    /// # Errors
    /// A file that is damaged, shorter than it says, or holds samples that are no numbers.
    pub fn read(&mut self, channels: &mut [Vec<f64>], max_frames: usize) -> Result<usize> {
        channels.iter_mut().for_each(Vec::clear);
        let count = self.description.channels;
        let mut frames = 0;
        while frames < max_frames && !self.ended {
            let left = (self.decoded.len() - self.taken) / count;
            let now = left.min(max_frames - frames);
            let interleaved = &self.decoded[self.taken..self.taken + now * count];
            if let Some(bad) = interleaved.iter().position(|s| !s.is_finite()) {
                let seconds =
                    (self.at_frame + (bad / count) as u64) as f64 / f64::from(self.description.sample_rate_hz);
                let place = format!("{}, channel {}", show::time(seconds), bad % count + 1);
                let what = format!("the sample is {}, no number", interleaved[bad]);
                return Err(Fault::within(&self.path, &place, what, "find the broken plugin, and export it again"));
            }
            for (c, channel) in channels.iter_mut().enumerate() {
                channel.extend(interleaved.iter().skip(c).step_by(count));
            }
            self.taken += now * count;
            self.at_frame += now as u64;
            frames += now;
            if now == left {
                self.decode()?;
                if self.ended {
                    self.check_end()?;
                }
            }
        }
        Ok(frames)
    }

    /// Decodes the next packet that holds frames; at the end of the file `ended` is set.
    fn decode(&mut self) -> Result<()> {
        (self.taken, self.ended) = (0, false);
        self.decoded.clear();
        while self.decoded.is_empty() {
            let damaged = |e: &Error| {
                let what = format!("is damaged after {} frames ({e})", self.at_frame);
                Fault::in_file(&self.path, what, "export or copy it again")
            };
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                // some demuxers report a file that ends too early so
                Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => break,
                Err(e) => return Err(damaged(&e)),
            };
            if packet.track_id != self.track_id {
                continue;
            }
            let buffer = self.decoder.decode(&packet).map_err(|e| damaged(&e))?;
            let count = buffer.num_planes();
            if self.description.channels == 0 {
                self.description.channels = count;
                self.description.word = word(self.description.word, &buffer);
            }
            if count != self.description.channels {
                return Err(Fault::in_file(&self.path, "changes its channel count midway", "export it again"));
            }
            self.decoded.resize(buffer.samples_interleaved(), 0.0);
            buffer.copy_to_slice_interleaved(&mut self.decoded);
        }
        self.ended = self.decoded.is_empty();
        Ok(())
    }

    fn check_end(&mut self) -> Result<()> {
        let frames = self.at_frame;
        if let Some(promised) = self.description.frames
            && frames < promised
        {
            let what = format!("is truncated: {frames} of {promised} frames are there");
            return Err(Fault::in_file(&self.path, what, "copy or export it again"));
        }
        if frames == 0 {
            return Err(Fault::in_file(&self.path, "holds no frames", "export it again"));
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            let what = "its audio does not match its own checksum";
            return Err(Fault::in_file(&self.path, what, "copy or export it again"));
        }
        Ok(())
    }
}

/// How the file holds its samples, as far as it says so: 0 bits where it does not.
fn declared_word(parameters: &AudioCodecParameters) -> Word {
    if [CODEC_ID_MP3, CODEC_ID_VORBIS, CODEC_ID_AAC].contains(&parameters.codec) {
        Word::Lossy
    } else {
        Word::Integer(parameters.bits_per_coded_sample.or(parameters.bits_per_sample).unwrap_or(0))
    }
}

/// The same once samples are there.
fn word(declared: Word, buffer: &GenericAudioBufferRef<'_>) -> Word {
    let of_type = match buffer {
        _ if declared == Word::Lossy => return Word::Lossy,
        GenericAudioBufferRef::F32(_) => return Word::Float(32),
        GenericAudioBufferRef::F64(_) => return Word::Float(64),
        GenericAudioBufferRef::U8(_) | GenericAudioBufferRef::S8(_) => 8,
        GenericAudioBufferRef::U16(_) | GenericAudioBufferRef::S16(_) => 16,
        GenericAudioBufferRef::U24(_) | GenericAudioBufferRef::S24(_) => 24,
        GenericAudioBufferRef::U32(_) | GenericAudioBufferRef::S32(_) => 32,
    };
    if declared == Word::Integer(0) { Word::Integer(of_type) } else { declared }
}
