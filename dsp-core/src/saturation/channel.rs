//! What saturation is for one channel, between two points of the control grid.

use super::curve::Bias;
use super::emphasis::{Shelf, ShelfState};
use super::model::{BUMP_HZ, BUMP_Q, Parts};
use super::oversampler::{Downsampler, Upsampler};
use super::saturator::SaturationReading;
use super::shaper::{Alignment, MAX_CHUNK_SAMPLES, Shaper, Workings};
use super::tone::ToneSpan;
use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::math;

/// Corner of the high-pass that keeps a lopsided curve's rectified level from the output, in hertz.
pub(super) const DC_HZ: f64 = 5.0;

/// Gains of the frames of a span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpanGains {
    pub(super) drive: [f64; GRID_FRAMES],
    pub(super) inverse_drive: [f64; GRID_FRAMES],
    pub(super) gain: [f64; GRID_FRAMES],
    pub(super) bump: [f64; GRID_FRAMES],
    pub(super) blocking: [f64; GRID_FRAMES],
    pub(super) wet: [f64; GRID_FRAMES],
    pub(super) apart: [f64; GRID_FRAMES],
}

/// One channel's filters and memories.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) dry: DelayLine,
    pub(super) toned: DelayLine,
    pub(super) up: Upsampler,
    pub(super) down: Downsampler,
    pub(super) shaper: Shaper,
    pub(super) before: ShelfState,
    pub(super) emphasis: ShelfState,
    pub(super) deemphasis: ShelfState,
    pub(super) bump: [f64; 2],
    /// g and 1/(1 + g (g + k)) of the bump.
    pub(super) bump_g: [f64; 2],
    pub(super) dc: ShelfState,
    pub(super) dc_shelf: Shelf,
    pub(super) after: ShelfState,
    pub(super) raised: [Box<[f32; MAX_CHUNK_SAMPLES]>; 2],
}

impl Channel {
    pub(super) fn new(stages: usize, latency: usize, alignment: Alignment, sample_rate_hz: f64) -> Self {
        let g = math::tan(math::PI * BUMP_HZ / sample_rate_hz);
        Channel {
            dry: DelayLine::new(latency),
            toned: DelayLine::new(latency),
            up: Upsampler::new(stages),
            down: Downsampler::new(stages),
            shaper: Shaper::new(alignment, sample_rate_hz * f64::from(1u32 << stages)),
            before: ShelfState::default(),
            emphasis: ShelfState::default(),
            deemphasis: ShelfState::default(),
            bump: [0.0; 2],
            bump_g: [g, 1.0 / (1.0 + g * (g + 1.0 / BUMP_Q))],
            dc: ShelfState::default(),
            dc_shelf: Shelf::new(DC_HZ, 1.0, 0.0, sample_rate_hz),
            after: ShelfState::default(),
            raised: [Box::new([0.0; MAX_CHUNK_SAMPLES]), Box::new([0.0; MAX_CHUNK_SAMPLES])],
        }
    }

    /// Forgets all but the dry sound.
    pub(super) fn start(&mut self, bias: Bias) {
        self.toned.reset();
        self.up.reset();
        self.down.reset();
        self.shaper.reset(bias);
        for state in [&mut self.before, &mut self.emphasis, &mut self.deemphasis, &mut self.dc, &mut self.after] {
            *state = ShelfState::default();
        }
        self.bump = [0.0; 2];
    }

    pub(super) fn flush(&mut self) {
        for state in [&mut self.before, &mut self.emphasis, &mut self.deemphasis, &mut self.dc, &mut self.after] {
            state.flush();
        }
        self.bump = self.bump.map(math::flush);
        self.shaper.flush();
    }

    #[allow(clippy::too_many_arguments)] // what the channels share
    pub(super) fn process(
        &mut self,
        samples: &mut [f32],
        parts: &Parts,
        emphasis: Shelf,
        workings: &Workings,
        gains: &SpanGains,
        [before, after]: [ToneSpan; 2],
        reading: &mut SaturationReading,
    ) {
        let len = samples.len().min(GRID_FRAMES);
        let [mut dry, mut toned, mut driven] = [[0.0f32; GRID_FRAMES]; 3];
        dry[..len].copy_from_slice(&samples[..len]);
        self.dry.process(&mut dry[..len]);
        let flat = !before.moving && before.now.is_flat();
        for (frame, sample) in samples.iter().enumerate().take(len) {
            let input = f64::from(*sample);
            let tone = if flat { input } else { self.before.step(before.shelf(frame), input) };
            toned[frame] = tone as f32;
            let emphasised = if parts.emphasis.is_some() { self.emphasis.step(emphasis, tone) } else { tone };
            driven[frame] = math::flush(emphasised * gains.drive[frame]) as f32;
        }
        reading.curve_input_peak = reading.curve_input_peak.max(peak(&driven[..len]));

        let mut residual = [0.0f32; GRID_FRAMES];
        let [raised, bent] = &mut self.raised;
        let (raised, bent) = (&mut raised[..len * self.up.factor()], &mut bent[..len * self.up.factor()]);
        self.up.process(&driven[..len], raised);
        self.shaper.process(parts.curve, workings, raised, bent);
        self.down.process(bent, &mut residual[..len]);

        self.toned.process(&mut toned[..len]);
        let deemphasis = emphasis.inverse();
        let flat = !after.moving && after.now.is_flat();
        for (frame, sample) in samples.iter_mut().enumerate().take(len) {
            let dry = f64::from(dry[frame]);
            let bent = f64::from(residual[frame]) * gains.inverse_drive[frame];
            let bent = if parts.emphasis.is_some() { self.deemphasis.step(deemphasis, bent) } else { bent };
            let mut wet = gains.apart[frame] * f64::from(toned[frame]) + bent;
            if parts.bump_db != 0.0 {
                wet += gains.bump[frame] * self.bump_band(wet);
            }
            if gains.blocking[frame] != 0.0 {
                wet -= gains.blocking[frame] * self.dc.step(self.dc_shelf, wet);
            }
            wet *= gains.gain[frame];
            if !flat {
                wet = self.after.step(after.shelf(frame), wet);
            }
            *sample = (dry + gains.wet[frame] * (wet - dry)) as f32;
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
