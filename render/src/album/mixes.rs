//! Mixes among the tracks, mastered on the way.

use super::order::{Album, Track};
use crate::audio_file::{BLOCK_FRAMES, Container, Form, Labels, LoudnessFields, SampleFormat, Writer};
use crate::beside::Beside;
use crate::fault::Result;
use crate::figures;
use crate::mastering::{self, Goal};
use crate::show;
use crate::stem::Stem;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::dither::DitherBits;
use rayon::prelude::*;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a mix becomes a master.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mastering {
    /// The bus, but for the gain that is looked for.
    pub params: MasteringBusParams,
    /// What is reached.
    pub goal: Goal,
}

/// The masters of the mixes, in files that go when this is dropped.
pub(super) struct Masters {
    _files: Vec<Beside>,
    /// What was done, a line for each.
    pub notes: Vec<String>,
}

/// Masters the mixes of `album`, on all cores, into files in `folder` that take their places in it. They keep the mixes'
/// rates, in single precision and without dither: rate and word length come last, once, in each deliverable. `progress` hears
/// the share that is done.
pub(super) fn master(album: &mut Album, folder: &Path, progress: &(dyn Fn(f64) + Sync)) -> Result<Masters> {
    let mixes: Vec<(usize, &mut Track, Mastering)> = album
        .tracks
        .iter_mut()
        .enumerate()
        .filter_map(|(index, track)| track.mastering.map(|mastering| (index, track, mastering)))
        .collect();
    let (all, done) = (mixes.len(), AtomicUsize::new(0));
    let mastered: Vec<Result<(Beside, String)>> = mixes
        .into_par_iter()
        .map(|(index, track, mastering)| {
            let mastered = master_one(track, mastering, &folder.join(format!("{:02} master.wav", index + 1)))?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(done as f64 / all as f64);
            Ok(mastered)
        })
        .collect();
    let mastered = mastered.into_iter().collect::<Result<Vec<_>>>()?;
    let (files, notes) = mastered.into_iter().unzip();
    Ok(Masters { _files: files, notes })
}

fn master_one(track: &mut Track, mastering: Mastering, path: &Path) -> Result<(Beside, String)> {
    let sample_rate_hz = track.description.sample_rate_hz;
    let form = Form { container: Container::Wav, sample: SampleFormat::Float32, sample_rate_hz, channels: 2 };
    let mix = Stem::open(&track.file, sample_rate_hz)?;
    let mut start = mastering.params;
    start.dither.word_length = DitherBits::Off;
    let solution = mastering::solve(&mix, sample_rate_hz, &start, mastering.goal, |_, _| ())?;
    let mut writer = Writer::create(path, form, &Labels::default(), None)?;
    mastering::through(&mix, sample_rate_hz, &solution.params, BLOCK_FRAMES, |block, _| {
        writer.write(&block).map(|_| ())
    })?;
    let mut file = writer.complete(LoudnessFields::default())?;
    file.flush().map_err(|e| file.fault(&e))?;
    file.part().clone_into(&mut track.file);
    track.description = *figures::open(&track.file)?.description();
    let note = format!(
        "{}: mastered to {} in {} passes: limiter gain {}, input trim {}",
        track.title,
        show::figure(solution.heard.integrated_lufs, 1, "LUFS"),
        solution.passes,
        show::figure(Some(solution.params.limiter.gain_db), 2, "dB"),
        show::figure(Some(solution.params.input.trim_db), 2, "dB"),
    );
    Ok((file, note))
}
