//! What the models are made of.

use super::curve::{Bias, Curve};
use super::emphasis::Shelf;
use crate::choices;
use crate::math;

choices! {
    /// What is saturated.
    pub enum Model {
        /// Tape: the recording is emphasised in the treble, so that loud treble is lost first and returns when it is
        /// quiet; odd harmonics; the low end gains a mild bump as the tape is driven.
        Tape = ("tape", "Tape"),
        /// Tube: one side bends well before the other; even harmonics first, more of them, or none, by the bias.
        Tube = ("tube", "Tube"),
        /// Transformer: the core saturates by flux, which is voltage over frequency; lows bend, highs pass.
        Transformer = ("transformer", "Transformer"),
        /// Diode: the logarithmic curve of an antiparallel pair; dense from low levels on, never quite full.
        Diode = ("diode", "Diode"),
        /// Soft clip: straight up to half of full scale, flat over one and a half.
        SoftClip = ("soft_clip", "Soft Clip"),
        /// Hard clip: straight up to full scale, flat over it.
        HardClip = ("hard_clip", "Hard Clip"),
    }
}

/// A model's parts: output = E⁻¹(f_b(E(x))), with E an emphasis that is undone exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// f.
    pub curve: Curve,
    /// b when the bias control is at 0.
    pub bias: f64,
    /// How far the bias control moves b each way, at its ends.
    pub bias_range: f64,
    /// Pole in hertz, gain at the bottom, gain at the top of E.
    pub emphasis: Option<(f64, f64, f64)>,
    /// How much the low end rises at full drive, in decibels.
    pub bump_db: f64,
}

/// Centre of the head bump, in hertz: about where a full-track head at 15 inches a second has it.
pub const BUMP_HZ: f64 = 65.0;
/// Q of the head bump.
pub const BUMP_Q: f64 = 0.8;

impl Model {
    /// The parts. Real-time safe.
    #[must_use]
    pub fn parts(self) -> Parts {
        let plain = Parts { curve: Curve::Asinh, bias: 0.0, bias_range: 0.7, emphasis: None, bump_db: 0.0 };
        match self {
            // the zero at 3183 Hz is the 50 µs of NAB at 15 in/s; the pole keeps the rise to 9.5 dB. The ceiling of
            // +11 dBFS is what the treble's emphasis leaves of one of +1 dBFS
            Model::Tape => Parts {
                curve: Curve::Algebraic { ceiling: 3.5 },
                emphasis: Some((3.0 * 3183.1, 1.0, 3.0)),
                bump_db: 1.5,
                ..plain
            },
            // f_b(x) = x − 0.5 x² + … at b = 0.35 c: ceilings of +1.1 and −2.4
            Model::Tube => Parts { curve: Curve::Algebraic { ceiling: 1.5 }, bias: 0.35, ..plain },
            // voltage becomes flux, ∝ V/f (B. Whitlock, Audio Transformers, Handbook for Sound Engineers, 2001), from 300 Hz
            // down to 40 Hz, where the winding's resistance takes over
            Model::Transformer => {
                Parts { curve: Curve::Algebraic { ceiling: 2.5 }, emphasis: Some((40.0, 7.5, 1.0)), ..plain }
            }
            Model::Diode => Parts { bias_range: 1.0, ..plain },
            Model::SoftClip => Parts { curve: Curve::Clip { knee: 0.5 }, bias_range: 0.5, ..plain },
            Model::HardClip => Parts { curve: Curve::Clip { knee: 0.0 }, ..plain },
        }
    }
}

impl Parts {
    /// The curve's bias where the control is at `percent`. Real-time safe.
    #[must_use]
    pub fn bias_at(&self, percent: f64) -> Bias {
        self.curve.bias(self.bias + self.bias_range * percent / 100.0)
    }

    /// E at a rate. Real-time safe.
    #[must_use]
    pub fn shelf(&self, sample_rate_hz: f64) -> Shelf {
        self.emphasis.map_or(Shelf::FLAT, |(pole_hz, low, high)| Shelf::new(pole_hz, low, high, sample_rate_hz))
    }

    /// The gain that keeps the power of the reference programme, given the `drive` into the curve.
    ///
    /// The reference is pink noise from 20 Hz to 20 kHz at [`REFERENCE_RMS`], whose samples are Gaussian. By Bussgang's
    /// theorem the curve makes of v = drive E x a scaled copy k v, k = E(v y)/E(v²), and distortion of the power that
    /// remains. E⁻¹ gives the copy its spectrum back; the distortion, whose products fall everywhere, is taken to be pink. The
    /// expectations are the trapezoidal rule at 97 points within 4.8 σ. Real-time safe.
    #[must_use]
    pub fn matched_gain(&self, drive: f64, percent: f64) -> f64 {
        let (before, after) = self.emphasis.map_or((1.0, 1.0), |(pole_hz, low, high)| {
            (pink_gain((pole_hz, low, high)), pink_gain((pole_hz * low / high, 1.0 / low, 1.0 / high)))
        });
        let scale = drive * REFERENCE_RMS * before;
        if scale < 1e-6 {
            return 1.0;
        }
        let bias = self.bias_at(percent);
        let (mut weight_sum, mut sum, mut square_sum, mut copy_sum) = (0.0, 0.0, 0.0, 0.0);
        for n in -48..=48 {
            let z = 0.1 * f64::from(n);
            let weight = math::exp(-0.5 * z * z);
            let y = z * scale + self.curve.residual(z * scale, bias);
            weight_sum += weight;
            sum += weight * y;
            square_sum += weight * y * y;
            copy_sum += weight * y * z;
        }
        let (mean, copy) = (sum / weight_sum, copy_sum / weight_sum);
        let distortion = (square_sum / weight_sum - mean * mean - copy * copy).max(0.0);
        // the copy's RMS behind E⁻¹ is its share of the drive's; the reference there is 1
        let power = (copy / before) * (copy / before) + distortion * after * after;
        drive * REFERENCE_RMS / power.max(1e-24).sqrt()
    }
}

/// −18 dBFS RMS: the alignment level of EBU R 68.
pub const REFERENCE_RMS: f64 = 0.125_892_541_179_416_73;

/// RMS of pink noise, 20 Hz to 20 kHz, behind a shelf, re without: ∫ (low² + high² x²)/(1 + x²) d ln x in closed form.
fn pink_gain((pole_hz, low, high): (f64, f64, f64)) -> f64 {
    let integral = |hz: f64| {
        let x = hz / pole_hz;
        let half = 0.5 * math::ln(1.0 + x * x);
        low * low * (math::ln(x) - half) + high * high * half
    };
    ((integral(20_000.0) - integral(20.0)) / math::ln(1000.0)).sqrt()
}
