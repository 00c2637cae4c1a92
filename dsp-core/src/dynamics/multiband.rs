//! The multiband compressor: crossovers, and in each band key, level, curve, ballistics, gain, drive and width.

mod band;
mod params;
mod parting;

pub use band::{BandReading, GLIDE_SECONDS};
pub use params::{BandCount, BandParams, Channels, INFINITE_RATIO, KeyRange, KeySource, Mode, MultibandParams, Phase};

use crate::block::{self, Block};
use crate::control_grid::{ControlGrid, GRID_FRAMES, Span, copy_span};
use crate::controls;
use crate::delay_line::DelayLine;
use crate::dynamics::ballistics::Follower;
use crate::dynamics::envelope::{Key, Lane, key_of_lanes, key_of_pairs, lanes_of_key, pairs_of};
use crate::dynamics::glides::{Glides, each_vector};
use crate::filter::complex::Complex;
use crate::filter::crossover::{Crossover, MAX_BANDS, Pairs};
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::ramp::Ramp;
use band::{Band, Keys, lookahead_frames};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x8};
use parting::Parting;

/// How long the stage takes to come in and go out, in seconds.
pub const SWITCH_SECONDS: f64 = 0.02;
/// How long crossovers that start from silence are left alone until they are heard, in seconds.
pub const WARM_UP_SECONDS: f64 = 0.02;

/// What the meters of a multiband compressor show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MultibandReading {
    /// Each band, from the lowest up; those that are not in use at rest.
    pub bands: [BandReading; MAX_BANDS],
    /// Bands in use, those on their way out included; 0 while off.
    pub bands_in_use: usize,
}

/// Multiband compressor, expander and warmer.
///
/// What does nothing is the all-pass of its crossovers; off, it changes no bit. The latency is that of the crossovers (none
/// in minimum phase), the longest lookahead, and the drive's quality.
#[derive(Clone, Debug)]
pub struct Multiband<const CH: usize> {
    simd: Level,
    /// As they came, to see quickly that nothing changed.
    raw: MultibandParams,
    params: MultibandParams,
    grid: ControlGrid,
    glides: Glides<GLIDES>,
    /// Working, or fading in or out.
    active: bool,
    /// 1 where it is heard.
    on: Ramp,
    /// Frames until the filters and delays are full, so that it may be faded in.
    filling: usize,
    warm_up: usize,
    crossover: Parting<CH>,
    /// Parts the side chain where the sound is parted, in minimum phase: late enough if that is not.
    key_crossover: Crossover,
    key_delays: [DelayLine; CH],
    /// The crossovers are to be moved on the next point of the grid.
    parts_anew: bool,
    uses_full: bool,
    uses_external: bool,
    bands: [Band<CH>; MAX_BANDS],
    /// Bands at work: those of the crossovers, and those gone from there whose sound is on its way still …
    in_use: usize,
    /// … for so many frames.
    lingering: usize,
    /// The input, as late as the output.
    dry: [DelayLine; CH],
    /// The sum of the bands as the crossovers made them, as late as the drive makes them.
    unprocessed: [DelayLine; CH],
    latency: usize,
    span: Box<SpanRoom<CH>>,
}

/// Room for what a span passes through.
#[derive(Clone, Debug)]
struct SpanRoom<const CH: usize> {
    /// The bands as they are parted; silent behind the span.
    parted: [Pairs; MAX_BANDS],
    /// The bands of the side chain, and all of it in the last place, while anybody listens to them.
    external: [Key; MAX_BANDS + 1],
    /// The bands' sound, from the parting to the sum.
    audio: [[Lane; CH]; MAX_BANDS],
    /// What the followers follow, what they do, and the gains.
    moves: [[Lane; CH]; MAX_BANDS],
}

impl<const CH: usize> SpanRoom<CH> {
    const EMPTY: SpanRoom<CH> = SpanRoom {
        parted: [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS],
        external: [[0.0; KEY]; MAX_BANDS + 1],
        audio: [[[0.0; GRID_FRAMES]; CH]; MAX_BANDS],
        moves: [[[0.0; GRID_FRAMES]; CH]; MAX_BANDS],
    };
}

/// What glides, by its place in [`Glides`].
const MIX: usize = 0;
const LEVEL: usize = 1;
const GLIDES: usize = 2;

impl<const CH: usize> Multiband<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        let params = MultibandParams::default();
        let key_crossover = Crossover::new(&params.crossovers_hz(), params.bands.bands(), 48_000.0);
        Multiband {
            simd: Level::new(),
            raw: params,
            params,
            grid: ControlGrid::default(),
            glides: Glides::new(targets(&params), GLIDE_SECONDS, 48_000.0),
            active: false,
            on: Ramp::new(0.0, 1),
            filling: 0,
            warm_up: 0,
            crossover: Parting::Minimum(Box::new(key_crossover.clone())),
            key_crossover,
            key_delays: std::array::from_fn(|_| DelayLine::default()),
            parts_anew: false,
            uses_full: false,
            uses_external: false,
            bands: std::array::from_fn(|_| Band::new()),
            in_use: 0,
            lingering: 0,
            dry: std::array::from_fn(|_| DelayLine::default()),
            unprocessed: std::array::from_fn(|_| DelayLine::default()),
            latency: 0,
            span: Box::new(SpanRoom::EMPTY),
        }
    }

    /// What the meters show; the largest reductions and the peaks start anew. Real-time safe.
    pub fn reading(&mut self) -> MultibandReading {
        let in_use = if self.active { self.in_use } else { 0 };
        let mut bands = self.bands.each_mut().map(Band::reading);
        bands.iter_mut().skip(in_use).for_each(|band| *band = BandReading::default());
        MultibandReading { bands, bands_in_use: in_use }
    }

    /// Gain and phase of each band's crossovers at `frequency_hz`, as they stand now, the latency apart; 0 for bands that are
    /// not in use. Real-time safe.
    #[must_use]
    pub fn crossover_response(&self, frequency_hz: f64) -> [Complex; MAX_BANDS] {
        self.crossover.response(frequency_hz)
    }

    /// Magnitude of the key filter of band `index`, from 0, at `frequency_hz`, in decibels. Real-time safe.
    #[must_use]
    pub fn key_response_db(&self, index: usize, frequency_hz: f64) -> f64 {
        self.bands.get(index).map_or(0.0, |band| band.key_response_db(frequency_hz))
    }

    fn on_grid(&mut self) {
        if self.active && self.filling == 0 {
            self.on.set_target(f64::from(u8::from(self.params.on)));
        }
        let was_active = self.active;
        self.active = self.on.is_moving() || self.on.target() != 0.0 || self.params.on;
        if !self.active {
            return;
        }
        if !was_active {
            self.part_anew();
            self.crossover.start();
            self.start_bands();
            self.on.snap_to(0.0);
            self.filling = self.warm_up;
        }
        self.part_anew();
        self.crossover.on_grid();
        self.key_crossover.on_grid();
        let bands = self.crossover.bands();
        if bands >= self.in_use || self.lingering == 0 {
            // bands that come in start from silence
            self.bands.iter_mut().take(bands).skip(self.in_use).for_each(Band::reset);
            self.in_use = bands;
            self.lingering = self.latency - self.crossover.latency_frames();
        } else {
            self.lingering = self.lingering.saturating_sub(GRID_FRAMES);
        }
        for band in &mut self.bands[..self.in_use] {
            band.on_grid();
        }
        self.listen_again();
        let (full, external) = self.bands.iter().map(Band::listens_to).fold((false, false), either);
        (self.uses_full, self.uses_external) = (full, external);
    }

    /// Moves the crossovers to where they are asked for.
    fn part_anew(&mut self) {
        if !std::mem::take(&mut self.parts_anew) {
            return;
        }
        let (frequencies_hz, bands) = (self.params.crossovers_hz(), self.params.bands.bands());
        self.crossover.set_targets(&frequencies_hz, bands);
        self.key_crossover.set_targets(&frequencies_hz, bands);
    }

    /// Takes into use what has just been asked for; what is needed no longer ends on the grid.
    fn listen_again(&mut self) {
        let (full, external) = self.bands.iter().map(Band::listens_to).fold((false, false), either);
        if external && !self.uses_external {
            self.key_crossover.forget();
        }
        self.uses_full |= full;
        self.uses_external |= external;
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>) {
        let (channels, side_chain) = block.split();
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let mut start = 0;
        while let Some(Span { start: at, len, on_grid }) = self.grid.next(start, frames) {
            if on_grid {
                self.on_grid();
            }
            let end = at + len;
            if self.active {
                let mut lanes = [[0.0f32; GRID_FRAMES]; CH];
                for (lane, channel) in lanes.iter_mut().zip(channels.iter()) {
                    copy_span(lane, &channel[at..end]);
                }
                let side_chain = side_chain.map(|s| s.map(|c| &c[at..end]));
                let wet = self.run_span(simd, &lanes, side_chain, len);
                for (c, channel) in channels.iter_mut().enumerate() {
                    self.dry[c].process(&mut channel[at..end]);
                    copy_span(&mut lanes[c], &channel[at..end]);
                }
                self.switch(&mut lanes, &wet, len);
                for (lane, channel) in lanes.iter().zip(channels.iter_mut()) {
                    copy_span(&mut channel[at..end], lane);
                }
            } else {
                for (channel, delay) in channels.iter_mut().zip(&mut self.dry) {
                    delay.process(&mut channel[at..end]);
                }
            }
            start = end;
        }
    }

    /// Fades between the untouched sound in `lanes` and what the stage has made of it.
    #[inline(always)]
    fn switch(&mut self, lanes: &mut [Lane; CH], wet: &[Lane; CH], len: usize) {
        if self.filling == 0 && !self.on.is_moving() && self.on.target() == 1.0 {
            *lanes = *wet;
            return;
        }
        let filling = self.filling;
        self.filling = filling.saturating_sub(len);
        for n in 0..len.min(GRID_FRAMES) {
            let share = if n < filling { self.on.value() } else { self.on.next_value() } as f32;
            for (lane, wet) in lanes.iter_mut().zip(wet) {
                lane[n] = (1.0 - share) * lane[n] + share * wet[n];
            }
        }
    }

    /// One span: what the bands make of the sound in `lanes`.
    #[inline(always)]
    fn run_span<S: Simd>(
        &mut self,
        simd: S,
        lanes: &[Lane; CH],
        side_chain: Option<[&[f32]; CH]>,
        len: usize,
    ) -> [Lane; CH] {
        // what is at rest when a span begins has no part in it
        let (mixes, levels) = (!self.glides.rests_at(MIX, 1.0), !self.glides.rests_at(LEVEL, 1.0));
        self.glides.advance(len);
        let in_use = self.in_use;
        // where the bands are late, the side chain must be on its way before anybody listens to it
        if self.uses_external || self.key_delays.first().is_some_and(|d| d.frames() > 0) {
            self.external_keys(simd, side_chain, len);
        }
        let SpanRoom { parted, external, audio, moves } = &mut *self.span;
        // as late as the bands
        let mut whole = *lanes;
        self.crossover.split(simd, self.simd, &mut whole, parted, len);
        let bands = self.crossover.bands();
        parted[..bands].iter_mut().for_each(|band| band[len..].fill([0.0; 2]));
        parted[bands..].iter_mut().for_each(|band| band.fill([0.0; 2]));
        let mut full = [0.0f32; KEY];
        if self.uses_full {
            key_of_lanes(simd, &whole, &mut full);
        }

        let mut played = [[0.0f32; GRID_FRAMES]; CH];
        let mut played_share = [0.0f32; GRID_FRAMES];
        let mut listening = false;
        for (b, band) in self.bands.iter_mut().enumerate().take(in_use) {
            band.advance(len);
            let mut own = [0.0f32; KEY];
            key_of_pairs(simd, &parted[b], &mut own);
            lanes_of_key(simd, &own, &mut audio[b]);
            if band.followers_at_work() > 0 {
                let keys =
                    Keys { band: &own, full: &full, external_band: &external[b], external_full: &external[MAX_BANDS] };
                let mut heard = [0.0f32; KEY];
                band.measure(simd, &keys, &mut heard, &mut moves[b], len);
                if band.is_listened_to() {
                    listening = true;
                    band.listen(simd, &heard, &mut played, &mut played_share, len);
                }
            }
        }
        follow(&mut self.bands[..in_use], moves, len);

        let mut sum = [[0.0f32; GRID_FRAMES]; CH];
        let mut unprocessed = [[0.0f32; GRID_FRAMES]; CH];
        let late = self.unprocessed.first().is_some_and(|d| d.frames() > 0);
        for (b, band) in self.bands.iter_mut().enumerate().take(in_use) {
            let before = (mixes || late).then_some(&mut unprocessed);
            band.work(simd, &mut audio[b], before, &mut moves[b], len);
            band.add_heard(simd, &audio[b], &mut sum);
        }
        if mixes || late {
            for (lane, delay) in unprocessed.iter_mut().zip(&mut self.unprocessed) {
                delay.process(&mut lane[..len]);
            }
        }
        if mixes {
            for (sum, unprocessed) in sum.iter_mut().zip(&unprocessed) {
                each_vector(|n| {
                    let mix = self.glides.vector(simd, MIX, n);
                    let (wet, dry) =
                        (f32x8::from_slice(simd, &sum[n..n + 8]), f32x8::from_slice(simd, &unprocessed[n..n + 8]));
                    ((1.0 - mix) * dry + mix * wet).store_slice(&mut sum[n..n + 8]);
                });
            }
        }
        if levels {
            for lane in &mut sum {
                each_vector(|n| {
                    let x = f32x8::from_slice(simd, &lane[n..n + 8]) * self.glides.vector(simd, LEVEL, n);
                    x.store_slice(&mut lane[n..n + 8]);
                });
            }
        }
        if listening {
            for (sum, played) in sum.iter_mut().zip(&played) {
                for ((x, key), share) in sum.iter_mut().zip(played).zip(&played_share) {
                    *x = (1.0 - share) * *x + key;
                }
            }
        }
        sum
    }

    /// The side chain, parted, and whole in the last place. One that is not connected is silent.
    #[inline(always)]
    fn external_keys<S: Simd>(&mut self, simd: S, side_chain: Option<[&[f32]; CH]>, len: usize) {
        let mut lanes = [[0.0f32; GRID_FRAMES]; CH];
        if let Some(side_chain) = side_chain {
            for (lane, side) in lanes.iter_mut().zip(side_chain) {
                for (x, side) in lane.iter_mut().zip(side).take(len) {
                    *x = block::finite(*side);
                }
            }
        }
        for (lane, delay) in lanes.iter_mut().zip(&mut self.key_delays) {
            delay.process(&mut lane[..len]);
        }
        if !self.uses_external {
            return;
        }
        let mut pairs = [[0.0; 2]; GRID_FRAMES + 2];
        pairs_of(simd, &lanes, &mut pairs);
        let mut parted: [Pairs; MAX_BANDS] = [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS];
        self.key_crossover.process(self.simd, &pairs, &mut parted, len);
        let keys = &mut self.span.external;
        for (key, pairs) in keys.iter_mut().zip(&parted) {
            key_of_pairs(simd, pairs, key);
        }
        key_of_lanes(simd, &lanes, &mut keys[MAX_BANDS]);
    }
}

/// Room for the key of a span.
const KEY: usize = 2 * (GRID_FRAMES + 2);

fn either(a: (bool, bool), b: (bool, bool)) -> (bool, bool) {
    (a.0 | b.0, a.1 | b.1)
}

/// Moves all followers at work along their targets in `lanes`, which become what they did. Each waits for itself, so that
/// four go together.
#[inline(always)]
fn follow<const CH: usize>(bands: &mut [Band<CH>], lanes: &mut [[Lane; CH]; MAX_BANDS], len: usize) {
    let len = len.min(GRID_FRAMES);
    let mut places = [(0, 0); 2 * MAX_BANDS];
    let mut count = 0;
    for (b, (band, lanes)) in bands.iter_mut().zip(lanes.iter_mut()).enumerate() {
        let (plain, rates, at_work) = (band.plain, band.rates, band.followers_at_work());
        for (c, (follower, lane)) in band.followers.iter_mut().zip(lanes).enumerate().take(at_work) {
            if plain {
                places[count] = (b, c);
                count += 1;
            } else {
                for target in lane.iter_mut().take(len) {
                    *target = follower.step_weighted(f64::from(*target), 1.0, 1.0, &rates) as f32;
                }
            }
        }
    }
    for four in places[..count].chunks(TOGETHER) {
        let mut now = [Follower::default(); TOGETHER];
        let mut rates = [bands[0].rates; TOGETHER];
        // frame by frame all four
        let mut moving = [[0.0f32; TOGETHER]; GRID_FRAMES];
        for (i, (b, c)) in four.iter().enumerate() {
            (now[i], rates[i]) = (bands[*b].followers[*c], bands[*b].rates);
            moving.iter_mut().zip(&lanes[*b][*c]).for_each(|(frame, target)| frame[i] = *target);
        }
        for frame in moving.iter_mut().take(len) {
            for ((value, follower), rates) in frame.iter_mut().zip(&mut now).zip(&rates) {
                *value = follower.step(f64::from(*value), rates) as f32;
            }
        }
        for (i, (b, c)) in four.iter().enumerate() {
            bands[*b].followers[*c] = now[i];
            lanes[*b][*c].iter_mut().zip(&moving).for_each(|(value, frame)| *value = frame[i]);
        }
    }
}

/// Followers that go together.
const TOGETHER: usize = 4;

/// Where the glides of the whole go.
fn targets(params: &MultibandParams) -> [f64; GLIDES] {
    [params.mix_percent / 100.0, math::db_to_gain(params.level_db)]
}

impl<const CH: usize> Processor<CH> for Multiband<CH> {
    type Params = MultibandParams;

    fn prepare(&mut self, config: StreamConfig, params: &MultibandParams) -> Result<(), PrepareError> {
        config.check()?;
        self.raw = *params;
        self.params = controls::clamped(params);
        let p = &self.params;
        let rate = config.sample_rate_hz;
        self.key_crossover = Crossover::new(&p.crossovers_hz(), p.bands.bands(), rate);
        self.crossover = Parting::new(p, rate);
        let parting = self.crossover.latency_frames();
        self.key_delays = std::array::from_fn(|_| DelayLine::new(parting));
        let lookahead = p.band.iter().map(|band| lookahead_frames(band, rate)).max().unwrap_or(0);
        for (index, band) in self.bands.iter_mut().enumerate() {
            band.prepare(config, index, p, lookahead)?;
        }
        let drive = self.bands[0].drive_latency_frames();
        self.latency = parting + lookahead + drive;
        self.dry = std::array::from_fn(|_| DelayLine::new(self.latency));
        self.unprocessed = std::array::from_fn(|_| DelayLine::new(drive));
        self.glides = Glides::new(targets(p), GLIDE_SECONDS, rate);
        self.on = Ramp::with_seconds(0.0, SWITCH_SECONDS, rate);
        self.warm_up = self.latency + (WARM_UP_SECONDS * rate) as usize;
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.dry.iter_mut().for_each(DelayLine::reset);
        self.part_anew();
        self.crossover.reset();
        self.start_bands();
        self.on.snap_to(f64::from(u8::from(self.params.on)));
        self.filling = 0;
        self.active = self.params.on;
    }

    fn set_params(&mut self, params: &MultibandParams) {
        if *params == self.raw {
            return;
        }
        self.raw = *params;
        let mut new = controls::clamped(params);
        (new.phase, new.drive_quality) = (self.params.phase, self.params.drive_quality);
        for (new, now) in new.band.iter_mut().zip(&self.params.band) {
            new.lookahead_ms = now.lookahead_ms;
        }
        if new == self.params {
            return;
        }
        let before = std::mem::replace(&mut self.params, new);
        self.glides.set_targets(targets(&new));
        self.parts_anew |= new.crossovers_hz() != before.crossovers_hz() || new.bands != before.bands;
        for (index, band) in self.bands.iter_mut().enumerate() {
            band.set_params(&new, index);
        }
        if self.active {
            self.listen_again();
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        let level = self.simd;
        dispatch!(level, simd => self.run(simd, block));
    }

    fn latency_frames(&self) -> usize {
        self.latency
    }

    fn tail(&self) -> Tail {
        if !self.active {
            return Tail::Frames(0);
        }
        let longest = self.bands.iter().map(Band::tail).fold(Tail::Frames(0), |longest, tail| match (longest, tail) {
            (Tail::Frames(a), Tail::Frames(b)) => Tail::Frames(a.max(b)),
            _ => Tail::Infinite,
        });
        Tail::Frames(self.crossover.tail_frames()).then(longest)
    }
}

impl<const CH: usize> Multiband<CH> {
    /// Everything but the dry sound and the crossovers starts from silence, with every control where it is to be.
    fn start_bands(&mut self) {
        (self.in_use, self.lingering) = (self.crossover.bands(), 0);
        self.key_crossover.reset();
        self.key_delays.iter_mut().for_each(DelayLine::reset);
        self.glides.snap(GLIDES);
        self.bands.iter_mut().for_each(Band::reset);
        self.unprocessed.iter_mut().for_each(DelayLine::reset);
        (self.uses_full, self.uses_external) = (false, false);
        self.listen_again();
    }
}

impl<const CH: usize> Default for Multiband<CH> {
    fn default() -> Self {
        Self::new()
    }
}
