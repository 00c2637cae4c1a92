//! What the plugin asked for, looked after on the main thread.

use crate::edits::Edit;
use crate::events::Events;
use crate::host::wish;
use crate::instance::Instance;
use crate::plugin::ClapPlugin;
use crate::thread::guarded;
use std::sync::atomic::{Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use vst3::ComPtr;
use vst3::Steinberg::Vst::RestartFlags_ as restart;
use vst3::Steinberg::Vst::{IComponentHandler, IComponentHandler2, IComponentHandler2Trait, IComponentHandlerTrait};

impl Instance {
    /// A look of the main thread's timer.
    pub(crate) fn look(&self) {
        let blocks = self.link.blocks.load(Relaxed);
        if self.blocks_seen.swap(blocks, Relaxed) == blocks {
            self.quiet_looks.fetch_add(1, Relaxed);
        } else {
            self.quiet_looks.store(0, Relaxed);
        }
        self.serve();
        self.serve_timers();
        self.restart_if_nobody_does();
    }

    /// Looks after things in a call of the host's, where no timer does.
    pub(crate) fn serve_without_timer(&self) {
        if !self.main_loop.is_running() {
            self.serve();
        }
    }

    /// True if the host has stopped processing, or looks like it: it need not say so. Without a timer it never looks so.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.processing.load(Relaxed)
            || self.quiet_looks.load(Relaxed) >= QUIET
                && self.blocks_seen.load(Relaxed) == self.link.blocks.load(Relaxed)
    }

    /// Looks after everything that the plugin asked for. Main thread.
    pub(crate) fn serve(&self) {
        if self.serving.swap(true, AcqRel) {
            return;
        }
        // whatever happens within, the next round comes
        guarded((), || {
            if let Some(plugin) = self.plugin() {
                self.serve_plugin(&plugin);
            }
        });
        self.serving.store(false, Release);
    }

    fn serve_plugin(&self, plugin: &ClapPlugin) {
        if self.host.take(wish::CALLBACK) != 0 {
            plugin.on_main_thread();
        }
        if self.is_quiet() {
            self.settle();
            // while blocks come they exchange events; the wish stays, should they stop
            if self.host.take(wish::FLUSH) != 0 {
                self.flush(plugin, &Events::with_room(0));
            }
        }
        self.serve_lists(plugin);
        if let Some(handler) = self.handler() {
            self.pass_edits(plugin, &handler);
            self.ask_for_restart(&handler);
            if self.host.take(wish::SAVE) != 0
                && let Some(handler) = handler.cast::<IComponentHandler2>()
            {
                // SAFETY: a live handler, on the main thread.
                unsafe { handler.setDirty(1) };
            }
        }
        if self.host.take(wish::SIZE) != 0 {
            self.resize_editor(self.host.size());
        }
    }

    /// Lists of parameters and ports are read anew while inactive: VST 3 hosts take neither for granted then.
    fn serve_lists(&self, plugin: &ClapPlugin) {
        if self.is_active() {
            return;
        }
        if self.host.take(wish::PARAMETERS | wish::PARAMETERS_LATER) != 0 {
            self.rescan_parameters(plugin);
            self.host.wants(wish::VALUES | wish::TEXTS);
        }
        let ports = self.host.take(wish::PORTS | wish::PORTS_LATER);
        if ports != 0 {
            self.rescan_ports(plugin);
            if ports & wish::PORTS != 0 {
                self.tell(restart::kIoChanged);
            }
        }
    }

    fn ask_for_restart(&self, handler: &ComPtr<IComponentHandler>) {
        let mut flags = 0;
        if self.host.take(wish::RESTART | wish::LATENCY) != 0 && self.is_active() {
            flags |= restart::kLatencyChanged;
        }
        if self.host.take(wish::PARAMETERS) != 0 {
            self.host.wants(wish::PARAMETERS_LATER);
            flags |= restart::kReloadComponent;
        }
        if self.host.take(wish::PORTS) != 0 {
            self.host.wants(wish::PORTS_LATER);
            flags |= restart::kReloadComponent | restart::kIoChanged;
        }
        let told = self.host.take(wish::VALUES | wish::TEXTS);
        if told & wish::VALUES != 0 {
            flags |= restart::kParamValuesChanged;
            if let Some(plugin) = self.plugin() {
                self.parameters().show_values_of(&plugin);
            }
        }
        if told & wish::TEXTS != 0 {
            flags |= restart::kParamTitlesChanged;
        }
        if flags & restart::kLatencyChanged != 0 {
            // an activation, perhaps from within the call, clears it
            self.restart_looks.store(1, Relaxed);
        }
        if flags != 0 {
            // SAFETY: a live handler, on the main thread.
            unsafe { handler.restartComponent(flags) };
        }
    }

    /// A changed latency asks a host to deactivate and activate. Some only ask for the latency, which a CLAP cannot
    /// change in between: then this does it, in silence, and tells the host once more.
    fn restart_if_nobody_does(&self) {
        let looks = self.restart_looks.load(Relaxed);
        if looks == 0 || !self.is_active() {
            return;
        }
        self.restart_looks.store(looks + 1, Relaxed);
        if looks >= PATIENCE && self.restart() {
            self.tell(restart::kLatencyChanged);
        }
    }

    /// Tells the host of changes.
    pub(crate) fn tell(&self, flags: i32) {
        if let Some(handler) = self.handler() {
            // SAFETY: a live handler, on the main thread.
            unsafe { handler.restartComponent(flags) };
        }
    }

    fn pass_edits(&self, plugin: &ClapPlugin, handler: &ComPtr<IComponentHandler>) {
        // SAFETY of the calls: a live handler, on the main thread.
        while let Some(edit) = self.link.edits.pop() {
            match edit {
                // SAFETY: see above.
                Edit::Begin(id) => unsafe { handler.beginEdit(id) },
                // SAFETY: see above.
                Edit::Value(id, position) => unsafe { handler.performEdit(id, position) },
                // SAFETY: see above.
                Edit::End(id) => unsafe { handler.endEdit(id) },
                // SAFETY: see above.
                Edit::Alone(id, position) => unsafe {
                    handler.beginEdit(id);
                    handler.performEdit(id, position);
                    handler.endEdit(id)
                },
            };
        }
        if self.link.edits.take_lost() {
            let parameters = self.parameters();
            for parameter in parameters.list() {
                if !parameter.held.load(Acquire) {
                    // SAFETY: see above. An end without a beginning is ignored by hosts, a missing one is not.
                    unsafe { handler.endEdit(parameter.id) };
                }
            }
            parameters.show_values_of(plugin);
            self.host.wants(wish::VALUES);
        }
    }

    fn serve_timers(&self) {
        let Some(plugin) = self.plugin() else { return };
        for timer in self.host.due_timers() {
            plugin.on_timer(timer);
        }
        #[cfg(unix)]
        for (descriptor, flags) in ready(&self.host.descriptors()) {
            plugin.on_descriptor(descriptor, flags);
        }
    }
}

/// Those that have something to say.
#[cfg(unix)]
fn ready(descriptors: &[(i32, u32)]) -> Vec<(i32, u32)> {
    use clap_sys::ext::posix_fd_support::{CLAP_POSIX_FD_ERROR, CLAP_POSIX_FD_READ, CLAP_POSIX_FD_WRITE};
    const BITS: [(u32, i16); 3] = [
        (CLAP_POSIX_FD_READ, libc::POLLIN),
        (CLAP_POSIX_FD_WRITE, libc::POLLOUT),
        (CLAP_POSIX_FD_ERROR, libc::POLLERR | libc::POLLHUP),
    ];
    if descriptors.is_empty() {
        return vec![];
    }
    let asked = |flags: u32| BITS.iter().filter(|(clap, _)| flags & clap != 0).fold(0, |all, (_, poll)| all | poll);
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|(descriptor, flags)| libc::pollfd { fd: *descriptor, events: asked(*flags), revents: 0 })
        .collect();
    // SAFETY: as many records as said; returns at once.
    if unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, 0) } <= 0 {
        return vec![];
    }
    let told = |poll: i16| BITS.iter().filter(|(_, bits)| poll & bits != 0).fold(0, |all, (clap, _)| all | clap);
    polled.iter().map(|record| (record.fd, told(record.revents))).filter(|(_, flags)| *flags != 0).collect()
}

/// Looks, about a second, after which a host counts as one that does not restart.
const PATIENCE: u64 = 33;

/// Looks without a block, some 150 ms, after which a host counts as not processing.
const QUIET: usize = 5;
