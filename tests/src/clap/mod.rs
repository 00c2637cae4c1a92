//! Hosting CLAP, on `clack-host`.

mod audio_side;
mod callbacks;
#[cfg(target_os = "linux")]
mod editor;
mod main_side;

pub(crate) use main_side::ClapMain;

use crate::bundle::PluginName;
use crate::error::HostError;
use clack_host::prelude::PluginEntry;
use std::path::Path;

/// Loads the bundle's binary and calls its entry.
pub(crate) fn open(path: &Path) -> Result<PluginEntry, HostError> {
    // SAFETY: loading runs the bundle's initialisers: whoever opens a bundle trusts it. Its entry is initialised once
    // and deinitialised after the last user by clack, and the code stays mapped for good (see `keep_mapped`).
    unsafe { PluginEntry::load(path) }
        .map_err(|error| HostError::Load { path: path.to_owned(), reason: error.to_string() })
}

/// The plugins that the bundle offers.
pub(crate) fn plugins(path: &Path, entry: &PluginEntry) -> Result<Vec<PluginName>, HostError> {
    let factory = entry.get_plugin_factory().ok_or_else(|| HostError::Load {
        path: path.to_owned(),
        reason: "found no plugin factory in its entry, expected clap.plugin-factory".to_owned(),
    })?;
    let text = |text: Option<&std::ffi::CStr>| text.map_or(String::new(), |text| text.to_string_lossy().into_owned());
    let descriptors = factory.plugin_descriptors();
    Ok(descriptors.map(|plugin| PluginName { id: text(plugin.id()), name: text(plugin.name()) }).collect())
}
