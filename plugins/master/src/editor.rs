//! Tandem Master's editor.

use crate::Master;
use dsp_core::chain::mastering_bus::MasteringReading;
use gui::level_meter::{Headroom, LevelMeter};
use tandem_shell::editor::{Face, TandemApp};
use tandem_shell::meters::Hold;

/// The window of Tandem Master.
pub type MasterEditor = TandemApp<Master, MasterFace>;

/// What the editor shows of the master's readings.
#[derive(Default)]
pub struct MasterMeters {
    input: [Hold; 2],
    output: [Hold; 2],
}

impl MasterMeters {
    /// Passes a reading on. Real-time safe.
    pub fn publish(&self, reading: &MasteringReading) {
        self.input.iter().zip(reading.input_peaks).for_each(|(hold, peak)| hold.raise(peak));
        self.output.iter().zip(reading.output_peaks).for_each(|(hold, peak)| hold.raise(peak));
    }
}

/// The meters as they are painted.
#[derive(Default)]
pub struct MasterFace {
    input: LevelMeter,
    output: LevelMeter,
}

impl Face<Master> for MasterFace {
    const HEADROOM: Option<Headroom> = None;

    fn take(&mut self, meters: &MasterMeters, is_mono: bool, now: f64) {
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
