//! Every control of both chains: its range, its name, and its text both ways.
#![allow(clippy::disallowed_methods)] // expected values are worked out here

use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls::{self, Kind, Listed};
use dsp_core::range::Unit;
use dsp_core::text;
use std::collections::HashSet;

fn both_chains() -> Vec<Listed> {
    [controls::list::<ChannelStripParams>(), controls::list::<MasteringBusParams>()].concat()
}

/// Ids and names are unique, and of the alphabet that presets and hosts take.
#[test]
fn names_are_unique() {
    for list in [controls::list::<ChannelStripParams>(), controls::list::<MasteringBusParams>()] {
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for listed in &list {
            assert!(ids.insert(&listed.id), "{} twice", listed.id);
            assert!(names.insert(&listed.name), "{} twice", listed.name);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
            assert!(listed.id.chars().all(plain), "{}", listed.id);
        }
    }
}

#[test]
fn ranges_are_well_formed() {
    for listed in both_chains() {
        if let Kind::Float(range) = &listed.control.kind {
            assert!(text::is_well_formed(range), "{}: {range:?}", listed.id);
        }
        let kind = &listed.control.kind;
        assert_eq!(kind.quantise(listed.default, f64::NAN), listed.default, "{}: its default", listed.id);
    }
}

/// What is shown can be typed in again, in any case, with a decimal comma (but for three decimals, as of thousands), without spaces and without the unit, over the
/// whole travel of every control.
#[test]
fn text_goes_both_ways() {
    for listed in both_chains() {
        let (id, kind) = (&listed.id, &listed.control.kind);
        for n in 0..=400 {
            let value = kind.value_at(f64::from(n) / 400.0);
            let shown = text::format(kind, value);
            let read = |typed: &str| {
                assert_eq!(text::parse(kind, typed), Some(value), "{id}: {typed:?} for {shown:?}");
            };
            read(&shown);
            read(&shown.to_uppercase());
            read(&[" ", &shown, " "].concat());
            if let Kind::Float(range) = kind {
                read(&shown.replace(' ', ""));
                // three decimals behind a comma would be thousands
                let decimals =
                    shown.split_once('.').map_or(0, |(_, d)| d.chars().take_while(char::is_ascii_digit).count());
                if decimals != 3 || value >= 1000.0 {
                    read(&shown.replace('.', ","));
                }
                read(&shown.replace('-', "−"));
                read(&value.to_string());
                // kilohertz and seconds scale, ends are words, pan has a side
                let bare = shown.split(' ').next().unwrap_or_default().trim_end_matches(":1");
                let scaled = matches!(range.unit, Unit::Hertz | Unit::Millisecond) && value >= 1000.0;
                if !scaled {
                    read(bare);
                }
            }
        }
    }
}

/// What people type, on controls that are there.
#[test]
fn people_are_understood() {
    let list = controls::list::<ChannelStripParams>();
    for (id, typed, value) in [
        ("input.trim_db", "3 dB", 3.0),
        ("input.trim_db", "1,5", 1.5),
        ("input.trim_db", "99", 24.0),
        ("output.gain_db", "-inf", -100.0),
        ("eq.band_1.frequency_hz", "1k", 1000.0),
        ("eq.band_1.frequency_hz", "2,5 kHz", 2500.0),
        ("eq.band_1.frequency_hz", "50", 50.0),
        ("eq.band_1.frequency_hz", "12,500", 12_500.0),
        ("eq.band_1.slope", "24", 3.0),
        ("delay.note", "1/8.", 12.0),
        ("eq.band_1.shape", "low shelf", 1.0),
        ("eq.band_1.slope", "24 dB/oct", 3.0),
        ("compressor.ratio", "inf", 100.0),
        ("compressor.ratio", "4:1", 4.0),
        ("compressor.release_ms", "1.2 s", 1200.0),
        ("compressor.mix_percent", "50%", 50.0),
        ("panner.pan", "L30", -30.0),
        ("panner.pan", "C", 0.0),
        ("gate.on", "yes", 1.0),
    ] {
        let listed = list.iter().find(|l| l.id == id).unwrap();
        assert_eq!(text::parse(&listed.control.kind, typed), Some(value), "{id}: {typed}");
    }
}

/// No text makes a control panic or take a value that it cannot have.
#[test]
fn nonsense_is_refused() {
    for listed in both_chains() {
        let kind = &listed.control.kind;
        for typed in
            ["", " ", "-", "+", ".", ",", "dB", "k", "1..2", "--3", "1e", "NaN", "ü", "1 2 3", ":1", "L", "∞∞", "1/0"]
        {
            if let Some(value) = text::parse(kind, typed) {
                assert_eq!(kind.quantise(value, f64::NAN), value, "{}: {typed:?}", listed.id);
            }
        }
    }
}
