//! The plugin's parameters as VST 3 sees them: from 0 to 1, in units.

use crate::plugin::ClapPlugin;
use crate::text::read_utf8;
use clap_sys::ext::params::{
    CLAP_PARAM_IS_AUTOMATABLE, CLAP_PARAM_IS_BYPASS, CLAP_PARAM_IS_ENUM, CLAP_PARAM_IS_HIDDEN, CLAP_PARAM_IS_PERIODIC,
    CLAP_PARAM_IS_READONLY, CLAP_PARAM_IS_STEPPED, clap_param_info,
};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_ as flags;
use vst3::Steinberg::Vst::kRootUnitId;

/// All parameters of a plugin, in its order. Lookups and values are real-time safe.
pub(crate) struct Parameters {
    list: Vec<Parameter>,
    /// Id and index, in order of id.
    by_id: Vec<(u32, usize)>,
    /// The units: groups, each with its parent's id. The root is not among them; ids count from 1.
    units: Vec<Unit>,
}

/// A group of parameters. Its id is one more than its index.
pub(crate) struct Unit {
    pub(crate) parent: i32,
    pub(crate) name: String,
}

/// What is known of one parameter.
pub(crate) struct Parameter {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) unit: i32,
    pub(crate) range: Range,
    /// From 0 to 1.
    pub(crate) default: f64,
    /// VST 3's.
    pub(crate) flags: i32,
    pub(crate) cookie: Cookie,
    /// What the controller shows, from 0 to 1, as bits.
    shown: AtomicU64,
    /// The host has shown a value that it has not sent in a block yet.
    pub(crate) awaits_block: AtomicBool,
    /// The plugin's editor holds it.
    pub(crate) held: AtomicBool,
}

/// CLAP's pointer by which it finds a parameter faster.
#[derive(Clone, Copy)]
pub(crate) struct Cookie(pub(crate) *mut c_void);

// SAFETY: only ever handed back to the plugin.
unsafe impl Send for Cookie {}
// SAFETY: as above.
unsafe impl Sync for Cookie {}

/// The way between the plugin's values and 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    min: f64,
    max: f64,
    /// VST 3's step count, one less than there are values; 0 where the range is continuous.
    pub(crate) steps: i32,
}

/// The nearest position from 0 to 1, and 0 for NaN.
fn within(position: f64) -> f64 {
    if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) }
}

impl Range {
    /// The plugin's value at a position of 0 to 1; positions outside count as the nearest, NaN as 0. A stepped range has
    /// parts of equal length for its values, as VST 3 prescribes.
    pub(crate) fn value(&self, position: f64) -> f64 {
        let position = within(position);
        if self.steps > 0 {
            let steps = f64::from(self.steps);
            return self.min + (position * (steps + 1.0)).floor().min(steps);
        }
        self.min + position * (self.max - self.min)
    }

    /// The position of one of the plugin's values.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let width = self.max - self.min;
        if width > 0.0 { within((value - self.min) / width) } else { 0.0 }
    }
}

impl Parameter {
    fn new(info: &clap_param_info, unit: i32) -> Parameter {
        let has = |flag| info.flags & flag != 0;
        let stepped = has(CLAP_PARAM_IS_STEPPED | CLAP_PARAM_IS_ENUM | CLAP_PARAM_IS_BYPASS);
        let steps =
            if stepped { (info.max_value - info.min_value).round().clamp(0.0, f64::from(i32::MAX)) as i32 } else { 0 };
        let range = Range { min: info.min_value, max: info.max_value, steps };
        let read_only = has(CLAP_PARAM_IS_READONLY);
        let meaning = [
            (has(CLAP_PARAM_IS_AUTOMATABLE) && !read_only, flags::kCanAutomate),
            (read_only, flags::kIsReadOnly),
            (has(CLAP_PARAM_IS_HIDDEN), flags::kIsHidden),
            (has(CLAP_PARAM_IS_BYPASS), flags::kIsBypass),
            (has(CLAP_PARAM_IS_PERIODIC), flags::kIsWrapAround),
            (has(CLAP_PARAM_IS_ENUM), flags::kIsList),
        ];
        let default = range.position(info.default_value);
        Parameter {
            id: info.id,
            name: read_utf8(&info.name),
            unit,
            range,
            default,
            flags: meaning.into_iter().filter(|(is, _)| *is).fold(0, |all, (_, flag)| all | flag),
            cookie: Cookie(info.cookie),
            shown: AtomicU64::new(default.to_bits()),
            awaits_block: AtomicBool::new(false),
            held: AtomicBool::new(false),
        }
    }

    /// What the controller shows, from 0 to 1. Real-time safe.
    pub(crate) fn shown(&self) -> f64 {
        f64::from_bits(self.shown.load(Relaxed))
    }

    /// Real-time safe.
    pub(crate) fn show(&self, position: f64) {
        self.shown.store(within(position).to_bits(), Relaxed);
    }
}

impl Parameters {
    /// A plugin without parameters, or none at all.
    pub(crate) fn none() -> Parameters {
        Parameters { list: vec![], by_id: vec![], units: vec![] }
    }

    /// Asks the plugin for everything; main thread. Ids from 2³¹ on are the host's own in VST 3, so a parameter with
    /// such an id is left out.
    pub(crate) fn of(plugin: &ClapPlugin) -> Parameters {
        let parameters = Parameters::from_infos(&plugin.parameter_infos());
        parameters.show_values_of(plugin);
        parameters
    }

    pub(crate) fn from_infos(infos: &[clap_param_info]) -> Parameters {
        let mut parameters = Parameters::none();
        for info in infos.iter().filter(|info| info.id < 1 << 31) {
            let unit = parameters.unit(&read_utf8(&info.module));
            parameters.by_id.push((info.id, parameters.list.len()));
            parameters.list.push(Parameter::new(info, unit));
        }
        parameters.by_id.sort_unstable();
        parameters
    }

    /// The id of the unit with this path, such as `EQ/Band 1`, made where it is new.
    fn unit(&mut self, path: &str) -> i32 {
        path.split('/').filter(|name| !name.is_empty()).fold(kRootUnitId, |parent, name| {
            let known = self.units.iter().position(|unit| unit.parent == parent && unit.name == name);
            let index = known.unwrap_or_else(|| {
                self.units.push(Unit { parent, name: name.to_owned() });
                self.units.len() - 1
            });
            index as i32 + 1
        })
    }

    /// Shows what the plugin has; main thread.
    pub(crate) fn show_values_of(&self, plugin: &ClapPlugin) {
        for parameter in &self.list {
            if let Some(value) = plugin.value(parameter.id) {
                parameter.show(parameter.range.position(value));
            }
        }
    }

    pub(crate) fn list(&self) -> &[Parameter] {
        &self.list
    }

    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Real-time safe.
    pub(crate) fn find(&self, id: u32) -> Option<&Parameter> {
        let place = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.list.get(self.by_id.get(place)?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::write_utf8;

    fn info(id: u32, module: &str, flags: u32, range: [f64; 3]) -> clap_param_info {
        // SAFETY: plain data, for which zeros are a value.
        let mut info: clap_param_info = unsafe { std::mem::zeroed() };
        (info.id, info.flags, [info.min_value, info.default_value, info.max_value]) = (id, flags, range);
        write_utf8(module, &mut info.module);
        info
    }

    #[test]
    fn continuous_ranges_are_linear_and_exact_from_0_to_1() {
        let unit = Range { min: 0.0, max: 1.0, steps: 0 };
        for position in [0.0, 0.1, 1.0 / 3.0, f64::from(0.7_f32), 1.0] {
            assert_eq!((unit.value(position), unit.position(position)), (position, position), "the same bits");
        }
        let gain = Range { min: -12.0, max: 36.0, steps: 0 };
        assert_eq!((gain.value(0.25), gain.position(0.0)), (0.0, 0.25));
        assert_eq!([gain.value(-1.0), gain.value(2.0), gain.value(f64::NAN)], [-12.0, 36.0, -12.0]);
        assert_eq!([gain.position(-13.0), gain.position(37.0), gain.position(f64::NAN)], [0.0, 1.0, 0.0]);
        let empty = Range { min: 3.0, max: 3.0, steps: 0 };
        assert_eq!((empty.value(0.5), empty.position(3.0)), (3.0, 0.0));
    }

    #[test]
    fn stepped_ranges_come_back_and_have_equal_parts() {
        for steps in [1, 2, 3, 6, 10, 99, 1000] {
            let range = Range { min: 5.0, max: 5.0 + f64::from(steps), steps };
            for step in 0..=steps {
                let value = 5.0 + f64::from(step);
                assert_eq!(range.value(range.position(value)), value, "step {step} of {steps}");
            }
        }
        // four values: a quarter each, by VST 3's formula min(steps, floor(position * (steps + 1)))
        let four = Range { min: 0.0, max: 3.0, steps: 3 };
        let values = [0.0, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 1.0].map(|position| four.value(position));
        assert_eq!(values, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn paths_become_units_and_host_ids_are_left_out() {
        let parameters = Parameters::from_infos(&[
            info(7, "", CLAP_PARAM_IS_BYPASS | CLAP_PARAM_IS_AUTOMATABLE, [0.0, 0.0, 1.0]),
            info(5, "EQ/Band 1", CLAP_PARAM_IS_AUTOMATABLE, [0.0, 0.5, 2.0]),
            info(1 << 31, "Out", 0, [0.0, 0.0, 1.0]),
            info(6, "EQ", CLAP_PARAM_IS_READONLY | CLAP_PARAM_IS_AUTOMATABLE, [0.0, 0.0, 1.0]),
            info(9, "Out/Band 1", CLAP_PARAM_IS_STEPPED | CLAP_PARAM_IS_HIDDEN, [1.0, 2.0, 5.0]),
        ]);
        let units: Vec<_> = parameters.units().iter().map(|unit| (unit.parent, unit.name.as_str())).collect();
        assert_eq!(units, [(0, "EQ"), (1, "Band 1"), (0, "Out"), (3, "Band 1")]);
        let found: Vec<_> = parameters.list().iter().map(|p| (p.id, p.unit, p.range.steps, p.default)).collect();
        assert_eq!(found, [(7, 0, 1, 0.0), (5, 2, 0, 0.25), (6, 1, 0, 0.0), (9, 4, 4, 0.25)]);
        let seen: Vec<_> = parameters.list().iter().map(|p| p.flags).collect();
        let expected =
            [flags::kIsBypass | flags::kCanAutomate, flags::kCanAutomate, flags::kIsReadOnly, flags::kIsHidden];
        assert_eq!(seen, expected);
        assert_eq!(parameters.find(6).map(|p| p.id), Some(6));
        assert!(parameters.find(1 << 31).is_none() && parameters.find(8).is_none());
    }
}
