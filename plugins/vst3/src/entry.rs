//! The module: entered and left by the host, as often as it likes.

use crate::factory::Factory;
use crate::thread::{guarded, lock};
use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use std::ffi::{CString, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;
use vst3::ComWrapper;
use vst3::Steinberg::IPluginFactory3;

/// How often the module has been entered. CLAP's entry is initialised while this is not 0, or a factory was asked for.
static ENTERED: Mutex<Entered> = Mutex::new(Entered { count: 0, initialized: false });

struct Entered {
    count: usize,
    initialized: bool,
}

/// The module is loaded.
///
/// # Safety
/// `entry` is the binary's own CLAP entry.
pub unsafe fn enter(entry: *const clap_plugin_entry) -> bool {
    guarded(false, || {
        let mut entered = lock(&ENTERED);
        // SAFETY: by the contract above.
        let ready = unsafe { initialize(entry, &mut entered) };
        entered.count += usize::from(ready);
        ready
    })
}

/// The module is about to be unloaded; once for each [`enter`].
///
/// # Safety
/// As [`enter`]; with the last call nothing of the module is in use any more.
pub unsafe fn leave(entry: *const clap_plugin_entry) -> bool {
    guarded(false, || {
        let mut entered = lock(&ENTERED);
        entered.count = entered.count.saturating_sub(1);
        if entered.count == 0 && std::mem::take(&mut entered.initialized) {
            // SAFETY: by the contract above.
            if let Some(end) = unsafe { (*entry).deinit } {
                // SAFETY: initialised before, and not in use.
                unsafe { end() };
            }
        }
        true
    })
}

/// The module's factory, with a reference for the caller; null if the CLAP has none.
///
/// # Safety
/// As [`enter`].
pub unsafe fn factory(entry: *const clap_plugin_entry) -> *mut c_void {
    guarded(null_mut(), || {
        // some hosts ask for the factory without entering
        // SAFETY: by the contract above.
        if !unsafe { initialize(entry, &mut lock(&ENTERED)) } {
            return null_mut();
        }
        // SAFETY: by the contract above; the factory is constant, of this type by its id.
        let factory = unsafe {
            let Some(factory) = (*entry).get_factory else { return null_mut() };
            factory(CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast::<clap_plugin_factory>().as_ref()
        };
        let factory =
            factory.and_then(|factory| ComWrapper::new(Factory::new(factory)).to_com_ptr::<IPluginFactory3>());
        factory.map_or(null_mut(), |factory| factory.into_raw().cast())
    })
}

unsafe fn initialize(entry: *const clap_plugin_entry, entered: &mut Entered) -> bool {
    if !entered.initialized {
        let path = module_path().unwrap_or_default();
        // SAFETY: the binary's own entry, not initialised; the path lives through the call.
        entered.initialized = unsafe { (*entry).init.is_some_and(|init| init(path.as_ptr())) };
    }
    entered.initialized
}

/// The path of this binary.
#[cfg(unix)]
fn module_path() -> Option<CString> {
    // SAFETY: plain data, for which zeros are a value.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: an address within this binary.
    if unsafe { libc::dladdr((&raw const ENTERED).cast(), &mut found) } == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's string, which stays while the binary is loaded.
    Some(unsafe { std::ffi::CStr::from_ptr(found.dli_fname) }.to_owned())
}

/// The path of this binary.
#[cfg(windows)]
fn module_path() -> Option<CString> {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        fn GetModuleFileNameW(module: *mut c_void, path: *mut u16, size: u32) -> u32;
    }
    const FROM_ADDRESS_UNCHANGED_COUNT: u32 = 4 | 2;
    let mut module = null_mut();
    let mut path = [0; 32_768];
    // SAFETY: an address within this binary, and room for the answers.
    let length = unsafe {
        if GetModuleHandleExW(FROM_ADDRESS_UNCHANGED_COUNT, (&raw const ENTERED).cast(), &mut module) == 0 {
            return None;
        }
        GetModuleFileNameW(module, path.as_mut_ptr(), path.len() as u32)
    };
    CString::new(String::from_utf16_lossy(path.get(..length as usize)?)).ok()
}
