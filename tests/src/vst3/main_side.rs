//! The main side of a VST 3 instance: component and controller.

use super::audio_side::Vst3Audio;
#[cfg(target_os = "linux")]
use super::editor::Vst3Editor;
use super::host_objects::{Handler, HostContext};
use super::module::Module;
use super::preset::Preset;
use super::stream::Stream;
use super::{hex, result_name, text16};
use crate::bridge::Bridge;
use crate::editor::{EditorOptions, Picture};
use crate::error::HostError;
use crate::plugin::{FormatAudio, FormatMain, MainSide, info};
use crate::types::{Format, ParameterInfo, RemotePage, Requests, Setup, SideChain};
use std::collections::HashMap;
use std::ptr::null_mut;
use std::sync::Arc;
use vst3::Steinberg::Vst::BusDirections_::{kInput, kOutput};
use vst3::Steinberg::Vst::MediaTypes_::kAudio;
use vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_ as parameter_flags;
use vst3::Steinberg::Vst::ProcessModes_::{kOffline, kRealtime};
use vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use vst3::Steinberg::Vst::{
    BusInfo, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler, IComponentTrait, IConnectionPoint,
    IConnectionPointTrait, IEditController, IEditControllerTrait, IUnitInfo, IUnitInfoTrait, ParameterInfo as RawInfo,
    ProcessSetup, SpeakerArr, UnitInfo,
};
use vst3::Steinberg::{FUnknown, IBStream, IPluginBaseTrait, TUID, kNotImplemented, kResultOk, tresult};
use vst3::{ComPtr, ComWrapper};

/// A VST 3 instance. Field order is drop order: references into the module go before the module.
pub(crate) struct Vst3Main {
    place: String,
    name: String,
    class: String,
    #[cfg(target_os = "linux")]
    editor: Option<Vst3Editor>,
    bridge: Arc<Bridge>,
    parameters: Vec<ParameterInfo>,
    active: bool,
    /// Each end with the other, where the halves are apart and talk to each other.
    connected: Option<(ComPtr<IConnectionPoint>, ComPtr<IConnectionPoint>)>,
    processor: ComPtr<IAudioProcessor>,
    pub(super) controller: ComPtr<IEditController>,
    /// True if the controller is an object of its own, to be ended on its own.
    separate: bool,
    component: ComPtr<IComponent>,
    /// The plugin holds references to both; ours keep them until it is gone.
    _handler: ComPtr<IComponentHandler>,
    context: ComWrapper<HostContext>,
    _module: Arc<Module>,
}

impl Vst3Main {
    pub(crate) fn new(place: String, module: &Arc<Module>, class: &TUID, name: &str) -> Result<Vst3Main, HostError> {
        let failed = |reason: String| HostError::Create { place: place.clone(), reason };
        let bridge = Arc::new(Bridge::new());
        let context = ComWrapper::new(HostContext::new());
        let handler = ComWrapper::new(Handler(Arc::clone(&bridge))).to_com_ptr::<IComponentHandler>();
        let (Some(handler), Some(context_pointer)) = (handler, context.to_com_ptr::<FUnknown>()) else {
            unreachable!("the classes have these interfaces");
        };

        let component: ComPtr<IComponent> =
            module.create(class).ok_or_else(|| failed("found no IComponent of the class".to_owned()))?;
        let ok = |what: &str, result: tresult| match result == kResultOk {
            true => Ok(()),
            false => Err(failed(format!("found {} from {what}, expected kResultOk", result_name(result)))),
        };
        // SAFETY: a live component, not yet initialised; it adds a reference to the context if it keeps it.
        ok("IComponent::initialize", unsafe { component.initialize(context_pointer.as_ptr()) })?;
        let (controller, separate) = match component.cast::<IEditController>() {
            Some(controller) => (controller, false),
            None => {
                let mut id: TUID = [0; 16];
                // SAFETY: a live component and room for an id.
                ok("getControllerClassId", unsafe { component.getControllerClassId(&mut id) })?;
                let controller: ComPtr<IEditController> =
                    module.create(&id).ok_or_else(|| failed("found no IEditController of its class".to_owned()))?;
                // SAFETY: as for the component.
                ok("IEditController::initialize", unsafe { controller.initialize(context_pointer.as_ptr()) })?;
                (controller, true)
            }
        };
        let processor = component
            .cast::<IAudioProcessor>()
            .ok_or_else(|| failed("found no IAudioProcessor at its component".to_owned()))?;
        // SAFETY: live objects; each side adds a reference to what it keeps.
        unsafe { controller.setComponentHandler(handler.as_ptr()) };
        let connected =
            separate.then(|| component.cast::<IConnectionPoint>().zip(controller.cast::<IConnectionPoint>())).flatten();
        if let Some((one, other)) = &connected {
            // SAFETY: as above.
            unsafe {
                one.connect(other.as_ptr());
                other.connect(one.as_ptr());
            }
        }
        let parameters = list_parameters(&controller);
        bridge.set_parameters(parameters.iter().map(|info| info.id));
        let plugin = Vst3Main {
            place,
            name: name.to_owned(),
            class: hex(class),
            #[cfg(target_os = "linux")]
            editor: None,
            bridge,
            parameters,
            active: false,
            connected,
            processor,
            controller,
            separate,
            component,
            _handler: handler,
            context,
            _module: Arc::clone(module),
        };
        // the controller learns the component's state from the first, as in every host
        if let Ok(state) = plugin.component_state() {
            plugin.tell_controller(state);
        }
        Ok(plugin)
    }

    fn check(&self, call: &'static str, result: tresult) -> Result<(), HostError> {
        if result == kResultOk {
            return Ok(());
        }
        Err(HostError::Call { place: self.place.clone(), call, found: result_name(result), expected: "kResultOk" })
    }

    fn component_state(&self) -> Result<Vec<u8>, HostError> {
        let stream = Stream::com(Vec::new());
        // SAFETY: a live component; the stream lives through the call.
        self.check("IComponent::getState", unsafe { self.component.getState(stream_pointer(&stream)) })?;
        Ok(stream.take())
    }

    fn tell_controller(&self, component_state: Vec<u8>) {
        let stream = Stream::com(component_state);
        // SAFETY: a live controller; the stream lives through the call. Controllers that share the component's memory
        // answer that they have not implemented it.
        unsafe { self.controller.setComponentState(stream_pointer(&stream)) };
    }

    /// The controller learns what the processor has been told.
    fn update_controller(&self) {
        self.bridge.take_for_host(|parameter, value| {
            if let Some(info) = self.parameters.get(parameter) {
                // SAFETY: a live controller and an id of its list.
                unsafe { self.controller.setParamNormalized(info.id, value) };
            }
        });
    }

    /// Widths of the input and the output busses.
    fn widths(&self) -> [Vec<usize>; 2] {
        [kInput, kOutput].map(|direction| {
            // SAFETY: a live component.
            let count = unsafe { self.component.getBusCount(kAudio as i32, direction as i32) };
            let width = |index| {
                // SAFETY: plain data, for which zeros are a value.
                let mut info: BusInfo = unsafe { std::mem::zeroed() };
                // SAFETY: a live component and a record for the answer.
                unsafe { self.component.getBusInfo(kAudio as i32, direction as i32, index, &mut info) };
                usize::try_from(info.channelCount).unwrap_or(0)
            };
            (0..count).map(width).collect()
        })
    }

    /// Arranges the busses for this main width: with side chains of the same width, else of the width they have.
    fn select_width(&self, channels: usize) -> Result<[Vec<usize>; 2], HostError> {
        let speakers = |width: usize| match width {
            1 => SpeakerArr::kMono,
            2 => SpeakerArr::kStereo,
            more => (1_u64 << more.min(63)) - 1,
        };
        let present = self.widths();
        for same_width in [true, false] {
            let [mut inputs, mut outputs] = [0, 1].map(|direction: usize| -> Vec<u64> {
                let busses = present[direction].iter().enumerate();
                busses
                    .map(|(index, &width)| speakers(if index == 0 || same_width { channels } else { width }))
                    .collect()
            });
            // SAFETY: a live processor of an inactive component; the lists have the lengths given.
            unsafe {
                self.processor.setBusArrangements(
                    inputs.as_mut_ptr(),
                    inputs.len() as i32,
                    outputs.as_mut_ptr(),
                    outputs.len() as i32,
                )
            };
            // a refusal may still have left what is wanted, and an acceptance something else: the busses tell
            let widths = self.widths();
            if widths.iter().all(|busses| busses.first() == Some(&channels)) {
                return Ok(widths);
            }
        }
        let widths = self.widths();
        let offered = format!("{:?} in, {:?} out", widths[0], widths[1]);
        Err(HostError::Layout { place: self.place.clone(), wanted: channels, offered })
    }

    fn set_active(&mut self, on: bool) -> Result<(), HostError> {
        // SAFETY: a live component.
        self.check("setActive", unsafe { self.component.setActive(on.into()) })?;
        self.active = on;
        Ok(())
    }
}

impl MainSide for Vst3Main {
    fn format(&self) -> Format {
        Format::Vst3
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
        let id = info(&self.place, &self.parameters, parameter)?.id;
        self.update_controller();
        // SAFETY: a live controller and an id of its list.
        Ok(unsafe { self.controller.getParamNormalized(id) })
    }

    fn set_value(&mut self, parameter: usize, value: f64) -> Result<(), HostError> {
        let id = info(&self.place, &self.parameters, parameter)?.id;
        // SAFETY: as above.
        unsafe { self.controller.setParamNormalized(id, value) };
        self.bridge.send_to_plugin(parameter, value);
        Ok(())
    }

    fn value_to_text(&mut self, parameter: usize, value: f64) -> Result<String, HostError> {
        let id = info(&self.place, &self.parameters, parameter)?.id;
        let mut text = [0; 128];
        // SAFETY: a live controller, an id of its list, and room for its text.
        let result = unsafe { self.controller.getParamStringByValue(id, value, &mut text) };
        self.check("getParamStringByValue", result)?;
        Ok(text16(&text))
    }

    fn text_to_value(&mut self, parameter: usize, text: &str) -> Result<f64, HostError> {
        let info = info(&self.place, &self.parameters, parameter)?;
        let mut units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut value = 0.0;
        // SAFETY: a live controller, an id of its list, and a text with a 0 at its end.
        let result = unsafe { self.controller.getParamValueByString(info.id, units.as_mut_ptr(), &mut value) };
        if result == kResultOk {
            return Ok(value);
        }
        let (parameter, text) = (info.name.clone(), text.to_owned());
        Err(HostError::Text { place: self.place.clone(), parameter, text })
    }

    fn latency_frames(&mut self) -> usize {
        // not asked before it is known: asking early makes a wrapper report a change later
        // SAFETY: a live processor.
        if self.active { unsafe { self.processor.getLatencySamples() as usize } } else { 0 }
    }

    fn save_state(&mut self) -> Result<Vec<u8>, HostError> {
        self.update_controller();
        let component = self.component_state()?;
        let stream = Stream::com(Vec::new());
        // SAFETY: a live controller; the stream lives through the call.
        let result = unsafe { self.controller.getState(stream_pointer(&stream)) };
        // an object that is both has saved everything already; many controllers have nothing of their own
        let controller = if self.separate && result == kResultOk { stream.take() } else { Vec::new() };
        Ok(Preset { component, controller }.to_file(&self.class))
    }

    fn load_state(&mut self, state: &[u8]) -> Result<(), HostError> {
        let expected = || format!("a state that this plugin saved (class {})", self.class);
        let refused = |found: String| HostError::State { place: self.place.clone(), found, expected: expected() };
        let preset = Preset::from_file(state, &self.class).map_err(refused)?;
        // older values that still wait would win over the state
        self.bridge.take_for_plugin(|_, _| ());
        self.bridge.take_for_host(|_, _| ());
        let stream = Stream::com(preset.component.clone());
        // SAFETY: a live component; the stream lives through the call.
        let result = unsafe { self.component.setState(stream_pointer(&stream)) };
        if result != kResultOk {
            return Err(refused(format!("{} from IComponent::setState", result_name(result))));
        }
        self.tell_controller(preset.component);
        if self.separate && !preset.controller.is_empty() {
            let stream = Stream::com(preset.controller);
            // SAFETY: as above.
            let result = unsafe { self.controller.setState(stream_pointer(&stream)) };
            if result != kResultOk && result != kNotImplemented {
                return Err(refused(format!("{} from IEditController::setState", result_name(result))));
            }
        }
        Ok(())
    }

    fn supports_channels(&mut self, channels: usize) -> bool {
        !self.active && self.select_width(channels).is_ok()
    }

    fn idle(&mut self) {
        self.update_controller();
        #[cfg(target_os = "linux")]
        {
            self.context.run_loop.turn();
            if let Some(editor) = &mut self.editor {
                editor.idle();
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = &self.context;
    }

    fn take_requests(&mut self) -> Requests {
        self.bridge.take_requests()
    }

    fn remote_pages(&mut self) -> Vec<RemotePage> {
        Vec::new()
    }

    #[cfg(target_os = "linux")]
    fn open_editor(&mut self, options: EditorOptions) -> Result<(), HostError> {
        self.close_editor();
        let editor = Vst3Editor::open(&self.place, &self.controller, &self.context, &self.bridge, options)?;
        self.editor = Some(editor);
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn close_editor(&mut self) {
        self.editor = None;
    }

    #[cfg(target_os = "linux")]
    fn editor_size(&mut self) -> Option<(u32, u32)> {
        self.editor.as_ref().map(Vst3Editor::size)
    }

    #[cfg(target_os = "linux")]
    fn resize_editor(&mut self, width: u32, height: u32) -> Result<(u32, u32), HostError> {
        self.editor.as_mut().ok_or_else(|| crate::editor::not_open(&self.place))?.resize(width, height)
    }

    #[cfg(target_os = "linux")]
    fn editor_picture(&mut self) -> Result<Picture, HostError> {
        self.editor.as_ref().ok_or_else(|| crate::editor::not_open(&self.place))?.picture()
    }

    #[cfg(target_os = "linux")]
    fn editor_window(&self) -> Option<u32> {
        self.editor.as_ref().map(Vst3Editor::window)
    }

    #[cfg(not(target_os = "linux"))]
    crate::editor::without_windows!();
}

impl FormatMain for Vst3Main {
    fn activate(&mut self, setup: &Setup) -> Result<Box<dyn FormatAudio>, HostError> {
        let widths = self.select_width(setup.channels)?;
        let mut process_setup = ProcessSetup {
            processMode: if setup.offline { kOffline } else { kRealtime } as i32,
            symbolicSampleSize: kSample32 as i32,
            maxSamplesPerBlock: setup.max_frames as i32,
            sampleRate: setup.sample_rate_hz,
        };
        // SAFETY: a live processor of an inactive component; the record lives through the call.
        self.check("setupProcessing", unsafe { self.processor.setupProcessing(&mut process_setup) })?;
        for (direction, busses) in [kInput, kOutput].into_iter().zip(&widths) {
            for index in 0..busses.len() {
                let side_chain = direction == kInput && index == 1 && setup.side_chain == SideChain::Connected;
                let on = index == 0 || side_chain;
                // SAFETY: a live component and a bus that it has.
                let result =
                    unsafe { self.component.activateBus(kAudio as i32, direction as i32, index as i32, on.into()) };
                if on {
                    self.check("activateBus", result)?;
                }
            }
        }
        self.set_active(true)?;
        let ids = self.parameters.iter().map(|info| info.id).collect();
        match Vst3Audio::start(&self.place, &self.bridge, self.processor.clone(), setup, &widths, ids) {
            Ok(audio) => Ok(Box::new(audio)),
            Err(error) => {
                let _ = self.set_active(false);
                Err(error)
            }
        }
    }

    fn deactivate(&mut self) -> Result<(), HostError> {
        self.set_active(false)
    }

    fn set_offline(&mut self, _: bool) -> Result<bool, HostError> {
        Ok(true)
    }
}

impl Drop for Vst3Main {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        {
            self.editor = None;
        }
        // SAFETY: live objects, ended in the reverse order of their beginning; nothing calls them afterwards.
        unsafe {
            self.controller.setComponentHandler(null_mut());
            if let Some((one, other)) = self.connected.take() {
                one.disconnect(other.as_ptr());
                other.disconnect(one.as_ptr());
            }
            if self.separate {
                self.controller.terminate();
            }
            self.component.terminate();
        }
    }
}

/// A stream for the length of a call.
fn stream_pointer(stream: &ComWrapper<Stream>) -> *mut IBStream {
    stream.as_com_ref::<IBStream>().map_or(null_mut(), |stream| stream.as_ptr())
}

fn list_parameters(controller: &ComPtr<IEditController>) -> Vec<ParameterInfo> {
    let groups = unit_paths(controller);
    // SAFETY: a live controller.
    let count = unsafe { controller.getParameterCount() };
    let raw = (0..count).filter_map(|index| {
        // SAFETY: plain data, for which zeros are a value.
        let mut info: RawInfo = unsafe { std::mem::zeroed() };
        // SAFETY: a live controller and a record for the answer.
        (unsafe { controller.getParameterInfo(index, &mut info) } == kResultOk).then_some(info)
    });
    raw.map(|info| {
        let has = |flag| info.flags & flag != 0;
        ParameterInfo {
            id: info.id,
            name: text16(&info.title),
            group: groups.get(&info.unitId).cloned().unwrap_or_default(),
            unit: text16(&info.units),
            min: 0.0,
            max: 1.0,
            default: info.defaultNormalizedValue,
            steps: u32::try_from(info.stepCount).ok().filter(|&steps| steps > 0),
            automatable: has(parameter_flags::kCanAutomate),
            is_bypass: has(parameter_flags::kIsBypass),
            hidden: has(parameter_flags::kIsHidden),
            read_only: has(parameter_flags::kIsReadOnly),
        }
    })
    .collect()
}

/// Paths of the units, such as `EQ/Band 1`, by id. The root unit, 0, is the empty path.
fn unit_paths(controller: &ComPtr<IEditController>) -> HashMap<i32, String> {
    let Some(units) = controller.cast::<IUnitInfo>() else { return HashMap::new() };
    // SAFETY: a live object.
    let count = unsafe { units.getUnitCount() };
    let units: HashMap<i32, (i32, String)> = (0..count)
        .filter_map(|index| {
            // SAFETY: plain data, for which zeros are a value.
            let mut unit: UnitInfo = unsafe { std::mem::zeroed() };
            // SAFETY: a live object and a record for the answer.
            let found = unsafe { units.getUnitInfo(index, &mut unit) } == kResultOk && unit.id != 0;
            found.then(|| (unit.id, (unit.parentUnitId, text16(&unit.name))))
        })
        .collect();
    let path = |mut id: i32| {
        let mut names = Vec::new();
        // no deeper than there are units: a plugin may name a unit as its own parent
        while let Some((parent, name)) = units.get(&id).filter(|_| names.len() < units.len()) {
            names.push(name.as_str());
            id = *parent;
        }
        names.reverse();
        names.join("/")
    };
    units.keys().map(|&id| (id, path(id))).collect()
}
