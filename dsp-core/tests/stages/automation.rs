//! What automation leaves beside the music: every control of Tandem Channel that a host may move, ramped over its whole
//! range in 100 ms under a 1 kHz sine at −12 dBFS. The result is `docs/automation.md`, which this test holds to be true;
//! `cargo xtask tables` writes it anew.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::disallowed_types)] // a test's own measurement, and its report

use dsp_core::block::Block;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::controls::{self, Kind, Listed};
use dsp_core::processor::{Processor, StreamConfig};
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const RATE_HZ: f64 = 48_000.0;
const TONE_HZ: f64 = 1000.0;
/// The tone's period; the steady output of a strip without modulation repeats with it.
const PERIOD: usize = 48;
/// 100 ms.
const RAMP_FRAMES: usize = 4_800;
/// What is analysed, the ramp in its middle.
const WINDOW_FRAMES: usize = 1 << 15;
/// A host writes automation this often.
const BLOCK_FRAMES: usize = 64;
/// Further than this from an expected product is splatter.
const NEAR_HZ: f64 = 200.0;
/// The bound, in dBFS.
const MOST_DB: f64 = -80.0;
/// Lower is not told apart.
const FLOOR_DB: f64 = -140.0;

/// What cannot stay under the bound: row, why, and the level that is promised instead, in dBFS.
const EXCEPTIONS: &[(&str, &str, f64)] = &[
    (
        "eq.band_*.frequency_hz",
        "what rings in a band goes along with it; under −115 from 500 Hz off the tone on",
        -75.0,
    ),
    (
        "eq.band_*.key",
        "another key is another level: the gain leaves with the attack's slope, as it does for a sound",
        -70.0,
    ),
    ("compressor.external_key", FASTEST, -75.0),
    ("compressor.key.low_cut_hz", FASTEST, -78.0),
];
const FASTEST: &str = "at 0.02 and 5 ms the gain follows the key wherever it is moved; under −97 at 10 and 100 ms";

/// Controls that do nothing to a steady tone: they say how a level that changes is followed, not where it goes; and the
/// two ways to measure agree on a sine.
const STEADY: &[&str] =
    &["attack_ms", "release_ms", "hold_ms", "hysteresis_db", "auto_release", "rms_percent", "time_change"];

/// What the tone makes by itself.
#[derive(Clone, Copy, PartialEq)]
enum Products {
    /// Itself.
    Tone,
    /// Itself and its harmonics; at 48 kHz those of 1 kHz that fold back fall on one another.
    Harmonics,
}

fn products(group: &str) -> Products {
    if matches!(group, "saturation" | "order" | "delay") { Products::Harmonics } else { Products::Tone }
}

/// Settings under which a control matters, several where it can matter in several ways; the control itself aside.
fn scenes(id: &str) -> Vec<ChannelStripParams> {
    let group = id.split('.').next().unwrap_or_default();
    let last = id.rsplit('.').next().unwrap_or_default();
    let with = |more: &[(&str, f64)]| {
        let mut params = ChannelStripParams::default();
        set(&mut params, &[group, ".on"].concat(), 1.0);
        for (key, value) in more {
            assert!(set(&mut params, key, *value), "there is no control {key}");
        }
        params
    };
    match group {
        "bypass" => vec![with(&[("input.trim_db", -9.0), ("output.gain_db", -3.0)])],
        "match_bypass" => vec![with(&[("bypass", 1.0), ("match_gain_db", 9.0)])],
        "match_gain_db" => vec![with(&[("bypass", 1.0), ("match_bypass", 1.0)])],
        // modules that do not commute
        "order" => vec![with(&[
            ("eq.band_3.on", 1.0),
            ("eq.band_3.frequency_hz", 1000.0),
            ("eq.band_3.gain_db", 6.0),
            ("compressor.on", 1.0),
            ("compressor.threshold_db", -24.0),
            ("saturation.drive_db", 9.0),
        ])],
        "gate" => {
            let key = [
                ("gate.hysteresis_db", 0.0),
                ("gate.hold_ms", 0.0),
                ("gate.release_ms", 50.0),
                ("gate.attack_ms", 10.0),
                ("gate.key.on", 1.0),
                ("gate.key.bell_hz", 1000.0),
                ("gate.key.bell_gain_db", 3.0),
                ("gate.key.low_cut_hz", 300.0),
            ];
            // under its threshold, where an expander works
            [("gate.ratio", 2.0, -5.0), ("gate.ratio", 3.0, -3.0)]
                .map(|(ratio, r, t)| with(&[&key[..], &[(ratio, r), ("gate.threshold_db", t)]].concat()))
                .into()
        }
        "eq" => equalizer_scenes(id, with),
        "compressor" => {
            let work = [
                // the widest knee reaches down to the threshold's 18 dB
                ("compressor.threshold_db", if last == "knee_db" { -15.0 } else { -30.0 }),
                ("compressor.ratio", 8.0),
                ("compressor.key.on", 1.0),
                ("compressor.key.bell_hz", 1000.0),
                ("compressor.key.bell_gain_db", 6.0),
                ("compressor.key.low_cut_hz", 300.0),
                ("compressor.auto_make_up_db", 5.0),
                ("compressor.auto_make_up", f64::from(u8::from(last == "auto_make_up_db"))),
            ];
            [(0.02, 5.0), (10.0, 100.0)]
                .map(|(attack, release)| {
                    let times = [("compressor.attack_ms", attack), ("compressor.release_ms", release)];
                    with(&[&work[..], &times].concat())
                })
                .into()
        }
        "saturation" => (0..6)
            .map(|model| {
                with(&[
                    ("saturation.model", f64::from(model)),
                    ("saturation.drive_db", 12.0),
                    ("saturation.bias_percent", 20.0),
                    ("saturation.tone_before_db", 3.0),
                ])
            })
            .collect(),
        "panner" => {
            let mode = match last {
                "left_pan" | "right_pan" => 2.0,
                "pan" | "law" => 1.0,
                _ => 0.0,
            };
            vec![with(&[
                ("panner.mode", mode),
                ("panner.pan", 40.0),
                ("panner.left_pan", -70.0),
                ("panner.mono_below", f64::from(u8::from(last == "mono_below_hz"))),
                ("panner.mono_below_hz", 300.0),
            ])]
        }
        "delay" => {
            let mut echoes = vec![
                ("delay.time_ms", 20.0),
                ("delay.right_time_ms", 31.0),
                ("delay.mix_percent", 50.0),
                ("delay.drive_db", 3.0),
                ("delay.width_percent", 80.0),
                ("delay.mode", f64::from(u8::from(last.starts_with("right_")))),
                ("delay.sync", f64::from(u8::from(last.ends_with("note")))),
            ];
            match last {
                "wow_rate_hz" => echoes.push(("delay.wow_percent", 0.5)),
                "flutter_rate_hz" => echoes.push(("delay.flutter_percent", 0.3)),
                _ => (),
            }
            vec![with(&echoes)]
        }
        // so short a decay that the tone is steady when the ramp begins
        "reverb" => vec![with(&[
            ("reverb.space", 0.0),
            ("reverb.decay_seconds", 0.15),
            ("reverb.low_decay_percent", 50.0),
            ("reverb.modulation_depth_percent", if last == "modulation_rate_hz" { 100.0 } else { 0.0 }),
            ("reverb.pre_delay_sync", f64::from(u8::from(last == "pre_delay_note"))),
            ("reverb.mix_percent", 50.0),
        ])],
        _ => vec![with(&[])],
    }
}

/// Each band has another shape, so that a row of bands is one of shapes.
fn equalizer_scenes(id: &str, with: impl Fn(&[(&str, f64)]) -> ChannelStripParams) -> Vec<ChannelStripParams> {
    let band = id.split('.').find_map(|part| part.strip_prefix("band_")).map_or(1, |n| n.parse::<usize>().unwrap());
    let place = ["eq.band_", &band.to_string(), "."].concat();
    let shape = (band - 1) % 9;
    let scene = |dynamic: bool| {
        let mut params = with(&[]);
        for (key, value) in [
            ("on", 1.0),
            ("shape", shape as f64),
            ("frequency_hz", 800.0),
            ("gain_db", 6.0),
            ("q", 1.0),
            ("range_db", if dynamic { -12.0 } else { 0.0 }),
            ("threshold_db", -30.0),
        ] {
            set(&mut params, &[&place, key].concat(), value);
        }
        params
    };
    vec![scene(false), scene(true)]
}

/// Sets a control by its id; false where there is none.
fn set(params: &mut ChannelStripParams, id: &str, value: f64) -> bool {
    let index = controls::list::<ChannelStripParams>().iter().position(|l| l.id == id);
    index.inspect(|i| controls::set(params, *i, value)).is_some()
}

/// Highest line and peak of what lies outside of the expected products, in dBFS, and whether anything moved at all.
#[derive(Clone, Copy)]
struct Splatter {
    line_db: f64,
    peak_db: f64,
    moved: bool,
}

impl Splatter {
    fn worst(self, other: Splatter) -> Splatter {
        Splatter {
            line_db: self.line_db.max(other.line_db),
            peak_db: self.peak_db.max(other.peak_db),
            moved: self.moved || other.moved,
        }
    }
}

/// Reused from one measurement to the next.
struct Bench {
    window: Vec<f64>,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

impl Bench {
    fn new() -> Self {
        // Kaiser, β = 20: side lobes below −150 dB, a main lobe of 7 bins, 10 Hz, on either side
        let bessel = |x: f64| {
            (1..60)
                .fold((1.0, 1.0), |(sum, term), k| {
                    let term = term * (x / 2.0 / f64::from(k)).powi(2);
                    (sum + term, term)
                })
                .0
        };
        let at = |n: usize| 2.0 * n as f64 / (WINDOW_FRAMES - 1) as f64 - 1.0;
        let window = |n| bessel(20.0 * (1.0 - at(n) * at(n)).max(0.0).sqrt()) / bessel(20.0);
        let mut planner = RealFftPlanner::new();
        Bench {
            window: (0..WINDOW_FRAMES).map(window).collect(),
            forward: planner.plan_fft_forward(WINDOW_FRAMES),
            inverse: planner.plan_fft_inverse(WINDOW_FRAMES),
        }
    }

    fn splatter(&self, sound: &[f32], products: Products) -> Splatter {
        let mut samples: Vec<f64> = sound.iter().zip(&self.window).map(|(x, w)| f64::from(*x) * w).collect();
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut samples, &mut spectrum).unwrap();
        let gain = 2.0 / self.window.iter().sum::<f64>();
        let mut highest = 0.0f64;
        for (bin, line) in spectrum.iter_mut().enumerate() {
            let hz = bin as f64 * RATE_HZ / WINDOW_FRAMES as f64;
            let nearest = match products {
                Products::Tone => TONE_HZ,
                Products::Harmonics => (hz / TONE_HZ).round() * TONE_HZ,
            };
            if (hz - nearest).abs() <= NEAR_HZ {
                *line = Complex64::default();
            }
            highest = highest.max(line.norm());
        }
        (spectrum[0].im, spectrum[WINDOW_FRAMES / 2].im) = (0.0, 0.0);
        self.inverse.process(&mut spectrum, &mut samples).unwrap();
        let peak = samples.iter().fold(0.0f64, |peak, x| peak.max(x.abs())) / WINDOW_FRAMES as f64;
        let db = |x: f64| (20.0 * x.log10()).max(FLOOR_DB);
        let moved = sound.iter().skip(PERIOD).zip(sound).any(|(x, before)| (x - before).abs() > 1e-5);
        Splatter { line_db: db(highest * gain), peak_db: db(peak), moved }
    }

    /// Both ways through the range of the control at `index`.
    fn measure(&self, index: usize, listed: &Listed, base: &ChannelStripParams) -> Splatter {
        let group = listed.id.split('.').next().unwrap_or_default();
        // echoes and reverberation have to build up
        let settle = (RATE_HZ * if matches!(group, "delay" | "reverb") { 1.0 } else { 0.25 }) as usize;
        let frames = settle + WINDOW_FRAMES;
        let tone = |amplitude: f64, phase: f64| -> Vec<f32> {
            let fade = |n: usize| 0.5 - 0.5 * (TAU / 2.0 * (n as f64 / 2400.0).min(1.0)).cos();
            let angle = |n: usize| TAU * TONE_HZ / RATE_HZ * (n % PERIOD) as f64 + phase;
            (0..frames).map(|n| (amplitude * fade(n) * angle(n).sin()) as f32).collect()
        };
        // sides that differ in level and phase, so that width and place matter
        let input = [tone(10f64.powf(-0.6), 0.4), tone(0.6 * 10f64.powf(-0.6), 1.7)];
        let side_chain = [tone(10f64.powf(-2.0), 0.9), tone(10f64.powf(-1.8), 2.0)];
        let mut worst = Splatter { line_db: FLOOR_DB, peak_db: FLOOR_DB, moved: false };
        for down in [false, true] {
            let at = |travel: f64| {
                let mut params = *base;
                let travel = travel.clamp(0.0, 1.0);
                let travel = if down { 1.0 - travel } else { travel };
                controls::set(&mut params, index, listed.control.kind.value_at(travel));
                params
            };
            let mut strip = ChannelStrip::<2>::new();
            let config = StreamConfig { sample_rate_hz: RATE_HZ, max_frames: BLOCK_FRAMES };
            strip.prepare(config, &at(0.0)).unwrap();
            let [mut left, mut right] = input.clone();
            let start = settle + (WINDOW_FRAMES - RAMP_FRAMES) / 2;
            for at_frame in (0..frames).step_by(BLOCK_FRAMES) {
                let end = (at_frame + BLOCK_FRAMES).min(frames);
                strip.set_params(&at((at_frame as f64 - start as f64) / RAMP_FRAMES as f64));
                let key = side_chain.each_ref().map(|side| &side[at_frame..end]);
                let block = Block::new([&mut left[at_frame..end], &mut right[at_frame..end]]);
                strip.process(&mut block.with_side_chain(Some(key)));
            }
            for side in [&left, &right] {
                worst = worst.worst(self.splatter(&side[settle..], products(group)));
            }
        }
        worst
    }
}

/// One line of the table: a control, or the same one of all bands.
struct Row {
    id: String,
    name: String,
    kind: &'static Kind,
    splatter: Splatter,
}

/// `eq.band_3.q` and `EQ 3 Q` become `eq.band_*.q` and `EQ 1–12 Q`.
fn of_all_bands(listed: &Listed) -> (String, String) {
    let number = |part: &str| part.rsplit_once('_').and_then(|(_, n)| n.parse::<usize>().ok());
    let Some(n) = listed.id.split('.').find_map(number) else { return (listed.id.clone(), listed.name.clone()) };
    let id = listed.id.replace(&["_", &n.to_string(), "."].concat(), "_*.");
    let bands = controls::list::<ChannelStripParams>();
    let (start, end) = id.split_once('*').unwrap();
    let count = bands.iter().filter(|l| l.id.starts_with(start) && l.id.ends_with(end)).count();
    let several = ["1–", &count.to_string()].concat();
    (id, listed.name.replacen(&n.to_string(), &several, 1))
}

fn measured() -> Vec<Row> {
    let list = controls::list::<ChannelStripParams>();
    let jobs: Vec<(usize, ChannelStripParams)> = (0..list.len())
        .filter(|i| !list[*i].control.structural)
        .flat_map(|i| scenes(&list[i].id).into_iter().map(move |scene| (i, scene)))
        .collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let bench = Bench::new();
                while let Some((index, scene)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let splatter = bench.measure(*index, &list[*index], scene);
                    done.lock().unwrap().push((*index, splatter));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    let mut rows: Vec<Row> = vec![];
    for (index, splatter) in done {
        let (id, name) = of_all_bands(&list[index]);
        println!("{:40} {:7.1} {:7.1}", list[index].id, splatter.line_db, splatter.peak_db);
        match rows.iter_mut().find(|row| row.id == id) {
            Some(row) => row.splatter = row.splatter.worst(splatter),
            None => rows.push(Row { id, name, kind: &list[index].control.kind, splatter }),
        }
    }
    rows
}

const HEAD: &str = "# What automation leaves beside the music

Each control of Tandem Channel that a host can automate, moved over its whole range in 100 ms, up and down, in blocks of
64 frames, while both sides carry a 1 kHz sine (−12 and −16.4 dBFS, in different phase) and the control's stage is at
work. *Line* is the highest spectral line further than 200 Hz from what is expected (the tone; with saturation its
harmonics), *peak* the peak of everything there together, both in dBFS, by a Kaiser window of 0.68 s. A line stays
under −80 dBFS, or the table says why not. Switches are thrown, and lists walked through, within the same time.

Written by `cargo xtask tables`; `dsp-core/tests/stages/automation.rs` fails where it is no longer true.

| control | moved | line | peak | |
|---|---|--:|--:|---|
";

fn table(rows: &[Row]) -> String {
    let mut text = HEAD.to_owned();
    let figure = |db: f64| if db <= -120.0 { "< −120".to_owned() } else { format!("−{}", -db.round()) };
    for row in rows {
        let moved = match row.kind {
            Kind::Switch => "off, on".to_owned(),
            Kind::Choice(choices) => format!("{} choices", choices.len()),
            Kind::Float(range) => {
                let text = |value| dsp_core::text::format(row.kind, value);
                format!("{} … {}", text(range.min), text(range.max))
            }
        };
        let reason = EXCEPTIONS.iter().find(|(id, ..)| *id == row.id).map(|(_, reason, _)| *reason);
        let note = reason.unwrap_or(if row.splatter.moved { "" } else { "moves nothing under a steady tone" });
        let (line, peak) = (figure(row.splatter.line_db), figure(row.splatter.peak_db));
        writeln!(text, "| {} | {moved} | {line} | {peak} | {note} |", row.name).unwrap();
    }
    let list = controls::list::<ChannelStripParams>();
    let structural: Vec<&str> = list.iter().filter(|l| l.control.structural).map(|l| l.name.as_str()).collect();
    writeln!(text, "\nNot automatable, since latency or memory depends on them: {}.", structural.join(", ")).unwrap();
    text
}

#[test]
fn automation_leaves_nothing_beside_the_music() {
    let rows = measured();
    for row in &rows {
        println!("{:40} {:7.1} {:7.1} {}", row.id, row.splatter.line_db, row.splatter.peak_db, row.splatter.moved);
    }
    let mut faults = vec![];
    for Row { id, splatter, .. } in &rows {
        let exception = EXCEPTIONS.iter().find(|(of, ..)| of == id);
        let most_db = exception.map_or(MOST_DB, |(_, _, db)| *db);
        if splatter.line_db > most_db {
            faults.push(format!("{id}: {:.1} dBFS of splatter, at most {most_db} is promised", splatter.line_db));
        }
        if exception.is_some() && splatter.line_db <= MOST_DB {
            faults.push(format!("{id} needs no exception any more"));
        }
        if !splatter.moved && !STEADY.iter().any(|t| id.ends_with(t)) {
            faults.push(format!("{id} moves nothing: give it a scene in which it matters"));
        }
    }
    faults.extend(EXCEPTIONS.iter().filter(|(of, ..)| rows.iter().all(|r| r.id != *of)).map(|e| e.0.to_owned()));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/automation.md");
    let text = table(&rows);
    if std::env::var_os("TANDEM_WRITE_TABLES").is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == text, "docs/automation.md is not what is measured now: cargo xtask tables writes it anew");
    }
}
