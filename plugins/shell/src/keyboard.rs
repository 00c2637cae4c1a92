//! Whose the keyboard is: the host's, unless text is being typed here.

use egui::Context;
use nice_plug_egui::{Frame, KeyCapture};

/// Follows whether text is being typed.
#[derive(Default)]
pub struct Keyboard {}

impl Keyboard {
    /// Called once each frame.
    pub fn follow(&mut self, ctx: &Context, frame: &mut Frame) {
        let typing = ctx.text_edit_focused();
        frame.set_key_capture(if typing { KeyCapture::CaptureAll } else { KeyCapture::IgnoreAll });
    }
}
