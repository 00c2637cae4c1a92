//! The main side of a CLAP instance.

use super::audio_side::ClapAudio;
use super::callbacks::{AnyThread, AudioThread, Callbacks, MainThread, Outgoing};
#[cfg(target_os = "linux")]
use super::editor::ClapEditor;
use crate::bridge::{Bridge, lock};
use crate::editor::{EditorOptions, Picture};
use crate::error::HostError;
use crate::plugin::{FormatAudio, FormatMain, MainSide, info};
use crate::run_loop::RunLoop;
use crate::types::{Format, ParameterInfo, RemotePage, Requests, Setup};
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
#[cfg(unix)]
use clack_extensions::posix_fd::{FdFlags, PluginPosixFd};
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_extensions::timer::{PluginTimer, TimerId};
use clack_host::events::event_types::ParamValueEvent;
use clack_host::events::io::{InputEvents, OutputEvents};
use clack_host::extensions::Extension;
use clack_host::prelude::*;
use std::ffi::CString;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// A CLAP instance, without the audio processor.
pub(crate) struct ClapMain {
    place: String,
    name: String,
    #[cfg(target_os = "linux")]
    editor: Option<ClapEditor>,
    pub(super) instance: PluginInstance<Callbacks>,
    pub(super) bridge: Arc<Bridge>,
    parameters: Vec<ParameterInfo>,
    ids: Vec<ClapId>,
    params: Option<PluginParams>,
}

impl ClapMain {
    pub(crate) fn new(place: String, entry: &PluginEntry, id: &str, name: &str) -> Result<ClapMain, HostError> {
        let failed = |reason: String| HostError::Create { place: place.clone(), reason };
        let id = CString::new(id).map_err(|error| failed(error.to_string()))?;
        let host = HostInfo::new("Tandem test host", "Tandem", "", env!("CARGO_PKG_VERSION"))
            .map_err(|error| failed(error.to_string()))?;
        let bridge = Arc::new(Bridge::new());
        let (shared, main) = (Arc::clone(&bridge), Arc::clone(&bridge));
        let mut instance = PluginInstance::<Callbacks>::new(
            move |_| AnyThread(shared),
            move |_| MainThread { bridge: main, run_loop: Mutex::new(RunLoop::new()) },
            entry,
            &id,
            &host,
        )
        .map_err(|error| failed(error.to_string()))?;
        let params: Option<PluginParams> = instance.plugin_shared_handle().get_extension();
        let (ids, parameters): (Vec<ClapId>, Vec<ParameterInfo>) =
            params.map_or_else(Vec::new, |params| list_parameters(&mut instance, params)).into_iter().unzip();
        bridge.set_parameters(ids.iter().map(|id| id.get()));
        Ok(ClapMain {
            place,
            name: name.to_owned(),
            #[cfg(target_os = "linux")]
            editor: None,
            instance,
            bridge,
            parameters,
            ids,
            params,
        })
    }

    pub(super) fn extension<E: Extension<ExtensionSide = clack_host::extensions::PluginExtensionSide>>(
        &self,
        interface: &'static str,
        call: &'static str,
    ) -> Result<E, HostError> {
        self.instance.plugin_shared_handle().get_extension().ok_or_else(|| HostError::Missing {
            place: self.place.clone(),
            interface,
            call,
        })
    }

    fn known(&self, parameter: usize, call: &'static str) -> Result<(PluginParams, ClapId), HostError> {
        info(&self.place, &self.parameters, parameter)?;
        let params = self.params.ok_or_else(|| HostError::Missing {
            place: self.place.clone(),
            interface: "clap.params",
            call,
        })?;
        Ok((params, self.ids[parameter]))
    }

    /// Widths of the input and the output ports.
    fn widths(&mut self) -> [Vec<usize>; 2] {
        let plugin = self.instance.plugin_handle();
        let Some(ports) = plugin.get_extension::<PluginAudioPorts>() else { return [vec![], vec![]] };
        let mut buffer = AudioPortInfoBuffer::new();
        [true, false].map(|input| {
            let count = ports.count(&plugin, input);
            let mut width =
                |port| ports.get(&plugin, port, input, &mut buffer).map_or(0, |port| port.channel_count as usize);
            (0..count).map(&mut width).collect()
        })
    }

    /// Selects the configuration of ports with this main width, where there is a choice.
    fn select_width(&mut self, channels: usize) -> Result<[Vec<usize>; 2], HostError> {
        let fits = |widths: &[Vec<usize>; 2]| widths.iter().all(|ports| ports.first() == Some(&channels));
        let widths = self.widths();
        if fits(&widths) {
            return Ok(widths);
        }
        let plugin = self.instance.plugin_handle();
        if let Some(configs) = plugin.get_extension::<PluginAudioPortsConfig>() {
            let mut buffer = AudioPortsConfigBuffer::new();
            for index in 0..configs.count(&plugin) {
                let Some(config) = configs.get(&plugin, index, &mut buffer) else { continue };
                let wide = |port: Option<clack_extensions::audio_ports_config::MainPortInfo>| {
                    port.is_some_and(|port| port.channel_count as usize == channels)
                };
                if wide(config.main_input) && wide(config.main_output) && configs.select(&plugin, config.id).is_ok() {
                    break;
                }
            }
        }
        let widths = self.widths();
        if fits(&widths) {
            return Ok(widths);
        }
        let offered = format!("{:?} in, {:?} out", widths[0], widths[1]);
        Err(HostError::Layout { place: self.place.clone(), wanted: channels, offered })
    }

    /// Sends values to the inactive plugin and takes what it answers.
    fn flush_inactive(&mut self, events: &[ParamValueEvent]) {
        self.bridge.wants_flush.store(false, Ordering::Release);
        let (Some(params), Some(mut plugin)) = (self.params, self.instance.inactive_plugin_handle()) else { return };
        let mut outgoing = Outgoing(Arc::clone(&self.bridge));
        params.flush(&mut plugin, &InputEvents::from_buffer(&events), &mut OutputEvents::from_buffer(&mut outgoing));
    }

    fn set_render_mode(&mut self, offline: bool) -> Result<(), HostError> {
        let plugin = self.instance.plugin_handle();
        let Some(render) = plugin.get_extension::<PluginRender>() else { return Ok(()) };
        let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
        render.set(&plugin, mode).map_err(|error| HostError::Call {
            place: self.place.clone(),
            call: "render.set",
            found: error.to_string(),
            expected: "true",
        })
    }
}

impl MainSide for ClapMain {
    fn format(&self) -> Format {
        Format::Clap
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn parameters(&self) -> &[ParameterInfo] {
        &self.parameters
    }

    fn value(&mut self, parameter: usize) -> Result<f64, HostError> {
        let (params, id) = self.known(parameter, "value")?;
        params.get_value(&self.instance.plugin_handle(), id).ok_or_else(|| HostError::Call {
            place: self.place.clone(),
            call: "params.get_value",
            found: format!("false for {}", self.parameters[parameter].name),
            expected: "true",
        })
    }

    fn set_value(&mut self, parameter: usize, value: f64) -> Result<(), HostError> {
        let (_, id) = self.known(parameter, "set_value")?;
        if self.instance.is_active() {
            self.bridge.send_to_plugin(parameter, value);
        } else {
            self.flush_inactive(&[ParamValueEvent::new(0, id, Pckn::match_all(), value)]);
        }
        Ok(())
    }

    fn value_to_text(&mut self, parameter: usize, value: f64) -> Result<String, HostError> {
        let (params, id) = self.known(parameter, "value_to_text")?;
        let mut buffer = [0; 256];
        let text = params.value_to_text(&self.instance.plugin_handle(), id, value, &mut buffer);
        text.map(|text| String::from_utf8_lossy(text).into_owned()).map_err(|_| HostError::Call {
            place: self.place.clone(),
            call: "params.value_to_text",
            found: format!("no text for {value} of {}", self.parameters[parameter].name),
            expected: "a text",
        })
    }

    fn text_to_value(&mut self, parameter: usize, text: &str) -> Result<f64, HostError> {
        let (params, id) = self.known(parameter, "text_to_value")?;
        let value =
            CString::new(text).ok().and_then(|text| params.text_to_value(&self.instance.plugin_handle(), id, &text));
        value.ok_or_else(|| HostError::Text {
            place: self.place.clone(),
            parameter: self.parameters[parameter].name.clone(),
            text: text.to_owned(),
        })
    }

    fn latency_frames(&mut self) -> usize {
        let plugin = self.instance.plugin_handle();
        plugin.get_extension::<PluginLatency>().map_or(0, |latency| latency.get(&plugin) as usize)
    }

    fn save_state(&mut self) -> Result<Vec<u8>, HostError> {
        let state: PluginState = self.extension("clap.state", "save_state")?;
        let mut bytes = Vec::new();
        state.save(&self.instance.plugin_handle(), &mut bytes).map_err(|error| HostError::Call {
            place: self.place.clone(),
            call: "state.save",
            found: error.to_string(),
            expected: "true",
        })?;
        Ok(bytes)
    }

    fn load_state(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let state: PluginState = self.extension("clap.state", "load_state")?;
        state.load(&self.instance.plugin_handle(), &mut &*bytes).map_err(|error| HostError::State {
            place: self.place.clone(),
            found: format!("{error} ({} bytes)", bytes.len()),
            expected: "a state that this plugin saved".to_owned(),
        })
    }

    fn supports_channels(&mut self, channels: usize) -> bool {
        !self.instance.is_active() && self.select_width(channels).is_ok()
    }

    fn idle(&mut self) {
        let (timers, descriptors) = self.instance.access_handler(|main| {
            let mut run_loop = lock(&main.run_loop);
            (run_loop.due_timers(), run_loop.ready_descriptors())
        });
        let plugin = self.instance.plugin_handle();
        if let Some(timer) = plugin.get_extension::<PluginTimer>() {
            for (key, ()) in timers {
                timer.on_timer(&plugin, TimerId(key));
            }
        }
        #[cfg(unix)]
        if let Some(posix) = plugin.get_extension::<PluginPosixFd>() {
            for (descriptor, ()) in descriptors {
                posix.on_fd(&plugin, descriptor, FdFlags::READ);
            }
        }
        #[cfg(not(unix))]
        let _ = descriptors;
        if self.bridge.wants_callback.swap(false, Ordering::AcqRel) {
            self.instance.call_on_main_thread_callback();
        }
        // an active plugin is flushed by its next block, or by `flush` of the audio side
        if !self.instance.is_active() && self.bridge.wants_flush.load(Ordering::Acquire) {
            self.flush_inactive(&[]);
        }
        #[cfg(target_os = "linux")]
        if let Some(editor) = &mut self.editor {
            editor.idle(&mut self.instance, &self.bridge);
        }
    }

    fn take_requests(&mut self) -> Requests {
        self.bridge.take_requests()
    }

    fn remote_pages(&mut self) -> Vec<RemotePage> {
        let plugin = self.instance.plugin_handle();
        let Some(remote) = plugin.get_extension::<PluginRemoteControls>() else { return Vec::new() };
        let mut buffer = RemoteControlsPageBuffer::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut page = |index| {
            let page = remote.get(&plugin, index, &mut buffer)?;
            let ids = page.param_ids.map(|id| id.map(ClapId::get));
            Some(RemotePage {
                section: text(page.section_name),
                name: text(page.page_name),
                parameters: ids.map(|id| self.bridge.index_of(id?)),
                ids,
                is_for_preset: page.is_for_preset,
            })
        };
        (0..remote.count(&plugin)).filter_map(&mut page).collect()
    }

    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, options: EditorOptions) -> Result<(), HostError> {
        self.close_editor();
        self.editor = Some(ClapEditor::open(self, options)?);
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn close_editor(&mut self) {
        if let Some(editor) = self.editor.take() {
            editor.close(&mut self.instance);
        }
    }

    #[cfg(target_os = "linux")]
    fn editor_size(&mut self) -> Option<(u32, u32)> {
        self.editor.as_ref().map(ClapEditor::size)
    }

    #[cfg(target_os = "linux")]
    fn resize_editor(&mut self, width: u32, height: u32) -> Result<(u32, u32), HostError> {
        let not_open = || crate::editor::not_open(&self.place);
        self.editor.as_mut().ok_or_else(not_open)?.resize(&mut self.instance, width, height)
    }

    #[cfg(target_os = "linux")]
    fn editor_picture(&mut self) -> Result<Picture, HostError> {
        self.editor.as_ref().ok_or_else(|| crate::editor::not_open(&self.place))?.picture()
    }

    #[cfg(target_os = "linux")]
    fn editor_window(&self) -> Option<u32> {
        self.editor.as_ref().map(ClapEditor::window)
    }

    #[cfg(not(target_os = "linux"))]
    crate::editor::without_windows!();
}

impl FormatMain for ClapMain {
    fn activate(&mut self, setup: &Setup) -> Result<Box<dyn FormatAudio>, HostError> {
        let widths = self.select_width(setup.channels)?;
        self.set_render_mode(setup.offline)?;
        let frames = u32::try_from(setup.max_frames).unwrap_or(u32::MAX);
        let config = PluginAudioConfiguration {
            sample_rate: setup.sample_rate_hz,
            min_frames_count: 1,
            max_frames_count: frames,
        };
        let bridge = Arc::clone(&self.bridge);
        let stopped = self.instance.activate(move |_, _| AudioThread(bridge), config).map_err(|error| {
            HostError::Call { place: self.place.clone(), call: "activate", found: error.to_string(), expected: "true" }
        })?;
        match ClapAudio::start(&self.place, &self.bridge, stopped, setup, &widths, &self.ids) {
            Ok(audio) => Ok(Box::new(audio)),
            Err(error) => {
                let _ = self.instance.try_deactivate();
                Err(error)
            }
        }
    }

    fn deactivate(&mut self) -> Result<(), HostError> {
        self.instance.try_deactivate().map_err(|error| HostError::Call {
            place: self.place.clone(),
            call: "deactivate",
            found: error.to_string(),
            expected: "an active plugin whose audio side is gone",
        })
    }

    fn set_offline(&mut self, offline: bool) -> Result<bool, HostError> {
        self.set_render_mode(offline).map(|()| false)
    }
}

fn list_parameters(instance: &mut PluginInstance<Callbacks>, params: PluginParams) -> Vec<(ClapId, ParameterInfo)> {
    let plugin = instance.plugin_handle();
    let mut buffer = ParamInfoBuffer::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut read = |index| {
        let info = params.get_info(&plugin, index, &mut buffer)?;
        let is = |flag| info.flags.contains(flag);
        let stepped = is(ParamInfoFlags::IS_STEPPED);
        Some((
            info.id,
            ParameterInfo {
                id: info.id.get(),
                name: text(info.name),
                group: text(info.module),
                unit: String::new(),
                min: info.min_value,
                max: info.max_value,
                default: info.default_value,
                steps: stepped.then_some((info.max_value - info.min_value) as u32),
                automatable: is(ParamInfoFlags::IS_AUTOMATABLE),
                is_bypass: is(ParamInfoFlags::IS_BYPASS),
                hidden: is(ParamInfoFlags::IS_HIDDEN),
                read_only: is(ParamInfoFlags::IS_READONLY),
            },
        ))
    };
    (0..params.count(&plugin)).filter_map(&mut read).collect()
}
