//! Rows of buttons of which one is chosen: the sections of a chain, the bands of an equalizer.

use crate::binding::{Binding, set_once, widget_id};
use crate::theme::{self, Ink};
use crate::tree::{Array, Group};
use egui::{Align2, Color32, CornerRadius, CursorIcon, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// Tabs, one for each section, with a lamp that is lit while the section is on; a click chooses, a click on the lamp
/// switches. `shown` are the sections on the page that is open.
pub fn tabs(
    ui: &mut Ui,
    rect: Rect,
    binding: &dyn Binding,
    sections: &[&Group],
    shown: std::ops::Range<usize>,
    chosen: &mut usize,
) {
    let count = sections.len().max(1) as f32;
    let gap = 2.0;
    let width = ((rect.width() - gap * (count - 1.0)) / count).min(132.0);
    for (n, section) in sections.iter().enumerate() {
        let left = rect.left() + (width + gap) * n as f32;
        let tab = Rect::from_min_size(pos2(left.round(), rect.top()), vec2(width.floor(), rect.height()));
        let response = ui.interact(tab, widget_id("tab", &section.key), Sense::CLICK);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        let is_chosen = shown.contains(&n);
        let accent = theme::accent(&section.key);
        let painter = ui.painter().clone();
        let fill = match (is_chosen, response.hovered()) {
            (true, _) => theme::PANEL,
            (false, true) => theme::mix(theme::BACKGROUND, theme::PANEL, 0.75),
            (false, false) => theme::mix(theme::BACKGROUND, theme::PANEL, 0.35),
        };
        let round = theme::PANEL_RADIUS;
        painter.rect_filled(tab, CornerRadius { nw: round, ne: round, sw: 0, se: 0 }, fill);
        if is_chosen {
            painter.hline(tab.left() + 10.0..=tab.right() - 10.0, tab.top() + 0.5, Stroke::new(2.0, accent));
        }
        let mut text_left = tab.left() + 14.0;
        let mut on = true;
        if let Some(index) = section.on {
            on = lamp(ui, pos2(tab.left() + 16.0, tab.center().y), binding, index, accent);
            text_left = tab.left() + 28.0;
        }
        let color = match (is_chosen, on) {
            (true, _) => theme::TEXT,
            (false, true) => theme::TEXT_SOFT,
            (false, false) => theme::TEXT_FAINT,
        };
        let at = pos2(text_left, tab.center().y);
        let room = tab.right() - text_left - 6.0;
        theme::text_within(&painter, at, Align2::LEFT_CENTER, &section.label, Ink::medium(theme::BODY, color), room);
        if response.clicked() {
            *chosen = n;
        }
    }
}

/// A small lamp that is lit while the control is on; a click switches it.
fn lamp(ui: &Ui, center: egui::Pos2, binding: &dyn Binding, index: usize, accent: Color32) -> bool {
    let mut on = binding.value(index) >= 0.5;
    let Some(listed) = binding.listed().get(index) else { return on };
    let rect = Rect::from_center_size(center, vec2(20.0, 24.0));
    let response = ui.interact(rect, widget_id("lamp", &listed.id), Sense::CLICK);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if response.clicked() {
        on = !on;
        set_once(binding, index, f64::from(u8::from(on)));
    }
    let painter = ui.painter();
    if on {
        painter.circle_filled(center, 6.5, accent.gamma_multiply(0.18));
        painter.circle_filled(center, 3.5, accent);
    } else {
        let edge = if response.hovered() { theme::TEXT_SOFT } else { theme::TEXT_FAINT };
        painter.circle_stroke(center, 3.2, Stroke::new(1.2, edge));
    }
    response.on_hover_text(listed.name.as_str());
    on
}

/// Numbered buttons, one for each member of an array: lit while the member is on, framed while it is chosen. A double
/// click switches it.
pub fn members(ui: &mut Ui, rect: Rect, binding: &dyn Binding, array: &Array, chosen: &mut usize, accent: Color32) {
    let count = array.members.len().max(1) as f32;
    let gap = 4.0;
    let width = ((rect.width() - gap * (count - 1.0)) / count).min(64.0);
    for (n, member) in array.members.iter().enumerate() {
        let left = rect.left() + (width + gap) * n as f32;
        let button = Rect::from_min_size(pos2(left.round(), rect.top()), vec2(width.floor(), rect.height()));
        let response = ui.interact(button, widget_id("member", &member.key), Sense::CLICK);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        let on = member.on.is_none_or(|i| binding.value(i) >= 0.5);
        let is_chosen = n == *chosen;
        let fill = match (on, response.hovered()) {
            (true, _) => theme::mix(theme::PANEL, accent, if is_chosen { 0.30 } else { 0.16 }),
            (false, true) => theme::RAISED_HOVER,
            (false, false) => theme::RAISED,
        };
        let edge = if is_chosen { accent } else { Color32::TRANSPARENT };
        let painter = ui.painter();
        painter.rect(button, theme::SMALL_RADIUS, fill, Stroke::new(1.2, edge), StrokeKind::Inside);
        let color = match (on, is_chosen) {
            (true, _) => accent,
            (false, true) => theme::TEXT,
            (false, false) => theme::TEXT_FAINT,
        };
        let number = (n + 1).to_string();
        theme::text(painter, button.center(), Align2::CENTER_CENTER, &number, Ink::medium(theme::BODY, color));
        if response.clicked() {
            *chosen = n;
        }
        if let (true, Some(index)) = (response.double_clicked(), member.on) {
            set_once(binding, index, f64::from(u8::from(!on)));
        }
        response.on_hover_text(member.label.as_str());
    }
}
