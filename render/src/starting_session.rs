//! From a folder of stems to a session to start from: presets, sides and levels by what the files' names and peaks say.

use crate::audio_file::BLOCK_FRAMES;
use crate::fault::{Fault, Result};
use crate::figures;
use crate::nomenclature::{self, Instrument, Side, StemName};
use crate::show;
use rayon::prelude::*;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

/// A session that does not exist as a file yet.
#[derive(Clone, Debug, PartialEq)]
pub struct StartingSession {
    sample_rate_hz: u32,
    stems: Vec<Start>,
}

/// Where one track starts.
#[derive(Clone, Debug, PartialEq)]
struct Start {
    name: StemName,
    file: String,
    channels: usize,
    /// Brings the stem to the level that the presets are made for; the fader takes it back.
    trim_db: f64,
}

/// The sample peak for which the built-in presets' thresholds are made, in dBFS: a stem that was recorded with headroom.
pub const NOMINAL_PEAK_DBFS: f64 = -9.0;
/// The trims that input and fader can share.
const TRIM_DB: (f64, f64) = (-12.0, 24.0);
/// So many stems of a kit make a group.
const KIT_STEMS: usize = 3;
/// That group's name.
const KIT_GROUP: &str = "Drum Bus";
/// The return with a short echo, and how much of a lead vocal it gets.
const ECHO: &str = "Slap";
const ECHO_SEND_DB: f64 = -20.0;
/// The return with a plate.
const PLATE: &str = "Plate";
/// Extensions of files that may be stems.
const EXTENSIONS: [&str; 12] =
    ["wav", "wave", "bwf", "rf64", "aif", "aiff", "aifc", "flac", "mp3", "ogg", "m4a", "mp4"];

impl StartingSession {
    /// Looks at all audio files in `folder` but `mix`, on all cores. File names are told from the folder of `session`,
    /// the path that the session file is to have.
    ///
    /// # Errors
    /// A folder without audio, stems at different rates, a stem that cannot be read.
    pub fn of_folder(folder: &Path, session: &Path, mix: &Path) -> Result<Self> {
        let paths = audio_files(folder, mix)?;
        let Some(first) = paths.first() else {
            return Err(Fault::in_file(folder, "holds no audio files", "put stems into it, or name another folder"));
        };
        let sample_rate_hz = figures::open(first)?.description().sample_rate_hz;
        let looked_at: Vec<Result<Start>> =
            paths.par_iter().map(|path| Start::of(path, first, sample_rate_hz, session)).collect();
        let mut stems = looked_at.into_iter().collect::<Result<Vec<_>>>()?;
        let mut taken = [KIT_GROUP, ECHO, PLATE].map(str::to_owned).to_vec();
        for stem in &mut stems {
            let label = stem.name.label.clone();
            let mut numbered = (2..).map(|n| format!("{label} {n}"));
            while taken.contains(&stem.name.label) {
                stem.name.label = numbered.next().unwrap_or_default();
            }
            taken.push(stem.name.label.clone());
        }
        Ok(StartingSession { sample_rate_hz, stems })
    }

    /// What was chosen for each file, a line a file.
    #[must_use]
    pub fn overview(&self) -> String {
        let widest = self.stems.iter().map(|s| s.file.chars().count()).max().unwrap_or(0);
        self.stems.iter().fold(String::new(), |mut text, stem| {
            let side = match stem.name.side {
                Some(Side::Left) => ", left",
                Some(Side::Right) => ", right",
                None => "",
            };
            let channels = if stem.channels == 1 { "mono" } else { "stereo" };
            let _ = writeln!(text, "  {:widest$}  {}, {channels}{side}", stem.file, stem.name.instrument.preset());
            text
        })
    }

    /// The session file. `mix_gain` is the gain of the mix in decibels and the peak that it leads to, in dBFS, once they were
    /// measured; silence has no peak.
    #[must_use]
    pub fn text(&self, mix_gain: Option<(f64, Option<f64>)>) -> String {
        let mut text = "# Made from a folder of stems, to be edited. Until then it gives the same mix, to the bit.\n\
                        # Keys: docs/tandem.md; presets: tandem preset list.\n\n"
            .to_owned();
        // writing to a String cannot fail
        let _ = writeln!(text, "sample_rate_hz = {}\ntempo_bpm = 120.0", self.sample_rate_hz);
        if let Some((gain_db, peak_dbfs)) = mix_gain {
            let peak = show::figure(peak_dbfs, 2, "dBFS");
            let _ = writeln!(text, "mix_gain_db = {}    # measured: the mix peaks at {peak}", decimal(gain_db));
        }
        let with_kit = self.stems.iter().filter(|s| s.name.instrument.is_kit()).count() >= KIT_STEMS;
        for stem in &self.stems {
            text += &stem.text(with_kit);
        }
        if with_kit {
            let _ = write!(text, "\n[[group]]\nname = \"{KIT_GROUP}\"\npreset = \"drum_bus\"\n");
        }
        let any = |wanted: &dyn Fn(Instrument) -> bool| self.stems.iter().any(|s| wanted(s.name.instrument));
        for (name, preset, is_fed) in [
            (ECHO, "slap_return", any(&|i| i == Instrument::LeadVocal)),
            (PLATE, "plate_return", any(&|i| i.plate_send_db().is_some())),
        ] {
            if is_fed {
                let _ = write!(text, "\n[[return]]\nname = \"{name}\"\npreset = \"{preset}\"\n");
            }
        }
        text
    }
}

impl Start {
    fn of(path: &Path, first: &Path, sample_rate_hz: u32, session: &Path) -> Result<Self> {
        let mut reader = figures::open(path)?;
        let description = *reader.description();
        if description.sample_rate_hz != sample_rate_hz {
            return Err(Fault::in_file(
                path,
                format!("is at {} Hz, {} at {sample_rate_hz} Hz", description.sample_rate_hz, first.display()),
                "convert one of them: all stems of a mix have one rate",
            ));
        }
        let channels = description.channels;
        let mut planes = vec![vec![]; channels];
        let mut peak = 0.0f64;
        while reader.read(&mut planes, BLOCK_FRAMES)? > 0 {
            peak = planes.iter().flatten().filter(|s| s.is_finite()).fold(peak, |peak, s| peak.max(s.abs()));
        }
        let trim_db = if peak > 0.0 { NOMINAL_PEAK_DBFS - 20.0 * peak.log10() } else { 0.0 };
        // to a tenth: what the platform's logarithm does in the last bit does not matter
        let trim_db = (10.0 * trim_db.clamp(TRIM_DB.0, TRIM_DB.1)).round() / 10.0;
        let file_stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = session.parent().unwrap_or(Path::new(""));
        let file = told_from(folder, path);
        Ok(Start { name: nomenclature::parse(&file_stem), file, channels, trim_db })
    }

    fn text(&self, with_kit: bool) -> String {
        let StemName { label, instrument, side } = &self.name;
        let mut text = format!("\n[[track]]\nname = {}\nfile = {}\n", quoted(label), quoted(&self.file));
        let _ = writeln!(text, "preset = \"{}\"", instrument.preset());
        if with_kit && instrument.is_kit() {
            let _ = writeln!(text, "group = \"{KIT_GROUP}\"");
        }
        if *instrument == Instrument::WholeMix {
            text += "mute = true    # its name says that it is a mix of everything\n";
        }
        if self.trim_db != 0.0 {
            let _ = writeln!(
                text,
                "fader_db = {}    # takes the trim back: the stems' balance stays",
                decimal(-self.trim_db)
            );
            let _ = writeln!(text, "controls.input.trim_db = {}    # to the preset's level", decimal(self.trim_db));
        }
        if let Some(side) = side {
            let pan = match side {
                Side::Left => -instrument.side_pan(),
                Side::Right => instrument.side_pan(),
            };
            if self.channels == 1 {
                text += "controls.panner.mode = \"pan\"\n";
            }
            let _ = writeln!(text, "controls.panner.pan = {}", decimal(pan));
        }
        let echo_db = (*instrument == Instrument::LeadVocal).then_some(ECHO_SEND_DB);
        for (to, db) in [(ECHO, echo_db), (PLATE, instrument.plate_send_db())] {
            if let Some(db) = db {
                let _ = write!(text, "\n[[track.send]]\nto = \"{to}\"\nlevel_db = {}\n", decimal(db));
            }
        }
        text
    }
}

/// The audio files right in `folder`, in order of their names, numbers by value.
fn audio_files(folder: &Path, mix: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| Fault::in_file(folder, format!("cannot be read ({e})"), "make it readable");
    let mut paths = vec![];
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let file_stem = path.file_stem().unwrap_or_default().to_string_lossy();
        // an older mix of the same name; anything else is a stem, and no mix may be written over it
        let is_mix =
            absolute(&path) == absolute(mix) && nomenclature::parse(&file_stem).instrument == Instrument::WholeMix;
        if path.is_file() && !hidden && !is_mix && EXTENSIONS.contains(&extension.as_str()) {
            paths.push(path);
        }
    }
    paths.sort_by_cached_key(|p| natural_key(p));
    Ok(paths)
}

/// A file name as text and numbers in turn; names that differ at all have different keys.
fn natural_key(path: &Path) -> (Vec<(String, u64)>, PathBuf) {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut key = vec![];
    let mut rest = name.as_str();
    while !rest.is_empty() {
        let (text, after) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (number, after) = after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()));
        key.push((text.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    (key, path.to_owned())
}

/// `path` as it is told from `folder`, with `/` on every system.
fn told_from(folder: &Path, path: &Path) -> String {
    let (from, to) = (absolute(folder), absolute(path));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if common == 0 {
        // another drive
        return to.display().to_string();
    }
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The path from the root, links resolved where it exists.
fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let known = std::fs::canonicalize(path).or_else(|_| {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::canonicalize(parent).map(|p| path.file_name().map_or(p.clone(), |name| p.join(name)))
    });
    let known = known.or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    known.components().filter(|c| *c != Component::CurDir).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A number as TOML takes it: always with a point.
fn decimal(value: f64) -> String {
    toml::Value::Float(value).to_string()
}
