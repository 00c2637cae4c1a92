//! How much louder one signal is than another: measured slowly, for whoever wants to compare the two at one loudness.

use super::k_weighting::{self, KWeighting, PairState};
use crate::math;
use fearless_simd::{Level, dispatch};

/// Compares the loudness of what a chain makes with that of what it was given.
///
/// K-weighted power (ITU-R BS.1770-5, Annex 1) of both over the last ten seconds or so of what is not silence. It moves
/// nothing: it is a reading, for a control that somebody sets.
#[derive(Clone, Debug)]
pub struct LoudnessMatch<const CH: usize> {
    level: Level,
    weighting: KWeighting,
    /// Reference and processed, one state for two channels.
    pairs: [Vec<PairState>; 2],
    hop_frames: usize,
    /// Frames into the present hop.
    at: usize,
    /// Power of reference and processed, forgetting.
    sums: [f64; 2],
    /// Hops of programme in `sums`.
    hops: usize,
}

/// Hops a second.
const HOPS_PER_SECOND: f64 = 10.0;
/// How fast old programme is forgotten, in hops.
const MEMORY_HOPS: f64 = 100.0;
/// Hops of programme until there is a reading.
const LEAST_HOPS: usize = 10;
/// Mean power of both channels under which a hop is no programme: −70 dBFS.
const SILENCE_POWER: f64 = 1e-7;

impl<const CH: usize> LoudnessMatch<CH> {
    /// A comparison at this rate. May allocate.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        let pairs = || vec![PairState::default(); CH.div_ceil(2)];
        LoudnessMatch {
            level: Level::new(),
            weighting: KWeighting::new(sample_rate_hz),
            pairs: [pairs(), pairs()],
            hop_frames: (sample_rate_hz / HOPS_PER_SECOND).round().max(1.0) as usize,
            at: 0,
            sums: [0.0; 2],
            hops: 0,
        }
    }

    /// Forgets everything. Real-time safe.
    pub fn reset(&mut self) {
        self.pairs.iter_mut().for_each(|pairs| pairs.fill(PairState::default()));
        (self.at, self.sums, self.hops) = (0, [0.0; 2], 0);
    }

    /// Takes in the same frames of both, which must be finite and of one length. Real-time safe.
    pub fn process(&mut self, reference: [&[f32]; CH], processed: [&[f32]; CH]) {
        let frames = reference.iter().chain(&processed).map(|c| c.len()).min().unwrap_or(0);
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + self.hop_frames - self.at);
            for (channels, pairs) in [&reference, &processed].into_iter().zip(&mut self.pairs) {
                for (channels, state) in channels.chunks(2).zip(pairs) {
                    let (Some(first), Some(second)) = (channels.first(), channels.last()) else { continue };
                    let (first, second) = (&first[start..end], &second[start..end]);
                    let weighting = &self.weighting;
                    dispatch!(self.level, simd => k_weighting::weigh_pair(simd, weighting, state, first, second));
                }
            }
            self.at += end - start;
            if self.at == self.hop_frames {
                self.end_hop();
            }
            start = end;
        }
    }

    /// By how many decibels the processed signal is louder than the reference; `None` before a second of programme.
    /// Real-time safe.
    #[must_use]
    pub fn difference_db(&self) -> Option<f64> {
        let [reference, processed] = self.sums;
        let measured = self.hops >= LEAST_HOPS && reference > 0.0 && processed > 0.0;
        measured.then(|| 10.0 * math::log10(processed / reference))
    }

    fn end_hop(&mut self) {
        self.at = 0;
        let mut powers = [0.0; 2];
        for (power, pairs) in powers.iter_mut().zip(&mut self.pairs) {
            *power = pairs.iter_mut().map(|p| p.take().energy).map(|[a, b]| a + b).sum();
        }
        if powers[0] > SILENCE_POWER * (2 * self.hop_frames) as f64 {
            for (sum, power) in self.sums.iter_mut().zip(powers) {
                *sum = *sum * (1.0 - 1.0 / MEMORY_HOPS) + power;
            }
            self.hops = self.hops.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, gain: f64, frames: usize) -> Vec<f32> {
        (0..frames).map(|n| (gain * math::sin(math::TAU * hz * n as f64 / 48_000.0)) as f32).collect()
    }

    /// Two tones of one frequency differ by the ratio of their amplitudes, whatever the weighting; tones of two
    /// frequencies by the weighting too. Windows that end mid-period leave 1e-3 dB.
    #[test]
    fn reads_the_ratio_of_tones() {
        let k = KWeighting::new(48_000.0);
        let weight_db = |hz: f64| math::gain_to_db(k.gain_at(hz, 48_000.0));
        for (hz, expected) in [(1000.0, 6.0), (4000.0, 6.0 + weight_db(4000.0) - weight_db(1000.0))] {
            let mut compared = LoudnessMatch::<2>::new(48_000.0);
            let (a, b) = (sine(1000.0, 0.1, 96_000), sine(hz, 0.1 * math::db_to_gain(6.0), 96_000));
            for (a, b) in a.chunks(700).zip(b.chunks(700)) {
                compared.process([a, a], [b, b]);
            }
            let found = compared.difference_db().unwrap();
            assert!((found - expected).abs() < 5e-3, "{hz} Hz: {found}, expected {expected}");
        }
    }

    /// Silence is no programme: pauses leave the reading as it was, and without programme there is none.
    #[test]
    fn silence_does_not_count() {
        let mut compared = LoudnessMatch::<1>::new(48_000.0);
        let silence = vec![0.0; 96_000];
        compared.process([&silence], [&silence]);
        assert_eq!(compared.difference_db(), None);
        let (a, b) = (sine(500.0, 0.1, 96_000), sine(500.0, 0.05, 96_000));
        compared.process([&a], [&b]);
        let before = compared.difference_db().unwrap();
        compared.process([&silence], [&silence]);
        let after = compared.difference_db().unwrap();
        // the filters' ringing at the first hop of the pause
        assert!((before + 6.0206).abs() < 5e-3 && (after - before).abs() < 5e-3, "{before}, {after}");
    }
}
