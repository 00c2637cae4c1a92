//! Delay, held against closed forms.
// expected values come from std, not from the functions under test; figures are shown with --nocapture
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use crate::measure::{dft, full_scale_noise as noise, splatter_db};
use dsp_core::block::{Block, Transport};
use dsp_core::processor::{Processor, StreamConfig, Tail};
use dsp_core::space::delay::{Delay, DelayMode, DelayParams, LineLength, TimeChange, mix_gains};
use dsp_core::space::note_value::NoteValue;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

const RATE_HZ: f64 = 48_000.0;

/// On, wet alone, one echo.
fn echo() -> DelayParams {
    DelayParams { on: true, mix_percent: 100.0, feedback_percent: 0.0, ..Default::default() }
}

fn prepared<const CH: usize>(rate_hz: f64, params: &DelayParams) -> Delay<CH> {
    let mut delay = Delay::new();
    delay.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
    delay
}

/// Runs both sides through, in blocks of 512 at 120 bpm, with what `change` asks for ahead of the frame it is given.
fn run(delay: &mut Delay<2>, audio: &mut [Vec<f32>; 2], mut change: impl FnMut(usize) -> Option<DelayParams>) {
    let [left, right] = audio;
    for (n, (l, r)) in left.chunks_mut(512).zip(right.chunks_mut(512)).enumerate() {
        if let Some(params) = change(n * 512) {
            delay.set_params(&params);
        }
        delay.process(&mut Block::new([l, r]));
    }
}

fn through(rate_hz: f64, params: &DelayParams, left: &[f32], right: &[f32]) -> [Vec<f32>; 2] {
    let mut audio = [left.to_vec(), right.to_vec()];
    run(&mut prepared(rate_hz, params), &mut audio, |_| None);
    audio
}

fn mono(rate_hz: f64, params: &DelayParams, input: &[f32]) -> Vec<f32> {
    let mut audio = input.to_vec();
    let mut delay = prepared::<1>(rate_hz, params);
    audio.chunks_mut(512).for_each(|piece| delay.process(&mut Block::new([piece])));
    audio
}

fn sine(hz: f64, rate_hz: f64, frames: usize, peak: f64) -> Vec<f32> {
    (0..frames).map(|n| (peak * (TAU * hz / rate_hz * n as f64).sin()) as f32).collect()
}

fn impulse(frames: usize) -> Vec<f32> {
    let mut samples = vec![0.0; frames];
    samples[0] = 1.0;
    samples
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// A whole number of frames is exact: the echoes of an impulse are impulses at the multiples of the time, each times the
/// feedback, to the bit, and nothing else; at every rate, synced and free.
#[test]
fn whole_times_are_exact() {
    for (rate_hz, params, frames) in [
        (48_000.0, DelayParams { sync: true, note: NoteValue::Eighth, ..echo() }, 12_000),
        (48_000.0, DelayParams { sync: true, note: NoteValue::EighthTriplet, ..echo() }, 8_000),
        (44_100.0, DelayParams { sync: true, note: NoteValue::Eighth, ..echo() }, 11_025),
        (96_000.0, DelayParams { sync: true, note: NoteValue::SixteenthDotted, ..echo() }, 18_000),
        (48_000.0, DelayParams { time_ms: 100.0, ..echo() }, 4_800),
        (44_100.0, DelayParams { time_ms: 10.0, ..echo() }, 441),
        (48_000.0, DelayParams { time_ms: 1.0, ..echo() }, 48),
    ] {
        let params = DelayParams { feedback_percent: 50.0, ..params };
        let out = mono(rate_hz, &params, &impulse(60_000));
        for (n, sample) in out.iter().enumerate() {
            let round = n / frames;
            let expected = if n > 0 && n % frames == 0 { 0.5f32.powi(round as i32 - 1) } else { 0.0 };
            // under 10⁻³⁰, a hundred rounds on, there is silence
            assert_eq!(*sample, if expected < 1e-30 { 0.0 } else { expected }, "{params:?} at {n}");
        }
    }
}

/// Ten minutes of eighths at 120 bpm and 100 %, run in full: the impulse comes out at every 12 000th frame, as high as it went
/// in, and nothing else ever does.
#[test]
fn ten_minutes_of_repeats_are_exact() {
    let params = DelayParams { sync: true, note: NoteValue::Eighth, feedback_percent: 100.0, ..echo() };
    let mut delay = prepared::<1>(RATE_HZ, &params);
    assert_eq!(delay.tail(), Tail::Infinite);
    for round in 0..=2400 {
        let mut piece = vec![0.0; 12_000];
        piece[0] = if round == 0 { 1.0 } else { 0.0 };
        piece.chunks_mut(4000).for_each(|p| delay.process(&mut Block::new([p])));
        assert_eq!(piece[0], if round == 0 { 0.0 } else { 1.0 }, "round {round}");
        assert!(piece[1..].iter().all(|s| *s == 0.0), "round {round}");
    }
}

/// Between frames: gain within 0.003 dB up to 15 kHz and 0.054 dB at 18 kHz (what a windowed sinc of 16 taps reaches), delay within
/// 1e-4 frames, for any fraction. All frequencies are multiples of 100 Hz, over whole periods.
#[test]
fn fractions_lose_nothing() {
    let mut worst = [0.0f64; 2];
    for ms in [20.002, 20.005, 20.008, 20.01, 20.012, 20.015, 20.019, 777.77] {
        for hz in [100.0, 1000.0, 5000.0, 10_000.0, 15_000.0, 18_000.0] {
            let input = sine(hz, RATE_HZ, 48_000, 1.0);
            let out = mono(RATE_HZ, &DelayParams { time_ms: ms, ..echo() }, &input);
            let ratio = dft(&out[48_000 - 4800..], hz, RATE_HZ) / dft(&input[48_000 - 4800..], hz, RATE_HZ);
            let error_db = db(ratio.norm()).abs();
            assert!(error_db < if hz > 15_000.0 { 0.054 } else { 0.003 }, "{ms} ms at {hz} Hz: {error_db} dB");
            let late = (ratio * Complex64::from_polar(1.0, TAU * hz * ms / 1000.0)).arg() / (TAU * hz / RATE_HZ);
            assert!(late.abs() < 1e-4, "{ms} ms at {hz} Hz: {late} frames");
            if hz >= 15_000.0 {
                let worst = &mut worst[usize::from(hz > 15_000.0)];
                *worst = worst.max(error_db);
            }
        }
    }
    println!("worst gain error: {:.5} dB at 15 kHz, {:.5} dB at 18 kHz", worst[0], worst[1]);
}

/// A loop at 100 % whose time lies between frames keeps what is under 15 kHz for 875 rounds: each line of its spectrum, by less
/// than 0.175 dB, 0.0002 dB a round. What lies over 20 kHz has died away by the first window.
#[test]
fn unity_neither_grows_nor_dies() {
    let frames = 2.003 * 48.0;
    // under full scale between the frames too, where the limit does nothing
    let mut input: Vec<f32> = noise(96, 1).iter().map(|s| 0.3 * s).collect();
    input.resize(110_000, 0.0);
    let out = mono(RATE_HZ, &DelayParams { time_ms: 2.003, feedback_percent: 100.0, ..echo() }, &input);
    // 125 rounds are a whole number of frames: 12 018
    let window = |from: usize| &out[from..from + 12_018];
    let mut worst = 0.0f64;
    for line in 1..=30 {
        let hz = f64::from(line) * RATE_HZ / frames;
        let change = db(dft(window(97_000), hz, RATE_HZ).norm() / dft(window(12_988), hz, RATE_HZ).norm());
        worst = worst.max(change.abs());
        assert!(change.abs() < 0.175, "{hz} Hz: {change} dB");
    }
    println!("875 rounds at 100 %: {worst:.4} dB");
}

/// Both sides to themselves; each with its own time; from side to side.
#[test]
fn modes_lay_echoes_out() {
    let base = DelayParams { time_ms: 10.0, right_time_ms: 15.0, feedback_percent: 50.0, ..echo() };
    let (left, right) = (impulse(2000), vec![0.0; 2000]);
    let peaks = |side: &[f32]| -> Vec<(usize, f32)> {
        side.iter().enumerate().filter(|(_, s)| **s != 0.0).map(|(n, s)| (n, *s)).take(3).collect()
    };
    let [l, r] = through(RATE_HZ, &base, &left, &right);
    assert_eq!((peaks(&l), peaks(&r)), (vec![(480, 1.0), (960, 0.5), (1440, 0.25)], vec![]));
    let dual = DelayParams { mode: DelayMode::Dual, ..base };
    let [l, r] = through(RATE_HZ, &dual, &left, &left);
    assert_eq!(peaks(&l), [(480, 1.0), (960, 0.5), (1440, 0.25)]);
    assert_eq!(peaks(&r)[..2], [(720, 1.0), (1440, 0.5)]);
    let ping_pong = DelayParams { mode: DelayMode::PingPong, ..base };
    for (l, r) in [(&left, &right), (&right, &left)] {
        let [l, r] = through(RATE_HZ, &ping_pong, l, r);
        assert_eq!(peaks(&l)[..2], [(480, 0.5), (1440, 0.125)]);
        assert_eq!(peaks(&r), [(960, 0.25), (1920, 0.0625)]);
    }
    // width 0: both sides the same
    let [l, r] = through(RATE_HZ, &DelayParams { width_percent: 0.0, ..ping_pong }, &left, &left);
    assert_eq!(l, r);
    assert_eq!(peaks(&l)[..2], [(480, 0.5), (960, 0.25)]);
}

/// Dry and wet: both whole in the middle. Off, and with no wet at all, no bit changes.
#[test]
fn mix_and_off() {
    for (percent, dry, wet) in
        [(0.0, 1.0, 0.0), (25.0, 1.0, 0.5), (50.0, 1.0, 1.0), (75.0, 0.5, 1.0), (100.0, 0.0, 1.0)]
    {
        assert_eq!(mix_gains(percent), [dry, wet]);
        let params = DelayParams { mix_percent: percent, time_ms: 10.0, ..echo() };
        let out = mono(RATE_HZ, &params, &impulse(1000));
        assert_eq!((out[0], out[480]), (dry as f32, wet as f32));
    }
    let audio = noise(5000, 3);
    assert_eq!(mono(RATE_HZ, &DelayParams { mix_percent: 0.0, ..echo() }, &audio), audio);
    assert_eq!(mono(RATE_HZ, &DelayParams { on: false, freeze: true, drive_db: 24.0, ..echo() }, &audio), audio);
}

/// Switched off, the echoes fade within 50 ms and are forgotten; switched on again, nothing of them comes back.
#[test]
fn off_forgets() {
    let on = DelayParams { time_ms: 100.0, feedback_percent: 90.0, mix_percent: 50.0, ..echo() };
    let off = DelayParams { on: false, ..on };
    let mut input = noise(24_000, 4);
    input.resize(96_000, 0.0);
    let mut audio = [input.clone(), input.clone()];
    let mut delay = prepared(RATE_HZ, &on);
    run(&mut delay, &mut audio, |frame| (frame / 512 == 80).then_some(off).or((frame / 512 == 120).then_some(on)));
    assert!(audio[0][40_000..40_960].iter().any(|s| s.abs() > 0.1));
    // 2400 frames of fade, at most 32 late
    assert!(audio[0][80 * 512 + 2432..].iter().all(|s| *s == 0.0));
}

/// Over 100 % the loop grows up to its limit and stays there: a line holds what goes in and the ceiling of +6 dBFS at most. At
/// 100 % what is over full scale is taken down to it, and what is under stays.
#[test]
fn feedback_over_unity_stays_bounded() {
    for (hz, low_cut_hz, high_cut_hz) in
        [(300.0, 20.0, 20_000.0), (300.0, 100.0, 4000.0), (24_000.0, 20.0, 20_000.0), (11_111.0, 20.0, 20_000.0)]
    {
        let params = DelayParams { time_ms: 50.0, feedback_percent: 110.0, low_cut_hz, high_cut_hz, ..echo() };
        let mut input: Vec<f32> =
            (0..24_000).map(|n| (0.5 * (TAU * hz / RATE_HZ * f64::from(n) + 0.5).sin()) as f32).collect();
        input.resize(480_000, 0.0);
        let out = mono(RATE_HZ, &params, &input);
        let peak = out.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(peak <= 2.0 * 1.1 + 0.5, "{hz} Hz: {peak}");
        let rms = |from: usize| (out[from..from + 48_000].iter().map(|s| s * s).sum::<f32>() / 48_000.0).sqrt();
        println!("110 %, {hz} Hz: peak {peak:.2}, RMS {:.2} then {:.2}", rms(240_000), rms(432_000));
        assert!(rms(432_000) > 0.3 && (rms(432_000) / rms(240_000) - 1.0).abs() < 0.2, "{hz} Hz: no steady state");
    }
    // 100 %: a burst of 12 dB over full scale ends inside, a quiet one keeps its bits
    for (peak, expected) in [(4.0, 1.0), (0.3, 0.3)] {
        let mut input = sine(1000.0, RATE_HZ, 2400, peak);
        input.resize(4_000_000, 0.0);
        let out = mono(RATE_HZ, &DelayParams { time_ms: 50.0, feedback_percent: 100.0, ..echo() }, &input);
        // what is over by e loses e³/2 a round: after 1600 rounds 1/√1600 are left
        let last = out[3_990_000..].iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(last <= 1.1 * expected as f32 && last >= expected as f32, "{peak}: {last}");
        if peak < 1.0 {
            let round = 4_000_000 / 2400 * 2400 - 2400;
            assert_eq!(out[round..round + 2400], input[..2400]);
        }
    }
}

/// Over 100 % no echo is heard over +6 dBFS, the ceiling of the limit, but for a rounding: noise and a tone as loud as full scale,
/// through all that makes peaks higher. It is loud nevertheless, under full drive too, whose curve bends from −17 dBFS on. Up to 100 % what is heard is as loud as it
/// is made: at a width of 200 % a side signal of 1.5 is one of 3.
#[test]
fn no_runaway_is_heard_over_6_dbfs() {
    let plain = DelayParams { time_ms: 150.0, feedback_percent: 110.0, ..echo() };
    let smeared = DelayParams { diffusion_percent: 100.0, ..plain };
    let wavering = DelayParams { wow_percent: 1.0, flutter_percent: 0.5, ..smeared };
    let wide = DelayParams { width_percent: 200.0, ..plain };
    for (name, params) in [
        ("plain", plain),
        ("a little over", DelayParams { feedback_percent: 100.1, width_percent: 200.0, ..smeared }),
        ("diffusion", smeared),
        ("diffusion, wow, flutter", wavering),
        ("width", wide),
        ("ping-pong", DelayParams { mode: DelayMode::PingPong, ..plain }),
        ("drive", DelayParams { drive_db: 24.0, ..wide }),
        ("all", DelayParams { mode: DelayMode::PingPong, width_percent: 200.0, drive_db: 12.0, ..wavering }),
    ] {
        for (source, input) in [
            ("noise", [noise(480_000, 7), noise(480_000, 8)]),
            ("sine", [sine(997.0, RATE_HZ, 480_000, 1.0), sine(1003.0, RATE_HZ, 480_000, 1.0)]),
        ] {
            let out = through(RATE_HZ, &params, &input[0], &input[1]);
            for side in &out {
                let peak = side.iter().fold(0.0f32, |m, s| m.max(s.abs()));
                let rms = (side[240_000..].iter().map(|s| f64::from(s * s)).sum::<f64>() / 240_000.0).sqrt();
                println!("{name}, {source}: peak {:+.1} dBFS, RMS {:+.1}", db(f64::from(peak)), db(rms));
                assert!(peak <= 2.0 * (1.0 + 1e-6), "{name}, {source}: {peak}");
                assert!(rms > 0.2, "{name}, {source}: RMS {rms}");
            }
        }
    }
    let (left, right) = (sine(1000.0, RATE_HZ, 24_000, 1.5), sine(1000.0, RATE_HZ, 24_000, -1.5));
    let full = DelayParams { feedback_percent: 100.0, ..wide };
    let [out, _] = through(RATE_HZ, &full, &left, &right);
    // once round, before anything has been through the limit in the loop; a rounding of each of two products and their sum
    let off = (7200..14_400).map(|n| (out[n] - 2.0 * left[n - 7200]).abs()).fold(0.0, f32::max);
    assert!(off < 1e-6, "{off}");
}

/// Frozen, the loop repeats to the bit, in whole frames, whatever goes in and however high or low the feedback; let go, it
/// decays again.
#[test]
fn freeze_holds_the_loop() {
    for (time_ms, period, mode) in
        [(50.0, 2400, DelayMode::Stereo), (50.005, 2400, DelayMode::Stereo), (30.0, 1440, DelayMode::PingPong)]
    {
        for feedback_percent in [0.0, 60.0, 110.0] {
            let free = DelayParams { time_ms, mode, feedback_percent, ..echo() };
            let frozen = DelayParams { freeze: true, ..free };
            let period = if mode == DelayMode::PingPong { 2 * period } else { period };
            let mut audio = [noise(300_000, 5), noise(300_000, 6)];
            let mut delay = prepared(RATE_HZ, &free);
            run(&mut delay, &mut audio, |n| match n / 512 {
                40 => Some(frozen),
                400 => Some(free),
                _ => None,
            });
            let from = 40 * 512 + 2432 + 2 * period;
            for side in &audio {
                assert_eq!(side[from..400 * 512 - period], side[from + period..400 * 512], "{time_ms} ms");
                let rms = side[from..from + period].iter().map(|s| s * s).sum::<f32>() / period as f32;
                assert!(rms > 0.01, "silent");
                assert!(
                    side[400 * 512 + 5000..402 * 512 + 5000]
                        != side[400 * 512 + 5000 - period..402 * 512 + 5000 - period]
                );
            }
        }
    }
    assert_eq!(prepared::<2>(RATE_HZ, &DelayParams { freeze: true, ..echo() }).tail(), Tail::Infinite);
}

/// The cuts are Butterworth sections under the bilinear transform: with x = tan(π f/rate)/tan(π f₀/rate), |H|² is
/// x⁴/(1 + x⁴) and 1/(1 + x⁴), once in the first echo and twice in the second.
#[test]
fn cuts_are_in_the_loop() {
    let (low_cut_hz, high_cut_hz) = (300.0, 5000.0);
    let params = DelayParams { time_ms: 500.0, feedback_percent: 100.0, low_cut_hz, high_cut_hz, ..echo() };
    let out = mono(RATE_HZ, &params, &impulse(72_000));
    for hz in [50.0, 150.0, 300.0, 1000.0, 3000.0, 5000.0, 12_000.0, 20_000.0] {
        let x4 = |f0: f64| ((PI * hz / RATE_HZ).tan() / (PI * f0 / RATE_HZ).tan()).powi(4);
        let once = (x4(low_cut_hz) / (1.0 + x4(low_cut_hz)) / (1.0 + x4(high_cut_hz))).sqrt();
        let first = dft(&out[24_000..48_000], hz, RATE_HZ).norm();
        let second = dft(&out[48_000..], hz, RATE_HZ).norm();
        // a sample is rounded by 6e-8 of itself, of which the magnitudes add up to less than 3; the low cut rings out by e^-600
        assert!((first - once).abs() < 4e-7, "{hz} Hz: {first} for {once}");
        assert!((second - once * once).abs() < 8e-7, "{hz} Hz: {second} for {}", once * once);
    }
}

/// Drive: y = x/√(1 + (k x)²), k = (10^(drive/20) − 1)/2, times √(1 + (k 10^(−18/20))²) behind the loop; quiet sounds go
/// round unchanged.
#[test]
fn drive_follows_its_curve() {
    for drive_db in [0.0, 6.0, 24.0] {
        let k = 0.5 * (10f64.powf(drive_db / 20.0) - 1.0);
        let make_up = (1.0 + (k * 10f64.powf(-18.0 / 20.0)).powi(2)).sqrt();
        let params = DelayParams { time_ms: 10.0, drive_db, feedback_percent: 100.0, ..echo() };
        for x in [0.0, 0.1, -0.5, 2.0] {
            let mut input = vec![0.0f32; 960];
            input[..480].fill(x as f32);
            let out = mono(RATE_HZ, &params, &input);
            let once = x / (1.0 + (k * x) * (k * x)).sqrt();
            let (got, expected) = (f64::from(out[700]), once * make_up);
            // the half-band filters' ripple of 1e-5 dB on what is added, at most 2
            assert!((got - expected).abs() < 2.5e-6, "{drive_db} dB, {x}: {got} for {expected}");
        }
        let quiet = sine(1000.0, RATE_HZ, 480, 1e-4);
        let mut input = quiet.clone();
        input.resize(4800, 0.0);
        let out = mono(RATE_HZ, &params, &input);
        for (n, x) in quiet.iter().enumerate() {
            // (k x)²/2 of nine rounds, 2.7e-7 each at most, and their roundings
            let expected = f64::from(*x) * make_up;
            assert!((f64::from(out[4320 + n]) - expected).abs() < 5e-6 * 1e-4, "{drive_db} dB");
        }
    }
}

/// Drive keeps its aliases down: power of what is no harmonic of a tone at −6 dBFS, under 20 kHz. (At the stream's own rate
/// and without antiderivatives: −25 dBc at 10 kHz and 12 dB of drive, −25 dBc at 5 kHz and 24 dB.)
#[test]
fn drive_folds_little_back() {
    for (drive_db, bin, limit_db) in [(12.0, 13_654, -110.0), (24.0, 6828, -70.0), (24.0, 13_654, -54.0)] {
        let n = 65_536;
        let tone = sine(bin as f64 * RATE_HZ / n as f64, RATE_HZ, 2 * n, 0.5);
        let out = mono(RATE_HZ, &DelayParams { time_ms: 10.0, drive_db, ..echo() }, &tone);
        let mut input: Vec<f64> = out[n..].iter().map(|s| f64::from(*s)).collect();
        let fft = RealFftPlanner::new().plan_fft_forward(n);
        let mut spectrum = fft.make_output_vec();
        fft.process(&mut input, &mut spectrum).unwrap();
        let folded = spectrum.iter().enumerate().take((20_000.0 / RATE_HZ * n as f64) as usize);
        let folded: f64 = folded.filter(|(b, _)| b % bin != 0).map(|(_, line)| line.norm_sqr()).sum();
        let db = 10.0 * (folded / spectrum[bin].norm_sqr()).log10();
        println!("{drive_db} dB of drive, {:.0} Hz: aliases {db:.1} dBc", bin as f64 * RATE_HZ / n as f64);
        assert!(db < limit_db, "{drive_db} dB, bin {bin}: {db} dBc");
    }
}

/// Wow and flutter: the echo of a tone is sin(2π f (t − T − Σ d/(2π r) sin(2π r t))), d the deviation and r the rate, frame by
/// frame from the start of the stream.
#[test]
fn wow_and_flutter_follow_their_sines() {
    for (wow_percent, flutter_percent) in [(0.5, 0.0), (0.0, 0.3), (2.0, 1.0)] {
        let params = DelayParams {
            time_ms: 100.0,
            wow_percent,
            wow_rate_hz: 0.7,
            flutter_percent,
            flutter_rate_hz: 9.0,
            ..echo()
        };
        let hz = 1000.0;
        let [left, right] = through(RATE_HZ, &params, &sine(hz, RATE_HZ, 96_000, 1.0), &sine(hz, RATE_HZ, 96_000, 1.0));
        assert_eq!(left, right);
        let mut worst = 0.0f64;
        for (n, sample) in left.iter().enumerate().skip(10_000) {
            let t = n as f64 / RATE_HZ;
            let wavers: f64 = [(wow_percent, 0.7), (flutter_percent, 9.0)]
                .iter()
                .map(|(percent, rate)| percent / 100.0 / (TAU * rate) * (TAU * rate * t).sin())
                .sum();
            worst = worst.max((f64::from(*sample) - (TAU * hz * (t - 0.1 - wavers)).sin()).abs());
        }
        // the kernel's ripple of 2e-5 and roundings of the input and of 24 products
        assert!(worst < 3e-5, "wow {wow_percent}, flutter {flutter_percent}: {worst}");
    }
}

/// Diffusion keeps the energy and, once round, its middle where the echo was: by Parseval Σ n h² is the mean group delay.
#[test]
fn diffusion_smears_about_the_beat() {
    let params = DelayParams { time_ms: 300.0, diffusion_percent: 80.0, ..echo() };
    let [left, right] = through(RATE_HZ, &params, &impulse(90_000), &impulse(90_000));
    assert_ne!(left, right);
    for side in [left, right] {
        let energy: f64 = side.iter().map(|s| f64::from(*s).powi(2)).sum();
        let middle: f64 = side.iter().enumerate().map(|(n, s)| n as f64 * f64::from(*s).powi(2)).sum();
        let peak = side.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!((energy - 1.0).abs() < 1e-5, "{energy}");
        assert!((middle - 14_400.0).abs() < 0.1, "{middle}");
        assert!(peak < 0.5, "{peak}");
    }
}

/// Ducking: beside a dry sine at −12 dBFS the echoes are down by the whole amount, after it they come back.
#[test]
fn ducking_makes_room() {
    let params = DelayParams { time_ms: 10.0, ducking_db: 20.0, ducking_release_ms: 50.0, ..echo() };
    let mut input = sine(1000.0, RATE_HZ, 24_000, 10f64.powf(-12.0 / 20.0));
    input.resize(24_400, 0.0);
    let out = mono(RATE_HZ, &params, &input);
    let peak = |range: std::ops::Range<usize>| db(f64::from(out[range].iter().fold(0.0f32, |m, s| m.max(s.abs()))));
    assert!((peak(12_000..24_000) + 32.0).abs() < 0.05, "{}", peak(12_000..24_000));
    // the last echo, 400 frames after the sound: e^(-400/2400) of the 20 dB are left, but for the 5 ms of the second pole
    assert!(peak(24_300..24_400) > -31.0);
}

/// A new tempo moves a synced time: the echo of an impulse after it comes by the new one, the one before it did not.
#[test]
fn tempo_moves_synced_times() {
    for time_change in [TimeChange::Crossfade, TimeChange::Tape] {
        let params = DelayParams { sync: true, note: NoteValue::Sixteenth, time_change, ..echo() };
        let mut delay = prepared::<1>(RATE_HZ, &params);
        let mut audio = vec![0.0f32; 96_000];
        (audio[0], audio[72_000]) = (1.0, 1.0);
        for (n, piece) in audio.chunks_mut(480).enumerate() {
            let transport = Transport { tempo_bpm: if n < 50 { 120.0 } else { 100.0 }, playing: true };
            delay.process(&mut Block::new([piece]).with_transport(transport));
        }
        let peaks: Vec<usize> = audio.iter().enumerate().filter(|(_, s)| s.abs() > 0.5).map(|(n, _)| n).collect();
        assert_eq!(peaks, [6000, 72_000 + 7200]);
    }
    // 6.4 s fit; 16 s are halved to 8 and to 4, 9.6 s to 4.8; longer lines hold 16 and 32 s, and no more
    for (line, tempo_bpm, frames) in [
        (LineLength::Normal, 150.0, 307_200),
        (LineLength::Normal, 60.0, 192_000),
        (LineLength::Normal, 100.0, 230_400),
        (LineLength::Long, 60.0, 768_000),
        (LineLength::Long, 59.0, 390_508),
        (LineLength::Longest, 30.0, 1_536_000),
    ] {
        let params = DelayParams { sync: true, note: NoteValue::FourBars, line, ..echo() };
        let mut delay = prepared::<1>(RATE_HZ, &params);
        // what was prepared stays
        delay.set_params(&DelayParams { line: LineLength::Normal, ..params });
        let mut audio = impulse(1_600_000);
        let transport = Transport { tempo_bpm, playing: true };
        audio.chunks_mut(4000).for_each(|p| delay.process(&mut Block::new([p]).with_transport(transport)));
        let echo = audio.iter().position(|s| s.abs() > 0.5);
        assert_eq!(echo, Some(frames), "{line:?} at {tempo_bpm} bpm");
    }
}

/// Tape: the head moves on the quintic 10u³ − 15u⁴ + 6u⁵, as long as it takes for the pitch to bend by an octave at most, and the
/// echo is the tone read there.
#[test]
fn tape_glides_bend_the_pitch_by_an_octave_at_most() {
    // shorter: at most twice the speed, 15/8 × 240 ms; longer: at least half, 15/8 × 240 / 0.5
    for (from_ms, to_ms, seconds) in [(400.0, 160.0, 0.45), (160.0, 400.0, 0.9), (160.0, 165.0, 0.15)] {
        let params = DelayParams { time_ms: from_ms, time_change: TimeChange::Tape, ..echo() };
        let hz = 500.0;
        let mut audio = [sine(hz, RATE_HZ, 110_000, 1.0), vec![0.0; 110_000]];
        let mut delay = prepared(RATE_HZ, &params);
        run(&mut delay, &mut audio, |n| (n == 32_768).then_some(DelayParams { time_ms: to_ms, ..params }));
        let mut worst = 0.0f64;
        for (n, sample) in audio[0].iter().enumerate().skip(25_000) {
            let u = ((n as f64 - 32_768.0) / RATE_HZ / seconds).clamp(0.0, 1.0);
            let way = u * u * u * (10.0 + u * (-15.0 + 6.0 * u));
            let t = n as f64 / RATE_HZ - (from_ms + (to_ms - from_ms) * way) / 1000.0;
            worst = worst.max((f64::from(*sample) - (TAU * hz * t).sin()).abs());
        }
        assert!(worst < 3e-5, "{from_ms} to {to_ms} ms: {worst}");
    }
}

/// The tail ends where it says, in true silence, and not long before a fifth of it: cuts, diffusion, drive and wow included.
#[test]
fn tails_end() {
    let base = DelayParams { time_ms: 5.0, feedback_percent: 50.0, ..echo() };
    for params in [
        base,
        DelayParams { feedback_percent: 95.0, ..base },
        DelayParams { feedback_percent: 0.0, low_cut_hz: 30.0, ..base },
        DelayParams { low_cut_hz: 50.0, high_cut_hz: 3000.0, ..base },
        DelayParams { time_ms: 250.0, feedback_percent: 30.0, low_cut_hz: 50.0, ..base },
        DelayParams { feedback_percent: 80.0, diffusion_percent: 100.0, ..base },
        DelayParams { time_ms: 100.0, diffusion_percent: 100.0, low_cut_hz: 200.0, drive_db: 12.0, ..base },
        DelayParams { time_ms: 20.0, wow_percent: 2.0, flutter_percent: 1.0, ..base },
    ] {
        let mut delay = prepared::<1>(RATE_HZ, &params);
        let mut audio: Vec<f32> = noise(9600, 9).iter().map(|s| 1e5 * s).collect();
        audio.chunks_mut(4000).for_each(|p| delay.process(&mut Block::new([p])));
        let Tail::Frames(tail) = delay.tail() else { panic!("{params:?} has no end") };
        let mut rest = vec![0.0f32; tail + 10_000];
        rest.chunks_mut(4000).for_each(|p| delay.process(&mut Block::new([p])));
        let last = rest.iter().rposition(|s| *s != 0.0).unwrap_or(0);
        println!("tail {tail}, last sound {last}");
        assert!(last < tail, "{params:?}: sound at {last} of {tail}");
        assert!(last > tail / 20, "{params:?}: {tail} is far more than {last}");
    }
}

/// Every control, ramped over its range in 100 ms and back under a 1 kHz sine at −12 dBFS, leaves less than −80 dBFS beyond the sine's
/// neighbourhood; so do the switches. Times fade (or, on tape, bend the pitch by an octave each way, which is what is asked of them).
#[test]
fn moves_do_not_click() {
    let (frames, hz) = (65_536, 1000.0);
    let base = DelayParams {
        time_ms: 20.0,
        right_time_ms: 20.0,
        feedback_percent: 50.0,
        mix_percent: 50.0,
        ducking_release_ms: 20.0,
        ..echo()
    };
    let near = (hz - 200.0, hz + 200.0);
    type Move = fn(&mut DelayParams, f64);
    let moves: [(&str, Move, (f64, f64)); 20] = [
        ("feedback", |p, t| p.feedback_percent = 70.0 * t, near),
        ("low cut", |p, t| p.low_cut_hz = 20.0 * 100f64.powf(t), near),
        ("high cut", |p, t| p.high_cut_hz = 20_000.0 * 0.025f64.powf(t), near),
        ("drive", |p, t| p.drive_db = 24.0 * t, (800.0, 24_000.0)),
        ("wow", |p, t| p.wow_percent = 2.0 * t, near),
        ("wow rate", |p, t| (p.wow_percent, p.wow_rate_hz) = (1.0, 0.1 * 40f64.powf(t)), near),
        ("flutter", |p, t| p.flutter_percent = t, near),
        ("flutter rate", |p, t| (p.flutter_percent, p.flutter_rate_hz) = (0.3, 4.0 * 5f64.powf(t)), near),
        ("diffusion", |p, t| p.diffusion_percent = 100.0 * t, near),
        ("ducking", |p, t| p.ducking_db = 36.0 * t, near),
        ("release", |p, t| (p.ducking_db, p.ducking_release_ms) = (20.0, 20.0 * 100f64.powf(t)), near),
        ("width", |p, t| p.width_percent = 200.0 * t, near),
        ("mix", |p, t| p.mix_percent = 100.0 * t, near),
        ("time", |p, t| p.time_ms = 20.0 + 400.0 * t, near),
        (
            "time on tape",
            |p, t| (p.time_change, p.feedback_percent, p.time_ms) = (TimeChange::Tape, 0.0, 20.0 + 100.0 * t),
            (400.0, 2300.0),
        ),
        ("on", |p, t| p.on = t < 0.5, near),
        ("freeze", |p, t| p.freeze = t > 0.5, near),
        ("mode", |p, t| p.mode = if t > 0.5 { DelayMode::PingPong } else { DelayMode::Stereo }, near),
        ("sync", |p, t| p.sync = t > 0.5, near),
        (
            "dual",
            |p, t| (p.mode, p.right_time_ms) = (if t > 0.5 { DelayMode::Dual } else { DelayMode::Stereo }, 35.3),
            near,
        ),
    ];
    let mut worst = vec![];
    for (name, apply, passed_hz) in moves {
        let left = sine(hz, RATE_HZ, frames + 48_000, 0.25);
        let right: Vec<f32> =
            (0..frames + 48_000).map(|n| (0.25 * (TAU * hz / RATE_HZ * n as f64).cos()) as f32).collect();
        let mut audio = [left, right];
        let at = |t: f64| {
            let mut params = base;
            apply(&mut params, t);
            params
        };
        let mut delay = prepared(RATE_HZ, &at(0.0));
        let [l, r] = &mut audio;
        for (n, (l, r)) in l.chunks_mut(64).zip(r.chunks_mut(64)).enumerate() {
            // up in 100 ms from the middle, half a second later down again
            let frame = (n * 64) as f64 - 64_000.0;
            let t = (frame / 4800.0).clamp(0.0, 1.0) - ((frame - 19_200.0) / 4800.0).clamp(0.0, 1.0);
            delay.set_params(&at(t));
            delay.process(&mut Block::new([l, r]));
        }
        for side in &audio {
            let db = splatter_db(&side[48_000..48_000 + frames], passed_hz, RATE_HZ);
            println!("{name:15} {db:7.1} dBFS");
            worst.push((name, db));
        }
    }
    assert!(worst.iter().all(|(_, db)| *db < -80.0), "{worst:?}");
}
