//! Range, default, unit and taper of a control: the one source for plugin, program, editor and tests.

use crate::math;

/// What a control's number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A bare number: a Q.
    None,
    /// Decibels.
    Decibel,
    /// Decibels whose lower end means silence.
    DecibelToSilence,
    /// Decibels re full scale of the true peak.
    DecibelTruePeak,
    /// Hertz.
    Hertz,
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
    /// Per cent.
    Percent,
    /// A pan position from −100 (left) to 100 (right).
    Pan,
    /// A compression ratio, x:1; the upper end means infinity.
    Ratio,
    /// Decibels per octave.
    DecibelPerOctave,
    /// Loudness, LUFS.
    Lufs,
}

/// How a control's travel maps to its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Taper {
    /// Even steps of the value.
    Linear,
    /// Even ratios of the value; the range must not touch zero.
    Logarithmic,
    /// The square of the travel: fine near the lower end, which may be zero.
    Square,
}

/// Range, default, unit, taper and resolution of one control.
///
/// Values are *quantised*: to a number of decimals for linear controls, to five significant digits for logarithmic
/// ones. So a value is the decimal number that people read, it survives the trip through a host's 0…1 single-precision
/// number exactly (0 dB stays 0 dB, and every format hears the same bits), and a preset holds short numbers. The steps
/// are far finer than anyone can hear, and every glide smooths them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lower end, in the unit.
    pub min: f64,
    /// Upper end, in the unit.
    pub max: f64,
    /// Where the control stands when nobody has touched it.
    pub default: f64,
    /// What the number means.
    pub unit: Unit,
    /// How travel maps to value.
    pub taper: Taper,
    /// Decimals kept (linear and square tapers), at most 4.
    pub decimals: u8,
}

const POWERS_OF_TEN: [f64; 9] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

impl Range {
    /// An even range, kept to `decimals` decimals.
    #[must_use]
    pub const fn linear(min: f64, max: f64, default: f64, unit: Unit, decimals: u8) -> Self {
        Range { min, max, default, unit, taper: Taper::Linear, decimals }
    }

    /// A range in even ratios, kept to five significant digits.
    #[must_use]
    pub const fn logarithmic(min: f64, max: f64, default: f64, unit: Unit) -> Self {
        Range { min, max, default, unit, taper: Taper::Logarithmic, decimals: 0 }
    }

    /// A range that starts fine, at zero say, kept to `decimals` decimals.
    #[must_use]
    pub const fn square(min: f64, max: f64, default: f64, unit: Unit, decimals: u8) -> Self {
        Range { min, max, default, unit, taper: Taper::Square, decimals }
    }

    /// The nearest value that the control can take. What is not a number becomes the default. Real-time safe.
    #[must_use]
    pub fn quantise(&self, value: f64) -> f64 {
        if value.is_nan() {
            return self.default;
        }
        let value = value.clamp(self.min, self.max);
        let decimals = match self.taper {
            Taper::Linear | Taper::Square => usize::from(self.decimals.min(4)),
            Taper::Logarithmic => {
                // five significant digits
                let magnitude = POWERS_OF_TEN.iter().rposition(|p| value >= *p);
                match magnitude {
                    Some(m) => 4usize.saturating_sub(m),
                    None => 4 + [1.0, 0.1, 0.01].iter().position(|p| value >= *p).unwrap_or(3),
                }
            }
        };
        // k / 10^d rounds once, as parsing the decimal does: text and number agree to the bit
        let scale = POWERS_OF_TEN[decimals];
        ((value * scale).round() / scale).clamp(self.min, self.max)
    }

    /// The value at `travel`, 0 to 1, quantised. Real-time safe.
    #[must_use]
    pub fn value_at(&self, travel: f64) -> f64 {
        let t = if travel.is_nan() { return self.default } else { travel.clamp(0.0, 1.0) };
        self.quantise(match self.taper {
            Taper::Linear => self.min + t * (self.max - self.min),
            Taper::Square => self.min + t * t * (self.max - self.min),
            Taper::Logarithmic => self.min * math::exp(t * math::ln(self.max / self.min)),
        })
    }

    /// The travel, 0 to 1, at which the control has `value`. Real-time safe.
    #[must_use]
    pub fn travel_of(&self, value: f64) -> f64 {
        let value = self.quantise(value);
        let t = match self.taper {
            Taper::Linear => (value - self.min) / (self.max - self.min),
            Taper::Square => ((value - self.min) / (self.max - self.min)).sqrt(),
            Taper::Logarithmic => math::ln(value / self.min) / math::ln(self.max / self.min),
        };
        t.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGES: [Range; 5] = [
        Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2),
        Range::logarithmic(10.0, 30_000.0, 1000.0, Unit::Hertz),
        Range::logarithmic(0.025, 40.0, 0.71, Unit::None),
        Range::linear(-100.0, 100.0, 0.0, Unit::Pan, 1),
        Range::square(0.0, 20.0, 0.0, Unit::Millisecond, 3),
    ];

    /// A host keeps 0…1 in single precision; every value must come back from there unchanged.
    #[test]
    fn values_survive_single_precision_travel() {
        for range in RANGES {
            for n in 0..=100_000 {
                let value = range.value_at(f64::from(n) / 100_000.0);
                let there = range.travel_of(value) as f32;
                assert_eq!(range.value_at(f64::from(there)), value, "{range:?}");
            }
        }
    }

    /// A quantised value is the double nearest to its decimal text.
    #[test]
    fn values_are_short_decimals() {
        for range in RANGES {
            for n in 0..=10_000 {
                let value = range.value_at(f64::from(n) / 10_000.0);
                let text = value.to_string();
                assert!(text.len() <= 9, "{text}");
                assert_eq!(text.parse::<f64>(), Ok(value));
            }
        }
    }

    #[test]
    fn ends_and_nonsense_are_clamped() {
        for range in RANGES {
            assert_eq!(range.quantise(f64::NAN), range.default);
            assert_eq!(range.quantise(f64::INFINITY), range.max);
            assert_eq!(range.quantise(f64::NEG_INFINITY), range.min);
            assert_eq!((range.value_at(0.0), range.value_at(1.0)), (range.min, range.max));
            assert_eq!((range.travel_of(range.min), range.travel_of(range.max)), (0.0, 1.0));
            assert_eq!(range.value_at(f64::NAN), range.default);
        }
    }
}
