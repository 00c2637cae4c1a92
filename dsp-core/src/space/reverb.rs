//! The reverb: room, hall, plate and chamber from one network, with a decay that is what it says at every frequency.
//!
//! Input → freeze gate → pre-delay → early reflections and diffuser → feedback delay network → width → cuts →
//! ducking → mix. Nothing is late: the dry sound goes straight through.

mod decay;
mod diffuser;
mod kind;
mod layout;
mod modulation;
mod network;
mod pre_delay;
mod ring;
mod tone;
mod vectors;

pub use decay::{DecayCurve, LONGEST_DECAY_SECONDS, SHORTEST_DECAY_SECONDS};

use crate::block::Block;
use crate::choices;
use crate::control_grid::{ControlGrid, GRID_FRAMES, copy_span};
use crate::controls;
use crate::dynamics::envelope::Lane;
use crate::dynamics::glides::Glides;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::ramp::Ramp;
use crate::range::{Range, Unit};
use crate::space::ducking::Ducking;
use crate::space::note_value::NoteValue;
use decay::Filters;
use diffuser::Diffuser;
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, f32x16};
use fearless_simd_macros::simd;
use kind::kind;
use layout::{Layouts, Plan, longest_frames};
use modulation::{MARGIN_FRAMES, MAX_EXCURSION_MS, MAX_RATE_HZ};
use network::{Network, SILENCE};
use pre_delay::PreDelay;
use tone::{Tone, ToneTargets};
use vectors::{HALVES, LINES, Spans, load, store};

choices! {
    /// What kind of space is heard.
    pub enum Space {
        /// Near walls: strong early reflections, dense at once.
        Room = ("room", "Room"),
        /// Far walls: sparse early reflections, a gradual build-up, soft highs, warm lows.
        Hall = ("hall", "Hall"),
        /// A steel sheet: no early reflections, dense from the start, bright.
        Plate = ("plate", "Plate"),
        /// A hard, mellow room with a loudspeaker in it.
        Chamber = ("chamber", "Chamber"),
    }
}

controls! {
    /// Reverb.
    pub struct ReverbParams {
        /// Whether any reverb is heard.
        pub on: bool = switch("On", false),
        /// The kind of space.
        pub space: Space = choice("Space", Space::Hall),
        /// Whether the pre-delay follows the song's tempo.
        pub pre_delay_sync: bool = switch("Pre-Delay Sync", false),
        /// The pre-delay in notes, halved as often as it takes to be within half a second.
        pub pre_delay_note: NoteValue = choice("Pre-Delay Note", NoteValue::ThirtySecond),
        /// The silence before all reverb, in milliseconds.
        pub pre_delay_ms: f64 = float("Pre-Delay", Range::square(0.0, MAX_PRE_DELAY_MS, 10.0, Unit::Millisecond, 1)),
        /// Size of the space: scales all distances in it.
        pub size_percent: f64 = float("Size", Range::logarithmic(25.0, 150.0, 100.0, Unit::Percent)),
        /// Seconds in which the sound decays by 60 dB.
        pub decay_seconds: f64 = float("Decay", Range::logarithmic(0.1, 30.0, 1.8, Unit::Second)),
        /// The same under the low corner, as a share of the kind's own.
        pub low_decay_percent: f64 = float("Low Decay", MULTIPLIER),
        /// The same between the corners.
        pub mid_decay_percent: f64 = float("Mid Decay", MULTIPLIER),
        /// The same over the high corner.
        pub high_decay_percent: f64 = float("High Decay", MULTIPLIER),
        /// Where the decay is halfway from low to mid, in hertz.
        pub low_corner_hz: f64 = float("Low Corner", Range::logarithmic(50.0, 1000.0, 250.0, Unit::Hertz)),
        /// Where the decay is halfway from mid to high, in hertz.
        pub high_corner_hz: f64 = float("High Corner", Range::logarithmic(1000.0, 16_000.0, 4000.0, Unit::Hertz)),
        /// How soon single echoes melt into one sound.
        pub diffusion_percent: f64 = float("Diffusion", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// How fast the delays in the space move, in hertz.
        pub modulation_rate_hz: f64 = float("Mod Rate", Range::logarithmic(0.05, MAX_RATE_HZ, 0.5, Unit::Hertz)),
        /// How far they move: 100 % is 0.4 ms either way.
        pub modulation_depth_percent: f64 = float("Mod Depth", Range::linear(0.0, 100.0, 20.0, Unit::Percent, 1)),
        /// Level of the reverb's side signal: 0 is mono, 100 leaves as it is, 200 doubles it.
        pub width_percent: f64 = float("Width", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Where the reverb is down by 3 dB, falling at 12 dB/oct below, in hertz.
        pub low_cut_hz: f64 = float("Low Cut", Range::logarithmic(20.0, 1000.0, 20.0, Unit::Hertz)),
        /// Where the reverb is down by 3 dB, falling at 12 dB/oct above, in hertz.
        pub high_cut_hz: f64 = float("High Cut", Range::logarithmic(1000.0, 20_000.0, 20_000.0, Unit::Hertz)),
        /// How far the reverb makes room for a loud dry sound, in decibels.
        pub ducking_db: f64 = float("Ducking", Range::linear(0.0, 30.0, 0.0, Unit::Decibel, 1)),
        /// How soon it comes back after that sound, in milliseconds.
        pub ducking_release_ms: f64 = float("Ducking Release", Range::logarithmic(20.0, 2000.0, 250.0, Unit::Millisecond)),
        /// Lets nothing in, and what is there sound for ever. Kind and size wait.
        pub freeze: bool = switch("Freeze", false),
        /// From dry, 0, to reverb alone, 100, at equal power.
        pub mix_percent: f64 = float("Mix", Range::linear(0.0, 100.0, 25.0, Unit::Percent, 1)),
    }
}

const MULTIPLIER: Range = Range::logarithmic(10.0, 400.0, 100.0, Unit::Percent);
/// The longest pre-delay, in milliseconds.
pub const MAX_PRE_DELAY_MS: f64 = 500.0;
/// How long moved controls take to arrive, in seconds.
pub const REVERB_GLIDE_SECONDS: f64 = 0.05;

/// The decay that is set, over frequency: the kind's own, times the controls. Real-time safe.
#[must_use]
pub fn decay_curve(params: &ReverbParams) -> DecayCurve {
    let kind = kind(params.space);
    let seconds = |percent: f64, ratio: f64| {
        (params.decay_seconds * percent / 100.0 * ratio).clamp(SHORTEST_DECAY_SECONDS, LONGEST_DECAY_SECONDS)
    };
    DecayCurve {
        low_seconds: seconds(params.low_decay_percent, kind.low_ratio),
        mid_seconds: seconds(params.mid_decay_percent, 1.0),
        high_seconds: seconds(params.high_decay_percent, kind.high_ratio),
        low_corner_hz: params.low_corner_hz,
        high_corner_hz: params.high_corner_hz,
    }
}

/// The reverb.
#[derive(Clone, Debug)]
pub struct Reverb<const CH: usize> {
    level: Level,
    sample_rate_hz: f64,
    params: ReverbParams,
    grid: ControlGrid,
    /// Whether anything can be heard: on, or fading out. All that follows rests otherwise.
    running: bool,
    /// Nothing has been heard since the stream began, so that what is on need not fade in.
    fresh: bool,
    glides: Glides<GLIDES>,
    decay: Decay,
    layouts: Layouts,
    pre_delay: PreDelay,
    diffuser: Diffuser,
    network: Network,
    tone: Tone,
    ducking: Ducking,
    diffuse: Spans,
}

/// What glides frame by frame: prompt sound, diffusion's angle, what goes into the lines mixed and as it is, width, level into the
/// space, mix.
const GLIDES: usize = 10;
const PROMPT: usize = 0;
const COSINE: usize = 1;
const SINE: usize = 2;
const MIXED: usize = 3;
const PLAIN: usize = 4;
const OWN_SIDE: usize = 5;
const OTHER_SIDE: usize = 6;
const INPUT: usize = 7;
const WET: usize = 8;
const DRY: usize = 9;

impl<const CH: usize> Reverb<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::with(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 1 }, &ReverbParams::default())
    }

    fn with(config: StreamConfig, params: &ReverbParams) -> Self {
        let (params, rate_hz) = (controls::clamped(params), config.sample_rate_hz);
        let shortest_line = shortest_line(rate_hz);
        let (lines, stages, early) = longest_frames(rate_hz, shortest_line);
        let layouts = Layouts::new(plan(&params), rate_hz, shortest_line);
        let decay = Decay::new(&params, rate_hz);
        let filters = decay.filters(&layouts, rate_hz);
        let pre_delay_frames = (MAX_PRE_DELAY_MS / 1000.0 * rate_hz).ceil() as usize;
        Reverb {
            level: Level::new(),
            sample_rate_hz: rate_hz,
            params,
            grid: ControlGrid::default(),
            running: false,
            fresh: true,
            glides: Glides::new(gains(&params), REVERB_GLIDE_SECONDS, rate_hz),
            decay,
            pre_delay: PreDelay::new(pre_delay_frames, layout::LAYOUT_FADE_SECONDS, rate_hz),
            diffuser: Diffuser::new(stages, early),
            network: Network::new(lines, filters),
            tone: Tone::new(tone(&params), REVERB_GLIDE_SECONDS, rate_hz),
            ducking: Ducking::new(params.ducking_db, params.ducking_release_ms / 1000.0, rate_hz),
            layouts,
            diffuse: [[0.0; GRID_FRAMES]; LINES],
        }
    }

    /// Starts from silence with all controls where they were set. Input and mix fade in, but at the start of the stream.
    fn start(&mut self, tempo_bpm: f64) {
        self.running = true;
        self.glides.set_targets(gains(&self.params));
        self.glides.snap(if self.fresh { GLIDES } else { INPUT });
        self.decay = Decay::new(&self.params, self.sample_rate_hz);
        self.layouts.snap(plan(&self.params));
        self.network.snap(self.decay.filters(&self.layouts, self.sample_rate_hz));
        self.pre_delay.set_frames(self.pre_delay_frames(tempo_bpm));
        self.pre_delay.snap();
        self.tone.set_targets(tone(&self.params));
        self.tone.reset();
        self.ducking.set_targets(self.params.ducking_db, self.params.ducking_release_ms / 1000.0);
        self.ducking.reset();
    }

    /// Forgets all audio. The next frame lies on the grid.
    fn stop(&mut self) {
        self.running = false;
        self.glides.set_targets(gains(&ReverbParams { on: false, ..self.params }));
        self.glides.snap(GLIDES);
        self.pre_delay.forget();
        self.diffuser.forget();
        self.network.forget();
    }

    fn pre_delay_frames(&self, tempo_bpm: f64) -> usize {
        let per_ms = self.sample_rate_hz / 1000.0;
        let frames = if self.params.pre_delay_sync {
            self.params.pre_delay_note.frames(tempo_bpm, self.sample_rate_hz, MAX_PRE_DELAY_MS * per_ms)
        } else {
            self.params.pre_delay_ms * per_ms
        };
        (frames + 0.5) as usize
    }

    #[inline(always)]
    fn on_grid<S: Simd>(&mut self, simd: S, tempo_bpm: f64) {
        if self.params.on && !self.running {
            self.start(tempo_bpm);
        } else if !self.params.on && self.running && self.glides.rests_at(WET, 0.0) && self.glides.rests_at(DRY, 1.0) {
            self.stop();
        }
        self.fresh = false;
        if !self.running {
            return;
        }
        let plan = if self.params.freeze || self.decay.frozen() { self.layouts.plan() } else { plan(&self.params) };
        let moved = self.layouts.on_grid(plan) || self.layouts.next.is_some();
        let filters = (self.decay.on_grid() || moved).then(|| self.decay.filters(&self.layouts, self.sample_rate_hz));
        self.network.on_grid(
            simd,
            filters,
            self.decay.modulation(self.sample_rate_hz),
            self.sample_rate_hz,
            &self.layouts,
        );
        self.pre_delay.set_frames(self.pre_delay_frames(tempo_bpm));
        self.pre_delay.on_grid();
        self.tone.on_grid();
        self.ducking.on_grid();
    }

    #[simd]
    fn run<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>) {
        let (frames, tempo_bpm) = (block.frames(), block.transport().tempo_bpm);
        let mut start = 0;
        while let Some(span) = self.grid.next(start, frames) {
            if span.on_grid {
                self.on_grid(simd, tempo_bpm);
            }
            if self.running {
                self.span(simd, block, span.start, span.len);
            }
            start = span.start + span.len;
        }
    }

    #[inline(always)]
    fn span<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>, start: usize, len: usize) {
        let unheard = self.glides.rests_at(WET, 0.0);
        let all_mixed = self.glides.rests_at(MIXED, 1.0) && self.glides.rests_at(PLAIN, 0.0);
        self.glides.advance(len);
        self.layouts.advance(len);
        let mut dry = [[0.0; GRID_FRAMES]; 2];
        for (lane, channel) in dry.iter_mut().zip(block.channels_ref()) {
            copy_span(lane, &channel[start..start + len]);
        }
        if CH == 1 {
            dry[1] = dry[0];
        }
        let mut input = dry;
        let floor = f32x16::splat(simd, SILENCE);
        for lane in &mut input {
            for h in HALVES {
                let x = load(simd, lane, h) * load(simd, self.glides.lane(INPUT), h);
                store(x.abs().simd_ge(floor).select(x, f32x16::splat(simd, 0.0)), lane, h);
            }
        }
        self.pre_delay.process(simd, &mut input, len);
        let mut wet = [[0.0; GRID_FRAMES]; 2];
        let angle = [self.glides.lane(COSINE), self.glides.lane(SINE)];
        self.diffuser.process(simd, &input, &self.layouts, angle, len, (&mut wet, &mut self.diffuse));
        let gains = [MIXED, PLAIN, PROMPT].map(|which| self.glides.lane(which));
        self.network.process(simd, &self.diffuse, (gains, all_mixed), &self.layouts, len, &mut wet);
        if CH == 2 {
            self.widen(simd, &mut wet);
        }
        self.tone.process(simd, &mut wet, len);
        if CH == 2 {
            let [left, right] = &mut wet;
            self.ducking.process([&dry[0][..len], &dry[1][..len]], [&mut left[..len], &mut right[..len]]);
        } else {
            self.ducking.process([&dry[0][..len]], [&mut wet[0][..len]]);
        }
        if unheard {
            return;
        }
        for ((dry, wet), channel) in dry.iter_mut().zip(&wet).zip(block.channels()) {
            for h in HALVES {
                let (d, w) = (load(simd, self.glides.lane(DRY), h), load(simd, self.glides.lane(WET), h));
                store(d * load(simd, dry, h) + w * load(simd, wet, h), dry, h);
            }
            copy_span(&mut channel[start..start + len], dry);
        }
    }

    #[inline(always)]
    fn widen<S: Simd>(&self, simd: S, [left, right]: &mut [Lane; 2]) {
        for h in HALVES {
            let (l, r) = (load(simd, left, h), load(simd, right, h));
            let (own, other) = (load(simd, self.glides.lane(OWN_SIDE), h), load(simd, self.glides.lane(OTHER_SIDE), h));
            store(own * l + other * r, left, h);
            store(own * r + other * l, right, h);
        }
    }
}

impl<const CH: usize> Processor<CH> for Reverb<CH> {
    type Params = ReverbParams;

    fn prepare(&mut self, config: StreamConfig, params: &ReverbParams) -> Result<(), PrepareError> {
        config.check()?;
        *self = Self::with(config, params);
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.fresh = true;
        self.stop();
    }

    fn set_params(&mut self, params: &ReverbParams) {
        let params = controls::clamped(params);
        if params != self.params {
            self.params = params;
            if self.running {
                self.glides.set_targets(gains(&params));
                self.decay.set_targets(&params);
                self.tone.set_targets(tone(&params));
                self.ducking.set_targets(params.ducking_db, params.ducking_release_ms / 1000.0);
            }
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        dispatch!(self.level, simd => self.run(simd, block));
    }

    /// What runs in the network loses 60 dB in the longest decay of any frequency. From +100 dBFS, gains of up to 40 dB on
    /// the way included, to silence at −300 dBFS it has 440 dB to lose, and as many again as rounds it up to 8 times 60.
    fn tail(&self) -> Tail {
        if !self.running && !self.params.on {
            return Tail::Frames(0);
        }
        if self.params.freeze {
            return Tail::Infinite;
        }
        let decay_seconds = self.decay.longest_seconds().max(decay_curve(&self.params).longest_seconds());
        let network = (8.0 * decay_seconds * self.sample_rate_hz).ceil() as usize + self.network.longest_frames();
        Tail::Frames(
            self.pre_delay.tail_frames()
                + self.diffuser.tail_frames()
                + network
                + self.tone.tail_frames()
                + GRID_FRAMES,
        )
    }
}

impl<const CH: usize> Default for Reverb<CH> {
    fn default() -> Self {
        Self::new()
    }
}

/// No line is read before the span that is written, however its end moves.
fn shortest_line(sample_rate_hz: f64) -> u32 {
    GRID_FRAMES as u32 + MARGIN_FRAMES + (MAX_EXCURSION_MS / 1000.0 * sample_rate_hz).ceil() as u32
}

fn plan(params: &ReverbParams) -> Plan {
    Plan::new(params.space, params.size_percent / 100.0, &decay_curve(params))
}

fn tone(params: &ReverbParams) -> ToneTargets {
    let kind = kind(params.space);
    ToneTargets {
        low_cut_hz: params.low_cut_hz,
        high_cut_hz: params.high_cut_hz,
        shelf_hz: kind.shelf_hz,
        shelf_db: kind.shelf_db,
    }
}

/// Where the [`Glides`] go.
fn gains(params: &ReverbParams) -> [f64; GLIDES] {
    let (kind, plan) = (kind(params.space), plan(params));
    // A unit impulse leaves energy T / (13.8 Σ) in the decay: it is spread over all lines, Σ seconds, and e-folds in T / 13.8.
    let lines_seconds = plan.scale * kind.lines_ms.iter().sum::<f64>() / 1000.0;
    let late_energy = decay_curve(params).mid_seconds / (2.0 * math::ln(1000.0) * lines_seconds);
    let input = if params.freeze || !params.on { 0.0 } else { 1.0 / (kind.early_energy + late_energy).sqrt() };
    let angle = math::PI / 4.0 * params.diffusion_percent / 100.0;
    let width = params.width_percent / 100.0;
    let mix = math::PI / 2.0 * params.mix_percent / 100.0;
    let (wet, dry) = match params.mix_percent {
        _ if !params.on => (0.0, 1.0),
        100.0 => (1.0, 0.0),
        _ => (math::sin(mix), math::cos(mix)),
    };
    let mut gains = [0.0; GLIDES];
    (gains[COSINE], gains[SINE]) = (math::cos(angle), math::sin(angle));
    // exact where all is mixed, see Network::process
    (gains[MIXED], gains[PLAIN]) =
        if params.diffusion_percent == 100.0 { (1.0, 0.0) } else { (math::sin(2.0 * angle), math::cos(2.0 * angle)) };
    gains[PROMPT] = kind.prompt - gains[MIXED];
    (gains[OWN_SIDE], gains[OTHER_SIDE]) = ((1.0 + width) / 2.0, (1.0 - width) / 2.0);
    (gains[INPUT], gains[WET], gains[DRY]) = (input, wet, dry);
    gains
}

/// What glides from point to point of the control grid: the decay over frequency, freeze, the modulation.
#[derive(Clone, Debug)]
struct Decay {
    /// log2 of the curve's five numbers; freeze; log2 of the modulation's rate; its depth as a ratio.
    ramps: [Ramp; 8],
}

const FREEZE: usize = 5;
const RATE: usize = 6;
const DEPTH: usize = 7;

impl Decay {
    fn new(params: &ReverbParams, sample_rate_hz: f64) -> Self {
        let ramp = |target| Ramp::with_seconds(target, REVERB_GLIDE_SECONDS, sample_rate_hz);
        Decay { ramps: Self::targets(params).map(ramp) }
    }

    fn targets(params: &ReverbParams) -> [f64; 8] {
        let curve = decay_curve(params);
        let freeze = f64::from(u8::from(params.freeze));
        [
            math::log2(curve.low_seconds),
            math::log2(curve.mid_seconds),
            math::log2(curve.high_seconds),
            math::log2(curve.low_corner_hz),
            math::log2(curve.high_corner_hz),
            freeze,
            math::log2(params.modulation_rate_hz),
            (1.0 - freeze) * params.modulation_depth_percent / 100.0,
        ]
    }

    fn set_targets(&mut self, params: &ReverbParams) {
        self.ramps.iter_mut().zip(Self::targets(params)).for_each(|(ramp, target)| ramp.set_target(target));
    }

    /// Moves on to the next point of the grid. Whether the filters change on the way.
    fn on_grid(&mut self) -> bool {
        let moving = self.ramps[..=FREEZE].iter().any(Ramp::is_moving);
        self.ramps.iter_mut().for_each(|ramp| ramp.advance(GRID_FRAMES));
        moving
    }

    fn curve(&self) -> DecayCurve {
        let [low_seconds, mid_seconds, high_seconds, low_corner_hz, high_corner_hz] =
            std::array::from_fn(|i| math::exp2(self.ramps[i].value()));
        DecayCurve { low_seconds, mid_seconds, high_seconds, low_corner_hz, high_corner_hz }
    }

    fn frozen(&self) -> bool {
        self.ramps[FREEZE].value() > 0.0
    }

    fn longest_seconds(&self) -> f64 {
        self.curve().longest_seconds()
    }

    fn filters(&self, layouts: &Layouts, sample_rate_hz: f64) -> Filters {
        Filters::new(&self.curve(), &layouts.line_frames(), self.ramps[FREEZE].value(), sample_rate_hz)
    }

    /// Rate in hertz and depth in frames.
    fn modulation(&self, sample_rate_hz: f64) -> [f64; 2] {
        let depth = self.ramps[DEPTH].value() * MAX_EXCURSION_MS / 1000.0 * sample_rate_hz;
        [math::exp2(self.ramps[RATE].value()), depth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The narrowest registers and the widest give the same bits, with everything gliding.
    #[test]
    fn register_width_changes_no_bit() {
        let on = ReverbParams { on: true, ducking_db: 6.0, modulation_depth_percent: 70.0, ..Default::default() };
        let moved = ReverbParams { size_percent: 60.0, decay_seconds: 0.7, space: Space::Room, low_cut_hz: 90.0, ..on };
        let [narrow, wide] = [Level::baseline(), Level::new()].map(|level| {
            let mut reverb = Reverb::<2>::new();
            reverb.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 512 }, &on).unwrap();
            reverb.level = level;
            let mut out = vec![];
            for block in 0..60 {
                reverb.set_params(if block / 20 == 1 { &moved } else { &on });
                let mut left: Vec<f32> = (0..500).map(|n| ((n * n + block) % 97) as f32 / 97.0 - 0.5).collect();
                let mut right: Vec<f32> = left.iter().map(|s| 0.3 - s * s).collect();
                reverb.process(&mut Block::new([&mut left, &mut right]));
                out.extend(left.iter().chain(&right).map(|s| s.to_bits()));
            }
            out
        });
        assert!(narrow == wide);
    }
}
