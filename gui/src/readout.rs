//! A measured number with its name and unit.

use crate::figures;
use crate::theme::{self, Ink};
use egui::{Align2, Color32, Painter, Rect, pos2};

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
}

impl Readout {
    /// Paints it into `rect`: the name above, the number with its unit below.
    pub fn show(&self, painter: &Painter, rect: Rect, accent: Color32) {
        let name = pos2(rect.left(), rect.top() + 6.0);
        theme::text_within(
            painter,
            name,
            Align2::LEFT_CENTER,
            self.name,
            Ink::new(theme::SMALL, theme::TEXT_SOFT),
            rect.width(),
        );
        let number = self.value.map_or_else(|| figures::NOT_MEASURED.to_owned(), figures::decibels);
        let color = match (self.value, self.alert) {
            (None, _) => theme::TEXT_FAINT,
            (Some(_), true) => theme::ALERT,
            (Some(_), false) => theme::mix(theme::TEXT, accent, 0.25),
        };
        let at = pos2(rect.left(), rect.top() + 26.0);
        let painted =
            theme::text(painter, at, Align2::LEFT_CENTER, &number, Ink { weight: 500.0, ..Ink::new(20.0, color) });
        let unit = pos2(painted.right() + 5.0, painted.bottom() - 3.5);
        theme::text(painter, unit, Align2::LEFT_BOTTOM, self.unit, Ink::new(theme::TINY, theme::TEXT_FAINT));
    }
}

/// Height of a readout, in points.
pub const READOUT_HEIGHT: f32 = 42.0;
