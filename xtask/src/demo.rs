//! The demo: real stems through the built plugins in a real host, to a finished master with a report.

use crate::{bundle, machine};
use anyhow::{Context, Result, bail};
use ebur128::{EbuR128, Mode};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use tandem_host::rack::PluginRack;
use tandem_render::audio_file::{self, Audio, SampleFormat};
use tandem_render::beside;
use tandem_render::direct::{DirectInsert, DirectRack};
use tandem_render::engine::{self, BlockPlan, Event, Insert, Rack, Rendered, Stream};
use tandem_render::measurement::{self, Measured};
use tandem_render::report::{self, Check, Portrait, Report, Section, Target};
use tandem_render::session::{self, Session};
use tandem_render::stem::Stem;

/// What the demo's master must reach: Spotify's and YouTube's level, with a true peak that survives their codecs.
const TARGET: Target = Target { integrated_lufs: -14.0, tolerance_lu: 0.3, true_peak_dbtp: -1.0 };
/// Where a mix's sample peak must lie, in dBFS.
const MIX_PEAK_DBFS: (f64, f64) = (-6.0, -3.0);
/// BS.1770-5 Annex 2 lets a meter at four times the rate read this much high or low; the `ebur128` crate is one.
const METER_TOLERANCE_DB: f64 = 0.1;
/// How a studio's interface cuts the stream.
const BLOCKS: BlockPlan = BlockPlan::Fixed(512);

/// Renders the session at `session_path` into `out`, and fails if a promise is not kept.
pub fn run(session_path: &Path, out: &Path) -> Result<()> {
    let session = session::read(session_path)?;
    machine::prepare()?;
    bundle::build()?;

    let rendered = with_progress("through the plugins", |progress| {
        let folder = bundle::path("", "clap").with_file_name("");
        let mut rack = PluginRack::open(&folder, "clap")?;
        Ok(engine::render(&session, &mut rack, BLOCKS, progress)?)
    })?;
    let direct = with_progress("the same, called directly", |progress| {
        Ok(engine::render(&session, &mut DirectRack, BLOCKS, progress)?)
    })?;
    let reduction = reduction(&session, &direct.mix)?;

    std::fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    let (mix_path, master_path) = (out.join("mix.wav"), out.join("master.wav"));
    let file = |audio: &[Vec<f32>; 2]| Audio { sample_rate_hz: session.sample_rate_hz, channels: audio.to_vec() };
    audio_file::write_wav(&mix_path, &file(&rendered.mix), SampleFormat::Float32)?;
    audio_file::write_wav(&master_path, &file(&rendered.master), SampleFormat::Int24)?;

    // from here on the files speak, not what was in memory
    let rate_hz = session.sample_rate_hz;
    let open = |path| Stem::open(path, rate_hz);
    let (mix, master) = (Portrait::of(&open(&mix_path)?, rate_hz)?, Portrait::of(&open(&master_path)?, rate_hz)?);
    let opinion = second_opinion(&open(&master_path)?.load()?, rate_hz)?;
    let checks = checks(&mix.measured, &master.measured, &opinion, &rendered, &direct);
    let hashes = [engine::sha256(&rendered.mix), engine::sha256(&rendered.master)];
    let report = Report {
        title: "Tandem demo session",
        sample_rate_hz: rate_hz,
        mix: Section { portrait: &mix, sha256: &hashes[0] },
        master: Section { portrait: &master, sha256: &hashes[1] },
        reduction_db: &reduction,
        target: TARGET,
        checks: &checks,
    };
    beside::write_text(&out.join("report.html"), &report.html())?;
    beside::write_text(&out.join("report.json"), &report.json())?;

    print_table(&report);
    for name in ["mix.wav", "master.wav", "report.html", "report.json"] {
        println!("  {}", out.join(name).display());
    }
    let broken: Vec<&Check> = checks.iter().filter(|c| !c.passed).collect();
    if let Some(first) = broken.first() {
        bail!(
            "{} of {} promises not kept; the first: {}, found {}",
            broken.len(),
            checks.len(),
            first.promise,
            first.found
        );
    }
    Ok(())
}

pub(crate) fn with_progress<T>(what: &str, work: impl FnOnce(&mut dyn FnMut(&str, f64)) -> Result<T>) -> Result<T> {
    let bar = ProgressBar::new(1000);
    // the template is a constant, so it parses
    if let Ok(style) = ProgressStyle::with_template("{prefix:>26} {bar:40.cyan/238} {percent:>3} %  {msg}") {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar.set_prefix(what.to_owned());
    bar.tick();
    let done = work(&mut |name, share| {
        bar.set_message(name.to_owned());
        bar.set_position((share * 1000.0) as u64);
    });
    bar.finish_with_message(if done.is_ok() { "done" } else { "failed" });
    done
}

/// The limiter's gain reduction every [`measurement::HOP_SECONDS`], from the chain itself: a plugin tells it to its editor
/// only, and the chain gives the same bits.
fn reduction(session: &Session, mix: &[Vec<f32>; 2]) -> Result<Vec<f64>> {
    struct Tapped {
        master: DirectInsert,
        reduction_db: Vec<f64>,
    }
    impl Insert for Tapped {
        type Error = <DirectInsert as Insert>::Error;
        fn latency_frames(&mut self) -> usize {
            self.master.latency_frames()
        }
        fn process(&mut self, channels: [&mut [f32]; 2], events: &[Event]) -> Result<(), Self::Error> {
            self.master.process(channels, events)?;
            let reading = self.master.mastering_reading().unwrap_or_default();
            self.reduction_db.push(f64::from(reading.gain_reduction_db));
            Ok(())
        }
    }
    let hop_frames = measurement::hop_frames(session.sample_rate_hz);
    let plan = BlockPlan::Fixed(hop_frames);
    let stream =
        Stream { sample_rate_hz: session.sample_rate_hz, max_frames: plan.max_frames(), tempo_bpm: session.tempo_bpm };
    let master = DirectRack.master(stream, &session.master.start())?;
    let mut tapped = Tapped { master, reduction_db: vec![] };
    let latency_hops = tapped.latency_frames() / hop_frames;
    engine::through(&mut tapped, mix, mix[0].len(), stream, &session.master, plan)?;
    Ok(tapped.reduction_db.into_iter().skip(latency_hops).collect())
}

/// The master by the `ebur128` crate: integrated loudness and true peak.
fn second_opinion(master: &[Vec<f32>; 2], rate_hz: u32) -> Result<(f64, f64)> {
    let mut meter = EbuR128::new(2, rate_hz, Mode::I | Mode::TRUE_PEAK)?;
    meter.add_frames_planar_f32(&[&master[0], &master[1]])?;
    let peak = meter.true_peak(0)?.max(meter.true_peak(1)?);
    Ok((meter.loudness_global()?, 20.0 * peak.log10()))
}

fn checks(
    mix: &Measured,
    master: &Measured,
    opinion: &(f64, f64),
    rendered: &Rendered,
    direct: &Rendered,
) -> Vec<Check> {
    let within = |promise: String, unit: &str, found: Option<f64>, low: f64, high: f64| Check {
        promise,
        found: found.map_or_else(|| "not measurable".to_owned(), |v| format!("{v:.2} {unit}")),
        passed: found.is_some_and(|v| (low..=high).contains(&v)),
    };
    let Target { integrated_lufs: target, tolerance_lu, true_peak_dbtp: ceiling } = TARGET;
    let (low, high) = (target - tolerance_lu, target + tolerance_lu);
    let (mix_low, mix_high) = MIX_PEAK_DBFS;
    vec![
        within(
            format!("mix: sample peak from {mix_low} to {mix_high} dBFS"),
            "dBFS",
            mix.sample_peak_dbfs,
            mix_low,
            mix_high,
        ),
        within(format!("master: {target} ± {tolerance_lu} LUFS"), "LUFS", master.integrated_lufs, low, high),
        within(format!("master: {target} ± {tolerance_lu} LUFS by ebur128"), "LUFS", Some(opinion.0), low, high),
        within(
            format!("master: true peak at most {ceiling} dBTP"),
            "dBTP",
            master.true_peak_dbtp,
            -200.0,
            ceiling + 0.01,
        ),
        within(
            format!("master: true peak at most {ceiling} dBTP by ebur128 (its own error {METER_TOLERANCE_DB} dB)"),
            "dBTP",
            Some(opinion.1),
            -200.0,
            ceiling + METER_TOLERANCE_DB,
        ),
        Check {
            promise: "one hash: plugins in a host and chains called directly give the same bits".to_owned(),
            found: engine::sha256(&rendered.master)[..16].to_owned(),
            passed: rendered == direct,
        },
    ]
}

fn print_table(report: &Report<'_>) {
    println!("\n{:22} {:>12} {:>12}   target", "", "mix", "master");
    for row in report::rows(&report.mix.portrait.measured, &report.master.portrait.measured, &report.target) {
        println!("{:22} {:>12} {:>12}   {}", format!("{}, {}", row.name, row.unit), row.mix, row.master, row.target);
    }
    if let Some(peak) = report.mix.portrait.measured.sample_peak_dbfs {
        println!("{:22} {:>12.2}", "Headroom, dB", -peak);
    }
    println!();
    for check in report.checks {
        println!("  {} {}: {}", if check.passed { "✓" } else { "✗" }, check.promise, check.found);
    }
    println!();
}
