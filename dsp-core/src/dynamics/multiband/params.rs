//! The controls of the multiband compressor.

use crate::dynamics::gain_curve::{GainCurve, slope_of_ratio};
use crate::dynamics::key_filter::KeyFilterParams;
use crate::filter::crossover::{MAX_BANDS, MAX_CROSSOVERS};
use crate::quality::Quality;
use crate::range::{Range, Unit};
use crate::saturation::model::Model;
use crate::{choices, controls};

/// The ratio that stands for infinity.
pub const INFINITE_RATIO: f64 = 100.0;

choices! {
    /// What a band's dynamics do.
    pub enum Mode {
        /// What is above the threshold is turned down.
        CompressDown = ("compress_down", "Compress Down"),
        /// What is below the threshold is lifted, by up to 24 dB.
        CompressUp = ("compress_up", "Compress Up"),
        /// What is below the threshold is turned down.
        ExpandDown = ("expand_down", "Expand Down"),
        /// What is above the threshold is lifted, by up to 24 dB.
        ExpandUp = ("expand_up", "Expand Up"),
    }
}

impl Mode {
    /// Whether the distance to the threshold grows instead of shrinking. Real-time safe.
    #[must_use]
    pub fn expands(self) -> bool {
        matches!(self, Mode::ExpandDown | Mode::ExpandUp)
    }
}

choices! {
    /// What part of the stereo sound a band's dynamics work on. In mono, the side is silent.
    pub enum Channels {
        /// Left and right.
        Stereo = ("stereo", "Stereo"),
        /// The sum and the difference of both sides.
        MidSide = ("mid_side", "Mid/Side"),
        /// The sum alone.
        Mid = ("mid", "Mid"),
        /// The difference alone.
        Side = ("side", "Side"),
    }
}

choices! {
    /// How the bands are parted.
    pub enum Phase {
        /// Linkwitz-Riley filters: no latency; the phase turns at each crossover.
        Minimum = ("minimum", "Minimum"),
        /// Filters of the same magnitudes that turn no phase, late by half their length.
        Linear = ("linear", "Linear"),
    }
}

choices! {
    /// How many bands there are.
    pub enum BandCount {
        /// The whole spectrum.
        One = ("1", "1"),
        /// Two bands.
        Two = ("2", "2"),
        /// Three bands.
        Three = ("3", "3"),
        /// Four bands.
        Four = ("4", "4"),
        /// Five bands.
        Five = ("5", "5"),
        /// Six bands.
        Six = ("6", "6"),
    }
}

impl BandCount {
    /// The number, 1 to 6. Real-time safe.
    #[must_use]
    pub fn bands(self) -> usize {
        self as usize + 1
    }
}

choices! {
    /// What a band's dynamics listen to.
    pub enum KeySource {
        /// The sound itself.
        Internal = ("internal", "Internal"),
        /// The side chain; silence where none is connected.
        External = ("external", "External"),
    }
}

choices! {
    /// How much of its key a band listens to.
    pub enum KeyRange {
        /// What lies in the band.
        Band = ("band", "Band"),
        /// All of the spectrum.
        Full = ("full", "Full"),
    }
}

controls! {
    /// One band.
    pub struct BandParams {
        /// Whether its dynamics work.
        pub on: bool = switch("On", true),
        /// Leaves the band as the crossovers made it: no dynamics, no drive, no width.
        pub bypass: bool = switch("Bypass", false),
        /// Plays only bands that are soloed.
        pub solo: bool = switch("Solo", false),
        /// What its dynamics do.
        pub mode: Mode = choice("Mode", Mode::CompressDown),
        /// Middle of the knee, in decibels re full scale: the peak of a sine.
        pub threshold_db: f64 = float("Threshold", Range::linear(-80.0, 0.0, -24.0, Unit::Decibel, 2)),
        /// Ratio, x:1; 100 is infinity. Compression divides the distance to the threshold by it, expansion multiplies it.
        pub ratio: f64 = float("Ratio", Range::logarithmic(1.0, INFINITE_RATIO, 2.0, Unit::Ratio)),
        /// Width of the knee, in decibels.
        pub knee_db: f64 = float("Knee", Range::linear(0.0, 36.0, 6.0, Unit::Decibel, 2)),
        /// Time until 63.2 % of the way are gone when the level rises, in milliseconds.
        pub attack_ms: f64 = float("Attack", Range::logarithmic(0.02, 250.0, 10.0, Unit::Millisecond)),
        /// Time until 63.2 % of the way are gone when the level falls, in milliseconds.
        pub release_ms: f64 = float("Release", Range::logarithmic(5.0, 2_500.0, 150.0, Unit::Millisecond)),
        /// Releases by what the programme does instead.
        pub auto_release: bool = switch("Auto Release", false),
        /// The largest change of gain, in decibels.
        pub range_db: f64 = float("Range", Range::linear(0.0, 60.0, 60.0, Unit::Decibel, 2)),
        /// Time by which the sound is delayed behind its measurement, in milliseconds. All bands are as late as the latest.
        pub lookahead_ms: f64 = float("Lookahead", Range::square(0.0, 20.0, 0.0, Unit::Millisecond, 3)) structural,
        /// Gain of what the dynamics put out, in decibels.
        pub make_up_db: f64 = float("Make-up", Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2)),
        /// Share of what the dynamics put out, in per cent; the rest is untouched.
        pub mix_percent: f64 = float("Mix", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// What part of the stereo sound the dynamics work on.
        pub channels: Channels = choice("Channels", Channels::Stereo),
        /// How far both channels follow the louder one, in per cent.
        pub link_percent: f64 = float("Link", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// What the dynamics listen to.
        pub key_source: KeySource = choice("Key Source", KeySource::Internal),
        /// How much of it.
        pub key_range: KeyRange = choice("Key Range", KeyRange::Band),
        /// The filter in front of the measurement.
        pub key: KeyFilterParams = group("Key"),
        /// Level into the saturation, in decibels; at 0 nothing is bent.
        pub drive_db: f64 = float("Drive", Range::linear(0.0, 36.0, 0.0, Unit::Decibel, 2)),
        /// Gain of the side, in per cent.
        pub width_percent: f64 = float("Width", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
    }
}

impl BandParams {
    /// The static curve that these controls set. Real-time safe.
    #[must_use]
    pub fn gain_curve(&self) -> GainCurve {
        let (shrink, grow) = (slope_of_ratio(self.ratio, INFINITE_RATIO), 1.0 - self.ratio);
        let (slope_above, slope_below) = match self.mode {
            Mode::CompressDown => (shrink, 0.0),
            Mode::CompressUp => (0.0, shrink),
            Mode::ExpandDown => (0.0, grow),
            Mode::ExpandUp => (grow, 0.0),
        };
        GainCurve {
            threshold_db: self.threshold_db,
            knee_db: self.knee_db,
            slope_above,
            slope_below,
            range_db: self.range_db,
        }
    }

    /// Whether anything is done to the band by its dynamics. Real-time safe.
    #[must_use]
    pub fn works(&self) -> bool {
        self.on && !self.bypass
    }
}

controls! {
    /// The multiband compressor.
    pub struct MultibandParams {
        /// Whether it works.
        pub on: bool = switch("On", false),
        /// How the bands are parted.
        pub phase: Phase = choice("Phase", Phase::Minimum) structural,
        /// How many bands there are; one is added at the top.
        pub bands: BandCount = choice("Bands", BandCount::Four),
        /// Between the first and the second band, in hertz.
        pub crossover_1_hz: f64 = float("Crossover 1", crossover(120.0)),
        /// Between the second and the third band. No crossover comes below the one before it: it stands there instead.
        pub crossover_2_hz: f64 = float("Crossover 2", crossover(1_000.0)),
        /// Between the third and the fourth band.
        pub crossover_3_hz: f64 = float("Crossover 3", crossover(6_000.0)),
        /// Between the fourth and the fifth band.
        pub crossover_4_hz: f64 = float("Crossover 4", crossover(9_000.0)),
        /// Between the fifth and the sixth band.
        pub crossover_5_hz: f64 = float("Crossover 5", crossover(12_000.0)),
        /// The bands, from the lowest up.
        pub band: [BandParams; MAX_BANDS] = groups("", [BandParams::default(); MAX_BANDS]),
        /// What the bands' drive bends.
        pub drive_model: Model = choice("Drive Model", Model::Tape),
        /// Latency against aliases of the drive.
        pub drive_quality: Quality = choice("Drive Quality", Quality::Track) structural,
        /// Share of the processed bands in the output, in per cent; the rest is the bands as the crossovers made them.
        pub mix_percent: f64 = float("Mix", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// Gain of the output, in decibels.
        pub level_db: f64 = float("Level", Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2)),
    }
}

/// 20 Hz to 20 kHz.
const fn crossover(default_hz: f64) -> Range {
    Range::logarithmic(20.0, 20_000.0, default_hz, Unit::Hertz)
}

impl MultibandParams {
    /// The crossovers, in hertz, as they are set.
    #[must_use]
    pub fn crossovers_hz(&self) -> [f64; MAX_CROSSOVERS] {
        [self.crossover_1_hz, self.crossover_2_hz, self.crossover_3_hz, self.crossover_4_hz, self.crossover_5_hz]
    }

    /// Whether band `index`, counted from 0, is to be heard. Real-time safe.
    #[must_use]
    pub fn is_heard(&self, index: usize) -> bool {
        let in_use = self.band.iter().take(self.bands.bands());
        self.band.get(index).is_some_and(|b| b.solo) || !in_use.clone().any(|b| b.solo)
    }
}
