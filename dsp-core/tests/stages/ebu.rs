//! The meter against the cases of EBU Tech 3341 and 3342, at every usual rate. `ebu_cases.toml` holds them.
#![allow(clippy::disallowed_methods)] // expected values come from std, never from the code under test

use dsp_core::block::Block;
use dsp_core::metering::loudness::{LoudnessMeter, SURROUND_5_1_GAINS};
use dsp_core::metering::meter::{Meter, MeterParams};
use dsp_core::processor::{Processor, StreamConfig};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::f64::consts::TAU;

#[derive(Deserialize)]
struct Cases {
    loudness: Vec<Loudness>,
    surround: Surround,
    tone: Vec<Tone>,
    burst: Burst,
    true_peak_tolerance_db: Tolerance,
}

#[derive(Deserialize)]
struct Loudness {
    case: String,
    f_hz: f64,
    tones: Vec<(f64, f64)>,
    repeat: Option<usize>,
    files: Option<usize>,
    live: Option<usize>,
    #[serde(default)]
    step_s: f64,
    #[serde(default)]
    step_db: f64,
    settled_s: Option<f64>,
    expect: BTreeMap<String, f64>,
    tolerance: f64,
}

#[derive(Deserialize)]
struct Surround {
    case: String,
    f_hz: f64,
    seconds: f64,
    peak_dbfs: BTreeMap<String, f64>,
    expect: BTreeMap<String, f64>,
    tolerance: f64,
}

#[derive(Deserialize)]
struct Tone {
    case: String,
    divisor: usize,
    amplitude: f64,
    phase_degrees: f64,
    expect_dbtp: f64,
}

#[derive(Deserialize)]
struct Burst {
    case: String,
    base_divisor: usize,
    base_amplitude: f64,
    burst_divisor: usize,
    burst_amplitude: f64,
    oversampling: usize,
    expect_dbtp: f64,
}

#[derive(Deserialize)]
struct Tolerance {
    above: f64,
    below: f64,
}

fn cases() -> Cases {
    toml::from_str(include_str!("ebu_cases.toml")).unwrap()
}

macro_rules! at_rates {
    ($($name:ident: $rate:literal;)+) => {$(
        mod $name {
            #[test]
            fn loudness() {
                super::loudness_cases($rate);
            }
            #[test]
            fn true_peak() {
                super::true_peak_cases($rate);
            }
        }
    )+};
}

at_rates! {
    at_44100_hz: 44_100;
    at_48000_hz: 48_000;
    at_88200_hz: 88_200;
    at_96000_hz: 96_000;
    at_192000_hz: 192_000;
}

fn config(rate: usize) -> StreamConfig {
    StreamConfig { sample_rate_hz: rate as f64, max_frames: BLOCK }
}

const BLOCK: usize = 4096;

fn gain(dbfs: f64) -> f64 {
    if dbfs <= -999.0 { 0.0 } else { 10f64.powf(dbfs / 20.0) }
}

fn frames(seconds: f64, rate: usize) -> usize {
    (seconds * rate as f64).round() as usize
}

/// A sine that never ends, from a table of whole periods.
struct Sine {
    table: Vec<f64>,
    at: usize,
}

impl Sine {
    fn new(f_hz: f64, rate: usize) -> Sine {
        // all frequencies here are whole hertz: after `rate / gcd` frames the sine comes back to where it was
        let (mut a, mut b) = (rate, f_hz as usize);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        let len = rate / a;
        Sine { table: (0..len).map(|n| (TAU * f_hz * n as f64 / rate as f64).sin()).collect(), at: 0 }
    }

    fn fill(&mut self, gain: f64, samples: &mut [f32]) {
        let mut rest = &mut samples[..];
        while !rest.is_empty() {
            let (part, behind) = rest.split_at_mut(rest.len().min(self.table.len() - self.at));
            for (sample, value) in part.iter_mut().zip(&self.table[self.at..]) {
                *sample = (gain * value) as f32;
            }
            self.at = (self.at + part.len()) % self.table.len();
            rest = behind;
        }
    }
}

fn loudness_cases(rate: usize) {
    let cases = cases();
    let mut meter = LoudnessMeter::<2>::new();
    meter.prepare(config(rate)).unwrap();
    for case in &cases.loudness {
        for file in 0..case.files.unwrap_or(1) {
            meter.reset();
            let mut sine = Sine::new(case.f_hz, rate);
            let mut at = 0;
            feed(case, &mut meter, &mut sine, &mut at, rate, (file as f64 * case.step_s, -999.0));
            for pass in 0..case.live.unwrap_or(0) {
                let shift = pass as f64 * case.step_s;
                for (i, &(seconds, dbfs)) in case.tones.iter().enumerate() {
                    let tone = [
                        (seconds + shift, dbfs),
                        (seconds, dbfs + pass as f64 * case.step_db),
                        (seconds - shift, dbfs),
                    ][i];
                    feed(case, &mut meter, &mut sine, &mut at, rate, tone);
                }
                check(case, &meter, rate, pass as f64 * case.step_db);
            }
            if case.live.is_none() {
                for _ in 0..case.repeat.unwrap_or(1) {
                    for &tone in &case.tones {
                        feed(case, &mut meter, &mut sine, &mut at, rate, tone);
                    }
                }
                check(case, &meter, rate, 0.0);
            }
        }
    }
    surround(&cases.surround, rate);
}

/// Feeds one tone; reads momentary and short-term loudness every 10 ms where they must hold.
fn feed(case: &Loudness, meter: &mut LoudnessMeter<2>, sine: &mut Sine, at: &mut usize, rate: usize, tone: (f64, f64)) {
    let (mut left, gain) = (frames(tone.0, rate), gain(tone.1));
    let block = if case.settled_s.is_some() { rate / 100 } else { BLOCK };
    let mut buffer = [0.0; BLOCK];
    while left > 0 {
        let samples = &mut buffer[..left.min(block)];
        sine.fill(gain, samples);
        meter.process([samples, samples]);
        left -= samples.len();
        *at += samples.len();
        if case.settled_s.is_some_and(|s| *at >= frames(s, rate)) {
            check(case, meter, rate, 0.0);
        }
    }
}

fn check(case: &Loudness, meter: &LoudnessMeter<2>, rate: usize, raised: f64) {
    let reading = meter.reading();
    for (metric, expected) in &case.expect {
        let value = match metric.as_str() {
            "M" => reading.momentary_lufs,
            "S" => reading.short_term_lufs,
            "I" => reading.integrated_lufs,
            "LRA" => reading.loudness_range_lu,
            "maxM" => reading.momentary_max_lufs,
            "maxS" => reading.short_term_max_lufs,
            other => panic!("{other} is no metric"),
        };
        let (expected, value) = (expected + raised, value.unwrap());
        assert!(
            (value - expected).abs() <= case.tolerance,
            "{} at {rate} Hz: {metric} is {value}, not {expected}",
            case.case
        );
    }
}

fn surround(case: &Surround, rate: usize) {
    let gains = ["L", "R", "C", "LFE", "Ls", "Rs"].map(|name| case.peak_dbfs.get(name).map_or(0.0, |dbfs| gain(*dbfs)));
    let mut meter = LoudnessMeter::<6>::with_gains(SURROUND_5_1_GAINS);
    meter.prepare(config(rate)).unwrap();
    let mut sine = Sine::new(case.f_hz, rate);
    let mut tone = vec![0.0; frames(case.seconds, rate)];
    sine.fill(1.0, &mut tone);
    let channels = gains.map(|gain| tone.iter().map(|s| s * gain as f32).collect::<Vec<f32>>());
    meter.process(std::array::from_fn(|c| &channels[c][..]));
    let value = meter.reading().integrated_lufs.unwrap();
    assert!((value - case.expect["I"]).abs() <= case.tolerance, "{} at {rate} Hz: {value}", case.case);
}

fn true_peak_cases(rate: usize) {
    let cases = cases();
    let check = |case: &str, expected: f64, signal: &[f32]| {
        let value = true_peak_dbtp(rate, signal);
        let tolerance = &cases.true_peak_tolerance_db;
        assert!(
            value <= expected + tolerance.above && value >= expected - tolerance.below,
            "{case} at {rate} Hz: {value} dBTP, not {expected}"
        );
    };
    for tone in &cases.tone {
        let mut signal: Vec<f32> = (0..frames(3.2, rate))
            .map(|n| {
                (tone.amplitude * (TAU * n as f64 / tone.divisor as f64 + tone.phase_degrees.to_radians()).sin()) as f32
            })
            .collect();
        taper(&mut signal, frames(0.1, rate));
        check(&tone.case, tone.expect_dbtp, &signal);
    }
    let burst = &cases.burst;
    for offset in 0..burst.oversampling {
        check(&burst.case, burst.expect_dbtp, &burst_signal(burst, rate, offset));
    }
}

/// What the whole meter says at the end of a recording, both channels alike.
fn true_peak_dbtp(rate: usize, signal: &[f32]) -> f64 {
    let mut meter = Meter::<2>::new();
    meter.prepare(config(rate), &MeterParams::default()).unwrap();
    for chunk in signal.chunks(BLOCK) {
        let (mut left, mut right) = (chunk.to_vec(), chunk.to_vec());
        meter.process(&mut Block::new([&mut left, &mut right]));
    }
    meter.finish().true_peak_dbtp.unwrap()
}

/// Linear, at both ends.
fn taper(signal: &mut [f32], len: usize) {
    let last = signal.len() - 1;
    for n in 0..len {
        let gain = n as f32 / len as f32;
        signal[n] *= gain;
        signal[last - n] *= gain;
    }
}

/// A tenth of a second of the base tone, the burst, and a tenth of a second more.
fn burst_signal(burst: &Burst, rate: usize, offset: usize) -> Vec<f32> {
    let over = burst.oversampling;
    let (base, period) = (burst.base_divisor * over, burst.burst_divisor * over);
    let side = frames(0.1, rate) * over / base * base;
    let tone = |n: usize| burst.base_amplitude * (TAU * n as f64 / base as f64).sin();
    let inserted = (0..period).map(|n| burst.burst_amplitude * (TAU * n as f64 / period as f64).sin());
    let fine: Vec<f64> = (0..side).map(tone).chain(inserted).chain((0..side).map(tone)).collect();
    // a sinc at half the rate under a Kaiser window, β = 12: 118 dB
    let reach = 1024i64;
    let bessel = |x: f64| {
        let (mut sum, mut term) = (1.0, 1.0);
        for k in 1..60 {
            term *= (x / (2.0 * f64::from(k))).powi(2);
            sum += term;
        }
        sum
    };
    let taps: Vec<f64> = (-reach..=reach)
        .map(|n| {
            let (t, u) = (n as f64 / over as f64, n as f64 / reach as f64);
            let sinc = if n == 0 { 1.0 } else { (TAU / 2.0 * t).sin() / (TAU / 2.0 * t) };
            sinc / over as f64 * bessel(12.0 * (1.0 - u * u).max(0.0).sqrt()) / bessel(12.0)
        })
        .collect();
    let mut signal: Vec<f32> = (offset..fine.len())
        .step_by(over)
        .map(|at| {
            let from = at.saturating_sub(reach as usize);
            let window = &fine[from..fine.len().min(at + reach as usize + 1)];
            let taps = &taps[from + reach as usize - at..];
            window.iter().zip(taps).map(|(s, t)| s * t).sum::<f64>() as f32
        })
        .collect();
    taper(&mut signal, frames(0.02, rate));
    signal
}
