//! The editor's controls as the host's parameters: what is shown, and gestures that a host can record.

use crate::parameters::Parameters;
use dsp_core::controls::{Controls, Listed};
use gui::binding::Binding;
use nice_plug::context::gui::GuiContext;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The parameters of one instance, seen from its editor's thread.
///
/// A value that the editor sets goes to the host first and comes back with the next block (or not at all, if the host
/// refuses): until then the editor shows what it set, so that a knob does not jerk under the hand.
pub struct HostControls<C: Controls> {
    parameters: Arc<Parameters<C>>,
    listed: Vec<Listed>,
    context: GuiContext,
    moves: RefCell<Vec<Option<Move>>>,
}

/// What the editor set and the host has not confirmed.
#[derive(Clone, Copy)]
struct Move {
    value: f64,
    /// When the gesture ended; `None` during it.
    ended: Option<Instant>,
}

/// How long the editor believes its own value after a gesture.
const CONFIRMED_WITHIN: Duration = Duration::from_millis(250);

impl<C: Controls> HostControls<C> {
    /// The controls of the instance that `context` belongs to.
    #[must_use]
    pub fn new(parameters: Arc<Parameters<C>>, context: GuiContext) -> Self {
        let listed: Vec<Listed> = parameters.entries().iter().map(|e| e.listed.clone()).collect();
        let moves = RefCell::new(vec![None; listed.len()]);
        HostControls { parameters, listed, context, moves }
    }

    /// Ends every gesture that is under way: the window closes.
    pub fn end_all(&self) {
        let held = |m: &Option<Move>| m.is_some_and(|m| m.ended.is_none());
        let held: Vec<usize> =
            self.moves.borrow().iter().enumerate().filter(|(_, m)| held(m)).map(|(i, _)| i).collect();
        held.into_iter().for_each(|index| self.end(index));
    }

    /// Whether a value awaits its confirmation: the editor must look again soon.
    #[must_use]
    pub fn awaits_host(&self) -> bool {
        self.moves.borrow().iter().any(Option::is_some)
    }

    fn with_move(&self, index: usize, change: impl FnOnce(&mut Option<Move>)) {
        if let Some(slot) = self.moves.borrow_mut().get_mut(index) {
            change(slot);
        }
    }

    /// Calls the host. A framework that unwraps a plugin which the host has just dropped must not take the host down.
    fn call(&self, call: impl FnOnce(&GuiContext)) {
        let _ = catch_unwind(AssertUnwindSafe(|| call(&self.context)));
    }
}

impl<C: Controls> Binding for HostControls<C> {
    fn listed(&self) -> &[Listed] {
        &self.listed
    }

    fn value(&self, index: usize) -> f64 {
        let Some(entry) = self.parameters.entries().get(index) else { return 0.0 };
        let now = entry.unmodulated_value();
        let mut shown = now;
        self.with_move(index, |slot| {
            if let Some(moved) = slot {
                let late = moved.ended.is_some_and(|e| e.elapsed() > CONFIRMED_WITHIN);
                if late || (moved.ended.is_some() && moved.value == now) {
                    *slot = None;
                } else {
                    shown = moved.value;
                }
            }
        });
        shown
    }

    fn heard(&self, index: usize) -> f64 {
        let shown = self.value(index);
        let is_settled = self.moves.borrow().get(index).is_none_or(Option::is_none);
        match self.parameters.entries().get(index) {
            Some(entry) if is_settled => entry.value(),
            _ => shown,
        }
    }

    fn begin(&self, index: usize) {
        let Some(entry) = self.parameters.entries().get(index) else { return };
        let value = self.value(index);
        self.with_move(index, |slot| *slot = Some(Move { value, ended: None }));
        // SAFETY: the pointer is of one of this instance's parameters, which `self.parameters` keeps alive.
        self.call(|context| unsafe { context.raw_begin_set_parameter(entry.pointer()) });
    }

    fn set(&self, index: usize, value: f64) {
        let Some(entry) = self.parameters.entries().get(index) else { return };
        let kind = entry.listed.control.kind;
        let value = kind.quantise(value, entry.listed.default);
        self.with_move(index, |slot| {
            if let Some(moved) = slot {
                moved.value = value;
            }
        });
        let normalized = kind.travel_of(value) as f32;
        // SAFETY: as in `begin`.
        self.call(|context| unsafe { context.raw_set_parameter_normalized(entry.pointer(), normalized) });
    }

    fn end(&self, index: usize) {
        let Some(entry) = self.parameters.entries().get(index) else { return };
        self.with_move(index, |slot| {
            if let Some(moved) = slot {
                moved.ended = Some(Instant::now());
            }
        });
        // SAFETY: as in `begin`.
        self.call(|context| unsafe { context.raw_end_set_parameter(entry.pointer()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsp_core::level::InputParams;
    use nice_plug::context::PluginApi;
    use nice_plug::context::gui::GuiContextInner;
    use nice_plug::params::internals::ParamPtr;
    use nice_plug::plugin::PluginState;
    use std::sync::Mutex;

    /// A host that notes what it is told, and takes nothing over.
    #[derive(Default)]
    struct Host {
        told: Mutex<Vec<(&'static str, ParamPtr, f32)>>,
        is_gone: bool,
    }

    impl Host {
        fn note(&self, what: &'static str, parameter: ParamPtr, value: f32) {
            assert!(!self.is_gone, "the plugin was dropped");
            self.told.lock().unwrap().push((what, parameter, value));
        }
    }

    impl GuiContextInner for Host {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }
        unsafe fn raw_begin_set_parameter(&self, parameter: ParamPtr) {
            self.note("begin", parameter, 0.0);
        }
        unsafe fn raw_set_parameter_normalized(&self, parameter: ParamPtr, normalized: f32) {
            self.note("set", parameter, normalized);
        }
        unsafe fn raw_end_set_parameter(&self, parameter: ParamPtr) {
            self.note("end", parameter, 0.0);
        }
        fn get_state(&self) -> PluginState {
            panic!("not asked for")
        }
        fn set_state(&self, _: PluginState) {}
        fn request_restart(&self) {}
    }

    fn controls(host: &Arc<Host>) -> HostControls<InputParams> {
        HostControls::new(Arc::new(Parameters::new()), GuiContext::new(host.clone()))
    }

    /// The list begins with the trim: ±24 dB, so that 12 dB are at three quarters of the travel.
    const TRIM: usize = 0;

    #[test]
    fn a_gesture_reaches_the_host_and_shows_at_once() {
        let host = Arc::new(Host::default());
        let controls = controls(&host);
        let parameter = controls.parameters.entries()[TRIM].pointer();
        controls.begin(TRIM);
        controls.set(TRIM, 12.0);
        assert_eq!((controls.value(TRIM), controls.heard(TRIM)), (12.0, 12.0));
        controls.end(TRIM);
        let expected = [("begin", parameter, 0.0), ("set", parameter, 0.75), ("end", parameter, 0.0)];
        assert_eq!(*host.told.lock().unwrap(), expected);
        assert!(controls.awaits_host());
        // this host never takes the value over: the editor then shows what is
        std::thread::sleep(CONFIRMED_WITHIN + Duration::from_millis(50));
        assert_eq!(controls.value(TRIM), 0.0);
        assert!(!controls.awaits_host());
    }

    #[test]
    fn a_window_that_closes_ends_the_gesture_once() {
        let host = Arc::new(Host::default());
        let controls = controls(&host);
        controls.begin(TRIM);
        controls.end_all();
        controls.end_all();
        let told: Vec<&str> = host.told.lock().unwrap().iter().map(|t| t.0).collect();
        assert_eq!(told, ["begin", "end"]);
    }

    #[test]
    fn a_plugin_that_is_gone_takes_nobody_down() {
        let controls = controls(&Arc::new(Host { is_gone: true, ..Host::default() }));
        controls.begin(TRIM);
        controls.set(TRIM, 1.0);
        controls.end_all();
    }
}
