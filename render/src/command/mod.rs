//! The commands, one module each: arguments, and what is printed. The work is done in the library.

pub mod album;
pub mod check;
pub mod completions;
pub mod master;
pub mod measure;
pub mod mix;
pub mod preset;
mod progress;
pub mod verify;

use std::io::Write;
use tandem_render::fault::Fault;

/// How a command ended that did not fail as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Good,
    /// Everything was done, and a check failed.
    CheckFailed,
    /// Some input was bad; it was complained about.
    BadInput,
}

/// Prints what was asked for. Colours are left out where the output is no terminal or `NO_COLOR` is set.
pub fn print(text: &str) {
    // a reader that has gone away has read enough
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Says what is wrong, where, and the cure, in one line.
pub fn complain(fault: &Fault) {
    let _ = writeln!(anstream::stderr(), "\x1b[31merror:\x1b[0m {fault}");
}

/// Says what a person may want to change, in one line.
pub fn warn(text: &str) {
    let _ = writeln!(anstream::stderr(), "\x1b[33mwarning:\x1b[0m {text}");
}
