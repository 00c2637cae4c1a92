//! First-order shelves in f64: emphasis, its exact inverse, tilt.

use crate::math;

/// H(s) = (low ω + high s)/(s + ω), bilinear, in the topology-preserving form (V. Zavalishin, The Art of VA Filter
/// Design, 2018, ch. 3): `low` at the bottom, `high` at the top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shelf {
    /// tan(ω/2 · period)
    g: f64,
    /// g/(1 + g)
    step: f64,
    low: f64,
    high: f64,
}

impl Shelf {
    /// All-pass: the identity.
    pub const FLAT: Shelf = Shelf { g: 1.0, step: 0.5, low: 1.0, high: 1.0 };

    /// A pole at `pole_hz`, kept under 0.4 of the rate. Real-time safe.
    #[must_use]
    pub fn new(pole_hz: f64, low: f64, high: f64, sample_rate_hz: f64) -> Self {
        Self::from_g(math::tan(math::PI * (pole_hz / sample_rate_hz).min(0.4)), low, high)
    }

    /// `high_db` at the top, its opposite at the bottom, nothing at `pivot_hz`: H = (√k s + ω)/(s + √k ω). Real-time
    /// safe.
    #[must_use]
    pub fn tilt(high_db: f64, pivot_hz: f64, sample_rate_hz: f64) -> Self {
        let gain = math::db_to_gain(high_db);
        let g = math::tan(math::PI * (pivot_hz / sample_rate_hz).min(0.4));
        Self::from_g(gain * g, 1.0 / gain, gain)
    }

    /// The filter that undoes this one, exactly: its zero, at low/high times the pole, becomes the pole. Real-time safe.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self::from_g(self.g * self.low / self.high, 1.0 / self.low, 1.0 / self.high)
    }

    /// A part `t` of the way to `other`. Real-time safe.
    #[must_use]
    pub fn toward(self, other: Shelf, t: f64) -> Self {
        let between = |a: f64, b: f64| a + t * (b - a);
        Self::from_g(between(self.g, other.g), between(self.low, other.low), between(self.high, other.high))
    }

    fn from_g(g: f64, low: f64, high: f64) -> Self {
        Shelf { g, step: g / (1.0 + g), low, high }
    }

    /// Whether it does nothing. Real-time safe.
    #[must_use]
    pub fn is_flat(self) -> bool {
        self.low == 1.0 && self.high == 1.0
    }

    /// Squared gain at `frequency_hz`: with x the tangents' ratio, (low² + high² x²)/(1 + x²). Real-time safe.
    #[must_use]
    pub fn power_response(self, frequency_hz: f64, sample_rate_hz: f64) -> f64 {
        let x = math::tan(math::PI * frequency_hz / sample_rate_hz) / self.g;
        (self.low * self.low + self.high * self.high * x * x) / (1.0 + x * x)
    }
}

/// The memory of a [`Shelf`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ShelfState {
    state: f64,
}

impl ShelfState {
    /// One sample. Real-time safe.
    #[inline(always)]
    pub fn step(&mut self, shelf: Shelf, input: f64) -> f64 {
        let rise = (input - self.state) * shelf.step;
        let low = self.state + rise;
        self.state = low + rise;
        shelf.low * low + shelf.high * (input - low)
    }

    /// Snaps a state of under 1e-30 to zero. Real-time safe.
    pub fn flush(&mut self) {
        self.state = math::flush(self.state);
    }
}

/// Frames in which a pole at `pole_hz` brings the loudest input, 10^10, under 10⁻³⁰: 92 time constants. Real-time safe.
#[must_use]
pub fn tail_frames(pole_hz: f64, sample_rate_hz: f64) -> usize {
    (92.2 * sample_rate_hz / (math::TAU * pole_hz)).ceil() as usize
}
