//! Cue sheets: what burns an image, with CD-Text.

use super::code;
use super::order::Album;
use super::plan::{Mark, Plan, SECTORS_PER_SECOND};
use std::fmt::Write;

/// Minutes, seconds and frames of 1/75 s: `03:24:38`.
#[must_use]
pub fn msf(sectors: u64) -> String {
    let seconds = sectors / SECTORS_PER_SECOND;
    format!("{:02}:{:02}:{:02}", seconds / 60, seconds % 60, sectors % SECTORS_PER_SECOND)
}

/// The sheet of an image whose file has the name `file`.
#[must_use]
pub fn sheet(album: &Album, plan: &Plan, file: &str) -> String {
    let mut text = String::new();
    // writing to a String cannot fail
    if !album.date.is_empty() {
        let _ = writeln!(text, "REM DATE {}", album.date);
    }
    if !album.upc.is_empty() {
        let _ = writeln!(text, "CATALOG {}", code::catalogue(&album.upc));
    }
    let _ = writeln!(text, "PERFORMER \"{}\"", quoted(&album.artist));
    let _ = writeln!(text, "TITLE \"{}\"", quoted(&album.title));
    let _ = writeln!(text, "FILE \"{}\" WAVE", quoted(file));
    for (n, (track, Mark { pause_sector, start_sector })) in album.numbered().zip(&plan.marks).enumerate() {
        let _ = writeln!(text, "  TRACK {:02} AUDIO", n + 1);
        let _ = writeln!(text, "    TITLE \"{}\"", quoted(&track.title));
        let _ = writeln!(text, "    PERFORMER \"{}\"", quoted(&track.artist));
        if !track.composer.is_empty() {
            let _ = writeln!(text, "    SONGWRITER \"{}\"", quoted(&track.composer));
        }
        if !track.isrc.is_empty() {
            let _ = writeln!(text, "    ISRC {}", track.isrc);
        }
        if let Some(pause) = pause_sector {
            let _ = writeln!(text, "    INDEX 00 {}", msf(*pause));
        }
        let _ = writeln!(text, "    INDEX 01 {}", msf(*start_sector));
    }
    text
}

/// What FLAC's CUESHEET block holds of it: codes and places.
#[must_use]
pub(super) fn block(album: &Album, plan: &Plan) -> String {
    let mut text = String::new();
    if !album.upc.is_empty() {
        let _ = writeln!(text, "CATALOG {}", code::catalogue(&album.upc));
    }
    let _ = writeln!(text, "FILE \"image.flac\" FLAC");
    for (n, (track, Mark { pause_sector, start_sector })) in album.numbered().zip(&plan.marks).enumerate() {
        let _ = writeln!(text, "  TRACK {:02} AUDIO", n + 1);
        if !track.isrc.is_empty() {
            let _ = writeln!(text, "    ISRC {}", track.isrc);
        }
        if let Some(pause) = pause_sector {
            let _ = writeln!(text, "    INDEX 00 {}", msf(*pause));
        }
        let _ = writeln!(text, "    INDEX 01 {}", msf(*start_sector));
    }
    text
}

/// The format has no way to write a double quote in a string.
fn quoted(text: &str) -> String {
    text.replace('"', "'")
}
