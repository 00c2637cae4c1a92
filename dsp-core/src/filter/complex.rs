//! Complex numbers, as far as frequency responses need them.

use crate::math;
use std::ops::{Add, Mul, Sub};

/// A complex number: a filter's gain and phase at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    /// 0.
    pub const ZERO: Complex = Complex { re: 0.0, im: 0.0 };
    /// 1: the response of a wire.
    pub const ONE: Complex = Complex { re: 1.0, im: 0.0 };

    /// e^(j `radians`). Real-time safe.
    #[must_use]
    pub fn from_angle(radians: f64) -> Self {
        Complex { re: math::cos(radians), im: math::sin(radians) }
    }

    /// The number times a real one. Real-time safe.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Complex { re: self.re * factor, im: self.im * factor }
    }

    /// One over the number. Real-time safe.
    #[must_use]
    pub fn recip(self) -> Self {
        let power = self.power();
        Complex { re: self.re / power, im: -self.im / power }
    }

    /// Squared magnitude. Real-time safe.
    #[must_use]
    pub fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// Magnitude in decibels; −∞ at 0. Real-time safe.
    #[must_use]
    pub fn db(self) -> f64 {
        10.0 * math::log10(self.power())
    }

    /// Phase in radians, −π to π. Real-time safe.
    #[must_use]
    pub fn phase(self) -> f64 {
        math::atan2(self.im, self.re)
    }
}

impl Add for Complex {
    type Output = Complex;
    fn add(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Complex;
    fn sub(self, other: Complex) -> Complex {
        Complex { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul for Complex {
    type Output = Complex;
    fn mul(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}
