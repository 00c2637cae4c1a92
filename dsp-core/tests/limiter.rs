//! The limiter against what its figures promise.

// the platform's functions are a second opinion here, and tests have a console
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

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
    let [left, right] = audio;
    for (left, right) in left.chunks_mut(512).zip(right.chunks_mut(512)) {
        limiter.process(&mut Block::new([left, right]));
    }
}

fn db(x: f64) -> f64 {
    20.0 * x.log10()
}

fn peak(samples: &[f32]) -> f64 {
    samples.iter().fold(0.0, |m: f64, s| m.max(f64::from(s.abs())))
}

/// The greatest magnitude of the signal at 32 times its rate, between zeros: the spectrum is the signal's own up to half
/// its rate and zero above (an ideal interpolator), and a parabola through the highest points takes the last 0.009 dB.
fn reference_true_peak(samples: &[f32]) -> f64 {
    let len = (samples.len() + 512).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let mut time: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
    time.resize(len, 0.0);
    let mut spectrum = vec![Complex::default(); len / 2 + 1];
    planner.plan_fft_forward(len).process(&mut time, &mut spectrum).unwrap();
    spectrum[len / 2] = Complex::default();
    spectrum.resize(len * 16 + 1, Complex::default());
    let mut fine = vec![0.0; len * 32];
    planner.plan_fft_inverse(len * 32).process(&mut spectrum, &mut fine).unwrap();
    let mut greatest = 0.0f64;
    for w in fine.windows(3) {
        let [l, c, r] = [w[0].abs(), w[1].abs(), w[2].abs()];
        if c > greatest && c >= l && c >= r {
            let (a, b) = (l + r - 2.0 * c, (r - l) / 2.0);
            greatest = if a < 0.0 { c - b * b / (2.0 * a) } else { c };
        }
    }
    greatest / len as f64
}

/// BS.1770-5, Annex 2, to the letter: four phases of twelve taps.
fn literal_true_peak(samples: &[f32]) -> f64 {
    const PHASE_0: [f64; 12] = [
        0.0017089843750,
        0.0109863281250,
        -0.0196533203125,
        0.0332031250000,
        -0.0594482421875,
        0.1373291015625,
        0.9721679687500,
        -0.1022949218750,
        0.0476074218750,
        -0.0266113281250,
        0.0148925781250,
        -0.0083007812500,
    ];
    const PHASE_1: [f64; 12] = [
        -0.0291748046875,
        0.0292968750000,
        -0.0517578125000,
        0.0891113281250,
        -0.1665039062500,
        0.4650878906250,
        0.7797851562500,
        -0.2003173828125,
        0.1015625000000,
        -0.0582275390625,
        0.0330810546875,
        -0.0189208984375,
    ];
    let mut greatest = 0.0f64;
    for window in samples.windows(12) {
        let dot = |taps: &mut dyn Iterator<Item = &f64>| -> f64 {
            window.iter().rev().zip(taps).map(|(s, t)| f64::from(*s) * t).sum()
        };
        for sum in [
            dot(&mut PHASE_0.iter()),
            dot(&mut PHASE_1.iter()),
            dot(&mut PHASE_1.iter().rev()),
            dot(&mut PHASE_0.iter().rev()),
        ] {
            greatest = greatest.max(sum.abs());
        }
    }
    greatest
}

fn ebur128_true_peak(samples: &[f32], rate_hz: f64) -> f64 {
    let mut meter = ebur128::EbuR128::new(1, rate_hz as u32, ebur128::Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f32(samples).unwrap();
    meter.true_peak(0).unwrap()
}

struct Random(u64);
impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Drums, bass, chords and noise that peak at 0 dBFS or a little under, limited to 20 kHz, the two sides unlike.
fn programme(rate_hz: f64, frames: usize) -> Stereo {
    let mut random = Random(7);
    let mut sides = [0, 1].map(|side| {
        let mut out = vec![0.0f64; frames];
        for (n, out) in out.iter_mut().enumerate() {
            let t = n as f64 / rate_hz;
            let beat = t % 0.25;
            let kick = (TAU * (50.0 * beat + 4.0 * (1.0 - (-40.0 * beat).exp()))).sin() * (-12.0 * beat).exp();
            let hat = random.next() * (-90.0 * ((t + 0.06 * f64::from(side)) % 0.125)).exp();
            let bass = (TAU * 55.0 * t).sin() + 0.4 * (TAU * 110.0 * t + 1.0).sin();
            let chord: f64 = [220.0, 277.2, 329.6, 1760.0, 4400.0, 9300.0]
                .iter()
                .map(|f| (TAU * f * (1.0 + 0.001 * f64::from(side)) * t + f * 0.01).sin() / (1.0 + f / 800.0))
                .sum();
            *out = 0.5 * kick + 0.45 * hat + 0.18 * bass + 0.1 * chord + 0.05 * random.next();
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

#[test]
fn explore() {
    for rate in [44_100.0, 48_000.0] {
        let audio = programme(rate, 60_000);
        for style in LimiterStyle::ALL {
            for lookahead_ms in [0.1, 3.0] {
                for gain_db in [18.0] {
                    let params = LimiterParams { style: *style, lookahead_ms, gain_db, ..Default::default() };
                    let mut l = limiter(rate, &params);
                    let out = run(&mut l, &audio);
                    let w = |f: &dyn Fn(&[f32]) -> f64| db(f(&out[0]).max(f(&out[1]))) + 1.0;
                    println!(
                        "{rate} {style:?} {lookahead_ms} ms +{gain_db}: ref {:.4} ebur {:.4} literal {:.4} sample {:.5} least gain {:.2} rms {:.2}",
                        w(&reference_true_peak),
                        w(&|s| ebur128_true_peak(s, rate)),
                        w(&literal_true_peak),
                        w(&peak),
                        db(f64::from(l.reading().least_gain[0])),
                        db((out[0].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 60000.0).sqrt())
                    );
                }
            }
        }
    }
}
