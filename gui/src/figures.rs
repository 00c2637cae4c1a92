//! Numbers as they stand under a knob: short, and of a length that stays while the knob turns.
//!
//! `dsp_core::text` writes a value exactly; that is what a person edits and what a preset holds. Here the last digits
//! that nobody hears are left out, and signs are the typographic ones. What stands here can be typed in again.

use dsp_core::controls::Kind;
use dsp_core::range::{Range, Unit};
use dsp_core::text;

/// The value as a short text with its unit.
#[must_use]
pub fn short(kind: &Kind, value: f64) -> String {
    match kind {
        Kind::Float(range) => short_float(range, range.quantise(value)),
        _ => text::format(kind, value),
    }
}

/// The value with all its digits, and its unit.
#[must_use]
pub fn exact(kind: &Kind, value: f64) -> String {
    let text = text::format(kind, value);
    if matches!(kind, Kind::Float(_)) { typographic(&text) } else { text }
}

fn short_float(range: &Range, value: f64) -> String {
    // what is an end with a name of its own is written as dsp_core writes it, with the typographic sign
    let named = match range.unit {
        Unit::DecibelToSilence => value <= range.min,
        Unit::Ratio => value >= range.max,
        Unit::Pan => value == 0.0,
        _ => false,
    };
    if named {
        return typographic(&text::format(&Kind::Float(*range), value));
    }
    let (number, unit) = match range.unit {
        Unit::Decibel | Unit::DecibelToSilence => (signed_tenths(value, range.min < 0.0 && range.max > 0.0), " dB"),
        Unit::DecibelTruePeak => (fixed(value, 1), " dBTP"),
        Unit::Lufs => (fixed(value, 1), " LUFS"),
        Unit::Hertz if value >= 999.5 => (three_digits(value / 1000.0), " kHz"),
        Unit::Hertz => (fixed(value, usize::from(value < 99.95)), " Hz"),
        Unit::Millisecond if value >= 999.5 => (three_digits(value / 1000.0), " s"),
        Unit::Millisecond => (three_digits(value), " ms"),
        Unit::Second => (three_digits(value), " s"),
        Unit::Percent => (fixed(value, usize::from(value.fract() != 0.0)), " %"),
        Unit::Pan if value < 0.0 => (fixed(-value, usize::from(value.fract() != 0.0)), " L"),
        Unit::Pan => (fixed(value, usize::from(value.fract() != 0.0)), " R"),
        Unit::Ratio => (three_digits(value), ":1"),
        Unit::DecibelPerOctave => (fixed(value, 0), " dB/oct"),
        Unit::None => (three_digits(value), ""),
    };
    typographic(&(number + unit))
}

/// A number in decibels as a meter shows it: one decimal, a true minus sign, `−∞` for silence.
#[must_use]
pub fn decibels(db: f32) -> String {
    if db.is_nan() {
        return NOT_MEASURED.to_owned();
    }
    if db <= -120.0 { "−∞".to_owned() } else { typographic(&fixed(f64::from(db), 1)) }
}

/// What stands where nothing has been measured yet.
pub const NOT_MEASURED: &str = "—";

/// One decimal, and a plus sign where both signs occur.
fn signed_tenths(value: f64, sign: bool) -> String {
    let number = fixed(value, 1);
    if sign && value > 0.0 && number != "0.0" { "+".to_owned() + &number } else { number }
}

/// Three digits in all, so that 1.25, 12.5 and 125 are equally wide.
fn three_digits(value: f64) -> String {
    match value.abs() {
        v if v < 9.995 => fixed(value, 2),
        v if v < 99.95 => fixed(value, 1),
        _ => fixed(value, 0),
    }
}

fn fixed(value: f64, decimals: usize) -> String {
    let number = format!("{value:.decimals$}");
    // -0.0 reads as 0.0
    if number.bytes().all(|b| matches!(b, b'-' | b'0' | b'.')) { number.replace('-', "") } else { number }
}

fn typographic(text: &str) -> String {
    text.replace('-', "−").replace("inf", "∞")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAIN: Kind = Kind::Float(Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2));
    const FADER: Kind = Kind::Float(Range::linear(-100.0, 12.0, 0.0, Unit::DecibelToSilence, 2));
    const THRESHOLD: Kind = Kind::Float(Range::linear(-60.0, 0.0, -18.0, Unit::Decibel, 2));
    const HZ: Kind = Kind::Float(Range::logarithmic(10.0, 30_000.0, 1000.0, Unit::Hertz));
    const MS: Kind = Kind::Float(Range::logarithmic(0.02, 2500.0, 100.0, Unit::Millisecond));
    const PAN: Kind = Kind::Float(Range::linear(-100.0, 100.0, 0.0, Unit::Pan, 1));
    const RATIO: Kind = Kind::Float(Range::logarithmic(1.0, 100.0, 2.0, Unit::Ratio));
    const Q: Kind = Kind::Float(Range::logarithmic(0.025, 40.0, 0.71, Unit::None));

    #[test]
    fn values_are_short_and_typographic() {
        for (kind, value, text) in [
            (GAIN, 0.0, "0.0 dB"),
            (GAIN, -0.04, "0.0 dB"),
            (GAIN, 3.25, "+3.2 dB"),
            (GAIN, -12.5, "−12.5 dB"),
            (THRESHOLD, -18.0, "−18.0 dB"),
            (FADER, -100.0, "−∞ dB"),
            (HZ, 31.5, "31.5 Hz"),
            (HZ, 440.0, "440 Hz"),
            (HZ, 999.9, "1.00 kHz"),
            (HZ, 1234.5, "1.23 kHz"),
            (HZ, 12345.0, "12.3 kHz"),
            (MS, 0.5, "0.50 ms"),
            (MS, 100.0, "100 ms"),
            (MS, 1500.0, "1.50 s"),
            (PAN, 0.0, "C"),
            (PAN, -30.0, "30 L"),
            (PAN, 12.5, "12.5 R"),
            (RATIO, 4.0, "4.00:1"),
            (RATIO, 100.0, "∞:1"),
            (Q, 0.71, "0.71"),
        ] {
            assert_eq!(short(&kind, value), text);
        }
        assert_eq!(
            (decibels(-200.0).as_str(), decibels(-6.04).as_str(), decibels(f32::NAN).as_str()),
            ("−∞", "−6.0", "—")
        );
    }

    /// What stands under a knob can be typed in again; it says the value to the digits that it shows: half a unit of the
    /// last digit is 0.5 % of the value at worst (three digits, 1.00), or 0.05 (one decimal).
    #[test]
    fn short_text_can_be_typed() {
        for kind in [GAIN, FADER, THRESHOLD, HZ, MS, PAN, RATIO, Q] {
            for n in 0..=1000 {
                let value = kind.value_at(f64::from(n) / 1000.0);
                let shown = short(&kind, value);
                let Some(read) = text::parse(&kind, &shown) else { panic!("{shown} cannot be read") };
                let tolerance = (0.0051 * value.abs()).max(0.0501);
                assert!((read - value).abs() <= tolerance, "{value} shows as {shown}, reads as {read}");
            }
        }
    }
}
