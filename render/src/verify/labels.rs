//! Titles, codes and loudness in a file's own tags.

use super::{Trouble, flac_blocks, riff};
use crate::album::code;
use crate::album::manifest::{Manifest, Piece, Set};
use crate::album::plan::sectors_to_frames;
use std::path::Path;

/// A name, as the container calls it, and what it should say.
type Expected = Vec<(&'static str, String)>;

pub(super) fn check(folder: &Path, manifest: &Manifest, set: &Set, piece: &Piece) -> Vec<Trouble> {
    let path = folder.join(&piece.path);
    let unreadable = |e: std::io::Error| vec![Trouble::new(&piece.path, "", format!("its tags cannot be read ({e})"))];
    match set.format.as_str() {
        "flac16" | "flac24" => match flac_blocks::read(&path) {
            Ok(blocks) => {
                let mut troubles = compare(piece, "tag", &tags(manifest, piece), &blocks.comments);
                if piece.track.is_none() && set.sample_rate_hz == 44_100 {
                    troubles.extend(flac_cue(manifest, set, piece, blocks.cue.as_ref()));
                }
                troubles
            }
            Err(e) => unreadable(e),
        },
        "wav16" | "wav24" | "wav32f" => match riff::read(&path) {
            Ok(wave) => broadcast(manifest, piece, &wave),
            Err(e) => unreadable(e),
        },
        _ => match lossy(&path) {
            Ok(found) => {
                let expected = tags(manifest, piece);
                let text = |name: &str| expected.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
                let mut troubles = vec![];
                for name in ["TITLE", "ARTIST", "ALBUM", "ISRC"] {
                    if let Some(value) = text(name)
                        && !found.contains(&value)
                    {
                        troubles.push(Trouble::new(&piece.path, format!("tag {name}"), format!("is not '{value}'")));
                    }
                }
                troubles
            }
            Err(what) => vec![Trouble::new(&piece.path, "", what)],
        },
    }
}

/// Tags of a piece by their Vorbis names; none that is empty.
fn tags(manifest: &Manifest, piece: &Piece) -> Expected {
    let number = piece.track.unwrap_or(0);
    let entry = manifest.tracks.iter().find(|t| t.number == number);
    let text = |value: &str| value.to_owned();
    let mut tags = vec![("ALBUM", text(&manifest.title)), ("ALBUMARTIST", text(&manifest.artist))];
    match (piece.track, entry) {
        (None, _) => tags.extend([("TITLE", text(&manifest.title)), ("ARTIST", text(&manifest.artist))]),
        (Some(number), Some(entry)) => tags.extend([
            ("TITLE", text(&entry.title)),
            ("ARTIST", text(&entry.artist)),
            ("COMPOSER", text(&entry.composer)),
            ("TRACKNUMBER", number.to_string()),
            ("TRACKTOTAL", manifest.tracks.len().to_string()),
            ("ISRC", text(&entry.isrc)),
        ]),
        // music hidden before the first track is in no list
        (Some(_), None) => {}
    }
    tags.extend([("DATE", text(&manifest.date)), ("BARCODE", text(&manifest.upc))]);
    tags.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn compare(piece: &Piece, kind: &str, expected: &Expected, found: &[(String, String)]) -> Vec<Trouble> {
    let mut troubles = vec![];
    for (name, value) in expected {
        let place = format!("{kind} {name}");
        match found.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            None => troubles.push(Trouble::new(&piece.path, place, format!("is missing, expected '{value}'"))),
            Some((_, text)) if text != value => {
                troubles.push(Trouble::new(&piece.path, place, format!("is '{text}', expected '{value}'")));
            }
            Some(_) => {}
        }
    }
    troubles
}

fn flac_cue(manifest: &Manifest, set: &Set, piece: &Piece, cue: Option<&flac_blocks::FlacCue>) -> Vec<Trouble> {
    let Some(cue) = cue else {
        return vec![Trouble::new(&piece.path, "CUESHEET", "is missing")];
    };
    let mut troubles = vec![];
    let mut differs = |place: String, found: &str, expected: &str| {
        if found != expected {
            let place = format!("CUESHEET{place}");
            troubles.push(Trouble::new(&piece.path, place, format!("is '{found}', expected '{expected}'")));
        }
    };
    differs(", catalogue number".to_owned(), &cue.catalogue, &code::catalogue(&manifest.upc));
    differs(", tracks".to_owned(), &cue.tracks.len().to_string(), &manifest.tracks.len().to_string());
    let frames = |sector: u64| sectors_to_frames(sector, set.sample_rate_hz);
    differs(", lead-out".to_owned(), &cue.end.to_string(), &frames(manifest.end_sector).to_string());
    for (entry, track) in manifest.tracks.iter().zip(&cue.tracks) {
        let place = |what: &str| format!(", track {}{what}", entry.number);
        differs(place(""), &track.number.to_string(), &entry.number.to_string());
        differs(place(", ISRC"), &track.isrc, &entry.isrc);
        let mut expected: Vec<(u8, u64)> = entry.pause_sector.map(|s| (0, frames(s))).into_iter().collect();
        expected.push((1, frames(entry.start_sector)));
        let show = |points: &[(u8, u64)]| {
            points.iter().map(|(n, at)| format!("{n:02} at {at}")).collect::<Vec<_>>().join(", ")
        };
        differs(place(", index"), &show(&track.points), &show(&expected));
    }
    troubles
}

fn broadcast(manifest: &Manifest, piece: &Piece, wave: &riff::BroadcastWave) -> Vec<Trouble> {
    let tags = tags(manifest, piece);
    let hidden = piece.track == Some(0);
    let get = |name: &str| tags.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v.as_str());
    let info: Expected =
        [("INAM", "TITLE"), ("IART", "ARTIST"), ("IPRD", "ALBUM"), ("IPRT", "TRACKNUMBER"), ("ICRD", "DATE")]
            .into_iter()
            .map(|(name, tag)| (name, get(tag).to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
    let mut troubles = compare(piece, "INFO", &info, &wave.info);
    let mut differs = |place: &str, found: &str, expected: &str| {
        if found != expected {
            troubles.push(Trouble::new(&piece.path, place, format!("is '{found}', expected '{expected}'")));
        }
    };
    differs("bext, version", &wave.version.to_string(), "2");
    if !hidden {
        differs("bext, reference", &wave.reference, get("ISRC"));
        let ascii = |c: char| if c.is_ascii() && !c.is_control() { c } else { '_' };
        let description: String = get("TITLE").chars().map(ascii).take(256).collect();
        differs("bext, description", &wave.description, &description);
    }
    differs("bext, date", &wave.date, &manifest.date);
    let expected = [piece.integrated_lufs, piece.loudness_range_lu, piece.true_peak_dbtp];
    for ((name, found), expected) in ["loudness", "loudness range", "true peak"].iter().zip(wave.loudness).zip(expected)
    {
        let text = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |v| format!("{v:.2}"));
        differs(&format!("bext, {name}"), &text(found), &text(expected));
    }
    let isrc = get("ISRC");
    if !isrc.is_empty() {
        let found = between(&wave.axml, "<dc:identifier>ISRC:", "</dc:identifier>").unwrap_or("");
        differs("axml, ISRC", found, isrc);
        let title = between(&wave.axml, "<dc:title>", "</dc:title>").unwrap_or("");
        differs("axml, title", &unescape(title), get("TITLE"));
    }
    troubles
}

pub(super) fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(inner, _)| inner)
}

pub(super) fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

/// All texts in the tags of a lossy file.
fn lossy(path: &Path) -> Result<Vec<String>, String> {
    use symphonia::core::formats::FormatOptions;
    use symphonia::core::formats::probe::Hint;
    use symphonia::core::io::MediaSourceStream;
    use symphonia::core::meta::MetadataOptions;
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|e| e.to_string())?;
    let mut texts = vec![];
    let mut metadata = format.metadata();
    loop {
        let tags = metadata.current().into_iter().flat_map(|revision| &revision.media.tags);
        texts.extend(tags.map(|tag| tag.raw.value.to_string()));
        if metadata.pop().is_none() {
            break;
        }
    }
    Ok(texts)
}
