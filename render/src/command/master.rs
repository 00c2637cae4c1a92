//! `tandem master`.

use super::progress::{Bar, Progress};
use super::{Outcome, complain, print};
use crate::Options;
use clap::{Args, ValueEnum};
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls;
use dsp_core::delivery;
use dsp_core::preset;
use rayon::prelude::*;
use serde_json::json;
use std::path::{Path, PathBuf};
use tandem_render::audio_file::{Container, Form, SampleFormat};
use tandem_render::beside;
use tandem_render::fault::{Fault, Result};
use tandem_render::figures;
use tandem_render::mastering::{self, Goal, Mastered, TOLERANCE_LU};
use tandem_render::presets;
use tandem_render::report::{Check, Portrait, Report, Section, Target};
use tandem_render::show;
use tandem_render::stem::Stem;

/// Master mixes: as loud as the target, never over the ceiling
#[derive(Args)]
#[command(after_help = "\
The limiter's gain is searched until the loudness is within 0.1 LU of the target; the written file is read back and its true peak
measured by three meters. Tandem Master with the printed settings gives the same sound, to the bit.

Examples: tandem master mix.wav --preset glue --target spotify
          tandem master mixes/*.wav --preset my_master.toml --target -12 --format wav16 --rate 44100 --out masters/
          tandem master mix.wav --preset broadcast --target ebu_r128 --report report.html")]
pub struct Arguments {
    /// Mixes: WAV, AIFF, FLAC, MP3, Ogg or M4A; a mono one becomes a stereo master with two equal sides
    #[arg(required = true)]
    mixes: Vec<PathBuf>,
    /// A preset of Tandem Master: a file, or the name of one that comes with Tandem (tandem preset list)
    #[arg(long, default_value = "transparent")]
    preset: String,
    /// A delivery service by its name, or integrated loudness in LUFS
    #[arg(long, allow_hyphen_values = true, value_name = "SERVICE|LUFS")]
    target: String,
    /// The highest true peak, in dBTP [default: what the service asks for, or else -1]
    #[arg(long, allow_hyphen_values = true, value_name = "DBTP")]
    ceiling: Option<f64>,
    /// How the master is written; integers are dithered
    #[arg(long, value_enum, default_value_t = Format::Wav24)]
    format: Format,
    /// Sample rate of the master, in hertz [default: the mix's]
    #[arg(long, value_name = "HZ")]
    rate: Option<u32>,
    /// The master, or with several mixes a folder for them [default: NAME_master beside each mix]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write a page with charts before and after (HTML; of one mix)
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,
}

/// Masters all mixes, on all cores; bad ones do not keep the others from being mastered.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let params = presets::read(&arguments.preset, Path::new(""), "--preset")?;
    let goal = goal(arguments)?;
    if let Some(rate_hz) = arguments.rate.filter(|r| !RATES_HZ.contains(r)) {
        let (low, high) = (RATES_HZ.start(), RATES_HZ.end());
        return Err(said(
            "--rate",
            &format!("is {rate_hz}, expected {low} to {high} Hz"),
            "choose a rate in the range",
        ));
    }
    if arguments.report.is_some() && arguments.mixes.len() > 1 {
        return Err(said("--report", "is for one mix", "master the mixes one by one, or leave it out"));
    }
    let jobs =
        arguments.mixes.iter().map(|mix| Ok((mix.as_path(), out_of(mix, arguments)?))).collect::<Result<Vec<_>>>()?;
    for (i, (mix, out)) in jobs.iter().enumerate() {
        if let Some((other, _)) = jobs[..i].iter().find(|(_, o)| o == out) {
            let what = format!("and {} would become the same file {}", other.display(), out.display());
            return Err(Fault::in_file(mix, what, "master them into different folders"));
        }
    }
    let progress = Progress::new(options);
    let done: Vec<Result<Done>> = jobs
        .par_iter()
        .map(|(mix, out)| {
            let bar = progress.bar(&mix.file_name().unwrap_or_default().to_string_lossy());
            master(mix, out, &params, goal, arguments, &bar)
        })
        .collect();
    let mut outcome = Outcome::Good;
    let (mut objects, mut text) = (vec![], String::new());
    for done in done {
        match done {
            Ok(done) => {
                objects.push(done.object());
                text += &done.table(goal);
            }
            Err(fault) => {
                complain(&fault);
                outcome = Outcome::BadInput;
            }
        }
    }
    if options.json {
        print(&format!("{:#}\n", serde_json::Value::Array(objects)));
    } else if !options.quiet {
        print(&text);
    }
    Ok(outcome)
}

fn master(
    mix: &Path,
    out: &Path,
    params: &MasteringBusParams,
    goal: Goal,
    arguments: &Arguments,
    bar: &Bar,
) -> Result<Done> {
    let own_hz = figures::open(mix)?.description().sample_rate_hz;
    let sample_rate_hz = arguments.rate.unwrap_or(own_hz);
    let source = Stem::converted(mix, sample_rate_hz)?;
    if std::fs::canonicalize(mix).ok().is_some_and(|mix| std::fs::canonicalize(out).is_ok_and(|out| out == mix)) {
        return Err(Fault::in_file(out, "is the mix itself", "give the master another name with --out"));
    }
    let before = Portrait::of(&source, sample_rate_hz)?;
    let form = arguments.format.form(sample_rate_hz);
    let mastered = mastering::master(&source, form, params, goal, out, |doing, share| bar.at(doing, share))?;
    let after = Portrait::of(&Stem::open(out, sample_rate_hz)?, sample_rate_hz)?;
    if let Some(path) = &arguments.report {
        bar.at("report", 0.0);
        let hashes = [source.sha256()?, Stem::open(out, sample_rate_hz)?.sha256()?];
        let reduction_db = mastering::reduction_db(&source, sample_rate_hz, &mastered.solution.params)?;
        let checks = checks(&mastered, &after, goal);
        let report = Report {
            title: &mix.file_stem().unwrap_or_default().to_string_lossy(),
            sample_rate_hz,
            mix: Section { portrait: &before, sha256: &hashes[0] },
            master: Section { portrait: &after, sha256: &hashes[1] },
            reduction_db: &reduction_db,
            target: Target {
                integrated_lufs: goal.integrated_lufs,
                tolerance_lu: TOLERANCE_LU,
                true_peak_dbtp: goal.ceiling_dbtp,
            },
            checks: &checks,
        };
        beside::write_text(path, &report.html())?;
    }
    Ok(Done { mix: mix.to_owned(), out: out.to_owned(), before, after, mastered, sample_rate_hz })
}

fn checks(mastered: &Mastered, after: &Portrait, goal: Goal) -> Vec<Check> {
    let Goal { integrated_lufs: target, ceiling_dbtp } = goal;
    let loudness = after.measured.integrated_lufs;
    let mut checks = vec![Check {
        promise: format!("master: {target} ± {TOLERANCE_LU} LUFS"),
        found: show::figure(loudness, 2, "LUFS"),
        passed: loudness.is_some_and(|l| (l - target).abs() <= TOLERANCE_LU),
    }];
    let peaks = mastered.true_peaks;
    for (meter, peak) in [
        ("Tandem's meter", peaks.ours_dbtp),
        ("ebur128", peaks.ebur128_dbtp),
        ("the table of BS.1770-5", peaks.table_dbtp),
    ] {
        checks.push(Check {
            promise: format!("master: true peak at most {ceiling_dbtp} dBTP by {meter}"),
            found: show::figure(Some(peak), 2, "dBTP"),
            passed: peak <= ceiling_dbtp,
        });
    }
    checks
}

/// A mix that was mastered.
struct Done {
    mix: PathBuf,
    out: PathBuf,
    before: Portrait,
    after: Portrait,
    mastered: Mastered,
    sample_rate_hz: u32,
}

impl Done {
    fn table(&self, goal: Goal) -> String {
        let (before, after) = (&self.before.measured, &self.after.measured);
        let params = &self.mastered.solution.params;
        let peaks = self.mastered.true_peaks;
        let mut text =
            format!("\x1b[1m{}\x1b[0m  from {}  {} Hz\n", self.out.display(), self.mix.display(), self.sample_rate_hz);
        text += &format!("  {:22} {:>10} {:>10}   target\n", "", "before", "after");
        let asked = |value: f64, unit: &str| show::figure(Some(value), 2, unit);
        let rows = [
            ("Integrated", before.integrated_lufs, after.integrated_lufs, asked(goal.integrated_lufs, "LUFS")),
            (
                "True peak",
                before.true_peak_dbtp,
                after.true_peak_dbtp,
                format!("≤ {}", asked(goal.ceiling_dbtp, "dBTP")),
            ),
            ("  by ebur128", None, Some(peaks.ebur128_dbtp), String::new()),
            ("  by the BS.1770 table", None, Some(peaks.table_dbtp), String::new()),
            ("Sample peak", before.sample_peak_dbfs, after.sample_peak_dbfs, "dBFS".to_owned()),
            ("Loudness range", before.loudness_range_lu, after.loudness_range_lu, "LU".to_owned()),
            ("Max. momentary", before.momentary_max_lufs, after.momentary_max_lufs, "LUFS".to_owned()),
            ("Max. short-term", before.short_term_max_lufs, after.short_term_max_lufs, "LUFS".to_owned()),
        ];
        for (name, before, after, target) in rows {
            let (before, after) = (show::figure(before, 2, ""), show::figure(after, 2, ""));
            text += format!("  {name:22} {before:>10} {after:>10}   {target}").trim_end();
            text.push('\n');
        }
        text + &format!(
            "  Limiter gain {}, ceiling {}, input trim {}; {} passes\n\n",
            show::figure(Some(params.limiter.gain_db), 2, "dB"),
            show::figure(Some(params.limiter.ceiling_dbtp), 2, "dBTP"),
            show::figure(Some(params.input.trim_db), 2, "dB"),
            self.mastered.solution.passes,
        )
    }

    fn object(&self) -> serde_json::Value {
        let Mastered { solution, true_peaks } = &self.mastered;
        let table: toml::Table = preset::to_toml(&controls::clamped(&solution.params)).parse().unwrap_or_default();
        json!({
            "file": self.out.display().to_string(),
            "mix": self.mix.display().to_string(),
            "sample_rate_hz": self.sample_rate_hz,
            "before": self.before.measured,
            "after": self.after.measured,
            "true_peaks_dbtp": {
                "tandem": true_peaks.ours_dbtp,
                "ebur128": true_peaks.ebur128_dbtp,
                "bs1770_table": true_peaks.table_dbtp,
            },
            "passes": solution.passes,
            "settings": table,
        })
    }
}

/// What `--target` and `--ceiling` ask for.
fn goal(arguments: &Arguments) -> Result<Goal> {
    let (integrated_lufs, asks_dbtp) = target(&arguments.target)?;
    let ceiling_dbtp = arguments.ceiling.or(asks_dbtp).unwrap_or(DEFAULT_CEILING_DBTP);
    if !(CEILING_DBTP.0..=CEILING_DBTP.1).contains(&ceiling_dbtp) {
        let what = format!("is {ceiling_dbtp}, expected {} to {}", CEILING_DBTP.0, CEILING_DBTP.1);
        return Err(said("--ceiling", &what, "choose a value in the range"));
    }
    Ok(Goal { integrated_lufs, ceiling_dbtp })
}

const RATES_HZ: std::ops::RangeInclusive<u32> = figures::MIN_SAMPLE_RATE_HZ..=figures::MAX_SAMPLE_RATE_HZ;
const DEFAULT_CEILING_DBTP: f64 = -1.0;
/// The limiter's ceiling, with room to lower it.
const CEILING_DBTP: (f64, f64) = (-19.0, 0.0);
/// Loudness that anybody asks for.
const TARGET_LUFS: (f64, f64) = (-40.0, -4.0);

/// A loudness, and the true peak that belongs to it.
fn target(text: &str) -> Result<(f64, Option<f64>)> {
    if let Ok(lufs) = text.replace(',', ".").replace('−', "-").parse::<f64>() {
        if !(TARGET_LUFS.0..=TARGET_LUFS.1).contains(&lufs) {
            let what = format!("is {lufs} LUFS, expected {} to {}", TARGET_LUFS.0, TARGET_LUFS.1);
            return Err(said("--target", &what, "choose a value in the range"));
        }
        return Ok((lufs, None));
    }
    let key = text.to_lowercase().replace([' ', '-'], "_");
    if let Some(service) = delivery::service(&key) {
        return Ok((service.rule.level_lufs, service.asks_dbtp));
    }
    let known: Vec<String> = delivery::services().iter().map(|s| s.key.clone()).collect();
    let cure = preset::nearest(&key, &known).map_or_else(
        || format!("give a loudness in LUFS, or one of {}", known.join(", ")),
        |near| format!("did you mean '{near}'?"),
    );
    Err(said("--target", &format!("there is no service '{text}'"), &cure))
}

/// Where a mix's master goes.
fn out_of(mix: &Path, arguments: &Arguments) -> Result<PathBuf> {
    let extension = arguments.format.extension();
    let name = format!("{}_master.{extension}", mix.file_stem().unwrap_or_default().to_string_lossy());
    match &arguments.out {
        None => Ok(mix.with_file_name(name)),
        Some(folder) if folder.is_dir() => Ok(folder.join(name)),
        Some(folder) if arguments.mixes.len() > 1 => {
            Err(Fault::in_file(folder, "is no folder, and there are several mixes", "make it, or name another"))
        }
        Some(file) if !file.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) => {
            let what = format!("does not end with .{extension}, as --format has it");
            Err(Fault::in_file(file, what, "choose another name or another format"))
        }
        Some(file) => Ok(file.clone()),
    }
}

fn said(place: &str, what: &str, cure: &str) -> Fault {
    Fault { place: place.to_owned(), what: what.to_owned(), cure: cure.to_owned() }
}

/// How a master can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// WAV, 24 bit
    Wav24,
    /// WAV, 16 bit
    Wav16,
    /// FLAC, 24 bit
    Flac24,
    /// WAV, 32 bit float
    Wav32f,
}

impl Format {
    fn form(self, sample_rate_hz: u32) -> Form {
        let (container, sample) = match self {
            Format::Wav24 => (Container::Wav, SampleFormat::Int24),
            Format::Wav16 => (Container::Wav, SampleFormat::Int16),
            Format::Flac24 => (Container::Flac, SampleFormat::Int24),
            Format::Wav32f => (Container::Wav, SampleFormat::Float32),
        };
        Form { container, sample, sample_rate_hz, channels: 2 }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Flac24 => "flac",
            _ => "wav",
        }
    }
}
