//! The editor as VST 3.

use crate::editor::Editor;
use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use vst3::Steinberg::Linux::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComRef, ComWrapper};

pub fn view() -> *mut IPlugView {
    let view = ComWrapper::new(View { editor: Editor::new(), frame: RefCell::default() });
    view.to_com_ptr().map_or(std::ptr::null_mut(), ComPtr::into_raw)
}

struct View {
    editor: Editor,
    frame: RefCell<Option<ComPtr<IPlugFrame>>>,
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport, ITimerHandler, IEventHandler);
}

impl View {
    /// The host's event loop, and this view as its two handlers, without a reference of their own.
    fn run_loop(&self) -> Option<ComPtr<IRunLoop>> {
        self.frame.borrow().as_ref()?.cast()
    }

    /// This object's own interface.
    fn me<I: vst3::Interface>(&self) -> *mut I {
        use vst3::com_scrape_types::{InterfaceList, Wrapper};
        let offset = <View as Class>::Interfaces::query(&I::IID).unwrap_or(0);
        unsafe {
            let header = <ComWrapper<View> as Wrapper<View>>::header_from_data(self as *const View as *mut View);
            header.cast::<u8>().offset(offset).cast()
        }
    }
}

impl IPlugViewTrait for View {
    unsafe fn isPlatformTypeSupported(&self, kind: FIDString) -> tresult {
        let x11 = unsafe { CStr::from_ptr(kind) == CStr::from_ptr(kPlatformTypeX11EmbedWindowID) };
        if x11 { kResultOk } else { kResultFalse }
    }

    unsafe fn attached(&self, parent: *mut c_void, _: FIDString) -> tresult {
        let Some(run_loop) = self.run_loop() else { return kResultFalse };
        unsafe {
            run_loop.registerTimer(self.me(), 30);
            run_loop.registerEventHandler(self.me(), self.editor.descriptor());
        }
        if self.editor.show_in(parent as usize as u32) { kResultOk } else { kResultFalse }
    }

    unsafe fn removed(&self) -> tresult {
        if let Some(run_loop) = self.run_loop() {
            unsafe {
                run_loop.unregisterTimer(self.me());
                run_loop.unregisterEventHandler(self.me());
            }
        }
        kResultOk
    }

    unsafe fn onWheel(&self, _: f32) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyDown(&self, _: char16, _: i16, _: i16) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyUp(&self, _: char16, _: i16, _: i16) -> tresult {
        kResultFalse
    }

    unsafe fn getSize(&self, size: *mut ViewRect) -> tresult {
        let (width, height) = self.editor.size();
        unsafe { *size = ViewRect { left: 0, top: 0, right: width as i32, bottom: height as i32 } };
        kResultOk
    }

    unsafe fn onSize(&self, size: *mut ViewRect) -> tresult {
        let size = unsafe { &*size };
        self.editor.resize(((size.right - size.left) as u32, (size.bottom - size.top) as u32));
        kResultOk
    }

    unsafe fn onFocus(&self, _: TBool) -> tresult {
        kResultOk
    }

    unsafe fn setFrame(&self, frame: *mut IPlugFrame) -> tresult {
        *self.frame.borrow_mut() = unsafe { ComRef::from_raw(frame) }.map(|frame| frame.to_com_ptr());
        kResultOk
    }

    unsafe fn canResize(&self) -> tresult {
        kResultOk
    }

    unsafe fn checkSizeConstraint(&self, rect: *mut ViewRect) -> tresult {
        let rect = unsafe { &mut *rect };
        let size = Editor::adjusted(((rect.right - rect.left) as u32, (rect.bottom - rect.top) as u32));
        (rect.right, rect.bottom) = (rect.left + size.0 as i32, rect.top + size.1 as i32);
        kResultOk
    }
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, factor: f32) -> tresult {
        self.editor.scale(f64::from(factor));
        kResultOk
    }
}

impl ITimerHandlerTrait for View {
    unsafe fn onTimer(&self) {
        self.editor.on_timer();
    }
}

impl IEventHandlerTrait for View {
    unsafe fn onFDIsSet(&self, _: i32) {
        self.editor.on_descriptor();
    }
}
