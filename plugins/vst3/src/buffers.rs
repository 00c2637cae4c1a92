//! The host's buffers as CLAP's: every port with all its channels, whatever the host leaves out.

use crate::arrangement::{Bus, Layouts};
use clap_sys::audio_buffer::clap_audio_buffer;
use std::ptr::null_mut;
use vst3::Steinberg::Vst::AudioBusBuffers;

/// The buffers of one direction.
pub(crate) struct Ports {
    ports: Vec<Port>,
    /// For the plugin, with pointers into `ports`.
    clap: Vec<clap_audio_buffer>,
}

struct Port {
    in_use: bool,
    /// The host gives one channel for all.
    from_mono: bool,
    channels: Vec<Channel>,
    /// For the plugin, of the frames at hand.
    pointers: Vec<*mut f32>,
}

struct Channel {
    /// The host's memory, or null where our own takes its place.
    host: *mut f32,
    /// The host's memory has to be left alone: the plugin gets a copy.
    copied: bool,
    /// The channel at the other side that may have the same memory.
    pair: Option<(usize, usize)>,
    own: Vec<f32>,
}

// SAFETY: the pointers lead into memory of this value, or of the host for the length of a call of `process`.
unsafe impl Send for Ports {}

impl Ports {
    /// Buffers for the inputs (0) or outputs (1) of the layout in use, as long as a block can be. Allocates.
    pub(crate) fn new(layouts: &Layouts, direction: usize, max_frames: usize) -> Ports {
        let (busses, others) = (layouts.busses(direction), layouts.busses(1 - direction));
        let in_use = layouts.in_use.get(direction).map_or(&[][..], Vec::as_slice);
        let port = |(index, bus): (usize, &Bus)| Port {
            in_use: in_use.get(index).copied().unwrap_or(false),
            from_mono: layouts.width(direction, index) != Some(bus.channels),
            channels: (0..bus.channels)
                .map(|channel| Channel {
                    host: null_mut(),
                    copied: false,
                    pair: others.iter().position(|other| bus.is_paired_with(other)).map(|other| (other, channel)),
                    own: vec![0.0; max_frames],
                })
                .collect(),
            pointers: vec![null_mut(); bus.channels],
        };
        let mut ports: Vec<Port> = busses.iter().enumerate().map(port).collect();
        let clap = ports
            .iter_mut()
            .map(|port| clap_audio_buffer {
                data32: port.pointers.as_mut_ptr(),
                data64: null_mut(),
                channel_count: port.pointers.len() as u32,
                latency: 0,
                constant_mask: 0,
            })
            .collect();
        Ports { ports, clap }
    }

    /// Takes the host's memory for a block. Channels that are missing, not in use or, in inputs, flagged as silent get
    /// our own. Real-time safe.
    ///
    /// # Safety
    /// `busses` is null or leads to `count` busses, each with as many pointers as it says, or null.
    pub(crate) unsafe fn take(&mut self, busses: *const AudioBusBuffers, count: i32, skip_silent: bool) {
        for (index, (port, clap)) in self.ports.iter_mut().zip(&mut self.clap).enumerate() {
            let given = !busses.is_null() && index < usize::try_from(count).unwrap_or(0) && port.in_use;
            // SAFETY: within the count, by the contract above.
            let bus = given.then(|| unsafe { &*busses.add(index) });
            clap.constant_mask = 0;
            for (number, channel) in port.channels.iter_mut().enumerate() {
                channel.copied = false;
                channel.host = bus.map_or(null_mut(), |bus| {
                    let number = if port.from_mono { 0 } else { number };
                    let silent = skip_silent && number < 64 && bus.silenceFlags >> number & 1 != 0;
                    // SAFETY: the busses hold 32-bit samples, as no others are accepted.
                    let pointers = unsafe { bus.__field0.channelBuffers32 };
                    if silent || pointers.is_null() || number >= usize::try_from(bus.numChannels).unwrap_or(0) {
                        return null_mut();
                    }
                    // SAFETY: within the bus's channels.
                    unsafe { *pointers.add(number) }.cast()
                });
                if channel.host.is_null() && skip_silent {
                    channel.own.fill(0.0);
                    if number < 64 {
                        clap.constant_mask |= 1 << number;
                    }
                }
            }
        }
    }

    /// Marks inputs whose memory is also that of an output with which they must not share it: the plugin might write the
    /// output before it reads the input. Real-time safe.
    pub(crate) fn keep_apart(&mut self, outputs: &Ports) {
        for channel in self.ports.iter_mut().flat_map(|port| &mut port.channels) {
            channel.copied = !channel.host.is_null()
                && outputs.ports.iter().enumerate().any(|(index, port)| {
                    port.channels
                        .iter()
                        .enumerate()
                        .any(|(number, output)| output.host == channel.host && channel.pair != Some((index, number)))
                });
        }
    }

    /// Points the plugin's buffers to the frames from `start`. Real-time safe.
    ///
    /// # Safety
    /// The memory taken is still valid, and has `frames` frames from `start`; there are not more than a block can have.
    pub(crate) unsafe fn point(&mut self, start: usize, frames: usize) {
        for port in &mut self.ports {
            for (channel, pointer) in port.channels.iter_mut().zip(&mut port.pointers) {
                *pointer = if channel.host.is_null() {
                    channel.own.as_mut_ptr()
                } else {
                    // SAFETY: within the host's memory, by the contract above.
                    let host = unsafe { channel.host.add(start) };
                    if channel.copied {
                        let frames = frames.min(channel.own.len());
                        // SAFETY: as many frames as both have, in different memory.
                        unsafe { std::ptr::copy_nonoverlapping(host, channel.own.as_mut_ptr(), frames) };
                        channel.own.as_mut_ptr()
                    } else {
                        host
                    }
                };
            }
        }
    }

    /// For the plugin; as long as `len`.
    pub(crate) fn clap(&mut self) -> *mut clap_audio_buffer {
        self.clap.as_mut_ptr()
    }

    pub(crate) fn len(&self) -> u32 {
        self.clap.len() as u32
    }

    /// Channels of each port, for [`silence_rest`]; ports that the host does not use have none.
    pub(crate) fn width(&self, index: usize) -> usize {
        self.ports.get(index).filter(|port| port.in_use).map_or(0, |port| port.channels.len())
    }
}

/// Silences the channels of the host's outputs that the plugin has not written: those behind `width` of each bus, and
/// says which those are. Real-time safe.
///
/// # Safety
/// As for [`Ports::take`]; the busses can be written to, `frames` in each channel.
pub(crate) unsafe fn silence_rest(
    busses: *mut AudioBusBuffers,
    count: i32,
    width: impl Fn(usize) -> usize,
    frames: usize,
) {
    if busses.is_null() {
        return;
    }
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: within the count, by the contract above.
        let bus = unsafe { &mut *busses.add(index) };
        bus.silenceFlags = 0;
        // SAFETY: 32-bit samples, as no others are accepted.
        let pointers = unsafe { bus.__field0.channelBuffers32 };
        for number in width(index)..usize::try_from(bus.numChannels).unwrap_or(0) {
            if pointers.is_null() {
                break;
            }
            // SAFETY: within the bus's channels; null or `frames` long.
            unsafe {
                let channel: *mut f32 = (*pointers.add(number)).cast();
                if !channel.is_null() {
                    std::ptr::write_bytes(channel, 0, frames);
                }
            }
            if number < 64 {
                bus.silenceFlags |= 1 << number;
            }
        }
    }
}
