//! The compressor: key, level, curve, ballistics, gain.

use crate::block::Block;
use crate::choices;
use crate::control_grid::{ControlGrid, GRID_FRAMES, Span, copy_span};
use crate::controls;
use crate::delay_line::DelayLine;
use crate::dynamics::ballistics::{Follower, Rates};
use crate::dynamics::envelope::{Lane, LevelDetector, lanes_of_key};
use crate::dynamics::gain_curve::{CurveVector, GainCurve, slope_of_ratio};
use crate::dynamics::glides::{Glides, each_vector, fade_over, peak};
use crate::dynamics::key_filter::{KeyFilter, KeyFilterParams, external_key};
use crate::dynamics::linking::{Link, linked_levels};
use crate::dynamics::make_up::MakeUpMeter;
use crate::dynamics::sliding_max::SlidingMax;
use crate::dynamics::style::Style;
use crate::math::{self, decibels};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x8};

/// The ratio that stands for infinity.
pub const INFINITE_RATIO: f64 = 100.0;
/// How long a moved control takes to arrive, in seconds.
pub const GLIDE_SECONDS: f64 = 0.02;

choices! {
    /// Which side of the threshold is worked on.
    pub enum Direction {
        /// What is above the threshold is turned down.
        Downward = ("downward", "Downward"),
        /// What is below the threshold is lifted, by up to 24 dB.
        Upward = ("upward", "Upward"),
    }
}

controls! {
    /// The compressor.
    pub struct CompressorParams {
        /// Whether it works.
        pub on: bool = switch("On", false),
        /// How it measures and moves.
        pub style: Style = choice("Style", Style::Clean),
        /// Which side of the threshold is worked on.
        pub direction: Direction = choice("Direction", Direction::Downward),
        /// Middle of the knee, in decibels re full scale: the peak of a sine.
        pub threshold_db: f64 = float("Threshold", Range::linear(-60.0, 0.0, -18.0, Unit::Decibel, 2)),
        /// Ratio, x:1; 100 is infinity.
        pub ratio: f64 = float("Ratio", Range::logarithmic(1.0, INFINITE_RATIO, 4.0, Unit::Ratio)),
        /// Width of the knee, in decibels.
        pub knee_db: f64 = float("Knee", Range::linear(0.0, 36.0, 6.0, Unit::Decibel, 2)),
        /// Time until 63.2 % of a reduction are reached, in milliseconds.
        pub attack_ms: f64 = float("Attack", Range::logarithmic(0.02, 250.0, 10.0, Unit::Millisecond)),
        /// Time until 63.2 % of a reduction are recovered, in milliseconds.
        pub release_ms: f64 = float("Release", Range::logarithmic(5.0, 2_500.0, 100.0, Unit::Millisecond)),
        /// Releases by what the programme does instead.
        pub auto_release: bool = switch("Auto Release", false),
        /// Time for which reduction stays before it recovers, in milliseconds.
        pub hold_ms: f64 = float("Hold", Range::square(0.0, 500.0, 0.0, Unit::Millisecond, 2)),
        /// The largest change of gain, in decibels.
        pub range_db: f64 = float("Range", Range::linear(0.0, 60.0, 60.0, Unit::Decibel, 2)),
        /// Time by which the sound is delayed behind its measurement, in milliseconds.
        pub lookahead_ms: f64 = float("Lookahead", Range::square(0.0, 20.0, 0.0, Unit::Millisecond, 3)) structural,
        /// Share of RMS in the measurement, in per cent; the rest is peak.
        pub rms_percent: f64 = float("Detector RMS", Range::linear(0.0, 100.0, 0.0, Unit::Percent, 1)),
        /// How far both channels follow the louder one, in per cent.
        pub stereo_link_percent: f64 = float("Stereo Link", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// Measures the side chain instead of the sound; one that is not connected is silent.
        pub external_key: bool = switch("External Side Chain", false),
        /// The filter in front of the measurement.
        pub key: KeyFilterParams = group("Key"),
        /// Share of the compressed sound in the output, in per cent; the rest is untouched.
        pub mix_percent: f64 = float("Mix", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// Gain of the compressed sound, in decibels.
        pub make_up_db: f64 = float("Make-up", Range::linear(-24.0, 36.0, 0.0, Unit::Decibel, 2)),
        /// Adds the measured make-up.
        pub auto_make_up: bool = switch("Auto Make-up", false),
        /// The make-up that was measured, in decibels: see [`CompressorReading::measured_make_up_db`].
        pub auto_make_up_db: f64 = float("Auto Make-up Gain", Range::linear(-24.0, 36.0, 0.0, Unit::Decibel, 2)),
        /// Plays what is taken away instead of what is left.
        pub delta: bool = switch("Delta Listen", false),
    }
}

impl CompressorParams {
    /// The static curve that these controls set. Real-time safe.
    #[must_use]
    pub fn gain_curve(&self) -> GainCurve {
        let slope = slope_of_ratio(self.ratio, INFINITE_RATIO);
        let (slope_above, slope_below) = match self.direction {
            Direction::Downward => (slope, 0.0),
            Direction::Upward => (0.0, slope),
        };
        // a bend widens the knee upwards only (downwards for what is lifted from below): its near edge stays
        let bend_db = self.style.character().bend_db;
        let away = if self.direction == Direction::Downward { 0.5 } else { -0.5 };
        GainCurve {
            threshold_db: self.threshold_db + away * bend_db,
            knee_db: self.knee_db + bend_db,
            slope_above,
            slope_below,
            range_db: self.range_db,
        }
    }

    /// The make-up in all, in decibels. Real-time safe.
    #[must_use]
    pub fn total_make_up_db(&self) -> f64 {
        self.make_up_db + if self.auto_make_up { self.auto_make_up_db } else { 0.0 }
    }
}

/// What the meters of a compressor show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompressorReading {
    /// Gain at the last frame, make-up apart, in decibels: negative is reduction. Of the channel changed the most.
    pub gain_db: f64,
    /// The largest reduction since the last reading, in decibels, at least 0.
    pub max_reduction_db: f64,
    /// Measured level of the key at the last frame, in decibels: where the dot stands on the curve. `None` while off.
    pub key_level_db: Option<f64>,
    /// The make-up that would bring the loudness back to that of the input, in decibels, by the last ten seconds or so;
    /// `None` while not measuring, and for the first second. Written into `auto_make_up_db`, it takes effect.
    pub measured_make_up_db: Option<f64>,
    /// Highest sample that came in since the last reading, as a magnitude.
    pub input_peak: f32,
    /// Highest sample that went out since the last reading, as a magnitude.
    pub output_peak: f32,
}

/// Compressor in six styles.
#[derive(Clone, Debug)]
pub struct Compressor<const CH: usize> {
    simd: Level,
    sample_rate_hz: f64,
    /// As they came, to see quickly that nothing changed.
    raw: CompressorParams,
    params: CompressorParams,
    grid: ControlGrid,
    glides: Glides<GLIDES>,
    /// Working, or fading in or out.
    active: bool,
    rates: Rates,
    loop_gain: f64,
    /// Nothing but attack and release is needed.
    plain: bool,
    /// One follower serves all channels.
    linked: bool,
    followers: [Follower; CH],
    key_filter: KeyFilter,
    detector: LevelDetector,
    windows: [SlidingMax; CH],
    delays: [DelayLine; CH],
    listen_delays: [DelayLine; CH],
    listening: bool,
    uses_rms: bool,
    uses_external: bool,
    make_up_meter: MakeUpMeter,
    measuring: bool,
    reading: CompressorReading,
}

/// What glides, by its place in [`Glides`]; the switch comes last.
const THRESHOLD: usize = 0;
const KNEE: usize = 1;
const SLOPE_ABOVE: usize = 2;
const SLOPE_BELOW: usize = 3;
const RANGE: usize = 4;
const RMS: usize = 5;
const LINK: usize = 6;
const EXTERNAL: usize = 7;
const MIX: usize = 8;
const MAKE_UP: usize = 9;
const DELTA: usize = 10;
const LISTEN: usize = 11;
const ON: usize = 12;
const GLIDES: usize = 13;

impl<const CH: usize> Compressor<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        let params = CompressorParams::default();
        Compressor {
            simd: Level::new(),
            sample_rate_hz: 48_000.0,
            raw: params,
            params,
            grid: ControlGrid::default(),
            glides: Glides::new(targets(&params), GLIDE_SECONDS, 48_000.0),
            active: false,
            rates: params.style.times(params.attack_ms, params.release_ms, 0.0, false).rates(48_000.0),
            loop_gain: 1.0,
            plain: true,
            linked: false,
            followers: [Follower::default(); CH],
            key_filter: KeyFilter::new(),
            detector: LevelDetector::new(),
            windows: std::array::from_fn(|_| SlidingMax::default()),
            delays: std::array::from_fn(|_| DelayLine::default()),
            listen_delays: std::array::from_fn(|_| DelayLine::default()),
            listening: false,
            uses_rms: false,
            uses_external: false,
            make_up_meter: MakeUpMeter::new(48_000.0),
            measuring: false,
            reading: CompressorReading::default(),
        }
    }

    /// What the meters show; the largest reduction and the peaks start anew. Real-time safe.
    pub fn reading(&mut self) -> CompressorReading {
        let measured = self.make_up_meter.make_up_db(self.params.mix_percent / 100.0).filter(|_| self.measuring);
        let reading = CompressorReading { measured_make_up_db: measured, ..self.reading };
        self.reading.max_reduction_db = (-reading.gain_db).max(0.0);
        (self.reading.input_peak, self.reading.output_peak) = (0.0, 0.0);
        reading
    }

    /// Starts or stops measuring the make-up that the programme needs; it is off at first, and costs only while on. The
    /// sound does not depend on it. Real-time safe.
    pub fn set_measuring(&mut self, measuring: bool) {
        if measuring && !self.measuring {
            self.make_up_meter.reset();
        }
        self.measuring = measuring;
    }

    /// Magnitude of the key filter at `frequency_hz`, in decibels, as the controls stand now. Real-time safe.
    #[must_use]
    pub fn key_response_db(&self, frequency_hz: f64) -> f64 {
        self.key_filter.response_db(frequency_hz)
    }

    /// Takes the times and the style. They need no glide: they change how fast the gain moves, not where it is.
    fn set_times(&mut self) {
        let p = &self.params;
        let times = p.style.times(p.attack_ms, p.release_ms, p.hold_ms, p.auto_release);
        let rates = times.rates(self.sample_rate_hz);
        let loop_gain = p.style.character().loop_gain;
        let plain = loop_gain == 1.0 && times.memory.is_none() && !times.glue && times.hold_ms == 0.0;
        if plain != self.plain || (rates.glue == 1.0) != (self.rates.glue == 1.0) {
            self.followers.iter_mut().for_each(Follower::change_over);
        }
        (self.rates, self.loop_gain, self.plain) = (rates, loop_gain, plain);
    }

    /// Everything that hears the key starts afresh.
    fn reset_key(&mut self) {
        self.followers = [Follower::default(); CH];
        self.detector.reset();
        self.windows.iter_mut().for_each(SlidingMax::reset);
        self.listen_delays.iter_mut().for_each(DelayLine::reset);
        (self.reading.gain_db, self.reading.key_level_db) = (0.0, None);
    }

    fn on_grid(&mut self) {
        self.active = !self.glides.rests_at(ON, 0.0);
        if !self.active {
            (self.reading.gain_db, self.reading.key_level_db) = (0.0, None);
            return;
        }
        self.key_filter.on_grid();
        self.detector.on_grid();
        self.followers.iter_mut().for_each(Follower::flush);
        if self.measuring {
            self.make_up_meter.on_grid();
        }
        if !self.linked && self.glides.rests_at(LINK, 1.0) {
            // both followers have the same target now; once they have met, one is enough (a memory is not heard at once:
            // the first one's serves)
            if let Some((first, rest)) = self.followers.split_first() {
                self.linked = rest.iter().all(|f| f.is_near(first));
            }
        }
        self.listening = !self.glides.rests_at(LISTEN, 0.0);
        self.uses_rms = !self.glides.rests_at(RMS, 0.0);
        self.uses_external = !self.glides.rests_at(EXTERNAL, 0.0);
    }

    /// Takes into use what has just been asked for; what is needed no longer ends on the grid.
    fn take_into_use(&mut self) {
        if !self.glides.rests_at(LISTEN, 0.0) && !self.listening {
            self.listen_delays.iter_mut().for_each(DelayLine::reset);
            self.listening = true;
        }
        self.uses_rms |= !self.glides.rests_at(RMS, 0.0);
        self.uses_external |= !self.glides.rests_at(EXTERNAL, 0.0);
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>) {
        if !self.active && self.latency_frames() == 0 {
            return self.rest(block);
        }
        let (channels, side_chain) = block.split();
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let mut start = 0;
        while let Some(Span { start: at, len, on_grid }) = self.grid.next(start, frames) {
            if on_grid {
                self.on_grid();
            }
            let end = at + len;
            let mut lanes = [[0.0f32; GRID_FRAMES]; CH];
            for (lane, channel) in lanes.iter_mut().zip(channels.iter()) {
                copy_span(lane, &channel[at..end]);
            }
            self.reading.input_peak = peak(simd, &lanes, self.reading.input_peak);
            if self.active {
                let side_chain = side_chain.map(|s| s.map(|c| &c[at..end]));
                self.run_span(simd, &mut lanes, side_chain, len);
            } else {
                for (lane, delay) in lanes.iter_mut().zip(&mut self.delays) {
                    delay.process(&mut lane[..len]);
                }
            }
            self.reading.output_peak = peak(simd, &lanes, self.reading.output_peak);
            for (lane, channel) in lanes.iter().zip(channels.iter_mut()) {
                copy_span(&mut channel[at..end], lane);
            }
            start = end;
        }
    }

    /// Off, and without lookahead: the sound stays as it is. It is switched on between blocks only.
    fn rest(&mut self, block: &Block<'_, CH>) {
        self.grid.skip(block.frames());
        self.on_grid();
        let highest = block.peaks().into_iter().fold(0.0, f32::max);
        self.reading.input_peak = self.reading.input_peak.max(highest);
        self.reading.output_peak = self.reading.output_peak.max(highest);
    }

    /// One span: the sound in `lanes`, in place.
    #[inline(always)]
    fn run_span<S: Simd>(&mut self, simd: S, lanes: &mut [Lane; CH], side_chain: Option<[&[f32]; CH]>, len: usize) {
        self.glides.advance(len);
        let mut heard = [0.0; 2 * (GRID_FRAMES + 2)];
        if self.uses_external {
            let external = external_key(lanes, side_chain, self.glides.lane(EXTERNAL));
            self.key_filter.process(simd, &external, &mut heard, len);
        } else {
            self.key_filter.process(simd, lanes, &mut heard, len);
        }
        let mut key = [[0.0f32; GRID_FRAMES]; CH];
        self.detector.process(simd, &mut heard, &mut key, len, self.uses_rms.then_some(self.glides.lane(RMS)));
        if self.delays.first().is_some_and(|d| d.frames() > 0) {
            for (lane, window) in key.iter_mut().zip(&mut self.windows) {
                lane.iter_mut().take(len).for_each(|power| *power = window.push(*power));
            }
            for (lane, delay) in lanes.iter_mut().zip(&mut self.delays) {
                delay.process(&mut lane[..len]);
            }
        }
        self.reductions(simd, &mut key, len);
        if self.measuring {
            let mut gains = key;
            for lane in &mut gains {
                each_vector(|n| {
                    let gain = decibels::db_to_gain(-f32x8::from_slice(simd, &lane[n..n + 8]));
                    gain.store_slice(&mut lane[n..n + 8]);
                });
            }
            self.make_up_meter.take(simd, lanes, &gains, len);
        }
        self.gains(simd, &mut key);
        for (lane, gain) in lanes.iter_mut().zip(&key) {
            for (x, g) in lane.iter_mut().zip(gain) {
                *x *= g;
            }
        }
        if self.listening {
            let mut played = key;
            lanes_of_key(simd, &heard, &mut played);
            for (heard, delay) in played.iter_mut().zip(&mut self.listen_delays) {
                delay.process(&mut heard[..len]);
            }
            fade_over(lanes, &played, [self.glides.lane(LISTEN), self.glides.lane(ON)], len);
        }
    }

    /// From the powers of the key to reductions in decibels, in place.
    #[inline(always)]
    fn reductions<S: Simd>(&mut self, simd: S, key: &mut [Lane; CH], len: usize) {
        let used = if self.linked { 1 } else { CH };
        let mut levels = [[0.0f32; GRID_FRAMES]; CH];
        let mut weights = Weights { attack: [[1.0; GRID_FRAMES]; CH], release: [[1.0; GRID_FRAMES]; CH] };
        let floor = (1.0 / self.loop_gain) as f32;
        each_vector(|n| {
            let at = n..n + 8;
            let value = |which: usize| self.glides.vector(simd, which, n);
            let powers: [f32x8<S>; CH] = std::array::from_fn(|c| f32x8::from_slice(simd, &key[c][at.clone()]));
            let link = if self.linked { Link::Full } else { Link::Share(value(LINK)) };
            let level = linked_levels(simd, powers, link);
            let curve = CurveVector {
                threshold_db: value(THRESHOLD),
                knee_db: value(KNEE),
                slope_above: value(SLOPE_ABOVE),
                slope_below: value(SLOPE_BELOW),
                range_db: value(RANGE),
            };
            for c in 0..used {
                level[c].store_slice(&mut levels[c][at.clone()]);
                let (reduction, share) = curve.reduction_db(level[c]);
                reduction.store_slice(&mut key[c][at.clone()]);
                if !self.plain {
                    let ratio = 1.0 / (1.0 - curve.slope_above * share).max(floor);
                    ratio.store_slice(&mut weights.release[c][at.clone()]);
                    (ratio * (1.0 - curve.slope_above).max(floor)).store_slice(&mut weights.attack[c][at.clone()]);
                }
            }
        });
        self.reading.key_level_db =
            levels.iter().take(used).filter_map(|lane| lane.get(len - 1)).map(|db| f64::from(*db)).reduce(f64::max);
        if self.linked {
            follow::<1, CH>(self.plain, &self.rates, &mut self.followers, key, &weights, len);
        } else {
            follow::<CH, CH>(self.plain, &self.rates, &mut self.followers, key, &weights, len);
        }
        let mut most = 0.0;
        for lane in key.iter().take(used) {
            let mut highest = f32x8::splat(simd, 0.0);
            each_vector(|n| highest = highest.max(f32x8::from_slice(simd, &lane[n..n + 8])));
            most = f64::from(highest.reduce_max()).max(most);
        }
        self.reading.max_reduction_db = self.reading.max_reduction_db.max(most);
        let reductions = self.followers.iter().take(used).map(Follower::reduction_db);
        self.reading.gain_db = -reductions.fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        if self.linked
            && let (Some((lane, lanes)), Some((follower, followers))) =
                (key.split_first_mut(), self.followers.split_first_mut())
        {
            lanes.iter_mut().for_each(|l| *l = *lane);
            followers.iter_mut().for_each(|f| *f = *follower);
        }
    }

    /// From reductions in decibels to the gains of the sound, make-up, mix and fade included, in place.
    #[inline(always)]
    fn gains<S: Simd>(&self, simd: S, key: &mut [Lane; CH]) {
        let used = if self.linked { 1 } else { CH };
        for lane in key.iter_mut().take(used) {
            each_vector(|n| {
                let at = n..n + 8;
                let value = |which: usize| self.glides.vector(simd, which, n);
                let gain = decibels::db_to_gain(-f32x8::from_slice(simd, &lane[at.clone()]));
                let (mix, delta, on) = (value(MIX), value(DELTA), value(ON));
                // each sum is exactly 1 where the gain is, whatever the share
                let mixed = (1.0 - mix) + mix * (gain * value(MAKE_UP));
                let taken = mix - mix * gain;
                let wet = (1.0 - delta) * mixed + delta * taken;
                ((1.0 - on) + on * wet).store_slice(&mut lane[at]);
            });
        }
        if self.linked
            && let Some((first, rest)) = key.split_first_mut()
        {
            rest.iter_mut().for_each(|lane| *lane = *first);
        }
    }
}

/// Where every glide goes.
fn targets(params: &CompressorParams) -> [f64; GLIDES] {
    let curve = params.gain_curve();
    let switch = |on: bool| f64::from(u8::from(on));
    let mut targets = [0.0; GLIDES];
    targets[THRESHOLD] = curve.threshold_db;
    targets[KNEE] = curve.knee_db;
    targets[SLOPE_ABOVE] = curve.slope_above;
    targets[SLOPE_BELOW] = curve.slope_below;
    targets[RANGE] = curve.range_db;
    targets[RMS] = params.rms_percent / 100.0;
    targets[LINK] = params.stereo_link_percent / 100.0;
    targets[EXTERNAL] = switch(params.external_key);
    targets[MIX] = params.mix_percent / 100.0;
    targets[MAKE_UP] = math::db_to_gain(params.total_make_up_db());
    targets[DELTA] = switch(params.delta);
    targets[LISTEN] = switch(params.key.listen);
    targets[ON] = switch(params.on);
    targets
}

/// How much faster than their times the followers move, frame by frame.
struct Weights<const CH: usize> {
    attack: [Lane; CH],
    release: [Lane; CH],
}

/// Moves the first `L` followers along their targets in `lanes`, which become reductions.
#[inline(always)]
fn follow<const L: usize, const CH: usize>(
    plain: bool,
    rates: &Rates,
    followers: &mut [Follower; CH],
    lanes: &mut [Lane; CH],
    weights: &Weights<CH>,
    len: usize,
) {
    let rates = *rates;
    if plain {
        let mut now: [Follower; L] = std::array::from_fn(|l| followers[l]);
        for n in 0..len.min(GRID_FRAMES) {
            for (follower, lane) in now.iter_mut().zip(lanes.iter_mut()) {
                lane[n] = follower.step(f64::from(lane[n]), &rates) as f32;
            }
        }
        followers[..L].copy_from_slice(&now);
    } else {
        for n in 0..len.min(GRID_FRAMES) {
            for (l, (follower, lane)) in followers.iter_mut().zip(lanes.iter_mut()).enumerate().take(L) {
                let (up, down) = (f64::from(weights.attack[l][n]), f64::from(weights.release[l][n]));
                lane[n] = follower.step_weighted(f64::from(lane[n]), up, down, &rates) as f32;
            }
        }
    }
}

impl<const CH: usize> Processor<CH> for Compressor<CH> {
    type Params = CompressorParams;

    fn prepare(&mut self, config: StreamConfig, params: &CompressorParams) -> Result<(), PrepareError> {
        config.check()?;
        self.raw = *params;
        self.params = controls::clamped(params);
        self.sample_rate_hz = config.sample_rate_hz;
        let lookahead = (self.params.lookahead_ms * 1e-3 * config.sample_rate_hz).round() as usize;
        self.windows = std::array::from_fn(|_| SlidingMax::new(lookahead + 1));
        self.delays = std::array::from_fn(|_| DelayLine::new(lookahead));
        self.listen_delays = self.delays.clone();
        self.glides = Glides::new(targets(&self.params), GLIDE_SECONDS, config.sample_rate_hz);
        self.key_filter.prepare(config.sample_rate_hz, &self.params.key);
        self.detector.prepare(config.sample_rate_hz);
        self.make_up_meter = MakeUpMeter::new(config.sample_rate_hz);
        self.set_times();
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.glides.snap(GLIDES);
        self.key_filter.reset();
        self.reset_key();
        self.make_up_meter.reset();
        self.delays.iter_mut().for_each(DelayLine::reset);
        self.active = self.params.on;
        self.linked = self.glides.target(LINK) == 1.0;
        (self.listening, self.uses_rms, self.uses_external) = (false, false, false);
        self.take_into_use();
        self.reading = CompressorReading::default();
    }

    fn set_params(&mut self, params: &CompressorParams) {
        if *params == self.raw {
            return;
        }
        self.raw = *params;
        let params = CompressorParams { lookahead_ms: self.params.lookahead_ms, ..controls::clamped(params) };
        if params == self.params {
            return;
        }
        let times = |p: &CompressorParams| (p.style, p.attack_ms, p.release_ms, p.hold_ms, p.auto_release);
        let retimed = times(&params) != times(&self.params);
        self.params = params;
        self.glides.set_targets(targets(&params));
        self.key_filter.set_params(&params.key);
        if retimed {
            self.set_times();
        }
        if !self.active {
            // nothing is heard of it yet: there is nothing to glide from, but for the fade itself
            self.glides.snap(ON);
            self.key_filter.reset();
            self.reset_key();
            self.linked = self.glides.target(LINK) == 1.0;
            self.active = params.on;
        }
        self.linked &= self.glides.target(LINK) == 1.0;
        self.take_into_use();
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        let level = self.simd;
        dispatch!(level, simd => self.run(simd, block));
    }

    fn latency_frames(&self) -> usize {
        self.delays.first().map_or(0, DelayLine::frames)
    }

    fn tail(&self) -> Tail {
        Tail::Frames(if self.listening { self.key_filter.tail_frames() } else { 0 })
    }
}

impl<const CH: usize> Default for Compressor<CH> {
    fn default() -> Self {
        Self::new()
    }
}
