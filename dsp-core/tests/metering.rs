//! The meters against the `ebur128` crate, against closed forms, and against their own promises.

use dsp_core::metering::loudness::{LoudnessMeter, LoudnessReading};
use dsp_core::processor::StreamConfig;
use ebur128::{EbuR128, Mode};

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
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        let high_pass = |rate_hz: f64| {
            let k = (std::f64::consts::PI * 38.135_470_876_024_44 / rate_hz).tan();
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
                let ours = ours.unwrap() - lift_db;
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
        let range = oracle.loudness_range().unwrap();
        assert!((reading.loudness_range_lu.unwrap() - range).abs() < 1.0, "{range}");
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
    let (gain, w) = (10f64.powf(dbfs / 20.0), std::f64::consts::TAU * frequency_hz / rate_hz);
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
        let w = std::f64::consts::TAU / 48.0;
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
