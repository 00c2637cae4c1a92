//! The editor of a VST 3 plugin, embedded.

use super::host_objects::HostContext;
use super::host_objects::run_loop::PluginRunLoop;
use super::result_name;
use crate::bridge::{Bridge, tick};
use crate::editor::{EditorOptions, Picture, failed};
use crate::error::HostError;
use crate::window::{EditorThreads, Window};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vst3::Steinberg::Linux::{IEventHandler, IRunLoop, IRunLoopTrait, ITimerHandler};
use vst3::Steinberg::Vst::{IEditController, IEditControllerTrait, ViewType};
use vst3::Steinberg::{
    IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport, IPlugViewContentScaleSupportTrait,
    IPlugViewTrait, ViewRect, kInvalidArgument, kPlatformTypeX11EmbedWindowID, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComRef, ComWrapper};

/// Open until it is dropped.
pub(super) struct Vst3Editor {
    place: String,
    bridge: Arc<Bridge>,
    view: ComPtr<IPlugView>,
    window: Window,
    /// The plugin holds it without a reference of its own in some implementations.
    _frame: ComPtr<IPlugFrame>,
    /// Dropped last.
    _threads: EditorThreads,
}

impl Vst3Editor {
    pub(super) fn open(
        place: &str,
        controller: &ComPtr<IEditController>,
        context: &ComWrapper<HostContext>,
        bridge: &Arc<Bridge>,
        options: EditorOptions,
    ) -> Result<Vst3Editor, HostError> {
        bridge.wants_size.store(0, Ordering::Release);
        let threads = EditorThreads::note(bridge);
        let frame = Frame { bridge: Arc::clone(bridge), run_loop: Arc::clone(&context.run_loop) };
        let Some(frame) = ComWrapper::new(frame).to_com_ptr::<IPlugFrame>() else {
            unreachable!("the class has this interface");
        };
        // SAFETY: a live controller; the view that it answers is owned by the caller.
        let view = unsafe { ComPtr::from_raw(controller.createView(ViewType::kEditor)) };
        let view = view.ok_or_else(|| failed(place, "createView answered null: it has none"))?;
        // SAFETY: a live view, by the order of calls that the format prescribes. The window outlives the attachment,
        // see `drop`.
        unsafe {
            if view.isPlatformTypeSupported(kPlatformTypeX11EmbedWindowID) != kResultOk {
                return Err(failed(place, "it cannot be embedded in an X11 window"));
            }
            view.setFrame(frame.as_ptr());
            if let (Some(scale), Some(scaled)) = (options.scale, view.cast::<IPlugViewContentScaleSupport>()) {
                scaled.setContentScaleFactor(scale as f32);
            }
            let size = match size_of(&view) {
                Some(size) => size,
                None => return Err(failed(place, "getSize answered no size")),
            };
            let window = Window::open(place, size)?;
            let attached = view.attached(window.id() as usize as *mut c_void, kPlatformTypeX11EmbedWindowID);
            if attached != kResultOk {
                view.setFrame(null_mut());
                return Err(failed(place, format!("attached answered {}", result_name(attached))));
            }
            let (place, bridge) = (place.to_owned(), Arc::clone(bridge));
            Ok(Vst3Editor { place, bridge, view, window, _frame: frame, _threads: threads })
        }
    }

    /// Grants a size that the plugin has asked for.
    pub(super) fn idle(&mut self) {
        let wanted = self.bridge.wants_size.swap(0, Ordering::AcqRel);
        if wanted != 0 {
            self.window.resize(((wanted >> 32) as u32, wanted as u32));
        }
    }

    pub(super) fn resize(&mut self, width: u32, height: u32) -> Result<(u32, u32), HostError> {
        let mut rect = ViewRect { left: 0, top: 0, right: width as i32, bottom: height as i32 };
        // SAFETY: a live view.
        unsafe {
            if self.view.canResize() != kResultOk {
                return Err(failed(&self.place, "it cannot be resized"));
            }
            self.view.checkSizeConstraint(&mut rect);
            let result = self.view.onSize(&mut rect);
            if result != kResultOk {
                return Err(failed(&self.place, format!("onSize answered {}", result_name(result))));
            }
        }
        let size = ((rect.right - rect.left).max(1) as u32, (rect.bottom - rect.top).max(1) as u32);
        self.window.resize(size);
        Ok(size)
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.window.size()
    }

    pub(super) fn picture(&self) -> Result<Picture, HostError> {
        self.window.picture()
    }

    pub(super) fn window(&self) -> u32 {
        self.window.id()
    }
}

impl Drop for Vst3Editor {
    fn drop(&mut self) {
        // SAFETY: a live, attached view; the window goes afterwards.
        unsafe {
            self.view.removed();
            self.view.setFrame(null_mut());
        }
    }
}

/// # Safety
/// A live view.
unsafe fn size_of(view: &ComPtr<IPlugView>) -> Option<(u32, u32)> {
    let mut rect = ViewRect { left: 0, top: 0, right: 0, bottom: 0 };
    // SAFETY: by the contract above.
    let result = unsafe { view.getSize(&mut rect) };
    let side = |from: i32, to: i32| u32::try_from(to.checked_sub(from)?).ok();
    side(rect.left, rect.right).zip(side(rect.top, rect.bottom)).filter(|_| result == kResultOk)
}

/// Hears the view.
struct Frame {
    bridge: Arc<Bridge>,
    run_loop: Arc<PluginRunLoop>,
}

impl Class for Frame {
    type Interfaces = (IPlugFrame, IRunLoop);
}

impl IPlugFrameTrait for Frame {
    unsafe fn resizeView(&self, view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        // SAFETY: null or valid, by the contract of the call.
        let (Some(view), Some(rect)) = (unsafe { (ComRef::from_raw(view), size.as_mut()) }) else {
            return kInvalidArgument;
        };
        let (width, height) = ((rect.right - rect.left).max(1) as u32, (rect.bottom - rect.top).max(1) as u32);
        tick(&self.bridge.counts.editor);
        self.bridge.wants_size.store(u64::from(width) << 32 | u64::from(height), Ordering::Release);
        // SAFETY: the host answers with this call, from within.
        unsafe { view.onSize(rect) }
    }
}

impl IRunLoopTrait for Frame {
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
