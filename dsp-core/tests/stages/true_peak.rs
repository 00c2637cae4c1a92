//! The true-peak detector against sines, whose peaks are known.
// the platform's sine is a second opinion here, and tests have a console
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use dsp_core::metering::true_peak::{TruePeak, TruePeakMeter};
use fearless_simd::Level;
use std::f64::consts::{PI, TAU};

/// The interpolator's error at the top of the band is 0.0016 dB; rounding to single precision adds 0.00001.
const TOLERANCE_DB: f64 = 0.002;
const RATES_HZ: [f64; 7] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0, 384_000.0];

fn sine(frequency_hz: f64, phase: f64, rate_hz: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (TAU * frequency_hz * n as f64 / rate_hz + phase).sin() as f32).collect()
}

/// The greatest peak once the onset of the tone, which has no top of its own, has passed.
fn settled_peak_db(input: &[f32], rate_hz: f64) -> f64 {
    let mut detector = TruePeak::new(rate_hz);
    let mut peaks = vec![0.0; input.len()];
    detector.process(input, &mut peaks);
    20.0 * f64::from(peaks[100..].iter().copied().fold(0.0, f32::max)).log10()
}

/// Full-scale sines of any frequency to 20 kHz and any phase read 0 dBTP.
#[test]
fn sines_read_their_amplitude() {
    let mut worst = 0.0f64;
    for rate_hz in RATES_HZ {
        for step in 0..160 {
            let frequency_hz = 1000.0 + 19_000.0 * f64::from(step) / 159.0;
            for phase in 0..3 {
                let input = sine(frequency_hz, f64::from(phase) * 0.7, rate_hz, 700);
                // one top at least lies within the frames, at any frequency above 1 kHz
                let error = settled_peak_db(&input, rate_hz);
                assert!(error.abs() <= TOLERANCE_DB, "{frequency_hz} Hz at {rate_hz}: {error} dB");
                worst = worst.max(error.abs());
            }
        }
    }
    println!("worst error {worst:.5} dB");
}

/// Frequencies in step with the rate meet their tops at the same few places for ever, so what is missed stays missed.
#[test]
fn sines_in_step_with_the_rate_read_their_amplitude() {
    let mut worst = 0.0f64;
    for rate_hz in RATES_HZ {
        for divisor in [2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0] {
            if rate_hz / divisor > 20_000.0 {
                continue;
            }
            for phase in 0..64 {
                let input = sine(rate_hz / divisor, f64::from(phase) * PI / 64.0, rate_hz, 300);
                let error = settled_peak_db(&input, rate_hz);
                assert!(error.abs() <= TOLERANCE_DB, "rate/{divisor} at {rate_hz}, phase {phase}: {error} dB");
                worst = worst.max(error.abs());
            }
        }
    }
    println!("worst error {worst:.5} dB");
}

/// A peak between two frames shows at the frame before it, `delay_frames` later.
#[test]
fn peaks_come_at_their_frame() {
    for rate_hz in RATES_HZ {
        for (between, at) in [(0.0, 200), (0.3, 200), (0.5, 200), (0.7, 200)] {
            // a pulse limited to 18 kHz: its top is at `at + between`
            let input: Vec<f32> = (0..400)
                .map(|n| {
                    let t = 36_000.0 / rate_hz * PI * (f64::from(n) - f64::from(at) - between);
                    if t == 0.0 { 1.0 } else { (t.sin() / t) as f32 }
                })
                .collect();
            let mut detector = TruePeak::new(rate_hz);
            let mut peaks = vec![0.0; 400];
            detector.process(&input, &mut peaks);
            let top = (0..400).max_by(|a, b| peaks[*a].total_cmp(&peaks[*b])).unwrap();
            assert_eq!(top, 200 + detector.delay_frames(), "{between} at {rate_hz}");
            assert!((peaks[top] - 1.0).abs() < 0.002, "{}", peaks[top]);
        }
    }
}

fn noise(frames: usize) -> Vec<f32> {
    let mut state = 0x5EED_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1 << 23) - 1.0) as f32
    };
    (0..frames).map(next).collect()
}

/// Neither the partition into blocks nor the width of the vectors changes a bit, and a detector that was reset is new.
#[test]
fn bits_depend_on_the_input_alone() {
    let input = noise(3000);
    for rate_hz in RATES_HZ {
        let mut detector = TruePeak::new(rate_hz);
        let mut whole = vec![0.0; 3000];
        detector.process(&input, &mut whole);
        for len in [1, 3, 8, 63, 64, 65, 500] {
            detector.reset();
            let mut cut = vec![0.0; 3000];
            for (input, peaks) in input.chunks(len).zip(cut.chunks_mut(len)) {
                detector.process(input, peaks);
            }
            assert!(whole == cut, "blocks of {len} at {rate_hz}");
        }
        let mut baseline = vec![0.0; 3000];
        TruePeak::with_level(rate_hz, Level::baseline()).process(&input, &mut baseline);
        assert!(whole == baseline, "narrow vectors at {rate_hz}");
    }
}

/// Samples themselves never read low: a detector sees at least the greatest sample, at its frame.
#[test]
fn peaks_are_at_least_the_samples() {
    let input = noise(2000);
    for rate_hz in RATES_HZ {
        let mut detector = TruePeak::new(rate_hz);
        let delay = detector.delay_frames();
        let mut peaks = vec![0.0; 2000];
        detector.process(&input, &mut peaks);
        assert!(peaks[..delay].iter().all(|p| *p <= peaks.iter().copied().fold(0.0, f32::max)));
        for (sample, peak) in input.iter().zip(&peaks[delay..]) {
            assert!(*peak >= sample.abs());
        }
    }
}

/// The meter holds the greatest of each channel until it is taken, the last frames included.
#[test]
fn meter_holds_until_taken() {
    let mut meter = TruePeakMeter::<2>::new(48_000.0);
    let quiet: Vec<f32> = sine(997.0, 0.0, 48_000.0, 4800).iter().map(|s| s * 0.25).collect();
    // fs/4 at 45°: samples at 0.7071, top at 1
    let loud = sine(12_000.0, PI / 4.0, 48_000.0, 4801);
    meter.process([&loud[..4800], &quiet]);
    let [left, right] = meter.held();
    // the onset of a tone overshoots in a band limit; the tone itself is exact
    assert!(left > 0.9998 && right < 0.2501 && right > 0.2499, "{left} {right}");
    assert_eq!(meter.take(), [left, right]);
    meter.process([&[0.0; 64], &[0.0; 64]]);
    meter.take();
    meter.process([&[1.0], &[0.0]]);
    assert!(meter.held()[0] < 0.2);
    meter.finish();
    assert!(meter.held()[0] >= 1.0);
    meter.reset();
    assert_eq!(meter.held(), [0.0; 2]);
}
