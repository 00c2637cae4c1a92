//! The level of a signal as it is heard to be full: the root of its mean square over 300 ms.

/// How long the mean is, in hops.
const WINDOW_HOPS: usize = 30;
/// Hops a second: the window is 300 ms.
const HOPS_PER_SECOND: f64 = 100.0;

/// RMS of each channel over the last 300 ms, evaluated every 10 ms.
///
/// Linear, re full scale: a sine of full scale reads √½. (AES17-2020, 3.12.3, counts 3.01 dB more, so that this sine is
/// 0 dBFS; whoever shows the figure says which it is.)
#[derive(Clone, Debug)]
pub struct Rms<const CH: usize> {
    hop_frames: usize,
    /// Frames into the present hop.
    at: usize,
    /// Sums of squares: of the present hop, and of the last ones in a ring.
    present: [f64; CH],
    hops: [[f64; CH]; WINDOW_HOPS],
    next: usize,
}

impl<const CH: usize> Rms<CH> {
    /// A meter at this rate. Real-time safe.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        Rms {
            hop_frames: (sample_rate_hz / HOPS_PER_SECOND).round().max(1.0) as usize,
            at: 0,
            present: [0.0; CH],
            hops: [[0.0; CH]; WINDOW_HOPS],
            next: 0,
        }
    }

    /// Forgets everything. Real-time safe.
    pub fn reset(&mut self) {
        (self.at, self.present, self.next) = (0, [0.0; CH], 0);
        self.hops = [[0.0; CH]; WINDOW_HOPS];
    }

    /// Takes in audio, which must be finite and of one length. Real-time safe.
    pub fn process(&mut self, channels: [&[f32]; CH]) {
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + self.hop_frames - self.at);
            for (sum, channel) in self.present.iter_mut().zip(&channels) {
                *sum += sum_of_squares(&channel[start..end]);
            }
            self.at += end - start;
            if self.at == self.hop_frames {
                self.at = 0;
                if let Some(hop) = self.hops.get_mut(self.next) {
                    *hop = std::mem::replace(&mut self.present, [0.0; CH]);
                }
                self.next = (self.next + 1) % WINDOW_HOPS;
            }
            start = end;
        }
    }

    /// RMS of each channel, linear. Real-time safe.
    #[must_use]
    pub fn rms(&self) -> [f32; CH] {
        let frames = (WINDOW_HOPS * self.hop_frames) as f64;
        std::array::from_fn(|c| (self.hops.iter().map(|hop| hop[c]).sum::<f64>() / frames).sqrt() as f32)
    }
}

/// In eight lanes, so that the compiler may use vectors; the order of the sums is fixed.
fn sum_of_squares(samples: &[f32]) -> f64 {
    let (chunks, rest) = samples.as_chunks::<8>();
    let mut lanes = [0.0f64; 8];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;

    /// A sine of amplitude a has the RMS a √½; 300 ms are whole periods of 1 kHz. In single precision: 1e-7.
    #[test]
    fn a_sine_reads_the_root_of_a_half() {
        let mut meter = Rms::<2>::new(48_000.0);
        let sine: Vec<f32> = (0..24_000).map(|n| math::sin(math::TAU * f64::from(n) / 48.0) as f32).collect();
        let half: Vec<f32> = sine.iter().map(|x| 0.5 * x).collect();
        for (a, b) in sine.chunks(97).zip(half.chunks(97)) {
            meter.process([a, b]);
        }
        let [a, b] = meter.rms().map(f64::from);
        assert!((a - 0.5f64.sqrt()).abs() < 1e-6 && (b - 0.5 * 0.5f64.sqrt()).abs() < 1e-6, "{a}, {b}");
    }

    /// The window ends: 300 ms after the sound nothing is left, exactly.
    #[test]
    fn forgets_after_its_window() {
        let mut meter = Rms::<1>::new(48_000.0);
        meter.process([&[1.0; 4800]]);
        assert!((f64::from(meter.rms()[0]) - (1.0f64 / 3.0).sqrt()).abs() < 1e-6);
        meter.process([&[0.0; 14_400]]);
        assert_eq!(meter.rms(), [0.0]);
    }
}
