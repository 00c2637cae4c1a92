//! A VST 3 bundle's binary: found, loaded, entered, and left when nobody uses it any more.

use super::host_objects::HostContext;
use super::{hex, text8};
use crate::bridge::lock;
use crate::bundle::{PluginName, keep_mapped};
use crate::error::HostError;
use std::collections::HashMap;
#[cfg(not(target_os = "windows"))]
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{LazyLock, Mutex};
use vst3::Steinberg::{
    FUnknown, IPluginFactory, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, TUID, kResultOk,
};
use vst3::{ComPtr, ComWrapper, Interface};

/// A module that has been entered. The last one of a path to go calls the module's exit.
pub(crate) struct Module {
    binary: PathBuf,
    /// `None` only while it is dropped.
    factory: Option<ComPtr<IPluginFactory>>,
}

/// How often each binary is in use. The lock also keeps entry and exit of one module from crossing.
static IN_USE: LazyLock<Mutex<HashMap<PathBuf, usize>>> = LazyLock::new(Mutex::default);

impl Module {
    pub(crate) fn open(path: &Path) -> Result<Module, HostError> {
        let failed = |reason: String| HostError::Load { path: path.to_owned(), reason };
        let binary = binary_inside(path)?;
        let library = keep_mapped(&binary).map_err(|error| failed(error.to_string()))?;
        let mut in_use = lock(&IN_USE);
        let users = in_use.entry(binary.clone()).or_insert(0);
        if *users == 0 {
            enter(&library, &binary, path).map_err(failed)?;
        }
        *users += 1;
        drop(in_use);
        let mut module = Module { binary, factory: None };
        // SAFETY: this is the signature that the format prescribes for the symbol, and the module has been entered.
        let factory = unsafe {
            library
                .get::<unsafe extern "system" fn() -> *mut IPluginFactory>(b"GetPluginFactory\0")
                .ok()
                .and_then(|factory| ComPtr::from_raw(factory()))
        };
        let factory = factory.ok_or_else(|| failed("found no GetPluginFactory, or it answered null".to_owned()))?;
        if let Some(factory) = factory.cast::<IPluginFactory3>()
            && let Some(context) = ComWrapper::new(HostContext::new()).to_com_ptr::<FUnknown>()
        {
            // SAFETY: the factory adds a reference of its own if it keeps the context.
            unsafe { factory.setHostContext(context.as_ptr()) };
        }
        module.factory = Some(factory);
        Ok(module)
    }

    /// The audio plugins among the classes of the module.
    pub(crate) fn plugins(&self) -> Vec<(PluginName, TUID)> {
        let Some(factory) = &self.factory else { return Vec::new() };
        // SAFETY: a live factory.
        let classes = unsafe { factory.countClasses() };
        let classes = (0..classes).filter_map(|index| {
            // SAFETY: plain data, for which zeros are a value.
            let mut class: PClassInfo = unsafe { std::mem::zeroed() };
            // SAFETY: a live factory and a record for the answer.
            (unsafe { factory.getClassInfo(index, &mut class) } == kResultOk).then_some(class)
        });
        classes
            .filter(|class| text8(&class.category) == "Audio Module Class")
            .map(|class| (PluginName { id: hex(&class.cid), name: text8(&class.name) }, class.cid))
            .collect()
    }

    /// Makes an object of a class.
    pub(crate) fn create<I: Interface>(&self, class: &TUID) -> Option<ComPtr<I>> {
        let mut object = null_mut();
        let factory = self.factory.as_ref()?;
        // SAFETY: both ids have 16 bytes; on success the factory has written an owned pointer to this interface.
        unsafe {
            let result = factory.createInstance(class.as_ptr(), I::IID.as_ptr().cast(), &mut object);
            if result == kResultOk { ComPtr::from_raw(object.cast()) } else { None }
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.factory = None;
        let mut in_use = lock(&IN_USE);
        let Some(users) = in_use.get_mut(&self.binary) else { return };
        *users -= 1;
        if *users == 0
            && let Ok(library) = keep_mapped(&self.binary)
        {
            leave(&library);
        }
    }
}

const EXIT_NAMES: [&[u8]; 3] = [b"ModuleExit\0", b"bundleExit\0", b"ExitDll\0"];

#[cfg(target_os = "linux")]
fn enter(_: &libloading::Library, binary: &Path, _: &Path) -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the library is loaded already; this asks for its handle only, which is never closed.
    let handle = unsafe { Library::open(Some(binary), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| error.to_string())?;
    let handle = handle.into_raw();
    // SAFETY: the handle is valid for good; the symbol has the prescribed signature.
    let entered = unsafe {
        let library = std::mem::ManuallyDrop::new(Library::from_raw(handle));
        let entry = library.get::<unsafe extern "system" fn(*mut c_void) -> bool>(b"ModuleEntry\0");
        entry.map_err(|error| error.to_string())?(handle)
    };
    if entered { Ok(()) } else { Err("found false from ModuleEntry, expected true".to_owned()) }
}

#[cfg(target_os = "windows")]
fn enter(library: &libloading::Library, _: &Path, _: &Path) -> Result<(), String> {
    // SAFETY: the symbol has the prescribed signature. It may be missing.
    let entered =
        unsafe { library.get::<unsafe extern "system" fn() -> bool>(b"InitDll\0").map_or(true, |entry| entry()) };
    if entered { Ok(()) } else { Err("found false from InitDll, expected true".to_owned()) }
}

#[cfg(target_os = "macos")]
fn enter(library: &libloading::Library, _: &Path, bundle: &Path) -> Result<(), String> {
    use std::os::unix::ffi::OsStrExt;
    #[link(name = "CoreFoundation", kind = "framework")]
    unsafe extern "C" {
        fn CFURLCreateFromFileSystemRepresentation(
            allocator: *const c_void,
            path: *const u8,
            length: isize,
            is_directory: u8,
        ) -> *const c_void;
        fn CFBundleCreate(allocator: *const c_void, url: *const c_void) -> *mut c_void;
    }
    let path = bundle.as_os_str().as_bytes();
    // SAFETY: the path has the length given; null stands for the default allocator; the bundle reference is kept for
    // good, as the code is. The symbol has the prescribed signature.
    let entered = unsafe {
        let url = CFURLCreateFromFileSystemRepresentation(std::ptr::null(), path.as_ptr(), path.len() as isize, 1);
        let reference = if url.is_null() { null_mut() } else { CFBundleCreate(std::ptr::null(), url) };
        if reference.is_null() {
            return Err("found no bundle that CoreFoundation can open".to_owned());
        }
        let entry = library.get::<unsafe extern "system" fn(*mut c_void) -> bool>(b"bundleEntry\0");
        entry.map_err(|error| error.to_string())?(reference)
    };
    if entered { Ok(()) } else { Err("found false from bundleEntry, expected true".to_owned()) }
}

fn leave(library: &libloading::Library) {
    for name in EXIT_NAMES {
        // SAFETY: the symbols have the prescribed signature; no object of the module is alive any more.
        unsafe {
            if let Ok(exit) = library.get::<unsafe extern "system" fn() -> bool>(name) {
                exit();
            }
        }
    }
}

/// The binary for this platform inside a bundle, or the path itself where it is a file.
fn binary_inside(path: &Path) -> Result<PathBuf, HostError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let (folder, ending) = if cfg!(target_os = "macos") {
        ("MacOS".to_owned(), None)
    } else if cfg!(target_os = "windows") {
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { std::env::consts::ARCH };
        (format!("{arch}-win"), Some("vst3"))
    } else {
        (format!("{}-linux", std::env::consts::ARCH), Some("so"))
    };
    let folder = path.join("Contents").join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
        .unwrap_or_default();
    found.retain(|file| ending.is_none() || file.extension().and_then(|x| x.to_str()) == ending);
    found.sort();
    // the one that is named as the bundle is, as the format asks; else the first
    let named = found.iter().position(|file| file.file_stem() == path.file_stem());
    match named.or((!found.is_empty()).then_some(0)) {
        Some(index) => Ok(found.swap_remove(index)),
        None => Err(HostError::NoBinary { path: path.to_owned(), expected: format!("a file in {}", folder.display()) }),
    }
}
