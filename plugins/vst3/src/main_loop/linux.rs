//! Linux: an `IRunLoop` of the host's, from its context or from an editor's frame.

use super::{PERIOD_MS, look};
use crate::instance::Instance;
use crate::thread::lock;
use std::sync::{Mutex, Weak};
use vst3::Steinberg::FUnknown;
use vst3::Steinberg::Linux::{IRunLoop, IRunLoopTrait, ITimerHandler, ITimerHandlerTrait};
use vst3::{Class, ComPtr, ComRef, ComWrapper};

/// The event loops that were offered, and the timer at one of them.
#[derive(Default)]
pub(super) struct System {
    /// With the object that each came from.
    loops: Vec<(*mut FUnknown, ComPtr<IRunLoop>)>,
    handler: Option<ComPtr<ITimerHandler>>,
    /// Where the handler is registered.
    at: Option<ComPtr<IRunLoop>>,
}

struct Timer(Weak<Instance>);

impl Class for Timer {
    type Interfaces = (ITimerHandler,);
}

impl ITimerHandlerTrait for Timer {
    unsafe fn onTimer(&self) {
        look(&self.0);
    }
}

impl System {
    pub(super) fn is_running(&self) -> bool {
        self.at.is_some()
    }

    pub(super) fn offer(this: &Mutex<System>, object: ComRef<FUnknown>) {
        if let Some(run_loop) = object.cast::<IRunLoop>() {
            lock(this).loops.push((object.as_ptr(), run_loop));
            System::settle(this);
        }
    }

    pub(super) fn withdraw(this: &Mutex<System>, object: ComRef<FUnknown>) {
        let mut system = lock(this);
        let place = system.loops.iter().rposition(|(from, _)| *from == object.as_ptr());
        let gone = place.map(|place| system.loops.remove(place));
        drop(system);
        if gone.is_some() {
            System::settle(this);
        }
    }

    pub(super) fn begin(this: &Mutex<System>, instance: Weak<Instance>) {
        lock(this).handler = ComWrapper::new(Timer(instance)).to_com_ptr();
        System::settle(this);
    }

    pub(super) fn end(this: &Mutex<System>) {
        let loops = std::mem::take(&mut lock(this).loops);
        System::settle(this);
        let handler = lock(this).handler.take();
        drop((loops, handler));
    }

    /// Registers the timer at the event loop that was offered last, and nowhere else: a frame's is nearer than that of the
    /// instance's context, and that nearer than the module's.
    fn settle(this: &Mutex<System>) {
        let (handler, before, now) = {
            let mut system = lock(this);
            let now =
                system.handler.is_some().then(|| system.loops.last().map(|(_, run_loop)| run_loop.clone())).flatten();
            let same = |a: &ComPtr<IRunLoop>, b: &ComPtr<IRunLoop>| a.as_ptr() == b.as_ptr();
            match (&system.at, &now) {
                (None, None) => return,
                (Some(at), Some(now)) if same(at, now) => return,
                _ => {}
            }
            let before = std::mem::replace(&mut system.at, now.clone());
            (system.handler.clone(), before, now)
        };
        let Some(handler) = handler else { return };
        // SAFETY: live objects of the host's, on the main thread; no lock is held.
        unsafe {
            if let Some(before) = before {
                before.unregisterTimer(handler.as_ptr());
            }
            if let Some(now) = now {
                now.registerTimer(handler.as_ptr(), u64::from(PERIOD_MS));
            }
        }
    }
}
