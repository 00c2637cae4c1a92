//! The mastering bus as a whole: its ceiling behind dither, what it reads, what it plays.

// the platform's functions are a second opinion here
#![allow(clippy::disallowed_methods)]

use crate::peak_meters;

use dsp_core::block::Block;
use dsp_core::chain::Chain;
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams, MasteringReading};
use dsp_core::delivery::audition::AuditionService;
use dsp_core::dither::{DitherBits, DitherNoise};
use dsp_core::dynamics::limiter::LearnFrom;
use dsp_core::metering::word_length::WordLength;
use dsp_core::processor::{Processor, StreamConfig};
use ebur128::{EbuR128, Mode};

type Stereo = [Vec<f32>; 2];

const RATE_HZ: usize = 48_000;

/// Falling noise, the two sides unlike, loud and soft by turns of a second, peaks under `peak`.
fn programme(seconds: f64, peak: f32) -> Stereo {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    [0, 1].map(|side| {
        let mut low = 0.0;
        (0..(seconds * RATE_HZ as f64) as usize)
            .map(|n| {
                low += 0.2 * (random() - low);
                let swell = if ((n + side * 9000) / RATE_HZ).is_multiple_of(2) { 1.0 } else { 0.4 };
                peak * (1.4 * swell * low).clamp(-1.0, 1.0)
            })
            .collect()
    })
}

struct Bus {
    bus: MasteringBus<2>,
}

impl Bus {
    fn new(params: &MasteringBusParams) -> Self {
        let mut bus = MasteringBus::new();
        bus.prepare(StreamConfig { sample_rate_hz: RATE_HZ as f64, max_frames: 512 }, params).unwrap();
        Bus { bus }
    }

    /// With the latency taken off.
    fn run(&mut self, audio: &Stereo) -> Stereo {
        let latency = self.bus.latency_frames();
        let mut out = audio.clone();
        out.iter_mut().for_each(|side| side.resize(side.len() + latency, 0.0));
        let [left, right] = &mut out;
        for (left, right) in left.chunks_mut(512).zip(right.chunks_mut(512)) {
            self.bus.process(&mut Block::new([left, right]));
        }
        out.map(|side| side[latency..].to_vec())
    }

    fn reading(&mut self) -> MasteringReading {
        self.bus.reading()
    }
}

fn integrated_lufs(audio: &Stereo) -> f64 {
    let mut meter = EbuR128::new(2, RATE_HZ as u32, Mode::I).unwrap();
    meter.add_frames_planar_f32(&[&audio[0], &audio[1]]).unwrap();
    meter.loudness_global().unwrap()
}

/// The ceiling holds behind dither: no sample is over it, nor any true-peak meter by more than without; and what goes out is
/// on the grid of its word length.
#[test]
fn ceiling_holds_behind_dither() {
    // 32 times the frames, and what silence is added, are 2^20 points of the reference
    let audio = programme(0.66, 0.9);
    let over_db = |audio: &Stereo| {
        let highest = |meter: fn(&[f32]) -> f64| audio.iter().map(|side| meter(side)).fold(0.0, f64::max);
        let peaks = [
            highest(peak_meters::reference_true_peak),
            highest(|side| peak_meters::ebur128_true_peak(side, RATE_HZ as f64)),
            highest(peak_meters::literal_true_peak),
        ];
        peaks.map(|peak| 20.0 * peak.log10() + 1.0)
    };
    let mut params = MasteringBusParams::default();
    params.limiter.gain_db = 12.0;
    params.limiter.ceiling_dbtp = -1.0;
    let without_db = over_db(&Bus::new(&params).run(&audio));
    for word_length in [DitherBits::Bits24, DitherBits::Bits16, DitherBits::Bits12, DitherBits::Bits8] {
        for noise in DitherNoise::ALL {
            params.dither.word_length = word_length;
            params.dither.noise = *noise;
            let out = Bus::new(&params).run(&audio);
            let ceiling = 10f64.powf(-1.0 / 20.0);
            let half = f64::from(1u32 << (word_length.bits().unwrap() - 1));
            for side in &out {
                let peak = side.iter().fold(0.0, |peak: f64, s| peak.max(f64::from(s.abs())));
                assert!(peak <= ceiling, "{word_length:?}, {noise:?}: {peak}");
                assert!(side.iter().all(|s| (f64::from(*s) * half).fract() == 0.0));
            }
            for (over_db, without_db) in over_db(&out).into_iter().zip(without_db) {
                // the limiter's gains follow another ceiling: hundredths
                assert!(over_db <= without_db + 0.01, "{word_length:?}, {noise:?}: {over_db} dB, {without_db} without");
            }
        }
    }
}

/// The meter behind it sees the word length.
#[test]
fn meter_reads_what_goes_out() {
    let mut params = MasteringBusParams::default();
    params.input.trim_db = -2.0;
    let audio = programme(4.0, 0.7);
    let mut bus = Bus::new(&params);
    bus.run(&audio);
    let reading = bus.reading();
    assert_eq!(reading.word_length, Some(WordLength::Float));
    let peak = audio.iter().flatten().fold(0.0f32, |peak, s| peak.max(s.abs()));
    let incoming = reading.incoming_peak_dbfs.unwrap();
    // single precision
    assert!((incoming - (20.0 * f64::from(peak).log10() - 2.0)).abs() < 1e-5, "{incoming}");
    assert!(reading.psr_db.is_some() && reading.plr_db.is_some() && reading.correlation.whole.is_some());
    assert!(reading.loudness.mono_fold_loss_lu.is_some() && reading.loudness.loudness_range_lu.is_some());
    assert!(reading.measuring && (reading.measured_seconds - 4.0).abs() < 0.1);

    params.dither.word_length = DitherBits::Bits16;
    let mut bus = Bus::new(&params);
    bus.run(&audio);
    assert_eq!(bus.reading().word_length, Some(WordLength::Bits(16)));
}

/// The learned gain brings the programme, or its loudest passage, to the target: at once where nothing is limited, and with a
/// second measurement closer where it is. Nothing moves by itself, and another gain on the way means no answer.
#[test]
fn gain_is_learned() {
    let audio = programme(8.0, 0.1);
    let mut params = MasteringBusParams::default();
    params.limiter.learn_target_lufs = -20.0;
    for learn_from in [LearnFrom::WholeProgramme, LearnFrom::LoudestPassage] {
        params.limiter.learn_from = learn_from;
        params.limiter.gain_db = 1.0;
        let mut bus = Bus::new(&params);
        assert_eq!(bus.reading().learned_gain_db, None);
        let before = bus.run(&audio);
        let learned_db = bus.reading().learned_gain_db.unwrap();
        assert!(learned_db > 1.0);
        if learn_from == LearnFrom::WholeProgramme {
            let expected_db = 1.0 - 20.0 - integrated_lufs(&before);
            // meters agree within 0.01 LU
            assert!((learned_db - expected_db).abs() < 0.01, "{learned_db} {expected_db}");
        }
        params.limiter.gain_db = learned_db;
        let mut bus = Bus::new(&params);
        bus.run(&audio);
        let loudness = bus.reading().loudness;
        let reached = match learn_from {
            LearnFrom::WholeProgramme => loudness.integrated_lufs,
            LearnFrom::LoudestPassage => loudness.short_term_max_lufs,
        };
        // the gain is kept in hundredths
        assert!((reached.unwrap() + 20.0).abs() < 0.02, "{learn_from:?}: {reached:?}");
    }

    let mut bus = Bus::new(&params);
    bus.run(&audio);
    params.limiter.gain_db += 1.0;
    bus.bus.set_params(&params);
    assert_eq!(bus.reading().learned_gain_db, None);
    params.meter.restart = true;
    bus.bus.set_params(&params);
    bus.run(&audio);
    assert!(bus.reading().learned_gain_db.is_some());
    for silence in [
        |p: &mut MasteringBusParams| p.bypass = true,
        |p: &mut MasteringBusParams| p.limiter.on = false,
        |p: &mut MasteringBusParams| p.limiter.unity_gain = true,
        |p: &mut MasteringBusParams| p.limiter.delta = true,
    ] {
        let mut params = params;
        silence(&mut params);
        let mut bus = Bus::new(&params);
        bus.run(&audio);
        assert_eq!(bus.reading().learned_gain_db, None);
    }
}

/// A service's gain, written into the audition, is heard at the service's level, by another meter; the meter goes on
/// reading the master; and what was limited for nothing is what the service takes back.
#[test]
fn audition_is_heard_at_the_services_level() {
    let audio = programme(6.0, 0.5);
    let mut params = MasteringBusParams::default();
    params.limiter.gain_db = 9.0;
    let mut bus = Bus::new(&params);
    let master_lufs = integrated_lufs(&bus.run(&audio));
    let reading = bus.reading();
    assert!(master_lufs > -13.0 && reading.largest_reduction_db > 3.0, "{master_lufs} {reading:?}");
    for service in [AuditionService::Spotify, AuditionService::SpotifyQuiet, AuditionService::YouTube] {
        let playback = reading.deliveries[service as usize].unwrap();
        let level_lufs = if service == AuditionService::SpotifyQuiet { -19.0 } else { -14.0 };
        assert!((playback.gain_db - (level_lufs - master_lufs)).abs() < 0.01, "{service:?}: {playback:?}");
        let for_nothing_db = playback.for_nothing_db(reading.largest_reduction_db);
        assert!((for_nothing_db - (-playback.gain_db).min(reading.largest_reduction_db)).abs() < 1e-12);
        params.audition.on = true;
        params.audition.service = service;
        params.audition.gain_db = playback.gain_db;
        let mut bus = Bus::new(&params);
        let heard_lufs = integrated_lufs(&bus.run(&audio));
        // the gain is kept in hundredths
        assert!((heard_lufs - level_lufs).abs() < 0.02, "{service:?}: {heard_lufs}");
        let still = bus.reading().loudness.integrated_lufs.unwrap();
        assert!((still - master_lufs).abs() < 0.01, "{service:?}: {still}");
    }
}
