//! How the stages' tests run a stage, and what they see in its output.
#![allow(clippy::disallowed_methods)] // a test's own measurements use std

use dsp_core::block::Block;
use dsp_core::processor::Processor;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Runs in blocks of 64 frames; `between` is called before each, with its first frame.
pub fn run<P: Processor<CH>, const CH: usize>(
    stage: &mut P,
    audio: &[Vec<f32>; CH],
    key: Option<&[Vec<f32>; CH]>,
    mut between: impl FnMut(&mut P, usize),
) -> [Vec<f32>; CH] {
    let mut out = audio.clone();
    for at in (0..audio[0].len()).step_by(64) {
        let end = (at + 64).min(audio[0].len());
        between(stage, at);
        let mut channels = out.iter_mut();
        let channels: [&mut [f32]; CH] = std::array::from_fn(|_| &mut channels.next().unwrap()[at..end]);
        let key = key.map(|k| std::array::from_fn(|c| &k[c][at..end]));
        stage.process(&mut Block::new(channels).with_side_chain(key));
    }
    out
}

/// White noise between ±½. xorshift64: Marsaglia 2003.
pub fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

/// The same between ±1.
pub fn full_scale_noise(frames: usize, seed: u64) -> Vec<f32> {
    noise(frames, seed).into_iter().map(|x| 2.0 * x).collect()
}

/// The Fourier sum of `signal` at `hz`.
pub fn dft(signal: &[f32], hz: f64, rate_hz: f64) -> Complex64 {
    signal.iter().enumerate().map(|(n, s)| Complex64::from_polar(f64::from(*s), -TAU * hz / rate_hz * n as f64)).sum()
}

/// The peak of what lies outside of `passed_hz`, in decibels re full scale: what is heard of a click. Under a sin⁸ window,
/// whose side lobes are 120 dB down 8 bins from the line, so that the signal's own ends are not heard.
pub fn splatter_db(signal: &[f32], passed_hz: (f64, f64), rate_hz: f64) -> f64 {
    let frames = signal.len();
    let window = |n: usize| (PI * n as f64 / frames as f64).sin().powi(8);
    let mut input: Vec<f64> = signal.iter().enumerate().map(|(n, s)| f64::from(*s) * window(n)).collect();
    let mut planner = RealFftPlanner::new();
    let fft = planner.plan_fft_forward(frames);
    let mut spectrum = fft.make_output_vec();
    fft.process(&mut input, &mut spectrum).unwrap();
    for (bin, line) in spectrum.iter_mut().enumerate() {
        let hz = bin as f64 * rate_hz / frames as f64;
        if hz >= passed_hz.0 && hz <= passed_hz.1 {
            *line = Complex64::default();
        }
    }
    planner.plan_fft_inverse(frames).process(&mut spectrum, &mut input).unwrap();
    20.0 * (input.iter().fold(0.0f64, |peak, s| peak.max(s.abs())) / frames as f64).log10()
}

/// Magnitudes of a windowed spectrum, a full-scale sine reading 1. Window: seven terms, side lobes under −180 dB
/// (H. Albrecht, ICASSP 2001).
pub fn spectrum(signal: &[f32]) -> Vec<f64> {
    const TERMS: [f64; 7] = [
        0.271_051_400_693_42,
        -0.433_297_939_234_48,
        0.218_122_999_543_11,
        -0.065_925_446_388_03,
        0.010_811_742_098_37,
        -0.000_776_584_825_22,
        0.000_013_887_217_35,
    ];
    let frames = signal.len();
    let mut windowed: Vec<f64> = signal
        .iter()
        .enumerate()
        .map(|(n, x)| {
            let angle = TAU * n as f64 / frames as f64;
            f64::from(*x) * TERMS.iter().enumerate().map(|(k, a)| a * (k as f64 * angle).cos()).sum::<f64>()
        })
        .collect();
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(frames);
    let mut bins = transform.make_output_vec();
    transform.process(&mut windowed, &mut bins).unwrap();
    bins.iter().map(|b| b.norm() / (frames as f64 * TERMS[0] / 2.0)).collect()
}

/// The highest level of a [`spectrum`] at `rate_hz` between two frequencies, in decibels.
pub fn highest_db(rate_hz: f64, spectrum: &[f64], from_hz: f64, to_hz: f64) -> f64 {
    let bin_hz = rate_hz / 2.0 / (spectrum.len() - 1) as f64;
    let range = (from_hz / bin_hz).ceil() as usize..=((to_hz / bin_hz) as usize).min(spectrum.len() - 1);
    20.0 * spectrum[range].iter().fold(0.0f64, |m, x| m.max(*x)).log10()
}
