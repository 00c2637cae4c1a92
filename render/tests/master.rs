//! `tandem master`: as loud as asked, under its ceiling by meters that are not ours, the same file everywhere.

mod program;

use ebur128::{EbuR128, Mode};
use program::{names, tandem};
use std::fs;
use std::path::Path;
use tandem_render::audio_file::{self, Audio, SampleFormat};
use tandem_render::stem::Stem;
use tandem_render::true_peaks::ThreeMeters;
use tempfile::TempDir;

/// Beats of noise and a bass, 6 s, the sides unlike; it peaks near −3 dBFS.
fn programme(sample_rate_hz: u32) -> Audio {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let rate_hz = f64::from(sample_rate_hz);
    let mut channel = |side: f64| -> Vec<f32> {
        let mut smooth = 0.0;
        (0..(6.0 * rate_hz) as usize)
            .map(|n| {
                // xorshift64: Marsaglia 2003
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let white = (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0;
                smooth += (white - smooth) * 0.3;
                let t = n as f64 / rate_hz;
                let bass = 0.3 * (std::f64::consts::TAU * 55.0 * t + side).sin();
                (bass + 0.9 * smooth * (-9.0 * (t % 0.5)).exp()) as f32
            })
            .collect()
    };
    Audio { sample_rate_hz, channels: vec![channel(0.0), channel(0.4)] }
}

/// Loudness and true peak by the `ebur128` crate.
fn by_ebur128(path: &str) -> (f64, f64) {
    let audio = audio_file::read(Path::new(path)).unwrap();
    let mut meter = EbuR128::new(2, audio.sample_rate_hz, Mode::I | Mode::TRUE_PEAK).unwrap();
    meter.add_frames_planar_f32(&[&audio.channels[0], &audio.channels[1]]).unwrap();
    let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
    (meter.loudness_global().unwrap(), 20.0 * peak.log10())
}

/// A folder with a mix in it.
fn studio() -> TempDir {
    let folder = TempDir::new().unwrap();
    audio_file::write_wav(&folder.path().join("mix.wav"), &programme(48_000), SampleFormat::Float32).unwrap();
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn every_target_is_reached_under_its_ceiling() {
    let studio = studio();
    let (mix, out) = (path(&studio, "mix.wav"), path(&studio, "out.wav"));
    for (arguments, lufs, ceiling_dbtp) in [
        (vec!["--target", "spotify", "--preset", "glue"], -14.0, -1.0),
        (vec!["--target", "-9.5", "--preset", "loud", "--ceiling", "-0.3", "--format", "wav16"], -9.5, -0.3),
        // softer than the mix: the input's trim goes down
        (vec!["--target", "ebu_r128", "--preset", "broadcast", "--format", "wav32f"], -23.0, -1.0),
    ] {
        let run = tandem(&[vec!["master", &mix, "--out", &out], arguments].concat());
        assert_eq!((run.status, run.errors.as_str()), (0, ""));
        assert!(run.output.contains("before") && run.output.contains("LUFS"), "{}", run.output);
        let (found_lufs, found_dbtp) = by_ebur128(&out);
        // the two meters agree to 0.01 LU (dsp-core/tests/stages/metering.rs)
        assert!((found_lufs - lufs).abs() <= 0.11, "{found_lufs} of {lufs}");
        assert!(found_dbtp <= ceiling_dbtp, "{found_dbtp} over {ceiling_dbtp}");
    }
}

#[test]
fn a_second_run_elsewhere_gives_the_same_file() {
    let master = |format: &str, rate: &str, name: &str| {
        let studio = studio();
        let out = path(&studio, name);
        let mix = path(&studio, "mix.wav");
        let run =
            tandem(&["master", &mix, "--target", "-14", "--format", format, "--rate", rate, "--out", &out, "--quiet"]);
        assert_eq!((run.status, run.output.as_str(), run.errors.as_str()), (0, "", ""));
        assert_eq!(names(studio.path()).len(), 2, "the mix and its master");
        (fs::read(&out).unwrap(), audio_file::read(Path::new(&out)).unwrap(), by_ebur128(&out))
    };
    for (format, rate, name) in [("flac24", "48000", "m.flac"), ("wav16", "44100", "m.wav")] {
        let (bytes, audio, (lufs, dbtp)) = master(format, rate, name);
        assert_eq!(master(format, rate, name).0, bytes);
        assert_eq!(audio.sample_rate_hz.to_string(), rate);
        assert_eq!(audio.frames() as u32, 6 * audio.sample_rate_hz);
        assert!((lufs + 14.0).abs() <= 0.11 && dbtp <= -1.0, "{lufs} LUFS, {dbtp} dBTP");
        // dithered: every word is a step of the format, and the steps below 12 bit are used
        let steps = if format == "wav16" { 32_768.0 } else { 8_388_608.0 };
        assert!(audio.channels.iter().flatten().all(|s| (s * steps).fract() == 0.0));
    }
}

#[test]
fn several_mixes_and_a_report() {
    let studio = studio();
    fs::copy(path(&studio, "mix.wav"), path(&studio, "other.wav")).unwrap();
    let mixes = [path(&studio, "mix.wav"), path(&studio, "other.wav")];
    let run = tandem(&["master", &mixes[0], &mixes[1], "--target", "-14", "--json"]);
    assert_eq!(run.status, 0, "{}", run.errors);
    let json: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert!(json[0]["settings"]["limiter"]["gain_db"].is_number());
    let read = |name| fs::read(path(&studio, name)).unwrap();
    assert_eq!(read("mix_master.wav"), read("other_master.wav"));

    // the settings are a preset: with them there is nothing left to search
    let settings = toml::to_string(&json[0]["settings"]).unwrap();
    fs::write(path(&studio, "found.toml"), settings).unwrap();
    let preset = path(&studio, "found.toml");
    let (out, report) = (path(&studio, "again.wav"), path(&studio, "report.html"));
    let run =
        tandem(&["master", &mixes[0], "--preset", &preset, "--target", "-14", "--out", &out, "--report", &report]);
    assert_eq!((run.status, run.errors.as_str()), (0, ""));
    assert!(run.output.contains("; 1 passes"), "{}", run.output);
    assert_eq!(read("again.wav"), read("mix_master.wav"));
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.contains("every promise kept") && html.matches("<svg").count() >= 5);
}

#[test]
fn bad_input_leaves_one_line_and_nothing_else() {
    let studio = studio();
    let mix = path(&studio, "mix.wav");
    let write = |name: &str, audio: &Audio| {
        audio_file::write_wav(&studio.path().join(name), audio, SampleFormat::Float32).unwrap();
        path(&studio, name)
    };
    let short = |sample_rate_hz, channels| Audio { sample_rate_hz, channels: vec![vec![0.1; 20_000]; channels] };
    let silent = write("silent.wav", &Audio { sample_rate_hz: 48_000, channels: vec![vec![0.0; 50_000]; 2] });
    let six = write("six.wav", &short(48_000, 6));
    let (slow, fast) = (write("slow.wav", &short(8_000, 2)), write("fast.wav", &short(768_000, 2)));
    let mut spoilt = programme(48_000);
    spoilt.channels[1][96_000] = f32::NAN;
    let nan = write("nan.wav", &spoilt);
    let whole = fs::read(&mix).unwrap();
    let cut = path(&studio, "cut.wav");
    fs::write(&cut, &whole[..whole.len() / 3]).unwrap();
    let empty = path(&studio, "empty.wav");
    fs::write(&empty, "").unwrap();
    let before = names(studio.path());
    let none = path(&studio, "none.wav");
    let missing = path(&studio, "none/master.wav");
    let mp3 = path(&studio, "out.mp3");
    for (arguments, words) in [
        (vec![none.as_str(), "--target", "-14"], &["none.wav", "no such file"][..]),
        (vec![&empty, "--target", "-14"], &["empty.wav", "empty"]),
        (vec![&cut, "--target", "-14"], &["cut.wav", "truncated"]),
        (vec![&six, "--target", "-14"], &["six.wav", "6 channels"]),
        (vec![&slow, "--target", "-14"], &["slow.wav", "8000 Hz"]),
        (vec![&fast, "--target", "-14"], &["fast.wav", "768000 Hz"]),
        (vec![&nan, "--target", "-14"], &["nan.wav", "no number", "0:02.000"]),
        (vec![&silent, "--target", "-14"], &["silent.wav", "is silent"]),
        (vec![&mix, "--target", "spotfy"], &["--target", "no service 'spotfy'", "did you mean 'spotify'"]),
        (vec![&mix, "--target", "-3"], &["--target", "-3 LUFS", "-40 to -4"]),
        (vec![&mix, "--target", "-14", "--preset", "glu"], &["--preset", "'glu'", "did you mean 'glue'"]),
        (vec![&mix, "--target", "-14", "--ceiling", "1"], &["--ceiling", "is 1", "-19 to 0"]),
        (vec![&mix, "--target", "-14", "--rate", "4000"], &["--rate", "4000", "11025 to 384000"]),
        (vec![&mix, "--target", "-14", "--out", &missing], &["master.wav", "cannot be written"]),
        (vec![&mix, "--target", "-14", "--out", &mix], &["mix.wav", "the mix itself", "--out"]),
        (vec![&mix, "--target", "-14", "--out", &mp3], &["out.mp3", "does not end with .wav", "format"]),
        (vec![&mix, &mix, "--target", "-14"], &["mix.wav", "the same file", "folders"]),
    ] {
        let run = tandem(&[vec!["master"], arguments].concat());
        assert_eq!((run.status, run.output.as_str()), (2, ""), "{words:?} {}", run.errors);
        assert_eq!(run.errors.lines().count(), 1, "{}", run.errors);
        words.iter().for_each(|word| assert!(run.errors.contains(word), "'{word}' is not in: {}", run.errors));
        assert_eq!(names(studio.path()), before, "{words:?}");
    }
    // a bad one does not keep the others from being mastered
    let run = tandem(&["master", &none, &mix, "--target", "-14"]);
    assert_eq!((run.status, run.errors.lines().count()), (2, 1));
    assert!(Path::new(&path(&studio, "mix_master.wav")).exists());
}

/// A sine at a quarter of the rate, 45° off its samples, peaks 3.01 dB over them: no meter may miss it.
#[test]
fn three_meters_hear_between_samples() {
    let sine = |n: usize| 0.5 * (std::f32::consts::FRAC_PI_2 * n as f32 + std::f32::consts::FRAC_PI_4).sin();
    // in and out smoothly: an edge would ring
    let ramp = |n: usize| (n.min(47_999 - n) as f32 / 4800.0).min(1.0);
    let channel: Vec<f32> = (0..48_000).map(|n| sine(n) * ramp(n)).collect();
    let mut meters = ThreeMeters::new(48_000).unwrap();
    for block in channel.chunks(1000) {
        meters.hear([block, block]).unwrap();
    }
    let peaks = meters.finish().unwrap();
    // −6.02 dBTP; four phases an octave under the top may miss 0.1 dB by place and as much by ripple (BS.1770-5, Annex 2)
    for (meter, dbtp, error_db) in
        [("ours", peaks.ours_dbtp, 0.02), ("ebur128", peaks.ebur128_dbtp, 0.2), ("table", peaks.table_dbtp, 0.2)]
    {
        assert!((dbtp + 6.0206).abs() <= error_db, "{meter}: {dbtp}");
    }
}

#[test]
fn a_converted_stem_is_read_as_it_lasts() {
    let studio = studio();
    let stem = Stem::converted(&studio.path().join("mix.wav"), 96_000).unwrap();
    assert_eq!(stem.frames(), 12 * 48_000);
    let [left, _] = stem.load().unwrap();
    let once = programme(48_000).channels.remove(0);
    // every other frame is the old one, apart from what lies over the filter's pass band
    let error: f64 = left.iter().step_by(2).zip(&once).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let power: f64 = once.iter().map(|s| f64::from(*s).powi(2)).sum();
    assert!(error < 1e-3 * power, "{}", error / power);
}
