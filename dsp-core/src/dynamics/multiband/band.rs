//! One band: key, level, curve, gain; then drive and width.

use super::params::{BandParams, Channels, KeyRange, KeySource, MultibandParams};
use crate::block::Block;
use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::dynamics::ballistics::{Follower, Rates, Times};
use crate::dynamics::envelope::{Key, Lane, LevelDetector, lanes_of_key};
use crate::dynamics::gain_curve::CurveVector;
use crate::dynamics::glides::{Glides, each_vector, peak};
use crate::dynamics::key_filter::KeyFilter;
use crate::dynamics::linking::{Link, linked_levels};
use crate::dynamics::sliding_max::SlidingMax;
use crate::dynamics::style::Style;
use crate::math::{self, decibels};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::saturation::saturator::{Saturation, SaturationParams};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

/// How long a moved control takes to arrive, in seconds.
pub const GLIDE_SECONDS: f64 = 0.02;

/// What the meters of a band show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BandReading {
    /// Gain at the last frame, make-up apart, in decibels: negative is reduction. Of the channel changed the most.
    pub gain_db: f64,
    /// The largest reduction since the last reading, in decibels, at least 0.
    pub max_reduction_db: f64,
    /// Measured level of the key at the last frame, in decibels: where the dot stands on the curve. `None` while off.
    pub key_level_db: Option<f64>,
    /// Highest sample that came into the band since the last reading, as a magnitude.
    pub input_peak: f32,
    /// Highest sample that the band put out since the last reading, as a magnitude.
    pub output_peak: f32,
}

/// What a band may listen to, both channels of a frame after each other.
pub(super) struct Keys<'a> {
    /// The band.
    pub band: &'a Key,
    /// The whole sound, where a band listens to it.
    pub full: &'a Key,
    /// What lies in the band of the side chain, where a band listens to that.
    pub external_band: &'a Key,
    /// The whole side chain.
    pub external_full: &'a Key,
}

/// One band of the multiband compressor.
#[derive(Clone, Debug)]
pub(super) struct Band<const CH: usize> {
    params: BandParams,
    sample_rate_hz: f64,
    glides: Glides<GLIDES>,
    rest: Rest,
    /// The dynamics work, or fade in or out, or their key is listened to.
    working: bool,
    listening: bool,
    /// 1 where reduction rises with the level, −1 where the gain does.
    sign: f64,
    pub rates: Rates,
    /// Nothing but attack and release is needed.
    pub plain: bool,
    linked: bool,
    pub followers: [Follower; CH],
    key_filter: KeyFilter,
    detector: LevelDetector,
    /// What makes the measurement of a band as late as that of the band that looks ahead the most.
    key_delays: [DelayLine; CH],
    windows: [SlidingMax; CH],
    delays: [DelayLine; CH],
    /// The key that is listened to, on its way.
    listen_delays: [DelayLine; CH],
    drive: SaturationParams,
    saturation: Saturation<CH>,
    saturating: bool,
    reading: BandReading,
}

/// What has no part in a span: it was at rest when the span began.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// All of the key is the band's own.
    own_key: bool,
    /// Left and right are worked on.
    stereo: bool,
    /// Both channels are worked on wholly.
    whole: bool,
    /// The width is that of the sound.
    width: bool,
    /// The band is heard.
    heard: bool,
}

/// What glides, by its place in [`Glides`].
const THRESHOLD: usize = 0;
const KNEE: usize = 1;
const SLOPE_ABOVE: usize = 2;
const SLOPE_BELOW: usize = 3;
const RANGE: usize = 4;
const LINK: usize = 5;
const MID_SIDE: usize = 6;
/// How far the first channel (left, or mid) is worked on, and the second.
const FIRST: usize = 7;
const SECOND: usize = 8;
const EXTERNAL: usize = 9;
const FULL: usize = 10;
const MIX: usize = 11;
const MAKE_UP: usize = 12;
const LISTEN: usize = 13;
const WIDTH: usize = 14;
const HEARD: usize = 15;
const GLIDES: usize = 16;

impl<const CH: usize> Band<CH> {
    /// Not prepared yet.
    pub fn new() -> Self {
        let params = BandParams::default();
        Band {
            params,
            sample_rate_hz: 48_000.0,
            glides: Glides::new([0.0; GLIDES], GLIDE_SECONDS, 48_000.0),
            rest: Rest::default(),
            working: false,
            listening: false,
            sign: 1.0,
            rates: times(&params).rates(48_000.0),
            plain: true,
            linked: false,
            followers: [Follower::default(); CH],
            key_filter: KeyFilter::new(),
            detector: LevelDetector::new(),
            key_delays: std::array::from_fn(|_| DelayLine::default()),
            windows: std::array::from_fn(|_| SlidingMax::default()),
            delays: std::array::from_fn(|_| DelayLine::default()),
            listen_delays: std::array::from_fn(|_| DelayLine::default()),
            drive: SaturationParams::default(),
            saturation: Saturation::new(),
            saturating: false,
            reading: BandReading::default(),
        }
    }

    /// Sizes everything for band `index`, which is to be `lookahead` frames late and then by the saturation. May allocate.
    pub fn prepare(
        &mut self,
        config: StreamConfig,
        index: usize,
        params: &MultibandParams,
        lookahead: usize,
    ) -> Result<(), PrepareError> {
        self.params = params.band[index];
        self.sample_rate_hz = config.sample_rate_hz;
        self.drive = drive_of(params, index);
        self.saturation.prepare(StreamConfig { max_frames: GRID_FRAMES, ..config }, &self.drive)?;
        let own = lookahead_frames(&self.params, config.sample_rate_hz);
        self.windows = std::array::from_fn(|_| SlidingMax::new(own + 1));
        self.key_delays = std::array::from_fn(|_| DelayLine::new(lookahead - own));
        self.delays = std::array::from_fn(|_| DelayLine::new(lookahead));
        let listen = lookahead + self.saturation.latency_frames();
        self.listen_delays = std::array::from_fn(|_| DelayLine::new(listen));
        self.glides = Glides::new(targets::<CH>(params, index), GLIDE_SECONDS, config.sample_rate_hz);
        self.key_filter.prepare(config.sample_rate_hz, &self.params.key);
        self.detector.prepare(config.sample_rate_hz);
        self.set_times();
        self.reset();
        Ok(())
    }

    /// Forgets all audio and arrives at once. Real-time safe.
    pub fn reset(&mut self) {
        self.glides.snap(GLIDES);
        self.key_filter.reset();
        self.reset_key();
        self.delays.iter_mut().for_each(DelayLine::reset);
        self.saturation.reset();
        self.working = self.wants_to_work();
        self.linked = self.glides.target(LINK) == 1.0;
        self.listening = !self.glides.rests_at(LISTEN, 0.0);
        self.saturating = self.needs_saturation();
        self.reading = BandReading::default();
    }

    /// Moves to other controls. Real-time safe.
    pub fn set_params(&mut self, params: &MultibandParams, index: usize) {
        let before = std::mem::replace(&mut self.params, params.band[index]);
        self.glides.set_targets(targets::<CH>(params, index));
        let drive = drive_of(params, index);
        if drive != self.drive {
            self.drive = drive;
            self.saturation.set_params(&drive);
        }
        if before != self.params {
            self.key_filter.set_params(&self.params.key);
            if times(&before) != times(&self.params) || before.mode != self.params.mode {
                self.set_times();
            }
        }
        if !self.working && self.wants_to_work() {
            // nothing is heard of it yet: there is nothing to glide from but the fade itself
            self.glides.snap(MIX);
            self.key_filter.reset();
            self.reset_key();
            self.linked = self.glides.target(LINK) == 1.0;
            self.working = true;
        }
        self.linked &= self.glides.target(LINK) == 1.0;
        if !self.glides.rests_at(LISTEN, 0.0) && !self.listening {
            self.listen_delays.iter_mut().for_each(DelayLine::reset);
            self.listening = true;
        }
    }

    /// Takes the times and the direction. They need no glide: they change how fast the gain moves, not where it is.
    fn set_times(&mut self) {
        let times = times(&self.params);
        self.rates = times.rates(self.sample_rate_hz);
        let sign = if self.params.mode.expands() { -1.0 } else { 1.0 };
        let plain = times.memory.is_none();
        if sign != self.sign {
            self.followers = self.followers.map(|f| Follower::at(-f.reduction_db()));
        } else if plain != self.plain {
            self.followers.iter_mut().for_each(Follower::change_over);
        }
        (self.sign, self.plain) = (sign, plain);
    }

    /// Everything that hears the key starts afresh.
    fn reset_key(&mut self) {
        self.followers = [Follower::default(); CH];
        self.detector.reset();
        self.windows.iter_mut().for_each(SlidingMax::reset);
        self.key_delays.iter_mut().for_each(DelayLine::reset);
        self.listen_delays.iter_mut().for_each(DelayLine::reset);
        (self.reading.gain_db, self.reading.key_level_db) = (0.0, None);
    }

    fn wants_to_work(&self) -> bool {
        self.glides.target(MIX) != 0.0 || self.glides.target(LISTEN) != 0.0
    }

    fn needs_saturation(&self) -> bool {
        self.drive.drive_db > 0.0 || self.saturation.latency_frames() > 0 || self.saturation.tail() != Tail::Frames(0)
    }

    /// Frames by which drive makes all bands late. Real-time safe.
    pub fn drive_latency_frames(&self) -> usize {
        self.saturation.latency_frames()
    }

    /// Frames until the drive, and the key that is listened to, are silent after their input. Real-time safe.
    pub fn tail(&self) -> Tail {
        let listen = Tail::Frames(if self.listening { self.key_filter.tail_frames() } else { 0 });
        self.saturation.tail().then(listen)
    }

    /// What the meters show; the largest reduction and the peaks start anew. Real-time safe.
    pub fn reading(&mut self) -> BandReading {
        let reading = self.reading;
        self.reading.max_reduction_db = (-reading.gain_db).max(0.0);
        (self.reading.input_peak, self.reading.output_peak) = (0.0, 0.0);
        reading
    }

    /// Magnitude of the key filter at `frequency_hz`, in decibels. Real-time safe.
    pub fn key_response_db(&self, frequency_hz: f64) -> f64 {
        self.key_filter.response_db(frequency_hz)
    }

    /// Whether it listens to the whole sound, and to the side chain. Real-time safe.
    pub fn listens_to(&self) -> (bool, bool) {
        let away = |glide| self.working && !self.glides.rests_at(glide, 0.0);
        (away(FULL), away(EXTERNAL))
    }

    /// What happens on a point of the control grid. Real-time safe.
    pub fn on_grid(&mut self) {
        self.working = !self.glides.rests_at(MIX, 0.0) || !self.glides.rests_at(LISTEN, 0.0);
        self.saturating = self.needs_saturation();
        self.listening = !self.glides.rests_at(LISTEN, 0.0);
        if !self.working {
            (self.reading.gain_db, self.reading.key_level_db) = (0.0, None);
            return;
        }
        self.key_filter.on_grid();
        self.detector.on_grid();
        self.followers.iter_mut().for_each(Follower::flush);
        if !self.linked && self.glides.rests_at(LINK, 1.0) {
            // both followers have the same target now; once they have met, one is enough
            if let Some((first, rest)) = self.followers.split_first() {
                self.linked = rest.iter().all(|f| f.is_near(first));
            }
        }
    }

    /// Followers at work: none while nothing is measured.
    pub fn followers_at_work(&self) -> usize {
        match (self.working, self.linked) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => CH,
        }
    }

    /// From the key to what the followers are to follow, in `targets`. Glides must have advanced.
    #[inline(always)]
    pub fn measure<S: Simd>(
        &mut self,
        simd: S,
        keys: &Keys<'_>,
        heard: &mut Key,
        targets: &mut [Lane; CH],
        len: usize,
    ) {
        *heard = *keys.band;
        self.choose_key(keys, heard, len);
        if !self.rest.stereo {
            for (pair, share) in heard[2..].as_chunks_mut::<2>().0.iter_mut().zip(self.glides.lane(MID_SIDE)).take(len)
            {
                let [left, right] = *pair;
                let (mid, side) = (0.5 * (left + right), 0.5 * (left - right));
                *pair = [(1.0 - share) * left + share * mid, (1.0 - share) * right + share * side];
            }
        }
        if !self.key_filter.is_neutral() {
            self.key_filter.process_key(simd, heard, len);
        }
        // the detector puts the frame before the span in front, which is not to be listened to
        self.detector.process(simd, heard, targets, len, None);
        if self.delays.first().is_some_and(|d| d.frames() > 0) {
            let lanes = targets.iter_mut().zip(self.windows.iter_mut().zip(&mut self.key_delays));
            for (lane, (window, delay)) in lanes {
                delay.process(&mut lane[..len]);
                lane.iter_mut().take(len).for_each(|power| *power = window.push(*power));
            }
        }
        self.reductions(simd, targets, len);
    }

    /// Mixes what it listens to, as far as the controls ask for other than the band itself.
    #[inline(always)]
    fn choose_key(&self, keys: &Keys<'_>, key: &mut Key, len: usize) {
        if self.rest.own_key {
            return;
        }
        for n in 0..2 * len.min(GRID_FRAMES) {
            let (full, external) = (self.glides.lane(FULL)[n / 2], self.glides.lane(EXTERNAL)[n / 2]);
            let at = n + 2;
            let inside = (1.0 - full) * keys.band[at] + full * keys.full[at];
            let outside = (1.0 - full) * keys.external_band[at] + full * keys.external_full[at];
            key[at] = (1.0 - external) * inside + external * outside;
        }
    }

    /// From the powers of the key to signed reductions in decibels, in place.
    #[inline(always)]
    fn reductions<S: Simd>(&mut self, simd: S, key: &mut [Lane; CH], len: usize) {
        let used = if self.linked { 1 } else { CH };
        let mut levels = [[0.0f32; GRID_FRAMES]; CH];
        let sign = self.sign as f32;
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
                (curve.reduction_db(level[c]).0 * sign).store_slice(&mut key[c][at.clone()]);
            }
        });
        self.reading.key_level_db =
            levels.iter().take(used).filter_map(|lane| lane.get(len - 1)).map(|db| f64::from(*db)).reduce(f64::max);
    }

    /// From what the followers did to the gains, in place, and the readings.
    #[inline(always)]
    fn gains<S: Simd>(&mut self, simd: S, lanes: &mut [Lane; CH], len: usize) {
        let used = if self.linked { 1 } else { CH };
        let sign = self.sign as f32;
        let partial = !self.rest.whole;
        let mut most = f32x8::splat(simd, 0.0);
        for (c, lane) in lanes.iter_mut().enumerate().take(used) {
            let share_of = if c == 0 { FIRST } else { SECOND };
            // what lies behind the span is the curve's answer to silence
            lane[len..].fill(0.0);
            each_vector(|n| {
                let at = n..n + 8;
                let reduction = f32x8::from_slice(simd, &lane[at.clone()]) * sign;
                let gain = decibels::db_to_gain(-reduction);
                let mut mix = self.glides.vector(simd, MIX, n);
                if partial {
                    let share = self.glides.vector(simd, share_of, n);
                    mix *= share;
                    most = most.max(reduction * share);
                } else {
                    most = most.max(reduction);
                }
                // exactly 1 where the gain is, whatever the mix
                ((1.0 - mix) + mix * (gain * self.glides.vector(simd, MAKE_UP, n))).store_slice(&mut lane[at]);
            });
        }
        self.reading.max_reduction_db = self.reading.max_reduction_db.max(f64::from(most.reduce_max()));
        let shares = [self.glides.target(FIRST), self.glides.target(SECOND)];
        let reductions = self.followers.iter().take(used).zip(shares).map(|(f, s)| f.reduction_db() * s);
        self.reading.gain_db = -self.sign * reductions.fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        if self.linked
            && let (Some((lane, lanes)), Some((follower, followers))) =
                (lanes.split_first_mut(), self.followers.split_first_mut())
        {
            lanes.iter_mut().for_each(|l| *l = *lane);
            followers.iter_mut().for_each(|f| *f = *follower);
        }
    }

    /// The glides of the next `len` frames.
    #[inline(always)]
    pub fn advance(&mut self, len: usize) {
        let rests = |glide, value| self.glides.rests_at(glide, value);
        self.rest = Rest {
            own_key: rests(FULL, 0.0) && rests(EXTERNAL, 0.0),
            stereo: rests(MID_SIDE, 0.0),
            whole: rests(FIRST, 1.0) && rests(SECOND, 1.0),
            width: rests(WIDTH, 1.0),
            heard: rests(HEARD, 1.0),
        };
        self.glides.advance(len);
    }

    /// The sound of the band, in place: late, with the dynamics' gain where `gains` has what the followers did, with drive
    /// and width. `before` becomes what it was ahead of all that, no later than the sound itself but for the drive.
    #[inline(always)]
    pub fn work<S: Simd>(
        &mut self,
        simd: S,
        audio: &mut [Lane; CH],
        before: Option<&mut [Lane; CH]>,
        gains: &mut [Lane; CH],
        len: usize,
    ) {
        self.reading.input_peak = peak(simd, audio, self.reading.input_peak);
        for (lane, delay) in audio.iter_mut().zip(&mut self.delays) {
            delay.process(&mut lane[..len]);
        }
        if let Some(before) = before {
            self.add_heard(simd, audio, before);
        }
        if self.working {
            self.gains(simd, gains, len);
            self.turn(simd, audio, gains);
        }
        if self.saturating {
            let mut lanes = audio.iter_mut();
            let lanes: [&mut [f32]; CH] =
                std::array::from_fn(|_| lanes.next().map_or(&mut [][..], |lane| &mut lane[..len]));
            self.saturation.process(&mut Block::new(lanes));
        }
        if CH == 2 && !self.rest.width {
            let [left, right] = &mut audio[..] else { return };
            each_vector(|n| {
                let width = self.glides.vector(simd, WIDTH, n);
                let (own, other) = (0.5 + 0.5 * width, 0.5 - 0.5 * width);
                cross(simd, left, right, n, [own, own], other);
            });
        }
        self.reading.output_peak = peak(simd, audio, self.reading.output_peak);
    }

    /// Multiplies the sound by the gains of its channels, or of mid and side.
    #[inline(always)]
    fn turn<S: Simd>(&self, simd: S, audio: &mut [Lane; CH], gains: &[Lane; CH]) {
        if CH == 1 || self.rest.stereo {
            for (lane, gain) in audio.iter_mut().zip(gains) {
                for (x, g) in lane.iter_mut().zip(gain) {
                    *x *= g;
                }
            }
            return;
        }
        let ([left, right], [first, second]) = (&mut audio[..], &gains[..]) else { return };
        each_vector(|n| {
            // mid (l + r)/2 times a and side (l − r)/2 times b: left is l (a + b)/2 + r (a − b)/2
            let share = self.glides.vector(simd, MID_SIDE, n);
            let (a, b) = (f32x8::from_slice(simd, &first[n..n + 8]), f32x8::from_slice(simd, &second[n..n + 8]));
            let (own, other) = (0.5 * (a + b), 0.5 * (a - b));
            let own = [(1.0 - share) * a + share * own, (1.0 - share) * b + share * own];
            cross(simd, left, right, n, own, share * other);
        });
    }

    /// Adds what of `audio` is heard beside the other bands to `sum`.
    #[inline(always)]
    pub fn add_heard<S: Simd>(&self, simd: S, audio: &[Lane; CH], sum: &mut [Lane; CH]) {
        for (audio, sum) in audio.iter().zip(sum) {
            each_vector(|n| {
                let mut x = f32x8::from_slice(simd, &audio[n..n + 8]);
                if !self.rest.heard {
                    x *= self.glides.vector(simd, HEARD, n);
                }
                (f32x8::from_slice(simd, &sum[n..n + 8]) + x).store_slice(&mut sum[n..n + 8]);
            });
        }
    }

    /// Whether its key is listened to, or was until now.
    pub fn is_listened_to(&self) -> bool {
        self.listening
    }

    /// Fades its key in over `out`; several add up.
    #[inline(always)]
    pub fn listen<S: Simd>(&mut self, simd: S, heard: &Key, played: &mut [Lane; CH], share: &mut Lane, len: usize) {
        let mut lanes = [[0.0f32; GRID_FRAMES]; CH];
        lanes_of_key(simd, heard, &mut lanes);
        if let [first, second] = &mut lanes[..]
            && !self.rest.stereo
        {
            for ((a, b), w) in first.iter_mut().zip(second).zip(self.glides.lane(MID_SIDE)) {
                let (mid, side) = (*a, *b);
                (*a, *b) = ((1.0 - w) * mid + w * (mid + side), (1.0 - w) * side + w * (mid - side));
            }
        }
        for (lane, delay) in lanes.iter_mut().zip(&mut self.listen_delays) {
            delay.process(&mut lane[..len]);
        }
        for (played, lane) in played.iter_mut().zip(&lanes) {
            for ((out, x), w) in played.iter_mut().zip(lane).zip(self.glides.lane(LISTEN)).take(len) {
                *out += w * x;
            }
        }
        for (share, w) in share.iter_mut().zip(self.glides.lane(LISTEN)) {
            *share = if *w > *share { *w } else { *share };
        }
    }
}

/// Eight frames of both channels, each `own` times itself and `other` times the other.
#[inline(always)]
fn cross<S: Simd>(simd: S, left: &mut Lane, right: &mut Lane, n: usize, own: [f32x8<S>; 2], other: f32x8<S>) {
    let (l, r) = (f32x8::from_slice(simd, &left[n..n + 8]), f32x8::from_slice(simd, &right[n..n + 8]));
    (own[0] * l + other * r).store_slice(&mut left[n..n + 8]);
    (own[1] * r + other * l).store_slice(&mut right[n..n + 8]);
}

/// Frames by which a band looks ahead.
pub(super) fn lookahead_frames(params: &BandParams, sample_rate_hz: f64) -> usize {
    (params.lookahead_ms * 1e-3 * sample_rate_hz).round() as usize
}

/// Attack and release as they are used.
fn times(params: &BandParams) -> Times {
    Style::Clean.times(params.attack_ms, params.release_ms, 0.0, params.auto_release)
}

/// The saturation of band `index`.
fn drive_of(params: &MultibandParams, index: usize) -> SaturationParams {
    let band = &params.band[index];
    SaturationParams {
        on: true,
        model: params.drive_model,
        drive_db: if band.bypass { 0.0 } else { band.drive_db },
        quality: params.drive_quality,
        ..SaturationParams::default()
    }
}

/// Where every glide of band `index` goes.
fn targets<const CH: usize>(params: &MultibandParams, index: usize) -> [f64; GLIDES] {
    let band = &params.band[index];
    let curve = band.gain_curve();
    let switch = |on: bool| f64::from(u8::from(on));
    let alone = matches!(band.channels, Channels::Mid | Channels::Side);
    let mut targets = [0.0; GLIDES];
    targets[THRESHOLD] = curve.threshold_db;
    targets[KNEE] = curve.knee_db;
    targets[SLOPE_ABOVE] = curve.slope_above;
    targets[SLOPE_BELOW] = curve.slope_below;
    targets[RANGE] = curve.range_db;
    targets[LINK] = if alone { 0.0 } else { band.link_percent / 100.0 };
    targets[MID_SIDE] = switch(CH == 2 && band.channels != Channels::Stereo);
    targets[FIRST] = switch(band.channels != Channels::Side);
    targets[SECOND] = switch(band.channels != Channels::Mid);
    targets[EXTERNAL] = switch(band.key_source == KeySource::External);
    targets[FULL] = switch(band.key_range == KeyRange::Full);
    targets[MIX] = if band.works() { band.mix_percent / 100.0 } else { 0.0 };
    targets[MAKE_UP] = math::db_to_gain(band.make_up_db);
    targets[LISTEN] = switch(band.key.listen);
    targets[WIDTH] = if band.bypass { 1.0 } else { band.width_percent / 100.0 };
    targets[HEARD] = switch(params.is_heard(index));
    targets
}
