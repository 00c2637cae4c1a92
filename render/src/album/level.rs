//! Gains that bring an album, or each of its tracks, to a loudness.

use super::order::{Album, Loudness, Unit};
use super::plan::Plan;
use super::timeline::Timeline;
use crate::audio_file::BLOCK_FRAMES;
use crate::fault::{Fault, Result};
use crate::figures::{Figures, Measurer};
use rayon::prelude::*;

/// The gain of each track, in decibels, and what is to be said about it.
pub(super) fn gains_db(album: &Album, plan: &Plan) -> Result<(Vec<f64>, Vec<String>)> {
    let own: Vec<f64> = album.tracks.iter().map(|t| t.gain_db).collect();
    let Some(loudness) = album.loudness else { return Ok((own, vec![])) };
    match loudness.by {
        Unit::Album => {
            let mut timeline = Timeline::new(album, plan, plan.rate_hz, &own);
            let mut measurer = Measurer::<2>::new(plan.rate_hz);
            let mut block = [vec![], vec![]];
            while timeline.read(&mut block, BLOCK_FRAMES)? > 0 {
                measurer.process(&block);
            }
            let (integrated, true_peak) = measurer.loudness_and_true_peak();
            let (gain, note) = gain_db(loudness, integrated, true_peak);
            let gain = gain.ok_or_else(|| {
                Fault::in_file(&album.path, "the album has no loudness: it is silent", "look at its masters")
            })?;
            Ok((own.iter().map(|own| own + gain).collect(), vec![format!("{}: {note}", album.title)]))
        }
        Unit::Track => {
            let measured: Vec<Result<Figures>> =
                album.tracks.par_iter().map(|track| Figures::of(&track.file, |_| ())).collect();
            let (mut gains, mut notes) = (vec![], vec![]);
            for (track, figures) in album.tracks.iter().zip(measured) {
                let figures = figures?;
                // on both sides a mono file is twice the power
                let sides_db = if figures.description.channels == 1 { 10.0 * 2f64.log10() } else { 0.0 };
                let integrated = figures.integrated_lufs.map(|l| l + sides_db + track.gain_db);
                let (gain, note) = gain_db(loudness, integrated, figures.true_peak_dbtp.map(|p| p + track.gain_db));
                // a silent track has no loudness to bring anywhere
                gains.push(track.gain_db + gain.unwrap_or(0.0));
                notes.push(format!("{}: {note}", track.title));
            }
            Ok((gains, notes))
        }
    }
}

fn gain_db(target: Loudness, integrated_lufs: Option<f64>, true_peak_dbtp: Option<f64>) -> (Option<f64>, String) {
    let (Some(integrated), Some(peak)) = (integrated_lufs, true_peak_dbtp) else {
        return (None, "silent".to_owned());
    };
    let wanted = target.target_lufs - integrated;
    // the half of a step that meters show stays for what conversion and dither add
    let allowed = target.ceiling_dbtp - ROOM_DB - peak;
    let gain = wanted.min(allowed);
    let mut note = format!("{integrated:.1} LUFS, {gain:+.2} dB");
    if allowed < wanted {
        note += &format!(", {:.1} LU under the target: its true peak is at the ceiling then", wanted - allowed);
    }
    (Some(gain), note.replace('-', "−"))
}

/// What stays under a ceiling, in decibels.
pub(super) const ROOM_DB: f64 = 0.05;
