//! From a band's controls to sections, and to where they work.

use crate::equalizer::params::{BandParams, Placement, Shape};
use crate::filter::prototype::{self, MAX_ORDER, Side};
use crate::filter::section::Section;

/// The most sections that a band needs: two for each pair of poles.
pub const MAX_SECTIONS: usize = MAX_ORDER;

/// What of a band cannot glide, and so changes by a crossfade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What the band does.
    pub shape: Shape,
    /// The order of a cut; 0 for other shapes, so that they do not crossfade when an idle slope is moved.
    pub order: usize,
    /// Which signal it works on.
    pub route: Route,
}

/// Which signal a filter works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Every channel by itself.
    Each,
    /// One channel.
    One(usize),
    /// Half the sum of the first two channels.
    Mid,
    /// Half their difference.
    Side,
}

impl Spec {
    /// What a band is to be, `None` for a wire: a band that is off, or that works on what mono has not. Real-time safe.
    #[must_use]
    pub fn of<const CH: usize>(on: bool, band: &BandParams) -> Option<Spec> {
        let route = match band.placement {
            Placement::Stereo => Route::Each,
            // mono is all there is
            Placement::Left | Placement::Mid if CH == 1 => Route::Each,
            Placement::Right | Placement::Side if CH == 1 => return None,
            Placement::Left => Route::One(0),
            Placement::Right => Route::One(1),
            Placement::Mid => Route::Mid,
            Placement::Side => Route::Side,
        };
        let order = if band.shape.has_slope() { band.slope.order() } else { 0 };
        (on && band.on).then_some(Spec { shape: band.shape, order, route })
    }
}

/// The sections of a band, at most [`MAX_SECTIONS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sections {
    /// The sections; those from `count` on are wires.
    pub sections: [Section; MAX_SECTIONS],
    /// How many are in use.
    pub count: usize,
}

impl Sections {
    /// None.
    pub const NONE: Sections = Sections { sections: [Section::WIRE; MAX_SECTIONS], count: 0 };

    /// The band's filter at `omega` radians per sample with `gain_db`. Real-time safe.
    #[must_use]
    pub fn design(spec: &Spec, omega: f64, q: f64, gain_db: f64) -> Sections {
        let mut all = Sections::NONE;
        match spec.shape {
            Shape::Bell => all.extend(prototype::bell(omega, q, gain_db)),
            Shape::LowShelf => all.extend(prototype::low_shelf(omega, q, gain_db)),
            Shape::HighShelf => all.extend(prototype::high_shelf(omega, q, gain_db)),
            Shape::Tilt => all.extend(prototype::tilt(omega, q, gain_db)),
            Shape::LowCut => prototype::cut(Side::Low, omega, q, spec.order, |s| all.extend([s])),
            Shape::HighCut => prototype::cut(Side::High, omega, q, spec.order, |s| all.extend([s])),
            Shape::Notch => all.extend(prototype::notch(omega, q)),
            Shape::BandPass => all.extend(prototype::band_pass(omega, q)),
            Shape::AllPass => all.extend([prototype::all_pass(omega, q)]),
        }
        all
    }

    /// The sections in use. Real-time safe.
    pub fn iter(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().take(self.count)
    }

    fn extend<const N: usize>(&mut self, sections: [Section; N]) {
        for section in sections {
            if let Some(place) = self.sections.get_mut(self.count) {
                *place = section;
                self.count += 1;
            }
        }
    }
}
