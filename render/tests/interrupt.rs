//! Ctrl-C in the middle of work: the program ends at once and leaves nothing half-written.
#![cfg(unix)]

mod program;

use program::names;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tandem_render::audio_file::{self, Audio, SampleFormat};
use tempfile::TempDir;

/// Starts `tandem` with these arguments in `out`, interrupts it once something is being written there, and returns its
/// exit status.
fn interrupted(out: &Path, arguments: &[&str]) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(arguments)
        .current_dir(out)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while names(out).is_empty() && begun.elapsed() < Duration::from_secs(20) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(!names(out).is_empty(), "nothing is being written");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code()
}

/// A folder with a minute of noise in it, and an empty one.
fn studio() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("stems")).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32
    };
    let channel: Vec<f32> = (0..48_000 * 60).map(|_| noise()).collect();
    let mut audio = Audio { sample_rate_hz: 48_000, channels: vec![channel] };
    for name in ["stems/1 kick.wav", "stems/2 vox.wav"] {
        audio_file::write_wav(&folder.path().join(name), &audio, SampleFormat::Int16).unwrap();
    }
    // a master is written last, after some passes over the mix: let these be short
    audio.channels[0].truncate(48_000 * 12);
    audio_file::write_wav(&folder.path().join("mix.wav"), &audio, SampleFormat::Int16).unwrap();
    folder
}

#[test]
fn mix_and_master_leave_nothing() {
    let studio = studio();
    let out = studio.path().join("out");
    for arguments in
        [&["mix", "../stems", "--stems"][..], &["master", "../mix.wav", "--target", "-20", "--out", "master.wav"]]
    {
        assert_eq!(interrupted(&out, arguments), Some(130), "{arguments:?}");
        assert_eq!(names(&out), Vec::<std::path::PathBuf>::new(), "{arguments:?}");
    }
}
