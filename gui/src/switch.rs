//! Switches: a pill with its name in it, a row with a slide at its end, and the power button of a section.

use crate::binding::{Binding, set_once, widget_id};
use crate::knob::{explain, label_of};
use crate::theme::{self, Ink};
use egui::epaint::PathShape;
use egui::{Align2, Color32, CursorIcon, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// A button with the control's name in it, lit while it is on.
pub fn pill(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, accent: Color32) {
    let Some((response, on)) = flip(ui, rect, binding, index, "pill") else { return };
    let Some(listed) = binding.listed().get(index) else { return };
    let (fill, edge, ink) = if on {
        (theme::mix(theme::PANEL, accent, 0.22), theme::mix(theme::PANEL, accent, 0.75), accent)
    } else if response.hovered() {
        (theme::RAISED_HOVER, theme::RAISED_HOVER, theme::TEXT)
    } else {
        (theme::RAISED, theme::RAISED, theme::TEXT_SOFT)
    };
    let painter = ui.painter();
    painter.rect(rect, theme::SMALL_RADIUS, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    let ink = Ink::medium(theme::SMALL, ink);
    theme::text_within(painter, rect.center(), Align2::CENTER_CENTER, &label_of(listed), ink, rect.width() - 8.0);
    explain(&response, listed, f64::from(u8::from(on)), 6.0);
}

/// A button that takes a measured value over into a control: what is measured moves nothing by itself.
pub fn take(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, measured: f64, accent: Color32) {
    let Some(listed) = binding.listed().get(index) else { return };
    let kind = listed.control.kind;
    let value = kind.quantise(measured, listed.default);
    let is_taken = (binding.value(index) - value).abs() < 0.05;
    let response = ui.interact(rect, widget_id("take", &listed.id), Sense::CLICK);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if response.clicked() {
        set_once(binding, index, value);
    }
    let painter = ui.painter();
    let fill = if response.hovered() { theme::RAISED_HOVER } else { theme::RAISED };
    painter.rect(rect, theme::SMALL_RADIUS, fill, Stroke::NONE, StrokeKind::Inside);
    let ink = Ink::medium(theme::SMALL, if is_taken { theme::TEXT_FAINT } else { accent });
    let text = ["Take ", &crate::figures::decibels(measured as f32)].concat();
    theme::text_within(painter, rect.center(), Align2::CENTER_CENTER, &text, ink, rect.width() - 8.0);
    response.on_hover_text([&listed.name, ", measured over the last seconds: click to take it over"].concat());
}

/// The control's name, and a slide at the end of the row.
pub fn row(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, accent: Color32) {
    let Some((response, on)) = flip(ui, rect, binding, index, "row") else { return };
    let Some(listed) = binding.listed().get(index) else { return };
    let slide = Rect::from_center_size(pos2(rect.right() - 14.0, rect.center().y), vec2(28.0, 15.0));
    let way = ui.ctx().animate_bool_responsive(response.id, on);
    let painter = ui.painter();
    let ink = Ink::new(theme::SMALL, if response.hovered() || on { theme::TEXT } else { theme::TEXT_SOFT });
    let width = rect.width() - slide.width() - 6.0;
    theme::text_within(painter, rect.left_center(), Align2::LEFT_CENTER, &label_of(listed), ink, width);
    let track = theme::mix(if response.hovered() { theme::RAISED_HOVER } else { theme::RAISED }, accent, way * 0.85);
    painter.rect_filled(slide, 8, track);
    let thumb = pos2(egui::lerp(slide.left() + 7.5..=slide.right() - 7.5, way), slide.center().y);
    painter.circle_filled(thumb, 5.5, theme::mix(theme::TEXT_SOFT, theme::WELL, way));
    explain(&response, listed, f64::from(u8::from(on)), 6.0);
}

/// The power button of a section, around `center`; whether it is on.
pub fn power(ui: &mut Ui, center: Pos2, binding: &dyn Binding, index: usize, accent: Color32) -> bool {
    let rect = Rect::from_center_size(center, vec2(22.0, 22.0));
    let Some((response, on)) = flip(ui, rect, binding, index, "power") else { return false };
    let color = match (on, response.hovered()) {
        (true, _) => accent,
        (false, true) => theme::TEXT_SOFT,
        (false, false) => theme::TEXT_FAINT,
    };
    let painter = ui.painter();
    if response.hovered() {
        painter.circle_filled(center, 11.0, theme::RAISED);
    }
    let at = |n: i32| {
        // a circle with a gap of 80 degrees at the top
        let angle = (-50.0 + 280.0 * n as f32 / 32.0).to_radians();
        center + vec2(angle.cos(), angle.sin()) * 5.5
    };
    painter.add(PathShape::line((0..=32).map(at).collect(), Stroke::new(1.6, color)));
    painter.line_segment([center - vec2(0.0, 6.5), center - vec2(0.0, 1.0)], Stroke::new(1.6, color));
    if let Some(listed) = binding.listed().get(index) {
        explain(&response, listed, f64::from(u8::from(on)), 6.0);
    }
    on
}

/// A click anywhere in `rect` flips the control; whether it is on.
fn flip(ui: &Ui, rect: Rect, binding: &dyn Binding, index: usize, what: &str) -> Option<(Response, bool)> {
    let listed = binding.listed().get(index)?;
    let response = ui.interact(rect, widget_id(what, &listed.id), Sense::CLICK);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    let mut on = binding.value(index) >= 0.5;
    if response.clicked() {
        on = !on;
        set_once(binding, index, f64::from(u8::from(on)));
    }
    Some((response, on))
}
