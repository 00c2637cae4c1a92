//! One instance of a plugin: its life on the main thread.

use crate::arrangement::{Choice, Layouts};
use crate::audio::{Audio, Cell, EVENTS, Link};
use crate::edits::Edits;
use crate::events::Events;
use crate::host::{Host, Track, wish};
use crate::main_loop::MainLoop;
use crate::parameters::Parameters;
use crate::plugin::ClapPlugin;
use crate::thread::lock;
use crate::view::Shown;
use clap_sys::factory::plugin_factory::clap_plugin_factory;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use vst3::ComPtr;
use vst3::Steinberg::Vst::{IComponentHandler, SpeakerArrangement};

/// One instance. Main-side methods are called on the main thread, by role; none of them holds a lock while it calls the
/// plugin or the host, both of which may call back from within.
pub(crate) struct Instance {
    factory: &'static clap_plugin_factory,
    id: CString,
    pub(crate) host: Arc<Host>,
    /// From `initialize` to `terminate`.
    plugin: Mutex<Option<Arc<ClapPlugin>>>,
    parameters: Mutex<Arc<Parameters>>,
    layouts: Mutex<Layouts>,
    setup: Mutex<Setup>,
    handler: Mutex<Option<ComPtr<IComponentHandler>>>,
    pub(crate) main_loop: MainLoop,
    pub(crate) audio: Cell,
    pub(crate) link: Link,
    active: AtomicBool,
    /// The host asks for blocks: from `setProcessing(true)` or the first block on.
    pub(crate) processing: AtomicBool,
    pub(crate) shown: Shown,
    /// Whether the main thread is serving wishes: a call from within starts no second round.
    pub(crate) serving: AtomicBool,
    /// Blocks at the last look, and looks since there was a new one: a host that does not process has stopped.
    pub(crate) blocks_seen: AtomicUsize,
    pub(crate) quiet_looks: AtomicUsize,
    /// Looks since the host was asked for a restart that did not come yet; 0 if none is due.
    pub(crate) restart_looks: AtomicU64,
    events_wanted: AtomicUsize,
    /// In frames; `UNKNOWN` if something has changed since it was asked for.
    latency: AtomicU64,
}

/// No latency.
const UNKNOWN: u64 = u64::MAX;

// SAFETY: the host's objects that are kept are called on the main thread, as are all methods that reach them; everything
// else is synchronised.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

/// What `setupProcessing` said.
#[derive(Clone, Copy)]
struct Setup {
    sample_rate: f64,
    max_frames: usize,
}

impl Instance {
    pub(crate) fn new(factory: &'static clap_plugin_factory, id: CString) -> Arc<Instance> {
        Arc::new(Instance {
            factory,
            id,
            host: Host::new(),
            plugin: Mutex::default(),
            parameters: Mutex::new(Arc::new(Parameters::none())),
            layouts: Mutex::new(Layouts::none()),
            // until the host says otherwise
            setup: Mutex::new(Setup { sample_rate: 44_100.0, max_frames: 1024 }),
            handler: Mutex::default(),
            main_loop: MainLoop::default(),
            audio: Cell::empty(),
            link: Link { edits: Edits::new(), blocks: AtomicUsize::new(0), crowded: AtomicBool::new(false) },
            active: AtomicBool::new(false),
            processing: AtomicBool::new(false),
            shown: Shown::default(),
            serving: AtomicBool::new(false),
            blocks_seen: AtomicUsize::new(0),
            quiet_looks: AtomicUsize::new(0),
            restart_looks: AtomicU64::new(0),
            events_wanted: AtomicUsize::new(EVENTS),
            latency: AtomicU64::new(UNKNOWN),
        })
    }

    /// Makes the plugin; false if it cannot be made, or is there.
    pub(crate) fn initialize(&self) -> bool {
        if self.plugin().is_some() {
            return false;
        }
        self.host.threads.set_main();
        let Some(plugin) = ClapPlugin::new(self.factory, &self.id, &self.host) else { return false };
        *lock(&self.layouts) = Layouts::of(&plugin);
        *lock(&self.parameters) = Arc::new(Parameters::of(&plugin));
        *lock(&self.plugin) = Some(Arc::new(plugin));
        // nobody has heard anything of the plugin yet, so nothing of this is news
        self.host.take(!wish::CALLBACK);
        true
    }

    /// Ends the plugin and lets go of everything of the host's.
    pub(crate) fn terminate(&self) {
        self.close_editor();
        self.set_active(false);
        self.main_loop.end();
        let handler = lock(&self.handler).take();
        let plugin = lock(&self.plugin).take();
        drop(plugin);
        drop(handler);
    }

    pub(crate) fn plugin(&self) -> Option<Arc<ClapPlugin>> {
        lock(&self.plugin).clone()
    }

    pub(crate) fn parameters(&self) -> Arc<Parameters> {
        Arc::clone(&lock(&self.parameters))
    }

    /// Asks the plugin for its parameters anew.
    pub(crate) fn rescan_parameters(&self, plugin: &ClapPlugin) {
        let parameters = Arc::new(Parameters::of(plugin));
        *lock(&self.parameters) = parameters;
    }

    /// Asks the plugin for its ports anew.
    pub(crate) fn rescan_ports(&self, plugin: &ClapPlugin) {
        let layouts = Layouts::of(plugin);
        *lock(&self.layouts) = layouts;
    }

    pub(crate) fn layouts(&self) -> Layouts {
        lock(&self.layouts).clone()
    }

    pub(crate) fn handler(&self) -> Option<ComPtr<IComponentHandler>> {
        lock(&self.handler).clone()
    }

    pub(crate) fn set_handler(&self, handler: Option<ComPtr<IComponentHandler>>) {
        let before = std::mem::replace(&mut *lock(&self.handler), handler);
        drop(before);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Relaxed)
    }

    /// Inputs and outputs that the host wants, while inactive.
    pub(crate) fn arrange(&self, wanted: [&[SpeakerArrangement]; 2]) -> Choice {
        let Some(plugin) = self.plugin().filter(|_| !self.is_active()) else { return Choice::Refused };
        let mut layouts = self.layouts();
        let choice = layouts.choose(wanted, |id| plugin.select_configuration(id));
        self.latency.store(UNKNOWN, Relaxed);
        if choice != Choice::Refused {
            *lock(&self.layouts) = layouts;
        }
        choice
    }

    /// Whether the host uses a bus; false if there is no such bus.
    pub(crate) fn use_bus(&self, direction: usize, index: usize, on: bool) -> bool {
        let mut layouts = lock(&self.layouts);
        let bus = layouts.in_use.get_mut(direction).and_then(|busses| busses.get_mut(index));
        bus.map(|bus| *bus = on).is_some()
    }

    /// How blocks will come, while inactive.
    pub(crate) fn set_up(&self, sample_rate: f64, max_frames: i32, offline: bool) -> bool {
        let Some(plugin) = self.plugin().filter(|_| !self.is_active()) else { return false };
        let Some(max_frames) = usize::try_from(max_frames).ok().filter(|frames| *frames > 0) else { return false };
        if !(sample_rate.is_finite() && sample_rate > 0.0) {
            return false;
        }
        plugin.set_offline(offline);
        let setup = Setup { sample_rate, max_frames };
        // a CLAP tells when it is activated whether it serves a rate; the host wants to know here
        if !COMMON_RATES.contains(&sample_rate) && !self.try_out(&plugin, setup) {
            return false;
        }
        *lock(&self.setup) = setup;
        self.latency.store(UNKNOWN, Relaxed);
        true
    }

    /// Activates the plugin for a moment, to learn its latency; false if it refuses. While inactive.
    fn try_out(&self, plugin: &ClapPlugin, setup: Setup) -> bool {
        if !plugin.activate(setup.sample_rate, setup.max_frames as u32) {
            return false;
        }
        self.latency.store(plugin.latency_frames().into(), Relaxed);
        plugin.deactivate();
        self.host.take(wish::RESTART | wish::LATENCY);
        true
    }

    /// False if the plugin refuses.
    pub(crate) fn set_active(&self, on: bool) -> bool {
        let Some(plugin) = self.plugin() else { return false };
        if on == self.is_active() {
            return true;
        }
        if on { self.activate(&plugin) } else { self.deactivate(&plugin) }
    }

    fn activate(&self, plugin: &Arc<ClapPlugin>) -> bool {
        // what is about to happen settles these
        self.host.take(wish::RESTART | wish::LATENCY);
        let setup = *lock(&self.setup);
        if !plugin.activate(setup.sample_rate, setup.max_frames as u32) {
            return false;
        }
        // hosts ask for the latency after this call, so a change of it within is no news
        self.host.take(wish::RESTART | wish::LATENCY);
        self.latency.store(plugin.latency_frames().into(), Relaxed);
        self.restart_looks.store(0, Relaxed);
        if self.link.crowded.swap(false, Relaxed) {
            let wanted = self.events_wanted.load(Relaxed).saturating_mul(4).min(MOST_EVENTS);
            self.events_wanted.store(wanted, Relaxed);
        }
        let audio = Box::new(Audio::new(
            Arc::clone(plugin),
            self.parameters(),
            &self.layouts(),
            setup.sample_rate,
            setup.max_frames,
            self.events_wanted.load(Relaxed),
        ));
        let Some(mut inside) = self.audio.enter() else {
            plugin.deactivate();
            return false;
        };
        *inside = Some(audio);
        self.active.store(true, Relaxed);
        true
    }

    fn deactivate(&self, plugin: &Arc<ClapPlugin>) -> bool {
        let Some(mut inside) = self.audio.enter() else { return false };
        let audio = self.host.threads.as_audio(|| {
            let mut audio = inside.take();
            if let Some(audio) = &mut audio {
                audio.stop();
            }
            audio
        });
        drop(inside);
        drop(audio);
        self.processing.store(false, Relaxed);
        self.active.store(false, Relaxed);
        plugin.deactivate();
        self.settle();
        true
    }

    /// Deactivates and activates at once. Blocks that come meanwhile are silent.
    pub(crate) fn restart(&self) -> bool {
        let Some(plugin) = self.plugin().filter(|_| self.is_active()) else { return false };
        self.deactivate(&plugin) && self.activate(&plugin)
    }

    /// Starts or ends a stream. On the audio thread in some hosts, on the main thread in others.
    pub(crate) fn set_processing(&self, on: bool) -> bool {
        let Some(mut inside) = self.audio.enter_soon() else { return false };
        let Some(audio) = inside.as_mut() else { return false };
        let done = self.host.threads.as_audio(|| {
            if on {
                audio.start()
            } else {
                audio.stop();
                true
            }
        });
        self.processing.store(on && done, Relaxed);
        done
    }

    /// A value from the host's controls, from 0 to 1; false if there is no such parameter.
    pub(crate) fn set_value(&self, id: u32, position: f64) -> bool {
        let parameters = self.parameters();
        let Some(parameter) = parameters.find(id) else { return false };
        parameter.show(position);
        if self.processing.load(Relaxed) {
            // the same value comes in a block, at its frame; this is only how the host shows it, perhaps late
            parameter.awaits_block.store(true, Relaxed);
        } else if let Some(plugin) = self.plugin() {
            let mut events = Events::with_room(1);
            events.push(parameter, parameter.range.value(position));
            self.flush(&plugin, &events);
        }
        true
    }

    /// Gives the plugin what the host has shown but never sent in a block. For when no blocks come.
    pub(crate) fn settle(&self) {
        let parameters = self.parameters();
        let waiting = || parameters.list().iter().filter(|parameter| parameter.awaits_block.load(Relaxed));
        let Some(plugin) = self.plugin().filter(|_| waiting().next().is_some()) else { return };
        let mut events = Events::with_room(waiting().count());
        for parameter in waiting() {
            events.push(parameter, parameter.range.value(parameter.shown()));
            parameter.awaits_block.store(false, Relaxed);
        }
        self.flush(&plugin, &events);
    }

    /// Exchanges events with the plugin outside of blocks, in the role that CLAP asks for.
    pub(crate) fn flush(&self, plugin: &ClapPlugin, events: &Events) {
        if !self.is_active() {
            self.latency.store(UNKNOWN, Relaxed);
            let parameters = self.parameters();
            let output =
                crate::edits::Output { edits: &self.link.edits, parameters: &parameters, changes: None, start: 0 };
            let (input, list) = (events.input(), output.list());
            // SAFETY: both lists are valid.
            unsafe { plugin.flush(&input, &list) };
            return;
        }
        if let Some(inside) = self.audio.enter()
            && let Some(audio) = inside.as_ref()
        {
            self.host.threads.as_audio(|| audio.flush_outside_of_blocks(events, &self.link));
        }
    }

    /// The plugin's state.
    pub(crate) fn save(&self) -> Option<Vec<u8>> {
        if self.is_quiet() {
            self.settle();
        }
        self.plugin()?.save()
    }

    /// False if the plugin refuses the state.
    pub(crate) fn load(&self, state: &[u8]) -> bool {
        let Some(plugin) = self.plugin() else { return false };
        let parameters = self.parameters();
        if !plugin.load(state) {
            return false;
        }
        for parameter in parameters.list() {
            // older values that still wait must not win over the state
            parameter.awaits_block.store(false, Relaxed);
        }
        parameters.show_values_of(&plugin);
        self.latency.store(UNKNOWN, Relaxed);
        self.host.wants(wish::VALUES);
        true
    }

    /// In frames. Many hosts ask before they activate, when a CLAP does not know yet: it is tried out then.
    pub(crate) fn latency_frames(&self) -> u32 {
        let Some(plugin) = self.plugin() else { return 0 };
        if self.is_active() {
            return plugin.latency_frames();
        }
        if self.latency.load(Relaxed) == UNKNOWN {
            let setup = *lock(&self.setup);
            if !self.try_out(&plugin, setup) {
                return 0;
            }
        }
        u32::try_from(self.latency.load(Relaxed)).unwrap_or(0)
    }

    /// What the host says of the track.
    pub(crate) fn set_track(&self, track: Track) {
        if self.host.set_track(track)
            && let Some(plugin) = self.plugin()
        {
            plugin.track_info_changed();
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // a host that forgot to
        let host = Arc::clone(&self.host);
        host.threads.as_main(|| self.terminate());
    }
}

/// Rates that a plugin is trusted to serve.
const COMMON_RATES: std::ops::RangeInclusive<f64> = 22_050.0..=192_000.0;

/// As much as a block may need after several that needed more each time.
const MOST_EVENTS: usize = 1 << 17;
