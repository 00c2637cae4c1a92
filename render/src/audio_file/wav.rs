//! Broadcast WAV: `fmt `, `bext`, `axml`, `LIST`, `data` (EBU Tech 3285 v2; Tech 3352), and RF64 where it is over 4 GB
//! (EBU Tech 3306 v1).

use super::labels::Labels;
use super::writer::{Form, LoudnessFields, SampleFormat};
use crate::beside::Beside;
use crate::fault::Result;
use std::io::{self, Seek, SeekFrom, Write};

/// A WAV file that is being written.
pub(super) struct WavFile {
    file: Beside,
    form: Form,
    labels: Labels,
    /// Where `bext` and `data` begin.
    bext_at: u64,
    data_at: u64,
    data_bytes: u64,
    bytes: Vec<u8>,
}

/// Bytes of a `ds64` chunk without a table; until it is needed, a `JUNK` chunk keeps its place.
const DS64_BYTES: u32 = 28;
const CHUNK_HEAD_BYTES: u64 = 8;
/// Where the place for `ds64` is: after `RIFF`, its size, and `WAVE`.
const DS64_AT: u64 = 12;
/// What a size says that stands in `ds64`.
const SIZE_IN_DS64: u32 = u32::MAX;
const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;

impl WavFile {
    pub(super) fn begin(file: Beside, form: Form, labels: &Labels) -> Result<Self> {
        let labels = labels.clone();
        let mut wav = WavFile { file, form, labels, bext_at: 0, data_at: 0, data_bytes: 0, bytes: vec![] };
        wav.head().map_err(|e| wav.file.fault(&e))?;
        Ok(wav)
    }

    pub(super) fn write(&mut self, steps: &[i32]) -> Result<()> {
        let width = (self.form.sample.bits() / 8) as usize;
        self.bytes.clear();
        for step in steps {
            self.bytes.extend_from_slice(&step.to_le_bytes()[..width]);
        }
        self.data_bytes += self.bytes.len() as u64;
        self.file.write_all(&self.bytes).map_err(|e| self.file.fault(&e))
    }

    pub(super) fn complete(mut self, loudness: LoudnessFields) -> Result<Beside> {
        self.tail(loudness).map_err(|e| self.file.fault(&e))?;
        Ok(self.file)
    }

    fn head(&mut self) -> io::Result<()> {
        self.file.write_all(b"RIFF\0\0\0\0WAVE")?;
        chunk(&mut self.file, *b"JUNK", &[0; DS64_BYTES as usize])?;
        let (format, bext) = (self.format(), self.bext(LoudnessFields::default()));
        chunk(&mut self.file, *b"fmt ", &format)?;
        self.bext_at = self.file.stream_position()?;
        chunk(&mut self.file, *b"bext", &bext)?;
        if let Some(axml) = self.labels.axml() {
            chunk(&mut self.file, *b"axml", axml.as_bytes())?;
        }
        let info = self.labels.info();
        if !info.is_empty() {
            let mut list = b"INFO".to_vec();
            for (id, value) in info {
                // zero-terminated
                chunk(&mut list, id, &[value.as_bytes(), b"\0"].concat())?;
            }
            chunk(&mut self.file, *b"LIST", &list)?;
        }
        self.data_at = self.file.stream_position()?;
        self.file.write_all(b"data\0\0\0\0")
    }

    /// What is known only when the last sample is written.
    fn tail(&mut self, loudness: LoudnessFields) -> io::Result<()> {
        if self.data_bytes % 2 == 1 {
            self.file.write_all(&[0])?;
        }
        let riff_bytes = self.file.stream_position()? - CHUNK_HEAD_BYTES;
        self.file.seek(SeekFrom::Start(self.bext_at))?;
        let bext = self.bext(loudness);
        chunk(&mut self.file, *b"bext", &bext)?;
        let sizes = [u32::try_from(riff_bytes), u32::try_from(self.data_bytes)];
        let [riff_size, data_size] = sizes.map(|size| size.ok().filter(|size| *size != SIZE_IN_DS64));
        let (Some(riff_size), Some(data_size)) = (riff_size, data_size) else {
            return self.become_rf64(riff_bytes);
        };
        self.patch(4, &riff_size.to_le_bytes())?;
        self.patch(self.data_at + 4, &data_size.to_le_bytes())
    }

    fn become_rf64(&mut self, riff_bytes: u64) -> io::Result<()> {
        let frame_bytes = u64::from(self.form.channels) * u64::from(self.form.sample.bits() / 8);
        let mut ds64 = vec![];
        for size in [riff_bytes, self.data_bytes, self.data_bytes / frame_bytes.max(1)] {
            ds64.extend(size.to_le_bytes());
        }
        ds64.extend(0u32.to_le_bytes());
        self.patch(0, &[b"RF64".as_slice(), &SIZE_IN_DS64.to_le_bytes()].concat())?;
        self.file.seek(SeekFrom::Start(DS64_AT))?;
        chunk(&mut self.file, *b"ds64", &ds64)?;
        self.patch(self.data_at + 4, &SIZE_IN_DS64.to_le_bytes())
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }

    fn format(&self) -> Vec<u8> {
        let Form { sample, sample_rate_hz, channels, .. } = self.form;
        let float = sample == SampleFormat::Float32;
        let frame_bytes = channels * (sample.bits() / 8) as u16;
        let mut format = vec![];
        format.extend(if float { FORMAT_FLOAT } else { FORMAT_PCM }.to_le_bytes());
        format.extend(channels.to_le_bytes());
        format.extend(sample_rate_hz.to_le_bytes());
        format.extend((sample_rate_hz * u32::from(frame_bytes)).to_le_bytes());
        format.extend(frame_bytes.to_le_bytes());
        format.extend((sample.bits() as u16).to_le_bytes());
        if float {
            // no further fields
            format.extend(0u16.to_le_bytes());
        }
        format
    }

    fn bext(&self, loudness: LoudnessFields) -> Vec<u8> {
        let Form { sample, sample_rate_hz, channels, .. } = self.form;
        let mut bext = vec![];
        let mut text = |text: &str, width: usize| {
            // ASCII (Tech 3285, 2.3); what is not is told by `axml` and `LIST`
            let ascii = text.chars().map(|c| if c.is_ascii() && !c.is_control() { c as u8 } else { b'_' });
            bext.extend(ascii.chain(std::iter::repeat(0)).take(width));
        };
        text(&self.labels.title, 256);
        text("Tandem", 32);
        text(&self.labels.isrc, 32);
        text(&self.labels.date, 10);
        text("", 8);
        bext.extend(0u64.to_le_bytes());
        bext.extend(2u16.to_le_bytes());
        bext.extend([0; 64]);
        for value in [
            loudness.integrated_lufs,
            loudness.range_lu,
            loudness.true_peak_dbtp,
            loudness.momentary_max_lufs,
            loudness.short_term_max_lufs,
        ] {
            let hundredths = value.map_or(NOT_MEASURED, |v| (100.0 * v).round().clamp(-9999.0, 9999.0) as i16);
            bext.extend(hundredths.to_le_bytes());
        }
        bext.extend([0; 180]);
        let mode = if channels == 1 { "mono" } else { "stereo" };
        bext.extend(format!("A=PCM,F={sample_rate_hz},W={},M={mode},T=Tandem\r\n", sample.bits()).bytes());
        bext
    }
}

/// Says that a field is not used (Tech 3285 v2, 2.3).
const NOT_MEASURED: i16 = 0x7fff;

fn chunk(file: &mut impl Write, id: [u8; 4], content: &[u8]) -> io::Result<()> {
    let size = u32::try_from(content.len()).map_err(io::Error::other)?;
    file.write_all(&id)?;
    file.write_all(&size.to_le_bytes())?;
    file.write_all(content)?;
    file.write_all(if size % 2 == 1 { &[0] } else { &[] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio_file::{Container, Reader, Word};
    use std::fs::File;
    use std::io::Read;

    /// A hole in the file stands for 4 GB of silence, where the file system has holes.
    #[test]
    #[cfg(target_os = "linux")]
    fn over_4_gb_it_is_rf64() {
        const HOLE_BYTES: u64 = 1 << 32;
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("long.wav");
        let form = Form { container: Container::Wav, sample: SampleFormat::Int16, sample_rate_hz: 48_000, channels: 2 };
        let mut wav = WavFile::begin(Beside::create(&path).unwrap(), form, &Labels::default()).unwrap();
        wav.write(&[1, -1]).unwrap();
        wav.file.seek(SeekFrom::Current(HOLE_BYTES as i64)).unwrap();
        wav.data_bytes += HOLE_BYTES;
        wav.write(&[2, -2]).unwrap();
        wav.complete(LoudnessFields::default()).unwrap().finish().unwrap();

        // EBU Tech 3306 v1, 3: RF64, no size, WAVE, then ds64 with the sizes of all, of the samples, and the count of frames
        let mut head = [0; 48];
        File::open(&path).unwrap().read_exact(&mut head).unwrap();
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        assert_eq!(head[..20], *b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0");
        assert_eq!(number(20), std::fs::metadata(&path).unwrap().len() - 8);
        assert_eq!(number(28), HOLE_BYTES + 8);
        assert_eq!(number(36), HOLE_BYTES / 4 + 2);
        assert_eq!(head[44..], [0; 4]);

        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.description().frames, Some(HOLE_BYTES / 4 + 2));
        assert_eq!(reader.description().word, Word::Integer(16));
        let mut block = vec![vec![]; 2];
        reader.read(&mut block, 2).unwrap();
        assert_eq!(block, [[1.0 / 32_768.0, 0.0], [-1.0 / 32_768.0, 0.0]]);
        let probe = std::process::Command::new("ffprobe")
            .args(["-v", "error", "-of", "csv=p=0", "-show_entries", "stream=duration_ts"])
            .arg(&path)
            .output();
        match probe {
            Ok(probe) => assert_eq!(String::from_utf8_lossy(&probe.stdout).trim(), (HOLE_BYTES / 4 + 2).to_string()),
            Err(_) => println!("skipped: ffprobe is not on this machine (Debian package ffmpeg)"),
        }
    }
}
