//! A CLAP plugin, called.

use crate::host::Host;
use crate::stream;
use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports};
use clap_sys::ext::audio_ports_config::{
    CLAP_EXT_AUDIO_PORTS_CONFIG, clap_audio_ports_config, clap_plugin_audio_ports_config,
};
use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_plugin_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::posix_fd_support::{CLAP_EXT_POSIX_FD_SUPPORT, clap_plugin_posix_fd_support};
use clap_sys::ext::render::{CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, CLAP_RENDER_REALTIME, clap_plugin_render};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_plugin_timer_support};
use clap_sys::ext::track_info::{CLAP_EXT_TRACK_INFO, clap_plugin_track_info};
use clap_sys::factory::plugin_factory::clap_plugin_factory;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use std::ffi::{CStr, CString, c_char};
use std::mem::zeroed;
use std::sync::Arc;

/// A CLAP plugin that has been initialised. It is destroyed with this value, which has to happen on the main thread.
///
/// Methods are safe to call with respect to memory; which thread may call them is CLAP's rule and said at each.
pub(crate) struct ClapPlugin {
    raw: *const clap_plugin,
    audio_ports: Option<clap_plugin_audio_ports>,
    audio_ports_config: Option<clap_plugin_audio_ports_config>,
    pub(crate) gui: Option<clap_plugin_gui>,
    latency: Option<clap_plugin_latency>,
    params: Option<clap_plugin_params>,
    posix_fd: Option<clap_plugin_posix_fd_support>,
    render: Option<clap_plugin_render>,
    state: Option<clap_plugin_state>,
    tail: Option<clap_plugin_tail>,
    timer: Option<clap_plugin_timer_support>,
    track_info: Option<clap_plugin_track_info>,
    /// What the plugin calls; it has to outlive the plugin.
    _host: Arc<Host>,
}

// SAFETY: CLAP plugins are made to be called from several threads by its rules, which callers of the methods keep.
unsafe impl Send for ClapPlugin {}
// SAFETY: as above.
unsafe impl Sync for ClapPlugin {}

/// Calls a function of a table, if there are both; else `$otherwise`.
macro_rules! call {
    ($table:expr, $function:ident, $otherwise:expr, $($argument:expr),*) => {
        match $table.as_ref().and_then(|table| table.$function) {
            // SAFETY: a live plugin's own function, with its own pointer and valid arguments.
            Some(function) => unsafe { function($($argument),*) },
            None => $otherwise,
        }
    };
}

impl ClapPlugin {
    /// Makes and initialises the plugin with this id; main thread.
    pub(crate) fn new(factory: &clap_plugin_factory, id: &CStr, host: &Arc<Host>) -> Option<ClapPlugin> {
        let create = factory.create_plugin?;
        // SAFETY: the factory's own function; the host record lives as long as the plugin, which keeps the `Arc`.
        let raw = unsafe { create(factory, host.clap(), id.as_ptr()) };
        if raw.is_null() {
            return None;
        }
        // from here on it is destroyed whatever happens
        let mut plugin = ClapPlugin {
            raw,
            audio_ports: None,
            audio_ports_config: None,
            gui: None,
            latency: None,
            params: None,
            posix_fd: None,
            render: None,
            state: None,
            tail: None,
            timer: None,
            track_info: None,
            _host: Arc::clone(host),
        };
        if !call!(plugin.table(), init, false, raw) {
            return None;
        }
        plugin.audio_ports = plugin.extension(CLAP_EXT_AUDIO_PORTS);
        plugin.audio_ports_config = plugin.extension(CLAP_EXT_AUDIO_PORTS_CONFIG);
        plugin.gui = plugin.extension(CLAP_EXT_GUI);
        plugin.latency = plugin.extension(CLAP_EXT_LATENCY);
        plugin.params = plugin.extension(CLAP_EXT_PARAMS);
        plugin.posix_fd = plugin.extension(CLAP_EXT_POSIX_FD_SUPPORT);
        plugin.render = plugin.extension(CLAP_EXT_RENDER);
        plugin.state = plugin.extension(CLAP_EXT_STATE);
        plugin.tail = plugin.extension(CLAP_EXT_TAIL);
        plugin.timer = plugin.extension(CLAP_EXT_TIMER_SUPPORT);
        plugin.track_info = plugin.extension(CLAP_EXT_TRACK_INFO);
        Some(plugin)
    }

    pub(crate) fn raw(&self) -> *const clap_plugin {
        self.raw
    }

    fn table(&self) -> Option<&clap_plugin> {
        // SAFETY: the pointer came from the factory, is not null, and is valid until `destroy`.
        unsafe { self.raw.as_ref() }
    }

    /// The table of functions of an extension, copied; `T` has to be the type that belongs to `id`.
    fn extension<T: Copy>(&self, id: &CStr) -> Option<T> {
        let table = call!(self.table(), get_extension, std::ptr::null(), self.raw, id.as_ptr()).cast::<T>();
        // SAFETY: null or the extension's table, constant by CLAP's rules.
        unsafe { table.as_ref() }.copied()
    }

    /// Main thread, inactive.
    pub(crate) fn activate(&self, sample_rate: f64, max_frames: u32) -> bool {
        call!(self.table(), activate, false, self.raw, sample_rate, 1, max_frames)
    }

    /// Main thread, active and not processing.
    pub(crate) fn deactivate(&self) {
        call!(self.table(), deactivate, (), self.raw);
    }

    /// Audio thread, active.
    pub(crate) fn start_processing(&self) -> bool {
        // a plugin without the function needs no notice
        call!(self.table(), start_processing, true, self.raw)
    }

    /// Audio thread, processing.
    pub(crate) fn stop_processing(&self) {
        call!(self.table(), stop_processing, (), self.raw);
    }

    /// Audio thread, active.
    pub(crate) fn reset(&self) {
        call!(self.table(), reset, (), self.raw);
    }

    /// Audio thread, processing.
    ///
    /// # Safety
    /// Everything that `process` leads to is valid: each port with its channels, each channel with its frames.
    pub(crate) unsafe fn process(&self, process: &clap_process) -> clap_process_status {
        call!(self.table(), process, CLAP_PROCESS_ERROR, self.raw, process)
    }

    /// Main thread.
    pub(crate) fn on_main_thread(&self) {
        call!(self.table(), on_main_thread, (), self.raw);
    }

    /// Active: audio thread; else main thread.
    ///
    /// # Safety
    /// Both lists are valid.
    pub(crate) unsafe fn flush(&self, input: *const clap_input_events, output: *const clap_output_events) {
        call!(self.params, flush, (), self.raw, input, output);
    }

    /// Main thread.
    pub(crate) fn parameter_infos(&self) -> Vec<clap_param_info> {
        let count = call!(self.params, count, 0, self.raw);
        let info = |index| {
            // SAFETY: plain data, for which zeros are a value.
            let mut info: clap_param_info = unsafe { zeroed() };
            call!(self.params, get_info, false, self.raw, index, &mut info).then_some(info)
        };
        (0..count).filter_map(info).collect()
    }

    /// Main thread.
    pub(crate) fn value(&self, id: u32) -> Option<f64> {
        let mut value = 0.0;
        call!(self.params, get_value, false, self.raw, id, &mut value).then_some(value)
    }

    /// Main thread.
    pub(crate) fn value_to_text(&self, id: u32, value: f64) -> Option<String> {
        let mut text = [0 as c_char; 256];
        call!(self.params, value_to_text, false, self.raw, id, value, text.as_mut_ptr(), text.len() as u32)
            .then(|| crate::text::read_utf8(&text))
    }

    /// Main thread.
    pub(crate) fn text_to_value(&self, id: u32, text: &str) -> Option<f64> {
        let text = CString::new(text).ok()?;
        let mut value = 0.0;
        call!(self.params, text_to_value, false, self.raw, id, text.as_ptr(), &mut value).then_some(value)
    }

    /// Main thread.
    pub(crate) fn ports(&self, is_input: bool) -> Vec<clap_audio_port_info> {
        let count = call!(self.audio_ports, count, 0, self.raw, is_input);
        let info = |index| {
            // SAFETY: plain data, for which zeros are a value.
            let mut info: clap_audio_port_info = unsafe { zeroed() };
            call!(self.audio_ports, get, false, self.raw, index, is_input, &mut info).then_some(info)
        };
        (0..count).filter_map(info).collect()
    }

    /// The ids of the port configurations; main thread.
    pub(crate) fn configurations(&self) -> Vec<u32> {
        let count = call!(self.audio_ports_config, count, 0, self.raw);
        let id = |index| {
            // SAFETY: plain data, for which zeros are a value.
            let mut config: clap_audio_ports_config = unsafe { zeroed() };
            call!(self.audio_ports_config, get, false, self.raw, index, &mut config).then_some(config.id)
        };
        (0..count).filter_map(id).collect()
    }

    /// Main thread, inactive.
    pub(crate) fn select_configuration(&self, id: u32) -> bool {
        call!(self.audio_ports_config, select, false, self.raw, id)
    }

    /// Main thread, active.
    pub(crate) fn latency_frames(&self) -> u32 {
        call!(self.latency, get, 0, self.raw)
    }

    /// Frames, or `u32::MAX` for no end; main or audio thread.
    pub(crate) fn tail_frames(&self) -> u32 {
        call!(self.tail, get, 0, self.raw)
    }

    /// Main thread.
    pub(crate) fn set_offline(&self, offline: bool) {
        let mode = if offline { CLAP_RENDER_OFFLINE } else { CLAP_RENDER_REALTIME };
        call!(self.render, set, false, self.raw, mode);
    }

    /// Main thread.
    pub(crate) fn save(&self) -> Option<Vec<u8>> {
        stream::with_output(|output| call!(self.state, save, false, self.raw, output))
    }

    /// Main thread.
    pub(crate) fn load(&self, state: &[u8]) -> bool {
        stream::with_input(state, |input| call!(self.state, load, false, self.raw, input))
    }

    /// Main thread.
    pub(crate) fn on_timer(&self, timer: u32) {
        call!(self.timer, on_timer, (), self.raw, timer);
    }

    /// Main thread.
    #[cfg(unix)]
    pub(crate) fn on_descriptor(&self, descriptor: i32, flags: u32) {
        call!(self.posix_fd, on_fd, (), self.raw, descriptor, flags);
    }

    /// Main thread.
    pub(crate) fn track_info_changed(&self) {
        call!(self.track_info, changed, (), self.raw);
    }
}

impl Drop for ClapPlugin {
    fn drop(&mut self) {
        call!(self.table(), destroy, (), self.raw);
    }
}
