//! Tandem's editors in a window of a host: they draw, close, open again, and live beside each other.

#![cfg(target_os = "linux")]

mod tandem;

use std::time::{Duration, Instant};
use tandem::{noise, open};
use tandem_host::{EditorOptions, Plugin, Setup};

/// More colours than this and something has been drawn: an empty window has one, a failed one a few.
const DRAWN: usize = 64;

/// Plays noise and turns the event loop until the editor has drawn, for ten seconds at most.
fn draws(plugin: &mut Plugin) -> bool {
    let [left, right] = noise(480);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        let (mut left, mut right) = (left.clone(), right.clone());
        plugin.process(&mut [&mut left, &mut right], None, None, &[]).unwrap();
        plugin.idle();
        std::thread::sleep(Duration::from_millis(10));
        if plugin.editor_picture().unwrap().colours() > DRAWN {
            return true;
        }
    }
    false
}

#[test]
fn editors_draw_close_and_open_again() {
    assert!(
        std::env::var_os("DISPLAY").is_some(),
        "there is no DISPLAY; start Xvfb, or run `cargo xtask test`, which does"
    );
    for name in ["Tandem Channel", "Tandem Master"] {
        for format in tandem::FORMATS {
            let mut plugin = open(name, format);
            plugin.activate(Setup { max_frames: 480, ..Setup::default() }).unwrap();
            for _ in 0..2 {
                plugin.open_editor(EditorOptions::default()).unwrap();
                assert!(draws(&mut plugin), "{name}.{format} draws nothing");
                // a second instance with its own editor at the same time
                let mut other = open(name, format);
                other.activate(Setup { max_frames: 480, ..Setup::default() }).unwrap();
                other.open_editor(EditorOptions { scale: Some(1.5) }).unwrap();
                assert!(draws(&mut other), "{name}.{format}: the second instance draws nothing");
                drop(other);
                assert!(draws(&mut plugin), "{name}.{format} draws no more beside another");
                plugin.close_editor();
            }
        }
    }
}
