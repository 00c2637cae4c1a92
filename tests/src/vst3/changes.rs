//! Parameter changes of one block, as VST 3 passes them: one queue of points per parameter.
//!
//! All memory is made beforehand. The objects are used by one thread at a time: the audio side fills them, the plugin
//! reads or adds to them within `process`, and the audio side empties them.

use std::cell::{Cell, RefCell};
use vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID,
};
use vst3::Steinberg::{kInvalidArgument, kResultOk, tresult};
use vst3::{Class, ComPtr, ComWrapper};

/// The queues of one block.
pub(super) struct Changes {
    queues: Vec<(ComWrapper<Queue>, ComPtr<IParamValueQueue>)>,
    used: Cell<usize>,
}

impl Changes {
    /// Room for that many parameters in one block.
    pub(super) fn com(parameters: usize) -> ComWrapper<Changes> {
        let queue = |_| {
            let queue = ComWrapper::new(Queue::new());
            let pointer = queue.to_com_ptr()?;
            Some((queue, pointer))
        };
        ComWrapper::new(Changes { queues: (0..parameters).filter_map(queue).collect(), used: Cell::new(0) })
    }

    pub(super) fn clear(&self) {
        for (queue, _) in &self.queues[..self.used.get()] {
            queue.points.borrow_mut().clear();
        }
        self.used.set(0);
    }

    /// Adds a point behind those that the parameter has.
    pub(super) fn push(&self, id: ParamID, offset: i32, value: f64) {
        if let Some(index) = self.index(id) {
            self.queues[index].0.points.borrow_mut().push((offset, value));
        }
    }

    /// The last value of each parameter that has one.
    pub(super) fn last_values(&self, mut each: impl FnMut(ParamID, f64)) {
        for (queue, _) in &self.queues[..self.used.get()] {
            if let Some(&(_, value)) = queue.points.borrow().last() {
                each(queue.id.get(), value);
            }
        }
    }

    /// The queue of a parameter, taken into use if need be; `None` if all are in use by others.
    fn index(&self, id: ParamID) -> Option<usize> {
        let used = self.used.get();
        if let Some(found) = self.queues[..used].iter().position(|(queue, _)| queue.id.get() == id) {
            return Some(found);
        }
        let (queue, _) = self.queues.get(used)?;
        queue.id.set(id);
        self.used.set(used + 1);
        Some(used)
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> i32 {
        self.used.get() as i32
    }

    unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
        let queue = usize::try_from(index).ok().filter(|&index| index < self.used.get());
        queue.map_or(std::ptr::null_mut(), |index| self.queues[index].1.as_ptr())
    }

    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut i32) -> *mut IParamValueQueue {
        // SAFETY: null or valid, by the contract of the call.
        let (id, place) = unsafe { (id.as_ref(), index.as_mut()) };
        let Some(found) = id.and_then(|&id| self.index(id)) else { return std::ptr::null_mut() };
        if let Some(place) = place {
            *place = found as i32;
        }
        self.queues[found].1.as_ptr()
    }
}

/// The points of one parameter, in order of offset.
pub(super) struct Queue {
    id: Cell<ParamID>,
    points: RefCell<Vec<(i32, f64)>>,
}

impl Queue {
    fn new() -> Queue {
        Queue { id: Cell::new(0), points: RefCell::new(Vec::with_capacity(POINTS_EXPECTED)) }
    }
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id.get()
    }

    unsafe fn getPointCount(&self) -> i32 {
        self.points.borrow().len() as i32
    }

    unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut f64) -> tresult {
        let points = self.points.borrow();
        let point = usize::try_from(index).ok().and_then(|index| points.get(index));
        // SAFETY: null or valid, by the contract of the call.
        match (point, unsafe { (offset.as_mut(), value.as_mut()) }) {
            (Some(point), (Some(offset), Some(value))) => (*offset, *value) = *point,
            _ => return kInvalidArgument,
        }
        kResultOk
    }

    unsafe fn addPoint(&self, offset: i32, value: f64, index: *mut i32) -> tresult {
        let mut points = self.points.borrow_mut();
        let at = points.iter().rposition(|point| point.0 <= offset).map_or(0, |last| last + 1);
        points.insert(at, (offset, value));
        // SAFETY: null or valid, by the contract of the call.
        if let Some(index) = unsafe { index.as_mut() } {
            *index = at as i32;
        }
        kResultOk
    }
}

/// More points than this of one parameter in one block make the host allocate.
const POINTS_EXPECTED: usize = 64;
