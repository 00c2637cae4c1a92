//! The saturation stage.

use super::channel::{Channel, DC_HZ, Shares, Workshop};
use super::emphasis::tail_frames;
pub use super::gain_line::curve_drive;
use super::model::{BUMP_HZ, Model};
use super::oversampler::round_trip_samples;
use super::shaper::{Alignment, CENTRED_DELAY_SAMPLES};
use super::tone::Tone;
use super::voice::{SpanDrive, Voice};
use crate::block::Block;
use crate::control_grid::{ControlGrid, GRID_FRAMES};
use crate::controls;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::quality::Quality;
use crate::ramp::Ramp;
use crate::range::{Range, Unit};

controls! {
    /// Saturation.
    pub struct SaturationParams {
        /// Whether it is heard.
        pub on: bool = switch("On", true),
        /// What is saturated.
        pub model: Model = choice("Model", Model::Tape),
        /// Level into the curve, in decibels; at 0 nothing is bent.
        pub drive_db: f64 = float("Drive", Range::linear(0.0, 36.0, 0.0, Unit::Decibel, 2)),
        /// Where the curve is worked: more of one side than of the other, and with it more even harmonics.
        pub bias_percent: f64 = float("Bias", Range::linear(-100.0, 100.0, 0.0, Unit::Percent, 1)),
        /// Tilt ahead of the curve: this much more treble, and less bass, about 1 kHz.
        pub tone_before_db: f64 = float("Tone Before", TONE),
        /// Tilt behind the curve.
        pub tone_after_db: f64 = float("Tone After", TONE),
        /// Whether the output stays as loud as the input, however hard it is driven.
        pub level_match: bool = switch("Level Match", true),
        /// How much of the output is saturated sound.
        pub mix_percent: f64 = float("Mix", Range::linear(0.0, 100.0, 100.0, Unit::Percent, 1)),
        /// Latency against aliases.
        pub quality: Quality = choice("Quality", Quality::Track) structural,
    }
}

const TONE: Range = Range::linear(-12.0, 12.0, 0.0, Unit::Decibel, 2);

/// About what frequency tone tilts, in hertz.
pub const TONE_PIVOT_HZ: f64 = 1000.0;
/// How long moved controls take to arrive, in seconds.
pub const SATURATION_GLIDE_SECONDS: f64 = 0.03;

/// How long another model runs along before it is faded in, beyond what its filters' delay lines take, in seconds: five time
/// constants of the lowest emphasis, 40 Hz.
const WARMING_SECONDS: f64 = 0.02;

/// What the last block did, for an editor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SaturationReading {
    /// The largest magnitude that went into the curve, drive and all; the curve's full scale is 1.
    pub curve_input_peak: f32,
    /// The largest magnitude that came out of the stage.
    pub output_peak: f32,
}

/// Output for a steady input: the curve that an editor draws. Emphasis and tone aside, wet and dry mixed. Real-time safe.
#[must_use]
pub fn transfer(params: &SaturationParams, input: f64) -> f64 {
    let (parts, drive) = (params.model.parts(), curve_drive(params.drive_db));
    let bent =
        if drive > 0.0 { parts.curve.residual(drive * input, parts.bias_at(params.bias_percent)) / drive } else { 0.0 };
    let wet = output_gain(params) * (input + bent);
    if params.on { input + params.mix_percent / 100.0 * (wet - input) } else { input }
}

/// Gain behind the curve: what keeps the level of the reference programme, or, unmatched, the drive itself.
pub(super) fn output_gain(params: &SaturationParams) -> f64 {
    if params.level_match {
        params.model.parts().matched_gain(curve_drive(params.drive_db), params.bias_percent)
    } else {
        math::db_to_gain(params.drive_db)
    }
}

/// Tape, tube, transformer, diode, soft and hard clip.
///
/// `out = dry + mix · (K · after(a x + E⁻¹(f_b(d E x) − a d E x)/d) − dry)`, x = before(dry), d the drive, a = 1/(1 + d²):
/// see [`Parts`](super::model::Parts), [`curve_drive`] and
/// [`Parts::matched_gain`](super::model::Parts::matched_gain). Only what is in the brackets is oversampled; all else is
/// delayed to meet it. Whatever a, the sum is the same; at no drive the brackets are empty.
///
/// | quality | rate of the curve at 48 kHz | latency |
/// |---|---|---|
/// | Track | 48 kHz | none |
/// | Mix | 192 kHz | 98 frames |
/// | Master | 384 kHz | 101 frames |
///
/// What is not bent is even to 20 kHz of 44.1 kHz within 0.01 dB, whatever the quality, the model and the drive. What is bent
/// pays for having no latency: in Track the harmonics are half a frame late and short of treble by cos(ω/2), the
/// fundamental of a hard-clipped sine is 0.9 dB too loud at 10 kHz, and of a sine at full scale and 10 kHz, 12 dB of drive, the
/// aliases are 20 to 29 dB under it, where Mix has −86 to −137 dB and Master −110 to −140.
///
/// At twice the sample rate half the oversampling does. Off, dry, or with neither drive nor tone it changes no bit. Another
/// model starts beside the one that is heard, runs along for 20 ms longer than its filters take to fill, and is then crossfaded in.
#[derive(Clone, Debug)]
pub struct Saturation<const CH: usize> {
    sample_rate_hz: f64,
    params: SaturationParams,
    grid: ControlGrid,
    latency: usize,
    stages: usize,
    running: bool,
    /// Frames until the filters are full, so that the wet sound may be faded in.
    filling: usize,
    wet: Ramp,
    drive_db: Ramp,
    bias_percent: Ramp,
    before: Tone,
    after: Tone,
    voices: [Voice; 2],
    /// Which voice is heard, or is the one that leaves.
    heard: usize,
    /// Whether the other voice is on its way in.
    changing: bool,
    /// Frames until the coming voice may be faded in.
    warming: usize,
    coming: Ramp,
    /// Frames for which no gain has moved; the most there are once the gains are held.
    still: usize,
    shares: Shares,
    workshop: Workshop,
    channels: [Channel; CH],
    reading: SaturationReading,
}

impl<const CH: usize> Saturation<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        let mut stage = Saturation {
            sample_rate_hz: 48_000.0,
            params: SaturationParams::default(),
            grid: ControlGrid::default(),
            latency: 0,
            stages: 0,
            running: false,
            filling: 0,
            wet: Ramp::new(0.0, 1),
            drive_db: Ramp::new(0.0, 1),
            bias_percent: Ramp::new(0.0, 1),
            before: Tone::new(0.0, 48_000.0),
            after: Tone::new(0.0, 48_000.0),
            voices: std::array::from_fn(|_| Voice::new(0, 0, 48_000.0)),
            heard: 0,
            changing: false,
            warming: 0,
            coming: Ramp::new(0.0, 1),
            still: 0,
            shares: Shares::default(),
            workshop: Workshop::new(),
            channels: std::array::from_fn(|_| Channel::new(0, 0, Alignment::Prompt, 48_000.0)),
            reading: SaturationReading::default(),
        };
        stage.build(48_000.0, &SaturationParams::default());
        stage
    }

    /// What the last block did. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> SaturationReading {
        self.reading
    }

    fn build(&mut self, sample_rate_hz: f64, params: &SaturationParams) {
        self.sample_rate_hz = sample_rate_hz;
        self.params = *params;
        self.stages = stages(params.quality, sample_rate_hz);
        let alignment = match params.quality {
            Quality::Track => Alignment::Prompt,
            Quality::Mix | Quality::Master => Alignment::Centred,
        };
        self.latency = match alignment {
            Alignment::Prompt => 0,
            // whole for each number of stages
            Alignment::Centred => (round_trip_samples(self.stages) + CENTRED_DELAY_SAMPLES) >> self.stages,
        };
        let (stages, latency) = (self.stages, self.latency);
        self.channels = std::array::from_fn(|_| Channel::new(stages, latency, alignment, sample_rate_hz));
        let ramp = |value| Ramp::with_seconds(value, SATURATION_GLIDE_SECONDS, sample_rate_hz);
        self.wet = ramp(0.0);
        self.drive_db = ramp(0.0);
        self.bias_percent = ramp(0.0);
        self.coming = ramp(0.0);
        self.voices = std::array::from_fn(|_| Voice::new(stages, latency, sample_rate_hz));
        self.before = Tone::new(0.0, sample_rate_hz);
        self.after = Tone::new(0.0, sample_rate_hz);
        self.reset();
    }

    /// How much wet sound is asked for; none where it would be the dry one.
    fn asked_wet(&self) -> f64 {
        let p = &self.params;
        let changes = p.drive_db > 0.0 || p.tone_before_db != 0.0 || p.tone_after_db != 0.0;
        if p.on && changes { p.mix_percent / 100.0 } else { 0.0 }
    }

    fn set_targets(&mut self) {
        let p = self.params;
        self.drive_db.set_target(p.drive_db);
        self.bias_percent.set_target(p.bias_percent);
        self.before.ramp.set_target(p.tone_before_db);
        self.after.ramp.set_target(p.tone_after_db);
        self.voices[self.heard].set_targets(&p);
        if self.changing {
            self.voices[1 - self.heard].set_targets(&p);
        }
    }

    /// Takes everything as it is asked for, the model too, with silent filters.
    fn start(&mut self) {
        self.changing = false;
        self.heard = 0;
        self.set_targets();
        self.drive_db.snap();
        self.bias_percent.snap();
        self.before.snap();
        self.after.snap();
        self.still = 0;
        self.voices[0].start(&self.params, self.drive_db.value(), self.bias_percent.value());
        let bias = self.voices[0].parts.bias_at(self.params.bias_percent);
        self.channels.iter_mut().for_each(|channel| channel.start(0, bias));
        self.running = true;
    }

    /// Starts the model that is asked for beside the one that is heard.
    fn change(&mut self) {
        let (coming, bias_percent) = (1 - self.heard, self.bias_percent.value());
        self.voices[coming].start(&self.params, self.drive_db.value(), bias_percent);
        let bias = self.voices[coming].parts.bias_at(bias_percent);
        self.channels.iter_mut().for_each(|channel| channel.start_voice(coming, bias));
        self.warming = 2 * self.latency + GRID_FRAMES + (WARMING_SECONDS * self.sample_rate_hz) as usize;
        self.coming.snap_to(0.0);
        self.coming.set_target(1.0);
        self.changing = true;
    }

    /// What may begin and end on a point of the grid.
    fn on_grid(&mut self) {
        let asked = self.asked_wet();
        if self.running {
            if self.changing && !self.coming.is_moving() {
                self.heard = 1 - self.heard;
                self.changing = false;
            }
            if self.filling == 0 {
                self.wet.set_target(asked);
            }
            if !self.changing && asked > 0.0 && self.voices[self.heard].model != self.params.model {
                self.change();
            }
            if !self.wet.is_moving() && self.wet.target() == 0.0 && self.filling == 0 {
                self.running = false;
            }
        }
        if !self.running && asked > 0.0 {
            self.start();
            // a tilt settles within a few of its time constants, the oversampler within twice the latency
            self.filling = 2 * self.latency + GRID_FRAMES;
        }
        if self.running {
            self.before.on_grid();
            self.after.on_grid();
            self.channels.iter_mut().for_each(Channel::flush);
        }
    }

    /// Gains and workings of the next `len` frames.
    fn glide(&mut self, len: usize) {
        let glides = self.bias_percent.is_moving() || self.drive_db.is_moving();
        let moves = glides || self.wet.is_moving() || self.voices[self.heard].is_moving();
        if self.filling > 0 || self.changing || moves {
            self.still = 0;
        } else if self.still >= self.latency {
            // the line holds one and the same gain throughout: nothing is left to move
            if self.still != usize::MAX {
                self.still = usize::MAX;
                self.voices[self.heard].hold(self.drive_db.value(), self.bias_percent.value());
                self.shares.wet = [self.wet.value(); GRID_FRAMES];
            }
            return;
        } else {
            self.still += len;
        }
        let (filling, warming) = (self.filling, self.warming);
        self.filling = filling.saturating_sub(len);
        self.warming = warming.saturating_sub(len);
        let mut drive = SpanDrive { drive_db: [0.0; GRID_FRAMES], bias_percent: [0.0; GRID_FRAMES] };
        for frame in 0..len {
            drive.drive_db[frame] = self.drive_db.next_value();
            drive.bias_percent[frame] = self.bias_percent.next_value();
            self.shares.wet[frame] = if frame < filling { 0.0 } else { self.wet.next_value() };
            if self.changing {
                self.shares.coming[frame] = if frame < warming { 0.0 } else { self.coming.next_value() };
            }
        }
        self.voices[self.heard].glide(len, &drive, glides);
        if self.changing {
            self.voices[1 - self.heard].glide(len, &drive, glides);
        }
    }
}

impl<const CH: usize> Processor<CH> for Saturation<CH> {
    type Params = SaturationParams;

    fn prepare(&mut self, config: StreamConfig, params: &SaturationParams) -> Result<(), PrepareError> {
        config.check()?;
        self.build(config.sample_rate_hz, &controls::clamped(params));
        Ok(())
    }

    fn reset(&mut self) {
        self.grid.reset();
        self.filling = 0;
        for channel in &mut self.channels {
            channel.dry.reset();
        }
        let asked = self.asked_wet();
        self.start();
        self.wet.snap_to(asked);
        self.running = asked > 0.0;
        self.shares = Shares::default();
        self.reading = SaturationReading::default();
    }

    fn set_params(&mut self, params: &SaturationParams) {
        let params = SaturationParams { quality: self.params.quality, ..controls::clamped(params) };
        if params != self.params {
            self.params = params;
            if self.running {
                self.set_targets();
            }
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        self.reading = SaturationReading::default();
        let frames = block.frames();
        let mut start = 0;
        while let Some(span) = self.grid.next(start, frames) {
            let end = span.start + span.len;
            if span.on_grid {
                self.on_grid();
            }
            if self.running {
                self.glide(span.len);
                let tones = [self.before.span(), self.after.span()];
                for (samples, channel) in block.channels().iter_mut().zip(&mut self.channels) {
                    channel.process(
                        &mut samples[span.start..end],
                        &self.voices,
                        self.heard,
                        self.changing,
                        &self.shares,
                        tones,
                        &mut self.workshop,
                        &mut self.reading,
                    );
                }
                self.before.advance(span.len);
                self.after.advance(span.len);
            } else if self.latency > 0 {
                for (samples, channel) in block.channels().iter_mut().zip(&mut self.channels) {
                    channel.dry.process(&mut samples[span.start..end]);
                }
            }
            start = end;
        }
        self.reading.output_peak = block.peaks().into_iter().fold(0.0, f32::max);
    }

    fn latency_frames(&self) -> usize {
        self.latency
    }

    fn tail(&self) -> Tail {
        if !self.running && self.asked_wet() == 0.0 {
            return Tail::Frames(0);
        }
        let pole = |hz: f64| tail_frames(hz, self.sample_rate_hz);
        let lopsided =
            self.voices[self.heard].is_lopsided() || self.changing && self.voices[1 - self.heard].is_lopsided();
        // the oversampler, the tones (a tilt by 12 dB has its pole at a quarter of the pivot), the deepest emphasis, the bump
        // (at its Q it decays as a pole at 0.6 of its centre), the high-pass
        let filters = 2 * pole(TONE_PIVOT_HZ / 4.0) + pole(40.0) + pole(0.6 * BUMP_HZ);
        Tail::Frames(2 * self.latency + 64 + filters + if lopsided { pole(DC_HZ) } else { 0 })
    }
}

impl<const CH: usize> Default for Saturation<CH> {
    fn default() -> Self {
        Self::new()
    }
}

/// Half-band stages: the curve runs at 176.4 kHz or more in `Mix` and at twice that in `Master`.
fn stages(quality: Quality, sample_rate_hz: f64) -> usize {
    let at_44 = match quality {
        Quality::Track => return 0,
        Quality::Mix => 2,
        Quality::Master => 3,
    };
    let octaves = [80_000.0, 160_000.0, 320_000.0].iter().filter(|hz| sample_rate_hz > **hz).count();
    usize::saturating_sub(at_44, octaves)
}
