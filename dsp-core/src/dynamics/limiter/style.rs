//! What makes the limiter's styles differ, as numbers.

use super::LimiterStyle;

/// The laws of a style. All styles share one path: a slow gain for what lasts, a clip where the style has one, and a fast
/// gain for what is left, each of which sees what the ones before it have done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// Time constant at which the slow gain takes over a reduction that lasts, in ms. Short: the body of a sound ducks with
    /// its onset, one gain moves all. Long: the onset is the fast gain's alone and the body keeps its level.
    pub attack_ms: f64,
    /// How long the slow gain holds, in ms: half the longest period that it must not follow.
    pub hold_ms: f64,
    /// The slow gain's release, in units of the control's.
    pub release: f64,
    /// The fast gain's release, in units of the control's.
    pub fast_release: f64,
    /// The fast gain's release while the release is automatic, in ms.
    pub auto_fast_release_ms: f64,
    /// Width of the slow gain's knee about the ceiling, in dB; 0 is none.
    pub knee_db: f64,
    /// How much the clip takes off at most, in dB; 0 is no clip.
    pub clip_db: f64,
    /// How far under the ceiling the output stays, in dB.
    pub margin_db: f64,
    /// Channels are linked wholly and the true peak is limited, whatever the controls say.
    pub strict: bool,
}

impl LimiterStyle {
    pub(super) fn laws(self) -> Style {
        let base = Style {
            attack_ms: 15.0,
            hold_ms: 11.0,
            release: 1.0,
            fast_release: 0.2,
            auto_fast_release_ms: 40.0,
            knee_db: 0.0,
            clip_db: 0.0,
            margin_db: 0.0,
            strict: false,
        };
        match self {
            LimiterStyle::Transparent => base,
            LimiterStyle::Punchy => Style { attack_ms: 100.0, fast_release: 0.06, auto_fast_release_ms: 12.0, ..base },
            LimiterStyle::Glue => Style {
                attack_ms: 6.0,
                release: 1.5,
                fast_release: 0.5,
                auto_fast_release_ms: 100.0,
                knee_db: 6.0,
                ..base
            },
            LimiterStyle::Loud => {
                Style { attack_ms: 60.0, release: 0.35, fast_release: 0.03, auto_fast_release_ms: 6.0, ..base }
            }
            LimiterStyle::Safe => Style {
                attack_ms: 2.0,
                hold_ms: 25.0,
                release: 2.0,
                fast_release: 1.0,
                auto_fast_release_ms: 300.0,
                margin_db: 0.1,
                strict: true,
                ..base
            },
            LimiterStyle::ClipThenLimit => Style {
                attack_ms: 40.0,
                release: 0.7,
                fast_release: 0.06,
                auto_fast_release_ms: 12.0,
                clip_db: 3.0,
                margin_db: 0.02,
                ..base
            },
        }
    }
}
