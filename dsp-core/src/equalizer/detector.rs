//! What a dynamic band hears, and what it makes of it.

use crate::control_grid::GRID_FRAMES;
use crate::equalizer::params::{BandParams, Shape};
use crate::filter::section::{Bilinear, Section};
use crate::math;

/// Follows the level in a band and says by how much the gain moves.
///
/// The key is filtered as the band is shaped. For bells it is a band pass twice over; the second one's low-pass output
/// runs a quarter of a period behind its band-pass output, and both together give the envelope of a tone without
/// the ripple that rectifying leaves (at the band's frequency exactly, beside it nearly).
///
/// Gain computer: D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012,
/// equation 4 with a slope of one and a knee of 6 dB; smoothing: their decoupled peak detector, equation 17, on the change
/// of gain in decibels, but the attack smooths the way up only, so that both times are as labelled.
#[derive(Clone, Copy, Debug)]
pub struct Detector<const CH: usize> {
    first: Section,
    in_phase: Section,
    behind: Option<Section>,
    state: [[[f64; 2]; 3]; CH],
    /// Highest squared envelope since the last grid point.
    peak: f64,
    /// The change of gain wanted, as a share of the range, after release and after attack as well: a share, so that a
    /// range that moves, through zero too, takes the gain along without a corner.
    released: f64,
    smoothed: f64,
}

/// Decibels over which the gain begins to move.
const KNEE_DB: f64 = 6.0;
/// A change of gain that is as good as none, in decibels.
const SETTLED_DB: f64 = 1e-5;

impl<const CH: usize> Detector<CH> {
    /// Hears nothing.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Detector {
            first: Section::WIRE,
            in_phase: Section::WIRE,
            behind: None,
            state: [[[0.0; 2]; 3]; CH],
            peak: 0.0,
            released: 0.0,
            smoothed: 0.0,
        }
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        *self = Detector { first: self.first, in_phase: self.in_phase, behind: self.behind, ..Detector::new() };
    }

    /// Tunes the key filter to a band of `shape` at `omega` radians per sample. Real-time safe.
    pub fn tune(&mut self, shape: Shape, omega: f64, q: f64) {
        let q = q.clamp(0.35, 8.0);
        let butterworth = 1.0 / math::SQRT_2;
        (self.first, self.in_phase, self.behind) = match shape {
            Shape::LowShelf => (Section::bilinear(Bilinear::LowPass, omega, butterworth), Section::WIRE, None),
            // a tilt is turned by what is above its frequency
            Shape::HighShelf | Shape::Tilt => {
                (Section::bilinear(Bilinear::HighPass, omega, butterworth), Section::WIRE, None)
            }
            _ => {
                let band = Section::bilinear(Bilinear::BandPass, omega, q);
                (band, band, Some(Section::bilinear(Bilinear::BandPassBehind, omega, q)))
            }
        };
    }

    /// Hears one frame of the key in `channel`. Real-time safe.
    pub fn hear(&mut self, channel: usize, key: f64) {
        let Some([first, in_phase, behind]) = self.state.get_mut(channel) else { return };
        let filtered = self.first.tick(first, key);
        let a = self.in_phase.tick(in_phase, filtered);
        let b = self.behind.map_or(0.0, |section| section.tick(behind, filtered));
        let squared = a * a + b * b;
        self.peak = if squared > self.peak { squared } else { self.peak };
    }

    /// At a grid point: takes stock of the frames since the last one. `threshold_db` and `range_db` may glide. Returns by
    /// how many decibels the gain moves, with the sign of the range. Real-time safe.
    pub fn step(&mut self, band: &BandParams, threshold_db: f64, range_db: f64, sample_rate_hz: f64) -> f64 {
        let over_db = 10.0 * math::log10(self.peak.max(1e-30)) - threshold_db;
        self.peak = 0.0;
        let (wanted_db, range) = (wanted_db(over_db), range_db.abs());
        let wanted = if wanted_db < range { wanted_db / range } else { f64::from(u8::from(wanted_db > 0.0)) };
        let grid_ms = GRID_FRAMES as f64 / sample_rate_hz * 1e3;
        let share_left =
            |label_ms: f64, late: f64| math::exp(-grid_ms / (label_ms - late * grid_ms).max(0.1 * grid_ms));
        let release = share_left(band.release_ms, RELEASE_LATE);
        let attack = share_left(band.attack_ms, ATTACK_LATE);
        self.released = wanted.max(release * self.released);
        let rising = attack * self.smoothed + (1.0 - attack) * self.released;
        self.smoothed = rising.min(self.released);
        if wanted == 0.0 && self.smoothed * range < SETTLED_DB {
            (self.released, self.smoothed) = (0.0, 0.0);
        }
        for s in self.state.iter_mut().flatten().flatten() {
            *s = math::flush(*s);
        }
        self.smoothed * range_db
    }
}

/// By how many points of the grid the gain that is heard is late, on average, which labels include: a step is seen half a point
/// after it came, its first move is that of a whole point, and coefficients arrive two points after they were designed.
const ATTACK_LATE: f64 = 0.5 - 1.0 + 2.0;
/// On the way down the loudest frame of the last span is held for one point more.
const RELEASE_LATE: f64 = ATTACK_LATE + 1.0;

/// A decibel for every decibel over the threshold, with a knee. Real-time safe.
fn wanted_db(over_db: f64) -> f64 {
    let into_knee = over_db + 0.5 * KNEE_DB;
    if into_knee <= 0.0 {
        0.0
    } else if into_knee < KNEE_DB {
        into_knee * into_knee / (2.0 * KNEE_DB)
    } else {
        over_db
    }
}
