//! A session file: tracks with their stems, presets and automation, and the master.
//!
//! ```toml
//! sample_rate_hz = 48000
//! tempo_bpm = 104.0
//!
//! [[track]]
//! name = "Lead Vocal"
//! file = "stems/05_LEAD_VOCAL_DRY.flac"     # relative to the session file; mono or stereo
//! preset = "presets/lead_vocal.toml"        # optional: a Tandem Channel preset
//! [track.controls]                          # optional: on top of the preset, by the same keys
//! output.gain_db = -3.0
//! [[track.automation]]
//! control = "output.gain_db"                # the control's id
//! points = [[0.0, -3.0], [4.0, -1.5]]       # seconds, value: straight lines of the control's travel between points
//!
//! [master]                                  # preset, controls and automation of Tandem Master
//! ```

use crate::audio_file::{self, Audio};
use crate::fault::{Fault, Result};
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls::{self, Controls, Kind};
use dsp_core::preset;
use serde::Deserialize;
use std::path::Path;

/// A session, read and checked: it can be rendered as it stands.
#[derive(Clone, Debug)]
pub struct Session {
    /// Frames a second of every stem.
    pub sample_rate_hz: u32,
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
    /// The tracks, in order.
    pub tracks: Vec<Track>,
    /// The master bus.
    pub master: Strip<MasteringBusParams>,
}

/// A track: audio and the strip it goes through.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its name, unique in the session.
    pub name: String,
    /// Left and right; a mono stem is on both.
    pub audio: [Vec<f32>; 2],
    /// Tandem Channel's settings.
    pub strip: Strip<ChannelStripParams>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFile {
    sample_rate_hz: u32,
    #[serde(default = "default_tempo_bpm")]
    tempo_bpm: f64,
    #[serde(default)]
    track: Vec<TrackFile>,
    #[serde(default)]
    master: StripFile,
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
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct StripFile {
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

/// Keys of the session file that a misspelt one may have meant.
const KEYS: [&str; 12] = [
    "sample_rate_hz",
    "tempo_bpm",
    "track",
    "master",
    "name",
    "file",
    "preset",
    "controls",
    "automation",
    "control",
    "points",
    "bypass",
];

/// Reads and checks a session and everything that it names.
///
/// # Errors
/// One line on the first thing wrong: the file, the place in it, the cure.
pub fn read(path: &Path) -> Result<Session> {
    let text = read_text(path)?;
    let file: SessionFile = toml::from_str(&text).map_err(|e| toml_fault(path, &text, &e))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let whole = |what: String, cure: &str| Fault::in_file(path, what, cure);

    if !(8_000..=768_000).contains(&file.sample_rate_hz) {
        let what = format!("sample_rate_hz is {}, expected 8000 to 768000", file.sample_rate_hz);
        return Err(whole(what, "write the rate of the stems"));
    }
    if !(20.0..=999.0).contains(&file.tempo_bpm) {
        let what = format!("tempo_bpm is {}, expected 20 to 999", file.tempo_bpm);
        return Err(whole(what, "write quarter notes a minute"));
    }
    if file.track.is_empty() {
        return Err(whole("there is no track".to_owned(), "add a [[track]] with a name and a file"));
    }
    let mut tracks: Vec<Track> = vec![];
    for track in file.track {
        let place = format!("track '{}'", track.name);
        if tracks.iter().any(|t| t.name == track.name) {
            return Err(Fault::within(path, &place, "is there twice", "remove one, or give it another name"));
        }
        let strip_file = StripFile { preset: track.preset, controls: track.controls, automation: track.automation };
        let strip = read_strip(path, folder, &place, strip_file)?;
        let stem = folder.join(&track.file);
        let audio = stereo(&stem, file.sample_rate_hz, audio_file::read(&stem)?)?;
        tracks.push(Track { name: track.name, audio, strip });
    }
    let master = read_strip(path, folder, "master", file.master)?;
    Ok(Session { sample_rate_hz: file.sample_rate_hz, tempo_bpm: file.tempo_bpm, tracks, master })
}

/// Left and right of a stem at the session's rate.
fn stereo(path: &Path, sample_rate_hz: u32, audio: Audio) -> Result<[Vec<f32>; 2]> {
    if audio.sample_rate_hz != sample_rate_hz {
        return Err(Fault::in_file(
            path,
            format!("is at {} Hz, the session at {sample_rate_hz} Hz", audio.sample_rate_hz),
            "convert the file, or set the session's sample_rate_hz",
        ));
    }
    let count = audio.channels.len();
    let mut channels = audio.channels.into_iter();
    match (count, channels.next(), channels.next()) {
        (1, Some(mono), _) => Ok([mono.clone(), mono]),
        (2, Some(left), Some(right)) => Ok([left, right]),
        _ => Err(Fault::in_file(
            path,
            format!("has {count} channels, expected 1 or 2"),
            "export it as a mono or stereo file",
        )),
    }
}

fn read_strip<P: Controls>(session: &Path, folder: &Path, place: &str, file: StripFile) -> Result<Strip<P>> {
    let mut params = P::default();
    if let Some(name) = file.preset {
        params = read_preset(&folder.join(name))?;
    }
    let loaded = preset::from_table(&file.controls, params);
    if let Some(trouble) = loaded.troubles.into_iter().next() {
        let place = format!("{place}: controls.{}", trouble.place);
        return Err(Fault::within(session, &place, trouble.what, trouble.cure));
    }
    let list = controls::list::<P>();
    let mut lanes: Vec<Lane> = vec![];
    for lane in file.automation {
        let place = format!("{place}: automation of '{}'", lane.control);
        let fault = |what: String, cure: String| Err(Fault::within(session, &place, what, cure));
        let Some(control) = list.iter().position(|l| l.id == lane.control) else {
            let ids: Vec<String> = list.iter().map(|l| l.id.clone()).collect();
            let cure = preset::nearest(&lane.control, &ids)
                .map_or_else(|| "see the parameter list".to_owned(), |near| format!("did you mean '{near}'?"));
            return fault("no such control".to_owned(), cure);
        };
        if lanes.iter().any(|l| l.control == control) {
            return fault("is there twice".to_owned(), "join the two".to_owned());
        }
        if list[control].control.structural {
            let what = "is structural: it cannot move while audio runs".to_owned();
            return fault(what, "set it under controls instead".to_owned());
        }
        if lane.points.is_empty() {
            return fault("has no points".to_owned(), "write points = [[seconds, value], …]".to_owned());
        }
        let kind = list[control].control.kind;
        let (low, high) = kind.ends();
        for (i, (seconds, value)) in lane.points.iter().enumerate() {
            if !seconds.is_finite() || *seconds < 0.0 || i > 0 && *seconds <= lane.points[i - 1].0 {
                let what = format!("point {} is at {seconds} s, expected a later time than the one before", i + 1);
                return fault(what, "put the points in order of time".to_owned());
            }
            if !(low..=high).contains(value) {
                let what = format!("point {} is {value}, expected {low} to {high}", i + 1);
                return fault(what, "choose a value in the range".to_owned());
            }
        }
        lanes.push(Lane { control, kind, points: lane.points });
    }
    Ok(Strip { params: loaded.params, lanes })
}

/// Reads a preset file.
///
/// # Errors
/// One line on the first thing wrong in it.
pub fn read_preset<P: Controls>(path: &Path) -> Result<P> {
    let text = read_text(path)?;
    let loaded = preset::from_toml(&text).map_err(|e| toml_fault(path, &text, &e))?;
    match loaded.troubles.into_iter().next() {
        Some(trouble) => Err(Fault::within(path, &trouble.place, trouble.what, trouble.cure)),
        None => Ok(loaded.params),
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Fault::in_file(path, "there is no such file", "check the name"),
        std::io::ErrorKind::InvalidData => Fault::in_file(path, "is not text", "write TOML in UTF-8"),
        _ => Fault::in_file(path, format!("cannot be read ({e})"), "make it readable"),
    })
}

/// A parser's message as one line, with the line of the file and the nearest known key.
fn toml_fault(path: &Path, text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|s| text[..s.start.min(text.len())].matches('\n').count() + 1);
    let place = line.map_or_else(|| "somewhere".to_owned(), |l| format!("line {l}"));
    let message = error.message().replace('\n', " ");
    let unknown = message.strip_prefix("unknown field `").and_then(|m| m.split('`').next());
    match unknown {
        Some(key) => {
            let known: Vec<String> = KEYS.iter().map(|k| (*k).to_owned()).collect();
            let cure = preset::nearest(key, &known)
                .map_or_else(|| "remove it".to_owned(), |near| format!("did you mean '{near}'?"));
            Fault::within(path, &place, format!("no such key '{key}'"), cure)
        }
        None => Fault::within(path, &place, message, "correct the line"),
    }
}
