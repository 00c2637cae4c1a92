//! How reduction follows its target: attack, hold, release, and what the styles add.
//!
//! The frame is the smooth, decoupled peak detector of Giannoulis, Massberg, Reiss, JAES 60(6), 2012, eq. 17, applied to
//! the reduction in decibels: a first stage rises at once and falls with the release, a second one smooths it with the
//! attack. Theirs releases in about release + attack; a label must be true, so that here
//!
//! - the second stage falls with the attack time or a quarter of the release time, whichever is shorter, and
//! - the first stage's release is shortened so that the two together have recovered 63.2 % at exactly the label:
//!   τ₁ solves (τ₁ e^(−t/τ₁) − τ₂ e^(−t/τ₂)) / (τ₁ − τ₂) = 1/e at t = label.

use crate::math;

/// The time constants of a follower, as shares of the way that one frame covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Second stage, on the way up.
    pub attack: f64,
    /// Third stage, on the way up; 1 where there is none.
    pub glue: f64,
    /// First stage, on the way down.
    pub release: f64,
    /// Second stage, on the way down.
    pub settle: f64,
    /// Frames for which the first stage stays up.
    pub hold_frames: u32,
    /// Share of the remembered reduction that the release stops at, 0 to 1.
    pub memory_share: f64,
    /// How the memory fills.
    pub memory_charge: f64,
    /// How the memory drains.
    pub memory_drain: f64,
}

/// Times as people set them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Milliseconds until 63.2 % of a step up are reached.
    pub attack_ms: f64,
    /// Milliseconds until 63.2 % of a step down are recovered.
    pub release_ms: f64,
    /// Milliseconds for which reduction stays before it recovers.
    pub hold_ms: f64,
    /// Two equal poles instead of one on the way up: an onset that leaves transients alone.
    pub glue: bool,
    /// The second, slow stage of the release, where there is one.
    pub memory: Option<Memory>,
}

/// The second stage of a programme-dependent release: reduction that has lasted is recovered slowly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// How much of lasting reduction is recovered slowly, 0 to 1.
    pub share: f64,
    /// Time constant with which reduction is remembered, in milliseconds.
    pub charge_ms: f64,
    /// Time constant with which it is forgotten, in milliseconds.
    pub drain_ms: f64,
}

impl Times {
    /// The rates at a sample rate. Real-time safe.
    #[must_use]
    pub fn rates(&self, sample_rate_hz: f64) -> Rates {
        let frames = |ms: f64| ms * 1e-3 * sample_rate_hz;
        let attack = frames(self.attack_ms);
        let release = frames(self.release_ms);
        let settle = attack.min(release * SETTLE_SHARE);
        let attack = if self.glue { two_pole_rate(attack) } else { rate(attack) };
        let memory = self.memory.unwrap_or(Memory { share: 0.0, charge_ms: 1.0, drain_ms: 1.0 });
        Rates {
            attack,
            glue: if self.glue { attack } else { 1.0 },
            release: rate(release * first_stage(settle / release)),
            settle: rate(settle),
            hold_frames: frames(self.hold_ms).round() as u32,
            memory_share: memory.share,
            memory_charge: rate(frames(memory.charge_ms)),
            memory_drain: rate(frames(memory.drain_ms)),
        }
    }
}

/// Where reduction is, in decibels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Follower {
    /// First stage: up at once, down with the release.
    held: f64,
    /// Frames that the first stage still stays up.
    left: u32,
    /// Second stage.
    smooth: f64,
    /// Third stage: what comes out.
    out: f64,
    /// Reduction that has lasted.
    memory: f64,
}

impl Follower {
    /// At rest at `db`. Real-time safe.
    #[must_use]
    pub fn at(db: f64) -> Self {
        Follower { held: db, smooth: db, out: db, ..Follower::default() }
    }

    /// The reduction, in decibels. Real-time safe.
    #[must_use]
    pub fn reduction_db(&self) -> f64 {
        self.out
    }

    /// Whether two followers are so near each other that nobody could tell which of them is heard. Real-time safe.
    #[must_use]
    pub fn is_near(&self, other: &Follower) -> bool {
        const NEAR_DB: f64 = 1e-6;
        self.left == other.left
            && (self.held - other.held).abs() < NEAR_DB
            && (self.smooth - other.smooth).abs() < NEAR_DB
            && (self.out - other.out).abs() < NEAR_DB
    }

    /// Ends a hold and forgets lasting reduction; what comes out goes on from where it is, under whatever rates. For a
    /// change of style. Real-time safe.
    pub fn change_over(&mut self) {
        (self.left, self.memory, self.smooth) = (0, 0.0, self.out);
    }

    /// Snaps what has died away to zero. Real-time safe.
    pub fn flush(&mut self) {
        for state in [&mut self.held, &mut self.smooth, &mut self.out, &mut self.memory] {
            *state = math::flush(*state);
        }
    }

    /// One frame towards `target`, both in decibels of reduction, without glue. Real-time safe.
    #[inline(always)]
    pub fn step(&mut self, target: f64, rates: &Rates) -> f64 {
        // what falls towards the target stays above it, and what is below it is lifted there: the greater of the two
        let fallen = (1.0 - rates.release) * self.held + rates.release * target;
        self.held = if fallen > target { fallen } else { target };
        // down is never slower than up, so that the lesser of the two ways is the right one in both directions
        let up = (1.0 - rates.attack) * self.smooth + rates.attack * self.held;
        let down = (1.0 - rates.settle) * self.smooth + rates.settle * self.held;
        self.smooth = if down < up { down } else { up };
        self.out = self.smooth;
        self.out
    }

    /// One frame towards `target` with hold, memory and glue; attack and release are `attack_weight` and
    /// `release_weight` times as fast. Real-time safe.
    #[inline(always)]
    pub fn step_weighted(&mut self, target: f64, attack_weight: f64, release_weight: f64, rates: &Rates) -> f64 {
        if target >= self.held {
            self.held = target;
            self.left = rates.hold_frames;
        } else if self.left > 0 {
            self.left = self.left.min(rates.hold_frames).saturating_sub(1);
        } else {
            let remembered = rates.memory_share * self.memory;
            let floor = if remembered > 0.0 { target.max(remembered) } else { target };
            // a side chain that lets go wholly falls with its own time: no loop lets go of reduction faster than that
            let way = release_weight * (floor.min(self.held) - self.held);
            let way = if release_weight > 1.0 { way.max(-self.held) } else { way };
            self.held += (rates.release * way).max(floor.min(self.held) - self.held);
        }
        if self.held > self.memory {
            self.memory += rates.memory_charge * (self.held - self.memory);
        } else {
            // towards what the programme asks for, not towards what the memory itself keeps up
            self.memory += rates.memory_drain * (target.max(0.0).min(self.memory) - self.memory);
        }
        let rate = if self.held > self.smooth { rates.attack * attack_weight } else { rates.settle };
        self.smooth += rate * (self.held - self.smooth);
        let rate = if self.smooth > self.out { rates.glue * attack_weight } else { 1.0 };
        self.out += rate * (self.smooth - self.out);
        self.out
    }
}

/// The second stage's time on the way down, at most this share of the release.
const SETTLE_SHARE: f64 = 0.25;

/// Share of the way to its target that a one-pole covers in a frame: 1 − e^(−1/τ), τ in frames.
fn rate(tau_frames: f64) -> f64 {
    1.0 - math::exp(-1.0 / tau_frames)
}

/// The rate r of two equal one-poles in a row that reach 63.2 % after `frames`, at least one. Their step response is
/// 1 − (1 − r)ⁿ (1 + n r), so that n ln(1 − r) + ln(1 + n r) = −1.
fn two_pole_rate(frames: f64) -> f64 {
    let n = frames.max(1.0);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if n * math::ln(1.0 - middle) + math::ln(1.0 + n * middle) > -1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The first stage's time constant over the label, if the second stage's is `second` of it, 0 to ¼: see the module.
fn first_stage(second: f64) -> f64 {
    let excess = |first: f64| {
        let (a, b) =
            (first * math::exp(-1.0 / first), if second > 0.0 { second * math::exp(-1.0 / second) } else { 0.0 });
        (a - b) / (first - second) - math::exp(-1.0)
    };
    // rises with `first`: about 1 − second, and never below ⅔ for a quarter
    let (mut low, mut high) = (0.6, 1.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if excess(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
