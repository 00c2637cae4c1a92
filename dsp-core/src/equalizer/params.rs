//! The controls of the equalizer.
#![allow(clippy::approx_constant)] // a control's value is a short decimal: 0.7071

use crate::range::{Range, Unit};
use crate::{choices, controls};

choices! {
    /// What a band does.
    pub enum Shape {
        /// Boosts or cuts around the frequency.
        Bell = ("bell", "Bell"),
        /// Boosts or cuts everything under the frequency.
        LowShelf = ("low_shelf", "Low Shelf"),
        /// Boosts or cuts everything over the frequency.
        HighShelf = ("high_shelf", "High Shelf"),
        /// Turns the spectrum about the frequency: +gain above, −gain below.
        Tilt = ("tilt", "Tilt"),
        /// Takes away everything under the frequency.
        LowCut = ("low_cut", "Low Cut"),
        /// Takes away everything over the frequency.
        HighCut = ("high_cut", "High Cut"),
        /// Takes away the frequency itself.
        Notch = ("notch", "Notch"),
        /// Leaves only what is around the frequency.
        BandPass = ("band_pass", "Band Pass"),
        /// Turns the phase around the frequency, and nothing else.
        AllPass = ("all_pass", "All-Pass"),
    }
}

impl Shape {
    /// Whether the gain, and so the dynamic part, means anything. Real-time safe.
    #[must_use]
    pub fn has_gain(self) -> bool {
        matches!(self, Shape::Bell | Shape::LowShelf | Shape::HighShelf | Shape::Tilt)
    }

    /// Whether the slope means anything. Real-time safe.
    #[must_use]
    pub fn has_slope(self) -> bool {
        matches!(self, Shape::LowCut | Shape::HighCut)
    }
}

choices! {
    /// How steep a cut is, in decibels per octave.
    pub enum Slope {
        /// 6 dB per octave.
        Db6 = ("6", "6 dB/oct"),
        /// 12 dB per octave.
        Db12 = ("12", "12 dB/oct"),
        /// 18 dB per octave.
        Db18 = ("18", "18 dB/oct"),
        /// 24 dB per octave.
        Db24 = ("24", "24 dB/oct"),
        /// 30 dB per octave.
        Db30 = ("30", "30 dB/oct"),
        /// 36 dB per octave.
        Db36 = ("36", "36 dB/oct"),
        /// 48 dB per octave.
        Db48 = ("48", "48 dB/oct"),
        /// 60 dB per octave.
        Db60 = ("60", "60 dB/oct"),
        /// 72 dB per octave.
        Db72 = ("72", "72 dB/oct"),
        /// 84 dB per octave.
        Db84 = ("84", "84 dB/oct"),
        /// 96 dB per octave.
        Db96 = ("96", "96 dB/oct"),
    }
}

impl Slope {
    /// The order of the filter: 6 dB per octave each. Real-time safe.
    #[must_use]
    pub fn order(self) -> usize {
        match self {
            Slope::Db6 => 1,
            Slope::Db12 => 2,
            Slope::Db18 => 3,
            Slope::Db24 => 4,
            Slope::Db30 => 5,
            Slope::Db36 => 6,
            Slope::Db48 => 8,
            Slope::Db60 => 10,
            Slope::Db72 => 12,
            Slope::Db84 => 14,
            Slope::Db96 => 16,
        }
    }
}

choices! {
    /// What part of the stereo sound a band works on. In mono, right and side are silent and so do nothing.
    pub enum Placement {
        /// Both sides alike.
        Stereo = ("stereo", "Stereo"),
        /// The left side only.
        Left = ("left", "Left"),
        /// The right side only.
        Right = ("right", "Right"),
        /// The sum of both sides.
        Mid = ("mid", "Mid"),
        /// The difference of both sides.
        Side = ("side", "Side"),
    }
}

choices! {
    /// What a band's dynamic part listens to.
    pub enum Key {
        /// The equalizer's own input.
        Internal = ("internal", "Internal"),
        /// The side chain; silence where none is connected.
        SideChain = ("side_chain", "Side Chain"),
    }
}

controls! {
    /// One band. Which controls mean something depends on the shape: gain and the dynamic part belong to bells, shelves
    /// and tilts, the slope to cuts.
    pub struct BandParams {
        /// Whether the band is in use.
        pub on: bool = switch("On", false),
        /// What the band does.
        pub shape: Shape = choice("Type", Shape::Bell),
        /// Centre, corner or cut-off frequency in hertz.
        pub frequency_hz: f64 = float("Frequency", Range::logarithmic(10.0, 30_000.0, 1000.0, Unit::Hertz)),
        /// Gain in decibels: at the centre of a bell, at the far end of a shelf, at the top end of a tilt.
        pub gain_db: f64 = float("Gain", Range::linear(-30.0, 30.0, 0.0, Unit::Decibel, 2)),
        /// Quality: sharpness. 0.7071 gives shelves and cuts no bump; for cuts it is the gain at the cut-off frequency.
        pub q: f64 = float("Q", Range::logarithmic(0.025, 40.0, 0.7071, Unit::None)),
        /// How steep a cut is.
        pub slope: Slope = choice("Slope", Slope::Db12),
        /// What part of the stereo sound the band works on.
        pub placement: Placement = choice("Placement", Placement::Stereo),
        /// Hear only what the band works on. With several, the sum.
        pub solo: bool = switch("Solo", false),
        /// How far the dynamic part moves the gain, in decibels: down when negative, not at all at 0.
        pub range_db: f64 = float("Range", Range::linear(-30.0, 30.0, 0.0, Unit::Decibel, 2)),
        /// Level in the band from which on the gain moves, a decibel per decibel until the range is used up, in dBFS.
        pub threshold_db: f64 = float("Threshold", Range::linear(-80.0, 0.0, -24.0, Unit::Decibel, 2)),
        /// Time to go 63 % of the way when the level rises, in milliseconds: no less than three points of the control grid
        /// at 48 kHz; at lower rates that is longer, and so is the shortest attack.
        pub attack_ms: f64 = float("Attack", Range::logarithmic(2.0, 500.0, 10.0, Unit::Millisecond)),
        /// Time to go 63 % of the way back, in milliseconds.
        pub release_ms: f64 = float("Release", Range::logarithmic(5.0, 5000.0, 150.0, Unit::Millisecond)),
        /// What the dynamic part listens to.
        pub key: Key = choice("Key", Key::Internal),
    }
}

controls! {
    /// The equalizer.
    pub struct EqualizerParams<const BANDS: usize> {
        /// Whether the equalizer is in use.
        pub on: bool = switch("On", true),
        /// Scales the gain of every band, dynamic part included, in per cent.
        pub gain_scale_percent: f64 = float("Gain Scale", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Turns the polarity around.
        pub phase_invert: bool = switch("Phase Invert", false),
        /// The bands, in the order in which the sound passes them.
        pub band: [BandParams; BANDS] = groups("", spread()),
    }
}

/// Bands over the spectrum, all off: a cut and a shelf at either end, bells between, from 30 Hz to 18 kHz.
fn spread<const BANDS: usize>() -> [BandParams; BANDS] {
    // a round frequency every fifth of a decade or so, from which each count of bands picks evenly
    const ROUND_HZ: [f64; 23] = [
        30.0, 40.0, 60.0, 80.0, 100.0, 120.0, 160.0, 220.0, 300.0, 400.0, 550.0, 750.0, 1000.0, 1400.0, 1800.0, 2500.0,
        3500.0, 4500.0, 6000.0, 8000.0, 10_000.0, 14_000.0, 18_000.0,
    ];
    std::array::from_fn(|band| {
        let last = BANDS.saturating_sub(1);
        let place = (band * (ROUND_HZ.len() - 1) + last / 2) / last.max(1);
        let shape = match band {
            0 => Shape::LowCut,
            1 => Shape::LowShelf,
            _ if band == last => Shape::HighCut,
            _ if band + 1 == last => Shape::HighShelf,
            _ => Shape::Bell,
        };
        let frequency_hz = ROUND_HZ.get(place).copied().unwrap_or(1000.0);
        BandParams { shape, frequency_hz, ..BandParams::default() }
    })
}
