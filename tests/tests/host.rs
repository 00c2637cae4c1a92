//! The host against a plugin of which every answer is known. What a test expects follows from the subject's definition:
//! output is input 37 frames ago times the gain, plus side chain times its level.

mod subject;

use subject::{GAIN, LATENCY_FRAMES, MISDEED, SHOW, SIDE, active, bundle, bundles, native};
use tandem_host::{Edit, Event, Format, HostError, Plugin, PluginBundle, Setup, SideChain, Status, Tail, Transport};

/// A different value in each frame and channel, exact in f32.
fn ramp(channel: usize, frames: usize) -> Vec<f32> {
    (0..frames).map(|frame| (1 + frame + 1000 * channel) as f32 / 4096.0).collect()
}

/// Processes one block of `audio`, of any width.
fn run(plugin: &mut Plugin, audio: &mut [Vec<f32>], events: &[Event]) -> Result<Status, HostError> {
    let mut channels: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
    plugin.process(&mut channels, None, None, events)
}

/// The left sample that the subject shows in a block of one frame.
fn shown(plugin: &mut Plugin, what: f64, transport: Option<&Transport>) -> f32 {
    let value = native(plugin, SHOW, what);
    let (mut left, mut right) = ([0.0], [0.0]);
    let event = Event { offset: 0, parameter: SHOW, value };
    plugin.process(&mut [&mut left, &mut right], None, transport, &[event]).expect("the block is processed");
    left[0]
}

#[test]
fn a_bundle_lists_its_plugin_and_refuses_others() {
    for bundle in bundles() {
        assert_eq!(bundle.plugins().len(), 1);
        assert_eq!(bundle.plugins()[0].name, "Subject");
        let plugin = bundle.create("Subject").expect("by name");
        assert_eq!((plugin.name(), plugin.format()), ("Subject", bundle.format()));
        assert!(bundle.create(&bundle.plugins()[0].id).is_ok(), "by id");
        assert!(matches!(bundle.create("Nobody"), Err(HostError::NoSuchPlugin { .. })));
        assert!(matches!(bundle.create_at(1), Err(HostError::NoSuchPlugin { .. })));
    }
}

#[test]
fn what_is_no_bundle_is_refused_by_name() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = |name: &str| folder.join(name);
    assert!(matches!(PluginBundle::open(path("nothing.clap")), Err(HostError::NotFound { .. })));
    assert!(matches!(PluginBundle::open(path("plugin.dll")), Err(HostError::UnknownFormat { .. })));
    std::fs::create_dir_all(path("empty.vst3")).expect("a folder");
    assert!(matches!(PluginBundle::open(path("empty.vst3")), Err(HostError::NoBinary { .. })));
    for name in ["text.clap", "text.vst3"] {
        std::fs::write(path(name), "no plugin").expect("a file");
        let error = PluginBundle::open(path(name)).err().expect("an error");
        assert!(matches!(error, HostError::Load { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn parameters_read_alike_in_both_formats() {
    for (bundle, [group, path]) in bundles().into_iter().zip([["Group"; 2], ["Outer/Inner"; 2]]) {
        let mut plugin = bundle.create_first().expect("an instance");
        let names: Vec<&str> = plugin.parameters().iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, ["Gain", "Side", "Show", "Misdeed"]);
        assert!(plugin.parameters().iter().all(|info| info.group == group && info.automatable && !info.is_bypass));
        assert_eq!(plugin.parameters().iter().map(|info| info.id).collect::<Vec<_>>(), [100, 101, 102, 103]);
        assert_eq!(
            plugin.parameters().iter().map(|info| info.steps).collect::<Vec<_>>(),
            [None, None, Some(6), Some(8)]
        );
        for name in ["Gain", "gain", "100", &format!("{path}/Gain"), &format!("{path}/gain")] {
            assert_eq!(plugin.parameter(name).ok(), Some(GAIN), "{name}");
        }
        assert!(matches!(plugin.parameter("Grain"), Err(HostError::ParameterName { .. })));
        // the default of 1 in 0 to 2 is the middle of the range, whatever the format counts in
        let value = plugin.value(GAIN).expect("a value");
        assert_eq!(value, plugin.parameters()[GAIN].default);
        assert_eq!(plugin.to_normalised(GAIN, value).ok(), Some(0.5));
        assert_eq!(plugin.to_native(GAIN, 0.5).ok(), Some(value));
        assert!(matches!(plugin.value(4), Err(HostError::ParameterIndex { index: 4, count: 4, .. })));
        assert!(matches!(plugin.set_value(4, 0.0), Err(HostError::ParameterIndex { .. })));
    }
}

#[test]
fn texts_go_both_ways() {
    for (bundle, text) in bundles().into_iter().zip(["1.5 x", "1.5"]) {
        let mut plugin = bundle.create_first().expect("an instance");
        let value = native(&plugin, GAIN, 1.5);
        assert_eq!(plugin.value_to_text(GAIN, value).expect("a text"), text);
        assert_eq!(plugin.text_to_value(GAIN, text).expect("a value"), value);
        plugin.set_text(GAIN, text).expect("typed");
        assert_eq!(plugin.value(GAIN).expect("a value"), value);
        assert!(matches!(plugin.text_to_value(GAIN, "loud"), Err(HostError::Text { .. })));
    }
}

#[test]
fn audio_comes_out_late_by_the_latency_in_any_layout() {
    for bundle in bundles() {
        for (channels, in_place) in [(1, false), (1, true), (2, false), (2, true)] {
            let setup = Setup { channels, in_place, max_frames: 100, ..Setup::default() };
            let mut plugin = bundle.create_first().expect("an instance");
            assert!(plugin.supports_channels(channels));
            plugin.activate(setup).expect("the layout is taken");
            assert_eq!(plugin.latency_frames(), LATENCY_FRAMES);
            assert_eq!(plugin.tail().ok(), Some(Tail::Frames(4321)));
            let mut out = vec![Vec::new(); channels];
            // blocks of 0 to 100 frames, 100 in all in each pair
            for (from, to) in [(0, 0), (0, 1), (1, 100), (100, 100), (100, 200)] {
                let mut audio: Vec<Vec<f32>> =
                    (0..channels).map(|channel| ramp(channel, 200)[from..to].to_vec()).collect();
                run(&mut plugin, &mut audio, &[]).expect("a block");
                out.iter_mut().zip(audio).for_each(|(out, block)| out.extend(block));
            }
            for (channel, out) in out.iter().enumerate() {
                let mut expected = vec![0.0; LATENCY_FRAMES];
                expected.extend(&ramp(channel, 200)[..200 - LATENCY_FRAMES]);
                assert_eq!(*out, expected, "channel {channel} of {channels}, in place {in_place}");
            }
            assert_eq!(plugin.take_requests(), Default::default());
        }
    }
}

#[test]
fn events_take_effect_at_their_frames() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        // a constant 1, past the latency
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        let gain = |plugin: &Plugin, offset: usize, plain: f64| Event {
            offset,
            parameter: GAIN,
            value: native(plugin, GAIN, plain),
        };
        // three points of one parameter in one block, two of them in neighbouring frames, given out of order
        let events = [gain(&plugin, 101, 0.25), gain(&plugin, 100, 2.0), gain(&plugin, 10, 0.5)];
        let mut audio = [vec![1.0; 128], vec![1.0; 128]];
        run(&mut plugin, &mut audio, &events).expect("a block");
        for (frame, sample) in audio[0].iter().enumerate() {
            let expected = match frame {
                0..10 => 1.0,
                10..100 => 0.5,
                100 => 2.0,
                _ => 0.25,
            };
            assert_eq!(*sample, expected, "frame {frame} in {:?}", bundle.format());
        }
        assert_eq!(plugin.value(GAIN).expect("a value"), native(&plugin, GAIN, 0.25));
        let mut audio = [vec![1.0; 128], vec![1.0; 128]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert!(audio[0].iter().all(|sample| *sample == 0.25), "no event of the block before comes again");
        let late = [gain(&plugin, 128, 1.0)];
        assert!(matches!(run(&mut plugin, &mut audio, &late), Err(HostError::EventOutside { offset: 128, .. })));
        let none = [Event { offset: 0, parameter: 4, value: 0.0 }];
        assert!(matches!(run(&mut plugin, &mut audio, &none), Err(HostError::ParameterIndex { .. })));
    }
}

#[test]
fn a_block_of_no_frames_carries_events() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        let event = Event { offset: 0, parameter: GAIN, value: native(&plugin, GAIN, 0.5) };
        run(&mut plugin, &mut [vec![], vec![]], &[event]).expect("an empty block");
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert_eq!(audio[1][63], 0.5);
    }
}

#[test]
fn values_set_by_hand_arrive_inactive_and_active() {
    for bundle in bundles() {
        let mut plugin = bundle.create_first().expect("an instance");
        let half = native(&plugin, GAIN, 0.5);
        plugin.set_value(GAIN, half).expect("set while inactive");
        assert_eq!(plugin.value(GAIN).expect("a value"), half);
        plugin.activate(Setup::default()).expect("active");
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert_eq!(audio[0][63], 0.5);

        plugin.set_value(GAIN, native(&plugin, GAIN, 2.0)).expect("set while active");
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert_eq!(audio[0][63], 2.0);

        plugin.set_value(GAIN, native(&plugin, GAIN, 0.25)).expect("set while active");
        plugin.flush().expect("delivered without audio");
        assert_eq!(plugin.value(GAIN).expect("a value"), native(&plugin, GAIN, 0.25));
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert_eq!(audio[0][63], 0.25);
    }
}

#[test]
fn the_side_chain_is_connected_silent_or_left_out() {
    for bundle in bundles() {
        for side_chain in [SideChain::Connected, SideChain::Silent, SideChain::Omitted] {
            for channels in [1, 2] {
                let mut plugin = active(&bundle, Setup { side_chain, channels, ..Setup::default() });
                let event = Event { offset: 0, parameter: SIDE, value: native(&plugin, SIDE, 1.0) };
                let key: Vec<Vec<f32>> = (0..channels).map(|channel| ramp(channel, 8)).collect();
                let key: Vec<&[f32]> = key.iter().map(Vec::as_slice).collect();
                let mut audio = vec![vec![0.0; 8]; channels];
                let mut block: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
                plugin.process(&mut block, Some(&key), None, &[event]).expect("a block");
                for (channel, out) in audio.iter().enumerate() {
                    let heard = side_chain == SideChain::Connected;
                    let expected = if heard { ramp(channel, 8) } else { vec![0.0; 8] };
                    assert_eq!(*out, expected, "{side_chain:?} of {channels} in {:?}", bundle.format());
                }
                if channels == 2 {
                    let flagged = shown(&mut plugin, 6.0, None);
                    assert_eq!(flagged == 1.0, side_chain == SideChain::Silent, "{side_chain:?}");
                }
            }
        }
    }
}

#[test]
fn the_plugin_hears_where_the_song_is() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        // 1.5 s at 90 bpm are 2.25 quarter notes
        let transport = Transport::playing_at(72_000, 48_000.0, 90.0);
        assert_eq!(shown(&mut plugin, 1.0, Some(&transport)), 90.0);
        assert_eq!(shown(&mut plugin, 2.0, Some(&transport)), 2.25);
        assert_eq!(shown(&mut plugin, 3.0, Some(&transport)), 1.0);
        assert_eq!(shown(&mut plugin, 3.0, Some(&Transport::default())), 0.0);
        assert_eq!(shown(&mut plugin, 1.0, None), 0.0, "no transport at all");
    }
}

#[test]
fn the_offline_flag_is_there_from_the_first_block() {
    for bundle in bundles() {
        for offline in [false, true] {
            let mut plugin = active(&bundle, Setup { offline, ..Setup::default() });
            assert_eq!(shown(&mut plugin, 4.0, None) == 1.0, offline);
            plugin.set_offline(!offline).expect("switched at run time");
            assert_eq!(shown(&mut plugin, 4.0, None) == 1.0, !offline);
        }
    }
}

#[test]
fn reset_forgets_audio() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        run(&mut plugin, &mut [vec![1.0; 64], vec![1.0; 64]], &[]).expect("a block");
        plugin.reset().expect("reset");
        let mut audio = [vec![0.0; 64], vec![0.0; 64]];
        run(&mut plugin, &mut audio, &[]).expect("a block");
        assert!(audio.iter().flatten().all(|sample| *sample == 0.0));
    }
}

#[test]
fn states_come_back_and_foreign_ones_are_refused() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        plugin.set_value(GAIN, native(&plugin, GAIN, 0.75)).expect("set");
        plugin.flush().expect("delivered");
        let state = plugin.save_state().expect("saved");
        let mut other = bundle.create_first().expect("an instance");
        // a value that waits must not win over the state
        other.set_value(GAIN, native(&other, GAIN, 0.1)).expect("set");
        other.load_state(&state).expect("loaded");
        assert_eq!(other.value(GAIN).expect("a value"), native(&other, GAIN, 0.75));
        other.activate(Setup::default()).expect("active");
        let mut audio = [vec![1.0; 64], vec![1.0; 64]];
        run(&mut other, &mut audio, &[]).expect("a block");
        assert_eq!(audio[0][63], 0.75);
        for foreign in [&b""[..], b"{}", &state[..state.len() - 1], &[0; 100]] {
            assert!(matches!(other.load_state(foreign), Err(HostError::State { .. })), "{} bytes", foreign.len());
        }
    }
}

#[test]
fn the_halves_of_a_vst3_can_talk() {
    // the component sends a message when it is activated, the controller saves how many came whole: one byte behind
    // the header of 48 and the component's 32
    let mut plugin = active(&bundle(Format::Vst3), Setup::default());
    plugin.restart().expect("restarted");
    assert_eq!(plugin.save_state().expect("saved")[48 + 32], 2);
}

#[test]
fn clap_calls_come_on_the_thread_they_belong_to() {
    let mut plugin = active(&bundle(Format::Clap), Setup::default());
    assert_eq!(shown(&mut plugin, 5.0, None), 1.0, "in process: audio thread, not main thread");
    plugin.reset().expect("reset");
    plugin.flush().expect("flushed");
    plugin.set_value(GAIN, 0.5).expect("set");
    plugin.value(GAIN).expect("a value");
    plugin.latency_frames();
    let state = plugin.save_state().expect("saved");
    plugin.load_state(&state).expect("loaded");
    plugin.set_offline(true).expect("offline");
    plugin.restart().expect("restarted");
    plugin.idle();
    plugin.deactivate().expect("inactive");
    plugin.set_value(GAIN, 0.5).expect("set");
    // the subject complains to the log about each call that is out of place
    assert_eq!(plugin.take_requests().messages, [] as [&str; 0]);
}

#[test]
fn both_sides_run_at_once_on_two_threads() {
    let mut plugin = active(&bundle(Format::Clap), Setup::default());
    let (main, audio) = plugin.split().expect("active");
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            for _ in 0..200 {
                let (mut left, mut right) = ([0.5; 64], [0.5; 64]);
                audio.process(&mut [&mut left, &mut right], None, None, &[]).expect("a block");
            }
        });
        while !worker.is_finished() {
            main.set_value(SIDE, 0.5).expect("set");
            main.value(GAIN).expect("a value");
            main.idle();
        }
    });
    assert_eq!(plugin.take_requests().messages, [] as [&str; 0]);
}

#[test]
fn misdeeds_are_noticed() {
    for bundle in bundles() {
        let misbehave = |misdeed: f64, in_place: bool| {
            let mut plugin = active(&bundle, Setup { in_place, ..Setup::default() });
            let event = Event { offset: 0, parameter: MISDEED, value: native(&plugin, MISDEED, misdeed) };
            let mut audio = [vec![0.5; 64], vec![0.5; 64]];
            let result = run(&mut plugin, &mut audio, &[event]);
            plugin.idle();
            (result, plugin.take_requests(), audio)
        };
        let (result, requests, _) = misbehave(0.0, false);
        assert!(result.is_ok() && requests == Default::default(), "a plugin that does nothing wrong: {requests:?}");

        for in_place in [false, true] {
            let (result, ..) = misbehave(2.0, in_place);
            assert!(matches!(result, Err(HostError::WrotePastEnd { channel: 0, frames: 64, .. })), "{result:?}");
        }
        let (result, requests, _) = misbehave(3.0, false);
        assert!(result.is_ok());
        assert_eq!(requests.inputs_overwritten, 1);

        let (_, _, audio) = misbehave(4.0, false);
        assert!(audio.iter().flatten().all(|sample| sample.is_nan()), "unwritten output");

        let (result, requests, _) = misbehave(5.0, false);
        assert!(result.is_ok());
        assert_eq!(requests.restart, 1);

        let (result, ..) = misbehave(6.0, false);
        assert!(matches!(result, Err(HostError::Call { call: "process", .. })), "{result:?}");

        let (_, requests, _) = misbehave(7.0, false);
        assert!(matches!(requests.edits[..], [Edit::Value { parameter: GAIN, .. }]), "{requests:?}");
    }
}

#[test]
fn calls_out_of_turn_are_refused() {
    for bundle in bundles() {
        let mut plugin = bundle.create_first().expect("an instance");
        let mut audio = [vec![0.0; 8], vec![0.0; 8]];
        assert!(matches!(run(&mut plugin, &mut audio, &[]), Err(HostError::NotActive { .. })));
        assert!(matches!(plugin.reset(), Err(HostError::NotActive { .. })));
        for setup in [
            Setup { channels: 3, ..Setup::default() },
            Setup { max_frames: 0, ..Setup::default() },
            Setup { sample_rate_hz: f64::NAN, ..Setup::default() },
        ] {
            assert!(matches!(plugin.activate(setup), Err(HostError::Setup { .. })));
        }
        plugin.activate(Setup { max_frames: 16, ..Setup::default() }).expect("active");
        let wrong = |audio: &mut [Vec<f32>], plugin: &mut Plugin| {
            matches!(run(plugin, audio, &[]), Err(HostError::Audio { .. }))
        };
        assert!(wrong(&mut [vec![0.0; 8]], &mut plugin), "too few channels");
        assert!(wrong(&mut [vec![0.0; 8], vec![0.0; 7]], &mut plugin), "lengths that differ");
        assert!(wrong(&mut [vec![0.0; 17], vec![0.0; 17]], &mut plugin), "too long");
        assert!(run(&mut plugin, &mut audio, &[]).is_ok(), "a right block after wrong ones");
    }
}

#[test]
fn remote_pages_show_places_parameters_and_mistakes() {
    let mut plugin = bundle(Format::Clap).create_first().expect("an instance");
    let pages = plugin.remote_pages();
    assert_eq!(pages.len(), 1);
    assert_eq!((pages[0].section.as_str(), pages[0].name.as_str()), ("Section", "Page"));
    assert_eq!(pages[0].parameters[..3], [None, Some(SHOW), None]);
    assert_eq!(pages[0].ids[..3], [None, Some(102), Some(999)]);
    assert!(bundle(Format::Vst3).create_first().expect("an instance").remote_pages().is_empty());
}

#[test]
fn instances_outlive_their_bundle_and_bundles_come_back() {
    for format in [Format::Clap, Format::Vst3] {
        for _ in 0..3 {
            let first = bundle(format);
            let mut plugins: Vec<Plugin> = (0..4).map(|_| active(&first, Setup::default())).collect();
            let second = bundle(format);
            drop(first);
            plugins.push(active(&second, Setup::default()));
            drop(second);
            for plugin in &mut plugins {
                run(plugin, &mut [vec![0.0; 8], vec![0.0; 8]], &[]).expect("a block");
            }
        }
    }
}
