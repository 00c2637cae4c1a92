//! The chain's controls as host parameters, and the plugin's state as preset text.
//!
//! A host moves parameters as numbers from 0 to 1 in single precision. Numbers of the framework's are kept at just that
//! (travel), and `dsp_core::range` alone turns travel into values: one taper for both formats, the program and the
//! tests. Since values are quantised there, the trip is exact.

use dsp_core::controls::{self, Controls, Kind, Listed};
use dsp_core::{preset, text};
use nice_plug::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// The field of a saved state that holds the preset text.
const PRESET: &str = "preset";
/// The field of a saved state that holds the editor's zoom in per cent.
const ZOOM: &str = "editor_zoom_percent";
/// The control that the host's bypass button moves.
const BYPASS: &str = "bypass";

/// The host's parameters for every control of `C`, in the order of [`controls::list`].
pub struct Parameters<C: Controls> {
    entries: Vec<Entry>,
    /// Counts the times that any parameter took another value: a block in which none did costs one load instead of a walk
    /// over them all, which is a microsecond.
    moves: Arc<AtomicU64>,
    zoom_percent: AtomicU32,
    controls: std::marker::PhantomData<C>,
}

/// A control and its parameter.
pub struct Entry {
    /// What is known of the control.
    pub listed: Listed,
    parameter: Parameter,
}

enum Parameter {
    Float(FloatParam),
    Switch(BoolParam),
    Choice(IntParam),
}

impl Entry {
    fn new(listed: Listed, moves: &Arc<AtomicU64>) -> Self {
        let kind = listed.control.kind;
        let name = listed.name.clone();
        // the framework calls it after the value is in its place, on whatever thread sets it
        let count = {
            let moves = moves.clone();
            move || {
                moves.fetch_add(1, Release);
            }
        };
        let parameter = match kind {
            Kind::Float(range) => {
                let default = range.travel_of(listed.default) as f32;
                let float = FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
                    .with_value_to_string(Arc::new(move |t| text::format(&kind, kind.value_at(f64::from(t)))))
                    .with_string_to_value(Arc::new(move |s| text::parse(&kind, s).map(|v| kind.travel_of(v) as f32)))
                    .with_callback(Arc::new(move |_| count()));
                Parameter::Float(if listed.control.structural { float.non_automatable() } else { float })
            }
            Kind::Switch => {
                let switch = BoolParam::new(name, listed.default >= 0.5)
                    .with_value_to_string(Arc::new(move |on| text::format(&kind, f64::from(u8::from(on)))))
                    .with_string_to_value(Arc::new(move |s| text::parse(&kind, s).map(|v| v >= 0.5)))
                    .with_callback(Arc::new(move |_| count()));
                let switch = if listed.id == BYPASS { switch.make_bypass() } else { switch };
                Parameter::Switch(if listed.control.structural { switch.non_automatable() } else { switch })
            }
            Kind::Choice(choices) => {
                let range = IntRange::Linear { min: 0, max: choices.len() as i32 - 1 };
                let choice = IntParam::new(name, listed.default as i32, range)
                    .with_value_to_string(Arc::new(move |i| text::format(&kind, f64::from(i))))
                    .with_string_to_value(Arc::new(move |s| text::parse(&kind, s).map(|v| v as i32)))
                    .with_callback(Arc::new(move |_| count()));
                Parameter::Choice(if listed.control.structural { choice.non_automatable() } else { choice })
            }
        };
        Entry { listed, parameter }
    }

    /// The host's parameter.
    #[must_use]
    pub fn pointer(&self) -> ParamPtr {
        match &self.parameter {
            Parameter::Float(p) => p.as_ptr(),
            Parameter::Switch(p) => p.as_ptr(),
            Parameter::Choice(p) => p.as_ptr(),
        }
    }

    /// The bits of what the host last said: unequal if and only if the value may have moved. Real-time safe.
    fn raw(&self) -> u32 {
        match &self.parameter {
            Parameter::Float(p) => p.modulated_plain_value().to_bits(),
            Parameter::Switch(p) => u32::from(p.modulated_plain_value()),
            Parameter::Choice(p) => p.modulated_plain_value() as u32,
        }
    }

    /// The control's value, modulation included. Real-time safe.
    #[must_use]
    pub fn value(&self) -> f64 {
        match &self.parameter {
            Parameter::Float(p) => self.listed.control.kind.value_at(f64::from(p.modulated_plain_value())),
            Parameter::Switch(p) => f64::from(u8::from(p.modulated_plain_value())),
            Parameter::Choice(p) => f64::from(p.modulated_plain_value()),
        }
    }

    /// The control's value without modulation: what is saved. Real-time safe.
    #[must_use]
    pub fn unmodulated_value(&self) -> f64 {
        match &self.parameter {
            Parameter::Float(p) => self.listed.control.kind.value_at(f64::from(p.unmodulated_plain_value())),
            Parameter::Switch(p) => f64::from(u8::from(p.unmodulated_plain_value())),
            Parameter::Choice(p) => f64::from(p.unmodulated_plain_value()),
        }
    }

    /// The number that the framework keeps for `value`.
    fn saved(&self, value: f64) -> nice_plug_state::ParamValue {
        match &self.parameter {
            Parameter::Float(_) => nice_plug_state::ParamValue::F32(self.listed.control.kind.travel_of(value) as f32),
            Parameter::Switch(_) => nice_plug_state::ParamValue::Bool(value >= 0.5),
            Parameter::Choice(_) => nice_plug_state::ParamValue::I32(value as i32),
        }
    }

    /// Adds the parameter to a page of remote controls.
    pub fn add_to(&self, page: &mut impl RemoteControlsPage) {
        match &self.parameter {
            Parameter::Float(p) => page.add_param(p),
            Parameter::Switch(p) => page.add_param(p),
            Parameter::Choice(p) => page.add_param(p),
        }
    }
}

use nice_plug::plugin as nice_plug_state;

impl<C: Controls> Parameters<C> {
    /// Every parameter at its default. May allocate.
    #[must_use]
    pub fn new() -> Self {
        let moves = Arc::default();
        Parameters {
            entries: controls::list::<C>().into_iter().map(|listed| Entry::new(listed, &moves)).collect(),
            moves,
            zoom_percent: AtomicU32::new(100),
            controls: std::marker::PhantomData,
        }
    }

    /// Every control and its parameter, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The editor's zoom in per cent, which is saved with the state.
    #[must_use]
    pub fn zoom_percent(&self) -> u32 {
        self.zoom_percent.load(Relaxed)
    }

    /// Keeps the editor's zoom.
    pub fn set_zoom_percent(&self, percent: u32) {
        self.zoom_percent.store(percent, Relaxed);
    }

    /// The controls as they are, without modulation. May allocate.
    #[must_use]
    pub fn snapshot(&self) -> C {
        let mut snapshot = C::default();
        let mut entries = self.entries.iter();
        controls::for_each(&mut snapshot, |_, _, value| {
            if let Some(entry) = entries.next() {
                value.set_plain(entry.unmodulated_value());
            }
        });
        snapshot
    }
}

impl<C: Controls> Default for Parameters<C> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the pointers handed out point into `entries`, which is never changed after `new` and lives as long as the
// `Arc` that the framework keeps; every group path is one of `controls::list`, whose parts all exist.
unsafe impl<C: Controls> Params for Parameters<C> {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        self.entries.iter().map(|e| (e.listed.id.clone(), e.pointer(), e.listed.group.clone())).collect()
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (PRESET.to_owned(), preset::to_toml(&self.snapshot())),
            (ZOOM.to_owned(), self.zoom_percent().to_string()),
        ])
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        if let Some(zoom) = fields.get(ZOOM).and_then(|z| z.parse().ok()) {
            self.set_zoom_percent(zoom);
        }
    }
}

/// Makes a state whole before the framework takes it in: the preset text in it decides, what it leaves out gets its
/// default, and nothing is out of range. Without this, parameters that a state lacks would keep their present value,
/// and numbers would not be clamped.
pub fn complete_state<C: Controls>(state: &mut PluginState) {
    let (params, troubles) = match state.fields.get(PRESET).map(|t| preset::from_toml::<C>(t)) {
        Some(Ok(loaded)) => (loaded.params, loaded.troubles),
        Some(Err(error)) => {
            nice_warn!("the saved state's preset text cannot be read ({error}); every control gets its default");
            (C::default(), vec![])
        }
        None => (C::default(), vec![]),
    };
    for trouble in troubles {
        nice_warn!("saved state: {trouble}");
    }
    state.params.clear();
    let mut params = params;
    let mut entries = Parameters::<C>::new().entries.into_iter();
    controls::for_each(&mut params, |_, _, value| {
        if let Some(entry) = entries.next() {
            let saved = entry.saved(value.plain());
            state.params.insert(entry.listed.id, saved);
        }
    });
}

/// Follows the host's parameters on the audio thread: keeps the snapshot that the chain last got, and touches only what
/// moved.
pub struct Follower<C: Controls> {
    /// Of [`Parameters::moves`], when last looked at.
    seen: u64,
    raw: Vec<u32>,
    moved: Vec<bool>,
    snapshot: C,
}

impl<C: Controls> Follower<C> {
    /// Follows `parameters` from where they are. May allocate.
    #[must_use]
    pub fn new(parameters: &Parameters<C>) -> Self {
        let count = parameters.entries.len();
        let mut follower = Follower { seen: 0, raw: vec![0; count], moved: vec![true; count], snapshot: C::default() };
        follower.read_all(parameters);
        follower
    }

    /// The controls as last read. Real-time safe.
    #[must_use]
    pub fn snapshot(&self) -> &C {
        &self.snapshot
    }

    /// Reads everything, moved or not. Real-time safe.
    pub fn read_all(&mut self, parameters: &Parameters<C>) {
        self.seen = parameters.moves.load(Acquire);
        self.raw.iter_mut().zip(&parameters.entries).for_each(|(raw, e)| *raw = e.raw());
        self.moved.fill(true);
        self.take_moved(parameters);
    }

    /// Reads what moved since the last time; whether anything did. Real-time safe.
    pub fn read(&mut self, parameters: &Parameters<C>) -> bool {
        let moves = parameters.moves.load(Acquire);
        if moves == self.seen {
            return false;
        }
        self.seen = moves;
        let mut any = false;
        for ((raw, moved), entry) in self.raw.iter_mut().zip(&mut self.moved).zip(&parameters.entries) {
            let now = entry.raw();
            *moved = *raw != now;
            any |= *moved;
            *raw = now;
        }
        if any {
            self.take_moved(parameters);
        }
        any
    }

    fn take_moved(&mut self, parameters: &Parameters<C>) {
        let mut entries = self.moved.iter().zip(&parameters.entries);
        controls::for_each(&mut self.snapshot, |_, _, value| {
            if let Some((true, entry)) = entries.next() {
                value.set_plain(entry.value());
            }
        });
    }
}
