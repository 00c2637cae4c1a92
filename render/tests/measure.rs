//! `tandem measure`: figures against closed forms, and bad files.

mod program;

use program::{Run, names, tandem};
use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn write(path: &Path, rate_hz: u32, seconds: f64, sample: impl Fn(f64) -> Vec<f32>) {
    let channels = sample(0.0).len() as u16;
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate_hz,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..(seconds * f64::from(rate_hz)).round() as u64 {
        for value in sample(n as f64 / f64::from(rate_hz)) {
            writer.write_sample(value).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn figures(path: &Path) -> serde_json::Value {
    let run = tandem(&["measure", "--json", path.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}", run.errors);
    serde_json::from_str::<serde_json::Value>(&run.output).unwrap()[0].clone()
}

/// The figure named `key` is `expected`, within `tolerance`.
fn near(figures: &serde_json::Value, key: &str, expected: f64, tolerance: f64) {
    let found = figures[key].as_f64().unwrap_or_else(|| panic!("{key} is {}", figures[key]));
    assert!((found - expected).abs() <= tolerance, "{key} is {found}, expected {expected} ± {tolerance}");
}

/// BS.1770-5: a stereo 997 Hz sine of amplitude a on both sides has 20 log a LUFS, within the rounding of the standard's
/// coefficients (−0.691 is meant to make it so): 0.01 LU. Its crest factor is 3.01 dB, of which loudness knows nothing, so
/// that peak and loudness are the same number. Sides of opposite polarity have correlation −1, and fold to nothing.
#[test]
fn a_sine_measures_what_its_formula_says() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("sine.wav");
    let amplitude = 10f64.powf(-18.0 / 20.0);
    write(&path, 48_000, 8.0, |t| {
        let s = (amplitude * (TAU * 997.0 * t).sin()) as f32;
        vec![s + 0.01, s + 0.01]
    });
    let found = figures(&path);
    near(&found, "sample_rate_hz", 48_000.0, 0.0);
    near(&found, "channels", 2.0, 0.0);
    near(&found, "duration_seconds", 8.0, 0.0);
    near(&found, "integrated_lufs", -18.0, 0.01);
    near(&found, "momentary_max_lufs", -18.0, 0.02);
    near(&found, "short_term_max_lufs", -18.0, 0.01);
    near(&found, "loudness_range_lu", 0.0, 0.01);
    near(&found, "sample_peak_dbfs", 20.0 * (amplitude + 0.01).log10(), 0.01);
    near(&found, "true_peak_dbtp", 20.0 * (amplitude + 0.01).log10(), 0.01);
    near(&found, "plr_db", 20.0 * (amplitude + 0.01).log10() + 18.0, 0.02);
    near(&found, "correlation", 1.0, 1e-6);
    near(&found, "mono_fold_loss_lu", 0.0, 0.01);
    // whole periods have no mean: 7976 of them
    assert!((found["dc_offset"][0].as_f64().unwrap() - 0.01).abs() < 1e-6);
    assert_eq!(found["clipped_runs"], 0);
    assert_eq!(found["bits_in_use"], "float");
    assert_eq!(found["file"], path.to_str().unwrap());

    let path = folder.path().join("opposite.wav");
    write(&path, 44_100, 4.0, |t| {
        let s = (0.5 * (TAU * 1000.0 * t).sin()) as f32;
        vec![s, -s]
    });
    let found = figures(&path);
    near(&found, "correlation", -1.0, 1e-6);
    near(&found, "correlation_min", -1.0, 1e-6);
    assert!(found["mono_fold_loss_lu"].is_null() || found["mono_fold_loss_lu"].as_f64().unwrap() > 60.0);
}

/// A sine twice as high as full scale is over it for a third of each half-wave: 2·acos(1/2)/2π. At 50 Hz that is 100 runs a
/// second, of 320 frames at 48 kHz, and the first begins at asin(1/2)/2π of a period.
#[test]
fn clips_are_counted() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("clipped.wav");
    write(&path, 48_000, 2.0, |t| vec![(2.0 * (TAU * 50.0 * t).sin()).clamp(-1.0, 1.0) as f32]);
    let found = figures(&path);
    assert_eq!(found["clipped_runs"], 200);
    near(&found, "longest_clip_frames", 320.0, 1.0);
    near(&found, "first_clip_seconds", 1.0 / 600.0, 1.0 / 48_000.0);
    assert!(found["correlation"].is_null(), "mono has none");
}

/// Spotify's published example: −20 LUFS with a true peak of −5 dBTP is raised to −16 (support.spotify.com, artists,
/// "Loudness normalization"). A 997 Hz sine at −20 dBFS has −20 LUFS; one sample of 0.5623, far from all others, −5 dBTP.
#[test]
fn services_are_foretold() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.wav");
    let rate = 48_000.0;
    write(&path, 48_000, 20.0, |t| {
        let n = (t * rate).round();
        let s = if n == 480_000.0 { 10f64.powf(-5.0 / 20.0) } else { 0.1 * (TAU * 997.0 * t).sin() };
        vec![s as f32; 2]
    });
    let found = figures(&path);
    let at = |service: &str| {
        let all = found["delivery"].as_array().unwrap();
        all.iter().find(|d| d["service"] == service).unwrap_or_else(|| panic!("no {service} in {all:?}")).clone()
    };
    // the click's own loudness in 20 s is 0.01 LU; its true peak is its sample's, within the meter's 0.01 dB
    near(&at("spotify"), "heard_lufs", -16.0, 0.05);
    assert_eq!(at("spotify")["certainty"], "official");
    near(&at("youtube"), "gain_db", 0.0, 0.0);
    near(&at("spotify_loud"), "gain_db", 9.0, 0.05);
}

#[test]
fn silence_has_no_loudness() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("silence.wav");
    write(&path, 48_000, 1.0, |_| vec![0.0, 0.0]);
    let found = figures(&path);
    for key in ["sample_peak_dbfs", "true_peak_dbtp", "integrated_lufs", "plr_db", "bits_in_use"] {
        assert!(found[key].is_null(), "{key} is {}", found[key]);
    }
}

/// Bad files give one line each and status 2, and the good ones are measured all the same.
#[test]
fn bad_files_are_named() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let tone = |t: f64| (0.5 * (TAU * 440.0 * t).sin()) as f32;
    write(&at("Ночь 夜.wav"), 48_000, 0.5, |t| vec![tone(t)]);
    write(&at("six.wav"), 48_000, 0.1, |t| vec![tone(t); 6]);
    write(&at("low.wav"), 8_000, 0.1, |t| vec![tone(t)]);
    write(&at("high.wav"), 768_000, 0.1, |t| vec![tone(t)]);
    write(&at("nan.wav"), 48_000, 0.5, |t| vec![0.1, if t == 0.25 { f32::NAN } else { 0.1 }]);
    fs::write(at("empty.wav"), b"").unwrap();
    fs::write(at("list.wav"), "milk, bread, coffee ".repeat(50)).unwrap();
    let whole = fs::read(at("Ночь 夜.wav")).unwrap();
    fs::write(at("half.wav"), &whole[..whole.len() / 2]).unwrap();
    let mut none = whole.clone();
    none[22..24].copy_from_slice(&0u16.to_le_bytes());
    fs::write(at("none.wav"), none).unwrap();
    let before = names(folder.path());

    for (name, words) in [
        ("missing 夜.wav", &["missing 夜.wav", "no such file", "check the name"][..]),
        ("empty.wav", &["empty", "export it again"]),
        ("half.wav", &["truncated", "of 24000 frames", "again"]),
        ("none.wav", &["0 channels", "expected 1 or 2", "export"]),
        ("six.wav", &["6 channels", "expected 1 or 2", "export"]),
        ("low.wav", &["8000 Hz", "expected 11025 to 384000", "export"]),
        ("high.wav", &["768000 Hz", "expected 11025 to 384000", "export"]),
        ("nan.wav", &["0:00.250", "channel 2", "no number", "export"]),
        ("list.wav", &["not audio", "use WAV"]),
        ("", &["is a folder"]),
    ] {
        let Run { status, output, errors } =
            tandem(&["measure", "--json", at(name).to_str().unwrap(), at("Ночь 夜.wav").to_str().unwrap()]);
        assert_eq!(status, 2, "{name}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        for word in words {
            assert!(errors.contains(word), "'{word}' is not in: {errors}");
        }
        let good: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(good.as_array().unwrap().len(), 1);
        assert!(good[0]["file"].as_str().unwrap().ends_with("Ночь 夜.wav"));
    }
    assert_eq!(names(folder.path()), before, "nothing is left behind");
}

#[test]
fn a_table_has_every_figure_and_no_colour_where_it_is_no_terminal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("sine.wav");
    write(&path, 48_000, 4.0, |t| vec![(0.25 * (TAU * 997.0 * t).sin()) as f32; 2]);
    let run = tandem(&["measure", path.to_str().unwrap()]);
    assert_eq!(run.status, 0);
    for words in ["sine.wav", "0:04.000", "48000 Hz", "32 bit float", "stereo", "Integrated", "−12.04 LUFS"] {
        assert!(run.output.contains(words), "'{words}' is not in: {}", run.output);
    }
    assert!(!run.output.contains('\u{1b}'));
}
