//! Values as people write and read them: "3 dB", "1k", "-inf", "1,5", "L30", "4:1".
#![allow(clippy::disallowed_macros)] // formatting for people happens off the audio thread

use crate::controls::Kind;
use crate::range::{Range, Taper, Unit};

/// The value as text, with its unit. May allocate.
#[must_use]
pub fn format(kind: &Kind, value: f64) -> String {
    match kind {
        Kind::Switch => if value >= 0.5 { "On" } else { "Off" }.to_owned(),
        Kind::Choice(choices) => {
            choices.get(kind.quantise(value, 0.0) as usize).map_or_else(String::new, |c| c.label.to_owned())
        }
        Kind::Float(range) => format_float(range, range.quantise(value)),
    }
}

fn format_float(range: &Range, value: f64) -> String {
    // -0 reads as 0
    let value = value + 0.0;
    match range.unit {
        Unit::DecibelToSilence if value <= range.min => "-inf dB".to_owned(),
        Unit::Decibel | Unit::DecibelToSilence => format!("{value} dB"),
        Unit::DecibelTruePeak => format!("{value} dBTP"),
        Unit::Hertz if value >= 1000.0 => format!("{} kHz", short(value / 1000.0)),
        Unit::Hertz => format!("{value} Hz"),
        Unit::Millisecond if value >= 1000.0 => format!("{} s", short(value / 1000.0)),
        Unit::Millisecond => format!("{value} ms"),
        Unit::Second => format!("{value} s"),
        Unit::Percent => format!("{value} %"),
        Unit::Pan if value == 0.0 => "C".to_owned(),
        Unit::Pan => format!("{}{}", if value < 0.0 { "L" } else { "R" }, value.abs()),
        Unit::Ratio if value >= range.max => "inf:1".to_owned(),
        Unit::Ratio => format!("{value}:1"),
        Unit::DecibelPerOctave => format!("{value} dB/oct"),
        Unit::Lufs => format!("{value} LUFS"),
        Unit::None => format!("{value}"),
    }
}

/// Seven significant digits at most: enough for any quantised value divided by 1000, without 0.1 + 0.2's tail.
fn short(value: f64) -> String {
    let text = format!("{value:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads text as [`format`] writes it and as people type it: case, spaces and the unit may be left out, a comma may be
/// the decimal point, k and s scale. `None` where it says nothing the control understands. May allocate.
#[must_use]
pub fn parse(kind: &Kind, text: &str) -> Option<f64> {
    let plain = |text: &str| text.trim().to_lowercase().replace(',', ".").replace('−', "-");
    let text = plain(text);
    match kind {
        Kind::Switch => match text.as_str() {
            "on" | "yes" | "true" | "1" => Some(1.0),
            "off" | "no" | "false" | "0" => Some(0.0),
            _ => None,
        },
        Kind::Choice(choices) => {
            let found = choices.iter().position(|c| plain(c.label) == text || c.key == text);
            found.map(|i| i as f64).or_else(|| {
                let number: f64 = text.parse().ok()?;
                (number.fract() == 0.0 && number >= 0.0 && (number as usize) < choices.len()).then_some(number)
            })
        }
        Kind::Float(range) => parse_float(range, &text).map(|v| range.quantise(v)),
    }
}

fn parse_float(range: &Range, text: &str) -> Option<f64> {
    let text = text.replace(' ', "");
    if range.unit == Unit::Pan {
        return parse_pan(&text);
    }
    let text = match range.unit {
        Unit::Ratio => text.strip_suffix(":1").unwrap_or(&text),
        _ => &text,
    };
    for (word, value) in [("-inf", range.min), ("-∞", range.min), ("inf", range.max), ("∞", range.max)] {
        if text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || is_unit(range.unit, rest)) {
            return Some(value);
        }
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let scale = match (range.unit, unit) {
        (_, "") => 1.0,
        (Unit::Hertz, "k" | "khz") => 1000.0,
        (Unit::Millisecond, "s" | "sec") => 1000.0,
        (Unit::Second, "ms") => 0.001,
        (u, rest) if is_unit(u, rest) => 1.0,
        _ => return None,
    };
    // divide rather than multiply by 0.001: one rounding less
    Some(if scale < 1.0 { number / (1.0 / scale) } else { number * scale })
}

fn is_unit(unit: Unit, text: &str) -> bool {
    match unit {
        Unit::None => text == "x",
        Unit::Decibel | Unit::DecibelToSilence => matches!(text, "db" | "dbfs"),
        Unit::DecibelTruePeak => matches!(text, "db" | "dbtp"),
        Unit::Hertz => text == "hz",
        Unit::Millisecond => text == "ms",
        Unit::Second => matches!(text, "s" | "sec"),
        Unit::Percent => text == "%",
        Unit::Pan => false,
        Unit::Ratio => matches!(text, ":1" | "x"),
        Unit::DecibelPerOctave => matches!(text, "db/oct" | "db"),
        Unit::Lufs => matches!(text, "lufs" | "db" | "lu"),
    }
}

/// "C", "L30", "30L", "R 12.5", "-30", "30": left is negative.
fn parse_pan(text: &str) -> Option<f64> {
    let text = text.strip_suffix('%').unwrap_or(text);
    let left = text.strip_prefix('l').or_else(|| text.strip_suffix('l'));
    let right = text.strip_prefix('r').or_else(|| text.strip_suffix('r'));
    match (text, left, right) {
        ("c" | "center" | "centre" | "mid", _, _) => Some(0.0),
        (_, Some(number), _) => number.parse::<f64>().ok().map(|v| -v),
        (_, _, Some(number)) => number.parse().ok(),
        _ => text.parse().ok(),
    }
}

/// Whether the range's taper suits its unit: a logarithmic range must not touch zero. Used by tests of every list.
#[must_use]
pub fn is_well_formed(range: &Range) -> bool {
    let ends = range.min < range.max && (range.min..=range.max).contains(&range.default);
    let taper = range.taper != Taper::Logarithmic || range.min > 0.0;
    ends && taper && range.quantise(range.default) == range.default && range.quantise(range.max) == range.max
}

#[cfg(test)]
mod tests {
    use super::*;

    const DB: Kind = Kind::Float(Range::linear(-100.0, 12.0, 0.0, Unit::DecibelToSilence, 2));
    const HZ: Kind = Kind::Float(Range::logarithmic(10.0, 30_000.0, 1000.0, Unit::Hertz));
    const MS: Kind = Kind::Float(Range::logarithmic(5.0, 2500.0, 100.0, Unit::Millisecond));
    const PAN: Kind = Kind::Float(Range::linear(-100.0, 100.0, 0.0, Unit::Pan, 1));
    const RATIO: Kind = Kind::Float(Range::logarithmic(1.0, 100.0, 2.0, Unit::Ratio));

    #[test]
    fn people_type_values_in_many_ways() {
        for (kind, text, value) in [
            (DB, "3 dB", 3.0),
            (DB, "3db", 3.0),
            (DB, "+3", 3.0),
            (DB, "-inf", -100.0),
            (DB, "-inf dB", -100.0),
            (DB, "−1,5", -1.5),
            (HZ, "1k", 1000.0),
            (HZ, "1.25 kHz", 1250.0),
            (HZ, "1,5k", 1500.0),
            (HZ, "440", 440.0),
            (MS, "1 s", 1000.0),
            (MS, "12,5ms", 12.5),
            (PAN, "C", 0.0),
            (PAN, "L30", -30.0),
            (PAN, "12.5 r", 12.5),
            (PAN, "-7", -7.0),
            (RATIO, "4:1", 4.0),
            (RATIO, "inf:1", 100.0),
            (RATIO, "∞", 100.0),
        ] {
            assert_eq!(parse(&kind, text), Some(value), "{text}");
        }
        for (kind, text) in [(DB, "loud"), (DB, ""), (HZ, "3 dB"), (MS, "1k"), (PAN, "x"), (Kind::Switch, "maybe")] {
            assert_eq!(parse(&kind, text), None, "{text}");
        }
    }

    /// What is shown can be typed in again, over the whole travel.
    #[test]
    fn text_round_trips() {
        for kind in [DB, HZ, MS, PAN, RATIO, Kind::Switch] {
            for n in 0..=5000 {
                let value = kind.value_at(f64::from(n) / 5000.0);
                let text = format(&kind, value);
                assert_eq!(parse(&kind, &text), Some(value), "{text}");
            }
        }
    }
}
