//! A second-order section as a state-variable filter with trapezoidal integrators.
//!
//! The structure is that of Zavalishin, *The Art of VA Filter Design*, 2018, chapter 4, with the zero-delay loop solved
//! and the outputs folded into the state equations: states are the charges of the two integrators, so that coefficients
//! may change at every sample without a jump of the stored energy, and low frequencies cost no precision.

use crate::filter::complex::Complex;
use crate::math;

/// The coefficients of a section. With input u and states s₁ (band-pass) and s₂ (low-pass), e = u − s₂:
/// y = direct·u + (from_band·s₁ − from_low·s₂), s₁ ← keep·s₁ + cross·e, s₂ ← s₂ + (cross·s₁ + rise·e).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Gain from input to output within the sample.
    pub direct: f64,
    /// Gain from the band-pass state to the output.
    pub from_band: f64,
    /// Gain from the low-pass state to the output, subtracted.
    pub from_low: f64,
    /// What remains of the band-pass state after a sample.
    pub keep: f64,
    /// Between the two states.
    pub cross: f64,
    /// From input to the low-pass state.
    pub rise: f64,
}

/// A ratio of two second-order polynomials of the bilinear variable u = (1 − z⁻¹)/(1 + z⁻¹): constant term first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Numerator.
    pub numerator: [f64; 3],
    /// Denominator; all positive.
    pub denominator: [f64; 3],
}

impl Section {
    /// Passes everything, unchanged to the bit.
    pub const WIRE: Section = Section { direct: 1.0, from_band: 0.0, from_low: 0.0, keep: 0.0, cross: 0.0, rise: 0.0 };

    /// The section with that transfer function. Real-time safe.
    #[must_use]
    pub fn from_ratio(ratio: &Ratio) -> Self {
        let [n0, n1, n2] = ratio.numerator;
        let [d0, d1, d2] = ratio.denominator;
        // d2 u² + d1 u + d0 = d2 (u² + k g u + g²)
        let g = (d0 / d2).sqrt();
        let damped = d1 / d2 + g * g; // (g + k) g
        let a = 1.0 / (1.0 + damped);
        // y = low·u + (high − low)·hp + (band − k·low)·bp, by hp + k bp + lp = u
        let low = n0 / d0;
        let of_high = n2 / d2 - low;
        let of_band = (n1 - low * d1) / (d2 * g);
        let from_e = (of_high + of_band * g) * a;
        Section {
            direct: low + from_e,
            from_band: of_band - from_e * (damped / g),
            from_low: from_e,
            keep: 1.0 - 2.0 * damped * a,
            cross: 2.0 * g * a,
            rise: 2.0 * g * g * a,
        }
    }

    /// Gain and phase at `z` = e^(jω), ω in radians per sample: exact, as the section computes. Real-time safe.
    #[must_use]
    pub fn response(&self, z: Complex) -> Complex {
        // the determinant of z − A, with A = [[keep, −cross], [cross, 1 − rise]]
        let one = Complex::ONE;
        let a = z - one.scale(self.keep);
        let d = z - one + one.scale(self.rise);
        let det = a * d + one.scale(self.cross * self.cross);
        // (z − A)⁻¹ B, B = [cross, rise]
        let band = (d.scale(self.cross) - one.scale(self.cross * self.rise)) * det.recip();
        let low = (one.scale(self.cross * self.cross) + a.scale(self.rise)) * det.recip();
        one.scale(self.direct) + band.scale(self.from_band) - low.scale(self.from_low)
    }

    /// Processes one sample. Real-time safe.
    pub fn tick(&self, state: &mut [f64; 2], input: f64) -> f64 {
        let [band, low] = *state;
        let e = input - low;
        let output = self.direct * input + (self.from_band * band - self.from_low * low);
        *state = [self.keep * band + self.cross * e, low + (self.cross * band + self.rise * e)];
        output
    }

    /// Magnitude of the slowest pole: how much of its ringing is left after a sample, 0 to 1. Real-time safe.
    #[must_use]
    pub fn slowest_pole(&self) -> f64 {
        if self.cross == 0.0 {
            return 0.0;
        }
        let half_trace = 0.5 * (self.keep + 1.0 - self.rise);
        let det = self.keep * (1.0 - self.rise) + self.cross * self.cross;
        let discriminant = half_trace * half_trace - det;
        if discriminant < 0.0 { det.sqrt() } else { half_trace.abs() + discriminant.sqrt() }
    }

    /// The six coefficients in a row. Real-time safe.
    #[must_use]
    pub fn to_array(self) -> [f64; 6] {
        [self.direct, self.from_band, self.from_low, self.keep, self.cross, self.rise]
    }

    /// The section with those six coefficients. Real-time safe.
    #[must_use]
    pub fn from_array([direct, from_band, from_low, keep, cross, rise]: [f64; 6]) -> Self {
        Section { direct, from_band, from_low, keep, cross, rise }
    }

    /// A bilinear low-pass, band-pass (unit peak) or high-pass at `omega` radians per sample, exact there: for listening
    /// and detection, where the shape near the Nyquist frequency does not matter. Real-time safe.
    #[must_use]
    pub fn bilinear(kind: Bilinear, omega: f64, q: f64) -> Self {
        let g = math::tan(0.5 * omega.clamp(1e-6, 3.0));
        let band = g / q;
        let numerator = match kind {
            Bilinear::LowPass => [g * g, 0.0, 0.0],
            Bilinear::BandPass => [0.0, band, 0.0],
            Bilinear::BandPassBehind => [g * g / q, 0.0, 0.0],
            Bilinear::HighPass => [0.0, 0.0, 1.0],
        };
        Section::from_ratio(&Ratio { numerator, denominator: [g * g, band, 1.0] })
    }
}

/// What [`Section::bilinear`] passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bilinear {
    /// 12 dB/oct above the frequency.
    LowPass,
    /// 6 dB/oct to either side.
    BandPass,
    /// The low-pass output scaled to unit gain at the frequency: it runs a quarter of a period behind the band-pass at
    /// every frequency.
    BandPassBehind,
    /// 12 dB/oct below the frequency.
    HighPass,
}
