//! Tandem Channel's editor.

use crate::Channel;
use dsp_core::chain::channel_strip::ChannelReading;
use gui::level_meter::{Headroom, LevelMeter};
use tandem_shell::editor::{Face, TandemApp};
use tandem_shell::meters::Hold;

/// The window of Tandem Channel.
pub type ChannelEditor = TandemApp<Channel, ChannelFace>;

/// What the editor shows of the channel's readings.
#[derive(Default)]
pub struct ChannelMeters {
    input: [Hold; 2],
    output: [Hold; 2],
}

impl ChannelMeters {
    /// Passes a reading on. Real-time safe.
    pub fn publish(&self, reading: &ChannelReading) {
        self.input.iter().zip(reading.input_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.output.iter().zip(reading.output_peaks).for_each(|(hold, peak)| hold.raise(peak));
    }
}

/// The meters as they are painted.
#[derive(Default)]
pub struct ChannelFace {
    input: LevelMeter,
    output: LevelMeter,
}

impl Face<Channel> for ChannelFace {
    /// A mixdown's peaks belong between these.
    const HEADROOM: Option<Headroom> = Some(Headroom { from_db: -6.0, to_db: -3.0 });

    fn take(&mut self, meters: &ChannelMeters, is_mono: bool, now: f64) {
        self.input.take(std::array::from_fn(|c| meters.input[c].take()), is_mono, now);
        self.output.take(std::array::from_fn(|c| meters.output[c].take()), is_mono, now);
    }

    fn is_moving(&self) -> bool {
        self.input.is_moving() || self.output.is_moving()
    }

    fn ends(&mut self) -> [&mut LevelMeter; 2] {
        [&mut self.input, &mut self.output]
    }
}
