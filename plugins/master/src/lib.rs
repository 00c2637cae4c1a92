//! Tandem Master: the mastering half, for the master bus.

mod editor;

use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams, MasteringReading};
use editor::{MasterEditor, MasterMeters};
use nice_plug::prelude::*;
use tandem_shell::plugin::{Link, Product, TandemPlugin};

/// Tandem Master.
pub struct Master;

impl Product for Master {
    const NAME: &'static str = "Tandem Master";
    const CLAP_ID: &'static str = "org.tandem.master";
    const DESCRIPTION: &'static str = "A whole mastering bus: broad equalizer, true-peak limiter, loudness meter";
    const FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Equalizer,
        ClapFeature::Limiter,
        ClapFeature::Mastering,
        ClapFeature::Stereo,
        ClapFeature::Mono,
    ];
    const EDITOR_POINTS: (f32, f32) = (1060.0, 620.0);
    const ESSENTIALS: &'static [&'static str] = &[
        "input.trim_db",
        "eq.gain_scale_percent",
        "warmth.drive_db",
        "stereo.width_percent",
        "limiter.gain_db",
        "limiter.ceiling_dbtp",
        "limiter.release_ms",
        "match_bypass",
    ];

    type Params = MasteringBusParams;
    type Reading = MasteringReading;
    type Mono = MasteringBus<1>;
    type Stereo = MasteringBus<2>;
    type Meters = MasterMeters;
    type App = MasterEditor;

    fn publish(reading: &MasteringReading, meters: &MasterMeters) {
        meters.publish(reading);
    }

    fn app(link: Link<Self>) -> MasterEditor {
        MasterEditor::new(link)
    }
}

nice_export_clap!(TandemPlugin<Master>);
tandem_vst3::export!();
