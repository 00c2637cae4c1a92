//! A second-order section in state-variable form, f64, for filters that only a detector hears.
//!
//! Trapezoidal integration after Simper, "Solving the continuous SVF equations using trapezoidal integration and
//! equivalent currents", 2013: it may be swept without a click.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::math;

/// One section; each channel has its state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SvfSection<const CH: usize> {
    /// tan(π f / rate).
    g: f64,
    /// 1 / Q.
    k: f64,
    a: [f64; 3],
    /// Shares of input, band-pass and low-pass in the output.
    mix: [f64; 3],
    state: [[f64; 2]; CH],
    neutral: bool,
}

impl<const CH: usize> Default for SvfSection<CH> {
    fn default() -> Self {
        SvfSection { g: 1.0, k: 1.0, a: [0.0; 3], mix: [1.0, 0.0, 0.0], state: [[0.0; 2]; CH], neutral: true }
    }
}

impl<const CH: usize> SvfSection<CH> {
    /// Passes everything on.
    pub fn set_neutral(&mut self) {
        *self = SvfSection::default();
    }

    /// Low cut at g = tan(π f / rate).
    pub fn set_low_cut(&mut self, g: f64, q: f64) {
        self.set(g, 1.0 / q, [1.0, -1.0 / q, -1.0]);
    }

    /// High cut at g = tan(π f / rate).
    pub fn set_high_cut(&mut self, g: f64, q: f64) {
        self.set(g, 1.0 / q, [0.0, 0.0, 1.0]);
    }

    /// Bell at g = tan(π f / rate).
    pub fn set_bell(&mut self, g: f64, q: f64, gain_db: f64) {
        let a = math::db_to_gain(gain_db / 2.0);
        let k = 1.0 / (q * a);
        self.set(g, k, [1.0, k * (a * a - 1.0), 0.0]);
    }

    /// High shelf with its middle at g = tan(π f / rate).
    pub fn set_high_shelf(&mut self, g: f64, q: f64, gain_db: f64) {
        let a = math::db_to_gain(gain_db / 2.0);
        let k = 1.0 / q;
        self.set(g * a.sqrt(), k, [a * a, k * (1.0 - a) * a, 1.0 - a * a]);
    }

    fn set(&mut self, g: f64, k: f64, mix: [f64; 3]) {
        let a1 = 1.0 / (1.0 + g * (g + k));
        (self.neutral, self.g, self.k, self.mix, self.a) = (false, g, k, mix, [a1, g * a1, g * g * a1]);
    }

    /// Forgets all audio.
    pub fn reset(&mut self) {
        self.state = [[0.0; 2]; CH];
    }

    /// Snaps what has died away to zero.
    pub fn flush(&mut self) {
        self.state = self.state.map(|s| s.map(math::flush));
    }

    /// Filters `frames` frames in place.
    #[inline(always)]
    pub fn process(&mut self, lanes: &mut [Lane; CH], frames: usize) {
        if self.neutral {
            return;
        }
        let ([a1, a2, a3], [m0, m1, m2]) = (self.a, self.mix);
        let mut state = self.state;
        for n in 0..frames.min(GRID_FRAMES) {
            for (lane, [s1, s2]) in lanes.iter_mut().zip(&mut state) {
                let x = f64::from(lane[n]);
                let v3 = x - *s2;
                let v1 = a1 * *s1 + a2 * v3;
                let v2 = *s2 + (a2 * *s1 + a3 * v3);
                *s1 = 2.0 * v1 - *s1;
                *s2 = 2.0 * v2 - *s2;
                lane[n] = (m0 * x + (m1 * v1 + m2 * v2)) as f32;
            }
        }
        self.state = state;
    }

    /// Frames until state that stood at +200 dBFS is flushed: 1600 dB.
    pub fn tail_frames(&self) -> usize {
        if self.neutral {
            return 0;
        }
        // the slower pole of s² + k s + 1, brought to the z plane by z = (1 + g s) / (1 − g s)
        let (g, half) = (self.g, self.k / 2.0);
        let slow = if half < 1.0 { half } else { half - (half * half - 1.0).sqrt() };
        let norm = if half < 1.0 { 1.0 } else { slow * slow };
        let magnitude2 = (1.0 - 2.0 * g * slow + g * g * norm) / (1.0 + 2.0 * g * slow + g * g * norm);
        (1600.0 / (-10.0 * math::log10(magnitude2))).ceil() as usize + 2 * GRID_FRAMES
    }

    /// Magnitude in decibels at t = tan(π f / rate): with s = j w, w = t / g,
    /// (m0 (1 − w² + j k w) + j m1 w + m2) / (1 − w² + j k w).
    pub fn response_db(&self, t: f64) -> f64 {
        let w = t / self.g;
        let ([m0, m1, m2], real) = (self.mix, 1.0 - w * w);
        let (re, im) = (m0 * real + m2, (m0 * self.k + m1) * w);
        10.0 * math::log10((re * re + im * im) / (real * real + self.k * self.k * w * w))
    }
}
