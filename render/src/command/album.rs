//! `tandem album`.

use super::progress::Progress;
use super::{Outcome, print};
use crate::Options;
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use tandem_render::album::order::Album;
use tandem_render::album::{cue, deliver};
use tandem_render::fault::{Fault, Result};

/// Sequence an album and deliver it: images with cue sheets, tracks, PQ sheets, checksums
#[derive(Args)]
#[command(after_help = "Example: tandem album album.toml --out delivery")]
pub struct Arguments {
    /// The album file
    album: PathBuf,
    /// Where the delivery goes: a folder that is empty or not there yet
    #[arg(long)]
    out: PathBuf,
}

/// Delivers, and says what.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let album = Album::read(&arguments.album)?;
    let delivered = {
        let progress = Progress::new(options);
        let bar = progress.bar(&album.title);
        deliver(&album, &arguments.out, &|doing, share| bar.at(doing, share))?
    };
    let manifest = &delivered.manifest;
    if options.json {
        let json = serde_json::to_string_pretty(manifest)
            .map_err(|e| Fault::in_file(&arguments.album, e.to_string(), "report this as a defect"))?;
        print(&(json + "\n"));
        return Ok(Outcome::Good);
    }
    let mut text = String::new();
    if !options.quiet {
        let _ =
            writeln!(text, "\x1b[1m{}\x1b[0m, {}: {}", manifest.title, manifest.artist, cue::msf(manifest.end_sector));
        for track in &manifest.tracks {
            let _ = writeln!(
                text,
                "  {:02}  {}  {:<12}  {}",
                track.number,
                cue::msf(track.start_sector),
                track.isrc,
                track.title
            );
        }
        for set in &manifest.deliverables {
            let _ = writeln!(text, "  {} × {} at {} Hz", set.files.len(), set.format, set.sample_rate_hz);
        }
    }
    for note in &delivered.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    print(&text);
    Ok(Outcome::Good)
}
