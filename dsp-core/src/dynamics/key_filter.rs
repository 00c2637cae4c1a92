//! The filter in front of a detector: two cuts and a bell.
//!
//! State-variable sections in f64: they may be swept without a click, which matters while one listens to the key.

use crate::block;
use crate::control_grid::GRID_FRAMES;
use crate::controls;
use crate::dynamics::envelope::{Key, Lane, key_of_lanes, key_of_pairs, pairs_of};
use crate::dynamics::svf_cascade::{Svf, SvfCascade};
use crate::math;
use crate::ramp::Ramp;
use crate::range::{Range, Unit};
use fearless_simd::Simd;

/// The lowest low cut: there it is off.
pub const MIN_CUT_HZ: f64 = 20.0;
/// The highest high cut: there it is off.
pub const MAX_CUT_HZ: f64 = 20_000.0;
/// Of both cuts: maximally flat.
const BUTTERWORTH_Q: f64 = std::f64::consts::FRAC_1_SQRT_2;
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

/// Low cut, high cut and bell, one after the other, for one or two channels. Transparent to the bit while off or with all three at rest.
#[derive(Clone, Debug)]
pub struct KeyFilter {
    sample_rate_hz: f64,
    /// Natural logarithms of both cuts' and the bell's frequency, the bell's gain in decibels, logarithm of its Q.
    glides: [Ramp; 5],
    sections: SvfCascade,
}

impl KeyFilter {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        KeyFilter { sample_rate_hz: 48_000.0, glides: [Ramp::new(0.0, 1); 5], sections: SvfCascade::new() }
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
        self.sections.reset();
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
        self.sections.flush();
    }

    /// Filters `frames` frames of one or two channels into the key of a detector.
    #[inline(always)]
    pub(crate) fn process<S: Simd, const CH: usize>(
        &mut self,
        simd: S,
        lanes: &[Lane; CH],
        key: &mut Key,
        frames: usize,
    ) {
        if self.sections.is_neutral() {
            key_of_lanes(simd, lanes, key);
        } else {
            let mut pairs = [[0.0; 2]; GRID_FRAMES + 2];
            pairs_of(simd, lanes, &mut pairs);
            self.sections.process(simd, &mut pairs, frames);
            key_of_pairs(simd, &pairs, key);
        }
    }

    /// Whether nothing is filtered at all. Real-time safe.
    #[must_use]
    pub(crate) fn is_neutral(&self) -> bool {
        self.sections.is_neutral()
    }

    /// Filters `frames` frames of the key of a detector in place.
    #[inline(always)]
    pub(crate) fn process_key<S: Simd>(&mut self, simd: S, key: &mut Key, frames: usize) {
        let mut pairs = [[0.0; 2]; GRID_FRAMES + 2];
        for (pair, key) in pairs.iter_mut().zip(key[2..].as_chunks::<2>().0).take(frames) {
            *pair = key.map(f64::from);
        }
        self.sections.process(simd, &mut pairs, frames);
        key_of_pairs(simd, &pairs, key);
    }

    /// Frames until a filter that has fallen silent is truly silent. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        self.sections.tail_frames()
    }

    /// Magnitude of the filter at `frequency_hz`, in decibels, as the controls stand now. Real-time safe.
    #[must_use]
    pub fn response_db(&self, frequency_hz: f64) -> f64 {
        self.sections.response_db(math::tan(math::PI * (frequency_hz / self.sample_rate_hz).clamp(0.0, 0.499_999)))
    }

    fn design(&mut self) {
        let [low, high, bell, gain_db, q] = self.glides.map(|g| g.value());
        let warp = |log_hz: f64| math::tan(math::PI * (math::exp(log_hz) / self.sample_rate_hz).min(0.49));
        // a cut at its end is off; there it begins and ends far from what is heard
        let low_off = low <= math::ln(MIN_CUT_HZ);
        let high_off = high >= math::ln(MAX_CUT_HZ);
        let cuts = (Svf::LowCut { q: BUTTERWORTH_Q }, Svf::HighCut { q: BUTTERWORTH_Q });
        let bell_svf = Svf::Bell { q: math::exp(q), gain_db };
        self.sections.set(0, if low_off { Svf::Neutral } else { cuts.0 }, warp(low));
        self.sections.set(1, if high_off { Svf::Neutral } else { cuts.1 }, warp(high));
        self.sections.set(2, if gain_db == 0.0 { Svf::Neutral } else { bell_svf }, warp(bell));
    }
}

/// The side chain in the place of the sound, by a share frame by frame. One that is not connected is silent: hosts give a
/// silent bus, a bus without channels or none at all for the same thing, and it must sound the same.
#[inline(always)]
pub(crate) fn external_key<const CH: usize>(
    lanes: &[Lane; CH],
    side_chain: Option<[&[f32]; CH]>,
    shares: &Lane,
) -> [Lane; CH] {
    let mut key = *lanes;
    for (c, lane) in key.iter_mut().enumerate() {
        let side = side_chain.and_then(|s| s.get(c).copied()).unwrap_or(&[]);
        let side = side.iter().chain(std::iter::repeat(&0.0));
        for ((x, side), share) in lane.iter_mut().zip(side).zip(shares) {
            *x = (1.0 - share) * *x + share * block::finite(*side);
        }
    }
    key
}

impl Default for KeyFilter {
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
