//! `tandem check`: files made to break one rule each.

mod program;

use program::tandem;
use serde_json::Value;
use std::f64::consts::TAU;
use std::path::Path;
use tandem_render::audio_file::{Audio, SampleFormat, write_wav};
use tempfile::TempDir;

const RATE_HZ: u32 = 48_000;

/// Six seconds of two slowly beating tones, different on each side: no two peaks of the same height.
fn music(rate_hz: u32) -> Audio {
    let tone = |hz: f64, t: f64| (TAU * hz * t).sin();
    let side = |a: f64, b: f64| {
        (0..6 * rate_hz)
            .map(|n| {
                let t = f64::from(n) / f64::from(rate_hz);
                // the loudest moment is one, in the middle
                let swell = (-((t - 3.0) / 2.0).powi(2)).exp();
                (0.3 * swell * (tone(220.0, t) + 0.7 * tone(a, t) + 0.2 * tone(b, t))) as f32
            })
            .collect()
    };
    Audio { sample_rate_hz: rate_hz, channels: vec![side(331.7, 1203.1), side(347.3, 1511.9)] }
}

/// The same with its highest sample at `peak_dbfs`.
fn at_peak(mut audio: Audio, peak_dbfs: f64) -> Audio {
    let highest = audio.channels.iter().flatten().fold(0.0f32, |h, s| h.max(s.abs()));
    let gain = 10f64.powf(peak_dbfs / 20.0) / f64::from(highest);
    audio.channels.iter_mut().flatten().for_each(|s| *s = (f64::from(*s) * gain) as f32);
    audio
}

/// Exit status, and the rules by name.
fn check(path: &Path, purpose: &str) -> (i32, Value) {
    let run = tandem(&["check", path.to_str().unwrap(), "--for", purpose, "--json"]);
    let objects: Value = serde_json::from_str(&run.output).unwrap_or_else(|_| panic!("{}{}", run.output, run.errors));
    (run.status, objects[0].clone())
}

fn rule<'a>(object: &'a Value, name: &str) -> &'a Value {
    let found = object["rules"].as_array().unwrap().iter().find(|r| r["rule"] == name);
    found.unwrap_or_else(|| panic!("no rule '{name}' in {object}"))
}

/// A good file passes every rule; `spoil` breaks the named rule and no other.
fn breaks(purpose: &str, good: &Audio, format: SampleFormat, name: &str, spoil: impl FnOnce(&mut Audio)) -> Value {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("good.wav");
    write_wav(&path, good, format).unwrap();
    let (status, object) = check(&path, purpose);
    let failed: Vec<&Value> = object["rules"].as_array().unwrap().iter().filter(|r| r["verdict"] == "fail").collect();
    assert!(status == 0 && failed.is_empty(), "{purpose}: the good file fails {failed:?}");

    let path = folder.path().join("bad.wav");
    let mut bad = good.clone();
    spoil(&mut bad);
    write_wav(&path, &bad, format).unwrap();
    let (status, object) = check(&path, purpose);
    assert_eq!(status, 1, "{purpose}: {object}");
    assert_eq!(object["passed"], false);
    let rule = rule(&object, name);
    assert_eq!(rule["verdict"], "fail", "{rule}");
    assert!(!rule["cause"].as_str().unwrap().is_empty());
    rule.clone()
}

#[test]
fn a_mixdown_has_headroom_and_no_limiter() {
    let good = at_peak(music(RATE_HZ), -4.0);
    let peak = breaks("mixdown", &good, SampleFormat::Int24, "peaks", |a| *a = at_peak(a.clone(), -1.0));
    assert!(peak["cause"].as_str().unwrap().contains("lower the master fader by 3.5 dB"), "{peak}");
    assert!((peak["seconds"].as_f64().unwrap() - 3.0).abs() < 0.1, "the loudest moment is in the middle: {peak}");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.wav");
    write_wav(&path, &good, SampleFormat::Int16).unwrap();
    let (status, object) = check(&path, "mixdown");
    assert_eq!((status, &rule(&object, "word length")["verdict"]), (1, &Value::from("fail")));
    assert_eq!(rule(&object, "bits in use")["verdict"], "warn");
}

#[test]
fn clips_limiters_polarity_and_offsets_are_found() {
    let good = at_peak(music(RATE_HZ), -4.0);
    let clip = breaks("mixdown", &good, SampleFormat::Int24, "no clipping", |a| {
        a.channels[1][96_000..96_010].fill(1.0);
    });
    assert!((clip["seconds"].as_f64().unwrap() - 2.0).abs() < 1e-4, "{clip}");
    let limited = breaks("mixdown", &good, SampleFormat::Int24, "no limiter", |a| {
        let ceiling = 0.2;
        a.channels.iter_mut().flatten().for_each(|s| *s = s.clamp(-ceiling, ceiling) / ceiling * 0.6);
    });
    assert!(limited["seconds"].is_number());
    breaks("mixdown", &good, SampleFormat::Int24, "phase", |a| {
        let inverted = a.channels[0].iter().map(|s| -s).collect();
        a.channels[1] = inverted;
    });
    breaks("mixdown", &good, SampleFormat::Int24, "no DC", |a| {
        a.channels[0].iter_mut().for_each(|s| *s = *s * 0.8 + 0.02);
    });
}

/// −23 LUFS ± 0.5 LU, ≤ −1 dBTP. The gain that is asked for is the one that is missing.
#[test]
fn broadcast() {
    let reading = |audio: &Audio| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.wav");
        write_wav(&path, audio, SampleFormat::Float32).unwrap();
        let run = tandem(&["measure", "--json", path.to_str().unwrap()]);
        serde_json::from_str::<Value>(&run.output).unwrap()[0]["integrated_lufs"].as_f64().unwrap()
    };
    let mut good = music(RATE_HZ);
    let gain = 10f64.powf((-23.0 - reading(&good)) / 20.0);
    good.channels.iter_mut().flatten().for_each(|s| *s = (f64::from(*s) * gain) as f32);
    let loud = breaks("ebu", &good, SampleFormat::Int24, "programme loudness", |a| {
        // +2 dB
        a.channels.iter_mut().flatten().for_each(|s| *s *= 1.258_925_4);
    });
    assert!(loud["cause"].as_str().unwrap().contains("by −2.00 dB"), "{loud}");
    breaks("ebu", &good, SampleFormat::Int24, "maximum permitted true peak", |a| a.channels[0][1000] = 0.95);
}

#[test]
fn streaming_services_ask_for_room_above_the_peaks() {
    let good = at_peak(music(RATE_HZ), -3.0);
    for service in ["spotify", "apple", "youtube", "tidal"] {
        let peak = breaks(service, &good, SampleFormat::Int16, "true peak", |a| *a = at_peak(a.clone(), -0.3));
        assert!(peak["cause"].as_str().unwrap().contains("ceiling"), "{peak}");
    }
}

/// Vinyl wants its bass in phase; the sides of the good file differ only above it.
#[test]
fn vinyl_wants_its_bass_in_phase() {
    let good = at_peak(music(RATE_HZ), -6.0);
    let bass = breaks("vinyl", &good, SampleFormat::Int24, "bass in phase", |a| {
        for n in 0..a.frames() {
            let bass = (0.2 * (TAU * 60.0 * n as f64 / f64::from(RATE_HZ)).sin()) as f32;
            a.channels[0][n] = a.channels[0][n] * 0.5 + bass;
            a.channels[1][n] = a.channels[1][n] * 0.5 - bass;
        }
    });
    assert!(bass["cause"].as_str().unwrap().contains("mono"), "{bass}");
}

/// IEC 60908: 44.1 kHz, 16 bit, stereo, 4 s at least.
#[test]
fn a_cd_is_44100_hz_16_bit_stereo() {
    let good = at_peak(music(44_100), -1.0);
    breaks("redbook", &good, SampleFormat::Int16, "sample rate", |a| a.sample_rate_hz = 48_000);
    breaks("redbook", &good, SampleFormat::Int16, "channels", |a| a.channels.truncate(1));
    breaks("redbook", &good, SampleFormat::Int16, "length", |a| {
        // 3 s, whole frames
        a.channels.iter_mut().for_each(|c| c.truncate(75 * 588 * 3));
    });
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.wav");
    write_wav(&path, &good, SampleFormat::Int24).unwrap();
    let (status, object) = check(&path, "redbook");
    assert_eq!((status, &rule(&object, "word length")["verdict"]), (1, &Value::from("fail")));
}

#[test]
fn lines_for_people_and_status_two_for_bad_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.wav");
    write_wav(&path, &at_peak(music(RATE_HZ), -1.0), SampleFormat::Int16).unwrap();
    let run = tandem(&["check", path.to_str().unwrap(), "--for", "mixdown"]);
    assert_eq!(run.status, 1);
    for words in ["FAIL  word length: 16 bit, expected at least 24 bit", "FAIL  peaks: −1.00 dBFS", "pass  no clipping"]
    {
        assert!(run.output.contains(words), "'{words}' is not in: {}", run.output);
    }
    let missing = folder.path().join("none.wav");
    let run = tandem(&["check", path.to_str().unwrap(), missing.to_str().unwrap(), "--for", "mixdown"]);
    assert_eq!((run.status, run.errors.lines().count()), (2, 1));
    assert!(run.errors.contains("none.wav") && run.errors.contains("no such file"));
}
