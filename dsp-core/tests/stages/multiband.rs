//! Crossovers and the multiband compressor against closed forms.
#![allow(clippy::disallowed_methods)] // what is expected is computed by other means than what is tested
#![allow(clippy::disallowed_macros)] // measured figures are printed with --nocapture
#![allow(clippy::cloned_ref_to_slice_refs)] // one channel is an array of one, not a slice

use crate::measure::run;
use dsp_core::control_grid::GRID_FRAMES;
use dsp_core::controls::{self, Kind};
use dsp_core::dynamics::multiband::{
    BandCount, BandParams, Channels, KeyRange, KeySource, Mode, Multiband, MultibandParams, Phase,
};
use dsp_core::filter::crossover::{Crossover, MAX_BANDS, MAX_CROSSOVERS, Pairs};
use dsp_core::filter::linear_crossover::LinearCrossover;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::quality::Quality;
use fearless_simd::Level;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

const RATE_HZ: f64 = 48_000.0;

fn multiband<const CH: usize>(rate_hz: f64, params: &MultibandParams) -> Multiband<CH> {
    let mut stage = Multiband::new();
    stage.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
    stage
}

fn mono(stage: &mut Multiband<1>, audio: &[f32]) -> Vec<f32> {
    let [out] = run(stage, &[audio.to_vec()], None, |_, _| ());
    out
}

fn sine(rate_hz: f64, hz: f64, peak: f64, frames: usize) -> Vec<f32> {
    let fade = |n: usize| (n as f64 / (0.02 * rate_hz)).min(1.0);
    // a start without a click, which a slow release would remember
    (0..frames)
        .map(|n| (peak * (0.5 - 0.5 * (PI * fade(n)).cos()) * (TAU * hz / rate_hz * n as f64).sin()) as f32)
        .collect()
}

fn impulse(frames: usize) -> Vec<f32> {
    let mut x = vec![0.0; frames];
    x[0] = 1.0;
    x
}

fn db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

/// xorshift64*: Marsaglia 2003, Vigna 2016. Noise between ±½.
fn noise(seed: u64, frames: usize) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            ((state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f64 / f64::from(1 << 24) - 0.5) as f32
        })
        .collect()
}

fn dft(x: impl Iterator<Item = f64>) -> Vec<Complex64> {
    let mut x: Vec<f64> = x.collect();
    let fft = RealFftPlanner::new().plan_fft_forward(x.len());
    let mut spectrum = fft.make_output_vec();
    fft.process(&mut x, &mut spectrum).unwrap();
    spectrum
}

/// Amplitude and phase of the sine at `hz` in `x`, by projection: exact for whole periods.
fn phasor(x: &[f32], rate_hz: f64, hz: f64) -> Complex64 {
    let sum: Complex64 =
        x.iter().enumerate().map(|(n, x)| Complex64::from_polar(f64::from(*x), -TAU * hz / rate_hz * n as f64)).sum();
    sum * 2.0 / x.len() as f64
}

/// Every band does nothing.
fn neutral(bands: usize) -> MultibandParams {
    let band = BandParams { ratio: 1.0, ..Default::default() };
    MultibandParams {
        on: true,
        bands: BandCount::ALL[bands - 1],
        band: [band; MAX_BANDS],
        crossover_1_hz: 120.0,
        crossover_2_hz: 400.0,
        crossover_3_hz: 1_000.0,
        crossover_4_hz: 3_000.0,
        crossover_5_hz: 9_000.0,
        ..Default::default()
    }
}

/// Impulse responses of the bands.
fn band_impulses(crossover: &mut Crossover, frames: usize) -> Vec<Vec<f64>> {
    let mut out = vec![vec![]; MAX_BANDS];
    for at in (0..frames).step_by(GRID_FRAMES) {
        crossover.on_grid();
        let mut input: Pairs = [[0.0; 2]; GRID_FRAMES + 2];
        input[0][0] = if at == 0 { 1.0 } else { 0.0 };
        let mut bands: [Pairs; MAX_BANDS] = [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS];
        crossover.process(Level::new(), &input, &mut bands, GRID_FRAMES);
        for (out, band) in out.iter_mut().zip(&bands) {
            out.extend(band[..GRID_FRAMES].iter().map(|pair| pair[0]));
            assert!(band.iter().all(|pair| pair[1] == 0.0), "the channels are not apart");
        }
    }
    out
}

/// What each band is by Linkwitz 1976: 1/(1 + x⁴) and x⁴/(1 + x⁴) in the ratio x of tangents, by the bilinear transform.
fn linkwitz_riley(crossovers_hz: &[f64], rate_hz: f64, hz: f64) -> Vec<f64> {
    let x4 = |f0: f64| ((PI * hz / rate_hz).tan() / (PI * f0 / rate_hz).tan()).powi(4);
    let (mut bands, mut rest) = (vec![], 1.0);
    for f0 in crossovers_hz {
        bands.push(rest / (1.0 + x4(*f0)));
        rest *= x4(*f0) / (1.0 + x4(*f0));
    }
    bands.push(rest);
    bands
}

/// The bands of one to six add up to an all-pass, each is the Linkwitz-Riley band of its crossovers, and the response that
/// the editor draws is the DFT of the impulse response; at every rate, far apart and close together, also where two
/// crossovers stand in one place. Impulse responses that fall to e^−90 and less, in f64: 1e-10 is 1e-9 dB.
#[test]
fn crossovers_are_linkwitz_riley_and_flat() {
    let sets: [[f64; MAX_CROSSOVERS]; 3] = [
        [120.0, 400.0, 1_000.0, 3_000.0, 9_000.0],
        [60.0, 70.0, 70.0, 5_000.0, 19_000.0],
        [2_000.0, 2_500.0, 3_000.0, 3_500.0, 4_000.0],
    ];
    let (mut unflat, mut unlike, mut unsaid) = (0.0f64, 0.0f64, 0.0f64);
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        for crossovers_hz in &sets {
            for bands in 1..=MAX_BANDS {
                let mut crossover = Crossover::new(crossovers_hz, bands, rate_hz);
                assert_eq!(crossover.bands(), bands);
                let frames = 1 << 15;
                let spectra: Vec<Vec<Complex64>> =
                    band_impulses(&mut crossover, frames).into_iter().map(|h| dft(h.into_iter())).collect();
                for bin in (1..frames / 2).step_by(37) {
                    let hz = bin as f64 * rate_hz / frames as f64;
                    let sum: Complex64 = spectra.iter().map(|s| s[bin]).sum();
                    unflat = unflat.max(db(sum.norm()).abs());
                    let expected = linkwitz_riley(&crossovers_hz[..bands - 1], rate_hz, hz);
                    let said = crossover.response(hz);
                    for (band, spectrum) in spectra.iter().enumerate() {
                        let magnitude = expected.get(band).copied().unwrap_or(0.0);
                        unlike = unlike.max((spectrum[bin].norm() - magnitude).abs());
                        let said = Complex64::new(said[band].re, said[band].im);
                        unsaid = unsaid.max((spectrum[bin] - said).norm());
                    }
                }
            }
        }
    }
    println!("sum off flat {unflat:.1e} dB, magnitudes off {unlike:.1e}, response off {unsaid:.1e}");
    assert!(unflat < 1e-9 && unlike < 1e-10 && unsaid < 1e-10, "{unflat} dB, {unlike}, {unsaid}");
}

/// Impulse responses of the bands of linear phase, and of what the crossover calls their sum.
fn linear_impulses(crossover: &mut LinearCrossover<1>, frames: usize) -> (Vec<Vec<f64>>, Vec<f32>) {
    let (mut out, mut whole) = (vec![vec![]; MAX_BANDS], vec![]);
    for at in (0..frames).step_by(GRID_FRAMES) {
        crossover.on_grid();
        let mut input = [[0.0; GRID_FRAMES]];
        input[0][0] = if at == 0 { 1.0 } else { 0.0 };
        let mut bands: [Pairs; MAX_BANDS] = [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS];
        crossover.process(&mut input, &mut bands, GRID_FRAMES);
        for (out, band) in out.iter_mut().zip(&bands) {
            out.extend(band[..GRID_FRAMES].iter().map(|pair| pair[0]));
        }
        whole.extend(input[0]);
    }
    (out, whole)
}

/// Bands of linear phase have the magnitudes of Linkwitz-Riley low-passes and what lies between them, are symmetric about
/// exactly the latency, and add up to the impulse itself. What rings ahead is the filter's own: with g = tan(π f / rate), at
/// most g rⁿ⁻¹, r the radius of the bilinear transform's poles, r² = (1 − √2 g + g²)/(1 + √2 g + g²).
#[test]
fn linear_phase_is_linkwitz_riley_without_the_phase() {
    let sets = [[120.0, 400.0, 1_000.0, 3_000.0, 9_000.0], [40.0, 70.0, 70.0, 5_000.0, 19_000.0]];
    for rate_hz in [44_100.0, 48_000.0, 96_000.0] {
        for crossovers_hz in &sets {
            for bands in [1, 2, 4, 6] {
                let mut crossover = LinearCrossover::<1>::new(crossovers_hz, bands, rate_hz);
                let latency = crossover.latency_frames();
                let frames = 1 << 15;
                let (h, whole) = linear_impulses(&mut crossover, frames);
                assert!(whole.iter().enumerate().all(|(n, x)| *x == if n == latency { 1.0 } else { 0.0 }));
                let (mut unlike, mut lopsided, mut early, mut unsum) = (0.0f64, 0.0f64, f64::MIN, 0.0f64);
                for (n, whole) in whole.iter().enumerate() {
                    unsum = unsum.max((h.iter().map(|h| h[n]).sum::<f64>() - f64::from(*whole)).abs());
                }
                for (band, h) in h.iter().enumerate().take(bands) {
                    for n in 1..latency {
                        lopsided = lopsided.max((h[latency - n] - h[latency + n]).abs());
                    }
                    for n in 1..latency {
                        let bound: f64 = [band.wrapping_sub(1), band]
                            .iter()
                            .filter_map(|c| crossovers_hz[..bands - 1].get(*c))
                            .map(|f0| {
                                let g = (PI * f0 / rate_hz).tan();
                                let k = 2f64.sqrt();
                                let r = ((1.0 + g * (g - k)) / (1.0 + g * (g + k))).sqrt();
                                g * r.powi(n as i32 - 1)
                            })
                            .sum();
                        // transforms in f64 leave 1e-16
                        early = early.max(h[latency - n].abs() - bound - 1e-13);
                    }
                    let spectrum = dft(h.iter().copied());
                    for bin in (1..frames / 2).step_by(41) {
                        let hz = bin as f64 * rate_hz / frames as f64;
                        let low = |c: usize| {
                            crossovers_hz[..bands - 1].get(c).map_or(1.0, |f0| linkwitz_riley(&[*f0], rate_hz, hz)[0])
                        };
                        // a crossover stands no lower than the one before it
                        let expected = low(band) - if band > 0 { low(band - 1) } else { 0.0 };
                        unlike = unlike.max((spectrum[bin].norm() - expected.abs()).abs());
                        let said = crossover.response(hz)[band];
                        assert!(said.im == 0.0 && (said.re - expected).abs() < 1e-12);
                    }
                }
                println!(
                    "{rate_hz} Hz, {bands} bands: magnitudes off {unlike:.1e}, lopsided {lopsided:.1e}, sum {unsum:.1e}"
                );
                // cut off at 85 ms: e^(−√2 π 40 · 0.064) = 1e-5 of the 40 Hz kernel begins to fade there, else e^−26
                let cut = if crossovers_hz[0] < 100.0 && bands > 1 { 2e-5 } else { 1e-10 };
                assert!(unlike < cut, "{unlike}");
                assert!(lopsided < 1e-13 && unsum < 1e-15 && early < 0.0, "{lopsided} {unsum} {early}");
            }
        }
    }
}

/// The whole stage in linear phase is a delay by what it says, to the roundings of single precision, whatever its crossovers
/// do meanwhile.
#[test]
fn linear_phase_adds_up_to_a_delay() {
    let x = noise(3, 48_000);
    for bands in 1..=MAX_BANDS {
        let mut params = MultibandParams { phase: Phase::Linear, ..neutral(bands) };
        params.band[0].lookahead_ms = 20.0;
        let mut stage = multiband::<1>(RATE_HZ, &params);
        let latency = stage.latency_frames();
        assert_eq!(latency, 5119 + 960);
        let [y] = run(&mut stage, &[x.clone()], None, |stage, n| {
            if n == 9_600 {
                params.crossover_1_hz = 500.0;
                params.crossover_5_hz = 2_000.0;
                params.bands = BandCount::ALL[(bands + 2) % MAX_BANDS];
                stage.set_params(&params);
            }
        });
        // bands ring ahead of the sound, and cancel
        let delayed = std::iter::repeat_n(&0.0, latency).chain(&x);
        let worst = y.iter().zip(delayed).map(|(y, x)| (y - x).abs()).fold(0.0, f32::max);
        println!("{bands} bands: {worst:.1e} off a delay");
        // six roundings of numbers under ½, and of their sums
        assert!(worst < 3e-7, "{worst}");
        params.on = false;
        let y = mono(&mut multiband::<1>(RATE_HZ, &params), &x);
        assert!(y[latency..] == x[..x.len() - latency]);
    }
}

/// A band of linear phase compresses as one of minimum phase does, keyed from within and from outside, in step with the
/// sound: the tone's level is that of the closed form.
#[test]
fn linear_phase_compresses_by_band() {
    let mut params = MultibandParams { phase: Phase::Linear, ..neutral(3) };
    params.band[1] = BandParams {
        solo: true,
        threshold_db: -30.0,
        ratio: 4.0,
        knee_db: 0.0,
        attack_ms: 0.02,
        release_ms: 100.0,
        ..Default::default()
    };
    let x = sine(RATE_HZ, 220.0, 0.25, 28_800);
    let low = |f0: f64| linkwitz_riley(&[f0], RATE_HZ, 220.0)[0];
    let level = db(0.25 * (low(400.0) - low(120.0)));
    let y = mono(&mut multiband::<1>(RATE_HZ, &params), &x);
    let measured = db(phasor(&y[24_000..], RATE_HZ, 220.0).norm());
    assert!((measured - (-30.0 + (level + 30.0) / 4.0)).abs() < 0.01, "{measured}");
    params.band[1].key_source = KeySource::External;
    params.band[1].key_range = KeyRange::Full;
    let key = [sine(RATE_HZ, 5_000.0, 0.5, 28_800)];
    let [y] = run(&mut multiband::<1>(RATE_HZ, &params), &[x], Some(&key), |_, _| ());
    let measured = db(phasor(&y[24_000..], RATE_HZ, 220.0).norm());
    assert!((measured - (level - 0.75 * (db(0.5) + 30.0))).abs() < 0.02, "{measured}");
}

/// The whole stage with bands that do nothing is flat: what is left is single precision, 6e-8 or 5e-7 dB in each of up
/// to six bands and their sums; and lookahead moves it by exactly its frames.
#[test]
fn the_neutral_stage_is_flat_and_as_late_as_it_says() {
    let frames = 1 << 15;
    for bands in 1..=MAX_BANDS {
        let mut params = neutral(bands);
        let response = mono(&mut multiband::<1>(RATE_HZ, &params), &impulse(frames));
        let spectrum = dft(response.iter().map(|x| f64::from(*x)));
        let worst = spectrum[1..frames / 2].iter().map(|s| db(s.norm()).abs()).fold(0.0, f64::max);
        println!("{bands} bands: {worst:.1e} dB");
        assert!(worst < 1e-4, "{bands} bands: {worst} dB");

        params.band[0].lookahead_ms = 2.0;
        params.band[bands - 1].lookahead_ms = 5.0;
        let mut late = multiband::<1>(RATE_HZ, &params);
        assert_eq!(late.latency_frames(), 240);
        let shifted = mono(&mut late, &impulse(frames));
        assert!(shifted[..240].iter().all(|x| *x == 0.0));
        assert!(shifted[240..] == response[..frames - 240]);

        for (quality, latency) in [(Quality::Track, 240), (Quality::Mix, 338), (Quality::Master, 341)] {
            params.drive_quality = quality;
            let mut stage = multiband::<1>(RATE_HZ, &params);
            assert_eq!(stage.latency_frames(), latency);
            assert!(mono(&mut stage, &impulse(frames))[latency..] == response[..frames - latency]);
            let mut off = multiband::<1>(RATE_HZ, &MultibandParams { on: false, ..params });
            assert!(mono(&mut off, &impulse(frames))[latency..] == impulse(frames)[..frames - latency]);
        }
    }
}

/// Giannoulis, Massberg, Reiss 2012, eq. 4: the output for a level x, threshold 0, slope 1/R above, knee w.
fn bent(x: f64, slope: f64, w: f64) -> f64 {
    if 2.0 * x < -w {
        x
    } else if 2.0 * x.abs() <= w && w > 0.0 {
        x + (slope - 1.0) * (x + w / 2.0).powi(2) / (2.0 * w)
    } else {
        slope * x
    }
}

/// A sine in the middle of each of six bands, soloed, from −70 to +10 dBFS, comes out at the level of the closed form within
/// 0.01 dB, whatever the band does: the same curve above the threshold, and mirrored below it.
#[test]
fn static_curves_of_all_bands_are_the_closed_form() {
    let tones_hz = [60.0, 220.0, 650.0, 1_800.0, 5_000.0, 14_000.0];
    let mut worst = 0.0f64;
    for (band, hz) in tones_hz.into_iter().enumerate() {
        for mode in Mode::ALL {
            for (ratio, knee_db, range_db) in [(4.0, 12.0, 60.0), (2.0, 0.0, 9.0)] {
                let mut params = neutral(6);
                params.band[band] = BandParams {
                    solo: true,
                    mode: *mode,
                    ratio,
                    knee_db,
                    range_db,
                    threshold_db: -30.0,
                    attack_ms: 0.02,
                    release_ms: 20.0,
                    ..Default::default()
                };
                let crossovers_hz = params.crossovers_hz();
                let share = linkwitz_riley(&crossovers_hz, RATE_HZ, hz)[band];
                for level_db in [-70.0, -41.0, -33.0, -28.0, -15.0, 10.0] {
                    let x = sine(RATE_HZ, hz, 10f64.powf(level_db / 20.0), 28_800);
                    let y = mono(&mut multiband::<1>(RATE_HZ, &params), &x);
                    // 0.1 s: whole periods of all tones
                    let measured = db(phasor(&y[24_000..], RATE_HZ, hz).norm());
                    let level = level_db + db(share);
                    let over = level + 30.0;
                    let change = match mode {
                        Mode::CompressDown => bent(over, 1.0 / ratio, knee_db) - over,
                        Mode::ExpandUp => bent(over, ratio, knee_db) - over,
                        Mode::CompressUp => -over - bent(-over, 1.0 / ratio, knee_db),
                        Mode::ExpandDown => -over - bent(-over, ratio, knee_db),
                    };
                    let expected = level + change.clamp(-range_db, range_db.min(24.0));
                    let error = measured - expected;
                    assert!(error.abs() <= 0.01, "band {band}, {mode:?}: {error} dB at {level_db}, {params:?}");
                    worst = worst.max(error.abs());
                    let drawn = params.band[band].gain_curve().gain_db(level);
                    assert!((drawn - (expected - level)).abs() < 1e-12);
                }
            }
        }
    }
    println!("static curves: worst error {worst:.5} dB");
}

/// Milliseconds until `gain_db` has gone 63.2 % of the way from its first value to `to_db`.
fn time_to_63(gain_db: &[f64], to_db: f64) -> f64 {
    let from = gain_db[0];
    let goal = from + (to_db - from) * (1.0 - (-1.0f64).exp());
    let after = gain_db.iter().position(|g| (g - goal) * (to_db - from).signum() >= 0.0).expect("never there");
    let (a, b) = (gain_db[after - 1], gain_db[after]);
    ((after - 1) as f64 + (goal - a) / (b - a)) / RATE_HZ * 1e3
}

/// Attack is the time when the level rises and release when it falls, to 1 %, in every mode; half a millisecond is left to
/// the measurement of level. One band, so that no crossover's ringing is in the way.
#[test]
fn labels_are_true_in_every_mode() {
    for mode in Mode::ALL {
        for (attack_ms, release_ms) in [(5.0, 100.0), (40.0, 60.0)] {
            let mut params = neutral(1);
            params.band[0] = BandParams {
                mode: *mode,
                threshold_db: -30.0,
                ratio: 2.0,
                knee_db: 0.0,
                range_db: 12.0,
                attack_ms,
                release_ms,
                ..Default::default()
            };
            // quiet long enough to settle, loud, quiet: −50 and −10 dBFS
            let loud = 28_800..28_800 + (attack_ms * 14.0 + release_ms * 6.0) as usize * 48;
            let frames = loud.end + (release_ms * 8.0 * 48.0) as usize;
            let x: Vec<f32> = (0..frames)
                .map(|n| {
                    let peak_db = if loud.contains(&n) { -10.0 } else { -50.0 };
                    (10f64.powf(peak_db / 20.0) * (TAU * 11_000.0 / RATE_HZ * n as f64 + 0.3).sin()) as f32
                })
                .collect();
            let y = mono(&mut multiband::<1>(RATE_HZ, &params), &x);
            let mut last = 0.0;
            let gains: Vec<f64> = x
                .iter()
                .zip(&y)
                .map(|(x, y)| {
                    last = if x.abs() > 1e-4 { db(f64::from(y / x)) } else { last };
                    last
                })
                .collect();
            let attack = time_to_63(&gains[loud.start - 1..loud.end], gains[loud.end - 1]);
            let release = time_to_63(&gains[loud.end - 1..], gains[frames - 1]);
            println!("{mode:?}: attack {attack:.2} for {attack_ms}, release {release:.2} for {release_ms} ms");
            assert!((gains[loud.end - 1] - gains[frames - 1]).abs() > 9.0, "{mode:?} does nothing");
            assert!((attack - attack_ms).abs() <= 0.01 * attack_ms + 0.5, "{mode:?}: attack {attack} for {attack_ms}");
            assert!((release - release_ms).abs() <= 0.01 * release_ms + 0.5, "{mode:?}: {release} for {release_ms}");
        }
    }
}

/// Mid and side are compressed apart, or one of them alone; the other one keeps its level. With the whole width of 200 % or
/// none the side is what it says.
#[test]
fn mid_and_side_are_apart() {
    let (mid, side) = (sine(RATE_HZ, 500.0, 0.5, 24_000), sine(RATE_HZ, 700.0, 0.25, 24_000));
    let left: Vec<f32> = mid.iter().zip(&side).map(|(m, s)| m + s).collect();
    let right: Vec<f32> = mid.iter().zip(&side).map(|(m, s)| m - s).collect();
    let gains = |band: BandParams| {
        let mut params = neutral(1);
        params.band[0] = band;
        let [l, r] = run(&mut multiband::<2>(RATE_HZ, &params), &[left.clone(), right.clone()], None, |_, _| ());
        let part = |sign: f32, hz| {
            let part: Vec<f32> = l.iter().zip(&r).skip(19_200).map(|(l, r)| 0.5 * (l + sign * r)).collect();
            phasor(&part, RATE_HZ, hz).norm()
        };
        [db(part(1.0, 500.0) / 0.5), db(part(-1.0, 700.0) / 0.25)]
    };
    let base = BandParams {
        threshold_db: -24.0,
        ratio: 4.0,
        knee_db: 0.0,
        attack_ms: 0.02,
        release_ms: 2500.0,
        link_percent: 0.0,
        ..Default::default()
    };
    let curve = |level_db: f64| -0.75 * (level_db + 24.0);
    let (of_mid, of_side) = (curve(db(0.5)), curve(db(0.25)));
    for (channels, link_percent, expected) in [
        (Channels::MidSide, 0.0, [of_mid, of_side]),
        (Channels::MidSide, 100.0, [of_mid, of_mid]),
        (Channels::Mid, 100.0, [of_mid, 0.0]),
        (Channels::Side, 100.0, [0.0, of_side]),
    ] {
        let measured = gains(BandParams { channels, link_percent, ..base });
        for (measured, expected) in measured.iter().zip(expected) {
            assert!((measured - expected).abs() < 0.01, "{channels:?} {link_percent}: {measured} for {expected} dB");
        }
    }
    let wide = gains(BandParams { ratio: 1.0, width_percent: 200.0, ..base });
    assert!(wide[0].abs() < 1e-4 && (wide[1] - db(2.0)).abs() < 1e-4, "{wide:?}");
    assert!(gains(BandParams { ratio: 1.0, width_percent: 0.0, ..base })[1] < -140.0);
    // bypassed, nothing of it is left
    let bypassed = gains(BandParams { bypass: true, width_percent: 200.0, drive_db: 12.0, ..base });
    assert!(bypassed.iter().all(|g| g.abs() < 1e-5), "{bypassed:?}");
}

/// Linked channels meet the same gain to the bit, through crossovers, curves and sums: powers of two pass all of them.
#[test]
fn linked_gains_are_identical() {
    let mut params = MultibandParams { on: true, ..Default::default() };
    params.band.iter_mut().for_each(|b| b.threshold_db = -50.0);
    let loud = noise(7, 48_000);
    let soft: Vec<f32> = loud.iter().map(|x| x / 64.0).collect();
    let [left, right] = run(&mut multiband::<2>(RATE_HZ, &params), &[loud.clone(), soft], None, |_, _| ());
    assert!(left.iter().zip(&right).all(|(l, r)| *l == *r * 64.0));
    assert!(left[24_000..] != loud[24_000..]);
}

/// The side chain rules where asked to: what lies in the band of it, or all of it; one that is not connected is silent.
#[test]
fn external_key_rules_by_band() {
    let frames = 24_000;
    let x = sine(RATE_HZ, 600.0, 0.1, frames);
    let mut params = neutral(3);
    params.band[1] = BandParams {
        solo: true,
        key_source: KeySource::External,
        threshold_db: -20.0,
        ratio: 100.0,
        knee_db: 0.0,
        attack_ms: 0.02,
        release_ms: 100.0,
        ..Default::default()
    };
    // bands 120 to 400 to … Hz
    let level = |params: &MultibandParams, key_hz: Option<f64>| {
        let key = key_hz.map(|hz| [sine(RATE_HZ, hz, 1.0, frames)]);
        let [y] = run(&mut multiband::<1>(RATE_HZ, params), &[x.clone()], key.as_ref(), |_, _| ());
        let share = linkwitz_riley(&[120.0, 400.0], RATE_HZ, 600.0)[1];
        db(phasor(&y[19_200..], RATE_HZ, 600.0).norm() / share / 0.1)
    };
    let in_band = |hz: f64| -(db(linkwitz_riley(&[120.0, 400.0], RATE_HZ, hz)[1]) + 20.0).max(0.0);
    for hz in [30.0, 220.0, 500.0, 5_000.0] {
        let measured = level(&params, Some(hz));
        assert!((measured - in_band(hz)).abs() < 0.02, "{measured} for {} dB at {hz} Hz", in_band(hz));
    }
    assert!(level(&params, None).abs() < 1e-3);
    let mut full = params;
    full.band[1].key_range = KeyRange::Full;
    for hz in [220.0, 5_000.0] {
        let measured = level(&full, Some(hz));
        assert!((measured + 20.0).abs() < 0.02, "{measured} at {hz} Hz");
    }
    // the whole of the sound itself: −20 dBFS, at a threshold of −26
    full.band[1].key_source = KeySource::Internal;
    full.band[1].threshold_db = -26.0;
    assert!((level(&full, Some(220.0)) + 6.0).abs() < 0.02);
}

/// Bands that look ahead differently stay in step, and each has its gain down before the peak comes out.
#[test]
fn each_band_looks_ahead_by_itself() {
    let mut x = sine(RATE_HZ, 6_300.0, 0.02, 9_600);
    x[4_800..4_848].iter_mut().for_each(|x| *x *= 40.0);
    let highest = |own_ms: f64| {
        let mut params = neutral(2);
        params.band[0].lookahead_ms = 10.0;
        params.band[1] = BandParams {
            threshold_db: -20.0,
            ratio: 100.0,
            knee_db: 0.0,
            attack_ms: 0.4,
            release_ms: 5.0,
            lookahead_ms: own_ms,
            ..Default::default()
        };
        let mut stage = multiband::<1>(RATE_HZ, &params);
        assert_eq!(stage.latency_frames(), 480);
        let y = mono(&mut stage, &x);
        y[5_280..5_328].iter().fold(0.0f32, |a, y| a.max(y.abs()))
    };
    // ten attacks long the gain has fallen; the phase of the crossover far below the tone is all but gone
    assert!(db(f64::from(highest(4.0))) < -20.0 + 0.1, "{}", highest(4.0));
    assert!(highest(0.0) > 0.3, "{}", highest(0.0));
}

/// Solo leaves the soloed band alone, by the closed form; a band that is not in use silences nobody.
#[test]
fn solo_plays_its_band_alone() {
    let tones_hz = [60.0, 220.0, 2_500.0, 8_000.0];
    let mut params = neutral(3);
    params.band[5].solo = true;
    let flat = mono(&mut multiband::<1>(RATE_HZ, &params), &sine(RATE_HZ, 220.0, 0.5, 24_000));
    assert!(db(phasor(&flat[19_200..], RATE_HZ, 220.0).norm() / 0.5).abs() < 1e-4);
    params.band[1].solo = true;
    for hz in tones_hz {
        let y = mono(&mut multiband::<1>(RATE_HZ, &params), &sine(RATE_HZ, hz, 0.5, 24_000));
        let expected = linkwitz_riley(&[120.0, 400.0], RATE_HZ, hz)[1];
        assert!((phasor(&y[19_200..], RATE_HZ, hz).norm() / 0.5 - expected).abs() < 1e-6, "{hz} Hz");
    }
}

/// The global mix is between bands and bands, so that nothing combs: half of 12 dB of reduction in one band.
#[test]
fn mix_and_level_are_gains() {
    let mut params = neutral(4);
    for quality in [Quality::Track, Quality::Master] {
        params.drive_quality = quality;
        for band in &mut params.band {
            band.make_up_db = -12.0;
        }
        params.mix_percent = 30.0;
        params.level_db = 3.0;
        let x = sine(RATE_HZ, 400.0, 0.5, 24_000);
        let y = mono(&mut multiband::<1>(RATE_HZ, &params), &x);
        let expected = (0.7 + 0.3 * 10f64.powf(-0.6)) * 10f64.powf(0.15);
        let measured = phasor(&y[19_200..], RATE_HZ, 400.0).norm() / 0.5;
        assert!(db(measured / expected).abs() < 1e-4, "{}", db(measured / expected));
    }
}

/// Readings say what each band does, and forget it once read.
#[test]
fn readings_are_by_band() {
    let mut params = neutral(3);
    params.band[1] = BandParams {
        threshold_db: -20.0,
        ratio: 100.0,
        knee_db: 0.0,
        attack_ms: 0.02,
        release_ms: 50.0,
        ..Default::default()
    };
    let mut stage = multiband::<2>(RATE_HZ, &params);
    let tone = sine(RATE_HZ, 220.0, 0.5, 24_000);
    run(&mut stage, &[tone.clone(), tone], None, |_, _| ());
    let reading = stage.reading();
    assert_eq!(reading.bands_in_use, 3);
    let level_db = db(0.5 * linkwitz_riley(&[120.0, 400.0], RATE_HZ, 220.0)[1]);
    let band = reading.bands[1];
    assert!((band.key_level_db.unwrap() - level_db).abs() < 0.01, "{band:?}");
    assert!((band.gain_db + level_db + 20.0).abs() < 0.01 && band.max_reduction_db >= -band.gain_db, "{band:?}");
    assert!((db(f64::from(band.output_peak)) + 20.0).abs() < 6.0 && band.input_peak > band.output_peak, "{band:?}");
    assert_eq!((reading.bands[0].gain_db, reading.bands[3].key_level_db), (0.0, None));
    let silence = vec![0.0; 48_000];
    run(&mut stage, &[silence.clone(), silence.clone()], None, |_, _| ());
    assert!(stage.reading().bands[1].max_reduction_db > 5.0);
    run(&mut stage, &[silence.clone(), silence], None, |_, _| ());
    assert!(stage.reading().bands[1].max_reduction_db < 0.01);
    params.on = false;
    let mut off = multiband::<2>(RATE_HZ, &params);
    assert_eq!(off.reading().bands_in_use, 0);
}

/// Magnitudes of spectral lines, in dB re full scale, under a Kaiser window of β = 20: side lobes below −150 dB, main lobe 7
/// bins wide on either side.
fn lines_db(x: &[f32]) -> Vec<f64> {
    let len = x.len();
    let bessel = |x: f64| {
        (1..60)
            .fold((1.0, 1.0), |(sum, term), k| {
                let term = term * (x / 2.0 / f64::from(k)).powi(2);
                (sum + term, term)
            })
            .0
    };
    let window: Vec<f64> = (0..len)
        .map(|n| bessel(20.0 * (1.0 - (2.0 * n as f64 / (len - 1) as f64 - 1.0).powi(2)).max(0.0).sqrt()))
        .collect();
    let gain = 2.0 / window.iter().sum::<f64>();
    dft(x.iter().zip(&window).map(|(x, w)| f64::from(*x) * w)).iter().map(|s| db(s.norm() * gain)).collect()
}

/// The highest line further than `apart_hz` from 1 kHz, or from any of its multiples.
fn splatter_db(x: &[f32], apart_hz: f64, harmonics: bool) -> f64 {
    let bin_hz = RATE_HZ / x.len() as f64;
    let apart = |bin: usize| {
        let hz = bin as f64 * bin_hz;
        let product_hz = if harmonics { (hz / 1000.0).round() * 1000.0 } else { 1000.0 };
        (hz - product_hz).abs()
    };
    let lines = lines_db(x).into_iter().enumerate();
    lines.filter(|(bin, _)| apart(*bin) > apart_hz).map(|(_, db)| db).fold(f64::MIN, f64::max)
}

/// A crossover sweeps over its whole range ten times a second across a 1 kHz sine: the target is −100 dBc. The turning phase
/// bends the tone by hundreds of hertz for an instant, as it must; what lies beyond 4 kHz would be the coefficients' steps.
#[test]
fn sweeping_crossovers_leave_no_spurs() {
    let frames = 1 << 16;
    let x = sine(RATE_HZ, 1000.0, 0.5, frames);
    for bands in [2, 4, 6] {
        let mut params = neutral(bands);
        let [y] = run(&mut multiband::<1>(RATE_HZ, &params), &[x.clone()], None, |stage, n| {
            let phase = (TAU * 10.0 * n as f64 / RATE_HZ).sin();
            params.crossover_1_hz = (20.0 * 20_000.0f64).sqrt() * 1000f64.powf(0.5 * phase);
            stage.set_params(&params);
        });
        let lines = lines_db(&y[frames / 2..]);
        let bin = |hz: f64| (hz / RATE_HZ * (frames / 2) as f64) as usize;
        let carrier = lines[bin(900.0)..bin(1100.0)].iter().fold(f64::MIN, |a, b| a.max(*b));
        let spurs = lines[bin(4_000.0)..].iter().fold(f64::MIN, |a, b| a.max(*b)) - carrier;
        println!("{bands} bands: spurs {spurs:.1} dBc");
        assert!(spurs < -100.0, "{bands} bands: {spurs} dBc");
    }
}

/// No control clicks: ramped over its range in 100 ms, or thrown, under a 1 kHz sine at −12 dBFS, nothing above −80 dBFS lies
/// further than 200 Hz from the tone. Where a crossover passes the tone its phase turns by a whole turn in milliseconds:
/// that is counted from 1 kHz away.
#[test]
fn automation_does_not_click() {
    for phase in Phase::ALL {
        let worst = worst_splatter(*phase);
        assert!(worst <= -80.0, "{phase:?}: {worst} dBFS");
    }
}

fn worst_splatter(phase: Phase) -> f64 {
    let frames = 1 << 15;
    let x = sine(RATE_HZ, 1000.0, 10f64.powf(-0.6), 2 * frames);
    let mut base = MultibandParams { phase, ..neutral(4) };
    base.band[2] =
        BandParams { threshold_db: -24.0, ratio: 2.0, attack_ms: 10.0, release_ms: 100.0, ..Default::default() };
    base.band[2].key.on = true;
    base.band[2].key.low_cut_hz = 300.0;
    base.crossover_2_hz = 500.0;
    base.crossover_3_hz = 2_000.0;
    let mut worst = f64::MIN;
    for (index, listed) in controls::list::<MultibandParams>().iter().enumerate() {
        let other_band = listed.id.starts_with("band_") && !listed.id.starts_with("band_3.");
        if listed.control.structural || other_band {
            continue;
        }
        // in linear phase, what is done to a band is the same
        if phase == Phase::Linear && listed.id.starts_with("band_") && !listed.id.ends_with("solo") {
            continue;
        }
        for down in [false, true] {
            let at = |travel: f64| {
                let mut params = base;
                let travel = if down { 1.0 - travel } else { travel };
                controls::set(&mut params, index, listed.control.kind.value_at(travel));
                params
            };
            // a ramp over the whole range in 100 ms, from 200 ms into the second half on; switches are thrown
            let [y] = run(&mut multiband::<1>(RATE_HZ, &at(0.0)), &[x.clone()], None, |stage, n| {
                let travel = (n as f64 - frames as f64 - 9_600.0) / 4_800.0;
                let travel = if matches!(listed.control.kind, Kind::Float(_)) { travel } else { travel.ceil() };
                stage.set_params(&at(travel.clamp(0.0, 1.0)));
            });
            let turns = listed.id.starts_with("crossover_") || listed.id == "bands";
            // drive makes harmonics, and that is its work
            let harmonics = listed.id.contains("drive");
            let splatter = splatter_db(&y[frames..], if turns { 1000.0 } else { 200.0 }, harmonics);
            println!("{splatter:7.1} dBFS: {phase:?} {}{}", listed.id, if down { ", down" } else { "" });
            worst = worst.max(splatter);
        }
    }
    worst
}

/// Bands come and go, and crossovers move past a tone, without a hole: its envelope, from a sine and a cosine through the
/// same movements, stays where it is. What is left is the bend of its pitch while an all-pass moves across it.
#[test]
fn bands_come_and_go_without_a_hole() {
    let frames = 48_000;
    let start = neutral(4);
    let mut passing = start;
    passing.crossover_2_hz = 2_500.0;
    for changed in [neutral(1), neutral(6), neutral(3), passing] {
        for hz in [200.0, 1_000.0, 3_000.0, 9_000.0] {
            let parts = [0.0, 0.25].map(|turn| {
                let x: Vec<f32> =
                    (0..frames).map(|n| (TAU * (hz / RATE_HZ * n as f64 + turn)).sin() as f32 * 0.5).collect();
                let [y] = run(&mut multiband::<1>(RATE_HZ, &start), &[x], None, |stage, n| {
                    stage.set_params(if (19_200..28_800).contains(&n) { &changed } else { &start });
                });
                y
            });
            let (mut least, mut most) = (f64::MAX, f64::MIN);
            for (a, b) in parts[0].iter().zip(&parts[1]).skip(9_600) {
                let envelope = db(f64::from(a.hypot(*b)) / 0.5);
                (least, most) = (least.min(envelope), most.max(envelope));
            }
            println!("{hz} Hz past {:?}: {least:.3} to {most:.3} dB", changed.bands);
            assert!(least > -1.5 && most < 1.5, "{hz} Hz: {least} to {most} dB");
        }
    }
}

/// Drive bends what is in its band, and nothing else: a low tone gains harmonics, a high one in another band keeps its bits'
/// worth of purity.
#[test]
fn drive_bends_its_band_alone() {
    let harmonics = |hz: f64| {
        let mut params = neutral(3);
        params.band[0].drive_db = 18.0;
        let y = mono(&mut multiband::<1>(RATE_HZ, &params), &sine(RATE_HZ, hz, 0.5, 48_000));
        let third = phasor(&y[24_000..], RATE_HZ, 3.0 * hz).norm();
        db(third / phasor(&y[24_000..], RATE_HZ, hz).norm())
    };
    let (low, high) = (harmonics(50.0), harmonics(5_000.0));
    assert!(low > -40.0 && high < -120.0, "{low} and {high} dB");
}
