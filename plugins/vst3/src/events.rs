//! The points of the host's parameter queues as CLAP events, in order of time.

use crate::parameters::{Parameter, Parameters};
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, clap_event_header, clap_event_param_value, clap_input_events,
};
use std::ffi::c_void;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use vst3::ComRef;
use vst3::Steinberg::Vst::{IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait};
use vst3::Steinberg::kResultOk;

/// An event, and its place among those of the same frame.
#[repr(C)]
#[derive(Clone, Copy)]
struct Placed {
    event: clap_event_param_value,
    place: u32,
}

/// Events for one call of the plugin. The memory is made once.
pub(crate) struct Events {
    list: Vec<Placed>,
    room: usize,
}

/// What became of a request for the points of some frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Gathered {
    /// All are there.
    All,
    /// There are more than there is room for; the first ones in the host's order are there.
    Part,
}

/// A change of a parameter to one of the plugin's values.
pub(crate) fn value_event(parameter: &Parameter, value: f64) -> clap_event_param_value {
    clap_event_param_value {
        header: clap_event_header {
            size: size_of::<clap_event_param_value>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_PARAM_VALUE,
            flags: 0,
        },
        param_id: parameter.id,
        cookie: parameter.cookie.0,
        // every note, port, channel and key
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value,
    }
}

impl Events {
    /// Room for that many events. Allocates.
    pub(crate) fn with_room(room: usize) -> Events {
        Events { list: Vec::with_capacity(room), room }
    }

    /// Puts in the points whose frame, of a block of `frames`, is in `span`; points outside the block count as at its
    /// nearest frame. The first `skip` of them are left out. Times count from the start of the span. What the
    /// parameters are shown at follows. Real-time safe.
    pub(crate) fn gather(
        &mut self,
        changes: ComRef<IParameterChanges>,
        parameters: &Parameters,
        frames: usize,
        span: Range<usize>,
        skip: usize,
    ) -> Gathered {
        self.list.clear();
        let last_frame = i32::try_from(frames.saturating_sub(1)).unwrap_or(i32::MAX);
        let mut found = 0;
        // SAFETY: the host's object, alive during the call of `process` in which this happens.
        let queues = unsafe { changes.getParameterCount() };
        for index in 0..queues {
            // SAFETY: as above; the queue lives as long as the changes.
            let Some(queue) = (unsafe { ComRef::from_raw(changes.getParameterData(index)) }) else { continue };
            // SAFETY: as above.
            let (id, points) = unsafe { (queue.getParameterId(), queue.getPointCount()) };
            let Some(parameter) = parameters.find(id) else { continue };
            for point in 0..points {
                let (mut offset, mut position) = (0, 0.0);
                // SAFETY: as above, with places for the answers.
                if unsafe { queue.getPoint(point, &mut offset, &mut position) } != kResultOk || position.is_nan() {
                    continue;
                }
                let frame = offset.clamp(0, last_frame) as usize;
                if !span.contains(&frame) {
                    continue;
                }
                found += 1;
                if found <= skip {
                    continue;
                }
                if self.list.len() == self.room {
                    self.sort();
                    return Gathered::Part;
                }
                let mut event = value_event(parameter, parameter.range.value(position));
                event.header.time = (frame - span.start) as u32;
                self.list.push(Placed { event, place: self.list.len() as u32 });
                parameter.show(position);
                parameter.awaits_block.store(false, Relaxed);
            }
        }
        self.sort();
        Gathered::All
    }

    /// In order of time, and within a frame in the host's order.
    fn sort(&mut self) {
        let key = |placed: &Placed| (placed.event.header.time, placed.place);
        if !self.list.is_sorted_by_key(key) {
            // the stable sort would allocate
            self.list.sort_unstable_by_key(key);
        }
    }

    /// Nothing to tell.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// One change at the start. For calls of the main thread: allocates where there is no room.
    pub(crate) fn push(&mut self, parameter: &Parameter, value: f64) {
        self.list.push(Placed { event: value_event(parameter, value), place: self.list.len() as u32 });
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The list for the plugin, valid while this is borrowed.
    pub(crate) fn input(&self) -> clap_input_events {
        clap_input_events { ctx: (&raw const *self).cast_mut().cast::<c_void>(), size: Some(size), get: Some(get) }
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: `ctx` is the value that `input` was called on, which is borrowed while the plugin has the list.
    unsafe { &*(*list).ctx.cast::<Events>() }.list.len() as u32
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let events = unsafe { &*(*list).ctx.cast::<Events>() };
    events.list.get(index as usize).map_or(std::ptr::null(), |placed| (&raw const *placed).cast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap_sys::ext::params::clap_param_info;
    use vst3::Steinberg::Vst::{IParamValueQueue, ParamID};
    use vst3::Steinberg::{kResultFalse, tresult};
    use vst3::{Class, ComPtr, ComWrapper};

    struct Queue(u32, Vec<(i32, f64)>);

    impl Class for Queue {
        type Interfaces = (IParamValueQueue,);
    }

    impl IParamValueQueueTrait for Queue {
        unsafe fn getParameterId(&self) -> ParamID {
            self.0
        }

        unsafe fn getPointCount(&self) -> i32 {
            self.1.len() as i32
        }

        unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut f64) -> tresult {
            // SAFETY: valid by the caller.
            unsafe { (*offset, *value) = self.1[index as usize] };
            kResultOk
        }

        unsafe fn addPoint(&self, _: i32, _: f64, _: *mut i32) -> tresult {
            kResultFalse
        }
    }

    struct Changes(Vec<ComPtr<IParamValueQueue>>);

    impl Class for Changes {
        type Interfaces = (IParameterChanges,);
    }

    impl IParameterChangesTrait for Changes {
        unsafe fn getParameterCount(&self) -> i32 {
            self.0.len() as i32
        }

        unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
            self.0[index as usize].as_ptr()
        }

        unsafe fn addParameterData(&self, _: *const ParamID, _: *mut i32) -> *mut IParamValueQueue {
            std::ptr::null_mut()
        }
    }

    fn changes(queues: &[(u32, &[(i32, f64)])]) -> ComWrapper<Changes> {
        let queue = |(id, points): &(u32, &[(i32, f64)])| {
            ComWrapper::new(Queue(*id, points.to_vec())).to_com_ptr::<IParamValueQueue>().unwrap()
        };
        ComWrapper::new(Changes(queues.iter().map(queue).collect()))
    }

    /// Parameters 1, 2 and 3 from 0 to 10.
    fn parameters() -> Parameters {
        let infos = [1, 2, 3].map(|id| {
            // SAFETY: plain data, for which zeros are a value.
            let mut info: clap_param_info = unsafe { std::mem::zeroed() };
            (info.id, info.max_value) = (id, 10.0);
            info
        });
        Parameters::from_infos(&infos)
    }

    fn seen(events: &Events) -> Vec<(u32, u32, f64)> {
        let list = events.input();
        // SAFETY: the list is borrowed from `events`, and holds changes of parameters only.
        unsafe {
            (0..size(&list))
                .map(|index| &*get(&list, index).cast::<clap_event_param_value>())
                .map(|event| (event.header.time, event.param_id, event.value))
                .collect()
        }
    }

    #[test]
    fn every_point_comes_at_its_frame_in_order() {
        let parameters = parameters();
        let host = changes(&[
            (2, &[(5, 0.1), (5, 0.2), (9, 0.3)]),
            (99, &[(0, 1.0)]),
            (1, &[(-3, 0.4), (5, 0.5), (6, f64::NAN), (70, 2.0)]),
        ]);
        let mut events = Events::with_room(8);
        let pointer = host.as_com_ref::<IParameterChanges>().unwrap();
        assert_eq!(events.gather(pointer, &parameters, 64, 0..64, 0), Gathered::All);
        assert_eq!(seen(&events), [(0, 1, 4.0), (5, 2, 1.0), (5, 2, 2.0), (5, 1, 5.0), (9, 2, 3.0), (63, 1, 10.0)]);
        assert_eq!(parameters.find(1).unwrap().shown(), 1.0);
        assert_eq!(parameters.find(2).unwrap().shown(), 0.3);
        assert_eq!(parameters.find(3).unwrap().shown(), 0.0);
    }

    #[test]
    fn spans_part_the_points_between_them() {
        let parameters = parameters();
        let host = changes(&[(1, &[(0, 0.1), (31, 0.2), (32, 0.3)]), (2, &[(63, 0.4)])]);
        let pointer = host.as_com_ref::<IParameterChanges>().unwrap();
        let mut events = Events::with_room(2);
        assert_eq!(events.gather(pointer, &parameters, 64, 0..64, 0), Gathered::Part);
        assert_eq!(events.gather(pointer, &parameters, 64, 0..32, 0), Gathered::All);
        assert_eq!(seen(&events), [(0, 1, 1.0), (31, 1, 2.0)]);
        assert_eq!(events.gather(pointer, &parameters, 64, 32..64, 0), Gathered::All);
        assert_eq!(seen(&events), [(0, 1, 3.0), (31, 2, 4.0)]);
    }

    #[test]
    fn one_frame_comes_in_parts_if_it_must() {
        let parameters = parameters();
        let points: Vec<(i32, f64)> = (1..=5).map(|n| (7, f64::from(n) / 10.0)).collect();
        let host = changes(&[(1, &points)]);
        let pointer = host.as_com_ref::<IParameterChanges>().unwrap();
        let mut events = Events::with_room(2);
        let mut all = vec![];
        let mut skip = 0;
        while events.gather(pointer, &parameters, 64, 7..8, skip) == Gathered::Part {
            skip += events.len();
            all.extend(seen(&events).iter().map(|event| event.2));
        }
        all.extend(seen(&events).iter().map(|event| event.2));
        assert_eq!(all, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
