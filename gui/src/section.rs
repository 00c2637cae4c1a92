//! One section of a chain: its header, what it measures or computes, and its controls on a grid.

use crate::binding::Binding;
use crate::knob::{KnobSize, knob};
use crate::readout::{READOUT_HEIGHT, Readout};
use crate::reduction_meter::{REDUCTION_HEIGHT, ReductionMeter};
use crate::theme::{self, Ink};
use crate::tree::{Array, Group};
use crate::{selector, strip, switch};
use dsp_core::controls::Kind;
use egui::{Align2, Color32, CornerRadius, Painter, Pos2, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What of a section is chosen: the member of each array, by the array's key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    members: BTreeMap<String, usize>,
}

/// A plot or a meter above the controls of a section.
pub struct Area<'a> {
    /// Its height, in points.
    pub height: f32,
    /// What paints it into a rectangle.
    pub paint: Paint<'a>,
}

impl<'a> Area<'a> {
    /// A meter of gain reduction in the section's accent.
    #[must_use]
    pub fn of_reduction(meter: &'a ReductionMeter) -> Self {
        let paint: Paint<'a> =
            Box::new(|ui, rect, group, _, _| meter.show(ui.painter(), rect, theme::accent(&group.key)));
        Area { height: REDUCTION_HEIGHT, paint }
    }
}

/// Paints an area above the controls of a section, which it may also move and choose among.
pub type Paint<'a> = Box<dyn FnMut(&mut Ui, Rect, &Group, &dyn Binding, &mut Chosen) + 'a>;

/// What a section shows above its controls.
#[derive(Default)]
pub struct Display<'a> {
    /// A plot or a meter.
    pub area: Option<Area<'a>>,
    /// Measured numbers, in rows.
    pub readouts: Vec<Readout>,
}

impl Chosen {
    /// The chosen member of the array with `key`, counted from 0.
    #[must_use]
    pub fn member(&self, key: &str) -> usize {
        self.members.get(key).copied().unwrap_or_default()
    }

    /// Chooses the member of the array with `key`, counted from 0.
    pub fn choose(&mut self, key: &str, member: usize) {
        self.members.insert(key.to_owned(), member);
    }
}

/// How tall a section wants to be in a panel of this width: with knobs of a good size and nothing left to scroll to.
#[must_use]
pub fn natural_height(binding: &dyn Binding, group: &Group, chosen: &Chosen, display: &Display<'_>, width: f32) -> f32 {
    let mut plan = Plan::default();
    plan.add(binding, group, chosen, None);
    let columns = plan.columns(width - 2.0 * MARGIN.x);
    let flow = Flow::of(&plan.blocks, columns.knobs_width, KnobSize::MEDIUM);
    let large = Flow::of(&plan.blocks, columns.knobs_width, KnobSize::LARGE);
    let flow = if large.rows == flow.rows { large } else { flow };
    let strips = plan.strips.len() as f32 * (STRIP_HEIGHT + STRIP_GAP);
    let area = display.area.as_ref().map_or(0.0, |a| a.height + AREA_GAP);
    let readouts = Readouts::of(display.readouts.len(), width - 2.0 * MARGIN.x).height();
    2.0 * MARGIN.y + HEADER_HEIGHT + HEADER_GAP + area + readouts + strips + flow.height.max(plan.options_height())
}

/// Paints `group` into `rect`; `is_first` joins the panel to the tabs above it.
pub fn section(
    ui: &mut Ui,
    rect: Rect,
    binding: &dyn Binding,
    group: &Group,
    chosen: &mut Chosen,
    mut display: Display<'_>,
    is_first: bool,
) {
    let accent = theme::accent(&group.key);
    let painter = ui.painter().clone();
    let round = theme::PANEL_RADIUS;
    painter.rect_filled(
        rect,
        CornerRadius { nw: if is_first { 0 } else { round }, ne: round, sw: round, se: round },
        theme::PANEL,
    );
    let inner = rect.shrink2(MARGIN);
    let header = Rect::from_min_size(inner.min, vec2(inner.width(), HEADER_HEIGHT));
    let on = header_line(ui, header, binding, group, accent);
    let mut body = Rect::from_min_max(pos2(inner.left(), header.bottom() + HEADER_GAP), inner.max);
    ui.scope_builder(UiBuilder::new().max_rect(body), |ui| {
        if !on {
            // what is off can still be set, and says that it is off
            ui.multiply_opacity(0.45);
        }
        if let Some(area) = &mut display.area {
            let rect = Rect::from_min_size(body.min, vec2(body.width(), area.height));
            (area.paint)(ui, rect, group, binding, chosen);
            body.min.y = rect.bottom() + AREA_GAP;
        }
        let places = Readouts::of(display.readouts.len(), body.width());
        for (n, readout) in display.readouts.iter().enumerate() {
            readout.show(ui, places.place(n, body.min), binding, accent);
        }
        body.min.y += places.height();
        controls(ui, body, binding, group, chosen, accent);
    });
}

/// Where measured numbers stand: in rows that are as full as each other.
struct Readouts {
    columns: usize,
    rows: usize,
    width: f32,
}

impl Readouts {
    fn of(count: usize, width: f32) -> Self {
        let most = ((width / READOUT_WIDTHS.start()).floor() as usize).max(1);
        let rows = count.div_ceil(most);
        let columns = count.div_ceil(rows.max(1)).max(1);
        Readouts { columns, rows, width: (width / columns as f32).min(*READOUT_WIDTHS.end()) }
    }

    fn height(&self) -> f32 {
        self.rows as f32 * (READOUT_HEIGHT + AREA_GAP)
    }

    fn place(&self, n: usize, corner: Pos2) -> Rect {
        let (column, row) = ((n % self.columns) as f32, (n / self.columns) as f32);
        let at = corner + vec2(self.width * column, (READOUT_HEIGHT + AREA_GAP) * row);
        Rect::from_min_size(at, vec2(self.width - 8.0, READOUT_HEIGHT))
    }
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

/// Knobs that belong together, under a heading.
#[derive(Clone, Debug, PartialEq)]
struct Block<'a> {
    heading: Option<&'a str>,
    knobs: Vec<usize>,
}

/// An entry of the column at the right.
#[derive(Clone, Debug, PartialEq)]
enum Opt<'a> {
    Heading(&'a str),
    Control(usize),
}

/// What a section holds, in the order of its grid.
#[derive(Default)]
struct Plan<'a> {
    strips: Vec<&'a Array>,
    blocks: Vec<Block<'a>>,
    options: Vec<Opt<'a>>,
}

impl<'a> Plan<'a> {
    fn add(&mut self, binding: &dyn Binding, group: &'a Group, chosen: &Chosen, heading: Option<&'a str>) {
        for array in &group.arrays {
            self.strips.push(array);
            if let Some(member) = array.members.get(chosen.member(&array.key)) {
                self.add(binding, member, chosen, Some(&member.label));
            }
        }
        let is_knob = |i: &usize| binding.listed().get(*i).is_some_and(|l| matches!(l.control.kind, Kind::Float(_)));
        let (knobs, mut others): (Vec<usize>, Vec<usize>) = group.controls.iter().partition(|i| is_knob(i));
        if let (Some(_), Some(on)) = (heading, group.on) {
            // the section's own switch is in its header; that of a group within it comes first in the column
            others.insert(0, on);
        }
        // beside an array, what belongs to the whole section needs a name to be told apart
        let heading = heading.or((!group.arrays.is_empty()).then_some(group.label.as_str()));
        if !knobs.is_empty() {
            self.blocks.push(Block { heading, knobs });
        }
        if !others.is_empty() {
            self.options.extend(heading.map(Opt::Heading));
            self.options.extend(others.into_iter().map(Opt::Control));
        }
        for inner in &group.groups {
            self.add(binding, inner, chosen, Some(&inner.label));
        }
    }

    fn columns(&self, width: f32) -> Columns {
        let (options_width, gutter) = match (self.blocks.is_empty(), self.options.is_empty()) {
            (false, false) => (OPTIONS_WIDTH, 24.0),
            (true, false) => (OPTIONS_WIDTH * 1.4, 0.0),
            (_, true) => (0.0, 0.0),
        };
        let knobs_width = if self.blocks.is_empty() { 0.0 } else { width - options_width - gutter };
        Columns { knobs_width, gutter, options_width }
    }

    fn options_height(&self) -> f32 {
        let of = |option: &Opt<'_>| match option {
            Opt::Heading(_) => HEADING_HEIGHT,
            Opt::Control(_) => OPTION_HEIGHT,
        };
        self.options.iter().map(of).sum()
    }
}

/// How the width is shared out.
struct Columns {
    knobs_width: f32,
    gutter: f32,
    options_width: f32,
}

/// Where the blocks go: side by side as far as there is room, each on the grid of knobs.
struct Flow {
    /// Left and top of each block, from the corner of the area.
    places: Vec<egui::Vec2>,
    height: f32,
    /// Rows of knobs in all blocks.
    rows: usize,
}

impl Flow {
    fn of(blocks: &[Block<'_>], width: f32, size: KnobSize) -> Flow {
        let columns = columns(width, size);
        let heads = if blocks.iter().any(|b| b.heading.is_some()) { HEADING_HEIGHT } else { 0.0 };
        let (mut places, mut at, mut row_height): (Vec<egui::Vec2>, egui::Vec2, f32) = (vec![], egui::Vec2::ZERO, 0.0);
        let mut all_rows = 0;
        for block in blocks {
            let rows = block.knobs.len().div_ceil(columns);
            let across = block.knobs.len().min(columns) as f32 * size.cell_width;
            if at.x > 0.0 && at.x + across > width + 0.5 {
                at = vec2(0.0, at.y + row_height);
                row_height = 0.0;
            }
            places.push(at);
            all_rows += rows;
            row_height = row_height.max(heads + rows as f32 * (size.cell_height + ROW_GAP));
            at.x += across + BLOCK_GAP;
        }
        Flow { places, height: at.y + row_height, rows: all_rows }
    }
}

/// The controls of a section: knobs on a grid at the left, what is switched or chosen in a column at the right. Knobs
/// are as large as the room allows; what does not fit even then can be scrolled to.
fn controls(ui: &mut Ui, rect: Rect, binding: &dyn Binding, group: &Group, chosen: &mut Chosen, accent: Color32) {
    let mut top = rect.top();
    let before = chosen.clone();
    let mut plan = Plan::default();
    plan.add(binding, group, &before, None);
    // strips run across the whole width, above both columns
    for array in &plan.strips {
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), STRIP_HEIGHT));
        let mut member = before.member(&array.key);
        strip::members(ui, line, binding, array, &mut member, accent);
        chosen.choose(&array.key, member);
        top += STRIP_HEIGHT + STRIP_GAP;
    }
    let Columns { knobs_width, gutter, options_width } = plan.columns(rect.width());
    let (has_knobs, has_options) = (!plan.blocks.is_empty(), !plan.options.is_empty());
    let room = rect.bottom() - top;
    let sizes = [KnobSize::HUGE, KnobSize::LARGE, KnobSize::MEDIUM, KnobSize::SMALL];
    let flows = sizes.map(|size| (size, Flow::of(&plan.blocks, knobs_width, size)));
    let smallest = &flows[flows.len() - 1];
    // the greatest knobs that fit, unless smaller ones need fewer rows; the very greatest are for a single row
    let fewest = flows[..flows.len() - 1].iter().map(|(_, flow)| flow.rows).min().unwrap_or_default();
    let fits = |(size, flow): &&(KnobSize, Flow)| {
        flow.height <= room && flow.rows == fewest && (*size != KnobSize::HUGE || flow.rows == 1)
    };
    let (size, flow) = flows.iter().find(fits).unwrap_or(smallest);
    let needed = flow.height.max(plan.options_height());

    let paint = |ui: &mut Ui, origin: Pos2| {
        for (block, place) in plan.blocks.iter().zip(&flow.places) {
            paint_block(ui, block, origin + *place, knobs_width, *size, binding, accent);
        }
        let left = origin.x + if has_knobs { rect.width() - options_width } else { 0.0 };
        if has_knobs && has_options {
            let line = theme::hairline(ui.painter(), theme::LINE);
            ui.painter().vline(left - gutter / 2.0, top..=rect.bottom().max(origin.y + needed), line);
        }
        let mut y = origin.y;
        for option in &plan.options {
            let line = Rect::from_min_size(pos2(left, y), vec2(options_width, OPTION_HEIGHT - 4.0));
            y += paint_option(ui, option, line, binding, accent);
        }
    };
    let area = Rect::from_min_max(pos2(rect.left(), top), rect.max);
    if needed <= room + 0.5 {
        // few controls in a large panel hang a little lower than its edge
        paint(ui, area.min + vec2(0.0, ((room - needed) * 0.15).min(28.0).floor()));
        return;
    }
    let mut child = ui.new_child(UiBuilder::new().max_rect(area));
    ScrollArea::vertical().id_salt(&group.key).auto_shrink(false).show(&mut child, |ui| {
        let (space, _) = ui.allocate_exact_size(vec2(rect.width(), needed), egui::Sense::hover());
        paint(ui, space.min);
    });
}

fn columns(width: f32, size: KnobSize) -> usize {
    ((width / size.cell_width).floor() as usize).max(1)
}

fn heading_text(painter: &Painter, at: Pos2, label: &str) {
    let ink = Ink::capitals(theme::TINY, theme::TEXT_FAINT);
    theme::text(painter, at, Align2::LEFT_CENTER, &label.to_uppercase(), ink);
}

fn paint_block(
    ui: &mut Ui,
    block: &Block<'_>,
    at: Pos2,
    width: f32,
    size: KnobSize,
    binding: &dyn Binding,
    accent: Color32,
) {
    let mut top = at.y;
    if let Some(heading) = block.heading {
        heading_text(ui.painter(), pos2(at.x + 2.0, top + 8.0), heading);
        top += HEADING_HEIGHT;
    }
    let columns = columns(width, size);
    for (n, index) in block.knobs.iter().enumerate() {
        let (column, row) = ((n % columns) as f32, (n / columns) as f32);
        let place = pos2(at.x + column * size.cell_width, top + row * (size.cell_height + ROW_GAP));
        let cell = Rect::from_min_size(place, vec2(size.cell_width, size.cell_height));
        knob(ui, cell, binding, *index, size, accent);
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

/// From the edge of a panel to what is in it.
const MARGIN: egui::Vec2 = vec2(16.0, 12.0);
const HEADER_GAP: f32 = 10.0;
const AREA_GAP: f32 = 10.0;
const STRIP_GAP: f32 = 12.0;
const HEADER_HEIGHT: f32 = 24.0;
const STRIP_HEIGHT: f32 = 28.0;
const HEADING_HEIGHT: f32 = 20.0;
const OPTION_HEIGHT: f32 = 28.0;
const OPTIONS_WIDTH: f32 = 190.0;
const READOUT_WIDTHS: RangeInclusive<f32> = 100.0..=150.0;
const ROW_GAP: f32 = 8.0;
const BLOCK_GAP: f32 = 20.0;
