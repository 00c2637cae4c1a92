//! The built bundles, one by one, as a host meets them.

mod tandem;

use dsp_core::controls::{self, Controls, Kind};
use dsp_core::text;
use std::time::{Duration, Instant};
use tandem::{FORMATS, every_bundle, everywhere, moved, noise, open, run, sine};
use tandem_host::rack::{Mapped, set_all};
use tandem_host::{Event, Plugin, Setup, SideChain, Tail};

/// The impulse comes out where the latency says, playing and bypassed, and nothing before it.
fn latency<P: Controls>(name: &str, format: &str) {
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        let mut plugin = open(name, format);
        let parameters = Mapped::all::<P>(&plugin).unwrap();
        for bypassed in [false, true] {
            let bypass = plugin.parameter("Bypass").unwrap();
            plugin.deactivate().unwrap();
            set_all(&mut plugin, &parameters, &P::default()).unwrap();
            plugin.set_value(bypass, f64::from(u8::from(bypassed))).unwrap();
            plugin.activate(Setup { sample_rate_hz: rate_hz, ..Setup::default() }).unwrap();
            let latency = plugin.latency_frames();
            let mut impulse = [vec![0.0f32; latency + 4096], vec![0.0; latency + 4096]];
            (impulse[0][100], impulse[1][100]) = (0.25, -0.5);
            let out = run(&mut plugin, &impulse, &[]);
            for (c, channel) in out.iter().enumerate() {
                let first = channel.iter().position(|s| *s != 0.0);
                assert_eq!(first, Some(100 + latency), "{name}.{format} at {rate_hz} Hz, bypassed: {bypassed}");
                assert_eq!(channel[100 + latency], impulse[c][100], "{name}.{format}: the defaults are neutral");
            }
        }
    }
}

#[test]
fn latency_is_what_is_reported() {
    everywhere!(latency);
}

/// A change at frame 100 is heard from frame 100 on, not before, and not at the block's border.
fn change_lands_on_its_frame(name: &str, format: &str) {
    let mut plugin = open(name, format);
    plugin.activate(Setup::default()).unwrap();
    let latency = plugin.latency_frames();
    let trim = plugin.parameter("Input Trim").unwrap();
    let value = plugin.to_native(trim, 0.0).unwrap();
    let audio = noise(latency + 2048);
    let out = run(&mut plugin, &audio, &[Event { offset: 100, parameter: trim, value }]);
    let differs = (0..2048).find(|n| out[0][n + latency] != audio[0][*n]);
    // the glide's quintic starts with n³: at 48 kHz its first frames are under the last bit of single precision
    assert!(matches!(differs, Some(100..=110)), "{name}.{format}: first heard at frame {differs:?}");
}

#[test]
fn automation_is_sample_accurate() {
    every_bundle(change_lands_on_its_frame);
}

/// How long the plugin sounds on follows the controls while it plays, within an instant.
#[test]
fn the_tail_follows_the_controls() {
    for format in FORMATS {
        let mut plugin = open("Tandem Channel", format);
        let reverb = plugin.parameter("Reverb On").unwrap();
        plugin.activate(Setup { max_frames: 256, ..Setup::default() }).unwrap();
        let audio = noise(4096);
        run(&mut plugin, &audio, &[]);
        assert_eq!(plugin.tail().unwrap(), Tail::Frames(0), "{format}: nothing sounds on");
        let switch = |plugin: &Plugin, on| Event {
            offset: 300,
            parameter: reverb,
            value: plugin.to_native(reverb, on).unwrap(),
        };
        let on = switch(&plugin, 1.0);
        run(&mut plugin, &audio, &[on]);
        // 1.5 s until 60 dB are lost, by default
        let tail = plugin.tail().unwrap();
        assert!(matches!(tail, Tail::Frames(frames) if frames > 72_000), "{format}: {tail:?} with the reverb on");
        let off = switch(&plugin, 0.0);
        run(&mut plugin, &audio, &[off]);
        run(&mut plugin, &audio, &[]);
        assert_eq!(plugin.tail().unwrap(), Tail::Frames(0), "{format}: the reverb is off again");
    }
}

/// Whether the plugin asks for a restart within a time that nobody notices. It may need its main thread's timer for it.
fn restart_is_requested(plugin: &mut Plugin) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(500) {
        plugin.idle();
        if plugin.take_restart_request() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// A state saved from one instance makes another sound the same, bit for bit, also across a restart.
fn state_round_trip<P: Controls>(name: &str, format: &str) {
    let params: P = moved(0x5EED);
    let audio = noise(20_000);
    let mut first = open(name, format);
    let parameters = Mapped::all::<P>(&first).unwrap();
    set_all(&mut first, &parameters, &params).unwrap();
    first.activate(Setup::default()).unwrap();
    // VST3 takes changes in with a block only
    first.flush().unwrap();
    first.restart().unwrap();
    let expected = run(&mut first, &audio, &[]);
    let state = first.save_state().unwrap();

    let mut second = open(name, format);
    second.load_state(&state).unwrap();
    second.activate(Setup::default()).unwrap();
    assert!(run(&mut second, &audio, &[]) == expected, "{name}.{format}: sounds otherwise after its state was loaded");
    assert_eq!(second.save_state().unwrap(), state, "{name}.{format}: the state changes by being loaded");

    // loaded while active: what is structural asks for a restart; after it the sound is the same again
    let mut third = open(name, format);
    third.activate(Setup::default()).unwrap();
    run(&mut third, &audio, &[]);
    third.load_state(&state).unwrap();
    run(&mut third, &audio, &[]);
    let structural = controls::structure_differs(&params, &P::default());
    assert_eq!(restart_is_requested(&mut third), structural, "{name}.{format}: restart requested");
    third.restart().unwrap();
    assert!(run(&mut third, &audio, &[]) == expected, "{name}.{format}: sounds otherwise after a restart");
}

#[test]
fn state_is_saved_and_restored() {
    everywhere!(state_round_trip);
}

/// The bypass crossfades: no step between two samples is larger than the sine's own and what a 20 ms fade of it adds.
fn bypass_does_not_click(name: &str, format: &str) {
    let mut plugin = open(name, format);
    let trim = plugin.parameter("Input Trim").unwrap();
    let bypass = plugin.parameter("Bypass").unwrap();
    let down = plugin.to_native(trim, 0.25).unwrap();
    plugin.set_value(trim, down).unwrap();
    plugin.activate(Setup::default()).unwrap();
    let audio = sine(24_000, 0.5);
    let on = Event { offset: 8_003, parameter: bypass, value: plugin.to_native(bypass, 1.0).unwrap() };
    let off = Event { offset: 16_001, value: plugin.to_native(bypass, 0.0).unwrap(), ..on };
    let out = run(&mut plugin, &audio, &[on, off]);
    // a sine of amplitude a at 48 frames a period steps by at most a·2π/48; the fade moves by at most 1.875 a / 960 a frame
    let bound = 0.5 * (std::f64::consts::TAU / 48.0 + 1.875 / 960.0);
    let step = out[0].windows(2).skip(1000).map(|w| f64::from((w[1] - w[0]).abs())).fold(0.0, f64::max);
    assert!(step <= bound * 1.001, "{name}.{format}: a step of {step}, expected at most {bound}");
    let latency = plugin.latency_frames();
    assert_eq!(out[0][12_000 + latency], audio[0][12_000], "{name}.{format}: bypassed is the input, delayed");
    assert_ne!(out[0][22_005 + latency], audio[0][22_005], "{name}.{format}: and not bypassed any more");
}

#[test]
fn bypass_is_click_free() {
    every_bundle(bypass_does_not_click);
}

/// NaN and infinity come out finite, and the sound is right again within a block.
fn survives_bad_samples(name: &str, format: &str) {
    let mut plugin = open(name, format);
    plugin.activate(Setup::default()).unwrap();
    let latency = plugin.latency_frames();
    let mut audio = sine(16_384 + latency, 0.25);
    let clean = audio.clone();
    for n in 2048..2560 {
        audio[0][n] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38][n % 4];
        audio[1][n] = f32::NAN;
    }
    let out = run(&mut plugin, &audio, &[]);
    assert!(out.iter().flatten().all(|s| s.is_finite()), "{name}.{format}: not finite");
    for n in 2560 + 512..16_384 {
        assert_eq!(out[1][n + latency], clean[1][n], "{name}.{format}: not itself again at frame {n}");
    }
}

#[test]
fn bad_samples_pass_by() {
    every_bundle(survives_bad_samples);
}

/// Every parameter: a unique name, the right default, text that can be typed in again; structural ones are not automatable.
fn parameters_are_in_order<P: Controls>(name: &str, format: &str) {
    let mut plugin = open(name, format);
    let listed = controls::list::<P>();
    let mapped = Mapped::all::<P>(&plugin).unwrap();
    for (l, m) in listed.iter().zip(&mapped) {
        let info = plugin.parameters()[m.parameter].clone();
        let same = plugin.parameters().iter().filter(|p| p.name == info.name || p.id == info.id).count();
        assert_eq!(same, 1, "{name}.{format}: '{}' and its id are unique", info.name);
        assert_eq!(info.automatable, !l.control.structural, "{name}.{format}: {}", l.id);
        assert_eq!(info.is_bypass, l.id == "bypass");
        let default = m.native(&plugin, l.default).unwrap();
        assert!((info.default - default).abs() < 1e-6, "{name}.{format}: {} starts at {}", l.id, info.default);
        for travel in [0.0, 0.1, 0.37, 0.5, 0.9, 1.0] {
            let value = l.control.kind.value_at(travel);
            let native = m.native(&plugin, value).unwrap();
            let shown = plugin.value_to_text(m.parameter, native).unwrap();
            assert_eq!(shown, text::format(&l.control.kind, value), "{name}.{format}: {}", l.id);
            let read = plugin.text_to_value(m.parameter, &shown).unwrap();
            assert!((read - native).abs() < 1e-6, "{name}.{format}: '{shown}' of {} is read as {read}", l.id);
        }
    }
    // what people type
    let trim = plugin.parameter("Input Trim").unwrap();
    let Kind::Float(range) = listed.iter().find(|l| l.name == "Input Trim").unwrap().control.kind else { panic!() };
    for (typed, value) in [("3 dB", 3.0), ("3db", 3.0), ("-1,5", -1.5)] {
        let read = plugin.text_to_value(trim, typed).unwrap();
        let expected = plugin.to_native(trim, range.travel_of(value)).unwrap();
        assert!((read - expected).abs() < 1e-6, "{name}.{format}: '{typed}'");
    }
}

#[test]
fn parameter_list_is_fit_for_people() {
    everywhere!(parameters_are_in_order);
}

/// Pages have names of their own, the essentials come first, and the others hold every parameter once.
fn pages_reach_everything(name: &str) {
    let mut plugin = open(name, "clap");
    let pages = plugin.remote_pages();
    let essentials = pages.first().unwrap();
    assert_eq!(essentials.name, "Essentials");
    assert!(essentials.parameters.iter().all(Option::is_some), "{name}: eight essentials: {essentials:?}");
    let mut left: Vec<String> = plugin.parameters().iter().map(|p| p.name.clone()).collect();
    for page in &pages[1..] {
        assert!(!page.name.is_empty() && page.section == name, "{page:?}");
        for (parameter, id) in page.parameters.iter().zip(page.ids) {
            assert_eq!(parameter.is_some(), id.is_some(), "{name}: {page:?} names a parameter that is not there");
            if let Some(parameter) = parameter {
                let known = &plugin.parameters()[*parameter].name;
                let at = left.iter().position(|n| n == known);
                left.remove(at.unwrap_or_else(|| panic!("{name}: '{known}' is on two pages")));
            }
        }
    }
    assert!(left.is_empty(), "{name}: on no page: {left:?}");
    let mut names: Vec<&str> = pages.iter().map(|p| p.name.as_str()).collect();
    // a second page says that it is one: "EQ 1 (2)" is no "EQ 12"
    assert!(names.contains(&if name == "Tandem Channel" { "EQ 1 (2)" } else { "Limiter (2)" }), "{name}: {names:?}");
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{name}: pages of one name: {names:?}");
}

#[test]
fn remote_pages_reach_every_parameter() {
    pages_reach_everything("Tandem Channel");
    pages_reach_everything("Tandem Master");
}

/// A mono track is served natively; a side chain that is connected, silent or missing is survived.
#[test]
fn layouts() {
    for name in ["Tandem Channel", "Tandem Master"] {
        for format in FORMATS {
            let mut plugin = open(name, format);
            assert!(plugin.supports_channels(1) && plugin.supports_channels(2), "{name}.{format}");
            for side_chain in [SideChain::Connected, SideChain::Silent] {
                plugin.activate(Setup { channels: 1, side_chain, ..Setup::default() }).unwrap();
                let latency = plugin.latency_frames();
                let [mono, key] = noise(4096 + latency);
                let mut out = mono.clone();
                for (block, key) in out.chunks_mut(512).zip(key.chunks(512)) {
                    plugin.process(&mut [block], Some(&[key]), None, &[]).unwrap();
                }
                assert!(out[latency..] == mono[..4096], "{name}.{format}: neutral in mono");
                plugin.deactivate().unwrap();
            }
            // and in stereo again
            plugin.activate(Setup::default()).unwrap();
            let audio = noise(plugin.latency_frames() + 512);
            let out = run(&mut plugin, &audio, &[]);
            assert!(out[1].ends_with(&audio[1][..512]), "{name}.{format}: neutral in stereo after mono");
        }

        for format in FORMATS {
            let expected = noise(2048);
            for side_chain in [SideChain::Connected, SideChain::Silent, SideChain::Omitted] {
                if format == "clap" && side_chain == SideChain::Omitted {
                    // breaks the rule that each port gets its buffer; the framework reads past the array
                    continue;
                }
                let mut plugin = open(name, format);
                plugin.activate(Setup { side_chain, ..Setup::default() }).unwrap();
                let latency = plugin.latency_frames();
                let mut out = expected.clone();
                let key = noise(2048);
                let [left, right] = &mut out;
                for ((left, right), key) in
                    left.chunks_mut(512).zip(right.chunks_mut(512)).zip(key[0].chunks(512).zip(key[1].chunks(512)))
                {
                    let key = [key.0, key.1];
                    let key = (side_chain == SideChain::Connected).then_some(&key[..]);
                    plugin.process(&mut [left, right], key, None, &[]).unwrap();
                }
                assert!(out[0][latency..] == expected[0][..2048 - latency], "{name}.{format}: {side_chain:?}");
            }
        }
    }
}

/// Many points of one parameter in one block, more than anybody reserves memory for: each is heard at its own frame,
/// however the stream is cut, and in both formats alike.
fn no_point_is_lost(name: &str) {
    let audio = noise(16_384);
    let mut expected = None;
    for format in FORMATS {
        for max_frames in [16_384, 64] {
            let mut plugin = open(name, format);
            let trim = plugin.parameter("Input Trim").unwrap();
            let bypass = plugin.parameter("Bypass").unwrap();
            let points = (0..9000).map(|n| {
                // three quarters of the points alone in a frame or two, the rest together in frame 12 000
                let offset = if n < 6750 { n * 3 / 2 } else { 12_000 };
                let travel = 0.5 + 0.25 * ((n * 7919 % 1000) as f64 / 1000.0 - 0.5);
                Event { offset, parameter: trim, value: plugin.to_native(trim, travel).unwrap() }
            });
            let switches = (0..20).map(|n| {
                let value = plugin.to_native(bypass, f64::from(n as u8 % 2)).unwrap();
                Event { offset: n * 501, parameter: bypass, value }
            });
            let events: Vec<Event> = points.chain(switches).collect();
            plugin.activate(Setup { max_frames, ..Setup::default() }).unwrap();
            let out = run(&mut plugin, &audio, &events);
            match &expected {
                None => expected = Some(out),
                Some(expected) => assert!(out == *expected, "{name}.{format} in blocks of {max_frames}"),
            }
        }
    }
}

#[test]
fn every_point_of_a_crowded_block_is_heard() {
    no_point_is_lost("Tandem Channel");
    no_point_is_lost("Tandem Master");
}

/// Values that come without audio, active or not, are what the next block starts with, and are saved.
fn changes_without_audio(name: &str, format: &str) {
    let audio = noise(8192);
    let prepared = |active_first: bool| {
        let mut plugin = open(name, format);
        let trim = plugin.parameter("Input Trim").unwrap();
        let value = plugin.to_native(trim, 0.3125).unwrap();
        if active_first {
            plugin.activate(Setup::default()).unwrap();
        }
        plugin.set_value(trim, value).unwrap();
        if active_first {
            plugin.flush().unwrap();
            assert_eq!(plugin.value(trim).unwrap(), value, "{name}.{format}: after the flush");
            plugin.restart().unwrap();
        } else {
            plugin.activate(Setup::default()).unwrap();
        }
        assert_eq!(plugin.value(trim).unwrap(), value, "{name}.{format}");
        let state = plugin.save_state().unwrap();
        (state, run(&mut plugin, &audio, &[]))
    };
    let (state, out) = prepared(false);
    let (active_state, active_out) = prepared(true);
    assert_eq!(active_state, state, "{name}.{format}");
    assert!(active_out == out, "{name}.{format}");
    let mut default = open(name, format);
    default.activate(Setup::default()).unwrap();
    assert!(run(&mut default, &audio, &[]) != out, "{name}.{format}: the change is heard");
}

#[test]
fn values_arrive_without_audio() {
    every_bundle(changes_without_audio);
}

/// A structural control that moves while audio runs takes effect with the restart that it asks for, and the latency told
/// then is the one measured.
fn structure_follows<P: Controls>(name: &str, format: &str) {
    let mut plugin = open(name, format);
    let parameters = Mapped::all::<P>(&plugin).unwrap();
    plugin.activate(Setup::default()).unwrap();
    let before = plugin.latency_frames();
    let mut changed = false;
    for (i, listed) in controls::list::<P>().iter().enumerate().filter(|(_, listed)| listed.control.structural) {
        let highest = parameters[i].native(&plugin, listed.control.kind.value_at(1.0)).unwrap();
        let default = parameters[i].native(&plugin, listed.default).unwrap();
        if highest == default {
            continue;
        }
        plugin.set_value(parameters[i].parameter, highest).unwrap();
        run(&mut plugin, &noise(512), &[]);
        assert!(restart_is_requested(&mut plugin), "{name}.{format}: {} asks for a restart", listed.id);
        plugin.restart().unwrap();
        let latency = plugin.latency_frames();
        changed |= latency != before;
        let mut impulse = [vec![0.0f32; latency + 1024], vec![0.0; latency + 1024]];
        (impulse[0][100], impulse[1][100]) = (0.25, 0.25);
        let out = run(&mut plugin, &impulse, &[]);
        let loudest = (0..out[0].len()).max_by(|a, b| out[0][*a].abs().total_cmp(&out[0][*b].abs())).unwrap();
        assert_eq!(loudest, 100 + latency, "{name}.{format}: {}", listed.id);
        plugin.set_value(parameters[i].parameter, default).unwrap();
        run(&mut plugin, &noise(512), &[]);
        assert!(restart_is_requested(&mut plugin), "{name}.{format}: {} asks again", listed.id);
        plugin.restart().unwrap();
        assert_eq!(plugin.latency_frames(), before, "{name}.{format}: {}", listed.id);
    }
    assert!(changed, "{name}.{format}: there is a control that changes the latency");
}

#[test]
fn latency_follows_the_structure() {
    everywhere!(structure_follows);
}

/// Both formats show the same parameters in the same groups.
#[test]
fn groups_are_the_same_in_both_formats() {
    for name in ["Tandem Channel", "Tandem Master"] {
        let [clap, vst3] = FORMATS.map(|format| {
            let plugin = open(name, format);
            let parameters = plugin.parameters().iter();
            parameters.map(|p| (p.id, p.name.clone(), p.group.clone(), p.steps, p.automatable)).collect::<Vec<_>>()
        });
        assert_eq!(clap, vst3, "{name}");
        assert!(clap.iter().any(|(_, _, group, ..)| group.contains('/')), "{name}: groups within groups");
    }
}
