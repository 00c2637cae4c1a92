//! The long-term spectrum of a file.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Points per octave of a smoothed spectrum.
const PER_OCTAVE: f64 = 24.0;
const FFT_FRAMES: usize = 16_384;

/// Power that adds up: of both channels together, windows of Hann that overlap by half.
pub struct Spectrum {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    windowed: Vec<f64>,
    bins: Vec<Complex<f64>>,
    /// What each channel's next window begins with.
    waiting: [Vec<f32>; 2],
    power: Vec<f64>,
    count: usize,
    sample_rate_hz: u32,
}

impl Spectrum {
    pub fn new(sample_rate_hz: u32) -> Self {
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(FFT_FRAMES);
        let hann = |n| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / FFT_FRAMES as f64).cos();
        let (windowed, bins) = (fft.make_input_vec(), fft.make_output_vec());
        Spectrum {
            window: (0..FFT_FRAMES).map(hann).collect(),
            power: vec![0.0; bins.len()],
            windowed,
            bins,
            fft,
            waiting: [vec![], vec![]],
            count: 0,
            sample_rate_hz,
        }
    }

    pub fn hear(&mut self, channels: [&[f32]; 2]) {
        for (waiting, channel) in self.waiting.iter_mut().zip(channels) {
            waiting.extend_from_slice(channel);
            let mut start = 0;
            while let Some(frames) = waiting.get(start..start + FFT_FRAMES) {
                for ((out, sample), w) in self.windowed.iter_mut().zip(frames).zip(&self.window) {
                    *out = f64::from(*sample) * w;
                }
                // lengths are the plan's own, so it cannot fail
                if self.fft.process(&mut self.windowed, &mut self.bins).is_ok() {
                    self.power.iter_mut().zip(&self.bins).for_each(|(p, b)| *p += b.norm_sqr());
                    self.count += 1;
                }
                start += FFT_FRAMES / 2;
            }
            waiting.drain(..start);
        }
    }

    /// Average power in 1/12-octave bands around log-spaced frequencies from 20 Hz to 20 kHz: (frequency in Hz, level in dB; a
    /// full-scale sine reads about 0).
    pub fn average(&self) -> Vec<(f64, f64)> {
        // a sine of amplitude 1 puts (N/2 · mean of the window)² = (N/4)² into its middle bin, and 1.5 times that into all
        let full_scale = 1.5 * (FFT_FRAMES as f64 / 4.0).powi(2) * self.count.max(1) as f64;
        let hz_per_bin = f64::from(self.sample_rate_hz) / FFT_FRAMES as f64;
        let steps = ((20_000.0f64 / 20.0).log2() * PER_OCTAVE) as usize;
        (0..=steps)
            .map(|i| 20.0 * (i as f64 / PER_OCTAVE).exp2())
            .filter(|hz| *hz < f64::from(self.sample_rate_hz) / 2.0)
            .map(|hz| {
                let half = (1.0f64 / 24.0).exp2();
                let from = (hz / half / hz_per_bin).round() as usize;
                let to = ((hz * half / hz_per_bin).round() as usize).max(from);
                let band: f64 = self.power.iter().skip(from).take(to - from + 1).sum();
                (hz, 10.0 * (band / full_scale).max(1e-14).log10())
            })
            .collect()
    }
}
