//! The audio side: one host block after the other through the plugin.

use crate::arrangement::Layouts;
use crate::buffers::{Ports, silence_rest};
use crate::edits::{Edits, Output};
use crate::events::{Events, Gathered};
use crate::parameters::Parameters;
use crate::plugin::ClapPlugin;
use crate::transport::{steady_frames, transport};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process};
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use vst3::ComRef;
use vst3::Steinberg::Vst::{IParameterChanges, ProcessData};

/// An active plugin, with all memory that its blocks need.
pub(crate) struct Audio {
    pub(crate) plugin: Arc<ClapPlugin>,
    parameters: Arc<Parameters>,
    inputs: Ports,
    outputs: Ports,
    events: Events,
    sample_rate: f64,
    max_frames: usize,
    started: bool,
    /// There is something to forget at the next start.
    used: bool,
    frames_since_start: i64,
}

/// Room for events beyond one of each parameter.
pub(crate) const EVENTS: usize = 2048;

impl Audio {
    /// For an active plugin. Allocates.
    pub(crate) fn new(
        plugin: Arc<ClapPlugin>,
        parameters: Arc<Parameters>,
        layouts: &Layouts,
        sample_rate: f64,
        max_frames: usize,
        events: usize,
    ) -> Audio {
        Audio {
            inputs: Ports::new(layouts, 0, max_frames),
            outputs: Ports::new(layouts, 1, max_frames),
            events: Events::with_room(events.max(EVENTS) + parameters.list().len()),
            plugin,
            parameters,
            sample_rate,
            max_frames: max_frames.max(1),
            started: false,
            used: false,
            frames_since_start: 0,
        }
    }

    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    /// The start of a stream: what was heard before is forgotten. Audio thread.
    pub(crate) fn start(&mut self) -> bool {
        if !self.started {
            self.started = self.plugin.start_processing();
            if self.started && std::mem::take(&mut self.used) {
                // CLAP's start alone need not forget, VST 3's does
                self.plugin.reset();
            }
            self.frames_since_start = 0;
        }
        self.started
    }

    /// Audio thread.
    pub(crate) fn stop(&mut self) {
        if std::mem::take(&mut self.started) {
            self.plugin.stop_processing();
        }
    }

    /// One block. False if the plugin refused; the outputs are silent then. Real-time safe.
    ///
    /// # Safety
    /// Everything that `data` leads to is valid by VST 3's rules, with 32-bit samples.
    pub(crate) unsafe fn process(&mut self, data: &mut ProcessData, link: &Link) -> bool {
        let frames = usize::try_from(data.numSamples).unwrap_or(0);
        // SAFETY: null or alive, by the contract above.
        let changes = unsafe { ComRef::from_raw(data.inputParameterChanges) };
        // SAFETY: as above.
        let answers = unsafe { ComRef::from_raw(data.outputParameterChanges) };
        if frames == 0 {
            self.exchange(changes, answers, link);
            return true;
        }
        // SAFETY: valid busses, by the contract above.
        unsafe {
            self.outputs.take(data.outputs, data.numOutputs, false);
            self.inputs.take(data.inputs, data.numInputs, true);
        }
        self.inputs.keep_apart(&self.outputs);

        let mut start = 0;
        let mut done = self.start();
        self.used = true;
        while done && start < frames {
            let mut end = (start + self.max_frames).min(frames);
            match changes {
                Some(changes) => end = self.gather(changes, answers, frames, start, end, link),
                None => self.events.clear(),
            }
            // SAFETY: valid busses; the span is within the block and not longer than one can be.
            done = unsafe { self.call(data, answers, start..end, link) };
            start = end;
        }
        let width = |index| if done { self.outputs.width(index) } else { 0 };
        // SAFETY: valid busses, with that many frames.
        unsafe { silence_rest(data.outputs, data.numOutputs, width, frames) };
        done
    }

    /// Gathers the events from `start` on, as far as there is room for all of them: up to the frame that is returned. A
    /// frame that has too many alone gets the first of them ahead.
    fn gather(
        &mut self,
        changes: ComRef<IParameterChanges>,
        answers: Option<ComRef<IParameterChanges>>,
        frames: usize,
        start: usize,
        end: usize,
        link: &Link,
    ) -> usize {
        let mut end = end;
        while self.events.gather(changes, &self.parameters, frames, start..end, 0) == Gathered::Part {
            link.crowded.store(true, Relaxed);
            if end - start > 1 {
                end = start + (end - start) / 2;
                continue;
            }
            let mut skip = 0;
            loop {
                let ahead = self.events.gather(changes, &self.parameters, frames, start..end, skip);
                if ahead == Gathered::All {
                    return end;
                }
                skip += self.events.len();
                self.flush(answers, start, link);
            }
        }
        end
    }

    /// Parameters without audio: all points of the host's, whatever their frame. Real-time safe.
    fn exchange(
        &mut self,
        changes: Option<ComRef<IParameterChanges>>,
        answers: Option<ComRef<IParameterChanges>>,
        link: &Link,
    ) {
        let Some(changes) = changes else {
            self.events.clear();
            self.flush(answers, 0, link);
            return;
        };
        let mut skip = 0;
        loop {
            // a block of one frame: every offset counts as that one
            let gathered = self.events.gather(changes, &self.parameters, 1, 0..1, skip);
            skip += self.events.len();
            self.flush(answers, 0, link);
            if gathered == Gathered::All {
                return;
            }
        }
    }

    /// Hands the events at hand to the plugin, without audio. Audio thread.
    fn flush(&self, answers: Option<ComRef<IParameterChanges>>, start: usize, link: &Link) {
        let output = Output { edits: &link.edits, parameters: &self.parameters, changes: answers, start };
        let (input, list) = (self.events.input(), output.list());
        // SAFETY: both lists are valid.
        unsafe { self.plugin.flush(&input, &list) };
    }

    /// What the main thread has for a plugin that does not get blocks at the moment. Audio thread by role.
    pub(crate) fn flush_outside_of_blocks(&self, events: &Events, link: &Link) {
        let output = Output { edits: &link.edits, parameters: &self.parameters, changes: None, start: 0 };
        let (input, list) = (events.input(), output.list());
        // SAFETY: both lists are valid.
        unsafe { self.plugin.flush(&input, &list) };
    }

    /// Runs the plugin over `span` of the block.
    ///
    /// # Safety
    /// The ports have taken memory that is still valid and reaches to the end of the span.
    unsafe fn call(
        &mut self,
        data: &ProcessData,
        answers: Option<ComRef<IParameterChanges>>,
        span: Range<usize>,
        link: &Link,
    ) -> bool {
        let frames = span.len();
        // SAFETY: by the contract above.
        unsafe {
            self.inputs.point(span.start, frames);
            self.outputs.point(span.start, frames);
        }
        // SAFETY: null or valid, by the contract of `process`.
        let context = unsafe { data.processContext.as_ref() };
        let transport = context.map(|context| transport(context, self.sample_rate, span.start));
        let steady_time = match context.and_then(steady_frames) {
            Some(frames) => frames.saturating_add(span.start as i64).max(0),
            None => self.frames_since_start,
        };
        let output = Output { edits: &link.edits, parameters: &self.parameters, changes: answers, start: span.start };
        let (input, list) = (self.events.input(), output.list());
        let process = clap_process {
            steady_time,
            frames_count: frames as u32,
            transport: transport.as_ref().map_or(std::ptr::null(), |transport| transport),
            audio_inputs: self.inputs.clap(),
            audio_outputs: self.outputs.clap(),
            audio_inputs_count: self.inputs.len(),
            audio_outputs_count: self.outputs.len(),
            in_events: &input,
            out_events: &list,
        };
        self.frames_since_start += frames as i64;
        // SAFETY: every port has all its channels, each with memory for the frames; the lists are borrowed above.
        unsafe { self.plugin.process(&process) != CLAP_PROCESS_ERROR }
    }
}

/// What the audio side shares with the main side.
pub(crate) struct Link {
    pub(crate) edits: Edits,
    /// Calls of `process` so far, to see whether any come.
    pub(crate) blocks: AtomicUsize,
    /// A block had more events than there was room for: the next activation makes more.
    pub(crate) crowded: AtomicBool,
}

/// The audio side's place. One thread at a time is in it; who waits for whom is said at each way in.
pub(crate) struct Cell {
    busy: AtomicBool,
    audio: UnsafeCell<Option<Box<Audio>>>,
}

// SAFETY: `busy` lets one thread at a time in, and what is inside may go from thread to thread.
unsafe impl Sync for Cell {}
// SAFETY: as above.
unsafe impl Send for Cell {}

/// Being inside.
pub(crate) struct Inside<'a>(&'a Cell);

impl Cell {
    pub(crate) fn empty() -> Cell {
        Cell { busy: AtomicBool::new(false), audio: UnsafeCell::new(None) }
    }

    fn try_enter(&self) -> Option<Inside<'_>> {
        self.busy.compare_exchange(false, true, Acquire, Relaxed).is_ok().then_some(Inside(self))
    }

    /// For the audio thread. The main thread is in here for the microseconds of a flush at most, and only while no
    /// blocks came for a while: so this succeeds at once, or nearly, or a host breaks its rules. Real-time safe.
    pub(crate) fn enter_soon(&self) -> Option<Inside<'_>> {
        (0..SPINS).find_map(|_| {
            let inside = self.try_enter();
            if inside.is_none() {
                std::hint::spin_loop();
            }
            inside
        })
    }

    /// For the main thread, where the host has promised that no block is being processed: waits for one that is all the
    /// same, for a while.
    pub(crate) fn enter(&self) -> Option<Inside<'_>> {
        (0..WAITS).find_map(|_| {
            let inside = self.try_enter();
            if inside.is_none() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            inside
        })
    }
}

const SPINS: usize = 20_000;
const WAITS: usize = 2_000;

impl Deref for Inside<'_> {
    type Target = Option<Box<Audio>>;

    fn deref(&self) -> &Self::Target {
        // SAFETY: nobody else is inside.
        unsafe { &*self.0.audio.get() }
    }
}

impl DerefMut for Inside<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        // SAFETY: nobody else is inside.
        unsafe { &mut *self.0.audio.get() }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Release);
    }
}
