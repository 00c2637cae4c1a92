//! A CLAP plugin of which every answer is known, and a VST 3 host around it. Everything happens on the test's thread.
//!
//! Output is input times gain plus a thousand times the side chain. `Structure` sets the latency when it is activated: ten
//! frames a step.

#![allow(dead_code, reason = "each test program uses a part")]

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::*;
use clap_sys::ext::audio_ports::*;
use clap_sys::ext::audio_ports_config::*;
use clap_sys::ext::latency::*;
use clap_sys::ext::params::*;
use clap_sys::ext::thread_check::*;
use clap_sys::factory::plugin_factory::*;
use clap_sys::host::clap_host;
use clap_sys::plugin::*;
use clap_sys::process::*;
use clap_sys::version::CLAP_VERSION;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

pub const GAIN: u32 = 1;
pub const STRUCTURE: u32 = 2;

/// What the plugin has been told, and what it is to say.
#[derive(Default)]
pub struct Fake {
    pub gain: Cell<f64>,
    pub structure: Cell<f64>,
    latency: Cell<u32>,
    mono: Cell<bool>,
    pub active: Cell<bool>,
    pub processing: Cell<bool>,
    pub activations: Cell<usize>,
    /// Frames of each call of `process`, and the frames of events in it.
    pub blocks: RefCell<Vec<(usize, usize)>>,
    /// Events of each call of `flush`.
    pub flushes: RefCell<Vec<usize>>,
    /// Gestures and values that the editor makes at the next chance: parameter, and a value or a beginning or an end.
    pub says: RefCell<Vec<(u32, Said)>>,
    pub mistakes: RefCell<Vec<String>>,
    host: Cell<Option<*const clap_host>>,
}

#[derive(Clone, Copy)]
pub enum Said {
    Begin,
    Value(f64),
    End,
}

thread_local! {
    /// The plugin made last on this thread.
    pub static FAKE: Fake = Fake::default();
}

fn fake<R>(call: impl FnOnce(&Fake) -> R) -> R {
    FAKE.with(call)
}

impl Fake {
    fn mistake(&self, what: &str) {
        self.mistakes.borrow_mut().push(what.to_owned());
    }

    /// Checks that the call comes in the role that it should.
    fn role(&self, what: &str, audio: bool) {
        let Some(host) = self.host.get() else { return };
        // SAFETY: the host outlives the plugin, and gives the table that belongs to the name.
        let right = unsafe {
            let check =
                &*(*host).get_extension.unwrap()(host, CLAP_EXT_THREAD_CHECK.as_ptr()).cast::<clap_host_thread_check>();
            check.is_audio_thread.unwrap()(host) == audio && check.is_main_thread.unwrap()(host) != audio
        };
        if !right {
            self.mistake(&format!("{what} in the wrong role"));
        }
    }

    unsafe fn take(&self, event: *const clap_event_header) {
        // SAFETY: a valid event, of the type that it says.
        unsafe {
            if (*event).type_ == CLAP_EVENT_PARAM_VALUE {
                let event = &*event.cast::<clap_event_param_value>();
                match event.param_id {
                    GAIN => self.gain.set(event.value),
                    STRUCTURE => self.structure.set(event.value),
                    _ => self.mistake("an unknown parameter"),
                }
            }
        }
    }

    unsafe fn say(&self, out: *const clap_output_events) {
        for (param_id, said) in self.says.borrow_mut().drain(..) {
            let header = |size: usize, type_| clap_event_header {
                size: size as u32,
                time: 0,
                space_id: CLAP_CORE_EVENT_SPACE_ID,
                type_,
                flags: 0,
            };
            let gesture = |type_| clap_event_param_gesture {
                header: header(size_of::<clap_event_param_gesture>(), type_),
                param_id,
            };
            // SAFETY: a valid list, and events that live through the call.
            unsafe {
                let push = (*out).try_push.unwrap();
                match said {
                    Said::Begin => push(out, &gesture(CLAP_EVENT_PARAM_GESTURE_BEGIN).header),
                    Said::End => push(out, &gesture(CLAP_EVENT_PARAM_GESTURE_END).header),
                    Said::Value(value) => {
                        if param_id == GAIN {
                            self.gain.set(value);
                        }
                        let event = clap_event_param_value {
                            header: header(size_of::<clap_event_param_value>(), CLAP_EVENT_PARAM_VALUE),
                            param_id,
                            cookie: null_mut(),
                            note_id: -1,
                            port_index: -1,
                            channel: -1,
                            key: -1,
                            value,
                        };
                        push(out, &event.header)
                    }
                };
            }
        }
    }
}

pub static ENTRY: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(entry_init),
    deinit: Some(entry_deinit),
    get_factory: Some(entry_get_factory),
};

unsafe extern "C" fn entry_init(path: *const c_char) -> bool {
    !path.is_null()
}

unsafe extern "C" fn entry_deinit() {}

unsafe extern "C" fn entry_get_factory(_: *const c_char) -> *const c_void {
    (&raw const FACTORY).cast()
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(count_one),
    get_plugin_descriptor: Some(descriptor),
    create_plugin: Some(create),
};

unsafe extern "C" fn count_one(_: *const clap_plugin_factory) -> u32 {
    1
}

struct Features([*const c_char; 3]);
// SAFETY: constant strings.
unsafe impl Sync for Features {}
static FEATURES: Features = Features([c"audio-effect".as_ptr(), c"equalizer".as_ptr(), null()]);

static DESCRIPTOR: clap_plugin_descriptor = clap_plugin_descriptor {
    clap_version: CLAP_VERSION,
    id: c"test.fake".as_ptr(),
    name: c"Fake".as_ptr(),
    vendor: c"Nobody".as_ptr(),
    url: c"".as_ptr(),
    manual_url: c"".as_ptr(),
    support_url: c"".as_ptr(),
    version: c"1.2.3".as_ptr(),
    description: c"".as_ptr(),
    features: FEATURES.0.as_ptr(),
};

unsafe extern "C" fn descriptor(_: *const clap_plugin_factory, _: u32) -> *const clap_plugin_descriptor {
    &raw const DESCRIPTOR
}

static PLUGIN: clap_plugin = clap_plugin {
    desc: &raw const DESCRIPTOR,
    plugin_data: null_mut(),
    init: Some(init),
    destroy: Some(destroy),
    activate: Some(activate),
    deactivate: Some(deactivate),
    start_processing: Some(start),
    stop_processing: Some(stop),
    reset: Some(reset),
    process: Some(process),
    get_extension: Some(extension),
    on_main_thread: Some(on_main_thread),
};

unsafe extern "C" fn create(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: a string, by CLAP's rules.
    if unsafe { CStr::from_ptr(id) } != c"test.fake" {
        return null();
    }
    fake(|fake| {
        fake.gain.set(1.0);
        fake.host.set(Some(host));
    });
    &raw const PLUGIN
}

unsafe extern "C" fn init(_: *const clap_plugin) -> bool {
    fake(|fake| fake.role("init", false));
    true
}

unsafe extern "C" fn destroy(_: *const clap_plugin) {
    fake(|fake| {
        fake.role("destroy", false);
        if fake.active.get() {
            fake.mistake("destroyed while active");
        }
        fake.host.set(None);
    });
}

unsafe extern "C" fn activate(_: *const clap_plugin, rate: f64, _: u32, _: u32) -> bool {
    fake(|fake| {
        fake.role("activate", false);
        if fake.active.replace(true) {
            fake.mistake("activated twice");
        }
        fake.activations.set(fake.activations.get() + 1);
        fake.latency.set(fake.structure.get() as u32 * 10);
        if rate < 10_000.0 {
            fake.active.set(false);
        }
        fake.active.get()
    })
}

unsafe extern "C" fn deactivate(_: *const clap_plugin) {
    fake(|fake| {
        fake.role("deactivate", false);
        if !fake.active.replace(false) || fake.processing.get() {
            fake.mistake("deactivated while inactive or processing");
        }
    });
}

unsafe extern "C" fn start(_: *const clap_plugin) -> bool {
    fake(|fake| {
        fake.role("start", true);
        if fake.processing.replace(true) || !fake.active.get() {
            fake.mistake("started while processing or inactive");
        }
    });
    true
}

unsafe extern "C" fn stop(_: *const clap_plugin) {
    fake(|fake| {
        fake.role("stop", true);
        if !fake.processing.replace(false) {
            fake.mistake("stopped while not processing");
        }
    });
}

unsafe extern "C" fn reset(_: *const clap_plugin) {
    fake(|fake| fake.role("reset", true));
}

unsafe extern "C" fn on_main_thread(_: *const clap_plugin) {
    fake(|fake| fake.role("on_main_thread", false));
}

unsafe extern "C" fn process(_: *const clap_plugin, process: *const clap_process) -> clap_process_status {
    fake(|fake| {
        fake.role("process", true);
        if !fake.processing.get() {
            fake.mistake("a block while not processing");
        }
        let width = if fake.mono.get() { 1 } else { 2 };
        // SAFETY: what CLAP promises: all ports with all channels, each with all frames; two ports in, one out.
        unsafe {
            let process = &*process;
            if (process.audio_inputs_count, process.audio_outputs_count) != (2, 1) {
                fake.mistake("not every port is given");
                return CLAP_PROCESS_ERROR;
            }
            let frames = process.frames_count as usize;
            let events = process.in_events;
            let count = (*events).size.unwrap()(events);
            fake.blocks.borrow_mut().push((frames, count as usize));
            let channel = |buffer: *const clap_audio_buffer, channel: usize| *(*buffer).data32.add(channel);
            for buffer in [process.audio_inputs, process.audio_inputs.add(1), process.audio_outputs.cast_const()] {
                if (*buffer).channel_count as usize != width {
                    fake.mistake("a port of another width");
                    return CLAP_PROCESS_ERROR;
                }
            }
            let before = (fake.gain.get(), fake.structure.get());
            // channel by channel, so that crossed memory shows
            for number in 0..width {
                fake.gain.set(before.0);
                fake.structure.set(before.1);
                let mut next = 0;
                for frame in 0..frames {
                    while next < count {
                        let event = (*events).get.unwrap()(events, next);
                        if (*event).time as usize > frame {
                            break;
                        }
                        fake.take(event);
                        next += 1;
                    }
                    let (input, key) =
                        (channel(process.audio_inputs, number), channel(process.audio_inputs.add(1), number));
                    let out = f64::from(*input.add(frame)) * fake.gain.get() + f64::from(*key.add(frame)) * 1000.0;
                    *channel(process.audio_outputs, number).add(frame) = out as f32;
                }
                if next != count {
                    fake.mistake("an event outside of the block");
                }
            }
            if fake.structure.get() as u32 * 10 != fake.latency.get() {
                let host = fake.host.get().unwrap();
                (*host).request_restart.unwrap()(host);
            }
            fake.say(process.out_events);
        }
        CLAP_PROCESS_CONTINUE
    })
}

static LATENCY: clap_plugin_latency = clap_plugin_latency { get: Some(latency) };

unsafe extern "C" fn latency(_: *const clap_plugin) -> u32 {
    fake(|fake| {
        if !fake.active.get() {
            fake.mistake("latency asked for while inactive");
        }
        fake.latency.get()
    })
}

static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(params_count),
    get_info: Some(params_info),
    get_value: Some(params_value),
    value_to_text: None,
    text_to_value: None,
    flush: Some(params_flush),
};

unsafe extern "C" fn params_count(_: *const clap_plugin) -> u32 {
    2
}

unsafe extern "C" fn params_info(_: *const clap_plugin, index: u32, info: *mut clap_param_info) -> bool {
    // SAFETY: valid by CLAP's rules; plain data, for which zeros are a value.
    let info = unsafe {
        *info = std::mem::zeroed();
        &mut *info
    };
    info.id = index + 1;
    (info.max_value, info.default_value) = if index == 0 { (2.0, 1.0) } else { (3.0, 0.0) };
    info.flags = if index == 0 { CLAP_PARAM_IS_AUTOMATABLE } else { CLAP_PARAM_IS_STEPPED };
    true
}

unsafe extern "C" fn params_value(_: *const clap_plugin, id: u32, value: *mut f64) -> bool {
    // SAFETY: valid by CLAP's rules.
    unsafe { *value = fake(|fake| if id == GAIN { fake.gain.get() } else { fake.structure.get() }) };
    true
}

unsafe extern "C" fn params_flush(
    _: *const clap_plugin,
    events: *const clap_input_events,
    out: *const clap_output_events,
) {
    fake(|fake| {
        fake.role("flush", fake.active.get());
        // SAFETY: valid lists, by CLAP's rules.
        unsafe {
            let count = (*events).size.unwrap()(events);
            fake.flushes.borrow_mut().push(count as usize);
            for index in 0..count {
                fake.take((*events).get.unwrap()(events, index));
            }
            fake.say(out);
        }
    });
}

static PORTS: clap_plugin_audio_ports = clap_plugin_audio_ports { count: Some(ports_count), get: Some(ports_get) };

unsafe extern "C" fn ports_count(_: *const clap_plugin, is_input: bool) -> u32 {
    if is_input { 2 } else { 1 }
}

unsafe extern "C" fn ports_get(
    _: *const clap_plugin,
    index: u32,
    is_input: bool,
    info: *mut clap_audio_port_info,
) -> bool {
    // SAFETY: valid by CLAP's rules; plain data, for which zeros are a value.
    let info = unsafe {
        *info = std::mem::zeroed();
        &mut *info
    };
    let main = index == 0;
    info.id = if is_input { index } else { 2 };
    info.in_place_pair = if !main {
        u32::MAX
    } else if is_input {
        2
    } else {
        0
    };
    info.flags = if main { CLAP_AUDIO_PORT_IS_MAIN } else { 0 };
    info.channel_count = fake(|fake| if fake.mono.get() { 1 } else { 2 });
    true
}

static CONFIGS: clap_plugin_audio_ports_config =
    clap_plugin_audio_ports_config { count: Some(configs_count), get: Some(configs_get), select: Some(configs_select) };

unsafe extern "C" fn configs_count(_: *const clap_plugin) -> u32 {
    2
}

unsafe extern "C" fn configs_get(_: *const clap_plugin, index: u32, config: *mut clap_audio_ports_config) -> bool {
    // SAFETY: valid by CLAP's rules; plain data, for which zeros are a value.
    unsafe {
        *config = std::mem::zeroed();
        (*config).id = index;
    }
    true
}

unsafe extern "C" fn configs_select(_: *const clap_plugin, id: u32) -> bool {
    fake(|fake| {
        if fake.active.get() {
            fake.mistake("a layout chosen while active");
        }
        fake.mono.set(id == 1);
    });
    true
}

unsafe extern "C" fn extension(_: *const clap_plugin, id: *const c_char) -> *const c_void {
    // SAFETY: a string, by CLAP's rules.
    let id = unsafe { CStr::from_ptr(id) };
    if id == CLAP_EXT_PARAMS {
        (&raw const PARAMS).cast()
    } else if id == CLAP_EXT_AUDIO_PORTS {
        (&raw const PORTS).cast()
    } else if id == CLAP_EXT_AUDIO_PORTS_CONFIG {
        (&raw const CONFIGS).cast()
    } else if id == CLAP_EXT_LATENCY {
        (&raw const LATENCY).cast()
    } else {
        null()
    }
}
