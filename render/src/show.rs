//! How figures are written for people.

use crate::audio_file::Word;
use dsp_core::metering::word_length::WordLength;

/// A time as minutes, seconds and milliseconds: `3:24.512`.
#[must_use]
pub fn time(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
    format!("{minutes}:{:02}.{:03}", rest / 1000, rest % 1000)
}

/// A figure with its unit, or a dash where nothing could be measured.
#[must_use]
pub fn figure(value: Option<f64>, places: usize, unit: &str) -> String {
    match value {
        Some(value) => format!("{value:.places$} {unit}").trim_end().replace('-', "−"),
        None => "—".to_owned(),
    }
}

/// How a file holds its samples.
#[must_use]
pub fn word(word: Word) -> String {
    match word {
        Word::Integer(bits) => format!("{bits} bit"),
        Word::Float(bits) => format!("{bits} bit float"),
        Word::Lossy => "lossy".to_owned(),
    }
}

/// The bits in use: `16 bit`, or `float`.
#[must_use]
pub fn word_length(word: WordLength) -> String {
    match word {
        WordLength::Bits(bits) => format!("{bits} bit"),
        WordLength::Float => "float".to_owned(),
    }
}

/// The same for a program.
#[must_use]
pub fn bits_in_use(word: WordLength) -> serde_json::Value {
    match word {
        WordLength::Bits(bits) => bits.into(),
        WordLength::Float => "float".into(),
    }
}
