//! Services against what they publish, and audition against the limiter's equations.

// the platform's functions are a second opinion here
#![allow(clippy::disallowed_methods)]

use dsp_core::block::Block;
use dsp_core::delivery::audition::{Audition, AuditionParams, AuditionService, rules};
use dsp_core::delivery::learn::Search;
use dsp_core::delivery::{Album, Certainty, Levels, Playback, Raises, service, services};
use dsp_core::processor::{Processor, StreamConfig};
use std::f64::consts::TAU;

fn levels(integrated_lufs: f64, true_peak_dbtp: f64) -> Levels {
    Levels { integrated_lufs, true_peak_dbtp }
}

fn play(key: &str, track: Levels, album: Option<Album>) -> Playback {
    service(key).unwrap().rule.play(track, album)
}

/// The file is whole: every service can be chosen, in the order of the file, and says where its figures come from.
#[test]
fn every_service_is_in_the_file() {
    let keys: Vec<&str> = services().iter().map(|s| s.key.as_str()).collect();
    let choices: Vec<&str> = AuditionService::CHOICES.iter().map(|c| c.key).collect();
    assert_eq!(keys, choices);
    assert_eq!(rules().len(), keys.len());
    for (service, choice) in services().iter().zip(AuditionService::CHOICES) {
        assert!(!service.source.is_empty() && service.date.len() == 7, "{service:?}");
        let estimate = service.certainty == Certainty::Estimate;
        assert!(choice.label.starts_with(&service.name));
        assert_eq!(choice.label.contains("estimate"), estimate, "{}", service.name);
    }
}

/// support.spotify.com, artists, Loudness normalization: -14 dB LUFS; "If a track loudness level is -20 dB LUFS, and its True
/// Peak maximum is -5 dB FS, we only lift the track up to -16 dB LUFS"; negative gain without a condition; Loud −11 whatever
/// the peak, Quiet −19.
#[test]
fn spotify_does_what_it_publishes() {
    let example = levels(-20.0, -5.0);
    let normal = play("spotify", example, None);
    assert_eq!((normal.gain_db, normal.heard_lufs, normal.wanted_db), (4.0, -16.0, 6.0));
    assert_eq!(play("spotify", levels(-8.0, -0.1), None).heard_lufs, -14.0);
    assert_eq!(play("spotify", levels(-20.0, -9.0), None).heard_lufs, -14.0);
    // no headroom: neither raised nor turned down
    assert_eq!(play("spotify", levels(-20.0, 0.4), None).gain_db, 0.0);
    let loud = play("spotify_loud", example, None);
    assert_eq!((loud.heard_lufs, loud.limited_db), (-11.0, 5.0));
    let quiet = play("spotify_quiet", example, None);
    assert_eq!((quiet.heard_lufs, quiet.limited_db), (-19.0, 0.0));
    let limiter = service("spotify_loud").unwrap().rule.limiter.unwrap();
    assert_eq!((limiter.threshold_dbfs, limiter.attack_ms, limiter.release_ms), (-1.0, 5.0, 100.0));

    // an album is one programme: its soft track stays as soft as it is meant to be
    let album = Album { whole: levels(-10.0, -1.0), loudest_track_lufs: -8.0 };
    assert_eq!(play("spotify", levels(-18.0, -3.0), Some(album)).heard_lufs, -22.0);

    // −1 dBTP, −2 of what is louder than −14
    let spotify = service("spotify").unwrap();
    assert_eq!(spotify.peak_excess_db(levels(-14.0, -1.0)), None);
    assert_eq!(spotify.peak_excess_db(levels(-9.0, -1.0)), Some(1.0));
    assert_eq!(spotify.peak_excess_db(levels(-16.0, 0.5)), Some(1.5));
}

/// The other rows of the table.
#[test]
fn others_do_what_is_said_of_them() {
    let (loud, soft) = (levels(-8.0, -1.0), levels(-30.0, -20.0));
    for (key, level_lufs, raises) in [
        ("apple_music", -16.0, true),
        ("youtube", -14.0, false),
        ("tidal", -14.0, false),
        ("amazon_music", -14.0, false),
        ("deezer", -15.0, false),
        ("ebu_r128", -23.0, true),
        ("aes_music_track", -16.0, true),
        ("aes_speech", -18.0, true),
    ] {
        assert_eq!(play(key, loud, None).heard_lufs, level_lufs, "{key}");
        assert_eq!(play(key, soft, None).heard_lufs, if raises { level_lufs } else { -30.0 }, "{key}");
        assert_eq!(service(key).unwrap().rule.raises != Raises::Never, raises);
    }
    let album = Album { whole: levels(-12.0, -1.0), loudest_track_lufs: -9.0 };
    assert_eq!(play("aes_music_album", levels(-11.0, -2.0), Some(album)).gain_db, -5.0);
    assert_eq!(play("tidal", levels(-11.0, -2.0), Some(album)).gain_db, -2.0);
    assert_eq!(play("youtube", levels(-11.0, -2.0), Some(album)).gain_db, -3.0);
    assert_eq!(service("amazon_music").unwrap().peak_excess_db(loud), Some(1.0));
    assert_eq!(service("ebu_r128").unwrap().tolerance_lu, Some(0.5));
}

/// What is turned down again was limited for nothing: no more than was limited, no more than is turned down.
#[test]
fn limiting_for_nothing() {
    let loud = play("youtube", levels(-9.0, -1.0), None);
    assert_eq!((loud.for_nothing_db(8.0), loud.for_nothing_db(3.0), loud.for_nothing_db(0.0)), (5.0, 3.0, 0.0));
    assert_eq!(play("youtube", levels(-16.0, -1.0), None).for_nothing_db(8.0), 0.0);
    assert_eq!(play("spotify", levels(-20.0, -5.0), None).for_nothing_db(8.0), 0.0);
}

fn audition(params: &AuditionParams, audio: &mut [Vec<f32>; 2]) {
    let mut stage = Audition::<2>::new();
    stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 480 }, params).unwrap();
    let [left, right] = audio;
    for (left, right) in left.chunks_mut(480).zip(right.chunks_mut(480)) {
        stage.process(&mut Block::new([left, right]));
    }
}

/// Exactly the gain that stands there, from the first frame on, and nothing else.
#[test]
fn audition_plays_its_gain() {
    let input: Vec<f32> = (0..4800).map(|n| 0.9 * (TAU * 997.0 * f64::from(n) / 48_000.0).sin() as f32).collect();
    for service in AuditionService::ALL.iter().filter(|s| **s != AuditionService::SpotifyLoud) {
        for gain_db in [-9.37, 0.0, 6.5] {
            let mut audio = [input.clone(), input.clone()];
            audition(&AuditionParams { on: true, service: *service, gain_db }, &mut audio);
            let gain = 10f64.powf(gain_db / 20.0);
            let off = |(y, x): (&f32, &f32)| (f64::from(*y) - f64::from(*x) * gain).abs();
            let worst = audio[1].iter().zip(&input).map(off).fold(0.0, f64::max);
            // rounding to 24 bits of at most 1.9, and the decibel's own 1e-16
            assert!(worst <= 1.9 * 2f64.powi(-24), "{service:?}: {worst}");
        }
    }
}

/// Loud's limiter on a level that jumps: from 0 dB over the threshold's gain it goes 63 % of the way in 5 ms, ends where the
/// sample is at −1 dBFS, and comes back in 100 ms.
#[test]
fn spotify_louds_limiter_has_its_times() {
    let params = AuditionParams { on: true, service: AuditionService::SpotifyLoud, gain_db: 6.0 };
    // so that a steady level is a steady sample value: two frames at +a, two at −a
    let wave = |n: usize, level: f32| if (n / 2).is_multiple_of(2) { level } else { -level };
    let level = |n: usize| if (4_800..24_000).contains(&n) { 0.6 } else { 0.2 };
    let input: Vec<f32> = (0..48_000).map(|n| wave(n, level(n))).collect();
    // one side alone, quiet: both get one gain
    let mut audio = [input.clone(), input.iter().map(|s| 0.25 * s).collect::<Vec<f32>>()];
    let beside = audio[1].clone();
    audition(&params, &mut audio);
    let gain = 10f64.powf(6.0 / 20.0);
    let gain_at = |n: usize| f64::from(audio[1][n]) / (f64::from(beside[n]) * gain);
    let threshold = 10f64.powf(-1.0 / 20.0);
    let needed = threshold / (0.6 * gain);
    // single precision of a ratio; the gains are those after the frame
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    near(gain_at(4_799), 1.0);
    near(gain_at(4_799 + 240), needed + (1.0 - needed) * (-1f64).exp());
    near(gain_at(23_999), needed);
    near(f64::from(audio[0][23_999].abs()), threshold);
    near(gain_at(23_999 + 4_800), 1.0 + (needed - 1.0) * (-1f64).exp());
    // before the attack is done, a player clips at full scale
    assert!(audio[0].iter().all(|s| s.abs() <= 1.0) && audio[0][4_800].abs() == 1.0);
}

/// The search finds the gain of a limiter that flattens: closed forms of loudness over gain, concave as any limiter's.
#[test]
fn learning_converges() {
    type Curve = fn(f64) -> f64;
    // no limiting; soft saturation at −8 LUFS; a corner
    let curves: [Curve; 3] = [
        |gain_db| gain_db - 20.0,
        |gain_db| -8.0 - 12.0 * (-gain_db / 12.0).exp(),
        |gain_db| if gain_db < 5.0 { gain_db - 20.0 } else { 0.4 * (gain_db - 5.0) - 15.0 },
    ];
    for (which, curve) in curves.iter().enumerate() {
        let mut search = Search::new(-11.0);
        let mut gain_db = 0.0;
        let mut steps = 0;
        loop {
            let next_db = search.next_gain_db(gain_db, curve(gain_db));
            if search.missing_lu().unwrap().abs() < 0.05 {
                break;
            }
            gain_db = next_db;
            steps += 1;
            assert!(steps <= 6, "curve {which} does not converge: {gain_db}");
        }
        assert!((curve(gain_db) + 11.0).abs() < 0.05);
    }
}

/// Its controls, moved over their ranges in 100 ms under 1 kHz at −12 dBFS, leave no line over −80 dBFS further than 200 Hz from
/// the tone.
#[test]
fn auditions_moves_do_not_click() {
    let (frames, window, ramp) = (40_960, 32_768, 4_800.0);
    type Move = fn(f64) -> AuditionParams;
    const LOUD: AuditionParams = AuditionParams { on: true, service: AuditionService::SpotifyLoud, gain_db: 0.0 };
    let moves: [(&str, Move); 3] = [
        ("gain", |t| AuditionParams { gain_db: -40.0 + 70.0 * t, service: AuditionService::Deezer, ..LOUD }),
        ("on", |t| AuditionParams { on: t >= 0.5, gain_db: -9.0, service: AuditionService::YouTube }),
        ("service", |t| AuditionParams { service: AuditionService::ALL[(11.0 * t) as usize], ..LOUD }),
    ];
    // Blackman and Harris, four terms: side lobes at −92 dB
    let terms = [0.358_75, -0.488_29, 0.141_28, -0.011_68];
    let shape = |n: usize| -> f64 {
        terms.iter().enumerate().map(|(k, a)| a * (TAU * (k * n) as f64 / window as f64).cos()).sum()
    };
    let fft = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(window);
    for (name, params) in moves {
        let at = |frame: usize| params(((frame as f64 - 20_000.0) / ramp).clamp(0.0, 1.0));
        let mut stage = Audition::<1>::new();
        stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 64 }, &at(0)).unwrap();
        let tone = |n: usize| (0.251_19 * (TAU * 1000.0 * n as f64 / 48_000.0).sin()) as f32;
        let mut audio: Vec<f32> = (0..frames).map(tone).collect();
        for (block, audio) in audio.chunks_mut(64).enumerate() {
            stage.set_params(&at(block * 64));
            stage.process(&mut Block::new([audio]));
        }
        let from = frames - window;
        let mut samples: Vec<f64> = (0..window).map(|n| f64::from(audio[from + n]) * shape(n)).collect();
        let mut spectrum = fft.make_output_vec();
        fft.process(&mut samples, &mut spectrum).unwrap();
        let gain = 2.0 / (terms[0] * window as f64);
        let hz = |bin: usize| bin as f64 * 48_000.0 / window as f64;
        let line = spectrum.iter().enumerate().filter(|(bin, _)| (hz(*bin) - 1000.0).abs() > 200.0);
        let line_db = 20.0 * (line.map(|(_, bin)| bin.norm()).fold(0.0, f64::max) * gain).log10();
        assert!(line_db <= -80.0, "{name}: {line_db:.1} dBFS");
    }
}
