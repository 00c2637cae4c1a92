//! A bundle on disk, opened.

use crate::clap::{self, ClapMain};
use crate::error::HostError;
use crate::plugin::Plugin;
use crate::types::Format;
use crate::vst3::{Module, Vst3Main};
use ::vst3::Steinberg::TUID;
use clack_host::prelude::PluginEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An opened `.clap` or `.vst3` bundle.
///
/// Code that was loaded once stays mapped until the process ends, as plugins linked with `-z nodelete` do anyway: a
/// plugin may have registered thread-local destructors, or left a thread running for a moment longer, and unmapping the
/// code under them is a crash that blames the wrong one. The bundle's own entry and exit are called in pairs all the
/// same, the exit when the last `PluginBundle` and `Plugin` of a path are gone, and a bundle opened again is entered
/// again.
pub struct PluginBundle {
    path: PathBuf,
    opened: Opened,
    plugins: Vec<PluginName>,
}

enum Opened {
    Clap(PluginEntry),
    Vst3(Arc<Module>, Vec<TUID>),
}

/// A plugin that a bundle offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginName {
    /// CLAP id, or VST3 class id in 32 hexadecimal digits.
    pub id: String,
    /// Name as shown.
    pub name: String,
}

impl PluginBundle {
    /// Loads a bundle. The format follows from the name.
    ///
    /// # Errors
    /// Where nothing is there, it is no bundle for this platform, or it cannot be loaded.
    pub fn open(path: impl AsRef<Path>) -> Result<PluginBundle, HostError> {
        let path = path.as_ref();
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("clap") => Format::Clap,
            Some("vst3") => Format::Vst3,
            _ => return Err(HostError::UnknownFormat { path: path.to_owned() }),
        };
        // absolute, since plugins ask the system for their own path
        let path = path.canonicalize().map_err(|_| HostError::NotFound { path: path.to_owned() })?;
        let (opened, plugins) = match format {
            Format::Clap => {
                if !cfg!(target_os = "macos") {
                    keep_mapped(&path)
                        .map_err(|error| HostError::Load { path: path.clone(), reason: error.to_string() })?;
                }
                let entry = clap::open(&path)?;
                let plugins = clap::plugins(&path, &entry)?;
                (Opened::Clap(entry), plugins)
            }
            Format::Vst3 => {
                let module = Module::open(&path)?;
                let (plugins, classes) = module.plugins().into_iter().unzip();
                (Opened::Vst3(Arc::new(module), classes), plugins)
            }
        };
        Ok(PluginBundle { path, opened, plugins })
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    pub fn format(&self) -> Format {
        match self.opened {
            Opened::Clap(_) => Format::Clap,
            Opened::Vst3(..) => Format::Vst3,
        }
    }

    /// The plugins that it offers.
    pub fn plugins(&self) -> &[PluginName] {
        &self.plugins
    }

    /// Makes an instance of the plugin with this name or id.
    ///
    /// # Errors
    /// Where the bundle has none such or the plugin fails to start.
    pub fn create(&self, name_or_id: &str) -> Result<Plugin, HostError> {
        let fits = |plugin: &PluginName| plugin.name == name_or_id || plugin.id.eq_ignore_ascii_case(name_or_id);
        match self.plugins.iter().position(fits) {
            Some(index) => self.create_at(index),
            None => Err(self.no_such(name_or_id.to_owned())),
        }
    }

    /// Makes an instance of the first plugin: of the only one, in bundles of one.
    ///
    /// # Errors
    /// Where the bundle is empty or the plugin fails to start.
    pub fn create_first(&self) -> Result<Plugin, HostError> {
        self.create_at(0)
    }

    /// Makes an instance of the plugin at an index of `plugins`.
    ///
    /// # Errors
    /// For an index beyond the list, and where the plugin fails to start.
    pub fn create_at(&self, index: usize) -> Result<Plugin, HostError> {
        let PluginName { id, name } = self.plugins.get(index).ok_or_else(|| self.no_such(format!("number {index}")))?;
        let place = format!("{} ({name})", self.path.display());
        Ok(match &self.opened {
            Opened::Clap(entry) => Plugin::new(Box::new(ClapMain::new(place, entry, id, name)?)),
            Opened::Vst3(module, classes) => {
                Plugin::new(Box::new(Vst3Main::new(place, module, &classes[index], name)?))
            }
        })
    }

    fn no_such(&self, wanted: String) -> HostError {
        let offered = self.plugins.iter().map(|plugin| plugin.name.clone()).collect();
        HostError::NoSuchPlugin { path: self.path.clone(), wanted, offered }
    }
}

/// Loads a binary so that it stays mapped until the process ends.
pub(crate) fn keep_mapped(binary: &Path) -> Result<libloading::Library, libloading::Error> {
    #[cfg(target_os = "linux")]
    let flags = libloading::os::unix::RTLD_NOW | libloading::os::unix::RTLD_LOCAL | libc::RTLD_NODELETE;
    #[cfg(target_os = "linux")]
    // SAFETY: loading runs the binary's initialisers: whoever opens a bundle trusts it.
    let library = unsafe { libloading::os::unix::Library::open(Some(binary), flags) }?.into();
    #[cfg(not(target_os = "linux"))]
    let library = {
        // SAFETY: as above. The second handle is never closed.
        std::mem::forget(unsafe { libloading::Library::new(binary) }?);
        unsafe { libloading::Library::new(binary) }?
    };
    Ok(library)
}
