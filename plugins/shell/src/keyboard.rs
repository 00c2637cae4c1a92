//! Whose the keyboard is: the host's, unless text is being typed here.
//!
//! On Windows and macOS a key that the editor does not take goes on to the host. X11 knows no such thing: a window that
//! asks for keys gets them all while it has the focus or the pointer, and the framework's window asks, and takes the focus
//! with each click. So while no text is typed, the window asks for no keys, and gives the focus back to whom it took it from.

use egui::Context;
use nice_plug_egui::{Frame, KeyCapture};

/// Follows whether text is being typed.
#[derive(Default)]
pub struct Keyboard {
    #[cfg(target_os = "linux")]
    x11: x11::Keys,
}

impl Keyboard {
    /// Called once each frame.
    pub fn follow(&mut self, ctx: &Context, frame: &mut Frame) {
        let typing = ctx.text_edit_focused();
        frame.set_key_capture(if typing { KeyCapture::CaptureAll } else { KeyCapture::IgnoreAll });
        #[cfg(target_os = "linux")]
        self.x11.follow(ctx, frame, typing);
    }
}

#[cfg(target_os = "linux")]
mod x11 {
    use egui::Context;
    use nice_plug_egui::Frame;
    use raw_window_handle::{HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
    use x11_dl::xlib_xcb::Xlib_xcb;
    use x11rb::CURRENT_TIME;
    use x11rb::errors::ReplyError;
    use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt, EventMask, InputFocus, MapState, Window};
    use x11rb::xcb_ffi::XCBConnection;

    #[derive(Default)]
    pub struct Keys {
        /// Whether the window asks for keys, once that was settled.
        asks: Option<bool>,
        /// Who had the focus when the pointer came in.
        before: Option<Window>,
        pointer_is_here: bool,
        /// The focus is given back once for each time that it was taken, and never in a contest with the host.
        owes_focus: bool,
    }

    impl Keys {
        pub fn follow(&mut self, ctx: &Context, frame: &Frame, typing: bool) {
            let window = frame.baseview_window();
            let (is_here, pressed, down) =
                ctx.input(|i| (i.pointer.has_pointer(), i.pointer.any_pressed(), i.pointer.any_down()));
            let came = is_here && !self.pointer_is_here;
            self.pointer_is_here = is_here;
            let has_focus = window.has_focus();
            self.owes_focus |= pressed || self.asks == Some(true) && !typing;
            let settles = self.asks != Some(typing);
            let looks = came && !has_focus;
            let returns = self.owes_focus && has_focus && !typing && !down;
            if !(settles || looks || returns) {
                return;
            }
            let _ = with_window(frame, |x, own| {
                if settles {
                    ask_for_keys(x, own, typing)?;
                    self.asks = Some(typing);
                }
                if looks {
                    let focus = x.get_input_focus()?.reply()?.focus;
                    // 0 and 1 stand for no window and for the one below the pointer
                    self.before = (focus > 1 && focus != own).then_some(focus);
                }
                if returns {
                    let to = match self.before.filter(|w| is_viewable(x, *w)) {
                        Some(window) => window,
                        None => top_level(x, own)?,
                    };
                    x.set_input_focus(InputFocus::PARENT, to, CURRENT_TIME)?.check()?;
                    self.owes_focus = false;
                }
                Ok(())
            });
            if typing && !has_focus {
                let _ = window.focus();
            }
        }
    }

    /// Calls `act` with the window's own connection, which alone can change what the window asks for.
    fn with_window(
        frame: &Frame,
        act: impl FnOnce(&XCBConnection, Window) -> Result<(), ReplyError>,
    ) -> Option<Result<(), ReplyError>> {
        let context = frame.baseview_window();
        let RawDisplayHandle::Xlib(display) = context.display_handle().ok()?.as_raw() else { return None };
        let RawWindowHandle::Xlib(window) = context.window_handle().ok()?.as_raw() else { return None };
        let display = display.display?.as_ptr();
        let library = Xlib_xcb::open().ok()?;
        // SAFETY: `context` keeps the display open as long as it lives, and it outlives this call.
        let raw = unsafe { (library.XGetXCBConnection)(display.cast()) };
        if raw.is_null() {
            return None;
        }
        // SAFETY: the connection belongs to the display, which outlives this call; it is not closed on drop. Requests go
        // through xcb, whose errors come back as values, rather than to Xlib's handler, which ends the process.
        let connection = unsafe { XCBConnection::from_raw_xcb_connection(raw.cast(), false) }.ok()?;
        Some(act(&connection, Window::try_from(window.window).ok()?))
    }

    fn ask_for_keys(x: &XCBConnection, window: Window, ask: bool) -> Result<(), ReplyError> {
        let keys = EventMask::KEY_PRESS | EventMask::KEY_RELEASE;
        let mask = x.get_window_attributes(window)?.reply()?.your_event_mask;
        let mask = if ask { mask | keys } else { EventMask::from(u32::from(mask) & !u32::from(keys)) };
        x.change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(mask))?.check()
    }

    fn is_viewable(x: &XCBConnection, window: Window) -> bool {
        let attributes = x.get_window_attributes(window).ok().and_then(|cookie| cookie.reply().ok());
        attributes.is_some_and(|a| a.map_state == MapState::VIEWABLE)
    }

    /// The host's window that `window` is in: the last before the screen's root.
    fn top_level(x: &XCBConnection, window: Window) -> Result<Window, ReplyError> {
        let mut at = window;
        // windows are not nested deeper than this
        for _ in 0..32 {
            let tree = x.query_tree(at)?.reply()?;
            if tree.parent == tree.root || tree.parent == 0 {
                break;
            }
            at = tree.parent;
        }
        Ok(at)
    }
}
