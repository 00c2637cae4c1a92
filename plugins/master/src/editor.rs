//! Tandem Master's editor.

use crate::Master;
use dsp_core::chain::mastering_bus::MasteringReading;
use dsp_core::delivery::audition::{AuditionService, SERVICES};
use dsp_core::equalizer::{BROAD_BANDS, Phase};
use dsp_core::metering::word_length::WordLength;
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
    learned_gain_db: Latest,
    largest_reduction_db: Latest,
    bits_in_use: Latest,
    /// Gain of each service, in decibels.
    services_db: [Latest; SERVICES],
    match_gain_db: Latest,
}

/// Name and unit of the measured numbers.
const NUMBERS: [(&str, &str); 12] = [
    ("Integrated", "LUFS"),
    ("Short-term", "LUFS"),
    ("True peak", "dBTP"),
    ("Momentary", "LUFS"),
    ("Range", "LU"),
    ("Max momentary", "LUFS"),
    ("Max short-term", "LUFS"),
    ("Peak to short-term", "dB"),
    ("Peak to loudness", "dB"),
    ("Correlation", ""),
    ("Mono loses", "LU"),
    ("Incoming peak", "dBFS"),
];

/// Those of [`NUMBERS`] that stand below the output's meter: the first.
const ALWAYS_SHOWN: usize = 3;
const INTEGRATED: usize = 0;
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
            reading.psr_db,
            reading.plr_db,
            reading.correlation.whole.map(f64::from),
            loudness.mono_fold_loss_lu,
            reading.incoming_peak_dbfs,
        ];
        self.numbers.iter().zip(numbers).for_each(|(latest, number)| latest.set(number.map(|n| n as f32)));
        self.learned_gain_db.set(reading.learned_gain_db.map(|db| db as f32));
        self.largest_reduction_db.set((reading.measured_seconds > 0.0).then_some(reading.largest_reduction_db as f32));
        self.bits_in_use.set(reading.word_length.map(|word_length| match word_length {
            WordLength::Bits(bits) => f32::from(bits),
            WordLength::Float => 32.0,
        }));
        for (latest, playback) in self.services_db.iter().zip(reading.deliveries) {
            latest.set(playback.map(|p| p.gain_db as f32));
        }
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
    learned_gain_db: Option<f32>,
    largest_reduction_db: Option<f32>,
    bits_in_use: Option<f32>,
    services_db: [Option<f32>; SERVICES],
    match_gain_db: Option<f32>,
    eq: EqualizerPicture<BROAD_BANDS>,
}

impl MasterFace {
    fn readout(&self, n: usize) -> Readout {
        let ((name, unit), value) = (NUMBERS[n], self.numbers[n]);
        Readout { alert: n == TRUE_PEAK && value.is_some_and(|v| v > 0.0), ..plain(name, value, unit) }
    }

    fn limiter_readouts(&self) -> Vec<Readout> {
        vec![
            Readout { writes: Some("limiter.gain_db"), ..plain("Learned gain", self.learned_gain_db, "dB") },
            plain("Most reduction", self.largest_reduction_db, "dB"),
        ]
    }

    /// What becomes of the master at the service that is chosen.
    fn audition_readouts(&self, service: AuditionService) -> Vec<Readout> {
        let gain_db = self.services_db[service as usize];
        let heard_lufs = self.numbers[INTEGRATED].zip(gain_db).map(|(lufs, gain_db)| lufs + gain_db);
        let for_nothing_db =
            gain_db.zip(self.largest_reduction_db).map(|(gain, most)| (-gain).clamp(0.0, most.max(0.0)));
        vec![
            Readout { writes: Some("audition.gain_db"), ..plain("Its gain", gain_db, "dB") },
            plain("Heard at", heard_lufs, "LUFS"),
            plain("Limited for nothing", for_nothing_db, "dB"),
        ]
    }
}

fn plain(name: &'static str, value: Option<f32>, unit: &'static str) -> Readout {
    Readout { name, value, unit, alert: false, writes: None }
}

impl Face<Master> for MasterFace {
    const HEADROOM: Option<Headroom> = None;

    fn take(&mut self, meters: &MasterMeters, is_mono: bool, now: f64) {
        self.input.take(std::array::from_fn(|c| meters.input[c].take()), is_mono, now);
        self.limiter.take(-meters.limiter_db.take(), now);
        self.numbers = std::array::from_fn(|n| meters.numbers[n].get());
        self.learned_gain_db = meters.learned_gain_db.get();
        self.largest_reduction_db = meters.largest_reduction_db.get();
        self.bits_in_use = meters.bits_in_use.get();
        self.services_db = std::array::from_fn(|n| meters.services_db[n].get());
        self.match_gain_db = meters.match_gain_db.get();
        self.output.take(std::array::from_fn(|c| meters.output[c].take()), is_mono, now);
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
            "eq" => Some(self.eq.area(scene.params.eq.equalizer(), scene.sample_rate_hz)),
            "limiter" => Some(Area::of_reduction(&self.limiter)),
            _ => None,
        };
        let readouts = match section {
            "eq" => phase_readouts(scene.params.eq.phase, scene.sample_rate_hz),
            "limiter" => self.limiter_readouts(),
            "dither" => vec![plain("Bits in use", self.bits_in_use, "bit")],
            "meter" => (0..NUMBERS.len()).map(|n| self.readout(n)).collect(),
            "audition" => self.audition_readouts(scene.params.audition.service),
            _ => vec![],
        };
        Display { area, readouts }
    }
}

/// What linear phase costs: how late the sound is, and the lowest frequency that its kernel resolves.
fn phase_readouts(phase: Phase, sample_rate_hz: f64) -> Vec<Readout> {
    let Some(lowest_hz) = phase.lowest_hz(sample_rate_hz) else { return vec![] };
    let latency_ms = phase.latency_frames(sample_rate_hz) as f64 / sample_rate_hz * 1e3;
    vec![plain("Latency", Some(latency_ms as f32), "ms"), plain("Resolves from", Some(lowest_hz as f32), "Hz")]
}
