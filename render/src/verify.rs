//! Whether a delivery is still what was delivered: everything is read back, with other code than wrote it, and held against
//! `album.json`, against each other, and against the checksums.

mod audio;
mod cue_sheet;
mod flac_blocks;
mod labels;
mod pq_sheet;
mod riff;

use crate::album::code;
use crate::album::deliver_sha256;
use crate::album::manifest::{self, Manifest};
use crate::fault::{Fault, Result};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Something that is not as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Trouble {
    /// The file, as a path within the delivery.
    pub file: String,
    /// Where in the file; may be empty.
    pub place: String,
    /// What was found, and what was expected.
    pub what: String,
}

impl Trouble {
    fn new(file: &str, place: impl Into<String>, what: impl Into<String>) -> Self {
        Trouble { file: file.to_owned(), place: place.into(), what: what.into() }
    }
}

/// Reads a whole delivery back. Returns what is wrong with it, file by file; nothing if all is well.
///
/// # Errors
/// A folder that is no delivery.
pub fn verify(folder: &Path) -> Result<Vec<Trouble>> {
    let path = folder.join(manifest::NAME);
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Fault::in_file(&path, format!("cannot be read ({e})"), "name a folder that tandem album made"))?;
    let mut troubles = vec![];
    match serde_json::from_str::<Manifest>(&text) {
        Ok(manifest) => troubles.extend(against_manifest(folder, &manifest)),
        Err(e) => troubles.push(Trouble::new(
            manifest::NAME,
            format!("line {}", e.line()),
            format!("cannot be understood ({e})"),
        )),
    }
    troubles.extend(checksums(folder)?);
    troubles.sort();
    troubles.dedup();
    Ok(troubles)
}

fn against_manifest(folder: &Path, manifest: &Manifest) -> Vec<Trouble> {
    let mut troubles = codes(manifest);
    let pieces: Vec<_> =
        manifest.deliverables.iter().flat_map(|set| set.files.iter().map(move |piece| (set, piece))).collect();
    let found: Vec<Vec<Trouble>> = pieces
        .par_iter()
        .map(|(set, piece)| {
            let mut troubles = audio::check(folder, manifest, set, piece);
            if folder.join(&piece.path).is_file() {
                troubles.extend(labels::check(folder, manifest, set, piece));
            }
            if set.kind == "image" {
                troubles.extend(cue_sheet::check(folder, manifest, piece));
            }
            troubles
        })
        .collect();
    troubles.extend(found.into_iter().flatten());
    troubles.extend(pq_sheet::check(folder, manifest));
    troubles
}

/// Codes by their own arithmetic, and the order of marks.
fn codes(manifest: &Manifest) -> Vec<Trouble> {
    let mut troubles = vec![];
    let mut trouble = |place: String, what: String| troubles.push(Trouble::new(manifest::NAME, place, what));
    if !manifest.upc.is_empty()
        && let Err(what) = code::upc(&manifest.upc)
    {
        trouble("upc".to_owned(), what);
    }
    let mut seen = BTreeSet::new();
    let mut last = None;
    for track in &manifest.tracks {
        let place = format!("track {}", track.number);
        if !track.isrc.is_empty() {
            if let Err(what) = code::isrc(&track.isrc) {
                trouble(place.clone(), what);
            }
            if !seen.insert(&track.isrc) {
                trouble(place.clone(), format!("isrc {} is there twice", track.isrc));
            }
        }
        for sector in track.pause_sector.into_iter().chain([track.start_sector]) {
            if last.is_some_and(|last| sector <= last) || sector >= manifest.end_sector {
                trouble(place.clone(), format!("begins at {sector}/75 s, which is out of order"));
            }
            last = Some(sector);
        }
    }
    troubles
}

/// Every file against its checksum; and no file more, and none less.
fn checksums(folder: &Path) -> Result<Vec<Trouble>> {
    let unreadable =
        |path: &Path, e: &std::io::Error| Fault::in_file(path, format!("cannot be read ({e})"), "make it readable");
    let mut there = BTreeMap::new();
    files(folder, folder, &mut there).map_err(|e| unreadable(folder, &e))?;
    let list_path = folder.join(manifest::CHECKSUMS);
    let mut troubles = vec![];
    let Some(_) = there.remove(manifest::CHECKSUMS) else {
        return Ok(vec![Trouble::new(manifest::CHECKSUMS, "", "is missing")]);
    };
    let text = match std::fs::read_to_string(&list_path) {
        Ok(text) => text,
        Err(e) => return Ok(vec![Trouble::new(manifest::CHECKSUMS, "", format!("cannot be read ({e})"))]),
    };
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for (n, line) in text.split_terminator('\n').enumerate() {
        let well_formed = line.split_once("  ").filter(|(sum, path)| {
            sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) && !path.is_empty()
        });
        match well_formed {
            Some((sum, path)) => {
                listed.insert(path, sum);
            }
            None => {
                troubles.push(Trouble::new(manifest::CHECKSUMS, format!("line {}", n + 1), "is no checksum and name"))
            }
        }
    }
    if !text.ends_with('\n') {
        troubles.push(Trouble::new(manifest::CHECKSUMS, "", "is truncated: its last line has no end"));
    }
    for (path, sum) in &listed {
        match there.remove(*path) {
            None => troubles.push(Trouble::new(path, "", "is missing")),
            Some(file) => match deliver_sha256(&file) {
                Ok(found) if found == *sum => {}
                Ok(_) => troubles.push(Trouble::new(path, "", "its bytes are not those of its checksum")),
                Err(e) => troubles.push(Trouble::new(path, "", format!("cannot be read ({e})"))),
            },
        }
    }
    troubles.extend(there.keys().map(|path| Trouble::new(path, "", "was not delivered: it has no checksum")));
    Ok(troubles)
}

/// All files under `folder`, by their paths within `root`.
fn files(root: &Path, folder: &Path, into: &mut BTreeMap<String, PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(root, &path, into)?;
        } else {
            let parts = path.strip_prefix(root).unwrap_or(&path).components();
            let name = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            into.insert(name, path);
        }
    }
    Ok(())
}
