//! The equalizer as a whole: what it does is what its curve says, nothing clicks, and dynamic bands keep their promises.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // the tests' own references may use std; figures with --nocapture

use crate::measure::{highest_db, spectrum};
use dsp_core::block::Block;
use dsp_core::controls;
use dsp_core::equalizer::{BandParams, Curve, Equalizer, EqualizerParams, Key, Placement, Shape, Slope};
use dsp_core::filter::complex::Complex;
use dsp_core::processor::{Processor, StreamConfig};
use std::f64::consts::{PI, TAU};

type Params = EqualizerParams<8>;
const RATE_HZ: f64 = 48_000.0;

fn equalizer<const CH: usize>(params: &Params) -> Equalizer<CH, 8> {
    let mut equalizer = Equalizer::new();
    equalizer.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 4096 }, params).unwrap();
    equalizer
}

fn with_band(band: BandParams) -> Params {
    let mut params = Params::default();
    params.band[3] = BandParams { on: true, ..band };
    params
}

fn stereo(equalizer: &mut Equalizer<2, 8>, input: &[Vec<f32>; 2], key: Option<&[Vec<f32>; 2]>) -> [Vec<f32>; 2] {
    let mut output = input.clone();
    let [left, right] = &mut output;
    for at in (0..input[0].len()).step_by(512) {
        let end = (at + 512).min(input[0].len());
        let mut block = Block::new([&mut left[at..end], &mut right[at..end]])
            .with_side_chain(key.map(|k| [&k[0][at..end], &k[1][at..end]]));
        equalizer.process(&mut block);
    }
    output
}

fn tone(hz: f64, amplitude: f64, frames: usize) -> Vec<f32> {
    (0..frames).map(|n| (amplitude * (TAU * hz * n as f64 / RATE_HZ).sin()) as f32).collect()
}

const SHAPES: &[Shape] = Shape::ALL;

/// What comes out of an impulse on either side is what `response` and the curve say, for every shape and placement.
#[test]
fn response_is_the_transform_of_the_impulse() {
    for (n, &shape) in SHAPES.iter().enumerate() {
        for &placement in Placement::ALL {
            let mut params = with_band(BandParams {
                shape,
                placement,
                frequency_hz: 900.0 + 700.0 * n as f64,
                gain_db: 7.0,
                q: 1.3,
                slope: Slope::ALL[n],
                ..BandParams::default()
            });
            // and another band before it that does not commute with it
            let first = BandParams { on: true, placement: Placement::Side, gain_db: -5.0, ..BandParams::default() };
            params.band[1] = BandParams { frequency_hz: 2000.0, ..first };
            params.phase_invert = n % 2 == 0;
            let mut stage = equalizer::<2>(&params);
            let curve = Curve::new(&params, RATE_HZ);
            let frames = 8192;
            for input in 0..2 {
                stage.reset();
                let mut impulse = [vec![0.0; frames], vec![0.0; frames]];
                impulse[input][0] = 1.0;
                let heard = stereo(&mut stage, &impulse, None);
                for hz in [20.0, 300.0, 1000.0, 3000.0, 12_000.0, 20_000.0, 23_900.0] {
                    for output in 0..2 {
                        let sum = heard[output].iter().enumerate().fold(Complex::ZERO, |sum, (n, x)| {
                            sum + Complex::from_angle(-TAU * hz * n as f64 / RATE_HZ).scale(f64::from(*x))
                        });
                        // single-precision output: each sample is off by up to 2^-25 of itself, and the impulse response
                        // sums to less than 4; what rings on after 8192 frames is far less
                        for said in [stage.response(hz), curve.matrix(hz)] {
                            let error = (said[output][input] - sum).power().sqrt();
                            assert!(error < 2e-7, "{shape:?} {placement:?} {hz} {input} to {output}: {error}");
                        }
                    }
                }
            }
        }
    }
}

/// A placement leaves what it does not work on alone, to the bit; mid and side alike are stereo.
#[test]
fn placements_keep_to_their_signal() {
    let noise: [Vec<f32>; 2] = [5u32, 9].map(|seed| {
        let mut x = seed;
        (0..4800)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect()
    });
    let band = BandParams { gain_db: 9.0, ..BandParams::default() };
    let run = |placement, input: &[Vec<f32>; 2]| {
        stereo(&mut equalizer(&with_band(BandParams { placement, ..band })), input, None)
    };
    let alike = [noise[0].clone(), noise[0].clone()];
    let opposed = [noise[0].clone(), noise[0].iter().map(|s| -s).collect()];
    assert_eq!(run(Placement::Left, &noise)[1], noise[1]);
    assert_eq!(run(Placement::Right, &noise)[0], noise[0]);
    assert_eq!(run(Placement::Side, &alike), alike);
    assert_eq!(run(Placement::Mid, &opposed), opposed);
    assert_ne!(run(Placement::Mid, &alike), alike);

    let mut params = with_band(BandParams { placement: Placement::Mid, ..band });
    params.band[4] = BandParams { placement: Placement::Side, ..params.band[3] };
    let both = stereo(&mut equalizer(&params), &noise, None);
    let whole = run(Placement::Stereo, &noise);
    for (a, b) in both.iter().flatten().zip(whole.iter().flatten()) {
        // two roundings to single precision, of samples under 2
        assert!((a - b).abs() < 2.5e-7, "{a} {b}");
    }
}

/// The gain scale works on decibels: 0 % is a wire, 200 % doubles; the phase inverter only turns the sign.
#[test]
fn gain_scale_and_phase_invert() {
    let band = BandParams { gain_db: 6.0, q: 1.0, frequency_hz: 3000.0, ..BandParams::default() };
    let input = [tone(3000.0, 0.3, 9600), tone(777.0, 0.3, 9600)];
    let mut params = with_band(band);
    params.gain_scale_percent = 0.0;
    assert_eq!(stereo(&mut equalizer(&params), &input, None), input);
    params.gain_scale_percent = 200.0;
    let peak_db = equalizer::<2>(&params).response(3000.0)[0][0].db();
    // 12 dB within what the design is off at 3 kHz
    assert!((peak_db - 12.0).abs() < 0.003, "{peak_db}");
    let mut params = Params { phase_invert: true, ..Params::default() };
    let turned = stereo(&mut equalizer(&params), &input, None);
    assert!(turned.iter().flatten().zip(input.iter().flatten()).all(|(a, b)| *a == -*b));
    params.on = false;
    assert_eq!(stereo(&mut equalizer(&params), &input, None), input);
}

/// Switched off under way, the equalizer is a wire to the bit once its fade has ended; and in again.
#[test]
fn off_is_a_wire() {
    let params = with_band(BandParams { shape: Shape::LowCut, frequency_hz: 500.0, ..BandParams::default() });
    let mut stage = equalizer::<2>(&params);
    let input = [tone(300.0, 0.5, 9600), tone(200.0, 0.5, 9600)];
    let on = stereo(&mut stage, &input, None);
    stage.set_params(&Params { on: false, ..params });
    let off = stereo(&mut stage, &input, None);
    // 20 ms of passage and 40 ms for the ringing
    let from = 3000;
    assert!((0..2).all(|c| off[c][from..] == input[c][from..] && on[c][from..] != input[c][from..]));
    stage.set_params(&params);
    let again = stereo(&mut stage, &input, None);
    for (a, b) in again[0][from..].iter().zip(&on[0][from..]) {
        // the cut has settled but for e^(−2π·500·0.7·0.04)
        assert!((a - b).abs() < 1e-6);
    }
}

/// Runs mono, the controls asked for every 64 frames.
fn automated(frames: usize, hz: f64, amplitude: f64, params: impl Fn(usize) -> Params) -> Vec<f32> {
    let mut stage = equalizer::<1>(&params(0));
    let mut output = tone(hz, amplitude, frames);
    for (n, block) in output.chunks_mut(64).enumerate() {
        stage.set_params(&params(64 * n));
        stage.process(&mut Block::new([block]));
    }
    output
}

/// A sweep of the frequency over its whole range, ten times a second, over a 1 kHz sine: the target is −100 dBc. What
/// the sweep itself does to the tone is smooth in time and ends within 2 kHz for a Q of 1 (the filter passes the
/// tone in 1/(361 octaves per second) · 1 octave = 2.8 ms); farther away is what the stepping of the filter adds.
#[test]
fn sweeps_leave_no_spurs() {
    let frames = 1 << 16;
    for &shape in SHAPES {
        let output = automated(frames, 1000.0, 0.5, |frame| {
            let phase = (TAU * 10.0 * frame as f64 / RATE_HZ).sin();
            let frequency_hz = (10.0 * 30_000.0f64).sqrt() * 3000f64.powf(0.5 * phase);
            with_band(BandParams { shape, gain_db: 12.0, frequency_hz, ..BandParams::default() })
        });
        let spectrum = spectrum(&output[frames / 2..]);
        let carrier_db = highest_db(RATE_HZ, &spectrum, 900.0, 1100.0);
        let spurs_db = highest_db(RATE_HZ, &spectrum, 4000.0, 24_000.0) - carrier_db;
        assert!(spurs_db < -120.0, "{shape:?}: {spurs_db} dBc");
    }
}

/// Every control of a band and of the equalizer, stepped to its ends over a 1 kHz sine at full scale: the target is
/// −80 dBFS of splatter. Within 500 Hz of the tone is what any change of gain in 20 ms makes.
#[test]
fn steps_of_controls_do_not_splatter() {
    let frames = 1 << 14;
    for &shape in SHAPES {
        let start = with_band(BandParams { shape, gain_db: 6.0, q: 1.0, frequency_hz: 800.0, ..BandParams::default() });
        for (index, listed) in controls::list::<Params>().iter().enumerate() {
            if listed.id.contains('.') && !listed.id.starts_with("band_4.") {
                continue;
            }
            let (low, high) = listed.control.kind.ends();
            let choices = (0..).map(f64::from).take_while(|c| *c <= high);
            let is_choice = matches!(listed.control.kind, controls::Kind::Choice(_));
            for end in if is_choice { choices.collect() } else { vec![low, high] } {
                let mut stepped = start;
                controls::set(&mut stepped, index, end);
                let output = automated(frames, 1000.0, 1.0, |frame| if frame < frames / 2 { start } else { stepped });
                let spectrum = spectrum(&output);
                let splatter_db =
                    highest_db(RATE_HZ, &spectrum, 20.0, 500.0).max(highest_db(RATE_HZ, &spectrum, 1500.0, 24_000.0));
                assert!(splatter_db < -80.0, "{shape:?}, {} to {end}: {splatter_db} dBFS", listed.id);
            }
        }
    }
}

/// A sharp resonance moved over octaves does not sing: it crossfades.
#[test]
fn leaps_of_a_resonance_do_not_sing() {
    let frames = 1 << 16;
    for (from_hz, to_hz) in [(200.0, 5000.0), (5000.0, 200.0), (900.0, 1100.0), (3000.0, 1600.0)] {
        let output = automated(frames, 1000.0, 0.1, |frame| {
            let frequency_hz = if frame < frames / 2 { from_hz } else { to_hz };
            with_band(BandParams { frequency_hz, gain_db: 18.0, q: 10.0, ..BandParams::default() })
        });
        let spectrum = spectrum(&output[frames / 4..3 * frames / 4]);
        let splatter_db =
            highest_db(RATE_HZ, &spectrum, 20.0, 500.0).max(highest_db(RATE_HZ, &spectrum, 2000.0, 24_000.0));
        assert!(splatter_db < -100.0, "{from_hz} to {to_hz}: {splatter_db} dBFS");
    }
}

/// The level of a tone in its band moves the gain by the gain computer's curve: nothing up to 3 dB under the threshold, a
/// decibel per decibel from 3 dB over it, until the range is used up. The detector reads tones at its frequency exactly
/// but for the highest sample of the sine's envelope: 1e-3 dB.
#[test]
fn dynamic_gain_follows_its_curve() {
    for range_db in [-10.0, 10.0] {
        for over_db in [-20.0, -3.0, -1.0, 0.0, 2.0, 5.0, 8.0, 30.0] {
            let band =
                BandParams { frequency_hz: 2000.0, q: 1.0, range_db, threshold_db: -40.0, ..BandParams::default() };
            let mut stage = equalizer::<2>(&with_band(band));
            let level: f64 = -40.0 + over_db;
            let input = tone(2000.0, 10f64.powf(level / 20.0), 24_000);
            stereo(&mut stage, &[input.clone(), input], None);
            let expected: f64 = match over_db {
                o if o <= -3.0 => 0.0,
                o if o < 3.0 => (o + 3.0) * (o + 3.0) / 12.0,
                o => o.min(10.0),
            };
            let moved = stage.reading().dynamic_db[3];
            assert!((moved - expected * range_db.signum()).abs() < 2e-3, "{range_db} {over_db}: {moved}");
            // and that is what is heard
            let gain_db = stage.response(2000.0)[0][0].db();
            assert!((gain_db - moved).abs() < 2e-3, "{gain_db} {moved}");
        }
    }
}

/// The detector hears the band: a tone two octaves off moves it by what the filter lets through, and one as loud as the
/// threshold in the side chain moves it only if the key is the side chain.
#[test]
fn dynamic_bands_hear_their_key() {
    let loud = tone(1000.0, 0.5, 24_000);
    let quiet = vec![0.0f32; 24_000];
    let moved = |key, hz, input: &[f32], side: Option<&[f32]>| {
        let band =
            BandParams { frequency_hz: hz, q: 1.0, range_db: -20.0, threshold_db: -26.0, key, ..BandParams::default() };
        let mut stage = equalizer::<2>(&with_band(band));
        let side = side.map(|s| [s.to_vec(), s.to_vec()]);
        stereo(&mut stage, &[input.to_vec(), input.to_vec()], side.as_ref());
        stage.reading().dynamic_db[3]
    };
    // −6 dBFS is 20 dB over the threshold, the whole range, within the detector's 1e-3 dB
    assert!((moved(Key::Internal, 1000.0, &loud, None) + 20.0).abs() < 0.03);
    assert!((moved(Key::SideChain, 1000.0, &quiet, Some(&loud)) + 20.0).abs() < 0.03);
    assert_eq!(moved(Key::SideChain, 1000.0, &loud, Some(&quiet)), 0.0);
    assert_eq!(moved(Key::SideChain, 1000.0, &loud, None), 0.0);
    assert_eq!(moved(Key::Internal, 1000.0, &quiet, Some(&loud)), 0.0);
    // band pass twice, a low-pass output behind the second: r/D · 1/D, D = |1 − r² + jr|, louder than r²/D², a quarter of
    // a period off; r is the ratio of bilinear frequencies
    let r = (PI * 1000.0 / RATE_HZ).tan() / (PI * 4000.0 / RATE_HZ).tan();
    let through_db = 20.0 * (r / ((1.0 - r * r) * (1.0 - r * r) + r * r)).log10();
    let off = moved(Key::Internal, 4000.0, &loud, None);
    assert!((off + 20.0 + through_db).abs() < 0.03, "{off} {through_db}");
}

/// After a step of 20 dB over the threshold the gain that is heard has gone 63.2 % of the way in the attack time, and back in
/// the release time. At its centre a bell has no phase: each sample tells the gain. The detector's own filter takes some tenths of a millisecond.
#[test]
fn attack_and_release_keep_their_times() {
    let way = 10.0 * (1.0 - (-1.0f64).exp());
    for (attack_ms, release_ms) in [(2.0, 20.0), (5.0, 50.0), (10.0, 150.0), (50.0, 200.0)] {
        let band = BandParams {
            frequency_hz: 4000.0,
            q: 0.5,
            range_db: -10.0,
            threshold_db: -40.0,
            attack_ms,
            release_ms,
            ..BandParams::default()
        };
        let (mut attacks, mut releases) = (vec![], vec![]);
        // where the step lies between the points of the grid is by chance
        for late in [0, 8, 16, 24] {
            let mut stage = equalizer::<1>(&with_band(band));
            let (up, down) = (9600 + late, 57_600 + late);
            let mut signal = tone(4000.0, 0.1, 105_600);
            for (n, x) in signal.iter_mut().enumerate() {
                *x *= if (up..down).contains(&n) { 1.0 } else { 0.001 };
            }
            let mut out = signal.clone();
            out.chunks_mut(512).for_each(|block| stage.process(&mut Block::new([block])));
            // while the gain moves there is a little phase: near the wave's crests it does not matter
            let amplitude = |n: usize| if (up..down).contains(&n) { 0.1 } else { 1e-4 };
            let gone_db = |n: usize| {
                (signal[n].abs() > 0.9 * amplitude(n)).then(|| -20.0 * f64::from(out[n] / signal[n]).log10())
            };
            let first = |from: usize, there: &dyn Fn(f64) -> bool| {
                (from..).find(|n| gone_db(*n).is_some_and(there)).map(|n| (n - from) as f64 / 48.0).unwrap()
            };
            attacks.push(first(up, &|db| db >= way));
            releases.push(first(down + 48, &|db| db <= 10.0 - way) + 1.0);
        }
        let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
        let (attack, release) = (mean(&attacks), mean(&releases));
        println!("{attack_ms}/{release_ms} ms: {attack:.2}/{release:.2}");
        assert!((attack - attack_ms).abs() < 0.5 + 0.01 * attack_ms, "{attack} for {attack_ms} ms");
        assert!((release - release_ms).abs() < 0.5 + 0.01 * release_ms, "{release} for {release_ms} ms");
    }
}

/// Solo lets only the band's region through, and with a placement only that signal.
#[test]
fn solo_hears_the_region() {
    let params = with_band(BandParams { solo: true, q: 4.0, frequency_hz: 1000.0, ..BandParams::default() });
    let mut stage = equalizer::<2>(&params);
    let input = [tone(1000.0, 0.5, 24_000), tone(100.0, 0.5, 24_000)];
    let heard = stereo(&mut stage, &input, None);
    let peak = |x: &[f32]| x[12_000..].iter().fold(0.0f32, |m, s| m.max(s.abs()));
    // a band pass: 1 at its centre, |0.1/4|/|1 − 0.01| = 0.025 a decade below
    assert!((peak(&heard[0]) - 0.5).abs() < 1e-3);
    assert!((peak(&heard[1]) - 0.5 * 0.0253).abs() < 5e-4);
    let mut params = params;
    params.band[3].placement = Placement::Side;
    let mut stage = equalizer::<2>(&params);
    let alike = [input[0].clone(), input[0].clone()];
    assert!(stereo(&mut stage, &alike, None).iter().flatten().all(|s| *s == 0.0));
}

/// Ids are for ever.
#[test]
fn controls_are_named() {
    let ids: Vec<String> = controls::list::<EqualizerParams<2>>().into_iter().map(|l| l.id).collect();
    let band = [
        "on",
        "shape",
        "frequency_hz",
        "gain_db",
        "q",
        "slope",
        "placement",
        "solo",
        "range_db",
        "threshold_db",
        "attack_ms",
        "release_ms",
        "key",
    ];
    let expected = ["on", "gain_scale_percent", "phase_invert"].map(str::to_owned).into_iter();
    let expected = expected.chain((1..=2).flat_map(|n| band.map(|key| ["band_", &n.to_string(), ".", key].concat())));
    assert_eq!(ids, expected.collect::<Vec<_>>());
    let rising = |bands: &[BandParams]| bands.windows(2).all(|w| w[0].frequency_hz < w[1].frequency_hz);
    assert!(rising(&EqualizerParams::<8>::default().band) && rising(&EqualizerParams::<12>::default().band));
}
