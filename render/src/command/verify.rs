//! `tandem verify`.

use super::{Outcome, print};
use crate::Options;
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use tandem_render::fault::{Fault, Result};
use tandem_render::verify::verify;

/// Read a delivery back and name all that is not as it was delivered; exit status 1 if anything is
#[derive(Args)]
#[command(after_help = "Example: tandem verify delivery")]
pub struct Arguments {
    /// A folder that `tandem album` made
    folder: PathBuf,
}

/// Verifies, and names the troubles.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let troubles = verify(&arguments.folder)?;
    let outcome = if troubles.is_empty() { Outcome::Good } else { Outcome::CheckFailed };
    if options.json {
        let value = json!({ "folder": arguments.folder.display().to_string(), "good": troubles.is_empty(), "troubles": troubles });
        let text = serde_json::to_string_pretty(&value)
            .map_err(|e| Fault::in_file(&arguments.folder, e.to_string(), "report this as a defect"))?;
        print(&(text + "\n"));
        return Ok(outcome);
    }
    let mut text = String::new();
    for trouble in &troubles {
        let place = if trouble.place.is_empty() { String::new() } else { format!("{}: ", trouble.place) };
        let _ = writeln!(text, "\x1b[31mFAIL\x1b[0m  {}: {place}{}", trouble.file, trouble.what);
    }
    if troubles.is_empty() && !options.quiet {
        let _ =
            writeln!(text, "\x1b[32mpass\x1b[0m  {}: everything is as it was delivered", arguments.folder.display());
    }
    print(&text);
    Ok(outcome)
}
