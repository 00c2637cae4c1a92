//! One end of a chain: a tall meter with the controls of its group below.

use crate::binding::Binding;
use crate::knob::{KnobSize, knob};
use crate::level_meter::{Headroom, LevelMeter};
use crate::readout::{READOUT_HEIGHT, Readout};
use crate::theme::{self, Ink};
use crate::tree::Group;
use crate::{selector, switch};
use dsp_core::controls::Kind;
use egui::{Align2, Rect, Ui, pos2, vec2};

/// Height of what stands below the meter of `group`.
#[must_use]
pub fn controls_height(binding: &dyn Binding, group: Option<&Group>) -> f32 {
    let height = |index: usize| match binding.listed().get(index).map(|l| l.control.kind) {
        Some(Kind::Float(_)) => KNOB.cell_height + 4.0,
        _ => LINE_HEIGHT,
    };
    group.map_or(0.0, |g| g.on.into_iter().chain(g.controls.iter().copied()).map(height).sum())
}

/// Height of `readouts` below a meter.
#[must_use]
pub fn readouts_height(readouts: &[Readout]) -> f32 {
    readouts.len() as f32 * (READOUT_HEIGHT + READOUT_GAP)
}

/// Paints `group` with its meter into `rect`, from the top: name, meter, measured numbers, knobs, switches. The meter leaves
/// `below_meter` free below it, so that the meters of both ends are equally tall.
#[expect(clippy::too_many_arguments, reason = "a rail is just these parts")]
pub fn rail(
    ui: &mut Ui,
    rect: Rect,
    binding: &dyn Binding,
    group: Option<&Group>,
    name: &str,
    meter: &mut LevelMeter,
    headroom: Option<Headroom>,
    below_meter: f32,
    readouts: &[Readout],
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

    let top = inner.bottom() - below_meter;
    let meter_rect = Rect::from_min_max(pos2(inner.left(), rect.top() + 36.0), pos2(inner.right(), top - 12.0));
    meter.show(ui, meter_rect, name, headroom);
    let mut y = top;
    for readout in readouts {
        let place = Rect::from_min_size(pos2(inner.left() + 2.0, y), vec2(inner.width() + 4.0, READOUT_HEIGHT));
        readout.show(ui, place, binding, theme::accent("loudness"));
        y += READOUT_HEIGHT + READOUT_GAP;
    }
    let Some(group) = group else { return };
    let list = binding.listed();
    let is_knob = |i: &usize| list.get(*i).is_some_and(|l| matches!(l.control.kind, Kind::Float(_)));
    let all = group.on.into_iter().chain(group.controls.iter().copied());
    let (knobs, others): (Vec<usize>, Vec<usize>) = all.partition(is_knob);
    for index in knobs {
        let cell = Rect::from_min_size(pos2(inner.left(), y), vec2(inner.width(), KNOB.cell_height));
        knob(ui, cell, binding, index, KNOB, theme::NEUTRAL);
        y += KNOB.cell_height + 4.0;
    }
    for index in others {
        let line = Rect::from_min_size(pos2(inner.left(), y + 4.0), vec2(inner.width(), LINE_HEIGHT - 4.0));
        match list.get(index).map(|l| l.control.kind) {
            Some(Kind::Switch) => switch::pill(ui, line, binding, index, theme::NEUTRAL),
            _ => selector::selector(ui, line, binding, index, theme::NEUTRAL),
        }
        y += LINE_HEIGHT;
    }
}

const KNOB: KnobSize = KnobSize::MEDIUM;
const LINE_HEIGHT: f32 = 26.0;
const READOUT_GAP: f32 = 4.0;
