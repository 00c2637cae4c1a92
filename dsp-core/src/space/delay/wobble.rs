//! Wow and flutter.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// The most that wow and flutter together add to a time, in seconds: 2 % at 0.1 Hz and 1 % at 4 Hz.
pub(super) const MOST_SECONDS: f64 = 0.033;

/// How long a moved depth or rate takes to arrive, in seconds.
const WOBBLE_GLIDE_SECONDS: f64 = 0.2;

/// How long a drift takes to lose all but 37 %, in seconds; and under how many frames it ends.
const DRIFT_SECONDS: f64 = 1.0;
const LEAST_DRIFT_FRAMES: f64 = 1e-5;

/// Two sines that the delay wavers by, slow and quick. Counted in frames from the start of the stream, the same for both
/// sides, as on a tape. A sine of f that deviates the pitch by d at most moves the delay by d/(2π f).
///
/// Where depth or rate move, the tape goes on from where it is, so that the pitch deviates by no more than the depth, and
/// drifts to where the sine has it within a second or so.
#[derive(Clone, Debug)]
pub(super) struct Wobble {
    sines: [Sine; 2],
    /// Added to the delay, in frames, in the span under way.
    offsets: [f64; GRID_FRAMES],
    wavers: bool,
    at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sine {
    /// Greatest deviation of the pitch, as a ratio.
    depth: Ramp,
    /// Turns a frame.
    rate: Ramp,
    /// In turns.
    phase: f64,
    /// Frames by which the delay is off the sine, since depth or rate moved.
    drift: f64,
    /// Size of the sine in the last span, in frames.
    size: f64,
    /// Share of the drift that is left after a span.
    keep: f64,
    /// Sine and cosine of the frames of a span, for the rate at rest.
    turned: [[f64; GRID_FRAMES]; 2],
    turned_rate: f64,
}

impl Wobble {
    /// None.
    pub fn new(sample_rate_hz: f64) -> Self {
        let spans = (WOBBLE_GLIDE_SECONDS * sample_rate_hz / GRID_FRAMES as f64).ceil().max(1.0);
        let ramp = |value| Ramp::new(value, (spans * GRID_FRAMES as f64) as u32);
        let sine = Sine {
            depth: ramp(0.0),
            rate: ramp(0.0),
            phase: 0.0,
            drift: 0.0,
            size: 0.0,
            keep: math::exp(-(GRID_FRAMES as f64) / (DRIFT_SECONDS * sample_rate_hz)),
            turned: [[0.0; GRID_FRAMES]; 2],
            turned_rate: -1.0,
        };
        Wobble { sines: [sine; 2], offsets: [0.0; GRID_FRAMES], wavers: false, at: 0 }
    }

    /// Moves the targets: greatest deviations as ratios, rates in turns a frame. To be called on the grid.
    pub fn set_targets(&mut self, depths: [f64; 2], rates: [f64; 2]) {
        for (sine, (depth, rate)) in self.sines.iter_mut().zip(depths.into_iter().zip(rates)) {
            sine.depth.set_target(depth);
            sine.rate.set_target(rate);
        }
    }

    /// Back to the start; depths and rates arrive.
    pub fn reset(&mut self) {
        for sine in &mut self.sines {
            sine.depth.snap();
            sine.rate.snap();
            sine.phase = 0.0;
            sine.drift = 0.0;
            sine.size = sine.size_now();
        }
    }

    /// The most that is added to the delay, in frames.
    pub fn reach_frames(&self) -> f64 {
        let reach = |sine: &Sine| {
            let depth = sine.depth.target().max(sine.depth.value());
            let size = if depth > 0.0 { depth / (math::TAU * sine.rate.target().min(sine.rate.value())) } else { 0.0 };
            size + sine.drift.abs()
        };
        self.sines.iter().map(reach).sum()
    }

    /// What happens on a point of the control grid: the offsets of the next span.
    pub fn on_grid(&mut self) {
        self.at = 0;
        self.wavers = false;
        self.offsets = [0.0; GRID_FRAMES];
        for sine in &mut self.sines {
            self.wavers |= sine.add(&mut self.offsets);
        }
    }

    /// The next `len` offsets, or none where nothing wavers.
    pub fn offsets(&mut self, len: usize) -> Option<&[f64]> {
        let at = self.at;
        self.at = (at + len).min(GRID_FRAMES);
        self.wavers.then(|| &self.offsets[at..self.at])
    }
}

impl Sine {
    /// Greatest deviation of the delay, in frames.
    fn size_now(&self) -> f64 {
        let depth = self.depth.value();
        if depth > 0.0 { depth / (math::TAU * self.rate.value()) } else { 0.0 }
    }

    /// Adds the next span; whether there was anything to add.
    fn add(&mut self, offsets: &mut [f64; GRID_FRAMES]) -> bool {
        let (size, rate) = (self.size_now(), self.rate.value());
        self.depth.advance(GRID_FRAMES);
        self.rate.advance(GRID_FRAMES);
        let next_rate = self.rate.value();
        let wavers = size != 0.0 || self.size != 0.0 || self.drift != 0.0;
        let frames = GRID_FRAMES as f64;
        if wavers {
            let (s, c) = (math::sin(math::TAU * self.phase), math::cos(math::TAU * self.phase));
            self.drift += (self.size - size) * s;
            self.size = size;
            let kept = if self.drift.abs() > LEAST_DRIFT_FRAMES { self.keep * self.drift } else { 0.0 };
            let step = (kept - self.drift) / frames;
            if rate == next_rate {
                self.turn(rate);
                let [sines, cosines] = &self.turned;
                for n in 0..GRID_FRAMES {
                    offsets[n] += size * (s * cosines[n] + c * sines[n]) + (self.drift + step * n as f64);
                }
            } else {
                for (n, offset) in offsets.iter_mut().enumerate() {
                    let n = n as f64;
                    let turns = self.phase + n * (rate + (next_rate - rate) * n / (2.0 * frames));
                    *offset += size * math::sin(math::TAU * turns) + (self.drift + step * n);
                }
            }
            self.drift = kept;
        }
        let turns = self.phase + frames * 0.5 * (rate + next_rate);
        self.phase = turns - turns.floor();
        wavers
    }

    /// The angles of a span at this rate.
    fn turn(&mut self, rate: f64) {
        if self.turned_rate != rate {
            self.turned_rate = rate;
            for n in 0..GRID_FRAMES {
                let angle = math::TAU * rate * n as f64;
                (self.turned[0][n], self.turned[1][n]) = (math::sin(angle), math::cos(angle));
            }
        }
    }
}
