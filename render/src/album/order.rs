//! What is asked for: the album file, read and checked.

use super::code;
use super::mixes::Mastering;
use crate::audio_file::{Container, Description, SampleFormat};
use crate::fault::{Fault, Result};
use crate::figures;
use crate::mastering::Goal;
use crate::presets;
use crate::toml_file;
use dsp_core::dither::DitherNoise;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// An album, checked: every file is there, every code is right.
#[derive(Clone, Debug)]
pub struct Album {
    /// Its file, to name in faults.
    pub path: PathBuf,
    /// Its title.
    pub title: String,
    /// Who performs it.
    pub artist: String,
    /// UPC or EAN; may be empty.
    pub upc: String,
    /// Date of release; may be empty.
    pub date: String,
    /// Whether the rules of a CD must be kept.
    pub red_book: bool,
    /// The loudness it is brought to.
    pub loudness: Option<Loudness>,
    /// The lowest ceiling that is asked for, of mixes or of the album, in dBTP.
    pub ceiling_dbtp: Option<f64>,
    /// Its tracks, in order, hidden ones among them.
    pub tracks: Vec<Track>,
    /// What is delivered.
    pub deliverables: Vec<Deliverable>,
}

/// A loudness to reach by gain alone.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loudness {
    /// Integrated loudness, in LUFS.
    pub target_lufs: f64,
    /// Of what.
    #[serde(default)]
    pub by: Unit,
    /// No gain takes a true peak over this, in dBTP.
    #[serde(default = "default_ceiling_dbtp")]
    pub ceiling_dbtp: f64,
}

fn default_ceiling_dbtp() -> f64 {
    -1.0
}

/// What is brought to a loudness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// The album as a whole: its tracks keep their levels to each other.
    #[default]
    Album,
    /// Each track.
    Track,
}

/// A track.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Its audio.
    pub file: PathBuf,
    /// What the file says about itself.
    pub description: Description,
    /// Frames in it.
    pub frames: u64,
    /// Its title.
    pub title: String,
    /// Who performs it.
    pub artist: String,
    /// Who wrote it; may be empty.
    pub composer: String,
    /// Its code, 12 characters; may be empty.
    pub isrc: String,
    /// What lies between it and the one before.
    pub gap_seconds: f64,
    /// How long it overlaps with the one before.
    pub crossfade_seconds: f64,
    /// How long it fades in.
    pub fade_in_seconds: f64,
    /// How long it fades out.
    pub fade_out_seconds: f64,
    /// Its gain, in decibels.
    pub gain_db: f64,
    /// How it is mastered, where it is a mix.
    pub mastering: Option<Mastering>,
    /// Whether it has no number of its own.
    pub hidden: bool,
}

/// A set of files in one form.
#[derive(Clone, Debug, PartialEq)]
pub struct Deliverable {
    /// One file, or one for each track.
    pub kind: Kind,
    /// What encodes it.
    pub format: Format,
    /// Frames a second.
    pub rate_hz: u32,
    /// The noise of its dither.
    pub dither: DitherNoise,
}

impl Deliverable {
    /// The key of its dither's noise.
    #[must_use]
    pub fn dither_name(&self) -> &'static str {
        NOISES.iter().find(|(_, noise)| *noise == self.dither).map_or("white", |(key, _)| key)
    }
}

/// One file, or one for each track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One continuous file, and a cue sheet.
    Image,
    /// A file for each track.
    Tracks,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Format {
    /// WAV, 16 bit.
    #[serde(rename = "wav16")]
    Wav16,
    /// WAV, 24 bit.
    #[serde(rename = "wav24")]
    Wav24,
    /// WAV, 32 bit float.
    #[serde(rename = "wav32f")]
    Wav32f,
    /// FLAC, 16 bit.
    #[serde(rename = "flac16")]
    Flac16,
    /// FLAC, 24 bit.
    #[serde(rename = "flac24")]
    Flac24,
    /// MP3, 320 kbit/s, by the encoder `lame`.
    #[serde(rename = "mp3")]
    Mp3,
    /// AAC in M4A, 256 kbit/s, by `ffmpeg`.
    #[serde(rename = "aac")]
    Aac,
}

impl Format {
    /// Its name in the album file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Wav16 => "wav16",
            Format::Wav24 => "wav24",
            Format::Wav32f => "wav32f",
            Format::Flac16 => "flac16",
            Format::Flac24 => "flac24",
            Format::Mp3 => "mp3",
            Format::Aac => "aac",
        }
    }

    /// How its files, or what an encoder is given, are written.
    #[must_use]
    pub fn written(self) -> (Container, SampleFormat) {
        match self {
            Format::Wav16 => (Container::Wav, SampleFormat::Int16),
            Format::Wav24 => (Container::Wav, SampleFormat::Int24),
            Format::Wav32f => (Container::Wav, SampleFormat::Float32),
            Format::Flac16 => (Container::Flac, SampleFormat::Int16),
            Format::Flac24 => (Container::Flac, SampleFormat::Int24),
            // 24 bit is more than either codec keeps
            Format::Mp3 | Format::Aac => (Container::Wav, SampleFormat::Int24),
        }
    }

    /// What its files end in.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Wav16 | Format::Wav24 | Format::Wav32f => "wav",
            Format::Flac16 | Format::Flac24 => "flac",
            Format::Mp3 => "mp3",
            Format::Aac => "m4a",
        }
    }

    /// The program that makes it, where one is needed.
    #[must_use]
    pub fn encoder(self) -> Option<&'static str> {
        match self {
            Format::Mp3 => Some("lame"),
            Format::Aac => Some("ffmpeg"),
            _ => None,
        }
    }
}

impl Album {
    /// The tracks that have numbers.
    pub fn numbered(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(|t| !t.hidden)
    }

    /// Reads and checks an album file and all that it names.
    ///
    /// # Errors
    /// One line on the first thing wrong: the file, the place in it, the cure.
    pub fn read(path: &Path) -> Result<Album> {
        let file: AlbumFile = toml_file::read(path)?;
        let whole = |what: String, cure: &str| Fault::in_file(path, what, cure);
        if file.track.iter().all(|t| t.hidden) {
            return Err(whole("there is no track".to_owned(), "add a [[track]] with a file and a title"));
        }
        if file.deliver.is_empty() {
            let cure = "add a [[deliver]] with a kind, a format and a rate_hz";
            return Err(whole("nothing is to be delivered".to_owned(), cure));
        }
        let upc = match &file.upc {
            Some(text) => code::upc(text).map_err(|what| whole(what, "copy it from the label's list"))?,
            None => String::new(),
        };
        if let Some(date) = &file.date
            && !is_date(date)
        {
            return Err(whole(format!("date is '{date}', expected one such as 2026-11-27"), "write year-month-day"));
        }
        let loudness = file.loudness.map(|l| ("loudness", l.target_lufs, l.ceiling_dbtp));
        let mastering = file.mastering.map(|m| ("mastering", m.target_lufs, m.ceiling_dbtp));
        for (place, target_lufs, ceiling_dbtp) in loudness.into_iter().chain(mastering) {
            in_range(path, place, "target_lufs", target_lufs, TARGET_LUFS.0, TARGET_LUFS.1)?;
            in_range(path, place, "ceiling_dbtp", ceiling_dbtp, -19.0, 0.0)?;
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut tracks: Vec<Track> = vec![];
        for track in file.track {
            let mastering = read_mastering(path, folder, file.mastering, &track, tracks.len() + 1)?;
            let track = read_track(path, folder, &file.artist, &tracks, track)?;
            tracks.push(Track { mastering, ..track });
        }
        let mut deliverables: Vec<Deliverable> = vec![];
        for deliver in file.deliver {
            let deliverable = read_deliverable(path, &deliverables, deliver)?;
            deliverables.push(deliverable);
        }
        Ok(Album {
            path: path.to_owned(),
            title: file.title,
            artist: file.artist,
            upc,
            date: file.date.unwrap_or_default(),
            red_book: file.red_book,
            loudness: file.loudness,
            ceiling_dbtp: loudness.into_iter().chain(mastering).map(|(_, _, ceiling)| ceiling).reduce(f64::min),
            tracks,
            deliverables,
        })
    }
}

fn read_track(path: &Path, folder: &Path, artist: &str, before: &[Track], file: TrackFile) -> Result<Track> {
    let number = before.len() + 1;
    let place = format!("track {number} ('{}')", file.title);
    let fault = |what: String, cure: &str| Fault::within(path, &place, what, cure);
    let isrc = match &file.isrc {
        Some(text) => code::isrc(text).map_err(|what| fault(what, "copy it from the label's list"))?,
        None => String::new(),
    };
    if let Some(twin) = before.iter().position(|t| !isrc.is_empty() && t.isrc == isrc) {
        let what = format!("isrc {isrc} is that of track {} too", twin + 1);
        return Err(fault(what, "give every recording its own"));
    }
    if file.title.trim().is_empty() {
        return Err(fault("the title is empty".to_owned(), "write title = \"…\""));
    }
    if let Some(text) = [&file.title, artist].into_iter().find(|text| text.contains(['\n', '\r', '\0'])) {
        return Err(fault(format!("'{}' has more than one line", text.escape_debug()), "write it in one line"));
    }
    let default_gap = if number == 1 || file.crossfade_seconds > 0.0 { 0.0 } else { DEFAULT_GAP_SECONDS };
    let gap_seconds = file.gap_seconds.unwrap_or(default_gap);
    in_range(path, &place, "gap_seconds", gap_seconds, 0.0, 3600.0)?;
    for (key, value) in [
        ("crossfade_seconds", file.crossfade_seconds),
        ("fade_in_seconds", file.fade_in_seconds),
        ("fade_out_seconds", file.fade_out_seconds),
    ] {
        in_range(path, &place, key, value, 0.0, 60.0)?;
    }
    in_range(path, &place, "gain_db", file.gain_db, -40.0, 24.0)?;
    if file.crossfade_seconds > 0.0 && (gap_seconds > 0.0 || number == 1) {
        let what = format!("crossfade_seconds is {}, where there is no track right before", file.crossfade_seconds);
        return Err(fault(what, "remove the crossfade, or the gap"));
    }
    let audio = folder.join(&file.file);
    let (description, frames) = describe(&audio)?;
    let seconds = frames as f64 / f64::from(description.sample_rate_hz);
    if file.fade_in_seconds.max(file.crossfade_seconds) + file.fade_out_seconds > seconds {
        let what = format!("its fades are longer than its {seconds:.3} s");
        return Err(fault(what, "shorten them"));
    }
    if let Some(last) = before.last()
        && file.crossfade_seconds
            > last.frames as f64 / f64::from(last.description.sample_rate_hz) - last.crossfade_seconds
    {
        return Err(fault("crossfade_seconds is longer than the track before".to_owned(), "shorten it"));
    }
    Ok(Track {
        file: audio,
        description,
        frames,
        title: file.title,
        artist: file.artist.unwrap_or_else(|| artist.to_owned()),
        composer: file.composer,
        isrc,
        gap_seconds,
        crossfade_seconds: file.crossfade_seconds,
        fade_in_seconds: file.fade_in_seconds,
        fade_out_seconds: file.fade_out_seconds,
        gain_db: file.gain_db,
        mastering: None,
        hidden: file.hidden,
    })
}

/// How a track is mastered, where it is a mix.
fn read_mastering(
    path: &Path,
    folder: &Path,
    album: Option<MasteringTable>,
    track: &TrackFile,
    number: usize,
) -> Result<Option<Mastering>> {
    let place = format!("track {number} ('{}')", track.title);
    let Some(preset) = &track.master else {
        return match track.target_lufs {
            Some(_) => Err(Fault::within(
                path,
                &place,
                "target_lufs is there, and the track is no mix to be mastered",
                "add master with the name of a preset, or remove it",
            )),
            None => Ok(None),
        };
    };
    let Some(integrated_lufs) = track.target_lufs.or(album.map(|m| m.target_lufs)) else {
        let cure = "add [mastering] with target_lufs, or target_lufs to the track";
        return Err(Fault::within(path, &place, "is to be mastered, and no loudness is asked for", cure));
    };
    in_range(path, &place, "target_lufs", integrated_lufs, TARGET_LUFS.0, TARGET_LUFS.1)?;
    let params = presets::read(preset, folder, &format!("{}: {place}: master", path.display()))?;
    let ceiling_dbtp = album.map_or_else(default_ceiling_dbtp, |m| m.ceiling_dbtp) - super::level::ROOM_DB;
    Ok(Some(Mastering { params, goal: Goal { integrated_lufs, ceiling_dbtp } }))
}

/// Opens a master, and counts its frames where it does not tell them.
fn describe(path: &Path) -> Result<(Description, u64)> {
    let mut reader = figures::open(path)?;
    let description = *reader.description();
    if !ALBUM_RATES_HZ.contains(&description.sample_rate_hz) {
        let what = format!("is at {} Hz, expected one of {}", description.sample_rate_hz, rates());
        return Err(Fault::in_file(path, what, "export it at the session's rate"));
    }
    let frames = match description.frames {
        Some(frames) => frames,
        None => {
            let (mut block, mut frames) = (vec![vec![]; description.channels], 0);
            loop {
                match reader.read(&mut block, crate::audio_file::BLOCK_FRAMES)? {
                    0 => break frames,
                    now => frames += now as u64,
                }
            }
        }
    };
    Ok((description, frames))
}

fn read_deliverable(path: &Path, before: &[Deliverable], file: DeliverFile) -> Result<Deliverable> {
    let place = format!("deliver {}", before.len() + 1);
    let fault = |what: String, cure: &str| Fault::within(path, &place, what, cure);
    if !ALBUM_RATES_HZ.contains(&file.rate_hz) {
        return Err(fault(format!("rate_hz is {}, expected one of {}", file.rate_hz, rates()), "choose one of them"));
    }
    if file.format.encoder().is_some() && file.rate_hz > 48_000 {
        let what = format!("{} at {} Hz, expected 44100 or 48000", file.format.name(), file.rate_hz);
        return Err(fault(what, "choose one of them"));
    }
    if file.format.encoder().is_some() && file.kind == Kind::Image {
        let what = format!("an image as {}, which has no exact length", file.format.name());
        return Err(fault(what, "deliver tracks, or an image as WAV or FLAC"));
    }
    let dither = match &file.dither {
        None => DitherNoise::White,
        Some(key) => noise(key).ok_or_else(|| {
            let keys: Vec<String> = NOISES.iter().map(|(key, _)| (*key).to_owned()).collect();
            let cure = dsp_core::preset::nearest(key, &keys)
                .map_or_else(|| "take one of them".to_owned(), |near| format!("did you mean '{near}'?"));
            fault(format!("dither is '{key}', expected one of {}", keys.join(", ")), &cure)
        })?,
    };
    let deliverable = Deliverable { kind: file.kind, format: file.format, rate_hz: file.rate_hz, dither };
    let same = |d: &Deliverable| (d.kind, d.format, d.rate_hz) == (file.kind, file.format, file.rate_hz);
    if before.iter().any(same) {
        return Err(fault("is there twice".to_owned(), "remove one"));
    }
    Ok(deliverable)
}

/// Kinds of dither by name.
const NOISES: [(&str, DitherNoise); 5] = [
    ("white", DitherNoise::White),
    ("high_passed", DitherNoise::HighPassed),
    ("shaped_light", DitherNoise::ShapedLight),
    ("shaped_lipshitz", DitherNoise::ShapedLipshitz),
    ("shaped_strong", DitherNoise::ShapedStrong),
];

fn noise(key: &str) -> Option<DitherNoise> {
    NOISES.iter().find(|(name, _)| *name == key).map(|(_, noise)| *noise)
}

fn in_range(path: &Path, place: &str, key: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let what = format!("{key} is {value}, expected {low} to {high}");
    Err(Fault::within(path, place, what, "choose a value in the range"))
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| (part.len(), part.parse::<u32>().unwrap_or(0)));
    let date = [parts.next(), parts.next(), parts.next(), parts.next()];
    matches!(date, [Some((4, 1..)), Some((2, 1..=12)), Some((2, 1..=31)), None])
}

fn rates() -> String {
    ALBUM_RATES_HZ.map(|rate| rate.to_string()).join(", ")
}

/// Rates of albums and their masters, in hertz: whole numbers of samples in 1/75 s.
pub const ALBUM_RATES_HZ: [u32; 6] = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
const DEFAULT_GAP_SECONDS: f64 = 2.0;
/// Loudness that anybody asks for.
const TARGET_LUFS: (f64, f64) = (-40.0, -5.0);

/// What mixes are mastered to.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct MasteringTable {
    target_lufs: f64,
    #[serde(default = "default_ceiling_dbtp")]
    ceiling_dbtp: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlbumFile {
    title: String,
    artist: String,
    upc: Option<String>,
    date: Option<String>,
    #[serde(default)]
    red_book: bool,
    loudness: Option<Loudness>,
    mastering: Option<MasteringTable>,
    #[serde(default)]
    track: Vec<TrackFile>,
    #[serde(default)]
    deliver: Vec<DeliverFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackFile {
    file: String,
    title: String,
    artist: Option<String>,
    #[serde(default)]
    composer: String,
    isrc: Option<String>,
    gap_seconds: Option<f64>,
    #[serde(default)]
    crossfade_seconds: f64,
    #[serde(default)]
    fade_in_seconds: f64,
    #[serde(default)]
    fade_out_seconds: f64,
    #[serde(default)]
    gain_db: f64,
    master: Option<String>,
    target_lufs: Option<f64>,
    #[serde(default)]
    hidden: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliverFile {
    kind: Kind,
    format: Format,
    rate_hz: u32,
    dither: Option<String>,
}
