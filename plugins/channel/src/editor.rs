//! Tandem Channel's editor.

use crate::Channel;
use dsp_core::chain::channel_strip::{CHANNEL_BANDS, ChannelReading};
use dsp_core::math;
use gui::level_meter::{Headroom, LevelMeter};
use gui::readout::Readout;
use gui::reduction_meter::ReductionMeter;
use gui::section::{Area, Display};
use tandem_shell::editor::{Face, Scene, TandemApp};
use tandem_shell::equalizer::EqualizerPicture;
use tandem_shell::meters::{Hold, Latest};

/// The window of Tandem Channel.
pub type ChannelEditor = TandemApp<Channel, ChannelFace>;

/// What the editor shows of the channel's readings.
#[derive(Default)]
pub struct ChannelMeters {
    input: [Hold; 2],
    /// Reduction of the gate, in decibels, at least 0.
    gate_db: Hold,
    /// Reduction of the compressor, likewise.
    compressor_db: Hold,
    output: [Hold; 2],
    true_peak: Hold,
    /// In decibels.
    rms_db: Latest,
    short_term_lufs: Latest,
    make_up_db: Latest,
    match_gain_db: Latest,
}

impl ChannelMeters {
    /// Passes a reading on. Real-time safe.
    pub fn publish(&self, reading: &ChannelReading) {
        self.input.iter().zip(reading.input_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.gate_db.raise(reading.gate.max_reduction_db as f32);
        self.compressor_db.raise(reading.compressor.max_reduction_db as f32);
        self.output.iter().zip(reading.output_peaks).for_each(|(hold, peak)| hold.raise(peak));
        let greatest = |values: [f32; 2]| values.into_iter().fold(0.0, f32::max);
        let db = |gain: f32| math::gain_to_db(f64::from(gain)) as f32;
        self.true_peak.raise(greatest(reading.output.true_peak));
        self.rms_db.set(Some(db(greatest(reading.output.rms)) + AES17_DB));
        self.short_term_lufs.set(reading.output.short_term_lufs.map(|l| l as f32));
        self.make_up_db.set(reading.compressor.measured_make_up_db.map(|m| m as f32));
        self.match_gain_db.set(reading.match_gain_db.map(|m| m as f32));
    }
}

/// A sine of full scale reads 0 dBFS RMS (AES17-2020, 3.12.3): 20 log₁₀ √2 over the root of its mean square.
const AES17_DB: f32 = 3.010_3;
/// Peaks are as often as not a little over a mix's: this high they leave no room at all.
const TRUE_PEAK_ALERT_DBTP: f32 = 0.0;

/// The meters as they are painted.
#[derive(Default)]
pub struct ChannelFace {
    input: LevelMeter,
    gate: ReductionMeter,
    compressor: ReductionMeter,
    output: LevelMeter,
    eq: EqualizerPicture<CHANNEL_BANDS>,
    /// The highest since the window opened, linear.
    true_peak: f32,
    rms_db: Option<f32>,
    short_term_lufs: Option<f32>,
    make_up_db: Option<f32>,
    match_gain_db: Option<f32>,
}

impl Face<Channel> for ChannelFace {
    /// A mixdown's peaks belong between these.
    const HEADROOM: Option<Headroom> = Some(Headroom { from_db: -6.0, to_db: -3.0 });

    fn take(&mut self, meters: &ChannelMeters, is_mono: bool, now: f64) {
        self.input.take(std::array::from_fn(|c| meters.input[c].take()), is_mono, now);
        self.gate.take(-meters.gate_db.take(), now);
        self.compressor.take(-meters.compressor_db.take(), now);
        self.output.take(std::array::from_fn(|c| meters.output[c].take()), is_mono, now);
        self.true_peak = self.true_peak.max(meters.true_peak.take());
        self.rms_db = meters.rms_db.get();
        self.short_term_lufs = meters.short_term_lufs.get();
        self.make_up_db = meters.make_up_db.get();
        self.match_gain_db = meters.match_gain_db.get();
    }

    fn is_moving(&self) -> bool {
        let levels = [&self.input, &self.output].into_iter().any(LevelMeter::is_moving);
        levels || [&self.gate, &self.compressor].into_iter().any(ReductionMeter::is_moving)
    }

    fn ends(&mut self) -> [&mut LevelMeter; 2] {
        [&mut self.input, &mut self.output]
    }

    fn readouts(&self) -> Vec<Readout> {
        let true_peak_dbtp = (self.true_peak > 0.0).then(|| math::gain_to_db(f64::from(self.true_peak)) as f32);
        let readout = |name, value, unit| Readout { name, value, unit, alert: false, writes: None };
        vec![
            Readout {
                alert: true_peak_dbtp.is_some_and(|p| p > TRUE_PEAK_ALERT_DBTP),
                ..readout("True peak", true_peak_dbtp, "dBTP")
            },
            readout("RMS", self.rms_db, "dBFS"),
            readout("Short-term", self.short_term_lufs, "LUFS"),
        ]
    }

    fn measured(&self, control: &str) -> Option<f32> {
        self.match_gain_db.filter(|_| control == "match_gain_db")
    }

    fn display<'a>(&'a self, section: &str, scene: &'a Scene<Channel>) -> Display<'a> {
        let area = match section {
            "gate" => Some(Area::of_reduction(&self.gate)),
            "eq" => Some(self.eq.area(scene.params.eq, scene.sample_rate_hz)),
            "compressor" => Some(Area::of_reduction(&self.compressor)),
            _ => None,
        };
        let readouts = match section {
            "compressor" => vec![Readout {
                name: "Measured make-up",
                value: self.make_up_db,
                unit: "dB",
                alert: false,
                writes: Some("compressor.auto_make_up_db"),
            }],
            _ => vec![],
        };
        Display { area, readouts }
    }
}
