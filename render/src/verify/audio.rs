//! Samples, word length, dither and loudness of one file.

use super::Trouble;
use crate::album::manifest::{Manifest, Piece, Set};
use crate::album::plan::sectors_to_frames;
use crate::audio_file::{BLOCK_FRAMES, Description, Reader, Word};
use crate::figures::Measurer;
use crate::show;
use std::path::Path;

/// How far a loudness that was rounded to hundredths may be off when it is measured again, with room for a lossy codec.
const LOUDNESS_TOLERANCE_LU: f64 = 0.006;
const LOSSY_TOLERANCE_LU: f64 = 0.2;
/// Samples in a row that dither never leaves equal: it makes them differ with a chance of a quarter at least, and
/// 0.75¹⁰⁰ × 10⁹ samples is under 10⁻³.
const UNDITHERED_RUN: usize = 100;

pub(super) fn check(folder: &Path, manifest: &Manifest, set: &Set, piece: &Piece) -> Vec<Trouble> {
    let path = folder.join(&piece.path);
    if !path.exists() {
        return vec![Trouble::new(&piece.path, "", "is missing")];
    }
    let lossy = piece.samples_sha256.is_empty();
    let mut troubles = vec![];
    let mut trouble = |place: String, what: String| troubles.push(Trouble::new(&piece.path, place, what));
    let mut reader = match Reader::open(&path) {
        Ok(reader) => reader,
        Err(fault) => {
            trouble(String::new(), fault.what);
            return troubles;
        }
    };
    let description = *reader.description();
    let Some(word) = word_of(&set.format) else {
        trouble(String::new(), format!("has the unknown format '{}'", set.format));
        return troubles;
    };
    let (rate_hz, channels) = (description.sample_rate_hz, description.channels);
    if (rate_hz, channels, description.word) != (set.sample_rate_hz, 2, word) {
        trouble(
            String::new(),
            format!(
                "is at {rate_hz} Hz with {channels} channels of {}, expected {} Hz, 2 of {}",
                show::word(description.word),
                set.sample_rate_hz,
                show::word(word)
            ),
        );
        return troubles;
    }
    let mut found = Found::new(&description);
    let mut block = vec![vec![]; 2];
    loop {
        match reader.read(&mut block, BLOCK_FRAMES) {
            Ok(0) => break,
            Ok(_) => found.take(&block),
            Err(fault) => {
                trouble(String::new(), fault.what);
                break;
            }
        }
    }
    found.end_second();
    let expected_frames = expected_frames(manifest, set, piece);
    if !lossy {
        for (frames, whose) in [(piece.frames, "album.json"), (expected_frames, "the marks")] {
            if found.frames != frames {
                trouble(String::new(), format!("holds {} frames, expected {frames} by {whose}", found.frames));
            }
        }
        if let Some((place, what)) = differing_seconds(manifest, set, piece, &found) {
            trouble(place, what);
        }
    }
    if set.dither != "none"
        && !lossy
        && let Some(frame) = found.undithered_frame
    {
        let place = show::time(frame as f64 / f64::from(rate_hz));
        trouble(place, format!("{UNDITHERED_RUN} equal samples in a row: rounded without dither"));
    }
    let tolerance = if lossy { LOSSY_TOLERANCE_LU } else { LOUDNESS_TOLERANCE_LU };
    let figures = found.measurer.finish(description);
    let loudness = (figures.integrated_lufs, piece.integrated_lufs);
    let off = match loudness {
        (Some(measured), Some(promised)) => (measured - promised).abs() > tolerance,
        (None, None) => false,
        _ => true,
    };
    if off {
        let [measured, promised] = [loudness.0, loudness.1].map(|l| show::figure(l, 2, "LUFS"));
        trouble(String::new(), format!("measures {measured}, expected {promised}"));
    }
    troubles
}

/// What a format's files hold.
fn word_of(format: &str) -> Option<Word> {
    Some(match format {
        "wav16" | "flac16" => Word::Integer(16),
        "wav24" | "flac24" => Word::Integer(24),
        "wav32f" => Word::Float(32),
        "mp3" | "aac" => Word::Lossy,
        _ => return None,
    })
}

/// How long a file is by the marks.
fn expected_frames(manifest: &Manifest, set: &Set, piece: &Piece) -> u64 {
    let start = |number: u32| {
        let track = manifest.tracks.iter().find(|t| t.number == number);
        track.map_or(manifest.end_sector, |t| t.start_sector)
    };
    let hidden = set.files.iter().any(|f| f.track == Some(0));
    let (from, to) = match piece.track {
        None => (0, manifest.end_sector),
        Some(0) => (0, start(1)),
        // silence before the first track is in its file
        Some(1) if !hidden => (0, start(2)),
        Some(number) => (start(number), start(number + 1)),
    };
    sectors_to_frames(to.saturating_sub(from), set.sample_rate_hz)
}

/// Where the samples are not those that were delivered, or whose samples they are.
fn differing_seconds(manifest: &Manifest, set: &Set, piece: &Piece, found: &Found) -> Option<(String, String)> {
    let second = |n: usize| format!("{} to {}", show::time(n as f64), show::time(n as f64 + 1.0));
    let longest = piece.second_crc32.len().max(found.seconds.len());
    let differing: Vec<usize> = (0..longest).filter(|n| piece.second_crc32.get(*n) != found.seconds.get(*n)).collect();
    let first = differing.first()?;
    let all = manifest.deliverables.iter().flat_map(|set| &set.files);
    let twin = all.filter(|other| other.path != piece.path).find(|other| other.second_crc32 == found.seconds);
    if let Some(twin) = twin {
        return Some((String::new(), format!("holds the audio of {}: the two were swapped", twin.path)));
    }
    let _ = set;
    let what = match differing.len() {
        1 => "samples differ in this second".to_owned(),
        count => format!("samples differ from here on, in {count} seconds"),
    };
    Some((second(*first), what))
}

/// What a file turns out to hold.
struct Found {
    word: Word,
    rate_hz: u64,
    frames: u64,
    second: crc32fast::Hasher,
    second_frames: u64,
    seconds: Vec<String>,
    measurer: Measurer<2>,
    /// Of each side: the last sample, and how often it came in a row.
    runs: [(i32, usize); 2],
    undithered_frame: Option<u64>,
}

impl Found {
    fn new(description: &Description) -> Self {
        Found {
            word: description.word,
            rate_hz: u64::from(description.sample_rate_hz),
            frames: 0,
            second: crc32fast::Hasher::new(),
            second_frames: 0,
            seconds: vec![],
            measurer: Measurer::new(description.sample_rate_hz),
            runs: [(0, 0); 2],
            undithered_frame: None,
        }
    }

    fn take(&mut self, block: &[Vec<f64>]) {
        self.measurer.process(block);
        let [left, right] = block else { return };
        let scale = match self.word {
            Word::Integer(bits) => 2f64.powi(bits.clamp(1, 32) as i32 - 1),
            Word::Float(_) | Word::Lossy => 0.0,
        };
        let steps =
            |sample: f64| if scale > 0.0 { (sample * scale) as i32 } else { (sample as f32).to_bits().cast_signed() };
        for (left, right) in left.iter().zip(right) {
            let frame = [*left, *right].map(steps);
            for (step, (last, run)) in frame.iter().zip(&mut self.runs) {
                *run = if step == last { *run + 1 } else { 1 };
                *last = *step;
                // silence may be blank, and what is cut off at full scale is no matter of dither
                let counts = *step != 0 && f64::from(*step).abs() < scale - 1.0;
                if *run == UNDITHERED_RUN && counts {
                    self.undithered_frame.get_or_insert(self.frames);
                }
            }
            for step in frame {
                self.second.update(&step.to_le_bytes());
            }
            self.frames += 1;
            self.second_frames += 1;
            if self.second_frames == self.rate_hz {
                self.end_second();
            }
        }
    }

    fn end_second(&mut self) {
        if self.second_frames > 0 {
            self.seconds.push(format!("{:08x}", std::mem::take(&mut self.second).finalize()));
            self.second_frames = 0;
        }
    }
}
