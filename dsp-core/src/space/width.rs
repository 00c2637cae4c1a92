//! Width in mid and side, and mono below a frequency.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// How long a moved crossover takes to arrive, in seconds.
pub const CROSSOVER_GLIDE_SECONDS: f64 = 0.1;

/// Scales the side signal, and takes its low end away.
///
/// Mono below f: the side goes through a Linkwitz-Riley high-pass of 24 dB/oct (S. Linkwitz, JAES 24(1), 1976: two
/// Butterworth sections, −6 dB at f), the mid through the all-pass that this high-pass and its low-pass add up to,
/// (s² − √2 s + 1)/(s² + √2 s + 1). So mid and side stay in phase and nothing but the side's low end changes: left plus
/// right stays flat, and above the crossover each side keeps its level and its place. Both in f64; sections in the
/// topology-preserving form (V. Zavalishin, The Art of VA Filter Design, 2018, ch. 4).
///
/// At 100 % and with mono off it changes no bit.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    side_gain: Ramp,
    /// 0 without, 1 with the low end in mono.
    mono: Ramp,
    /// log2 of the crossover in hertz.
    mono_octave: Ramp,
    sample_rate_hz: f64,
    coefficients: Coefficients,
    /// What g grows by from frame to frame, up to the next point of the grid.
    step: f64,
    mid: Section,
    side: [Section; 2],
}

impl Width {
    /// At rest: the side times `side_gain`, mono below `mono_below_hz` if that is given. Glides of the gain and of
    /// the low end take `glide_seconds`.
    /// Real-time safe.
    #[must_use]
    pub fn new(side_gain: f64, mono_below_hz: Option<f64>, glide_seconds: f64, sample_rate_hz: f64) -> Self {
        let ramp = |value| Ramp::with_seconds(value, glide_seconds, sample_rate_hz);
        let octave = math::log2(mono_below_hz.unwrap_or(100.0));
        Width {
            side_gain: ramp(side_gain),
            mono: ramp(if mono_below_hz.is_some() { 1.0 } else { 0.0 }),
            mono_octave: Ramp::with_seconds(octave, CROSSOVER_GLIDE_SECONDS, sample_rate_hz),
            sample_rate_hz,
            coefficients: Coefficients::new(math::exp2(octave), sample_rate_hz),
            step: 0.0,
            mid: Section::default(),
            side: [Section::default(); 2],
        }
    }

    /// Moves the targets. Real-time safe.
    pub fn set_targets(&mut self, side_gain: f64, mono_below_hz: Option<f64>) {
        self.side_gain.set_target(side_gain);
        if let Some(hz) = mono_below_hz {
            self.mono_octave.set_target(math::log2(hz));
            if !self.filters() {
                self.mono_octave.snap();
                self.update_coefficients();
            }
        }
        self.mono.set_target(if mono_below_hz.is_some() { 1.0 } else { 0.0 });
    }

    /// Forgets all audio and arrives at the targets. Real-time safe.
    pub fn reset(&mut self) {
        self.side_gain.snap();
        self.mono.snap();
        self.mono_octave.snap();
        self.update_coefficients();
        self.forget();
    }

    /// What happens on a point of the control grid: the crossover glides, and quiet state falls silent. Real-time safe.
    pub fn on_grid(&mut self) {
        if !self.filters() {
            return;
        }
        if self.mono_octave.is_moving() {
            self.update_coefficients();
            self.mono_octave.advance(GRID_FRAMES);
            let g = Coefficients::new(math::exp2(self.mono_octave.value()), self.sample_rate_hz).g;
            self.step = (g - self.coefficients.g) / GRID_FRAMES as f64;
        } else if self.step != 0.0 {
            self.update_coefficients();
        }
        for section in self.side.iter_mut().chain([&mut self.mid]) {
            section.band = math::flush(section.band);
            section.low = math::flush(section.low);
        }
    }

    /// Whether it changes no bit until its targets move. Real-time safe.
    #[must_use]
    pub fn is_neutral(&self) -> bool {
        !self.filters() && !self.side_gain.is_moving() && self.side_gain.target() == 1.0
    }

    /// Processes in place, at most up to the next point of the grid. Real-time safe.
    pub fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut frames = left.iter_mut().zip(right.iter_mut());
        while self.side_gain.is_moving() || self.mono.is_moving() {
            let Some((l, r)) = frames.next() else { return };
            let (mid, side) = mid_side(*l, *r);
            let filters = self.filters();
            let (mono, gain) = (self.mono.next_value(), self.side_gain.next_value());
            let (low_mid, low_side) = if filters { self.filter(mid, side) } else { (mid, side) };
            let mid = mid + mono * (low_mid - mid);
            let side = (side + mono * (low_side - side)) * gain;
            (*l, *r) = ((mid + side) as f32, (mid - side) as f32);
            if filters && !self.filters() {
                self.forget();
            }
        }
        let gain = self.side_gain.value();
        if self.filters() {
            for (l, r) in frames {
                let (mid, side) = mid_side(*l, *r);
                let (mid, side) = self.filter(mid, side);
                (*l, *r) = ((mid + side * gain) as f32, (mid - side * gain) as f32);
            }
        } else if gain != 1.0 {
            // the same in left and right: mid + gain side = left (1 + gain)/2 + right (1 − gain)/2
            let (own, other) = ((1.0 + gain) / 2.0, (1.0 - gain) / 2.0);
            for (l, r) in frames {
                let (a, b) = (f64::from(*l), f64::from(*r));
                (*l, *r) = ((own * a + other * b) as f32, (own * b + other * a) as f32);
            }
        }
    }

    /// Frames until the filters are silent after their input has been: their slowest double pole decays by
    /// exp(−√½ 2π f t), so from the loudest input, 10^10, to 10⁻³⁰ takes 92 nepers and 10 more for the t of the double
    /// pole. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        if !self.filters() {
            return 0;
        }
        let hz = math::exp2(self.mono_octave.target().min(self.mono_octave.value()));
        (102.0 * self.sample_rate_hz / (math::SQRT_2 * math::PI * hz)).ceil() as usize
    }

    /// Whether the filters run.
    fn filters(&self) -> bool {
        self.mono.is_moving() || self.mono.target() != 0.0
    }

    fn filter(&mut self, mid: f64, side: f64) -> (f64, f64) {
        if self.step != 0.0 {
            self.coefficients = Coefficients::from_g(self.coefficients.g + self.step);
        }
        let c = self.coefficients;
        let mid = mid - 2.0 * c.k * self.mid.step(c, mid).0;
        let [first, second] = &mut self.side;
        let (band, low) = first.step(c, side);
        let once = side - c.k * band - low;
        let (band, low) = second.step(c, once);
        (mid, once - c.k * band - low)
    }

    fn forget(&mut self) {
        self.mid = Section::default();
        self.side = [Section::default(); 2];
    }

    fn update_coefficients(&mut self) {
        self.coefficients = Coefficients::new(math::exp2(self.mono_octave.value()), self.sample_rate_hz);
        self.step = 0.0;
    }
}

/// Amplitude of the side signal at `frequency_hz` where the low end is mono below `mono_below_hz`, as the filter
/// at `sample_rate_hz` gives it: x⁴/(1 + x⁴) in the ratio x of the frequencies' tangents. Real-time safe.
#[must_use]
pub fn side_response(frequency_hz: f64, mono_below_hz: f64, sample_rate_hz: f64) -> f64 {
    let x = math::tan(math::PI * frequency_hz / sample_rate_hz) / math::tan(math::PI * mono_below_hz / sample_rate_hz);
    let x4 = (x * x) * (x * x);
    x4 / (1.0 + x4)
}

fn mid_side(left: f32, right: f32) -> (f64, f64) {
    let (left, right) = (f64::from(left), f64::from(right));
    ((left + right) / 2.0, (left - right) / 2.0)
}

/// Coefficients of a Butterworth section.
#[derive(Clone, Copy, Debug)]
struct Coefficients {
    g: f64,
    k: f64,
    a: f64,
}

impl Coefficients {
    fn new(hz: f64, sample_rate_hz: f64) -> Self {
        // the bilinear transform puts the analogue frequency tan(π f / rate) at f
        Self::from_g(math::tan(math::PI * hz / sample_rate_hz))
    }

    fn from_g(g: f64) -> Self {
        // Butterworth: 1/Q = √2
        let k = math::SQRT_2;
        Coefficients { g, k, a: 1.0 / (1.0 + g * (g + k)) }
    }
}

/// The two integrators of a section.
#[derive(Clone, Copy, Debug, Default)]
struct Section {
    band: f64,
    low: f64,
}

impl Section {
    /// Band-pass and low-pass.
    fn step(&mut self, c: Coefficients, input: f64) -> (f64, f64) {
        let band = c.a * (self.band + c.g * (input - self.low));
        let low = self.low + c.g * band;
        self.band = 2.0 * band - self.band;
        self.low = 2.0 * low - self.low;
        (band, low)
    }
}
