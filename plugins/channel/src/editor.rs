//! Tandem Channel's editor.

use crate::Channel;
use dsp_core::chain::channel_strip::ChannelReading;
use nice_plug_egui::{Frame, NiceEguiApp};
use tandem_shell::meters::Hold;
use tandem_shell::plugin::Link;

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

/// The window of Tandem Channel.
pub struct ChannelEditor {
    #[allow(dead_code)]
    link: Link<Channel>,
}

impl ChannelEditor {
    /// An editor for the plugin that `link` belongs to.
    pub fn new(link: Link<Channel>) -> Self {
        ChannelEditor { link }
    }
}

impl NiceEguiApp for ChannelEditor {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut Frame) {
        ui.label("Tandem Channel");
    }
}
