//! The filter in front of a detector: two cuts and a bell.
//!
//! Trapezoidal state-variable sections in f64 (Simper, "Solving the continuous SVF equations using trapezoidal
//! integration", 2013): they may be swept without a click, which matters while one listens to the key.

use crate::control_grid::GRID_FRAMES;
use crate::controls;
use crate::dynamics::envelope::Lane;
use crate::math::{self, SQRT_2};
use crate::ramp::Ramp;
use crate::range::{Range, Unit};

/// The lowest low cut: there it is off.
pub const MIN_CUT_HZ: f64 = 20.0;
/// The highest high cut: there it is off.
pub const MAX_CUT_HZ: f64 = 20_000.0;
/// How long a moved control takes to arrive, in seconds.
const GLIDE_SECONDS: f64 = 0.02;

controls! {
    /// The filter in front of the detector.
    pub struct KeyFilterParams {
        /// Whether the key is filtered.
        pub on: bool = switch("Filter", false),
        /// Low cut, 12 dB an octave; off at 20 Hz.
        pub low_cut_hz: f64 = float("Low Cut", Range::logarithmic(MIN_CUT_HZ, 5_000.0, MIN_CUT_HZ, Unit::Hertz)),
        /// High cut, 12 dB an octave; off at 20 kHz.
        pub high_cut_hz: f64 = float("High Cut", Range::logarithmic(200.0, MAX_CUT_HZ, MAX_CUT_HZ, Unit::Hertz)),
        /// Centre of the bell.
        pub bell_hz: f64 = float("Bell Frequency", Range::logarithmic(20.0, 20_000.0, 2_000.0, Unit::Hertz)),
        /// Gain of the bell, in decibels.
        pub bell_gain_db: f64 = float("Bell Gain", Range::linear(-18.0, 18.0, 0.0, Unit::Decibel, 2)),
        /// Quality of the bell.
        pub bell_q: f64 = float("Bell Q", Range::logarithmic(0.2, 10.0, 1.0, Unit::None)),
        /// Plays the filtered key instead of the sound.
        pub listen: bool = switch("Listen", false),
    }
}

/// Low cut, high cut and bell, one after the other. Transparent to the bit while off or with all three at rest.
#[derive(Clone, Debug)]
pub struct KeyFilter<const CH: usize> {
    sample_rate_hz: f64,
    /// Natural logarithms of both cuts' and the bell's frequency, the bell's gain in decibels, logarithm of its Q.
    glides: [Ramp; 5],
    sections: [Section<CH>; 3],
}

impl<const CH: usize> KeyFilter<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        KeyFilter { sample_rate_hz: 48_000.0, glides: [Ramp::new(0.0, 1); 5], sections: [Section::default(); 3] }
    }

    /// Takes the controls without gliding, and resets. Real-time safe.
    pub fn prepare(&mut self, sample_rate_hz: f64, params: &KeyFilterParams) {
        self.sample_rate_hz = sample_rate_hz;
        self.glides = targets(params).map(|t| Ramp::with_seconds(t, GLIDE_SECONDS, sample_rate_hz));
        self.reset();
    }

    /// Forgets all audio and arrives at once. Real-time safe.
    pub fn reset(&mut self) {
        self.glides.iter_mut().for_each(Ramp::snap);
        for section in &mut self.sections {
            section.reset();
        }
        self.design();
    }

    /// Moves to other controls. Real-time safe.
    pub fn set_params(&mut self, params: &KeyFilterParams) {
        for (glide, target) in self.glides.iter_mut().zip(targets(params)) {
            glide.set_target(target);
        }
    }

    /// Coefficients and housekeeping on the control grid. Real-time safe.
    pub fn on_grid(&mut self) {
        if self.glides.iter().any(Ramp::is_moving) {
            self.glides.iter_mut().for_each(|g| g.advance(GRID_FRAMES));
            self.design();
        }
        self.sections.iter_mut().for_each(Section::flush);
    }

    /// Filters `frames` frames in place. Real-time safe.
    #[inline(always)]
    pub(crate) fn process(&mut self, lanes: &mut [Lane; CH], frames: usize) {
        for section in &mut self.sections {
            if !section.neutral {
                section.process(lanes, frames);
            }
        }
    }

    /// Frames until a filter that has fallen silent is truly silent. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        self.sections.iter().map(Section::tail_frames).sum()
    }

    /// Magnitude of the filter at `frequency_hz`, in decibels, as the controls stand now. Real-time safe.
    #[must_use]
    pub fn response_db(&self, frequency_hz: f64) -> f64 {
        let t = math::tan(math::PI * (frequency_hz / self.sample_rate_hz).clamp(0.0, 0.499_999));
        self.sections.iter().map(|s| s.response_db(t)).sum()
    }

    fn design(&mut self) {
        let [low, high, bell, gain_db, q] = self.glides.map(|g| g.value());
        let warp = |log_hz: f64| math::tan(math::PI * (math::exp(log_hz) / self.sample_rate_hz).min(0.49));
        let [low_section, high_section, bell_section] = &mut self.sections;
        low_section.set(low <= math::ln(MIN_CUT_HZ), warp(low), SQRT_2, |k| [1.0, -k, -1.0]);
        high_section.set(high >= math::ln(MAX_CUT_HZ), warp(high), SQRT_2, |_| [0.0, 0.0, 1.0]);
        let a = math::db_to_gain(gain_db / 2.0);
        bell_section.set(gain_db == 0.0, warp(bell), 1.0 / (math::exp(q) * a), |k| [1.0, k * (a * a - 1.0), 0.0]);
    }
}

impl<const CH: usize> Default for KeyFilter<CH> {
    fn default() -> Self {
        Self::new()
    }
}

fn targets(params: &KeyFilterParams) -> [f64; 5] {
    let (low, high, gain_db) = if params.on {
        (params.low_cut_hz, params.high_cut_hz, params.bell_gain_db)
    } else {
        (MIN_CUT_HZ, MAX_CUT_HZ, 0.0)
    };
    [math::ln(low), math::ln(high), math::ln(params.bell_hz), gain_db, math::ln(params.bell_q)]
}

/// A second-order state-variable section.
#[derive(Clone, Copy, Debug)]
struct Section<const CH: usize> {
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

impl<const CH: usize> Default for Section<CH> {
    fn default() -> Self {
        Section { g: 0.0, k: 1.0, a: [0.0; 3], mix: [1.0, 0.0, 0.0], state: [[0.0; 2]; CH], neutral: true }
    }
}

impl<const CH: usize> Section<CH> {
    fn set(&mut self, neutral: bool, g: f64, k: f64, mix: impl Fn(f64) -> [f64; 3]) {
        if neutral && !self.neutral {
            self.reset();
        }
        (self.neutral, self.g, self.k) = (neutral, g, k);
        let a1 = 1.0 / (1.0 + g * (g + k));
        self.a = [a1, g * a1, g * g * a1];
        self.mix = if neutral { [1.0, 0.0, 0.0] } else { mix(k) };
    }

    fn reset(&mut self) {
        self.state = [[0.0; 2]; CH];
    }

    fn flush(&mut self) {
        self.state = self.state.map(|s| s.map(math::flush));
    }

    #[inline(always)]
    fn process(&mut self, lanes: &mut [Lane; CH], frames: usize) {
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

    /// From +200 dBFS down to where state is flushed: 1600 dB. The section's slower pole has magnitude ρ a frame.
    fn tail_frames(&self) -> usize {
        if self.neutral {
            return 0;
        }
        // poles of s² + k s + 1, by the bilinear transform z = (1 + g s) / (1 − g s)
        let (g, half) = (self.g, self.k / 2.0);
        let slow = if half < 1.0 { half } else { half - (half * half - 1.0).sqrt() };
        let norm = if half < 1.0 { 1.0 } else { slow * slow };
        let magnitude2 = (1.0 - 2.0 * g * slow + g * g * norm) / (1.0 + 2.0 * g * slow + g * g * norm);
        (1600.0 / (-10.0 * math::log10(magnitude2))).ceil() as usize + 2 * GRID_FRAMES
    }

    /// |H|² at s = j w, w = tan(π f / rate) / g: (m0 (1 − w² + j k w) + j m1 w + m2) / (1 − w² + j k w).
    fn response_db(&self, t: f64) -> f64 {
        let w = t / self.g;
        let ([m0, m1, m2], real) = (self.mix, 1.0 - w * w);
        let (re, im) = (m0 * real + m2, (m0 * self.k + m1) * w);
        10.0 * math::log10((re * re + im * im) / (real * real + self.k * self.k * w * w))
    }
}
