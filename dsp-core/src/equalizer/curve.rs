//! The response of an equalizer as its controls say, for those who draw it.

use crate::controls;
use crate::equalizer::design::{Route, Sections, Spec};
use crate::equalizer::params::{EqualizerParams, Placement};
use crate::filter::complex::Complex;
use crate::math;
use crate::processor::{MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ};

/// The exact frequency response of a stereo equalizer with these controls, at rest: the Fourier transform of its impulse
/// response.
#[derive(Clone, Debug)]
pub struct Curve<const BANDS: usize> {
    bands: [Option<(Route, Sections)>; BANDS],
    polarity: f64,
    sample_rate_hz: f64,
}

impl<const BANDS: usize> Curve<BANDS> {
    /// The curve of `params` at `sample_rate_hz`, with the dynamic part at rest. Real-time safe.
    #[must_use]
    pub fn new(params: &EqualizerParams<BANDS>, sample_rate_hz: f64) -> Self {
        Curve::with_dynamics(params, sample_rate_hz, &[0.0; BANDS])
    }

    /// The same while the dynamic parts move the gains by `dynamic_db`, as in
    /// [`Reading`](crate::equalizer::Reading). Real-time safe.
    #[must_use]
    pub fn with_dynamics(params: &EqualizerParams<BANDS>, sample_rate_hz: f64, dynamic_db: &[f64; BANDS]) -> Self {
        let params = controls::clamped(params);
        let sample_rate_hz = sample_rate_hz.clamp(MIN_SAMPLE_RATE_HZ, MAX_SAMPLE_RATE_HZ);
        let mut bands = [None; BANDS];
        for ((place, band), dynamic_db) in bands.iter_mut().zip(&params.band).zip(dynamic_db) {
            *place = Spec::of::<2>(params.on, band).map(|spec| {
                let omega = math::TAU * band.frequency_hz / sample_rate_hz;
                let gain_db = 0.01 * params.gain_scale_percent * (band.gain_db + dynamic_db);
                (spec.route, Sections::design(&spec, omega, band.q, gain_db))
            });
        }
        Curve { bands, polarity: if params.on && params.phase_invert { -1.0 } else { 1.0 }, sample_rate_hz }
    }

    /// Gain and phase of one band (counted from 0) at `hz`, in the signal that it works on; 1 where it is off.
    /// Real-time safe.
    #[must_use]
    pub fn band(&self, band: usize, hz: f64) -> Complex {
        match self.bands.get(band) {
            Some(Some((_, sections))) => response(sections, self.z(hz)),
            _ => Complex::ONE,
        }
    }

    /// Gain and phase from each input channel to each output channel at `hz`, `[output][input]`, left first.
    /// Real-time safe.
    #[must_use]
    pub fn matrix(&self, hz: f64) -> [[Complex; 2]; 2] {
        let z = self.z(hz);
        let bands = self.bands.iter().flatten().map(|(route, sections)| (*route, response(sections, z)));
        matrix(bands, self.polarity)
    }

    /// Gain and phase at `hz` of what all bands do to a signal that is only on the left, only on the right, mid or side;
    /// `Stereo` is the mean over left and right. Real-time safe.
    #[must_use]
    pub fn total(&self, hz: f64, placement: Placement) -> Complex {
        let [[ll, lr], [rl, rr]] = self.matrix(hz);
        match placement {
            Placement::Stereo => (ll + rr).scale(0.5),
            Placement::Left => ll,
            Placement::Right => rr,
            Placement::Mid => (ll + lr + rl + rr).scale(0.5),
            Placement::Side => (ll - lr - rl + rr).scale(0.5),
        }
    }

    fn z(&self, hz: f64) -> Complex {
        Complex::from_angle(math::TAU * hz / self.sample_rate_hz)
    }
}

/// The response of sections in series.
pub(super) fn response(sections: &Sections, z: Complex) -> Complex {
    sections.iter().fold(Complex::ONE, |product, section| product * section.response(z))
}

/// What a chain of filters with their routes does from each channel to each, in stereo.
pub(super) fn matrix(bands: impl Iterator<Item = (Route, Complex)>, polarity: f64) -> [[Complex; 2]; 2] {
    let mut m = [[Complex::ONE, Complex::ZERO], [Complex::ZERO, Complex::ONE]];
    for (route, h) in bands {
        let [left, right] = m;
        let change = h - Complex::ONE;
        m = match route {
            Route::Each => [left.map(|x| x * h), right.map(|x| x * h)],
            Route::One(0) => [left.map(|x| x * h), right],
            Route::One(_) => [left, right.map(|x| x * h)],
            Route::Mid | Route::Side => {
                let sign = if route == Route::Mid { 1.0 } else { -1.0 };
                let [a, b] = std::array::from_fn(|i| ((left[i] + right[i].scale(sign)) * change).scale(0.5));
                [[left[0] + a, left[1] + b], [right[0] + a.scale(sign), right[1] + b.scale(sign)]]
            }
        };
    }
    m.map(|row| row.map(|x| x.scale(polarity)))
}
