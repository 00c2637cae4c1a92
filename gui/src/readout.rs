//! A measured number with its name and unit.

use crate::binding::{Binding, set_once, widget_id};
use crate::figures;
use crate::theme::{self, Ink};
use egui::{Align2, Color32, CursorIcon, Rect, Sense, Ui, pos2};

/// A measured number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Readout {
    /// What is measured.
    pub name: &'static str,
    /// The number; `None` where nothing has been measured yet, which is shown as a dash and never as 0.
    pub value: Option<f32>,
    /// Its unit.
    pub unit: &'static str,
    /// Whether the number is out of what is allowed.
    pub alert: bool,
    /// The id of the control that a click writes the number into: what is measured moves nothing by itself.
    pub writes: Option<&'static str>,
}

impl Readout {
    /// Paints it into `rect`: the name above, the number with its unit below. A click takes the number over, if there is a
    /// control for it.
    pub fn show(&self, ui: &mut Ui, rect: Rect, binding: &dyn Binding, accent: Color32) {
        let into = self.writes.and_then(|id| binding.listed().iter().position(|l| l.id == id)).zip(self.value);
        let mut hovered = false;
        if let Some((index, value)) = into {
            let response = ui.interact(rect, widget_id("readout", self.name), Sense::CLICK);
            let response = response.on_hover_cursor(CursorIcon::PointingHand);
            hovered = response.hovered();
            if response.clicked() {
                set_once(binding, index, f64::from(value));
            }
            if let Some(listed) = binding.listed().get(index) {
                response.on_hover_text(["Click: take it over as ", &listed.name].concat());
            }
        }
        let painter = ui.painter();
        let name = pos2(rect.left(), rect.top() + 6.0);
        let name_color = if hovered { theme::TEXT } else { theme::TEXT_SOFT };
        let ink = Ink::new(theme::SMALL, name_color);
        theme::text_within(painter, name, Align2::LEFT_CENTER, self.name, ink, rect.width());
        let number = self.value.map_or_else(|| figures::NOT_MEASURED.to_owned(), figures::decibels);
        let color = match (self.value, self.alert) {
            (None, _) => theme::TEXT_FAINT,
            (Some(_), true) => theme::ALERT,
            (Some(_), false) if hovered => accent,
            (Some(_), false) => theme::mix(theme::TEXT, accent, 0.25),
        };
        // beside a number of three digits there must be room for the unit
        let size = if rect.width() < NARROW { 15.0 } else { 20.0 };
        let at = pos2(rect.left(), rect.top() + 26.0);
        let painted =
            theme::text(painter, at, Align2::LEFT_CENTER, &number, Ink { weight: 500.0, ..Ink::new(size, color) });
        let unit = pos2(painted.right() + 5.0, painted.bottom() - 3.5);
        let unit = theme::text(painter, unit, Align2::LEFT_BOTTOM, self.unit, Ink::new(theme::TINY, theme::TEXT_FAINT));
        if into.is_some() {
            let at = pos2(unit.right() + 8.0, unit.bottom());
            theme::text(painter, at, Align2::LEFT_BOTTOM, "TAKE", Ink::capitals(theme::TINY, accent));
        }
    }
}

/// Where a readout is narrower than this, in points, its number is smaller.
const NARROW: f32 = 90.0;

/// Height of a readout, in points.
pub const READOUT_HEIGHT: f32 = 42.0;
