//! The presets that come with the program: right, all there, and fit to be heard.

use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::preset;
use std::path::Path;
use tandem_render::direct::DirectRack;
use tandem_render::engine::{self, BlockPlan, Rack, Stream};
use tandem_render::nomenclature::{Instrument, parse};
use tandem_render::presets::{self, BuiltIn};
use tandem_render::session::Strip;

fn right_and_all_there<P: BuiltIn>() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets").join(P::KIND);
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(P::presets().iter().map(|p| p.name).collect::<Vec<_>>(), files);
    for built_in in P::presets() {
        let loaded = preset::from_toml::<P>(built_in.text).unwrap();
        assert_eq!(loaded.troubles, [], "{}", built_in.name);
        assert!(
            built_in.text.starts_with("# ") && built_in.purpose().ends_with('.'),
            "{} says what for",
            built_in.name
        );
        assert!(built_in.params::<P>() != P::default() || built_in.name == "none");
        assert_eq!(presets::find::<P>(&built_in.name.replace('_', " ").to_uppercase()), Some(built_in));
    }
    assert_eq!(presets::find::<P>("nothing of the kind"), None);
}

#[test]
fn right() {
    right_and_all_there::<ChannelStripParams>();
    right_and_all_there::<MasteringBusParams>();
}

#[test]
fn every_instrument_has_one() {
    use Instrument::*;
    for instrument in [
        Kick,
        Snare,
        SnareBottom,
        Toms,
        HiHat,
        Overheads,
        Room,
        Drums,
        Percussion,
        Bass,
        ElectricGuitar,
        AcousticGuitar,
        Piano,
        Keys,
        Pad,
        Strings,
        Brass,
        Synth,
        LeadVocal,
        BackingVocals,
        Speech,
        Effects,
        WholeMix,
        Other,
    ] {
        assert!(presets::find::<ChannelStripParams>(instrument.preset()).is_some(), "{instrument:?}");
    }
    assert_eq!(parse("anything").instrument.preset(), "other");
}

/// At the level that they are made for, starting presets neither bury nor blow up a sound: pink noise that peaks at
/// −9 dBFS stays within 9 dB of its level. (A kick's low cut and a hi-hat's leave little of each other's sound.) An echo that ducks
/// under steady noise is softer.
#[test]
fn channel_presets_keep_a_sound_near_its_level() {
    let audio = pink(2.0);
    let rms = |audio: &[Vec<f32>; 2]| {
        let sum: f64 = audio.iter().flatten().map(|s| f64::from(*s).powi(2)).sum();
        10.0 * (sum / audio[0].len() as f64 / 2.0).log10()
    };
    let before = rms(&audio);
    let stream = Stream { sample_rate_hz: 48_000, max_frames: 512, tempo_bpm: 120.0 };
    for built_in in ChannelStripParams::presets() {
        let params: ChannelStripParams = built_in.params();
        let mut insert = DirectRack.channel(stream, &params).unwrap();
        let frames = audio[0].len();
        let strip = Strip::still(params);
        let out = engine::through(&mut insert, &audio, frames, stream, &strip, BlockPlan::Fixed(512)).unwrap();
        let change = rms(&out) - before;
        let softest = if built_in.name.ends_with("_return") { -24.0 } else { -9.0 };
        assert!((softest..=6.0).contains(&change), "{}: {change:.1} dB", built_in.name);
        let peak = out.iter().flatten().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(peak <= 1.0, "{} peaks at {peak}", built_in.name);
    }
}

/// Pink noise at a peak of −9 dBFS: Kellet's filter, "economy" version (musicdsp.org 76).
fn pink(seconds: f64) -> [Vec<f32>; 2] {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut audio = std::array::from_fn::<Vec<f32>, 2, _>(|_| {
        let mut b = [0.0f64; 3];
        (0..(48_000.0 * seconds) as usize)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let white = (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0;
                b[0] = 0.99765 * b[0] + white * 0.099_046;
                b[1] = 0.963 * b[1] + white * 0.296_516_4;
                b[2] = 0.57 * b[2] + white * 1.052_691_3;
                (b[0] + b[1] + b[2] + white * 0.1848) as f32
            })
            .collect()
    });
    let peak = audio.iter().flatten().fold(0.0f32, |m, s| m.max(s.abs()));
    let gain = 10f32.powf(-9.0 / 20.0) / peak;
    audio.iter_mut().flatten().for_each(|s| *s *= gain);
    audio
}
