//! The subject as CLAP, on the bare C interface.

use crate::dsp::{Channels, Dsp, GAIN, LATENCY_FRAMES, PARAMETERS, TAIL_FRAMES, Told};
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::*;
use clap_sys::ext::audio_ports::*;
use clap_sys::ext::audio_ports_config::*;
use clap_sys::ext::latency::*;
use clap_sys::ext::log::*;
use clap_sys::ext::params::*;
use clap_sys::ext::remote_controls::*;
use clap_sys::ext::render::*;
use clap_sys::ext::state::*;
use clap_sys::ext::tail::*;
use clap_sys::ext::thread_check::*;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::fixedpoint::CLAP_BEATTIME_FACTOR;
use clap_sys::host::clap_host;
use clap_sys::id::CLAP_INVALID_ID;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::*;
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering};

const ID: &CStr = c"org.tandem.subject";

static DESCRIPTOR: clap_plugin_descriptor = clap_plugin_descriptor {
    clap_version: CLAP_VERSION,
    id: ID.as_ptr(),
    name: c"Subject".as_ptr(),
    vendor: c"Tandem".as_ptr(),
    url: c"".as_ptr(),
    manual_url: c"".as_ptr(),
    support_url: c"".as_ptr(),
    version: c"1".as_ptr(),
    description: c"".as_ptr(),
    features: &raw const FEATURES as *const *const c_char,
};

struct Features(#[allow(dead_code)] [*const c_char; 2]);
unsafe impl Sync for Features {}
static FEATURES: Features = Features([c"audio-effect".as_ptr(), null()]);

#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

/// Entries less exits: a host keeps it at 0 or 1.
static ENTERED: AtomicI32 = AtomicI32::new(0);

unsafe extern "C" fn init(_: *const c_char) -> bool {
    ENTERED.fetch_add(1, Ordering::SeqCst) == 0
}

unsafe extern "C" fn deinit() {
    ENTERED.fetch_sub(1, Ordering::SeqCst);
}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    let known = unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID && ENTERED.load(Ordering::SeqCst) == 1;
    if known { (&raw const FACTORY).cast() } else { null() }
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(plugin_count),
    get_plugin_descriptor: Some(plugin_descriptor),
    create_plugin: Some(create),
};

unsafe extern "C" fn plugin_count(_: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn plugin_descriptor(_: *const clap_plugin_factory, _: u32) -> *const clap_plugin_descriptor {
    &DESCRIPTOR
}

pub struct Subject {
    plugin: clap_plugin,
    pub host: *const clap_host,
    dsp: Dsp,
    events: Vec<(usize, usize, f64)>,
    channels: u32,
    offline: bool,
    active: bool,
    #[cfg(target_os = "linux")]
    pub editor: Option<crate::clap_editor::Shown>,
}

unsafe extern "C" fn create(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    if unsafe { CStr::from_ptr(id) } != ID {
        return null();
    }
    let plugin = clap_plugin {
        desc: &DESCRIPTOR,
        plugin_data: null_mut(),
        init: Some(plugin_init),
        destroy: Some(destroy),
        activate: Some(activate),
        deactivate: Some(deactivate),
        start_processing: Some(start_processing),
        stop_processing: Some(stop_processing),
        reset: Some(reset),
        process: Some(process),
        get_extension: Some(get_extension),
        on_main_thread: Some(on_main_thread),
    };
    let events = Vec::with_capacity(4096);
    let subject = Subject {
        plugin,
        host,
        dsp: Dsp::new(),
        events,
        channels: 2,
        offline: false,
        active: false,
        #[cfg(target_os = "linux")]
        editor: None,
    };
    let subject = Box::into_raw(Box::new(subject));
    unsafe {
        (*subject).plugin.plugin_data = subject.cast();
        &(*subject).plugin
    }
}

pub unsafe fn subject<'a>(plugin: *const clap_plugin) -> &'a mut Subject {
    unsafe { &mut *(*plugin).plugin_data.cast() }
}

impl Subject {
    pub unsafe fn host_extension<T>(&self, id: &CStr) -> Option<&T> {
        unsafe { ((*self.host).get_extension?)(self.host, id.as_ptr()).cast::<T>().as_ref() }
    }

    /// What the thread check says: main, audio.
    unsafe fn thread(&self) -> (bool, bool) {
        unsafe {
            let check = self.host_extension::<clap_host_thread_check>(CLAP_EXT_THREAD_CHECK);
            check.map_or((true, true), |check| {
                (
                    check.is_main_thread.is_some_and(|is| is(self.host)),
                    check.is_audio_thread.is_some_and(|is| is(self.host)),
                )
            })
        }
    }

    /// Complains to the host's log if a call comes on the wrong thread or in the wrong state.
    unsafe fn expect(&self, what: &CStr, fits: bool) {
        if !fits {
            unsafe {
                if let Some(log) = self.host_extension::<clap_host_log>(CLAP_EXT_LOG).and_then(|log| log.log) {
                    log(self.host, CLAP_LOG_HOST_MISBEHAVING, what.as_ptr());
                }
            }
        }
    }

    pub unsafe fn expect_main(&self, what: &CStr) {
        unsafe { self.expect(what, self.thread() == (true, false)) }
    }

    unsafe fn expect_audio(&self, what: &CStr) {
        unsafe { self.expect(what, self.active && self.thread() == (false, true)) }
    }

    unsafe fn read_events(&mut self, list: *const clap_input_events) {
        self.events.clear();
        unsafe {
            let (Some(size), Some(get)) = ((*list).size, (*list).get) else { return };
            let mut last = 0;
            for index in 0..size(list) {
                let header = get(list, index);
                self.expect(c"events in order of time", (*header).time >= last);
                last = (*header).time;
                if (*header).type_ == CLAP_EVENT_PARAM_VALUE && (*header).space_id == CLAP_CORE_EVENT_SPACE_ID {
                    let event = &*header.cast::<clap_event_param_value>();
                    self.events.push(((*header).time as usize, event.param_id as usize - 100, event.value));
                }
            }
        }
    }
}

unsafe extern "C" fn plugin_init(plugin: *const clap_plugin) -> bool {
    unsafe { subject(plugin).expect_main(c"init") };
    true
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    unsafe {
        let subject = subject(plugin);
        subject.expect(c"destroy while inactive", !subject.active);
        #[cfg(target_os = "linux")]
        subject.expect(c"destroy after the editor", subject.editor.is_none());
        drop(Box::from_raw(subject));
    }
}

unsafe extern "C" fn activate(plugin: *const clap_plugin, _: f64, least: u32, most: u32) -> bool {
    unsafe {
        let subject = subject(plugin);
        subject.expect_main(c"activate");
        subject.expect(c"activate while inactive, 1 <= min <= max", !subject.active && 1 <= least && least <= most);
        subject.active = true;
        subject.dsp.reset();
    }
    true
}

unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    unsafe {
        let subject = subject(plugin);
        subject.expect_main(c"deactivate");
        subject.expect(c"deactivate while active", subject.active);
        subject.active = false;
    }
}

unsafe extern "C" fn start_processing(plugin: *const clap_plugin) -> bool {
    unsafe { subject(plugin).expect_audio(c"start_processing") };
    true
}

unsafe extern "C" fn stop_processing(plugin: *const clap_plugin) {
    unsafe { subject(plugin).expect_audio(c"stop_processing") };
}

unsafe extern "C" fn reset(plugin: *const clap_plugin) {
    unsafe {
        subject(plugin).expect_audio(c"reset");
        subject(plugin).dsp.reset();
    }
}

unsafe extern "C" fn on_main_thread(plugin: *const clap_plugin) {
    unsafe { subject(plugin).expect_main(c"on_main_thread") };
}

unsafe extern "C" fn process(plugin: *const clap_plugin, process: *const clap_process) -> clap_process_status {
    unsafe {
        let subject = subject(plugin);
        subject.expect_audio(c"process");
        let process = &*process;
        subject.read_events(process.in_events);
        let ports = |ports: *const clap_audio_buffer, count: u32| match count {
            0 => &[][..],
            _ => std::slice::from_raw_parts(ports, count as usize),
        };
        let channels = |port: Option<&clap_audio_buffer>| {
            port.map_or(&[][..], |port| std::slice::from_raw_parts(port.data32, port.channel_count as usize))
        };
        let inputs = ports(process.audio_inputs, process.audio_inputs_count);
        let outputs = ports(process.audio_outputs, process.audio_outputs_count);
        let mut told = Told {
            offline: subject.offline,
            thread: subject.thread() == (false, true),
            side_chain_flagged_silent: inputs.get(1).is_some_and(|port| port.constant_mask != 0),
            ..Told::default()
        };
        if let Some(transport) = process.transport.as_ref() {
            told.tempo_bpm = transport.tempo;
            told.beats = transport.song_pos_beats as f64 / CLAP_BEATTIME_FACTOR as f64;
            told.playing = transport.flags & CLAP_TRANSPORT_IS_PLAYING != 0;
        }
        let io = Channels {
            inputs: channels(inputs.first()),
            side_chain: channels(inputs.get(1)),
            outputs: channels(outputs.first()),
            frames: process.frames_count as usize,
        };
        let wishes = subject.dsp.process(&io, &told, &subject.events);
        if wishes.restart
            && let Some(request) = (*subject.host).request_restart
        {
            request(subject.host);
        }
        if wishes.edit
            && let Some(push) = (*process.out_events).try_push
        {
            let event = clap_event_param_value {
                header: clap_event_header {
                    size: size_of::<clap_event_param_value>() as u32,
                    time: 0,
                    space_id: CLAP_CORE_EVENT_SPACE_ID,
                    type_: CLAP_EVENT_PARAM_VALUE,
                    flags: 0,
                },
                param_id: 100,
                cookie: null_mut(),
                note_id: -1,
                port_index: -1,
                channel: -1,
                key: -1,
                value: subject.dsp.values[GAIN],
            };
            push(process.out_events, &event.header);
        }
        if wishes.fail { CLAP_PROCESS_ERROR } else { CLAP_PROCESS_CONTINUE }
    }
}

unsafe extern "C" fn get_extension(_: *const clap_plugin, id: *const c_char) -> *const c_void {
    let id = unsafe { CStr::from_ptr(id) };
    #[cfg(target_os = "linux")]
    if let Some(extension) = crate::clap_editor::extension(id) {
        return extension;
    }
    let table: [(&CStr, *const c_void); 8] = [
        (CLAP_EXT_PARAMS, (&raw const PARAMS).cast()),
        (CLAP_EXT_STATE, (&raw const STATE).cast()),
        (CLAP_EXT_LATENCY, (&raw const LATENCY).cast()),
        (CLAP_EXT_TAIL, (&raw const TAIL).cast()),
        (CLAP_EXT_RENDER, (&raw const RENDER).cast()),
        (CLAP_EXT_AUDIO_PORTS, (&raw const PORTS).cast()),
        (CLAP_EXT_AUDIO_PORTS_CONFIG, (&raw const CONFIGS).cast()),
        (CLAP_EXT_REMOTE_CONTROLS, (&raw const REMOTE).cast()),
    ];
    table.iter().find(|entry| entry.0 == id).map_or(null(), |entry| entry.1)
}

fn write(text: &str, room: &mut [c_char]) {
    for (place, byte) in room.iter_mut().zip(text.bytes().chain([0])) {
        *place = byte as c_char;
    }
}

static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(params_count),
    get_info: Some(params_info),
    get_value: Some(params_value),
    value_to_text: Some(params_to_text),
    text_to_value: Some(params_from_text),
    flush: Some(params_flush),
};

unsafe extern "C" fn params_count(_: *const clap_plugin) -> u32 {
    PARAMETERS.len() as u32
}

unsafe extern "C" fn params_info(_: *const clap_plugin, index: u32, info: *mut clap_param_info) -> bool {
    let Some(&(name, max, default, stepped)) = PARAMETERS.get(index as usize) else { return false };
    let info = unsafe { &mut *info };
    info.id = 100 + index;
    info.flags = CLAP_PARAM_IS_AUTOMATABLE | if stepped { CLAP_PARAM_IS_STEPPED } else { 0 };
    info.cookie = null_mut();
    write(name, &mut info.name);
    write("Group", &mut info.module);
    (info.min_value, info.max_value, info.default_value) = (0.0, max, default);
    true
}

unsafe extern "C" fn params_value(plugin: *const clap_plugin, id: u32, out: *mut f64) -> bool {
    unsafe {
        subject(plugin).expect_main(c"params.get_value");
        *out = subject(plugin).dsp.values[id as usize - 100];
    }
    true
}

unsafe extern "C" fn params_to_text(_: *const clap_plugin, _: u32, value: f64, out: *mut c_char, room: u32) -> bool {
    unsafe { write(&format!("{value} x"), std::slice::from_raw_parts_mut(out, room as usize)) };
    true
}

unsafe extern "C" fn params_from_text(_: *const clap_plugin, _: u32, text: *const c_char, out: *mut f64) -> bool {
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let value = text.strip_suffix(" x").and_then(|number| number.parse().ok());
    value.map(|value| unsafe { *out = value }).is_some()
}

unsafe extern "C" fn params_flush(
    plugin: *const clap_plugin,
    list: *const clap_input_events,
    _: *const clap_output_events,
) {
    unsafe {
        let subject = subject(plugin);
        let wanted = if subject.active { (false, true) } else { (true, false) };
        subject.expect(c"params.flush: audio thread while active, else main", subject.thread() == wanted);
        subject.read_events(list);
        for &(_, parameter, value) in &subject.events {
            subject.dsp.values[parameter] = value;
        }
    }
}

static STATE: clap_plugin_state = clap_plugin_state { save: Some(save), load: Some(load) };

unsafe extern "C" fn save(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    unsafe {
        subject(plugin).expect_main(c"state.save");
        let bytes = subject(plugin).dsp.save();
        (*stream)
            .write
            .is_some_and(|write| write(stream, bytes.as_ptr().cast(), bytes.len() as u64) == bytes.len() as i64)
    }
}

unsafe extern "C" fn load(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    unsafe {
        subject(plugin).expect_main(c"state.load");
        let mut bytes = Vec::new();
        let mut part = [0_u8; 7];
        let Some(read) = (*stream).read else { return false };
        loop {
            match read(stream, part.as_mut_ptr().cast(), part.len() as u64) {
                0 => return subject(plugin).dsp.load(&bytes),
                count if count > 0 => bytes.extend_from_slice(&part[..count as usize]),
                _ => return false,
            }
        }
    }
}

static LATENCY: clap_plugin_latency = clap_plugin_latency { get: Some(latency) };

unsafe extern "C" fn latency(plugin: *const clap_plugin) -> u32 {
    unsafe { subject(plugin).expect_main(c"latency.get") };
    LATENCY_FRAMES as u32
}

static TAIL: clap_plugin_tail = clap_plugin_tail { get: Some(tail) };

unsafe extern "C" fn tail(_: *const clap_plugin) -> u32 {
    TAIL_FRAMES
}

static RENDER: clap_plugin_render =
    clap_plugin_render { has_hard_realtime_requirement: Some(hard_realtime), set: Some(set_render) };

unsafe extern "C" fn hard_realtime(_: *const clap_plugin) -> bool {
    false
}

unsafe extern "C" fn set_render(plugin: *const clap_plugin, mode: clap_plugin_render_mode) -> bool {
    unsafe {
        subject(plugin).expect_main(c"render.set");
        subject(plugin).offline = mode == CLAP_RENDER_OFFLINE;
    }
    true
}

static PORTS: clap_plugin_audio_ports = clap_plugin_audio_ports { count: Some(port_count), get: Some(port_info) };

unsafe extern "C" fn port_count(_: *const clap_plugin, input: bool) -> u32 {
    if input { 2 } else { 1 }
}

unsafe extern "C" fn port_info(
    plugin: *const clap_plugin,
    index: u32,
    _: bool,
    info: *mut clap_audio_port_info,
) -> bool {
    let info = unsafe { &mut *info };
    info.id = index;
    write("Port", &mut info.name);
    info.flags = if index == 0 { CLAP_AUDIO_PORT_IS_MAIN } else { 0 };
    info.channel_count = unsafe { subject(plugin).channels };
    info.port_type = if info.channel_count == 1 { CLAP_PORT_MONO } else { CLAP_PORT_STEREO }.as_ptr();
    info.in_place_pair = if index == 0 { 0 } else { CLAP_INVALID_ID };
    true
}

static CONFIGS: clap_plugin_audio_ports_config =
    clap_plugin_audio_ports_config { count: Some(config_count), get: Some(config), select: Some(select_config) };

unsafe extern "C" fn config_count(_: *const clap_plugin) -> u32 {
    2
}

unsafe extern "C" fn config(_: *const clap_plugin, index: u32, config: *mut clap_audio_ports_config) -> bool {
    let config = unsafe { &mut *config };
    let channels = 2 - index;
    let port_type = if channels == 1 { CLAP_PORT_MONO } else { CLAP_PORT_STEREO }.as_ptr();
    config.id = index;
    write("Config", &mut config.name);
    (config.input_port_count, config.output_port_count) = (2, 1);
    (config.has_main_input, config.has_main_output) = (true, true);
    (config.main_input_channel_count, config.main_output_channel_count) = (channels, channels);
    (config.main_input_port_type, config.main_output_port_type) = (port_type, port_type);
    true
}

unsafe extern "C" fn select_config(plugin: *const clap_plugin, id: u32) -> bool {
    unsafe {
        let subject = subject(plugin);
        subject.expect_main(c"audio-ports-config.select");
        subject.expect(c"audio-ports-config.select while inactive", !subject.active);
        subject.channels = 2 - id;
    }
    true
}

static REMOTE: clap_plugin_remote_controls = clap_plugin_remote_controls { count: Some(page_count), get: Some(page) };

unsafe extern "C" fn page_count(_: *const clap_plugin) -> u32 {
    1
}

unsafe extern "C" fn page(_: *const clap_plugin, _: u32, page: *mut clap_remote_controls_page) -> bool {
    let page = unsafe { &mut *page };
    write("Section", &mut page.section_name);
    write("Page", &mut page.page_name);
    page.page_id = 1;
    page.param_ids = [CLAP_INVALID_ID; 8];
    // an empty place, a parameter, and one that does not exist
    (page.param_ids[1], page.param_ids[2]) = (102, 999);
    page.is_for_preset = false;
    true
}
