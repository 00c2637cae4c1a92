//! Limiter and maximizer: as loud as you like, never over the ceiling, between the samples too.

mod clip_gain;
mod gain_path;
mod glides;
mod history;
mod slow_gain;
mod style;

use crate::block::Block;
use crate::choices;
use crate::control_grid::{ControlGrid, GRID_FRAMES};
use crate::controls;
use crate::math;
use crate::metering::true_peak::TruePeak;
use crate::processor::{PrepareError, Processor, StreamConfig};
use crate::range::{Range, Unit};
use clip_gain::ClipGain;
use fearless_simd::{Level, dispatch, f32x16, prelude::*};
use fearless_simd_macros::simd;
use gain_path::{GainPath, Rows, ShortGainPath};
use glides::{GLIDE_SECONDS, Glides, values};
use history::{Frames, History, SPAN_FRAMES};
use slow_gain::SlowGain;
use style::Style;

choices! {
    /// How the limiter goes about it.
    pub enum LimiterStyle {
        /// Least to be heard: what lasts is turned down by a gain that is still within any period down to 45 Hz, the rest by
        /// dips as slow as a fifth of the release.
        Transparent = ("transparent", "Transparent"),
        /// Hits stay hits: the body of a sound is not turned down with its onset (100 ms attack of the slow gain), and dips
        /// are as short as the onset.
        Punchy = ("punchy", "Punchy"),
        /// As a bus compressor: begins 3 dB under the ceiling in a soft knee and moves everything with one gain (6 ms
        /// attack, half again the release).
        Glue = ("glue", "Glue"),
        /// As dense as it gets without a clip: both gains let go quickly (a third and a thirtieth of the release).
        Loud = ("loud", "Loud"),
        /// For delivery: true peak and full link whatever the switches say, 0.1 dB under the ceiling for meters that read
        /// high, one slow gain that holds down to 20 Hz, no quick recovery at all.
        Safe = ("safe", "Safe"),
        /// The first 3 dB over are clipped, softly, sample by sample; the rest is limited.
        ClipThenLimit = ("clip_then_limit", "Clip-then-limit"),
    }
}

choices! {
    /// What is to reach the target when the gain is learned.
    pub enum LearnFrom {
        /// The loudest 3 seconds: short-term loudness at its highest.
        LoudestPassage = ("loudest_passage", "Loudest passage"),
        /// The whole programme: integrated loudness.
        WholeProgramme = ("whole_programme", "Whole programme"),
    }
}

controls! {
    /// Limiter and maximizer.
    pub struct LimiterParams {
        /// Off: the input, delayed, to the bit.
        pub on: bool = switch("On", true),
        /// Gain ahead of the limiter, in decibels.
        pub gain_db: f64 = float("Gain", Range::linear(0.0, 30.0, 0.0, Unit::Decibel, 2)),
        /// What no peak passes.
        pub ceiling_dbtp: f64 = float("Ceiling", Range::linear(-20.0, 0.0, -1.0, Unit::DecibelTruePeak, 2)),
        /// How it goes about it.
        pub style: LimiterStyle = choice("Style", LimiterStyle::Transparent),
        /// How long ahead of a peak the gain begins to fall, in milliseconds.
        pub lookahead_ms: f64 = float("Lookahead", Range::logarithmic(0.1, 10.0, 3.0, Unit::Millisecond)) structural,
        /// Time constant of the recovery from a reduction that lasted, in milliseconds; styles scale it.
        pub release_ms: f64 = float("Release", Range::logarithmic(1.0, 3000.0, 200.0, Unit::Millisecond)),
        /// The release follows the programme.
        pub auto_release: bool = switch("Auto Release", true),
        /// How much channels share the gain for what is short.
        pub transient_link_percent: f64 = float("Transient Link", Range::linear(0.0, 100.0, 75.0, Unit::Percent, 1)),
        /// How much channels share the gain for what lasts.
        pub release_link_percent: f64 = float("Release Link", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// Peaks between samples count, not samples alone.
        pub true_peak: bool = switch("True Peak", true),
        /// Listens at the level of the input: what the gain added is taken off after the ceiling.
        pub unity_gain: bool = switch("Unity Gain", false),
        /// Listens to what the limiter takes away.
        pub delta: bool = switch("Delta", false),
        /// The loudness that the gain is learned for, in LUFS. It moves nothing by itself: a chain's reading says what gain
        /// would reach it, and whoever holds the controls writes that into `gain_db`.
        pub learn_target_lufs: f64 = float("Learn Target", Range::linear(-30.0, -4.0, -14.0, Unit::Lufs, 1)),
        /// What is to reach that loudness.
        pub learn_from: LearnFrom = choice("Learn From", LearnFrom::LoudestPassage),
    }
}

/// What the limiter shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimiterReading<const CH: usize> {
    /// The limiter's own gain at the last frame, 0 to 1, per channel.
    pub gain: [f32; CH],
    /// The least of it since the last `take_reading`.
    pub least_gain: [f32; CH],
    /// The greatest true peak of the input since the last `take_reading`, ahead of the gain, as a ratio to full scale.
    pub input_true_peak: [f32; CH],
    /// The greatest true peak of the output since then, ahead of unity gain and delta, as a ratio to full scale.
    pub output_true_peak: [f32; CH],
}

/// A limiter that holds its ceiling between the samples.
///
/// Peaks of the input, sampled or true, give the gain that each frame needs. A slow gain takes what lasts, a clip (one
/// style) the very tops, and a fast gain what is left: minimum over the lookahead, release, smoothing whose support fits the
/// lookahead, so that the product is at most what is needed, by construction. A gain that moves within the reach of the
/// interpolation between samples moves the peaks there too; so the true peaks of the result are measured and a second,
/// short gain path takes off the hundredths of a decibel that may be left. On programme to 20 kHz what remains over the
/// ceiling is under 0.01 dB; what a signal has above 20 kHz the detectors read low, as all meters do.
///
/// Latency, in frames: twice the true-peak detector's delay (28 under 47 kHz, 16 from there), the lookahead, and 24 (the
/// clip's 4, 2 beside the lookahead, the second path's 18). 200 frames for 3 ms at 48 kHz; the same in all styles, with true
/// peak on or off, with the limiter on or off.
#[derive(Clone, Debug)]
pub struct Limiter<const CH: usize> {
    params: LimiterParams,
    /// As they were given, so that the same ones cost nothing.
    given: LimiterParams,
    level: Level,
    grid: ControlGrid,
    /// Frames since the last grid point.
    phase: usize,
    glides: Glides,
    style: Style,
    style_is_new: bool,
    /// Share of a reduction that the fast path has left one frame later.
    keep: f64,
    channels: [Channel; CH],
    fast: GainPath<CH>,
    second: ShortGainPath<CH>,
    slow: SlowGain<CH>,
    /// 1 − slow gain at the last grid point and at the next.
    slow_reduction: [[f32; CH]; 2],
    /// The least gain of the clip, likewise.
    clip_limit: [f32; 2],
    /// The greatest peaks re ceiling since the last grid point.
    span_peaks: [f32; CH],
    gains: History<f32>,
    /// One over the ceiling, until the second path has use for it.
    inverses: History<f32>,
    delays: Delays,
    sample_rate_hz: f64,
    ceiling_bound: Bound,
    reading: LimiterReading<CH>,
}

/// What belongs to one channel.
#[derive(Clone, Debug)]
struct Channel {
    input: History<f32>,
    detector: TruePeak,
    /// Slow gain and clip, until the fast gain is there.
    base: History<f32>,
    clip: ClipGain,
    limited: History<f32>,
    second_detector: TruePeak,
}

/// Frames from the input to each place.
#[derive(Clone, Copy, Debug, Default)]
struct Delays {
    /// To the peaks of the input.
    detected: usize,
    /// From there to the limited signal.
    limited: usize,
    /// From there to the output.
    trimmed: usize,
}

/// The highest ceiling that a frame on its way may have been held to.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    highest: f32,
    frames_left: usize,
}

/// How much more than what is over the second path takes off: its dips move the peaks beside them as well.
const SECOND_EXCESS: f32 = 1.25;
/// A lookahead of a few frames bends the gain within the reach of the interpolation, and what that makes above 20 kHz the
/// detectors read low. Under 16 frames the output therefore stays under the ceiling by this over the square of the frames,
/// in dB: 0.015 dB at 0.1 ms and 44.1 kHz.
const MARGIN_DB_BY_SQUARE: f64 = 0.24;

impl<const CH: usize> Limiter<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::with(48_000.0, LimiterParams::default())
    }

    /// The reading; then the greatest and least are taken anew. Real-time safe.
    pub fn take_reading(&mut self) -> LimiterReading<CH> {
        let reading = self.reading;
        self.reading = LimiterReading { gain: reading.gain, ..LimiterReading::default() };
        reading
    }

    /// The reading, greatest and least since `take_reading`. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> LimiterReading<CH> {
        self.reading
    }

    fn with(sample_rate_hz: f64, params: LimiterParams) -> Self {
        let lookahead_frames = ((params.lookahead_ms * 0.001 * sample_rate_hz).round() as usize).max(1);
        let square = (lookahead_frames * lookahead_frames) as f64;
        let margin_db = if lookahead_frames < 16 { MARGIN_DB_BY_SQUARE / square } else { 0.0 };
        let detector = TruePeak::new(sample_rate_hz);
        let fast = GainPath::new(lookahead_frames);
        let second = ShortGainPath::new();
        let delays = Delays {
            detected: detector.delay_frames() + clip_gain::DELAY_FRAMES,
            limited: fast.delay_frames(),
            trimmed: detector.delay_frames() + second.delay_frames(),
        };
        let channel = || Channel {
            input: History::new(delays.total(), 0.0),
            detector: detector.clone(),
            base: History::new(delays.limited, 1.0),
            clip: ClipGain::default(),
            limited: History::new(delays.trimmed, 0.0),
            second_detector: detector.clone(),
        };
        let mut limiter = Limiter {
            params,
            given: params,
            level: Level::new(),
            grid: ControlGrid::default(),
            phase: 0,
            glides: Glides::new(&params, sample_rate_hz, margin_db),
            style: params.style.laws(),
            style_is_new: true,
            keep: 0.0,
            channels: std::array::from_fn(|_| channel()),
            fast,
            second,
            slow: SlowGain::new(sample_rate_hz),
            slow_reduction: [[0.0; CH]; 2],
            clip_limit: [1.0; 2],
            span_peaks: [0.0; CH],
            gains: History::new(delays.total(), 1.0),
            inverses: History::new(delays.limited + detector.delay_frames(), 1.0),
            delays,
            sample_rate_hz,
            ceiling_bound: Bound::default(),
            reading: LimiterReading::default(),
        };
        limiter.reset();
        limiter
    }

    fn retarget(&mut self) {
        let (style, params) = (self.params.style.laws(), &self.params);
        let ceiling = self.glides.ceiling_for(params, &style);
        if ceiling != self.glides.ceiling.target() {
            let now = self.glides.ceiling.value() as f32;
            let before = if self.ceiling_bound.frames_left > 0 { self.ceiling_bound.highest } else { now };
            let glide_frames = (GLIDE_SECONDS * self.sample_rate_hz) as usize + 1;
            self.ceiling_bound = Bound {
                highest: before.max(now).max(ceiling as f32),
                frames_left: glide_frames + self.delays.total() + GRID_FRAMES,
            };
        }
        self.glides.set_targets(params, &style);
        self.style_is_new = true;
    }

    /// What may change on the grid alone.
    fn grid_point(&mut self) {
        self.phase = 0;
        if self.style_is_new {
            self.style_is_new = false;
            self.style = self.params.style.laws();
            let release_ms = (!self.params.auto_release).then_some(self.params.release_ms);
            self.slow.set_style(&self.style, release_ms);
            let fast_ms =
                release_ms.map_or(self.style.auto_fast_release_ms, |release_ms| release_ms * self.style.fast_release);
            self.keep = math::exp(-1.0 / (0.001 * fast_ms * self.sample_rate_hz));
        }
        let glides = &mut self.glides;
        let clip_limit = math::db_to_gain(-glides.clip_db.value());
        self.clip_limit = [self.clip_limit[1], clip_limit as f32];
        self.slow.set_glides(glides.knee_db.value(), 1.0 / clip_limit, glides.release_link.value());
        for glide in [&mut glides.knee_db, &mut glides.clip_db, &mut glides.release_link] {
            glide.advance(GRID_FRAMES);
        }
        self.slow_reduction = [self.slow_reduction[1], self.slow.next(self.span_peaks).map(|r| r as f32)];
        self.span_peaks = [0.0; CH];
        self.ceiling_bound.frames_left = self.ceiling_bound.frames_left.saturating_sub(GRID_FRAMES);
        self.fast.flush();
    }

    /// A run of frames within a grid interval. What is no vector here becomes one by itself, as wide as the machine's; each
    /// lane is a frame of its own, so the width changes no bit.
    #[simd]
    fn span<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>) {
        let frames = block.frames().min(SPAN_FRAMES);
        let delays = self.delays;
        let true_peak = self.params.true_peak || self.style.strict;
        let bound = if self.ceiling_bound.frames_left > 0 {
            self.ceiling_bound.highest
        } else {
            self.glides.ceiling.target() as f32
        };
        self.gains.push(&values(&mut self.glides.gain, frames), frames);
        let links = values(&mut self.glides.transient_link, frames);
        let inverses = values(&mut self.glides.ceiling, frames).map(|ceiling| 1.0 / ceiling.min(bound));
        self.inverses.push(&inverses, frames);
        let phase = self.phase;
        self.phase += frames;
        let along: Frames = std::array::from_fn(|n| (phase + n) as f32 / GRID_FRAMES as f32);
        let limits = along.map(|a| self.clip_limit[0] + (self.clip_limit[1] - self.clip_limit[0]) * a);

        // the gain that each frame needs
        let mut needed = [[1.0; SPAN_FRAMES]; CH];
        let channels = self.channels.iter_mut().zip(block.channels_ref()).zip(&mut needed);
        for (c, ((channel, samples), needed)) in channels.enumerate() {
            let mut input = [0.0; SPAN_FRAMES];
            input[..frames].copy_from_slice(samples);
            channel.input.push(&input, frames);
            let (driven, mut peaks) = (multiplied(&input, &self.gains.delayed(0, frames)), [0.0; SPAN_FRAMES]);
            channel.detector.process(&driven[..frames], &mut peaks[..frames]);
            let detected = channel.detector.delay_frames();
            let gains = self.gains.delayed(detected, frames);
            let undriven = std::array::from_fn(|n| peaks[n] / gains[n]);
            self.reading.input_true_peak[c] = max(self.reading.input_true_peak[c], greatest(simd, &undriven, frames));
            if !true_peak {
                peaks = multiplied(&channel.input.delayed(detected, frames), &gains).map(f32::abs);
            }
            peaks = multiplied(&peaks, &inverses);
            self.span_peaks[c] = max(self.span_peaks[c], greatest(simd, &peaks, frames));

            let [from, to] = [self.slow_reduction[0][c], self.slow_reduction[1][c]];
            let slow = along.map(|a| 1.0 - (from + (to - from) * a));
            peaks = multiplied(&peaks, &slow);
            let clip = channel.clip.gains(&peaks, &limits, frames);
            channel.clip.delay(&mut peaks, frames);
            for ((needed, peak), clip) in needed.iter_mut().zip(&peaks).zip(&clip) {
                *needed = 1.0 / max(peak * clip, 1.0);
            }
            channel.base.push(&multiplied(&slow, &clip), frames);
        }
        link(&mut needed, &links);

        // the limited signal, and what its true peaks need
        self.fast.process(&mut needed, frames, self.keep);
        let mut fast = needed;
        let gains = self.gains.delayed(delays.detected + delays.limited, frames);
        for (c, ((channel, needed), fast)) in self.channels.iter_mut().zip(&mut needed).zip(&mut fast).enumerate() {
            *fast = multiplied(fast, &channel.base.delayed(delays.limited, frames));
            let input = channel.input.delayed(delays.detected + delays.limited, frames);
            let (limited, mut peaks) = (multiplied(&multiplied(&input, &gains), fast), [0.0; SPAN_FRAMES]);
            channel.limited.push(&limited, frames);
            channel.second_detector.process(&limited[..frames], &mut peaks[..frames]);
            // the ceiling that the fast gain was made for
            let inverses = self.inverses.delayed(delays.limited + channel.second_detector.delay_frames(), frames);
            for ((needed, peak), inverse) in needed.iter_mut().zip(&peaks).zip(&inverses) {
                let over = max(peak * inverse, 1.0) - 1.0;
                *needed = if true_peak { 1.0 / (1.0 + over * SECOND_EXCESS) } else { 1.0 };
            }
            peaks = multiplied(&peaks, needed);
            self.reading.output_true_peak[c] = max(self.reading.output_true_peak[c], greatest(simd, &peaks, frames));
        }
        link(&mut needed, &links);
        self.second.process(simd, &mut needed, frames);

        let listening = self.glides.listening(frames);
        let gains = self.gains.delayed(delays.total(), frames);
        let mut outputs = block.channels().iter_mut();
        for (c, (channel, needed)) in self.channels.iter_mut().zip(&needed).enumerate() {
            // rounding alone can have come over
            let mut out =
                multiplied(&channel.limited.delayed(delays.trimmed, frames), needed).map(|s| s.clamp(-bound, bound));
            let gain = multiplied(&fast[c], needed);
            self.reading.gain[c] = gain[frames.max(1) - 1];
            let least = 1.0 - greatest(simd, &gain.map(|gain| 1.0 - gain), frames);
            self.reading.least_gain[c] = self.reading.least_gain[c].min(least);
            listening.mix(&mut out, &channel.input.delayed(delays.total(), frames), &gains);
            if let Some(output) = outputs.next() {
                output.copy_from_slice(&out[..frames]);
            }
        }
    }
}

impl<const CH: usize> Processor<CH> for Limiter<CH> {
    type Params = LimiterParams;

    fn prepare(&mut self, config: StreamConfig, params: &LimiterParams) -> Result<(), PrepareError> {
        config.check()?;
        *self = Self::with(config.sample_rate_hz, controls::clamped(params));
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.phase = 0;
        self.glides.snap();
        self.style_is_new = true;
        for channel in &mut self.channels {
            channel.input.reset(0.0);
            channel.detector.reset();
            channel.base.reset(1.0);
            channel.clip.reset();
            channel.limited.reset(0.0);
            channel.second_detector.reset();
        }
        self.fast.reset();
        self.second.reset();
        self.slow.reset();
        self.slow_reduction = [[0.0; CH]; 2];
        self.clip_limit = [math::db_to_gain(-self.glides.clip_db.value()) as f32; 2];
        self.span_peaks = [0.0; CH];
        self.gains.reset(self.glides.gain.value() as f32);
        self.inverses.reset(1.0 / self.glides.ceiling.value() as f32);
        self.ceiling_bound = Bound::default();
        self.reading = LimiterReading::default();
    }

    fn set_params(&mut self, params: &LimiterParams) {
        if *params == self.given {
            return;
        }
        self.given = *params;
        let params = LimiterParams { lookahead_ms: self.params.lookahead_ms, ..controls::clamped(params) };
        if params != self.params {
            self.params = params;
            self.retarget();
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        let mut start = 0;
        while let Some(span) = self.grid.next(start, block.frames()) {
            if span.on_grid {
                self.grid_point();
            }
            let (level, mut block) = (self.level, block.span(span.start, span.len));
            dispatch!(level, simd => self.span(simd, &mut block));
            start = span.start + span.len;
        }
    }

    fn latency_frames(&self) -> usize {
        self.delays.total()
    }
}

impl<const CH: usize> Default for Limiter<CH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CH: usize> Default for LimiterReading<CH> {
    fn default() -> Self {
        LimiterReading {
            gain: [1.0; CH],
            least_gain: [1.0; CH],
            input_true_peak: [0.0; CH],
            output_true_peak: [0.0; CH],
        }
    }
}

impl Delays {
    fn total(&self) -> usize {
        self.detected + self.limited + self.trimmed
    }
}

#[inline(always)]
fn multiplied(a: &Frames, b: &Frames) -> Frames {
    std::array::from_fn(|n| a[n] * b[n])
}

/// Draws the gains of all channels to the least of them, by each frame's share; at 1 they are the same bits.
#[inline(always)]
fn link<const CH: usize>(needed: &mut Rows<CH>, links: &Frames) {
    if CH < 2 {
        return;
    }
    for (n, link) in links.iter().enumerate() {
        let least = needed.iter().map(|gains| gains[n]).fold(1.0, |least, g| if g < least { g } else { least });
        for gains in needed.iter_mut() {
            gains[n] = gains[n] * (1.0 - link) + least * link;
        }
    }
}

/// The greatest of the first `frames`, and 0.
#[inline(always)]
fn greatest<S: Simd>(simd: S, values: &Frames, frames: usize) -> f32 {
    let used: Frames = std::array::from_fn(|n| if n < frames { values[n] } else { 0.0 });
    let (low, high) = used.split_at(SPAN_FRAMES / 2);
    f32x16::from_slice(simd, low).max_precise(f32x16::from_slice(simd, high)).max_precise(0.0).reduce_max_precise()
}

#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}
