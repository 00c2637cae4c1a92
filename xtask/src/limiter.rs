//! The limiter's figures on real programme, by meters that are not ours: `docs/limiter.md`.

#[path = "../../dsp-core/tests/stages/peak_meters.rs"]
mod peak_meters;

use crate::demo::with_progress;
use anyhow::{Context, Result};
use dsp_core::block::Block;
use dsp_core::dynamics::limiter::{Limiter, LimiterParams, LimiterStyle};
use dsp_core::processor::{Processor, StreamConfig};
use ebur128::{EbuR128, Mode};
use std::f64::consts::{PI, TAU};
use std::fmt::Write;
use std::path::Path;
use tandem_render::direct::DirectRack;
use tandem_render::engine::{self, BlockPlan};
use tandem_render::session;

type Stereo = [Vec<f32>; 2];

const CEILING_DBTP: f64 = -1.0;
/// How far over the ceiling the mix's highest peak is driven, in decibels.
const PUSHES_DB: [f64; 3] = [3.0, 6.0, 12.0];
const BLOCK_FRAMES: usize = 512;

/// Mixes the demo session and writes what the limiter makes of it to `out`.
pub fn run(out: &Path) -> Result<()> {
    let session = session::read(Path::new("demo/session.toml"))?;
    let mix = with_progress("mixing the demo session", |progress| {
        Ok(engine::render(&session, &mut DirectRack, BlockPlan::Fixed(BLOCK_FRAMES), progress)?.mix)
    })?;
    let rate_hz = session.sample_rate_hz;
    let text = with_progress("limiting it", |progress| document(&mix, rate_hz, progress))?;
    std::fs::write(out, text).with_context(|| format!("{} cannot be written", out.display()))?;
    println!("  {}", out.display());
    Ok(())
}

fn document(mix: &Stereo, rate_hz: u32, progress: &mut dyn FnMut(&str, f64)) -> Result<String> {
    let mix_peak_db = db(greatest(mix, reference_true_peak));
    let mut text = String::new();
    writeln!(
        text,
        "# The limiter, measured\n\n\
         Made by `cargo xtask limiter`. The mix of the demo session ({:.1} s, {:.1} LUFS, crest factor {:.1} dB) drives the\n\
         limiter until its highest true peak would be 3, 6 and 12 dB over the ceiling of {CEILING_DBTP} dBTP; all else is at its\n\
         default: 3 ms lookahead, automatic release, true peak on.\n\n\
         - **Over**: the highest true peak less the ceiling, in dB, by an ideal interpolator at 32 times the rate, by the\n\
           `ebur128` crate, and by the table of BS.1770-5, Annex 2, to the letter. The last two may err by some tenths on\n\
           what lies near 20 kHz; none of the three is ours. The limiter's 0.01 dB by the ideal one is a promise for programme\n\
           to 20 kHz (`dsp-core/tests/stages/limiter.rs`); this mix goes on above. 0.1 dB by the other two is a promise for this.\n\
         - **Loudness**: integrated, by `ebur128`; in brackets what each decibel of drive brought, from no drive on.\n\
         - **Crest**: sample peak over RMS; in brackets what of the mix's is lost.\n\
         - **THD**: harmonics of a tone at the ceiling, driven by as much, once it has settled. A clip distorts by nature.\n\
         - **Bits**: the first digits of the SHA-256 of the limited mix. They are the same on every machine, at any block\n\
           size: the limiter uses no function of the platform's, no fused multiply-add, and vectors whose lanes are frames of\n\
           their own, so that neither the width of the registers nor the cut of the stream changes a bit.\n\n\
         | style | drive | over: ideal | `ebur128` | literal | loudness | crest | THD 50 Hz | THD 1 kHz | bits |\n\
         |---|---|---|---|---|---|---|---|---|---|",
        mix[0].len() as f64 / f64::from(rate_hz),
        loudness(mix, rate_hz)?,
        crest_db(mix),
    )?;
    let undriven_lufs = loudness(mix, rate_hz)? + CEILING_DBTP - mix_peak_db;
    let rows = LimiterStyle::ALL.len() * PUSHES_DB.len();
    let mut done = 0;
    for (style, choice) in LimiterStyle::ALL.iter().zip(LimiterStyle::CHOICES) {
        for push_db in PUSHES_DB {
            progress(choice.label, done as f64 / rows as f64);
            done += 1;
            let gain_db = CEILING_DBTP - mix_peak_db + push_db;
            let params =
                LimiterParams { style: *style, ceiling_dbtp: CEILING_DBTP, gain_db, ..LimiterParams::default() };
            let limited = limited(&params, mix, rate_hz)?;
            let over = |meter: &dyn Fn(&[f32]) -> f64| db(greatest(&limited, meter)) - CEILING_DBTP;
            let lufs = loudness(&limited, rate_hz)?;
            let tone = LimiterParams { gain_db: push_db, ..params };
            writeln!(
                text,
                "| {} | +{push_db} dB | {:+.3} | {:+.3} | {:+.3} | {lufs:.2} LUFS ({:.2} LU/dB) | {:.1} dB ({:.1}) | {:.1} dB | {:.1} dB | `{}` |",
                choice.label,
                over(&reference_true_peak),
                over(&|side| peak_meters::ebur128_true_peak(side, f64::from(rate_hz))),
                over(&peak_meters::literal_true_peak),
                (lufs - undriven_lufs) / push_db,
                crest_db(&limited),
                crest_db(mix) - crest_db(&limited),
                distortion_db(&tone, 50.0, rate_hz)?,
                distortion_db(&tone, 1000.0, rate_hz)?,
                &engine::sha256(&limited)[..12],
            )?;
        }
    }
    Ok(text)
}

/// The limited audio without the limiter's latency.
fn limited(params: &LimiterParams, audio: &Stereo, rate_hz: u32) -> Result<Stereo> {
    let mut limiter = Limiter::<2>::new();
    limiter.prepare(StreamConfig { sample_rate_hz: f64::from(rate_hz), max_frames: BLOCK_FRAMES }, params)?;
    let latency = limiter.latency_frames();
    let mut out = audio.clone();
    out.iter_mut().for_each(|side| side.resize(side.len() + latency, 0.0));
    let [left, right] = &mut out;
    for (left, right) in left.chunks_mut(BLOCK_FRAMES).zip(right.chunks_mut(BLOCK_FRAMES)) {
        limiter.process(&mut Block::new([left, right]));
    }
    Ok(out.map(|side| side[latency..].to_vec()))
}

/// The ideal interpolator over programme of any length: stretches that overlap, faded at their ends where others are not.
fn reference_true_peak(samples: &[f32]) -> f64 {
    const STRETCH: usize = 30_000;
    const FADE: usize = 1_000;
    (0..samples.len())
        .step_by(STRETCH)
        .map(|start| {
            let (from, to) = (start.saturating_sub(FADE), samples.len().min(start + STRETCH + FADE));
            let mut stretch = samples[from..to].to_vec();
            let last = stretch.len() - 1;
            for n in 0..FADE.min(stretch.len()) {
                let fade = (0.5 - 0.5 * (PI * n as f64 / FADE as f64).cos()) as f32;
                if from > 0 {
                    stretch[n] *= fade;
                }
                if to < samples.len() {
                    stretch[last - n] *= fade;
                }
            }
            peak_meters::reference_true_peak(&stretch)
        })
        .fold(0.0, f64::max)
}

fn greatest(audio: &Stereo, meter: impl Fn(&[f32]) -> f64) -> f64 {
    audio.iter().map(|side| meter(side)).fold(0.0, f64::max)
}

fn loudness(audio: &Stereo, rate_hz: u32) -> Result<f64> {
    let mut meter = EbuR128::new(2, rate_hz, Mode::I)?;
    meter.add_frames_planar_f32(&[&audio[0], &audio[1]])?;
    Ok(meter.loudness_global()?)
}

fn crest_db(audio: &Stereo) -> f64 {
    let samples = || audio.iter().flatten().map(|s| f64::from(*s));
    let peak = samples().fold(0.0, |peak: f64, s| peak.max(s.abs()));
    let power = samples().map(|s| s * s).sum::<f64>() / samples().count() as f64;
    db(peak / power.sqrt())
}

/// Harmonics up to half the rate re the fundamental, over whole periods at the end of three seconds.
fn distortion_db(params: &LimiterParams, frequency_hz: f64, rate_hz: u32) -> Result<f64> {
    let rate_hz_f = f64::from(rate_hz);
    let level = 10f64.powf(params.ceiling_dbtp / 20.0);
    let tone: Vec<f32> =
        (0..3 * rate_hz as usize).map(|n| (level * (TAU * frequency_hz * n as f64 / rate_hz_f).sin()) as f32).collect();
    let [out, _] = limited(params, &[tone.clone(), tone], rate_hz)?;
    // the last frames see the silence behind the end
    let end = out.len() - rate_hz as usize / 10;
    let tail = &out[end - (rate_hz_f / frequency_hz * 20.0).round() as usize..end];
    let power = |harmonic: usize| {
        let w = TAU * frequency_hz * harmonic as f64 / rate_hz_f;
        let (mut re, mut im) = (0.0, 0.0);
        for (n, s) in tail.iter().enumerate() {
            re += f64::from(*s) * (w * n as f64).cos();
            im += f64::from(*s) * (w * n as f64).sin();
        }
        re * re + im * im
    };
    let harmonics: f64 = (2..(rate_hz_f / 2.0 / frequency_hz) as usize).map(power).sum();
    Ok(10.0 * (harmonics / power(1)).log10())
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}
