//! Session files and preset files.
//!
//! ```toml
//! sample_rate_hz = 48000
//! tempo_bpm = 104.0
//! mix_gain_db = -2.5                        # optional: gain of the whole mix; measured where it is missing
//!
//! [[track]]
//! name = "Lead Vocal"
//! file = "stems/05_LEAD_VOCAL_DRY.flac"     # relative to the session file; mono or stereo
//! preset = "presets/lead_vocal.toml"        # optional: a Tandem Channel preset, or the name of a built-in one
//! group = "Vocals"                          # optional: what it feeds; the mix otherwise
//! fader_db = -1.5                           # optional: after the strip; −100 is silence
//! mute = false                              # optional, as is solo
//! [track.controls]                          # optional: on top of the preset, by the same keys
//! output.gain_db = -3.0
//! [[track.automation]]
//! control = "output.gain_db"                # the control's id, or fader_db
//! points = [[0.0, -3.0], [4.0, -1.5]]       # seconds, value: straight lines of the control's travel between points
//! [[track.send]]
//! to = "Plate"                              # a return
//! level_db = -14.0
//! pre_fader = false                         # optional
//! points = [[0.0, -20.0], [9.0, -14.0]]     # optional: how the level moves
//!
//! [[group]]                                 # all that a track has, but the file
//! name = "Vocals"
//!
//! [[return]]                                # as a group: a strip that sends feed
//! name = "Plate"
//!
//! [master]                                  # preset, controls and automation of Tandem Master
//! ```

use super::{Bus, Channel, LOUDEST_DB, Lane, Level, SILENT_DB, Send, Session, Strip, Track};
use crate::fault::{Fault, Result};
use crate::presets::{self, BuiltIn};
use crate::stem::Stem;
use crate::toml_file;
use dsp_core::controls;
use dsp_core::preset;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFile {
    sample_rate_hz: u32,
    #[serde(default = "default_tempo_bpm")]
    tempo_bpm: f64,
    mix_gain_db: Option<f64>,
    #[serde(default)]
    track: Vec<TrackFile>,
    #[serde(default)]
    group: Vec<BusFile>,
    #[serde(default, rename = "return")]
    returns: Vec<BusFile>,
    #[serde(default)]
    master: MasterFile,
}

fn default_tempo_bpm() -> f64 {
    120.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackFile {
    name: String,
    file: String,
    preset: Option<String>,
    #[serde(default)]
    controls: toml::Table,
    #[serde(default)]
    automation: Vec<LaneFile>,
    group: Option<String>,
    #[serde(default)]
    fader_db: f64,
    #[serde(default)]
    mute: bool,
    #[serde(default)]
    solo: bool,
    #[serde(default)]
    send: Vec<SendFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BusFile {
    name: String,
    preset: Option<String>,
    #[serde(default)]
    controls: toml::Table,
    #[serde(default)]
    automation: Vec<LaneFile>,
    group: Option<String>,
    #[serde(default)]
    fader_db: f64,
    #[serde(default)]
    mute: bool,
    #[serde(default)]
    solo: bool,
    #[serde(default)]
    send: Vec<SendFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendFile {
    to: String,
    level_db: f64,
    #[serde(default)]
    pre_fader: bool,
    #[serde(default)]
    points: Vec<(f64, f64)>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MasterFile {
    preset: Option<String>,
    #[serde(default)]
    controls: toml::Table,
    #[serde(default)]
    automation: Vec<LaneFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneFile {
    control: String,
    points: Vec<(f64, f64)>,
}

/// The name of a channel's fader among the controls that automation can move.
const FADER: &str = "fader_db";
/// Gains of the whole mix that make sense, in decibels.
const MIX_GAIN_DB: std::ops::RangeInclusive<f64> = -60.0..=24.0;

/// Reads and checks a session and everything that it names; of the stems only what they say about themselves.
///
/// # Errors
/// One line on the first thing wrong: the file, the place in it, the cure.
pub fn read(path: &Path) -> Result<Session> {
    parse(path, &toml_file::read_text(path)?)
}

/// The same for a session whose text is known already; names of files in it are told from the folder of `path`.
///
/// # Errors
/// As [`read`].
pub fn parse(path: &Path, text: &str) -> Result<Session> {
    let file: SessionFile = toml_file::parse(path, text)?;
    let whole = |what: String, cure: &str| Err(Fault::in_file(path, what, cure));
    if !(8_000..=768_000).contains(&file.sample_rate_hz) {
        let what = format!("sample_rate_hz is {}, expected 8000 to 768000", file.sample_rate_hz);
        return whole(what, "write the rate of the stems");
    }
    if !(20.0..=999.0).contains(&file.tempo_bpm) {
        let what = format!("tempo_bpm is {}, expected 20 to 999", file.tempo_bpm);
        return whole(what, "write quarter notes a minute");
    }
    if let Some(gain_db) = file.mix_gain_db.filter(|g| !MIX_GAIN_DB.contains(g)) {
        let (low, high) = (MIX_GAIN_DB.start(), MIX_GAIN_DB.end());
        let what = format!("mix_gain_db is {gain_db}, expected {low} to {high}");
        return whole(what, "remove it, and the gain is measured");
    }
    if file.track.is_empty() {
        return whole("there is no track".to_owned(), "add a [[track]] with a name and a file");
    }
    let names = |buses: &[BusFile]| -> Vec<String> { buses.iter().map(|b| b.name.clone()).collect() };
    let reader = Reader {
        path,
        folder: path.parent().unwrap_or(Path::new("")),
        sample_rate_hz: file.sample_rate_hz,
        groups: names(&file.group),
        returns: names(&file.returns),
    };
    reader.check_names(file.track.iter().map(|t| &t.name))?;
    let tracks = file.track.into_iter().map(|track| reader.track(track)).collect::<Result<Vec<_>>>()?;
    let groups = file.group.into_iter().map(|bus| reader.bus("group", bus)).collect::<Result<Vec<_>>>()?;
    let returns = file.returns.into_iter().map(|bus| reader.bus("return", bus)).collect::<Result<Vec<_>>>()?;
    let MasterFile { preset, controls, automation } = file.master;
    let master = reader.strip("master", preset, &controls, automation)?;
    let session = Session {
        sample_rate_hz: file.sample_rate_hz,
        tempo_bpm: file.tempo_bpm,
        mix_gain_db: file.mix_gain_db,
        tracks,
        groups,
        returns,
        master,
    };
    reader.check_loops(&session)?;
    Ok(session)
}

/// What all parts of a session are read with.
struct Reader<'a> {
    path: &'a Path,
    folder: &'a Path,
    sample_rate_hz: u32,
    groups: Vec<String>,
    returns: Vec<String>,
}

impl Reader<'_> {
    fn fault<T>(&self, place: &str, what: impl Into<String>, cure: impl Into<String>) -> Result<T> {
        Err(Fault::within(self.path, place, what, cure))
    }

    /// Tracks, groups and returns have one space of names: stems are files by these names.
    fn check_names<'n>(&self, tracks: impl Iterator<Item = &'n String>) -> Result<()> {
        let all = tracks.map(|n| ("track", n));
        let all = all.chain(self.groups.iter().map(|n| ("group", n))).chain(self.returns.iter().map(|n| ("return", n)));
        let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
        for (kind, name) in all {
            let place = format!("{kind} '{name}'");
            if name.trim().is_empty() {
                return self.fault(&place, "has an empty name", "give it one");
            }
            if seen.insert(name, ()).is_some() {
                return self.fault(&place, "is there twice", "remove one, or give it another name");
            }
        }
        Ok(())
    }

    fn track(&self, track: TrackFile) -> Result<Track> {
        let place = format!("track '{}'", track.name);
        let TrackFile { name, file, preset, controls, automation, group, fader_db, mute, solo, send } = track;
        let bus = BusFile { name, preset, controls, automation, group, fader_db, mute, solo, send };
        let (name, channel) = self.channel(&place, bus)?;
        let stem = Stem::open(&self.folder.join(&file), self.sample_rate_hz)?;
        Ok(Track { name, stem, channel })
    }

    fn bus(&self, kind: &str, bus: BusFile) -> Result<Bus> {
        let place = format!("{kind} '{}'", bus.name);
        if kind == "return" && bus.solo {
            return self.fault(&place, "cannot be soloed", "solo the tracks that feed it: returns are always heard");
        }
        let (name, channel) = self.channel(&place, bus)?;
        Ok(Bus { name, channel })
    }

    fn channel(&self, place: &str, file: BusFile) -> Result<(String, Channel)> {
        let group = match &file.group {
            Some(name) => Some(self.index_of(place, "group", name, &self.groups)?),
            None => None,
        };
        let mut sends = vec![];
        for send in file.send {
            let place = format!("{place}: send to '{}'", send.to);
            let to = self.index_of(&place, "return", &send.to, &self.returns)?;
            if sends.iter().any(|s: &Send| s.to == to) {
                return self.fault(&place, "is there twice", "remove one");
            }
            self.check_level(&place, "level_db", send.level_db)?;
            self.check_points(&place, &send.points, (SILENT_DB, LOUDEST_DB))?;
            let level = Level { db: send.level_db, points: send.points };
            sends.push(Send { to, level, pre_fader: send.pre_fader });
        }
        self.check_level(place, FADER, file.fader_db)?;
        let mut fader = Level::at(file.fader_db);
        let (fader_lanes, lanes): (Vec<_>, Vec<_>) = file.automation.into_iter().partition(|l| l.control == FADER);
        for lane in fader_lanes {
            let place = format!("{place}: automation of '{FADER}'");
            if !fader.points.is_empty() {
                return self.fault(&place, "is there twice", "join the two");
            }
            self.check_lane(&place, &lane.points, (SILENT_DB, LOUDEST_DB))?;
            fader.points = lane.points;
        }
        let strip = self.strip(place, file.preset, &file.controls, lanes)?;
        Ok((file.name, Channel { strip, fader, mute: file.mute, solo: file.solo, group, sends }))
    }

    fn index_of(&self, place: &str, kind: &str, name: &String, known: &[String]) -> Result<usize> {
        known.iter().position(|k| k == name).map_or_else(
            || {
                let cure = preset::nearest(name, known)
                    .map_or_else(|| format!("add a [[{kind}]] of this name"), |near| format!("did you mean '{near}'?"));
                self.fault(place, format!("there is no {kind} '{name}'"), cure)
            },
            Ok,
        )
    }

    fn check_level(&self, place: &str, key: &str, db: f64) -> Result<()> {
        if !(SILENT_DB..=LOUDEST_DB).contains(&db) {
            let what = format!("{key} is {db}, expected {SILENT_DB} to {LOUDEST_DB}");
            return self.fault(place, what, "choose a value in the range");
        }
        Ok(())
    }

    fn check_lane(&self, place: &str, points: &[(f64, f64)], ends: (f64, f64)) -> Result<()> {
        if points.is_empty() {
            return self.fault(place, "has no points", "write points = [[seconds, value], …]");
        }
        self.check_points(place, points, ends)
    }

    fn check_points(&self, place: &str, points: &[(f64, f64)], (low, high): (f64, f64)) -> Result<()> {
        let mut before = f64::NEG_INFINITY;
        for (i, (seconds, value)) in points.iter().enumerate() {
            if !seconds.is_finite() || *seconds < 0.0 || *seconds <= before {
                let what = format!("point {} is at {seconds} s, expected a later time than the one before", i + 1);
                return self.fault(place, what, "put the points in order of time");
            }
            if !(low..=high).contains(value) {
                let what = format!("point {} is {value}, expected {low} to {high}", i + 1);
                return self.fault(place, what, "choose a value in the range");
            }
            before = *seconds;
        }
        Ok(())
    }

    fn strip<P: BuiltIn>(
        &self,
        place: &str,
        preset: Option<String>,
        own: &toml::Table,
        automation: Vec<LaneFile>,
    ) -> Result<Strip<P>> {
        let mut params = P::default();
        if let Some(name) = preset {
            params = presets::read(&name, self.folder, &format!("{}: {place}", self.path.display()))?;
        }
        let loaded = preset::from_table(own, params);
        if let Some(trouble) = loaded.troubles.into_iter().next() {
            let place = format!("{place}: controls.{}", trouble.place);
            return self.fault(&place, trouble.what, trouble.cure);
        }
        let list = controls::list::<P>();
        let mut lanes: Vec<Lane> = vec![];
        for lane in automation {
            let place = format!("{place}: automation of '{}'", lane.control);
            let Some(control) = list.iter().position(|l| l.id == lane.control) else {
                let ids: Vec<String> = list.iter().map(|l| l.id.clone()).chain([FADER.to_owned()]).collect();
                let cure = preset::nearest(&lane.control, &ids)
                    .map_or_else(|| "see the parameter list".to_owned(), |near| format!("did you mean '{near}'?"));
                return self.fault(&place, "no such control", cure);
            };
            if lanes.iter().any(|l| l.control == control) {
                return self.fault(&place, "is there twice", "join the two");
            }
            if list[control].control.structural {
                let what = "is structural: it cannot move while audio runs";
                return self.fault(&place, what, "set it under controls instead");
            }
            let kind = list[control].control.kind;
            self.check_lane(&place, &lane.points, kind.ends())?;
            lanes.push(Lane { control, kind, points: lane.points });
        }
        Ok(Strip { params: loaded.params, lanes })
    }

    /// Nothing may feed itself, over any number of groups and returns.
    fn check_loops(&self, session: &Session) -> Result<()> {
        // buses: groups first, then returns; a bus is done once all that it feeds is
        let buses: Vec<&Bus> = session.groups.iter().chain(&session.returns).collect();
        let first_return = session.groups.len();
        let mut done = vec![false; buses.len()];
        loop {
            let ready = |i: &usize| {
                let channel = &buses[*i].channel;
                let mut fed = channel.group.into_iter().chain(channel.sends.iter().map(|s| first_return + s.to));
                !done[*i] && fed.all(|f| done[f])
            };
            match (0..buses.len()).find(ready) {
                Some(i) => done[i] = true,
                None => break,
            }
        }
        match done.iter().position(|d| !d) {
            Some(i) => {
                let kind = if i < first_return { "group" } else { "return" };
                let place = format!("{kind} '{}'", buses[i].name);
                self.fault(&place, "feeds itself in the end", "remove its group or its send")
            }
            None => Ok(()),
        }
    }
}
