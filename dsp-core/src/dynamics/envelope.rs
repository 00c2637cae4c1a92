//! What "level" means: the peak of the sine that would be as loud, free of ripple, at every frame.
//!
//! A rectified sine falls to zero twice a period. A detector that must not follow it there needs a slow release or a
//! hold, or else bends every bass note: with 5/50 ms and 6 dB of reduction at 50 Hz a rectifier leaves −40 dB of third
//! harmonic. Here the level is the length of the *analytic* signal, √(I² + Q²), where I and Q are the key through two
//! chains of all-passes whose phases differ by a quarter period: constant for a steady sine at once, whatever the
//! times, and so the static curve is exact without slowing the attack.
//!
//! Two things keep it honest on what is not a sine. The level is never below the sample itself, so that a click is
//! seen on its very frame, before the all-passes have answered. And it is never more than [`OVERSHOOT_DB`] above the
//! highest sample of the last 25 ms (half a period of 20 Hz): the quadrature of a square wave peaks far above the
//! wave, at its edges, and no meter or ear would call that its level.
//!
//! The phase splitter is the elliptic half-band pair of Valenzuela & Constantinides, "Digital signal processing schemes
//! for efficient interpolation and decimation", IEE Proc. G 130(6), 1983, turned by a quarter of the sample rate
//! (Ansari, "IIR discrete-time Hilbert transformers", IEEE Trans. ASSP 35(8), 1987). Twelve sections from 30 Hz on at
//! 48 kHz leave a phase error of 5.5e-4 rad: ripple of 0.0024 dB.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::sliding_max::SlidingMax;
use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x4, f32x8, f64x4};

/// One number for each frame of a span.
pub type Lane = [f32; GRID_FRAMES];

/// How far the level may lie above the highest sample of the last 25 ms, in decibels. Samples of a steady sine miss its
/// peak by less than this up to a twentieth of the sample rate, whatever the phase; beyond, only tones that are locked to
/// the sample clock (a quarter of it, say) miss it for long, as they do in any detector of samples.
pub const OVERSHOOT_DB: f64 = 0.1;

/// Time constant of the RMS reading, in seconds.
pub const RMS_SECONDS: f64 = 0.01;

/// The key of a span, frame by frame both channels (the second is 0 in mono), with room for two frames more.
pub(crate) type Pairs = [[f64; 2]; GRID_FRAMES + 2];

/// The same in single precision, flat, with the frame before the span in front.
pub(crate) type Key = [f32; 2 * (GRID_FRAMES + 2)];

/// Lanes as the key of a detector, all but the frame in front. What lies beyond a span in the lanes is zero, and stays so.
#[inline(always)]
pub(crate) fn key_of_lanes<S: Simd, const CH: usize>(simd: S, lanes: &[Lane; CH], key: &mut Key) {
    let silence = [0.0; GRID_FRAMES];
    let (left, right) = (lanes.first().unwrap_or(&silence), lanes.get(1).unwrap_or(&silence));
    let chunks = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    for ((left, right), out) in chunks.zip(key[2..].as_chunks_mut::<16>().0) {
        let (a, b) = simd.interleave_f32x8(f32x8::from_slice(simd, left), f32x8::from_slice(simd, right));
        a.store_slice(&mut out[..8]);
        b.store_slice(&mut out[8..]);
    }
}

/// Pairs as the key of a detector, all but the frame in front.
#[inline(always)]
pub(crate) fn key_of_pairs<S: Simd>(simd: S, pairs: &Pairs, key: &mut Key) {
    let flat = pairs.as_flattened().as_chunks::<8>().0;
    for (pairs, out) in flat.iter().zip(key[2..].as_chunks_mut::<8>().0) {
        let (a, b) = (f64x4::from_slice(simd, &pairs[..4]), f64x4::from_slice(simd, &pairs[4..]));
        simd.narrow_f64x4(a, b).store_slice(out);
    }
}

/// The key of a detector as lanes.
#[inline(always)]
pub(crate) fn lanes_of_key<S: Simd, const CH: usize>(simd: S, key: &Key, lanes: &mut [Lane; CH]) {
    for (chunk, key) in key[2..].as_chunks::<16>().0.iter().enumerate() {
        let (a, b) = (f32x8::from_slice(simd, &key[..8]), f32x8::from_slice(simd, &key[8..]));
        let (left, right) = simd.deinterleave_f32x8(a, b);
        for (lane, vector) in lanes.iter_mut().zip([left, right]) {
            vector.store_slice(&mut lane[8 * chunk..8 * chunk + 8]);
        }
    }
}

/// Lanes as pairs. What lies beyond a span in the lanes is zero, and stays so.
#[inline(always)]
pub(crate) fn pairs_of<S: Simd, const CH: usize>(simd: S, lanes: &[Lane; CH], pairs: &mut Pairs) {
    let silence = [0.0; GRID_FRAMES];
    let (left, right) = (lanes.first().unwrap_or(&silence), lanes.get(1).unwrap_or(&silence));
    let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    for ((left, right), pairs) in left.iter().zip(right).zip(pairs.as_chunks_mut::<8>().0) {
        let (l0, l1) = simd.widen_f32x8(f32x8::from_slice(simd, left));
        let (r0, r1) = simd.widen_f32x8(f32x8::from_slice(simd, right));
        for (pairs, (l, r)) in pairs.as_chunks_mut::<4>().0.iter_mut().zip([(l0, r0), (l1, r1)]) {
            let (a, b) = simd.interleave_f64x4(l, r);
            let flat = pairs.as_flattened_mut();
            a.store_slice(&mut flat[..4]);
            b.store_slice(&mut flat[4..]);
        }
    }
}

/// Measures the level of one or two channels, as a power: 1 for a sine that peaks at full scale.
#[derive(Clone, Debug)]
pub struct LevelDetector {
    splitter: PhaseSplitter,
    /// The highest power among the samples of the last 25 ms or a little more: of each span of the grid …
    spans: [SlidingMax; 2],
    /// … of all of them …
    highest: [f32; 4],
    /// … and of the span under way. Both twice, as the splitter has its frames.
    now: [f32; 4],
    /// The last frame of the key.
    last: [f32; 2],
    mean: [f64; 2],
    mean_rate: f64,
}

impl LevelDetector {
    /// For a sample rate of 48 kHz until it is prepared.
    #[must_use]
    pub fn new() -> Self {
        LevelDetector {
            splitter: PhaseSplitter::new(48_000.0),
            spans: [SlidingMax::default(), SlidingMax::default()],
            highest: [0.0; 4],
            now: [0.0; 4],
            last: [0.0; 2],
            mean: [0.0; 2],
            mean_rate: 0.0,
        }
    }

    /// Designs the phase splitter and resets. May allocate.
    pub fn prepare(&mut self, sample_rate_hz: f64) {
        self.splitter = PhaseSplitter::new(sample_rate_hz);
        let spans = SlidingMax::new((0.025 * sample_rate_hz / GRID_FRAMES as f64).ceil() as usize);
        self.spans = [spans.clone(), spans];
        self.mean_rate = 1.0 - math::exp(-1.0 / (RMS_SECONDS * sample_rate_hz));
        self.reset();
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.splitter.reset();
        self.spans.iter_mut().for_each(SlidingMax::reset);
        (self.highest, self.now, self.last, self.mean) = ([0.0; 4], [0.0; 4], [0.0; 2], [0.0; 2]);
    }

    /// Housekeeping on the control grid. Real-time safe.
    pub fn on_grid(&mut self) {
        self.splitter.flush_due = true;
        for (c, spans) in self.spans.iter_mut().enumerate() {
            let highest = spans.push(self.now[c]);
            (self.highest[c], self.highest[c + 2]) = (highest, highest);
        }
        self.now = [0.0; 4];
        self.mean = self.mean.map(math::flush);
    }

    /// Puts the powers of `frames` frames of the key into `powers`. `rms` is, for each frame, the share of RMS in the
    /// reading, 0 for all peak; `None` where all of them are 0. An RMS reading is 3 dB above that of a root-mean-square
    /// meter, so that a sine reads the same either way. Real-time safe.
    #[inline(always)]
    pub(crate) fn process<S: Simd, const CH: usize>(
        &mut self,
        simd: S,
        key: &mut Key,
        powers: &mut [Lane; CH],
        frames: usize,
        rms: Option<&Lane>,
    ) {
        let frames = frames.min(GRID_FRAMES);
        key[..2].copy_from_slice(&self.last);
        self.last.copy_from_slice(&key[2 * frames..2 * frames + 2]);
        // laid out as the key is
        let mut analytic = [0.0f32; 2 * (GRID_FRAMES + 2)];
        self.splitter.process(simd, key, &mut analytic, frames);
        let mut level = [0.0f32; 2 * (GRID_FRAMES + 2)];
        let mut now = f32x4::from_slice(simd, &self.now);
        let before = f32x4::from_slice(simd, &self.highest);
        let four = key[2..].as_chunks::<4>().0.iter().zip(analytic[2..].as_chunks::<4>().0);
        for ((x, analytic), level) in four.zip(level[2..].as_chunks_mut::<4>().0).take(frames.div_ceil(2)) {
            // two frames: the second knows the first's peak, and the next two know both. Beyond the span the key is 0
            let x = f32x4::from_slice(simd, x);
            let power = x * x;
            let until = power.max(simd.slide_f32x4::<2>(f32x4::splat(simd, 0.0), power)).max(now);
            now = simd.slide_f32x4::<2>(until, until).max(until);
            let bound = until.max(before) * OVERSHOOT_POWER;
            f32x4::from_slice(simd, analytic).min(bound).max(power).store_slice(level);
        }
        now.store_slice(&mut self.now);
        if let Some(rms) = rms {
            let frames =
                level[2..].as_chunks_mut::<2>().0.iter_mut().zip(analytic[2..].as_chunks::<2>().0).take(frames);
            for ((level, analytic), share) in frames.zip(rms) {
                for ((level, analytic), mean) in level.iter_mut().zip(analytic).zip(&mut self.mean) {
                    *mean += self.mean_rate * (f64::from(*analytic) - *mean);
                    *level += share * (*mean as f32 - *level);
                }
            }
        }
        lanes_of_key(simd, &level, powers);
    }
}

impl Default for LevelDetector {
    fn default() -> Self {
        Self::new()
    }
}

/// The power that goes with [`OVERSHOOT_DB`]: 10^(0.1/10).
const OVERSHOOT_POWER: f32 = 1.023_293;

/// Two chains of six all-passes (a − z⁻²) / (1 − a z⁻²), one of them a frame late.
///
/// In z⁻² the even frames and the odd ones know nothing of each other, so that two frames run side by side: the lanes are
/// Q of both channels of a frame and of the next, then I. Single precision is enough here, though the recursion is serial:
/// the slowest pole, 1 − 3e-3 at 48 kHz, raises the rounding of 6e-8 by 1/√(1 − a²) to 1e-6 of the level, 1e-5 dB.
#[derive(Clone, Debug)]
struct PhaseSplitter {
    coefficients: [[f32; 8]; SECTIONS],
    /// What went into each section and out of the last, two frames ago.
    state: [[f32; 8]; SECTIONS + 1],
    /// A point of the control grid has come.
    flush_due: bool,
}

/// Sections in each of the two chains.
const SECTIONS: usize = 6;

impl PhaseSplitter {
    fn new(sample_rate_hz: f64) -> Self {
        // at higher rates the edge rises with the root of the rate, which keeps the error below 0.005 dB
        let edge = 30.0 * (sample_rate_hz / 48_000.0).max(1.0).sqrt() / sample_rate_hz;
        let a = quadrature_coefficients::<{ 2 * SECTIONS }>(edge).map(|a| a as f32);
        PhaseSplitter {
            coefficients: std::array::from_fn(|s| std::array::from_fn(|n| a[2 * s + usize::from(n < 4)])),
            state: [[0.0; 8]; SECTIONS + 1],
            flush_due: false,
        }
    }

    fn reset(&mut self) {
        self.state = [[0.0; 8]; SECTIONS + 1];
    }

    /// I² + Q² of `frames` frames of the key, laid out as the key is.
    #[inline(always)]
    fn process<S: Simd>(&mut self, simd: S, key: &Key, out: &mut Key, frames: usize) {
        let a: [f32x8<S>; SECTIONS] = std::array::from_fn(|s| f32x8::from_slice(simd, &self.coefficients[s]));
        let mut state: [f32x8<S>; SECTIONS + 1] = std::array::from_fn(|s| f32x8::from_slice(simd, &self.state[s]));
        if std::mem::take(&mut self.flush_due) {
            let zero = f32x8::splat(simd, 0.0);
            for state in &mut state {
                *state = state.abs().simd_ge(math::STATE_FLOOR as f32).select(*state, zero);
            }
        }
        let odd = frames & 1 == 1;
        for n in (0..2 * (frames & !1)).step_by(4) {
            two_frames(simd, &a, &mut state, &key[n..n + 6]).store_slice(&mut out[n + 2..n + 6]);
        }
        let before = state;
        if odd {
            let n = 2 * (frames - 1);
            two_frames(simd, &a, &mut state, &key[n..n + 6]).store_slice(&mut out[n + 2..n + 6]);
        }
        for s in 0..=SECTIONS {
            let (after, before) = (state[s].to_array(), before[s].to_array());
            self.state[s] = if odd {
                // only the first frame was there: what was to be the second is the first of the next two
                [before[2], before[3], after[0], after[1], before[6], before[7], after[4], after[5]]
            } else {
                after
            };
        }
    }
}

/// I² + Q² of two frames of both channels, from these and the frame before them.
#[inline(always)]
fn two_frames<S: Simd>(
    simd: S,
    a: &[f32x8<S>; SECTIONS],
    state: &mut [f32x8<S>; SECTIONS + 1],
    key: &[f32],
) -> f32x4<S> {
    // Q takes the frame before the one that I takes
    let mut v = simd.combine_f32x4(f32x4::from_slice(simd, &key[..4]), f32x4::from_slice(simd, &key[2..6]));
    // a (x + y″) − x″, where the next section's x″ is this one's y″
    for s in 0..SECTIONS {
        let y = a[s] * (v + state[s + 1]) - state[s];
        state[s] = v;
        v = y;
    }
    state[SECTIONS] = v;
    let (q, i) = simd.split_f32x8(v * v);
    i + q
}

/// The coefficients of `N` all-passes in z⁻², alternating between the two chains, whose phases differ by a quarter
/// period from `edge` to ½ − `edge` of the sample rate, with equal ripple: Valenzuela & Constantinides 1983. The zeros
/// of the elliptic half-band filter lie at sn(2 c K / (2N + 1)), by the theta series in the nome q.
fn quadrature_coefficients<const N: usize>(edge: f64) -> [f64; N] {
    let root = math::tan((1.0 - 2.0 * (2.0 * edge)) * math::PI / 4.0);
    let k = root * root;
    let complement = (1.0 - k * k).sqrt().sqrt();
    let e = 0.5 * (1.0 - complement) / (1.0 + complement);
    let e4 = e * e * e * e;
    // the nome of k, to the fourth term of its series
    let q = e * (1.0 + e4 * (2.0 + e4 * (15.0 + e4 * 150.0)));
    let power = |n: f64| math::pow(q, n);
    std::array::from_fn(|index| {
        let angle = (index + 1) as f64 * math::PI / (2 * N + 1) as f64;
        let (mut above, mut below, mut sign) = (0.0, 0.5, 1.0);
        for i in 0..24 {
            let i = f64::from(i);
            above += sign * power(i * (i + 1.0)) * math::sin((2.0 * i + 1.0) * angle);
            sign = -sign;
            below += sign * power((i + 1.0) * (i + 1.0)) * math::cos(2.0 * (i + 1.0) * angle);
        }
        let w = math::pow(q, 0.25) * above / below;
        let w2 = w * w;
        let x = ((1.0 - w2 * k) * (1.0 - w2 / k)).sqrt() / (1.0 + w2);
        (1.0 - x) / (1.0 + x)
    })
}
