//! Tandem Channel's editor.

use crate::Channel;
use dsp_core::chain::channel_strip::{CHANNEL_BANDS, ChannelReading};
use gui::level_meter::{Headroom, LevelMeter};
use gui::reduction_meter::ReductionMeter;
use gui::section::{Area, Display};
use tandem_shell::editor::{Face, Scene, TandemApp};
use tandem_shell::equalizer::EqualizerPicture;
use tandem_shell::meters::Hold;

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
}

impl ChannelMeters {
    /// Passes a reading on. Real-time safe.
    pub fn publish(&self, reading: &ChannelReading) {
        self.input.iter().zip(reading.input_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.gate_db.raise(reading.gate.max_reduction_db as f32);
        self.compressor_db.raise(reading.compressor.max_reduction_db as f32);
        self.output.iter().zip(reading.output_peaks).for_each(|(hold, peak)| hold.raise(peak));
    }
}

/// The meters as they are painted.
#[derive(Default)]
pub struct ChannelFace {
    input: LevelMeter,
    gate: ReductionMeter,
    compressor: ReductionMeter,
    output: LevelMeter,
    eq: EqualizerPicture<CHANNEL_BANDS>,
}

impl Face<Channel> for ChannelFace {
    /// A mixdown's peaks belong between these.
    const HEADROOM: Option<Headroom> = Some(Headroom { from_db: -6.0, to_db: -3.0 });

    fn take(&mut self, meters: &ChannelMeters, is_mono: bool, now: f64) {
        self.input.take(std::array::from_fn(|c| meters.input[c].take()), is_mono, now);
        self.gate.take(-meters.gate_db.take(), now);
        self.compressor.take(-meters.compressor_db.take(), now);
        self.output.take(std::array::from_fn(|c| meters.output[c].take()), is_mono, now);
    }

    fn is_moving(&self) -> bool {
        let levels = [&self.input, &self.output].into_iter().any(LevelMeter::is_moving);
        levels || [&self.gate, &self.compressor].into_iter().any(ReductionMeter::is_moving)
    }

    fn ends(&mut self) -> [&mut LevelMeter; 2] {
        [&mut self.input, &mut self.output]
    }

    fn display<'a>(&'a self, section: &str, scene: &'a Scene<Channel>) -> Display<'a> {
        let area = match section {
            "gate" => Some(Area::of_reduction(&self.gate)),
            "eq" => Some(self.eq.area(&scene.params.eq, scene.sample_rate_hz)),
            "compressor" => Some(Area::of_reduction(&self.compressor)),
            _ => None,
        };
        Display { area, ..Display::default() }
    }
}
