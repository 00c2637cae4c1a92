//! Dither against the theory of nonsubtractive dither (R. Wannamaker et al., IEEE Trans. Signal Processing 48(2), 2000) and
//! designs made with other tools.

// the platform's functions are a second opinion here
#![allow(clippy::disallowed_methods)]

use dsp_core::block::Block;
use dsp_core::dither::shaping::{Shaper, threshold_of_hearing_db};
use dsp_core::dither::{BLANK_SECONDS, Dither, DitherBits, DitherNoise, DitherParams};
use dsp_core::processor::{Processor, StreamConfig};
use realfft::RealFftPlanner;
use std::f64::consts::{PI, TAU};

const RATE_HZ: f64 = 48_000.0;
const STEP_16: f64 = 1.0 / 32_768.0;

fn params(word_length: DitherBits, noise: DitherNoise) -> DitherParams {
    DitherParams { word_length, noise, ..DitherParams::default() }
}

fn dithered(params: &DitherParams, rate_hz: f64, frames: usize, signal: impl Fn(usize) -> f64) -> [Vec<f32>; 2] {
    let mut dither = Dither::<2>::new();
    dither.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 512 }, params).unwrap();
    let mut left: Vec<f32> = (0..frames).map(|n| signal(n) as f32).collect();
    let mut right = left.clone();
    for (left, right) in left.chunks_mut(512).zip(right.chunks_mut(512)) {
        dither.process(&mut Block::new([left, right]));
    }
    [left, right]
}

/// Mean power of white noise by frequency, one bin more than half of `len`, Hann-windowed and averaged: 1 is one squared
/// step in all.
fn spectrum(errors: &[f64], len: usize) -> Vec<f64> {
    let window: Vec<f64> = (0..len).map(|n| 0.5 - 0.5 * (TAU * n as f64 / len as f64).cos()).collect();
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(len);
    let (mut bins, mut sum, mut count) = (fft.make_output_vec(), vec![0.0; len / 2 + 1], 0.0);
    for start in (0..=errors.len() - len).step_by(len / 2) {
        let mut windowed: Vec<f64> = errors[start..start + len].iter().zip(&window).map(|(e, w)| e * w).collect();
        fft.process(&mut windowed, &mut bins).unwrap();
        sum.iter_mut().zip(&bins).for_each(|(sum, bin)| *sum += bin.norm_sqr());
        count += 1.0;
    }
    // the power of the window is 3/8
    sum.iter().map(|power| power / (count * 0.375 * len as f64)).collect()
}

/// |1 − Σ cₖ z⁻ᵏ|² at `share` of the rate.
fn shaped(taps: &[f64], share: f64) -> f64 {
    let (mut re, mut im) = (1.0, 0.0);
    for (k, tap) in taps.iter().enumerate() {
        let angle = TAU * share * (k + 1) as f64;
        (re, im) = (re - tap * angle.cos(), im + tap * angle.sin());
    }
    re * re + im * im
}

/// Published.
const LIPSHITZ: &[f64] = &[2.033, -2.165, 1.959, -1.590, 0.6149];
/// Linear prediction on the threshold of hearing, solved in numpy 2 on a grid of 4096 points: see `dither::shaping`.
const LIGHT_44K1: &[f64] = &[1.4628, -0.9060, 0.1428];
const LIGHT_48K: &[f64] = &[1.4918, -0.8637, 0.0977];
const STRONG_44K1: &[f64] = &[2.9462, -4.6273, 4.5316, -2.6264, 0.1321, 1.3367, -1.4525, 0.7821, -0.2128];
const STRONG_48K: &[f64] = &[3.1051, -4.8327, 4.3750, -1.8898, -0.7656, 1.8421, -1.4331, 0.5838, -0.1150];

/// Power of the error by frequency, in squared steps, in theory: the rounding's 1/12 and the dither's 2/12, shaped.
fn expected(noise: DitherNoise, rate_hz: f64, share: f64) -> f64 {
    let at_44k1 = rate_hz == 44_100.0;
    match noise {
        DitherNoise::White => 0.25,
        // the difference of neighbours: 2 − 2 cos ω
        DitherNoise::HighPassed => (1.0 + 2.0 - 2.0 * (TAU * share).cos()) / 12.0,
        DitherNoise::ShapedLight => 0.25 * shaped(if at_44k1 { LIGHT_44K1 } else { LIGHT_48K }, share),
        DitherNoise::ShapedLipshitz => 0.25 * shaped(LIPSHITZ, share),
        DitherNoise::ShapedStrong => 0.25 * shaped(if at_44k1 { STRONG_44K1 } else { STRONG_48K }, share),
    }
}

/// Mean 0 and power ¼ step² at any DC, and both channels differ.
#[test]
fn error_knows_nothing_of_a_dc() {
    let frames = 200_000;
    for noise in [DitherNoise::White, DitherNoise::HighPassed] {
        for dc_steps in [0.0, 0.1, 0.25, 0.5, 0.77, 1000.9] {
            let no_blank = DitherParams { auto_blank: false, ..params(DitherBits::Bits16, noise) };
            let out = dithered(&no_blank, RATE_HZ, frames, |_| dc_steps * STEP_16);
            let steps = f64::from((dc_steps * STEP_16) as f32) / STEP_16;
            for channel in &out {
                let errors: Vec<f64> = channel.iter().map(|y| f64::from(*y) / STEP_16 - steps).collect();
                let mean = errors.iter().sum::<f64>() / frames as f64;
                let power = errors.iter().map(|e| e * e).sum::<f64>() / frames as f64;
                // five deviations of a mean of numbers of deviation ½; of squares: e⁴ is at most 2.25 e², ¼ on average
                let root = (frames as f64).sqrt();
                assert!(mean.abs() < 5.0 * 0.5 / root, "{noise:?} at {dc_steps}: mean {mean}");
                assert!((power - 0.25).abs() < 5.0 * 0.75 / root, "{noise:?} at {dc_steps}: power {power}");
            }
            assert!(out[0] != out[1]);
        }
    }
}

/// The power of the error does not move with the signal either: a tone of a third of a step comes out as it went in, with
/// nothing at its harmonics but the noise.
#[test]
fn a_tone_under_one_step_has_no_harmonics() {
    let (frames, cycles) = (1 << 18, 5461);
    let amplitude = 10f64.powf(-100.0 / 20.0);
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(frames);
    for noise in DitherNoise::ALL {
        let tone = |n: usize| amplitude * (TAU * (n * cycles % frames) as f64 / frames as f64).sin();
        let [left, _] = dithered(&params(DitherBits::Bits16, *noise), RATE_HZ, frames, tone);
        let mut steps: Vec<f64> = left.iter().map(|y| f64::from(*y) / STEP_16).collect();
        let mut bins = fft.make_output_vec();
        fft.process(&mut steps, &mut bins).unwrap();
        let power = |bin: usize| bins[bin].norm_sqr() / frames as f64;
        let noise_at = |bin: usize| expected(*noise, RATE_HZ, bin as f64 / frames as f64);
        // the tone's own power in its bin is a² N/4, beside noise that may add or take five deviations of amplitude
        let tone_amplitude = (power(cycles) * 4.0 / frames as f64).sqrt() * STEP_16;
        let deviation = (noise_at(cycles) * 4.0 / frames as f64).sqrt() * STEP_16;
        assert!((tone_amplitude - amplitude).abs() < 5.0 * deviation, "{noise:?}: {tone_amplitude}");
        for harmonic in 2..=20 {
            let bin = harmonic * cycles % frames;
            let bin = bin.min(frames - bin);
            // power in a bin of noise is exponential: over 14 times its mean in one of a million
            let over = power(bin) / noise_at(bin);
            assert!(over < 14.0, "{noise:?}: harmonic {harmonic} is {over} times the noise");
        }
    }
}

/// The noise has the spectrum that it was designed to have, at 44.1 and at 48 kHz.
#[test]
fn noise_is_shaped_as_designed() {
    let (frames, len) = (1 << 20, 512);
    for rate_hz in [44_100.0, 48_000.0] {
        for noise in DitherNoise::ALL {
            let dc = f64::from((0.3 * STEP_16) as f32);
            let [left, _] = dithered(&params(DitherBits::Bits16, *noise), rate_hz, frames, |_| dc);
            let errors: Vec<f64> = left.iter().map(|y| (f64::from(*y) - dc) / STEP_16).collect();
            for (bin, power) in spectrum(&errors, len).iter().enumerate().skip(2).take(len / 2 - 3) {
                let share = bin as f64 / len as f64;
                // what the window smears in from its three bins, by their mean
                let beside = 0.5 / len as f64;
                let around = [-1.0, 0.0, 1.0].map(|side| expected(*noise, rate_hz, share + side * beside));
                let expected = around.iter().sum::<f64>() / 3.0;
                let off_db = 10.0 * (power / expected).log10();
                // 4096 half-overlapped spectra: a deviation of 0.08 dB, five of them; the taps' four decimals
                assert!(off_db.abs() < 0.5, "{noise:?} at {rate_hz}, {share} of it: {off_db} dB off");
            }
        }
    }
}

/// Total and heard noise are what the documentation says, by the weight of the threshold of hearing.
#[test]
fn designs_are_heard_as_little_as_they_say() {
    let points = 20_000;
    let heard_db = |taps: &[f64], rate_hz: f64| {
        let (mut with, mut without) = (0.0, 0.0);
        for point in 0..points {
            let share = (point as f64 + 0.5) / points as f64 / 2.0;
            let weight = 10f64.powf(-threshold_of_hearing_db(share * rate_hz) / 10.0);
            with += weight * shaped(taps, share);
            without += weight;
        }
        10.0 * (with / without).log10()
    };
    for (taps, total_db, rate_hz, heard) in [
        (3, 6.0, 44_100.0, -9.86),
        (3, 6.0, 48_000.0, -10.85),
        (9, 18.0, 44_100.0, -18.59),
        (9, 18.0, 48_000.0, -21.01),
        (9, 18.0, 96_000.0, -45.33),
        (9, 18.0, 192_000.0, -76.55),
    ] {
        let shaper = Shaper::for_hearing(taps, total_db, rate_hz);
        // the figures have two decimals, of a sum on another grid
        assert!((10.0 * shaper.power().log10() - total_db).abs() < 0.01);
        let now = heard_db(shaper.taps(), rate_hz);
        assert!((now - heard).abs() < 0.1, "{taps} taps at {rate_hz}: {now} dB");
    }
    assert!((heard_db(LIPSHITZ, 44_100.0) + 9.42).abs() < 0.02);
    // where there is nowhere to go, nothing is gained and little is done
    for rate_hz in [8_000.0, 768_000.0] {
        let shaper = Shaper::for_hearing(9, 18.0, rate_hz);
        assert!(shaper.power() < 64.0 && heard_db(shaper.taps(), rate_hz) < 0.0);
    }
}

/// Terhardt's formula at a few places, worked out by hand, and the ear's best place.
#[test]
fn threshold_of_hearing_is_terhardts() {
    // 1 kHz: 3.64 − 6.5 exp(−0.6 · 2.3²) + 0.001
    assert!((threshold_of_hearing_db(1_000.0) - 3.369).abs() < 0.001);
    let best = (20..20_000)
        .min_by(|a, b| threshold_of_hearing_db(f64::from(*a)).total_cmp(&threshold_of_hearing_db(f64::from(*b))));
    assert!((3_000..3_600).contains(&best.unwrap()));
}

/// Whatever comes in, what comes out is a whole number of steps in the range of the word, and no farther from the input
/// than the stage says.
#[test]
fn every_sample_is_on_the_grid() {
    // sines whose beats pass full scale, and the loudest that counts as audio
    let signal = |n: usize| {
        let tone = (0.1 * n as f64).sin() * 0.7 + (0.0123 * n as f64).sin() * 0.5;
        if n % 5000 == 4999 { 1e5 * (1.0 - 2.0 * ((n / 5000) % 2) as f64) } else { tone }
    };
    for word_length in DitherBits::ALL {
        for noise in DitherNoise::ALL {
            let p = params(*word_length, *noise);
            let [left, right] = dithered(&p, RATE_HZ, 20_000, signal);
            let Some(bits) = word_length.bits() else {
                assert!(left.iter().enumerate().all(|(n, y)| *y == signal(n) as f32));
                continue;
            };
            let mut dither = Dither::<2>::new();
            dither.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 1 }, &p).unwrap();
            let half = f64::from(1u32 << (bits - 1));
            for channel in [&left, &right] {
                for (n, y) in channel.iter().enumerate() {
                    let steps = f64::from(*y) * half;
                    assert!(steps == steps.round() && (-half..half).contains(&steps), "{p:?}: {steps}");
                    let x = f64::from(signal(n) as f32);
                    let error = dither.largest_error();
                    if x.abs() + error < 1.0 - 1.0 / half {
                        assert!((f64::from(*y) - x).abs() <= error, "{p:?}: {} of {error}", f64::from(*y) - x);
                    }
                }
            }
        }
    }
}

/// The noise stops in digital silence and is back with the first sample that is not; without auto blank it goes on.
#[test]
fn silence_is_blanked() {
    let blank = (BLANK_SECONDS * RATE_HZ) as usize;
    let signal = |n: usize| if (1000..2000).contains(&n) || n == 20_000 { 0.5 * STEP_16 } else { 0.0 };
    for noise in DitherNoise::ALL {
        let [left, right] = dithered(&params(DitherBits::Bits16, *noise), RATE_HZ, 30_000, signal);
        for channel in [&left, &right] {
            assert!(channel[..1000].iter().all(|y| *y == 0.0));
            let noisy = |from: usize, to: usize| channel[from..to].iter().any(|y| *y != 0.0);
            assert!(noisy(1000, 1100) && noisy(1990 + blank - 100, 1999 + blank));
            assert!(!noisy(1999 + blank, 20_000));
            assert!(noisy(20_000, 20_100) && !noisy(20_000 + blank, 30_000));
        }
        let no_blank = DitherParams { auto_blank: false, ..params(DitherBits::Bits16, *noise) };
        let [left, _] = dithered(&no_blank, RATE_HZ, 30_000, |_| 0.0);
        assert!(left.chunks(100).all(|part| part.iter().any(|y| *y != 0.0)));
    }
}

/// A run is the same bits as the last one, and after a reset.
#[test]
fn noise_counts_from_the_start_of_the_stream() {
    let p = params(DitherBits::Bits16, DitherNoise::ShapedStrong);
    let mut dither = Dither::<1>::new();
    dither.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 4096 }, &p).unwrap();
    let mut runs = [0.0, 0.0].map(|_| {
        let mut audio: Vec<f32> = (0..4096).map(|n| (PI * f64::from(n) / 50.0).sin() as f32 * 0.1).collect();
        dither.process(&mut Block::new([&mut audio]));
        dither.reset();
        audio
    });
    let [one, other] = &mut runs;
    assert!(one == other && one.iter().any(|y| *y != 0.0));
}
