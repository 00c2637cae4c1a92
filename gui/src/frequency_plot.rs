//! A frequency response, painted from the function that computes it.

use crate::theme::{self, Ink};
use egui::epaint::{BandPoint, BandShape, PathShape};
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, StrokeKind, pos2};

/// The area of a plot: frequency in octaves from left to right, gain in decibels upwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrequencyPlot {
    rect: Rect,
    range_db: f32,
}

/// Left end of the plot.
pub const MIN_HZ: f64 = 20.0;
/// Right end of the plot.
pub const MAX_HZ: f64 = 20_000.0;

impl FrequencyPlot {
    /// A plot in `rect` from −`range_db` to +`range_db`, with its grid painted.
    pub fn new(painter: &Painter, rect: Rect, range_db: f32) -> Self {
        let plot = FrequencyPlot { rect, range_db: range_db.max(1.0) };
        plot.paint_grid(painter);
        plot
    }

    /// Where a frequency and a gain are.
    #[must_use]
    pub fn at(&self, hz: f64, db: f64) -> Pos2 {
        let across = (hz / MIN_HZ).ln() / (MAX_HZ / MIN_HZ).ln();
        let up = db / f64::from(self.range_db);
        pos2(
            self.rect.left() + across as f32 * self.rect.width(),
            self.rect.center().y - up as f32 * self.rect.height() / 2.0,
        )
    }

    /// The frequency at a place.
    #[must_use]
    pub fn hz_at(&self, x: f32) -> f64 {
        let across = f64::from((x - self.rect.left()) / self.rect.width());
        MIN_HZ * (MAX_HZ / MIN_HZ).powf(across)
    }

    /// The gain at a place.
    #[must_use]
    pub fn db_at(&self, y: f32) -> f64 {
        f64::from((self.rect.center().y - y) / (self.rect.height() / 2.0) * self.range_db)
    }

    /// The area.
    #[must_use]
    pub fn rect(&self) -> Rect {
        self.rect
    }

    /// The nearest place in the area.
    #[must_use]
    pub fn inside(&self, place: Pos2) -> Pos2 {
        place.clamp(self.rect.min, self.rect.max)
    }

    /// Paints the curve of `response`, which answers the gain in decibels at a frequency in hertz, over a faint fill down
    /// (or up) to 0 dB. What is not finite is left out.
    pub fn curve(&self, painter: &Painter, color: Color32, response: impl Fn(f64) -> f64) {
        let painter = painter.with_clip_rect(self.rect.intersect(painter.clip_rect()));
        let points = self.points(&painter, response);
        self.fill(&painter, &points, color.gamma_multiply(0.07));
        painter.add(PathShape::line(points, Stroke::new(1.8, color)));
    }

    /// Paints the curve of one part of the whole: a faint fill and a thin line.
    pub fn part(&self, painter: &Painter, color: Color32, response: impl Fn(f64) -> f64) {
        let painter = painter.with_clip_rect(self.rect.intersect(painter.clip_rect()));
        let points = self.points(&painter, response);
        self.fill(&painter, &points, color.gamma_multiply(0.12));
        painter.add(PathShape::line(points, Stroke::new(1.0, color.gamma_multiply(0.45))));
    }

    fn points(&self, painter: &Painter, response: impl Fn(f64) -> f64) -> Vec<Pos2> {
        // a point for each pixel and a half: a resonance of Q 40 keeps its tip
        let count = (self.rect.width() * painter.pixels_per_point() / 1.5).clamp(2.0, 2000.0) as usize;
        let point = |n: usize| {
            let x = self.rect.left() + self.rect.width() * n as f32 / count as f32;
            let hz = self.hz_at(x);
            let db = response(hz);
            // a stop band goes to −∞: a place far below the plot will do
            pos2(x, self.at(hz, if db.is_nan() { f64::NAN } else { db.clamp(-400.0, 400.0) }).y)
        };
        (0..=count).map(point).filter(|p| p.y.is_finite()).collect()
    }

    fn fill(&self, painter: &Painter, points: &[Pos2], color: Color32) {
        let zero = self.at(MIN_HZ, 0.0).y;
        let band = |p: &Pos2| BandPoint::new(p.x, p.y.min(zero)..=p.y.max(zero));
        painter.add(BandShape::filled(points.iter().map(band).collect(), color));
    }

    fn paint_grid(&self, painter: &Painter) {
        let rect = self.rect;
        painter.rect_filled(rect, theme::SMALL_RADIUS, theme::WELL);
        for decade in [10.0, 100.0, 1000.0, 10_000.0] {
            for n in 1..10 {
                let hz = decade * f64::from(n);
                if hz > MIN_HZ && hz < MAX_HZ {
                    let color = if n == 1 { theme::LINE } else { theme::GRID };
                    painter.vline(self.at(hz, 0.0).x, rect.y_range(), theme::hairline(painter, color));
                }
            }
        }
        let step = if self.range_db > 20.0 {
            12.0
        } else if self.range_db > 8.0 {
            6.0
        } else {
            3.0
        };
        let lines = (f64::from(self.range_db) / step).ceil() as i32;
        for n in (1 - lines)..lines {
            let db = f64::from(n) * step;
            let y = self.at(MIN_HZ, db).y;
            let color = if n == 0 { theme::mix(theme::LINE, theme::TEXT_FAINT, 0.35) } else { theme::GRID };
            painter.hline(rect.x_range(), y, theme::hairline(painter, color));
            let label = if n > 0 { format!("+{db}") } else { format!("{db}").replace('-', "−") };
            let at = pos2(rect.right() - 5.0, y - 1.0);
            theme::text(painter, at, Align2::RIGHT_BOTTOM, &label, Ink::new(theme::TINY, theme::TEXT_FAINT));
        }
        for (hz, label) in LABELS {
            let at = pos2(self.at(hz, 0.0).x + 3.0, rect.bottom() - 2.0);
            theme::text(painter, at, Align2::LEFT_BOTTOM, label, Ink::new(theme::TINY, theme::TEXT_FAINT));
        }
        painter.rect_stroke(rect, theme::SMALL_RADIUS, theme::hairline(painter, theme::LINE), StrokeKind::Inside);
    }
}

const LABELS: [(f64, &str); 9] = [
    (20.0, "20"),
    (50.0, "50"),
    (100.0, "100"),
    (200.0, "200"),
    (500.0, "500"),
    (1000.0, "1k"),
    (2000.0, "2k"),
    (5000.0, "5k"),
    (10_000.0, "10k"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values_agree() {
        let plot = FrequencyPlot { rect: Rect::from_min_max(pos2(10.0, 20.0), pos2(610.0, 220.0)), range_db: 18.0 };
        // three decades over 600 points: a decade is 200
        for (hz, db, x, y) in [(20.0, 0.0, 10.0, 120.0), (200.0, 18.0, 210.0, 20.0), (20_000.0, -9.0, 610.0, 170.0)] {
            let at = plot.at(hz, db);
            assert!((at.x - x).abs() < 1e-2 && (at.y - y).abs() < 1e-2, "{at:?}");
            assert!((plot.hz_at(at.x) / hz - 1.0).abs() < 1e-4 && (plot.db_at(at.y) - db).abs() < 1e-3);
        }
    }
}
