//! The program `tandem`: what the plugins do, and what no plugin can, from the command line.

#![forbid(unsafe_code)]

mod command;

use clap::{Args, Parser, Subcommand};
use command::Outcome;
use std::process::ExitCode;

/// Mix, master, measure and release from the command line.
#[derive(Parser)]
#[command(name = "tandem", version, about, after_help = EXIT_STATUSES, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

/// What every command takes.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Say nothing but what was asked for, and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Mix(command::mix::Arguments),
    Master(command::master::Arguments),
    Measure(command::measure::Arguments),
    Check(command::check::Arguments),
    Preset(command::preset::Arguments),
    Completions(command::completions::Arguments),
    Album(command::album::Arguments),
    Verify(command::verify::Arguments),
}

const EXIT_STATUSES: &str = "\
Exit status: 0 when all is well, 1 when a check failed, 2 on bad input, with one line on what is wrong, where, and the cure.
NO_COLOR=1 turns colours off.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // where no handler can be set, an interrupted run leaves .part files; that is no reason not to run
    let _ = ctrlc::set_handler(|| {
        tandem_render::beside::remove_unfinished();
        std::process::exit(EXIT_INTERRUPTED);
    });
    let options = arguments.options;
    let done = match arguments.command {
        Command::Mix(arguments) => command::mix::run(&arguments, options),
        Command::Master(arguments) => command::master::run(&arguments, options),
        Command::Preset(arguments) => command::preset::run(&arguments, options),
        Command::Completions(arguments) => command::completions::run(&arguments),
        Command::Measure(arguments) => command::measure::run(&arguments, options),
        Command::Check(arguments) => command::check::run(&arguments, options),
        Command::Album(arguments) => command::album::run(&arguments, options),
        Command::Verify(arguments) => command::verify::run(&arguments, options),
    };
    match done {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(EXIT_CHECK_FAILED),
        Ok(Outcome::BadInput) => ExitCode::from(EXIT_BAD_INPUT),
        Err(fault) => {
            command::complain(&fault);
            ExitCode::from(EXIT_BAD_INPUT)
        }
    }
}

const EXIT_CHECK_FAILED: u8 = 1;
const EXIT_BAD_INPUT: u8 = 2;
/// 128 and the signal's number, as shells have it.
const EXIT_INTERRUPTED: i32 = 130;
