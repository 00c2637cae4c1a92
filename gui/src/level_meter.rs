//! Peak meters: bars that fall slowly, a line that holds the greatest peak, and a number that keeps it.

use crate::binding::widget_id;
use crate::figures;
use crate::theme::{self, Ink};
use egui::{Align2, Color32, Painter, Rect, Sense, Stroke, Ui, pos2, vec2};

/// How a peak moves on the meter.
///
/// It rises at once, so that no peak is lost, and falls by 20 dB in 1.7 s (IEC 60268-18, digital peak meters); the line
/// above it stands for two seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ballistics {
    shown_db: f32,
    held_db: f32,
    held_since: f64,
    greatest_db: f32,
    last: f64,
}

impl Default for Ballistics {
    fn default() -> Self {
        let silence = f32::NEG_INFINITY;
        Ballistics { shown_db: silence, held_db: silence, held_since: 0.0, greatest_db: silence, last: 0.0 }
    }
}

impl Ballistics {
    /// Takes in the greatest magnitude since the last call, linear; `now` in seconds.
    pub fn take(&mut self, peak: f32, now: f64) {
        let db = 20.0 * peak.max(0.0).log10();
        let seconds = (now - self.last).clamp(0.0, 60.0) as f32;
        self.last = now;
        let fall = |from: f32| {
            if from - FALL_DB_PER_SECOND * seconds < FLOOR_DB {
                f32::NEG_INFINITY
            } else {
                from - FALL_DB_PER_SECOND * seconds
            }
        };
        self.shown_db = db.max(fall(self.shown_db));
        if db >= self.held_db {
            self.held_db = db;
            self.held_since = now;
        } else if now - self.held_since > HOLD_SECONDS {
            self.held_db = self.shown_db.max(fall(self.held_db));
        }
        self.greatest_db = self.greatest_db.max(db);
    }

    /// Where the bar stands, in dBFS.
    #[must_use]
    pub fn shown_db(&self) -> f32 {
        self.shown_db
    }

    /// The greatest peak since the last reset, in dBFS.
    #[must_use]
    pub fn greatest_db(&self) -> f32 {
        self.greatest_db
    }

    /// Forgets the greatest peak.
    pub fn reset_greatest(&mut self) {
        self.greatest_db = f32::NEG_INFINITY;
    }

    /// Whether the meter would look different a moment later without any new peak.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.shown_db > FLOOR_DB || self.held_db > FLOOR_DB
    }
}

/// A meter of one or two channels with its scale and the number of the greatest peak.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LevelMeter {
    channels: [Ballistics; 2],
    is_mono: bool,
}

/// The part of the scale where a mixdown's peaks belong, in dBFS: marked beside the bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headroom {
    /// Lower mark.
    pub from_db: f32,
    /// Upper mark.
    pub to_db: f32,
}

impl LevelMeter {
    /// Takes in the greatest magnitudes since the last call, linear; `now` in seconds.
    pub fn take(&mut self, peaks: [f32; 2], is_mono: bool, now: f64) {
        self.is_mono = is_mono;
        for (channel, peak) in self.channels.iter_mut().zip(peaks) {
            channel.take(peak, now);
        }
    }

    /// Whether it must be painted again soon although nothing new came.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.channels.iter().any(Ballistics::is_moving)
    }

    /// Paints the meter into `rect`; a click on it resets the number.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, name: &str, headroom: Option<Headroom>) {
        let response = ui.interact(rect, widget_id("level", name), Sense::CLICK);
        if response.clicked() {
            self.channels.iter_mut().for_each(Ballistics::reset_greatest);
        }
        let painter = ui.painter();
        let number = Rect::from_min_size(rect.min, vec2(rect.width(), NUMBER_HEIGHT));
        self.paint_number(painter, number);
        let bars = Rect::from_min_max(pos2(rect.left(), number.bottom() + 6.0), rect.max);
        self.paint_bars(painter, bars, headroom);
        response.on_hover_text("Peak level, dBFS. A click resets the number");
    }

    fn audible(&self) -> &[Ballistics] {
        if self.is_mono { &self.channels[..1] } else { &self.channels }
    }

    fn paint_number(&self, painter: &Painter, rect: Rect) {
        let greatest = self.audible().iter().fold(f32::NEG_INFINITY, |m, c| m.max(c.greatest_db));
        let (fill, color) = match greatest {
            db if db > 0.0 => (theme::ALERT, theme::WELL),
            f32::NEG_INFINITY => (theme::WELL, theme::TEXT_FAINT),
            _ => (theme::WELL, theme::TEXT),
        };
        painter.rect_filled(rect, theme::SMALL_RADIUS, fill);
        let ink = Ink::medium(theme::BODY, color);
        theme::text(painter, rect.center(), Align2::CENTER_CENTER, &figures::decibels(greatest), ink);
    }

    fn paint_bars(&self, painter: &Painter, rect: Rect, headroom: Option<Headroom>) {
        let y = |db: f32| rect.bottom() - deflection(db) * rect.height();
        let channels = self.audible();
        let (bar, gap) = if channels.len() == 1 { (16.0, 0.0) } else { (12.0, 3.0) };
        let whole = bar * channels.len() as f32 + gap * (channels.len() as f32 - 1.0);
        let left = rect.center().x - whole / 2.0 - 10.0;
        let right = left + whole;
        if let Some(marks) = headroom {
            let zone = Rect::from_min_max(pos2(left - 5.0, y(marks.to_db)), pos2(left - 2.5, y(marks.from_db)));
            painter.rect_filled(zone, 1, theme::LEVEL_HIGH.gamma_multiply(0.8));
        }
        for (n, channel) in channels.iter().enumerate() {
            let x = left + (bar + gap) * n as f32;
            let well = Rect::from_min_max(pos2(x, rect.top()), pos2(x + bar, rect.bottom()));
            painter.rect_filled(well, 2, theme::WELL);
            for (from_db, to_db, color) in ZONES {
                let top = channel.shown_db.min(to_db);
                if top > from_db {
                    painter.rect_filled(Rect::from_min_max(pos2(x, y(top)), pos2(x + bar, y(from_db))), 1, color);
                }
            }
            if channel.held_db > FLOOR_DB {
                let held = y(channel.held_db);
                painter.hline(x..=x + bar, held, Stroke::new(1.5, zone_color(channel.held_db)));
            }
        }
        for (db, label) in SCALE {
            let at = y(db);
            let marked = headroom.is_some_and(|h| db == h.from_db || db == h.to_db);
            let color = if marked { theme::LEVEL_HIGH } else { theme::TEXT_FAINT };
            painter.hline(right + 3.0..=right + 6.0, at, Stroke::new(1.0, color.gamma_multiply(0.7)));
            theme::text(painter, pos2(right + 9.0, at), Align2::LEFT_CENTER, label, Ink::new(theme::TINY, color));
            if marked {
                painter.hline(left..=right, at, Stroke::new(1.0, theme::LEVEL_HIGH.gamma_multiply(0.35)));
            }
        }
    }
}

/// Where a level stands on the scale, 0 to 1: even in decibels near the top, where levels are set, and ever denser below.
fn deflection(db: f32) -> f32 {
    const POINTS: [(f32, f32); 8] = [
        (-60.0, 0.0),
        (-48.0, 0.08),
        (-36.0, 0.20),
        (-24.0, 0.38),
        (-12.0, 0.64),
        (-6.0, 0.79),
        (0.0, 0.94),
        (3.0, 1.0),
    ];
    let after = POINTS.iter().position(|p| db < p.0);
    match after {
        Some(0) => 0.0,
        None => 1.0,
        Some(n) => {
            let (from, to) = (POINTS[n - 1], POINTS[n]);
            from.1 + (to.1 - from.1) * (db - from.0) / (to.0 - from.0)
        }
    }
}

fn zone_color(db: f32) -> Color32 {
    ZONES.iter().find(|z| db <= z.1).map_or(theme::ALERT, |z| z.2)
}

/// From, to and colour of the parts of a bar.
const ZONES: [(f32, f32, Color32); 3] =
    [(-60.0, -6.0, theme::LEVEL_LOW), (-6.0, 0.0, theme::LEVEL_HIGH), (0.0, f32::INFINITY, theme::ALERT)];
const SCALE: [(f32, &str); 9] = [
    (0.0, "0"),
    (-3.0, "3"),
    (-6.0, "6"),
    (-12.0, "12"),
    (-18.0, "18"),
    (-24.0, "24"),
    (-36.0, "36"),
    (-48.0, "48"),
    (-60.0, "60"),
];
const NUMBER_HEIGHT: f32 = 20.0;
const FALL_DB_PER_SECOND: f32 = 20.0 / 1.7;
const HOLD_SECONDS: f64 = 2.0;
const FLOOR_DB: f32 = -60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_rises_at_once_and_falls_twenty_decibels_in_1_7_seconds() {
        let mut meter = Ballistics::default();
        meter.take(1.0, 0.0);
        assert_eq!((meter.shown_db(), meter.greatest_db()), (0.0, 0.0));
        for n in 1..=170 {
            meter.take(0.0, f64::from(n) / 100.0);
        }
        // 170 roundings of numbers below 32: 170 * 2^-19
        assert!((meter.shown_db() + 20.0).abs() < 1e-3, "{}", meter.shown_db());
        assert_eq!(meter.held_db, 0.0);
        for n in 171..=1000 {
            meter.take(0.0, f64::from(n) / 100.0);
        }
        assert!(!meter.is_moving());
        assert_eq!((meter.shown_db(), meter.greatest_db()), (f32::NEG_INFINITY, 0.0));
        meter.reset_greatest();
        assert_eq!(meter.greatest_db(), f32::NEG_INFINITY);
    }

    #[test]
    fn nonsense_is_silence() {
        let mut meter = Ballistics::default();
        for peak in [f32::NAN, -1.0, 0.0] {
            meter.take(peak, 1.0);
            assert_eq!(meter.shown_db(), f32::NEG_INFINITY);
        }
    }

    #[test]
    fn the_scale_rises_all_the_way() {
        let levels = (-70..=6).map(|db| deflection(db as f32));
        assert!(levels.clone().zip(levels.skip(1)).all(|(a, b)| a <= b));
        assert_eq!((deflection(-100.0), deflection(-12.0), deflection(9.0)), (0.0, 0.64, 1.0));
    }
}
