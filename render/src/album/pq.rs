//! PQ sheets: where everything begins and ends, for those who press the disc and for the archive.

use super::cue::msf;
use super::manifest::{Entry, Manifest};
use crate::audio_file::labels::escape;
use std::fmt::Write;

/// The 2 s that a disc has before its first index (IEC 60908), in 1/75 s.
const LEAD_SECTORS: u64 = 150;

/// A line of the sheet.
struct Row {
    number: String,
    index: &'static str,
    title: String,
    isrc: String,
    /// From the first sample of the image.
    at: String,
    /// From the beginning of the disc's programme area.
    on_disc: String,
    /// To the next index.
    lasts: String,
}

/// The sheet's lines: a pause and a start for each track, and the lead-out. Each lasts until the next.
fn rows(manifest: &Manifest) -> Vec<Row> {
    let mut points: Vec<(u64, &'static str, Option<&Entry>)> = vec![];
    for track in &manifest.tracks {
        if let Some(pause) = track.pause_sector {
            points.push((pause, "00", Some(track)));
        }
        points.push((track.start_sector, "01", Some(track)));
    }
    points.push((manifest.end_sector, "AA", None));
    let ends = points.iter().skip(1).map(|(sector, _, _)| Some(*sector)).chain([None]);
    points
        .iter()
        .zip(ends)
        .map(|((sector, index, track), end)| Row {
            number: track.map_or_else(|| "AA".to_owned(), |t| format!("{:02}", t.number)),
            index,
            title: match track {
                Some(_) if *index == "00" => "pause".to_owned(),
                Some(track) => track.title.clone(),
                None => "lead-out".to_owned(),
            },
            isrc: track.filter(|_| *index == "01").map_or_else(String::new, |t| t.isrc.clone()),
            at: msf(*sector),
            on_disc: msf(sector + LEAD_SECTORS),
            lasts: end.map_or_else(String::new, |end| msf(end.saturating_sub(*sector))),
        })
        .collect()
}

fn heading(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let heading = [
        ("Title", manifest.title.clone()),
        ("Artist", manifest.artist.clone()),
        ("UPC/EAN", manifest.upc.clone()),
        ("Date", manifest.date.clone()),
        ("Tracks", manifest.tracks.len().to_string()),
        ("Length", msf(manifest.end_sector)),
    ];
    heading.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The sheet as text.
#[must_use]
pub fn text(manifest: &Manifest) -> String {
    let mut text = "PQ sheet\n\n".to_owned();
    for (name, value) in heading(manifest) {
        let _ = writeln!(text, "{name:<9}{value}");
    }
    let _ = writeln!(text, "\nTrack  Index  At        On disc   Lasts     ISRC          Title");
    for row in rows(manifest) {
        let line = format!(
            "{:<5}  {:<5}  {:<8}  {:<8}  {:<8}  {:<12}  {}",
            row.number, row.index, row.at, row.on_disc, row.lasts, row.isrc, row.title
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text + "\nTimes are minutes:seconds:frames of 1/75 s. On disc, the first track begins after 2 s.\n"
}

/// The sheet as a page that needs nothing beside it.
#[must_use]
pub fn page(manifest: &Manifest) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>PQ sheet: {0}</title>\
         <style>{STYLE}</style></head><body>\n<h1>PQ sheet: {0}</h1>\n<table class=\"heading\">\n",
        escape(&manifest.title)
    );
    for (name, value) in heading(manifest) {
        let _ = writeln!(page, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value));
    }
    page += "</table>\n<table>\n<tr><th>Track</th><th>Index</th><th>At</th><th>On disc</th><th>Lasts</th>\
             <th>ISRC</th><th>Title</th></tr>\n";
    for row in rows(manifest) {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            row.number,
            row.index,
            row.at,
            row.on_disc,
            row.lasts,
            row.isrc,
            escape(&row.title)
        );
    }
    page + "</table>\n<p>Times are minutes:seconds:frames of 1/75 s. On disc, the first track begins after 2 s.</p>\n\
            </body></html>\n"
}

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:40px auto;max-width:900px;color:#16181c}\
h1{font-size:22px}table{border-collapse:collapse;margin:0 0 24px;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid #d9dde3}th{color:#5a626e;font-weight:500}\
p{color:#5a626e}@media print{body{margin:0}}";
