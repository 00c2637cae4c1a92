//! Which of the two threads that plugin formats speak of, main and audio, the running code stands for.
//!
//! The formats do not ask for two threads of the system, only that calls of one kind never overlap and that the
//! host can tell which kind it is in. So the role travels with the call: a test may run both sides in turn on one
//! thread, or the audio side on a thread of its own (`Plugin::split`), and the answer to CLAP's thread check is
//! right either way.

use std::cell::Cell;
use std::thread::{self, ThreadId};

thread_local! {
    static IN_AUDIO_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call` as the audio thread.
pub(crate) fn as_audio<R>(call: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_AUDIO_CALL.set(self.0);
        }
    }
    let _restore = Restore(IN_AUDIO_CALL.replace(true));
    call()
}

/// True inside a call that the host makes as the audio thread.
pub(crate) fn is_audio() -> bool {
    IN_AUDIO_CALL.get()
}

/// The thread that created an instance, which is its main thread for life.
#[derive(Clone, Copy)]
pub(crate) struct MainThread(ThreadId);

impl MainThread {
    pub(crate) fn here() -> MainThread {
        MainThread(thread::current().id())
    }

    /// True on that thread, outside of audio calls.
    pub(crate) fn is_current(self) -> bool {
        !is_audio() && thread::current().id() == self.0
    }
}
