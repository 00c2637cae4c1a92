//! A session: tracks with their stems, groups, returns, and the master, all checked, ready to be rendered.

mod text;

pub use text::{parse, read};

use crate::stem::Stem;
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls::{self, Controls, Kind};
use dsp_core::math;

/// A session, read and checked: it can be rendered as it stands.
#[derive(Clone, Debug)]
pub struct Session {
    /// Frames a second of every stem.
    pub sample_rate_hz: u32,
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
    /// Gain of the whole mix, in decibels; `None` where the session leaves it to a measurement.
    pub mix_gain_db: Option<f64>,
    /// The tracks, in order.
    pub tracks: Vec<Track>,
    /// The groups, in order; each is a strip that tracks, returns and other groups feed.
    pub groups: Vec<Bus>,
    /// The returns, in order; each is a strip that sends feed: a shared delay or reverb.
    pub returns: Vec<Bus>,
    /// The master bus.
    pub master: Strip<MasteringBusParams>,
}

impl Session {
    /// Frames of the longest stem: the length of the mix.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.tracks.iter().map(|t| t.stem.frames()).max().unwrap_or(0)
    }

    /// Whether a track is heard: not muted, and, where anything is soloed, soloed itself or on its way through a soloed
    /// group. Returns are safe from solo.
    #[must_use]
    pub fn is_audible(&self, track: &Track) -> bool {
        let any_solo = self.tracks.iter().any(|t| t.channel.solo) || self.groups.iter().any(|g| g.channel.solo);
        let mut soloed = track.channel.solo;
        let mut feeds = track.channel.group;
        while let Some(group) = feeds.and_then(|g| self.groups.get(g)) {
            soloed |= group.channel.solo;
            feeds = group.channel.group;
        }
        !track.channel.mute && (soloed || !any_solo)
    }
}

/// A track: a stem and the channel that it goes through.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its name, unique in the session.
    pub name: String,
    /// Its audio.
    pub stem: Stem,
    /// Its channel.
    pub channel: Channel,
}

/// A group or a return: a channel that others feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    /// Its name, unique in the session.
    pub name: String,
    /// Its channel.
    pub channel: Channel,
}

/// A channel of the mixer: a strip, then a fader, then the ways out.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Tandem Channel's settings.
    pub strip: Strip<ChannelStripParams>,
    /// Its fader, after the strip.
    pub fader: Level,
    /// Not heard, and nothing of it in any send.
    pub mute: bool,
    /// Heard alone, with all that is soloed.
    pub solo: bool,
    /// The group that it feeds; `None` is the mix.
    pub group: Option<usize>,
    /// What else it feeds.
    pub sends: Vec<Send>,
}

impl Channel {
    /// A channel straight to the mix, its fader at 0 dB.
    #[must_use]
    pub fn new(strip: Strip<ChannelStripParams>) -> Self {
        Channel { strip, fader: Level::at(0.0), mute: false, solo: false, group: None, sends: vec![] }
    }
}

/// A way from a channel to a return.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// The return.
    pub to: usize,
    /// How much.
    pub level: Level,
    /// Ahead of the fader; after it otherwise.
    pub pre_fader: bool,
}

/// A level of the mixer itself: of a fader or a send.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Where it stands, in decibels; [`SILENT_DB`] is silence.
    pub db: f64,
    /// How it moves: seconds and decibels, straight between; none if it stands still.
    pub points: Vec<(f64, f64)>,
}

/// Where a fader is all the way down.
pub const SILENT_DB: f64 = -100.0;
/// Where a fader is all the way up.
pub const LOUDEST_DB: f64 = 12.0;

impl Level {
    /// One that stands still.
    #[must_use]
    pub fn at(db: f64) -> Self {
        Level { db, points: vec![] }
    }

    /// The gain at `seconds`, linear.
    #[must_use]
    pub fn gain_at(&self, seconds: f64) -> f32 {
        let db = if self.points.is_empty() { self.db } else { interpolated(&self.points, seconds) };
        if db <= SILENT_DB { 0.0 } else { math::db_to_gain(db) as f32 }
    }
}

/// Straight between two points, held outside of them.
fn interpolated(points: &[(f64, f64)], seconds: f64) -> f64 {
    let after = points.partition_point(|(t, _)| *t <= seconds);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (seconds - a.0) / (b.0 - a.0),
        (Some(point), None) | (None, Some(point)) => point.1,
        (None, None) => 0.0,
    }
}

/// The settings of one insert.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip<P> {
    /// Where its controls start.
    pub params: P,
    /// What moves, each control at most once.
    pub lanes: Vec<Lane>,
}

impl<P: Controls> Strip<P> {
    /// A strip on which nothing moves.
    #[must_use]
    pub fn still(params: P) -> Self {
        Strip { params, lanes: vec![] }
    }

    /// The controls at the first frame: where automation has a say, what it says.
    #[must_use]
    pub fn start(&self) -> P {
        let mut params = self.params;
        for lane in &self.lanes {
            controls::set(&mut params, lane.control, lane.value_at(0.0));
        }
        params
    }
}

/// How one control moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// The control's index in [`controls::list`].
    pub control: usize,
    /// Its kind.
    pub kind: Kind,
    /// Seconds and values, in order of time.
    pub points: Vec<(f64, f64)>,
}

impl Lane {
    /// The value at `seconds`: straight between two points in the control's travel, as a DAW draws it; held outside of
    /// them; switches and choices hold until the next point.
    #[must_use]
    pub fn value_at(&self, seconds: f64) -> f64 {
        let after = self.points.partition_point(|(t, _)| *t <= seconds);
        let (before, next) = (after.checked_sub(1).and_then(|i| self.points.get(i)), self.points.get(after));
        match (before, next, self.kind) {
            (Some(a), Some(b), Kind::Float(range)) => {
                let (from, to) = (range.travel_of(a.1), range.travel_of(b.1));
                range.value_at(from + (to - from) * (seconds - a.0) / (b.0 - a.0))
            }
            (Some(a), _, _) => a.1,
            (None, Some(b), _) => b.1,
            (None, None, _) => 0.0,
        }
    }
}
