//! Tandem Master's editor.

use crate::Master;
use dsp_core::chain::mastering_bus::MasteringReading;
use nice_plug_egui::{Frame, NiceEguiApp};
use tandem_shell::meters::Hold;
use tandem_shell::plugin::Link;

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

/// The window of Tandem Master.
pub struct MasterEditor {
    #[allow(dead_code)]
    link: Link<Master>,
}

impl MasterEditor {
    /// An editor for the plugin that `link` belongs to.
    pub fn new(link: Link<Master>) -> Self {
        MasterEditor { link }
    }
}

impl NiceEguiApp for MasterEditor {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut Frame) {
        ui.label("Tandem Master");
    }
}
