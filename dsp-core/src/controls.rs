//! The controls of a stage as data: one declaration gives the snapshot struct, its defaults, and the list that plugin,
//! program, editor, presets and tests walk.
//!
//! ```
//! use dsp_core::controls::{self, Controls};
//! use dsp_core::range::{Range, Unit};
//!
//! dsp_core::controls! {
//!     /// A level control.
//!     pub struct LevelParams {
//!         /// Gain in decibels.
//!         pub gain_db: f64 = float("Gain", Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2)),
//!         /// Whether anything is heard.
//!         pub mute: bool = switch("Mute", false),
//!     }
//! }
//! let list = controls::list::<LevelParams>();
//! assert_eq!(list[0].id, "gain_db");
//! assert_eq!(LevelParams::default().gain_db, 0.0);
//! ```

use crate::range::Range;

/// A snapshot of controls that can be walked. Made by [`controls!`](crate::controls!), not by hand.
pub trait Controls: Copy + PartialEq + Default + Send + Sync + std::fmt::Debug + 'static {
    /// Shows every control and its value to `visitor`, always in the same order. Real-time safe if the visitor is.
    fn visit(&mut self, visitor: &mut dyn Visitor);
}

/// Walks a snapshot.
pub trait Visitor {
    /// The controls up to the matching `leave` belong to this group; `index` counts the members of an array from 1.
    fn enter(&mut self, group: &'static Group, index: Option<usize>);
    /// The end of a group.
    fn leave(&mut self);
    /// One control and where its value is kept.
    fn control(&mut self, control: &'static Control, value: &mut dyn Value);
}

/// A named group of controls.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Name in presets: snake case.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
}

/// What is known of a control apart from its value.
#[derive(Debug, PartialEq)]
pub struct Control {
    /// Name in presets: snake case, the unit as suffix.
    pub key: &'static str,
    /// Name for people, without its group.
    pub label: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Takes effect at `prepare` only, and cannot be automated.
    pub structural: bool,
}

/// What values a control takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Float(Range),
    /// Off (0) or on (1).
    Switch,
    /// One of these, counted from 0. Keys are for presets, labels for people.
    Choice(&'static [Choice]),
}

/// One value of a control that offers a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name in presets: snake case.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
}

impl Kind {
    /// The nearest value that the control can take; what is no number at all becomes `default`. Real-time safe.
    #[must_use]
    pub fn quantise(&self, value: f64, default: f64) -> f64 {
        match self {
            _ if value.is_nan() => default,
            Kind::Float(range) => range.quantise(value),
            Kind::Switch => f64::from(u8::from(value >= 0.5)),
            Kind::Choice(choices) => value.round().clamp(0.0, choices.len().saturating_sub(1) as f64),
        }
    }

    /// The value at `travel`, 0 to 1. Real-time safe.
    #[must_use]
    pub fn value_at(&self, travel: f64) -> f64 {
        match self {
            Kind::Float(range) => range.value_at(travel),
            Kind::Switch => self.quantise(travel, 0.0),
            Kind::Choice(choices) => self.quantise(travel * choices.len().saturating_sub(1) as f64, 0.0),
        }
    }

    /// The travel, 0 to 1, at which the control has `value`. Real-time safe.
    #[must_use]
    pub fn travel_of(&self, value: f64) -> f64 {
        match self {
            Kind::Float(range) => range.travel_of(value),
            Kind::Switch => self.quantise(value, 0.0),
            Kind::Choice(choices) => self.quantise(value, 0.0) / choices.len().saturating_sub(1).max(1) as f64,
        }
    }

    /// The lowest and the highest value.
    #[must_use]
    pub fn ends(&self) -> (f64, f64) {
        match self {
            Kind::Float(range) => (range.min, range.max),
            Kind::Switch => (0.0, 1.0),
            Kind::Choice(choices) => (0.0, choices.len().saturating_sub(1) as f64),
        }
    }
}

/// A place that holds a control's value as a number: the value itself, 0 or 1, or the choice counted from 0.
pub trait Value {
    /// The number. Real-time safe.
    fn plain(&self) -> f64;
    /// Takes the number. Real-time safe.
    fn set_plain(&mut self, plain: f64);
}

impl Value for f64 {
    fn plain(&self) -> f64 {
        *self
    }
    fn set_plain(&mut self, plain: f64) {
        *self = plain;
    }
}

impl Value for bool {
    fn plain(&self) -> f64 {
        f64::from(u8::from(*self))
    }
    fn set_plain(&mut self, plain: f64) {
        *self = plain >= 0.5;
    }
}

/// One control in the flat list of a snapshot: what a host shows as a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Where it is in presets and automation: keys joined by dots, `eq.band_3.frequency_hz`. Never changes.
    pub id: String,
    /// Labels joined by spaces, unique in the list: `EQ 3 Frequency`.
    pub name: String,
    /// Labels of its groups joined by slashes: `EQ/EQ 3`; empty at the top.
    pub group: String,
    /// What is known of it.
    pub control: &'static Control,
    /// Its value in `Params::default()`.
    pub default: f64,
}

/// All controls of `P`, in order. May allocate.
#[must_use]
pub fn list<P: Controls>() -> Vec<Listed> {
    struct Lister {
        ids: Vec<String>,
        labels: Vec<String>,
        listed: Vec<Listed>,
    }
    impl Visitor for Lister {
        fn enter(&mut self, group: &'static Group, index: Option<usize>) {
            let number = index.map(|i| i.to_string());
            self.ids.push(match &number {
                Some(n) => [group.key, "_", n].concat(),
                None => group.key.to_owned(),
            });
            self.labels.push(match &number {
                Some(n) => [group.label, " ", n].concat().trim().to_owned(),
                None => group.label.to_owned(),
            });
        }
        fn leave(&mut self) {
            self.ids.pop();
            self.labels.pop();
        }
        fn control(&mut self, control: &'static Control, value: &mut dyn Value) {
            let mut id = self.ids.clone();
            id.push(control.key.to_owned());
            let mut name = self.labels.clone();
            name.push(control.label.to_owned());
            name.retain(|n| !n.is_empty());
            let paths: Vec<String> = (1..=self.labels.len()).map(|n| self.labels[..n].join(" ")).collect();
            self.listed.push(Listed {
                id: id.join("."),
                name: name.join(" "),
                group: paths.join("/"),
                control,
                default: value.plain(),
            });
        }
    }
    let mut lister = Lister { ids: vec![], labels: vec![], listed: vec![] };
    P::default().visit(&mut lister);
    lister.listed
}

/// Calls `each` with index, control and value of every control of `params`, in the order of [`list`]. Real-time safe if
/// `each` is.
pub fn for_each<P: Controls>(params: &mut P, each: impl FnMut(usize, &'static Control, &mut dyn Value)) {
    struct Walk<F>(usize, F);
    impl<F: FnMut(usize, &'static Control, &mut dyn Value)> Visitor for Walk<F> {
        fn enter(&mut self, _: &'static Group, _: Option<usize>) {}
        fn leave(&mut self) {}
        fn control(&mut self, control: &'static Control, value: &mut dyn Value) {
            (self.1)(self.0, control, value);
            self.0 += 1;
        }
    }
    params.visit(&mut Walk(0, each));
}

/// Sets the control at `index` of the [`list`] to the nearest value that it can take. Real-time safe.
pub fn set<P: Controls>(params: &mut P, index: usize, plain: f64) {
    for_each(params, |i, control, value| {
        if i == index {
            value.set_plain(control.kind.quantise(plain, value.plain()));
        }
    });
}

/// The value of the control at `index` of the [`list`]. Real-time safe.
#[must_use]
pub fn get<P: Controls>(params: &P, index: usize) -> Option<f64> {
    let (mut params, mut found) = (*params, None);
    for_each(&mut params, |i, _, value| {
        if i == index {
            found = Some(value.plain());
        }
    });
    found
}

/// `params` with every value the nearest that its control can take. Stages call it first in `set_params`. Real-time safe.
#[must_use]
pub fn clamped<P: Controls>(params: &P) -> P {
    let mut clamped = *params;
    for_each(&mut clamped, |_, control, value| {
        let plain = value.plain();
        let default = match control.kind {
            Kind::Float(range) => range.default,
            _ => 0.0,
        };
        value.set_plain(control.kind.quantise(plain, default));
    });
    clamped
}

/// Whether `a` and `b` differ in a structural control, so that `prepare` must be called to take `b` in. Real-time safe.
#[must_use]
pub fn structure_differs<P: Controls>(a: &P, b: &P) -> bool {
    let (mut a, mut b) = (*a, *b);
    // automatable values are made alike first; what then differs is structural
    for params in [&mut a, &mut b] {
        for_each(params, |_, control, value| {
            if !control.structural {
                value.set_plain(control.kind.ends().0);
            }
        });
    }
    a != b
}

/// Declares an enumeration that a control can offer: `Copy`, the first variant is the default, each with its key in
/// presets and its label for people.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = ($key:literal, $label:literal)),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// Key and label of every value, in order.
            pub const CHOICES: &'static [$crate::controls::Choice] =
                &[$($crate::controls::Choice { key: $key, label: $label }),+];
        }

        impl Default for $name {
            fn default() -> Self {
                $name::ALL[0]
            }
        }

        impl $crate::controls::Value for $name {
            fn plain(&self) -> f64 {
                *self as usize as f64
            }
            fn set_plain(&mut self, plain: f64) {
                let last = $name::ALL.len() - 1;
                // a float-to-integer cast saturates, and NaN is 0
                *self = $name::ALL[(plain.round() as usize).min(last)];
            }
        }
    };
}

/// Declares a snapshot of controls; see the [module](crate::controls) for an example. The fields are
/// `float("Label", RANGE)`, `switch("Label", default)`, `choice("Label", default)`, `group("Label")` for another
/// snapshot and `groups("Label", default array)` for an array of them; the first three may be followed by `structural`.
/// The length of an array may be a constant parameter of the struct: `pub struct EqualizerParams<const BANDS: usize>`.
#[macro_export]
macro_rules! controls {
    ($(#[$meta:meta])* pub struct $name:ident $(<const $size:ident: usize>)? {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty = $kind:ident($label:literal $(, $arg:expr)?) $($structural:ident)?),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name $(<const $size: usize>)? { $($(#[$field_meta])* pub $field: $type),+ }

        impl $(<const $size: usize>)? Default for $name $(<$size>)? {
            fn default() -> Self {
                $name { $($field: $crate::controls!(@default $kind $($arg)?)),+ }
            }
        }

        impl $(<const $size: usize>)? $crate::controls::Controls for $name $(<$size>)? {
            fn visit(&mut self, visitor: &mut dyn $crate::controls::Visitor) {
                $($crate::controls!(@visit $kind visitor, self.$field, $type, stringify!($field), $label, [$($structural)?] $(, $arg)?);)+
            }
        }
    };
    (@default float $range:expr) => { $range.default };
    (@default switch $on:expr) => { $on };
    (@default choice $choice:expr) => { $choice };
    (@default group) => { Default::default() };
    (@default group $value:expr) => { $value };
    (@default groups $value:expr) => { $value };
    (@structural) => { false };
    (@structural structural) => { true };
    (@visit float $visitor:ident, $place:expr, $type:ty, $key:expr, $label:literal, [$($structural:ident)?], $range:expr) => {{
        static CONTROL: $crate::controls::Control = $crate::controls::Control {
            key: $key, label: $label, kind: $crate::controls::Kind::Float($range),
            structural: $crate::controls!(@structural $($structural)?),
        };
        $visitor.control(&CONTROL, &mut $place);
    }};
    (@visit switch $visitor:ident, $place:expr, $type:ty, $key:expr, $label:literal, [$($structural:ident)?], $on:expr) => {{
        static CONTROL: $crate::controls::Control = $crate::controls::Control {
            key: $key, label: $label, kind: $crate::controls::Kind::Switch,
            structural: $crate::controls!(@structural $($structural)?),
        };
        $visitor.control(&CONTROL, &mut $place);
    }};
    (@visit choice $visitor:ident, $place:expr, $type:ty, $key:expr, $label:literal, [$($structural:ident)?], $choice:expr) => {{
        static CONTROL: $crate::controls::Control = $crate::controls::Control {
            key: $key, label: $label, kind: $crate::controls::Kind::Choice(<$type>::CHOICES),
            structural: $crate::controls!(@structural $($structural)?),
        };
        $visitor.control(&CONTROL, &mut $place);
    }};
    (@visit group $visitor:ident, $place:expr, $type:ty, $key:expr, $label:literal, [] $(, $value:expr)?) => {{
        static GROUP: $crate::controls::Group = $crate::controls::Group { key: $key, label: $label };
        $visitor.enter(&GROUP, None);
        $crate::controls::Controls::visit(&mut $place, $visitor);
        $visitor.leave();
    }};
    (@visit groups $visitor:ident, $place:expr, $type:ty, $key:expr, $label:literal, [], $value:expr) => {{
        static GROUP: $crate::controls::Group = $crate::controls::Group { key: $key, label: $label };
        for (index, member) in $place.iter_mut().enumerate() {
            $visitor.enter(&GROUP, Some(index + 1));
            $crate::controls::Controls::visit(member, $visitor);
            $visitor.leave();
        }
    }};
}
