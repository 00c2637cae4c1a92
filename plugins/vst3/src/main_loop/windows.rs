//! Windows: a timer of the main thread's message loop.

use super::{PERIOD_MS, look};
use crate::instance::Instance;
use crate::thread::lock;
use std::ffi::c_void;
use std::sync::{Mutex, Weak};
use vst3::ComRef;
use vst3::Steinberg::FUnknown;

/// The timer, while there is one.
#[derive(Default)]
pub(super) struct System(Option<usize>);

/// Which timer belongs to which instance: the system's callback says its timer's number only.
static TIMERS: Mutex<Vec<(usize, Weak<Instance>)>> = Mutex::new(Vec::new());

type TimerProc = unsafe extern "system" fn(*mut c_void, u32, usize, u32);

#[link(name = "user32")]
unsafe extern "system" {
    fn SetTimer(window: *mut c_void, id: usize, milliseconds: u32, callback: Option<TimerProc>) -> usize;
    fn KillTimer(window: *mut c_void, id: usize) -> i32;
}

unsafe extern "system" fn fired(_: *mut c_void, _: u32, timer: usize, _: u32) {
    let instance = lock(&TIMERS).iter().find(|(id, _)| *id == timer).map(|(_, instance)| instance.clone());
    if let Some(instance) = instance {
        look(&instance);
    }
}

impl System {
    pub(super) fn is_running(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn offer(_: &Mutex<System>, _: ComRef<FUnknown>) {}

    pub(super) fn withdraw(_: &Mutex<System>, _: ComRef<FUnknown>) {}

    pub(super) fn begin(this: &Mutex<System>, instance: Weak<Instance>) {
        System::end(this);
        // SAFETY: a timer without a window, of this thread's message loop.
        let timer = unsafe { SetTimer(std::ptr::null_mut(), 0, PERIOD_MS, Some(fired)) };
        if timer != 0 {
            lock(&TIMERS).push((timer, instance));
            lock(this).0 = Some(timer);
        }
    }

    pub(super) fn end(this: &Mutex<System>) {
        if let Some(timer) = lock(this).0.take() {
            lock(&TIMERS).retain(|(id, _)| *id != timer);
            // SAFETY: a timer of this thread.
            unsafe { KillTimer(std::ptr::null_mut(), timer) };
        }
    }
}
