//! What becomes of a release where it is heard: the gain that each service applies, and what it costs to be louder than that.
//!
//! The services are data, `delivery.toml`, each with its source and how sure it is. [`Rule::play`] is the arithmetic.

pub mod audition;
pub mod learn;

use serde::Deserialize;
use std::sync::OnceLock;

/// A streaming service's level, or a standard's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Entry")]
pub struct Service {
    /// Name in files and on the command line: snake case.
    pub key: String,
    /// Name for people.
    pub name: String,
    /// What it does.
    pub rule: Rule,
    /// The highest true peak that it asks for, in dBTP.
    pub asks_dbtp: Option<f64>,
    /// The same of what is louder than its level, where that differs.
    pub asks_loud_dbtp: Option<f64>,
    /// By how much loudness may miss the level, in LU, where that is said.
    pub tolerance_lu: Option<f64>,
    /// How sure all this is.
    pub certainty: Certainty,
    /// Where it is written.
    pub source: String,
    /// When that was published or last read: year and month.
    pub date: String,
}

/// How sure a service's figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Published by the service, or by the standard.
    Official,
    /// Reported by others.
    Secondary,
    /// Nobody says; observed, or guessed.
    Estimate,
}

impl Certainty {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Official => "official",
            Certainty::Secondary => "secondary",
            Certainty::Estimate => "estimate",
        }
    }
}

/// What a service does to loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The level, in LUFS.
    pub level_lufs: f64,
    /// What is brought there.
    pub normalises: Normalises,
    /// Whether what is softer is raised.
    pub raises: Raises,
    /// What it limits with after a gain.
    pub limiter: Option<ServiceLimiter>,
}

/// What is brought to a service's level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalises {
    /// Every track by itself.
    Track,
    /// The album, by its loudness as a whole; a track by itself where it is heard outside of it.
    Album,
    /// The album, by its loudest track.
    LoudestTrack,
}

/// Whether a service raises what is softer than its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raises {
    /// No.
    Never,
    /// Only while the true peak stays at or under this, in dBTP.
    ToHeadroom(f64),
    /// Yes, whatever the peaks.
    Always,
}

/// A limiter by what is published of it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLimiter {
    /// From what sample value on it acts, in dBFS.
    pub threshold_dbfs: f64,
    /// Attack time, in milliseconds.
    pub attack_ms: f64,
    /// Release time, in milliseconds.
    pub release_ms: f64,
}

/// Loudness and peak of a track or an album.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Integrated loudness, in LUFS.
    pub integrated_lufs: f64,
    /// The highest true peak, in dBTP.
    pub true_peak_dbtp: f64,
}

/// The album that a track is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Album {
    /// All its tracks as one programme.
    pub whole: Levels,
    /// Loudness of its loudest track, in LUFS.
    pub loudest_track_lufs: f64,
}

/// What becomes of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playback {
    /// The gain that the service applies, in decibels.
    pub gain_db: f64,
    /// What it would have applied had the peaks let it, in decibels.
    pub wanted_db: f64,
    /// What a listener hears, in LUFS, before any limiter of the service.
    pub heard_lufs: f64,
    /// By how much the highest peak then passes the threshold of the service's own limiter, in decibels, at least 0. True
    /// peak stands for sample peak here, which it never falls short of.
    pub limited_db: f64,
}

impl Rule {
    /// What becomes of a track, on an album if there is one, at this service. Real-time safe.
    ///
    /// The gain brings the track, or the album, to the level. Where it is a raise, the rule may forbid it or cut it short:
    /// Spotify lifts −20 LUFS with a true peak of −5 dBTP by 4 dB, to −16 LUFS, since 1 dB of headroom must stay.
    #[must_use]
    pub fn play(&self, track: Levels, album: Option<Album>) -> Playback {
        let (loudness_lufs, peak_dbtp) = match (self.normalises, album) {
            (Normalises::Track, _) | (_, None) => (track.integrated_lufs, track.true_peak_dbtp),
            (Normalises::Album, Some(album)) => (album.whole.integrated_lufs, album.whole.true_peak_dbtp),
            (Normalises::LoudestTrack, Some(album)) => (album.loudest_track_lufs, album.whole.true_peak_dbtp),
        };
        let wanted_db = self.level_lufs - loudness_lufs;
        let most_db = match self.raises {
            Raises::Never => 0.0,
            Raises::ToHeadroom(headroom_dbtp) => (headroom_dbtp - peak_dbtp).max(0.0),
            Raises::Always => f64::INFINITY,
        };
        let gain_db = wanted_db.min(most_db);
        let over_db = |limiter: ServiceLimiter| (track.true_peak_dbtp + gain_db - limiter.threshold_dbfs).max(0.0);
        Playback {
            gain_db,
            wanted_db,
            heard_lufs: track.integrated_lufs + gain_db,
            limited_db: self.limiter.map_or(0.0, over_db),
        }
    }
}

impl Playback {
    /// How many decibels of a limiter's largest reduction were for nothing: as many as the service turns down again. With
    /// so much less gain ahead of the limiter the track would be heard as loud, and less limited. Real-time safe.
    #[must_use]
    pub fn for_nothing_db(&self, largest_reduction_db: f64) -> f64 {
        (-self.gain_db).clamp(0.0, largest_reduction_db.max(0.0))
    }
}

impl Service {
    /// By how much a track's true peak passes what the service asks for, in decibels; `None` where it asks for nothing, or
    /// gets it. Real-time safe.
    #[must_use]
    pub fn peak_excess_db(&self, track: Levels) -> Option<f64> {
        let loud = track.integrated_lufs > self.rule.level_lufs;
        let asks_dbtp = self.asks_loud_dbtp.filter(|_| loud).or(self.asks_dbtp)?;
        Some(track.true_peak_dbtp - asks_dbtp).filter(|over| *over > 0.0)
    }
}

/// All services, in the order of the file. May allocate, the first time.
///
/// # Panics
/// Never: the file is part of the library, and a test reads it.
#[must_use]
pub fn services() -> &'static [Service] {
    static SERVICES: OnceLock<Vec<Service>> = OnceLock::new();
    SERVICES.get_or_init(|| {
        let file: File = toml::from_str(include_str!("delivery.toml")).expect("delivery.toml is tested");
        file.service
    })
}

/// The service of this key. May allocate, the first time.
#[must_use]
pub fn service(key: &str) -> Option<&'static Service> {
    services().iter().find(|service| service.key == key)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Vec<Service>,
}

/// A service as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: String,
    name: String,
    level_lufs: f64,
    tolerance_lu: Option<f64>,
    normalises: Normalises,
    raises: RaisesWord,
    headroom_dbtp: Option<f64>,
    limiter: Option<ServiceLimiter>,
    asks_dbtp: Option<f64>,
    asks_loud_dbtp: Option<f64>,
    certainty: Certainty,
    source: String,
    date: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RaisesWord {
    Never,
    ToHeadroom,
    Always,
}

impl From<Entry> for Service {
    fn from(entry: Entry) -> Self {
        let raises = match entry.raises {
            RaisesWord::Never => Raises::Never,
            RaisesWord::ToHeadroom => Raises::ToHeadroom(entry.headroom_dbtp.unwrap_or(0.0)),
            RaisesWord::Always => Raises::Always,
        };
        let (level_lufs, normalises, limiter) = (entry.level_lufs, entry.normalises, entry.limiter);
        Service {
            key: entry.key,
            name: entry.name,
            rule: Rule { level_lufs, normalises, raises, limiter },
            asks_dbtp: entry.asks_dbtp,
            asks_loud_dbtp: entry.asks_loud_dbtp,
            tolerance_lu: entry.tolerance_lu,
            certainty: entry.certainty,
            source: entry.source,
            date: entry.date,
        }
    }
}
