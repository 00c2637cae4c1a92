//! Bad sessions and bad stems: each gives one line that names the file, the place and the cure, and leaves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use tandem_render::audio_file::{self, Audio, SampleFormat};
use tandem_render::mixing;
use tandem_render::session;
use tempfile::TempDir;

const SESSION: &str = r#"
sample_rate_hz = 48000
tempo_bpm = 104.0

[[track]]
name = "Kick"
file = "kick.wav"

[track.controls.output]
gain_db = -3.0

[[track.automation]]
control = "output.gain_db"
points = [[0.0, -3.0], [1.0, 0.0]]

[master.controls.input]
trim_db = -1.0
"#;

fn tone(sample_rate_hz: u32, channels: usize) -> Audio {
    let channel: Vec<f32> = (0..4800).map(|n| 0.5 * (n as f32 * 0.05).sin()).collect();
    Audio { sample_rate_hz, channels: vec![channel; channels] }
}

fn write(path: &Path, audio: &Audio) {
    audio_file::write_wav(path, audio, SampleFormat::Float32).unwrap();
}

/// A folder with a good session in it; `spoil` then changes it.
fn fault_of(spoil: impl FnOnce(&Path, &mut String)) -> String {
    let folder = TempDir::new().unwrap();
    let mut text = SESSION.to_owned();
    write(&folder.path().join("kick.wav"), &tone(48_000, 1));
    spoil(folder.path(), &mut text);
    let path = folder.path().join("session.toml");
    fs::write(&path, text).unwrap();
    let before = names(folder.path());
    let mix = folder.path().join("mix.wav");
    let mixed = session::read(&path).and_then(|session| mixing::mix(&session, &mix, None, |_| ()));
    let fault = mixed.expect_err("the session is bad").to_string();
    assert_eq!(names(folder.path()), before, "nothing is left behind");
    assert_eq!(fault.lines().count(), 1, "{fault}");
    fault
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
}

/// All of `words` are in the line.
fn says(fault: &str, words: &[&str]) {
    for word in words {
        assert!(fault.contains(word), "'{word}' is not in: {fault}");
    }
}

#[test]
fn a_good_session_is_read() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("kick.wav"), &tone(48_000, 1));
    let path = folder.path().join("session.toml");
    fs::write(&path, SESSION).unwrap();
    let session = session::read(&path).unwrap();
    assert_eq!(session.tracks.len(), 1);
    let [left, right] = session.tracks[0].stem.load().unwrap();
    assert_eq!(left, tone(48_000, 1).channels[0]);
    assert_eq!(left, right, "mono is on both sides");
    assert_eq!(session.tracks[0].channel.strip.params.output.gain_db, -3.0);
    assert_eq!(session.tracks[0].channel.strip.lanes[0].value_at(0.5), -1.5);
    assert_eq!(session.master.params.input.trim_db, -1.0);
}

#[test]
fn bad_stems() {
    let stem = |audio: Audio| move |folder: &Path, _: &mut String| write(&folder.join("kick.wav"), &audio);
    says(
        &fault_of(|folder, _| fs::remove_file(folder.join("kick.wav")).unwrap()),
        &["kick.wav", "no such file", "check the name"],
    );
    says(&fault_of(|folder, _| fs::write(folder.join("kick.wav"), b"").unwrap()), &["kick.wav", "empty", "export"]);
    says(&fault_of(stem(tone(44_100, 2))), &["kick.wav", "44100 Hz", "48000 Hz", "convert"]);
    says(&fault_of(stem(tone(48_000, 8))), &["kick.wav", "8 channels", "1 or 2", "export"]);
    says(
        &fault_of(|folder, _| fs::write(folder.join("kick.wav"), "this is a shopping list".repeat(50)).unwrap()),
        &["kick.wav", "not audio", "use WAV"],
    );
    says(
        &fault_of(|folder, _| {
            let path = folder.join("kick.wav");
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        }),
        &["kick.wav", "truncated", "of 4800 frames", "again"],
    );
    says(&fault_of(stem(Audio { sample_rate_hz: 48_000, channels: vec![vec![]] })), &["kick.wav", "frames", "export"]);
}

#[test]
fn bad_sessions() {
    let with = |from: &'static str, to: &'static str| {
        move |_: &Path, text: &mut String| {
            assert!(text.contains(from));
            *text = text.replacen(from, to, 1);
        }
    };
    for (spoil, words) in [
        (with("tempo_bpm", "tempo_bmp"), &["session.toml", "line 3", "tempo_bmp", "did you mean 'tempo_bpm'"][..]),
        (with("name = \"Kick\"", "name = \"Kick\"\ncolour = 3"), &["line 7", "colour", "take one of name, file"]),
        (with("name = \"Kick\"", "name = \"Kick\"\nfader_bd = 3"), &["line 7", "fader_bd", "did you mean 'fader_db'"]),
        (with("tempo_bpm = 104.0", "mix_gain_db = 99.0"), &["mix_gain_db is 99", "-60 to 24", "measured"]),
        (with("[master", "[[group]]\nname = \"Kick\"\n[master"), &["group 'Kick'", "twice"]),
        (with("[master", "[[return]]\nname = \"R\"\nsolo = true\n[master"), &["return 'R'", "cannot be soloed"]),
        (
            with(
                "file = \"kick.wav\"",
                "file = \"kick.wav\"\ngroup = \"Drum\"\n[[group]]\nname = \"Drums\"\n[[track]]\nname = \"X\"\nfile = \"kick.wav\"",
            ),
            &["track 'Kick'", "no group 'Drum'", "did you mean 'Drums'"],
        ),
        (
            with("[master", "[[track.send]]\nto = \"Plate\"\nlevel_db = -3\n[master"),
            &["track 'Kick': send to 'Plate'", "no return 'Plate'", "add a [[return]]"],
        ),
        (
            with("[master", "[[track.send]]\nto = \"R\"\nlevel_db = 13\n[[return]]\nname = \"R\"\n[master"),
            &["send to 'R'", "level_db is 13", "-100 to 12"],
        ),
        (
            with("[master", "[[group]]\nname = \"A\"\ngroup = \"B\"\n[[group]]\nname = \"B\"\ngroup = \"A\"\n[master"),
            &["group 'A'", "feeds itself", "remove"],
        ),
        (
            with("[master", "[[return]]\nname = \"A\"\n[[return.send]]\nto = \"A\"\nlevel_db = 0\n[master"),
            &["return 'A'", "feeds itself", "remove"],
        ),
        (
            with("file = \"kick.wav\"", "file = \"kick.wav\"\npreset = \"kik\""),
            &["no built-in preset 'kik'", "did you mean 'kick'"],
        ),
        (with("gain_db = -3.0", "gian_db = -3.0"), &["track 'Kick'", "output.gian_db", "did you mean 'gain_db'"]),
        (with("gain_db = -3.0", "gain_db = 40"), &["track 'Kick'", "output.gain_db", "found 40", "-100 to 12"]),
        (
            with("\"output.gain_db\"", "\"output.gain\""),
            &["track 'Kick'", "output.gain", "did you mean 'output.gain_db'"],
        ),
        (with("[1.0, 0.0]", "[1.0, 99.0]"), &["track 'Kick'", "point 2 is 99", "-100 to 12", "in the range"]),
        (with("[1.0, 0.0]", "[0.0, 0.0]"), &["point 2", "order of time"]),
        (with("sample_rate_hz = 48000", "sample_rate_hz = 10"), &["sample_rate_hz is 10", "8000 to 768000"]),
        (with("[[track]]", "[[track]]\nname = \"Kick\"\nfile = \"kick.wav\"\n[[track]]"), &["track 'Kick'", "twice"]),
        (with("[[track]]", "[[track"), &["session.toml", "line 5"]),
        (with("file = \"kick.wav\"", "file = \"kick.wav\"\npreset = \"none.toml\""), &["none.toml", "no such file"]),
        (with("trim_db = -1.0", "trim_db = true"), &["master", "input.trim_db", "found true", "expected a number"]),
    ] {
        says(&fault_of(spoil), words);
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("none").join("mix.wav");
    let fault = audio_file::write_wav(&path, &tone(48_000, 2), SampleFormat::Int24).unwrap_err().to_string();
    says(&fault, &["mix.wav", "cannot be written", "choose a folder"]);
    assert!(names(folder.path()).is_empty());
}
