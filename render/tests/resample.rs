//! Sample-rate conversion: pass band, aliases and length, measured.

use std::f64::consts::TAU;
use tandem_render::resample::Converter;

/// A sine through the converter, in blocks of uneven length.
fn convert(from_hz: u32, to_hz: u32, hz: f64, frames: usize) -> Vec<f64> {
    let input: Vec<f64> = (0..frames).map(|n| (TAU * hz * n as f64 / f64::from(from_hz)).sin()).collect();
    let mut converter = Converter::new(from_hz, to_hz, 1);
    let mut out = vec![vec![]];
    for (i, chunk) in input.chunks(7001).enumerate() {
        let (one, other) = chunk.split_at(chunk.len() * (i % 3) / 3);
        converter.process(&[one.to_vec()], &mut out);
        converter.process(&[other.to_vec()], &mut out);
    }
    converter.finish(&mut out);
    out.remove(0)
}

/// Under a Blackman-Harris window of four terms (side lobes −92 dB, squared −184), amplitude of the sine at `hz`.
fn amplitude(samples: &[f64], hz: f64, rate_hz: f64) -> f64 {
    let len = samples.len() as f64;
    let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let x = TAU * (n as f64 + 0.5) / len;
        let window = (0.35875 - 0.48829 * x.cos() + 0.14128 * (2.0 * x).cos() - 0.01168 * (3.0 * x).cos()).powi(2);
        let phase = TAU * hz * n as f64 / rate_hz;
        re += window * sample * phase.cos();
        im += window * sample * phase.sin();
        sum += window;
    }
    2.0 * re.hypot(im) / sum
}

/// The steady part, away from both ends: the filter is as long as a chunk.
fn steady(samples: &[f64]) -> &[f64] {
    &samples[samples.len() / 4..samples.len() * 3 / 4]
}

/// What remains when the sine at `hz` is taken out by least squares, in dB of its power: all spurs together.
fn residue_db(samples: &[f64], hz: f64, rate_hz: f64) -> f64 {
    let basis = |n: usize| {
        let phase = TAU * hz * n as f64 / rate_hz;
        [phase.cos(), phase.sin()]
    };
    let (mut cc, mut cs, mut ss, mut xc, mut xs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, x) in samples.iter().enumerate() {
        let [c, s] = basis(n);
        cc += c * c;
        cs += c * s;
        ss += s * s;
        xc += x * c;
        xs += x * s;
    }
    let determinant = cc * ss - cs * cs;
    let (a, b) = ((xc * ss - xs * cs) / determinant, (xs * cc - xc * cs) / determinant);
    let rest: f64 = samples
        .iter()
        .enumerate()
        .map(|(n, x)| {
            let [c, s] = basis(n);
            (x - a * c - b * s).powi(2)
        })
        .sum();
    10.0 * (rest / samples.len() as f64 / 0.5).log10()
}

const PAIRS: [(u32, u32); 3] = [(96_000, 44_100), (44_100, 48_000), (48_000, 44_100)];

/// A sine of full scale comes out at full scale up to 20 kHz, ±0.001 dB, and with nothing else: all that is not the sine,
/// images and aliases among it, is under −140 dB.
#[test]
fn the_pass_band_is_flat_and_clean() {
    for (from, to) in PAIRS {
        for hz in [20.0, 997.0, 7_001.0, 15_013.0, 19_001.0, 20_000.0] {
            let out = convert(from, to, hz, from as usize * 2);
            let rate_hz = f64::from(to);
            let gain_db = 20.0 * amplitude(steady(&out), hz, rate_hz).log10();
            assert!(gain_db.abs() <= 0.001, "{from} to {to}: {hz} Hz comes out at {gain_db} dB");
            let spurs_db = residue_db(steady(&out), hz, rate_hz);
            assert!(spurs_db <= -140.0, "{from} to {to}: beside {hz} Hz there is {spurs_db} dB");
        }
    }
}

/// What the new rate cannot hold is gone: sines from half the new rate on leave less than −140 dB behind, wherever they
/// would fold to.
#[test]
fn nothing_folds() {
    for hz in [22_050.0, 22_300.0, 23_000.0, 24_100.0, 30_000.0, 43_000.0, 47_900.0] {
        let out = convert(96_000, 44_100, hz, 192_000);
        let power = steady(&out).iter().map(|s| s * s).sum::<f64>() / (out.len() / 2) as f64;
        let alias_db = 10.0 * (power / 0.5).log10();
        assert!(alias_db <= -140.0, "{hz} Hz leaves {alias_db} dB");
    }
    for hz in [22_050.0, 23_000.0, 23_990.0] {
        let out = convert(48_000, 44_100, hz, 96_000);
        let power = steady(&out).iter().map(|s| s * s).sum::<f64>() / (out.len() / 2) as f64;
        assert!(10.0 * (power / 0.5).log10() <= -140.0, "{hz} Hz");
    }
}

/// The result is as long as it should be, to the frame, and in time: a sine keeps its phase. The phase is the samples' own,
/// n / rate, at both rates; 1e-6 of full scale at 1 kHz is 1e-10 s.
#[test]
fn length_and_time_are_kept() {
    for (from, to) in [(96_000, 44_100), (44_100, 48_000), (48_000, 44_100), (192_000, 44_100), (48_000, 48_000)] {
        for frames in [1, 999, from as usize, 100_003] {
            let out = convert(from, to, 1000.0, frames);
            let expected = Converter::converted_frames(from, to, frames as u64);
            assert_eq!(out.len() as u64, expected, "{from} to {to}, {frames} frames");
            assert_eq!(expected, (frames as f64 * f64::from(to) / f64::from(from)).round() as u64);
        }
        let out = convert(from, to, 1000.0, from as usize);
        for (n, sample) in out.iter().enumerate().skip(out.len() / 3).take(out.len() / 3) {
            let expected = (TAU * 1000.0 * n as f64 / f64::from(to)).sin();
            assert!((sample - expected).abs() < 1e-6, "{from} to {to}, frame {n}: {sample}, expected {expected}");
        }
    }
}
