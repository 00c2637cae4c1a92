//! One end of a chain: a tall meter with the controls of its group below.

use crate::binding::Binding;
use crate::knob::{KnobSize, knob};
use crate::level_meter::{Headroom, LevelMeter};
use crate::theme::{self, Ink};
use crate::tree::Group;
use crate::{selector, switch};
use dsp_core::controls::Kind;
use egui::{Align2, Rect, Ui, pos2, vec2};

/// Paints `group` with its meter into `rect`, from the top: name, meter, knobs, switches.
pub fn rail(
    ui: &mut Ui,
    rect: Rect,
    binding: &dyn Binding,
    group: Option<&Group>,
    name: &str,
    meter: &mut LevelMeter,
    headroom: Option<Headroom>,
) {
    let painter = ui.painter().clone();
    painter.rect_filled(rect, 0, theme::FRAME);
    let at = pos2(rect.center().x, rect.top() + 20.0);
    theme::text(
        &painter,
        at,
        Align2::CENTER_CENTER,
        &name.to_uppercase(),
        Ink::capitals(theme::TINY + 0.5, theme::TEXT_SOFT),
    );
    let inner = rect.shrink2(vec2(10.0, 12.0));

    // from the bottom upwards: what the group holds decides how tall the meter is
    let mut bottom = inner.bottom();
    let list = binding.listed();
    let all: Vec<usize> =
        group.map(|g| g.on.into_iter().chain(g.controls.iter().copied()).collect()).unwrap_or_default();
    let is_knob = |i: &&usize| list.get(**i).is_some_and(|l| matches!(l.control.kind, Kind::Float(_)));
    for index in all.iter().filter(|i| !is_knob(i)).rev() {
        let line = Rect::from_min_max(pos2(inner.left(), bottom - 22.0), pos2(inner.right(), bottom));
        match list.get(*index).map(|l| l.control.kind) {
            Some(Kind::Switch) => switch::pill(ui, line, binding, *index, theme::NEUTRAL),
            _ => selector::selector(ui, line, binding, *index, theme::NEUTRAL),
        }
        bottom -= 26.0;
    }
    for index in all.iter().filter(is_knob).rev() {
        let size = KnobSize::MEDIUM;
        bottom -= size.cell_height + 4.0;
        let cell = Rect::from_min_size(pos2(inner.left(), bottom), vec2(inner.width(), size.cell_height));
        knob(ui, cell, binding, *index, size, theme::NEUTRAL);
    }
    let meter_rect = Rect::from_min_max(pos2(inner.left(), rect.top() + 36.0), pos2(inner.right(), bottom - 12.0));
    meter.show(ui, meter_rect, name, headroom);
}
