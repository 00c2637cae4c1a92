//! The subject as VST 3, component and controller apart.

use crate::dsp::{Channels, Dsp, GAIN, LATENCY_FRAMES, MISDEED, PARAMETERS, TAIL_FRAMES, Told, Wishes};
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComRef, ComWrapper, uid};

const COMPONENT: TUID = uid(0x54616E64, 0x656D5375, 0x626A6563, 0x74000001);
const CONTROLLER: TUID = uid(0x54616E64, 0x656D5375, 0x626A6563, 0x74000002);

fn write(text: &str, room: &mut [u16]) {
    for (place, unit) in room.iter_mut().zip(text.encode_utf16().chain([0])) {
        *place = unit;
    }
}

unsafe fn read_all(stream: *mut IBStream) -> Option<Vec<u8>> {
    let stream = unsafe { ComRef::from_raw(stream) }?;
    let mut bytes = Vec::new();
    let mut part = [0_u8; 7];
    loop {
        let mut count = 0;
        if unsafe { stream.read(part.as_mut_ptr().cast(), part.len() as i32, &mut count) } != kResultOk {
            return None;
        }
        match count {
            0 => return Some(bytes),
            count => bytes.extend_from_slice(&part[..count as usize]),
        }
    }
}

struct Component {
    dsp: RefCell<Dsp>,
    events: RefCell<Vec<(usize, usize, f64)>>,
    channels: Cell<i32>,
    offline: Cell<bool>,
    peer: RefCell<Option<ComPtr<IConnectionPoint>>>,
    host: RefCell<Option<ComPtr<IHostApplication>>>,
}

impl Class for Component {
    type Interfaces = (IComponent, IAudioProcessor, IConnectionPoint);
}

impl IPluginBaseTrait for Component {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        *self.host.borrow_mut() = unsafe { ComRef::from_raw(context) }.and_then(|context| context.cast());
        kResultOk
    }

    unsafe fn terminate(&self) -> tresult {
        *self.host.borrow_mut() = None;
        kResultOk
    }
}

impl IConnectionPointTrait for Component {
    unsafe fn connect(&self, other: *mut IConnectionPoint) -> tresult {
        *self.peer.borrow_mut() = unsafe { ComRef::from_raw(other) }.map(|other| other.to_com_ptr());
        kResultOk
    }

    unsafe fn disconnect(&self, _: *mut IConnectionPoint) -> tresult {
        *self.peer.borrow_mut() = None;
        kResultOk
    }

    unsafe fn notify(&self, _: *mut IMessage) -> tresult {
        kResultOk
    }
}

impl IComponentTrait for Component {
    unsafe fn getControllerClassId(&self, id: *mut TUID) -> tresult {
        unsafe { *id = CONTROLLER };
        kResultOk
    }

    unsafe fn setIoMode(&self, _: IoMode) -> tresult {
        kNotImplemented
    }

    unsafe fn getBusCount(&self, media: MediaType, direction: BusDirection) -> i32 {
        match (media, direction) {
            (0, 0) => 2,
            (0, 1) => 1,
            _ => 0,
        }
    }

    unsafe fn getBusInfo(&self, media: MediaType, direction: BusDirection, index: i32, bus: *mut BusInfo) -> tresult {
        let bus = unsafe { &mut *bus };
        (bus.mediaType, bus.direction, bus.channelCount) = (media, direction, self.channels.get());
        (bus.busType, bus.flags) = (index.min(1), u32::from(index == 0));
        write("Bus", &mut bus.name);
        kResultOk
    }

    unsafe fn getRoutingInfo(&self, _: *mut RoutingInfo, _: *mut RoutingInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn activateBus(&self, _: MediaType, _: BusDirection, _: i32, _: TBool) -> tresult {
        kResultOk
    }

    unsafe fn setActive(&self, on: TBool) -> tresult {
        if on != 0 {
            self.dsp.borrow_mut().reset();
            // the controller hears of it by a message, which the host has to make
            let (host, peer) = (self.host.borrow(), self.peer.borrow());
            if let (Some(host), Some(peer)) = (&*host, &*peer) {
                let mut id: TUID = IMessage_iid;
                let mut interface = id;
                let mut message = std::ptr::null_mut();
                unsafe {
                    if host.createInstance(&mut id, &mut interface, &mut message) == kResultOk
                        && let Some(message) = ComPtr::from_raw(message.cast::<IMessage>())
                    {
                        message.setMessageID(c"active".as_ptr());
                        if let Some(list) = ComRef::from_raw(message.getAttributes()) {
                            list.setInt(c"frames".as_ptr(), 37);
                            list.setBinary(c"bytes".as_ptr(), b"abc".as_ptr().cast(), 3);
                        }
                        peer.notify(message.as_ptr());
                    }
                }
            }
        }
        kResultOk
    }

    unsafe fn setState(&self, stream: *mut IBStream) -> tresult {
        match unsafe { read_all(stream) } {
            Some(bytes) if self.dsp.borrow_mut().load(&bytes) => kResultOk,
            _ => kResultFalse,
        }
    }

    unsafe fn getState(&self, stream: *mut IBStream) -> tresult {
        let mut bytes = self.dsp.borrow().save();
        let Some(stream) = (unsafe { ComRef::from_raw(stream) }) else { return kInvalidArgument };
        let length = bytes.len() as i32;
        unsafe { stream.write(bytes.as_mut_ptr().cast(), length, std::ptr::null_mut()) }
    }
}

impl IAudioProcessorTrait for Component {
    unsafe fn setBusArrangements(&self, inputs: *mut u64, ins: i32, outputs: *mut u64, outs: i32) -> tresult {
        if ins != 2 || outs != 1 {
            return kResultFalse;
        }
        let wanted = unsafe { [*inputs, *inputs.add(1), *outputs] };
        let channels = match wanted[0] {
            SpeakerArr::kMono => 1,
            SpeakerArr::kStereo => 2,
            _ => return kResultFalse,
        };
        if wanted.iter().any(|speakers| *speakers != wanted[0]) {
            return kResultFalse;
        }
        self.channels.set(channels);
        kResultOk
    }

    unsafe fn getBusArrangement(&self, _: BusDirection, _: i32, out: *mut u64) -> tresult {
        unsafe { *out = if self.channels.get() == 1 { SpeakerArr::kMono } else { SpeakerArr::kStereo } };
        kResultOk
    }

    unsafe fn canProcessSampleSize(&self, size: i32) -> tresult {
        if size == 0 { kResultOk } else { kResultFalse }
    }

    unsafe fn getLatencySamples(&self) -> u32 {
        LATENCY_FRAMES as u32
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        self.offline.set(unsafe { (*setup).processMode } == ProcessModes_::kOffline as i32);
        kResultOk
    }

    unsafe fn setProcessing(&self, on: TBool) -> tresult {
        if on == 0 {
            self.dsp.borrow_mut().reset();
        }
        kResultOk
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        let data = unsafe { &*data };
        let events = &mut *self.events.borrow_mut();
        events.clear();
        unsafe {
            if let Some(changes) = ComRef::from_raw(data.inputParameterChanges) {
                for index in 0..changes.getParameterCount() {
                    let Some(queue) = ComRef::from_raw(changes.getParameterData(index)) else { continue };
                    let parameter = queue.getParameterId() as usize - 100;
                    for point in 0..queue.getPointCount() {
                        let (mut offset, mut value) = (0, 0.0);
                        if queue.getPoint(point, &mut offset, &mut value) == kResultOk {
                            events.push((offset as usize, parameter, value * PARAMETERS[parameter].1));
                        }
                    }
                }
            }
        }
        events.sort_unstable_by_key(|event| event.0);
        let busses = |busses: *mut AudioBusBuffers, count: i32| match count {
            0 => &[][..],
            _ => unsafe { std::slice::from_raw_parts(busses, count as usize) },
        };
        let channels = |bus: Option<&AudioBusBuffers>| match bus {
            Some(bus) if bus.numChannels > 0 => unsafe {
                std::slice::from_raw_parts(bus.__field0.channelBuffers32, bus.numChannels as usize)
            },
            _ => &[][..],
        };
        let inputs = busses(data.inputs, data.numInputs);
        let mut told = Told {
            offline: self.offline.get() && data.processMode == ProcessModes_::kOffline as i32,
            thread: true,
            side_chain_flagged_silent: inputs.get(1).is_some_and(|bus| bus.silenceFlags != 0),
            ..Told::default()
        };
        if let Some(context) = unsafe { data.processContext.as_ref() } {
            told.tempo_bpm = context.tempo;
            told.beats = context.projectTimeMusic;
            // signed on Windows
            #[allow(clippy::unnecessary_cast)]
            let playing = ProcessContext_::StatesAndFlags_::kPlaying as u32;
            told.playing = context.state & playing != 0;
        }
        let io = Channels {
            inputs: channels(inputs.first()),
            side_chain: channels(inputs.get(1)),
            outputs: channels(busses(data.outputs, data.numOutputs).first()),
            frames: data.numSamples as usize,
        };
        let dsp = &mut *self.dsp.borrow_mut();
        let Wishes { fail, edit, .. } = unsafe { dsp.process(&io, &told, events) };
        if edit {
            unsafe {
                if let Some(changes) = ComRef::from_raw(data.outputParameterChanges) {
                    let (id, mut index) = (100, 0);
                    if let Some(queue) = ComRef::from_raw(changes.addParameterData(&id, &mut index)) {
                        queue.addPoint(0, dsp.values[GAIN] / PARAMETERS[GAIN].1, &mut index);
                    }
                }
            }
        }
        if fail { kResultFalse } else { kResultOk }
    }

    unsafe fn getTailSamples(&self) -> u32 {
        TAIL_FRAMES
    }
}

struct Controller {
    values: RefCell<[f64; 4]>,
    handler: RefCell<Option<ComPtr<IComponentHandler>>>,
    messages: Cell<i64>,
}

impl Class for Controller {
    type Interfaces = (IEditController, IUnitInfo, IConnectionPoint);
}

impl IPluginBaseTrait for Controller {
    unsafe fn initialize(&self, _: *mut FUnknown) -> tresult {
        kResultOk
    }

    unsafe fn terminate(&self) -> tresult {
        kResultOk
    }
}

impl IConnectionPointTrait for Controller {
    unsafe fn connect(&self, _: *mut IConnectionPoint) -> tresult {
        kResultOk
    }

    unsafe fn disconnect(&self, _: *mut IConnectionPoint) -> tresult {
        kResultOk
    }

    unsafe fn notify(&self, message: *mut IMessage) -> tresult {
        unsafe {
            let Some(list) = ComRef::from_raw(message).and_then(|message| ComRef::from_raw(message.getAttributes()))
            else {
                return kInvalidArgument;
            };
            let (mut frames, mut bytes, mut size) = (0, std::ptr::null(), 0);
            list.getInt(c"frames".as_ptr(), &mut frames);
            list.getBinary(c"bytes".as_ptr(), &mut bytes, &mut size);
            if frames == 37 && size == 3 && std::slice::from_raw_parts(bytes.cast::<u8>(), 3) == b"abc" {
                self.messages.set(self.messages.get() + 1);
            }
        }
        kResultOk
    }
}

impl IEditControllerTrait for Controller {
    unsafe fn setComponentState(&self, stream: *mut IBStream) -> tresult {
        let mut dsp = Dsp::new();
        if unsafe { read_all(stream) }.is_some_and(|bytes| dsp.load(&bytes)) {
            for (index, value) in self.values.borrow_mut().iter_mut().enumerate() {
                *value = dsp.values[index] / PARAMETERS[index].1;
            }
        }
        kResultOk
    }

    unsafe fn setState(&self, _: *mut IBStream) -> tresult {
        kNotImplemented
    }

    /// The number of messages that came whole: a test reads it from the saved state.
    unsafe fn getState(&self, stream: *mut IBStream) -> tresult {
        let Some(stream) = (unsafe { ComRef::from_raw(stream) }) else { return kInvalidArgument };
        let mut bytes = self.messages.get().to_le_bytes();
        unsafe { stream.write(bytes.as_mut_ptr().cast(), 8, std::ptr::null_mut()) }
    }

    unsafe fn getParameterCount(&self) -> i32 {
        PARAMETERS.len() as i32
    }

    unsafe fn getParameterInfo(&self, index: i32, info: *mut ParameterInfo) -> tresult {
        let (name, max, default, stepped) = PARAMETERS[index as usize];
        let info = unsafe { &mut *info };
        info.id = 100 + index as u32;
        write(name, &mut info.title);
        write("x", &mut info.units);
        info.stepCount = if stepped { max as i32 } else { 0 };
        info.defaultNormalizedValue = default / max;
        info.unitId = 2;
        info.flags = ParameterInfo_::ParameterFlags_::kCanAutomate;
        kResultOk
    }

    unsafe fn getParamStringByValue(&self, id: u32, value: f64, out: *mut String128) -> tresult {
        unsafe { write(&format!("{}", value * PARAMETERS[id as usize - 100].1), &mut *out) };
        kResultOk
    }

    unsafe fn getParamValueByString(&self, id: u32, text: *mut TChar, out: *mut f64) -> tresult {
        let units: Vec<u16> = unsafe { (0..).map(|index| *text.add(index)).take_while(|unit| *unit != 0).collect() };
        match String::from_utf16_lossy(&units).parse::<f64>() {
            Ok(value) => unsafe { *out = value / PARAMETERS[id as usize - 100].1 },
            Err(_) => return kResultFalse,
        }
        kResultOk
    }

    unsafe fn normalizedParamToPlain(&self, id: u32, value: f64) -> f64 {
        value * PARAMETERS[id as usize - 100].1
    }

    unsafe fn plainParamToNormalized(&self, id: u32, value: f64) -> f64 {
        value / PARAMETERS[id as usize - 100].1
    }

    unsafe fn getParamNormalized(&self, id: u32) -> f64 {
        self.values.borrow()[id as usize - 100]
    }

    unsafe fn setParamNormalized(&self, id: u32, value: f64) -> tresult {
        self.values.borrow_mut()[id as usize - 100] = value;
        // the wish for a restart comes from the controller, as the format has it
        if id as usize == 100 + MISDEED
            && value * PARAMETERS[MISDEED].1 == 5.0
            && let Some(handler) = &*self.handler.borrow()
        {
            unsafe { handler.restartComponent(RestartFlags_::kLatencyChanged) };
        }
        kResultOk
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        *self.handler.borrow_mut() = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
        kResultOk
    }

    unsafe fn createView(&self, _: *const c_char) -> *mut IPlugView {
        #[cfg(target_os = "linux")]
        return crate::vst3_editor::view();
        #[cfg(not(target_os = "linux"))]
        std::ptr::null_mut()
    }
}

impl IUnitInfoTrait for Controller {
    unsafe fn getUnitCount(&self) -> i32 {
        3
    }

    unsafe fn getUnitInfo(&self, index: i32, unit: *mut UnitInfo) -> tresult {
        let unit = unsafe { &mut *unit };
        (unit.id, unit.parentUnitId, unit.programListId) = (index, index - 1, -1);
        write(["Root", "Outer", "Inner"][index as usize], &mut unit.name);
        kResultOk
    }

    unsafe fn getProgramListCount(&self) -> i32 {
        0
    }

    unsafe fn getProgramListInfo(&self, _: i32, _: *mut ProgramListInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn getProgramName(&self, _: i32, _: i32, _: *mut String128) -> tresult {
        kNotImplemented
    }

    unsafe fn getProgramInfo(&self, _: i32, _: i32, _: *const c_char, _: *mut String128) -> tresult {
        kNotImplemented
    }

    unsafe fn hasProgramPitchNames(&self, _: i32, _: i32) -> tresult {
        kNotImplemented
    }

    unsafe fn getProgramPitchName(&self, _: i32, _: i32, _: i16, _: *mut String128) -> tresult {
        kNotImplemented
    }

    unsafe fn getSelectedUnit(&self) -> i32 {
        0
    }

    unsafe fn selectUnit(&self, _: i32) -> tresult {
        kNotImplemented
    }

    unsafe fn getUnitByBus(&self, _: MediaType, _: BusDirection, _: i32, _: i32, _: *mut i32) -> tresult {
        kNotImplemented
    }

    unsafe fn setUnitProgramData(&self, _: i32, _: i32, _: *mut IBStream) -> tresult {
        kNotImplemented
    }
}

struct Factory;

impl Class for Factory {
    type Interfaces = (IPluginFactory,);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, _: *mut PFactoryInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn countClasses(&self) -> i32 {
        2
    }

    unsafe fn getClassInfo(&self, index: i32, info: *mut PClassInfo) -> tresult {
        let info = unsafe { &mut *info };
        let (id, category) =
            if index == 0 { (COMPONENT, "Audio Module Class") } else { (CONTROLLER, "Component Controller Class") };
        let copy = |text: &str, room: &mut [c_char]| {
            for (place, byte) in room.iter_mut().zip(text.bytes().chain([0])) {
                *place = byte as c_char;
            }
        };
        (info.cid, info.cardinality) = (id, i32::MAX);
        copy(category, &mut info.category);
        copy("Subject", &mut info.name);
        kResultOk
    }

    unsafe fn createInstance(&self, class: *const c_char, interface: *const c_char, out: *mut *mut c_void) -> tresult {
        let made = match unsafe { *class.cast::<TUID>() } {
            COMPONENT => ComWrapper::new(Component {
                dsp: RefCell::new(Dsp::new()),
                events: RefCell::new(Vec::with_capacity(4096)),
                channels: Cell::new(2),
                offline: Cell::new(false),
                peer: RefCell::default(),
                host: RefCell::default(),
            })
            .to_com_ptr::<FUnknown>(),
            CONTROLLER => ComWrapper::new(Controller {
                values: RefCell::new(PARAMETERS.map(|parameter| parameter.2 / parameter.1)),
                handler: RefCell::default(),
                messages: Cell::new(0),
            })
            .to_com_ptr::<FUnknown>(),
            _ => None,
        };
        match made {
            Some(made) => unsafe { ((*(*made.as_ptr()).vtbl).queryInterface)(made.as_ptr(), interface.cast(), out) },
            None => kInvalidArgument,
        }
    }
}

/// Entries less exits: a host keeps it at 0 or 1. Windows need not call either.
static ENTERED: AtomicI32 = AtomicI32::new(0);

#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
extern "system" fn ModuleEntry(_: *mut c_void) -> bool {
    ENTERED.fetch_add(1, Ordering::SeqCst) == 0
}

#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
extern "system" fn ModuleExit() -> bool {
    ENTERED.fetch_sub(1, Ordering::SeqCst) == 1
}

#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
extern "system" fn bundleEntry(_: *mut c_void) -> bool {
    ENTERED.fetch_add(1, Ordering::SeqCst) == 0
}

#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
extern "system" fn bundleExit() -> bool {
    ENTERED.fetch_sub(1, Ordering::SeqCst) == 1
}

#[unsafe(no_mangle)]
extern "system" fn GetPluginFactory() -> *mut IPluginFactory {
    if ENTERED.load(Ordering::SeqCst) != 1 && !cfg!(target_os = "windows") {
        return std::ptr::null_mut();
    }
    ComWrapper::new(Factory).to_com_ptr().map_or(std::ptr::null_mut(), ComPtr::into_raw)
}
