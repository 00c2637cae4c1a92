//! What the plugin says of its parameters: its editor's moves on their way to the host.

use crate::parameters::Parameters;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_GESTURE_BEGIN, CLAP_EVENT_PARAM_GESTURE_END, CLAP_EVENT_PARAM_VALUE,
    clap_event_header, clap_event_param_gesture, clap_event_param_value, clap_output_events,
};
use crossbeam_queue::ArrayQueue;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use vst3::ComRef;
use vst3::Steinberg::Vst::{IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait};

/// A move for the host, with the parameter's id; values from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edit {
    Begin(u32),
    Value(u32, f64),
    End(u32),
    /// A value outside of any gesture.
    Alone(u32, f64),
}

/// The way of the edits from whatever thread the plugin talks on to the main thread. Real-time safe at this end.
pub(crate) struct Edits {
    queue: ArrayQueue<Edit>,
    /// There was no room for some: values have to be asked for, and gestures be ended.
    lost: AtomicBool,
}

impl Edits {
    pub(crate) fn new() -> Edits {
        Edits { queue: ArrayQueue::new(ROOM), lost: AtomicBool::new(false) }
    }

    fn push(&self, edit: Edit) {
        if self.queue.push(edit).is_err() {
            self.lost.store(true, Relaxed);
        }
    }

    pub(crate) fn pop(&self) -> Option<Edit> {
        self.queue.pop()
    }

    /// True if edits were lost since the last time.
    pub(crate) fn take_lost(&self) -> bool {
        self.lost.swap(false, Relaxed)
    }
}

/// More edits than this between two looks of the main thread, some 30 ms, lose some.
const ROOM: usize = 4096;

/// Takes the plugin's events of one call.
pub(crate) struct Output<'a> {
    pub(crate) edits: &'a Edits,
    pub(crate) parameters: &'a Parameters,
    /// The host's list of changes that a processor makes by itself; none in calls without a block.
    pub(crate) changes: Option<ComRef<'a, IParameterChanges>>,
    /// The frame of the host's block at which the call begins.
    pub(crate) start: usize,
}

impl Output<'_> {
    /// The list for the plugin, valid while this is borrowed.
    pub(crate) fn list(&self) -> clap_output_events {
        clap_output_events { ctx: (&raw const *self).cast_mut().cast::<c_void>(), try_push: Some(try_push) }
    }

    /// Real-time safe.
    fn value(&self, event: &clap_event_param_value) {
        let Some(parameter) = self.parameters.find(event.param_id) else { return };
        let position = parameter.range.position(event.value);
        parameter.show(position);
        parameter.awaits_block.store(false, Relaxed);
        if parameter.held.load(Relaxed) {
            self.edits.push(Edit::Value(parameter.id, position));
            return;
        }
        let Some(changes) = self.changes else {
            self.edits.push(Edit::Alone(parameter.id, position));
            return;
        };
        let frame = i32::try_from(self.start + event.header.time as usize).unwrap_or(i32::MAX);
        let mut index = 0;
        // SAFETY: the host's objects, alive during the call of `process` in which this happens.
        unsafe {
            if let Some(queue) = ComRef::from_raw(changes.addParameterData(&parameter.id, &mut index)) {
                queue.addPoint(frame, position, &mut index);
            }
        }
    }

    /// Real-time safe.
    fn gesture(&self, event: &clap_event_param_gesture, begins: bool) {
        let Some(parameter) = self.parameters.find(event.param_id) else { return };
        // hosts count beginnings and ends: each has its other
        if parameter.held.swap(begins, Relaxed) != begins {
            self.edits.push(if begins { Edit::Begin(parameter.id) } else { Edit::End(parameter.id) });
        }
    }
}

unsafe extern "C" fn try_push(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: `ctx` is the value that `list` was called on, which is borrowed while the plugin has the list; the event
    // is valid, and as large as its type by CLAP's rules.
    unsafe {
        let output = &*(*list).ctx.cast::<Output>();
        if (*event).space_id == CLAP_CORE_EVENT_SPACE_ID {
            match (*event).type_ {
                CLAP_EVENT_PARAM_VALUE => output.value(&*event.cast()),
                CLAP_EVENT_PARAM_GESTURE_BEGIN => output.gesture(&*event.cast(), true),
                CLAP_EVENT_PARAM_GESTURE_END => output.gesture(&*event.cast(), false),
                // an effect has nothing else to say that VST 3 knows
                _ => {}
            }
        }
    }
    true
}
