//! The channel's chain as a whole: the order of its modules, its matched bypass, its meters.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // figures are shown with --nocapture

use crate::measure::{noise, splatter_db};
use dsp_core::block::Block;
use dsp_core::chain::Chain;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::chain::modules::Order;
use dsp_core::dynamics::compressor::Compressor;
use dsp_core::dynamics::gate::Gate;
use dsp_core::equalizer::{Equalizer, Shape};
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::quality::Quality;
use dsp_core::saturation::saturator::Saturation;
use std::f64::consts::TAU;

const RATE_HZ: f64 = 48_000.0;
const CONFIG: StreamConfig = StreamConfig { sample_rate_hz: RATE_HZ, max_frames: 512 };

fn sine(hz: f64, db: f64, frames: usize) -> Vec<f32> {
    let gain = 10f64.powf(db / 20.0);
    (0..frames).map(|n| (gain * (TAU * hz / RATE_HZ * n as f64).sin()) as f32).collect()
}

/// Every module works, each in its own way, so that their order can be heard.
fn working() -> ChannelStripParams {
    let mut params = ChannelStripParams::default();
    params.gate.on = true;
    params.gate.threshold_db = -50.0;
    params.eq.band[2].on = true;
    params.eq.band[2].shape = Shape::Bell;
    params.eq.band[2].frequency_hz = 1000.0;
    params.eq.band[2].gain_db = 9.0;
    params.compressor.on = true;
    params.compressor.threshold_db = -24.0;
    params.compressor.ratio = 4.0;
    params.compressor.lookahead_ms = 1.0;
    params.saturation.drive_db = 6.0;
    params.saturation.quality = Quality::Mix;
    params
}

fn through<P: Processor<2>>(stage: &mut P, audio: &mut [Vec<f32>; 2], key: &[Vec<f32>; 2], from: usize) {
    let [left, right] = audio;
    for (n, (left, right)) in left.chunks_mut(512).zip(right.chunks_mut(512)).enumerate() {
        let at = from + 512 * n;
        let key = key.each_ref().map(|k| &k[at..at + left.len()]);
        stage.process(&mut Block::new([left, right]).with_side_chain(Some(key)));
    }
}

/// The stages on their own, one after the other by name, are what the strip plays in that order, to the bit; with them the
/// side chain comes as late as the sound does.
#[test]
fn an_order_is_the_stages_one_after_the_other() {
    let frames = 12_288;
    let input = [noise(frames, 1), noise(frames, 2)];
    let key = [noise(frames, 3), noise(frames, 4)];
    let mut params = working();
    (params.compressor.external_key, params.gate.external_key) = (true, true);
    params.gate.lookahead_ms = 1.5;
    for order in Order::ALL {
        params.order = *order;
        let mut strip = ChannelStrip::<2>::new();
        strip.prepare(CONFIG, &params).unwrap();
        let mut out = input.clone();
        through(&mut strip, &mut out, &key, 0);

        let mut expected = input.clone();
        let mut late = 0;
        let label = Order::CHOICES[*order as usize].label;
        for name in label.split(' ') {
            let mut late_key = key.clone();
            for k in &mut late_key {
                k.splice(..0, std::iter::repeat_n(0.0, late));
            }
            match name {
                "Gate" => {
                    let mut stage = Gate::<2>::new();
                    stage.prepare(CONFIG, &params.gate).unwrap();
                    through(&mut stage, &mut expected, &late_key, 0);
                    late += stage.latency_frames();
                }
                "EQ" => {
                    let mut stage = Equalizer::<2, 12>::new();
                    stage.prepare(CONFIG, &params.eq).unwrap();
                    through(&mut stage, &mut expected, &late_key, 0);
                    late += stage.latency_frames();
                }
                "Comp" => {
                    let mut stage = Compressor::<2>::new();
                    stage.prepare(CONFIG, &params.compressor).unwrap();
                    through(&mut stage, &mut expected, &late_key, 0);
                    late += stage.latency_frames();
                }
                "Sat" => {
                    let mut stage = Saturation::<2>::new();
                    stage.prepare(CONFIG, &params.saturation).unwrap();
                    through(&mut stage, &mut expected, &late_key, 0);
                    late += stage.latency_frames();
                }
                other => panic!("no module is called {other}"),
            }
        }
        assert!(out == expected, "{label}");
        assert!(late > 0 && strip.latency_frames() == late, "{label}");
    }
}

/// Labels name every arrangement in which the gate comes before the compressor, each once.
#[test]
fn orders_are_all_there() {
    let mut seen: Vec<Vec<&str>> = Order::CHOICES.iter().map(|c| c.label.split(' ').collect()).collect();
    for order in &seen {
        let place = |name: &str| order.iter().position(|n| *n == name).unwrap();
        assert!(order.len() == 4 && place("Gate") < place("Comp") && place("EQ") < 4 && place("Sat") < 4);
    }
    seen.sort();
    seen.dedup();
    // 4! arrangements, half of them with the gate first of the two
    assert_eq!(seen.len(), 12);
}

/// A change of order is a crossfade of 50 ms between two versions of the same tone that both have settled: what leaves
/// 1 kHz ± 200 Hz stays under −80 dBFS with a linear signal path, and both ends are the steady tones.
#[test]
fn a_new_order_comes_without_a_click() {
    let mut params = working();
    // the saturation's own harmonics would hide the change
    params.saturation.drive_db = 0.0;
    let mut strip = ChannelStrip::<2>::new();
    strip.prepare(CONFIG, &params).unwrap();
    let tone = sine(1000.0, -12.0, 96_000);
    let mut audio = [tone.clone(), tone.clone()];
    let silence = [vec![0.0; 96_000], vec![0.0; 96_000]];
    let (mut first, mut second) =
        (audio.each_ref().map(|c| c[..24_064].to_vec()), audio.each_ref().map(|c| c[24_064..].to_vec()));
    through(&mut strip, &mut first, &silence, 0);
    params.order = Order::GateCompEqSat;
    strip.set_params(&params);
    through(&mut strip, &mut second, &silence, 0);
    for c in 0..2 {
        audio[c] = [first[c].clone(), second[c].clone()].concat();
    }
    let splatter = splatter_db(&audio[0][12_000..84_000], (800.0, 1200.0), RATE_HZ);
    println!("a change of order: {splatter:.1} dBFS outside of 800 to 1200 Hz");
    assert!(splatter < -80.0, "{splatter} dBFS");

    // equalizer first: a tone at −3 dB meets the compressor; compressor first: one at −12 dB, raised afterwards
    let rms_db = |x: &[f32]| 10.0 * (x.iter().map(|s| f64::from(s * s)).sum::<f64>() / x.len() as f64).log10() + 3.0103;
    let (before, after) = (rms_db(&audio[0][16_000..24_000]), rms_db(&audio[0][72_000..84_000]));
    // T + (x − T)/R: −24 + 21/4 and −24 + 12/4 + 9
    println!("levels {before:.3} and {after:.3} dBFS");
    assert!((before + 18.75).abs() < 0.05, "{before}");
    assert!((after + 12.0).abs() < 0.05, "{after}");
}

/// What the strip measures, written into its controls, makes the bypassed signal as loud as the strip's.
#[test]
fn matched_bypass_is_as_loud() {
    let mut params = ChannelStripParams::default();
    params.output.gain_db = 7.0;
    let mut strip = ChannelStrip::<2>::new();
    strip.prepare(CONFIG, &params).unwrap();
    let tone = sine(997.0, -30.0, 96_000);
    let silence = [vec![0.0; 96_000], vec![0.0; 96_000]];
    assert_eq!(strip.reading().match_gain_db, None);
    strip.set_watched(true);
    let mut audio = [tone.clone(), tone.clone()];
    through(&mut strip, &mut audio, &silence, 0);
    let reading = strip.reading();
    let match_gain_db = reading.match_gain_db.unwrap();
    // a linear gain, measured by powers of single-precision samples
    assert!((match_gain_db - 7.0).abs() < 1e-4, "{match_gain_db}");
    params.bypass = true;
    params.match_bypass = true;
    params.match_gain_db = match_gain_db;
    strip.set_params(&params);
    strip.reset();
    let mut bypassed = [tone.clone(), tone];
    through(&mut strip, &mut bypassed, &silence, 0);
    let worst = audio[0][9600..].iter().zip(&bypassed[0][9600..]).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    // the control keeps two decimals: 0.005 dB of −23 dBFS
    assert!(worst < 0.08 * 6e-4, "{worst}");
}

/// A tone of −20 dBFS at 997 Hz on both sides reads −20 + 3.01 − 3.01 LUFS but for the K weighting there (−0.691 + 0.691);
/// its RMS is 3.01 dB under its peak. Watching changes no bit.
#[test]
fn meters_read_a_tone() {
    let params = ChannelStripParams::default();
    let tone = sine(997.0, -20.0, 192_000);
    let silence = [vec![0.0; 192_000], vec![0.0; 192_000]];
    let run = |watched: bool| {
        let mut strip = ChannelStrip::<2>::new();
        strip.prepare(CONFIG, &params).unwrap();
        strip.set_watched(watched);
        let mut audio = [tone.clone(), tone.clone()];
        through(&mut strip, &mut audio, &silence, 0);
        (audio, strip.reading())
    };
    let (audio, reading) = run(true);
    assert!(audio == run(false).0);
    let db = |x: f32| 20.0 * f64::from(x).log10();
    // single precision, and a window that is no whole number of periods
    assert!((db(reading.output.rms[0]) + 23.0103).abs() < 0.01);
    assert!((db(reading.output.true_peak[1]) + 20.0).abs() < 0.005);
    assert!((reading.output.short_term_lufs.unwrap() + 20.0).abs() < 0.02);
    assert_eq!(run(false).1.output.short_term_lufs, None);
}

/// Every module is on, and set to do nothing: the input comes out, as late as the latency says, to the bit.
#[test]
fn modules_that_do_nothing_change_nothing() {
    let frames = 12_288;
    let input = [noise(frames, 5), noise(frames, 6)];
    let silence = [vec![0.0; frames], vec![0.0; frames]];
    let mut params = ChannelStripParams::default();
    (params.gate.on, params.gate.range_db) = (true, 0.0);
    params.gate.key.on = true;
    for band in &mut params.eq.band {
        (band.on, band.shape, band.gain_db) = (true, Shape::Bell, 0.0);
    }
    (params.compressor.on, params.compressor.ratio) = (true, 1.0);
    (params.saturation.on, params.saturation.drive_db) = (true, 0.0);
    params.saturation.quality = Quality::Master;
    params.compressor.lookahead_ms = 2.0;
    params.panner.on = true;
    (params.delay.on, params.delay.mix_percent) = (true, 0.0);
    (params.reverb.on, params.reverb.mix_percent) = (true, 0.0);
    for order in Order::ALL {
        params.order = *order;
        let mut strip = ChannelStrip::<2>::new();
        strip.prepare(CONFIG, &params).unwrap();
        let latency = strip.latency_frames();
        let mut out = input.clone();
        through(&mut strip, &mut out, &silence, 0);
        for (out, input) in out.iter().zip(&input) {
            assert!(out[latency..] == input[..frames - latency], "{order:?}");
        }
    }
}
