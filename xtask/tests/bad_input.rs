//! The demo task on bad input: one line, exit status 2, nothing written.

use std::path::Path;
use std::process::{Command, Output};

fn demo(session: &Path, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["demo", "--session"])
        .arg(session)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap()
}

#[test]
fn bad_input_is_one_line_and_status_2() {
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("out");
    let session = folder.path().join("session.toml");
    for (text, word) in [
        (None, "no such file"),
        (Some("sample_rate_hz = 48000\ntempo_bmp = 100.0\n"), "did you mean 'tempo_bpm'?"),
        (Some("sample_rate_hz = 48000\n[[track]]\nname = \"A\"\nfile = \"none.wav\"\n"), "none.wav"),
    ] {
        if let Some(text) = text {
            std::fs::write(&session, text).unwrap();
        }
        let ended = demo(&session, &out);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(said.contains(word), "'{word}' is not in: {said}");
        assert!(!out.exists(), "something was written");
    }
}
