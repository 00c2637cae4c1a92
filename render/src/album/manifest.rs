//! `album.json`: what was delivered, by which it is verified.

use serde::{Deserialize, Serialize};

/// The name of the file.
pub const NAME: &str = "album.json";
/// The name of the list of checksums: SHA-256 of every other file, as `sha256sum` writes and reads it.
pub const CHECKSUMS: &str = "checksums.sha256";
/// The PQ sheet as text.
pub const PQ_TEXT: &str = "pq.txt";
/// The PQ sheet as a page.
pub const PQ_PAGE: &str = "pq.html";

/// What was delivered. Holds no path outside of the delivery and no time, so that the same album gives the same bytes
/// anywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program and its version.
    pub made_by: String,
    /// Title of the album.
    pub title: String,
    /// Who performs it.
    pub artist: String,
    /// UPC or EAN; may be empty.
    pub upc: String,
    /// Date of release; may be empty.
    pub date: String,
    /// The end of all, in 1/75 s from the first sample.
    pub end_sector: u64,
    /// The numbered tracks.
    pub tracks: Vec<Entry>,
    /// What was delivered.
    pub deliverables: Vec<Set>,
}

/// A numbered track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Who performs it.
    pub artist: String,
    /// Who wrote it; may be empty.
    pub composer: String,
    /// Its code; may be empty.
    pub isrc: String,
    /// Where the pause before it begins, in 1/75 s.
    pub pause_sector: Option<u64>,
    /// Where it begins.
    pub start_sector: u64,
}

/// Files of one form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// `image` or `tracks`.
    pub kind: String,
    /// `wav16` and so on.
    pub format: String,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// The noise of the dither; `none` in floating point.
    pub dither: String,
    /// The files, in order.
    pub files: Vec<Piece>,
}

/// A file of audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Its path within the delivery, with `/`.
    pub path: String,
    /// The number of its track; `None` of an image, 0 of music hidden before the first.
    pub track: Option<u32>,
    /// Frames in it; 0 where a lossy codec decides.
    pub frames: u64,
    /// SHA-256 of its samples, interleaved, each as 32 bits little-endian; empty where a codec is lossy.
    pub samples_sha256: String,
    /// CRC-32 of the samples of each second, so that a changed one can be found; empty where a codec is lossy.
    pub second_crc32: Vec<String>,
    /// Integrated loudness, LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, LU.
    pub loudness_range_lu: Option<f64>,
    /// True peak, dBTP.
    pub true_peak_dbtp: Option<f64>,
}
