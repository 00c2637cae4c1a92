//! The audio side of a VST 3 instance.

use super::changes::Changes;
use super::result_name;
use crate::bridge::Bridge;
use crate::error::HostError;
use crate::plugin::{AudioSide, EventOrder, FormatAudio, has_side_chain_port};
use crate::ports::{Port, Ports};
use crate::thread_role::as_audio;
use crate::types::{Edit, Event, Setup, SideChain, Status, Tail, Transport};
use std::ptr::null_mut;
use std::sync::Arc;
use vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_ as flags;
use vst3::Steinberg::Vst::ProcessModes_::{kOffline, kRealtime};
use vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessor, IAudioProcessorTrait, IParameterChanges, ProcessContext,
    ProcessData, kInfiniteTail,
};
use vst3::Steinberg::{kNotImplemented, kResultOk, tresult};
use vst3::{ComPtr, ComWrapper};

pub(super) struct Vst3Audio {
    place: String,
    bridge: Arc<Bridge>,
    processor: ComPtr<IAudioProcessor>,
    setup: Setup,
    ports: Ports,
    inputs: Vec<AudioBusBuffers>,
    outputs: Vec<AudioBusBuffers>,
    order: EventOrder,
    ids: Vec<u32>,
    incoming: ComWrapper<Changes>,
    outgoing: ComWrapper<Changes>,
    incoming_pointer: ComPtr<IParameterChanges>,
    outgoing_pointer: ComPtr<IParameterChanges>,
    frames_since_start: i64,
    processing: bool,
}

// SAFETY: the queues of changes have cells inside and are touched by one thread at a time: whoever holds this value,
// and the plugin within `process`. The bus pointers lead into `ports`. The processor is made to be called from an audio
// thread.
unsafe impl Send for Vst3Audio {}

impl Vst3Audio {
    /// Starts processing on an active component.
    pub(super) fn start(
        place: &str,
        bridge: &Arc<Bridge>,
        processor: ComPtr<IAudioProcessor>,
        setup: &Setup,
        widths: &[Vec<usize>; 2],
        ids: Vec<u32>,
    ) -> Result<Vst3Audio, HostError> {
        let mut ports = Ports::new(place, setup, &widths[0], &widths[1]);
        let inputs = ports.inputs.iter_mut().enumerate();
        let inputs = inputs.map(|(index, port)| bus(port, index != 1 || has_side_chain_port(setup))).collect();
        let outputs = ports.outputs.iter_mut().map(|port| bus(port, true)).collect();
        // a plugin may send parameters that it does not list
        let (incoming, outgoing) = (Changes::com(ids.len()), Changes::com(ids.len() + 64));
        let (Some(incoming_pointer), Some(outgoing_pointer)) = (incoming.to_com_ptr(), outgoing.to_com_ptr()) else {
            unreachable!("the class has this interface");
        };
        let mut side = Vst3Audio {
            place: place.to_owned(),
            bridge: Arc::clone(bridge),
            processor,
            setup: *setup,
            ports,
            inputs,
            outputs,
            order: EventOrder::new(place, ids.len()),
            ids,
            incoming,
            outgoing,
            incoming_pointer,
            outgoing_pointer,
            frames_since_start: 0,
            processing: false,
        };
        side.set_processing(true)?;
        Ok(side)
    }

    fn set_processing(&mut self, on: bool) -> Result<(), HostError> {
        // SAFETY: a live processor of an active component.
        let result = as_audio(|| unsafe { self.processor.setProcessing(on.into()) });
        self.processing = on;
        // plugins that need no notice answer that they have not implemented it
        if result == kNotImplemented { Ok(()) } else { self.check("setProcessing", result) }
    }

    fn check(&self, call: &'static str, result: tresult) -> Result<(), HostError> {
        if result == kResultOk {
            return Ok(());
        }
        Err(HostError::Call { place: self.place.clone(), call, found: result_name(result), expected: "kResultOk" })
    }

    /// Fills the queues for the plugin; what the controller does not know yet goes there.
    fn take_events(&mut self, events: &[Event], frames: usize) -> Result<(), HostError> {
        self.incoming.clear();
        self.outgoing.clear();
        let events = self.order.sort(events, frames)?;
        self.bridge.take_for_plugin(|parameter, value| {
            if let Some(&id) = self.ids.get(parameter) {
                self.incoming.push(id, 0, value);
            }
        });
        for event in events {
            if let Some(&id) = self.ids.get(event.parameter) {
                self.incoming.push(id, event.offset as i32, event.value);
                self.bridge.send_to_host(event.parameter, event.value);
            }
        }
        Ok(())
    }

    fn call_process(&mut self, frames: usize, transport: Option<&Transport>, audio: bool) -> Result<(), HostError> {
        let mut context = transport.map(|transport| self.context(transport));
        let mut data = ProcessData {
            processMode: if self.setup.offline { kOffline } else { kRealtime } as i32,
            symbolicSampleSize: kSample32 as i32,
            numSamples: frames as i32,
            numInputs: if audio { self.inputs.len() as i32 } else { 0 },
            numOutputs: if audio { self.outputs.len() as i32 } else { 0 },
            inputs: if audio { self.inputs.as_mut_ptr() } else { null_mut() },
            outputs: if audio { self.outputs.as_mut_ptr() } else { null_mut() },
            inputParameterChanges: self.incoming_pointer.as_ptr(),
            outputParameterChanges: self.outgoing_pointer.as_ptr(),
            inputEvents: null_mut(),
            outputEvents: null_mut(),
            processContext: context.as_mut().map_or(null_mut(), |context| context),
        };
        // SAFETY: everything that `data` points to lives through the call; buffers have room for the frames, which were
        // checked.
        let result = as_audio(|| unsafe { self.processor.process(&mut data) });
        self.frames_since_start += frames as i64;
        let bridge = &self.bridge;
        self.outgoing.last_values(|id, value| {
            if let Some(parameter) = bridge.index_of(id) {
                bridge.send_to_host(parameter, value);
                bridge.edited(Edit::Value { parameter, value });
            }
        });
        self.check("process", result)
    }

    fn context(&self, transport: &Transport) -> ProcessContext {
        let (numerator, denominator) = transport.time_signature;
        let bar_beats = f64::from(numerator) * 4.0 / f64::from(denominator.max(1));
        let bar = if bar_beats > 0.0 { (transport.position_beats / bar_beats).floor() } else { 0.0 };
        // SAFETY: plain numbers, for which zeros are a value.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        let always = flags::kTempoValid
            | flags::kProjectTimeMusicValid
            | flags::kBarPositionValid
            | flags::kTimeSigValid
            | flags::kContTimeValid;
        let playing = if transport.playing { flags::kPlaying } else { 0 };
        let recording = if transport.recording { flags::kRecording } else { 0 };
        // C enumerations are signed on Windows
        #[allow(clippy::unnecessary_cast)]
        let state = (always | playing | recording) as u32;
        context.state = state;
        context.sampleRate = self.setup.sample_rate_hz;
        context.projectTimeSamples = (transport.position_seconds * self.setup.sample_rate_hz).round() as i64;
        context.continousTimeSamples = self.frames_since_start;
        context.projectTimeMusic = transport.position_beats;
        context.barPositionMusic = bar * bar_beats;
        context.tempo = transport.tempo_bpm;
        context.timeSigNumerator = i32::from(numerator);
        context.timeSigDenominator = i32::from(denominator);
        context
    }

    /// Sets the silence flags as a host does that knows where audio comes from.
    fn flag_silence(&mut self) {
        for (index, bus) in self.inputs.iter_mut().enumerate().skip(1) {
            let connected = index == 1 && self.setup.side_chain == SideChain::Connected;
            bus.silenceFlags = if connected { 0 } else { (1 << bus.numChannels.clamp(0, 63)) - 1 };
        }
        for bus in &mut self.outputs {
            bus.silenceFlags = 0;
        }
    }
}

impl AudioSide for Vst3Audio {
    fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        side_chain: Option<&[&[f32]]>,
        transport: Option<&Transport>,
        events: &[Event],
    ) -> Result<Status, HostError> {
        let connected = self.setup.side_chain == SideChain::Connected;
        let frames = self.ports.fill(audio, side_chain.filter(|_| connected))?;
        self.take_events(events, frames)?;
        self.flag_silence();
        self.call_process(frames, transport, true)?;
        self.ports.take(audio, &self.bridge)?;
        Ok(Status::Continue)
    }

    fn reset(&mut self) -> Result<(), HostError> {
        self.set_processing(false)?;
        self.set_processing(true)
    }

    fn tail(&mut self) -> Tail {
        // SAFETY: a live processor.
        match as_audio(|| unsafe { self.processor.getTailSamples() }) {
            frames if frames == kInfiniteTail => Tail::Infinite,
            frames => Tail::Frames(frames),
        }
    }

    /// The format's own way: a block without frames and without busses.
    fn flush(&mut self) -> Result<(), HostError> {
        self.take_events(&[], 0)?;
        self.call_process(0, None, false)
    }
}

impl FormatAudio for Vst3Audio {
    fn stop(&mut self) {
        if self.processing {
            // a plugin that refuses to stop is stopped by `setActive` next
            let _ = self.set_processing(false);
        }
    }
}

/// VST 3's description of a port; one that is not given has no channels.
fn bus(port: &mut Port, given: bool) -> AudioBusBuffers {
    AudioBusBuffers {
        numChannels: if given { port.pointers.len() as i32 } else { 0 },
        silenceFlags: 0,
        __field0: AudioBusBuffers__type0 {
            channelBuffers32: if given { port.pointers.as_mut_ptr() } else { null_mut() },
        },
    }
}
