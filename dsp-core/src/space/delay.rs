//! The delay: echoes in free or synced time, on one or two paths or from side to side, in a loop that filters, saturates,
//! wavers and smears.

mod cuts;
mod drive;
mod heads;
mod kernel;
mod line;
mod loop_tail;
mod soft_limit;
mod wobble;

use super::diffuser::Diffuser;
use super::ducking::Ducking;
use super::note_value::NoteValue;
use crate::block::Block;
use crate::choices;
use crate::control_grid::{ControlGrid, GRID_FRAMES, copy_span};
use crate::controls;
use crate::dynamics::glides::Glides;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};
use cuts::Cuts;
use drive::Drive;
use fearless_simd::{Level, Simd, dispatch};
use fearless_simd_macros::simd;
use heads::Heads;
use line::Line;
use soft_limit::SoftLimit;
use wobble::Wobble;

choices! {
    /// How the echoes are laid out.
    pub enum DelayMode {
        /// Each side has its own loop, both of one time.
        Stereo = ("stereo", "Stereo"),
        /// Each side has its own loop and its own time.
        Dual = ("dual", "Dual"),
        /// Both sides together, (left + right)/2, echo on the left first, then on the right, and so on.
        PingPong = ("ping_pong", "Ping-Pong"),
    }
}

choices! {
    /// How the echoes get to a new time.
    pub enum TimeChange {
        /// The new time is faded in beside the old one within [`CROSSFADE_SECONDS`]: no pitch bends.
        Crossfade = ("crossfade", "Crossfade"),
        /// The head moves along the tape: the pitch bends on the way, by an octave at most.
        Tape = ("tape", "Tape"),
    }
}

choices! {
    /// How much sound the lines hold: four bars fit from 142, 60 and 30 bpm on.
    pub enum LineLength {
        /// What an instance of 4 MB at 48 kHz has room for.
        Normal = ("normal", "6.8 s"),
        /// 3.5 MB more at 48 kHz.
        Long = ("long", "16 s"),
        /// 9.7 MB more at 48 kHz.
        Longest = ("longest", "32 s"),
    }
}

impl LineLength {
    /// The longest time between two echoes, in seconds. Real-time safe.
    #[must_use]
    pub fn seconds(self) -> f64 {
        match self {
            LineLength::Normal => NORMAL_SECONDS,
            LineLength::Long => 16.0,
            LineLength::Longest => 32.0,
        }
    }
}

controls! {
    /// Delay. In a mono strip there is one loop, of the left time, in every mode.
    pub struct DelayParams {
        /// Whether anything echoes. Switched off, the echoes are faded out and forgotten.
        pub on: bool = switch("On", false),
        /// How the echoes are laid out.
        pub mode: DelayMode = choice("Mode", DelayMode::Stereo),
        /// Whether times follow the song's tempo: then the notes count, else the milliseconds.
        pub sync: bool = switch("Sync", false),
        /// Time of an echo, in milliseconds.
        pub time_ms: f64 = float("Time", TIME),
        /// Time of an echo as a note. What is longer than the line is halved until it fits, so that it stays on the beat.
        pub note: NoteValue = choice("Note", NoteValue::Eighth),
        /// Time of the right side's echo, in milliseconds (dual).
        pub right_time_ms: f64 = float("Right Time", Range { default: 500.0, ..TIME }),
        /// Time of the right side's echo as a note (dual).
        pub right_note: NoteValue = choice("Right Note", NoteValue::EighthDotted),
        /// How much the line holds, for slow notes.
        pub line: LineLength = choice("Line", LineLength::Normal) structural,
        /// How the echoes get to a new time.
        pub time_change: TimeChange = choice("Time Change", TimeChange::Crossfade),
        /// How much of an echo goes round again. Over 100 % it grows until the soft limit in the loop holds it; then what is
        /// heard of it is limited too, to +6 dBFS, whatever diffusion, wow and width make of it.
        pub feedback_percent: f64 = float("Feedback", Range::linear(0.0, 110.0, 35.0, Unit::Percent, 1)),
        /// Holds what is in the loop for ever, as it is, and lets nothing in.
        pub freeze: bool = switch("Freeze", false),
        /// Low cut in the loop, 12 dB an octave; off at 20 Hz.
        pub low_cut_hz: f64 = float("Low Cut", Range::logarithmic(MIN_CUT_HZ, 2_000.0, MIN_CUT_HZ, Unit::Hertz)),
        /// High cut in the loop, 12 dB an octave; off at 20 kHz.
        pub high_cut_hz: f64 = float("High Cut", Range::logarithmic(500.0, MAX_CUT_HZ, MAX_CUT_HZ, Unit::Hertz)),
        /// Saturation in the loop, in decibels; off at 0.
        pub drive_db: f64 = float("Drive", Range::linear(0.0, 24.0, 0.0, Unit::Decibel, 2)),
        /// Slow wavering of the pitch: greatest deviation, in per cent.
        pub wow_percent: f64 = float("Wow", Range::square(0.0, 2.0, 0.0, Unit::Percent, 3)),
        /// How often it wavers, in hertz.
        pub wow_rate_hz: f64 = float("Wow Rate", Range::logarithmic(0.1, 4.0, 0.6, Unit::Hertz)),
        /// Quick wavering of the pitch: greatest deviation, in per cent.
        pub flutter_percent: f64 = float("Flutter", Range::square(0.0, 1.0, 0.0, Unit::Percent, 3)),
        /// How often it wavers, in hertz.
        pub flutter_rate_hz: f64 = float("Flutter Rate", Range::logarithmic(4.0, 20.0, 7.0, Unit::Hertz)),
        /// How far each round smears the echo about its place in time; off at 0.
        pub diffusion_percent: f64 = float("Diffusion", PERCENT),
        /// How far the echoes are turned down while the dry sound is at −12 dBFS or over, in decibels.
        pub ducking_db: f64 = float("Ducking", Range::linear(0.0, 36.0, 0.0, Unit::Decibel, 1)),
        /// How soon they come back after it, in milliseconds.
        pub ducking_release_ms: f64 = float("Ducking Release", Range::logarithmic(20.0, 2000.0, 250.0, Unit::Millisecond)),
        /// Level of the echoes' side signal: 0 is mono, 100 leaves as it is, 200 doubles it.
        pub width_percent: f64 = float("Width", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Dry and wet, see [`mix_gains`].
        pub mix_percent: f64 = float("Mix", Range { default: 25.0, ..PERCENT }),
    }
}

const TIME: Range = Range::logarithmic(1.0, 1000.0 * NORMAL_SECONDS, 375.0, Unit::Millisecond);
const PERCENT: Range = Range::linear(0.0, 100.0, 0.0, Unit::Percent, 1);

/// The longest time between two echoes, in seconds, but for long lines: more would take an instance over 4 MB at 48 kHz.
pub const NORMAL_SECONDS: f64 = 6.8;
/// The shortest time, in frames: what the interpolation and a span of the grid need ahead of them.
pub const SHORTEST_FRAMES: f64 = 45.0;
/// The lowest low cut: there it is off.
pub const MIN_CUT_HZ: f64 = 20.0;
/// The highest high cut: there it is off.
pub const MAX_CUT_HZ: f64 = 20_000.0;
/// How long a new time takes to be faded in, in seconds.
pub const CROSSFADE_SECONDS: f64 = 0.06;
/// How long levels, the switch, the mode and the freeze take to arrive, in seconds.
pub const DELAY_GLIDE_SECONDS: f64 = 0.05;

/// Gains of the dry and the wet signal: below 50 % the dry one stays and the wet one comes up, over it the wet one stays
/// and the dry one goes; at 50 % both are at 0 dB. Real-time safe.
#[must_use]
pub fn mix_gains(percent: f64) -> [f64; 2] {
    let wet = percent / 50.0;
    [(2.0 - wet).clamp(0.0, 1.0), wet.clamp(0.0, 1.0)]
}

/// The delay. Off it changes no bit; it never has latency.
///
/// Once round: line, head (24-tap windowed sinc where the time is no whole number of frames; exact where it is),
/// diffusion, drive, cuts — which is what is heard, through a soft limit of its own while the feedback is over 100 % — then
/// feedback, soft limit, and the line again with the new sound. What
/// diffusion and drive delay by is taken off the head's delay, so that an echo is smeared about its beat rather than after it;
/// a loop cannot be shorter than that and [`SHORTEST_FRAMES`] together.
///
/// Frozen, the line copies itself, whole frames at a time, through nothing at all: it neither grows nor dies, and what is
/// heard of it still passes diffusion, drive and cuts once.
#[derive(Clone, Debug)]
pub struct Delay<const CH: usize> {
    level: Level,
    sample_rate_hz: f64,
    params: DelayParams,
    grid: ControlGrid,
    tempo_bpm: f64,
    /// Controls or tempo changed since the last point of the grid.
    changed: bool,
    /// Nothing has been heard since the last reset: what is set is there at once.
    fresh: bool,
    /// Something may be heard.
    running: bool,
    glides: Glides<GLIDES>,
    /// What is not neutral in the span under way.
    active: Active,
    lines: [Line; CH],
    heads: Heads<CH>,
    lead: [f64; CH],
    wobble: Wobble,
    diffusers: [Diffuser; CH],
    drives: [Drive; CH],
    cuts: Cuts<CH>,
    limits: [SoftLimit; CH],
    /// Of what is heard.
    heard_limits: [SoftLimit; CH],
    ducking: Ducking,
    /// Frames, and whether from side to side, of the loop that is held.
    held: Option<([usize; CH], bool)>,
}

/// Which steps a span cannot go without.
#[derive(Clone, Copy, Debug, Default)]
struct Active {
    cross: bool,
    width: bool,
    drive: bool,
    heard_limit: bool,
}

/// What glides frame by frame.
const FEEDBACK: usize = 0;
/// 0 each side to itself, 1 to the other.
const CROSS: usize = 1;
const WIDTH: usize = 2;
/// k of the drive.
const DRIVE: usize = 3;
const FREEZE: usize = 4;
/// Share of the limit in what is heard: 1 over a feedback of 100 %, else 0.
const HEARD_LIMIT: usize = 5;
/// Those up to here are there at once when the delay is switched on.
const UNHEARD: usize = 6;
const DRY: usize = 6;
const WET: usize = 7;
/// Into the line: closed while off, so that no echo begins or ends with a cut.
const INPUT: usize = 8;
const GLIDES: usize = 9;

/// A span of each channel.
type Lanes<const CH: usize> = [[f32; GRID_FRAMES]; CH];

/// Delays of the diffusers by side, in seconds: without a common divisor, denser towards the end, 40 ms together.
const DIFFUSION_SECONDS: [[f64; 4]; 2] =
    [[0.004_31, 0.007_27, 0.011_93, 0.016_49], [0.004_79, 0.006_83, 0.011_27, 0.017_11]];

impl<const CH: usize> Delay<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        let (params, rate_hz) = (DelayParams::default(), 48_000.0);
        Delay {
            level: Level::new(),
            sample_rate_hz: rate_hz,
            params,
            grid: ControlGrid::default(),
            tempo_bpm: 120.0,
            changed: true,
            fresh: true,
            running: false,
            glides: Glides::new(level_targets(&params), DELAY_GLIDE_SECONDS, rate_hz),
            active: Active::default(),
            lines: std::array::from_fn(|_| Line::new(0)),
            heads: Heads::new(SHORTEST_FRAMES, rate_hz),
            lead: [0.0; CH],
            wobble: Wobble::new(rate_hz),
            diffusers: std::array::from_fn(|_| Diffuser::new(&[], 0.0, rate_hz)),
            drives: std::array::from_fn(|_| Drive::new(GRID_FRAMES as u32)),
            cuts: Cuts::new(rate_hz),
            limits: [SoftLimit::default(); CH],
            heard_limits: [SoftLimit::default(); CH],
            ducking: Ducking::new(0.0, 0.1, rate_hz),
            held: None,
        }
    }

    /// What happens on a point of the control grid: controls are taken in, and quiet state falls silent.
    fn on_grid(&mut self, tempo_bpm: f64) {
        if tempo_bpm != self.tempo_bpm {
            self.tempo_bpm = tempo_bpm;
            self.changed = true;
        }
        if !self.running && !self.params.on {
            self.fresh = false;
            return;
        }
        if self.fresh || !self.running {
            self.take_in(true);
        } else if self.changed {
            self.take_in(false);
        }
        let silent = [(DRY, 1.0), (WET, 0.0), (INPUT, 0.0)].iter().all(|(which, at)| self.glides.rests_at(*which, *at));
        if !self.params.on && silent {
            self.forget();
            self.running = false;
            return;
        }
        self.active = Active {
            cross: CH == 2 && !self.glides.rests_at(CROSS, 0.0),
            width: CH == 2 && !self.glides.rests_at(WIDTH, 1.0),
            drive: !self.glides.rests_at(DRIVE, 0.0),
            heard_limit: !self.glides.rests_at(HEARD_LIMIT, 0.0),
        };
        self.drives.iter_mut().for_each(Drive::on_grid);
        self.heads.on_grid();
        self.wobble.on_grid();
        self.cuts.on_grid();
        self.ducking.on_grid();
        if !self.params.freeze && self.glides.rests_at(FREEZE, 0.0) {
            self.held = None;
        }
    }

    /// Moves every target to where the controls are; `at_once` arrives there, levels aside where the stream had begun.
    fn take_in(&mut self, at_once: bool) {
        let (p, rate_hz) = (self.params, self.sample_rate_hz);
        self.glides.set_targets(level_targets(&p));
        if at_once {
            self.forget();
            self.glides.snap(if self.fresh { GLIDES } else { UNHEARD });
        }
        let frames = self.loop_frames();
        let lead = self.lead_frames();
        let heads = std::array::from_fn(|c| (frames[c] - lead[c]).max(SHORTEST_FRAMES));
        // what a step is ahead of the beat comes in as the step does: by crossfade
        self.heads.set_targets(heads, p.time_change == TimeChange::Tape && lead == self.lead);
        self.lead = lead;
        self.wobble.set_targets(
            [p.wow_percent / 100.0, p.flutter_percent / 100.0],
            [p.wow_rate_hz / rate_hz, p.flutter_rate_hz / rate_hz],
        );
        self.diffusers.iter_mut().for_each(|d| d.set_amount(p.diffusion_percent / 100.0));
        self.drives.iter_mut().for_each(|d| d.set_on(p.drive_db > 0.0));
        self.cuts.set_targets(p.low_cut_hz, p.high_cut_hz);
        self.ducking.set_targets(p.ducking_db, p.ducking_release_ms / 1000.0);
        if p.freeze && self.held.is_none() {
            let whole = frames.map(|f| f.round().max(SHORTEST_FRAMES) as usize);
            self.held = Some((whole, p.mode == DelayMode::PingPong));
        }
        if at_once {
            self.heads.snap();
            self.wobble.reset();
            self.diffusers.iter_mut().for_each(Diffuser::reset);
            self.drives.iter_mut().for_each(Drive::reset);
            self.cuts.reset();
            self.ducking.reset();
        }
        self.running = true;
        self.fresh = false;
        self.changed = false;
    }

    /// Frames by which the heads read ahead of the beat: what diffusion and drive delay by.
    fn lead_frames(&self) -> [f64; CH] {
        let drive = if self.params.drive_db > 0.0 { Drive::latency_frames() } else { 0 };
        std::array::from_fn(|c| {
            let diffusion = if self.params.diffusion_percent > 0.0 { self.diffusers[c].delay_frames() } else { 0 };
            (drive + diffusion) as f64
        })
    }

    /// Frames from one echo to the next, by side.
    fn loop_frames(&self) -> [f64; CH] {
        let p = &self.params;
        let longest = p.line.seconds() * self.sample_rate_hz;
        std::array::from_fn(|c| {
            let right = c == 1 && p.mode == DelayMode::Dual;
            let (ms, note) = if right { (p.right_time_ms, p.right_note) } else { (p.time_ms, p.note) };
            let frames = if p.sync {
                note.frames(self.tempo_bpm, self.sample_rate_hz, longest)
            } else {
                ms * self.sample_rate_hz / 1000.0
            };
            frames.clamp(SHORTEST_FRAMES, longest)
        })
    }

    fn forget(&mut self) {
        self.lines.iter_mut().for_each(Line::forget);
        self.drives.iter_mut().for_each(Drive::reset);
        self.limits = [SoftLimit::default(); CH];
        self.heard_limits = [SoftLimit::default(); CH];
        self.diffusers.iter_mut().for_each(Diffuser::reset);
        self.cuts.reset();
        self.ducking.reset();
        self.held = None;
    }

    #[simd]
    fn run<S: Simd>(&mut self, simd: S, block: &mut Block<'_, CH>) {
        let (frames, tempo_bpm) = (block.frames(), block.transport().tempo_bpm);
        let mut start = 0;
        while let Some(span) = self.grid.next(start, frames) {
            if span.on_grid {
                self.on_grid(tempo_bpm);
            }
            start = span.start + span.len;
            if self.running {
                self.span(simd, block.channels(), span.start, span.len);
            }
        }
    }

    /// One round for up to a span, whose echoes are all in the lines already.
    #[simd]
    fn span<S: Simd>(&mut self, simd: S, channels: &mut [&mut [f32]; CH], start: usize, len: usize) {
        self.glides.advance(len);
        let mut dry = [[0.0; GRID_FRAMES]; CH];
        for (dry, channel) in dry.iter_mut().zip(channels.iter()) {
            copy_span(dry, &channel[start..start + len]);
        }
        let mut wet = [[0.0; GRID_FRAMES]; CH];
        self.heads.read(simd, &self.lines, self.wobble.offsets(len), &mut wet, len);
        for (diffuser, wet) in self.diffusers.iter_mut().zip(&mut wet) {
            diffuser.process(&mut wet[..len]);
        }
        for (drive, wet) in self.drives.iter_mut().zip(&mut wet) {
            drive.process(simd, self.glides.lane(DRIVE), wet, len);
        }
        self.cuts.process(simd, &mut wet, len);
        self.fill_lines(simd, &dry, &wet, len);
        self.hear(simd, &dry, &mut wet, len);
        for ((channel, dry), wet) in channels.iter_mut().zip(&dry).zip(&wet) {
            let gain = self.glides.lane(DRY);
            for (n, sample) in channel[start..start + len].iter_mut().enumerate() {
                *sample = gain[n] * dry[n] + wet[n];
            }
        }
    }

    /// What goes into the lines: the new sound, and the echoes by way of feedback and limit; or what is held.
    #[simd]
    fn fill_lines<S: Simd>(&mut self, simd: S, dry: &Lanes<CH>, wet: &Lanes<CH>, len: usize) {
        let (mut fed, mut new) = (*wet, *dry);
        if self.active.cross {
            let cross = self.glides.lane(CROSS);
            for n in 0..GRID_FRAMES {
                let (own, other) = (1.0 - cross[n], cross[n]);
                fed[0][n] = own * wet[0][n] + other * wet[1][n];
                fed[1][n] = own * wet[1][n] + other * wet[0][n];
                new[0][n] = own * dry[0][n] + other * (0.5 * (dry[0][n] + dry[1][n]));
                new[1][n] = own * dry[1][n];
            }
        }
        for c in 0..CH {
            let (feedback, input) = (self.glides.lane(FEEDBACK), self.glides.lane(INPUT));
            for n in 0..GRID_FRAMES {
                fed[c][n] *= feedback[n];
            }
            self.limits[c].process(simd, &mut fed[c], len);
            for n in 0..GRID_FRAMES {
                fed[c][n] += input[n] * new[c][n];
            }
        }
        if let Some((frames, crossed)) = self.held {
            let freeze = self.glides.lane(FREEZE);
            for (c, fed) in fed.iter_mut().enumerate() {
                let from = if crossed && CH == 2 { 1 - c } else { c };
                let mut held = [0.0; GRID_FRAMES];
                self.lines[from].read(frames[from], &mut held[..len]);
                for n in 0..GRID_FRAMES {
                    fed[n] = (1.0 - freeze[n]) * fed[n] + freeze[n] * held[n];
                }
            }
        }
        for (line, fed) in self.lines.iter_mut().zip(&mut fed) {
            for sample in fed.iter_mut() {
                *sample = if sample.abs() >= math::STATE_FLOOR as f32 { *sample } else { 0.0 };
            }
            line.write(&fed[..len]);
        }
    }

    /// What is heard of the echoes: width, limit, level, ducking.
    #[simd]
    fn hear<S: Simd>(&mut self, simd: S, dry: &Lanes<CH>, wet: &mut Lanes<CH>, len: usize) {
        if let Some([left, right]) = wet.as_mut_slice().first_chunk_mut::<2>()
            && self.active.width
        {
            let width = self.glides.lane(WIDTH);
            for n in 0..GRID_FRAMES {
                let (own, other) = (0.5 + 0.5 * width[n], 0.5 - 0.5 * width[n]);
                (left[n], right[n]) = (own * left[n] + other * right[n], own * right[n] + other * left[n]);
            }
        }
        let mut gain = [1.0; GRID_FRAMES];
        if self.active.drive {
            gain.iter_mut().zip(self.glides.lane(DRIVE)).for_each(|(gain, k)| *gain = drive::make_up(*k));
        }
        if self.active.heard_limit {
            let share = self.glides.lane(HEARD_LIMIT);
            for (limit, wet) in self.heard_limits.iter_mut().zip(wet.iter_mut()) {
                for n in 0..GRID_FRAMES {
                    wet[n] *= gain[n];
                }
                let mut limited = *wet;
                limit.process(simd, &mut limited, len);
                for n in 0..GRID_FRAMES {
                    wet[n] += share[n] * (limited[n] - wet[n]);
                }
            }
            gain = [1.0; GRID_FRAMES];
        }
        gain.iter_mut().zip(self.glides.lane(WET)).for_each(|(gain, wet)| *gain *= wet);
        for wet in wet.iter_mut() {
            for n in 0..GRID_FRAMES {
                wet[n] *= gain[n];
            }
        }
        let mut lanes = wet.iter_mut();
        let wet = std::array::from_fn(|_| match lanes.next() {
            Some(lane) => &mut lane[..len],
            None => &mut [],
        });
        self.ducking.process::<CH>(std::array::from_fn(|c| &dry[c][..len]), wet);
    }
}

impl<const CH: usize> Processor<CH> for Delay<CH> {
    type Params = DelayParams;

    fn prepare(&mut self, config: StreamConfig, params: &DelayParams) -> Result<(), PrepareError> {
        config.check()?;
        let rate_hz = config.sample_rate_hz;
        self.sample_rate_hz = rate_hz;
        self.params = controls::clamped(params);
        self.glides = Glides::new(level_targets(&self.params), DELAY_GLIDE_SECONDS, rate_hz);
        let longest = (self.params.line.seconds() + wobble::MOST_SECONDS) * rate_hz;
        self.lines = std::array::from_fn(|_| Line::new(longest.ceil() as usize + heads::WINDOW_FRAMES));
        self.heads = Heads::new(longest, rate_hz);
        self.wobble = Wobble::new(rate_hz);
        self.diffusers = std::array::from_fn(|c| {
            let frames = DIFFUSION_SECONDS[c % 2].map(|s| (s * rate_hz).round() as usize);
            Diffuser::new(&frames, self.params.diffusion_percent / 100.0, rate_hz)
        });
        self.drives = std::array::from_fn(|_| Drive::new(heads::whole_spans(CROSSFADE_SECONDS * rate_hz)));
        self.cuts = Cuts::new(rate_hz);
        self.ducking = Ducking::new(self.params.ducking_db, self.params.ducking_release_ms / 1000.0, rate_hz);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.forget();
        self.glides.set_targets(level_targets(&self.params));
        self.glides.snap(GLIDES);
        (self.fresh, self.running, self.changed) = (true, false, true);
    }

    fn set_params(&mut self, params: &DelayParams) {
        let params = DelayParams { line: self.params.line, ..controls::clamped(params) };
        if params != self.params {
            self.params = params;
            self.changed = true;
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        dispatch!(self.level, simd => self.run(simd, block));
    }

    fn tail(&self) -> Tail {
        let p = &self.params;
        if !p.on {
            let fades = self.running && !self.fresh;
            return Tail::Frames(if fades {
                (DELAY_GLIDE_SECONDS * self.sample_rate_hz) as usize + 2 * GRID_FRAMES
            } else {
                0
            });
        }
        let feedback = self.glides.target(FEEDBACK).max(p.feedback_percent / 100.0);
        if p.freeze || self.held.is_some() || feedback >= 1.0 {
            return Tail::Infinite;
        }
        let lead = self.lead.iter().chain(&self.lead_frames()).fold(Drive::latency_frames() as f64, |a, b| a.max(*b));
        let delay = self.loop_frames().iter().fold(self.heads.longest_frames() + lead, |a, b| a.max(*b));
        let diffusion = DIFFUSION_SECONDS[0].map(|s| s * self.sample_rate_hz);
        loop_tail::Loop {
            delay_frames: delay + self.wobble.reach_frames(),
            feedback,
            cuts_hz: [p.low_cut_hz, p.high_cut_hz],
            diffusion_frames: if p.diffusion_percent > 0.0 || self.diffusers.iter().any(Diffuser::is_on) {
                &diffusion
            } else {
                &[]
            },
            sample_rate_hz: self.sample_rate_hz,
        }
        .tail()
    }
}

impl<const CH: usize> Default for Delay<CH> {
    fn default() -> Self {
        Self::new()
    }
}

fn level_targets(p: &DelayParams) -> [f64; GLIDES] {
    let [dry, wet] = mix_gains(p.mix_percent);
    let on = f64::from(u8::from(p.on));
    let mut targets = [0.0; GLIDES];
    targets[DRY] = if p.on { dry } else { 1.0 };
    targets[WET] = on * wet;
    targets[INPUT] = on;
    targets[FEEDBACK] = p.feedback_percent / 100.0;
    targets[HEARD_LIMIT] = f64::from(u8::from(p.feedback_percent > 100.0));
    targets[CROSS] = f64::from(u8::from(p.mode == DelayMode::PingPong));
    targets[WIDTH] = p.width_percent / 100.0;
    targets[DRIVE] = drive::bend(p.drive_db);
    targets[FREEZE] = f64::from(u8::from(p.freeze));
    targets
}
