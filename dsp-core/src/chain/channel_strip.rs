//! Tandem Channel's signal path: input, compressor, panner, output.

use crate::block::Block;
use crate::chain::Chain;
use crate::chain::bypass::Bypass;
use crate::chain::peaks::{self, Peaks};
use crate::controls;
use crate::dynamics::compressor::{Compressor, CompressorParams, CompressorReading};
use crate::level::{Input, InputParams, Output, OutputParams};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::space::panner::{Panner, PannerParams};

controls! {
    /// Everything that can be set on a channel.
    pub struct ChannelStripParams {
        /// The dry signal instead, delayed to match.
        pub bypass: bool = switch("Bypass", false),
        /// Trim and polarity.
        pub input: InputParams = group("Input"),
        /// Dynamics.
        pub compressor: CompressorParams = group("Comp"),
        /// Place and width.
        pub panner: PannerParams = group("Pan"),
        /// Gain.
        pub output: OutputParams = group("Output"),
    }
}

/// The channel strip.
#[derive(Clone, Debug, Default)]
pub struct ChannelStrip<const CH: usize> {
    params: ChannelStripParams,
    bypass: Bypass<CH>,
    input: Input<CH>,
    compressor: Compressor<CH>,
    panner: Panner<CH>,
    output: Output<CH>,
    reading: ChannelReading,
}

/// What the meters of a channel show, as of the last block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChannelReading {
    /// Sample peaks that came in, after the trim.
    pub input_peaks: Peaks,
    /// What the compressor does.
    pub compressor: CompressorReading,
    /// Sample peaks that went out.
    pub output_peaks: Peaks,
}

impl<const CH: usize> ChannelStrip<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<const CH: usize> Chain<CH> for ChannelStrip<CH> {
    type Reading = ChannelReading;

    fn reading(&self) -> ChannelReading {
        self.reading
    }
}

impl<const CH: usize> Processor<CH> for ChannelStrip<CH> {
    type Params = ChannelStripParams;

    fn prepare(&mut self, config: StreamConfig, params: &ChannelStripParams) -> Result<(), PrepareError> {
        self.params = controls::clamped(params);
        let p = self.params;
        self.input.prepare(config, &p.input)?;
        self.compressor.prepare(config, &p.compressor)?;
        self.panner.prepare(config, &p.panner)?;
        self.output.prepare(config, &p.output)?;
        self.bypass.prepare(config, self.latency_frames(), p.bypass);
        Ok(())
    }

    fn reset(&mut self) {
        self.bypass.reset();
        self.input.reset();
        self.compressor.reset();
        self.panner.reset();
        self.output.reset();
    }

    fn set_params(&mut self, params: &ChannelStripParams) {
        let p = controls::clamped(params);
        if p == self.params {
            return;
        }
        self.params = p;
        self.bypass.set(p.bypass);
        self.input.set_params(&p.input);
        self.compressor.set_params(&p.compressor);
        self.panner.set_params(&p.panner);
        self.output.set_params(&p.output);
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.bypass.take_dry(block);
        self.input.process(block);
        self.reading.input_peaks = peaks::of(block);
        self.compressor.process(block);
        self.reading.compressor = self.compressor.reading();
        self.panner.process(block);
        self.output.process(block);
        self.bypass.blend(block);
        self.reading.output_peaks = peaks::of(block);
    }

    fn latency_frames(&self) -> usize {
        self.input.latency_frames()
            + self.compressor.latency_frames()
            + self.panner.latency_frames()
            + self.output.latency_frames()
    }

    fn tail(&self) -> Tail {
        self.input.tail().then(self.compressor.tail()).then(self.panner.tail()).then(self.output.tail())
    }
}
