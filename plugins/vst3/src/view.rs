//! The editor: the plugin's own window inside the host's.

use crate::instance::Instance;
use crate::plugin::ClapPlugin;
use crate::thread::{guarded, lock};
use clap_sys::ext::gui::{clap_plugin_gui, clap_window, clap_window_handle};
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex};
use vst3::Steinberg::{
    FIDString, FUnknown, IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport,
    IPlugViewContentScaleSupport_::ScaleFactor, IPlugViewContentScaleSupportTrait, IPlugViewTrait, TBool, ViewRect,
    char16, int16, kInternalError, kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComRef, ComWrapper};

#[cfg(target_os = "macos")]
mod platform {
    pub(super) use clap_sys::ext::gui::CLAP_WINDOW_API_COCOA as API;
    pub(super) use vst3::Steinberg::kPlatformTypeNSView as TYPE;
    /// Sizes are in points, which know no scale.
    pub(super) const SCALES: bool = false;
}

#[cfg(windows)]
mod platform {
    pub(super) use clap_sys::ext::gui::CLAP_WINDOW_API_WIN32 as API;
    pub(super) use vst3::Steinberg::kPlatformTypeHWND as TYPE;
    pub(super) const SCALES: bool = true;
}

#[cfg(not(any(target_os = "macos", windows)))]
mod platform {
    pub(super) use clap_sys::ext::gui::CLAP_WINDOW_API_X11 as API;
    pub(super) use vst3::Steinberg::kPlatformTypeX11EmbedWindowID as TYPE;
    pub(super) const SCALES: bool = true;
}

/// Which view shows the instance's editor. A CLAP has one editor at most, while a host may make several views.
#[derive(Default)]
pub(crate) struct Shown {
    /// Null while there is no editor. Cleared on the main thread, before the view goes.
    view: AtomicPtr<IPlugView>,
    frame: Mutex<Option<ComPtr<IPlugFrame>>>,
    /// What the host gave last.
    size: Mutex<Option<(u32, u32)>>,
}

/// A view of the host's. The plugin's editor is made when its size is asked for or the view is attached, and ends when the
/// view is removed or let go of, or the plugin ends, whatever comes first.
struct View {
    instance: Arc<Instance>,
    /// This object, as the host knows it; not counted.
    this: AtomicPtr<IPlugView>,
    frame: Mutex<Option<ComPtr<IPlugFrame>>>,
    scale: Mutex<Option<f64>>,
}

/// A view with a reference for the host; null if the plugin has no editor for this platform.
pub(crate) fn create(instance: &Arc<Instance>) -> *mut IPlugView {
    let Some((plugin, gui)) = gui(instance) else { return null_mut() };
    let supported = gui.is_api_supported.is_some_and(|supported| {
        // SAFETY: a live plugin's function, on the main thread.
        unsafe { supported(plugin.raw(), platform::API.as_ptr(), false) }
    });
    if !supported {
        return null_mut();
    }
    let view = ComWrapper::new(View {
        instance: Arc::clone(instance),
        this: AtomicPtr::default(),
        frame: Mutex::default(),
        scale: Mutex::default(),
    });
    let Some(pointer) = view.to_com_ptr::<IPlugView>() else { return null_mut() };
    view.this.store(pointer.as_ptr(), Release);
    pointer.into_raw()
}

fn gui(instance: &Instance) -> Option<(Arc<ClapPlugin>, clap_plugin_gui)> {
    let plugin = instance.plugin()?;
    let gui = plugin.gui?;
    Some((plugin, gui))
}

impl Instance {
    /// Ends the editor. The view that showed it stays, empty, until the host lets go of it.
    pub(crate) fn close_editor(&self) {
        if !self.shown.view.swap(null_mut(), Release).is_null()
            && let Some((plugin, gui)) = gui(self)
            && let Some(destroy) = gui.destroy
        {
            // SAFETY: a live plugin's function, on the main thread; its editor was made.
            unsafe { destroy(plugin.raw()) };
        }
        let frame = lock(&self.shown.frame).take();
        *lock(&self.shown.size) = None;
        drop(frame);
    }

    /// Asks the host for another size of the editor, as the plugin wants.
    pub(crate) fn resize_editor(&self, (width, height): (u32, u32)) {
        let frame = lock(&self.shown.frame).clone();
        let view = self.shown.view.load(Acquire);
        let Some(frame) = frame.filter(|_| !view.is_null()) else { return };
        let before = lock(&self.shown.size).or_else(|| editor_size(self));
        let mut rect = rect(width, height);
        // SAFETY: a live frame, and a live view, as it is not cleared; on the main thread.
        let taken = unsafe { frame.resizeView(view, &mut rect) } == kResultOk;
        if !taken && let Some((width, height)) = before {
            // CLAP: an editor that asked in vain is given the size that it had
            set_editor_size(self, width, height);
        }
    }
}

fn editor_size(instance: &Instance) -> Option<(u32, u32)> {
    let (plugin, gui) = gui(instance)?;
    let (mut width, mut height) = (0, 0);
    // SAFETY: a live plugin's function, on the main thread, with places for the answers.
    unsafe { gui.get_size?(plugin.raw(), &mut width, &mut height) }.then_some((width, height))
}

fn set_editor_size(instance: &Instance, width: u32, height: u32) -> bool {
    let Some((plugin, gui)) = gui(instance) else { return false };
    // SAFETY: a live plugin's function, on the main thread.
    gui.set_size.is_some_and(|set_size| unsafe { set_size(plugin.raw(), width, height) })
}

fn rect(width: u32, height: u32) -> ViewRect {
    let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    ViewRect { left: 0, top: 0, right: side(width), bottom: side(height) }
}

fn size(rect: &ViewRect) -> (u32, u32) {
    let side = |from: i32, to: i32| u32::try_from(to.saturating_sub(from)).unwrap_or(0);
    (side(rect.left, rect.right), side(rect.top, rect.bottom))
}

impl View {
    /// A call of the host's on the main thread. A panic within ends here.
    fn main<R>(&self, otherwise: R, call: impl FnOnce() -> R) -> R {
        guarded(otherwise, || self.instance.host.threads.as_main(call))
    }

    fn shows_editor(&self) -> bool {
        self.instance.shown.view.load(Acquire) == self.this.load(Acquire)
    }

    /// Makes the plugin's editor for this view, if it is not there; false if another view has it, or there is none.
    fn make_editor(&self) -> bool {
        if self.shows_editor() {
            return true;
        }
        let Some((plugin, gui)) = gui(&self.instance) else { return false };
        if !self.instance.shown.view.load(Acquire).is_null() {
            return false;
        }
        // SAFETY: a live plugin's function, on the main thread; no editor is there.
        if !gui.create.is_some_and(|create| unsafe { create(plugin.raw(), platform::API.as_ptr(), false) }) {
            return false;
        }
        self.instance.shown.view.store(self.this.load(Acquire), Release);
        let frame = lock(&self.frame).clone();
        let before = std::mem::replace(&mut *lock(&self.instance.shown.frame), frame);
        drop(before);
        self.apply_scale();
        true
    }

    fn apply_scale(&self) {
        let scale = *lock(&self.scale);
        if let (Some(scale), true, Some((plugin, gui))) = (scale, platform::SCALES, gui(&self.instance))
            && let Some(set_scale) = gui.set_scale
        {
            // SAFETY: a live plugin's function, on the main thread; its editor was made.
            unsafe { set_scale(plugin.raw(), scale) };
        }
    }

    fn end_editor(&self) {
        if self.shows_editor() {
            self.instance.close_editor();
        }
    }

    /// The frame goes, and the event loop that came with it.
    fn let_go_of_frame(&self) {
        let frame = lock(&self.frame).take();
        if let Some(frame) = frame {
            self.instance.main_loop.withdraw(frame.upcast::<FUnknown>().as_com_ref());
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // a host that did not remove it
        self.main((), || {
            self.end_editor();
            self.let_go_of_frame();
        });
    }
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport);
}

// SAFETY of the calls below: pointers are null or valid, by the contract of the interfaces.

impl IPlugViewTrait for View {
    unsafe fn isPlatformTypeSupported(&self, kind: FIDString) -> tresult {
        guarded(kResultFalse, || {
            // SAFETY: see above; the binding's constant is a string.
            let ours = !kind.is_null() && unsafe { CStr::from_ptr(kind) == CStr::from_ptr(platform::TYPE) };
            if ours { kResultOk } else { kResultFalse }
        })
    }

    unsafe fn attached(&self, parent: *mut c_void, kind: FIDString) -> tresult {
        // SAFETY: as there.
        if parent.is_null() || unsafe { self.isPlatformTypeSupported(kind) } != kResultOk {
            return kInvalidArgument;
        }
        self.main(kInternalError, || {
            self.instance.host.threads.set_main();
            let Some((plugin, gui)) = gui(&self.instance).filter(|_| self.make_editor()) else { return kResultFalse };
            #[cfg(not(any(target_os = "macos", windows)))]
            let specific = clap_window_handle { x11: parent as std::ffi::c_ulong };
            #[cfg(any(target_os = "macos", windows))]
            let specific = clap_window_handle { ptr: parent };
            let window = clap_window { api: platform::API.as_ptr(), specific };
            // SAFETY: a live plugin's function, on the main thread; its editor was made, the parent is the host's window.
            if !gui.set_parent.is_some_and(|set_parent| unsafe { set_parent(plugin.raw(), &window) }) {
                self.end_editor();
                return kResultFalse;
            }
            if let Some(show) = gui.show {
                // SAFETY: as above. Editors that cannot be hidden need not be shown either.
                unsafe { show(plugin.raw()) };
            }
            kResultOk
        })
    }

    unsafe fn removed(&self) -> tresult {
        self.main(kInternalError, || {
            self.end_editor();
            // what was asked for while it was open
            self.instance.serve();
            kResultOk
        })
    }

    unsafe fn onWheel(&self, _: f32) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyDown(&self, _: char16, _: int16, _: int16) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyUp(&self, _: char16, _: int16, _: int16) -> tresult {
        kResultFalse
    }

    unsafe fn getSize(&self, out: *mut ViewRect) -> tresult {
        self.main(kInternalError, || {
            // SAFETY: see above.
            let Some(out) = (unsafe { out.as_mut() }) else { return kInvalidArgument };
            let found = if self.make_editor() { editor_size(&self.instance) } else { None };
            found.map_or(kResultFalse, |(width, height)| {
                *out = rect(width, height);
                kResultOk
            })
        })
    }

    unsafe fn onSize(&self, new: *mut ViewRect) -> tresult {
        self.main(kInternalError, || {
            // SAFETY: see above.
            let Some(new) = (unsafe { new.as_ref() }) else { return kInvalidArgument };
            if !self.shows_editor() {
                return kResultFalse;
            }
            let wanted = size(new);
            *lock(&self.instance.shown.size) = Some(wanted);
            let same = editor_size(&self.instance) == Some(wanted);
            if same || set_editor_size(&self.instance, wanted.0, wanted.1) { kResultOk } else { kResultFalse }
        })
    }

    unsafe fn onFocus(&self, _: TBool) -> tresult {
        kResultOk
    }

    unsafe fn setFrame(&self, frame: *mut IPlugFrame) -> tresult {
        self.main(kInternalError, || {
            self.let_go_of_frame();
            // SAFETY: see above.
            let frame = unsafe { ComRef::from_raw(frame) };
            if let Some(frame) = frame {
                self.instance.main_loop.offer(frame.upcast());
            }
            *lock(&self.frame) = frame.map(|frame| frame.to_com_ptr());
            if self.shows_editor() {
                let kept = lock(&self.frame).clone();
                let before = std::mem::replace(&mut *lock(&self.instance.shown.frame), kept);
                drop(before);
            }
            kResultOk
        })
    }

    unsafe fn canResize(&self) -> tresult {
        self.main(kResultFalse, || {
            let Some((plugin, gui)) = gui(&self.instance).filter(|_| self.make_editor()) else { return kResultFalse };
            // SAFETY: a live plugin's function, on the main thread; its editor was made.
            let can = gui.can_resize.is_some_and(|can_resize| unsafe { can_resize(plugin.raw()) });
            if can { kResultOk } else { kResultFalse }
        })
    }

    unsafe fn checkSizeConstraint(&self, wanted: *mut ViewRect) -> tresult {
        self.main(kResultFalse, || {
            // SAFETY: see above.
            let Some(wanted) = (unsafe { wanted.as_mut() }) else { return kInvalidArgument };
            let Some((plugin, gui)) = gui(&self.instance).filter(|_| self.shows_editor()) else { return kResultFalse };
            let (mut width, mut height) = size(wanted);
            // SAFETY: a live plugin's function, on the main thread, with places for the answers; its editor was made.
            let found = gui.adjust_size.is_some_and(|adjust| unsafe { adjust(plugin.raw(), &mut width, &mut height) });
            // an editor that has nothing to say stays as it is
            let fitting = if found { Some((width, height)) } else { editor_size(&self.instance) };
            let Some((width, height)) = fitting else { return kResultFalse };
            let fitted = rect(width, height);
            wanted.right = wanted.left.saturating_add(fitted.right);
            wanted.bottom = wanted.top.saturating_add(fitted.bottom);
            kResultOk
        })
    }
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, factor: ScaleFactor) -> tresult {
        self.main(kInternalError, || {
            if !(platform::SCALES && factor.is_finite() && factor > 0.0) {
                return kResultFalse;
            }
            *lock(&self.scale) = Some(f64::from(factor));
            if self.shows_editor() {
                self.apply_scale();
            }
            kResultOk
        })
    }
}
