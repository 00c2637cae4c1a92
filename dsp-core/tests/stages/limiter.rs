//! The limiter against what its figures promise.

// the platform's functions are a second opinion here, and tests have a console
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use crate::peak_meters::{ebur128_true_peak, literal_true_peak, reference_true_peak};
use dsp_core::block::Block;
use dsp_core::dynamics::limiter::{Limiter, LimiterParams, LimiterStyle};
use dsp_core::processor::{Processor, StreamConfig};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::{PI, TAU};

type Stereo = [Vec<f32>; 2];

fn limiter(rate_hz: f64, params: &LimiterParams) -> Limiter<2> {
    let mut limiter = Limiter::new();
    limiter.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 512 }, params).unwrap();
    limiter
}

/// Runs `audio`, then silence until the last of it is out; takes the latency off.
fn run(limiter: &mut Limiter<2>, audio: &Stereo) -> Stereo {
    let latency = limiter.latency_frames();
    let mut out = audio.clone();
    for channel in &mut out {
        channel.extend(vec![0.0; latency]);
    }
    process(limiter, &mut out);
    out.map(|channel| channel[latency..].to_vec())
}

fn process(limiter: &mut Limiter<2>, audio: &mut Stereo) {
    process_with(limiter, audio, |_, _| ());
}

/// Blocks of 480 frames; `before` sees the limiter ahead of each.
fn process_with(limiter: &mut Limiter<2>, audio: &mut Stereo, mut before: impl FnMut(usize, &mut Limiter<2>)) {
    let [left, right] = audio;
    for (n, (left, right)) in left.chunks_mut(480).zip(right.chunks_mut(480)).enumerate() {
        before(n, limiter);
        limiter.process(&mut Block::new([left, right]));
    }
}

fn db(x: f64) -> f64 {
    20.0 * x.log10()
}

fn peak(samples: &[f32]) -> f64 {
    samples.iter().fold(0.0, |m: f64, s| m.max(f64::from(s.abs())))
}

struct Random(u64);
impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Drums, bass, chords and noise that peak at 0 dBFS, limited to 20 kHz, the two sides unlike. The noise falls
/// from `noise_corner_hz` by 12 dB an octave, as cymbals do; white up to 20 kHz it is harder than any music.
fn programme(rate_hz: f64, frames: usize, noise_corner_hz: f64) -> Stereo {
    let mut random = Random(7);
    let mut sides = [0, 1].map(|side| {
        let mut out = vec![0.0f64; frames];
        let (mut first, mut noise, pole) = (0.0, 0.0, (-TAU * noise_corner_hz / rate_hz).exp());
        for (n, out) in out.iter_mut().enumerate() {
            let t = n as f64 / rate_hz;
            let beat = t % 0.25;
            let kick = (TAU * (50.0 * beat + 4.0 * (1.0 - (-40.0 * beat).exp()))).sin() * (-12.0 * beat).exp();
            first += (1.0 - pole) * (3.0 * random.next() - first);
            noise += (1.0 - pole) * (first - noise);
            let hat = noise * (-90.0 * ((t + 0.06 * f64::from(side)) % 0.125)).exp();
            let bass = (TAU * 55.0 * t).sin() + 0.4 * (TAU * 110.0 * t + 1.0).sin();
            let chord: f64 = [220.0, 277.2, 329.6, 1760.0, 4400.0, 9300.0]
                .iter()
                .map(|f| (TAU * f * (1.0 + 0.001 * f64::from(side)) * t + f * 0.01).sin() / (1.0 + f / 800.0))
                .sum();
            *out = 0.5 * kick + 0.45 * hat + 0.18 * bass + 0.1 * chord + 0.05 * noise;
        }
        limit_band(&mut out, rate_hz, 20_000.0);
        out
    });
    let greatest = sides.iter().flatten().fold(0.0f64, |m, s| m.max(s.abs()));
    sides.iter_mut().flatten().for_each(|s| *s /= greatest);
    sides.map(|side| side.into_iter().map(|s| s as f32).collect())
}

/// Takes all above `highest_hz` away, and fades both ends.
fn limit_band(samples: &mut [f64], rate_hz: f64, highest_hz: f64) {
    let len = samples.len().next_power_of_two() * 2;
    let mut planner = RealFftPlanner::<f64>::new();
    let mut time = samples.to_vec();
    let frames = samples.len();
    for n in 0..400 {
        let fade = 0.5 - 0.5 * (PI * n as f64 / 400.0).cos();
        time[n] *= fade;
        time[frames - 1 - n] *= fade;
    }
    time.resize(len, 0.0);
    let mut spectrum = vec![Complex::default(); len / 2 + 1];
    planner.plan_fft_forward(len).process(&mut time, &mut spectrum).unwrap();
    let first = (highest_hz / rate_hz * len as f64) as usize;
    spectrum.iter_mut().skip(first + 1).for_each(|s| *s = Complex::default());
    planner.plan_fft_inverse(len).process(&mut spectrum, &mut time).unwrap();
    for (sample, time) in samples.iter_mut().zip(&time) {
        *sample = time / len as f64;
    }
}

/// Harmonics 2 to 200 of `frequency_hz` re the fundamental, over whole periods at the end of `samples`.
fn distortion_db(samples: &[f32], frequency_hz: f64, rate_hz: f64) -> f64 {
    let len = (rate_hz / frequency_hz * 20.0).round() as usize;
    let tail = &samples[samples.len() - len..];
    let power = |harmonic: f64| {
        let w = TAU * frequency_hz * harmonic / rate_hz;
        let (mut re, mut im) = (0.0, 0.0);
        for (n, s) in tail.iter().enumerate() {
            re += f64::from(*s) * (w * n as f64).cos();
            im += f64::from(*s) * (w * n as f64).sin();
        }
        re * re + im * im
    };
    let harmonics: f64 = (2..=200).map(|h| power(f64::from(h))).sum();
    10.0 * (harmonics / power(1.0)).log10()
}

fn sine(frequency_hz: f64, level: f64, rate_hz: f64, seconds: f64) -> Stereo {
    let channel: Vec<f32> = (0..(rate_hz * seconds) as usize)
        .map(|n| (level * (TAU * frequency_hz * n as f64 / rate_hz).sin()) as f32)
        .collect();
    [channel.clone(), channel]
}

const DEFAULT_CEILING_DB: f64 = -1.0;
const BRIGHT_HZ: f64 = 1e6;
const NATURAL_HZ: f64 = 6_000.0;
/// So that 32 times the frames, and what silence is added, are 2^20 points of the reference.
const FRAMES: usize = 32_000;

/// On programme to 20 kHz, however bright, the output is at most 0.01 dB over the ceiling between samples, and no sample
/// is over it at all.
#[test]
fn true_peaks_of_programme_stay_under_the_ceiling() {
    let ceiling = 10f64.powf(DEFAULT_CEILING_DB / 20.0) as f32;
    let mut worst = f64::MIN;
    for (rate_hz, styles) in [(44_100.0, 6), (48_000.0, 6), (96_000.0, 1)] {
        let audio = programme(rate_hz, FRAMES, BRIGHT_HZ);
        for (which, style) in LimiterStyle::ALL[..styles].iter().enumerate() {
            for lookahead_ms in [0.1, 3.0] {
                let params = LimiterParams { style: *style, lookahead_ms, gain_db: 12.0, ..Default::default() };
                let out = run(&mut limiter(rate_hz, &params), &audio);
                assert!(out.iter().flatten().all(|s| s.abs() <= ceiling), "{style:?}, {lookahead_ms} ms");
                let over = db(reference_true_peak(&out[which % 2])) - DEFAULT_CEILING_DB;
                assert!(over <= 0.01, "{style:?}, {lookahead_ms} ms at {rate_hz} Hz: {over:.4} dB over");
                // it does its work: at the ceiling, or the style's margin under it
                assert!(over >= -0.15, "{style:?}, {lookahead_ms} ms at {rate_hz} Hz: {over:.4} dB over");
                println!("{style:?}, {lookahead_ms} ms at {rate_hz} Hz: {over:.4} dB over");
                worst = worst.max(over);
            }
        }
    }
    println!("worst: {worst:.4} dB over");
}

/// The meters that others will hold it against read at most 0.1 dB over. (Their own error is more than that on white noise
/// to 20 kHz: 0.3 dB at 44.1 kHz.)
#[test]
fn other_meters_agree() {
    let mut worst = [f64::MIN; 2];
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        let audio = programme(rate_hz, 60_000, NATURAL_HZ);
        for style in LimiterStyle::ALL {
            for lookahead_ms in [0.3, 3.0] {
                let params = LimiterParams { style: *style, lookahead_ms, gain_db: 9.0, ..Default::default() };
                for side in run(&mut limiter(rate_hz, &params), &audio) {
                    let meters = [ebur128_true_peak(&side, rate_hz), literal_true_peak(&side)];
                    for (worst, peak) in worst.iter_mut().zip(meters) {
                        let over = db(peak) - DEFAULT_CEILING_DB;
                        assert!(over <= 0.1, "{style:?}, {lookahead_ms} ms at {rate_hz} Hz: {over:.4} dB over");
                        *worst = worst.max(over);
                    }
                }
            }
        }
    }
    println!("worst: ebur128 {:.4}, literal {:.4} dB over", worst[0], worst[1]);
}

/// Signals made to break limiters: full scale at a quarter of the rate between its samples, clicks, squares, signs. By the
/// standard's own meter (and `ebur128`) they stay under; by an ideal interpolator, whose reach knows no end, they pass by
/// what lies above 20 kHz in them.
#[test]
fn hostile_signals_stay_under_the_ceiling() {
    let rate_hz = 48_000.0;
    let between = |n: usize| (PI / 2.0 * n as f64 + PI / 4.0).sin() as f32 * std::f32::consts::SQRT_2;
    let sign = |positive: bool| if positive { 1.0f32 } else { -1.0 };
    type Signal = Box<dyn Fn(usize) -> f32>;
    // with how far over the ceiling the ideal interpolator may read: what this design gives, rounded up
    let signals: [(&str, Signal, f64); 7] = [
        ("quarter of the rate", Box::new(between), 0.01),
        ("bursts of it", Box::new(move |n| if n / 480 % 2 == 0 { between(n) } else { 0.0 }), 0.01),
        ("clicks", Box::new(|n| if n % 1000 == 500 { 1.0 } else { 0.0 }), 0.01),
        ("clicks to and fro", Box::new(|n| [1.0, -1.0, 1.0].get(n % 1000).copied().unwrap_or(0.0)), 0.1),
        ("square bursts", Box::new(move |n| if n / 2000 % 2 == 0 { sign(n / 24 % 2 == 0) } else { 0.0 }), 0.13),
        ("steps", Box::new(move |n| sign(n / 700 % 2 == 0)), 0.05),
        ("alternating", Box::new(move |n| sign(n % 2 == 0)), f64::INFINITY),
    ];
    for (name, signal, allowed) in &signals {
        let audio: Vec<f32> = (0..FRAMES).map(signal).collect();
        for (style, lookahead_ms) in [(LimiterStyle::Transparent, 0.1), (LimiterStyle::Loud, 3.0)] {
            let params = LimiterParams { style, lookahead_ms, gain_db: 6.0, ..Default::default() };
            let [out, _] = run(&mut limiter(rate_hz, &params), &[audio.clone(), audio.clone()]);
            let over = |peak: f64| db(peak) - DEFAULT_CEILING_DB;
            let figures = [
                over(reference_true_peak(&out)),
                over(ebur128_true_peak(&out, rate_hz)),
                over(literal_true_peak(&out)),
            ];
            println!(
                "{name}, {style:?}, {lookahead_ms} ms: ideal {:.3}, ebur128 {:.3}, literal {:.3}",
                figures[0], figures[1], figures[2]
            );
            assert!(over(peak(&out)) <= 0.0);
            assert!(figures[0] <= *allowed && figures[1] <= 0.1 && figures[2] <= 0.1, "{name}, {style:?}: {figures:?}");
        }
    }
}

/// A low tone limited by 6 dB: once the slow gain has taken it over, nothing is added. The clip distorts by nature.
#[test]
fn steady_tones_are_not_distorted() {
    for rate_hz in [44_100.0, 48_000.0] {
        for style in LimiterStyle::ALL {
            let allowed_db = match style {
                LimiterStyle::Transparent | LimiterStyle::Glue | LimiterStyle::Safe => -80.0,
                LimiterStyle::Punchy | LimiterStyle::Loud => -45.0,
                LimiterStyle::ClipThenLimit => -15.0,
            };
            for (lookahead_ms, auto_release, release_ms) in
                [(0.1, true, 200.0), (3.0, true, 200.0), (1.0, false, 10.0), (3.0, false, 300.0)]
            {
                let params = LimiterParams {
                    style: *style,
                    lookahead_ms,
                    auto_release,
                    release_ms,
                    gain_db: 6.0,
                    ..Default::default()
                };
                let mut out = sine(50.0, 10f64.powf(DEFAULT_CEILING_DB / 20.0), rate_hz, 2.5);
                let mut limiter = limiter(rate_hz, &params);
                process(&mut limiter, &mut out);
                let distortion = distortion_db(&out[0], 50.0, rate_hz);
                assert!(distortion <= allowed_db, "{style:?}, {lookahead_ms} ms: {distortion:.1} dB");
                if *style == LimiterStyle::Transparent {
                    // 6 dB are taken, neither more nor less: the gain's rounding is 1e-7, the margin at 0.1 ms 0.015 dB
                    let allowed = if lookahead_ms < 0.3 { 0.016 } else { 1e-3 };
                    assert!((db(f64::from(limiter.reading().gain[0])) + 6.0).abs() < allowed);
                }
            }
        }
    }
}

/// Under the ceiling (and the knee of Glue, the clip's bend) not a bit changes, and the delay is the latency that is
/// reported: 2 detectors, lookahead + 2, clip 4, second path 18.
#[test]
fn what_needs_no_reduction_is_only_delayed() {
    for (rate_hz, detector_frames) in [(44_100.0, 28), (48_000.0, 16), (192_000.0, 16)] {
        let audio =
            programme(rate_hz, 9000, NATURAL_HZ).map(|side| side.iter().map(|s| s * 0.55).collect::<Vec<f32>>());
        for style in LimiterStyle::ALL {
            for (true_peak, lookahead_ms) in [(true, 3.0), (false, 0.1), (true, 10.0)] {
                let params =
                    LimiterParams { style: *style, true_peak, lookahead_ms, ceiling_dbtp: 0.0, ..Default::default() };
                let mut limiter = limiter(rate_hz, &params);
                let lookahead_frames = (rate_hz * lookahead_ms / 1000.0).round() as usize;
                assert_eq!(limiter.latency_frames(), 2 * detector_frames + lookahead_frames + 2 + 4 + 18);
                assert!(run(&mut limiter, &audio) == audio, "{style:?}, {true_peak}, {lookahead_ms} ms at {rate_hz}");
                assert_eq!(limiter.reading().least_gain, [1.0; 2]);
            }
        }
    }
}

/// After a reduction, too, the gain comes back to 1 to the bit.
#[test]
fn transparency_comes_back() {
    let rate_hz = 48_000.0;
    let params = LimiterParams { gain_db: 12.0, auto_release: false, release_ms: 20.0, ..Default::default() };
    let mut limiter = limiter(rate_hz, &params);
    let mut loud = programme(rate_hz, 9600, NATURAL_HZ);
    process(&mut limiter, &mut loud);
    let mut rest = [vec![0.0; 48_000], vec![0.0; 48_000]];
    process(&mut limiter, &mut rest);
    limiter.take_reading();
    let quiet = sine(1000.0, 0.1, rate_hz, 0.2);
    let out = run(&mut limiter, &quiet);
    let driven: Vec<f32> = quiet[0].iter().map(|s| s * 10f64.powf(12.0 / 20.0) as f32).collect();
    assert!(out[0] == driven);
    assert_eq!(limiter.reading().least_gain, [1.0; 2]);
}

/// Wholly linked channels get the same gain, to the bit: a side that is the other over 1024 stays so.
#[test]
fn linked_gains_are_the_same_bits() {
    let [left, _] = programme(48_000.0, 20_000, BRIGHT_HZ);
    let right: Vec<f32> = left.iter().map(|s| s / 1024.0).collect();
    for style in LimiterStyle::ALL {
        let params =
            LimiterParams { style: *style, gain_db: 12.0, transient_link_percent: 100.0, ..Default::default() };
        let out = run(&mut limiter(48_000.0, &params), &[left.clone(), right.clone()]);
        let linked = out[0].iter().zip(&out[1]).all(|(l, r)| *l == r * 1024.0);
        // the clip is each channel's own
        assert_eq!(linked, *style != LimiterStyle::ClipThenLimit, "{style:?}");
        // not linked at all, the quiet side is left alone
        let params = LimiterParams { transient_link_percent: 0.0, release_link_percent: 0.0, ..params };
        let mut limiter = limiter(48_000.0, &params);
        run(&mut limiter, &[left.clone(), right.clone()]);
        assert_eq!(limiter.reading().least_gain[1] == 1.0, *style != LimiterStyle::Safe, "{style:?}");
    }
}

/// Gain, ceiling, style, release and switches thrown about: at no time more than the higher of the ceilings, and no click:
/// what is not the tone stays low.
#[test]
fn automation_neither_overshoots_nor_clicks() {
    let rate_hz = 48_000.0;
    let tone = sine(1000.0, 0.4, rate_hz, 1.0);
    type Move = fn(&mut LimiterParams);
    let steps: [(&str, Move); 4] = [
        ("gain", |p| p.gain_db = 24.0),
        ("ceiling", |p| p.ceiling_dbtp = -12.0),
        ("release", |p| p.release_ms = 1.0),
        ("style", |p| p.style = LimiterStyle::Loud),
    ];
    for (name, step) in steps {
        let start = LimiterParams { gain_db: 12.0, ceiling_dbtp: -3.0, auto_release: false, ..Default::default() };
        let mut moved = start;
        step(&mut moved);
        let mut limiter = limiter(rate_hz, &start);
        let mut out = tone.clone();
        process_with(&mut limiter, &mut out, |n, limiter| {
            limiter.set_params(if n / 25 % 2 == 0 { &start } else { &moved });
        });
        let highest = 10f64.powf(start.ceiling_dbtp.max(moved.ceiling_dbtp) / 20.0) as f32;
        assert!(out[0].iter().all(|s| s.abs() <= highest), "{name}: a sample over the ceiling");
        let over = db(reference_true_peak(&out[0][..FRAMES])) - start.ceiling_dbtp.max(moved.ceiling_dbtp);
        assert!(over < 0.01, "{name}: {over} dB over");
        // what the tone and its slow movements are not: above 5 kHz
        let mut rest: Vec<f64> = out[0][4800..].iter().map(|s| f64::from(*s)).collect();
        let whole = rest.clone();
        limit_band(&mut rest, rate_hz, 5000.0);
        let splatter =
            whole.iter().zip(&rest).skip(1000).take(whole.len() - 2000).fold(0.0f64, |m, (w, r)| m.max((w - r).abs()));
        println!("{name}: splatter {:.1} dB", db(splatter));
        assert!(db(splatter) < -80.0, "{name}: {:.1} dB", db(splatter));
    }
}

/// Off: the input to the bit. Delta and output make up the driven input. Unity gain takes the gain off again.
#[test]
fn listening() {
    let rate_hz = 48_000.0;
    let audio = programme(rate_hz, 20_000, NATURAL_HZ);
    let params = LimiterParams { gain_db: 9.0, ..Default::default() };
    let gain = 10f64.powf(9.0 / 20.0) as f32;
    let out = run(&mut limiter(rate_hz, &params), &audio);

    let off = LimiterParams { on: false, ..params };
    assert!(run(&mut limiter(rate_hz, &off), &audio) == audio);

    let delta = run(&mut limiter(rate_hz, &LimiterParams { delta: true, ..params }), &audio);
    let unity = run(&mut limiter(rate_hz, &LimiterParams { unity_gain: true, ..params }), &audio);
    for n in 0..20_000 {
        // one rounding of a number up to 3
        assert!((delta[0][n] + out[0][n] - audio[0][n] * gain).abs() < 3e-7);
        assert!((unity[0][n] * gain - out[0][n]).abs() < 2e-7);
    }

    // switched in the middle: on either side exact, between without a step
    let mut limiter = limiter(rate_hz, &params);
    let latency = limiter.latency_frames();
    let mut switched = sine(200.0, 0.9, rate_hz, 0.5);
    let input = switched[0].clone();
    process_with(&mut limiter, &mut switched, |n, limiter| {
        if n == 25 {
            limiter.set_params(&off);
        }
    });
    assert!(switched[0][13_000..] == input[13_000 - latency..input.len() - latency]);
    // a 200 Hz tone of 0.9 moves by 0.0236 a frame; the crossfade adds little
    assert!(switched[0][1000..].windows(2).all(|w| (w[1] - w[0]).abs() < 0.03));
}

/// The reading: gain and least gain, true peaks of both ends, taken and taken anew.
#[test]
fn reading() {
    let rate_hz = 48_000.0;
    let params = LimiterParams { gain_db: 12.0, ceiling_dbtp: -2.0, ..Default::default() };
    let mut limiter = limiter(rate_hz, &params);
    // a tone of 0.5 with its tops between the samples
    let mut tone = sine(997.0, 0.5, rate_hz, 1.0);
    tone[1].iter_mut().for_each(|s| *s *= 0.5);
    process(&mut limiter, &mut tone);
    let reading = limiter.take_reading();
    let expected = db(0.5) + 12.0 + 2.0;
    assert!((db(f64::from(reading.gain[0])) + expected).abs() < 0.01);
    assert!(reading.least_gain[0] <= reading.gain[0] && db(f64::from(reading.least_gain[0])) < -expected + 0.01);
    for (peak, level) in [(reading.input_true_peak[0], 0.5), (reading.input_true_peak[1], 0.25)] {
        // the onset of a tone has overtones: a little over the tone itself
        assert!((-0.002..0.05).contains(&(db(f64::from(peak)) - db(level))), "{peak}");
    }
    assert!((db(f64::from(reading.output_true_peak[0])) + 2.0).abs() < 0.003);
    let mut silence = [vec![0.0; 4800], vec![0.0; 4800]];
    process(&mut limiter, &mut silence);
    limiter.take_reading();
    silence.iter_mut().for_each(|side| side.fill(0.0));
    process(&mut limiter, &mut silence);
    let reading = limiter.reading();
    assert_eq!((reading.input_true_peak, reading.output_true_peak), ([0.0; 2], [0.0; 2]));
    assert!(reading.gain[0] > reading.least_gain[0]);
}

/// Gain of the limiter, frame by frame, on a quiet tone that follows a loud one: the release. The channels are the same.
fn release(params: &LimiterParams, loud_seconds: f64) -> Vec<f64> {
    let rate_hz = 48_000.0;
    let mut limiter = limiter(rate_hz, params);
    let mut loud = sine(100.0, 0.9, rate_hz, loud_seconds);
    process(&mut limiter, &mut loud);
    let mut gains = vec![];
    for _ in 0..1000 {
        let mut silence = [vec![0.0; 48], vec![0.0; 48]];
        process(&mut limiter, &mut silence);
        gains.push(f64::from(limiter.reading().gain[0]));
    }
    gains
}

/// The release has the time constant that is set, within 1 %; scaled by the style; automatic is quicker after a burst than
/// after a long tone.
#[test]
fn release_follows_the_control() {
    for (style, factor) in [
        (LimiterStyle::Transparent, 1.0),
        (LimiterStyle::Glue, 1.5),
        (LimiterStyle::Loud, 0.35),
        (LimiterStyle::Safe, 2.0),
    ] {
        for release_ms in [60.0, 200.0] {
            let params = LimiterParams { style, release_ms, auto_release: false, gain_db: 9.0, ..Default::default() };
            let gains = release(&params, 2.0);
            // after latency, hold and the second pole; milliseconds
            let (from, to) = (60, 60 + (release_ms * factor) as usize);
            let constant_ms = (to - from) as f64 / ((1.0 - gains[from]) / (1.0 - gains[to])).ln();
            // the fast gain has no part in it any more: what lasts is the slow gain's
            assert!(
                (constant_ms / (release_ms * factor) - 1.0).abs() < 0.01,
                "{style:?} {release_ms}: {constant_ms:.2} ms"
            );
        }
    }
    let params = LimiterParams { gain_db: 9.0, ..Default::default() };
    let (burst, long) = (release(&params, 0.1), release(&params, 5.0));
    let half = |gains: &[f64]| {
        let start = 1.0 - gains[0];
        gains.iter().position(|g| 1.0 - g < start / 2.0).unwrap()
    };
    assert!(half(&burst) < 120 && half(&long) > 400, "{} {}", half(&burst), half(&long));
}

/// What the styles are chosen for.
#[test]
fn styles_differ_as_they_say() {
    let rate_hz = 48_000.0;
    let with = |style, gain_db| LimiterParams { style, gain_db, ..Default::default() };
    let loudness = |style| {
        let audio = programme(rate_hz, 60_000, NATURAL_HZ);
        let out = run(&mut limiter(rate_hz, &with(style, 12.0)), &audio);
        10.0 * (out[0].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 60_000.0).log10()
    };
    let level = LimiterStyle::ALL.iter().map(|s| loudness(*s)).collect::<Vec<_>>();
    let [transparent, punchy, glue, loud, safe, clip] = level[..] else { panic!() };
    println!("levels {level:.2?}");
    assert!(clip > loud && loud > transparent && punchy > transparent && transparent > glue && glue > safe);

    // Punchy: a hit, then a body 10 dB under it that is itself just under the ceiling; the body keeps its level
    let hit_and_body: Vec<f32> = (0..48_000)
        .map(|n| {
            let t = n as f64 / rate_hz;
            let level = if t % 0.25 < 0.01 { 2.8 } else { 0.85 };
            (level * (TAU * 1000.0 * t).sin()) as f32
        })
        .collect();
    let body = |style| {
        let out = run(&mut limiter(rate_hz, &with(style, 0.0)), &[hit_and_body.clone(), hit_and_body.clone()]);
        // 40 to 140 ms after the fourth hit
        peak(&out[0][36_000 + 1920..36_000 + 6720]) / 0.85
    };
    println!(
        "bodies: Punchy {:.2} dB, Transparent {:.2}, Glue {:.2}",
        db(body(LimiterStyle::Punchy)),
        db(body(LimiterStyle::Transparent)),
        db(body(LimiterStyle::Glue))
    );
    assert!(
        db(body(LimiterStyle::Punchy)) > -2.0
            && db(body(LimiterStyle::Transparent)) < db(body(LimiterStyle::Punchy)) - 0.5
    );

    // Glue: at the ceiling its knee takes W/8 = 0.75 dB, 3 dB under it nothing
    for (under_db, expected_db) in [(0.0, -0.75), (1.5, -0.1875), (3.0, 0.0)] {
        let mut limiter = limiter(rate_hz, &with(LimiterStyle::Glue, 0.0));
        let level = 10f64.powf((DEFAULT_CEILING_DB - under_db) / 20.0);
        process(&mut limiter, &mut sine(1000.0, level, rate_hz, 1.0));
        let gain_db = db(f64::from(limiter.reading().gain[0]));
        // the detector reads within 0.002 dB; the curve's slope there is at most 1/2
        assert!((gain_db - expected_db).abs() < 0.002, "{under_db}: {gain_db}");
    }

    // Safe: true peak although it is off
    let between: Vec<f32> = (0..9600).map(|n| (PI / 2.0 * n as f64 + PI / 4.0).sin() as f32 * 1.2).collect();
    for (style, over_db) in [(LimiterStyle::Safe, -0.1), (LimiterStyle::Transparent, db(1.2) + 1.0)] {
        let params = LimiterParams { true_peak: false, ..with(style, 0.0) };
        let out = run(&mut limiter(rate_hz, &params), &[between.clone(), between.clone()]);
        let over = db(literal_true_peak(&out[0])) - DEFAULT_CEILING_DB;
        assert!(over < over_db + 0.1, "{style:?}: {over}");
        assert!((over < 0.0) == (style == LimiterStyle::Safe));
    }

    // the clip: 3 dB over the ceiling are clipped without the limiter, so a steady tone 3 dB over gets no other gain
    let mut limiter = limiter(rate_hz, &with(LimiterStyle::ClipThenLimit, 3.0));
    let mut out = sine(100.0, 10f64.powf(DEFAULT_CEILING_DB / 20.0), rate_hz, 1.0);
    let input = out[0].clone();
    let latency = limiter.latency_frames();
    process(&mut limiter, &mut out);
    let kept = (40_000..48_000)
        .filter(|n| input[n - latency].abs() < 0.4)
        .all(|n| (out[0][n] / input[n - latency] - 1.4125).abs() < 1e-2 || input[n - latency].abs() < 0.01);
    assert!(kept, "under the bend the clip's tone keeps its gain");
}
