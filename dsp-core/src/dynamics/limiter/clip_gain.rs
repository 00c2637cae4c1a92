//! The clip, as a gain.

use super::history::{Frames, SPAN_FRAMES};

/// A soft clip of the peaks, as a gain that moves within a few frames.
///
/// The curve takes a peak v, re ceiling, to v up to 0.75, to v − (v − 0.75)² up to 1.25, to 1 above: it and its slope have
/// no break. The gain is the curve over v, no less than a limit: what is over by more than the clip may take is left to the
/// limiter. As peaks count between samples too and the gain is the least of six frames under a (1 4 6 4 1)/16 mean, what is
/// clipped is the envelope of a few frames: a low tone gets the curve itself, a high one a gain and no overtones that
/// would fold back.
#[derive(Clone, Debug, Default)]
pub(super) struct ClipGain {
    peaks: [f32; DELAY_FRAMES],
    gains: [f32; BACK],
}

/// Frames by which peaks and gains are delayed.
pub(super) const DELAY_FRAMES: usize = 4;
/// Gains of which the least is taken.
const MINIMUM: usize = 6;
/// Gains looked back on.
const BACK: usize = MINIMUM + DELAY_FRAMES - 1;

impl ClipGain {
    /// Real-time safe.
    pub(super) fn reset(&mut self) {
        self.peaks = [0.0; DELAY_FRAMES];
        self.gains = [1.0; BACK];
    }

    /// Takes peaks re ceiling (slow gain included) and the least gains of these frames (1 is no clip), and gives the gains
    /// of the frames before, as [`delay`](Self::delay) delays. Real-time safe.
    #[inline(always)]
    pub(super) fn gains(&mut self, peaks: &Frames, limits: &Frames, frames: usize) -> Frames {
        let mut gains = [1.0; SPAN_FRAMES];
        if limits.iter().chain(&self.gains).all(|gain| *gain == 1.0) {
            return gains;
        }
        let mut raw = [1.0f32; SPAN_FRAMES + BACK];
        raw[..BACK].copy_from_slice(&self.gains);
        for ((raw, peak), limit) in raw[BACK..].iter_mut().zip(peaks).zip(limits) {
            let over = (*peak - 0.75).max(0.0);
            let clipped = if *peak < 1.25 { *peak - over * over } else { 1.0 };
            *raw = if over > 0.0 { (clipped / *peak).max(*limit) } else { 1.0 };
        }
        self.gains.copy_from_slice(&raw[frames..frames + BACK]);
        for (gain, raw) in gains.iter_mut().zip(raw.windows(BACK + 1)) {
            let mut sum = 0.0;
            for (n, weight) in [1.0, 4.0, 6.0, 4.0, 1.0].into_iter().enumerate() {
                sum += weight * raw[n..n + MINIMUM].iter().copied().fold(1.0, |l, g| if g < l { g } else { l });
            }
            *gain = sum * (1.0 / 16.0);
        }
        gains
    }

    /// Delays `values`, as the gains are. Real-time safe.
    #[inline(always)]
    pub(super) fn delay(&mut self, values: &mut Frames, frames: usize) {
        let mut line = [0.0; SPAN_FRAMES + DELAY_FRAMES];
        line[..DELAY_FRAMES].copy_from_slice(&self.peaks);
        line[DELAY_FRAMES..].copy_from_slice(values);
        values.copy_from_slice(&line[..SPAN_FRAMES]);
        self.peaks.copy_from_slice(&line[frames..frames + DELAY_FRAMES]);
    }
}
