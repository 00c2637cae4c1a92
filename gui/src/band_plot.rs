//! The response of an equalizer, with a handle for each band that is on.

use crate::binding::{Binding, asks_for_default, reset, set_once, wheel_notches, widget_id};
use crate::frequency_plot::FrequencyPlot;
use crate::section::Chosen;
use crate::theme::{self, Ink};
use crate::tree::{Array, Group};
use egui::{Align2, Color32, CursorIcon, Id, Pos2, Rect, Sense, Stroke, Ui, Vec2, vec2};

/// Where the controls of a band are; a group with these keys is one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct BandControls {
    on: Option<usize>,
    frequency: usize,
    gain: Option<usize>,
    q: Option<usize>,
}

impl BandControls {
    fn of(group: &Group, binding: &dyn Binding) -> Option<BandControls> {
        let control = |key| group.control(binding.listed(), key);
        let frequency = control("frequency_hz")?;
        Some(BandControls { on: group.on, frequency, gain: control("gain_db"), q: control("q") })
    }

    fn is_on(&self, binding: &dyn Binding) -> bool {
        self.on.is_none_or(|i| binding.value(i) >= 0.5)
    }

    /// Frequency in hertz and gain in decibels.
    fn place(&self, binding: &dyn Binding) -> (f64, f64) {
        (binding.value(self.frequency), self.gain.map_or(0.0, |i| binding.value(i)))
    }

    fn each(&self, act: impl FnMut(usize)) {
        [Some(self.frequency), self.gain].into_iter().flatten().for_each(act);
    }

    fn move_to(&self, binding: &dyn Binding, hz: f64, db: f64) {
        binding.set(self.frequency, hz);
        if let Some(gain) = self.gain {
            binding.set(gain, db);
        }
    }
}

/// What the bands of an equalizer do.
pub trait Response {
    /// The gain of all bands at a frequency in hertz, in decibels; NaN where there is none.
    fn total_db(&self, hz: f64) -> f64;
    /// The gain of one band, counted from 0.
    fn band_db(&self, band: usize, hz: f64) -> f64;
    /// Whether the gain of a band means anything: that of a cut does not.
    fn has_gain(&self, band: usize) -> bool;
}

/// Paints the bands of the first array of `group` into `rect`.
///
/// A handle is dragged to move its band, the wheel turns its Q, a click with ctrl takes its gain back; a double click
/// switches it off. A double click elsewhere switches a band on, there.
pub fn band_plot(
    ui: &mut Ui,
    rect: Rect,
    group: &Group,
    binding: &dyn Binding,
    chosen: &mut Chosen,
    response: &impl Response,
) {
    let Some(array) = group.arrays.first() else { return };
    let accent = theme::accent(&group.key);
    let band = |(n, m): (usize, &Group)| {
        let gain_counts = response.has_gain(n);
        BandControls::of(m, binding).map(|b| BandControls { gain: b.gain.filter(|_| gain_counts), ..b })
    };
    let bands: Vec<Option<BandControls>> = array.members.iter().enumerate().map(band).collect();
    let on = |b: &&BandControls| b.is_on(binding);
    let steepest = bands.iter().flatten().filter(on).map(|b| b.place(binding).1.abs()).fold(0.0, f64::max);
    let plot = FrequencyPlot::new(ui.painter(), rect, if steepest > 17.0 { 36.0 } else { 18.0 });
    let selected = chosen.member(&array.key);

    let background = ui.interact(rect, widget_id("bands", &group.key), Sense::CLICK);
    if let (true, Some(at)) = (background.double_clicked(), background.interact_pointer_pos()) {
        add_band(&plot, at, &bands, array, binding, chosen);
    }
    if bands.get(selected).is_some_and(|b| b.is_some_and(|b| b.is_on(binding))) {
        plot.part(ui.painter(), accent, |hz| response.band_db(selected, hz));
    }
    plot.curve(ui.painter(), accent, |hz| response.total_db(hz));
    for (n, (controls, member)) in bands.iter().zip(&array.members).enumerate() {
        if let Some(controls) = controls.filter(|b| b.is_on(binding)) {
            let id = widget_id("band handle", &[group.key.as_str(), &member.key].join("."));
            handle(ui, id, &plot, n, controls, binding, array, chosen, accent);
        }
    }
}

fn add_band(
    plot: &FrequencyPlot,
    at: Pos2,
    bands: &[Option<BandControls>],
    array: &Array,
    binding: &dyn Binding,
    chosen: &mut Chosen,
) {
    let is_free = |(n, b): (usize, &Option<BandControls>)| b.filter(|b| !b.is_on(binding)).map(|b| (n, b));
    let free: Vec<(usize, BandControls)> = bands.iter().enumerate().filter_map(is_free).collect();
    // one whose gain counts, if there is one
    let with_gain = free.iter().find(|(_, b)| b.gain.is_some());
    let Some((n, controls)) = with_gain.or(free.first()).copied() else { return };
    controls.each(|i| binding.begin(i));
    controls.move_to(binding, plot.hz_at(at.x), plot.db_at(at.y));
    controls.each(|i| binding.end(i));
    if let Some(on) = controls.on {
        set_once(binding, on, 1.0);
    }
    chosen.choose(&array.key, n);
}

#[expect(clippy::too_many_arguments, reason = "a handle is where all of these meet")]
fn handle(
    ui: &Ui,
    id: Id,
    plot: &FrequencyPlot,
    n: usize,
    controls: BandControls,
    binding: &dyn Binding,
    array: &Array,
    chosen: &mut Chosen,
    accent: Color32,
) {
    let (hz, db) = controls.place(binding);
    let at = plot.inside(plot.at(hz, db));
    let around = Rect::from_center_size(at, Vec2::splat(2.0 * RADIUS + 4.0));
    let response = ui.interact(around, id, Sense::CLICK | Sense::DRAG).on_hover_cursor(CursorIcon::Grab);
    if response.drag_started() || response.clicked() {
        chosen.choose(&array.key, n);
    }
    if response.double_clicked() {
        if let Some(on) = controls.on {
            set_once(binding, on, 0.0);
        }
    } else if asks_for_default(ui, &response)
        && let Some(gain) = controls.gain
    {
        reset(binding, gain);
    }
    if response.drag_started() {
        ui.data_mut(|d| d.insert_temp(id, at));
        controls.each(|i| binding.begin(i));
    }
    if response.dragged() || response.drag_stopped() {
        let moved = ui.input(|i| i.pointer.delta());
        let fine = if crate::binding::modifiers(ui).shift { 0.1 } else { 1.0 };
        // the place is kept apart from the values, which stop at their ends
        let from: Pos2 = ui.data(|d| d.get_temp(id)).unwrap_or(at);
        let to = plot.inside(from + moved * fine);
        if moved != Vec2::ZERO {
            ui.data_mut(|d| d.insert_temp(id, to));
            controls.move_to(binding, plot.hz_at(to.x), plot.db_at(to.y));
        }
    }
    if response.drag_stopped() {
        ui.data_mut(|d| d.remove::<Pos2>(id));
        controls.each(|i| binding.end(i));
    }
    let notches = wheel_notches(ui, &response);
    if let (true, Some(q)) = (notches != 0.0, controls.q.filter(|_| !response.dragged()))
        && let Some(listed) = binding.listed().get(q)
    {
        let kind = listed.control.kind;
        set_once(binding, q, kind.value_at(kind.travel_of(binding.value(q)) + f64::from(notches) * Q_TRAVEL_PER_NOTCH));
    }

    let is_selected = chosen.member(&array.key) == n;
    let lit = response.hovered() || response.dragged();
    let color = if lit { theme::mix(accent, Color32::WHITE, 0.2) } else { accent };
    let (fill, ink) = if is_selected { (color, theme::WELL) } else { (theme::mix(theme::WELL, color, 0.25), color) };
    let painter = ui.painter();
    if is_selected {
        painter.circle_filled(at, RADIUS + 4.0, color.gamma_multiply(0.18));
    }
    painter.circle(at, RADIUS, fill, Stroke::new(1.2, color));
    theme::text(painter, at, Align2::CENTER_CENTER, &(n + 1).to_string(), Ink::strong(theme::TINY, ink));
    if response.dragged() {
        let kind = |i: usize| binding.listed().get(i).map(|l| l.control.kind);
        let text = |i: usize| kind(i).map(|k| crate::figures::short(&k, binding.value(i)));
        let label = [text(controls.frequency), controls.gain.and_then(text)].into_iter().flatten();
        let label = label.collect::<Vec<_>>().join("   ");
        let below = at.y < around.height() * 2.0 + plot.rect().top();
        let place = at + vec2(0.0, if below { 22.0 } else { -22.0 });
        let ink = Ink::medium(theme::SMALL, theme::TEXT);
        let galley = theme::layout(painter, &label, ink, f32::INFINITY);
        let half = galley.size() / 2.0 + vec2(8.0, 3.0);
        let inner = plot.rect().shrink2(half);
        let center = place.clamp(inner.min, inner.max);
        let frame = Rect::from_center_size(center, half * 2.0);
        painter.rect_filled(frame, theme::SMALL_RADIUS, theme::RAISED);
        painter.galley(frame.center() - galley.size() / 2.0, galley, theme::TEXT);
    }
}

const RADIUS: f32 = 8.5;
const Q_TRAVEL_PER_NOTCH: f64 = 0.02;
