//! From a session to a mix on disk, with headroom for mastering.

use crate::audio_file::{Container, Form, Labels, LoudnessFields, SampleFormat, Writer};
use crate::beside;
use crate::direct::DirectRack;
use crate::engine::{self, BlockPlan, Mixer};
use crate::fault::Result;
use crate::scratch::Scratch;
use crate::session::Session;
use dsp_core::math;
use std::path::{Path, PathBuf};

/// A mix that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// Its length.
    pub frames: u64,
    /// The gain of the whole mix, in decibels.
    pub gain_db: f64,
    /// Whether that gain was measured here, rather than read in the session.
    pub measured: bool,
    /// Its sample peak, in dBFS; `None` of silence.
    pub peak_dbfs: Option<f64>,
    /// The stems that sum to it, where they were asked for.
    pub stems: Vec<PathBuf>,
}

/// Where the sample peak of a mix belongs, in dBFS: the headroom that mastering engineers ask for.
pub const HEADROOM_DBFS: (f64, f64) = (-6.0, -3.0);
/// Where a measured gain puts it.
const PEAK_DBFS: f64 = -4.5;
/// Blocks that strips get at once. No bit depends on it.
const BLOCKS: BlockPlan = BlockPlan::Fixed(512);

impl Mixed {
    /// Whether its peak is where it belongs; silence has none.
    #[must_use]
    pub fn has_headroom(&self) -> bool {
        self.peak_dbfs.is_none_or(|peak| (HEADROOM_DBFS.0..=HEADROOM_DBFS.1).contains(&peak))
    }
}

/// Mixes `session` into the file at `path`, on all cores, and, where `stems` names a folder, writes there all that feeds the
/// mix, track by track and group by group: together they are the mix.
///
/// A gain that the session does not tell is measured: none if the peak lies in [`HEADROOM_DBFS`] by itself, one that brings
/// it to the middle otherwise. `progress` hears the share that is done.
///
/// # Errors
/// A stem that cannot be read to its end, a file that cannot be written. Nothing is left then.
pub fn mix(session: &Session, path: &Path, stems: Option<&Path>, mut progress: impl FnMut(f64)) -> Result<Mixed> {
    let mut mixer = Mixer::new(session, &mut DirectRack, BLOCKS)?;
    let names: Vec<String> = if stems.is_some() { file_names(mixer.stem_names()) } else { vec![] };
    let mut whole = Scratch::create(path)?;
    let scratch_of = |name: &String| Scratch::create(&path.with_added_extension(name));
    let mut parts = names.iter().map(scratch_of).collect::<Result<Vec<_>>>()?;
    let mut peak = 0.0f32;
    while let Some(chunk) = mixer.next_chunk()? {
        whole.append(chunk)?;
        peak = chunk.into_iter().flatten().fold(peak, |peak, s| peak.max(s.abs()));
        if !parts.is_empty() {
            for (part, [left, right]) in parts.iter_mut().zip(mixer.stem_chunks()) {
                part.append([&left, &right])?;
            }
        }
        progress(MIXING_SHARE * mixer.share());
    }
    let level_of = |peak: f64| Some(math::gain_to_db(peak)).filter(|db| db.is_finite());
    let gain_db = session.mix_gain_db.unwrap_or_else(|| measured_gain_db(level_of(f64::from(peak))));
    let gain = engine::gain(gain_db);
    let frames = whole.frames();
    write(path, session.sample_rate_hz, &mut whole, gain)?;
    let mut written = vec![];
    if let Some(folder) = stems {
        std::fs::create_dir_all(folder).map_err(|e| beside::cannot_write(folder, &e))?;
        for (name, part) in names.iter().zip(&mut parts) {
            let path = folder.join(format!("{name}.wav"));
            write(&path, session.sample_rate_hz, part, gain)?;
            written.push(path);
            progress(MIXING_SHARE + (1.0 - MIXING_SHARE) * written.len() as f64 / names.len() as f64);
        }
    }
    progress(1.0);
    let peak_dbfs = level_of(f64::from(peak * gain));
    Ok(Mixed { frames, gain_db, measured: session.mix_gain_db.is_none(), peak_dbfs, stems: written })
}

/// The part of the work that is not writing.
const MIXING_SHARE: f64 = 0.9;

/// The gain that puts a mix where it belongs, to the hundredth of a decibel.
fn measured_gain_db(peak_dbfs: Option<f64>) -> f64 {
    match peak_dbfs {
        Some(peak) if !(HEADROOM_DBFS.0..=HEADROOM_DBFS.1).contains(&peak) => {
            (100.0 * (PEAK_DBFS - peak)).round() / 100.0
        }
        _ => 0.0,
    }
}

fn write(path: &Path, sample_rate_hz: u32, audio: &mut Scratch, gain: f32) -> Result<()> {
    let form = Form { container: Container::Wav, sample: SampleFormat::Float32, sample_rate_hz, channels: 2 };
    let mut writer = Writer::create(path, form, &Labels::default(), None)?;
    audio.for_each(|[left, right]| {
        left.iter_mut().chain(right.iter_mut()).for_each(|s| *s *= gain);
        writer.write(&[left, right]).map(|_| ())
    })?;
    writer.complete(LoudnessFields::default())?.finish()
}

/// Names of channels as names of files, all different.
fn file_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut files: Vec<String> = vec![];
    for name in names {
        let plain: String =
            name.chars().map(|c| if c.is_control() || r#"<>:"/\|?*"#.contains(c) { '_' } else { c }).collect();
        let plain = plain.trim_matches([' ', '.']).to_owned();
        let taken = |file: &str| files.iter().any(|f| f.to_lowercase() == file.to_lowercase());
        let numbered = (2..).map(|n| format!("{plain} {n}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|file| !file.is_empty() && !taken(file));
        files.extend(free);
    }
    files
}
