//! Which thread is which, as CLAP wants to know, and panics kept inside.
//!
//! No thread-locals: in a library that was loaded at run time, a thread's first use of one allocates.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The threads of one instance, as far as they are known. Threads are told apart by [`here`].
#[derive(Default)]
pub(crate) struct Threads {
    /// Where the host made the instance or attached its editor last.
    main: AtomicUsize,
    /// The thread that is in a call of the main thread's right now. Mostly the same; some hosts load states elsewhere.
    guest: AtomicUsize,
    /// The thread that is in a call of the audio thread's right now.
    audio: AtomicUsize,
}

impl Threads {
    /// The calling thread is the main thread from now on.
    pub(crate) fn set_main(&self) {
        self.main.store(here(), Relaxed);
    }

    /// Runs `call` as on the main thread.
    pub(crate) fn as_main<R>(&self, call: impl FnOnce() -> R) -> R {
        let _role = Role::enter(&self.guest);
        call()
    }

    /// Runs `call` as on the audio thread. Real-time safe if `call` is.
    pub(crate) fn as_audio<R>(&self, call: impl FnOnce() -> R) -> R {
        let _role = Role::enter(&self.audio);
        call()
    }

    /// Real-time safe.
    pub(crate) fn is_main(&self) -> bool {
        let here = here();
        !self.is_audio() && (self.guest.load(Relaxed) == here || self.main.load(Relaxed) == here)
    }

    /// Real-time safe.
    pub(crate) fn is_audio(&self) -> bool {
        self.audio.load(Relaxed) == here()
    }
}

/// A thread in a role until this is dropped, also by a panic.
struct Role<'a> {
    place: &'a AtomicUsize,
    before: usize,
}

impl<'a> Role<'a> {
    fn enter(place: &'a AtomicUsize) -> Role<'a> {
        Role { place, before: place.swap(here(), Relaxed) }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        self.place.store(self.before, Relaxed);
    }
}

/// A number that tells this thread from all others that live, never 0. Real-time safe.
#[cfg(unix)]
fn here() -> usize {
    // SAFETY: has no preconditions.
    unsafe { libc::pthread_self() as usize }
}

/// A number that tells this thread from all others that live, never 0. Real-time safe.
#[cfg(windows)]
fn here() -> usize {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentThreadId() -> u32;
    }
    // SAFETY: has no preconditions.
    unsafe { GetCurrentThreadId() as usize }
}

/// Runs `call`; a panic ends here and gives `otherwise`.
pub(crate) fn guarded<R>(otherwise: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

/// Locks, also after a panic: what is kept under these locks is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_nest_and_end() {
        let threads = Threads::default();
        assert!(!threads.is_main() && !threads.is_audio());
        threads.as_main(|| {
            assert!(threads.is_main());
            threads.as_audio(|| assert!(threads.is_audio() && !threads.is_main()));
            assert!(threads.is_main() && !threads.is_audio());
        });
        assert!(!threads.is_main());
        guarded((), || threads.as_audio(|| panic!("on purpose")));
        assert!(!threads.is_audio(), "a panic ends the role too");
        threads.set_main();
        assert!(threads.is_main());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!threads.is_main());
                threads.as_main(|| assert!(threads.is_main()));
            });
        });
    }
}
