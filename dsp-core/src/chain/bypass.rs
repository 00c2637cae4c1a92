//! Bypass of a whole chain: the dry signal, delayed to match, crossfaded without a click.

use crate::block::Block;
use crate::delay_line::DelayLine;
use crate::processor::StreamConfig;
use crate::ramp::Ramp;

/// How long a crossfade between a chain and its input takes, in seconds.
pub const BYPASS_SECONDS: f64 = 0.02;

/// Keeps the dry signal of a block while the chain works on it, and blends the two.
///
/// Dry and wet are near to each other, so the blend is linear: halfway, two equal signals stay as loud as they are.
#[derive(Clone, Debug)]
pub struct Bypass<const CH: usize> {
    lines: [DelayLine; CH],
    dry: [Vec<f32>; CH],
    /// 0 wet, 1 dry.
    blend: Ramp,
}

impl<const CH: usize> Bypass<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Bypass {
            lines: std::array::from_fn(|_| DelayLine::default()),
            dry: std::array::from_fn(|_| vec![]),
            blend: Ramp::new(0.0, 1),
        }
    }

    /// For a chain that lags by `latency_frames`. May allocate.
    pub fn prepare(&mut self, config: StreamConfig, latency_frames: usize, bypassed: bool) {
        self.lines = std::array::from_fn(|_| DelayLine::new(latency_frames));
        self.dry = std::array::from_fn(|_| vec![0.0; config.max_frames]);
        self.blend = Ramp::with_seconds(f64::from(u8::from(bypassed)), BYPASS_SECONDS, config.sample_rate_hz);
    }

    /// Forgets all audio and arrives. Real-time safe.
    pub fn reset(&mut self) {
        self.lines.iter_mut().for_each(DelayLine::reset);
        self.blend.snap();
    }

    /// Starts to blend to the dry signal, or back. Real-time safe.
    pub fn set(&mut self, bypassed: bool) {
        self.blend.set_target(f64::from(u8::from(bypassed)));
    }

    /// Takes the dry signal in, before the chain. Real-time safe.
    pub fn take_dry(&mut self, block: &mut Block<'_, CH>) {
        for ((dry, line), channel) in self.dry.iter_mut().zip(&mut self.lines).zip(block.channels()) {
            for (dry, sample) in dry.iter_mut().zip(channel.iter()) {
                *dry = line.push(*sample);
            }
        }
    }

    /// Blends the dry signal in, after the chain. Wholly wet or dry, it changes no bit of either. Real-time safe.
    pub fn blend(&mut self, block: &mut Block<'_, CH>) {
        let start = self.blend;
        for (dry, channel) in self.dry.iter().zip(block.channels()) {
            self.blend = start;
            let mut samples = channel.iter_mut().zip(dry);
            while self.blend.is_moving() {
                let Some((wet, dry)) = samples.next() else { break };
                let (w, d) = (f64::from(*wet), f64::from(*dry));
                *wet = (w + self.blend.next_value() * (d - w)) as f32;
            }
            if self.blend.value() == 1.0 {
                samples.for_each(|(wet, dry)| *wet = *dry);
            }
        }
    }
}

impl<const CH: usize> Default for Bypass<CH> {
    fn default() -> Self {
        Self::new()
    }
}
