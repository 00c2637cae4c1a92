//! Tandem Channel: the mixing half, for every channel strip.

mod editor;

use dsp_core::chain::channel_strip::{ChannelReading, ChannelStrip, ChannelStripParams};
use editor::{ChannelEditor, ChannelMeters};
use nice_plug::prelude::*;
use tandem_shell::plugin::{Link, Product, TandemPlugin};

/// Tandem Channel.
pub struct Channel;

impl Product for Channel {
    const NAME: &'static str = "Tandem Channel";
    const CLAP_ID: &'static str = "org.tandem.channel";
    const DESCRIPTION: &'static str =
        "A whole mixing channel: gate, equalizer, compressor, saturation, panner, delay, reverb";
    const FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Equalizer,
        ClapFeature::Compressor,
        ClapFeature::Mixing,
        ClapFeature::Stereo,
        ClapFeature::Mono,
    ];
    const EDITOR_POINTS: (f32, f32) = (1060.0, 620.0);
    const ESSENTIALS: &'static [&'static str] = &[
        "input.trim_db",
        "gate.threshold_db",
        "compressor.threshold_db",
        "compressor.make_up_db",
        "saturation.drive_db",
        "delay.mix_percent",
        "reverb.mix_percent",
        "output.gain_db",
    ];

    type Params = ChannelStripParams;
    type Reading = ChannelReading;
    type Mono = ChannelStrip<1>;
    type Stereo = ChannelStrip<2>;
    type Meters = ChannelMeters;
    type App = ChannelEditor;

    fn publish(reading: &ChannelReading, meters: &ChannelMeters) {
        meters.publish(reading);
    }

    fn app(link: Link<Self>) -> ChannelEditor {
        ChannelEditor::new(link)
    }
}

nice_export_clap!(TandemPlugin<Channel>);
tandem_vst3::export!();
