//! How much make-up the programme needs: measured slowly, and taken over only when somebody says so.
//!
//! A make-up that follows the programme is a second compressor, and one whose session sounds otherwise each time it is
//! played from another place. So the measurement moves nothing. It is a reading; whoever holds the controls (the
//! editor's button, the program's first pass) writes it into the control `auto_make_up_db`, where it stays, is saved,
//! and can be undone.
//!
//! What is measured is loudness: the K-weighted power (ITU-R BS.1770-5, Annex 1) of the sound with and without the
//! gain, over the last ten seconds or so of what is not silence. With p the weighted power, g the compressor's gain, m
//! the mix and u the make-up, Σ ((1 − m) + m u g)² p = Σ p says that the output is as loud as the input; it is a
//! quadratic equation in u.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::{Lane, pairs_of};
use crate::dynamics::svf_cascade::{Svf, SvfCascade};
use crate::math;
use fearless_simd::Simd;

/// Weighs and sums the sound and its gain.
#[derive(Clone, Debug)]
pub(crate) struct MakeUpMeter {
    weighting: SvfCascade,
    /// Σ p, Σ g p, Σ g² p of the grid's span under way.
    span: [f64; 3],
    frames: usize,
    /// The same, forgetting.
    sums: [f64; 3],
    /// Seconds of programme in `sums`.
    seconds: f64,
    sample_rate_hz: f64,
}

/// How fast old programme is forgotten, in seconds.
const MEMORY_SECONDS: f64 = 10.0;
/// Seconds of programme until there is a reading.
const LEAST_SECONDS: f64 = 1.0;
/// Quieter spans than −70 dBFS are no programme.
const SILENCE_POWER: f64 = 1e-7;

impl MakeUpMeter {
    pub fn new(sample_rate_hz: f64) -> Self {
        let mut weighting = SvfCascade::new();
        // BS.1770's two filters as analogue prototypes: their coefficients at 48 kHz, transformed back
        let warp = |hz: f64| math::tan(math::PI * (hz / sample_rate_hz).min(0.49));
        weighting.set(0, Svf::HighShelf { q: 0.707_18, gain_db: 3.999_84 }, warp(1_681.97));
        weighting.set(1, Svf::LowCut { q: 0.500_33 }, warp(38.135));
        MakeUpMeter { weighting, span: [0.0; 3], frames: 0, sums: [0.0; 3], seconds: 0.0, sample_rate_hz }
    }

    pub fn reset(&mut self) {
        self.weighting.reset();
        (self.span, self.frames, self.sums, self.seconds) = ([0.0; 3], 0, [0.0; 3], 0.0);
    }

    /// Takes a span of the undisturbed sound, and the gains that it met.
    #[inline(always)]
    pub fn take<S: Simd, const CH: usize>(&mut self, simd: S, sound: &[Lane; CH], gains: &[Lane; CH], len: usize) {
        let mut weighted = [[0.0; 2]; GRID_FRAMES + 2];
        pairs_of(simd, sound, &mut weighted);
        self.weighting.process(simd, &mut weighted, len);
        for (c, gains) in gains.iter().enumerate() {
            for (x, g) in weighted.iter().zip(gains).take(len) {
                let (p, g) = (x[c & 1] * x[c & 1], f64::from(*g));
                self.span[0] += p;
                self.span[1] += p * g;
                self.span[2] += p * g * g;
            }
        }
        self.frames += len;
    }

    pub fn on_grid(&mut self) {
        self.weighting.flush();
        let seconds = self.frames as f64 / self.sample_rate_hz;
        if self.frames > 0 && self.span[0] > SILENCE_POWER * self.frames as f64 {
            let keep = 1.0 - seconds / MEMORY_SECONDS;
            for (sum, span) in self.sums.iter_mut().zip(self.span) {
                *sum = *sum * keep + span;
            }
            self.seconds += seconds;
        }
        (self.span, self.frames) = ([0.0; 3], 0);
    }

    /// The make-up, in decibels, that would make the output as loud as the input at this mix.
    pub fn make_up_db(&self, mix: f64) -> Option<f64> {
        let [c, b, a] = self.sums;
        if self.seconds < LEAST_SECONDS || mix <= 0.0 || a <= 0.0 {
            return None;
        }
        // a v² + 2 b (1 − m) v + c ((1 − m)² − 1) = 0 with v = m u
        let dry = 1.0 - mix;
        let (half, rest) = (b * dry, c * (dry * dry - 1.0));
        let v = ((half * half - a * rest).sqrt() - half) / a;
        Some(math::gain_to_db(v / mix))
    }
}
