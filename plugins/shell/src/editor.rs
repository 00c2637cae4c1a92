//! What both editors share: a bar at the top, the two ends of the chain at the sides, and between them its sections.

use crate::binding::HostControls;
use crate::keyboard::Keyboard;
use crate::plugin::{Link, Product};
use crate::window::{ZOOMS_PERCENT, zoom_of};
use dsp_core::controls::Kind;
use egui::{Align2, Color32, Rect, Ui, UiBuilder, ViewportCommand, pos2, vec2};
use gui::binding::{Binding, note_modifiers, widget_id};
use gui::level_meter::{Headroom, LevelMeter};
use gui::readout::Readout;
use gui::section::Display;
use gui::theme::{self, Ink};
use gui::tree::Group;
use gui::{rail, section, selector, strip, switch};
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{Frame, NiceEguiApp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a product's editor shows beyond its controls.
pub trait Face<P: Product>: Default + Send + 'static {
    /// Where peaks belong, marked beside the meters.
    const HEADROOM: Option<Headroom>;

    /// Takes in what the audio thread has published since the last frame; `now` in seconds.
    fn take(&mut self, meters: &P::Meters, is_mono: bool, now: f64);

    /// Whether anything moves by itself, so that the window must be painted again soon.
    fn is_moving(&self) -> bool;

    /// The meters at the two ends of the chain: input, output.
    fn ends(&mut self) -> [&mut LevelMeter; 2];

    /// Measured numbers that stand below the output's meter whatever section is shown.
    fn readouts(&self) -> Vec<Readout> {
        vec![]
    }

    /// What was measured for the control with this id, which stands in the bar at the top: a click there takes it over.
    fn measured(&self, control: &str) -> Option<f32> {
        let _ = control;
        None
    }

    /// What the section with this key shows above its controls.
    fn display<'a>(&'a self, section: &str, scene: &'a Scene<P>) -> Display<'a> {
        let _ = (section, scene);
        Display::default()
    }
}

/// What computed pictures are made of.
pub struct Scene<P: Product> {
    /// The controls as the user set them.
    pub params: P::Params,
    /// The rate that the chain runs at, or ran at last.
    pub sample_rate_hz: f64,
}

/// The editor of a product.
pub struct TandemApp<P: Product, F: Face<P>> {
    link: Link<P>,
    face: F,
    tree: Group,
    controls: Option<HostControls<P::Params>>,
    keyboard: Keyboard,
    /// The zoom that the window was last asked to suit.
    zoom: f32,
    /// The window's size in points that goes with the zoom to come; `None` if it is the editor's own.
    size_to_keep: Option<egui::Vec2>,
    /// Until when, in seconds, the window is given time to follow a zoom that was just chosen.
    zooming_until: f64,
}

impl<P: Product, F: Face<P>> TandemApp<P, F> {
    /// An editor for the plugin that `link` belongs to.
    #[must_use]
    pub fn new(link: Link<P>) -> Self {
        let listed: Vec<_> = link.parameters.entries().iter().map(|e| e.listed.clone()).collect();
        let tree = Group::of(&listed);
        TandemApp {
            zoom: zoom_of(link.parameters.zoom_percent()),
            link,
            face: F::default(),
            tree,
            controls: None,
            keyboard: Keyboard::default(),
            size_to_keep: None,
            zooming_until: 0.0,
        }
    }

    fn paint(&mut self, ui: &mut Ui, frame: &mut Frame) {
        note_modifiers(ui.ctx());
        let now = ui.input(|i| i.time);
        let is_mono = self.link.channels.load(Ordering::Relaxed) == 1;
        self.face.take(&self.link.meters, is_mono, now);
        self.follow_window(ui, frame, now);

        let (width, height) = P::EDITOR_POINTS;
        let window = ui.ctx().content_rect();
        ui.painter().rect_filled(window, 0, theme::BACKGROUND);
        let spare = (window.size() - vec2(width, height)).max(egui::Vec2::ZERO) / 2.0;
        let whole = Rect::from_min_size(window.min + spare.floor(), vec2(width, height));
        let painted = ui.scope_builder(UiBuilder::new().max_rect(whole), |ui| self.paint_whole(ui, whole));
        if let Some(percent) = painted.inner {
            self.set_zoom(ui, percent, now);
        }

        self.keyboard.follow(ui.ctx(), frame);
        let waits = self.controls.as_ref().is_some_and(HostControls::awaits_host);
        if self.face.is_moving() || waits {
            ui.ctx().request_repaint_after(FRAME);
        }
    }

    /// Paints everything; the zoom that was chosen, in per cent.
    fn paint_whole(&mut self, ui: &mut Ui, whole: Rect) -> Option<u32> {
        // the host's context comes before the first frame; without it there is nothing to show
        let controls = self.controls.as_ref()?;
        let bar = Rect::from_min_size(whole.min, vec2(whole.width(), BAR_HEIGHT));
        let measured = |control: &str| self.face.measured(control);
        let zoom = top_bar::<P>(ui, bar, controls, &self.tree, self.link.parameters.zoom_percent(), measured);
        let below = Rect::from_min_max(pos2(whole.left(), bar.bottom()), whole.max);
        let left = Rect::from_min_max(below.min, pos2(below.left() + RAIL_WIDTH, below.bottom()));
        let right = Rect::from_min_max(pos2(below.right() - RAIL_WIDTH, below.top()), below.max);
        let at_end = |key: &str| self.tree.groups.iter().find(|g| g.key == key);
        let readouts = self.face.readouts();
        let [input, output] = self.face.ends();
        let (first, last) = (at_end("input"), at_end("output"));
        let at_output = rail::controls_height(controls, last) + rail::readouts_height(&readouts);
        let below_meters = rail::controls_height(controls, first).max(at_output);
        rail::rail(ui, left, controls, first, "Input", input, F::HEADROOM, below_meters, &[]);
        rail::rail(ui, right, controls, last, "Output", output, F::HEADROOM, below_meters, &readouts);

        let between = Rect::from_min_max(pos2(left.right(), below.top()), pos2(right.left(), below.bottom()));
        self.paint_sections(ui, between.shrink(12.0), controls);
        zoom
    }

    /// Paints the tabs, and the sections of the page that is open.
    fn paint_sections(&self, ui: &mut Ui, between: Rect, controls: &HostControls<P::Params>) {
        let sections: Vec<&Group> = self.tree.groups.iter().filter(|g| g.key != "input" && g.key != "output").collect();
        let mut memory = self.link.window.memory();
        // a window opens at something that works
        let is_on = |g: &&Group| g.on.is_some_and(|i| controls.value(i) >= 0.5);
        let first_on = || sections.iter().position(is_on).unwrap_or_default();
        let mut section = memory.section.unwrap_or_else(first_on).min(sections.len().saturating_sub(1));
        let tabs = Rect::from_min_size(between.min, vec2(between.width(), TAB_HEIGHT));
        let panel = Rect::from_min_max(pos2(between.left(), tabs.bottom()), between.max);
        let params = self.link.parameters.snapshot();
        let scene = Scene { params, sample_rate_hz: self.link.sample_rate_hz.load(Ordering::Relaxed) };
        let mut pages: Vec<Page<'_>> = vec![];
        for (n, group) in sections.iter().enumerate() {
            let display = self.face.display(&group.key, &scene);
            let chosen = memory.chosen.entry(group.key.clone()).or_default();
            let height = section::natural_height(controls, group, chosen, &display, panel.width());
            match pages.last_mut() {
                Some(page) if page.height + PANEL_GAP + height <= panel.height() => {
                    page.height += PANEL_GAP + height;
                    page.sections.push((height, display));
                }
                _ => pages.push(Page { first: n, height, sections: vec![(height, display)] }),
            }
        }
        let open = pages.into_iter().find(|p| p.range().contains(&section));
        let shown = open.as_ref().map_or(0..0, Page::range);
        strip::tabs(ui, tabs, controls, &sections, shown.clone(), &mut section);
        memory.section = Some(section);
        let Some(page) = open else {
            ui.painter().rect_filled(panel, theme::PANEL_RADIUS, theme::PANEL);
            let ink = Ink::new(theme::BODY, theme::TEXT_FAINT);
            theme::text(ui.painter(), panel.center(), Align2::CENTER_CENTER, P::DESCRIPTION, ink);
            return;
        };
        let spare = ((panel.height() - page.height) / page.sections.len() as f32).max(0.0);
        let mut top = panel.top();
        for (group, (n, (height, display))) in sections[shown].iter().zip(page.sections.into_iter().enumerate()) {
            let rect =
                Rect::from_min_size(pos2(panel.left(), top), vec2(panel.width(), (height + spare).min(panel.height())));
            let chosen = memory.chosen.entry(group.key.clone()).or_default();
            section::section(ui, rect, controls, group, chosen, display, n == 0);
            top = rect.bottom() + PANEL_GAP;
        }
    }

    fn set_zoom(&mut self, ui: &Ui, percent: u32, now: f64) {
        self.link.parameters.set_zoom_percent(percent);
        self.zooming_until = now + ZOOM_SECONDS;
        self.size_to_keep = None;
        ui.ctx().set_zoom_factor(zoom_of(percent));
        ui.ctx().request_repaint_after(Duration::from_secs_f64(ZOOM_SECONDS));
    }

    /// Keeps zoom and window together.
    ///
    /// A zoom takes effect with the frame after it was set, and then the framework resizes the window by the ratio of old
    /// and new; the size that is wanted must be said in that very frame. Otherwise the host has the last word on the
    /// window's size: the zoom follows it, so that everything stays in sight.
    fn follow_window(&mut self, ui: &Ui, frame: &Frame, now: f64) {
        let size = frame.baseview_window().size();
        self.link.window.note_size(size);
        let (width, height) = P::EDITOR_POINTS;
        let zoom = ui.ctx().zoom_factor();
        if zoom != self.zoom {
            self.zoom = zoom;
            let points = self.size_to_keep.take().unwrap_or(vec2(width, height));
            ui.send_viewport_cmd(ViewportCommand::InnerSize(points));
            return;
        }
        let logical = vec2(size.logical.width as f32, size.logical.height as f32);
        let fits = (logical.x / width).min(logical.y / height);
        // a window of a few pixels is one that is not yet there
        if now < self.zooming_until || fits < 0.2 || (fits - zoom).abs() < 0.01 * zoom {
            return;
        }
        self.link.parameters.set_zoom_percent((fits * 100.0).round() as u32);
        self.size_to_keep = Some(logical / fits);
        ui.ctx().set_zoom_factor(fits);
    }
}

impl<P: Product, F: Face<P>> NiceEguiApp for TandemApp<P, F> {
    fn build(&mut self, ctx: egui::Context, host: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        theme::install(&ctx);
        frame.set_clear_color(theme::BACKGROUND.into());
        self.controls = Some(HostControls::new(self.link.parameters.clone(), host));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        // a panic here would take the host down with it: better a window that misses a part of one frame
        let painted = catch_unwind(AssertUnwindSafe(|| self.paint(ui, frame)));
        if painted.is_err() {
            ui.ctx().request_repaint_after(Duration::from_secs(1));
        }
    }

    fn resized(&mut self, _: WindowSize) {
        self.link.repaint.request_repaint();
    }
}

impl<P: Product, F: Face<P>> Drop for TandemApp<P, F> {
    fn drop(&mut self) {
        if let Some(controls) = &self.controls {
            controls.end_all();
        }
    }
}

/// The bar at the top; the zoom that was chosen there, in per cent.
fn top_bar<P: Product>(
    ui: &mut Ui,
    bar: Rect,
    binding: &dyn Binding,
    tree: &Group,
    zoom_percent: u32,
    measured: impl Fn(&str) -> Option<f32>,
) -> Option<u32> {
    let painter = ui.painter().clone();
    painter.rect_filled(bar, 0, theme::FRAME);
    painter.hline(bar.x_range(), bar.bottom(), theme::hairline(&painter, Color32::from_black_alpha(140)));
    let (house, product) = P::NAME.split_once(' ').unwrap_or((P::NAME, ""));
    let mark = Ink { tracking: 2.2, ..Ink::strong(theme::TITLE, theme::TEXT) };
    let at = pos2(bar.left() + 18.0, bar.center().y);
    let painted = theme::text(&painter, at, Align2::LEFT_CENTER, &house.to_uppercase(), mark);
    let name = Ink { tracking: 0.3, ..Ink::new(theme::TITLE, theme::TEXT_SOFT) };
    theme::text(&painter, pos2(painted.right() + 8.0, bar.center().y), Align2::LEFT_CENTER, product, name);

    let mut right = bar.right() - 12.0;
    let mut place = |width: f32| {
        let rect = Rect::from_min_max(pos2(right - width, bar.center().y - 12.0), pos2(right, bar.center().y + 12.0));
        right -= width + 8.0;
        rect
    };
    // what belongs to the whole chain: bypass first
    for index in tree.on.into_iter().chain(tree.controls.iter().copied()) {
        let Some(listed) = binding.listed().get(index) else { continue };
        match listed.control.kind {
            Kind::Switch => switch::pill(ui, place(92.0), binding, index, theme::NOTICE),
            Kind::Choice(_) => selector::selector(ui, place(148.0), binding, index, theme::NEUTRAL),
            Kind::Float(_) => {
                gui::value_field::value_field(ui, place(80.0), binding, index, theme::NEUTRAL);
                if let Some(value) = measured(&listed.id) {
                    switch::take(ui, place(84.0), binding, index, f64::from(value), theme::NEUTRAL);
                }
            }
        }
    }
    let rect = place(72.0);
    let response = ui.interact(rect, widget_id("zoom", "menu"), egui::Sense::CLICK);
    selector::face(ui, &response, rect, &format!("{zoom_percent} %"));
    let labels: Vec<String> = ZOOMS_PERCENT.iter().map(|z| format!("{z} %")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let chosen = ZOOMS_PERCENT.iter().position(|z| *z == zoom_percent);
    let taken = selector::menu(&response, &labels, chosen, theme::NEUTRAL);
    if !egui::Popup::is_any_open(ui.ctx()) {
        response.on_hover_text("Zoom");
    }
    taken.and_then(|n| ZOOMS_PERCENT.get(n).copied())
}

/// Neighbouring sections that fit into the panel together.
struct Page<'a> {
    first: usize,
    height: f32,
    /// Height and display of each.
    sections: Vec<(f32, Display<'a>)>,
}

impl Page<'_> {
    fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.sections.len()
    }
}

const PANEL_GAP: f32 = 8.0;
const BAR_HEIGHT: f32 = 44.0;
const TAB_HEIGHT: f32 = 34.0;
const RAIL_WIDTH: f32 = 96.0;
/// How long the window is given to follow a zoom that was just chosen.
const ZOOM_SECONDS: f64 = 1.0;
/// Time between two frames of what moves.
const FRAME: Duration = Duration::from_micros(16_667);
