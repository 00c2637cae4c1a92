//! One hash: the same bits from the CLAP, the VST3 and the chains called directly, however the stream is cut, in real time
//! or offline, in place or not.

mod tandem;

use dsp_core::controls::{self, Controls, Kind};
use std::path::Path;
use tandem::{FORMATS, folder};
use tandem_host::rack::PluginRack;
use tandem_render::direct::DirectRack;
use tandem_render::engine::{self, BlockPlan};
use tandem_render::session::{self, Bus, Channel, Lane, Level, Send, Session, Strip, Track};
use tandem_render::stem::Stem;

const RATES_HZ: [u32; 3] = [44_100, 48_000, 96_000];
const PLANS: [BlockPlan; 6] = [
    BlockPlan::Fixed(1),
    BlockPlan::Fixed(7),
    BlockPlan::Fixed(64),
    BlockPlan::Fixed(511),
    BlockPlan::Fixed(4096),
    BlockPlan::Random { seed: 0x7A4D, max: 1500 },
];

/// xorshift64*: Marsaglia 2003, Vigna 2016.
struct Random(u64);
impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn audio(&mut self, frames: usize) -> [Vec<f32>; 2] {
        std::array::from_fn(|_| {
            (0..frames).map(|n| ((self.next() - 0.5) * if n / 900 % 3 == 0 { 1.0 } else { 0.1 }) as f32).collect()
        })
    }

    /// Every control anywhere, and lanes on a dozen of those that can be automated. The bypass stays off.
    fn strip<P: Controls>(&mut self, seconds: f64) -> Strip<P> {
        let list = controls::list::<P>();
        let mut params = P::default();
        controls::for_each(&mut params, |i, control, value| {
            let plain = control.kind.value_at(self.next());
            if list[i].id != "bypass" {
                value.set_plain(plain);
            }
        });
        let mut lanes: Vec<Lane> = vec![];
        for _ in 0..12 {
            let control = (self.next() * list.len() as f64) as usize;
            let listed = &list[control];
            if listed.control.structural || lanes.iter().any(|l| l.control == control) {
                continue;
            }
            let kind: Kind = listed.control.kind;
            let points = (0..4).map(|i| (f64::from(i) * seconds / 4.0, kind.value_at(self.next()))).collect();
            lanes.push(Lane { control, kind, points });
        }
        Strip { params, lanes }
    }

    fn session(&mut self, sample_rate_hz: u32, frames: usize) -> Session {
        let seconds = frames as f64 / f64::from(sample_rate_hz);
        let track = |name: &str, random: &mut Random| Track {
            name: name.to_owned(),
            stem: Stem::in_memory(random.audio(frames)),
            channel: Channel::new(random.strip(seconds)),
        };
        let bus = |name: &str, random: &mut Random| Bus {
            name: name.to_owned(),
            channel: Channel::new(random.strip(seconds)),
        };
        let mut tracks = vec![track("One", self), track("Two", self)];
        // one by a group, the other straight and through a return
        tracks[0].channel.group = Some(0);
        tracks[1].channel.sends = vec![Send { to: 0, level: Level::at(-3.0), pre_fader: true }];
        let (groups, returns) = (vec![bus("Group", self)], vec![bus("Return", self)]);
        let master = self.strip(seconds);
        Session { sample_rate_hz, tempo_bpm: 97.0, mix_gain_db: Some(-2.0), tracks, groups, returns, master }
    }
}

/// The same session everywhere: the chains called directly in blocks of 512 set the hash.
fn same_everywhere(session: &Session, plans: &[BlockPlan]) {
    let reference = engine::render(session, &mut DirectRack, BlockPlan::Fixed(512), |_, _| ()).unwrap();
    let hash = engine::sha256(&reference.master);
    assert!(reference.master.iter().flatten().any(|s| *s != 0.0), "silence would prove nothing");
    for (i, plan) in plans.iter().enumerate() {
        let direct = engine::render(session, &mut DirectRack, *plan, |_, _| ()).unwrap();
        assert_eq!(engine::sha256(&direct.master), hash, "direct, {plan:?} at {} Hz", session.sample_rate_hz);
        for format in FORMATS {
            let mut rack = PluginRack::open(&folder(), format).unwrap();
            // both flags both ways over the plans
            (rack.offline, rack.in_place) = (i % 2 == 0, i % 3 == 0);
            let hosted = engine::render(session, &mut rack, *plan, |_, _| ()).unwrap();
            let what = format!("{format}, {plan:?} at {} Hz", session.sample_rate_hz);
            assert_eq!(engine::sha256(&hosted.mix), engine::sha256(&reference.mix), "mix: {what}");
            assert_eq!(engine::sha256(&hosted.master), hash, "master: {what}");
        }
    }
}

#[test]
fn random_controls_and_automation() {
    let mut random = Random(0x5EED_0000_0000_0002);
    for sample_rate_hz in RATES_HZ {
        let session = random.session(sample_rate_hz, 16_000);
        same_everywhere(&session, &PLANS);
    }
}

#[test]
fn the_demo_session() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/session.toml");
    let mut session = session::read(&path).unwrap();
    for track in &mut session.tracks {
        // two seconds from the middle, so that everybody plays
        track.stem = Stem::in_memory(track.stem.load().unwrap().map(|c| c[480_000..576_000].to_vec()));
    }
    same_everywhere(&session, &PLANS[2..]);
}

/// Offline or not, in place or not, at one plan: the flags alone.
#[test]
fn flags_change_nothing() {
    let session = Random(0x5EED_0000_0000_0003).session(48_000, 8_000);
    let plan = BlockPlan::Fixed(256);
    let hash = engine::sha256(&engine::render(&session, &mut DirectRack, plan, |_, _| ()).unwrap().master);
    for format in FORMATS {
        for (offline, in_place) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut rack = PluginRack::open(&folder(), format).unwrap();
            (rack.offline, rack.in_place) = (offline, in_place);
            let hosted = engine::render(&session, &mut rack, plan, |_, _| ()).unwrap();
            assert_eq!(engine::sha256(&hosted.master), hash, "{format}, offline {offline}, in place {in_place}");
        }
    }
}
