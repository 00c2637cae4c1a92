//! A CLAP plugin as VST 3.
//!
//! [`export!`] gives a binary that has the symbol `clap_entry` the entry points of a VST 3 module. Each CLAP plugin in it
//! becomes one VST 3 class: a single component, that is, processor and controller in one object.
//!
//! - **Automation is exact.** Every point of every parameter queue reaches the plugin as an event at its own frame, in
//!   order of time. Nothing is dropped or merged, however many points a block has.
//! - **Layouts are the plugin's own.** The configurations of `clap.audio-ports-config` are what `setBusArrangements`
//!   chooses from, so a mono track is served in mono.
//! - **The audio thread** allocates nothing, takes no lock and makes no system call in here.
//! - **Values.** VST 3 counts from 0 to 1, CLAP from minimum to maximum; the way between is linear, and in steps where
//!   the parameter is stepped. Parameter ids are the CLAP's own, which have to be below 2³¹.
//! - **While audio runs, the host's blocks decide** what a parameter is. `setParamNormalized` then only tells the
//!   controller's half what the host shows (hosts echo automation there, late); the plugin gets such a value when the
//!   host stops processing without having sent it in a block.
//! - **State** is the CLAP's state, byte for byte.
//!
//! A CLAP plugin asks for its main thread from anywhere. VST 3 has no such call, so a timer of the host's event loop
//! (Linux: `IRunLoop`, from the host context or the editor's frame; elsewhere the system's own) looks after what was
//! asked for, and so do some of the host's own calls. Nothing of the host is called on any other thread.

#![deny(missing_docs)]
#![warn(clippy::undocumented_unsafe_blocks)]

mod arrangement;
mod audio;
mod buffers;
mod class_id;
mod component;
mod controller;
mod edits;
mod events;
mod factory;
mod host;
mod instance;
mod main_loop;
mod parameters;
mod plugin;
mod service;
mod stream;
mod text;
mod thread;
mod transport;
mod view;

#[doc(hidden)]
pub mod entry;

#[doc(hidden)]
pub use clap_sys::entry::clap_plugin_entry;
pub use class_id::class_id;

/// Exports the entry points of a VST 3 module, in front of the `clap_entry` of the same binary. Once per binary.
///
/// ```ignore
/// nice_export_clap!(MyPlugin);
/// tandem_vst3::export!();
/// ```
#[macro_export]
macro_rules! export {
    () => {
        #[doc(hidden)]
        mod vst3_module {
            use ::std::ffi::c_void;

            unsafe extern "C" {
                #[link_name = "clap_entry"]
                static CLAP_ENTRY: $crate::clap_plugin_entry;
            }

            /// The module's factory; the caller owns a reference.
            #[unsafe(no_mangle)]
            pub extern "system" fn GetPluginFactory() -> *mut c_void {
                // SAFETY: the symbol has this type by CLAP's definition, and lives as long as the binary is loaded.
                unsafe { $crate::entry::factory(&raw const CLAP_ENTRY) }
            }

            /// Linux: the module is loaded.
            #[cfg(all(unix, not(target_os = "macos")))]
            #[unsafe(no_mangle)]
            pub extern "system" fn ModuleEntry(_: *mut c_void) -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::enter(&raw const CLAP_ENTRY) }
            }

            /// Linux: the module is about to be unloaded.
            #[cfg(all(unix, not(target_os = "macos")))]
            #[unsafe(no_mangle)]
            pub extern "system" fn ModuleExit() -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::leave(&raw const CLAP_ENTRY) }
            }

            /// macOS: the bundle is loaded.
            #[cfg(target_os = "macos")]
            #[unsafe(no_mangle)]
            pub extern "system" fn bundleEntry(_: *mut c_void) -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::enter(&raw const CLAP_ENTRY) }
            }

            /// macOS: the bundle is about to be unloaded.
            #[cfg(target_os = "macos")]
            #[unsafe(no_mangle)]
            pub extern "system" fn bundleExit() -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::leave(&raw const CLAP_ENTRY) }
            }

            /// Windows: the module is loaded.
            #[cfg(windows)]
            #[unsafe(no_mangle)]
            pub extern "system" fn InitDll() -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::enter(&raw const CLAP_ENTRY) }
            }

            /// Windows: the module is about to be unloaded.
            #[cfg(windows)]
            #[unsafe(no_mangle)]
            pub extern "system" fn ExitDll() -> bool {
                // SAFETY: as above.
                unsafe { $crate::entry::leave(&raw const CLAP_ENTRY) }
            }
        }
    };
}
