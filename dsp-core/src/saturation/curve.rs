//! The curves, without memory.

use super::divided_difference::asinh;

/// A saturating curve of slope 1 at the origin.
///
/// With a bias b the curve is worked about b instead, and moved and scaled so that it still passes through the origin
/// at slope 1: f_b(x) = (f(x + b) − f(b)) / f'(b).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// f(x) = x / √(1 + (x/c)²): bends early and gently towards ±c; the bias is counted in c. (D. Yeh, J. Abel,
    /// J. O. Smith, DAFx-07, eq. 3 give the family x/(1 + |x|ⁿ)^(1/n) for overdriven stages; n = 2 has √ as its
    /// antiderivative.)
    Algebraic {
        /// The ceiling c.
        ceiling: f64,
    },
    /// f(x) = asinh(x): the voltage over a pair of antiparallel diodes that a current x flows through, by Shockley's law
    /// I = 2 Iₛ sinh(V / (n V_T)). It grows without end, ever more slowly.
    Asinh,
    /// The identity up to 1 − knee, ±1 from 1 + knee on, and the parabola that joins both in between; with no knee the
    /// hard clip.
    Clip {
        /// Half the width of the knee, 0 to 1.
        knee: f64,
    },
}

/// What a bias does to a curve: where it is worked, what it gives there, and what makes up for its slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bias {
    /// Added to the curve's argument.
    pub shift: f64,
    /// Taken from its value.
    pub zero: f64,
    /// What the difference is multiplied by.
    pub inverse_slope: f64,
}

impl Curve {
    /// The bias b of this curve. Real-time safe.
    #[must_use]
    pub fn bias(self, b: f64) -> Bias {
        let root = (1.0 + b * b).sqrt();
        match self {
            // written as the running mean writes them, so that silence gives an exact zero
            Curve::Algebraic { .. } => {
                Bias { shift: b, zero: (b + b) / (root + root), inverse_slope: root * root * root }
            }
            Curve::Asinh => {
                let value = asinh(b, root);
                Bias {
                    shift: b,
                    zero: super::divided_difference::asinh_mean([b, root, value], [b, root, value]),
                    inverse_slope: root,
                }
            }
            Curve::Clip { .. } => Bias { shift: b, zero: b, inverse_slope: 1.0 },
        }
    }

    /// f_b(x) − x: what the curve does to a steady input. Real-time safe.
    #[must_use]
    pub fn residual(self, x: f64, bias: Bias) -> f64 {
        match self {
            Curve::Algebraic { ceiling } => {
                let v = x / ceiling + bias.shift;
                ceiling * (v / (1.0 + v * v).sqrt() - bias.zero) * bias.inverse_slope - x
            }
            Curve::Asinh => {
                let v = x + bias.shift;
                (asinh(v, (1.0 + v * v).sqrt()) - bias.zero) * bias.inverse_slope - x
            }
            Curve::Clip { knee } => {
                let v = x + bias.shift;
                over(-v, knee) - over(v, knee)
            }
        }
    }
}

/// How far the clip lies under the identity at v.
pub(super) fn over(v: f64, knee: f64) -> f64 {
    if knee == 0.0 {
        return (v - 1.0).max(0.0);
    }
    let (from, to) = ((v - 1.0 + knee).max(0.0), (v - 1.0 - knee).max(0.0));
    (from - to) * (from + to) / (4.0 * knee)
}
