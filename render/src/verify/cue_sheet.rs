//! A cue sheet, read as a burner reads it.

use super::Trouble;
use crate::album::code;
use crate::album::manifest::{Manifest, Piece};
use std::path::Path;

/// What a sheet says.
#[derive(Default)]
struct Sheet {
    catalogue: String,
    title: String,
    performer: String,
    file: String,
    tracks: Vec<SheetTrack>,
}

#[derive(Default)]
struct SheetTrack {
    number: u32,
    title: String,
    performer: String,
    songwriter: String,
    isrc: String,
    /// Number and place in 1/75 s.
    indices: Vec<(u32, u64)>,
}

pub(super) fn check(folder: &Path, manifest: &Manifest, piece: &Piece) -> Vec<Trouble> {
    let audio = Path::new(&piece.path);
    let name = audio.with_extension("cue").to_string_lossy().replace('\\', "/");
    let text = match std::fs::read_to_string(folder.join(&name)) {
        Ok(text) => text,
        Err(e) => return vec![Trouble::new(&name, "", format!("cannot be read ({e})"))],
    };
    let sheet = match parse(&text) {
        Ok(sheet) => sheet,
        Err((line, what)) => return vec![Trouble::new(&name, format!("line {line}"), what)],
    };
    let mut troubles = vec![];
    let mut differs = |place: &str, found: &str, expected: &str| {
        if found != expected {
            troubles.push(Trouble::new(&name, place, format!("is '{found}', expected '{expected}'")));
        }
    };
    let quoted = |text: &str| text.replace('"', "'");
    differs("CATALOG", &sheet.catalogue, &code::catalogue(&manifest.upc));
    differs("TITLE", &sheet.title, &quoted(&manifest.title));
    differs("PERFORMER", &sheet.performer, &quoted(&manifest.artist));
    let file = audio.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    differs("FILE", &sheet.file, &file);
    differs("tracks", &sheet.tracks.len().to_string(), &manifest.tracks.len().to_string());
    for (entry, track) in manifest.tracks.iter().zip(&sheet.tracks) {
        let place = |what: &str| format!("track {:02}, {what}", entry.number);
        differs(&place("number"), &track.number.to_string(), &entry.number.to_string());
        differs(&place("TITLE"), &track.title, &quoted(&entry.title));
        differs(&place("PERFORMER"), &track.performer, &quoted(&entry.artist));
        differs(&place("SONGWRITER"), &track.songwriter, &quoted(&entry.composer));
        differs(&place("ISRC"), &track.isrc, &entry.isrc);
        for (number, expected) in [(0, entry.pause_sector), (1, Some(entry.start_sector))] {
            let found = track.indices.iter().find(|(n, _)| *n == number).map(|(_, at)| *at);
            if found != expected {
                let show = |at: Option<u64>| at.map_or_else(|| "not there".to_owned(), crate::album::cue::msf);
                let off = match (found, expected) {
                    (Some(found), Some(expected)) => format!(", {} frames off", found.abs_diff(expected)),
                    _ => String::new(),
                };
                let what = format!("is {}, expected {}{off}", show(found), show(expected));
                troubles.push(Trouble::new(&name, place(&format!("INDEX {number:02}")), what));
                // the closure above borrows the list; its place is taken here
                return troubles;
            }
        }
    }
    troubles
}

fn parse(text: &str) -> Result<Sheet, (usize, String)> {
    let mut sheet = Sheet::default();
    for (n, line) in text.lines().enumerate() {
        let bad = |what: &str| (n + 1, format!("{what}: '{}'", line.trim()));
        let (word, rest) = line.trim().split_once(' ').ok_or_else(|| bad("no command"))?;
        let unquoted = || {
            rest.strip_prefix('"')
                .and_then(|r| r.rsplit_once('"'))
                .map(|(inner, _)| inner.to_owned())
                .ok_or_else(|| bad("no text in quotes"))
        };
        match (word, sheet.tracks.last_mut()) {
            ("REM", _) => {}
            ("CATALOG", None) => sheet.catalogue = rest.to_owned(),
            ("FILE", None) => sheet.file = unquoted()?,
            ("TITLE", None) => sheet.title = unquoted()?,
            ("PERFORMER", None) => sheet.performer = unquoted()?,
            ("TRACK", _) => {
                let number =
                    rest.strip_suffix(" AUDIO").and_then(|n| n.parse().ok()).ok_or_else(|| bad("no audio track"))?;
                sheet.tracks.push(SheetTrack { number, ..SheetTrack::default() });
            }
            ("TITLE", Some(track)) => track.title = unquoted()?,
            ("PERFORMER", Some(track)) => track.performer = unquoted()?,
            ("SONGWRITER", Some(track)) => track.songwriter = unquoted()?,
            ("ISRC", Some(track)) => rest.clone_into(&mut track.isrc),
            ("INDEX", Some(track)) => {
                let index = rest.split_once(' ').and_then(|(n, at)| Some((n.parse().ok()?, sectors(at)?)));
                track.indices.push(index.ok_or_else(|| bad("no index"))?);
            }
            _ => return Err(bad("an unknown command")),
        }
    }
    Ok(sheet)
}

/// `mm:ss:ff` in 1/75 s.
pub(super) fn sectors(text: &str) -> Option<u64> {
    let parts: Vec<u64> = text.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    match parts[..] {
        [minutes, seconds, frames] if seconds < 60 && frames < 75 => Some((minutes * 60 + seconds) * 75 + frames),
        _ => None,
    }
}
