//! The metadata blocks of a FLAC file (RFC 9639, 8).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a FLAC file says about itself beside its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FlacBlocks {
    /// Vorbis comments, in order: name and text.
    pub comments: Vec<(String, String)>,
    /// The cue sheet, where there is one.
    pub cue: Option<FlacCue>,
}

/// A CUESHEET block (RFC 9639, 8.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FlacCue {
    /// Media catalogue number.
    pub catalogue: String,
    /// Its tracks, without the lead-out.
    pub tracks: Vec<CueTrack>,
    /// Where the lead-out begins.
    pub end: u64,
}

/// A track of a CUESHEET block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CueTrack {
    /// Its number.
    pub number: u8,
    /// Its code; may be empty.
    pub isrc: String,
    /// Index points: their numbers, and where they are, in samples from the file's first.
    pub points: Vec<(u8, u64)>,
}

pub(super) fn read(path: &Path) -> io::Result<FlacBlocks> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    file.read_exact(&mut magic)?;
    if &magic != b"fLaC" {
        return Err(io::Error::other("it does not begin with fLaC"));
    }
    let mut blocks = FlacBlocks::default();
    loop {
        let mut head = [0; 4];
        file.read_exact(&mut head)?;
        let size = usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
        let mut content = vec![0; size];
        file.read_exact(&mut content)?;
        let mut bytes = Bytes(&content);
        match head[0] & 0x7f {
            4 => blocks.comments = comments(&mut bytes).unwrap_or_default(),
            5 => blocks.cue = cue(&mut bytes),
            _ => {}
        }
        if head[0] & 0x80 != 0 {
            return Ok(blocks);
        }
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn little(&mut self) -> Option<usize> {
        self.take(4).map(|b| b.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)))
    }

    fn big(&mut self, count: usize) -> Option<u64> {
        self.take(count).map(|b| b.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn ascii(&mut self, count: usize) -> Option<String> {
        self.take(count).map(|b| String::from_utf8_lossy(b).trim_end_matches('\0').to_owned())
    }
}

fn comments(bytes: &mut Bytes<'_>) -> Option<Vec<(String, String)>> {
    let vendor = bytes.little()?;
    bytes.take(vendor)?;
    let count = bytes.little()?;
    let mut comments = vec![];
    for _ in 0..count {
        let len = bytes.little()?;
        let text = String::from_utf8_lossy(bytes.take(len)?).into_owned();
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        comments.push((name.to_owned(), value.to_owned()));
    }
    Some(comments)
}

fn cue(bytes: &mut Bytes<'_>) -> Option<FlacCue> {
    let mut cue = FlacCue { catalogue: bytes.ascii(128)?, ..FlacCue::default() };
    // lead-in, flags and reserved bytes
    bytes.take(8 + 1 + 258)?;
    for _ in 0..bytes.big(1)? {
        let offset = bytes.big(8)?;
        let number = bytes.big(1)? as u8;
        let isrc = bytes.ascii(12)?;
        bytes.take(1 + 13)?;
        let mut points = vec![];
        for _ in 0..bytes.big(1)? {
            let at = bytes.big(8)?;
            points.push((bytes.big(1)? as u8, offset + at));
            bytes.take(3)?;
        }
        if number >= LEAD_OUT {
            cue.end = offset;
        } else {
            cue.tracks.push(CueTrack { number, isrc, points });
        }
    }
    Some(cue)
}

/// The lead-out of a CD; that of anything else is 255.
const LEAD_OUT: u8 = 170;
