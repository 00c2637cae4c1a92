//! The picture of an equalizer: its exact response, with handles on its bands.

use dsp_core::equalizer::{Curve, EqualizerParams, Placement};
use gui::band_plot::{Response, band_plot};
use gui::section::{Area, Paint};
use std::cell::RefCell;

/// Keeps the curve that was painted last: designing it is dear, and most frames show the same.
pub struct EqualizerPicture<const BANDS: usize> {
    last: RefCell<Option<Drawn<BANDS>>>,
}

struct Drawn<const BANDS: usize> {
    params: EqualizerParams<BANDS>,
    sample_rate_hz: f64,
    curve: Curve<BANDS>,
}

impl<const BANDS: usize> Default for EqualizerPicture<BANDS> {
    fn default() -> Self {
        EqualizerPicture { last: RefCell::new(None) }
    }
}

impl<const BANDS: usize> EqualizerPicture<BANDS> {
    /// The plot for a section's area.
    pub fn area<'a>(&'a self, params: EqualizerParams<BANDS>, sample_rate_hz: f64) -> Area<'a> {
        let paint: Paint<'a> = Box::new(move |ui, rect, group, binding, chosen| {
            let mut last = self.last.borrow_mut();
            if last.as_ref().is_none_or(|l| l.params != params || l.sample_rate_hz != sample_rate_hz) {
                let curve = Curve::new(&params, sample_rate_hz);
                *last = Some(Drawn { params, sample_rate_hz, curve });
            }
            let Some(Drawn { curve, .. }) = last.as_ref() else { return };
            let response = Heard { curve, params: &params, sample_rate_hz };
            band_plot(ui, rect, group, binding, chosen, &response);
        });
        Area { height: HEIGHT, paint }
    }
}

/// A curve up to half the sample rate: above that there is nothing to hear, and the response mirrors.
struct Heard<'a, const BANDS: usize> {
    curve: &'a Curve<BANDS>,
    params: &'a EqualizerParams<BANDS>,
    sample_rate_hz: f64,
}

impl<const BANDS: usize> Heard<'_, BANDS> {
    fn is_heard(&self, hz: f64) -> bool {
        hz < 0.5 * self.sample_rate_hz
    }
}

impl<const BANDS: usize> Response for Heard<'_, BANDS> {
    fn total_db(&self, hz: f64) -> f64 {
        if self.is_heard(hz) { self.curve.total(hz, Placement::Stereo).db() } else { f64::NAN }
    }

    fn band_db(&self, band: usize, hz: f64) -> f64 {
        if self.is_heard(hz) { self.curve.band(band, hz).db() } else { f64::NAN }
    }

    fn has_gain(&self, band: usize) -> bool {
        self.params.band.get(band).is_some_and(|b| b.shape.has_gain())
    }
}

const HEIGHT: f32 = 178.0;
