//! What the CLAP plugin sees as its host. It notes what the plugin wants; the main thread looks after it.

use crate::text::{read_c_str, write_utf8};
use crate::thread::{Threads, guarded, lock};
use clap_sys::color::clap_color;
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_host_audio_ports};
use clap_sys::ext::audio_ports_config::{CLAP_EXT_AUDIO_PORTS_CONFIG, clap_host_audio_ports_config};
use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_host_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::log::{CLAP_EXT_LOG, CLAP_LOG_WARNING, clap_host_log, clap_log_severity};
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_ALL, CLAP_PARAM_RESCAN_INFO, CLAP_PARAM_RESCAN_TEXT, clap_host_params,
};
use clap_sys::ext::posix_fd_support::{CLAP_EXT_POSIX_FD_SUPPORT, clap_host_posix_fd_support};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail};
use clap_sys::ext::thread_check::{CLAP_EXT_THREAD_CHECK, clap_host_thread_check};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_host_timer_support};
use clap_sys::ext::track_info::{
    CLAP_EXT_TRACK_INFO, CLAP_TRACK_INFO_HAS_TRACK_COLOR, CLAP_TRACK_INFO_HAS_TRACK_NAME, clap_host_track_info,
    clap_track_info,
};
use clap_sys::host::clap_host;
use clap_sys::version::CLAP_VERSION;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The host of one plugin.
pub(crate) struct Host {
    clap: clap_host,
    pub(crate) threads: Threads,
    wishes: AtomicU32,
    /// Width and height that the editor asks for.
    size: AtomicU64,
    timers: Mutex<Timers>,
    /// What the plugin waits for: file descriptor and flags.
    descriptors: Mutex<Vec<(i32, u32)>>,
    track: Mutex<Track>,
}

// SAFETY: the CLAP record holds constant pointers and a pointer to this very value; everything else is synchronised.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

/// What a plugin can want of its host, as bits of a set.
pub(crate) mod wish {
    /// A call on the main thread.
    pub(crate) const CALLBACK: u32 = 1;
    /// To be deactivated and activated again.
    pub(crate) const RESTART: u32 = 1 << 1;
    /// To have its latency asked for.
    pub(crate) const LATENCY: u32 = 1 << 2;
    /// To exchange parameter events without audio.
    pub(crate) const FLUSH: u32 = 1 << 3;
    /// To have the parameters' values asked for.
    pub(crate) const VALUES: u32 = 1 << 4;
    /// To have the parameters' names and texts asked for.
    pub(crate) const TEXTS: u32 = 1 << 5;
    /// To have the list of parameters asked for.
    pub(crate) const PARAMETERS: u32 = 1 << 6;
    /// To have the ports asked for.
    pub(crate) const PORTS: u32 = 1 << 7;
    /// To be saved.
    pub(crate) const SAVE: u32 = 1 << 8;
    /// Another size of its editor.
    pub(crate) const SIZE: u32 = 1 << 9;
    /// As `PARAMETERS`; the host knows, and has to deactivate first.
    pub(crate) const PARAMETERS_LATER: u32 = 1 << 10;
    /// As `PORTS`; the host knows, and has to deactivate first.
    pub(crate) const PORTS_LATER: u32 = 1 << 11;
}

#[derive(Default)]
struct Timers {
    next: u32,
    list: Vec<Timer>,
}

struct Timer {
    id: u32,
    period: Duration,
    due: Instant,
}

/// Name and colour (red, green, blue, alpha) of the track that the plugin is on, as far as the host says.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Track {
    pub(crate) name: Option<String>,
    pub(crate) colour: Option<[u8; 4]>,
}

impl Host {
    pub(crate) fn new() -> Arc<Host> {
        Arc::new_cyclic(|this: &std::sync::Weak<Host>| Host {
            clap: clap_host {
                clap_version: CLAP_VERSION,
                // the value is not moved any more: it lives in its `Arc`
                host_data: this.as_ptr().cast_mut().cast(),
                name: c"VST3".as_ptr(),
                vendor: c"Tandem".as_ptr(),
                url: c"".as_ptr(),
                version: VERSION.as_ptr(),
                get_extension: Some(get_extension),
                request_restart: Some(request_restart),
                request_process: Some(request_process),
                request_callback: Some(request_callback),
            },
            threads: Threads::default(),
            wishes: AtomicU32::new(0),
            size: AtomicU64::new(0),
            timers: Mutex::default(),
            descriptors: Mutex::default(),
            track: Mutex::default(),
        })
    }

    /// The record for the plugin; valid as long as the `Arc` around this value.
    pub(crate) fn clap(&self) -> *const clap_host {
        &raw const self.clap
    }

    /// Notes wishes. Real-time safe.
    pub(crate) fn wants(&self, wishes: u32) {
        self.wishes.fetch_or(wishes, Release);
    }

    /// Takes those of the given wishes that there are.
    pub(crate) fn take(&self, wishes: u32) -> u32 {
        self.wishes.fetch_and(!wishes, AcqRel) & wishes
    }

    /// The size that the editor asked for last.
    pub(crate) fn size(&self) -> (u32, u32) {
        let size = self.size.load(Acquire);
        ((size >> 32) as u32, size as u32)
    }

    /// The timers that are due, each set again.
    pub(crate) fn due_timers(&self) -> Vec<u32> {
        let now = Instant::now();
        let mut timers = lock(&self.timers);
        let due = timers.list.iter_mut().filter(|timer| timer.due <= now);
        due.map(|timer| {
            timer.due = now + timer.period;
            timer.id
        })
        .collect()
    }

    /// What the plugin waits for.
    #[cfg(unix)]
    pub(crate) fn descriptors(&self) -> Vec<(i32, u32)> {
        lock(&self.descriptors).clone()
    }

    /// Keeps what the host says of the track; true if that is news.
    pub(crate) fn set_track(&self, track: Track) -> bool {
        let mut known = lock(&self.track);
        let news = *known != track;
        *known = track;
        news
    }
}

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// The host behind the plugin's pointer.
///
/// # Safety
/// `host` is what [`Host::clap`] gave, and its `Arc` lives: the plugin keeps one.
unsafe fn this<'a>(host: *const clap_host) -> &'a Host {
    // SAFETY: `host_data` points to the host, by the contract above.
    unsafe { &*(*host).host_data.cast::<Host>() }
}

// SAFETY of all functions below: the plugin passes back the pointer that it was given, and pointers that are valid by
// CLAP's rules.

unsafe extern "C" fn get_extension(_: *const clap_host, id: *const c_char) -> *const c_void {
    if id.is_null() {
        return null();
    }
    // SAFETY: see above.
    let id = unsafe { CStr::from_ptr(id) };
    let tables: [(&CStr, *const c_void); 11] = [
        (CLAP_EXT_THREAD_CHECK, (&raw const THREAD_CHECK).cast()),
        (CLAP_EXT_PARAMS, (&raw const PARAMS).cast()),
        (CLAP_EXT_LATENCY, (&raw const LATENCY).cast()),
        (CLAP_EXT_STATE, (&raw const STATE).cast()),
        (CLAP_EXT_TAIL, (&raw const TAIL).cast()),
        (CLAP_EXT_GUI, (&raw const GUI).cast()),
        (CLAP_EXT_LOG, (&raw const LOG).cast()),
        (CLAP_EXT_AUDIO_PORTS, (&raw const AUDIO_PORTS).cast()),
        (CLAP_EXT_AUDIO_PORTS_CONFIG, (&raw const AUDIO_PORTS_CONFIG).cast()),
        (CLAP_EXT_TIMER_SUPPORT, (&raw const TIMER_SUPPORT).cast()),
        (CLAP_EXT_TRACK_INFO, (&raw const TRACK_INFO).cast()),
    ];
    if cfg!(unix) && id == CLAP_EXT_POSIX_FD_SUPPORT {
        return (&raw const POSIX_FD_SUPPORT).cast();
    }
    tables.iter().find(|(known, _)| *known == id).map_or(null(), |(_, table)| *table)
}

unsafe extern "C" fn request_restart(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::RESTART);
}

/// VST 3 hosts process when they like.
unsafe extern "C" fn request_process(_: *const clap_host) {}

unsafe extern "C" fn request_callback(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::CALLBACK);
}

static THREAD_CHECK: clap_host_thread_check =
    clap_host_thread_check { is_main_thread: Some(is_main_thread), is_audio_thread: Some(is_audio_thread) };

unsafe extern "C" fn is_main_thread(host: *const clap_host) -> bool {
    // SAFETY: see above.
    unsafe { this(host) }.threads.is_main()
}

unsafe extern "C" fn is_audio_thread(host: *const clap_host) -> bool {
    // SAFETY: see above.
    unsafe { this(host) }.threads.is_audio()
}

static PARAMS: clap_host_params =
    clap_host_params { rescan: Some(params_rescan), clear: Some(params_clear), request_flush: Some(params_flush) };

unsafe extern "C" fn params_rescan(host: *const clap_host, flags: u32) {
    let mut wishes = wish::VALUES;
    if flags & (CLAP_PARAM_RESCAN_TEXT | CLAP_PARAM_RESCAN_INFO) != 0 {
        wishes |= wish::TEXTS;
    }
    if flags & (CLAP_PARAM_RESCAN_INFO | CLAP_PARAM_RESCAN_ALL) != 0 {
        wishes |= wish::PARAMETERS;
    }
    // SAFETY: see above.
    unsafe { this(host) }.wants(wishes);
}

/// VST 3 has no way to ask the host to forget automation.
unsafe extern "C" fn params_clear(_: *const clap_host, _: u32, _: u32) {}

unsafe extern "C" fn params_flush(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::FLUSH);
}

static LATENCY: clap_host_latency = clap_host_latency { changed: Some(latency_changed) };

unsafe extern "C" fn latency_changed(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::LATENCY);
}

static STATE: clap_host_state = clap_host_state { mark_dirty: Some(mark_dirty) };

unsafe extern "C" fn mark_dirty(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::SAVE);
}

static TAIL: clap_host_tail = clap_host_tail { changed: Some(tail_changed) };

/// VST 3 hosts ask for the tail when they need it.
unsafe extern "C" fn tail_changed(_: *const clap_host) {}

static GUI: clap_host_gui = clap_host_gui {
    resize_hints_changed: Some(resize_hints_changed),
    request_resize: Some(request_resize),
    request_show: Some(request_show),
    request_hide: Some(request_hide),
    closed: Some(gui_closed),
};

/// VST 3 hosts ask at each resize.
unsafe extern "C" fn resize_hints_changed(_: *const clap_host) {}

unsafe extern "C" fn request_resize(host: *const clap_host, width: u32, height: u32) -> bool {
    // SAFETY: see above.
    let host = unsafe { this(host) };
    host.size.store(u64::from(width) << 32 | u64::from(height), Release);
    host.wants(wish::SIZE);
    true
}

/// A VST 3 editor is shown while it is attached.
unsafe extern "C" fn request_show(_: *const clap_host) -> bool {
    false
}

unsafe extern "C" fn request_hide(_: *const clap_host) -> bool {
    false
}

/// An embedded editor that went away by itself is cleaned up when the host removes the view.
unsafe extern "C" fn gui_closed(_: *const clap_host, _: bool) {}

static LOG: clap_host_log = clap_host_log { log: Some(log) };

unsafe extern "C" fn log(host: *const clap_host, severity: clap_log_severity, text: *const c_char) {
    // SAFETY: see above.
    if severity >= CLAP_LOG_WARNING && !unsafe { this(host) }.threads.is_audio() {
        // SAFETY: see above.
        let text = unsafe { read_c_str(text) };
        // a closed standard error is no reason to panic, as `eprintln` would
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}\n"));
    }
}

static AUDIO_PORTS: clap_host_audio_ports = clap_host_audio_ports {
    is_rescan_flag_supported: Some(is_rescan_flag_supported),
    rescan: Some(audio_ports_rescan),
};

unsafe extern "C" fn is_rescan_flag_supported(_: *const clap_host, _: u32) -> bool {
    true
}

unsafe extern "C" fn audio_ports_rescan(host: *const clap_host, _: u32) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::PORTS);
}

static AUDIO_PORTS_CONFIG: clap_host_audio_ports_config =
    clap_host_audio_ports_config { rescan: Some(audio_ports_config_rescan) };

unsafe extern "C" fn audio_ports_config_rescan(host: *const clap_host) {
    // SAFETY: see above.
    unsafe { this(host) }.wants(wish::PORTS);
}

static TIMER_SUPPORT: clap_host_timer_support =
    clap_host_timer_support { register_timer: Some(register_timer), unregister_timer: Some(unregister_timer) };

unsafe extern "C" fn register_timer(host: *const clap_host, period_ms: u32, id: *mut u32) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let (host, Some(id)) = (unsafe { (this(host), id.as_mut()) }) else { return false };
        let period = Duration::from_millis(u64::from(period_ms.max(1)));
        let mut timers = lock(&host.timers);
        *id = timers.next;
        timers.next = timers.next.wrapping_add(1);
        timers.list.push(Timer { id: *id, period, due: Instant::now() + period });
        true
    })
}

unsafe extern "C" fn unregister_timer(host: *const clap_host, id: u32) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let mut timers = lock(&unsafe { this(host) }.timers);
        let before = timers.list.len();
        timers.list.retain(|timer| timer.id != id);
        timers.list.len() < before
    })
}

static POSIX_FD_SUPPORT: clap_host_posix_fd_support = clap_host_posix_fd_support {
    register_fd: Some(register_fd),
    modify_fd: Some(modify_fd),
    unregister_fd: Some(unregister_fd),
};

unsafe extern "C" fn register_fd(host: *const clap_host, descriptor: i32, flags: u32) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let mut descriptors = lock(&unsafe { this(host) }.descriptors);
        let new = descriptors.iter().all(|(known, _)| *known != descriptor);
        if new {
            descriptors.push((descriptor, flags));
        }
        new
    })
}

unsafe extern "C" fn modify_fd(host: *const clap_host, descriptor: i32, flags: u32) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let mut descriptors = lock(&unsafe { this(host) }.descriptors);
        let known = descriptors.iter_mut().find(|(known, _)| *known == descriptor);
        known.map(|known| known.1 = flags).is_some()
    })
}

unsafe extern "C" fn unregister_fd(host: *const clap_host, descriptor: i32) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let mut descriptors = lock(&unsafe { this(host) }.descriptors);
        let before = descriptors.len();
        descriptors.retain(|(known, _)| *known != descriptor);
        descriptors.len() < before
    })
}

static TRACK_INFO: clap_host_track_info = clap_host_track_info { get: Some(track_info) };

unsafe extern "C" fn track_info(host: *const clap_host, info: *mut clap_track_info) -> bool {
    guarded(false, || {
        // SAFETY: see above.
        let (host, Some(info)) = (unsafe { (this(host), info.as_mut()) }) else { return false };
        let track = lock(&host.track).clone();
        (info.flags, info.audio_channel_count, info.audio_port_type) = (0, 0, null_mut());
        if let Some(name) = &track.name {
            info.flags |= CLAP_TRACK_INFO_HAS_TRACK_NAME;
            write_utf8(name, &mut info.name);
        }
        if let Some([red, green, blue, alpha]) = track.colour {
            info.flags |= CLAP_TRACK_INFO_HAS_TRACK_COLOR;
            info.color = clap_color { alpha, red, green, blue };
        }
        info.flags != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_kept_until_they_are_taken() {
        let host = Host::new();
        // SAFETY: the host lives.
        unsafe {
            request_restart(host.clap());
            params_rescan(host.clap(), CLAP_PARAM_RESCAN_INFO);
            assert!(request_resize(host.clap(), 640, 480));
        }
        assert_eq!(host.take(wish::RESTART | wish::LATENCY), wish::RESTART);
        assert_eq!(host.take(u32::MAX), wish::VALUES | wish::TEXTS | wish::PARAMETERS | wish::SIZE);
        assert_eq!(host.size(), (640, 480));
    }

    #[test]
    fn every_extension_is_found_by_its_name() {
        let host = Host::new();
        // SAFETY: the host lives, and ids are strings.
        unsafe {
            for id in [CLAP_EXT_THREAD_CHECK, CLAP_EXT_LOG, CLAP_EXT_TRACK_INFO] {
                assert!(!get_extension(host.clap(), id.as_ptr()).is_null(), "{id:?}");
            }
            assert!(get_extension(host.clap(), c"clap.nothing".as_ptr()).is_null());
            assert!(get_extension(host.clap(), null()).is_null());
        }
    }

    #[test]
    fn timers_fire_until_they_are_removed() {
        let host = Host::new();
        let (mut first, mut second) = (u32::MAX, u32::MAX);
        // SAFETY: the host lives; there is room for the ids.
        unsafe {
            assert!(register_timer(host.clap(), 1, &mut first) && register_timer(host.clap(), 3_600_000, &mut second));
        }
        assert_ne!(first, second);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(host.due_timers(), [first]);
        // SAFETY: the host lives.
        unsafe {
            assert!(unregister_timer(host.clap(), first) && !unregister_timer(host.clap(), first));
        }
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(host.due_timers(), []);
    }
}
