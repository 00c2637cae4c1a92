//! Tandem Master's signal path: input, equalizer, limiter, meter.

use crate::block::Block;
use crate::chain::Chain;
use crate::chain::bypass::Bypass;
use crate::chain::peaks::{self, Peaks};
use crate::controls;
use crate::dynamics::limiter::{Limiter, LimiterParams};
use crate::equalizer::{Equalizer, EqualizerParams};
use crate::level::{Input, InputParams};
use crate::math;
use crate::metering::loudness::LoudnessReading;
use crate::metering::meter::{Meter, MeterParams};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};

controls! {
    /// Everything that can be set on the master.
    pub struct MasteringBusParams {
        /// The dry signal instead, delayed to match.
        pub bypass: bool = switch("Bypass", false),
        /// Trim and polarity.
        pub input: InputParams = group("Input"),
        /// Broad equalizer.
        pub eq: EqualizerParams<MASTER_BANDS> = group("EQ"),
        /// Limiter and maximizer.
        pub limiter: LimiterParams = group("Limiter"),
        /// What is measured when.
        pub meter: MeterParams = group("Meter"),
    }
}

/// Tandem Master: its stages in their order.
#[derive(Clone, Debug, Default)]
pub struct MasteringBus<const CH: usize> {
    params: MasteringBusParams,
    bypass: Bypass<CH>,
    input: Input<CH>,
    eq: Equalizer<CH, MASTER_BANDS>,
    limiter: Limiter<CH>,
    meter: Meter<CH>,
    input_peaks: Peaks,
    output_peaks: Peaks,
}

/// Bands of the master's equalizer.
pub const MASTER_BANDS: usize = 8;

/// What the meters of the master show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MasteringReading {
    /// Sample peaks of the last block after the trim.
    pub input_peaks: Peaks,
    /// The limiter's largest gain reduction since the last reading, in decibels, at least 0.
    pub gain_reduction_db: f32,
    /// Sample peaks of the last block that went out.
    pub output_peaks: Peaks,
    /// The highest true peak of the measurement, in dBTP; `None` before there is one.
    pub true_peak_dbtp: Option<f64>,
    /// Loudness of the measurement.
    pub loudness: LoudnessReading,
}

impl<const CH: usize> MasteringBus<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<const CH: usize> Chain<CH> for MasteringBus<CH> {
    type Reading = MasteringReading;

    fn reading(&mut self) -> MasteringReading {
        let limiter = self.limiter.take_reading();
        let least = limiter.least_gain.into_iter().fold(1.0, f32::min);
        let meter = self.meter.reading();
        let greatest = |peaks: [f64; CH]| peaks.into_iter().fold(f64::NEG_INFINITY, f64::max);
        MasteringReading {
            input_peaks: self.input_peaks,
            gain_reduction_db: -math::gain_to_db(f64::from(least)) as f32,
            output_peaks: self.output_peaks,
            true_peak_dbtp: meter.true_peak_dbtp.map(greatest),
            loudness: meter.loudness,
        }
    }
}

impl<const CH: usize> Processor<CH> for MasteringBus<CH> {
    type Params = MasteringBusParams;

    fn prepare(&mut self, config: StreamConfig, params: &MasteringBusParams) -> Result<(), PrepareError> {
        self.params = controls::clamped(params);
        let p = self.params;
        self.input.prepare(config, &p.input)?;
        self.eq.prepare(config, &p.eq)?;
        self.limiter.prepare(config, &p.limiter)?;
        self.meter.prepare(config, &p.meter)?;
        self.bypass.prepare(config, self.latency_frames(), p.bypass);
        Ok(())
    }

    fn reset(&mut self) {
        self.bypass.reset();
        self.input.reset();
        self.eq.reset();
        self.limiter.reset();
        self.meter.reset();
    }

    fn set_params(&mut self, params: &MasteringBusParams) {
        let p = controls::clamped(params);
        if p == self.params {
            return;
        }
        self.params = p;
        self.bypass.set(p.bypass);
        self.input.set_params(&p.input);
        self.eq.set_params(&p.eq);
        self.limiter.set_params(&p.limiter);
        self.meter.set_params(&p.meter);
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.bypass.take_dry(block);
        self.input.process(block);
        self.input_peaks = peaks::of(block);
        self.eq.process(block);
        self.limiter.process(block);
        self.bypass.blend(block);
        // what is heard is measured
        self.meter.process(block);
        self.output_peaks = peaks::of(block);
    }

    fn latency_frames(&self) -> usize {
        self.input.latency_frames()
            + self.eq.latency_frames()
            + self.limiter.latency_frames()
            + self.meter.latency_frames()
    }

    fn tail(&self) -> Tail {
        let tails = [self.input.tail(), self.eq.tail(), self.limiter.tail(), self.meter.tail()];
        tails.into_iter().fold(Tail::Frames(0), Tail::then)
    }
}
