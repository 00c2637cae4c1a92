//! How a widget reads and moves a control.

use dsp_core::controls::Listed;
use egui::{Context, Event, Id, Modifiers, MouseWheelUnit, Response, Ui};

/// The controls of one plugin instance, numbered as in `dsp_core::controls::list`.
///
/// A widget never keeps a value: it reads it here each time it is painted. What a person does with the mouse, the wheel or
/// the keyboard is a *gesture*, `begin`, any number of `set`, `end`, so that a host can record it.
pub trait Binding {
    /// What is known of every control, in order.
    fn listed(&self) -> &[Listed];
    /// The control's value as the user set it.
    fn value(&self, index: usize) -> f64;
    /// The control's value as it is heard: with the host's modulation.
    fn heard(&self, index: usize) -> f64;
    /// A gesture starts.
    fn begin(&self, index: usize);
    /// The control moves, within a gesture.
    fn set(&self, index: usize, value: f64);
    /// The gesture is over.
    fn end(&self, index: usize);
}

/// A whole gesture at once: a click, a typed value.
pub fn set_once(binding: &dyn Binding, index: usize, value: f64) {
    binding.begin(index);
    binding.set(index, value);
    binding.end(index);
}

/// Puts the control back to its default, as a whole gesture.
pub fn reset(binding: &dyn Binding, index: usize) {
    if let Some(listed) = binding.listed().get(index) {
        set_once(binding, index, listed.default);
    }
}

/// Keeps which modifiers are held; called at the start of each frame.
///
/// egui forgets them when the window loses the keyboard, and the editor gives the keyboard back to the host after each
/// click: so shift, held over two drags, would count for the first only. Events of the mouse tell them too.
pub fn note_modifiers(ctx: &Context) {
    let told = |event: &Event| match event {
        Event::ModifiersChanged(modifiers)
        | Event::PointerButton { modifiers, .. }
        | Event::MouseWheel { modifiers, .. }
        | Event::Key { modifiers, .. } => Some(*modifiers),
        _ => None,
    };
    if let Some(modifiers) = ctx.input(|i| i.events.iter().rev().find_map(told)) {
        ctx.data_mut(|d| d.insert_temp(Id::unique(MODIFIERS), modifiers));
    }
}

/// The modifiers that are held.
#[must_use]
pub fn modifiers(ui: &Ui) -> Modifiers {
    ui.data(|d| d.get_temp(Id::unique(MODIFIERS))).unwrap_or_default()
}

const MODIFIERS: &str = "tandem modifiers";

/// Whether a person asks for the default: a double click, or a click with ctrl (on a Mac: command).
#[must_use]
pub fn asks_for_default(ui: &Ui, response: &Response) -> bool {
    response.double_clicked() || (response.clicked() && wants_default(ui))
}

/// Whether ctrl (on a Mac: command) is held.
#[must_use]
pub fn wants_default(ui: &Ui) -> bool {
    let held = modifiers(ui);
    held.command || held.ctrl
}

/// Notches that the wheel turned over the widget since the last frame, upwards positive. It takes raw events rather than
/// egui's smoothed scrolling: a notch is one step, at once, and not a glide that goes on after the hand has stopped.
#[must_use]
pub fn wheel_notches(ui: &Ui, response: &Response) -> f32 {
    if !response.hovered() || egui::Popup::is_any_open(ui.ctx()) {
        return 0.0;
    }
    let turned = |event: &Event| match event {
        // shift turns a vertical wheel into a horizontal one on some platforms
        Event::MouseWheel { unit: MouseWheelUnit::Point, delta, .. } => (delta.y + delta.x) / POINTS_PER_NOTCH,
        Event::MouseWheel { delta, .. } => delta.y + delta.x,
        _ => 0.0,
    };
    ui.input(|i| i.events.iter().map(turned).sum())
}

/// The identity of a widget: one for each control and part, wherever it is painted, so that a layout that changes under a
/// drag does not end it.
#[must_use]
pub fn widget_id(part: &str, name: &str) -> Id {
    Id::unique(("tandem", part, name))
}

/// A touch pad scrolls in points: this many are a notch of a wheel.
const POINTS_PER_NOTCH: f32 = 50.0;
