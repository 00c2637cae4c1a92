//! A control that offers a few values: a box with the present one, and a menu below it.

use crate::binding::{Binding, reset, set_once, wants_default, wheel_notches, widget_id};
use crate::knob::{explain, label_of};
use crate::theme::{self, Ink};
use dsp_core::controls::Kind;
use egui::epaint::PathShape;
use egui::{Align2, Color32, CursorIcon, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// The control's name, and a box with its value at the end of the row.
pub fn row(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, accent: Color32) {
    let Some(listed) = binding.listed().get(index) else { return };
    let well = Rect::from_min_max(
        pos2(rect.right() - (rect.width() * 0.56).round(), rect.top() + 1.0),
        rect.max - vec2(0.0, 1.0),
    );
    let ink = Ink::new(theme::SMALL, theme::TEXT_SOFT);
    let width = rect.width() - well.width() - 6.0;
    theme::text_within(ui.painter(), rect.left_center(), Align2::LEFT_CENTER, &label_of(listed), ink, width);
    selector(ui, well, binding, index, accent);
}

/// The box alone.
pub fn selector(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, accent: Color32) {
    let Some(listed) = binding.listed().get(index) else { return };
    let Kind::Choice(choices) = listed.control.kind else { return };
    let chosen = binding.value(index).max(0.0) as usize;
    let label = choices.get(chosen).map_or("", |c| c.label);
    let response = ui.interact(rect, widget_id("selector", &listed.id), Sense::CLICK);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if response.clicked() && wants_default(ui) {
        reset(binding, index);
        return;
    }
    let notches = wheel_notches(ui, &response);
    if notches != 0.0 {
        let last = choices.len().saturating_sub(1) as f64;
        let next = (chosen as f64 - f64::from(notches.signum())).clamp(0.0, last);
        if next != chosen as f64 {
            set_once(binding, index, next);
        }
    }
    face(ui, &response, rect, label);
    let labels: Vec<&str> = choices.iter().map(|c| c.label).collect();
    if let Some(taken) = menu(&response, &labels, Some(chosen), accent) {
        set_once(binding, index, taken as f64);
    }
    if !egui::Popup::is_any_open(ui.ctx()) {
        explain(&response, listed, chosen as f64, 6.0);
    }
}

/// The box of a menu: a text, and a triangle that says that there is more.
pub fn face(ui: &Ui, response: &Response, rect: Rect, label: &str) {
    let painter = ui.painter();
    let fill = if response.hovered() { theme::RAISED_HOVER } else { theme::RAISED };
    painter.rect(rect, theme::SMALL_RADIUS, fill, Stroke::NONE, StrokeKind::Inside);
    let ink = Ink::medium(theme::SMALL, theme::TEXT);
    let at = pos2(rect.left() + 8.0, rect.center().y);
    theme::text_within(painter, at, Align2::LEFT_CENTER, label, ink, rect.width() - 24.0);
    let tip = pos2(rect.right() - 10.0, rect.center().y + 2.0);
    let stroke = Stroke::new(1.3, theme::TEXT_SOFT);
    painter.add(PathShape::line(vec![tip + vec2(-3.5, -3.5), tip, tip + vec2(3.5, -3.5)], stroke));
}

/// A menu below `response`, opened and closed by clicking it; the item that was clicked.
pub fn menu(response: &Response, labels: &[&str], chosen: Option<usize>, accent: Color32) -> Option<usize> {
    let width = response.rect.width().max(96.0);
    let mut taken = None;
    egui::Popup::menu(response).gap(3.0).width(width).show(|ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 1.0);
        ui.set_min_width(width);
        // a long list stands in columns, so that all of it is in the window
        let columns = labels.len().div_ceil(MENU_ROWS).max(1);
        let rows = labels.len().div_ceil(columns).max(1);
        ui.horizontal_top(|ui| {
            for (column, labels) in labels.chunks(rows).enumerate() {
                ui.vertical(|ui| {
                    for (row, label) in labels.iter().enumerate() {
                        let n = column * rows + row;
                        if item(ui, label, width, chosen == Some(n), accent) {
                            taken = Some(n);
                            ui.close();
                        }
                    }
                });
            }
        });
    });
    taken
}

/// The most entries of a menu that stand below each other.
const MENU_ROWS: usize = 16;

/// An entry of a menu; whether it was clicked.
fn item(ui: &mut Ui, label: &str, width: f32, is_chosen: bool, accent: Color32) -> bool {
    let ink = Ink::medium(theme::SMALL, theme::TEXT);
    let galley_width = theme::layout(ui.painter(), label, ink, f32::INFINITY).size().x;
    let (rect, item) = ui.allocate_exact_size(vec2(width.max(galley_width + 32.0), 22.0), Sense::CLICK);
    let painter = ui.painter();
    if item.hovered() {
        painter.rect_filled(rect, 3, theme::mix(theme::RAISED_HOVER, Color32::WHITE, 0.06));
    }
    if is_chosen {
        painter.circle_filled(pos2(rect.left() + 9.0, rect.center().y), 2.5, accent);
    }
    let color = if item.hovered() || is_chosen { theme::TEXT } else { theme::mix(theme::TEXT_SOFT, theme::TEXT, 0.4) };
    let at = pos2(rect.left() + 20.0, rect.center().y);
    theme::text(painter, at, Align2::LEFT_CENTER, label, Ink::medium(theme::SMALL, color));
    item.clicked()
}
