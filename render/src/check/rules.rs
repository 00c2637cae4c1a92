//! The rules. Each says where it comes from; what nobody has written down is practice, and said to be.

use super::Verdict::{Fail, Pass, Warn};
use super::{Finding, Verdict};
use crate::audio_file::Word;
use crate::figures::Figures;
use crate::show;
use dsp_core::delivery::Service;
use dsp_core::metering::word_length::WordLength;

/// Samples of a CD's frame: 44,100 / 75 (IEC 60908).
pub const CD_FRAME_SAMPLES: u64 = 588;

fn finding(rule: &'static str, expected: impl Into<String>, found: impl Into<String>) -> Finding {
    let (found, expected) = (found.into(), expected.into());
    Finding { rule, verdict: Pass, found, expected, seconds: None, cause: String::new() }
}

impl Finding {
    /// The same with this verdict and cause where `broken`; the worst that was said stays.
    fn unless(mut self, broken: bool, verdict: Verdict, cause: impl Into<String>) -> Self {
        if broken && verdict > self.verdict {
            self.verdict = verdict;
            self.cause = cause.into();
        }
        self
    }

    fn at(mut self, seconds: Option<f64>) -> Self {
        self.seconds = if self.verdict == Pass { None } else { seconds };
        self
    }
}

/// A lossy file loses again when it is coded once more.
pub(super) fn lossless(figures: &Figures) -> Finding {
    finding(
        "lossless",
        "WAV, AIFF, FLAC or ALAC",
        format!("{} ({})", figures.description.codec, figures.description.container),
    )
    .unless(
        figures.description.word == Word::Lossy,
        Fail,
        "the file was coded with loss: export it again as WAV or FLAC",
    )
}

pub(super) fn rate(figures: &Figures, lowest_hz: u32) -> Finding {
    let rate_hz = figures.description.sample_rate_hz;
    finding("sample rate", format!("at least {lowest_hz} Hz"), format!("{rate_hz} Hz")).unless(
        rate_hz < lowest_hz,
        Fail,
        "the top of the band is gone: export it again at the session's rate",
    )
}

pub(super) fn bits(figures: &Figures, least: u32) -> Finding {
    let word = figures.description.word;
    let too_few = matches!(word, Word::Integer(bits) if bits < least) || word == Word::Lossy;
    finding("word length", format!("at least {least} bit, or float"), show::word(word)).unless(
        too_few,
        Fail,
        "what comes after has no room under the music: export it again with more bits",
    )
}

/// 16 bits in a file of 24 were rounded before.
pub(super) fn bits_in_use(figures: &Figures) -> Finding {
    let used = figures.word_length;
    let rounded = matches!(used, Some(WordLength::Bits(bits)) if bits <= 16);
    finding("bits in use", "more than 16", used.map_or_else(|| "none: silence".to_owned(), show::word_length)).unless(
        rounded,
        Warn,
        "rounded to 16 bit on the way: look for a 16 bit bounce, or a dither plugin that is still on",
    )
}

/// Practice: −6 to −3 dBFS. Floating point loses nothing where it is higher, but somebody must turn it down.
pub(super) fn headroom(figures: &Figures) -> Finding {
    let peak = figures.sample_peak_dbfs;
    let value = peak.unwrap_or(f64::NEG_INFINITY);
    let cause =
        |by: f64| format!("{} the master fader by {:.1} dB", if by < 0.0 { "lower" } else { "raise" }, by.abs());
    finding("peaks", "−6 … −3 dBFS", show::figure(peak, 2, "dBFS"))
        .unless(value > -3.0 + TOLERANCE_DB, Fail, cause(-4.5 - value))
        .unless(value < -6.0 - TOLERANCE_DB && value.is_finite(), Warn, cause(-4.5 - value))
        .unless(peak.is_none(), Fail, "the file is silent: export it again")
        .at(Some(figures.sample_peak_seconds))
}

pub(super) fn clipping(figures: &Figures) -> Finding {
    let clips = &figures.clips;
    finding("no clipping", "no run of 3 samples at full scale", format!("{} runs", clips.runs))
        .unless(
            clips.runs > 0,
            Fail,
            format!("cut off at full scale, {} samples at worst: turn down before the export", clips.longest_frames),
        )
        .at(clips.first_seconds)
}

/// Practice. Music reaches its highest peak now and then; what a limiter or clipper has cut reaches the same height over
/// and over. Counted are tenths of a second whose peak lies within 0.05 dB of the highest.
pub(super) fn limiter(figures: &Figures) -> Finding {
    let highest = figures.peaks.iter().copied().fold(0.0f32, f32::max);
    let sounding = figures.peaks.iter().filter(|p| **p > highest * 0.1).count();
    let at_top = |peak: &&f32| **peak > highest * 0.994_26;
    let equal = if highest > 0.0 { figures.peaks.iter().filter(at_top).count() } else { 0 };
    let first = figures.peaks.iter().position(|p| at_top(&p)).map(|tenth| tenth as f64 / 10.0);
    let share = equal as f64 / sounding.max(1) as f64;
    let cause = "peaks of one height, as a limiter or clipper leaves them: export it without";
    finding(
        "no limiter",
        "few peaks of the same height",
        format!("{:.0} % of all tenths of a second reach it", 100.0 * share),
    )
    .unless(equal >= 4 && share > 0.02, Warn, cause)
    .unless(equal >= 8 && share > 0.05, Fail, cause)
    .at(first)
}

/// Practice. Sides that have nothing in common lose 3 LU; what loses more cancels.
pub(super) fn mono(figures: &Figures) -> Finding {
    let loss = figures.mono_fold_loss_lu;
    let value = loss.unwrap_or(0.0);
    let found = if figures.description.channels == 1 { "mono".to_owned() } else { show::figure(loss, 2, "LU lost") };
    let cause = "left and right cancel in mono: look for inverted polarity, wideners, delays between the sides";
    finding("mono compatible", "at most 3 LU lost in mono", found)
        .unless(value > 3.1, Warn, cause)
        .unless(value > 6.0, Fail, cause)
        .at(figures.correlation_min.map(|(_, at)| at))
}

/// Practice: under 0 for long, one side works against the other.
pub(super) fn phase(figures: &Figures) -> Finding {
    let (whole, lowest) = (figures.correlation, figures.correlation_min);
    let found = match (whole, lowest) {
        (Some(whole), Some((lowest, _))) => format!("{whole:.2}, lowest {lowest:.2}").replace('-', "−"),
        (Some(whole), None) => format!("{whole:.2}").replace('-', "−"),
        _ => "one side only".to_owned(),
    };
    finding("phase", "correlation above 0, never under −0.5", found)
        .unless(lowest.is_some_and(|(lowest, _)| lowest < -0.5), Warn, "left and right work against each other there")
        .unless(whole.is_some_and(|whole| whole < 0.0), Fail, "one side is inverted: turn its polarity")
        .at(lowest.map(|(_, at)| at))
}

/// Practice: −60 dB of full scale is never heard, 1 % costs headroom and clicks at every edit.
pub(super) fn dc(figures: &Figures) -> Finding {
    let worst = figures.dc_offset.iter().fold(0.0f64, |worst, dc| worst.max(dc.abs()));
    let cause = "a constant offset: high-pass the source that has it";
    finding("no DC", "under 0.1 % of full scale", format!("{:.3} %", 100.0 * worst))
        .unless(worst > 0.001, Warn, cause)
        .unless(worst > 0.01, Fail, cause)
}

/// What the service asks for (`delivery.toml`, with sources); −1 dBTP, by practice, where it does not say.
pub(super) fn streaming_true_peak(figures: &Figures, service: &Service) -> Finding {
    let peak = figures.true_peak_dbtp;
    let loud = figures.integrated_lufs.is_some_and(|l| l > service.rule.level_lufs);
    let asked = service.asks_dbtp.unwrap_or(-1.0);
    let asked_loud = service.asks_loud_dbtp.filter(|_| loud).unwrap_or(asked);
    let value = peak.unwrap_or(f64::NEG_INFINITY);
    let cause = |limit: f64| format!("a lossy codec may clip: lower the limiter's ceiling by {:.2} dB", value - limit);
    let mut expected = format!("≤ {asked_loud:.0} dBTP").replace('-', "−");
    if asked_loud < asked {
        expected += ", being louder than the service's level";
    }
    finding("true peak", expected, show::figure(peak, 2, "dBTP"))
        .unless(value > asked_loud + TOLERANCE_DB, Warn, cause(asked_loud))
        .unless(value > asked + TOLERANCE_DB, Fail, cause(asked))
        .at(Some(figures.true_peak_seconds))
}

/// What a service that plays everything at one loudness does with the file.
pub(super) fn normalised(figures: &Figures, service: &Service) -> Finding {
    let level = service.rule.level_lufs;
    let expected = format!("about {level:.0} LUFS ({})", service.certainty.name()).replace('-', "−");
    let finding = finding("loudness", expected, show::figure(figures.integrated_lufs, 1, "LUFS"));
    let Some(levels) = figures.levels() else {
        return finding.unless(true, Fail, "nothing is louder than −70 LUFS");
    };
    let playback = service.rule.play(levels, None);
    let loud = format!("it is turned down by {:.1} dB: limiting for that was for nothing", -playback.gain_db);
    let quiet = format!("it is heard {:.1} LU quieter than the service's level", level - playback.heard_lufs);
    finding.unless(playback.gain_db < -1.0, Warn, loud).unless(level - playback.heard_lufs > 1.0, Warn, quiet)
}

/// EBU R 128 (2023): −23.0 LUFS ± 0.5 LU.
pub(super) fn programme_loudness(figures: &Figures) -> Finding {
    let loudness = figures.integrated_lufs;
    let off = loudness.unwrap_or(f64::NEG_INFINITY) + 23.0;
    finding("programme loudness", "−23 LUFS ± 0.5 LU", show::figure(loudness, 2, "LUFS")).unless(
        off.abs() > 0.5,
        Fail,
        format!("change the gain by {:+.2} dB", -off).replace('-', "−"),
    )
}

/// EBU R 128: −1 dBTP; the meter's tolerance of +0.2/−0.4 dB (Tech 3341) is not used up by ours.
pub(super) fn permitted_true_peak(figures: &Figures) -> Finding {
    let value = figures.true_peak_dbtp.unwrap_or(f64::NEG_INFINITY);
    finding("maximum permitted true peak", "≤ −1 dBTP", show::figure(figures.true_peak_dbtp, 2, "dBTP"))
        .unless(value > -1.0 + TOLERANCE_DB, Fail, format!("limit it {:.2} dB lower", value + 1.0))
        .at(Some(figures.true_peak_seconds))
}

/// EBU Tech 3285 files are at 48 kHz.
pub(super) fn broadcast_rate(figures: &Figures) -> Finding {
    let rate_hz = figures.description.sample_rate_hz;
    finding("sample rate", "48000 Hz", format!("{rate_hz} Hz")).unless(
        rate_hz != 48_000,
        Warn,
        "broadcasters run at 48 kHz: convert it",
    )
}

/// Practice: 19.5 minutes at 33⅓ rpm; plants disagree.
pub(super) fn side_length(figures: &Figures) -> Finding {
    let minutes = figures.duration_seconds() / 60.0;
    let cause = "a longer side must be cut quieter: move a track to the other side";
    finding("length of a side", "at most 19.5 min at 33⅓ rpm", show::time(figures.duration_seconds()))
        .unless(minutes > 19.5, Warn, cause)
        .unless(minutes > 24.0, Fail, cause)
}

/// Practice: what is out of phase in the bass lifts the stylus out of the groove. Seen in the octaves around 63 and 125 Hz,
/// where the music is not quiet.
pub(super) fn bass_in_phase(figures: &Figures) -> Finding {
    let lowest = figures.bass_correlation_min;
    let value = lowest.map_or(1.0, |(lowest, _)| lowest);
    let cause = "the groove would get shallow there: make it mono under 150 to 300 Hz";
    let found =
        lowest.map_or_else(|| "no bass in stereo".to_owned(), |(l, _)| format!("lowest {l:.2}").replace('-', "−"));
    finding("bass in phase", "correlation of at least 0.5 under 178 Hz", found)
        .unless(value < 0.5, Warn, cause)
        .unless(value < 0.0, Fail, cause)
        .at(lowest.map(|(_, at)| at))
}

/// IEC 60908: 44.1 kHz.
pub(super) fn cd_rate(figures: &Figures) -> Finding {
    let rate_hz = figures.description.sample_rate_hz;
    finding("sample rate", "44100 Hz", format!("{rate_hz} Hz")).unless(
        rate_hz != 44_100,
        Fail,
        "convert it: tandem album does",
    )
}

/// IEC 60908: 16 bit.
pub(super) fn cd_word(figures: &Figures) -> Finding {
    let word = figures.description.word;
    finding("word length", "16 bit", show::word(word)).unless(
        word != Word::Integer(16),
        Fail,
        "round it with dither, last: tandem album does",
    )
}

/// IEC 60908: stereo.
pub(super) fn cd_channels(figures: &Figures) -> Finding {
    let channels = figures.description.channels;
    finding("channels", "2", channels.to_string()).unless(channels != 2, Fail, "put it on both sides")
}

/// IEC 60908: a track lasts 4 s at least; a disc 79:57 at most.
pub(super) fn cd_length(figures: &Figures) -> Finding {
    let seconds = figures.duration_seconds();
    finding("length", "4 s to 79:57", show::time(seconds))
        .unless(seconds < 4.0, Fail, "a track lasts at least 4 s: join it to its neighbour")
        .unless(seconds > 4797.0, Fail, "it does not fit on a disc")
}

/// A track that ends within a frame of 1/75 s is filled up with silence, which is heard where the next one follows at once.
pub(super) fn cd_frames(figures: &Figures) -> Finding {
    let over = figures.frames % CD_FRAME_SAMPLES;
    finding(
        "whole frames",
        "a multiple of 588 samples",
        format!("{} frames and {over} samples", figures.frames / CD_FRAME_SAMPLES),
    )
    .unless(over != 0, Warn, "the burner adds silence to the end: cut it on the frame, or let tandem album do it")
    .at(Some(figures.duration_seconds()))
}

/// Far under what a meter resolves, and over what its arithmetic is off.
const TOLERANCE_DB: f64 = 0.005;
