//! The editor of a CLAP plugin, embedded.

use super::callbacks::Callbacks;
use super::main_side::ClapMain;
use crate::bridge::Bridge;
use crate::editor::{EditorOptions, Picture, failed};
use crate::error::HostError;
use crate::plugin::MainSide;
use crate::window::{EditorThreads, Window};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window as PluginWindow};
use clack_host::prelude::PluginInstance;
use std::sync::atomic::Ordering;

/// Open until it is closed; the plugin's side has to be closed while the instance is at hand, so dropping it is not
/// enough.
pub(super) struct ClapEditor {
    place: String,
    gui: PluginGui,
    window: Window,
    /// Dropped last.
    _threads: EditorThreads,
}

const X11: GuiConfiguration = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };

impl ClapEditor {
    pub(super) fn open(main: &mut ClapMain, options: EditorOptions) -> Result<ClapEditor, HostError> {
        let gui: PluginGui = main.extension("clap.gui", "open_editor")?;
        let place = main.place().to_owned();
        main.bridge.wants_size.store(0, Ordering::Release);
        let threads = EditorThreads::note(&main.bridge);
        let plugin = main.instance.plugin_handle();
        if !gui.is_api_supported(&plugin, X11) {
            return Err(failed(&place, "it cannot be embedded in an X11 window"));
        }
        gui.create(&plugin, X11).map_err(|error| failed(&place, error))?;
        let opened = (|| {
            if let Some(scale) = options.scale {
                // a plugin may prefer its own idea of scale
                let _ = gui.set_scale(&plugin, scale);
            }
            let size = gui.get_size(&plugin).ok_or_else(|| failed(&place, "get_size answered false"))?;
            let window = Window::open(&place, (size.width, size.height))?;
            let parent = PluginWindow::from_x11_handle(window.id().into());
            // SAFETY: the window lives until `close` has destroyed the editor.
            unsafe { gui.set_parent(&plugin, parent) }.map_err(|error| failed(&place, error))?;
            gui.show(&plugin).map_err(|error| failed(&place, error))?;
            Ok(window)
        })();
        match opened {
            Ok(window) => Ok(ClapEditor { place, gui, window, _threads: threads }),
            Err(error) => {
                gui.destroy(&plugin);
                Err(error)
            }
        }
    }

    /// Grants a size that the plugin has asked for.
    pub(super) fn idle(&mut self, instance: &mut PluginInstance<Callbacks>, bridge: &Bridge) {
        let wanted = bridge.wants_size.swap(0, Ordering::AcqRel);
        if wanted != 0 {
            let size = GuiSize { width: (wanted >> 32) as u32, height: wanted as u32 };
            // the answer matters little: the plugin has asked for this very size
            let _ = self.gui.set_size(&instance.plugin_handle(), size);
            self.window.resize((size.width, size.height));
        }
    }

    pub(super) fn resize(
        &mut self,
        instance: &mut PluginInstance<Callbacks>,
        width: u32,
        height: u32,
    ) -> Result<(u32, u32), HostError> {
        let plugin = instance.plugin_handle();
        if !self.gui.can_resize(&plugin) {
            return Err(failed(&self.place, "it cannot be resized"));
        }
        let wanted = GuiSize { width, height };
        let size = self.gui.adjust_size(&plugin, wanted).unwrap_or(wanted);
        self.gui.set_size(&plugin, size).map_err(|error| failed(&self.place, error))?;
        self.window.resize((size.width, size.height));
        Ok((size.width, size.height))
    }

    pub(super) fn close(self, instance: &mut PluginInstance<Callbacks>) {
        let plugin = instance.plugin_handle();
        let _ = self.gui.hide(&plugin);
        self.gui.destroy(&plugin);
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.window.size()
    }

    pub(super) fn picture(&self) -> Result<Picture, HostError> {
        self.window.picture()
    }

    pub(super) fn window(&self) -> u32 {
        self.window.id()
    }
}
