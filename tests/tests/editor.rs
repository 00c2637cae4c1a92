//! The host's window around an editor. Needs a display: `xvfb-run -a cargo test -p tandem-host --test editor`.

#![cfg(target_os = "linux")]

mod subject;

use std::time::{Duration, Instant};
use subject::{active, bundles};
use tandem_host::{EditorOptions, HostError, Picture, Plugin, Setup};

/// Fails where there is nothing to open a window on: a test that did not run must not read as one that passed.
fn needs_display() {
    assert!(
        std::env::var_os("DISPLAY").is_some(),
        "there is no DISPLAY; start Xvfb, or run `cargo xtask test`, which does"
    );
}

/// The colour that fills the whole picture, if one does.
fn colour(picture: &Picture) -> Option<[u8; 3]> {
    let first: [u8; 3] = picture.rgb.first_chunk().copied()?;
    picture.rgb.chunks_exact(3).all(|pixel| pixel == first).then_some(first)
}

/// Turns the event loop until the window is of one colour throughout, for a second at most.
fn turns_to(plugin: &mut Plugin, wanted: [u8; 3]) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        if colour(&plugin.editor_picture().expect("a picture")) == Some(wanted) {
            return true;
        }
        plugin.idle();
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn an_editor_opens_is_served_resized_and_opened_again() {
    needs_display();
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        for (scale, size) in [(None, (200, 100)), (Some(1.5), (300, 150))] {
            plugin.open_editor(EditorOptions { scale }).expect("it opens");
            assert_eq!(plugin.editor_size(), Some(size));
            let picture = plugin.editor_picture().expect("a picture");
            assert_eq!((picture.width, picture.height), size);
            // the subject's editor: red until it is served, then green by a timer and blue by a file descriptor
            assert_eq!(colour(&picture), Some([255, 0, 0]), "{:?}", bundle.format());
            assert!(turns_to(&mut plugin, [0, 255, 255]), "timer and descriptor are served in {:?}", bundle.format());
            // it takes even sizes only
            assert_eq!(plugin.resize_editor(251, 121).expect("resized"), (250, 120));
            let picture = plugin.editor_picture().expect("a picture");
            assert_eq!((picture.width, picture.height, colour(&picture)), (250, 120, Some([0, 255, 255])));
            plugin.close_editor();
            assert_eq!(plugin.editor_size(), None);
        }
        plugin.open_editor(EditorOptions::default()).expect("it opens");
        // dropped with its editor open
        assert_eq!(plugin.take_requests().messages, [] as [&str; 0]);
    }
}

#[test]
fn an_editor_that_is_not_open_is_an_error() {
    for bundle in bundles() {
        let mut plugin = bundle.create_first().expect("an instance");
        assert_eq!((plugin.editor_size(), plugin.editor_window()), (None, None));
        assert!(matches!(plugin.editor_picture(), Err(HostError::Editor { .. })));
        assert!(matches!(plugin.resize_editor(10, 10), Err(HostError::Editor { .. })));
        plugin.close_editor();
    }
}
