//! The meters against the `ebur128` crate, against closed forms, and against their own promises.
#![allow(clippy::disallowed_methods)] // expected values come from std, never from the code under test

use dsp_core::block::{Block, Transport};
use dsp_core::metering::correlation::{BAND_EDGES_HZ, BANDS, Correlation};
use dsp_core::metering::history::HISTOGRAM_LOWEST_LUFS;
use dsp_core::metering::loudness::{LoudnessMeter, LoudnessReading};
use dsp_core::metering::meter::{FollowTransport, Meter, MeterParams, MeterReading};
use dsp_core::metering::word_length::WordLength;
use dsp_core::processor::{Processor, StreamConfig};
use ebur128::{EbuR128, Mode};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::f64::consts::{PI, TAU};

/// Counts heap calls and the bytes that this thread holds.
struct Counting;
thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }
}
fn note(bytes: isize) {
    let _ = CALLS.try_with(|c| c.set(c.get() + 1));
    let _ = BYTES.try_with(|b| b.set(b.get() + bytes));
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn config(sample_rate_hz: f64) -> StreamConfig {
    StreamConfig { sample_rate_hz, max_frames: 4096 }
}

fn loudness<const CH: usize>(sample_rate_hz: f64) -> LoudnessMeter<CH> {
    let mut meter = LoudnessMeter::new();
    meter.prepare(config(sample_rate_hz)).unwrap();
    meter
}

/// Low-passed noise, different on both sides, whose level wanders over 40 dB with rests of silence.
fn programme(rate_hz: f64, seconds: f64) -> [Vec<f32>; 2] {
    let mut state = 0xB529_7A4D_3F84_D5B5u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let frames = (rate_hz * seconds) as usize;
    let (mut left, mut right) = (Vec::with_capacity(frames), Vec::with_capacity(frames));
    let (mut level, mut target, mut low) = (0.1, 0.1, [0.0; 2]);
    for n in 0..frames {
        if n % (rate_hz * 0.7) as usize == 0 {
            target = if random() < 0.1 { 0.0 } else { 10f64.powf(-2.0 * random()) * 0.9 };
        }
        level += (target - level) * 60.0 / rate_hz;
        let noise = [random() - 0.5, random() - 0.5];
        for (low, noise) in low.iter_mut().zip(noise) {
            *low += (noise - *low) * 0.4;
        }
        left.push((level * (low[0] + 0.3 * low[1])) as f32);
        right.push((level * 0.7 * low[1]) as f32);
    }
    [left, right]
}

/// Tech 3342 with the short-term values of another meter: gates of −70 LUFS and −20 LU, percentiles 10 and 95.
fn range_of(short_terms: &[f64]) -> f64 {
    let energy = |lufs: &f64| 10f64.powf(lufs / 10.0);
    let gated: Vec<f64> = short_terms.iter().copied().filter(|s| *s >= -70.0).collect();
    let gate = 10.0 * (gated.iter().map(energy).sum::<f64>() / gated.len() as f64).log10() - 20.0;
    let mut gated: Vec<f64> = gated.into_iter().filter(|s| *s >= gate).collect();
    gated.sort_by(f64::total_cmp);
    let percentile = |p: f64| gated[((gated.len() - 1) as f64 * p / 100.0).round() as usize];
    percentile(95.0) - percentile(10.0)
}

/// Random programme: momentary, short-term, integrated and range within 0.01 LU of the oracle, all along the way.
///
/// The crate leaves the high-pass's numerator as the 48 kHz table has it, at any rate, and so reads every programme
/// off by a known gain there: the ratio of 1 + K/Q + K² at both rates, K = tan(π 38.135 Hz / rate), Q = 0.50033.
#[test]
fn agrees_with_ebur128() {
    for rate_hz in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0] {
        let high_pass = |rate_hz: f64| {
            let k = (PI * 38.135_470_876_024_44 / rate_hz).tan();
            1.0 + k / 0.500_327_037_323_877_3 + k * k
        };
        let lift_db = 20.0 * (high_pass(48_000.0) / high_pass(rate_hz)).log10();
        let [left, right] = programme(rate_hz, 45.0);
        let mut meter = loudness::<2>(rate_hz);
        let mut oracle = EbuR128::new(2, rate_hz as u32, Mode::M | Mode::S | Mode::I | Mode::LRA).unwrap();
        let hop = rate_hz as usize / 10;
        let mut short_terms = vec![];
        for (n, (left, right)) in left.chunks(hop).zip(right.chunks(hop)).enumerate() {
            meter.process([left, right]);
            oracle.add_frames_planar_f32(&[left, right]).unwrap();
            let near = |ours: Option<f64>, theirs: f64, what: &str| {
                // under −200 LUFS, in rests, lies what the filters' rounding leaves
                let (ours, theirs) = ((ours.unwrap() - lift_db).max(-200.0), theirs.max(-200.0));
                assert!(ours == theirs || (ours - theirs).abs() < 0.01, "{rate_hz} Hz, {n}: {what} {ours}, {theirs}");
            };
            let reading = meter.reading();
            assert_eq!((reading.momentary_lufs.is_some(), reading.short_term_lufs.is_some()), (n >= 3, n >= 29));
            if n >= 3 {
                near(reading.momentary_lufs, oracle.loudness_momentary().unwrap(), "momentary");
                near(reading.integrated_lufs, oracle.loudness_global().unwrap(), "integrated");
            }
            if n >= 29 {
                short_terms.push(oracle.loudness_shortterm().unwrap());
                near(reading.short_term_lufs, short_terms[n - 29], "short-term");
            }
            if n > 60 {
                // the crate takes one short-term value a second; the standard asks for ten
                near(reading.loudness_range_lu.map(|r| r + lift_db), range_of(&short_terms), "range");
            }
        }
        let highest = short_terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let reading = meter.reading();
        assert!(reading.short_term_max_lufs.unwrap() - lift_db >= highest - 0.01);
        // of the values that the crate takes, the range above is the crate's
        let each_second: Vec<f64> = short_terms.iter().copied().step_by(10).collect();
        let range = oracle.loudness_range().unwrap();
        assert!((range_of(&each_second) - range).abs() < 0.01, "{rate_hz} Hz: {} {range}", range_of(&each_second));
        let peaks = [&left, &right].map(|c| c.iter().fold(0.0f32, |p, s| p.max(s.abs())));
        assert_eq!(meter.sample_peak(), peaks.map(f64::from));
    }
}

/// Bits of a meter's values do not depend on how the stream is cut.
#[test]
fn partition_changes_no_bit() {
    let [left, right] = programme(44_100.0, 8.0);
    let read = |len: usize| {
        let mut meter = loudness::<2>(44_100.0);
        for (left, right) in left.chunks(len).zip(right.chunks(len)) {
            meter.process([left, right]);
        }
        meter.reading()
    };
    let whole = read(usize::MAX);
    assert!(whole.loudness_range_lu.is_some());
    for len in [1, 63, 512, 4411] {
        assert_eq!(read(len), whole, "{len}");
    }
}

/// A sine, the same in all channels.
fn sine(rate_hz: f64, seconds: f64, frequency_hz: f64, dbfs: f64) -> Vec<f32> {
    let (gain, w) = (10f64.powf(dbfs / 20.0), TAU * frequency_hz / rate_hz);
    (0..(rate_hz * seconds).round() as usize).map(|n| (gain * (w * n as f64).sin()) as f32).collect()
}

/// Tech 3341's reference: a stereo sine of 1 kHz at −23 dBFS reads −23.0 LUFS; as mono half the power, 3.01 LU less.
#[test]
fn mono_is_one_channel() {
    let tone = sine(48_000.0, 4.0, 1000.0, -23.0);
    let mut stereo = loudness::<2>(48_000.0);
    stereo.process([&tone, &tone]);
    let mut mono = loudness::<1>(48_000.0);
    mono.process([&tone]);
    let (stereo, mono) = (stereo.reading().integrated_lufs.unwrap(), mono.reading().integrated_lufs.unwrap());
    assert!((stereo + 23.0).abs() < 0.02, "{stereo}");
    assert!((stereo - mono - 10.0 * 2f64.log10()).abs() < 1e-9, "{mono}");
}

/// Rates that no hop of 10 ms divides, and the extremes: the reference tone reads −23.0 within Tech 3341's 0.1 LU.
#[test]
fn any_rate_reads_the_reference() {
    for rate_hz in [11_025.0, 22_050.0, 44_123.4, 176_400.0, 384_000.0, 768_000.0] {
        let tone = sine(rate_hz, 4.0, 1000.0, -23.0);
        let mut meter = loudness::<2>(rate_hz);
        meter.process([&tone, &tone]);
        let reading = meter.reading();
        for lufs in [reading.momentary_lufs, reading.short_term_lufs, reading.integrated_lufs] {
            assert!((lufs.unwrap() + 23.0).abs() < 0.1, "{rate_hz} Hz: {reading:?}");
        }
    }
}

/// Pause keeps all of the measurement and lets nothing in; restart begins at the very next frame.
#[test]
fn pause_and_restart() {
    let [loud, soft] = [-20.0, -30.0].map(|dbfs| sine(48_000.0, 5.0, 1000.0, dbfs));
    let mut meter = loudness::<2>(48_000.0);
    meter.process([&soft, &soft]);
    let before = meter.reading();
    // in the middle of a hop
    meter.process([&soft[..123], &soft[..123]]);
    meter.set_running(false);
    meter.process([&loud, &loud]);
    let paused = meter.reading();
    assert!((paused.momentary_lufs.unwrap() + 20.0).abs() < 0.02, "live values go on");
    let kept =
        |r: LoudnessReading| (r.integrated_lufs, r.loudness_range_lu, r.momentary_max_lufs, r.short_term_max_lufs);
    assert_eq!(kept(paused), kept(before));
    assert!((meter.sample_peak()[0] - 10f64.powf(-1.5)).abs() < 1e-6);
    meter.set_running(true);
    // windows that reach back into the pause do not count
    meter.process([&soft, &soft]);
    let after = meter.reading();
    assert!((after.integrated_lufs.unwrap() + 30.0).abs() < 0.02);
    assert!(after.short_term_max_lufs.unwrap() < -29.9 && after.momentary_max_lufs.unwrap() < -29.9);

    meter.process([&loud[..77], &loud[..77]]);
    meter.restart();
    assert_eq!(kept(meter.reading()), (None, None, None, None));
    assert_eq!(meter.sample_peak(), [0.0; 2]);
    meter.process([&loud[..19_199], &loud[..19_199]]);
    assert_eq!(meter.reading().integrated_lufs, None);
    meter.process([&loud[19_199..19_200], &loud[19_199..19_200]]);
    assert!((meter.reading().integrated_lufs.unwrap() + 20.0).abs() < 0.1);
    meter.reset();
    assert_eq!(meter.reading(), LoudnessReading::default());
}

/// Silence is −∞ now and has no integrated loudness; what lies under −70 LUFS has none either.
#[test]
fn silence_and_the_absolute_gate() {
    let mut meter = loudness::<2>(48_000.0);
    let silence = vec![0.0; 48_000 * 4];
    meter.process([&silence, &silence]);
    let reading = meter.reading();
    assert_eq!(reading.momentary_lufs, Some(f64::NEG_INFINITY));
    assert_eq!(reading.short_term_max_lufs, Some(f64::NEG_INFINITY));
    assert_eq!((reading.integrated_lufs, reading.loudness_range_lu, reading.mono_fold_loss_lu), (None, None, None));
    for (dbfs, measured) in [(-70.1, false), (-69.9, true)] {
        let tone = sine(48_000.0, 4.0, 1000.0, dbfs);
        meter.reset();
        meter.process([&tone, &tone]);
        assert_eq!(meter.reading().integrated_lufs.is_some(), measured, "{dbfs}");
    }
}

/// Loudness that a fold to mono takes: none of equal sides, 3.01 LU of sides in quadrature or of one silent side, and
/// of a phase φ between equal sides −20 log₁₀ cos(φ/2).
#[test]
fn mono_fold_loss() {
    let shifted = |degrees: f64, gain: f64| -> Vec<f32> {
        let w = TAU / 48.0;
        (0..48_000 * 4).map(|n| (gain * (w * n as f64 + degrees.to_radians()).sin()) as f32).collect()
    };
    let left = shifted(0.0, 0.25);
    let half = 10.0 * 2f64.log10();
    for (right, expected_lu) in [
        (shifted(0.0, 0.25), 0.0),
        (shifted(90.0, 0.25), half),
        (shifted(0.0, 0.0), half),
        (shifted(120.0, 0.25), 20.0 * 2f64.log10()),
        (shifted(0.0, -0.25), 100.0),
    ] {
        let mut meter = loudness::<2>(48_000.0);
        meter.process([&left, &right]);
        let reading = meter.reading();
        // the filters settle within the first block, which the measurement holds
        assert!(
            (reading.mono_fold_loss_integrated_lu.unwrap() - expected_lu).abs() < 0.01,
            "{expected_lu} {reading:?}"
        );
        assert!((reading.mono_fold_loss_lu.unwrap() - expected_lu).abs() < 1e-5, "{expected_lu} {reading:?}");
    }
    let mut mono = loudness::<1>(48_000.0);
    mono.process([&left]);
    assert_eq!(mono.reading().mono_fold_loss_lu, None);
}

/// Four hours of blocks, in random order of loudness: integrated loudness and range are those of a list of all blocks.
/// Beyond, with memory unchanged, they stay within a thousandth of a unit.
#[test]
fn four_hours_are_exact() {
    let rate_hz = 8000.0;
    let mut meter = loudness::<1>(rate_hz);
    let tone = sine(rate_hz, 0.1, 1000.0, 0.0);
    let (mut state, mut samples) = (7u64, tone.clone());
    let bytes = BYTES.get();
    let (mut blocks, mut short_terms) = (Vec::new(), Vec::new());
    for n in 0..5 * 36_000 {
        if n % 13 == 0 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let dbfs = -60.0 * ((state >> 40) as f64 / (1u64 << 24) as f64) - n as f64 / 9000.0;
            let gain = 10f64.powf(dbfs / 20.0) as f32;
            samples.iter_mut().zip(&tone).for_each(|(s, t)| *s = t * gain);
        }
        meter.process([&samples]);
        blocks.extend(meter.momentary_lufs());
        short_terms.extend(meter.short_term_lufs());
        let checked = [36_000, 4 * 36_000 - 1, 5 * 36_000 - 1].iter().position(|at| *at == n);
        if let Some(which) = checked {
            let energy = |lufs: &f64| 10f64.powf(lufs / 10.0);
            let mean = |l: &[f64]| 10.0 * (l.iter().map(energy).sum::<f64>() / l.len() as f64).log10();
            let gated: Vec<f64> = blocks.iter().copied().filter(|b| *b > -70.0).collect();
            let gate = mean(&gated) - 10.0;
            let gated: Vec<f64> = gated.into_iter().filter(|b| *b > gate).collect();
            let reading = meter.reading();
            // sums of 144,000 numbers; a decibel's logarithm and back
            let tolerance = if which < 2 { 1e-9 } else { 1e-3 };
            assert!((reading.integrated_lufs.unwrap() - mean(&gated)).abs() < tolerance, "{n}");
            assert!((reading.loudness_range_lu.unwrap() - range_of(&short_terms)).abs() < tolerance, "{n}");
        }
    }
    drop((blocks, short_terms));
    assert_eq!(BYTES.get(), bytes, "the meter grew");
}

fn meter<const CH: usize>(sample_rate_hz: f64, params: &MeterParams) -> Meter<CH> {
    let mut meter = Meter::new();
    meter.prepare(config(sample_rate_hz), params).unwrap();
    meter
}

/// Runs audio through a meter in blocks of `len`.
fn run<const CH: usize>(meter: &mut Meter<CH>, audio: [&[f32]; CH], len: usize, playing: bool) {
    let mut at = 0;
    while at < audio[0].len() {
        let end = audio[0].len().min(at.saturating_add(len));
        let mut channels = audio.map(|c| c[at..end].to_vec());
        let mut channels = channels.each_mut().into_iter();
        let block = Block::new(std::array::from_fn(|_| &mut channels.next().unwrap()[..]));
        meter.process(&mut block.with_transport(Transport { tempo_bpm: 120.0, playing }));
        at = end;
    }
}

/// Everything that a meter tells is the same, to the bit, however the stream is cut.
#[test]
fn whole_meter_knows_no_blocks() {
    let [left, right] = programme(44_100.0, 8.0);
    let read = |len| {
        let mut meter = meter::<2>(44_100.0, &MeterParams::default());
        run(&mut meter, [&left, &right], len, true);
        let history: Vec<_> = meter.history().since(0).collect();
        let rest =
            (meter.goniometer().collect::<Vec<_>>(), *meter.momentary_histogram(), *meter.short_term_histogram());
        (meter.reading(), history, rest, meter.finish())
    };
    let whole = read(usize::MAX);
    assert_eq!(whole.1.len(), 80);
    for len in [1, 64, 441, 1000] {
        assert!(read(len) == whole, "{len}");
    }
}

/// True peaks on random programme beside the crate's, which interpolates four times with 49 taps. Of programme that
/// falls off above a tenth of the rate it misses up to 0.07 dB (BS.1770-5, Annex 2, attachment 1:
/// −20 log₁₀ cos(π f/4) at f = 0.16), and what is above is bent by its filter's last taps.
#[test]
fn true_peak_beside_ebur128() {
    for (rate_hz, seconds) in [(44_100.0, 20.0), (48_000.0, 20.0), (88_200.0, 10.0)] {
        let audio = programme(rate_hz, seconds).map(|mut channel| {
            for _ in 0..3 {
                let mut low = 0.0;
                for sample in &mut channel {
                    low += (*sample - low) * 0.3;
                    *sample = 3.0 * low;
                }
            }
            channel
        });
        let [left, right] = &audio;
        let mut meter = meter::<2>(rate_hz, &MeterParams::default());
        run(&mut meter, [left, right], 4096, true);
        let mut oracle = EbuR128::new(2, rate_hz as u32, Mode::TRUE_PEAK).unwrap();
        oracle.add_frames_planar_f32(&[&left[..], &right[..]]).unwrap();
        let ours = meter.reading().true_peak_dbtp.unwrap();
        for (c, ours) in ours.into_iter().enumerate() {
            let theirs = 20.0 * oracle.true_peak(c as u32).unwrap().log10();
            assert!((-0.02..0.07).contains(&(ours - theirs)), "{rate_hz} Hz: {ours} dBTP, {theirs}");
        }
    }
}

/// Nothing before anything was heard; silence is −∞, and has no ratio, correlation or word length.
#[test]
fn not_measured_is_none() {
    let mut meter = meter::<2>(48_000.0, &MeterParams::default());
    let reading = meter.reading();
    assert_eq!(reading.loudness, LoudnessReading::default());
    assert_eq!((reading.sample_peak_dbfs, reading.true_peak_dbtp, reading.live_true_peak_dbtp), (None, None, None));
    assert_eq!((reading.psr_db, reading.plr_db, reading.word_length), (None, None, None));
    let silence = vec![0.0; 48_000 * 4];
    run(&mut meter, [&silence, &silence], 4096, true);
    let reading = meter.reading();
    assert_eq!(reading.true_peak_dbtp, Some([f64::NEG_INFINITY; 2]));
    assert_eq!(reading.sample_peak_dbfs, Some([f64::NEG_INFINITY; 2]));
    assert_eq!((reading.psr_db, reading.plr_db, reading.word_length), (None, None, None));
    assert_eq!((reading.correlation.whole, reading.correlation.bands), (None, [None; BANDS]));
    assert_eq!(reading.measured_seconds, 4.0);
}

/// Of two sines the correlation is the cosine of the angle between them, at any level; of noises it is the part they
/// share. One silent side has nothing in common with the other.
#[test]
fn correlation_is_the_cosine() {
    let shifted = |degrees: f64, gain: f64| -> Vec<f32> {
        (0..48_000).map(|n| (gain * (TAU * n as f64 / 48.0 + degrees.to_radians()).sin()) as f32).collect()
    };
    let read = |left: &[f32], right: &[f32]| {
        let mut meter = meter::<2>(48_000.0, &MeterParams::default());
        run(&mut meter, [left, right], 512, true);
        f64::from(meter.reading().correlation.whole.unwrap())
    };
    let left = shifted(0.0, 0.5);
    for (degrees, gain) in [(0.0, 0.5), (0.0, 0.001), (60.0, 0.5), (90.0, 0.2), (135.0, 1.0), (180.0, 0.5)] {
        // 400 ms hold whole periods: what remains is single precision
        assert!((read(&left, &shifted(degrees, gain)) - degrees.to_radians().cos()).abs() < 1e-6, "{degrees}");
    }
    assert_eq!(read(&left, &vec![0.0; 48_000]), 0.0);
    let mut state = 99u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let (a, b): (Vec<f32>, Vec<f32>) = (0..48_000).map(|_| (noise(), noise())).unzip();
    let mixed: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 0.6 * a - 0.8 * b).collect();
    // 19,200 independent frames: standard deviation under 0.0072, five of them
    assert!((read(&a, &mixed) - 0.6).abs() < 0.036);
}

/// Eight tones, each in or out of phase. What a band reads follows from the closed form of a Butterworth band-pass,
/// |H|² = 1/(1 + Ω⁴), Ω = (w² − low·high)/(w (high − low)), all frequencies warped by tan(π f/fs).
#[test]
fn bands_hear_their_own() {
    for rate_hz in [44_100.0, 48_000.0, 192_000.0] {
        let tones: [f64; BANDS] = std::array::from_fn(|k| 62.5 * f64::from(1 << k));
        for pattern in [0b1111_1111u8, 0b0000_0000, 0b1010_1010, 0b0000_1111, 0b0010_0000] {
            let sign = |k: usize| if pattern >> k & 1 == 1 { 1.0 } else { -1.0 };
            let mix = |gain: &dyn Fn(usize) -> f64| -> Vec<f32> {
                let sum = |n: usize| {
                    let tone = |(k, f): (usize, &f64)| gain(k) * 0.1 * (TAU * f * n as f64 / rate_hz).sin();
                    tones.iter().enumerate().map(tone).sum::<f64>() as f32
                };
                // one second: the filters have settled well before the last 400 ms, which hold whole periods of each tone
                (0..rate_hz as usize).map(sum).collect()
            };
            let (left, right) = (mix(&|_| 1.0), mix(&sign));
            let mut correlation = Correlation::new(rate_hz);
            let hop = rate_hz as usize / 100;
            for (left, right) in left.chunks(hop).zip(right.chunks(hop)) {
                correlation.process(left, right);
                correlation.end_hop();
            }
            let reading = correlation.reading();
            let warp = |f: f64| (PI * f / rate_hz).tan();
            for (band, edges) in BAND_EDGES_HZ.windows(2).enumerate() {
                let (low, high) = (warp(edges[0]), warp(edges[1].min(0.46 * rate_hz)));
                let power =
                    |f: &f64| 1.0 / (1.0 + ((warp(*f).powi(2) - low * high) / (warp(*f) * (high - low))).powi(4));
                let (mut product, mut whole) = (0.0, 0.0);
                for (k, f) in tones.iter().enumerate() {
                    product += sign(k) * power(f);
                    whole += power(f);
                }
                let read = f64::from(reading.bands[band].unwrap());
                assert!(
                    (read - product / whole).abs() < 2e-3,
                    "{rate_hz} Hz, {pattern:b}, {band}: {read} {}",
                    product / whole
                );
            }
        }
    }
    // 8 kHz carry nothing of the band from 5.6 kHz
    let mut correlation = Correlation::new(8000.0);
    let tone = sine(8000.0, 1.0, 500.0, -10.0);
    for tone in tone.chunks(80) {
        correlation.process(tone, tone);
        correlation.end_hop();
    }
    assert_eq!(correlation.reading().bands[BANDS - 1], None);
    assert!(correlation.reading().bands[3].unwrap() > 0.999_99);
}

/// A stereo sine of 1 kHz reads its peak level in LUFS: its true peak less its loudness is nothing. A louder passage
/// more than 3 s ago counts for the whole, not for the last 3 s.
#[test]
fn peak_to_loudness_ratios() {
    let mut meter = meter::<2>(48_000.0, &MeterParams::default());
    let loud = sine(48_000.0, 0.05, 1000.0, -6.0);
    run(&mut meter, [&loud, &loud], 512, true);
    let tone = sine(48_000.0, 10.0, 1000.0, -20.0);
    run(&mut meter, [&tone, &tone], 512, true);
    let reading = meter.reading();
    assert!(reading.psr_db.unwrap().abs() < 0.02, "{reading:?}");
    assert!(reading.live_true_peak_dbtp.unwrap().iter().all(|p| (p + 20.0).abs() < 0.01));
    let (peak, whole) = (reading.true_peak_dbtp.unwrap()[0], reading.loudness.integrated_lufs.unwrap());
    assert!((peak + 6.0).abs() < 0.05, "{peak}");
    assert_eq!(reading.plr_db, Some(peak - whole));
}

/// What the last frames hold between them counts too: full-scale samples of fs/4 at 45° peak 3.01 dB above.
#[test]
fn a_recording_is_measured_to_its_end() {
    let mut meter = meter::<1>(48_000.0, &MeterParams::default());
    let mut audio = vec![0.0f32; 4800 * 5];
    let last = audio.len() - 8;
    for (n, sample) in audio[last..].iter_mut().enumerate() {
        *sample = if n / 2 % 2 == 0 { 0.5 } else { -0.5 };
    }
    run(&mut meter, [&audio], 512, true);
    let before = meter.reading().true_peak_dbtp.unwrap()[0];
    let measurement = meter.finish();
    assert!(before < -7.0, "{before}");
    // eight frames of the tone reach most of its 3.01 dB
    assert!(measurement.true_peak_dbtp.unwrap() > -6.02 + 2.0, "{measurement:?}");
    assert!((measurement.sample_peak_dbfs.unwrap() + 6.0206).abs() < 1e-4);
    assert_eq!((measurement.short_term_max_lufs, measurement.loudness_range_lu), (None, None));
    assert!(measurement.momentary_max_lufs.is_some());
}

/// The controls: pause, restart on its edge, and the transport in each of its three ways.
#[test]
fn measurement_follows_controls_and_transport() {
    let tone = sine(48_000.0, 1.0, 1000.0, -20.0);
    let loud = sine(48_000.0, 1.0, 1000.0, -6.0);
    let measured = |meter: &Meter<2>| (meter.reading().measured_seconds, meter.history().total());
    let free = MeterParams::default();
    let mut stage = meter::<2>(48_000.0, &free);
    run(&mut stage, [&tone, &tone], 500, false);
    assert_eq!(measured(&stage), (1.0, 10), "a meter that does not follow measures at any time");

    stage.set_params(&MeterParams { pause: true, ..free });
    run(&mut stage, [&loud, &loud], 500, true);
    let reading = stage.reading();
    assert!(!reading.running && measured(&stage) == (1.0, 10));
    assert!((reading.true_peak_dbtp.unwrap()[0] + 20.0).abs() < 0.01, "{reading:?}");
    assert!((reading.live_true_peak_dbtp.unwrap()[0] + 6.0).abs() < 0.01, "live values go on");
    let pointed = stage.momentary_histogram().counts;
    assert_eq!(pointed.iter().sum::<u32>(), 7, "of ten points the first three had no momentary loudness yet");
    assert_eq!(pointed[((-20.0 - HISTOGRAM_LOWEST_LUFS) * 2.0 - 1e-9) as usize] + pointed[100], 7);

    stage.set_params(&free);
    run(&mut stage, [&tone, &tone], 500, true);
    assert_eq!(measured(&stage), (2.0, 20));
    // the end of the loud passage is not measured, although the peak detectors look back
    assert!((stage.reading().true_peak_dbtp.unwrap()[0] + 20.0).abs() < 0.1);
    let again = MeterParams { restart: true, ..free };
    stage.set_params(&again);
    assert_eq!(measured(&stage), (0.0, 0));
    run(&mut stage, [&tone, &tone], 500, true);
    stage.set_params(&MeterParams { follow_transport: FollowTransport::Pause, ..again });
    assert_eq!(measured(&stage), (1.0, 10), "only the edge restarts");

    let mut stage = meter::<2>(48_000.0, &MeterParams { follow_transport: FollowTransport::Pause, ..free });
    for (playing, seconds) in [(false, 0.0), (true, 1.0), (false, 1.0), (true, 2.0)] {
        run(&mut stage, [&tone, &tone], 500, playing);
        assert_eq!(measured(&stage).0, seconds);
    }
    let mut stage = meter::<2>(48_000.0, &MeterParams { follow_transport: FollowTransport::Restart, ..free });
    for (playing, seconds) in [(true, 1.0), (true, 2.0), (false, 2.0), (true, 1.0)] {
        run(&mut stage, [&tone, &tone], 500, playing);
        assert_eq!(measured(&stage).0, seconds);
    }
}

/// A point of the history holds what was measured up to it.
#[test]
fn history_tells_what_was() {
    let [soft, loud] = [-30.0, -20.0].map(|dbfs| sine(48_000.0, 5.0, 1000.0, dbfs));
    let mut stage = meter::<2>(48_000.0, &MeterParams::default());
    run(&mut stage, [&soft, &soft], 512, true);
    run(&mut stage, [&loud, &loud], 512, true);
    let history = stage.history();
    assert_eq!((history.total(), history.len()), (100, 100));
    let at = |n| history.point(n).unwrap();
    assert_eq!(at(2).momentary_lufs, f32::NEG_INFINITY, "400 ms have not passed");
    assert!((at(3).momentary_lufs + 30.0).abs() < 0.1 && at(3).short_term_lufs == f32::NEG_INFINITY);
    assert!((at(40).short_term_lufs + 30.0).abs() < 0.02 && (at(40).true_peak_dbtp + 30.0).abs() < 0.01);
    assert!((at(99).short_term_lufs + 20.0).abs() < 0.02 && (at(99).true_peak_dbtp + 20.0).abs() < 0.02);
    assert!((f64::from(at(99).integrated_lufs) - stage.reading().loudness.integrated_lufs.unwrap()).abs() < 1e-5);
}

/// Sixteen bits are told from twenty-four and from floating point, through the whole meter.
#[test]
fn word_length_of_the_input() {
    let tone = sine(48_000.0, 4.0, 997.0, -3.0);
    for bits in [8u8, 16, 20, 24] {
        let steps = (1u64 << (bits - 1)) as f32;
        let quantised: Vec<f32> = tone.iter().map(|s| (s * steps).round() / steps).collect();
        let mut stage = meter::<1>(48_000.0, &MeterParams::default());
        run(&mut stage, [&quantised], 512, true);
        let reading = stage.reading();
        assert_eq!(reading.word_length, Some(WordLength::Bits(bits)));
        assert_eq!(reading.measured_word_length, Some(WordLength::Bits(bits)));
        run(&mut stage, [&tone], 512, true);
        assert_eq!(stage.reading().word_length, Some(WordLength::Float));
    }
}

/// A meter is sized once: under 12 MB, and nothing that is called while audio runs goes to the heap.
#[test]
fn memory_is_bounded() {
    let before = BYTES.get();
    let mut stage = meter::<2>(192_000.0, &MeterParams::default());
    let bytes = BYTES.get() - before + std::mem::size_of_val(&stage) as isize;
    assert!(bytes < 12_000_000, "{bytes} bytes");
    let mut audio = [vec![0.1f32; 4096], vec![0.2f32; 4096]];
    let calls = CALLS.get();
    let mut readings = 0;
    for n in 0..400 {
        let [left, right] = audio.each_mut();
        stage.process(&mut Block::new([left, right]));
        let reading: MeterReading<2> = stage.reading();
        readings += usize::from(reading.loudness.momentary_lufs.is_some());
        readings += stage.history().since(0).count() + stage.goniometer().len();
        if n == 200 {
            stage.finish();
            stage.restart();
        }
    }
    assert_eq!(CALLS.get(), calls);
    assert!(readings > 0);
}
