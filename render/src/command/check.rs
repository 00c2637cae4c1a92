//! `tandem check`.

use super::progress::{self, Progress};
use super::{Outcome, complain, print};
use crate::Options;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use tandem_render::check::{self, Finding, Purpose, Verdict};
use tandem_render::fault::Result;
use tandem_render::show;

/// Check files against the rules of what they are meant for; exit status 1 if any fails
#[derive(Args)]
#[command(after_help = "Example: tandem check mixes/*.wav --for mixdown")]
pub struct Arguments {
    /// WAV (BWF, RF64), AIFF, FLAC, MP3, Ogg or M4A; mono or stereo
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the files are meant for
    #[arg(long = "for", value_enum, value_name = "PURPOSE")]
    purpose: For,
}

#[derive(Clone, Copy, ValueEnum)]
enum For {
    /// On the way to a mastering engineer
    Mixdown,
    /// Spotify
    Spotify,
    /// Apple Music
    Apple,
    /// YouTube
    Youtube,
    /// TIDAL
    Tidal,
    /// Broadcast, EBU R 128
    Ebu,
    /// A lacquer cut
    Vinyl,
    /// An audio CD
    Redbook,
}

impl For {
    fn purpose(self) -> Purpose {
        match self {
            For::Mixdown => Purpose::Mixdown,
            For::Spotify => Purpose::Spotify,
            For::Apple => Purpose::Apple,
            For::Youtube => Purpose::Youtube,
            For::Tidal => Purpose::Tidal,
            For::Ebu => Purpose::Ebu,
            For::Vinyl => Purpose::Vinyl,
            For::Redbook => Purpose::Redbook,
        }
    }
}

/// Checks all files, on all cores; bad ones do not keep the others from being checked.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let purpose = arguments.purpose.purpose();
    let checked: Vec<Result<Vec<Finding>>> = {
        let progress = Progress::new(options);
        let measured = arguments.files.par_iter().map(|file| progress::measure(file, &progress));
        measured.map(|figures| Ok(check::check(&figures?, purpose))).collect()
    };
    let mut outcome = Outcome::Good;
    let mut objects = vec![];
    let mut text = String::new();
    for (file, findings) in arguments.files.iter().zip(checked) {
        match findings {
            Ok(findings) => {
                let passed = findings.iter().all(|f| f.verdict != Verdict::Fail);
                if !passed && outcome == Outcome::Good {
                    outcome = Outcome::CheckFailed;
                }
                if options.json {
                    objects.push(json!({ "file": file.display().to_string(), "passed": passed, "rules": findings }));
                } else {
                    let _ = writeln!(text, "\x1b[1m{}\x1b[0m", file.display());
                    let shown = findings.iter().filter(|f| !options.quiet || f.verdict != Verdict::Pass);
                    shown.for_each(|finding| text += &line(finding));
                    text.push('\n');
                }
            }
            Err(fault) => {
                complain(&fault);
                outcome = Outcome::BadInput;
            }
        }
    }
    if options.json {
        text = format!("{:#}\n", Value::Array(objects));
    }
    print(&text);
    Ok(outcome)
}

fn line(finding: &Finding) -> String {
    let (colour, verdict) = match finding.verdict {
        Verdict::Pass => ("32", "pass"),
        Verdict::Warn => ("33", "warn"),
        Verdict::Fail => ("31", "FAIL"),
    };
    let mut line = format!("  \x1b[{colour}m{verdict}\x1b[0m  {}: {}", finding.rule, finding.found);
    if finding.verdict != Verdict::Pass {
        let _ = write!(line, ", expected {}", finding.expected);
        if let Some(seconds) = finding.seconds {
            let _ = write!(line, ", at {}", show::time(seconds));
        }
        let _ = write!(line, "; {}", finding.cause);
    }
    line + "\n"
}
