//! The styles of the compressor: one machine, described by a few numbers each.
//!
//! A *feedback* compressor measures what comes out. Let y = x + g be the output's level in decibels and f the side
//! chain's law, for which y* = x + f(y*) is the static curve. The side chain moves g towards f(y) with time constant τ:
//! τ dg/dt = f(x + g) − g. Around the curve f(x + g) − g = r(x) (g*(x) − g), where r = dx/dy is the ratio in force at
//! that level: so feedback is the feed-forward curve, exactly, approached r times as fast as the side chain itself
//! moves. That is what makes it sound as it does: a gentle beginning inside the knee, where r is near 1, a firm grip
//! above it, quick small recoveries while the sound stays above the threshold, and a slow one once it has gone. Here
//! r is computed from the curve, so that no loop can ring; it is bounded as a real loop's gain is, and the attack is
//! divided by the greatest r, so that the label stays true above the knee; the release is true below it. Nor is there a
//! law f that lifts: under the threshold the side chain lets go by its own time, so that r (g* − g) is never faster than −g.

use crate::choices;
use crate::dynamics::ballistics::{Memory, Times};

choices! {
    /// How a compressor measures and moves.
    pub enum Style {
        /// Feed-forward: the curve and the times, and nothing else.
        Clean = ("clean", "Clean"),
        /// Feedback of moderate gain.
        Vca = ("vca", "VCA"),
        /// Gentle feedback; reduction that has lasted lets go in two stages.
        Opto = ("opto", "Opto"),
        /// Feedback of high gain: it grabs and lets go within a note.
        Fet = ("fet", "FET"),
        /// The ratio grows with the level, over 24 dB beyond the knee.
        VariMu = ("vari_mu", "Vari-mu"),
        /// Gentle feedback behind a two-pole attack: transients pass, the body is held together.
        Bus = ("bus", "Bus"),
    }
}

/// The numbers that make a style.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Character {
    /// The greatest r of the module: 1 is feed-forward.
    pub loop_gain: f64,
    /// Decibels by which the knee is wider, all of it upwards.
    pub bend_db: f64,
    /// A two-pole attack.
    pub glue: bool,
    /// Share, charge time in milliseconds, and drain time in releases, of lasting reduction.
    pub memory: Option<(f64, f64, f64)>,
}

impl Style {
    /// What makes the style. Real-time safe.
    #[must_use]
    pub fn character(self) -> Character {
        let clean = Character { loop_gain: 1.0, bend_db: 0.0, glue: false, memory: None };
        match self {
            Style::Clean => clean,
            Style::Vca => Character { loop_gain: 4.0, ..clean },
            Style::Opto => Character { loop_gain: 2.0, memory: Some((0.5, 250.0, 10.0)), ..clean },
            Style::Fet => Character { loop_gain: 16.0, ..clean },
            Style::VariMu => Character { loop_gain: 3.0, bend_db: 24.0, memory: Some((0.3, 500.0, 5.0)), ..clean },
            Style::Bus => Character { loop_gain: 2.0, glue: true, ..clean },
        }
    }

    /// The times of this style under these controls; `auto_release` takes the place of the release. Real-time safe.
    #[must_use]
    pub fn times(self, attack_ms: f64, release_ms: f64, hold_ms: f64, auto_release: bool) -> Times {
        let Character { glue, memory, .. } = self.character();
        let memory =
            memory.map(|(share, charge_ms, drains)| Memory { share, charge_ms, drain_ms: drains * release_ms });
        if auto_release {
            Times { attack_ms, release_ms: AUTO_RELEASE_MS, hold_ms, glue, memory: Some(AUTO_MEMORY) }
        } else {
            Times { attack_ms, release_ms, hold_ms, glue, memory }
        }
    }
}

/// The fast one of the two releases of an automatic release, in milliseconds.
pub const AUTO_RELEASE_MS: f64 = 80.0;

/// The slow one: most of what has lasted for half a second is let go over a second and more.
pub const AUTO_MEMORY: Memory = Memory { share: 0.7, charge_ms: 400.0, drain_ms: 1200.0 };
