//! `tandem mix`.

use super::progress::Progress;
use super::{Outcome, print, warn};
use crate::Options;
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tandem_render::beside;
use tandem_render::fault::{Fault, Result};
use tandem_render::mixing::{self, HEADROOM_DBFS, Mixed};
use tandem_render::session::{self, Session};
use tandem_render::show;
use tandem_render::starting_session::StartingSession;
use tandem_render::stem::Stem;
use tandem_render::toml_file;

/// Mix a session, or a folder of stems, to one file with headroom for mastering
#[derive(Args)]
#[command(after_help = "\
A folder of stems gets a session to start from, written beside the mix: presets and sides by the files' names. Edit it and mix it.

Examples: tandem mix stems/
          tandem mix mix.toml --out second.wav --stems")]
pub struct Arguments {
    /// A session file (TOML), or a folder with stems in it
    input: PathBuf,
    /// The mix, a 32-bit float WAV file
    #[arg(long, default_value = "mix.wav")]
    out: PathBuf,
    /// Write all that feeds the mix as well, into a folder beside it: these files sum to the mix
    #[arg(long)]
    stems: bool,
}

/// Mixes.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let out = arguments.out.as_path();
    if !out.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav")) {
        return Err(Fault::in_file(out, "is not the name of a WAV file", "let it end with .wav"));
    }
    let folder = out.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let what = format!("cannot be written (there is no folder {})", folder.display());
        return Err(Fault::in_file(out, what, "choose a folder with room that you may write to"));
    }
    let stems = arguments.stems.then(|| {
        let name = out.file_stem().unwrap_or_default().to_string_lossy();
        out.with_file_name(format!("{name}_stems"))
    });
    let progress = Progress::new(options);
    let mix = |session: &Session| {
        keep_sources(session, out)?;
        let bar = progress.bar(&out.file_name().unwrap_or_default().to_string_lossy());
        mixing::mix(session, out, stems.as_deref(), |share| bar.at("", share))
    };
    let (session, mixed, written) = if arguments.input.is_dir() {
        let path = out.with_extension("toml");
        let start = StartingSession::of_folder(&arguments.input, &path, out)?;
        keep_edits(&start, &path)?;
        let session = session::parse(&path, &start.text(None))?;
        let mixed = mix(&session)?;
        beside::write_text(&path, &start.text(Some((mixed.gain_db, mixed.peak_dbfs))))?;
        (session, mixed, Some((path, start)))
    } else {
        let session = session::read(&arguments.input)?;
        let mixed = mix(&session)?;
        (session, mixed, None)
    };
    advise(out, &mixed, written.is_some());
    let session_path = written.as_ref().map(|(path, _)| path.as_path());
    if options.json {
        print(&format!("{:#}\n", object(out, &session, &mixed, session_path)));
    } else if !options.quiet {
        let chosen = written.as_ref().map_or_else(String::new, |(_, start)| start.overview());
        print(&(chosen + &summary(out, &session, &mixed, session_path)));
    }
    Ok(Outcome::Good)
}

/// No mix may take the place of a stem that it is made of.
fn keep_sources(session: &Session, out: &Path) -> Result<()> {
    let here = std::fs::canonicalize(out);
    let is_stem = session.tracks.iter().any(|t| match &t.stem {
        Stem::File { path, .. } => here.is_ok() && std::fs::canonicalize(path).ok() == here.as_ref().ok().cloned(),
        Stem::Memory(_) => false,
    });
    if is_stem {
        return Err(Fault::in_file(out, "is one of the stems", "give the mix another name with --out"));
    }
    Ok(())
}

/// A session that a person has edited is not written over.
fn keep_edits(start: &StartingSession, path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let without_gain =
        |text: &str| text.lines().filter(|l| !l.starts_with("mix_gain_db")).collect::<Vec<_>>().join("\n");
    if without_gain(&toml_file::read_text(path)?) != without_gain(&start.text(None)) {
        let cure = format!("mix it (tandem mix {}), remove it, or choose another --out", path.display());
        return Err(Fault::in_file(path, "is there already and would be written over", cure));
    }
    Ok(())
}

/// What to do where a mix has no headroom, or a gain would have to be measured again each time.
fn advise(out: &Path, mixed: &Mixed, frozen: bool) {
    let Some(peak) = mixed.peak_dbfs else {
        return warn(&format!("{}: the mix is silent", out.display()));
    };
    let gain_db = mixed.gain_db;
    if !mixed.has_headroom() {
        let (low, high) = HEADROOM_DBFS;
        let better = gain_db + (low + high) / 2.0 - peak;
        warn(&format!(
            "{}: peaks at {peak:.2} dBFS, mastering asks for {low} to {high}; write mix_gain_db = {better:.2} into the session",
            out.display()
        ));
    } else if mixed.measured && !frozen && gain_db != 0.0 {
        warn(&format!(
            "{}: a gain of {gain_db:.2} dB was measured; write mix_gain_db = {gain_db:.2} into the session to keep it",
            out.display()
        ));
    }
}

fn summary(out: &Path, session: &Session, mixed: &Mixed, session_path: Option<&Path>) -> String {
    let seconds = mixed.frames as f64 / f64::from(session.sample_rate_hz);
    let mut text = format!(
        "\x1b[1m{}\x1b[0m  {}  {} Hz  32 bit float\n  Peak {}, gain {}{}\n",
        out.display(),
        show::time(seconds),
        session.sample_rate_hz,
        show::figure(mixed.peak_dbfs, 2, "dBFS"),
        show::figure(Some(mixed.gain_db), 2, "dB"),
        if mixed.measured { " (measured)" } else { "" },
    );
    // writing to a String cannot fail
    if let Some(path) = session_path {
        let _ = writeln!(text, "  {}: the session, to be edited", path.display());
    }
    for stem in &mixed.stems {
        let _ = writeln!(text, "  {}", stem.display());
    }
    text
}

fn object(out: &Path, session: &Session, mixed: &Mixed, session_path: Option<&Path>) -> serde_json::Value {
    json!({
        "file": out.display().to_string(),
        "session": session_path.map(|p| p.display().to_string()),
        "sample_rate_hz": session.sample_rate_hz,
        "frames": mixed.frames,
        "gain_db": mixed.gain_db,
        "gain_measured": mixed.measured,
        "sample_peak_dbfs": mixed.peak_dbfs,
        "stems": mixed.stems.iter().map(|p| p.display().to_string()).collect::<Vec<_>>(),
    })
}
