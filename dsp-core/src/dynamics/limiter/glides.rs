//! How the limiter's controls glide, and which signal is heard.

use super::LimiterParams;
use super::history::{Frames, SPAN_FRAMES};
use super::style::Style;
use crate::math;
use crate::ramp::Ramp;

/// How long a moved control takes to arrive, in seconds.
pub(super) const GLIDE_SECONDS: f64 = 0.02;
/// Everything that glides.
#[derive(Clone, Debug)]
pub(super) struct Glides {
    /// How far under the ceiling the output stays besides the style's margin, in dB.
    margin_db: f64,
    pub gain: Ramp,
    pub ceiling: Ramp,
    pub on: Ramp,
    pub delta: Ramp,
    pub unity: Ramp,
    pub transient_link: Ramp,
    pub release_link: Ramp,
    pub knee_db: Ramp,
    pub clip_db: Ramp,
}

impl Glides {
    pub(super) fn new(params: &LimiterParams, sample_rate_hz: f64, margin_db: f64) -> Self {
        let at_rest = || Ramp::with_seconds(0.0, GLIDE_SECONDS, sample_rate_hz);
        let mut glides = Glides {
            margin_db,
            gain: at_rest(),
            ceiling: at_rest(),
            on: at_rest(),
            delta: at_rest(),
            unity: at_rest(),
            transient_link: at_rest(),
            release_link: at_rest(),
            knee_db: at_rest(),
            clip_db: at_rest(),
        };
        glides.set_targets(params, &params.style.laws());
        glides.snap();
        glides
    }

    /// The ceiling that the output is held to, as a ratio to full scale.
    pub(super) fn ceiling_for(&self, params: &LimiterParams, style: &Style) -> f64 {
        math::db_to_gain(params.ceiling_dbtp - style.margin_db - self.margin_db)
    }

    pub(super) fn set_targets(&mut self, params: &LimiterParams, style: &Style) {
        let switch = |on: bool| if on { 1.0 } else { 0.0 };
        let link = |percent: f64| if style.strict { 1.0 } else { percent / 100.0 };
        self.gain.set_target(math::db_to_gain(params.gain_db));
        self.ceiling.set_target(self.ceiling_for(params, style));
        self.on.set_target(switch(params.on));
        self.delta.set_target(switch(params.delta));
        self.unity.set_target(switch(params.unity_gain));
        self.transient_link.set_target(link(params.transient_link_percent));
        self.release_link.set_target(link(params.release_link_percent));
        self.knee_db.set_target(style.knee_db);
        self.clip_db.set_target(style.clip_db);
    }

    pub(super) fn snap(&mut self) {
        for glide in [
            &mut self.gain,
            &mut self.ceiling,
            &mut self.on,
            &mut self.delta,
            &mut self.unity,
            &mut self.transient_link,
            &mut self.release_link,
            &mut self.knee_db,
            &mut self.clip_db,
        ] {
            glide.snap();
        }
    }

    pub(super) fn listening(&mut self, frames: usize) -> Listening {
        let settled = ![self.on, self.delta, self.unity].iter().any(Ramp::is_moving);
        let plain = settled && self.on.target() == 1.0 && self.delta.target() == 0.0 && self.unity.target() == 0.0;
        let mut listening = Listening { plain, ..Listening::default() };
        if !plain {
            listening.on = values(&mut self.on, frames);
            listening.delta = values(&mut self.delta, frames);
            listening.unity = values(&mut self.unity, frames);
        }
        listening
    }
}

/// Which of the signals is heard, frame by frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listening {
    plain: bool,
    on: Frames,
    delta: Frames,
    unity: Frames,
}

impl Listening {
    /// Mixes the limited signal in `out` with the input, delayed, and its gain.
    pub(super) fn mix(&self, out: &mut Frames, input: &Frames, gains: &Frames) {
        if self.plain {
            return;
        }
        let switches = self.on.iter().zip(&self.delta).zip(&self.unity);
        for (((out, input), gain), ((on, delta), unity)) in out.iter_mut().zip(input).zip(gains).zip(switches) {
            let taken = input * gain - *out;
            let heard = *out * (1.0 - delta) + taken * delta;
            let level = (1.0 - unity) + unity / gain;
            *out = input * (1.0 - on) + heard * level * on;
        }
    }
}

/// The values of the coming frames; moves on by them.
#[inline(always)]
pub(super) fn values(ramp: &mut Ramp, frames: usize) -> Frames {
    let mut values = [ramp.target() as f32; SPAN_FRAMES];
    if ramp.is_moving() {
        values[..frames].iter_mut().for_each(|value| *value = ramp.next_value() as f32);
    }
    values
}
