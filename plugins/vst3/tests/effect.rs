//! The whole layer around a plugin of which every answer is known, as hosts good and bad treat it.

// the host's timer is Linux's; the rest is the same everywhere
#![cfg(target_os = "linux")]

mod fake;

use fake::{FAKE, GAIN, STRUCTURE, Said};
use std::cell::RefCell;
use std::ptr::null_mut;
use std::rc::Rc;
use vst3::Steinberg::Linux::{IEventHandler, IRunLoop, IRunLoopTrait, ITimerHandler, ITimerHandlerTrait};
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComRef, ComWrapper};

/// What the host has been told, in order.
type Told = Rc<RefCell<Vec<String>>>;

struct Handler(Told);

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, id: ParamID) -> tresult {
        self.0.borrow_mut().push(format!("begin {id}"));
        kResultOk
    }

    unsafe fn performEdit(&self, id: ParamID, value: f64) -> tresult {
        self.0.borrow_mut().push(format!("perform {id} {value}"));
        kResultOk
    }

    unsafe fn endEdit(&self, id: ParamID) -> tresult {
        self.0.borrow_mut().push(format!("end {id}"));
        kResultOk
    }

    unsafe fn restartComponent(&self, flags: i32) -> tresult {
        self.0.borrow_mut().push(format!("restart {flags}"));
        kResultOk
    }
}

/// The host's event loop: one timer at most, fired by hand.
#[derive(Default)]
struct Context(RefCell<Option<ComPtr<ITimerHandler>>>);

impl Class for Context {
    type Interfaces = (IRunLoop,);
}

impl IRunLoopTrait for Context {
    unsafe fn registerEventHandler(&self, _: *mut IEventHandler, _: i32) -> tresult {
        kResultFalse
    }

    unsafe fn unregisterEventHandler(&self, _: *mut IEventHandler) -> tresult {
        kResultFalse
    }

    unsafe fn registerTimer(&self, handler: *mut ITimerHandler, _: u64) -> tresult {
        // SAFETY: alive, by the contract.
        *self.0.borrow_mut() = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
        kResultOk
    }

    unsafe fn unregisterTimer(&self, _: *mut ITimerHandler) -> tresult {
        self.0.borrow_mut().take();
        kResultOk
    }
}

/// One queue of points for each parameter.
#[derive(Default)]
struct Changes(RefCell<Vec<ComWrapper<Queue>>>);

struct Queue(u32, RefCell<Vec<(i32, f64)>>);

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.0
    }

    unsafe fn getPointCount(&self) -> i32 {
        self.1.borrow().len() as i32
    }

    unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut f64) -> tresult {
        // SAFETY: valid, by the contract.
        unsafe { (*offset, *value) = self.1.borrow()[index as usize] };
        kResultOk
    }

    unsafe fn addPoint(&self, offset: i32, value: f64, _: *mut i32) -> tresult {
        self.1.borrow_mut().push((offset, value));
        kResultOk
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> i32 {
        self.0.borrow().len() as i32
    }

    unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
        self.0.borrow()[index as usize].as_com_ref().unwrap().as_ptr()
    }

    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut i32) -> *mut IParamValueQueue {
        // SAFETY: valid, by the contract.
        unsafe { *index = self.0.borrow().len() as i32 };
        // SAFETY: as above.
        self.0.borrow_mut().push(ComWrapper::new(Queue(unsafe { *id }, RefCell::default())));
        self.0.borrow().last().unwrap().as_com_ref().unwrap().as_ptr()
    }
}

struct Host {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    context: ComWrapper<Context>,
    told: Told,
    incoming: Vec<(u32, Vec<(i32, f64)>)>,
    outgoing: ComWrapper<Changes>,
}

/// A bus of the host's: a pointer for each channel.
type Pointers = Vec<*mut f32>;

impl Host {
    fn new() -> Host {
        // SAFETY of all below: live objects, used by the rules of the format, and buffers of the lengths given.
        unsafe {
            let factory = tandem_vst3::entry::factory(&raw const fake::ENTRY).cast::<IPluginFactory>();
            let factory = ComPtr::from_raw(factory).expect("a factory");
            let class = tandem_vst3::class_id("test.fake");
            let mut object = null_mut();
            let interface = <IComponent as vst3::Interface>::IID;
            assert_eq!(factory.createInstance(class.as_ptr(), interface.as_ptr().cast(), &mut object), kResultOk);
            let component: ComPtr<IComponent> = ComPtr::from_raw(object.cast()).unwrap();
            let context = ComWrapper::new(Context::default());
            let pointer = context.to_com_ptr::<FUnknown>().unwrap();
            assert_eq!(component.initialize(pointer.as_ptr()), kResultOk);
            let told = Told::default();
            let handler = ComWrapper::new(Handler(told.clone())).to_com_ptr::<IComponentHandler>().unwrap();
            let controller: ComPtr<IEditController> = component.cast().unwrap();
            controller.setComponentHandler(handler.as_ptr());
            let processor = component.cast().unwrap();
            let outgoing = ComWrapper::new(Changes::default());
            Host { component, processor, controller, context, told, incoming: vec![], outgoing }
        }
    }

    fn set_up(&self, rate: f64, frames: i32) -> tresult {
        let mut setup =
            ProcessSetup { processMode: 0, symbolicSampleSize: 0, maxSamplesPerBlock: frames, sampleRate: rate };
        // SAFETY: see `new`.
        unsafe { self.processor.setupProcessing(&mut setup) }
    }

    fn activate(&self, frames: i32) {
        assert_eq!(self.set_up(48_000.0, frames), kResultOk);
        // SAFETY: see `new`.
        unsafe { assert_eq!(self.component.setActive(1), kResultOk) };
    }

    fn arrange(&self, inputs: &mut [u64], outputs: &mut [u64]) -> tresult {
        let (ins, outs) = (inputs.len() as i32, outputs.len() as i32);
        // SAFETY: see `new`.
        unsafe { self.processor.setBusArrangements(inputs.as_mut_ptr(), ins, outputs.as_mut_ptr(), outs) }
    }

    fn use_side_chain(&self) {
        // SAFETY: see `new`.
        unsafe { assert_eq!(self.component.activateBus(0, 0, 1, 1), kResultOk) };
    }

    /// One block, with the points that wait.
    fn process(&mut self, frames: usize, inputs: &mut [Pointers], outputs: &mut [Pointers]) -> tresult {
        let bus = |pointers: &mut Pointers| AudioBusBuffers {
            numChannels: pointers.len() as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers.as_mut_ptr().cast() },
        };
        let mut inputs: Vec<AudioBusBuffers> = inputs.iter_mut().map(bus).collect();
        let mut outputs: Vec<AudioBusBuffers> = outputs.iter_mut().map(bus).collect();
        let queues =
            self.incoming.drain(..).map(|(id, points)| ComWrapper::new(Queue(id, RefCell::new(points)))).collect();
        let incoming = ComWrapper::new(Changes(RefCell::new(queues)));
        let mut data = ProcessData {
            processMode: 0,
            symbolicSampleSize: 0,
            numSamples: frames as i32,
            numInputs: inputs.len() as i32,
            numOutputs: outputs.len() as i32,
            inputs: inputs.as_mut_ptr(),
            outputs: outputs.as_mut_ptr(),
            inputParameterChanges: incoming.as_com_ref().unwrap().as_ptr(),
            outputParameterChanges: self.outgoing.as_com_ref().unwrap().as_ptr(),
            inputEvents: null_mut(),
            outputEvents: null_mut(),
            processContext: null_mut(),
        };
        // SAFETY: see `new`.
        unsafe { self.processor.process(&mut data) }
    }

    /// Stereo in separate memory.
    fn play(&mut self, left: &[f32], right: &[f32]) -> [Vec<f32>; 2] {
        let mut input = [left.to_vec(), right.to_vec()];
        let mut output = [vec![f32::NAN; left.len()], vec![f32::NAN; left.len()]];
        let pointers =
            |audio: &mut [Vec<f32>; 2]| audio.iter_mut().map(|channel| channel.as_mut_ptr()).collect::<Pointers>();
        let result = self.process(left.len(), &mut [pointers(&mut input)], &mut [pointers(&mut output)]);
        assert_eq!(result, kResultOk);
        output
    }

    /// The timer fires that often.
    fn look(&self, times: usize) {
        for _ in 0..times {
            let timer = self.context.0.borrow().clone().expect("a timer");
            // SAFETY: see `new`.
            unsafe { timer.onTimer() };
        }
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.borrow_mut())
    }

    fn latency(&self) -> u32 {
        // SAFETY: see `new`.
        unsafe { self.processor.getLatencySamples() }
    }

    fn set(&self, id: u32, position: f64) {
        // SAFETY: see `new`.
        unsafe { assert_eq!(self.controller.setParamNormalized(id, position), kResultOk) };
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // SAFETY: see `new`.
        unsafe {
            self.component.setActive(0);
            self.controller.setComponentHandler(null_mut());
            assert_eq!(self.component.terminate(), kResultOk);
        }
        assert!(self.context.0.borrow().is_none(), "the timer is taken back");
        assert_eq!(*FAKE.with(|fake| fake.mistakes.take()), [] as [String; 0]);
    }
}

fn gain() -> f64 {
    FAKE.with(|fake| fake.gain.get())
}

#[test]
fn the_parts_are_one_object() {
    let host = Host::new();
    // SAFETY: live objects.
    unsafe {
        let [a, b, c] = [host.component.cast::<FUnknown>(), host.processor.cast(), host.controller.cast()];
        assert!(a.as_ref().unwrap().as_ptr() == b.unwrap().as_ptr() && a.unwrap().as_ptr() == c.unwrap().as_ptr());
        assert!(host.component.initialize(null_mut()) != kResultOk, "initialised twice");
    }
    assert!(host.component.cast::<IUnitInfo>().is_some() && host.component.cast::<IConnectionPoint>().is_none());
}

#[test]
fn blocks_longer_than_agreed_are_parted_and_points_stay_where_they_are() {
    let mut host = Host::new();
    host.activate(64);
    host.incoming = vec![(GAIN, vec![(0, 0.25), (63, 0.0), (64, 1.0), (150, 0.5)])];
    let [left, right] = host.play(&[1.0; 200], &[2.0; 200]);
    for frame in 0..200 {
        let expected = match frame {
            0..63 => 0.5,
            63 => 0.0,
            64..150 => 2.0,
            _ => 1.0,
        };
        assert_eq!((left[frame], right[frame]), (expected, 2.0 * expected), "frame {frame}");
    }
    assert_eq!(FAKE.with(|fake| fake.blocks.take()), [(64, 2), (64, 1), (64, 1), (8, 0)]);
}

#[test]
fn memory_that_is_shared_crosswise_is_kept_apart() {
    let mut host = Host::new();
    host.use_side_chain();
    host.activate(8);
    let (mut a, mut b) = ([1.0_f32; 4], [2.0_f32; 4]);
    let (pa, pb) = (a.as_mut_ptr(), b.as_mut_ptr());
    // outputs lie over the inputs crosswise, and the side chain under both
    let result = host.process(4, &mut [vec![pa, pb], vec![pb, pa]], &mut [vec![pb, pa]]);
    assert_eq!(result, kResultOk);
    assert_eq!((b, a), ([1.0 + 2000.0; 4], [2.0 + 1000.0; 4]));
    // in place, as usual
    let (mut a, mut b) = ([1.0_f32; 4], [2.0_f32; 4]);
    let both = vec![a.as_mut_ptr(), b.as_mut_ptr()];
    host.process(4, &mut [both.clone()], &mut [both]);
    assert_eq!((a, b), ([1.0; 4], [2.0; 4]));
}

#[test]
fn what_a_host_leaves_out_is_silent_and_what_it_adds_too() {
    let mut host = Host::new();
    host.use_side_chain();
    host.activate(8);
    let mut input = [3.0_f32; 4];
    let mut out = [[f32::NAN; 4]; 3];
    let pointers: Pointers = out.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
    // one channel in of two, a null pointer and no side chain; three channels out
    let result = host.process(4, &mut [vec![input.as_mut_ptr()], vec![null_mut(), null_mut()]], &mut [pointers]);
    assert_eq!(result, kResultOk);
    assert_eq!(out, [[3.0; 4], [0.0; 4], [0.0; 4]]);
    // no busses at all, and only the left output
    assert_eq!(host.process(4, &mut [], &mut []), kResultOk);
    let mut left = [f32::NAN; 4];
    let result = host.process(4, &mut [vec![input.as_mut_ptr(); 2]], &mut [vec![left.as_mut_ptr()]]);
    assert_eq!((result, left), (kResultOk, [3.0; 4]));
    // not active: silence rather than noise
    // SAFETY: a live object.
    unsafe { host.component.setActive(0) };
    let result = host.process(4, &mut [vec![input.as_mut_ptr(); 2]], &mut [vec![left.as_mut_ptr()]]);
    assert_eq!((result, left), (kResultFalse, [0.0; 4]));
}

#[test]
fn side_chains_count_when_they_are_in_use_and_may_be_mono() {
    let mut host = Host::new();
    let (mono, stereo) = (SpeakerArr::kMono, SpeakerArr::kStereo);
    assert_eq!(host.arrange(&mut [stereo, mono], &mut [stereo]), kResultOk);
    let mut arrangement = 0;
    // SAFETY: live objects, with places for the answers.
    unsafe { host.processor.getBusArrangement(0, 1, &mut arrangement) };
    assert_eq!(arrangement, mono);
    let block = |host: &mut Host| {
        let (mut input, mut key, mut out) = ([[1.0_f32; 2]; 2], [5.0_f32; 2], [[0.0_f32; 2]; 2]);
        let inputs = vec![input[0].as_mut_ptr(), input[1].as_mut_ptr()];
        let outputs = vec![out[0].as_mut_ptr(), out[1].as_mut_ptr()];
        assert_eq!(host.process(2, &mut [inputs, vec![key.as_mut_ptr()]], &mut [outputs]), kResultOk);
        out
    };
    host.activate(8);
    assert_eq!(block(&mut host), [[1.0; 2]; 2], "not in use");
    // SAFETY: a live object.
    unsafe { host.component.setActive(0) };
    host.use_side_chain();
    host.activate(8);
    assert_eq!(block(&mut host), [[5001.0; 2]; 2], "one key for both");
    assert_eq!(host.arrange(&mut [mono, mono], &mut [mono]), kResultFalse, "not while active");
}

#[test]
fn gestures_reach_the_host_in_order() {
    let mut host = Host::new();
    host.activate(8);
    let say = |what: &[(u32, Said)]| FAKE.with(|fake| fake.says.borrow_mut().extend_from_slice(what));
    say(&[
        (GAIN, Said::Begin),
        (GAIN, Said::Begin),
        (GAIN, Said::Value(0.5)),
        (GAIN, Said::Value(1.5)),
        (GAIN, Said::End),
        (GAIN, Said::End),
    ]);
    host.play(&[1.0; 4], &[1.0; 4]);
    assert_eq!(host.told(), [] as [&str; 0], "not on the audio thread");
    host.look(1);
    assert_eq!(host.told(), ["begin 1", "perform 1 0.25", "perform 1 0.75", "end 1"]);
    // SAFETY: a live object.
    assert_eq!(unsafe { host.controller.getParamNormalized(GAIN) }, 0.75);
    // by itself, without a hand on it: told with the block
    say(&[(GAIN, Said::Value(1.0))]);
    host.play(&[1.0; 4], &[1.0; 4]);
    host.look(1);
    assert_eq!(host.told(), [] as [&str; 0]);
    let queues = host.outgoing.0.take();
    assert_eq!((queues.len(), queues[0].0, queues[0].1.take()), (1, GAIN, vec![(0, 0.5)]));
}

#[test]
fn the_block_decides_while_blocks_come_and_the_host_when_they_stop() {
    let mut host = Host::new();
    host.set(GAIN, 0.25);
    assert_eq!(gain(), 0.5, "inactive: at once");
    host.activate(8);
    // SAFETY: a live object.
    unsafe { host.processor.setProcessing(1) };
    host.incoming = vec![(GAIN, vec![(0, 1.0)])];
    host.play(&[1.0; 4], &[1.0; 4]);
    host.set(GAIN, 0.9);
    host.look(1);
    let [left, _] = host.play(&[1.0; 4], &[1.0; 4]);
    assert_eq!(left, [2.0; 4], "an echo of what the host shows changes nothing that is heard");
    // SAFETY: a live object.
    assert_eq!(unsafe { host.controller.getParamNormalized(GAIN) }, 0.9, "but the controller shows it");
    // no more blocks, though the host has not said so
    host.look(20);
    assert_eq!(gain(), 1.8);
    host.play(&[1.0; 4], &[1.0; 4]);
    host.set(GAIN, 0.125);
    // SAFETY: a live object.
    unsafe { host.processor.setProcessing(0) };
    host.look(1);
    assert_eq!(gain(), 0.25, "the host has said so");
}

#[test]
fn the_latency_is_known_before_it_is_needed() {
    let host = Host::new();
    host.set(STRUCTURE, 1.0);
    assert_eq!(host.set_up(48_000.0, 64), kResultOk);
    assert_eq!(host.latency(), 30, "before it is active");
    let tried = FAKE.with(|fake| fake.activations.get());
    assert_eq!(host.latency(), 30);
    assert_eq!(FAKE.with(|fake| fake.activations.get()), tried, "not tried out twice");
    host.set(STRUCTURE, 0.0);
    assert_eq!(host.latency(), 0);
    host.activate(64);
    assert_eq!(host.latency(), 0);
    assert_eq!(host.told(), [] as [&str; 0]);
    // SAFETY: a live object.
    unsafe { host.component.setActive(0) };
    assert_eq!(host.set_up(5_000.0, 64), kResultFalse, "a rate that the plugin does not serve");
    assert_eq!(host.set_up(48_000.0, 0), kResultFalse);
}

#[test]
fn a_restart_is_asked_for_and_done_if_nobody_does_it() {
    let mut host = Host::new();
    host.activate(8);
    host.incoming = vec![(STRUCTURE, vec![(0, 1.0)])];
    host.play(&[1.0; 4], &[1.0; 4]);
    assert_eq!(host.told(), [] as [&str; 0], "not on the audio thread");
    host.look(1);
    let latency_changed = format!("restart {}", RestartFlags_::kLatencyChanged);
    assert_eq!(host.told(), [latency_changed.as_str()]);
    // a host that restarts
    // SAFETY: a live object.
    unsafe { host.component.setActive(0) };
    host.activate(8);
    assert_eq!(host.latency(), 30);
    host.look(100);
    assert_eq!(host.told(), [] as [&str; 0]);
    // a host that only asks
    host.incoming = vec![(STRUCTURE, vec![(0, 0.0)])];
    host.play(&[1.0; 4], &[1.0; 4]);
    host.look(1);
    assert_eq!((host.told(), host.latency()), (vec![latency_changed.clone()], 30));
    host.look(100);
    assert_eq!((host.told(), host.latency()), (vec![latency_changed], 0));
    let [left, _] = host.play(&[1.0; 4], &[1.0; 4]);
    assert_eq!(left, [1.0; 4], "and plays on");
}

#[test]
fn empty_blocks_carry_every_point() {
    let mut host = Host::new();
    host.activate(8);
    let many = (0..10_000).map(|n| (n % 64, f64::from(n) / 10_000.0)).chain([(0, 0.75)]).collect();
    host.incoming = vec![(GAIN, many)];
    assert_eq!(host.process(0, &mut [], &mut []), kResultOk);
    assert_eq!(gain(), 1.5, "the last in the host's order");
    let flushes = FAKE.with(|fake| fake.flushes.take());
    assert!(flushes.len() > 1, "in parts, as it must not allocate");
    assert_eq!(flushes.iter().sum::<usize>(), 10_001, "each of them");
    assert!(FAKE.with(|fake| fake.blocks.borrow().is_empty()), "no block of no frames for the plugin");
}

#[test]
fn a_crowded_block_loses_no_point() {
    let mut host = Host::new();
    host.activate(64);
    // more in frame 40 alone than there is room for, and some in every other
    let crowd = (0..9000).map(|n| (40, f64::from(n) / 9000.0));
    let points: Vec<(i32, f64)> = (0..40).map(|n| (n, 0.5)).chain(crowd).chain((41..64).map(|n| (n, 0.25))).collect();
    let count = points.len();
    host.incoming = vec![(GAIN, points)];
    let [left, _] = host.play(&[1.0; 64], &[1.0; 64]);
    let (flushes, blocks) = FAKE.with(|fake| (fake.flushes.take(), fake.blocks.take()));
    let arrived = flushes.iter().sum::<usize>() + blocks.iter().map(|block| block.1).sum::<usize>();
    assert_eq!(arrived, count, "{flushes:?} {blocks:?}");
    assert_eq!(blocks.iter().map(|block| block.0).sum::<usize>(), 64);
    let last = (2.0 * 8999.0 / 9000.0) as f32;
    let expected = |frame| {
        if frame < 40 {
            1.0
        } else if frame == 40 {
            last
        } else {
            0.5
        }
    };
    assert!(left.iter().enumerate().all(|(frame, sample)| *sample == expected(frame)), "{left:?}");
    // there is more room after the next activation
    // SAFETY: a live object.
    unsafe { host.component.setActive(0) };
    host.activate(64);
    host.incoming = vec![(GAIN, (0..8000).map(|n| (n % 64, 0.5)).collect())];
    host.play(&[1.0; 64], &[1.0; 64]);
    assert_eq!(FAKE.with(|fake| (fake.flushes.take().len(), fake.blocks.take())), (0, vec![(64, 8000)]));
}
