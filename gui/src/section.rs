//! One section of a chain: its header, what it measures or computes, and its controls on a grid.

use crate::binding::Binding;
use crate::knob::{KnobSize, knob};
use crate::readout::{READOUT_HEIGHT, Readout};
use crate::theme::{self, Ink};
use crate::tree::Group;
use crate::{selector, strip, switch};
use dsp_core::controls::Kind;
use egui::{Align2, Color32, CornerRadius, Painter, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};
use std::collections::BTreeMap;

/// What of a section is chosen: the member of each array, by the array's key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    members: BTreeMap<String, usize>,
}

/// What a section shows above its controls.
#[derive(Default)]
pub struct Display<'a> {
    /// Height of the area and what paints it: a plot, a meter.
    pub area: Option<(f32, Box<dyn FnMut(&Painter, Rect, &Chosen) + 'a>)>,
    /// Measured numbers, in one row.
    pub readouts: Vec<Readout>,
}

impl Chosen {
    /// The chosen member of the array with `key`, counted from 0.
    #[must_use]
    pub fn member(&self, key: &str) -> usize {
        self.members.get(key).copied().unwrap_or_default()
    }
}

/// Paints `group` into `rect`.
pub fn section(
    ui: &mut Ui,
    rect: Rect,
    binding: &dyn Binding,
    group: &Group,
    chosen: &mut Chosen,
    mut display: Display<'_>,
) {
    let accent = theme::accent(&group.key);
    let painter = ui.painter().clone();
    let round = theme::PANEL_RADIUS;
    painter.rect_filled(rect, CornerRadius { nw: 0, ne: round, sw: round, se: round }, theme::PANEL);
    let inner = rect.shrink2(vec2(16.0, 12.0));
    let header = Rect::from_min_size(inner.min, vec2(inner.width(), HEADER_HEIGHT));
    let on = header_line(ui, header, binding, group, accent);
    let mut body = Rect::from_min_max(pos2(inner.left(), header.bottom() + 8.0), inner.max);
    ui.scope_builder(UiBuilder::new().max_rect(body), |ui| {
        if !on {
            // what is off can still be set, and says that it is off
            ui.multiply_opacity(0.45);
        }
        if let Some((height, paint)) = &mut display.area {
            let area = Rect::from_min_size(body.min, vec2(body.width(), *height));
            paint(ui.painter(), area, chosen);
            body.min.y = area.bottom() + 10.0;
        }
        if !display.readouts.is_empty() {
            let width = (body.width() / display.readouts.len() as f32).min(150.0);
            for (n, readout) in display.readouts.iter().enumerate() {
                let at = pos2(body.left() + width * n as f32, body.top());
                readout.show(ui.painter(), Rect::from_min_size(at, vec2(width - 8.0, READOUT_HEIGHT)), accent);
            }
            body.min.y += READOUT_HEIGHT + 10.0;
        }
        controls(ui, body, binding, group, chosen, accent);
    });
}

/// Name and power button; whether the section is on.
fn header_line(ui: &mut Ui, rect: Rect, binding: &dyn Binding, group: &Group, accent: Color32) -> bool {
    let mut left = rect.left();
    let mut on = true;
    if let Some(index) = group.on {
        on = switch::power(ui, pos2(left + 9.0, rect.center().y), binding, index, accent);
        left += 28.0;
    }
    let painter = ui.painter();
    let color = if on { theme::TEXT } else { theme::TEXT_SOFT };
    theme::text(
        painter,
        pos2(left, rect.center().y),
        Align2::LEFT_CENTER,
        &group.label,
        Ink::strong(theme::TITLE, color),
    );
    if holds_structural(binding, group) {
        let note = Ink::new(theme::TINY + 0.5, theme::TEXT_FAINT);
        theme::text(painter, rect.right_center(), Align2::RIGHT_CENTER, "*  restarts the audio when changed", note);
    }
    let line = theme::hairline(painter, theme::LINE);
    painter.hline(rect.x_range(), rect.bottom() + 1.0, line);
    on
}

fn holds_structural(binding: &dyn Binding, group: &Group) -> bool {
    let own = group.controls.iter().any(|i| binding.listed().get(*i).is_some_and(|l| l.control.structural));
    let members = group.arrays.iter().filter_map(|a| a.members.first());
    own || group.groups.iter().chain(members).any(|g| holds_structural(binding, g))
}

/// One line of the grid's plan.
#[derive(Clone, Debug, PartialEq)]
enum Block<'a> {
    /// Buttons that choose a member of the array with this number.
    Strip(&'a Group, usize),
    /// A heading.
    Heading(&'a str),
    /// Knobs, in rows.
    Knobs(Vec<usize>),
}

/// The controls of a section: knobs on a grid at the left, what is switched or chosen in a column at the right. Knobs
/// are as large as the room allows; what does not fit even then can be scrolled to.
fn controls(ui: &mut Ui, rect: Rect, binding: &dyn Binding, group: &Group, chosen: &mut Chosen, accent: Color32) {
    let mut blocks = vec![];
    let mut options = vec![];
    plan(binding, group, chosen, None, &mut blocks, &mut options);
    let has_knobs = blocks.iter().any(|b| matches!(b, Block::Knobs(_)));
    let options_width = match (options.is_empty(), has_knobs) {
        (true, _) => 0.0,
        (false, true) => OPTIONS_WIDTH,
        (false, false) => OPTIONS_WIDTH * 1.4,
    };
    // strips run across the whole width, above both columns
    let (strips, blocks): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|b| matches!(b, Block::Strip(..)));
    let mut top = rect.top();
    for strip in strips {
        let Block::Strip(owner, number) = strip else { continue };
        let Some(array) = owner.arrays.get(number) else { continue };
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), STRIP_HEIGHT));
        let mut member = chosen.member(&array.key);
        strip::members(ui, line, binding, array, &mut member, accent);
        chosen.members.insert(array.key.clone(), member);
        top += STRIP_HEIGHT + 10.0;
    }
    let gutter = if options_width > 0.0 { 20.0 } else { 0.0 };
    let knobs_width = rect.width() - if has_knobs { options_width + gutter } else { rect.width() };
    let room = rect.bottom() - top;
    let sizes = [KnobSize::LARGE, KnobSize::MEDIUM, KnobSize::SMALL];
    let fits = |size: &&KnobSize| height(&blocks, knobs_width, **size) <= room;
    let size = sizes.iter().find(fits).copied().unwrap_or(KnobSize::SMALL);
    let needed = height(&blocks, knobs_width, size).max(options_height(&options));

    let area = Rect::from_min_max(pos2(rect.left(), top), rect.max);
    let paint = |ui: &mut Ui, origin: egui::Pos2| {
        let mut y = origin.y;
        for block in &blocks {
            y = paint_block(ui, block, pos2(origin.x, y), knobs_width, size, binding, accent);
        }
        let left = if has_knobs { origin.x + rect.width() - options_width } else { origin.x };
        if has_knobs && options_width > 0.0 {
            let line = theme::hairline(ui.painter(), theme::LINE);
            ui.painter().vline(left - gutter / 2.0, origin.y + 2.0..=origin.y + needed.max(60.0) - 2.0, line);
        }
        let mut y = origin.y;
        for option in &options {
            let line = Rect::from_min_size(pos2(left, y), vec2(options_width, OPTION_HEIGHT - 4.0));
            y += paint_option(ui, option, line, binding, accent);
        }
    };
    if needed <= room + 0.5 {
        paint(ui, area.min);
        return;
    }
    let mut child = ui.new_child(UiBuilder::new().max_rect(area));
    ScrollArea::vertical().id_salt(&group.key).auto_shrink(false).show(&mut child, |ui| {
        let (space, _) = ui.allocate_exact_size(vec2(rect.width(), needed), egui::Sense::hover());
        paint(ui, space.min);
    });
}

/// An entry of the column at the right.
#[derive(Clone, Debug, PartialEq)]
enum Opt<'a> {
    Heading(&'a str),
    Control(usize),
}

fn plan<'a>(
    binding: &dyn Binding,
    group: &'a Group,
    chosen: &Chosen,
    heading: Option<&'a str>,
    blocks: &mut Vec<Block<'a>>,
    options: &mut Vec<Opt<'a>>,
) {
    for (number, array) in group.arrays.iter().enumerate() {
        blocks.push(Block::Strip(group, number));
        if let Some(member) = array.members.get(chosen.member(&array.key)) {
            plan(binding, member, chosen, Some(&member.label), blocks, options);
        }
    }
    let is_knob = |i: &usize| binding.listed().get(*i).is_some_and(|l| matches!(l.control.kind, Kind::Float(_)));
    let (knobs, mut others): (Vec<usize>, Vec<usize>) = group.controls.iter().partition(|i| is_knob(i));
    if let (Some(_), Some(on)) = (heading, group.on) {
        // the section's own switch is in its header; that of a group within it comes first in the column
        others.insert(0, on);
    }
    // after an array, what belongs to the whole section needs a name to be told apart
    let heading = heading.or((!group.arrays.is_empty()).then_some(group.label.as_str()));
    if !knobs.is_empty() {
        blocks.extend(heading.map(Block::Heading));
        blocks.push(Block::Knobs(knobs));
    }
    if !others.is_empty() {
        options.extend(heading.map(Opt::Heading));
        options.extend(others.into_iter().map(Opt::Control));
    }
    for inner in &group.groups {
        plan(binding, inner, chosen, Some(&inner.label), blocks, options);
    }
}

fn columns(width: f32, size: KnobSize) -> usize {
    ((width / size.cell_width).floor() as usize).max(1)
}

fn height(blocks: &[Block<'_>], width: f32, size: KnobSize) -> f32 {
    let of = |block: &Block<'_>| match block {
        Block::Strip(..) => 0.0,
        Block::Heading(_) => HEADING_HEIGHT,
        Block::Knobs(knobs) => knobs.len().div_ceil(columns(width, size)) as f32 * (size.cell_height + ROW_GAP),
    };
    blocks.iter().map(of).sum()
}

fn options_height(options: &[Opt<'_>]) -> f32 {
    let of = |option: &Opt<'_>| match option {
        Opt::Heading(_) => HEADING_HEIGHT,
        Opt::Control(_) => OPTION_HEIGHT,
    };
    options.iter().map(of).sum()
}

fn heading_text(painter: &Painter, at: egui::Pos2, label: &str) {
    let ink = Ink::capitals(theme::TINY, theme::TEXT_FAINT);
    theme::text(painter, at, Align2::LEFT_CENTER, &label.to_uppercase(), ink);
}

fn paint_block(
    ui: &mut Ui,
    block: &Block<'_>,
    at: egui::Pos2,
    width: f32,
    size: KnobSize,
    binding: &dyn Binding,
    accent: Color32,
) -> f32 {
    match block {
        Block::Strip(..) => at.y,
        Block::Heading(label) => {
            heading_text(ui.painter(), pos2(at.x, at.y + 8.0), label);
            at.y + HEADING_HEIGHT
        }
        Block::Knobs(knobs) => {
            let columns = columns(width, size);
            for (n, index) in knobs.iter().enumerate() {
                let (column, row) = ((n % columns) as f32, (n / columns) as f32);
                let place = pos2(at.x + column * size.cell_width, at.y + row * (size.cell_height + ROW_GAP));
                let cell = Rect::from_min_size(place, vec2(size.cell_width, size.cell_height));
                knob(ui, cell, binding, *index, size, accent);
            }
            at.y + knobs.len().div_ceil(columns) as f32 * (size.cell_height + ROW_GAP)
        }
    }
}

fn paint_option(ui: &mut Ui, option: &Opt<'_>, line: Rect, binding: &dyn Binding, accent: Color32) -> f32 {
    match option {
        Opt::Heading(label) => {
            heading_text(ui.painter(), pos2(line.left(), line.top() + 8.0), label);
            HEADING_HEIGHT
        }
        Opt::Control(index) => {
            match binding.listed().get(*index).map(|l| l.control.kind) {
                Some(Kind::Switch) => switch::row(ui, line, binding, *index, accent),
                _ => selector::row(ui, line, binding, *index, accent),
            }
            OPTION_HEIGHT
        }
    }
}

const HEADER_HEIGHT: f32 = 24.0;
const STRIP_HEIGHT: f32 = 28.0;
const HEADING_HEIGHT: f32 = 20.0;
const OPTION_HEIGHT: f32 = 28.0;
const OPTIONS_WIDTH: f32 = 196.0;
const ROW_GAP: f32 = 8.0;
