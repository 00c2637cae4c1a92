//! The VST 3 object: its processor's half.

use crate::arrangement::Choice;
use crate::buffers::silence_rest;
use crate::instance::Instance;
use crate::stream::{read_all, write_all};
use crate::text::write_utf16;
use crate::thread::guarded;
use crate::transport::NEEDED;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use vst3::Steinberg::Vst::BusInfo_::BusFlags_::kDefaultActive;
use vst3::Steinberg::Vst::BusTypes_::{kAux, kMain};
use vst3::Steinberg::Vst::ChannelContext::IInfoListener;
use vst3::Steinberg::Vst::MediaTypes_::kAudio;
use vst3::Steinberg::Vst::ProcessModes_::kOffline;
use vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use vst3::Steinberg::Vst::{
    BusDirection, BusInfo, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentTrait, IEditController,
    IProcessContextRequirements, IProcessContextRequirementsTrait, IUnitInfo, IoMode, MediaType, ProcessData,
    ProcessSetup, RoutingInfo, SpeakerArrangement, kInfiniteTail, kNoTail,
};
use vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, int32, kInternalError, kInvalidArgument, kNotImplemented,
    kNotInitialized, kResultFalse, kResultOk, tresult, uint32,
};
use vst3::{Class, ComRef};

/// A plugin as the host holds it.
pub(crate) struct Effect {
    pub(crate) instance: Arc<Instance>,
}

impl Class for Effect {
    type Interfaces =
        (IComponent, IAudioProcessor, IProcessContextRequirements, IEditController, IUnitInfo, IInfoListener);
}

impl Effect {
    pub(crate) fn new(instance: Arc<Instance>) -> Effect {
        Effect { instance }
    }

    /// A call of the host's on the main thread. A panic within ends here.
    pub(crate) fn main<R: Clone>(&self, otherwise: R, call: impl FnOnce(&Arc<Instance>) -> R) -> R {
        guarded(otherwise, || self.instance.host.threads.as_main(|| call(&self.instance)))
    }
}

pub(crate) fn result(done: bool) -> tresult {
    if done { kResultOk } else { kResultFalse }
}

/// Inputs (0) or outputs (1), of audio.
fn direction(media: MediaType, direction: BusDirection) -> Option<usize> {
    usize::try_from(direction).ok().filter(|direction| media == kAudio as MediaType && *direction < 2)
}

// SAFETY of the calls below: pointers are null or valid, by the contract of the interfaces.

impl IPluginBaseTrait for Effect {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        self.main(kInternalError, |instance| {
            if !instance.initialize() {
                return kResultFalse;
            }
            // SAFETY: see above.
            if let Some(context) = unsafe { ComRef::from_raw(context) } {
                instance.main_loop.offer(context);
            }
            instance.main_loop.begin(instance);
            kResultOk
        })
    }

    unsafe fn terminate(&self) -> tresult {
        self.main(kInternalError, |instance| {
            let was_there = instance.plugin().is_some();
            instance.terminate();
            result(was_there)
        })
    }
}

impl IComponentTrait for Effect {
    /// The controller is this object, which hosts find out by asking it.
    unsafe fn getControllerClassId(&self, _: *mut TUID) -> tresult {
        kNotImplemented
    }

    unsafe fn setIoMode(&self, _: IoMode) -> tresult {
        kNotImplemented
    }

    unsafe fn getBusCount(&self, media: MediaType, way: BusDirection) -> int32 {
        let Some(direction) = direction(media, way) else { return 0 };
        self.main(0, |instance| instance.layouts().busses(direction).len() as int32)
    }

    unsafe fn getBusInfo(&self, media: MediaType, way: BusDirection, index: int32, info: *mut BusInfo) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let layouts = instance.layouts();
            let place = direction(media, way).zip(usize::try_from(index).ok());
            let bus = place.and_then(|(way, index)| layouts.busses(way).get(index).zip(layouts.width(way, index)));
            // SAFETY: see above.
            let (Some((bus, width)), Some(info)) = (bus, unsafe { info.as_mut() }) else { return kInvalidArgument };
            (info.mediaType, info.direction) = (media, way);
            info.channelCount = width as int32;
            write_utf16(&bus.name, &mut info.name);
            let main = bus.main || index == 0;
            info.busType = if main { kMain } else { kAux } as int32;
            info.flags = if main { kDefaultActive as uint32 } else { 0 };
            kResultOk
        })
    }

    unsafe fn getRoutingInfo(&self, _: *mut RoutingInfo, _: *mut RoutingInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn activateBus(&self, media: MediaType, way: BusDirection, index: int32, on: TBool) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let place = direction(media, way).zip(usize::try_from(index).ok());
            match place {
                Some((direction, index)) if instance.use_bus(direction, index, on != 0) => kResultOk,
                _ => kInvalidArgument,
            }
        })
    }

    unsafe fn setActive(&self, on: TBool) -> tresult {
        self.main(kInternalError, |instance| {
            if instance.plugin().is_none() {
                return kNotInitialized;
            }
            let done = instance.set_active(on != 0);
            instance.serve();
            result(done)
        })
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        self.main(kInternalError, |instance| {
            // SAFETY: see above.
            let Some(bytes) = (unsafe { read_all(state) }) else { return kInvalidArgument };
            let done = instance.load(&bytes);
            instance.serve();
            result(done)
        })
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: see above.
        self.main(kInternalError, |instance| {
            let saved = instance.save();
            // SAFETY: see above.
            result(saved.is_some_and(|bytes| unsafe { write_all(state, &bytes) }))
        })
    }
}

impl IAudioProcessorTrait for Effect {
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        input_count: int32,
        outputs: *mut SpeakerArrangement,
        output_count: int32,
    ) -> tresult {
        self.main(kInternalError, |instance| {
            let list = |list: *mut SpeakerArrangement, count: int32| match usize::try_from(count) {
                Ok(0) => Some(&[][..]),
                // SAFETY: as many as said, see above.
                Ok(count) if !list.is_null() => Some(unsafe { std::slice::from_raw_parts(list, count) }),
                _ => None,
            };
            let (Some(inputs), Some(outputs)) = (list(inputs, input_count), list(outputs, output_count)) else {
                return kInvalidArgument;
            };
            result(instance.arrange([inputs, outputs]) == Choice::Served)
        })
    }

    unsafe fn getBusArrangement(&self, way: BusDirection, index: int32, out: *mut SpeakerArrangement) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let layouts = instance.layouts();
            let arrangement = direction(kAudio as MediaType, way)
                .and_then(|way| layouts.arrangement(way, usize::try_from(index).ok()?));
            // SAFETY: see above.
            let (Some(arrangement), Some(out)) = (arrangement, unsafe { out.as_mut() }) else {
                return kInvalidArgument;
            };
            *out = arrangement;
            kResultOk
        })
    }

    unsafe fn canProcessSampleSize(&self, size: int32) -> tresult {
        result(size == kSample32 as int32)
    }

    unsafe fn getLatencySamples(&self) -> uint32 {
        self.main(0, |instance| instance.latency_frames())
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        self.main(kInternalError, |instance| {
            // SAFETY: see above.
            let Some(setup) = (unsafe { setup.as_ref() }) else { return kInvalidArgument };
            let single = setup.symbolicSampleSize == kSample32 as int32;
            let offline = setup.processMode == kOffline as int32;
            result(single && instance.set_up(setup.sampleRate, setup.maxSamplesPerBlock, offline))
        })
    }

    unsafe fn setProcessing(&self, on: TBool) -> tresult {
        guarded(kInternalError, || result(self.instance.set_processing(on != 0)))
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        guarded(kInternalError, || {
            // SAFETY: see above.
            let Some(data) = (unsafe { data.as_mut() }) else { return kInvalidArgument };
            if data.numSamples > 0 && data.symbolicSampleSize != kSample32 as int32 {
                return kInvalidArgument;
            }
            let instance = &*self.instance;
            instance.link.blocks.fetch_add(1, Relaxed);
            let mut inside = instance.audio.enter_soon();
            let done = inside.as_mut().and_then(|inside| inside.as_mut()).is_some_and(|audio| {
                instance.host.threads.as_audio(|| {
                    // SAFETY: by the contract of the interface, with the sample size checked.
                    let done = unsafe { audio.process(data, &instance.link) };
                    instance.processing.store(audio.is_started(), Relaxed);
                    done
                })
            });
            if !done && data.numSamples > 0 {
                // SAFETY: by the contract of the interface.
                unsafe { silence_rest(data.outputs, data.numOutputs, |_| 0, data.numSamples as usize) };
            }
            result(done)
        })
    }

    unsafe fn getTailSamples(&self) -> uint32 {
        guarded(kNoTail, || {
            let tail = self.instance.plugin().filter(|_| self.instance.is_active()).map_or(0, |plugin| {
                // CLAP allows it on both threads; hosts ask on either
                plugin.tail_frames()
            });
            // CLAP: from the largest 32-bit integer on there is no end
            if tail >= i32::MAX as u32 { kInfiniteTail } else { tail }
        })
    }
}

impl IProcessContextRequirementsTrait for Effect {
    unsafe fn getProcessContextRequirements(&self) -> uint32 {
        NEEDED as uint32
    }
}
