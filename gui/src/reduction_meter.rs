//! Gain reduction: a bar that grows away from 0 dB, and the number.

use crate::figures;
use crate::theme::{self, Ink};
use egui::{Align2, Color32, Painter, Rect, Stroke, pos2};

/// Height of the meter with its scale, in points.
pub const REDUCTION_HEIGHT: f32 = 36.0;
/// How far down the scale goes, in decibels.
const RANGE_DB: f32 = 24.0;
const SCALE_DB: [f32; 6] = [0.0, 3.0, 6.0, 12.0, 18.0, 24.0];
const RETURN_DB_PER_SECOND: f32 = 20.0 / 1.7;

/// How reduction moves on the meter: down at once, back no faster than a peak meter falls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReductionMeter {
    shown_db: f32,
    last: f64,
}

impl ReductionMeter {
    /// Takes in the deepest reduction since the last call, in decibels, 0 or negative; `now` in seconds.
    pub fn take(&mut self, reduction_db: f32, now: f64) {
        let seconds = (now - self.last).clamp(0.0, 60.0) as f32;
        self.last = now;
        let back = (self.shown_db + RETURN_DB_PER_SECOND * seconds).min(0.0);
        self.shown_db = if reduction_db < back { reduction_db } else { back };
    }

    /// What it shows, in decibels, 0 or negative.
    #[must_use]
    pub fn shown_db(&self) -> f32 {
        self.shown_db
    }

    /// Whether it must be painted again soon although nothing new came.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.shown_db < 0.0
    }

    /// Paints the meter with scale and number into `rect`: 0 dB at the right, as the gain falls to the left.
    pub fn show(&self, painter: &Painter, rect: Rect, accent: Color32) {
        let number = pos2(rect.right(), rect.center().y - 6.0);
        let shown = figures::decibels(self.shown_db);
        let lit = if self.shown_db < -0.05 { theme::TEXT } else { theme::TEXT_FAINT };
        theme::text(painter, number, Align2::RIGHT_CENTER, &shown, Ink::medium(theme::TITLE, lit));
        let caption = pos2(rect.left(), rect.center().y - 6.0);
        theme::text(
            painter,
            caption,
            Align2::LEFT_CENTER,
            "GAIN REDUCTION",
            Ink::capitals(theme::TINY, theme::TEXT_FAINT),
        );

        let bar = Rect::from_min_max(
            pos2(rect.left() + 112.0, rect.center().y - 11.0),
            pos2(rect.right() - 52.0, rect.center().y - 1.0),
        );
        painter.rect_filled(bar, 2, theme::WELL);
        let x = |db: f32| bar.right() - (db / RANGE_DB).clamp(0.0, 1.0).sqrt() * bar.width();
        let end = x(-self.shown_db);
        if end < bar.right() - 0.5 {
            painter.rect_filled(Rect::from_min_max(pos2(end, bar.top()), bar.max), 2, accent);
        }
        for db in SCALE_DB {
            painter.vline(
                x(db),
                bar.bottom() + 2.0..=bar.bottom() + 5.0,
                Stroke::new(1.0, theme::TEXT_FAINT.gamma_multiply(0.7)),
            );
            let at = pos2(x(db), bar.bottom() + 12.0);
            theme::text(painter, at, Align2::CENTER_CENTER, &db.to_string(), Ink::new(theme::TINY, theme::TEXT_FAINT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduction_falls_at_once_and_returns_slowly() {
        let mut meter = ReductionMeter::default();
        meter.take(-10.0, 1.0);
        assert_eq!(meter.shown_db(), -10.0);
        meter.take(0.0, 1.17);
        assert!((meter.shown_db() + 8.0).abs() < 1e-3, "2 dB in 0.17 s: {}", meter.shown_db());
        meter.take(f32::NAN, 1.17);
        assert!((meter.shown_db() + 8.0).abs() < 1e-3);
        meter.take(0.0, 9.0);
        assert!(!meter.is_moving());
    }
}
