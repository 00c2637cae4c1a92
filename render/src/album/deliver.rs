//! Rendering and writing: each rate and word length in one pass over the album, however many files come of it.

mod cutter;
mod encoder;

use super::cue;
use super::level;
use super::manifest::{self, Entry, Manifest, Set};
use super::mixes;
use super::order::{Album, Deliverable, Kind};
use super::plan::{Plan, sectors_to_frames};
use super::pq;
use super::timeline::Timeline;
use crate::audio_file::{BLOCK_FRAMES, SampleFormat};
use crate::beside::Beside;
use crate::fault::{Fault, Result};
use crate::resample::Converter;
use crate::show;
use cutter::{Cutter, Cuttings};
use dsp_core::block::Block;
use dsp_core::dither::{Dither, DitherBits, DitherNoise, DitherParams};
use dsp_core::processor::{Processor, StreamConfig};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

/// What was delivered.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// What is in `album.json`.
    pub manifest: Manifest,
    /// What is worth a look: gains, limits, clips.
    pub notes: Vec<String>,
}

/// Delivers an album into the folder `out`, which must be empty or not there. `progress` hears what is being done and its share.
///
/// Files are moved to their names only when all are whole; a delivery that fails leaves nothing.
///
/// # Errors
/// A master that cannot be read, a folder that cannot be written to, an encoder that is not there.
pub fn deliver(album: &Album, out: &Path, progress: &(dyn Fn(&str, f64) + Sync)) -> Result<Delivered> {
    let plan = Plan::of(album)?;
    for deliverable in &album.deliverables {
        encoder::check(deliverable.format, &album.path)?;
    }
    let mut folders = Folders::default();
    folders.make_new(out)?;
    let mut album = album.clone();
    let masters = mixes::master(&mut album, out, &|share| progress("mastering", share))?;
    let album = &album;
    let (gains_db, level_notes) = level::gains_db(album, &plan)?;
    let mut notes = [masters.notes.as_slice(), &level_notes].concat();

    let mut passes: Vec<Pass> = vec![];
    for (index, deliverable) in album.deliverables.iter().enumerate() {
        folders.make(&out.join(folder_name(deliverable)))?;
        let pass = Pass::of(deliverable);
        match passes.iter_mut().find(|p| p.is_like(&pass)) {
            Some(same) => same.deliverables.push(index),
            None => passes.push(Pass { deliverables: vec![index], ..pass }),
        }
    }
    let done = Progress { frames: AtomicU64::new(0), all: passes.iter().map(|p| p.frames(&plan)).sum(), progress };
    let results: Vec<Result<Passed>> = passes.par_iter().map(|p| p.run(album, &plan, &gains_db, out, &done)).collect();

    let mut sets: Vec<(usize, Set)> = vec![];
    let mut files: Vec<Beside> = vec![];
    for (pass, result) in passes.iter().zip(results) {
        let passed = result?;
        if passed.clipped_samples > 0 {
            notes.push(format!(
                "{} Hz, {} bit: {} samples were over full scale and are cut off; lower gain_db or ceiling_dbtp",
                pass.rate_hz,
                pass.sample.bits(),
                passed.clipped_samples
            ));
        }
        for (index, cuttings) in passed.cuttings {
            sets.push((index, set(&album.deliverables[index], cuttings.pieces)));
            files.extend(cuttings.files);
        }
    }
    sets.sort_by_key(|(index, _)| *index);
    let manifest = manifest(album, &plan, sets.into_iter().map(|(_, set)| set).collect());
    notes.extend(over_ceiling(album, &manifest));
    texts(album, &plan, &manifest, out, &mut files)?;
    checksums(out, &mut files)?;
    finish(files)?;
    folders.keep();
    Ok(Delivered { manifest, notes })
}

/// The folder of a deliverable: `tracks-flac24-48000`.
fn folder_name(deliverable: &Deliverable) -> String {
    format!("{}-{}-{}", kind_name(deliverable.kind), deliverable.format.name(), deliverable.rate_hz)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Tracks => "tracks",
    }
}

/// One way through the album.
struct Pass {
    rate_hz: u32,
    sample: SampleFormat,
    noise: DitherNoise,
    /// Whose files it writes, by index.
    deliverables: Vec<usize>,
}

struct Passed {
    cuttings: Vec<(usize, Cuttings)>,
    clipped_samples: u64,
}

struct Progress<'a> {
    frames: AtomicU64,
    all: u64,
    progress: &'a (dyn Fn(&str, f64) + Sync),
}

impl Progress<'_> {
    fn add(&self, frames: usize) {
        let done = self.frames.fetch_add(frames as u64, Ordering::Relaxed) + frames as u64;
        (self.progress)("rendering", done as f64 / self.all.max(1) as f64);
    }
}

impl Pass {
    fn of(deliverable: &Deliverable) -> Pass {
        let (_, sample) = deliverable.format.written();
        Pass { rate_hz: deliverable.rate_hz, sample, noise: deliverable.dither, deliverables: vec![] }
    }

    fn is_like(&self, other: &Pass) -> bool {
        (self.rate_hz, self.sample, self.noise) == (other.rate_hz, other.sample, other.noise)
    }

    fn frames(&self, plan: &Plan) -> u64 {
        sectors_to_frames(plan.end_sector, self.rate_hz)
    }

    /// Sequence, then sample rate, then word length; the files are cut and measured on another thread meanwhile.
    fn run(&self, album: &Album, plan: &Plan, gains_db: &[f64], out: &Path, done: &Progress<'_>) -> Result<Passed> {
        let mut cutters = vec![];
        for index in &self.deliverables {
            let deliverable = &album.deliverables[*index];
            cutters.push((*index, Cutter::new(album, plan, deliverable, &out.join(folder_name(deliverable)))));
        }
        let (sender, receiver) = sync_channel::<[Vec<f32>; 2]>(BLOCKS_UNDER_WAY);
        std::thread::scope(|scope| {
            let writing = scope.spawn(move || -> Result<Vec<(usize, Cuttings)>> {
                while let Ok(block) = receiver.recv() {
                    for (_, cutter) in &mut cutters {
                        cutter.write(&block)?;
                    }
                    done.add(block[0].len());
                }
                cutters.into_iter().map(|(index, cutter)| Ok((index, cutter.finish()?))).collect()
            });
            // a writer that failed hangs up; its fault is what matters
            let rendered = self.render(album, plan, gains_db, |block| sender.send(block).is_ok());
            drop(sender);
            let cuttings = writing
                .join()
                .unwrap_or_else(|_| Err(Fault::in_file(out, "a writer broke down", "report this as a defect")));
            let clipped_samples = rendered?;
            Ok(Passed { cuttings: cuttings?, clipped_samples })
        })
    }

    /// Gives the whole album to `each` as long as it returns true. Returns how many samples were over full scale.
    fn render(
        &self,
        album: &Album,
        plan: &Plan,
        gains_db: &[f64],
        mut each: impl FnMut([Vec<f32>; 2]) -> bool,
    ) -> Result<u64> {
        // masters of one rate are joined at that rate, and converted as one: nothing happens at their borders
        let one_rate = album.tracks.iter().all(|t| t.description.sample_rate_hz == plan.rate_hz);
        let joined_hz = if one_rate { plan.rate_hz } else { self.rate_hz };
        let mut timeline = Timeline::new(album, plan, joined_hz, gains_db);
        let mut converter = Converter::new(joined_hz, self.rate_hz, 2);
        let mut dither = Dither::<2>::new();
        let word_length = match self.sample {
            SampleFormat::Int16 => DitherBits::Bits16,
            SampleFormat::Int24 => DitherBits::Bits24,
            SampleFormat::Float32 => DitherBits::Off,
        };
        let params = DitherParams { word_length, noise: self.noise, auto_blank: true };
        let config = StreamConfig { sample_rate_hz: f64::from(self.rate_hz), max_frames: usize::MAX };
        dither
            .prepare(config, &params)
            .map_err(|e| Fault::in_file(&album.path, e.to_string(), "choose another rate"))?;
        let (mut joined, mut converted) = ([vec![], vec![]], vec![vec![], vec![]]);
        let (mut clipped, mut ended) = (0, false);
        while !ended {
            converted.iter_mut().for_each(Vec::clear);
            if timeline.read(&mut joined, BLOCK_FRAMES)? == 0 {
                converter.finish(&mut converted);
                ended = true;
            } else {
                converter.process(&joined, &mut converted);
            }
            if converted[0].is_empty() {
                continue;
            }
            let mut block = [0, 1].map(|c: usize| converted[c].iter().map(|s| *s as f32).collect::<Vec<f32>>());
            if self.sample != SampleFormat::Float32 {
                clipped += block.iter().flatten().filter(|s| s.abs() > 1.0).count() as u64;
            }
            let [left, right] = &mut block;
            dither.process(&mut Block::new([left, right]));
            if !each(block) {
                break;
            }
        }
        Ok(clipped)
    }
}

/// Blocks between the thread that renders and the one that writes.
const BLOCKS_UNDER_WAY: usize = 4;

fn set(deliverable: &Deliverable, files: Vec<manifest::Piece>) -> Set {
    let float = deliverable.format.written().1 == SampleFormat::Float32;
    Set {
        kind: kind_name(deliverable.kind).to_owned(),
        format: deliverable.format.name().to_owned(),
        sample_rate_hz: deliverable.rate_hz,
        dither: if float { "none" } else { deliverable.dither_name() }.to_owned(),
        files,
    }
}

fn manifest(album: &Album, plan: &Plan, deliverables: Vec<Set>) -> Manifest {
    let entries = album.numbered().zip(&plan.marks).enumerate().map(|(n, (track, mark))| Entry {
        number: n as u32 + 1,
        title: track.title.clone(),
        artist: track.artist.clone(),
        composer: track.composer.clone(),
        isrc: track.isrc.clone(),
        pause_sector: mark.pause_sector,
        start_sector: mark.start_sector,
    });
    Manifest {
        made_by: concat!("tandem ", env!("CARGO_PKG_VERSION")).to_owned(),
        title: album.title.clone(),
        artist: album.artist.clone(),
        upc: album.upc.clone(),
        date: album.date.clone(),
        end_sector: plan.end_sector,
        tracks: entries.collect(),
        deliverables,
    }
}

/// Files whose true peak is over the ceiling. Conversion moves peaks, and a track may come as it is.
fn over_ceiling(album: &Album, manifest: &Manifest) -> Vec<String> {
    let Some(ceiling_dbtp) = album.ceiling_dbtp else { return vec![] };
    let over = |piece: &&manifest::Piece| piece.true_peak_dbtp.is_some_and(|peak| peak > ceiling_dbtp);
    let note = |piece: &manifest::Piece| {
        let peak = show::figure(piece.true_peak_dbtp, 2, "dBTP");
        format!("{}: its true peak is {peak}, over the ceiling of {ceiling_dbtp}; lower ceiling_dbtp", piece.path)
    };
    manifest.deliverables.iter().flat_map(|set| &set.files).filter(over).map(note).collect()
}

/// Cue sheets, PQ sheets and the manifest.
fn texts(album: &Album, plan: &Plan, manifest: &Manifest, out: &Path, files: &mut Vec<Beside>) -> Result<()> {
    let mut write = |path: PathBuf, text: &str| -> Result<()> {
        let mut file = Beside::create(&path)?;
        file.write_all(text.as_bytes()).map_err(|e| file.fault(&e))?;
        files.push(file);
        Ok(())
    };
    for set in manifest.deliverables.iter().filter(|set| set.kind == "image") {
        for piece in &set.files {
            let path = out.join(&piece.path);
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            write(path.with_extension("cue"), &cue::sheet(album, plan, &name))?;
        }
    }
    write(out.join(manifest::PQ_TEXT), &pq::text(manifest))?;
    write(out.join(manifest::PQ_PAGE), &pq::page(manifest))?;
    let json = serde_json::to_string_pretty(manifest)
        .map_err(|e| Fault::in_file(&out.join(manifest::NAME), e.to_string(), "report this as a defect"))?;
    write(out.join(manifest::NAME), &(json + "\n"))
}

/// The list of all files written so far, in order of their names.
fn checksums(out: &Path, files: &mut Vec<Beside>) -> Result<()> {
    let mut lines: Vec<(String, String)> = vec![];
    for file in files.iter_mut() {
        file.flush().map_err(|e| file.fault(&e))?;
        let sum = sha256_of(file.part()).map_err(|e| file.fault(&e))?;
        lines.push((relative(out, file.path()), sum));
    }
    lines.sort();
    let mut text = String::new();
    for (path, sum) in lines {
        let _ = writeln!(text, "{sum}  {path}");
    }
    let mut file = Beside::create(&out.join(manifest::CHECKSUMS))?;
    file.write_all(text.as_bytes()).map_err(|e| file.fault(&e))?;
    files.push(file);
    Ok(())
}

/// Moves all files to their names; where one cannot be, those that were are removed.
fn finish(files: Vec<Beside>) -> Result<()> {
    let mut finished = vec![];
    for file in files {
        finished.push(file.path().to_owned());
        if let Err(fault) = file.finish() {
            for path in finished {
                let _ = std::fs::remove_file(path);
            }
            return Err(fault);
        }
    }
    Ok(())
}

/// The path of a file within the delivery, with `/` everywhere.
fn relative(out: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(out).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// SHA-256 of a file's bytes, in hexadecimal.
///
/// # Errors
/// A file that cannot be read.
pub fn sha256_of(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 1 << 18];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&bytes[..count]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Folders that were made; dropped before they are to be kept, they are removed again where they are empty.
#[derive(Default)]
struct Folders(Vec<PathBuf>);

impl Folders {
    fn make_new(&mut self, path: &Path) -> Result<()> {
        if let Ok(mut entries) = std::fs::read_dir(path)
            && entries.next().is_some()
        {
            return Err(Fault::in_file(path, "is not empty", "choose a new folder, or empty it"));
        }
        self.make(path)
    }

    fn make(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            self.make(parent)?;
        }
        std::fs::create_dir(path).map_err(|e| {
            Fault::in_file(path, format!("cannot be made ({e})"), "choose a folder with room that you may write to")
        })?;
        self.0.push(path.to_owned());
        Ok(())
    }

    fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // one that is not empty is somebody else's by now
            let _ = std::fs::remove_dir(folder);
        }
    }
}
