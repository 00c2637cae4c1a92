//! What the bundles may not do on the audio thread: allocate, free, or call the system, whatever moves meanwhile.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod tandem;

use dsp_core::controls::{self, Controls};
use tandem::{everywhere, moved, noise, open};
use tandem_host::rack::Mapped;
use tandem_host::{Event, Setup, SideChain, heap_watch, system_calls};

tandem_host::heap_watch!();

/// Blocks with every automatable control moving at several offsets, a side chain, hostile samples, and an empty block.
fn process_is_clean<P: Controls>(name: &str, format: &str) {
    let mut plugin = open(name, format);
    let mapped = Mapped::all::<P>(&plugin).unwrap();
    let listed = controls::list::<P>();
    plugin.activate(Setup { side_chain: SideChain::Connected, ..Setup::default() }).unwrap();
    let [key_left, key_right] = noise(512);
    let [mut left, mut right] = noise(512);
    for pass in 0..12u64 {
        let params: P = moved(0x5EED + pass);
        let mut events = vec![];
        controls::for_each(&mut params.clone(), |i, control, value| {
            if !control.structural && (i as u64 + pass).is_multiple_of(3) {
                let value = mapped[i].native(&plugin, value.plain()).unwrap();
                events.push(Event { offset: (i * 37 + 100) % 512, parameter: mapped[i].parameter, value });
            }
        });
        if pass == 5 {
            (left[10], right[20]) = (f32::NAN, f32::INFINITY);
        }
        let frames = if pass == 7 { 0 } else { 512 };
        let key: [&[f32]; 2] = [&key_left[..frames], &key_right[..frames]];
        if frames == 0 {
            events.iter_mut().for_each(|e| e.offset = 0);
        }
        let ((result, system), heap) = heap_watch::watch(|| {
            system_calls::watch(|| {
                plugin.process(&mut [&mut left[..frames], &mut right[..frames]], Some(&key), None, &events)
            })
        });
        result.unwrap();
        assert!(heap.is_none(), "{name}.{format}, block {pass} of {} controls: {heap:#?}", listed.len());
        assert!(system.is_none(), "{name}.{format}, block {pass}: {system:#?}");
        plugin.idle();
    }
    let (_, heap) = heap_watch::watch(|| plugin.reset().unwrap());
    // VST3 resets by stopping and starting, which may allocate by its rules; CLAP resets on the audio thread
    assert!(format == "vst3" || heap.is_none(), "{name}.{format}, reset: {heap:#?}");
}

#[test]
fn no_heap_and_no_system_calls() {
    assert!(heap_watch::is_installed(), "a watch that sees nothing would prove nothing");
    assert!(system_calls::is_available(), "system calls cannot be watched here: Linux 5.11 on x86-64 is needed");
    everywhere!(process_is_clean);
}
