//! Bypass of a whole chain: the dry signal, delayed to match and as loud as the wet one if that is wanted, crossfaded
//! without a click.

use crate::block::Block;
use crate::delay_line::DelayLine;
use crate::math;
use crate::metering::loudness_match::LoudnessMatch;
use crate::processor::StreamConfig;
use crate::ramp::Ramp;

/// How long a crossfade between a chain and its input takes, in seconds.
pub const BYPASS_SECONDS: f64 = 0.02;

/// What is heard while a chain is bypassed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bypassed {
    /// The dry signal instead of the chain's.
    pub on: bool,
    /// Gain of the dry signal, in decibels: 0 leaves it as it is, to the bit. Louder seems better, so a fair comparison
    /// is one at equal loudness; [`Bypass::difference_db`] tells what that takes. The gain never follows by itself.
    pub gain_db: f64,
}

/// Keeps the dry signal of a block while the chain works on it, and blends the two.
///
/// Dry and wet are near to each other, so the blend is linear: halfway, two equal signals stay as loud as they are.
#[derive(Clone, Debug)]
pub struct Bypass<const CH: usize> {
    lines: [DelayLine; CH],
    dry: [Vec<f32>; CH],
    /// 0 wet, 1 dry.
    blend: Ramp,
    /// Of the dry signal, linear.
    gain: Ramp,
    comparison: LoudnessMatch<CH>,
    measuring: bool,
}

impl<const CH: usize> Bypass<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Bypass {
            lines: std::array::from_fn(|_| DelayLine::default()),
            dry: std::array::from_fn(|_| vec![]),
            blend: Ramp::new(0.0, 1),
            gain: Ramp::new(1.0, 1),
            comparison: LoudnessMatch::new(48_000.0),
            measuring: false,
        }
    }

    /// For a chain that lags by `latency_frames`. May allocate.
    pub fn prepare(&mut self, config: StreamConfig, latency_frames: usize, bypassed: Bypassed) {
        self.lines = std::array::from_fn(|_| DelayLine::new(latency_frames));
        self.dry = std::array::from_fn(|_| vec![0.0; config.max_frames]);
        let ramp = |value| Ramp::with_seconds(value, BYPASS_SECONDS, config.sample_rate_hz);
        self.blend = ramp(f64::from(u8::from(bypassed.on)));
        self.gain = ramp(math::db_to_gain(bypassed.gain_db));
        self.comparison = LoudnessMatch::new(config.sample_rate_hz);
    }

    /// Forgets all audio and arrives. Real-time safe.
    pub fn reset(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::reset);
        self.blend.snap();
        self.gain.snap();
        self.comparison.reset();
    }

    /// Starts to blend to the dry signal, or back, and moves its gain. Real-time safe.
    pub fn set(&mut self, bypassed: Bypassed) {
        self.blend.set_target(f64::from(u8::from(bypassed.on)));
        self.gain.set_target(math::db_to_gain(bypassed.gain_db));
        if self.blend.target() == 0.0 && !self.blend.is_moving() {
            // nothing is heard of it
            self.gain.snap();
        }
    }

    /// Starts or stops comparing dry and wet; it is off at first, and costs only while on. The sound does not depend on
    /// it. Real-time safe.
    pub fn set_measuring(&mut self, measuring: bool) {
        if measuring && !self.measuring {
            self.comparison.reset();
        }
        self.measuring = measuring;
    }

    /// By how many decibels the chain makes its input louder: the gain at which the dry signal is as loud as the wet one.
    /// `None` while nothing is measured, and for the first second of programme. Real-time safe.
    #[must_use]
    pub fn difference_db(&self) -> Option<f64> {
        self.comparison.difference_db().filter(|_| self.measuring)
    }

    /// Takes the dry signal in, before the chain. Real-time safe.
    pub fn take_dry(&mut self, block: &Block<'_, CH>) {
        let delays = self.lines.iter().any(|line| line.frames() > 0);
        if !delays && !self.measuring && self.is_wet() {
            // nobody asks for it before the next block
            return;
        }
        for ((dry, line), channel) in self.dry.iter_mut().zip(&mut self.lines).zip(block.channels_ref()) {
            let frames = channel.len().min(dry.len());
            dry[..frames].copy_from_slice(&channel[..frames]);
            line.process(&mut dry[..frames]);
        }
    }

    /// Whether only the chain is heard.
    fn is_wet(&self) -> bool {
        !self.blend.is_moving() && self.blend.value() == 0.0
    }

    /// Blends the dry signal in, after the chain. Wholly wet it changes no bit; wholly dry, without a gain, it is the
    /// delayed input to the bit. Real-time safe.
    pub fn blend(&mut self, block: &mut Block<'_, CH>) {
        if self.measuring {
            let frames = block.frames();
            let dry = self.dry.each_ref().map(|dry| dry.get(..frames).unwrap_or(&[]));
            self.comparison.process(dry, block.channels_ref());
        }
        if self.is_wet() {
            return;
        }
        let start = (self.blend, self.gain);
        for (dry, channel) in self.dry.iter().zip(block.channels()) {
            (self.blend, self.gain) = start;
            let mut samples = channel.iter_mut().zip(dry);
            while self.blend.is_moving() || (self.gain.is_moving() && self.blend.value() == 1.0) {
                let Some((wet, dry)) = samples.next() else { break };
                let (w, d) = (f64::from(*wet), f64::from(*dry) * self.gain.next_value());
                let blend = self.blend.next_value();
                *wet = if blend == 1.0 { d } else { w + blend * (d - w) } as f32;
            }
            if self.blend.value() == 1.0 {
                let gain = self.gain.value();
                if gain == 1.0 {
                    samples.for_each(|(wet, dry)| *wet = *dry);
                } else {
                    samples.for_each(|(wet, dry)| *wet = (f64::from(*dry) * gain) as f32);
                }
            }
        }
    }
}

impl<const CH: usize> Default for Bypass<CH> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: StreamConfig = StreamConfig { sample_rate_hz: 48_000.0, max_frames: 512 };

    fn sine(gain: f64, frames: usize) -> Vec<f32> {
        (0..frames).map(|n| (gain * math::sin(math::TAU * 997.0 * n as f64 / 48_000.0)) as f32).collect()
    }

    /// Runs a chain that multiplies by two.
    fn doubled(bypass: &mut Bypass<1>, input: &[f32]) -> Vec<f32> {
        let mut out = input.to_vec();
        for chunk in out.chunks_mut(512) {
            let mut block = Block::new([chunk]);
            bypass.take_dry(&block);
            block.channels()[0].iter_mut().for_each(|x| *x *= 2.0);
            bypass.blend(&mut block);
        }
        out
    }

    /// What is measured, written into the gain, makes the bypassed signal as loud as the chain's: twice the input, exactly
    /// 6.02 dB. Measured in double precision from single-precision samples.
    #[test]
    fn the_measured_difference_matches_the_loudness() {
        let mut bypass = Bypass::<1>::new();
        bypass.prepare(CONFIG, 0, Bypassed::default());
        bypass.set_measuring(true);
        let input = sine(0.1, 96_000);
        doubled(&mut bypass, &input);
        let difference_db = bypass.difference_db().unwrap();
        assert!((difference_db - 20.0 * math::log10(2.0)).abs() < 1e-6, "{difference_db}");
        bypass.prepare(CONFIG, 0, Bypassed { on: true, gain_db: difference_db });
        let out = doubled(&mut bypass, &input);
        assert!(out.iter().zip(&input).all(|(o, i)| (o - 2.0 * i).abs() < 1e-7));
    }

    /// The gain is a control that somebody sets: a louder programme, measured or not, does not move it.
    #[test]
    fn the_gain_never_rides() {
        let mut bypass = Bypass::<1>::new();
        bypass.prepare(CONFIG, 0, Bypassed { on: true, gain_db: -3.0 });
        bypass.set_measuring(true);
        let quiet = doubled(&mut bypass, &sine(0.01, 96_000));
        let loud = doubled(&mut bypass, &sine(0.9, 96_000));
        let peak = |x: &[f32]| x.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        let expected = math::db_to_gain(-3.0) as f32;
        assert!((peak(&quiet) / 0.01 - expected).abs() < 1e-4 && (peak(&loud) / 0.9 - expected).abs() < 1e-4);
    }

    /// Bypassed without a gain the input comes out to the bit, `latency_frames` later; a gain glides in.
    #[test]
    fn dry_is_dry() {
        let mut bypass = Bypass::<1>::new();
        bypass.prepare(CONFIG, 100, Bypassed { on: true, gain_db: 0.0 });
        let input = sine(0.5, 4800);
        let out = doubled(&mut bypass, &input);
        assert_eq!(out[100..], input[..4700]);
        bypass.set(Bypassed { on: true, gain_db: 6.0 });
        let out = doubled(&mut bypass, &vec![0.25; 4800]);
        // a 20 ms smoothstep moves by 1.875 × its height a duration at most
        let steepest = out[200..].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.25 * 2.0 / 960.0, "{steepest}");
        assert!((out[4799] - 0.25 * math::db_to_gain(6.0) as f32).abs() < 1e-7);
    }
}
