//! The watch on system calls sees what this program does, and what a bundle does.

#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

mod subject;

use std::time::Duration;
use subject::{GAIN, MISDEED, active, bundles, native};
use tandem_host::{Event, Setup, system_calls};

/// Kernels before 5.11 cannot watch; where it must not pass unnoticed, look at `is_available`.
fn available() -> bool {
    let available = system_calls::is_available();
    if !available {
        println!("this machine cannot watch system calls");
    }
    available
}

#[test]
fn calls_are_seen_made_and_answered() {
    if !available() {
        return;
    }
    // SAFETY: it has no arguments and changes nothing.
    let parent = || unsafe { libc::getppid() };
    let expected = parent();
    let (answer, seen) = system_calls::watch(|| (parent(), parent()));
    assert_eq!(answer, (expected, expected), "the kernel's own answer");
    assert_eq!(seen.count, 2);
    assert!(seen.calls.iter().all(|call| call.name == "getppid" && call.number == libc::SYS_getppid), "{seen:?}");

    let (error, seen) =
        system_calls::watch(|| std::fs::File::open("/nothing/here").map_err(|error| error.kind()).err());
    assert_eq!(error, Some(std::io::ErrorKind::NotFound), "an error arrives as one");
    assert_eq!(seen.calls[0].name, "openat");

    let (sum, seen) = system_calls::watch(|| (0..1000_u64).map(std::hint::black_box).sum::<u64>());
    assert_eq!(sum, 499_500);
    assert!(seen.is_none(), "{seen:?}");
}

#[test]
fn waiting_for_a_lock_is_seen() {
    if !available() {
        return;
    }
    let lock = std::sync::Mutex::new(0);
    let (taken, held) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = lock.lock();
            taken.send(()).expect("the test waits");
            std::thread::sleep(Duration::from_millis(50));
        });
        held.recv().expect("the lock is taken");
        let (_, seen) = system_calls::watch(|| drop(lock.lock()));
        assert!(seen.calls.iter().any(|call| call.name == "futex"), "{seen:?}");
    });
}

#[test]
fn starting_a_thread_ends_the_watch_and_harms_nothing() {
    if !available() {
        return;
    }
    let (answer, seen) = system_calls::watch(|| std::thread::spawn(|| 7).join().ok());
    assert_eq!(answer, Some(7));
    assert!(seen.ended_early);
}

#[test]
fn a_panic_ends_the_watch() {
    if !available() {
        return;
    }
    let caught = std::panic::catch_unwind(|| system_calls::watch(|| std::panic::resume_unwind(Box::new(7))));
    assert!(caught.is_err());
    // a thread could not be started on a watched thread's behalf without ending the watch: see above
    let (_, seen) = system_calls::watch(|| ());
    assert_eq!(seen, Default::default());
    assert_eq!(std::thread::spawn(|| 7).join().ok(), Some(7));
}

#[test]
fn a_bundle_is_seen_when_it_calls_and_only_then() {
    if !available() {
        return;
    }
    for bundle in bundles() {
        let mut plugin = active(&bundle, Setup::default());
        let (mut left, mut right) = ([0.5; 64], [0.5; 64]);
        let event = |parameter: usize, value: f64| Event { offset: 7, parameter, value };
        let gain = event(GAIN, native(&plugin, GAIN, 0.5));
        let sleep = event(MISDEED, native(&plugin, MISDEED, 8.0));

        let (result, seen) = system_calls::watch(|| plugin.process(&mut [&mut left, &mut right], None, None, &[gain]));
        result.expect("a block");
        assert!(seen.is_none(), "{:?}, host and plugin together: {seen:#?}", bundle.format());

        let (result, seen) = system_calls::watch(|| plugin.process(&mut [&mut left, &mut right], None, None, &[sleep]));
        result.expect("a block");
        assert_eq!(seen.count, 1, "{seen:#?}");
        assert!(seen.calls[0].name.contains("nanosleep"), "{seen:#?}");
        let inside = seen.stacks[0].iter().any(|frame| frame.starts_with("Subject."));
        assert!(inside, "the stack leads into the bundle: {:#?}", seen.stacks);
    }
}
