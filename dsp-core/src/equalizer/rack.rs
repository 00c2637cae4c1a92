//! Where the sections of all voices are processed: packed into groups of lanes, in the order of the bands.

use crate::equalizer::Lines;
use crate::equalizer::band::Band;
use crate::equalizer::design::{MAX_SECTIONS, Route};
use crate::equalizer::voice::Voice;
use crate::filter::cascade::{self, Group, LANES, Line};
use fearless_simd::Level;

/// Groups of lanes, and in which order what passes through them.
#[derive(Clone, Debug)]
pub struct Rack<const CH: usize> {
    level: Level,
    groups: Vec<Group<CH>>,
    stages: Vec<Stage>,
    /// Some coefficients moved in the last span.
    moving: bool,
}

/// One step on the way.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Bands on the same signal, one after the other.
    Series(Leg),
    /// The band of this index goes from one voice (or wire) to another.
    Fade { band: usize, old: Option<Leg>, new: Option<Leg> },
}

/// Some groups on one signal.
#[derive(Clone, Copy, Debug)]
struct Leg {
    route: Route,
    first: usize,
    end: usize,
}

impl<const CH: usize> Rack<CH> {
    /// Room for all voices of `bands` bands. May allocate.
    pub fn new(bands: usize) -> Self {
        let most = 2 * bands * MAX_SECTIONS.div_ceil(LANES);
        Rack { level: Level::new(), groups: Vec::with_capacity(most), stages: Vec::with_capacity(bands), moving: false }
    }

    /// Nothing to process.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Forgets everything. Real-time safe.
    pub fn clear(&mut self) {
        self.groups.clear();
        self.stages.clear();
    }

    /// Gives each voice its lanes anew; states go with them. Real-time safe: there is room for all.
    pub fn lay_out(&mut self, bands: &mut [Band<CH>]) {
        self.groups.iter_mut().for_each(Group::unsettle);
        for band in bands.iter_mut() {
            band.voice.leave(&self.groups);
            band.old.leave(&self.groups);
        }
        self.clear();
        let mut lanes = 0;
        for (index, band) in bands.iter_mut().enumerate() {
            if band.fade().is_some() {
                let old = self.take_in(&mut band.old, &mut lanes, None);
                let new = self.take_in(&mut band.voice, &mut lanes, None);
                self.stages.push(Stage::Fade { band: index, old, new });
                continue;
            }
            let before = match self.stages.last() {
                Some(Stage::Series(leg)) => Some(*leg),
                _ => None,
            };
            let Some(leg) = self.take_in(&mut band.voice, &mut lanes, before) else { continue };
            match self.stages.last_mut() {
                Some(Stage::Series(last)) if last.route == leg.route => last.end = leg.end,
                _ => self.stages.push(Stage::Series(leg)),
            }
        }
        self.moving = true;
        self.show(bands);
    }

    /// Lanes for one voice: the next free ones of `before` if that is on the same signal, else new groups. `lanes`
    /// counts the lanes given out.
    fn take_in(&mut self, voice: &mut Voice<CH>, lanes: &mut usize, before: Option<Leg>) -> Option<Leg> {
        let (route, count) = voice.needs()?;
        if before.is_none_or(|leg| leg.route != route) {
            *lanes = self.groups.len() * LANES;
        }
        let first = *lanes;
        *lanes += count;
        let end = lanes.div_ceil(LANES);
        while self.groups.len() < end && self.groups.len() < self.groups.capacity() {
            self.groups.push(Group::WIRES);
        }
        voice.enter(&mut self.groups, first);
        Some(Leg { route, first: first / LANES, end })
    }

    /// At a grid point: states that died away go to zero. Real-time safe.
    pub fn flush(&mut self) {
        self.groups.iter_mut().for_each(Group::flush);
    }

    /// At a grid point: new paths for coefficients that move, and `flush`. Real-time safe.
    pub fn show(&mut self, bands: &[Band<CH>]) {
        let moves = bands.iter().any(|band| band.voice.is_moving());
        self.groups.iter_mut().for_each(|group| group.set_moving(false));
        self.flush();
        if moves || self.moving {
            self.groups.iter_mut().for_each(Group::unsettle);
            for band in bands {
                band.voice.show(&mut self.groups);
                band.old.show(&mut self.groups);
            }
        }
        self.moving = moves;
        if !moves {
            self.groups.iter_mut().for_each(Group::settle);
        }
    }

    /// Passes `len` frames through all stages. Real-time safe.
    pub fn process(&mut self, bands: &mut [Band<CH>], lines: &mut Lines<CH>, len: usize) {
        for stage in &self.stages {
            match stage {
                Stage::Series(leg) => run(self.level, &mut self.groups, leg, lines, len),
                Stage::Fade { band, old, new } => {
                    let Some(fade) = bands.get_mut(*band).and_then(Band::fade) else { continue };
                    let (mut amount, mut ringing): (Line, Line) = ([0.0; _], [0.0; _]);
                    for (a, r) in amount.iter_mut().zip(&mut ringing).take(len) {
                        (*a, *r) = (fade.input.next_value(), fade.ringing.next_value());
                    }
                    let mut rest = *lines;
                    for (line, rest) in lines.iter_mut().zip(&mut rest) {
                        for ((sample, rest), amount) in line.iter_mut().zip(rest).zip(amount).take(len) {
                            *sample *= amount;
                            *rest *= 1.0 - amount;
                        }
                    }
                    if let Some(leg) = old {
                        run(self.level, &mut self.groups, leg, &mut rest, len);
                    }
                    if let Some(leg) = new {
                        run(self.level, &mut self.groups, leg, lines, len);
                    }
                    for (line, rest) in lines.iter_mut().zip(rest) {
                        for ((sample, rest), ringing) in line.iter_mut().zip(rest).zip(ringing).take(len) {
                            *sample += ringing * rest;
                        }
                    }
                }
            }
        }
    }
}

/// Filters the signal that the leg is on.
fn run<const CH: usize>(level: Level, groups: &mut [Group<CH>], leg: &Leg, lines: &mut Lines<CH>, len: usize) {
    let Some(groups) = groups.get_mut(leg.first..leg.end) else { return };
    match (leg.route, &mut lines[..]) {
        (Route::One(channel), lines) => {
            if let Some(line) = lines.get_mut(channel) {
                cascade::process(level, groups, [line], len);
            }
        }
        (Route::Mid | Route::Side, [left, right, ..]) => {
            let sign = if leg.route == Route::Mid { 1.0 } else { -1.0 };
            let mut before: Line = [0.0; _];
            for (b, (l, r)) in before.iter_mut().zip(left.iter().zip(right.iter())).take(len) {
                *b = 0.5 * (*l + sign * *r);
            }
            let mut after = before;
            cascade::process(level, groups, [&mut after], len);
            for ((l, r), (a, b)) in left.iter_mut().zip(right.iter_mut()).zip(after.iter().zip(before)).take(len) {
                let change = *a - b;
                *l += change;
                *r += sign * change;
            }
        }
        _ => cascade::process(level, groups, lines.each_mut(), len),
    }
}
