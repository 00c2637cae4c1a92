//! Gate and compressor against closed forms.

use dsp_core::block::Block;
use dsp_core::dynamics::compressor::{Compressor, CompressorParams, Direction};
use dsp_core::dynamics::style::Style;
use dsp_core::processor::{Processor, StreamConfig};
use std::f64::consts::TAU;

const RATE_HZ: f64 = 48_000.0;

fn compressor<const CH: usize>(rate_hz: f64, params: &CompressorParams) -> Compressor<CH> {
    let mut stage = Compressor::new();
    stage.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
    stage
}

/// Runs in blocks of 64 frames; `between` is called before each, with its first frame.
fn run<P: Processor<CH>, const CH: usize>(
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

fn sine(rate_hz: f64, hz: f64, peak: f64, phase: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (peak * (TAU * hz / rate_hz * n as f64 + phase).sin()) as f32).collect()
}

/// A start without a click: a click has a level of its own, which a slow release would remember.
fn fade_in(x: &mut [f32], frames: usize) {
    for (n, x) in x.iter_mut().enumerate().take(frames) {
        *x *= (0.5 - 0.5 * (TAU / 2.0 * n as f64 / frames as f64).cos()) as f32;
    }
}

fn db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

/// Peak of the sine at `hz` in `x`, by projection: exact for whole periods.
fn peak_of(x: &[f32], rate_hz: f64, hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, x) in x.iter().enumerate() {
        let angle = TAU * hz / rate_hz * n as f64;
        re += f64::from(*x) * angle.cos();
        im += f64::from(*x) * angle.sin();
    }
    2.0 / x.len() as f64 * re.hypot(im)
}

/// Giannoulis, Massberg, Reiss 2012, eq. 4, with ratio ∞ as 1/R = 0.
fn downward(x: f64, t: f64, inverse_ratio: f64, w: f64) -> f64 {
    let over = x - t;
    if 2.0 * over < -w {
        x
    } else if 2.0 * over.abs() <= w && w > 0.0 {
        x + (inverse_ratio - 1.0) * (over + w / 2.0).powi(2) / (2.0 * w)
    } else {
        t + over * inverse_ratio
    }
}

/// Fastest attack, so that the settled gain is there soon, and a slow release, which shows every ripple as an error.
fn steady() -> CompressorParams {
    CompressorParams { on: true, attack_ms: 0.02, release_ms: 2500.0, ..Default::default() }
}

/// A 1 kHz sine from −60 to +20 dBFS at any phase comes out at the level of the closed form within 0.01 dB, knee
/// included, whatever the release, the ratio, the share of RMS and the rate.
#[test]
fn static_curve_is_the_closed_form() {
    let mut worst = 0.0f64;
    for (rate_hz, ratio, knee_db, rms_percent, release_ms) in [
        (48_000.0, 4.0, 0.0, 0.0, 2500.0),
        (48_000.0, 4.0, 12.0, 0.0, 5.0),
        (44_100.0, 100.0, 36.0, 0.0, 2500.0),
        (48_000.0, 100.0, 6.0, 0.0, 2500.0),
        (96_000.0, 1.5, 24.0, 0.0, 2500.0),
        (192_000.0, 20.0, 6.0, 0.0, 2500.0),
        (48_000.0, 8.0, 6.0, 100.0, 2500.0),
        (48_000.0, 8.0, 6.0, 37.0, 50.0),
    ] {
        let params = CompressorParams { ratio, knee_db, rms_percent, release_ms, threshold_db: -18.0, ..steady() };
        let inverse_ratio = if ratio >= 100.0 { 0.0 } else { 1.0 / ratio };
        for step in -30..=10 {
            let level_db = 2.0 * f64::from(step);
            let phase = 0.37 * f64::from(step);
            let frames = (rate_hz * 0.25) as usize;
            let mut x = sine(rate_hz, 1000.0, 10f64.powf(level_db / 20.0), phase, frames);
            fade_in(&mut x, (rate_hz * 0.02) as usize);
            let [out] = run(&mut compressor::<1>(rate_hz, &params), &[x], None, |_, _| ());
            let last = &out[frames - (rate_hz * 0.1) as usize..];
            let error = db(peak_of(last, rate_hz, 1000.0)) - downward(level_db, -18.0, inverse_ratio, knee_db);
            assert!(error.abs() <= 0.01, "{error} dB at {level_db} dB, {params:?}");
            worst = worst.max(error.abs());
        }
    }
    println!("static curve: worst error {worst:.5} dB");
}
