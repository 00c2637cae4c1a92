//! The heap watch sees what this program does, and what a bundle does.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod subject;

use subject::{GAIN, MISDEED, active, bundles, native};
use tandem_host::{Event, Setup, heap_watch};

tandem_host::heap_watch!();

#[test]
fn the_watch_is_installed_and_counts_this_program() {
    assert!(heap_watch::is_installed());
    let (_, calls) = heap_watch::watch(|| std::hint::black_box(Vec::<u8>::with_capacity(1000)));
    assert_eq!((calls.allocations, calls.frees, calls.bytes), (1, 0, 1000), "freed after the watch: {calls:?}");
    let (sum, calls) = heap_watch::watch(|| (0..1000_u64).map(std::hint::black_box).sum::<u64>());
    assert_eq!(sum, 499_500);
    assert!(calls.is_none(), "{calls:?}");
}

#[test]
fn other_threads_do_not_count() {
    let running = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while running.load(std::sync::atomic::Ordering::Relaxed) {
                std::hint::black_box(Vec::<u8>::with_capacity(100));
            }
        });
        let (_, calls) = heap_watch::watch(|| std::thread::sleep(std::time::Duration::from_millis(20)));
        running.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(calls.is_none(), "{calls:?}");
    });
}

#[test]
fn a_bundle_is_seen_when_it_allocates_and_only_then() {
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        let (mut left, mut right) = ([0.5; 64], [0.5; 64]);
        let event = |parameter: usize, value: f64| Event { offset: 7, parameter, value };
        let gain = event(GAIN, native(&plugin, GAIN, 0.5));
        let misdeed = event(MISDEED, native(&plugin, MISDEED, 1.0));

        let (result, calls) = heap_watch::watch(|| plugin.process(&mut [&mut left, &mut right], None, None, &[gain]));
        result.expect("a block");
        assert!(calls.is_none(), "{:?}, host and plugin together: {calls:#?}", bundle.format());

        // a vector of 12,345 bytes, made and dropped
        let (result, calls) =
            heap_watch::watch(|| plugin.process(&mut [&mut left, &mut right], None, None, &[misdeed]));
        result.expect("a block");
        assert_eq!((calls.allocations, calls.frees, calls.bytes), (1, 1, 12_345), "{calls:#?}");
        let inside = calls.stacks[0].iter().any(|frame| frame.starts_with("Subject."));
        assert!(inside, "the stack leads into the bundle: {:#?}", calls.stacks);
    }
}
