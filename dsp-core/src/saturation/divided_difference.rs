//! Means of curves along the straight line from sample to sample: antiderivative antialiasing without its cancellations.
//!
//! J. Parker, V. Zavalishin, E. Le Bivic, "Reducing the aliasing of nonlinear waveshaping using continuous-time
//! convolution", DAFx-16: instead of f(xₙ) take the mean of f between xₙ₋₁ and xₙ, which is the divided difference
//! F₁\[xₙ, xₙ₋₁\] = (F₁(xₙ) − F₁(xₙ₋₁))/(xₙ − xₙ₋₁) of its antiderivative. S. Bilbao et al., IEEE Signal Processing
//! Letters 24(7), 2017: of second order, twice the second divided difference F₂\[xₙ, xₙ₋₁, xₙ₋₂\] of the second
//! antiderivative. Written like that both are quotients of small differences, which need guards and lose digits.
//!
//! Here every such quotient is brought into a form whose terms have one sign. For √, (√(1 + a²) − √(1 + b²))/(a − b) =
//! (a + b)/(√(1 + a²) + √(1 + b²)). For truncated powers u₊ᵐ the divided difference is a complete symmetric polynomial
//! where all arguments are positive, a single power over a product where one is, and where one is negative, −c, the
//! identity uᵐ = u₊ᵐ + (−1)ᵐ (−u)₊ᵐ gives a sum of positive terms again (derived at each function). So no guard is needed
//! but for asinh.

use crate::math;

/// The natural logarithm of a positive normal number, with the same bits in any lane: exponent and mantissa, then
/// ln m = 2 artanh((m − 1)/(m + 1)) as a series, |t| ≤ 0.172, cut at t²¹/21 (2e-18).
#[inline(always)]
fn ln(x: f64) -> f64 {
    // moves the mantissa's range from 1…2 to √½…√2
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS).wrapping_add(1024 << 52);
    let exponent = f64::from_bits((shifted >> 52) | TWO_52.to_bits()) - TWO_52 - 1024.0;
    let mantissa = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_BITS));
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let s = t * t;
    let series = 1.0 / 3.0
        + s * (1.0 / 5.0
            + s * (1.0 / 7.0
                + s * (1.0 / 9.0
                    + s * (1.0 / 11.0 + s * (1.0 / 13.0 + s * (1.0 / 15.0 + s * (1.0 / 17.0 + s * (1.0 / 19.0))))))));
    exponent * math::LN_2 + 2.0 * (t + t * s * series)
}

/// asinh(v), given root = √(1 + v²). Right to 1e-15, absolute. Real-time safe.
#[inline(always)]
#[must_use]
pub fn asinh(v: f64, root: f64) -> f64 {
    ln(v.abs() + root).copysign(v)
}

/// The mean of v/√(1 + v²) from b to a, given their roots √(1 + v²). Real-time safe.
#[inline(always)]
#[must_use]
pub fn algebraic_mean([a, root_a]: [f64; 2], [b, root_b]: [f64; 2]) -> f64 {
    (a + b) / (root_a + root_b)
}

/// The mean of asinh from b to a, given their roots √(1 + v²) and values. Real-time safe.
///
/// F₁ = v asinh v − √(1 + v²), and (a A − b B)/(a − b) = (A + B)/2 + (a + b)/2 · (A − B)/(a − b). The last quotient is the
/// mean of 1/√(1 + v²), which near a = b is its value h in the middle plus h'' (a − b)²/24; the next term is under 1e-13.
#[inline(always)]
#[must_use]
pub fn asinh_mean([a, root_a, asinh_a]: [f64; 3], [b, root_b, asinh_b]: [f64; 3]) -> f64 {
    let (sum, step) = (a + b, a - b);
    let middle = 0.5 * sum;
    let inverse = 1.0 / (1.0 + middle * middle);
    let h = inverse.sqrt();
    let near = h * (1.0 + step * step * (2.0 * middle * middle - 1.0) * inverse * inverse * (1.0 / 24.0));
    let far = (asinh_a - asinh_b) / step;
    let slope = if step * step * inverse < 4e-6 { near } else { far };
    0.5 * (asinh_a + asinh_b) + middle * slope - sum / (root_a + root_b)
}

/// The mean of u₊ over the line from l to h ≥ l: (u₊²/2)\[h, l\]. Real-time safe.
#[inline(always)]
#[must_use]
pub fn ramp_mean_1(h: f64, l: f64) -> f64 {
    let (n, d) = if l >= 0.0 { (h + l, 2.0) } else { (h * h, 2.0 * (h - l)) };
    if h > 0.0 { n / d } else { 0.0 }
}

/// The mean of u₊² over the line from l to h ≥ l: (u₊³/3)\[h, l\]. Real-time safe.
#[inline(always)]
#[must_use]
pub fn parabola_mean_1(h: f64, l: f64) -> f64 {
    let (n, d) = if l >= 0.0 { (h * h + h * l + l * l, 3.0) } else { (h * h * h, 3.0 * (h - l)) };
    if h > 0.0 { n / d } else { 0.0 }
}

/// The second-order mean of u₊ over h ≥ m ≥ l: 2 (u₊³/6)\[h, m, l\]. Real-time safe.
///
/// All positive: h + m + l. One: h³/((h − m)(h − l)). Two, l = −c: h + m − c + c³/((c + h)(c + m)), which is
/// (c (h² + h m + m²) + h m (h + m))/((c + h)(c + m)).
#[inline(always)]
#[must_use]
pub fn ramp_mean_2(h: f64, m: f64, l: f64) -> f64 {
    let (n, d) = if l >= 0.0 {
        (h + m + l, 3.0)
    } else if m >= 0.0 {
        (h * m * (h + m) - l * (h * h + h * m + m * m), 3.0 * (h - l) * (m - l))
    } else {
        (h * h * h, 3.0 * (h - m) * (h - l))
    };
    if h > 0.0 { n / d } else { 0.0 }
}

/// The second-order mean of u₊² over h ≥ m ≥ l: 2 (u₊⁴/12)\[h, m, l\]. Real-time safe.
///
/// All positive: h² + m² + l² + h m + m l + l h. One: h⁴/((h − m)(h − l)). Two, l = −c: the same polynomial less
/// c⁴/((c + h)(c + m)), which is (c (h + m)(h² + m²) + h m (h² + h m + m²))/((c + h)(c + m)).
#[inline(always)]
#[must_use]
pub fn parabola_mean_2(h: f64, m: f64, l: f64) -> f64 {
    let square = h * h + h * m + m * m;
    let (n, d) = if l >= 0.0 {
        (square + l * (l + h + m), 6.0)
    } else if m >= 0.0 {
        (h * m * square - l * (h + m) * (h * h + m * m), 6.0 * (h - l) * (m - l))
    } else {
        (h * h * (h * h), 6.0 * (h - m) * (h - l))
    };
    if h > 0.0 { n / d } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // expected values come from std
mod tests {
    use super::*;

    /// Arguments on both sides of every border, near to and far from each other.
    fn arguments() -> Vec<f64> {
        [0.0, 1e-9, 1e-4, 0.02, 0.3, 0.300_001, 1.0, 1.7, 12.0].iter().flat_map(|x| [*x, -*x]).collect()
    }

    /// Means along the line, by Simpson's rule in n parts, broken at zero where the curves have their corner.
    fn mean_1(f: impl Fn(f64) -> f64, a: f64, b: f64) -> f64 {
        if a == b {
            return f(a);
        }
        let parts = [a.min(b), 0.0f64.clamp(a.min(b), a.max(b)), a.max(b)];
        let mut sum = 0.0;
        for part in parts.windows(2) {
            let (n, width) = (2000, part[1] - part[0]);
            for i in 0..=n {
                let weight = if i == 0 || i == n { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
                sum += weight * f(part[0] + width * f64::from(i) / f64::from(n)) * width / (3.0 * f64::from(n));
            }
        }
        sum / (a - b).abs()
    }

    #[test]
    fn logarithm_is_right() {
        for n in -2000..2000 {
            let x = (f64::from(n) * 0.02).exp();
            assert!((ln(x) - x.ln()).abs() < 2e-16 * x.ln().abs().max(1.0) * 2.0, "{x}");
        }
    }

    /// Simpson's rule errs by 1e-12 here.
    #[test]
    fn first_means_are_means() {
        for a in arguments() {
            for b in arguments() {
                let root = |v: f64| (1.0 + v * v).sqrt();
                let full = |v: f64| [v, root(v), asinh(v, root(v))];
                let (h, l) = (a.max(b), a.min(b));
                let cases = [
                    (algebraic_mean([a, root(a)], [b, root(b)]), mean_1(|v| v / root(v), a, b)),
                    (asinh_mean(full(a), full(b)), mean_1(f64::asinh, a, b)),
                    (ramp_mean_1(h, l), mean_1(|v| v.max(0.0), a, b)),
                    (parabola_mean_1(h, l), mean_1(|v| v.max(0.0) * v.max(0.0), a, b)),
                ];
                for (i, (mean, expected)) in cases.into_iter().enumerate() {
                    assert!(
                        (mean - expected).abs() < 1e-11 * expected.abs().max(1.0),
                        "{i} at {a}, {b}: {mean} for {expected}"
                    );
                }
            }
        }
    }

    /// The divided difference as Newton writes it, over arguments far enough apart for it to keep its digits.
    #[test]
    fn second_means_are_divided_differences() {
        let arguments = [-5.0, -2.0, -1.1, -0.4, 0.0, 0.3, 0.9, 2.5, 6.0];
        for (i, l) in arguments.iter().enumerate() {
            for (j, m) in arguments.iter().enumerate().skip(i + 1) {
                for h in &arguments[j + 1..] {
                    let second = |f: &dyn Fn(f64) -> f64| {
                        ((f(*h) - f(*m)) / (h - m) - (f(*m) - f(*l)) / (m - l)) / (h - l) * 2.0
                    };
                    let cubic = second(&|u| u.max(0.0).powi(3) / 6.0);
                    let quartic = second(&|u| u.max(0.0).powi(4) / 12.0);
                    assert!((ramp_mean_2(*h, *m, *l) - cubic).abs() < 1e-13 * cubic.max(1.0) * 10.0);
                    assert!((parabola_mean_2(*h, *m, *l) - quartic).abs() < 1e-13 * quartic.max(1.0) * 10.0);
                }
            }
        }
        // equal arguments: the curve itself
        for v in [-1.0, 0.0, 1e-200, 0.5, 3.0f64] {
            assert!((ramp_mean_2(v, v, v) - v.max(0.0)).abs() < 1e-15);
            assert!((parabola_mean_2(v, v, v) - v.max(0.0) * v.max(0.0)).abs() < 1e-14);
        }
    }
}
