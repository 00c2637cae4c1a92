//! The mastering equalizer: eight bands, in minimum or in linear phase.
//!
//! In linear phase the static curve is that of the analogue filters themselves, by a kernel that is even about its middle:
//! no phase is turned, and the latency is that of the kernel's first half. What moves with the music stays what it is in
//! minimum phase, ahead of the kernel: dynamic parts, which a kernel could not follow within milliseconds, hear the
//! same input as ever and move their bells, shelves and tilts from 0 dB on. Solo is heard through the kernel. All-passes,
//! which are nothing but phase, do nothing.

use crate::block::Block;
use crate::controls;
use crate::equalizer::linear_phase::{self, LinearPhase};
use crate::equalizer::params::{BandParams, EqualizerParams, Shape};
use crate::equalizer::{Equalizer, Reading};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::range::{Range, Unit};
use crate::{choices, math};

/// Bands of the mastering equalizer.
pub const BROAD_BANDS: usize = 8;

choices! {
    /// What an equalizer does to phases.
    pub enum Phase {
        /// What the analogue filters do, without latency.
        Minimum = ("minimum", "Minimum"),
        /// Nothing, with a latency of 43 ms at 48 kHz.
        LinearShort = ("linear_short", "Linear, Short"),
        /// Nothing, with a latency of 128 ms at 48 kHz.
        LinearMedium = ("linear_medium", "Linear, Medium"),
        /// Nothing, with a latency of 341 ms at 48 kHz.
        LinearLong = ("linear_long", "Linear, Long"),
    }
}

impl Phase {
    /// Frames in a partition of the kernel at that rate, in hertz, and how many partitions there are.
    fn partitions(self, sample_rate_hz: f64) -> Option<(usize, usize)> {
        let (frames, partitions) = match self {
            Phase::Minimum => return None,
            Phase::LinearShort => (128.0, 28),
            Phase::LinearMedium => (512.0, 20),
            Phase::LinearLong => (1024.0, 28),
        };
        // as many octaves over or under 48 kHz, to the nearest
        let octaves = math::log2(sample_rate_hz / 48_000.0).round();
        let frames = frames * math::exp2(octaves);
        Some(((frames as usize).next_power_of_two().max(crate::control_grid::GRID_FRAMES), partitions))
    }

    /// Frames by which the equalizer delays at that rate, in hertz. Real-time safe.
    #[must_use]
    pub fn latency_frames(self, sample_rate_hz: f64) -> usize {
        let partitions = self.partitions(sample_rate_hz);
        partitions.map_or(0, |(frames, partitions)| linear_phase::latency_frames(frames, partitions))
    }

    /// The lowest frequency in hertz that it resolves at that rate, in hertz: from there on bells and shelves of up to
    /// ±12 dB with a Q of at most 1 are within 0.1 dB of the analogue filters'. `None` for minimum phase, which has
    /// no such limit. Real-time safe.
    #[must_use]
    pub fn lowest_hz(self, sample_rate_hz: f64) -> Option<f64> {
        let (frames, partitions) = self.partitions(sample_rate_hz)?;
        Some(RESOLVED_PERIODS * sample_rate_hz / (frames * partitions / 2) as f64)
    }
}

/// So many periods of the lowest frequency that is resolved fit into half a kernel.
const RESOLVED_PERIODS: f64 = 3.0;

controls! {
    /// The mastering equalizer.
    pub struct BroadEqualizerParams {
        /// Whether the equalizer is in use.
        pub on: bool = switch("On", true),
        /// What it does to phases.
        pub phase: Phase = choice("Phase", Phase::Minimum) structural,
        /// Scales the gain of every band, dynamic part included, in per cent.
        pub gain_scale_percent: f64 = float("Gain Scale", Range::linear(0.0, 200.0, 100.0, Unit::Percent, 1)),
        /// Turns the polarity around.
        pub phase_invert: bool = switch("Phase Invert", false),
        /// The bands, in the order in which the sound passes them.
        pub band: [BandParams; BROAD_BANDS] = groups("", gentle()),
    }
}

impl BroadEqualizerParams {
    /// The same without the choice of phase. Real-time safe.
    #[must_use]
    pub fn equalizer(&self) -> EqualizerParams<BROAD_BANDS> {
        let BroadEqualizerParams { on, gain_scale_percent, phase_invert, band, .. } = *self;
        EqualizerParams { on, gain_scale_percent, phase_invert, band }
    }
}

/// Broad strokes to begin with: a rumble cut, off; a low shelf, two bells and an air shelf, at 0 dB; and a bell between each.
fn gentle() -> [BandParams; BROAD_BANDS] {
    let band = |on, shape, frequency_hz| BandParams { on, shape, frequency_hz, ..BandParams::default() };
    [
        band(false, Shape::LowCut, 24.0),
        band(true, Shape::LowShelf, 100.0),
        band(false, Shape::Bell, 160.0),
        band(true, Shape::Bell, 350.0),
        band(false, Shape::Bell, 1000.0),
        band(true, Shape::Bell, 3000.0),
        band(true, Shape::HighShelf, 10_000.0),
        band(false, Shape::HighCut, 20_000.0),
    ]
}

/// An equalizer of eight bands for one or two channels. Bit-transparent, but for its delay, while off and while every
/// band is off or flat.
#[derive(Clone, Debug, Default)]
pub struct BroadEqualizer<const CH: usize> {
    params: BroadEqualizerParams,
    /// All of it in minimum phase; in linear phase what moves with the music.
    equalizer: Equalizer<CH, BROAD_BANDS>,
    linear: Option<LinearPhase<CH, BROAD_BANDS>>,
}

impl<const CH: usize> BroadEqualizer<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the dynamic parts do. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> Reading<BROAD_BANDS> {
        self.equalizer.reading()
    }
}

impl<const CH: usize> Processor<CH> for BroadEqualizer<CH> {
    type Params = BroadEqualizerParams;

    fn prepare(&mut self, config: StreamConfig, params: &BroadEqualizerParams) -> Result<(), PrepareError> {
        config.check()?;
        self.params = controls::clamped(params);
        let equalizer = self.params.equalizer();
        let rate_hz = config.sample_rate_hz;
        self.linear = self
            .params
            .phase
            .partitions(rate_hz)
            .map(|(frames, partitions)| LinearPhase::new(frames, partitions, rate_hz, &equalizer));
        let recursive = if self.linear.is_some() { moving_part(&equalizer) } else { equalizer };
        self.equalizer.prepare(config, &recursive)
    }

    fn reset(&mut self) {
        self.equalizer.reset();
        if let Some(linear) = &mut self.linear {
            linear.reset();
        }
    }

    fn set_params(&mut self, params: &BroadEqualizerParams) {
        let mut params = controls::clamped(params);
        params.phase = self.params.phase;
        if params == self.params {
            return;
        }
        self.params = params;
        let equalizer = params.equalizer();
        match &mut self.linear {
            Some(linear) => {
                linear.set_params(&equalizer);
                self.equalizer.set_params(&moving_part(&equalizer));
            }
            None => self.equalizer.set_params(&equalizer),
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        // with what is no audio made silent
        self.equalizer.process(block);
        if let Some(linear) = &mut self.linear {
            linear.process(block);
        }
    }

    fn latency_frames(&self) -> usize {
        self.linear.as_ref().map_or(0, LinearPhase::latency_frames)
    }

    fn tail(&self) -> Tail {
        let linear = self.linear.as_ref().map_or(0, LinearPhase::tail_frames);
        self.equalizer.tail().then(Tail::Frames(linear))
    }
}

/// What is left of the bands when their static part is taken away. Those that are soloed stay for the sake of their
/// region, as shapes of the same region that do nothing at 0 dB.
fn moving_part(params: &EqualizerParams<BROAD_BANDS>) -> EqualizerParams<BROAD_BANDS> {
    let mut moving = *params;
    for band in &mut moving.band {
        let is_dynamic = band.shape.has_gain() && band.range_db != 0.0;
        if !band.shape.has_gain() {
            band.range_db = 0.0;
        }
        band.on &= is_dynamic || band.solo;
        band.gain_db = 0.0;
        band.shape = match band.shape {
            Shape::LowCut => Shape::LowShelf,
            Shape::HighCut => Shape::HighShelf,
            Shape::Notch | Shape::BandPass | Shape::AllPass => Shape::Bell,
            shape => shape,
        };
    }
    moving
}
