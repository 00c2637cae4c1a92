//! Note values: times that follow the song's tempo.

use crate::choices;

choices! {
    /// A length in notes, from the shortest to the longest. D is dotted, half as long again; T is a triplet, two thirds as
    /// long. A bar is one of 4/4: four quarter notes.
    pub enum NoteValue {
        /// 1/64, triplet.
        SixtyFourthTriplet = ("1_64_triplet", "1/64T"),
        /// 1/64.
        SixtyFourth = ("1_64", "1/64"),
        /// 1/32, triplet.
        ThirtySecondTriplet = ("1_32_triplet", "1/32T"),
        /// 1/64, dotted.
        SixtyFourthDotted = ("1_64_dotted", "1/64D"),
        /// 1/32.
        ThirtySecond = ("1_32", "1/32"),
        /// 1/16, triplet.
        SixteenthTriplet = ("1_16_triplet", "1/16T"),
        /// 1/32, dotted.
        ThirtySecondDotted = ("1_32_dotted", "1/32D"),
        /// 1/16.
        Sixteenth = ("1_16", "1/16"),
        /// 1/8, triplet.
        EighthTriplet = ("1_8_triplet", "1/8T"),
        /// 1/16, dotted.
        SixteenthDotted = ("1_16_dotted", "1/16D"),
        /// 1/8.
        Eighth = ("1_8", "1/8"),
        /// 1/4, triplet.
        QuarterTriplet = ("1_4_triplet", "1/4T"),
        /// 1/8, dotted.
        EighthDotted = ("1_8_dotted", "1/8D"),
        /// 1/4.
        Quarter = ("1_4", "1/4"),
        /// 1/2, triplet.
        HalfTriplet = ("1_2_triplet", "1/2T"),
        /// 1/4, dotted.
        QuarterDotted = ("1_4_dotted", "1/4D"),
        /// 1/2.
        Half = ("1_2", "1/2"),
        /// 1 bar, triplet.
        BarTriplet = ("1_bar_triplet", "1 Bar T"),
        /// 1/2, dotted.
        HalfDotted = ("1_2_dotted", "1/2D"),
        /// 1 bar.
        Bar = ("1_bar", "1 Bar"),
        /// 2 bars, triplet.
        TwoBarsTriplet = ("2_bars_triplet", "2 Bars T"),
        /// 1 bar, dotted.
        BarDotted = ("1_bar_dotted", "1 Bar D"),
        /// 2 bars.
        TwoBars = ("2_bars", "2 Bars"),
        /// 4 bars, triplet.
        FourBarsTriplet = ("4_bars_triplet", "4 Bars T"),
        /// 2 bars, dotted.
        TwoBarsDotted = ("2_bars_dotted", "2 Bars D"),
        /// 4 bars.
        FourBars = ("4_bars", "4 Bars"),
    }
}

impl NoteValue {
    /// Length in quarter notes. Real-time safe.
    #[must_use]
    pub fn quarter_notes(self) -> f64 {
        use NoteValue::*;
        // a ratio rounds once
        let (notes, of) = match self {
            SixtyFourthTriplet => (1.0, 24.0),
            SixtyFourth => (1.0, 16.0),
            SixtyFourthDotted => (3.0, 32.0),
            ThirtySecondTriplet => (1.0, 12.0),
            ThirtySecond => (1.0, 8.0),
            ThirtySecondDotted => (3.0, 16.0),
            SixteenthTriplet => (1.0, 6.0),
            Sixteenth => (1.0, 4.0),
            SixteenthDotted => (3.0, 8.0),
            EighthTriplet => (1.0, 3.0),
            Eighth => (1.0, 2.0),
            EighthDotted => (3.0, 4.0),
            QuarterTriplet => (2.0, 3.0),
            Quarter => (1.0, 1.0),
            QuarterDotted => (3.0, 2.0),
            HalfTriplet => (4.0, 3.0),
            Half => (2.0, 1.0),
            HalfDotted => (3.0, 1.0),
            BarTriplet => (8.0, 3.0),
            Bar => (4.0, 1.0),
            BarDotted => (6.0, 1.0),
            TwoBarsTriplet => (16.0, 3.0),
            TwoBars => (8.0, 1.0),
            TwoBarsDotted => (12.0, 1.0),
            FourBarsTriplet => (32.0, 3.0),
            FourBars => (16.0, 1.0),
        };
        notes / of
    }

    /// Length in seconds at `tempo_bpm` quarter notes a minute: 60/bpm × quarter notes. A tempo that is none (not finite,
    /// not over zero) counts as 120. Real-time safe.
    #[must_use]
    pub fn seconds(self, tempo_bpm: f64) -> f64 {
        let tempo_bpm = if tempo_bpm > 0.0 && tempo_bpm.is_finite() { tempo_bpm } else { 120.0 };
        60.0 * self.quarter_notes() / tempo_bpm
    }

    /// Length in frames at `tempo_bpm` and `sample_rate_hz`, not rounded, halved as often as it takes to be at most
    /// `longest_frames`, so that what a line cannot hold stays on the beat. A whole number of frames is exact. Real-time safe.
    #[must_use]
    pub fn frames(self, tempo_bpm: f64, sample_rate_hz: f64, longest_frames: f64) -> f64 {
        let mut frames = self.seconds(tempo_bpm) * sample_rate_hz;
        // whatever comes in, this ends: a double halves to zero in 2100 steps
        while frames > longest_frames && frames > 0.0 {
            frames /= 2.0;
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::Kind;
    use crate::text;

    /// What a label says: a fraction of a whole note, or bars of four quarters, dotted or in triplets.
    fn quarter_notes_of(label: &str) -> f64 {
        let (label, factor) = match (label.strip_suffix('D'), label.strip_suffix('T')) {
            (Some(rest), _) => (rest, 1.5),
            (_, Some(rest)) => (rest, 2.0 / 3.0),
            _ => (label, 1.0),
        };
        let whole_notes = match label.split_once('/') {
            Some((notes, of)) => notes.parse::<f64>().unwrap() / of.parse::<f64>().unwrap(),
            None => label.split(' ').next().unwrap().parse().unwrap(),
        };
        4.0 * whole_notes * factor
    }

    /// Every value lasts what its label says, and each lasts longer than the one before.
    #[test]
    fn notes_last_what_their_labels_say() {
        let mut last = 0.0;
        for (note, choice) in NoteValue::ALL.iter().zip(NoteValue::CHOICES) {
            let quarters = note.quarter_notes();
            assert!((quarters - quarter_notes_of(choice.label)).abs() < 1e-15 * quarters, "{}", choice.label);
            assert!(quarters > last, "{} is out of order", choice.label);
            last = quarters;
        }
        assert_eq!((NoteValue::SixtyFourth.quarter_notes(), last), (1.0 / 16.0, 16.0));
    }

    /// Labels and keys are read in any case, and shown as they are written.
    #[test]
    fn text_goes_both_ways() {
        let kind = Kind::Choice(NoteValue::CHOICES);
        for (n, choice) in NoteValue::CHOICES.iter().enumerate() {
            let value = n as f64;
            assert_eq!(text::format(&kind, value), choice.label);
            for text in [choice.label.to_owned(), choice.label.to_lowercase(), choice.label.to_uppercase()] {
                assert_eq!(text::parse(&kind, &text), Some(value), "{text}");
            }
            assert_eq!(text::parse(&kind, choice.key), Some(value));
            assert!(choice.key.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '_'));
        }
        assert_eq!(text::parse(&kind, "1/8T"), Some(NoteValue::EighthTriplet as usize as f64));
        assert_eq!(text::parse(&kind, "1/8d"), Some(NoteValue::EighthDotted as usize as f64));
        assert_eq!(text::parse(&kind, "1/3"), None);
    }

    /// Ten minutes of repeats, against the same in whole numbers: frames × 60/bpm × notes/of, bpm in thousandths. The
    /// bound is 0.5 frames; what is left are roundings of 1e-16 in 1e8.
    #[test]
    fn repeats_stay_on_the_beat_for_ten_minutes() {
        for rate_hz in [44_100u64, 48_000, 96_000, 192_000] {
            for milli_bpm in [40_000u64, 97_000, 120_000, 133_337, 174_125, 300_000] {
                for note in NoteValue::ALL {
                    let frames = note.frames(milli_bpm as f64 / 1000.0, rate_hz as f64, f64::INFINITY);
                    let repeats = (600.0 * rate_hz as f64 / frames) as u64;
                    // 1/96 of a quarter note divides them all
                    let ticks = (note.quarter_notes() * 96.0).round() as u64;
                    let numerator = u128::from(repeats * ticks) * u128::from(60_000 * rate_hz);
                    let denominator = u128::from(96 * milli_bpm);
                    let whole = (numerator / denominator) as f64;
                    let part = (numerator % denominator) as f64 / denominator as f64;
                    let off = repeats as f64 * frames - whole - part;
                    assert!(off.abs() < 1e-6, "{note:?} at {milli_bpm}/1000 bpm and {rate_hz} Hz: {off} frames");
                }
            }
        }
        // whole numbers stay whole
        assert_eq!(NoteValue::Eighth.frames(120.0, 48_000.0, 1e9), 12_000.0);
        assert_eq!(NoteValue::EighthTriplet.frames(120.0, 48_000.0, 1e9), 8_000.0);
        assert_eq!(NoteValue::SixteenthDotted.frames(100.0, 48_000.0, 1e9), 10_800.0);
    }

    #[test]
    fn what_does_not_fit_is_halved() {
        assert_eq!(NoteValue::FourBars.frames(60.0, 48_000.0, 384_000.0), 384_000.0);
        assert_eq!(NoteValue::FourBars.frames(59.0, 48_000.0, 384_000.0), 240.0 / 59.0 * 48_000.0);
        assert_eq!(NoteValue::FourBars.frames(30.0, 48_000.0, 100_000.0), 96_000.0);
        for nonsense in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(NoteValue::Quarter.seconds(nonsense), 0.5);
        }
        assert!(NoteValue::FourBars.frames(1e-300, 48_000.0, 384_000.0) <= 384_000.0);
    }
}
