//! The slow gain: what lasts.

use super::style::Style;
use crate::control_grid::GRID_FRAMES;
use crate::math;

/// A gain for what lasts, made once a grid point from the peaks of the frames before. It need not keep any ceiling (the
/// fast gain does), so it may be as smooth as it likes.
///
/// Peaks are held over at least half a period of the lowest tones, so that a steady tone has a steady gain and no
/// distortion. The gain then follows in one pole down and one pole up, and a second pole of 3 ms takes the corners off.
///
/// Automatic release: while the reduction is over its own mean of the last 1.5 s (a burst, a hit) it recovers in 80 ms;
/// when it is at the mean or under, in 800 ms; between, in the half dB over the mean, the rate moves evenly. So a hit leaves
/// no hole behind it, and dense programme does not pump.
#[derive(Clone, Debug)]
pub(super) struct SlowGain<const CH: usize> {
    /// Peaks re ceiling of the last grid intervals, as a ring.
    peaks: Vec<[f32; CH]>,
    at: usize,
    /// 1 − gain, each pole.
    reduction: [f64; CH],
    smooth: [f64; CH],
    mean: [f64; CH],
    grid_seconds: f64,
    smoothing: f64,
    averaging: f64,
    auto_rates: (f64, f64),
    laws: Laws,
}

/// What follows from style and controls.
#[derive(Clone, Copy, Debug)]
struct Laws {
    hold: usize,
    attack: f64,
    release: Option<f64>,
    knee_db: f64,
    leave: f64,
    link: f64,
}

/// The longest hold of any style, in seconds.
const LONGEST_HOLD_SECONDS: f64 = 0.025;

impl<const CH: usize> SlowGain<CH> {
    /// May allocate.
    pub(super) fn new(sample_rate_hz: f64) -> Self {
        let grid_seconds = GRID_FRAMES as f64 / sample_rate_hz;
        let step = |seconds: f64| 1.0 - math::exp(-grid_seconds / seconds);
        SlowGain {
            peaks: vec![[0.0; CH]; intervals(LONGEST_HOLD_SECONDS, grid_seconds)],
            at: 0,
            reduction: [0.0; CH],
            smooth: [0.0; CH],
            mean: [0.0; CH],
            grid_seconds,
            smoothing: step(0.003),
            averaging: step(1.5),
            auto_rates: (step(0.8), step(0.08)),
            laws: Laws { hold: 1, attack: 1.0, release: None, knee_db: 0.0, leave: 1.0, link: 1.0 },
        }
    }

    /// Real-time safe.
    pub(super) fn reset(&mut self) {
        self.peaks.fill([0.0; CH]);
        self.at = 0;
        self.reduction = [0.0; CH];
        self.smooth = [0.0; CH];
        self.mean = [0.0; CH];
    }

    /// Takes the laws of a style. `release_ms` is `None` for automatic. Real-time safe.
    pub(super) fn set_style(&mut self, style: &Style, release_ms: Option<f64>) {
        let step = |ms: f64| 1.0 - math::exp(-self.grid_seconds / (0.001 * ms));
        self.laws.hold = intervals(0.001 * style.hold_ms, self.grid_seconds).min(self.peaks.len());
        self.laws.attack = step(style.attack_ms);
        self.laws.release = release_ms.map(|ms| step(ms * style.release));
    }

    /// Takes what glides: the knee's width in dB, the gain that is left to the clip (1 or more), the link (0 to 1).
    /// Real-time safe.
    pub(super) fn set_glides(&mut self, knee_db: f64, leave: f64, link: f64) {
        self.laws.knee_db = knee_db;
        self.laws.leave = leave;
        self.laws.link = link;
    }

    /// Takes the greatest peaks of the last grid interval, re ceiling, and gives what the gain is to be less than 1 at the
    /// end of the next interval. Real-time safe.
    pub(super) fn next(&mut self, peaks: [f32; CH]) -> [f64; CH] {
        if let Some(place) = self.peaks.get_mut(self.at) {
            *place = peaks;
        }
        let mut held = [0.0f32; CH];
        // the ring's last `hold` intervals, this one included
        let len = self.peaks.len();
        let hold = self.laws.hold.min(len);
        let (newer, older) = self.peaks.split_at(self.at + 1);
        let wrapped = hold.saturating_sub(newer.len());
        for interval in newer.iter().rev().take(hold).chain(older.iter().rev().take(wrapped)) {
            for (held, peak) in held.iter_mut().zip(interval) {
                *held = held.max(*peak);
            }
        }
        self.at = if self.at + 1 >= len { 0 } else { self.at + 1 };

        let wanted = held.map(|peak| (self.curve(f64::from(peak)) * self.laws.leave).min(1.0));
        let least = wanted.iter().copied().fold(1.0, f64::min);
        let link = self.laws.link;
        for (c, wanted) in wanted.into_iter().enumerate() {
            let target = 1.0 - (wanted * (1.0 - link) + least * link);
            let now = self.reduction[c];
            let rate = if target >= now {
                self.laws.attack
            } else {
                self.laws.release.unwrap_or_else(|| {
                    // half a decibel is a factor of 1.06
                    let over = ((now - self.mean[c]) / (0.06 * (1.0 - self.mean[c]))).clamp(0.0, 1.0);
                    self.auto_rates.0 + over * (self.auto_rates.1 - self.auto_rates.0)
                })
            };
            self.reduction[c] = math::flush(now + rate * (target - now));
            self.mean[c] = math::flush(self.mean[c] + self.averaging * (self.reduction[c] - self.mean[c]));
            self.smooth[c] = math::flush(self.smooth[c] + self.smoothing * (self.reduction[c] - self.smooth[c]));
        }
        self.smooth
    }

    /// The gain that a peak needs, with the knee: y = x − (x + W/2)²/(2W) dB within W/2 of the ceiling (Giannoulis,
    /// Massberg, Reiss, JAES 60(6), 2012, eq. 4, at an infinite ratio), the ceiling itself above.
    fn curve(&self, peak: f64) -> f64 {
        let hard = 1.0 / peak.max(1.0);
        let knee_db = self.laws.knee_db;
        if knee_db < 1e-3 || peak < 0.5 {
            return hard;
        }
        let over_db = math::gain_to_db(peak) + knee_db / 2.0;
        if over_db <= 0.0 {
            1.0
        } else if over_db >= knee_db {
            hard
        } else {
            math::db_to_gain(-over_db * over_db / (2.0 * knee_db))
        }
    }
}

/// Grid intervals that reach over `seconds` wherever they begin.
fn intervals(seconds: f64, grid_seconds: f64) -> usize {
    (seconds / grid_seconds).ceil() as usize + 1
}
