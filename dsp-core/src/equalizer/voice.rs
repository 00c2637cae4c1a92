//! One filter of a band on its way: a band whose shape changes crossfades from one voice to another.

use crate::equalizer::design::{MAX_SECTIONS, Route, Sections, Spec};
use crate::filter::cascade::{Group, LANES};
use crate::filter::section::Section;

/// A filter with the path of its coefficients, and its states while it has no lanes.
#[derive(Clone, Copy, Debug)]
pub struct Voice<const CH: usize> {
    /// What it is; `None` is a wire.
    pub spec: Option<Spec>,
    /// Designs at four grid points in a row. The coefficients go from the second to the third: one grid behind the
    /// controls, so that their slope at either end is known.
    path: [Sections; 4],
    /// Grid points since the design last changed, up to [`ARRIVED`].
    still: u8,
    states: [[[f64; 2]; CH]; MAX_SECTIONS],
    /// The first of its lanes, counted over all groups.
    first_lane: Option<usize>,
}

/// After so many grid points with the same design the coefficients stand still.
const ARRIVED: u8 = 3;

impl<const CH: usize> Voice<CH> {
    /// A wire.
    pub const WIRE: Voice<CH> = Voice {
        spec: None,
        path: [Sections::NONE; 4],
        still: ARRIVED,
        states: [[[0.0; 2]; CH]; MAX_SECTIONS],
        first_lane: None,
    };

    /// At rest and silent. Real-time safe.
    #[must_use]
    pub fn at_rest(spec: Option<Spec>, sections: Sections) -> Self {
        Voice { spec, path: [sections; 4], ..Voice::WIRE }
    }

    /// The newest design. Real-time safe.
    #[must_use]
    pub fn newest(&self) -> &Sections {
        &self.path[3]
    }

    /// Whether coefficients are under way. Real-time safe.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.still < ARRIVED
    }

    /// Which signal it works on, and how many lanes it needs; `None` for a wire. Real-time safe.
    #[must_use]
    pub fn needs(&self) -> Option<(Route, usize)> {
        self.spec.map(|spec| (spec.route, self.path[3].count))
    }

    /// At a grid point: `design` is where coefficients go; `None` if nothing changed. Real-time safe.
    pub fn advance(&mut self, design: Option<Sections>) {
        if design.is_none() && self.still >= ARRIVED {
            return;
        }
        self.still = if design.is_some() { 0 } else { self.still + 1 };
        let newest = design.unwrap_or(self.path[3]);
        self.path = [self.path[1], self.path[2], self.path[3], newest];
    }

    /// At a grid point, before `advance`: stays where it is. Real-time safe.
    pub fn freeze(&mut self) {
        self.path = [self.path[2]; 4];
        self.still = ARRIVED;
    }

    /// Takes the states out of its lanes. Real-time safe.
    pub fn leave(&mut self, groups: &[Group<CH>]) {
        let Some(first) = self.first_lane.take() else { return };
        for (n, states) in self.states.iter_mut().enumerate().take(self.path[3].count) {
            if let Some(group) = groups.get((first + n) / LANES) {
                *states = group.state((first + n) % LANES);
            }
        }
    }

    /// Takes up lanes from `first` on, with its states. Real-time safe.
    pub fn enter(&mut self, groups: &mut [Group<CH>], first: usize) {
        self.first_lane = Some(first);
        for (n, states) in self.states.iter().enumerate().take(self.path[3].count) {
            if let Some(group) = groups.get_mut((first + n) / LANES) {
                group.set_state((first + n) % LANES, *states);
            }
        }
        self.show(groups);
    }

    /// Puts the path of its coefficients into its lanes. Real-time safe.
    pub fn show(&self, groups: &mut [Group<CH>]) {
        let Some(first) = self.first_lane else { return };
        let [before, from, to, after] = &self.path;
        for n in 0..to.count {
            let Some(group) = groups.get_mut((first + n) / LANES) else { return };
            let section = |sections: &Sections| sections.sections.get(n).copied().unwrap_or(Section::WIRE);
            if self.is_moving() {
                let path = [before, from, to, after].map(section);
                group.glide((first + n) % LANES, path.each_ref());
                group.set_moving(true);
            } else {
                group.set((first + n) % LANES, &section(after));
            }
        }
    }
}
