//! What the host answers when a CLAP plugin calls it.

use crate::bridge::{Bridge, lock, tick};
use crate::run_loop::RunLoop;
use crate::thread_role;
use crate::types::Edit;
use clack_extensions::audio_ports::{AudioPortRescanFlags, HostAudioPorts, HostAudioPortsImpl};
use clack_extensions::audio_ports_config::{HostAudioPortsConfig, HostAudioPortsConfigImpl};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::log::{HostLog, HostLogImpl, LogSeverity};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
#[cfg(unix)]
use clack_extensions::posix_fd::{FdFlags, HostPosixFd, HostPosixFdImpl};
use clack_extensions::remote_controls::{HostRemoteControls, HostRemoteControlsImpl};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_extensions::tail::{HostTail, HostTailImpl};
use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_extensions::timer::{HostTimer, HostTimerImpl, TimerId};
use clack_host::events::UnknownEvent;
use clack_host::events::io::{OutputEventBuffer, TryPushError};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::prelude::*;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The set of handlers that one instance is made with.
pub(crate) struct Callbacks;

impl HostHandlers for Callbacks {
    type Shared<'a> = AnyThread;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = AudioThread;

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &AnyThread) {
        builder
            .register::<HostAudioPorts>()
            .register::<HostAudioPortsConfig>()
            .register::<HostGui>()
            .register::<HostLatency>()
            .register::<HostLog>()
            .register::<HostParams>()
            .register::<HostRemoteControls>()
            .register::<HostState>()
            .register::<HostTail>()
            .register::<HostThreadCheck>()
            .register::<HostTimer>();
        #[cfg(unix)]
        builder.register::<HostPosixFd>();
    }
}

/// Calls that may come from any thread.
pub(crate) struct AnyThread(pub(crate) Arc<Bridge>);

impl SharedHandler<'_> for AnyThread {
    fn request_restart(&self) {
        tick(&self.0.counts.restart);
    }
    fn request_process(&self) {
        tick(&self.0.counts.process);
    }
    fn request_callback(&self) {
        self.0.wants_callback.store(true, Ordering::Release);
    }
}

impl HostLogImpl for AnyThread {
    fn log(&self, severity: LogSeverity, message: &str) {
        self.0.logged(format!("{severity}: {message}"));
    }
}

impl HostThreadCheckImpl for AnyThread {
    fn is_main_thread(&self) -> bool {
        self.0.main_thread.is_current()
    }
    fn is_audio_thread(&self) -> bool {
        thread_role::is_audio()
    }
}

impl HostParamsImplShared for AnyThread {
    fn request_flush(&self) {
        tick(&self.0.counts.process);
        self.0.wants_flush.store(true, Ordering::Release);
    }
}

impl HostGuiImpl for AnyThread {
    fn resize_hints_changed(&self) {}
    fn request_resize(&self, size: GuiSize) -> Result<(), HostError> {
        tick(&self.0.counts.editor);
        self.0.wants_size.store(u64::from(size.width) << 32 | u64::from(size.height), Ordering::Release);
        Ok(())
    }
    fn request_show(&self) -> Result<(), HostError> {
        tick(&self.0.counts.editor);
        Ok(())
    }
    fn request_hide(&self) -> Result<(), HostError> {
        tick(&self.0.counts.editor);
        Ok(())
    }
    fn closed(&self, _was_destroyed: bool) {
        tick(&self.0.counts.editor);
    }
}

/// Calls that come from the main thread.
pub(crate) struct MainThread {
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) run_loop: Mutex<RunLoop<(), ()>>,
}

impl MainThreadHandler<'_> for MainThread {}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        tick(&self.bridge.counts.latency_changed);
    }
}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {
        tick(&self.bridge.counts.state_dirty);
    }
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, flags: ParamRescanFlags) {
        if flags.intersects(ParamRescanFlags::VALUES) {
            tick(&self.bridge.counts.values_changed);
        }
        if flags.intersects(ParamRescanFlags::INFO | ParamRescanFlags::TEXT | ParamRescanFlags::ALL) {
            tick(&self.bridge.counts.parameters_changed);
        }
    }
    fn clear(&self, _: ClapId, _: ParamClearFlags) {
        tick(&self.bridge.counts.parameters_changed);
    }
}

impl HostAudioPortsImpl for MainThread {
    fn is_rescan_flag_supported(&self, _: AudioPortRescanFlags) -> bool {
        true
    }
    fn rescan(&self, _: AudioPortRescanFlags) {
        tick(&self.bridge.counts.ports_changed);
    }
}

impl HostAudioPortsConfigImpl for MainThread {
    fn rescan(&self) {
        tick(&self.bridge.counts.ports_changed);
    }
}

impl HostRemoteControlsImpl for MainThread {
    fn changed(&self) {
        tick(&self.bridge.counts.remote_pages_changed);
    }
    fn suggest_page(&self, _: ClapId) {
        tick(&self.bridge.counts.remote_pages_changed);
    }
}

impl HostTimerImpl for MainThread {
    fn register_timer(&self, period_ms: u32) -> Result<TimerId, HostError> {
        // hosts bound it from below: a plugin that asks for 0 ms would be served without end
        let period = Duration::from_millis(u64::from(period_ms.max(10)));
        Ok(TimerId(lock(&self.run_loop).add_timer(period, ())))
    }
    fn unregister_timer(&self, timer: TimerId) -> Result<(), HostError> {
        match lock(&self.run_loop).remove_timers(|key, ()| key == timer.0) {
            true => Ok(()),
            false => Err(HostError::Message("no such timer")),
        }
    }
}

#[cfg(unix)]
impl HostPosixFdImpl for MainThread {
    fn register_fd(&self, descriptor: i32, _: FdFlags) -> Result<(), HostError> {
        lock(&self.run_loop).add_descriptor(descriptor, ());
        Ok(())
    }
    fn modify_fd(&self, _: i32, _: FdFlags) -> Result<(), HostError> {
        Ok(())
    }
    fn unregister_fd(&self, descriptor: i32) -> Result<(), HostError> {
        match lock(&self.run_loop).remove_descriptors(|known, ()| known == descriptor) {
            true => Ok(()),
            false => Err(HostError::Message("no such file descriptor")),
        }
    }
}

/// Calls that come from the audio thread.
pub(crate) struct AudioThread(pub(crate) Arc<Bridge>);

impl AudioProcessorHandler<'_> for AudioThread {}

impl HostTailImpl for AudioThread {
    fn changed(&mut self) {
        tick(&self.0.counts.tail_changed);
    }
}

/// Takes the events that a plugin sends out of `process` and `flush`: changes from its editor. Does not allocate.
pub(crate) struct Outgoing(pub(crate) Arc<Bridge>);

impl OutputEventBuffer for Outgoing {
    fn try_push(&mut self, event: &UnknownEvent) -> Result<(), TryPushError> {
        let index = |id: Option<ClapId>| id.and_then(|id| self.0.index_of(id.get()));
        let edit = match event.as_core_event() {
            Some(CoreEventSpace::ParamValue(event)) => {
                index(event.param_id()).map(|parameter| Edit::Value { parameter, value: event.value() })
            }
            Some(CoreEventSpace::ParamGestureBegin(event)) => {
                index(event.param_id()).map(|parameter| Edit::Begin { parameter })
            }
            Some(CoreEventSpace::ParamGestureEnd(event)) => {
                index(event.param_id()).map(|parameter| Edit::End { parameter })
            }
            _ => None,
        };
        if let Some(edit) = edit {
            self.0.edited(edit);
        }
        Ok(())
    }
}
