//! Where everything is read: a kind at a size, in frames, and the crossfade from one such layout to the next.

use super::Space;
use super::decay::DecayCurve;
use super::kind::{Kind, REFLECTIONS, SPREAD, STAGES, kind};
use super::vectors::LINES;
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use crate::ramp::Ramp;

/// How long a crossfade takes, in seconds.
pub(super) const LAYOUT_FADE_SECONDS: f64 = 0.08;
/// The largest size, as a ratio.
pub(super) const MAX_SIZE: f64 = 1.5;
/// The longest line takes at most this part of the shortest decay, so that what is heard decays as it was set from the start. So
/// short a decay in so large a space does not exist: the mean free path of a room bounds its decay from below (W. C. Sabine,
/// Collected Papers on Acoustics, 1922). Measured on the hall at 0.1 to 0.8 s: with 0.17 T30 is within 2 % of the set one at 2 to 8 kHz;
/// with 0.2 of the middle decay alone, and no bound of the diffuser, it is up to 10 % longer.
const LONGEST_LINE_PER_DECAY: f64 = 0.17;
/// The diffuser's stages together take at most this part of the shortest decay: while they fill up, nothing decays.
const DIFFUSER_PER_DECAY: f64 = 0.12;
/// Between which frequencies the shortest decay is looked for: those of the octaves whose decay is held.
const DECAY_RANGE_HZ: [f64; 2] = [125.0, 8000.0];
/// The shortest decay counts as no less than this part of the middle one, so that a very dark space does not become a very small one.
const SHORTEST_PER_MIDDLE: f64 = 0.1;

/// Delays in frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Of each line.
    pub lines: [u32; LINES],
    /// Of each channel in each stage of the diffuser.
    pub diffuser: [[u32; LINES]; STAGES],
    /// Of the early reflections that each output hears: frames, gain, from the other side.
    pub early: [[(u32, f32, bool); REFLECTIONS]; 2],
    /// How many of them there are.
    pub reflections: [usize; 2],
}

/// What a layout is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub space: Space,
    /// Size of the lines after the bound that the decay sets, as a ratio.
    pub scale: f64,
    /// The same of the early reflections and the diffuser, which have a bound of their own.
    pub early_scale: f64,
}

impl Plan {
    /// A kind at `size`, as far as the decay lets it be. Real-time safe.
    pub fn new(space: Space, size: f64, curve: &DecayCurve) -> Self {
        let kind = kind(space);
        let longest_line_seconds = kind.lines_ms.iter().fold(0.0f64, |a, b| a.max(*b)) / 1000.0;
        let diffuser_seconds = kind.diffuser_ms.iter().sum::<f64>() / 1000.0;
        let shortest = DECAY_RANGE_HZ.map(|hz| curve.seconds(hz)).iter().fold(curve.mid_seconds, |a, b| a.min(*b));
        let decay_seconds = shortest.max(SHORTEST_PER_MIDDLE * curve.mid_seconds);
        let scale = size.min(LONGEST_LINE_PER_DECAY * decay_seconds / longest_line_seconds);
        Plan { space, scale, early_scale: scale.min(DIFFUSER_PER_DECAY * decay_seconds / diffuser_seconds) }
    }

    /// Real-time safe. No line is under `shortest_line` frames.
    pub fn layout(&self, sample_rate_hz: f64, shortest_line: u32) -> Layout {
        let kind = kind(self.space);
        let scaled = |scale: f64, ms: f64| (ms * scale * sample_rate_hz / 1000.0 + 0.5) as u32;
        let frames = |ms: f64| scaled(self.scale, ms);
        let early_frames = |ms: f64| scaled(self.early_scale, ms);
        let mut early = [[(0, 0.0, false); REFLECTIONS]; 2];
        for (places, reflections) in early.iter_mut().zip(kind.early) {
            for (place, (ms, gain, other)) in places.iter_mut().zip(reflections) {
                *place = (early_frames(*ms), (gain * kind.early_energy.sqrt()) as f32, *other);
            }
        }
        Layout {
            lines: distinct(kind.lines_ms.map(|ms| frames(ms).max(shortest_line))),
            diffuser: std::array::from_fn(|s| SPREAD[s].map(|share| early_frames(share * kind.diffuser_ms[s]))),
            early,
            reflections: kind.early.map(|reflections| reflections.len().min(REFLECTIONS)),
        }
    }
}

/// No two lines of one length: later ones give way, at low rates and small sizes.
fn distinct(mut lines: [u32; LINES]) -> [u32; LINES] {
    for i in 1..LINES {
        while lines[..i].contains(&lines[i]) {
            lines[i] += 1;
        }
    }
    lines
}

/// The longest delays of any layout at this rate, in frames: of each line, of each stage's channels, of the reflections.
pub(super) fn longest_frames(sample_rate_hz: f64, shortest_line: u32) -> ([usize; LINES], [usize; STAGES], usize) {
    let per_ms = MAX_SIZE * sample_rate_hz / 1000.0;
    let kinds = || Space::ALL.iter().map(|space| kind(*space));
    let longest = |of: &dyn Fn(&Kind) -> f64| (kinds().map(of).fold(0.0f64, f64::max) * per_ms).ceil() as usize;
    // what a line is lengthened by to differ from the others, and what its end moves beyond the two spans that a ring has to spare
    let spare = LINES.max((shortest_line as usize).saturating_sub(3 * GRID_FRAMES));
    let lines = std::array::from_fn(|i| longest(&|k| k.lines_ms[i]).max(shortest_line as usize) + spare);
    let stages = std::array::from_fn(|s| longest(&|k| k.diffuser_ms[s]) + 1);
    let early =
        longest(&|k| k.early.iter().flat_map(|side| side.iter()).fold(0.0f64, |latest, (ms, ..)| latest.max(*ms)));
    (lines, stages, early + 1)
}

/// The layout that is heard, the one that comes in, and how much of it.
#[derive(Clone, Debug)]
pub(super) struct Layouts {
    sample_rate_hz: f64,
    shortest_line: u32,
    plan: Plan,
    pub now: Layout,
    /// While one comes in.
    pub next: Option<Layout>,
    fade: Ramp,
    /// Share of the next at every frame of the span.
    pub share: Lane,
}

impl Layouts {
    pub fn new(plan: Plan, sample_rate_hz: f64, shortest_line: u32) -> Self {
        Layouts {
            sample_rate_hz,
            shortest_line,
            plan,
            now: plan.layout(sample_rate_hz, shortest_line),
            next: None,
            fade: Ramp::with_seconds(0.0, LAYOUT_FADE_SECONDS, sample_rate_hz),
            share: [0.0; GRID_FRAMES],
        }
    }

    /// What is heard, or comes in.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Arrives at `plan` at once.
    pub fn snap(&mut self, plan: Plan) {
        *self = Layouts::new(plan, self.sample_rate_hz, self.shortest_line);
    }

    /// On the control grid: ends a fade that has arrived, and starts one to `plan` if that is another and none is under
    /// way. Whether anything changed.
    pub fn on_grid(&mut self, plan: Plan) -> bool {
        let arrived = !self.fade.is_moving() && self.next.is_some();
        if let (true, Some(next)) = (arrived, self.next) {
            self.now = next;
            self.next = None;
            self.fade.snap_to(0.0);
            self.share = [0.0; GRID_FRAMES];
        }
        if self.next.is_none() && plan != self.plan {
            self.plan = plan;
            self.next = Some(plan.layout(self.sample_rate_hz, self.shortest_line));
            self.fade.set_target(1.0);
            return true;
        }
        arrived
    }

    /// The shares of a span of `len` frames.
    pub fn advance(&mut self, len: usize) {
        if self.next.is_some() {
            self.share.iter_mut().take(len).for_each(|share| *share = self.fade.next_value() as f32);
        }
    }

    /// Each line's length at this point, in frames.
    pub fn line_frames(&self) -> [f64; LINES] {
        let share = self.fade.value();
        std::array::from_fn(|i| {
            let now = f64::from(self.now.lines[i]);
            self.next.map_or(now, |next| now + share * (f64::from(next.lines[i]) - now))
        })
    }
}
