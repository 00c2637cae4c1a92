//! The stereo image of a whole mix: width, mono below a frequency, balance.

use super::panner::{PanLaw, PanMode, Panner, PannerParams};
use crate::block::Block;
use crate::controls;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};

controls! {
    /// Stereo image of a mix. In mono nothing here does anything.
    pub struct StereoParams {
        /// Whether any of it is heard.
        pub on: bool = switch("On", true),
        /// Level of the side signal: 0 is mono, 100 leaves as it is, 200 doubles it.
        pub width_percent: f64 = float("Width", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Whether the low end is mono.
        pub mono_below: bool = switch("Mono Below", false),
        /// Where the low end's side signal is down by 6 dB, falling at 24 dB/oct, in hertz.
        pub mono_below_hz: f64 = float("Mono Below Frequency", Range::logarithmic(20.0, 300.0, 120.0, Unit::Hertz)),
        /// −100 (left) to 100 (right): the other side fades, linearly, and nothing is raised.
        pub balance: f64 = float("Balance", Range::linear(-100.0, 100.0, 0.0, Unit::Pan, 1)),
    }
}

/// The panner's width, low end and balance, by themselves: what a mix needs of it. See [`Width`](super::width::Width) for
/// the filters.
#[derive(Clone, Debug, Default)]
pub struct Stereo<const CH: usize> {
    panner: Panner<CH>,
}

impl<const CH: usize> Stereo<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

fn panner_params(params: &StereoParams) -> PannerParams {
    PannerParams {
        on: params.on,
        mode: PanMode::Balance,
        law: PanLaw::Zero,
        pan: params.balance,
        width_percent: params.width_percent,
        mono_below: params.mono_below,
        mono_below_hz: params.mono_below_hz,
        ..PannerParams::default()
    }
}

impl<const CH: usize> Processor<CH> for Stereo<CH> {
    type Params = StereoParams;

    fn prepare(&mut self, config: StreamConfig, params: &StereoParams) -> Result<(), PrepareError> {
        self.panner.prepare(config, &panner_params(params))
    }

    fn reset(&mut self) {
        self.panner.reset();
    }

    fn set_params(&mut self, params: &StereoParams) {
        self.panner.set_params(&panner_params(params));
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        self.panner.process(block);
    }

    fn latency_frames(&self) -> usize {
        self.panner.latency_frames()
    }

    fn tail(&self) -> Tail {
        self.panner.tail()
    }
}
