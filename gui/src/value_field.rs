//! A value as text that can be typed over.

use crate::binding::{Binding, set_once, widget_id};
use crate::figures;
use crate::theme::{self, Ink};
use dsp_core::text;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Align2, CursorIcon, FontId, Frame, Id, Key, Margin, Rect, Sense, StrokeKind, TextEdit, Ui};

/// Shows the value of control `index` in the middle of `rect`; a click opens it for typing. Return takes the text over,
/// Escape leaves the value as it was; text that says no value is red, and changes nothing.
pub fn value_field(ui: &mut Ui, rect: Rect, binding: &dyn Binding, index: usize, accent: egui::Color32) {
    let Some(listed) = binding.listed().get(index) else { return };
    let kind = listed.control.kind;
    let id = widget_id("value", &listed.id);
    let typed: Option<String> = ui.data(|d| d.get_temp(id));
    let Some(mut typed) = typed else {
        let response = ui.interact(rect, id, Sense::CLICK).on_hover_cursor(CursorIcon::Text);
        if response.clicked() {
            let exact = text::format(&kind, binding.value(index));
            select_all(ui, edit_id(id), &exact);
            ui.data_mut(|d| d.insert_temp(id, exact));
            ui.ctx().request_repaint();
        }
        let painter = ui.painter();
        if response.hovered() {
            painter.rect_filled(rect, theme::SMALL_RADIUS, theme::RAISED);
        }
        let ink = Ink::medium(theme::BODY, theme::TEXT);
        let shown = figures::short(&kind, binding.value(index));
        theme::text_within(painter, rect.center(), Align2::CENTER_CENTER, &shown, ink, rect.width());
        return;
    };

    let value = text::parse(&kind, &typed);
    let color = if value.is_some() { theme::TEXT } else { theme::ALERT };
    let stroke = egui::Stroke::new(1.0, if value.is_some() { accent } else { theme::ALERT });
    ui.painter().rect(rect, theme::SMALL_RADIUS, theme::WELL, stroke, StrokeKind::Inside);
    let edit = TextEdit::singleline(&mut typed)
        .id(edit_id(id))
        .frame(Frame::NONE)
        .margin(Margin::symmetric(2, 0))
        .font(FontId::proportional(theme::BODY))
        .text_color(color)
        .align(Align2::CENTER_CENTER)
        .char_limit(32)
        .desired_width(rect.width() - 4.0);
    let response = ui.put(rect, edit);
    if !response.lost_focus() {
        ui.data_mut(|d| d.insert_temp(id, typed));
        return;
    }
    ui.data_mut(|d| d.remove::<String>(id));
    if !ui.input(|i| i.key_pressed(Key::Escape))
        && let Some(value) = text::parse(&kind, &typed)
    {
        set_once(binding, index, value);
    }
}

fn edit_id(id: Id) -> Id {
    id.with("typed")
}

/// Gives the field the keyboard with its whole text selected, so that typing replaces it.
fn select_all(ui: &Ui, edit: Id, text: &str) {
    let mut state = TextEditState::load(ui.ctx(), edit).unwrap_or_default();
    let end = CCursor::new(text.chars().count());
    state.cursor.set_char_range(Some(CCursorRange::two(CCursor::default(), end)));
    state.store(ui.ctx(), edit);
    ui.memory_mut(|m| m.request_focus(edit));
}
