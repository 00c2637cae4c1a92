//! TOML files of ours, read with one clear line on what is wrong in them.

use crate::fault::{Fault, Result};
use dsp_core::preset;
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::Path;

/// Reads a file whose keys are all known.
///
/// # Errors
/// A file that is missing, no text, no TOML, or has a key that is not known: then the nearest known one is named.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse(path, &read_text(path)?)
}

/// The same for a file whose text is known already.
///
/// # Errors
/// No TOML, or a key that is not known.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|e| fault(path, text, &e))
}

/// Reads a text file.
///
/// # Errors
/// A file that is missing, cannot be read, or is no text.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Fault::in_file(path, "there is no such file", "check the name"),
        ErrorKind::InvalidData => Fault::in_file(path, "is not text", "write TOML in UTF-8"),
        _ => Fault::in_file(path, format!("cannot be read ({e})"), "make it readable"),
    })
}

/// The parser's message as one line, with the line of the file.
fn fault(path: &Path, text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|s| text[..s.start.min(text.len())].matches('\n').count() + 1);
    let place = line.map_or_else(|| "somewhere".to_owned(), |l| format!("line {l}"));
    let message = error.message().replace('\n', " ");
    // "unknown field `a`, expected one of `b`, `c`"
    if !message.starts_with("unknown ") {
        return Fault::within(path, &place, message, "correct the line");
    }
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let word = quoted.next().unwrap_or_default();
    let known: Vec<String> = quoted.collect();
    let cure = match preset::nearest(&word, &known) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("take one of {}", known.join(", ")),
    };
    let what = if message.starts_with("unknown field") { "no such key" } else { "no such word" };
    Fault::within(path, &place, format!("{what} '{word}'"), cure)
}
