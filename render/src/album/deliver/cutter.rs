//! One stream cut into files, which are measured and hashed on the way.

use super::{encoder, hex, relative};
use crate::album::cue;
use crate::album::manifest::Piece;
use crate::album::order::{Album, Deliverable, Kind, Track};
use crate::album::plan::{Plan, sectors_to_frames};
use crate::audio_file::{BLOCK_FRAMES, Container, Description, Form, Labels, LoudnessFields, Word, Writer};
use crate::beside::Beside;
use crate::fault::Result;
use crate::figures::Measurer;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// What became of a deliverable: files that are whole, and what the manifest says about them.
pub(super) struct Cuttings {
    pub pieces: Vec<Piece>,
    pub files: Vec<Beside>,
}

/// Cuts the files of one deliverable.
pub(super) struct Cutter {
    deliverable: Deliverable,
    form: Form,
    /// The delivery.
    out: PathBuf,
    waiting: VecDeque<Cut>,
    open: Option<Open>,
    at: u64,
    done: Cuttings,
}

/// A file to come.
struct Cut {
    path: PathBuf,
    track: Option<u32>,
    labels: Labels,
    /// A cue sheet for FLAC's block, with the frames that it is for.
    cue: Option<(String, u64)>,
    until: u64,
}

/// A file under way.
struct Open {
    cut: Cut,
    writer: Writer,
    measurer: Measurer<2>,
    hash: Sha256,
    seconds: Seconds,
    frames: u64,
    bytes: Vec<u8>,
    double: [Vec<f64>; 2],
}

impl Cutter {
    pub fn new(album: &Album, plan: &Plan, deliverable: &Deliverable, folder: &Path) -> Cutter {
        let (container, sample) = deliverable.format.written();
        let form = Form { container, sample, sample_rate_hz: deliverable.rate_hz, channels: 2 };
        let waiting = match deliverable.kind {
            Kind::Image => VecDeque::from([image(album, plan, deliverable, folder)]),
            Kind::Tracks => tracks(album, plan, deliverable, folder),
        };
        Cutter {
            deliverable: deliverable.clone(),
            form,
            out: folder.parent().unwrap_or(folder).to_owned(),
            waiting,
            open: None,
            at: 0,
            done: Cuttings { pieces: vec![], files: vec![] },
        }
    }

    pub fn write(&mut self, [left, right]: &[Vec<f32>; 2]) -> Result<()> {
        let mut start = 0;
        while start < left.len() {
            if self.open.is_none() {
                let Some(cut) = self.waiting.pop_front() else { return Ok(()) };
                self.open = Some(Open::begin(cut, self.form)?);
            }
            let Some(open) = &mut self.open else { return Ok(()) };
            let until = (open.cut.until - self.at).min((left.len() - start) as u64) as usize;
            let end = start + until.min(BLOCK_FRAMES);
            open.write([&left[start..end], &right[start..end]])?;
            self.at += (end - start) as u64;
            start = end;
            if self.at == open.cut.until {
                self.close()?;
            }
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<Cuttings> {
        self.close()?;
        Ok(self.done)
    }

    fn close(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let (piece, file) = open.complete(&self.deliverable, &self.out, self.form)?;
        self.done.pieces.push(piece);
        self.done.files.push(file);
        Ok(())
    }
}

fn image(album: &Album, plan: &Plan, deliverable: &Deliverable, folder: &Path) -> Cut {
    let until = sectors_to_frames(plan.end_sector, deliverable.rate_hz);
    // the block is made for a CD: 44.1 kHz
    let for_block = deliverable.format.written().0 == Container::Flac && deliverable.rate_hz == 44_100;
    Cut {
        path: folder.join(file_name(&format!("{} - {}", album.artist, album.title), deliverable)),
        track: None,
        labels: Labels {
            title: album.title.clone(),
            artist: album.artist.clone(),
            album: album.title.clone(),
            album_artist: album.artist.clone(),
            upc: album.upc.clone(),
            date: album.date.clone(),
            ..Labels::default()
        },
        cue: for_block.then(|| (cue::block(album, plan), until)),
        until,
    }
}

/// A file for each numbered track, with the pause after it; and one before them all for music hidden there.
fn tracks(album: &Album, plan: &Plan, deliverable: &Deliverable, folder: &Path) -> VecDeque<Cut> {
    let all = plan.marks.len() as u32;
    let cut = |number: u32, track: &Track, until_sector: u64| Cut {
        path: folder.join(file_name(&format!("{number:02} {}", track.title), deliverable)),
        track: Some(number),
        labels: Labels {
            title: track.title.clone(),
            artist: track.artist.clone(),
            composer: track.composer.clone(),
            album: album.title.clone(),
            album_artist: album.artist.clone(),
            number: Some((number, all)),
            isrc: track.isrc.clone(),
            upc: album.upc.clone(),
            date: album.date.clone(),
        },
        cue: None,
        until: sectors_to_frames(until_sector, deliverable.rate_hz),
    };
    let mut cuts = VecDeque::new();
    let first_start = plan.marks.first().map_or(0, |m| m.start_sector);
    match album.tracks.first() {
        Some(first) if first_start > 0 && first.hidden => cuts.push_back(cut(0, first, first_start)),
        _ => {}
    }
    for (index, track) in album.numbered().enumerate() {
        cuts.push_back(cut(index as u32 + 1, track, plan.track_sectors(index).end));
    }
    cuts
}

/// A name that every file system takes.
fn file_name(name: &str, deliverable: &Deliverable) -> String {
    let safe = name.chars().map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c });
    let mut safe: String = safe.take(MOST_NAME_CHARS).collect();
    safe.truncate(safe.trim_end_matches(['.', ' ']).len());
    format!("{safe}.{}", deliverable.format.extension())
}

/// Four bytes each at worst, and what is added to it stays under the 255 bytes of most file systems.
const MOST_NAME_CHARS: usize = 55;

impl Open {
    fn begin(cut: Cut, form: Form) -> Result<Open> {
        let cue = cut.cue.as_ref().map(|(text, frames)| (text.as_str(), *frames));
        Ok(Open {
            writer: Writer::create(&cut.path, form, &cut.labels, cue)?,
            cut,
            measurer: Measurer::new(form.sample_rate_hz),
            hash: Sha256::new(),
            seconds: Seconds::new(form.sample_rate_hz),
            frames: 0,
            bytes: vec![],
            double: [vec![], vec![]],
        })
    }

    fn write(&mut self, channels: [&[f32]; 2]) -> Result<()> {
        for (double, channel) in self.double.iter_mut().zip(channels) {
            double.clear();
            double.extend(channel.iter().map(|s| f64::from(*s)));
        }
        self.measurer.process(&self.double);
        let steps = self.writer.write(&channels)?;
        self.bytes.clear();
        self.bytes.extend(steps.iter().flat_map(|step| step.to_le_bytes()));
        self.hash.update(&self.bytes);
        self.seconds.take(&self.bytes);
        self.frames += channels[0].len() as u64;
        Ok(())
    }

    fn complete(mut self, deliverable: &Deliverable, out: &Path, form: Form) -> Result<(Piece, Beside)> {
        self.seconds.end();
        let description = Description {
            sample_rate_hz: form.sample_rate_hz,
            channels: 2,
            frames: Some(self.frames),
            container: "",
            codec: "",
            word: Word::Float(32),
        };
        let figures = self.measurer.finish(description);
        let hundredths = |value: Option<f64>| value.map(|v| (100.0 * v).round() / 100.0 + 0.0);
        let file = self.writer.complete(LoudnessFields {
            integrated_lufs: figures.integrated_lufs,
            range_lu: figures.loudness_range_lu,
            true_peak_dbtp: figures.true_peak_dbtp,
            momentary_max_lufs: figures.momentary_max_lufs,
            short_term_max_lufs: figures.short_term_max_lufs,
        })?;
        let lossy = deliverable.format.encoder().is_some();
        let piece = Piece {
            path: relative(out, &self.cut.path),
            track: self.cut.track,
            frames: if lossy { 0 } else { self.frames },
            samples_sha256: if lossy { String::new() } else { hex(&self.hash.finalize()) },
            second_crc32: if lossy { vec![] } else { self.seconds.sums },
            integrated_lufs: hundredths(figures.integrated_lufs),
            loudness_range_lu: hundredths(figures.loudness_range_lu),
            true_peak_dbtp: hundredths(figures.true_peak_dbtp),
        };
        let file = encoder::encode(deliverable.format, file, &self.cut.labels)?;
        Ok((piece, file))
    }
}

/// Two samples of 32 bits.
const BYTES_PER_FRAME: usize = 8;

/// CRC-32 of every second.
struct Seconds {
    second_bytes: usize,
    hasher: crc32fast::Hasher,
    taken: usize,
    sums: Vec<String>,
}

impl Seconds {
    fn new(rate_hz: u32) -> Self {
        let second_bytes = rate_hz as usize * BYTES_PER_FRAME;
        Seconds { second_bytes, hasher: crc32fast::Hasher::new(), taken: 0, sums: vec![] }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at((self.second_bytes - self.taken).min(bytes.len()));
            self.hasher.update(now);
            self.taken += now.len();
            if self.taken == self.second_bytes {
                self.end();
            }
            bytes = rest;
        }
    }

    fn end(&mut self) {
        if self.taken > 0 {
            self.sums.push(format!("{:08x}", std::mem::take(&mut self.hasher).finalize()));
            self.taken = 0;
        }
    }
}
