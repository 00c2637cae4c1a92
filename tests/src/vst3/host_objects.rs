//! What the host offers to a VST 3 plugin: its context, the handler of a controller's wishes, and on Linux the event
//! loop.

use super::message::{Attributes, Message};
use super::write_text16;
use crate::bridge::{Bridge, tick};
use crate::types::Edit;
use std::ffi::{c_char, c_void};
use std::sync::Arc;
use vst3::Steinberg::Vst::RestartFlags_ as restart;
use vst3::Steinberg::Vst::{
    IAttributeList, IComponentHandler, IComponentHandler2, IComponentHandler2Trait, IComponentHandlerTrait,
    IHostApplication, IHostApplicationTrait, IMessage, ParamID, String128,
};
use vst3::Steinberg::{TBool, TUID, kInvalidArgument, kNoInterface, kResultOk, tresult};
use vst3::{Class, ComWrapper, Interface};

/// The host application.
pub(super) struct HostContext {
    #[cfg(target_os = "linux")]
    pub(super) run_loop: Arc<run_loop::PluginRunLoop>,
}

impl HostContext {
    pub(super) fn new() -> HostContext {
        HostContext {
            #[cfg(target_os = "linux")]
            run_loop: Arc::default(),
        }
    }
}

impl Class for HostContext {
    #[cfg(target_os = "linux")]
    type Interfaces = (IHostApplication, vst3::Steinberg::Linux::IRunLoop);
    #[cfg(not(target_os = "linux"))]
    type Interfaces = (IHostApplication,);
}

impl IHostApplicationTrait for HostContext {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        // SAFETY: null or valid, by the contract of the call.
        match unsafe { name.as_mut() } {
            Some(name) => write_text16("Tandem test host", name),
            None => return kInvalidArgument,
        }
        kResultOk
    }

    unsafe fn createInstance(&self, class: *mut TUID, interface: *mut TUID, out: *mut *mut c_void) -> tresult {
        // SAFETY: null or valid, by the contract of the call.
        let (Some(class), Some(_), Some(out)) = (unsafe { (class.as_ref(), interface.as_ref(), out.as_mut()) }) else {
            return kInvalidArgument;
        };
        let is = |id: &[u8; 16]| class.iter().zip(id).all(|(&a, &b)| a as u8 == b);
        let object: *mut c_void = if is(&IMessage::IID) {
            let message = ComWrapper::new(Message::new()).to_com_ptr::<IMessage>();
            message.map_or(std::ptr::null_mut(), |message| message.into_raw().cast())
        } else if is(&IAttributeList::IID) {
            let list = ComWrapper::new(Attributes::default()).to_com_ptr::<IAttributeList>();
            list.map_or(std::ptr::null_mut(), |list| list.into_raw().cast())
        } else {
            std::ptr::null_mut()
        };
        *out = object;
        if object.is_null() { kNoInterface } else { kResultOk }
    }
}

/// Hears the controller.
pub(super) struct Handler(pub(super) Arc<Bridge>);

impl Class for Handler {
    type Interfaces = (IComponentHandler, IComponentHandler2);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, id: ParamID) -> tresult {
        self.edit(id, |parameter| Edit::Begin { parameter })
    }

    unsafe fn performEdit(&self, id: ParamID, value: f64) -> tresult {
        if let Some(parameter) = self.0.index_of(id) {
            // the processor learns it from the host alone
            self.0.send_to_plugin(parameter, value);
        }
        self.edit(id, |parameter| Edit::Value { parameter, value })
    }

    unsafe fn endEdit(&self, id: ParamID) -> tresult {
        self.edit(id, |parameter| Edit::End { parameter })
    }

    unsafe fn restartComponent(&self, flags: i32) -> tresult {
        let counts = &self.0.counts;
        let has = |wanted: i32| flags & wanted != 0;
        if has(restart::kReloadComponent | restart::kIoChanged | restart::kLatencyChanged) {
            tick(&counts.restart);
        }
        if has(restart::kLatencyChanged) {
            tick(&counts.latency_changed);
        }
        if has(restart::kIoChanged | restart::kIoTitlesChanged) {
            tick(&counts.ports_changed);
        }
        if has(restart::kParamValuesChanged) {
            tick(&counts.values_changed);
        }
        if has(restart::kParamTitlesChanged | restart::kParamIDMappingChanged) {
            tick(&counts.parameters_changed);
        }
        kResultOk
    }
}

impl IComponentHandler2Trait for Handler {
    unsafe fn setDirty(&self, state: TBool) -> tresult {
        if state != 0 {
            tick(&self.0.counts.state_dirty);
        }
        kResultOk
    }

    unsafe fn requestOpenEditor(&self, _: *const c_char) -> tresult {
        tick(&self.0.counts.editor);
        kResultOk
    }

    unsafe fn startGroupEdit(&self) -> tresult {
        kResultOk
    }

    unsafe fn finishGroupEdit(&self) -> tresult {
        kResultOk
    }
}

impl Handler {
    fn edit(&self, id: ParamID, edit: impl FnOnce(usize) -> Edit) -> tresult {
        match self.0.index_of(id) {
            Some(parameter) => {
                self.0.edited(edit(parameter));
                kResultOk
            }
            None => kInvalidArgument,
        }
    }
}

/// The event loop that a plugin on Linux asks its host for.
#[cfg(target_os = "linux")]
pub(super) mod run_loop {
    use super::HostContext;
    use crate::bridge::lock;
    use crate::run_loop::RunLoop;
    use std::sync::Mutex;
    use std::time::Duration;
    use vst3::ComPtr;
    use vst3::ComRef;
    use vst3::Steinberg::Linux::{IEventHandler, IEventHandlerTrait, IRunLoopTrait, ITimerHandler, ITimerHandlerTrait};
    use vst3::Steinberg::{kInvalidArgument, kResultFalse, kResultOk, tresult};

    /// The timers and descriptors of one instance.
    pub(in crate::vst3) struct PluginRunLoop(Mutex<RunLoop<ComPtr<ITimerHandler>, ComPtr<IEventHandler>>>);

    impl Default for PluginRunLoop {
        fn default() -> PluginRunLoop {
            PluginRunLoop(Mutex::new(RunLoop::new()))
        }
    }

    impl PluginRunLoop {
        /// Serves what is due.
        pub(in crate::vst3) fn turn(&self) {
            // collected first: a handler may add and remove
            let (timers, descriptors) = {
                let mut run_loop = lock(&self.0);
                (run_loop.due_timers(), run_loop.ready_descriptors())
            };
            for (descriptor, handler) in descriptors {
                // SAFETY: the handler is held by a reference of ours.
                unsafe { handler.onFDIsSet(descriptor) };
            }
            for (_, handler) in timers {
                // SAFETY: as above.
                unsafe { handler.onTimer() };
            }
        }

        /// # Safety
        /// `handler` is null or valid, as in the three below.
        pub(in crate::vst3) unsafe fn add_descriptor(&self, handler: *mut IEventHandler, descriptor: i32) -> tresult {
            // SAFETY: null or valid, by the contract.
            let Some(handler) = (unsafe { ComRef::from_raw(handler) }) else { return kInvalidArgument };
            lock(&self.0).add_descriptor(descriptor, handler.to_com_ptr());
            kResultOk
        }

        pub(in crate::vst3) unsafe fn remove_descriptor(&self, handler: *mut IEventHandler) -> tresult {
            removed(lock(&self.0).remove_descriptors(|_, known| known.as_ptr() == handler))
        }

        pub(in crate::vst3) unsafe fn add_timer(&self, handler: *mut ITimerHandler, milliseconds: u64) -> tresult {
            // SAFETY: null or valid, by the contract.
            let Some(handler) = (unsafe { ComRef::from_raw(handler) }) else { return kInvalidArgument };
            lock(&self.0).add_timer(Duration::from_millis(milliseconds.max(1)), handler.to_com_ptr());
            kResultOk
        }

        pub(in crate::vst3) unsafe fn remove_timer(&self, handler: *mut ITimerHandler) -> tresult {
            removed(lock(&self.0).remove_timers(|_, known| known.as_ptr() == handler))
        }
    }

    fn removed(any: bool) -> tresult {
        if any { kResultOk } else { kResultFalse }
    }

    impl IRunLoopTrait for HostContext {
        unsafe fn registerEventHandler(&self, handler: *mut IEventHandler, descriptor: i32) -> tresult {
            // SAFETY: the contract of the call is that of the method.
            unsafe { self.run_loop.add_descriptor(handler, descriptor) }
        }

        unsafe fn unregisterEventHandler(&self, handler: *mut IEventHandler) -> tresult {
            // SAFETY: as above.
            unsafe { self.run_loop.remove_descriptor(handler) }
        }

        unsafe fn registerTimer(&self, handler: *mut ITimerHandler, milliseconds: u64) -> tresult {
            // SAFETY: as above.
            unsafe { self.run_loop.add_timer(handler, milliseconds) }
        }

        unsafe fn unregisterTimer(&self, handler: *mut ITimerHandler) -> tresult {
            // SAFETY: as above.
            unsafe { self.run_loop.remove_timer(handler) }
        }
    }
}
