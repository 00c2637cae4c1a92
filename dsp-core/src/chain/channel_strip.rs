//! Tandem Channel's signal path: input, the modules (gate, equalizer, compressor, saturation) in any order, panner,
//! delay, reverb, output.

use crate::block::Block;
use crate::chain::Chain;
use crate::chain::bypass::{Bypass, Bypassed};
use crate::chain::live_meter::{LiveMeter, LiveReading};
use crate::chain::modules::{Modules, ModulesParams, Order};
use crate::chain::peaks::{self, Peaks};
use crate::controls;
use crate::dynamics::compressor::{CompressorParams, CompressorReading};
use crate::dynamics::gate::{GateParams, GateReading};
use crate::equalizer::EqualizerParams;
use crate::level::{Input, InputParams, Output, OutputParams};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};
use crate::saturation::saturator::SaturationParams;
use crate::space::delay::{Delay, DelayParams};
use crate::space::panner::{Panner, PannerParams};
use crate::space::reverb::{Reverb, ReverbParams};

controls! {
    /// Everything that can be set on a channel.
    pub struct ChannelStripParams {
        /// The dry signal instead, delayed to match.
        pub bypass: bool = switch("Bypass", false),
        /// The dry signal has the gain beside while the channel is bypassed.
        pub match_bypass: bool = switch("Match Bypass", false),
        /// Gain of the dry signal in a matched bypass, in decibels: what `ChannelReading::match_gain_db` told when somebody
        /// took it over.
        pub match_gain_db: f64 = float("Match Gain", Range::linear(-30.0, 30.0, 0.0, Unit::Decibel, 2)),
        /// In what order gate, equalizer, compressor and saturation work.
        pub order: Order = choice("Order", Order::GateEqCompSat),
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
        /// Echoes.
        pub delay: DelayParams = group("Delay"),
        /// Reverb.
        pub reverb: ReverbParams = group("Reverb"),
        /// Gain.
        pub output: OutputParams = group("Output"),
    }
}

/// Tandem Channel: its stages in their order.
#[derive(Clone, Debug, Default)]
pub struct ChannelStrip<const CH: usize> {
    /// As they came, to see quickly that nothing changed.
    raw: ChannelStripParams,
    params: ChannelStripParams,
    bypass: Bypass<CH>,
    input: Input<CH>,
    modules: Modules<CH>,
    panner: Panner<CH>,
    delay: Delay<CH>,
    reverb: Reverb<CH>,
    output: Output<CH>,
    input_peaks: Peaks,
    output_peaks: Peaks,
    watched: bool,
    meter: LiveMeter<CH>,
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
    /// RMS, true peak and loudness of what goes out, while the channel is watched.
    pub output: LiveReading,
    /// The gain at which the bypassed signal is as loud as the channel's, in decibels, by the last ten seconds or so. `None`
    /// while not watched, and for the first second. Written into `match_gain_db`, it takes effect.
    pub match_gain_db: Option<f64>,
}

impl<const CH: usize> ChannelStrip<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl ChannelStripParams {
    fn modules(&self) -> ModulesParams {
        ModulesParams {
            order: self.order,
            gate: self.gate,
            eq: self.eq,
            compressor: self.compressor,
            saturation: self.saturation,
        }
    }

    fn bypassed(&self) -> Bypassed {
        Bypassed { on: self.bypass, gain_db: if self.match_bypass { self.match_gain_db } else { 0.0 } }
    }
}

impl<const CH: usize> Chain<CH> for ChannelStrip<CH> {
    type Reading = ChannelReading;

    fn set_watched(&mut self, watched: bool) {
        if watched && !self.watched {
            self.meter.reset();
        }
        self.watched = watched;
        self.modules.set_measuring(watched);
        self.bypass.set_measuring(watched);
    }

    fn reading(&mut self) -> ChannelReading {
        let (gate, compressor) = self.modules.reading();
        ChannelReading {
            input_peaks: self.input_peaks,
            gate,
            compressor,
            output_peaks: self.output_peaks,
            output: if self.watched { self.meter.take_reading() } else { LiveReading::default() },
            match_gain_db: self.bypass.difference_db(),
        }
    }
}

impl<const CH: usize> Processor<CH> for ChannelStrip<CH> {
    type Params = ChannelStripParams;

    fn prepare(&mut self, config: StreamConfig, params: &ChannelStripParams) -> Result<(), PrepareError> {
        self.raw = *params;
        self.params = controls::clamped(params);
        let p = self.params;
        self.input.prepare(config, &p.input)?;
        self.modules.prepare(config, &p.modules())?;
        self.panner.prepare(config, &p.panner)?;
        self.delay.prepare(config, &p.delay)?;
        self.reverb.prepare(config, &p.reverb)?;
        self.output.prepare(config, &p.output)?;
        self.bypass.prepare(config, self.latency_frames(), p.bypassed());
        self.meter.prepare(config)
    }

    fn reset(&mut self) {
        self.bypass.reset();
        self.input.reset();
        self.modules.reset();
        self.panner.reset();
        self.delay.reset();
        self.reverb.reset();
        self.output.reset();
        self.meter.reset();
    }

    fn set_params(&mut self, params: &ChannelStripParams) {
        if *params == self.raw {
            return;
        }
        self.raw = *params;
        self.params = controls::clamped(params);
        let p = self.params;
        self.bypass.set(p.bypassed());
        self.input.set_params(&p.input);
        self.modules.set_params(&p.modules());
        self.panner.set_params(&p.panner);
        self.delay.set_params(&p.delay);
        self.reverb.set_params(&p.reverb);
        self.output.set_params(&p.output);
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.bypass.take_dry(block);
        self.input.process(block);
        self.input_peaks = peaks::of(block);
        self.modules.process(block);
        self.panner.process(block);
        self.delay.process(block);
        self.reverb.process(block);
        self.output.process(block);
        self.bypass.blend(block);
        self.output_peaks = peaks::of(block);
        if self.watched {
            self.meter.process(block);
        }
    }

    fn latency_frames(&self) -> usize {
        self.input.latency_frames()
            + self.modules.latency_frames()
            + self.panner.latency_frames()
            + self.delay.latency_frames()
            + self.reverb.latency_frames()
            + self.output.latency_frames()
    }

    fn tail(&self) -> Tail {
        let tails = [
            self.input.tail(),
            self.modules.tail(),
            self.panner.tail(),
            self.delay.tail(),
            self.reverb.tail(),
            self.output.tail(),
        ];
        tails.into_iter().fold(Tail::Frames(0), Tail::then)
    }
}
