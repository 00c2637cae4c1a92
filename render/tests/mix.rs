//! `tandem mix`, `tandem preset` and `tandem completions`, run as a person would.

mod program;

use program::{names, tandem};
use std::fs;
use std::path::Path;
use tandem_render::audio_file::{self, Audio, SampleFormat};
use tempfile::TempDir;

/// A decaying tone: every file another one.
fn tone(channels: usize, hz: f32, amplitude: f32) -> Audio {
    let tone = |phase: f32| {
        let sample = |n: usize| {
            let t = n as f32 / 48_000.0;
            amplitude * (std::f32::consts::TAU * hz * t + phase).sin() * (-2.0 * t).exp()
        };
        (0..30_000).map(sample).collect()
    };
    Audio { sample_rate_hz: 48_000, channels: (0..channels).map(|c| tone(c as f32)).collect() }
}

fn write(path: &Path, audio: &Audio) {
    audio_file::write_wav(path, audio, SampleFormat::Float32).unwrap();
}

/// A folder of stems, and beside it a place for mixes.
fn studio() -> TempDir {
    let folder = TempDir::new().unwrap();
    let stems = folder.path().join("stems");
    fs::create_dir(&stems).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    write(&stems.join("01_KICK_DRUM_MONO.wav"), &tone(1, 60.0, 0.8));
    write(&stems.join("2 - Snare Top.wav"), &tone(1, 200.0, 0.3));
    write(&stems.join("10 oh L.wav"), &tone(1, 3000.0, 0.1));
    write(&stems.join("11 oh R.wav"), &tone(1, 3100.0, 0.1));
    write(&stems.join("12_LEAD_VOCAL_DRY.wav"), &tone(1, 440.0, 0.5));
    write(&stems.join("13_ギター_STEREO.wav"), &tone(2, 330.0, 0.5));
    write(&stems.join("14 Rough Mix.wav"), &tone(2, 500.0, 1.0));
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn peak_dbfs(path: &str) -> f64 {
    let audio = audio_file::read(Path::new(path)).unwrap();
    let peak = audio.channels.iter().flatten().fold(0.0f32, |m, s| m.max(s.abs()));
    20.0 * f64::from(peak).log10()
}

#[test]
fn a_folder_becomes_a_mix_and_a_session_that_gives_the_same_mix() {
    let studio = studio();
    let (mix, again) = (path(&studio, "out/mix.wav"), path(&studio, "out/again.wav"));
    let run = tandem(&["mix", &path(&studio, "stems"), "--out", &mix]);
    assert_eq!((run.status, run.errors.as_str()), (0, ""));
    assert!(run.output.contains("kick, mono") && run.output.contains("overheads, mono, left"), "{}", run.output);
    // half a hundredth of a decibel: the gain's step
    assert!((peak_dbfs(&mix) + 4.5).abs() < 0.0051, "{}", peak_dbfs(&mix));
    assert_eq!(names(&studio.path().join("out")).len(), 2, "the mix and its session");

    let session = fs::read_to_string(path(&studio, "out/mix.toml")).unwrap();
    for line in [
        "file = \"../stems/01_KICK_DRUM_MONO.wav\"",
        "name = \"ギター\"",
        "preset = \"lead_vocal\"",
        "controls.panner.pan = -100.0",
        "group = \"Drum Bus\"",
        "mute = true    # its name says that it is a mix of everything",
    ] {
        assert!(session.contains(line), "'{line}' is not in\n{session}");
    }
    let order = ["Kick", "Snare", "OH L", "OH R", "Lead", "ギター", "Rough"].map(|n| session.find(n).unwrap());
    assert!(order.is_sorted(), "numbers count by value");

    let run = tandem(&["mix", &path(&studio, "out/mix.toml"), "--out", &again]);
    assert_eq!((run.status, run.errors.as_str()), (0, ""));
    assert_eq!(fs::read(&mix).unwrap(), fs::read(&again).unwrap());

    // the same folder again, elsewhere
    let other = self::studio();
    let run = tandem(&["mix", &path(&other, "stems"), "--out", &path(&other, "out/mix.wav"), "--quiet"]);
    assert_eq!((run.status, run.output.as_str(), run.errors.as_str()), (0, "", ""));
    for file in ["out/mix.wav", "out/mix.toml"] {
        assert_eq!(fs::read(path(&studio, file)).unwrap(), fs::read(path(&other, file)).unwrap(), "{file}");
    }
}

#[test]
fn an_edited_session_is_not_written_over() {
    let studio = studio();
    let (mix, session) = (path(&studio, "out/mix.wav"), path(&studio, "out/mix.toml"));
    let stems = path(&studio, "stems");
    assert_eq!(tandem(&["mix", &stems, "--out", &mix]).status, 0);
    assert_eq!(tandem(&["mix", &stems, "--out", &mix]).status, 0, "not edited");
    let edited = fs::read_to_string(&session).unwrap().replace("tempo_bpm = 120.0", "tempo_bpm = 90.0");
    fs::write(&session, &edited).unwrap();
    let run = tandem(&["mix", &stems, "--out", &mix]);
    assert_eq!(run.status, 2);
    assert!(run.errors.contains("mix.toml: is there already") && run.errors.contains("tandem mix"), "{}", run.errors);
    assert_eq!(fs::read_to_string(&session).unwrap(), edited);
}

#[test]
fn stems_are_files_that_sum_to_the_mix() {
    let studio = studio();
    let mix = path(&studio, "out/mix.wav");
    let run = tandem(&["mix", &path(&studio, "stems"), "--out", &mix, "--stems", "--json"]);
    assert_eq!(run.status, 0, "{}", run.errors);
    let json: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    let stems: Vec<&str> = json["stems"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let base: Vec<&str> = stems.iter().map(|s| Path::new(s).file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(base, ["Lead Vocal.wav", "ギター.wav", "Drum Bus.wav", "Slap.wav", "Plate.wav"]);
    let mut sum = audio_file::read(Path::new(&mix)).unwrap();
    for stem in stems {
        let stem = audio_file::read(Path::new(stem)).unwrap();
        for (sum, stem) in sum.channels.iter_mut().flatten().zip(stem.channels.iter().flatten()) {
            *sum -= stem;
        }
    }
    // single precision after the gain: a few steps of 2^-24 below full scale
    let left = sum.channels.iter().flatten().fold(0.0f32, |m, s| m.max(s.abs()));
    assert!(left < 3e-7, "{left}");
}

#[test]
fn a_session_without_a_gain_is_told_which() {
    let studio = studio();
    let session = path(&studio, "loud.toml");
    let track = "[[track]]\nname = \"K\"\nfile = \"stems/14 Rough Mix.wav\"\n";
    fs::write(&session, format!("sample_rate_hz = 48000\n{track}")).unwrap();
    let (mix, frozen) = (path(&studio, "out/mix.wav"), path(&studio, "out/frozen.wav"));
    let run = tandem(&["mix", &session, "--out", &mix]);
    assert_eq!(run.status, 0);
    assert!((peak_dbfs(&mix) + 4.5).abs() < 0.0051);
    let line = run.errors.split("write ").nth(1).and_then(|r| r.split(" into").next()).expect("the line to write");
    fs::write(&session, format!("sample_rate_hz = 48000\n{line}\n{track}")).unwrap();
    let run = tandem(&["mix", &session, "--out", &frozen]);
    assert_eq!((run.status, run.errors.as_str()), (0, ""));
    assert_eq!(fs::read(&mix).unwrap(), fs::read(&frozen).unwrap());

    // a frozen gain stays, and is commented on
    fs::write(&session, format!("sample_rate_hz = 48000\nmix_gain_db = 3.0\n{track}")).unwrap();
    let run = tandem(&["mix", &session, "--out", &mix]);
    assert!(run.errors.contains("peaks at") && run.errors.contains("-6 to -3"), "{}", run.errors);
    assert!(peak_dbfs(&mix) > 0.0);
}

#[test]
fn bad_input_leaves_one_line_and_nothing_else() {
    let spoilt = |spoil: &dyn Fn(&Path), words: &[&str]| {
        let studio = studio();
        spoil(&studio.path().join("stems"));
        let (before, out) = (names(&studio.path().join("stems")), studio.path().join("out"));
        let run = tandem(&["mix", &path(&studio, "stems"), "--out", &path(&studio, "out/mix.wav"), "--stems"]);
        assert_eq!((run.status, run.output.as_str()), (2, ""), "{words:?}");
        assert_eq!(run.errors.lines().count(), 1, "{}", run.errors);
        words.iter().for_each(|word| assert!(run.errors.contains(word), "'{word}' is not in: {}", run.errors));
        assert!(names(&out).is_empty(), "{:?}", names(&out));
        assert_eq!(names(&studio.path().join("stems")), before);
    };
    let kick = "01_KICK_DRUM_MONO.wav";
    spoilt(&|f| fs::write(f.join(kick), "").unwrap(), &[kick, "empty", "export"]);
    spoilt(&|f| fs::write(f.join(kick), "a shopping list".repeat(99)).unwrap(), &[kick, "not audio", "use WAV"]);
    spoilt(
        &|f| {
            let whole = fs::read(f.join(kick)).unwrap();
            fs::write(f.join(kick), &whole[..whole.len() / 2]).unwrap();
        },
        &[kick, "truncated", "again"],
    );
    spoilt(&|f| write(&f.join(kick), &tone(6, 100.0, 0.1)), &[kick, "6 channels", "1 or 2"]);
    let at = |sample_rate_hz| Audio { sample_rate_hz, ..tone(1, 100.0, 0.1) };
    spoilt(&|f| write(&f.join(kick), &at(8_000)), &[kick, "8000 Hz", "export"]);
    spoilt(&|f| write(&f.join(kick), &at(768_000)), &[kick, "768000 Hz", "export"]);
    spoilt(&|f| write(&f.join("2 - Snare Top.wav"), &at(44_100)), &["Snare Top", "44100 Hz", kick, "48000", "convert"]);
    spoilt(
        &|f| {
            let mut audio = tone(1, 100.0, 0.1);
            audio.channels[0][24_000] = f32::NAN;
            write(&f.join(kick), &audio);
        },
        &[kick, "no number", "0:00.500", "again"],
    );
    spoilt(
        &|f| {
            for file in names(f) {
                fs::remove_file(file).unwrap();
            }
        },
        &["stems", "no audio files", "put stems"],
    );

    let studio = studio();
    for (arguments, words) in [
        (vec!["mix".to_owned(), path(&studio, "none")], ["none", "no such file", "check the name"]),
        (
            vec!["mix".to_owned(), path(&studio, "stems"), "--out".to_owned(), path(&studio, "none/mix.wav")],
            ["mix.wav", "cannot be written", "choose a folder"],
        ),
        (
            vec!["mix".to_owned(), path(&studio, "stems"), "--out".to_owned(), path(&studio, "out/mix.mp3")],
            ["mix.mp3", "not the name of a WAV", ".wav"],
        ),
        (
            vec![
                "mix".to_owned(),
                path(&studio, "stems"),
                "--out".to_owned(),
                path(&studio, "stems/01_KICK_DRUM_MONO.wav"),
            ],
            ["01_KICK_DRUM_MONO.wav", "is one of the stems", "--out"],
        ),
    ] {
        let run = tandem(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((run.status, run.errors.lines().count()), (2, 1), "{}", run.errors);
        words.iter().for_each(|word| assert!(run.errors.contains(word), "'{word}' is not in: {}", run.errors));
    }
    assert!(names(&studio.path().join("out")).is_empty());
}

#[cfg(unix)]
#[test]
fn a_folder_that_nobody_may_write_to() {
    use std::os::unix::fs::PermissionsExt;
    let studio = studio();
    let out = studio.path().join("out");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(out.join("probe"), "").is_ok() {
        eprintln!("skipped: root may write anywhere");
        return;
    }
    let run = tandem(&["mix", &path(&studio, "stems"), "--out", &path(&studio, "out/mix.wav")]);
    assert_eq!(run.status, 2);
    assert!(run.errors.contains("cannot be written"), "{}", run.errors);
}

#[test]
fn presets_are_listed_shown_and_checked() {
    let list = tandem(&["preset", "list"]);
    assert!(list.output.contains("lead_vocal") && list.output.contains("vinyl_safe"));
    assert!(!list.output.contains('\x1b'), "no colours in a pipe");
    let json: serde_json::Value = serde_json::from_str(&tandem(&["preset", "list", "--json"]).output).unwrap();
    assert_eq!(json.as_array().unwrap().len(), list.output.lines().count());

    let folder = TempDir::new().unwrap();
    // every one of them is what its plugin takes, to the last number
    for preset in json.as_array().unwrap() {
        let name = preset["name"].as_str().unwrap();
        let file = path(&folder, &[name, ".toml"].concat());
        fs::write(&file, tandem(&["preset", "show", name]).output).unwrap();
        let run = tandem(&["preset", "check", &file]);
        let plugin = if preset["for"] == "channel" { "Tandem Channel\n" } else { "Tandem Master\n" };
        assert_eq!((run.status, run.output.ends_with(plugin)), (0, true), "{name}: {}", run.errors);
    }
    let shown = tandem(&["preset", "show", "lead vocal"]);
    assert!(shown.output.starts_with("# Lead vocal"));
    let (good, bad) = (path(&folder, "good.toml"), path(&folder, "bad.toml"));
    fs::write(&good, &shown.output).unwrap();
    fs::write(&bad, "[limiter]\ngian_db = 3.0\nceiling_dbtp = 3.0\n").unwrap();
    let run = tandem(&["preset", "check", &good]);
    assert_eq!((run.status, run.output.ends_with("right, for Tandem Channel\n")), (0, true));
    let run = tandem(&["preset", "check", &good, &bad]);
    assert_eq!((run.status, run.errors.lines().count()), (1, 2), "{}", run.errors);
    assert!(run.errors.contains("did you mean 'gain_db'?") && run.errors.contains("-20 to 0"), "{}", run.errors);
    assert_eq!(tandem(&["preset", "check", &path(&folder, "none.toml")]).status, 2);
    let run = tandem(&["preset", "show", "leed_vocal"]);
    assert_eq!((run.status, run.errors.contains("did you mean 'lead_vocal'?")), (2, true));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = tandem(&["completions", shell]);
        assert!(run.status == 0 && run.output.contains("measure") && run.output.contains("stems"), "{shell}");
    }
}

#[test]
fn every_command_has_an_example() {
    for command in ["mix", "preset", "completions"] {
        let help = tandem(&[command, "--help"]).output;
        assert!(help.contains("Example") && help.contains(&format!("tandem {command}")), "{help}");
    }
}
