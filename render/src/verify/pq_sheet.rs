//! PQ sheets: both say what the marks say, and their arithmetic is right.

use super::Trouble;
use super::cue_sheet::sectors;
use super::labels::unescape;
use crate::album::manifest::{self, Manifest};
use std::path::Path;

/// The seven cells of a line.
type Row = [String; 7];

pub(super) fn check(folder: &Path, manifest: &Manifest) -> Vec<Trouble> {
    let mut troubles = vec![];
    for (name, rows) in [(manifest::PQ_TEXT, text_rows as fn(&str) -> Vec<Row>), (manifest::PQ_PAGE, page_rows)] {
        match std::fs::read_to_string(folder.join(name)) {
            Ok(text) => troubles.extend(check_rows(name, &rows(&text), manifest)),
            Err(e) => troubles.push(Trouble::new(name, "", format!("cannot be read ({e})"))),
        }
    }
    troubles
}

/// Lines after the one that begins with `Track`. Titles come last, and may have spaces; a pause and the lead-out have no
/// ISRC.
fn text_rows(text: &str) -> Vec<Row> {
    let table = text.lines().skip_while(|l| !l.starts_with("Track  ")).skip(1).take_while(|l| !l.is_empty());
    let cell =
        |line: &str, from: usize, len: usize| line.chars().skip(from).take(len).collect::<String>().trim().to_owned();
    table
        .map(|line| {
            [(0, 5), (7, 5), (14, 8), (24, 8), (34, 8), (44, 12), (58, usize::MAX)]
                .map(|(from, len)| cell(line, from, len))
        })
        .collect()
}

fn page_rows(page: &str) -> Vec<Row> {
    let lines = page.lines().filter(|l| l.starts_with("<tr><td>"));
    lines
        .filter_map(|line| {
            let cells = line.strip_prefix("<tr><td>")?.strip_suffix("</td></tr>")?;
            let cells: Vec<String> = cells.split("</td><td>").map(unescape).collect();
            cells.try_into().ok()
        })
        .collect()
}

fn check_rows(name: &str, rows: &[Row], manifest: &Manifest) -> Vec<Trouble> {
    // number, index, place, ISRC, title
    let mut expected: Vec<(String, &str, u64, &str, &str)> = vec![];
    for track in &manifest.tracks {
        let number = format!("{:02}", track.number);
        if let Some(pause) = track.pause_sector {
            expected.push((number.clone(), "00", pause, "", "pause"));
        }
        expected.push((number, "01", track.start_sector, &track.isrc, &track.title));
    }
    expected.push(("AA".to_owned(), "AA", manifest.end_sector, "", "lead-out"));
    let mut troubles = vec![];
    if rows.len() != expected.len() {
        let what = format!("has {} lines, expected {}", rows.len(), expected.len());
        troubles.push(Trouble::new(name, "table", what));
    }
    for (n, (row, (number, index, at, isrc, title))) in rows.iter().zip(&expected).enumerate() {
        let [found_number, found_index, found_at, on_disc, lasts, found_isrc, found_title] = row;
        let place = format!("track {number}, index {index}");
        let mut differs = |column: &str, found: &str, expected: &str| {
            if found != expected {
                let place = format!("{place}, {column}");
                troubles.push(Trouble::new(name, place, format!("is '{found}', expected '{expected}'")));
            }
        };
        differs("track", found_number, number);
        differs("index", found_index, index);
        differs("ISRC", found_isrc, isrc);
        differs("title", found_title, title.trim());
        let sector = |text: &str| sectors(text).map_or_else(|| format!("'{text}'"), |s| s.to_string());
        differs("at, in 1/75 s", &sector(found_at), &at.to_string());
        differs("on disc, in 1/75 s", &sector(on_disc), &(at + 150).to_string());
        if let Some((_, _, next, _, _)) = expected.get(n + 1) {
            differs("lasts, in 1/75 s", &sector(lasts), &next.saturating_sub(*at).to_string());
        }
    }
    troubles
}
