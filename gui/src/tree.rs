//! A chain's list of controls as sections: groups, groups in them, and arrays of groups.
//!
//! Nothing here knows a stage by name: what the list holds appears, in the list's order.

use dsp_core::controls::{Kind, Listed};

/// A group of controls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Key in presets; empty for the whole chain.
    pub key: String,
    /// Name for people, without the groups around it.
    pub label: String,
    /// The control that switches the group on, if it has one.
    pub on: Option<usize>,
    /// Its own controls, `on` left out, numbered as in the list.
    pub controls: Vec<usize>,
    /// Groups in it.
    pub groups: Vec<Group>,
    /// Arrays of groups in it.
    pub arrays: Vec<Array>,
}

/// An array of groups that are alike: the bands of an equalizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// Key without the number: `band`.
    pub key: String,
    /// Name without the number: `Band`.
    pub label: String,
    /// The groups, in order; their numbers count from 1.
    pub members: Vec<Group>,
}

impl Group {
    /// The tree of a chain's controls, as `controls::list` lists them.
    #[must_use]
    pub fn of(list: &[Listed]) -> Group {
        let mut root = Group::default();
        for (index, listed) in list.iter().enumerate() {
            let mut keys: Vec<&str> = listed.id.split('.').collect();
            // the last key is the control's
            keys.pop();
            let labels = labels_of(&listed.group);
            let mut group = &mut root;
            for (n, key) in keys.iter().enumerate() {
                group = group.child(key, labels.get(n).map_or("", String::as_str));
            }
            if listed.control.key == "on" && listed.control.kind == Kind::Switch {
                group.on = Some(index);
            } else {
                group.controls.push(index);
            }
        }
        root.gather_arrays();
        root
    }

    fn child(&mut self, key: &str, label: &str) -> &mut Group {
        let found = self.groups.iter().position(|g| g.key == key);
        let at = found.unwrap_or_else(|| {
            self.groups.push(Group { key: key.to_owned(), label: label.to_owned(), ..Group::default() });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }

    /// Turns neighbours whose keys end in _1, _2 … into arrays.
    fn gather_arrays(&mut self) {
        for mut group in std::mem::take(&mut self.groups) {
            group.gather_arrays();
            let Some((key, number)) = numbered(&group.key) else {
                self.groups.push(group);
                continue;
            };
            let (key, label) = (key.to_owned(), numbered_label(key, &group.label, number));
            group.label = [label.as_str(), &number.to_string()].join(" ");
            match self.arrays.iter_mut().find(|a| a.key == key && a.members.len() + 1 == number) {
                Some(array) => array.members.push(group),
                None if number == 1 => self.arrays.push(Array { key, label, members: vec![group] }),
                // numbered, but not one of a row: an ordinary group
                None => self.groups.push(group),
            }
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.on.is_none() && self.controls.is_empty() && self.groups.is_empty() && self.arrays.is_empty()
    }

    /// The control of this group with `key`.
    #[must_use]
    pub fn control(&self, list: &[Listed], key: &str) -> Option<usize> {
        self.controls.iter().copied().find(|i| list.get(*i).is_some_and(|l| l.control.key == key))
    }
}

/// `EQ/EQ Band 3` as `EQ` and `Band 3`: a path repeats the labels before it.
fn labels_of(path: &str) -> Vec<String> {
    let mut before = "";
    let parts = path.split('/').map(|part| {
        let label = part.strip_prefix(before).unwrap_or(part).trim();
        before = part;
        label.to_owned()
    });
    parts.collect()
}

/// `band_3` as `band` and 3.
fn numbered(key: &str) -> Option<(&str, usize)> {
    let (stem, number) = key.rsplit_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if is_number { Some((stem, number.parse().ok()?)) } else { None }
}

/// The name of an array: what stands before the number, or its key where nothing does.
fn numbered_label(key: &str, label: &str, number: usize) -> String {
    let stem = label.strip_suffix(&number.to_string()).unwrap_or(label).trim();
    if !stem.is_empty() {
        return stem.to_owned();
    }
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsp_core::controls;
    use dsp_core::range::{Range, Unit};

    dsp_core::controls! {
        /// Dynamics of a band.
        pub struct Dynamic {
            /// Threshold.
            pub threshold_db: f64 = float("Threshold", Range::linear(-60.0, 0.0, -18.0, Unit::Decibel, 2)),
        }
    }
    dsp_core::controls! {
        /// A band.
        pub struct Band {
            /// On.
            pub on: bool = switch("On", false),
            /// Gain.
            pub gain_db: f64 = float("Gain", Range::linear(-18.0, 18.0, 0.0, Unit::Decibel, 2)),
            /// Dynamics.
            pub dynamic: Dynamic = group("Dynamic"),
        }
    }
    dsp_core::controls! {
        /// An equalizer.
        pub struct Eq {
            /// On.
            pub on: bool = switch("On", true),
            /// Bands.
            pub band: [Band; 3] = groups("Band", [Band::default(); 3]),
            /// Output.
            pub output_db: f64 = float("Output", Range::linear(-18.0, 18.0, 0.0, Unit::Decibel, 2)),
        }
    }
    dsp_core::controls! {
        /// A multiband stage, whose bands have no label of their own.
        pub struct Multiband {
            /// Bands.
            pub band: [Dynamic; 2] = groups("", [Dynamic::default(); 2]),
        }
    }
    dsp_core::controls! {
        /// A chain.
        pub struct Chain {
            /// Bypass.
            pub bypass: bool = switch("Bypass", false),
            /// EQ.
            pub eq: Eq = group("EQ"),
            /// Multiband.
            pub multiband: Multiband = group("Multiband"),
        }
    }

    #[test]
    fn groups_arrays_and_switches_are_found() {
        let list = controls::list::<Chain>();
        let root = Group::of(&list);
        assert_eq!(root.controls, [0]);
        let [eq, multiband] = root.groups.as_slice() else { panic!("{root:?}") };
        assert_eq!((eq.key.as_str(), eq.label.as_str(), eq.on), ("eq", "EQ", Some(1)));
        assert_eq!(eq.control(&list, "output_db"), Some(list.len() - 3));
        let second = &multiband.arrays[0].members[1];
        assert_eq!((multiband.arrays[0].label.as_str(), second.label.as_str()), ("Band", "Band 2"));
        let [bands] = eq.arrays.as_slice() else { panic!("{eq:?}") };
        assert_eq!((bands.key.as_str(), bands.label.as_str(), bands.members.len()), ("band", "Band", 3));
        let third = &bands.members[2];
        assert_eq!((third.label.as_str(), third.groups[0].label.as_str()), ("Band 3", "Dynamic"));
        assert_eq!(list[third.groups[0].controls[0]].id, "eq.band_3.dynamic.threshold_db");
        // every control has its place, once
        fn places(group: &Group) -> Vec<usize> {
            let members = group.arrays.iter().flat_map(|a| &a.members);
            let inner = group.groups.iter().chain(members).flat_map(places);
            group.on.into_iter().chain(group.controls.iter().copied()).chain(inner).collect()
        }
        let mut all = places(&root);
        all.sort_unstable();
        assert_eq!(all, (0..list.len()).collect::<Vec<_>>());
    }
}
