//! What saturation is for one channel, between two points of the control grid.

use super::curve::Bias;
use super::emphasis::{Shelf, ShelfState};
use super::model::{BUMP_HZ, BUMP_Q};
use super::oversampler::{Downsampler, Scratch, Upsampler};
use super::saturator::SaturationReading;
use super::shaper::{Alignment, Lines, MAX_CHUNK_SAMPLES, Shaper};
use super::tone::ToneSpan;
use super::voice::Voice;
use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::math;

/// Corner of the high-pass that keeps a lopsided curve's rectified level from the output, in hertz.
pub(super) const DC_HZ: f64 = 5.0;

/// How much is heard of what, in each frame of a span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    /// Of the wet sound in all.
    pub(super) wet: [f64; GRID_FRAMES],
    /// Of the coming voice in the wet sound.
    pub(super) coming: [f64; GRID_FRAMES],
}

/// Where channels work, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Workshop {
    lines: Box<Lines>,
    scratch: Scratch,
    raised: [Box<[f32; MAX_CHUNK_SAMPLES]>; 2],
}

impl Workshop {
    pub(super) fn new() -> Self {
        let raised = || Box::new([0.0; MAX_CHUNK_SAMPLES]);
        Workshop { lines: Lines::new(), scratch: Scratch::new(), raised: [raised(), raised()] }
    }
}

/// One channel's filters and memories.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) dry: DelayLine,
    toned: DelayLine,
    before: ShelfState,
    after: ShelfState,
    states: [VoiceState; 2],
}

/// What one channel of a [`Voice`] remembers.
#[derive(Clone, Debug)]
struct VoiceState {
    up: Upsampler,
    down: Downsampler,
    shaper: Shaper,
    emphasis: ShelfState,
    deemphasis: ShelfState,
    bump: [f64; 2],
    /// g and 1/(1 + g (g + k)) of the bump.
    bump_g: [f64; 2],
    dc: ShelfState,
    dc_shelf: Shelf,
}

impl Channel {
    pub(super) fn new(stages: usize, latency: usize, alignment: Alignment, sample_rate_hz: f64) -> Self {
        Channel {
            dry: DelayLine::new(latency),
            toned: DelayLine::new(latency),
            before: ShelfState::default(),
            after: ShelfState::default(),
            states: std::array::from_fn(|_| VoiceState::new(stages, alignment, sample_rate_hz)),
        }
    }

    /// Forgets all but the dry sound, and starts a voice.
    pub(super) fn start(&mut self, voice: usize, bias: Bias) {
        self.toned.reset();
        self.before = ShelfState::default();
        self.after = ShelfState::default();
        self.start_voice(voice, bias);
    }

    /// Starts a voice beside the other.
    pub(super) fn start_voice(&mut self, voice: usize, bias: Bias) {
        self.states[voice].start(bias);
    }

    pub(super) fn flush(&mut self) {
        self.before.flush();
        self.after.flush();
        self.states.iter_mut().for_each(VoiceState::flush);
    }

    /// `voices[heard]` is heard, and the other one as much as it has come.
    #[allow(clippy::too_many_arguments)] // what the channels share
    pub(super) fn process(
        &mut self,
        samples: &mut [f32],
        voices: &[Voice; 2],
        heard: usize,
        changing: bool,
        shares: &Shares,
        [before, after]: [ToneSpan; 2],
        workshop: &mut Workshop,
        reading: &mut SaturationReading,
    ) {
        let len = samples.len().min(GRID_FRAMES);
        let [mut dry, mut delayed] = [[0.0f32; GRID_FRAMES]; 2];
        let [mut toned, mut wet, mut coming] = [[0.0f64; GRID_FRAMES]; 3];
        dry[..len].copy_from_slice(&samples[..len]);
        self.dry.process(&mut dry[..len]);
        let flat = !before.moving && before.now.is_flat();
        for (frame, sample) in samples.iter().enumerate().take(len) {
            let input = f64::from(*sample);
            toned[frame] = if flat { input } else { self.before.step(before.shelf(frame), input) };
            delayed[frame] = toned[frame] as f32;
        }
        self.toned.process(&mut delayed[..len]);
        let (toned, delayed) = (&toned[..len], &delayed[..len]);
        self.states[heard].process(toned, delayed, &voices[heard], workshop, &mut wet, reading);
        if changing {
            self.states[1 - heard].process(toned, delayed, &voices[1 - heard], workshop, &mut coming, reading);
            for frame in 0..len {
                wet[frame] += shares.coming[frame] * (coming[frame] - wet[frame]);
            }
        }
        let flat = !after.moving && after.now.is_flat();
        for (frame, sample) in samples.iter_mut().enumerate().take(len) {
            let dry = f64::from(dry[frame]);
            let wet = if flat { wet[frame] } else { self.after.step(after.shelf(frame), wet[frame]) };
            *sample = (dry + shares.wet[frame] * (wet - dry)) as f32;
        }
    }
}

impl VoiceState {
    fn new(stages: usize, alignment: Alignment, sample_rate_hz: f64) -> Self {
        let g = math::tan(math::PI * BUMP_HZ / sample_rate_hz);
        VoiceState {
            up: Upsampler::new(stages),
            down: Downsampler::new(stages),
            shaper: Shaper::new(alignment, sample_rate_hz * f64::from(1u32 << stages)),
            emphasis: ShelfState::default(),
            deemphasis: ShelfState::default(),
            bump: [0.0; 2],
            bump_g: [g, 1.0 / (1.0 + g * (g + 1.0 / BUMP_Q))],
            dc: ShelfState::default(),
            dc_shelf: Shelf::new(DC_HZ, 1.0, 0.0, sample_rate_hz),
        }
    }

    fn start(&mut self, bias: Bias) {
        self.up.reset();
        self.down.reset();
        self.shaper.reset(bias);
        for state in [&mut self.emphasis, &mut self.deemphasis, &mut self.dc] {
            *state = ShelfState::default();
        }
        self.bump = [0.0; 2];
    }

    fn flush(&mut self) {
        for state in [&mut self.emphasis, &mut self.deemphasis, &mut self.dc] {
            state.flush();
        }
        self.bump = self.bump.map(math::flush);
        self.shaper.flush();
    }

    /// Fills `wet` from the toned input, now and as late as the oversampler is.
    fn process(
        &mut self,
        toned: &[f64],
        delayed: &[f32],
        voice: &Voice,
        workshop: &mut Workshop,
        wet: &mut [f64; GRID_FRAMES],
        reading: &mut SaturationReading,
    ) {
        let (len, parts, gains) = (toned.len(), &voice.parts, &voice.span);
        let [mut driven, mut residual] = [[0.0f32; GRID_FRAMES]; 2];
        for (frame, tone) in toned.iter().enumerate() {
            let emphasised = if parts.emphasis.is_some() { self.emphasis.step(voice.emphasis, *tone) } else { *tone };
            driven[frame] = math::flush(emphasised * gains.drive[frame]) as f32;
        }
        reading.curve_input_peak = reading.curve_input_peak.max(peak(&driven[..len]));

        let Workshop { lines, scratch, raised: [raised, bent] } = workshop;
        let (raised, bent) = (&mut raised[..len * self.up.factor()], &mut bent[..len * self.up.factor()]);
        self.up.process(&driven[..len], raised, scratch);
        self.shaper.process(parts.curve, &voice.workings, raised, bent, lines);
        self.down.process(bent, &mut residual[..len], scratch);

        let deemphasis = voice.emphasis.inverse();
        for (frame, delayed) in delayed.iter().enumerate() {
            let bent = f64::from(residual[frame]) * gains.inverse_drive[frame];
            let bent = if parts.emphasis.is_some() { self.deemphasis.step(deemphasis, bent) } else { bent };
            let mut out = gains.apart[frame] * f64::from(*delayed) + bent;
            if parts.bump_db != 0.0 {
                out += gains.bump[frame] * self.bump_band(out);
            }
            if gains.blocking[frame] != 0.0 {
                out -= gains.blocking[frame] * self.dc.step(self.dc_shelf, out);
            }
            wet[frame] = out * gains.gain[frame];
        }
    }

    /// A band-pass of gain 1 at its centre.
    fn bump_band(&mut self, input: f64) -> f64 {
        let [g, a] = self.bump_g;
        let [band_state, low_state] = self.bump;
        let band = (band_state + g * (input - low_state)) * a;
        let low = low_state + g * band;
        self.bump = [2.0 * band - band_state, 2.0 * low - low_state];
        band / BUMP_Q
    }
}

/// The largest magnitude; as whole numbers, since the order of positive floats is that of their bits, and those go in vectors.
fn peak(samples: &[f32]) -> f32 {
    f32::from_bits(samples.iter().fold(0, |peak, s| peak.max(s.abs().to_bits())))
}
