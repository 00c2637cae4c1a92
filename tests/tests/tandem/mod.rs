//! Tandem's bundles, opened, and signals for them.
#![allow(dead_code, unused_macros, unused_imports)] // each test program uses a part

use dsp_core::controls::{self, Controls};
use std::path::{Path, PathBuf};
use tandem_host::{Event, Plugin, PluginBundle};

pub const FORMATS: [&str; 2] = ["clap", "vst3"];

/// Where `cargo xtask bundle` puts them.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bundled")
}

/// An instance of the product `name` in `format`.
pub fn open(name: &str, format: &str) -> Plugin {
    PluginBundle::open(folder().join(format!("{name}.{format}"))).unwrap().create_first().unwrap()
}

/// Calls `check` with both products in both formats.
pub fn every_bundle(check: impl Fn(&str, &str)) {
    for format in FORMATS {
        check("Tandem Channel", format);
        check("Tandem Master", format);
    }
}

/// Calls `check`, which is generic over the controls, with both products in both formats.
macro_rules! everywhere {
    ($check:ident) => {
        for format in $crate::tandem::FORMATS {
            $check::<dsp_core::chain::channel_strip::ChannelStripParams>("Tandem Channel", format);
            $check::<dsp_core::chain::mastering_bus::MasteringBusParams>("Tandem Master", format);
        }
    };
}

/// Runs stereo audio through in blocks of `max_frames`; `events` are counted from the start of the stream.
pub fn run(plugin: &mut Plugin, audio: &[Vec<f32>; 2], events: &[Event]) -> [Vec<f32>; 2] {
    let max_frames = plugin.setup().unwrap().max_frames;
    let mut out = audio.clone();
    let [left, right] = &mut out;
    for (i, (left, right)) in left.chunks_mut(max_frames).zip(right.chunks_mut(max_frames)).enumerate() {
        let from = i * max_frames;
        let block: Vec<Event> = events
            .iter()
            .filter(|e| (from..from + left.len()).contains(&e.offset))
            .map(|e| Event { offset: e.offset - from, ..*e })
            .collect();
        plugin.process(&mut [left, right], None, None, &block).unwrap();
        plugin.idle();
    }
    out
}

/// A sine of 48 frames a period, on both sides.
pub fn sine(frames: usize, amplitude: f64) -> [Vec<f32>; 2] {
    let channel: Vec<f32> =
        (0..frames).map(|n| (amplitude * (n as f64 * std::f64::consts::TAU / 48.0).sin()) as f32).collect();
    [channel.clone(), channel]
}

/// White noise, −12 dBFS at most: a limiter lets it pass.
pub fn noise(frames: usize) -> [Vec<f32>; 2] {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    std::array::from_fn(|_| {
        (0..frames)
            .map(|_| {
                // xorshift64: Marsaglia 2003
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ((state >> 40) as f64 / (1u64 << 24) as f64 - 0.5) as f32 / 2.0
            })
            .collect()
    })
}

/// Every control somewhere else than at its default.
pub fn moved<P: Controls>(seed: u64) -> P {
    let mut params = P::default();
    let mut state = seed;
    let list = controls::list::<P>();
    controls::for_each(&mut params, |i, control, value| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if list[i].id != "bypass" {
            value.set_plain(control.kind.value_at((state >> 40) as f64 / (1u64 << 24) as f64));
        }
    });
    params
}
pub(crate) use everywhere;
