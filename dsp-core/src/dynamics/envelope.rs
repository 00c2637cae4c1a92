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
use fearless_simd::{Simd, f32x8, f64x2, f64x4};

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

/// Pairs as lanes.
#[inline(always)]
pub(crate) fn lanes_of<S: Simd, const CH: usize>(simd: S, pairs: &Pairs, lanes: &mut [Lane; CH]) {
    for (chunk, pairs) in pairs.as_chunks::<8>().0.iter().enumerate() {
        let flat = pairs.as_flattened();
        let quad = |n: usize| f64x4::from_slice(simd, &flat[4 * n..4 * n + 4]);
        let (l0, r0) = simd.deinterleave_f64x4(quad(0), quad(1));
        let (l1, r1) = simd.deinterleave_f64x4(quad(2), quad(3));
        let both = [simd.narrow_f64x4(l0, l1), simd.narrow_f64x4(r0, r1)];
        for (lane, vector) in lanes.iter_mut().zip(both) {
            vector.store_slice(&mut lane[8 * chunk..8 * chunk + 8]);
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
    highest: [f64; 2],
    /// … and of the span under way.
    now: [f64; 2],
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
            highest: [0.0; 2],
            now: [0.0; 2],
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
        (self.highest, self.now, self.mean) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    }

    /// Housekeeping on the control grid. Real-time safe.
    pub fn on_grid(&mut self) {
        self.splitter.flush_due = true;
        for ((spans, highest), now) in self.spans.iter_mut().zip(&mut self.highest).zip(&mut self.now) {
            *highest = f64::from(spans.push(*now as f32));
            *now = 0.0;
        }
        self.mean = self.mean.map(math::flush);
    }

    /// Puts the powers of `frames` frames of the key into `powers`. `rms` is, for each frame, the share of RMS in the
    /// reading, 0 for all peak; `None` where all of them are 0. An RMS reading is 3 dB above that of a root-mean-square
    /// meter, so that a sine reads the same either way. Real-time safe.
    #[inline(always)]
    pub(crate) fn process<S: Simd, const CH: usize>(
        &mut self,
        simd: S,
        key: &Pairs,
        powers: &mut [Lane; CH],
        frames: usize,
        rms: Option<&Lane>,
    ) {
        let mut out = [[0.0; 2]; GRID_FRAMES + 2];
        let mut splitter = RunningSplitter::load(simd, &mut self.splitter);
        let mut meter = RunningMeter {
            before: f64x2::from_slice(simd, &self.highest) * OVERSHOOT_POWER,
            now: f64x2::from_slice(simd, &self.now),
            mean: f64x2::from_slice(simd, &self.mean),
        };
        let frames = frames.min(GRID_FRAMES);
        for n in (0..frames & !1).step_by(2) {
            for odd in [false, true] {
                let at = n + usize::from(odd);
                let x = f64x2::from_slice(simd, &key[at]);
                let analytic = splitter.step(x, odd);
                meter.step(x, analytic, self.mean_rate, rms.map(|r| r[at])).store_slice(&mut out[at]);
            }
        }
        if frames & 1 == 1 {
            let at = frames - 1;
            let x = f64x2::from_slice(simd, &key[at]);
            let analytic = splitter.step(x, false);
            meter.step(x, analytic, self.mean_rate, rms.map(|r| r[at])).store_slice(&mut out[at]);
            std::mem::swap(&mut splitter.older, &mut splitter.newer);
        }
        splitter.store(&mut self.splitter);
        meter.now.store_slice(&mut self.now);
        meter.mean.store_slice(&mut self.mean);
        lanes_of(simd, &out, powers);
    }
}

/// The meter's state in registers.
struct RunningMeter<S: Simd> {
    /// The bound that the last 25 ms set.
    before: f64x2<S>,
    now: f64x2<S>,
    mean: f64x2<S>,
}

impl<S: Simd> RunningMeter<S> {
    /// The level, as a power.
    #[inline(always)]
    fn step(&mut self, x: f64x2<S>, analytic: f64x2<S>, mean_rate: f64, rms: Option<f32>) -> f64x2<S> {
        let power = x * x;
        self.now = self.now.max(power);
        let peak = analytic.min((self.now * OVERSHOOT_POWER).max(self.before)).max(power);
        match rms {
            None => peak,
            Some(share) => {
                self.mean = self.mean + (analytic - self.mean) * mean_rate;
                peak + (self.mean - peak) * f64::from(share)
            }
        }
    }
}

impl Default for LevelDetector {
    fn default() -> Self {
        Self::new()
    }
}

/// The power that goes with [`OVERSHOOT_DB`]: 10^(0.1/10).
const OVERSHOOT_POWER: f64 = 1.023_292_992_280_754;

/// Two chains of six all-passes (a − z⁻²) / (1 − a z⁻²), one of them a frame late.
#[derive(Clone, Debug)]
struct PhaseSplitter {
    /// Of each section: I of both channels, then Q of both.
    coefficients: [[f64; 4]; SECTIONS],
    /// What went into each section and out of the last, two frames ago.
    older: [[f64; 4]; SECTIONS + 1],
    /// The same, one frame ago.
    newer: [[f64; 4]; SECTIONS + 1],
    /// The last frame.
    last: [f64; 2],
    /// A point of the control grid has come.
    flush_due: bool,
}

/// Sections in each of the two chains.
const SECTIONS: usize = 6;

impl PhaseSplitter {
    fn new(sample_rate_hz: f64) -> Self {
        // at higher rates the edge rises with the root of the rate, which keeps the error below 0.005 dB
        let edge = 30.0 * (sample_rate_hz / 48_000.0).max(1.0).sqrt() / sample_rate_hz;
        let a = quadrature_coefficients::<{ 2 * SECTIONS }>(edge);
        PhaseSplitter {
            coefficients: std::array::from_fn(|s| [a[2 * s], a[2 * s], a[2 * s + 1], a[2 * s + 1]]),
            older: [[0.0; 4]; SECTIONS + 1],
            newer: [[0.0; 4]; SECTIONS + 1],
            last: [0.0; 2],
            flush_due: false,
        }
    }

    fn reset(&mut self) {
        self.older = [[0.0; 4]; SECTIONS + 1];
        self.newer = [[0.0; 4]; SECTIONS + 1];
        self.last = [0.0; 2];
    }
}

/// The splitter's state in registers.
struct RunningSplitter<S: Simd> {
    coefficients: [f64x4<S>; SECTIONS],
    older: [f64x4<S>; SECTIONS + 1],
    newer: [f64x4<S>; SECTIONS + 1],
    last: f64x2<S>,
}

impl<S: Simd> RunningSplitter<S> {
    #[inline(always)]
    fn load(simd: S, splitter: &mut PhaseSplitter) -> Self {
        let mut running = RunningSplitter {
            coefficients: std::array::from_fn(|s| f64x4::from_slice(simd, &splitter.coefficients[s])),
            older: std::array::from_fn(|s| f64x4::from_slice(simd, &splitter.older[s])),
            newer: std::array::from_fn(|s| f64x4::from_slice(simd, &splitter.newer[s])),
            last: f64x2::from_slice(simd, &splitter.last),
        };
        if std::mem::take(&mut splitter.flush_due) {
            let zero = f64x4::splat(simd, 0.0);
            for s in 0..=SECTIONS {
                let (older, newer) = (running.older[s], running.newer[s]);
                running.older[s] = older.abs().simd_ge(math::STATE_FLOOR).select(older, zero);
                running.newer[s] = newer.abs().simd_ge(math::STATE_FLOOR).select(newer, zero);
            }
        }
        running
    }

    #[inline(always)]
    fn store(&self, splitter: &mut PhaseSplitter) {
        for s in 0..=SECTIONS {
            self.older[s].store_slice(&mut splitter.older[s]);
            self.newer[s].store_slice(&mut splitter.newer[s]);
        }
        self.last.store_slice(&mut splitter.last);
    }

    /// I² + Q² of both channels. `odd` says which of the two states is two frames old.
    #[inline(always)]
    fn step(&mut self, x: f64x2<S>, odd: bool) -> f64x2<S> {
        let state = if odd { &mut self.newer } else { &mut self.older };
        // I takes the frame, Q the one before
        let simd = x.token();
        let mut v = simd.combine_f64x2(x, self.last);
        self.last = x;
        // a (x + y″) − x″, where the next section's x″ is this one's y″
        for s in 0..SECTIONS {
            let y = self.coefficients[s] * (v + state[s + 1]) - state[s];
            state[s] = v;
            v = y;
        }
        state[SECTIONS] = v;
        let (i, q) = simd.split_f64x4(v * v);
        i + q
    }
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
