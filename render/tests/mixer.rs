//! The mixer: every way to the mix in time to the frame, gains where they belong, the same bits on any number of cores.

use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use tandem_render::direct::DirectRack;
use tandem_render::engine::{self, BlockPlan, Mixer};
use tandem_render::session::{Bus, Channel, Level, Send, Session, Strip, Track};
use tandem_render::stem::Stem;

const RATE_HZ: u32 = 48_000;
const PLAN: BlockPlan = BlockPlan::Fixed(512);

/// A strip that changes nothing and lags by `lookahead_ms`.
fn lagging(lookahead_ms: f64) -> Channel {
    let mut params = ChannelStripParams::default();
    params.compressor.lookahead_ms = lookahead_ms;
    Channel::new(Strip::still(params))
}

fn track(name: &str, audio: [Vec<f32>; 2], channel: Channel) -> Track {
    Track { name: name.to_owned(), stem: Stem::in_memory(audio), channel }
}

fn bus(name: &str, channel: Channel) -> Bus {
    Bus { name: name.to_owned(), channel }
}

fn session(tracks: Vec<Track>) -> Session {
    Session {
        sample_rate_hz: RATE_HZ,
        tempo_bpm: 120.0,
        mix_gain_db: None,
        tracks,
        groups: vec![],
        returns: vec![],
        master: Strip::still(MasteringBusParams::default()),
    }
}

fn mixed(session: &Session) -> [Vec<f32>; 2] {
    engine::render(session, &mut DirectRack, PLAN, |_, _| ()).unwrap().mix
}

/// Ones at these frames, in as many frames as need several chunks.
fn ones(at: &[usize]) -> [Vec<f32>; 2] {
    let mut channel = vec![0.0; 40_000];
    at.iter().for_each(|n| channel[*n] = 1.0);
    [channel.clone(), channel]
}

fn send(to: usize, db: f64, pre_fader: bool) -> Send {
    Send { to, level: Level::at(db), pre_fader }
}

/// A decibel value whose gain is a power of two in single precision: what is to be summed is exact.
const HALF_DB: f64 = -6.020_599_913_279_624;

#[test]
fn every_way_is_in_time_to_the_frame() {
    // chunks end at 16384; the ones stand about there
    let at = [0, 1, 16_383, 16_384, 33_000, 39_999];
    let mut straight = track("Straight", ones(&at), lagging(0.0));
    let mut grouped = track("Grouped", ones(&at), lagging(7.3));
    let mut nested = track("Nested", ones(&at), lagging(1.1));
    straight.channel.sends = vec![send(0, HALF_DB, false)];
    grouped.channel.group = Some(1);
    grouped.channel.sends = vec![send(1, HALF_DB, true), send(0, 2.0 * HALF_DB, false)];
    nested.channel.group = Some(0);
    let mut session = session(vec![straight, grouped, nested]);
    let (mut inner, mut returning) = (bus("Inner", lagging(3.0)), bus("Short", lagging(0.7)));
    inner.channel.group = Some(1);
    inner.channel.sends = vec![send(1, 2.0 * HALF_DB, false)];
    returning.channel.group = Some(1);
    session.groups = vec![inner, bus("Outer", lagging(12.9))];
    session.returns = vec![returning, bus("Long", lagging(19.0))];

    let mix = mixed(&session);
    // straight 1, short through outer 1/2 + 1/4, outer: grouped 1, inner 1; long 1/2 + 1/4
    let expected = 1.0 + 0.75 + 1.0 + 1.0 + 0.75;
    for (n, (left, right)) in mix[0].iter().zip(&mix[1]).enumerate() {
        let want = if at.contains(&n) { expected } else { 0.0 };
        assert_eq!((*left, *right), (want, want), "frame {n}");
    }
}

#[test]
fn a_strip_hears_the_song_from_its_first_frame_whatever_is_before_it() {
    // a compressor that works and moves: its bits would differ if its stream began elsewhere
    let mut params = ChannelStripParams::default();
    (params.compressor.on, params.compressor.threshold_db) = (true, -30.0);
    let mut strip = Strip::still(params);
    let list = dsp_core::controls::list::<ChannelStripParams>();
    let control = list.iter().position(|l| l.id == "eq.gain_scale_percent").unwrap();
    strip.params.eq.band[3].on = true;
    strip.params.eq.band[3].gain_db = 6.0;
    let points = vec![(0.1, 0.0), (0.6, 200.0)];
    strip.lanes.push(tandem_render::session::Lane { control, kind: list[control].control.kind, points });
    let mut late = session(vec![track("A", noise(3), lagging(13.7))]);
    late.tracks[0].channel.group = Some(0);
    late.groups = vec![bus("G", Channel::new(strip.clone()))];
    let on_the_track = session(vec![track("A", noise(3), Channel::new(strip))]);
    assert_eq!(mixed(&late), mixed(&on_the_track));
}

fn noise(seed: u64) -> [Vec<f32>; 2] {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::array::from_fn(|_| {
        (0..40_000)
            .map(|_| {
                // xorshift64: Marsaglia 2003
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ((state >> 40) as f64 / f64::from(1u32 << 24) - 0.5) as f32
            })
            .collect()
    })
}

#[test]
fn any_number_of_cores_gives_the_same_bits() {
    let mut session = session((1..9).map(|i| track(&format!("{i}"), noise(i), lagging(i as f64))).collect());
    for (i, track) in session.tracks.iter_mut().enumerate() {
        track.channel.group = (i % 3 == 0).then_some(0);
        track.channel.sends = vec![send(0, -3.0, i % 2 == 0)];
        track.channel.fader = Level::at(-(i as f64));
    }
    session.groups = vec![bus("G", lagging(2.0))];
    session.returns = vec![bus("R", lagging(4.0))];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| engine::sha256(&mixed(&session)))
    };
    let one = on(1);
    assert!((0..3).all(|_| on(5) == one));
}

#[test]
fn faders_sends_mute_and_solo() {
    let level = |session: &Session| mixed(session)[0][20_000];
    let steady = || [vec![1.0f32; 40_000], vec![1.0; 40_000]];
    let base = || {
        let mut session = session(vec![track("A", steady(), lagging(0.0)), track("B", steady(), lagging(1.0))]);
        session.groups = vec![bus("G", lagging(0.0))];
        session.returns = vec![bus("R", lagging(2.0))];
        session.tracks[1].channel.group = Some(0);
        session
    };
    let mut session = base();
    assert_eq!(level(&session), 2.0);
    session.tracks[0].channel.fader = Level::at(HALF_DB);
    assert_eq!(level(&session), 1.5);
    // a send behind the fader follows it, one ahead of it does not
    session.tracks[0].channel.sends = vec![send(0, HALF_DB, false)];
    assert_eq!(level(&session), 1.75);
    session.tracks[0].channel.sends = vec![send(0, HALF_DB, true)];
    assert_eq!(level(&session), 2.0);
    session.tracks[0].channel.fader = Level::at(-100.0);
    assert_eq!(level(&session), 1.5);
    // mute takes the sends along, of a track and of a return
    session.tracks[0].channel.mute = true;
    assert_eq!(level(&session), 1.0);
    session.tracks[0].channel.mute = false;
    session.returns[0].channel.mute = true;
    assert_eq!(level(&session), 1.0);

    let mut session = base();
    session.tracks[0].channel.sends = vec![send(0, 0.0, false)];
    session.tracks[0].channel.solo = true;
    assert_eq!(level(&session), 2.0, "A and its return");
    session.tracks[0].channel.solo = false;
    session.groups[0].channel.solo = true;
    assert_eq!(level(&session), 1.0, "what feeds the group");
    session.groups[0].channel.mute = true;
    assert_eq!(level(&session), 0.0);
}

#[test]
fn a_moving_fader_goes_straight_in_decibels() {
    let mut session = session(vec![track("A", [vec![1.0f32; 40_000], vec![1.0; 40_000]], lagging(0.0))]);
    session.tracks[0].channel.fader = Level { db: 0.0, points: vec![(0.1, -60.0), (0.7, 0.0)] };
    let mix = mixed(&session);
    for (n, sample) in mix[0].iter().enumerate() {
        let seconds = n as f64 / f64::from(RATE_HZ);
        let db = -60.0 + 60.0 * ((seconds - 0.1) / 0.6).clamp(0.0, 1.0);
        // between exact values, 64 frames apart, lines: 0.133 dB of slope leave 0.0003 dB, a corner within leaves half of it
        let error_db = 20.0 * f64::from(*sample).log10() - db;
        assert!(error_db.abs() < 0.07, "{error_db} dB at frame {n}");
    }
}

#[test]
fn stems_sum_to_the_mix() {
    let mut session = session((1..6).map(|i| track(&format!("{i}"), noise(i), lagging(i as f64))).collect());
    session.tracks[0].channel.group = Some(0);
    session.tracks[1].channel.group = Some(0);
    session.tracks[2].channel.sends = vec![send(0, -3.0, false)];
    session.tracks[3].channel.fader = Level::at(-4.0);
    session.groups = vec![bus("G", lagging(2.0))];
    session.returns = vec![bus("R", lagging(4.0))];
    let mut mixer = Mixer::new(&session, &mut DirectRack, PLAN).unwrap();
    assert_eq!(mixer.stem_names().collect::<Vec<_>>(), ["3", "4", "5", "G", "R"]);
    let mut frames = 0;
    while let Some(mix) = mixer.next_chunk().unwrap().map(|c| c.map(<[f32]>::to_vec)) {
        let mut sum = [vec![0.0f32; mix[0].len()], vec![0.0; mix[0].len()]];
        for stem in mixer.stem_chunks() {
            for (sum, stem) in sum.iter_mut().zip(&stem) {
                sum.iter_mut().zip(stem).for_each(|(sum, s)| *sum += s);
            }
        }
        assert_eq!(sum, mix, "the same order of the same sums");
        frames += mix[0].len();
    }
    assert_eq!(frames, 40_000);
}
