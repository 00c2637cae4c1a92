//! Tandem Master's signal path: input, equalizer, multiband, warmth, stereo, limiter, dither, meter, audition.

use crate::block::Block;
use crate::chain::Chain;
use crate::chain::bypass::{Bypass, Bypassed};
use crate::chain::peaks::{self, Peaks};
use crate::controls;
use crate::delivery::audition::{self, Audition, AuditionParams, SERVICES};
use crate::delivery::{Levels, Playback, Rule};
use crate::dither::{Dither, DitherParams};
use crate::dynamics::limiter::{LearnFrom, Limiter, LimiterParams};
use crate::dynamics::multiband::{Multiband, MultibandParams, MultibandReading};
use crate::equalizer::{BroadEqualizer, BroadEqualizerParams};
use crate::level::{Input, InputParams};
use crate::math;
use crate::metering::correlation::CorrelationReading;
use crate::metering::loudness::LoudnessReading;
use crate::metering::meter::{Meter, MeterParams};
use crate::metering::word_length::WordLength;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::quality::Quality;
use crate::range::{Range, Unit};
use crate::saturation::saturator::{Saturation, SaturationParams};
use crate::space::stereo::{Stereo, StereoParams};

controls! {
    /// Everything that can be set on the master.
    pub struct MasteringBusParams {
        /// The dry signal instead, delayed to match.
        pub bypass: bool = switch("Bypass", false),
        /// The dry signal has the gain beside while the bus is bypassed.
        pub match_bypass: bool = switch("Match Bypass", false),
        /// Gain of the dry signal in a matched bypass, in decibels: what `MasteringReading::match_gain_db` told when
        /// somebody took it over.
        pub match_gain_db: f64 = float("Match Gain", Range::linear(-30.0, 30.0, 0.0, Unit::Decibel, 2)),
        /// Trim and polarity.
        pub input: InputParams = group("Input"),
        /// Broad equalizer.
        pub eq: BroadEqualizerParams = group("EQ"),
        /// Compression, expansion, drive and width by band.
        pub multiband: MultibandParams = group("Multiband"),
        /// Saturation; at no drive nothing is bent.
        pub warmth: SaturationParams = group("Warmth", warmth()),
        /// Width, mono low end, balance.
        pub stereo: StereoParams = group("Stereo"),
        /// Limiter and maximizer.
        pub limiter: LimiterParams = group("Limiter"),
        /// Word length.
        pub dither: DitherParams = group("Dither"),
        /// What is measured when.
        pub meter: MeterParams = group("Meter"),
        /// The master as a service plays it.
        pub audition: AuditionParams = group("Audition"),
    }
}

/// Oversampled from the start: the bus may lag.
fn warmth() -> SaturationParams {
    SaturationParams { quality: Quality::Mix, ..SaturationParams::default() }
}

/// Tandem Master: its stages in their order.
///
/// Dither comes last in what is delivered, after the limiter. So that the ceiling holds behind it, the limiter's is lower by
/// what dither can add: see [`ceiling_under_dither_dbtp`]. What is heard is measured, dry where the bypass is on; audition
/// comes behind the meter and is not.
#[derive(Clone, Debug, Default)]
pub struct MasteringBus<const CH: usize> {
    /// As they came, to see quickly that nothing changed.
    raw: MasteringBusParams,
    params: MasteringBusParams,
    bypass: Bypass<CH>,
    input: Input<CH>,
    eq: BroadEqualizer<CH>,
    multiband: Multiband<CH>,
    warmth: Saturation<CH>,
    stereo: Stereo<CH>,
    limiter: Limiter<CH>,
    dither: Dither<CH>,
    meter: Meter<CH>,
    audition: Audition<CH>,
    rules: Vec<Rule>,
    input_peaks: Peaks,
    output_peaks: Peaks,
    beside: BesideMeter,
}

/// What the meters of the master show. *Of the measurement* means: since the meter's measurement began, without its pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MasteringReading {
    /// Sample peaks of the last block after the trim.
    pub input_peaks: Peaks,
    /// The highest sample of the measurement after the trim, in dBFS; −6 to −3 is what a mix should come with. `None` before
    /// there is one.
    pub incoming_peak_dbfs: Option<f64>,
    /// What each band of the multiband compressor does.
    pub multiband: MultibandReading,
    /// The limiter's largest gain reduction since the last reading, in decibels, at least 0.
    pub gain_reduction_db: f32,
    /// The limiter's largest gain reduction of the measurement, in decibels, at least 0.
    pub largest_reduction_db: f64,
    /// The limiter's gain, in decibels, that would bring the loudest passage or the whole programme to
    /// [`LimiterParams::learn_target_lufs`], were every decibel of it a loudness unit; once it limits, more is needed, and
    /// another measurement tells. Written into `limiter.gain_db`, it takes effect; nothing moves by itself. `None` where the
    /// measurement does not say: too little, another gain on the way, limiter off, bypassed, or listening to delta or at unity
    /// gain.
    pub learned_gain_db: Option<f64>,
    /// Sample peaks of the last block that went out, ahead of the audition's gain.
    pub output_peaks: Peaks,
    /// The highest true peak of the measurement, in dBTP; `None` before there is one.
    pub true_peak_dbtp: Option<f64>,
    /// Peak to short-term loudness ratio, in dB: see [`MeterReading`](crate::metering::meter::MeterReading).
    pub psr_db: Option<f64>,
    /// Peak to loudness ratio of the measurement, in dB.
    pub plr_db: Option<f64>,
    /// Loudness of the measurement, and mono-fold loss.
    pub loudness: LoudnessReading,
    /// How alike left and right are. `None` in mono.
    pub correlation: CorrelationReading,
    /// Bits in use over the last 3 s; `None` of silence.
    pub word_length: Option<WordLength>,
    /// How long was measured, in seconds.
    pub measured_seconds: f64,
    /// Whether the measurement goes on now.
    pub measuring: bool,
    /// What becomes of the master at each service, in the order of
    /// [`AuditionService::ALL`](crate::delivery::audition::AuditionService::ALL), were the measurement all of it. `gain_db` of
    /// one, written into `audition.gain_db`, is what audition plays. `None` before there is a loudness.
    pub deliveries: [Option<Playback>; SERVICES],
    /// The gain at which the bypassed signal is as loud as the master, in decibels, by the last ten seconds or so. `None`
    /// while not watched, and for the first second. Written into `match_gain_db`, it takes effect.
    pub match_gain_db: Option<f64>,
}

/// What belongs to the meter's measurement and is found elsewhere.
#[derive(Clone, Copy, Debug, Default)]
struct BesideMeter {
    measurement: u64,
    frames: u64,
    /// The limiter's gain in decibels, as long as it stayed the same.
    gain_db: Option<f64>,
    input_peak: f32,
    /// Of the limiter.
    largest_reduction: f32,
}

/// The ceiling that the limiter must hold so that `ceiling_dbtp` holds behind dither: lower by the most that it can add
/// (`largest_error`, a ratio to full scale: see [`Dither::largest_error`]) times 2.03, and down to hundredths of a decibel,
/// as the control has them. The magnitudes of the taps of BS.1770's interpolator add up to 2.03, and between the samples
/// noise can reach that. White at 16 bit: 0.01 dB; strongly shaped, 0.02. Real-time safe.
#[must_use]
pub fn ceiling_under_dither_dbtp(ceiling_dbtp: f64, largest_error: f64) -> f64 {
    if largest_error == 0.0 {
        return ceiling_dbtp;
    }
    let left = math::db_to_gain(ceiling_dbtp) - INTERPOLATED * largest_error;
    (math::gain_to_db(left.max(1e-5)) * 100.0).floor() / 100.0
}

const INTERPOLATED: f64 = 2.03;

impl<const CH: usize> MasteringBus<CH> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The meter: its history, histograms and goniometer. Real-time safe.
    #[must_use]
    pub fn meter(&self) -> &Meter<CH> {
        &self.meter
    }

    fn limiter_params(&self) -> LimiterParams {
        let ceiling_dbtp = ceiling_under_dither_dbtp(self.params.limiter.ceiling_dbtp, self.dither.largest_error());
        LimiterParams { ceiling_dbtp, ..self.params.limiter }
    }

    /// Takes in what of a block the meter does not see.
    fn measure_beside(&mut self) {
        let (frames, beside) = (self.meter.measured_frames(), &mut self.beside);
        let measurement = self.meter.measurement();
        if measurement != beside.measurement || beside.frames == 0 {
            let gain_db = Some(self.params.limiter.gain_db);
            *beside = BesideMeter { measurement, gain_db, ..BesideMeter::default() };
        }
        if frames > beside.frames {
            beside.input_peak = self.input_peaks.into_iter().fold(beside.input_peak, f32::max);
            let least = self.limiter.reading().least_gain.into_iter().fold(1.0, f32::min);
            beside.largest_reduction = beside.largest_reduction.max(1.0 - least);
        }
        beside.frames = frames;
    }

    fn learned_gain_db(&self, loudness: &LoudnessReading) -> Option<f64> {
        let (p, limiter) = (&self.params, &self.params.limiter);
        let heard = limiter.on && !limiter.unity_gain && !limiter.delta && !p.bypass;
        let measured_lufs = match limiter.learn_from {
            LearnFrom::LoudestPassage => loudness.short_term_max_lufs,
            LearnFrom::WholeProgramme => loudness.integrated_lufs,
        };
        let gain_db = self.beside.gain_db.filter(|_| heard)?;
        let learned_db = gain_db + limiter.learn_target_lufs - measured_lufs.filter(|lufs| lufs.is_finite())?;
        Some(learned_db.clamp(0.0, 30.0))
    }
}

impl MasteringBusParams {
    fn bypassed(&self) -> Bypassed {
        Bypassed { on: self.bypass, gain_db: if self.match_bypass { self.match_gain_db } else { 0.0 } }
    }
}

impl<const CH: usize> Chain<CH> for MasteringBus<CH> {
    type Reading = MasteringReading;

    fn set_watched(&mut self, watched: bool) {
        self.bypass.set_measuring(watched);
    }

    fn reading(&mut self) -> MasteringReading {
        let limiter = self.limiter.take_reading();
        let least = limiter.least_gain.into_iter().fold(1.0, f32::min);
        let meter = self.meter.reading();
        let greatest = |peaks: [f64; CH]| peaks.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let true_peak_dbtp = meter.true_peak_dbtp.map(greatest);
        let levels = meter.loudness.integrated_lufs.zip(true_peak_dbtp);
        let levels = levels.map(|(integrated_lufs, true_peak_dbtp)| Levels { integrated_lufs, true_peak_dbtp });
        let measured = (meter.measured_seconds > 0.0).then_some(self.beside);
        MasteringReading {
            input_peaks: self.input_peaks,
            incoming_peak_dbfs: measured.map(|beside| math::gain_to_db(f64::from(beside.input_peak))),
            multiband: self.multiband.reading(),
            gain_reduction_db: -math::gain_to_db(f64::from(least)) as f32,
            largest_reduction_db: -math::gain_to_db(1.0 - f64::from(self.beside.largest_reduction)),
            learned_gain_db: self.learned_gain_db(&meter.loudness),
            output_peaks: self.output_peaks,
            true_peak_dbtp,
            psr_db: meter.psr_db,
            plr_db: meter.plr_db,
            loudness: meter.loudness,
            correlation: meter.correlation,
            word_length: meter.word_length,
            measured_seconds: meter.measured_seconds,
            measuring: meter.running,
            deliveries: std::array::from_fn(|n| Some(self.rules.get(n)?.play(levels?, None))),
            match_gain_db: self.bypass.difference_db(),
        }
    }
}

impl<const CH: usize> Processor<CH> for MasteringBus<CH> {
    type Params = MasteringBusParams;

    fn prepare(&mut self, config: StreamConfig, params: &MasteringBusParams) -> Result<(), PrepareError> {
        self.raw = *params;
        self.params = controls::clamped(params);
        let p = self.params;
        self.input.prepare(config, &p.input)?;
        self.eq.prepare(config, &p.eq)?;
        self.multiband.prepare(config, &p.multiband)?;
        self.warmth.prepare(config, &p.warmth)?;
        self.stereo.prepare(config, &p.stereo)?;
        self.dither.prepare(config, &p.dither)?;
        self.limiter.prepare(config, &self.limiter_params())?;
        self.meter.prepare(config, &p.meter)?;
        self.audition.prepare(config, &p.audition)?;
        self.rules = audition::rules().to_vec();
        self.beside = BesideMeter::default();
        self.bypass.prepare(config, self.latency_frames(), p.bypassed());
        Ok(())
    }

    fn reset(&mut self) {
        self.bypass.reset();
        self.input.reset();
        self.eq.reset();
        self.multiband.reset();
        self.warmth.reset();
        self.stereo.reset();
        self.limiter.reset();
        self.dither.reset();
        self.meter.reset();
        self.audition.reset();
        self.beside = BesideMeter::default();
    }

    fn set_params(&mut self, params: &MasteringBusParams) {
        if *params == self.raw {
            return;
        }
        self.raw = *params;
        let p = controls::clamped(params);
        if p.limiter.gain_db != self.params.limiter.gain_db {
            self.beside.gain_db = None;
        }
        self.params = p;
        self.bypass.set(p.bypassed());
        self.input.set_params(&p.input);
        self.eq.set_params(&p.eq);
        self.multiband.set_params(&p.multiband);
        self.warmth.set_params(&p.warmth);
        self.stereo.set_params(&p.stereo);
        self.dither.set_params(&p.dither);
        self.limiter.set_params(&self.limiter_params());
        self.meter.set_params(&p.meter);
        self.audition.set_params(&p.audition);
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.bypass.take_dry(block);
        self.input.process(block);
        self.input_peaks = peaks::of(block);
        self.eq.process(block);
        self.multiband.process(block);
        self.warmth.process(block);
        self.stereo.process(block);
        self.limiter.process(block);
        self.dither.process(block);
        self.bypass.blend(block);
        self.meter.process(block);
        self.output_peaks = peaks::of(block);
        self.measure_beside();
        self.audition.process(block);
    }

    fn latency_frames(&self) -> usize {
        self.input.latency_frames()
            + self.eq.latency_frames()
            + self.multiband.latency_frames()
            + self.warmth.latency_frames()
            + self.stereo.latency_frames()
            + self.limiter.latency_frames()
            + self.dither.latency_frames()
            + self.meter.latency_frames()
            + self.audition.latency_frames()
    }

    fn tail(&self) -> Tail {
        let tails = [
            self.input.tail(),
            self.eq.tail(),
            self.multiband.tail(),
            self.warmth.tail(),
            self.stereo.tail(),
            self.limiter.tail(),
            self.dither.tail(),
            self.meter.tail(),
            self.audition.tail(),
        ];
        tails.into_iter().fold(Tail::Frames(0), Tail::then)
    }
}
