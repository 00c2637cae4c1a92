//! What an instance weighs: every byte that it holds once prepared, counted by the allocator.
#![allow(clippy::disallowed_macros)] // the figures are printed with --nocapture

use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams};
use dsp_core::controls::{self, Controls};
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::space::delay::{Delay, DelayParams, LineLength};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the bytes that a thread holds on the heap.
struct Counting;
thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}
fn note(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size as isize - layout.size() as isize);
        unsafe { System.realloc(at, layout, size) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every control at its upper end: switches on, structural choices (lookahead, quality) at what takes the most. The delay's line
/// alone, whose length is memory and nothing else, stays as it is.
fn all_up<P: Controls>() -> P {
    let mut params = P::default();
    let list = controls::list::<P>();
    controls::for_each(&mut params, |i, control, value| {
        if list[i].id != "delay.line" {
            value.set_plain(control.kind.ends().1);
        }
    });
    params
}

/// Bytes of an instance, itself and its heap: of the greater of all defaults and everything at its upper end.
fn bytes<P: Processor<2>>(make: impl Fn() -> P, rate_hz: f64) -> usize {
    let of = |params: &P::Params| {
        let before = HELD.get();
        let mut stage = Box::new(make());
        stage.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: 4096 }, params).unwrap();
        usize::try_from(HELD.get() - before).unwrap()
    };
    of(&P::Params::default()).max(of(&all_up()))
}

/// At 48 kHz, blocks of up to 4096 frames: 4 MB for a channel, 24 MB for a master, history of four hours included. A
/// megabyte here is 2²⁰ bytes.
#[test]
fn instances_are_light() {
    const MEGABYTE: usize = 1 << 20;
    let channel = bytes(ChannelStrip::<2>::new, 48_000.0);
    let master = bytes(MasteringBus::<2>::new, 48_000.0);
    for (name, bytes) in [
        ("channel at 48 kHz", channel),
        ("master at 48 kHz", master),
        ("channel at 192 kHz", bytes(ChannelStrip::<2>::new, 192_000.0)),
        ("master at 192 kHz", bytes(MasteringBus::<2>::new, 192_000.0)),
    ] {
        println!("{name}: {:.2} MB", bytes as f64 / MEGABYTE as f64);
    }
    // longer lines hold what they say, of two channels of four bytes
    let [normal, long, longest] = [LineLength::Normal, LineLength::Long, LineLength::Longest].map(|line| {
        let before = HELD.get();
        let mut delay = Box::new(Delay::<2>::new());
        let params = DelayParams { line, ..DelayParams::default() };
        delay.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 64 }, &params).unwrap();
        usize::try_from(HELD.get() - before).unwrap()
    });
    println!("delay at 48 kHz: {normal} bytes, {long}, {longest}");
    // lengths are rounded up to whole frames
    assert!((long - normal).abs_diff((16_000 - 6_800) * 48 * 2 * 4) <= 8);
    assert!((longest - normal).abs_diff((32_000 - 6_800) * 48 * 2 * 4) <= 8);
    assert!(channel <= 4 * MEGABYTE, "a channel holds {channel} bytes");
    assert!(master <= 24 * MEGABYTE, "a master holds {master} bytes");
}

/// An instance that is dropped leaves nothing behind, and one that is prepared again does not grow.
#[test]
fn nothing_leaks() {
    let before = HELD.get();
    let mut strip = Box::new(ChannelStrip::<2>::new());
    let config = StreamConfig { sample_rate_hz: 48_000.0, max_frames: 512 };
    strip.prepare(config, &ChannelStripParams::default()).unwrap();
    let once = HELD.get();
    for _ in 0..3 {
        strip.prepare(config, &all_up()).unwrap();
        strip.prepare(config, &ChannelStripParams::default()).unwrap();
    }
    assert_eq!(HELD.get(), once);
    drop(strip);
    assert_eq!(HELD.get(), before);
    let mut bus = Box::new(MasteringBus::<2>::new());
    bus.prepare(config, &MasteringBusParams::default()).unwrap();
    drop(bus);
    assert_eq!(HELD.get(), before);
}
