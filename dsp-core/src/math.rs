//! The transcendental functions we use, with the same bits on every platform.
//!
//! `std` calls the platform's libm, and those differ in the last bits; the `libm` crate is the same pure Rust
//! everywhere. Nothing here uses a fused multiply-add.

pub mod decibels;

pub use std::f64::consts::{LN_2, LN_10, PI, SQRT_2, TAU};

/// Sine of `x` radians.
#[must_use]
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of `x` radians.
#[must_use]
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// Tangent of `x` radians.
#[must_use]
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// Angle of the point (`x`, `y`) in radians, −π to π.
#[must_use]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// Arc sine in radians.
#[must_use]
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

/// e to the power of `x`.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// 2 to the power of `x`.
#[must_use]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// Natural logarithm.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Logarithm to base 2.
#[must_use]
pub fn log2(x: f64) -> f64 {
    libm::log2(x)
}

/// Logarithm to base 10.
#[must_use]
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// `x` to the power of `y`.
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Hyperbolic tangent.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}

/// Amplitude ratio of `db` decibels: 10^(db/20). 0 dB is exactly 1.
#[must_use]
pub fn db_to_gain(db: f64) -> f64 {
    libm::exp(db * (LN_10 / 20.0))
}

/// Decibels of an amplitude ratio: 20 log10(gain); −∞ at 0.
#[must_use]
pub fn gain_to_db(gain: f64) -> f64 {
    20.0 * libm::log10(gain)
}

/// The smallest magnitude that recursive state may hold; under it state snaps to zero, so that no denormal number ever
/// slows the audio thread. −600 dB.
pub const STATE_FLOOR: f64 = 1e-30;

/// `x`, or zero under [`STATE_FLOOR`]. NaN becomes zero too.
#[must_use]
pub fn flush(x: f64) -> f64 {
    if x.abs() >= STATE_FLOOR { x } else { 0.0 }
}
