//! From a mix to a master that is as loud as its target and never over its ceiling.
//!
//! The settings that are found are Tandem Master's own controls: a preset with a limiter gain, so that the plugin with the
//! same settings gives the same bits.

use crate::audio_file::{Form, Labels, LoudnessFields, SampleFormat, Writer};
use crate::beside::Beside;
use crate::direct::DirectRack;
use crate::engine::{Insert, Rack, Stream};
use crate::fault::{Fault, Result};
use crate::measurement::{self, Measurement};
use crate::session::Strip;
use crate::stem::Stem;
use crate::true_peaks::{ThreeMeters, TruePeaks};
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls;
use dsp_core::delivery::learn;
use dsp_core::dither::DitherBits;
use dsp_core::metering::loudness::LoudnessMeter;
use dsp_core::processor::StreamConfig;
use std::io::Write;
use std::path::Path;

/// What a master is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Integrated loudness, in LUFS.
    pub integrated_lufs: f64,
    /// The highest true peak by any meter, in dBTP.
    pub ceiling_dbtp: f64,
}

/// What reaches a goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solution {
    /// The mastering bus.
    pub params: MasteringBusParams,
    /// What it gives.
    pub heard: Heard,
    /// How often the whole programme was rendered to find it.
    pub passes: usize,
}

/// Loudness and peaks of what came out of the bus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Integrated loudness, in LUFS; `None` of silence.
    pub integrated_lufs: Option<f64>,
    /// True peaks.
    pub true_peaks: TruePeaks,
}

/// By how much a master may miss its loudness, in LU.
pub const TOLERANCE_LU: f64 = 0.1;
/// So near, and nobody looks for anything nearer, in LU.
const NEAR_ENOUGH_LU: f64 = 0.02;
/// More passes than these have not been seen to help.
const MOST_PASSES: usize = 16;
/// Frames that the bus gets at once. No bit depends on it.
const BLOCK_FRAMES: usize = 512;
/// What the limiter's gain can be, in decibels; below 0 the input's trim goes down instead.
const DRIVE_DB: (f64, f64) = (-24.0, 30.0);
/// The steps of the controls, in decibels.
const STEP_DB: f64 = 0.01;

/// Finds the limiter's gain, or where that would be negative the input's trim, at which `source` through `start` reaches
/// the goal, and lowers the limiter's ceiling until all three meters agree. `progress` hears what is being done and its
/// share.
///
/// # Errors
/// A source that is silent or cannot be read, a loudness that cannot be reached.
pub fn solve(
    source: &Stem,
    sample_rate_hz: u32,
    start: &MasteringBusParams,
    goal: Goal,
    mut progress: impl FnMut(&str, f64),
) -> Result<Solution> {
    let mut search = Search::new(start, goal);
    for pass in 1..=MOST_PASSES {
        let params = search.params();
        let what = format!("pass {pass}");
        let heard = listen(source, sample_rate_hz, &params, |share| progress(&what, share))?;
        let Some(lufs) = heard.integrated_lufs else {
            return Err(fault(source, "is silent: it has no loudness", "master something that sounds"));
        };
        // both are learnt from every pass; a ceiling that moves by hundredths hardly moves loudness
        let over = search.is_over(&heard.true_peaks);
        if search.learn(lufs) && !over {
            return Ok(Solution { params, heard, passes: pass });
        }
        if search.at_its_end {
            break;
        }
    }
    Err(search.fault(source))
}

/// The search for a drive: the limiter's gain, or below 0 the input's trim.
struct Search {
    start: MasteringBusParams,
    goal: Goal,
    ceiling_dbtp: f64,
    drive_db: f64,
    learn: learn::Search,
    /// The drive goes no further, and the goal is not reached.
    at_its_end: bool,
    /// Drives and what they led to.
    tried: Vec<(f64, f64)>,
}

impl Search {
    fn new(start: &MasteringBusParams, goal: Goal) -> Self {
        let mut start = *start;
        start.bypass = false;
        start.limiter.on = true;
        start.limiter.true_peak = true;
        start.limiter.unity_gain = false;
        start.limiter.delta = false;
        start.audition.on = false;
        let learn = learn::Search::new(goal.integrated_lufs);
        let (ceiling_dbtp, drive_db) = (goal.ceiling_dbtp, start.limiter.gain_db);
        Search { start, goal, ceiling_dbtp, drive_db, learn, at_its_end: false, tried: vec![] }
    }

    fn params(&self) -> MasteringBusParams {
        let mut params = self.start;
        params.limiter.ceiling_dbtp = self.ceiling_dbtp;
        params.limiter.gain_db = self.drive_db.max(0.0);
        params.input.trim_db += self.drive_db.min(0.0);
        controls::clamped(&params)
    }

    /// Lowers the ceiling where a meter reads more than the goal allows.
    fn is_over(&mut self, peaks: &TruePeaks) -> bool {
        let over_db = peaks.highest_dbtp() - self.goal.ceiling_dbtp;
        if over_db > 0.0 {
            self.ceiling_dbtp -= (over_db / STEP_DB).ceil() * STEP_DB;
        }
        over_db > 0.0
    }

    /// Takes in what the drive led to and chooses the next; true if this one is the last.
    fn learn(&mut self, lufs: f64) -> bool {
        let missing_lu = self.goal.integrated_lufs - lufs;
        self.tried.push((self.drive_db, lufs));
        let next = self.learn.next_gain_db(self.drive_db, lufs);
        let next = ((next / STEP_DB).round() * STEP_DB).clamp(DRIVE_DB.0, DRIVE_DB.1);
        let stuck = self.tried.iter().any(|(drive, _)| (drive - next).abs() < STEP_DB / 2.0);
        if missing_lu.abs() <= NEAR_ENOUGH_LU || stuck && missing_lu.abs() <= TOLERANCE_LU {
            return true;
        }
        self.at_its_end = next == self.drive_db;
        self.drive_db = next;
        false
    }

    fn fault(&self, source: &Stem) -> Fault {
        let goal = self.goal.integrated_lufs;
        let missing = |tried: &&(f64, f64)| (goal - tried.1).abs();
        let nearest = self.tried.iter().min_by(|a, b| missing(a).total_cmp(&missing(b)));
        let what = match nearest {
            Some((_, lufs)) => format!("gets to {lufs:.1} LUFS with this preset, {goal} were asked for"),
            None => format!("does not stay under {} dBTP", self.goal.ceiling_dbtp),
        };
        fault(source, &what, "choose another target, a louder preset or a higher ceiling")
    }
}

fn fault(source: &Stem, what: &str, cure: &str) -> Fault {
    match source {
        Stem::File { path, .. } => Fault::in_file(path, what, cure),
        Stem::Memory(_) => Fault { place: "the mix".to_owned(), what: what.to_owned(), cure: cure.to_owned() },
    }
}

/// A master that was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mastered {
    /// What it was made with.
    pub solution: Solution,
    /// True peaks of the written file.
    pub true_peaks: TruePeaks,
}

/// Masters `source` into the file at `path`: [`solve`], write with dither to the form's word length, read back, measure by
/// three meters, and lower the ceiling should the file be over. `progress` hears what is being done and its share.
///
/// # Errors
/// As [`solve`]; a file that cannot be written. Nothing is left then.
pub fn master(
    source: &Stem,
    form: Form,
    start: &MasteringBusParams,
    goal: Goal,
    path: &Path,
    mut progress: impl FnMut(&str, f64),
) -> Result<Mastered> {
    let rate_hz = form.sample_rate_hz;
    let mut start = dithered(start, form.sample);
    let mut aim = goal;
    let mut passes = 0;
    for _ in 0..MOST_PASSES {
        let mut solution = solve(source, rate_hz, &start, aim, &mut progress)?;
        passes += solution.passes;
        solution.passes = passes;
        let mut written = write(source, &solution, form, path, |share| progress("writing", share))?;
        written.flush().map_err(|e| written.fault(&e))?;
        let true_peaks = true_peaks_of(&Stem::open(written.part(), rate_hz)?, rate_hz)?;
        let over_db = true_peaks.highest_dbtp() - goal.ceiling_dbtp;
        if over_db <= 0.0 {
            written.finish()?;
            return Ok(Mastered { solution, true_peaks });
        }
        start = solution.params;
        aim.ceiling_dbtp -= (over_db / STEP_DB).ceil() * STEP_DB;
    }
    let what = format!("does not stay under {} dBTP", goal.ceiling_dbtp);
    Err(fault(source, &what, "choose a higher ceiling"))
}

/// Integers get the dither of their word length, with the preset's noise; floats get none.
fn dithered(params: &MasteringBusParams, sample: SampleFormat) -> MasteringBusParams {
    let mut params = *params;
    params.dither.word_length = match sample {
        SampleFormat::Float32 => DitherBits::Off,
        SampleFormat::Int24 => DitherBits::Bits24,
        SampleFormat::Int16 => DitherBits::Bits16,
    };
    params
}

fn write(source: &Stem, solution: &Solution, form: Form, path: &Path, mut progress: impl FnMut(f64)) -> Result<Beside> {
    let mut writer = Writer::create(path, form, &Labels::default(), None)?;
    let mut measurement =
        Measurement::new(form.sample_rate_hz).map_err(|e| fault(source, &e.to_string(), "convert it"))?;
    let mut at = 0;
    through(source, form.sample_rate_hz, &solution.params, BLOCK_FRAMES, |block, _| {
        measurement.hear(block);
        writer.write(&block)?;
        at += block[0].len() as u64;
        progress(at as f64 / source.frames() as f64);
        Ok(())
    })?;
    let (measured, _) = measurement.finish();
    writer.complete(LoudnessFields {
        integrated_lufs: measured.integrated_lufs,
        range_lu: measured.loudness_range_lu,
        true_peak_dbtp: measured.true_peak_dbtp,
        momentary_max_lufs: measured.momentary_max_lufs,
        short_term_max_lufs: measured.short_term_max_lufs,
    })
}

fn true_peaks_of(file: &Stem, sample_rate_hz: u32) -> Result<TruePeaks> {
    let mut meters = ThreeMeters::new(sample_rate_hz)?;
    let mut reader = file.reader()?;
    let mut left_over = file.frames();
    let [mut left, mut right] = [vec![0.0; READ_FRAMES], vec![0.0; READ_FRAMES]];
    while left_over > 0 {
        let frames = left_over.min(READ_FRAMES as u64) as usize;
        reader.read([&mut left[..frames], &mut right[..frames]])?;
        meters.hear([&left[..frames], &right[..frames]])?;
        left_over -= frames as u64;
    }
    meters.finish()
}

const READ_FRAMES: usize = 1 << 14;

/// The limiter's gain reduction, in decibels, at the times of a [`Course`](crate::measurement::Course).
///
/// # Errors
/// As [`listen`].
pub fn reduction_db(source: &Stem, sample_rate_hz: u32, params: &MasteringBusParams) -> Result<Vec<f64>> {
    let mut course = vec![];
    let hop_frames = measurement::hop_frames(sample_rate_hz);
    through(source, sample_rate_hz, params, hop_frames, |_, reduction_db| {
        course.push(f64::from(reduction_db));
        Ok(())
    })?;
    Ok(course)
}

/// Runs `source` through a bus with `params` and measures what comes out.
///
/// # Errors
/// A source that cannot be read, a rate that is not served.
pub fn listen(
    source: &Stem,
    sample_rate_hz: u32,
    params: &MasteringBusParams,
    mut progress: impl FnMut(f64),
) -> Result<Heard> {
    let mut loudness = LoudnessMeter::<2>::new();
    let config = StreamConfig { sample_rate_hz: f64::from(sample_rate_hz), max_frames: BLOCK_FRAMES };
    loudness.prepare(config).map_err(|e| fault(source, &e.to_string(), "convert it"))?;
    let mut peaks = ThreeMeters::new(sample_rate_hz)?;
    let mut at = 0;
    through(source, sample_rate_hz, params, BLOCK_FRAMES, |block, _| {
        loudness.process(block);
        peaks.hear(block)?;
        at += block[0].len() as u64;
        if at.is_multiple_of(PROGRESS_FRAMES) {
            progress(at as f64 / source.frames() as f64);
        }
        Ok(())
    })?;
    progress(1.0);
    Ok(Heard { integrated_lufs: loudness.integrated_lufs().filter(|l| l.is_finite()), true_peaks: peaks.finish()? })
}

const PROGRESS_FRAMES: u64 = 64 * BLOCK_FRAMES as u64;

/// Runs `source` through a bus with `params`, `block_frames` at a time, and gives `each` what comes out, in time with what
/// went in and as long, with the limiter's gain reduction in decibels.
///
/// # Errors
/// A source that cannot be read, a rate that is not served, whatever `each` reports.
pub fn through(
    source: &Stem,
    sample_rate_hz: u32,
    params: &MasteringBusParams,
    block_frames: usize,
    mut each: impl FnMut([&[f32]; 2], f32) -> Result<()>,
) -> Result<()> {
    let stream = Stream { sample_rate_hz, max_frames: block_frames, tempo_bpm: 120.0 };
    let mut bus = DirectRack.master(stream, &Strip::still(*params).start())?;
    let latency = bus.latency_frames() as u64;
    let mut reader = source.reader()?;
    let [mut left, mut right] = [vec![0.0; block_frames], vec![0.0; block_frames]];
    let total = source.frames() + latency;
    let mut at = 0;
    while at < total {
        let frames = (total - at).min(block_frames as u64) as usize;
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        reader.read([left, right])?;
        bus.process([left, right], &[])?;
        let reduction_db = bus.mastering_reading().map_or(0.0, |r| r.gain_reduction_db);
        let early = latency.saturating_sub(at).min(frames as u64) as usize;
        if early < frames {
            each([&left[early..], &right[early..]], reduction_db)?;
        }
        at += frames as u64;
    }
    Ok(())
}
