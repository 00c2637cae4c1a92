//! What the main side, the audio side and the plugin's callbacks of one instance share.

use crate::thread_role::MainThread;
use crate::types::{Edit, Requests};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// One per instance, behind an `Arc`.
pub(crate) struct Bridge {
    pub(crate) main_thread: MainThread,
    parameters: OnceLock<Parameters>,
    pub(crate) counts: Counts,
    /// The plugin wants its main-thread callback.
    pub(crate) wants_callback: AtomicBool,
    /// The plugin wants its parameters flushed.
    pub(crate) wants_flush: AtomicBool,
    /// The size that the plugin wants its editor to have, width in the high half; 0 is none.
    pub(crate) wants_size: AtomicU64,
    edits: Mutex<Vec<Edit>>,
    messages: Mutex<Vec<String>>,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) restart: AtomicU32,
    pub(crate) latency_changed: AtomicU32,
    pub(crate) values_changed: AtomicU32,
    pub(crate) parameters_changed: AtomicU32,
    pub(crate) ports_changed: AtomicU32,
    pub(crate) state_dirty: AtomicU32,
    pub(crate) tail_changed: AtomicU32,
    pub(crate) process: AtomicU32,
    pub(crate) remote_pages_changed: AtomicU32,
    pub(crate) editor: AtomicU32,
    pub(crate) inputs_overwritten: AtomicU32,
}

struct Parameters {
    index_of_id: HashMap<u32, usize>,
    to_plugin: Pending,
    to_host: Pending,
}

impl Bridge {
    /// On the instance's main thread.
    pub(crate) fn new() -> Bridge {
        Bridge {
            main_thread: MainThread::here(),
            parameters: OnceLock::new(),
            counts: Counts::default(),
            wants_callback: AtomicBool::new(false),
            wants_flush: AtomicBool::new(false),
            wants_size: AtomicU64::new(0),
            // the audio side pushes here: it must not be the host that allocates in a watched call
            edits: Mutex::new(Vec::with_capacity(EDITS_KEPT)),
            messages: Mutex::default(),
        }
    }

    /// Once, as soon as the list of parameters is known.
    pub(crate) fn set_parameters(&self, ids: impl Iterator<Item = u32>) {
        let ids: Vec<u32> = ids.collect();
        let count = ids.len();
        let index_of_id = ids.into_iter().enumerate().map(|(index, id)| (id, index)).collect();
        let _ = self.parameters.set(Parameters {
            index_of_id,
            to_plugin: Pending::new(count),
            to_host: Pending::new(count),
        });
    }

    pub(crate) fn index_of(&self, id: u32) -> Option<usize> {
        self.parameters.get()?.index_of_id.get(&id).copied()
    }

    /// A value for the next block.
    pub(crate) fn send_to_plugin(&self, index: usize, value: f64) {
        if let Some(parameters) = self.parameters.get() {
            parameters.to_plugin.put(index, value);
        }
    }

    pub(crate) fn take_for_plugin(&self, each: impl FnMut(usize, f64)) {
        if let Some(parameters) = self.parameters.get() {
            parameters.to_plugin.take(each);
        }
    }

    /// A value that the audio side has got, for a controller on the main side to learn.
    pub(crate) fn send_to_host(&self, index: usize, value: f64) {
        if let Some(parameters) = self.parameters.get() {
            parameters.to_host.put(index, value);
        }
    }

    pub(crate) fn take_for_host(&self, each: impl FnMut(usize, f64)) {
        if let Some(parameters) = self.parameters.get() {
            parameters.to_host.take(each);
        }
    }

    pub(crate) fn edited(&self, edit: Edit) {
        let mut edits = lock(&self.edits);
        if edits.len() < edits.capacity() {
            edits.push(edit);
        }
    }

    pub(crate) fn logged(&self, message: String) {
        lock(&self.messages).push(message);
    }

    pub(crate) fn take_requests(&self) -> Requests {
        let count = |counter: &AtomicU32| counter.swap(0, Ordering::AcqRel);
        let counts = &self.counts;
        Requests {
            restart: count(&counts.restart),
            latency_changed: count(&counts.latency_changed),
            values_changed: count(&counts.values_changed),
            parameters_changed: count(&counts.parameters_changed),
            ports_changed: count(&counts.ports_changed),
            state_dirty: count(&counts.state_dirty),
            tail_changed: count(&counts.tail_changed),
            process: count(&counts.process),
            remote_pages_changed: count(&counts.remote_pages_changed),
            editor: count(&counts.editor),
            inputs_overwritten: count(&counts.inputs_overwritten),
            edits: lock(&self.edits).drain(..).collect(),
            messages: std::mem::take(&mut *lock(&self.messages)),
        }
    }
}

/// One more of something.
pub(crate) fn tick(counter: &AtomicU32) {
    counter.fetch_add(1, Ordering::AcqRel);
}

/// A poisoned lock only means that a test has failed elsewhere: the data are plain values.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The latest value of each parameter that the other side has not seen yet. Real-time safe.
struct Pending {
    any: AtomicBool,
    slots: Box<[Slot]>,
}

#[derive(Default)]
struct Slot {
    waiting: AtomicBool,
    bits: AtomicU64,
}

impl Pending {
    fn new(count: usize) -> Pending {
        Pending { any: AtomicBool::new(false), slots: (0..count).map(|_| Slot::default()).collect() }
    }

    fn put(&self, index: usize, value: f64) {
        if let Some(slot) = self.slots.get(index) {
            slot.bits.store(value.to_bits(), Ordering::Release);
            slot.waiting.store(true, Ordering::Release);
            self.any.store(true, Ordering::Release);
        }
    }

    fn take(&self, mut each: impl FnMut(usize, f64)) {
        if self.any.swap(false, Ordering::AcqRel) {
            for (index, slot) in self.slots.iter().enumerate() {
                if slot.waiting.swap(false, Ordering::AcqRel) {
                    each(index, f64::from_bits(slot.bits.load(Ordering::Acquire)));
                }
            }
        }
    }
}

/// More edits than this between two looks are dropped: a minute of dragging at 60 per second has 3,600.
const EDITS_KEPT: usize = 16_384;
