//! The timer through which an instance comes to look after things on the main thread.

use crate::instance::Instance;
use crate::thread::guarded;
use std::sync::{Arc, Mutex, Weak};
use vst3::ComRef;
use vst3::Steinberg::FUnknown;

#[cfg(target_os = "linux")]
use linux::System;
#[cfg(target_os = "macos")]
use macos::System;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use none::System;
#[cfg(windows)]
use windows::System;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod none;
#[cfg(windows)]
mod windows;

/// The timer of one instance. All methods are for the main thread.
#[derive(Default)]
pub(crate) struct MainLoop(Mutex<System>);

/// Between two looks. Short enough for an editor's movements, long enough to cost nothing.
const PERIOD_MS: u32 = 30;

impl MainLoop {
    /// An object of the host's that may have an event loop.
    pub(crate) fn offer(&self, object: ComRef<FUnknown>) {
        System::offer(&self.0, object);
    }

    /// The object that was offered last goes away: an editor's frame.
    pub(crate) fn withdraw(&self, object: ComRef<FUnknown>) {
        System::withdraw(&self.0, object);
    }

    /// True if looks come.
    pub(crate) fn is_running(&self) -> bool {
        crate::thread::lock(&self.0).is_running()
    }

    /// From now on the instance looks after things.
    pub(crate) fn begin(&self, instance: &Arc<Instance>) {
        System::begin(&self.0, Arc::downgrade(instance));
    }

    /// No more looks; everything of the host's is let go of.
    pub(crate) fn end(&self) {
        System::end(&self.0);
    }
}

/// One look.
fn look(instance: &Weak<Instance>) {
    guarded((), || {
        if let Some(instance) = instance.upgrade() {
            instance.host.threads.set_main();
            instance.host.threads.as_main(|| instance.look());
        }
    });
}
