//! The two ends of a strip: input trim with polarity, and output gain.

use crate::block::Block;
use crate::controls;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig};
use crate::ramp::Ramp;
use crate::range::{Range, Unit};

/// How long a moved level takes to arrive, in seconds.
pub const LEVEL_GLIDE_SECONDS: f64 = 0.02;

controls! {
    /// Input: trim and polarity. An offset passes as it is, so that neutral settings change no bit, and makes no click when
    /// they move: gains glide. Low cuts (a band's, a key filter's) take it away where it is not wanted.
    pub struct InputParams {
        /// Gain ahead of all processing, in decibels.
        pub trim_db: f64 = float("Trim", Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2)),
        /// Turns the left (or only) channel's polarity around.
        pub invert_left: bool = switch("Invert Left", false),
        /// Turns the right channel's polarity around.
        pub invert_right: bool = switch("Invert Right", false),
    }
}

controls! {
    /// Output: gain.
    pub struct OutputParams {
        /// Gain after all processing, in decibels; −100 is silence.
        pub gain_db: f64 = float("Gain", Range::linear(-100.0, 12.0, 0.0, Unit::DecibelToSilence, 2)),
    }
}

/// Trim ±24 dB, and polarity of each side. At 0 dB it changes no bit.
#[derive(Clone, Debug)]
pub struct Input<const CH: usize> {
    gains: Gains<CH>,
}

/// Gain from silence to +12 dB. At 0 dB it changes no bit.
#[derive(Clone, Debug)]
pub struct Output<const CH: usize> {
    gains: Gains<CH>,
}

impl<const CH: usize> Input<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Input { gains: Gains::new() }
    }

    fn targets(params: &InputParams) -> [f64; CH] {
        let gain = math::db_to_gain(params.trim_db);
        let invert = [params.invert_left, params.invert_right];
        std::array::from_fn(|c| if invert.get(c) == Some(&true) { -gain } else { gain })
    }
}

impl<const CH: usize> Output<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Output { gains: Gains::new() }
    }

    fn targets(params: &OutputParams) -> [f64; CH] {
        let silence = params.gain_db <= -100.0;
        [if silence { 0.0 } else { math::db_to_gain(params.gain_db) }; CH]
    }
}

impl<const CH: usize> Processor<CH> for Input<CH> {
    type Params = InputParams;

    fn prepare(&mut self, config: StreamConfig, params: &InputParams) -> Result<(), PrepareError> {
        config.check()?;
        self.gains.prepare(config, Self::targets(&controls::clamped(params)));
        Ok(())
    }

    fn reset(&mut self) {
        self.gains.reset();
    }

    fn set_params(&mut self, params: &InputParams) {
        self.gains.set_targets(Self::targets(&controls::clamped(params)));
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        self.gains.process(block);
    }
}

impl<const CH: usize> Processor<CH> for Output<CH> {
    type Params = OutputParams;

    fn prepare(&mut self, config: StreamConfig, params: &OutputParams) -> Result<(), PrepareError> {
        config.check()?;
        self.gains.prepare(config, Self::targets(&controls::clamped(params)));
        Ok(())
    }

    fn reset(&mut self) {
        self.gains.reset();
    }

    fn set_params(&mut self, params: &OutputParams) {
        self.gains.set_targets(Self::targets(&controls::clamped(params)));
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        self.gains.process(block);
    }
}

impl<const CH: usize> Default for Input<CH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CH: usize> Default for Output<CH> {
    fn default() -> Self {
        Self::new()
    }
}

/// A linear gain for each channel, gliding sample by sample.
#[derive(Clone, Debug)]
struct Gains<const CH: usize> {
    ramps: [Ramp; CH],
}

impl<const CH: usize> Gains<CH> {
    fn new() -> Self {
        Gains { ramps: [Ramp::new(1.0, 1); CH] }
    }

    fn prepare(&mut self, config: StreamConfig, targets: [f64; CH]) {
        self.ramps = targets.map(|t| Ramp::with_seconds(t, LEVEL_GLIDE_SECONDS, config.sample_rate_hz));
    }

    fn reset(&mut self) {
        self.ramps.iter_mut().for_each(Ramp::snap);
    }

    fn set_targets(&mut self, targets: [f64; CH]) {
        for (ramp, target) in self.ramps.iter_mut().zip(targets) {
            ramp.set_target(target);
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        if self.ramps.iter().all(|ramp| !ramp.is_moving() && ramp.value() == 1.0) {
            return;
        }
        for (channel, ramp) in block.channels().iter_mut().zip(&mut self.ramps) {
            let mut samples = channel.iter_mut();
            while ramp.is_moving() {
                match samples.next() {
                    Some(sample) => *sample = (f64::from(*sample) * ramp.next_value()) as f32,
                    None => break,
                }
            }
            let gain = ramp.value();
            if gain != 1.0 {
                samples.for_each(|s| *s = (f64::from(*s) * gain) as f32);
            }
        }
    }
}
