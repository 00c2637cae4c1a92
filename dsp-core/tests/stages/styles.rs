//! What the compressor's styles are named for: how they approach a curve that is the same for all.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // expected values are worked out here; figures are printed

use dsp_core::block::Block;
use dsp_core::dynamics::compressor::{Compressor, CompressorParams};
use dsp_core::dynamics::style::Style;
use dsp_core::processor::{Processor, StreamConfig};
use std::f64::consts::TAU;

const RATE_HZ: f64 = 48_000.0;

/// The gain in decibels that each frame meets, of a tone at 11 kHz whose level in dBFS is `level_db(frame)`.
fn gains(params: &CompressorParams, frames: usize, level_db: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut stage = Compressor::<1>::new();
    stage.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 64 }, params).unwrap();
    let tone = |n: usize| 10f64.powf(level_db(n) / 20.0) * (TAU * 11_000.0 / RATE_HZ * n as f64 + 0.3).sin();
    let sound: Vec<f32> = (0..frames).map(|n| tone(n) as f32).collect();
    let mut out = sound.clone();
    out.chunks_mut(64).for_each(|block| stage.process(&mut Block::new([block])));
    let mut last = 0.0;
    let gain = |(x, y): (&f32, &f32)| {
        if x.abs() > 1e-3 {
            last = 20.0 * f64::from(y / x).log10();
        }
        last
    };
    sound.iter().zip(&out).map(gain).collect()
}

/// A feedback compressor's side chain closes a loop of gain r − 1 around the gain element, so that small moves above the
/// threshold are followed r times as fast as the labels say, r the ratio in force (dg/dt = r (g* − g)/τ, see
/// `dynamics::style`), bounded by what a real loop has: 4 for VCA, 16 for FET, 2 for opto and bus. A feed-forward one keeps
/// to its labels. The measurement of level takes half a millisecond.
#[test]
fn feedback_recovers_faster_above_the_threshold() {
    for (style, ratio, times) in [
        (Style::Clean, 8.0, 1.0),
        (Style::Vca, 8.0, 4.0),
        (Style::Vca, 2.0, 2.0),
        (Style::Fet, 8.0, 8.0),
        (Style::Fet, 100.0, 16.0),
        (Style::Opto, 8.0, 2.0),
        (Style::Bus, 8.0, 2.0),
    ] {
        let release_ms = 200.0;
        let params = CompressorParams {
            on: true,
            style,
            ratio,
            release_ms,
            attack_ms: 0.1,
            knee_db: 0.0,
            threshold_db: -26.0,
            ..Default::default()
        };
        // 20 dB over the threshold, then 19.5: a larger step would have the side chain let go wholly
        let step = 24_000;
        let path = gains(&params, 96_000, |n| if n < step { -6.0 } else { -6.5 });
        let (from, to) = (path[step - 1], path[95_999]);
        let slope = if ratio >= 100.0 { 1.0 } else { 1.0 - 1.0 / ratio };
        assert!((to + 19.5 * slope).abs() < 0.02, "{style:?}: {to} dB");
        let goal = from + (to - from) * (1.0 - (-1.0f64).exp());
        let reached = path[step..].iter().position(|g| *g >= goal).unwrap();
        let (ms, expected_ms) = (reached as f64 / 48.0, release_ms / times);
        println!("{style:?} {ratio}:1 recovers in {ms:.1} ms above the threshold; {expected_ms} expected");
        assert!((ms - expected_ms).abs() <= 0.02 * expected_ms + 0.5, "{style:?} {ratio}: {ms} for {expected_ms} ms");
    }
}

/// A bus compressor lets the front of a transient pass: two equal poles have gone 1 − (1 + x) e^−x of the way after a tenth
/// of the attack, x = 2.146/10, where one pole has gone 1 − e^−0.1.
#[test]
fn bus_lets_transients_pass() {
    let attack_ms = 50.0;
    for (style, share) in [(Style::Clean, 1.0 - (-0.1f64).exp()), (Style::Bus, 1.0 - 1.2146 * (-0.2146f64).exp())] {
        let params = CompressorParams {
            on: true,
            style,
            attack_ms,
            ratio: 4.0,
            knee_db: 0.0,
            threshold_db: -26.0,
            ..Default::default()
        };
        let step = 4_800;
        let path = gains(&params, 48_000, |n| if n < step { -40.0 } else { -6.0 });
        let gone = path[step + (attack_ms * 4.8) as usize] / path[47_999];
        println!("{style:?}: {gone:.4} of the way after a tenth of the attack; {share:.4} expected");
        // half a millisecond of measurement is a hundredth of the attack
        assert!((gone - share).abs() < 0.012, "{style:?}: {gone} for {share}");
    }
}

/// A vari-mu's ratio grows with the level: over 24 dB from the threshold on, 1/(1 − s z/24) at z dB over it, s = 1 − 1/ratio.
/// Measured from levels half a decibel apart.
#[test]
fn vari_mu_grows_with_the_level() {
    let params = CompressorParams {
        on: true,
        style: Style::VariMu,
        ratio: 8.0,
        knee_db: 0.0,
        threshold_db: -30.0,
        attack_ms: 1.0,
        ..Default::default()
    };
    for over_db in [4.0, 12.0, 20.0, 28.0] {
        let settled = |level_db: f64| *gains(&params, 48_000, |_| level_db).last().unwrap();
        let (low, high) = (-30.0 + over_db - 0.25, -30.0 + over_db + 0.25);
        let ratio = 0.5 / (0.5 + settled(high) - settled(low));
        let expected = 1.0 / (1.0 - 0.875 * (over_db / 24.0f64).min(1.0));
        println!("vari-mu {over_db} dB over: {ratio:.3}:1; {expected:.3} expected");
        // gains are good to 0.001 dB either side of half a decibel
        assert!((1.0 / ratio - 1.0 / expected).abs() < 0.006, "{over_db}: {ratio} for {expected}");
    }
}

/// Half linked, each channel is measured half way, in decibels, between itself and the louder one.
#[test]
fn links_are_shares_in_decibels() {
    for percent in [0.0, 25.0, 50.0, 100.0] {
        let params = CompressorParams {
            on: true,
            stereo_link_percent: percent,
            ratio: 4.0,
            knee_db: 0.0,
            threshold_db: -30.0,
            attack_ms: 1.0,
            ..Default::default()
        };
        let mut stage = Compressor::<2>::new();
        stage.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 512 }, &params).unwrap();
        let tone = |level_db: f64, phase: f64| -> Vec<f32> {
            let angle = |n: usize| TAU * 1000.0 / RATE_HZ * n as f64 + phase;
            (0..48_000).map(|n| (10f64.powf(level_db / 20.0) * angle(n).sin()) as f32).collect()
        };
        let sound = [tone(-6.0, 0.2), tone(-18.0, 0.9)];
        let [mut left, mut right] = sound.clone();
        for (l, r) in left.chunks_mut(512).zip(right.chunks_mut(512)) {
            stage.process(&mut Block::new([l, r]));
        }
        let power = |x: &[f32]| x[43_200..].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
        let gain_db = |out: &[f32], of: &[f32]| 10.0 * (power(out) / power(of)).log10();
        let curve = |level_db: f64| -0.75 * (level_db + 30.0);
        let share = percent / 100.0;
        for (out, of, level_db) in [(&left, &sound[0], -6.0), (&right, &sound[1], (1.0 - share) * -18.0 + share * -6.0)]
        {
            let (measured, expected) = (gain_db(out, of), curve(level_db));
            // the detector's ripple, and its start, which a click of the tone's onset leaves for a while
            assert!((measured - expected).abs() < 0.01, "{percent} %: {measured} for {expected} dB");
        }
    }
}
