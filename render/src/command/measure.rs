//! `tandem measure`.

use super::progress::{self, Progress};
use super::{Outcome, complain, print};
use crate::Options;
use clap::Args;
use dsp_core::delivery::{self, Playback, Service};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tandem_render::fault::Result;
use tandem_render::figures::Figures;
use tandem_render::show;

/// Measure files: loudness, peaks, dynamics, stereo, faults
#[derive(Args)]
#[command(after_help = "Example: tandem measure mix.wav masters/*.flac --json > figures.json")]
pub struct Arguments {
    /// WAV (BWF, RF64), AIFF, FLAC, MP3, Ogg or M4A; mono or stereo
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Measures all files, on all cores; bad ones do not keep the others from being measured.
pub fn run(arguments: &Arguments, options: Options) -> Result<Outcome> {
    let measured: Vec<Result<Figures>> = {
        let progress = Progress::new(options);
        arguments.files.par_iter().map(|file| progress::measure(file, &progress)).collect()
    };
    let mut outcome = Outcome::Good;
    let mut objects = vec![];
    let mut text = String::new();
    for (file, figures) in arguments.files.iter().zip(measured) {
        match figures {
            Ok(figures) if options.json => objects.push(object(file, &figures)),
            Ok(figures) => text += &table(file, &figures),
            Err(fault) => {
                complain(&fault);
                outcome = Outcome::BadInput;
            }
        }
    }
    if options.json {
        text = format!("{:#}\n", Value::Array(objects));
    }
    print(&text);
    Ok(outcome)
}

/// All figures of a file by name; null where something could not be measured.
fn object(file: &Path, figures: &Figures) -> Value {
    let rounded = |value: f64, places: i32| (value * 10f64.powi(places)).round() / 10f64.powi(places);
    let level = |value: Option<f64>| json!(value.map(|v| rounded(v, 3)));
    let seconds = |value: f64| json!(rounded(value, 6));
    let entries = [
        ("file", json!(file.display().to_string())),
        ("container", json!(figures.description.container)),
        ("codec", json!(figures.description.codec)),
        ("sample_rate_hz", json!(figures.description.sample_rate_hz)),
        ("channels", json!(figures.description.channels)),
        ("word", json!(show::word(figures.description.word))),
        ("frames", json!(figures.frames)),
        ("duration_seconds", seconds(figures.duration_seconds())),
        ("sample_peak_dbfs", level(figures.sample_peak_dbfs)),
        ("sample_peak_seconds", seconds(figures.sample_peak_seconds)),
        ("true_peak_dbtp", level(figures.true_peak_dbtp)),
        ("true_peak_seconds", seconds(figures.true_peak_seconds)),
        ("integrated_lufs", level(figures.integrated_lufs)),
        ("momentary_max_lufs", level(figures.momentary_max_lufs)),
        ("short_term_max_lufs", level(figures.short_term_max_lufs)),
        ("short_term_max_seconds", seconds(figures.short_term_max_seconds)),
        ("loudness_range_lu", level(figures.loudness_range_lu)),
        ("plr_db", level(figures.plr_db)),
        ("psr_db", level(figures.psr_db)),
        ("correlation", level(figures.correlation)),
        ("correlation_min", level(figures.correlation_min.map(|(lowest, _)| lowest))),
        ("correlation_min_seconds", json!(figures.correlation_min.map(|(_, at)| rounded(at, 6)))),
        ("mono_fold_loss_lu", level(figures.mono_fold_loss_lu)),
        ("dc_offset", json!(figures.dc_offset.iter().map(|dc| rounded(*dc, 9)).collect::<Vec<_>>())),
        ("clipped_runs", json!(figures.clips.runs)),
        ("longest_clip_frames", json!(figures.clips.longest_frames)),
        ("first_clip_seconds", json!(figures.clips.first_seconds)),
        ("bits_in_use", json!(figures.word_length.map(show::bits_in_use))),
    ];
    let delivery = services(figures)
        .map(|(service, playback)| {
            json!({
                "service": service.key,
                "certainty": service.certainty.name(),
                "gain_db": rounded(playback.gain_db, 3),
                "heard_lufs": rounded(playback.heard_lufs, 3),
                "limited_db": rounded(playback.limited_db, 3),
                "peak_over_db": figures.levels().and_then(|l| service.peak_excess_db(l)).map(|over| rounded(over, 3)),
            })
        })
        .collect::<Vec<_>>();
    let entries = entries.into_iter().chain([("delivery", json!(delivery))]);
    Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

/// What each delivery service would do with the file; nothing where it is silent.
fn services(figures: &Figures) -> impl Iterator<Item = (&'static Service, Playback)> {
    let levels = figures.levels();
    delivery::services().iter().filter_map(move |service| Some((service, service.rule.play(levels?, None))))
}

/// The same for a reader.
fn table(file: &Path, figures: &Figures) -> String {
    let description = &figures.description;
    let channels = if description.channels == 1 { "mono" } else { "stereo" };
    let mut text = format!(
        "\x1b[1m{}\x1b[0m  {}  {} Hz  {}  {channels}  {}\n",
        file.display(),
        show::time(figures.duration_seconds()),
        description.sample_rate_hz,
        show::word(description.word),
        description.container,
    );
    let clips = match figures.clips.first_seconds {
        Some(first) => format!("{} runs, first at {}", figures.clips.runs, show::time(first)),
        None => "none".to_owned(),
    };
    let dc = figures
        .dc_offset
        .iter()
        .map(|dc| format!("{:.4} %", 100.0 * dc).replace('-', "−"))
        .collect::<Vec<_>>()
        .join(" / ");
    let correlation = match figures.correlation_min {
        Some((lowest, at)) => {
            format!("{}, lowest {lowest:.2} at {}", show::figure(figures.correlation, 2, ""), show::time(at))
        }
        None => "—".to_owned(),
    };
    let rows = [
        ("Sample peak", show::figure(figures.sample_peak_dbfs, 2, "dBFS")),
        ("True peak", show::figure(figures.true_peak_dbtp, 2, "dBTP")),
        ("Integrated", show::figure(figures.integrated_lufs, 2, "LUFS")),
        ("Loudness range", show::figure(figures.loudness_range_lu, 2, "LU")),
        ("Max. momentary", show::figure(figures.momentary_max_lufs, 2, "LUFS")),
        ("Max. short-term", show::figure(figures.short_term_max_lufs, 2, "LUFS")),
        ("Peak to loudness", show::figure(figures.plr_db, 2, "dB")),
        ("Lowest PSR", show::figure(figures.psr_db, 2, "dB")),
        ("Mono loses", show::figure(figures.mono_fold_loss_lu, 2, "LU")),
        ("Bits in use", figures.word_length.map_or_else(|| "—".to_owned(), show::word_length)),
        ("Clips", clips),
        ("DC", dc),
        ("Correlation", correlation.replace('-', "−")),
    ];
    // two columns
    for pair in rows.chunks(2) {
        for (name, value) in pair {
            let _ = write!(text, "  {name:<17} {value:<22}");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for (service, playback) in services(figures) {
        let gain = format!("{:+.1} dB", playback.gain_db).replace('-', "−");
        let heard = show::figure(Some(playback.heard_lufs), 1, "LUFS");
        let mut line = format!("  {:<20} {gain:>9}, heard at {heard}", service.name);
        if playback.limited_db > 0.0 {
            let _ = write!(line, ", its limiter takes {:.1} dB", playback.limited_db);
        }
        if let Some(over) = figures.levels().and_then(|levels| service.peak_excess_db(levels)) {
            let _ = write!(line, ", true peak {over:.1} dB over what it asks for");
        }
        let _ = writeln!(text, "{line} ({})", service.certainty.name());
    }
    text + "\n"
}
