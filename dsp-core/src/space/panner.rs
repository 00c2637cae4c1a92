//! The panner: pan, balance and dual pan by four laws, pan by time, width, mono below a frequency.

use super::fractional_delay::FractionalDelay;
use super::width::Width;
use crate::block::Block;
use crate::choices;
use crate::control_grid::ControlGrid;
use crate::controls;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::ramp::Ramp;
use crate::range::{Range, Unit};

choices! {
    /// How the pan controls act.
    pub enum PanMode {
        /// Left stays left, right stays right, and `pan` weighs one against the other; nothing changes at the centre.
        Balance = ("balance", "Balance"),
        /// The two sides become one source, (left + right)/2, which `pan` places.
        Pan = ("pan", "Pan"),
        /// Each side is a source of its own, placed by `left_pan` and `right_pan`.
        DualPan = ("dual_pan", "Dual Pan"),
    }
}

choices! {
    /// How far the centre lies under the hard sides, and by which curve: see [`pan_gains`].
    pub enum PanLaw {
        /// The nearer side stays at 0 dB and the farther one fades: a balance control.
        Zero = ("0_db", "0 dB"),
        /// Sine and cosine: the power stays the same.
        Minus3 = ("minus_3_db", "-3 dB"),
        /// The geometric mean of the laws of −3 and −6 dB.
        Minus4_5 = ("minus_4_5_db", "-4.5 dB"),
        /// Linear: the sum of the amplitudes stays the same.
        Minus6 = ("minus_6_db", "-6 dB"),
    }
}

controls! {
    /// Panner: place and width of the sound. A mono strip has neither, so there nothing here does anything.
    pub struct PannerParams {
        /// Whether the panner does anything.
        pub on: bool = switch("On", true),
        /// How the pan controls act.
        pub mode: PanMode = choice("Mode", PanMode::Balance),
        /// The pan law.
        pub law: PanLaw = choice("Law", PanLaw::Minus3),
        /// Place, −100 (left) to 100 (right), of the whole (balance, pan).
        pub pan: f64 = float("Pan", PAN),
        /// Place of the left channel (dual pan).
        pub left_pan: f64 = float("Left Pan", Range { default: -100.0, ..PAN }),
        /// Place of the right channel (dual pan).
        pub right_pan: f64 = float("Right Pan", Range { default: 100.0, ..PAN }),
        /// Pan by arrival time: the other side comes later by this many milliseconds; negative moves to the left.
        pub time_pan_ms: f64 = float("Time Pan", Range::linear(-0.7, 0.7, 0.0, Unit::Millisecond, 3)),
        /// Level of the side signal: 0 is mono, 100 leaves as it is, 200 doubles it.
        pub width_percent: f64 = float("Width", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Whether the low end is mono.
        pub mono_below: bool = switch("Mono Below", false),
        /// Where the low end's side signal is down by 6 dB, falling at 24 dB/oct, in hertz.
        pub mono_below_hz: f64 = float("Mono Below Frequency", Range::logarithmic(20.0, 300.0, 120.0, Unit::Hertz)),
    }
}

const PAN: Range = Range::linear(-100.0, 100.0, 0.0, Unit::Pan, 1);

/// How long moved controls take to arrive, in seconds.
pub const PAN_GLIDE_SECONDS: f64 = 0.02;
/// Left and right gain of a source at `position`, −1 (left) to 1 (right). On a hard side the gains are exactly 1 and 0;
/// mirrored positions have mirrored gains. Real-time safe.
///
/// With t = (1 − position)/2 the left gain is: 0 dB, min(1, 2t); −3 dB, sin(tπ/2), so that the squares add up to 1;
/// −6 dB, t, so that the gains add up to 1; −4.5 dB, √(t sin(tπ/2)). The right gain is the left one of −position.
#[must_use]
pub fn pan_gains(law: PanLaw, position: f64) -> [f64; 2] {
    let position = position.clamp(-1.0, 1.0);
    [-position, position].map(|toward| {
        let t = (1.0 + toward) / 2.0;
        let sine = math::sin(t * (math::PI / 2.0));
        match law {
            PanLaw::Zero => (2.0 * t).min(1.0),
            PanLaw::Minus3 => sine,
            PanLaw::Minus4_5 => (t * sine).sqrt(),
            PanLaw::Minus6 => t,
        }
    })
}

/// What each output is made of, `matrix[output][input]`, left first: width and time aside, all that the panner does.
/// Real-time safe.
///
/// Against the reference level of the law:
/// - **Balance** keeps the *centre* at 0 dB and raises the nearer side by as much as the law has it over the centre
///   (the "compensated" laws of workstations): a stereo strip passes unchanged at the centre, and a law of −3 dB keeps
///   its power, one of −6 dB its mono sum of equal sides, wherever it is moved. At 0 dB nothing is ever raised.
/// - **Pan** and **dual pan** keep the *hard sides* at 0 dB and have the centre lie as far under them as the law says,
///   as a console's pan pot does. Dual pan with left and right at their own sides changes nothing.
#[must_use]
pub fn matrix(params: &PannerParams) -> [[f64; 2]; 2] {
    let gains = |pan: f64| pan_gains(params.law, pan / 100.0);
    match params.mode {
        _ if !params.on => IDENTITY,
        PanMode::Balance => {
            let ([left, right], [centre_left, centre_right]) = (gains(params.pan), gains(0.0));
            [[left / centre_left, 0.0], [0.0, right / centre_right]]
        }
        PanMode::Pan => gains(params.pan).map(|gain| [gain / 2.0, gain / 2.0]),
        PanMode::DualPan => {
            let ([from_left, to_right], [to_left, from_right]) = (gains(params.left_pan), gains(params.right_pan));
            [[from_left, to_left], [to_right, from_right]]
        }
    }
}

const IDENTITY: [[f64; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];

/// Width, mono below a frequency, pan, and pan by time, in this order; no latency, since only the later side is delayed.
/// Centred, at 100 % and with the rest off it changes no bit, nor does it ever in mono. Switched off, every part glides
/// to neutral.
#[derive(Clone, Debug)]
pub struct Panner<const CH: usize> {
    config: Option<StreamConfig>,
    params: PannerParams,
    grid: ControlGrid,
    width: Width,
    mix: Mix,
    time: TimePan,
}

impl<const CH: usize> Panner<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Panner {
            config: None,
            params: PannerParams::default(),
            grid: ControlGrid::default(),
            width: Width::new(1.0, None, PAN_GLIDE_SECONDS, 48_000.0),
            mix: Mix::new(IDENTITY, 48_000.0),
            time: TimePan::new(0.0, 48_000.0),
        }
    }
}

impl<const CH: usize> Processor<CH> for Panner<CH> {
    type Params = PannerParams;

    fn prepare(&mut self, config: StreamConfig, params: &PannerParams) -> Result<(), PrepareError> {
        config.check()?;
        let (params, rate_hz) = (controls::clamped(params), config.sample_rate_hz);
        self.config = Some(config);
        self.params = params;
        self.grid.reset();
        self.width = Width::new(side_gain(&params), mono_below_hz(&params), PAN_GLIDE_SECONDS, rate_hz);
        self.mix = Mix::new(matrix(&params), rate_hz);
        self.time = TimePan::new(time_seconds(&params), rate_hz);
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.width.reset();
        self.mix.reset();
        self.time.reset();
    }

    fn set_params(&mut self, params: &PannerParams) {
        let params = controls::clamped(params);
        if params != self.params {
            self.params = params;
            self.width.set_targets(side_gain(&params), mono_below_hz(&params));
            self.mix.set_targets(matrix(&params));
            self.time.set_target(time_seconds(&params));
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        let frames = block.frames();
        if self.width.is_neutral() && self.mix.is_neutral() && self.time.is_neutral() {
            self.time.remember(block.channels_ref());
            return self.grid.skip(frames);
        }
        let [left, right] = block.channels().as_mut_slice() else { return };
        let mut start = 0;
        while let Some(span) = self.grid.next(start, frames) {
            let end = span.start + span.len;
            if span.on_grid {
                self.width.on_grid();
                self.time.on_grid();
            }
            let (left, right) = (&mut left[span.start..end], &mut right[span.start..end]);
            self.width.process(left, right);
            self.mix.process(left, right);
            self.time.process(left, right);
            start = end;
        }
    }

    fn tail(&self) -> Tail {
        Tail::Frames(if CH == 2 { self.width.tail_frames() + self.time.tail_frames() } else { 0 })
    }
}

impl<const CH: usize> Default for Panner<CH> {
    fn default() -> Self {
        Self::new()
    }
}

fn side_gain(params: &PannerParams) -> f64 {
    if params.on { params.width_percent / 100.0 } else { 1.0 }
}

fn mono_below_hz(params: &PannerParams) -> Option<f64> {
    (params.on && params.mono_below).then_some(params.mono_below_hz)
}

fn time_seconds(params: &PannerParams) -> f64 {
    if params.on { params.time_pan_ms / 1000.0 } else { 0.0 }
}

/// The gains of [`matrix`], gliding frame by frame.
#[derive(Clone, Copy, Debug)]
struct Mix {
    ramps: [[Ramp; 2]; 2],
}

impl Mix {
    fn new(targets: [[f64; 2]; 2], sample_rate_hz: f64) -> Self {
        Mix { ramps: targets.map(|row| row.map(|t| Ramp::with_seconds(t, PAN_GLIDE_SECONDS, sample_rate_hz))) }
    }

    fn set_targets(&mut self, targets: [[f64; 2]; 2]) {
        for (ramp, target) in self.ramps.iter_mut().flatten().zip(targets.into_iter().flatten()) {
            ramp.set_target(target);
        }
    }

    fn reset(&mut self) {
        self.ramps.iter_mut().flatten().for_each(Ramp::snap);
    }

    /// Whether it changes no bit, from here on.
    fn is_neutral(&self) -> bool {
        let now = self.ramps.map(|row| row.map(|ramp| ramp.value()));
        now == IDENTITY && !self.ramps.iter().flatten().any(Ramp::is_moving)
    }

    fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut frames = left.iter_mut().zip(right.iter_mut());
        while self.ramps.iter().flatten().any(Ramp::is_moving) {
            let Some((l, r)) = frames.next() else { return };
            let [[ll, lr], [rl, rr]] = &mut self.ramps;
            let (a, b) = (f64::from(*l), f64::from(*r));
            *l = (ll.next_value() * a + lr.next_value() * b) as f32;
            *r = (rl.next_value() * a + rr.next_value() * b) as f32;
        }
        let now = self.ramps.map(|row| row.map(|ramp| ramp.value()));
        if now == IDENTITY {
            return;
        }
        let [[ll, lr], [rl, rr]] = now;
        for (l, r) in frames {
            let (a, b) = (f64::from(*l), f64::from(*r));
            *l = (ll * a + lr * b) as f32;
            *r = (rl * a + rr * b) as f32;
        }
    }
}

/// Delays the side from which the sound moves away.
#[derive(Clone, Debug)]
struct TimePan {
    sample_rate_hz: f64,
    sides: [FractionalDelay; 2],
}

impl TimePan {
    fn new(seconds: f64, sample_rate_hz: f64) -> Self {
        let longest = LONGEST_SECONDS * sample_rate_hz;
        let fade_frames = (PAN_GLIDE_SECONDS * sample_rate_hz) as u32;
        let delays = Self::delays(seconds, sample_rate_hz);
        TimePan { sample_rate_hz, sides: delays.map(|frames| FractionalDelay::new(frames, longest, fade_frames)) }
    }

    /// Frames by which each side comes later.
    fn delays(seconds: f64, sample_rate_hz: f64) -> [f64; 2] {
        [seconds, -seconds].map(|later| later.max(0.0) * sample_rate_hz)
    }

    fn set_target(&mut self, seconds: f64) {
        for (side, frames) in self.sides.iter_mut().zip(Self::delays(seconds, self.sample_rate_hz)) {
            side.set_delay(frames);
        }
    }

    fn reset(&mut self) {
        self.sides.iter_mut().for_each(FractionalDelay::reset);
    }

    fn on_grid(&mut self) {
        self.sides.iter_mut().for_each(FractionalDelay::on_grid);
    }

    fn tail_frames(&self) -> usize {
        self.sides.iter().map(FractionalDelay::tail_frames).max().unwrap_or(0)
    }

    /// Whether neither side is late, from here on.
    fn is_neutral(&self) -> bool {
        self.sides.iter().all(FractionalDelay::is_neutral)
    }

    /// What passes while neither side is late.
    fn remember<const CH: usize>(&mut self, channels: [&[f32]; CH]) {
        for (side, channel) in self.sides.iter_mut().zip(channels) {
            side.remember(channel);
        }
    }

    fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let [late_left, late_right] = &mut self.sides;
        late_left.process(left);
        late_right.process(right);
    }
}

/// The most that a side is late, in seconds.
const LONGEST_SECONDS: f64 = 0.000_7;
