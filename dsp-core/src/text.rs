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

/// Reads text as [`format`] writes it and as people type it: case, spaces, hyphens in names and the unit may be left out, a
/// comma may be the decimal point or part thousands, k and s scale. `None` where it says nothing the control understands, or
/// something that would have to be guessed. May allocate.
#[must_use]
pub fn parse(kind: &Kind, text: &str) -> Option<f64> {
    let text: String = text.trim().to_lowercase().replace('−', "-").split_whitespace().collect();
    match kind {
        Kind::Switch => match text.as_str() {
            "on" | "yes" | "true" | "1" => Some(1.0),
            "off" | "no" | "false" | "0" => Some(0.0),
            _ => None,
        },
        Kind::Choice(choices) => {
            let typed = bare(&text);
            let found = choices.iter().position(|c| c.key == text || bare(c.label) == typed);
            found.map(|i| i as f64)
        }
        Kind::Float(range) => parse_float(range, &text).map(|v| range.quantise(v)),
    }
}

/// A choice's name without what people leave out: case, spaces, hyphens, and the unit where a number is left. A dot may mean
/// dotted, a whole note is a bar.
fn bare(name: &str) -> String {
    let name: String = name.to_lowercase().chars().filter(|c| !(c.is_whitespace() || matches!(c, '-' | '_'))).collect();
    let name = name.replace(',', ".").replace("dotted", "d").replace("triplet", "t").replace("bars", "bar");
    let name = match name.split_once("1/1") {
        Some(("", rest)) if !rest.starts_with(|c: char| c.is_ascii_digit()) => format!("1bar{rest}"),
        _ => name,
    };
    let name = match name.strip_suffix('.') {
        Some(note) => format!("{note}d"),
        None => name,
    };
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let number = ["db/oct", "db", "s", "bit"].iter().find_map(|unit| name.strip_suffix(unit).filter(|n| is_number(n)));
    number.map_or(name.clone(), str::to_owned)
}

fn parse_float(range: &Range, text: &str) -> Option<f64> {
    if range.unit == Unit::Pan {
        return parse_pan(&text.replace(',', "."));
    }
    let text = match range.unit {
        // 4:1 of a compressor, 1:4 of an expander
        Unit::Ratio => text.strip_suffix(":1").or_else(|| text.strip_prefix("1:")).unwrap_or(text),
        _ => text,
    };
    let endless = |word: &str| {
        let rest = text.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || is_unit(range.unit, rest))
    };
    match range.unit {
        Unit::Ratio if ["inf", "∞"].into_iter().any(endless) => return Some(range.max),
        Unit::DecibelToSilence if ["-inf", "-∞", "off", "silence"].into_iter().any(endless) => {
            return Some(range.min);
        }
        _ => {}
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if range.unit == Unit::Hertz
        && number.ends_with(|c: char| c.is_ascii_digit())
        && let Some(hundreds) = unit.strip_prefix('k').filter(|rest| rest.parse::<u32>().is_ok())
    {
        // 1k5, as on drawings
        return format!("{number}.{hundreds}").parse::<f64>().ok().map(|v| v * 1000.0);
    }
    let number = match thousands(number) {
        Some(whole) if unit.is_empty() || is_unit(range.unit, unit) => {
            let inside = |v: &f64| (range.min..=range.max).contains(v);
            Some(whole).filter(inside).or_else(|| number.replace(',', ".").parse().ok())?
        }
        _ => number.replace(',', ".").parse::<f64>().ok()?,
    };
    let scale = match (range.unit, unit) {
        (_, "") => 1.0,
        (Unit::Hertz, "k" | "khz") => 1000.0,
        (Unit::Millisecond, "s" | "sec") => 1000.0,
        (Unit::Millisecond, "us" | "µs" | "μs") | (Unit::Second, "ms" | "msec") => 0.001,
        (u, rest) if is_unit(u, rest) => 1.0,
        _ => return None,
    };
    // divide rather than multiply by 0.001: one rounding less
    Some(if scale < 1.0 { number / (1.0 / scale) } else { number * scale })
}

/// The value of a number whose commas part thousands: 1,000 or 12,500.5. Where that is no value of a control, the comma of
/// 1,500 is the decimal point.
fn thousands(number: &str) -> Option<f64> {
    let (whole, _) = number.split_once('.').unwrap_or((number, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let leads = (1..=3).contains(&first.len()) && !first.starts_with(['0', '-', '+']);
    let mut rest = groups.peekable();
    (leads && rest.peek().is_some() && rest.all(|g| g.len() == 3)).then(|| number.replace(',', "").parse().ok())?
}

fn is_unit(unit: Unit, text: &str) -> bool {
    match unit {
        Unit::None => text == "x",
        Unit::Decibel | Unit::DecibelToSilence => matches!(text, "db" | "dbfs"),
        Unit::DecibelTruePeak => matches!(text, "db" | "dbtp"),
        Unit::Hertz => text == "hz",
        Unit::Millisecond => matches!(text, "ms" | "msec"),
        Unit::Second => matches!(text, "s" | "sec"),
        Unit::Percent => text == "%",
        Unit::Pan => false,
        Unit::Ratio => matches!(text, ":1" | "x"),
        Unit::DecibelPerOctave => matches!(text, "db/oct" | "db"),
        Unit::Lufs => matches!(text, "lufs" | "db" | "lu"),
    }
}

/// "C", "L30", "30L", "R 12.5", "L", "right", "-30", "30": left is negative.
fn parse_pan(text: &str) -> Option<f64> {
    let text = text.strip_suffix('%').unwrap_or(text);
    let left = text.strip_prefix('l').or_else(|| text.strip_suffix('l'));
    let right = text.strip_prefix('r').or_else(|| text.strip_suffix('r'));
    match (text, left, right) {
        ("c" | "center" | "centre" | "mid", _, _) => Some(0.0),
        ("l" | "left", _, _) => Some(-100.0),
        ("r" | "right", _, _) => Some(100.0),
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
    use crate::controls::Choice;
    use crate::equalizer::params::{Shape, Slope};
    use crate::space::note_value::NoteValue;
    use crate::space::panner::PanLaw;

    const DB: Kind = Kind::Float(Range::linear(-100.0, 12.0, 0.0, Unit::DecibelToSilence, 2));
    const HZ: Kind = Kind::Float(Range::logarithmic(10.0, 30_000.0, 1000.0, Unit::Hertz));
    const LFO: Kind = Kind::Float(Range::logarithmic(0.1, 4.0, 0.6, Unit::Hertz));
    const GAIN: Kind = Kind::Float(Range::linear(-30.0, 30.0, 0.0, Unit::Decibel, 2));
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
            (PAN, "L", -100.0),
            (PAN, "right", 100.0),
            (PAN, "12,5R", 12.5),
            (HZ, "1k5", 1500.0),
            (HZ, "1,000", 1000.0),
            (HZ, "12,500 Hz", 12_500.0),
            (HZ, "10,000", 10_000.0),
            (HZ, "2,2", 10.0),
            (HZ, "440,5 Hz", 440.5),
            (HZ, "1,500 kHz", 1500.0),
            (LFO, "1,500", 1.5),
            (MS, "2,000", 2000.0),
            (MS, "0,750 s", 750.0),
            (MS, "7500us", 7.5),
            (MS, "7500 µs", 7.5),
            (MS, "10 msec", 10.0),
            (DB, "-∞", -100.0),
            (DB, "Off", -100.0),
            (RATIO, "4:1", 4.0),
            (RATIO, "1:4", 4.0),
            (RATIO, "1:inf", 100.0),
            (RATIO, "inf:1", 100.0),
            (RATIO, "∞", 100.0),
        ] {
            assert_eq!(parse(&kind, text), Some(value), "{text}");
        }
        for (kind, text) in [
            (DB, "loud"),
            (DB, ""),
            (DB, "inf"),
            (DB, "1,2,3"),
            (GAIN, "-inf"),
            (HZ, "inf"),
            (HZ, "3 dB"),
            (HZ, "k5"),
            (MS, "1k"),
            (PAN, "x"),
            (Kind::Switch, "maybe"),
        ] {
            assert_eq!(parse(&kind, text), None, "{text}");
        }
    }

    /// Lists are chosen from by name, with or without what people leave out; a number is the name that shows it, never a
    /// place in the list.
    #[test]
    fn choices_are_typed_by_name() {
        let of = |choices: &'static [Choice], text: &str| {
            let index = parse(&Kind::Choice(choices), text)?;
            Some(choices[index as usize].label)
        };
        for (typed, label) in [
            ("96dB/oct", Some("96 dB/oct")),
            ("24 dB", Some("24 dB/oct")),
            ("6", Some("6 dB/oct")),
            ("8", None),
            ("1", None),
            ("-6", Some("6 dB/oct")),
            ("", None),
        ] {
            assert_eq!(of(Slope::CHOICES, typed), label, "{typed}");
        }
        for (typed, label) in [
            ("1/8 T", Some("1/8T")),
            ("1/8 triplet", Some("1/8T")),
            ("1/8.", Some("1/8D")),
            ("1/16 dotted", Some("1/16D")),
            ("1bar", Some("1 Bar")),
            ("1/1", Some("1 Bar")),
            ("1/1d", Some("1 Bar D")),
            ("2 bar", Some("2 Bars")),
            ("4 Bars T", Some("4 Bars T")),
            ("1_16_triplet", Some("1/16T")),
            ("1/128", None),
            ("4", None),
            ("8", None),
        ] {
            assert_eq!(of(NoteValue::CHOICES, typed), label, "{typed}");
        }
        for (typed, label) in [
            ("-4.5", Some("-4.5 dB")),
            ("-4,5 dB", Some("-4.5 dB")),
            ("3", Some("-3 dB")),
            ("0", Some("0 dB")),
            ("1", None),
        ] {
            assert_eq!(of(PanLaw::CHOICES, typed), label, "{typed}");
        }
        for (typed, label) in [("lowshelf", Some("Low Shelf")), ("all pass", Some("All-Pass")), ("low", None)] {
            assert_eq!(of(Shape::CHOICES, typed), label, "{typed}");
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
