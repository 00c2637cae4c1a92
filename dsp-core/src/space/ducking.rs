//! Ducking: echoes and tails make room for the sound that they come from.

use crate::control_grid::GRID_FRAMES;
use crate::math;
use crate::ramp::Ramp;

/// Turns a wet signal down while its dry signal is loud.
///
/// The dry signal's peak over each span of the grid, in decibels, is its presence: 0 at [`QUIET_DBFS`] and under, 1 at
/// [`LOUD_DBFS`] and over, even in between. Presence rises by a one-pole of [`ATTACK_SECONDS`] and falls by one of
/// the release (each is the time to 63.2 %); a second one-pole of the attack's time takes the corner off. The wet
/// signal is turned down by amount × presence, in decibels, so that a steady sound is turned down by a known number and
/// a fade of it opens the room evenly. The gain follows one span of the grid, 0.7 ms, later, straight from point to point.
///
/// At 0 dB it changes no bit.
#[derive(Clone, Debug)]
pub struct Ducking {
    amount_db: Ramp,
    release: f64,
    attack: f64,
    /// Of the dry signal since the last point of the grid.
    peak: f32,
    /// Presence behind the first and the second one-pole.
    presence: [f64; 2],
    gain: f64,
    /// The gain at every frame of the span under way, and the next of them.
    gains: [f32; GRID_FRAMES],
    at: usize,
    sample_rate_hz: f64,
}

/// The peak at which the wet signal is wholly down, in dBFS.
pub const LOUD_DBFS: f64 = -12.0;
/// The peak under which nothing is turned down, in dBFS.
pub const QUIET_DBFS: f64 = -48.0;
/// How soon the wet signal makes room: time constant in seconds.
pub const ATTACK_SECONDS: f64 = 0.005;
/// How long a moved amount takes to arrive, in seconds.
pub const DUCKING_GLIDE_SECONDS: f64 = 0.05;

impl Ducking {
    /// Turns down by `amount_db` at most, which is positive, and lets go within `release_seconds`. Real-time safe.
    #[must_use]
    pub fn new(amount_db: f64, release_seconds: f64, sample_rate_hz: f64) -> Self {
        Ducking {
            amount_db: Ramp::with_seconds(amount_db, DUCKING_GLIDE_SECONDS, sample_rate_hz),
            release: step(release_seconds, sample_rate_hz),
            attack: step(ATTACK_SECONDS, sample_rate_hz),
            peak: 0.0,
            presence: [0.0; 2],
            gain: 1.0,
            gains: [1.0; GRID_FRAMES],
            at: 0,
            sample_rate_hz,
        }
    }

    /// Moves the targets; the amount glides. Real-time safe.
    pub fn set_targets(&mut self, amount_db: f64, release_seconds: f64) {
        self.amount_db.set_target(amount_db);
        self.release = step(release_seconds, self.sample_rate_hz);
    }

    /// Forgets all audio; the amount arrives. Real-time safe.
    pub fn reset(&mut self) {
        self.amount_db.snap();
        self.peak = 0.0;
        self.presence = [0.0; 2];
        self.gain = 1.0;
        self.gains = [1.0; GRID_FRAMES];
        self.at = 0;
    }

    /// The gain in decibels at which a wet signal stands now: 0 or less. Real-time safe.
    #[must_use]
    pub fn gain_db(&self) -> f64 {
        math::gain_to_db(self.gain)
    }

    /// What happens on a point of the control grid: the next span's gains, from the last span's peak. Real-time safe.
    pub fn on_grid(&mut self) {
        self.at = 0;
        let peak = std::mem::take(&mut self.peak);
        if self.is_idle() {
            self.presence = [0.0; 2];
            return;
        }
        let dbfs = if peak > 0.0 { math::gain_to_db(f64::from(peak)) } else { QUIET_DBFS };
        let heard = ((dbfs - QUIET_DBFS) / (LOUD_DBFS - QUIET_DBFS)).clamp(0.0, 1.0);
        let [first, second] = &mut self.presence;
        *first = math::flush(*first + (heard - *first) * if heard > *first { self.attack } else { self.release });
        *second = math::flush(*second + (*first - *second) * self.attack);
        self.amount_db.advance(GRID_FRAMES);
        let from = self.gain;
        self.gain = math::db_to_gain(-self.amount_db.value() * *second);
        let per_frame = (self.gain - from) / GRID_FRAMES as f64;
        for (n, gain) in self.gains.iter_mut().enumerate() {
            *gain = (from + per_frame * (n + 1) as f64) as f32;
        }
    }

    /// Listens to `dry` and turns `wet` down, in place; all of one length, at most up to the next point of the grid.
    /// Real-time safe.
    pub fn process<const CH: usize>(&mut self, dry: [&[f32]; CH], wet: [&mut [f32]; CH]) {
        if self.is_idle() {
            return;
        }
        self.peak = dry.iter().fold(self.peak, |peak, channel| peak_of(channel, peak));
        let len = wet.iter().map(|w| w.len()).max().unwrap_or(0);
        let gains = &self.gains[self.at.min(GRID_FRAMES)..];
        for channel in wet {
            channel.iter_mut().zip(gains).for_each(|(sample, gain)| *sample *= gain);
        }
        self.at += len;
    }

    /// Whether nothing is turned down, nor will be.
    fn is_idle(&self) -> bool {
        self.amount_db.target() == 0.0 && !self.amount_db.is_moving() && self.gain == 1.0
    }
}

/// The highest magnitude, `so_far` included, eight at a time: a maximum has no order.
fn peak_of(samples: &[f32], so_far: f32) -> f32 {
    let mut lanes = [so_far; 8];
    let eights = samples.chunks_exact(8);
    for (lane, x) in lanes.iter_mut().zip(eights.remainder()) {
        *lane = lane.max(x.abs());
    }
    for eight in eights {
        for (lane, x) in lanes.iter_mut().zip(eight) {
            *lane = if x.abs() > *lane { x.abs() } else { *lane };
        }
    }
    lanes.iter().fold(so_far, |peak, lane| peak.max(*lane))
}

/// The share of the way that a one-pole of this time constant goes from one point of the grid to the next.
fn step(seconds: f64, sample_rate_hz: f64) -> f64 {
    1.0 - math::exp(-(GRID_FRAMES as f64) / (seconds.max(1e-4) * sample_rate_hz))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;

    const RATE_HZ: f64 = 48_000.0;

    /// The gain of a constant wet signal beside `dry`, in blocks of `len`.
    fn gains(ducking: &mut Ducking, dry: &[f32], len: usize) -> Vec<f32> {
        let mut wet = vec![1.0; dry.len()];
        let (mut at, mut grid) = (0, crate::control_grid::ControlGrid::default());
        while at < dry.len() {
            let end = (at + len).min(dry.len());
            let mut start = 0;
            while let Some(span) = grid.next(start, end - at) {
                if span.on_grid {
                    ducking.on_grid();
                }
                let range = at + span.start..at + span.start + span.len;
                ducking.process([&dry[range.clone()]], [&mut wet[range]]);
                start = span.start + span.len;
            }
            at = end;
        }
        wet
    }

    /// A steady sine is turned down by amount × (level + 48)/36 dB. Of its 48 samples a period two are its peaks, so that
    /// every span of 32 has one; what is left is the one-poles' approach and rounding.
    #[test]
    fn steady_levels_are_turned_down_by_the_law() {
        for (dbfs, share) in [(-70.0, 0.0), (-48.0, 0.0), (-39.0, 0.25), (-30.0, 0.5), (-12.0, 1.0), (0.0, 1.0)] {
            let peak = 10f64.powf(dbfs / 20.0);
            let dry: Vec<f32> = (0..48_000)
                .map(|n| (peak * (std::f64::consts::TAU * 1000.0 / RATE_HZ * f64::from(n)).sin()) as f32)
                .collect();
            let mut ducking = Ducking::new(24.0, 0.2, RATE_HZ);
            let wet = gains(&mut ducking, &dry, 512);
            let db = 20.0 * f64::from(wet[wet.len() - 1]).log10();
            assert!((db + 24.0 * share).abs() < 0.01, "{dbfs} dBFS: {db} dB");
            assert!((ducking.gain_db() - db).abs() < 1e-4);
        }
    }

    /// After the sound the presence falls as e^(−t/release), so that the gain comes back by the law: to 36.8 % of the
    /// decibels after the release. The second pole and the grid make it later by 5.7 ms at most: 6 % of 0.1 s.
    #[test]
    fn release_is_the_time_to_63_percent() {
        for release in [0.1, 0.5, 2.0] {
            let mut dry = vec![1.0f32; 24_000];
            dry.resize(24_000 + (3.0 * release * RATE_HZ) as usize, 0.0);
            let wet = gains(&mut Ducking::new(20.0, release, RATE_HZ), &dry, 480);
            assert!((20.0 * f64::from(wet[23_999]).log10() + 20.0).abs() < 0.01);
            let there = 24_000 + wet[24_000..].iter().position(|g| 20.0 * g.log10() > -20.0 * 0.367_88).unwrap();
            let seconds = (there - 24_000) as f64 / RATE_HZ;
            assert!(seconds > release && seconds < release + 0.0065, "{release}: {seconds}");
        }
    }

    /// No step in the gain: 20 dB within two one-poles of 5 ms move it by 0.2 a millisecond at most.
    #[test]
    fn gain_has_no_steps_and_depends_on_no_block() {
        let dry: Vec<f32> = (0..20_000).map(|n| if n / 3000 % 2 == 0 { 0.0 } else { (n as f32 * 0.7).sin() }).collect();
        let whole = gains(&mut Ducking::new(30.0, 0.05, RATE_HZ), &dry, 20_000);
        for pair in whole.windows(2) {
            assert!((pair[1] - pair[0]).abs() < 0.01, "{pair:?}");
        }
        for len in [1, 7, 64, 500] {
            assert_eq!(gains(&mut Ducking::new(30.0, 0.05, RATE_HZ), &dry, len), whole);
        }
    }

    #[test]
    fn none_changes_no_bit() {
        let dry: Vec<f32> = (0..5000).map(|n| (n as f32 * 0.7).sin()).collect();
        let mut ducking = Ducking::new(0.0, 0.1, RATE_HZ);
        assert!(gains(&mut ducking, &dry, 64).iter().all(|g| *g == 1.0));
        // moved up and back it is transparent again
        ducking.set_targets(12.0, 0.1);
        assert!(gains(&mut ducking, &dry, 64)[4999] < 0.5);
        ducking.set_targets(0.0, 0.1);
        gains(&mut ducking, &dry, 64);
        assert!(gains(&mut ducking, &dry, 64).iter().all(|g| *g == 1.0));
    }
}
