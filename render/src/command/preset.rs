//! `tandem preset`.

use super::{Outcome, complain, print};
use crate::Options;
use clap::{Args, Subcommand};
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::preset::{self, Loaded, Trouble};
use serde_json::json;
use std::path::{Path, PathBuf};
use tandem_render::fault::{Fault, Result};
use tandem_render::presets::{self, BuiltIn, Preset};
use tandem_render::toml_file;

/// List, show and check presets
#[derive(Args)]
#[command(after_help = "\
Examples: tandem preset list
          tandem preset show lead_vocal > my_vocal.toml
          tandem preset check presets/*.toml")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the presets that come with Tandem
    List,
    /// Print one of them, to start your own from
    Show {
        /// Its name, as `tandem preset list` shows it
        name: String,
    },
    /// Check preset files: every unknown key and every value out of range is named
    Check {
        /// Presets of Tandem Channel or Tandem Master
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Lists, shows or checks.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    match &arguments.what {
        What::List => list(options),
        What::Show { name } => show(name),
        What::Check { files } => return check(files, options),
    }
    .map(|()| Outcome::Good)
}

fn all() -> impl Iterator<Item = (&'static str, &'static Preset)> {
    let channel = ChannelStripParams::presets().iter().map(|p| (ChannelStripParams::KIND, p));
    channel.chain(MasteringBusParams::presets().iter().map(|p| (MasteringBusParams::KIND, p)))
}

fn list(options: Options) -> Result<()> {
    if options.json {
        let object = |(kind, p): (&str, &Preset)| json!({ "for": kind, "name": p.name, "purpose": p.purpose() });
        print(&format!("{:#}\n", serde_json::Value::Array(all().map(object).collect())));
        return Ok(());
    }
    let widest = all().map(|(_, p)| p.name.len()).max().unwrap_or(0);
    let line = |(kind, p): (&str, &Preset)| format!("{kind:7}  \x1b[1m{:widest$}\x1b[0m  {}\n", p.name, p.purpose());
    print(&all().map(line).collect::<String>());
    Ok(())
}

fn show(name: &str) -> Result<()> {
    match presets::find::<ChannelStripParams>(name).or_else(|| presets::find::<MasteringBusParams>(name)) {
        Some(found) => {
            print(found.text);
            Ok(())
        }
        None => {
            let known: Vec<String> = all().map(|(_, p)| p.name.to_owned()).collect();
            let cure = preset::nearest(name, &known)
                .map_or_else(|| "see tandem preset list".to_owned(), |near| format!("did you mean '{near}'?"));
            Err(Fault { place: "preset".to_owned(), what: format!("there is no built-in preset '{name}'"), cure })
        }
    }
}

/// Checks all files; one that cannot be read does not keep the others from being checked.
fn check(files: &[PathBuf], options: Options) -> Result<Outcome> {
    let mut outcome = Outcome::Good;
    for file in files {
        match troubles(file) {
            Ok((kind, found)) => {
                for Trouble { place, what, cure } in &found {
                    complain(&Fault::within(file, place, what, cure));
                    if outcome == Outcome::Good {
                        outcome = Outcome::CheckFailed;
                    }
                }
                if found.is_empty() && !options.quiet {
                    print(&format!("{}: right, for {kind}\n", file.display()));
                }
            }
            Err(fault) => {
                complain(&fault);
                outcome = Outcome::BadInput;
            }
        }
    }
    Ok(outcome)
}

/// What a preset is for, and what is wrong with it: it is taken for the kind with which less is wrong.
fn troubles(file: &Path) -> Result<(&'static str, Vec<Trouble>)> {
    let table: toml::Table = toml_file::read(file)?;
    let channel: Loaded<ChannelStripParams> = preset::from_table(&table, ChannelStripParams::default());
    let master: Loaded<MasteringBusParams> = preset::from_table(&table, MasteringBusParams::default());
    // stages tell the two apart, better than any number of misspelt controls
    let wrong = |troubles: &[Trouble]| (troubles.iter().filter(|t| !t.place.contains('.')).count(), troubles.len());
    Ok(if wrong(&channel.troubles) <= wrong(&master.troubles) {
        ("Tandem Channel", channel.troubles)
    } else {
        ("Tandem Master", master.troubles)
    })
}
