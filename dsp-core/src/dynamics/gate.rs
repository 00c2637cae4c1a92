//! The gate and downward expander.

use crate::block::Block;
use crate::control_grid::{ControlGrid, GRID_FRAMES, Span, copy_span};
use crate::controls;
use crate::delay_line::DelayLine;
use crate::dynamics::ballistics::{Follower, Rates, Times};
use crate::dynamics::envelope::{Lane, LevelDetector, lanes_of_key};
use crate::dynamics::gain_curve::ExpanderCurve;
use crate::dynamics::glides::{Glides, each_vector, fade_over, peak};
use crate::dynamics::key_filter::{KeyFilter, KeyFilterParams, external_key};
use crate::dynamics::sliding_max::SlidingMax;
use crate::math::decibels;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x8};

/// The ratio that stands for infinity: a gate.
pub const INFINITE_RATIO: f64 = 100.0;
/// How long a moved control takes to arrive, in seconds.
pub const GLIDE_SECONDS: f64 = 0.02;

controls! {
    /// The gate and expander.
    pub struct GateParams {
        /// Whether it works.
        pub on: bool = switch("On", false),
        /// The level at which it opens, in decibels re full scale: the peak of a sine.
        pub threshold_db: f64 = float("Threshold", Range::linear(-100.0, 0.0, -40.0, Unit::Decibel, 2)),
        /// Decibels that a decibel below the threshold becomes; 100 is infinity, a gate.
        pub ratio: f64 = float("Ratio", Range::logarithmic(1.0, INFINITE_RATIO, INFINITE_RATIO, Unit::Ratio)),
        /// The most that it turns down, in decibels.
        pub range_db: f64 = float("Range", Range::linear(0.0, 100.0, 40.0, Unit::Decibel, 2)),
        /// How far below the threshold the level must fall until it closes, in decibels.
        pub hysteresis_db: f64 = float("Hysteresis", Range::linear(0.0, 24.0, 3.0, Unit::Decibel, 2)),
        /// Time until 63.2 % of the way (in decibels) to open are done, in milliseconds.
        pub attack_ms: f64 = float("Attack", Range::logarithmic(0.02, 250.0, 1.0, Unit::Millisecond)),
        /// Time for which it stays open before it closes, in milliseconds.
        pub hold_ms: f64 = float("Hold", Range::square(0.0, 500.0, 20.0, Unit::Millisecond, 2)),
        /// Time until 63.2 % of the way (in decibels) to closed are done, in milliseconds.
        pub release_ms: f64 = float("Release", Range::logarithmic(5.0, 2_500.0, 150.0, Unit::Millisecond)),
        /// Time by which the sound is delayed behind its measurement, in milliseconds: it is open when the sound comes.
        pub lookahead_ms: f64 = float("Lookahead", Range::square(0.0, 10.0, 0.0, Unit::Millisecond, 3)) structural,
        /// Measures the side chain instead of the sound; one that is not connected is silent.
        pub external_key: bool = switch("External Side Chain", false),
        /// The filter in front of the measurement.
        pub key: KeyFilterParams = group("Key"),
    }
}

impl GateParams {
    /// The static curve that these controls set. Real-time safe.
    #[must_use]
    pub fn gain_curve(&self) -> ExpanderCurve {
        ExpanderCurve {
            threshold_db: self.threshold_db,
            hysteresis_db: self.hysteresis_db,
            ratio: if self.ratio >= INFINITE_RATIO { f64::INFINITY } else { self.ratio },
            range_db: self.range_db,
        }
    }
}

/// What the meters of a gate show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GateReading {
    /// Gain at the last frame, in decibels, at most 0.
    pub gain_db: f64,
    /// The largest reduction since the last reading, in decibels, at least 0.
    pub max_reduction_db: f64,
    /// Whether the key is above the threshold, hysteresis considered.
    pub open: bool,
    /// Measured level of the key at the last frame, in decibels. `None` while off.
    pub key_level_db: Option<f64>,
    /// Highest sample that came in since the last reading, as a magnitude.
    pub input_peak: f32,
    /// Highest sample that went out since the last reading, as a magnitude.
    pub output_peak: f32,
}

/// Gate and downward expander. Both channels meet one gain: that of the louder.
#[derive(Clone, Debug)]
pub struct Gate<const CH: usize> {
    simd: Level,
    sample_rate_hz: f64,
    /// As they came, to see quickly that nothing changed.
    raw: GateParams,
    params: GateParams,
    grid: ControlGrid,
    glides: Glides<GLIDES>,
    /// Working, or fading in or out.
    active: bool,
    rates: Rates,
    /// Of the gain, in decibels: up is open.
    follower: Follower,
    open: bool,
    key_filter: KeyFilter,
    detector: LevelDetector,
    window: SlidingMax,
    delays: [DelayLine; CH],
    listen_delays: [DelayLine; CH],
    listening: bool,
    uses_external: bool,
    reading: GateReading,
}

/// What glides, by its place in [`Glides`]; the switch comes last.
const THRESHOLD: usize = 0;
const INVERSE_RATIO: usize = 1;
const RANGE: usize = 2;
const HYSTERESIS: usize = 3;
const LISTEN: usize = 4;
const EXTERNAL: usize = 5;
const ON: usize = 6;
const GLIDES: usize = 7;

impl<const CH: usize> Gate<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        let params = GateParams::default();
        Gate {
            simd: Level::new(),
            sample_rate_hz: 48_000.0,
            raw: params,
            params,
            grid: ControlGrid::default(),
            glides: Glides::new(targets(&params), GLIDE_SECONDS, 48_000.0),
            active: false,
            rates: rates(&params, 48_000.0),
            follower: Follower::default(),
            open: false,
            key_filter: KeyFilter::new(),
            detector: LevelDetector::new(),
            window: SlidingMax::default(),
            delays: std::array::from_fn(|_| DelayLine::default()),
            listen_delays: std::array::from_fn(|_| DelayLine::default()),
            listening: false,
            uses_external: false,
            reading: GateReading::default(),
        }
    }

    /// What the meters show; the largest reduction and the peaks start anew. Real-time safe.
    pub fn reading(&mut self) -> GateReading {
        let reading = GateReading { open: self.open && self.active, ..self.reading };
        self.reading.max_reduction_db = -reading.gain_db;
        (self.reading.input_peak, self.reading.output_peak) = (0.0, 0.0);
        reading
    }

    /// Magnitude of the key filter at `frequency_hz`, in decibels, as the controls stand now. Real-time safe.
    #[must_use]
    pub fn key_response_db(&self, frequency_hz: f64) -> f64 {
        self.key_filter.response_db(frequency_hz)
    }

    /// Everything that hears the key starts afresh, at this gain.
    fn reset_key(&mut self, gain_db: f64) {
        self.follower = Follower::at(gain_db);
        self.open = false;
        self.detector.reset();
        self.window.reset();
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
        self.follower.flush();
        self.listening = !self.glides.rests_at(LISTEN, 0.0);
        self.uses_external = !self.glides.rests_at(EXTERNAL, 0.0);
    }

    /// Takes into use what has just been asked for; what is needed no longer ends on the grid.
    fn take_into_use(&mut self) {
        if !self.glides.rests_at(LISTEN, 0.0) && !self.listening {
            self.listen_delays.iter_mut().for_each(DelayLine::reset);
            self.listening = true;
        }
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
        let mut key = [0.0; 2 * (GRID_FRAMES + 2)];
        if self.uses_external {
            let external = external_key(lanes, side_chain, self.glides.lane(EXTERNAL));
            self.key_filter.process(simd, &external, &mut key, len);
        } else {
            self.key_filter.process(simd, lanes, &mut key, len);
        }
        let mut powers = [[0.0f32; GRID_FRAMES]; CH];
        self.detector.process(simd, &mut key, &mut powers, len, None);
        let mut gain = [0.0f32; GRID_FRAMES];
        for lane in &powers {
            for (a, b) in gain.iter_mut().zip(lane) {
                *a = if *b > *a { *b } else { *a };
            }
        }
        if self.latency_frames() > 0 {
            gain.iter_mut().take(len).for_each(|power| *power = self.window.push(*power));
            for (lane, delay) in lanes.iter_mut().zip(&mut self.delays) {
                delay.process(&mut lane[..len]);
            }
        }
        self.gains(simd, &mut gain, len);
        for lane in lanes.iter_mut() {
            for (x, g) in lane.iter_mut().zip(&gain) {
                *x *= g;
            }
        }
        if self.listening {
            let mut heard = powers;
            lanes_of_key(simd, &key, &mut heard);
            for (heard, delay) in heard.iter_mut().zip(&mut self.listen_delays) {
                delay.process(&mut heard[..len]);
            }
            fade_over(lanes, &heard, [self.glides.lane(LISTEN), self.glides.lane(ON)], len);
        }
    }

    /// From the power of the key to the gain of the sound, the fade included, in place.
    #[inline(always)]
    fn gains<S: Simd>(&mut self, simd: S, lane: &mut Lane, len: usize) {
        let mut closed_db = [0.0f32; GRID_FRAMES];
        each_vector(|n| {
            let at = n..n + 8;
            let value = |which: usize| self.glides.vector(simd, which, n);
            let level_db = decibels::power_to_db(f32x8::from_slice(simd, &lane[at.clone()]));
            level_db.store_slice(&mut lane[at.clone()]);
            // (1 − R) times what is missing, with 1/R, which can be 0
            let inverse = value(INVERSE_RATIO);
            let below = (value(THRESHOLD) - level_db).max(0.0);
            let reduction = (below * (1.0 - inverse) / inverse.max(LEAST_INVERSE_RATIO)).min(value(RANGE));
            (-reduction).store_slice(&mut closed_db[at]);
        });
        self.reading.key_level_db = lane.get(len - 1).map(|db| f64::from(*db));
        let (threshold, hysteresis) = (self.glides.lane(THRESHOLD), self.glides.lane(HYSTERESIS));
        let mut lowest = 0.0;
        for (n, x) in lane.iter_mut().enumerate().take(len) {
            let closes_at = threshold[n] - if self.open { hysteresis[n] } else { 0.0 };
            self.open = *x >= closes_at;
            let target = if self.open { 0.0 } else { f64::from(closed_db[n]) };
            let gain_db = self.follower.step_weighted(target, 1.0, 1.0, &self.rates);
            lowest = if gain_db < lowest { gain_db } else { lowest };
            *x = gain_db as f32;
        }
        self.reading.gain_db = self.follower.reduction_db();
        self.reading.max_reduction_db = self.reading.max_reduction_db.max(-lowest);
        each_vector(|n| {
            let on = self.glides.vector(simd, ON, n);
            let gain = decibels::db_to_gain(f32x8::from_slice(simd, &lane[n..n + 8]));
            ((1.0 - on) + on * gain).store_slice(&mut lane[n..n + 8]);
        });
    }
}

/// Stands for 1/∞ where something must be divided by it.
const LEAST_INVERSE_RATIO: f32 = 1e-9;

/// Where every glide goes.
fn targets(params: &GateParams) -> [f64; GLIDES] {
    let switch = |on: bool| f64::from(u8::from(on));
    let inverse_ratio = if params.ratio >= INFINITE_RATIO { 0.0 } else { 1.0 / params.ratio };
    let mut targets = [0.0; GLIDES];
    targets[THRESHOLD] = params.threshold_db;
    targets[INVERSE_RATIO] = inverse_ratio;
    targets[RANGE] = params.range_db;
    targets[HYSTERESIS] = params.hysteresis_db;
    targets[LISTEN] = switch(params.key.listen);
    targets[EXTERNAL] = switch(params.external_key);
    targets[ON] = switch(params.on);
    targets
}

fn rates(params: &GateParams, sample_rate_hz: f64) -> Rates {
    let GateParams { attack_ms, release_ms, hold_ms, .. } = *params;
    Times { attack_ms, release_ms, hold_ms, glue: false, memory: None }.rates(sample_rate_hz)
}

impl<const CH: usize> Processor<CH> for Gate<CH> {
    type Params = GateParams;

    fn prepare(&mut self, config: StreamConfig, params: &GateParams) -> Result<(), PrepareError> {
        config.check()?;
        self.raw = *params;
        self.params = controls::clamped(params);
        self.sample_rate_hz = config.sample_rate_hz;
        let lookahead = (self.params.lookahead_ms * 1e-3 * config.sample_rate_hz).round() as usize;
        self.window = SlidingMax::new(lookahead + 1);
        self.delays = std::array::from_fn(|_| DelayLine::new(lookahead));
        self.listen_delays = self.delays.clone();
        self.glides = Glides::new(targets(&self.params), GLIDE_SECONDS, config.sample_rate_hz);
        self.key_filter.prepare(config.sample_rate_hz, &self.params.key);
        self.detector.prepare(config.sample_rate_hz);
        self.rates = rates(&self.params, config.sample_rate_hz);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.glides.snap(GLIDES);
        self.key_filter.reset();
        // a stream starts with nothing to let through
        let closed_db = self.params.gain_curve().gain_db(f64::NEG_INFINITY);
        self.reset_key(closed_db);
        self.delays.iter_mut().for_each(DelayLine::reset);
        self.active = self.params.on;
        (self.listening, self.uses_external) = (false, false);
        self.take_into_use();
        self.reading = GateReading::default();
    }

    fn set_params(&mut self, params: &GateParams) {
        if *params == self.raw {
            return;
        }
        self.raw = *params;
        let params = GateParams { lookahead_ms: self.params.lookahead_ms, ..controls::clamped(params) };
        if params == self.params {
            return;
        }
        let times = |p: &GateParams| (p.attack_ms, p.hold_ms, p.release_ms);
        let retimed = times(&params) != times(&self.params);
        self.params = params;
        self.glides.set_targets(targets(&params));
        self.key_filter.set_params(&params.key);
        if retimed {
            self.rates = rates(&params, self.sample_rate_hz);
        }
        if !self.active {
            // nothing is heard of it yet: there is nothing to glide from, but for the fade itself
            self.glides.snap(ON);
            self.key_filter.reset();
            // what sounds now is not cut off
            self.reset_key(0.0);
            self.active = params.on;
        }
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

impl<const CH: usize> Default for Gate<CH> {
    fn default() -> Self {
        Self::new()
    }
}
