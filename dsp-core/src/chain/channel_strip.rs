//! Tandem Channel's signal path: input, gate, equalizer, compressor, saturation, panner, output.

use crate::block::Block;
use crate::chain::Chain;
use crate::chain::bypass::Bypass;
use crate::chain::peaks::{self, Peaks};
use crate::controls;
use crate::dynamics::compressor::{Compressor, CompressorParams, CompressorReading};
use crate::dynamics::gate::{Gate, GateParams, GateReading};
use crate::equalizer::{Equalizer, EqualizerParams};
use crate::level::{Input, InputParams, Output, OutputParams};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::saturation::saturator::{Saturation, SaturationParams};
use crate::space::panner::{Panner, PannerParams};

controls! {
    /// Everything that can be set on a channel.
    pub struct ChannelStripParams {
        /// The dry signal instead, delayed to match.
        pub bypass: bool = switch("Bypass", false),
        /// Trim and polarity.
        pub input: InputParams = group("Input"),
        /// Gate and expander.
        pub gate: GateParams = group("Gate"),
        /// Equalizer.
        pub eq: EqualizerParams<CHANNEL_BANDS> = group("EQ"),
        /// Compressor.
        pub compressor: CompressorParams = group("Compressor"),
        /// Saturation.
        pub saturation: SaturationParams = group("Saturation"),
        /// Place and width.
        pub panner: PannerParams = group("Panner"),
        /// Gain.
        pub output: OutputParams = group("Output"),
    }
}

/// Tandem Channel: its stages in their order.
#[derive(Clone, Debug, Default)]
pub struct ChannelStrip<const CH: usize> {
    params: ChannelStripParams,
    bypass: Bypass<CH>,
    input: Input<CH>,
    gate: Gate<CH>,
    eq: Equalizer<CH, CHANNEL_BANDS>,
    compressor: Compressor<CH>,
    saturation: Saturation<CH>,
    panner: Panner<CH>,
    output: Output<CH>,
    input_peaks: Peaks,
    output_peaks: Peaks,
}

/// Bands of the channel's equalizer.
pub const CHANNEL_BANDS: usize = 12;

/// What the meters of a channel show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChannelReading {
    /// Sample peaks of the last block after the trim.
    pub input_peaks: Peaks,
    /// What the gate does.
    pub gate: GateReading,
    /// What the compressor does.
    pub compressor: CompressorReading,
    /// Sample peaks of the last block that went out.
    pub output_peaks: Peaks,
}

impl<const CH: usize> ChannelStrip<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<const CH: usize> Chain<CH> for ChannelStrip<CH> {
    type Reading = ChannelReading;

    fn reading(&mut self) -> ChannelReading {
        ChannelReading {
            input_peaks: self.input_peaks,
            gate: self.gate.reading(),
            compressor: self.compressor.reading(),
            output_peaks: self.output_peaks,
        }
    }
}

impl<const CH: usize> Processor<CH> for ChannelStrip<CH> {
    type Params = ChannelStripParams;

    fn prepare(&mut self, config: StreamConfig, params: &ChannelStripParams) -> Result<(), PrepareError> {
        self.params = controls::clamped(params);
        let p = self.params;
        self.input.prepare(config, &p.input)?;
        self.gate.prepare(config, &p.gate)?;
        self.eq.prepare(config, &p.eq)?;
        self.compressor.prepare(config, &p.compressor)?;
        self.saturation.prepare(config, &p.saturation)?;
        self.panner.prepare(config, &p.panner)?;
        self.output.prepare(config, &p.output)?;
        self.bypass.prepare(config, self.latency_frames(), p.bypass);
        Ok(())
    }

    fn reset(&mut self) {
        self.bypass.reset();
        self.input.reset();
        self.gate.reset();
        self.eq.reset();
        self.compressor.reset();
        self.saturation.reset();
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
        self.gate.set_params(&p.gate);
        self.eq.set_params(&p.eq);
        self.compressor.set_params(&p.compressor);
        self.saturation.set_params(&p.saturation);
        self.panner.set_params(&p.panner);
        self.output.set_params(&p.output);
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.bypass.take_dry(block);
        self.input.process(block);
        self.input_peaks = peaks::of(block);
        self.gate.process(block);
        self.eq.process(block);
        self.compressor.process(block);
        self.saturation.process(block);
        self.panner.process(block);
        self.output.process(block);
        self.bypass.blend(block);
        self.output_peaks = peaks::of(block);
    }

    fn latency_frames(&self) -> usize {
        self.input.latency_frames()
            + self.gate.latency_frames()
            + self.eq.latency_frames()
            + self.compressor.latency_frames()
            + self.saturation.latency_frames()
            + self.panner.latency_frames()
            + self.output.latency_frames()
    }

    fn tail(&self) -> Tail {
        let tails = [
            self.input.tail(),
            self.gate.tail(),
            self.eq.tail(),
            self.compressor.tail(),
            self.saturation.tail(),
            self.panner.tail(),
            self.output.tail(),
        ];
        tails.into_iter().fold(Tail::Frames(0), Tail::then)
    }
}
