//! Whether a file is right for what it is meant for: rules, each with its verdict, its place in the file and the cause.

mod rules;

use crate::figures::Figures;
use dsp_core::delivery::{self, Service};
use serde::Serialize;

/// What a file is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A mix on its way to a mastering engineer.
    Mixdown,
    /// Spotify.
    Spotify,
    /// Apple Music.
    Apple,
    /// YouTube.
    Youtube,
    /// TIDAL.
    Tidal,
    /// Broadcast after EBU R 128.
    Ebu,
    /// A lacquer cut: one side, or a part of one.
    Vinyl,
    /// An audio CD.
    Redbook,
}

impl Purpose {
    /// The service that it is, where it is one.
    fn service(self) -> Option<&'static Service> {
        let key = match self {
            Purpose::Spotify => "spotify",
            Purpose::Apple => "apple_music",
            Purpose::Youtube => "youtube",
            Purpose::Tidal => "tidal",
            Purpose::Mixdown | Purpose::Ebu | Purpose::Vinyl | Purpose::Redbook => return None,
        };
        delivery::service(key)
    }
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Kept.
    Pass,
    /// Worth a look.
    Warn,
    /// Broken.
    Fail,
}

/// A rule, and how a file keeps it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What is asked.
    pub rule: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// Where in the file, in seconds, where there is such a place.
    pub seconds: Option<f64>,
    /// Why it is so, or what to do; empty where the rule is kept.
    pub cause: String,
}

/// Every rule of `purpose`, held against the figures of a file.
#[must_use]
pub fn check(figures: &Figures, purpose: Purpose) -> Vec<Finding> {
    if let Some(service) = purpose.service() {
        return vec![
            rules::lossless(figures),
            rules::rate(figures, 44_100),
            rules::bits(figures, 16),
            rules::clipping(figures),
            rules::streaming_true_peak(figures, service),
            rules::normalised(figures, service),
            rules::mono(figures),
            rules::dc(figures),
        ];
    }
    match purpose {
        Purpose::Mixdown => vec![
            rules::lossless(figures),
            rules::rate(figures, 44_100),
            rules::bits(figures, 24),
            rules::bits_in_use(figures),
            rules::headroom(figures),
            rules::clipping(figures),
            rules::limiter(figures),
            rules::mono(figures),
            rules::phase(figures),
            rules::dc(figures),
        ],
        Purpose::Spotify | Purpose::Apple | Purpose::Youtube | Purpose::Tidal => vec![],
        Purpose::Ebu => vec![
            rules::lossless(figures),
            rules::broadcast_rate(figures),
            rules::bits(figures, 16),
            rules::programme_loudness(figures),
            rules::permitted_true_peak(figures),
            rules::clipping(figures),
            rules::phase(figures),
        ],
        Purpose::Vinyl => vec![
            rules::lossless(figures),
            rules::bits(figures, 24),
            rules::side_length(figures),
            rules::bass_in_phase(figures),
            rules::phase(figures),
            rules::clipping(figures),
            rules::limiter(figures),
            rules::dc(figures),
        ],
        Purpose::Redbook => vec![
            rules::cd_rate(figures),
            rules::cd_word(figures),
            rules::cd_channels(figures),
            rules::cd_length(figures),
            rules::cd_frames(figures),
            rules::clipping(figures),
        ],
    }
}
