//! The audio side of a CLAP instance.

use super::callbacks::{Callbacks, Outgoing};
use crate::bridge::Bridge;
use crate::error::HostError;
use crate::plugin::{AudioSide, EVENTS_EXPECTED, EventOrder, FormatAudio, has_side_chain_port};
use crate::ports::{Port, Ports};
use crate::thread_role::as_audio;
use crate::types::{Event, Setup, SideChain, Status, Tail, Transport};
use clack_extensions::params::PluginParams;
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::events::event_types::{ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::events::io::{InputEvents, OutputEvents};
use clack_host::events::{EventFlags, EventHeader};
use clack_host::prelude::*;
use clack_host::process::{PluginAudioProcessor, ProcessStatus};
use clack_host::utils::{BeatTime, SecondsTime};
use clap_sys::audio_buffer::clap_audio_buffer;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) struct ClapAudio {
    place: String,
    bridge: Arc<Bridge>,
    /// Gone once stopped.
    processor: Option<PluginAudioProcessor<Callbacks>>,
    ports: Ports,
    buffers: Buffers,
    order: EventOrder,
    ids: Vec<ClapId>,
    incoming: Vec<ParamValueEvent>,
    outgoing: Outgoing,
    params: Option<PluginParams>,
    tail: Option<PluginTail>,
    steady_frames: u64,
}

impl ClapAudio {
    /// Starts processing.
    pub(crate) fn start(
        place: &str,
        bridge: &Arc<Bridge>,
        stopped: StoppedPluginAudioProcessor<Callbacks>,
        setup: &Setup,
        widths: &[Vec<usize>; 2],
        ids: &[ClapId],
    ) -> Result<ClapAudio, HostError> {
        let mut ports = Ports::new(place, setup, &widths[0], &widths[1]);
        let buffers = Buffers::new(setup, &mut ports);
        let mut processor = PluginAudioProcessor::from(stopped);
        let (params, tail) = {
            let plugin = processor.shared_plugin_handle();
            (plugin.get_extension(), plugin.get_extension())
        };
        as_audio(|| processor.start_processing().map(drop)).map_err(|error| HostError::Call {
            place: place.to_owned(),
            call: "start_processing",
            found: error.to_string(),
            expected: "true",
        })?;
        Ok(ClapAudio {
            place: place.to_owned(),
            bridge: Arc::clone(bridge),
            processor: Some(processor),
            ports,
            buffers,
            order: EventOrder::new(place, ids.len()),
            ids: ids.to_vec(),
            // every parameter may wait for the next block on top of its events
            incoming: Vec::with_capacity(EVENTS_EXPECTED + ids.len()),
            outgoing: Outgoing(Arc::clone(bridge)),
            params,
            tail,
            steady_frames: 0,
        })
    }

    /// Puts the changes that wait, then `events`, into the list for the plugin.
    fn take_events(&mut self, events: &[Event], frames: usize) -> Result<(), HostError> {
        self.bridge.wants_flush.store(false, Ordering::Release);
        self.incoming.clear();
        let events = self.order.sort(events, frames)?;
        let mut push = |offset: usize, parameter: usize, value: f64| {
            if let (Some(&id), Ok(time)) = (self.ids.get(parameter), u32::try_from(offset)) {
                self.incoming.push(ParamValueEvent::new(time, id, Pckn::match_all(), value));
            }
        };
        self.bridge.take_for_plugin(|parameter, value| push(0, parameter, value));
        for event in events {
            push(event.offset, event.parameter, event.value);
        }
        Ok(())
    }
}

impl AudioSide for ClapAudio {
    fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        side_chain: Option<&[&[f32]]>,
        transport: Option<&Transport>,
        events: &[Event],
    ) -> Result<Status, HostError> {
        let frames = self.ports.fill(audio, side_chain.filter(|_| self.buffers.side_chain_connected))?;
        self.take_events(events, frames)?;
        let transport = transport.map(transport_event);
        let processor = self.processor.as_mut().map(PluginAudioProcessor::as_started_mut);
        let Some(Ok(processor)) = processor else {
            return Err(crate::plugin::not_active(&self.place, "process"));
        };
        let frame_count = frames as u32;
        self.buffers.flag_silence(side_chain.is_some());
        // SAFETY: each buffer's pointers lead to `ports`, which has room for `max_frames`, and `fill` has checked the
        // frames.
        let (inputs, mut outputs) = unsafe {
            (
                InputAudioBuffers::from_raw_buffers(&self.buffers.inputs, frame_count),
                OutputAudioBuffers::from_raw_buffers(&mut self.buffers.outputs, frame_count),
            )
        };
        let incoming = InputEvents::from_buffer(&self.incoming);
        let mut outgoing = OutputEvents::from_buffer(&mut self.outgoing);
        let steady = Some(self.steady_frames);
        let status =
            as_audio(|| processor.process(&inputs, &mut outputs, &incoming, &mut outgoing, steady, transport.as_ref()));
        self.steady_frames += u64::from(frame_count);
        let status = status.map_err(|error| HostError::Call {
            place: self.place.clone(),
            call: "process",
            found: error.to_string(),
            expected: "a status other than CLAP_PROCESS_ERROR",
        })?;
        self.ports.take(audio, &self.bridge)?;
        Ok(match status {
            ProcessStatus::Continue => Status::Continue,
            ProcessStatus::ContinueIfNotQuiet => Status::ContinueIfNotQuiet,
            ProcessStatus::Tail => Status::Tail,
            ProcessStatus::Sleep => Status::Sleep,
        })
    }

    fn reset(&mut self) -> Result<(), HostError> {
        if let Some(processor) = &mut self.processor {
            as_audio(|| processor.reset());
        }
        Ok(())
    }

    fn tail(&mut self) -> Tail {
        let (Some(tail), Some(processor)) = (self.tail, &mut self.processor) else { return Tail::Frames(0) };
        match as_audio(|| tail.get(&processor.plugin_handle())) {
            TailLength::Finite(frames) => Tail::Frames(frames),
            TailLength::Infinite => Tail::Infinite,
        }
    }

    fn flush(&mut self) -> Result<(), HostError> {
        self.take_events(&[], 0)?;
        if let (Some(params), Some(processor)) = (self.params, &mut self.processor) {
            let incoming = InputEvents::from_buffer(&self.incoming);
            let mut outgoing = OutputEvents::from_buffer(&mut self.outgoing);
            as_audio(|| params.flush_active(&mut processor.plugin_handle(), &incoming, &mut outgoing));
        }
        Ok(())
    }
}

impl FormatAudio for ClapAudio {
    fn stop(&mut self) {
        if let Some(processor) = self.processor.take() {
            drop(as_audio(|| processor.into_stopped()));
        }
    }
}

/// CLAP's descriptions of `Ports`.
struct Buffers {
    inputs: Vec<clap_audio_buffer>,
    outputs: Vec<clap_audio_buffer>,
    side_chain_connected: bool,
}

// SAFETY: the pointers lead into the `Ports` beside it, which is `Send` for the reason given there.
unsafe impl Send for Buffers {}

impl Buffers {
    fn new(setup: &Setup, ports: &mut Ports) -> Buffers {
        let buffer = |port: &mut Port| clap_audio_buffer {
            data32: port.pointers.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: port.pointers.len() as u32,
            latency: 0,
            constant_mask: 0,
        };
        let mut inputs: Vec<clap_audio_buffer> = ports.inputs.iter_mut().map(buffer).collect();
        if !has_side_chain_port(setup) {
            inputs.truncate(1);
        }
        Buffers {
            inputs,
            outputs: ports.outputs.iter_mut().map(buffer).collect(),
            side_chain_connected: setup.side_chain == SideChain::Connected,
        }
    }

    /// Ports that carry no audio have every channel marked as constant. A connected one without audio is not: hosts
    /// differ in this.
    fn flag_silence(&mut self, has_side_chain: bool) {
        for (index, buffer) in self.inputs.iter_mut().enumerate().skip(1) {
            let connected = index == 1 && (self.side_chain_connected || has_side_chain);
            buffer.constant_mask = if connected { 0 } else { (1 << buffer.channel_count.min(63)) - 1 };
        }
        for buffer in &mut self.outputs {
            buffer.constant_mask = 0;
        }
    }
}

fn transport_event(transport: &Transport) -> TransportEvent {
    let mut flags = TransportFlags::HAS_TEMPO
        | TransportFlags::HAS_BEATS_TIMELINE
        | TransportFlags::HAS_SECONDS_TIMELINE
        | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, transport.playing);
    flags.set(TransportFlags::IS_RECORDING, transport.recording);
    let (numerator, denominator) = transport.time_signature;
    let bar_beats = f64::from(numerator) * 4.0 / f64::from(denominator.max(1));
    let bar = if bar_beats > 0.0 { (transport.position_beats / bar_beats).floor() } else { 0.0 };
    TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_float(transport.position_beats),
        song_pos_seconds: SecondsTime::from_float(transport.position_seconds),
        tempo: transport.tempo_bpm,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_int(0),
        loop_end_beats: BeatTime::from_int(0),
        loop_start_seconds: SecondsTime::from_int(0),
        loop_end_seconds: SecondsTime::from_int(0),
        bar_start: BeatTime::from_float(bar * bar_beats),
        bar_number: bar as i32,
        time_signature_numerator: numerator,
        time_signature_denominator: denominator,
    }
}
