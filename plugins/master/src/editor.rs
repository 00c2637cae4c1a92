//! Tandem Master's editor.

use crate::Master;
use dsp_core::chain::mastering_bus::{MASTER_BANDS, MasteringReading};
use gui::level_meter::{Headroom, LevelMeter};
use gui::readout::Readout;
use gui::reduction_meter::ReductionMeter;
use gui::section::{Area, Display};
use tandem_shell::editor::{Face, Scene, TandemApp};
use tandem_shell::equalizer::EqualizerPicture;
use tandem_shell::meters::{Hold, Latest};

/// The window of Tandem Master.
pub type MasterEditor = TandemApp<Master, MasterFace>;

/// What the editor shows of the master's readings.
#[derive(Default)]
pub struct MasterMeters {
    input: [Hold; 2],
    /// Reduction of the limiter, in decibels, at least 0.
    limiter_db: Hold,
    output: [Hold; 2],
    /// In the order of [`NUMBERS`].
    numbers: [Latest; NUMBERS.len()],
    match_gain_db: Latest,
}

/// Name and unit of the measured numbers.
const NUMBERS: [(&str, &str); 7] = [
    ("Integrated", "LUFS"),
    ("Short-term", "LUFS"),
    ("True peak", "dBTP"),
    ("Momentary", "LUFS"),
    ("Range", "LU"),
    ("Max momentary", "LUFS"),
    ("Max short-term", "LUFS"),
];

/// Those of [`NUMBERS`] that stand below the output's meter: the first.
const ALWAYS_SHOWN: usize = 3;
const TRUE_PEAK: usize = 2;

impl MasterMeters {
    /// Passes a reading on. Real-time safe.
    pub fn publish(&self, reading: &MasteringReading) {
        self.input.iter().zip(reading.input_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.limiter_db.raise(reading.gain_reduction_db);
        let loudness = &reading.loudness;
        let numbers = [
            loudness.integrated_lufs,
            loudness.short_term_lufs,
            reading.true_peak_dbtp,
            loudness.momentary_lufs,
            loudness.loudness_range_lu,
            loudness.momentary_max_lufs,
            loudness.short_term_max_lufs,
        ];
        self.numbers.iter().zip(numbers).for_each(|(latest, number)| latest.set(number.map(|n| n as f32)));
        self.output.iter().zip(reading.output_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.match_gain_db.set(reading.match_gain_db.map(|m| m as f32));
    }
}

/// The meters as they are painted.
#[derive(Default)]
pub struct MasterFace {
    input: LevelMeter,
    limiter: ReductionMeter,
    output: LevelMeter,
    numbers: [Option<f32>; NUMBERS.len()],
    match_gain_db: Option<f32>,
    eq: EqualizerPicture<MASTER_BANDS>,
}

impl MasterFace {
    fn readout(&self, n: usize) -> Readout {
        let ((name, unit), value) = (NUMBERS[n], self.numbers[n]);
        Readout { name, value, unit, alert: n == TRUE_PEAK && value.is_some_and(|v| v > 0.0), writes: None }
    }
}

impl Face<Master> for MasterFace {
    const HEADROOM: Option<Headroom> = None;

    fn take(&mut self, meters: &MasterMeters, is_mono: bool, now: f64) {
        self.input.take(std::array::from_fn(|c| meters.input[c].take()), is_mono, now);
        self.limiter.take(-meters.limiter_db.take(), now);
        self.numbers = std::array::from_fn(|n| meters.numbers[n].get());
        self.output.take(std::array::from_fn(|c| meters.output[c].take()), is_mono, now);
        self.match_gain_db = meters.match_gain_db.get();
    }

    fn is_moving(&self) -> bool {
        self.input.is_moving() || self.limiter.is_moving() || self.output.is_moving()
    }

    fn ends(&mut self) -> [&mut LevelMeter; 2] {
        [&mut self.input, &mut self.output]
    }

    fn readouts(&self) -> Vec<Readout> {
        (0..ALWAYS_SHOWN).map(|n| self.readout(n)).collect()
    }

    fn measured(&self, control: &str) -> Option<f32> {
        self.match_gain_db.filter(|_| control == "match_gain_db")
    }

    fn display<'a>(&'a self, section: &str, scene: &'a Scene<Master>) -> Display<'a> {
        let area = match section {
            "eq" => Some(self.eq.area(&scene.params.eq, scene.sample_rate_hz)),
            "limiter" => Some(Area::of_reduction(&self.limiter)),
            _ => None,
        };
        let readouts = if section == "meter" { (0..NUMBERS.len()).map(|n| self.readout(n)).collect() } else { vec![] };
        Display { area, readouts }
    }
}
