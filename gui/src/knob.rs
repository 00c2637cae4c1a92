//! A knob: its name, an arc from where the control rests, and its value, which can be typed.

use crate::binding::{Binding, asks_for_default, modifiers, reset, set_once, wheel_notches, widget_id};
use crate::figures;
use crate::theme::{self, Ink};
use crate::value_field::value_field;
use dsp_core::controls::{Kind, Listed};
use dsp_core::range::{Range, Unit};
use egui::epaint::{Mesh, PathShape};
use egui::{Align2, Color32, CursorIcon, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};
use std::f32::consts::{PI, TAU};

/// How large knobs are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnobSize {
    /// Width of a knob with the space around it.
    pub cell_width: f32,
    /// Height of a knob with name and value.
    pub cell_height: f32,
    /// Diameter of the arc.
    pub diameter: f32,
}

impl KnobSize {
    /// Where there are few.
    pub const HUGE: KnobSize = KnobSize { cell_width: 124.0, cell_height: 132.0, diameter: 82.0 };
    /// Where there is room.
    pub const LARGE: KnobSize = KnobSize { cell_width: 96.0, cell_height: 104.0, diameter: 58.0 };
    /// The usual size.
    pub const MEDIUM: KnobSize = KnobSize { cell_width: 80.0, cell_height: 86.0, diameter: 44.0 };
    /// Where much must fit.
    pub const SMALL: KnobSize = KnobSize { cell_width: 72.0, cell_height: 72.0, diameter: 32.0 };
}

/// A knob for control `index`, at the top of `cell`.
///
/// Dragging up or right turns it up, ten times finer with shift; a double click or a click with ctrl gives the default; the
/// wheel steps by a hundredth of the travel.
pub fn knob(ui: &mut Ui, cell: Rect, binding: &dyn Binding, index: usize, size: KnobSize, accent: Color32) {
    let Some(listed) = binding.listed().get(index) else { return };
    let center = pos2(cell.center().x, cell.top() + LABEL_HEIGHT + 2.0 + size.diameter / 2.0);
    let face = Rect::from_center_size(center, vec2(size.diameter, size.diameter));
    let response = ui
        .interact(face.expand(2.0), widget_id("knob", &listed.id), Sense::CLICK | Sense::DRAG)
        .on_hover_cursor(CursorIcon::ResizeVertical);
    turn(ui, &response, binding, index, listed);

    let lit = response.hovered() || response.dragged();
    let label = Ink::new(theme::SMALL, if lit { theme::TEXT } else { theme::TEXT_SOFT });
    let label_at = pos2(cell.center().x, cell.top() + LABEL_HEIGHT / 2.0);
    let name = label_of(listed);
    theme::text_fitted(ui.painter(), label_at, Align2::CENTER_CENTER, &name, label, cell.width() - 3.0);
    let travel = |value| listed.control.kind.travel_of(value) as f32;
    let look = Look {
        travel: travel(binding.value(index)),
        heard: travel(binding.heard(index)),
        origin: origin(&listed.control.kind),
        rest: travel(listed.default),
        lit,
        accent,
    };
    paint(ui.painter(), center, size.diameter / 2.0, &look);
    let value_width = (cell.width() - 6.0).min(74.0);
    let value_at = pos2(cell.center().x, face.bottom() + VALUE_HEIGHT / 2.0 + 1.0);
    let field = Rect::from_center_size(value_at, vec2(value_width, VALUE_HEIGHT));
    value_field(ui, field, binding, index, accent);
    explain(&response, listed, binding.value(index), VALUE_HEIGHT + 6.0);
}

/// The name of a control; a star says that it restarts the audio.
#[must_use]
pub fn label_of(listed: &Listed) -> String {
    let star = if listed.control.structural { " *" } else { "" };
    listed.control.label.to_owned() + star
}

/// A tooltip with the full name and the exact value, `gap` points below the widget.
pub fn explain(response: &Response, listed: &Listed, value: f64, gap: f32) {
    if response.dragged() {
        return;
    }
    egui::Tooltip::for_enabled(response).gap(gap).show(|ui| {
        ui.set_max_width(TOOLTIP_WIDTH);
        let line = |ui: &mut Ui, text: &str, ink: Ink| {
            let mut job = egui::text::LayoutJob::single_section(text.to_owned(), ink.format());
            job.wrap.max_width = TOOLTIP_WIDTH;
            ui.label(job);
        };
        line(ui, &listed.name, Ink::medium(theme::BODY, theme::TEXT));
        line(ui, &figures::exact(&listed.control.kind, value), Ink::new(theme::SMALL, theme::TEXT_SOFT));
        if listed.control.structural {
            line(ui, "Changing it restarts the audio", Ink::new(theme::SMALL, theme::NOTICE));
        }
    });
}

/// Moves the control as the hand says.
fn turn(ui: &Ui, response: &Response, binding: &dyn Binding, index: usize, listed: &Listed) {
    let kind = listed.control.kind;
    if asks_for_default(ui, response) {
        reset(binding, index);
        return;
    }
    if response.drag_started() {
        ui.data_mut(|d| d.insert_temp(response.id, kind.travel_of(binding.value(index))));
        binding.begin(index);
    }
    if response.dragged() || response.drag_stopped() {
        // the last movement comes in the frame that ends the drag
        let moved = ui.input(|i| i.pointer.delta());
        let fine = if modifiers(ui).shift { FINE } else { 1.0 };
        // the travel is kept unquantised, so that slow movements add up
        let travel: f64 = ui.data(|d| d.get_temp(response.id)).unwrap_or_default();
        let turned = (travel + f64::from((moved.x - moved.y) / POINTS_FOR_WHOLE_TRAVEL) * fine).clamp(0.0, 1.0);
        if turned != travel {
            ui.data_mut(|d| d.insert_temp(response.id, turned));
            binding.set(index, kind.value_at(turned));
        }
    }
    if response.drag_stopped() {
        ui.data_mut(|d| d.remove::<f64>(response.id));
        binding.end(index);
        return;
    }
    let notches = f64::from(wheel_notches(ui, response));
    if notches != 0.0 && !response.dragged() {
        let fine = if modifiers(ui).shift { FINE } else { 1.0 };
        let travel = kind.travel_of(binding.value(index)) + notches * TRAVEL_PER_NOTCH * fine;
        set_once(binding, index, kind.value_at(travel));
    }
}

/// Where the arc starts: at zero where the range has both signs, else at the lower end.
fn origin(kind: &Kind) -> f32 {
    match kind {
        Kind::Float(Range { unit: Unit::DecibelToSilence, .. }) => 0.0,
        Kind::Float(range) if range.min < 0.0 && range.max > 0.0 => range.travel_of(0.0) as f32,
        _ => 0.0,
    }
}

struct Look {
    travel: f32,
    heard: f32,
    origin: f32,
    rest: f32,
    lit: bool,
    accent: Color32,
}

fn paint(painter: &Painter, center: Pos2, radius: f32, look: &Look) {
    let width = (radius * 0.13).max(2.5);
    let ring = radius - width / 2.0;
    arc(painter, center, ring, 0.0, 1.0, Stroke::new(width, theme::TRACK));
    let color = if look.lit { theme::mix(look.accent, Color32::WHITE, 0.15) } else { look.accent };
    arc(painter, center, ring, look.origin, look.travel, Stroke::new(width, color));
    // where the control rests, unless it rests there or at an end
    if (look.rest - look.travel).abs() > 0.005 && (0.005..0.995).contains(&look.rest) {
        let notch = direction(look.rest);
        let ends = [center + notch * (ring - width / 2.0), center + notch * (ring + width / 2.0)];
        painter.line_segment(ends, Stroke::new(1.5, theme::PANEL));
    }
    if (look.heard - look.travel).abs() > 0.001 {
        painter.circle_filled(center + direction(look.heard) * ring, width * 0.75, theme::TEXT);
    }

    let body = radius - width - (radius * 0.12).max(2.5);
    disc(
        painter,
        center,
        body,
        theme::mix(theme::RAISED_HOVER, Color32::WHITE, 0.07),
        theme::mix(theme::RAISED, theme::WELL, 0.25),
    );
    let rim = if look.lit {
        theme::mix(theme::LINE, Color32::WHITE, 0.30)
    } else {
        theme::mix(theme::LINE, Color32::WHITE, 0.10)
    };
    painter.circle_stroke(center, body, Stroke::new(1.0, rim));
    let hand = direction(look.travel);
    let hand_stroke = Stroke::new((radius * 0.085).max(1.8), theme::TEXT);
    painter.line_segment([center + hand * (body * 0.42), center + hand * (body - 2.0)], hand_stroke);
}

/// Towards where a knob at `travel` points: three quarters of a turn, open at the bottom.
fn direction(travel: f32) -> egui::Vec2 {
    let angle = PI * 0.75 + travel.clamp(0.0, 1.0) * PI * 1.5;
    vec2(angle.cos(), angle.sin())
}

fn arc(painter: &Painter, center: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) {
    let (from, to) = if from <= to { (from, to) } else { (to, from) };
    if to - from < 1e-4 {
        return;
    }
    // a chord for each two degrees or so
    let chords = ((to - from) * 135.0).ceil().max(2.0) as usize;
    let at = |n: usize| center + direction(from + (to - from) * n as f32 / chords as f32) * radius;
    painter.add(PathShape::line((0..=chords).map(at).collect(), stroke));
}

/// A disc, lighter at the top. The caller draws a rim over its edge, which a mesh leaves jagged.
fn disc(painter: &Painter, center: Pos2, radius: f32, top: Color32, bottom: Color32) {
    const CORNERS: u32 = 64;
    let mut mesh = Mesh::default();
    mesh.colored_vertex(center, theme::mix(top, bottom, 0.5));
    for n in 0..CORNERS {
        let angle = TAU * n as f32 / CORNERS as f32;
        let towards = vec2(angle.cos(), angle.sin());
        mesh.colored_vertex(center + towards * radius, theme::mix(top, bottom, 0.5 + 0.5 * towards.y));
        mesh.add_triangle(0, 1 + n, 1 + (n + 1) % CORNERS);
    }
    painter.add(Shape::mesh(mesh));
}

const LABEL_HEIGHT: f32 = 16.0;
const VALUE_HEIGHT: f32 = 17.0;
const POINTS_FOR_WHOLE_TRAVEL: f32 = 220.0;
const TRAVEL_PER_NOTCH: f64 = 0.01;
const TOOLTIP_WIDTH: f32 = 260.0;
const FINE: f64 = 0.1;
