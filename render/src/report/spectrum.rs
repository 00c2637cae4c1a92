//! The long-term spectrum of a file.

use realfft::RealFftPlanner;

/// Points per octave of a smoothed spectrum.
const PER_OCTAVE: f64 = 24.0;
const FFT_FRAMES: usize = 16_384;

/// Average power in 1/12-octave bands around log-spaced frequencies from 20 Hz to 20 kHz, both channels together:
/// (frequency in Hz, level in dB; a full-scale sine reads about 0).
pub fn average(audio: &[Vec<f32>; 2], sample_rate_hz: u32) -> Vec<(f64, f64)> {
    let mut planner = RealFftPlanner::<f64>::new();
    let fft = planner.plan_fft_forward(FFT_FRAMES);
    let mut windowed = fft.make_input_vec();
    let mut bins = fft.make_output_vec();
    let mut power = vec![0.0f64; bins.len()];
    let window: Vec<f64> =
        (0..FFT_FRAMES).map(|n| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / FFT_FRAMES as f64).cos()).collect();
    let mut count = 0usize;
    for channel in audio {
        for start in (0..channel.len().saturating_sub(FFT_FRAMES - 1)).step_by(FFT_FRAMES / 2) {
            for ((out, sample), w) in windowed.iter_mut().zip(&channel[start..]).zip(&window) {
                *out = f64::from(*sample) * w;
            }
            // lengths are the plan's own, so it cannot fail
            if fft.process(&mut windowed, &mut bins).is_ok() {
                power.iter_mut().zip(&bins).for_each(|(p, b)| *p += b.norm_sqr());
                count += 1;
            }
        }
    }
    // a sine of amplitude 1 puts (N/2 · mean of the window)² = (N/4)² into its middle bin, and 1.5 times that into all
    let full_scale = 1.5 * (FFT_FRAMES as f64 / 4.0).powi(2) * count.max(1) as f64;
    let hz_per_bin = f64::from(sample_rate_hz) / FFT_FRAMES as f64;
    let steps = ((20_000.0f64 / 20.0).log2() * PER_OCTAVE) as usize;
    (0..=steps)
        .map(|i| 20.0 * (i as f64 / PER_OCTAVE).exp2())
        .filter(|hz| *hz < f64::from(sample_rate_hz) / 2.0)
        .map(|hz| {
            let half = (1.0f64 / 24.0).exp2();
            let from = (hz / half / hz_per_bin).round() as usize;
            let to = ((hz * half / hz_per_bin).round() as usize).max(from);
            let band: f64 = power.iter().skip(from).take(to - from + 1).sum();
            (hz, 10.0 * (band / full_scale).max(1e-14).log10())
        })
        .collect()
}
