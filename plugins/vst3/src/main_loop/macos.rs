//! macOS: a timer of the main run loop.

use super::{PERIOD_MS, look};
use crate::instance::Instance;
use crate::thread::lock;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::{Mutex, Weak};
use vst3::ComRef;
use vst3::Steinberg::FUnknown;

/// The timer, while there is one.
#[derive(Default)]
pub(super) struct System(Option<*mut c_void>);

#[repr(C)]
struct TimerContext {
    version: isize,
    info: *mut c_void,
    retain: Option<extern "C" fn(*const c_void) -> *const c_void>,
    release: Option<extern "C" fn(*const c_void)>,
    description: Option<extern "C" fn(*const c_void) -> *const c_void>,
}

type TimerCallback = extern "C" fn(*mut c_void, *mut c_void);

#[link(name = "CoreFoundation", kind = "framework")]
unsafe extern "C" {
    static kCFRunLoopCommonModes: *const c_void;
    fn CFAbsoluteTimeGetCurrent() -> f64;
    fn CFRunLoopGetMain() -> *mut c_void;
    fn CFRunLoopTimerCreate(
        allocator: *const c_void,
        first: f64,
        interval: f64,
        flags: usize,
        order: isize,
        callback: TimerCallback,
        context: *mut TimerContext,
    ) -> *mut c_void;
    fn CFRunLoopAddTimer(run_loop: *mut c_void, timer: *mut c_void, mode: *const c_void);
    fn CFRunLoopTimerInvalidate(timer: *mut c_void);
    fn CFRelease(object: *const c_void);
}

extern "C" fn fired(_: *mut c_void, info: *mut c_void) {
    // SAFETY: `info` is the box that belongs to the timer, released after the last call.
    let instance = unsafe { &*info.cast::<Weak<Instance>>() }.clone();
    look(&instance);
}

extern "C" fn release(info: *const c_void) {
    // SAFETY: the timer's own box, released once.
    drop(unsafe { Box::from_raw(info.cast_mut().cast::<Weak<Instance>>()) });
}

impl System {
    pub(super) fn is_running(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn offer(_: &Mutex<System>, _: ComRef<FUnknown>) {}

    pub(super) fn withdraw(_: &Mutex<System>, _: ComRef<FUnknown>) {}

    pub(super) fn begin(this: &Mutex<System>, instance: Weak<Instance>) {
        System::end(this);
        let interval = f64::from(PERIOD_MS) / 1000.0;
        let info = Box::into_raw(Box::new(instance)).cast();
        let mut context = TimerContext { version: 0, info, retain: None, release: Some(release), description: None };
        // SAFETY: the context is copied; without a `retain` the timer owns the box, and releases it when it is invalidated.
        unsafe {
            let first = CFAbsoluteTimeGetCurrent() + interval;
            let timer = CFRunLoopTimerCreate(null(), first, interval, 0, 0, fired, &mut context);
            if timer.is_null() {
                release(info);
                return;
            }
            CFRunLoopAddTimer(CFRunLoopGetMain(), timer, kCFRunLoopCommonModes);
            lock(this).0 = Some(timer);
        }
    }

    pub(super) fn end(this: &Mutex<System>) {
        let timer = lock(this).0.take();
        if let Some(timer) = timer {
            // SAFETY: the timer made above, of which we own a reference.
            unsafe {
                CFRunLoopTimerInvalidate(timer);
                CFRelease(timer);
            }
        }
    }
}
