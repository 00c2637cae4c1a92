//! The audio memory that a plugin works on: our own, apart from the test's, with a watched margin behind each channel.

use crate::bridge::{Bridge, tick};
use crate::error::HostError;
use crate::types::Setup;
use std::ptr::NonNull;

/// Buffers of every port. A plugin never sees the slices of a test: its writes past the end of a block land in the
/// margin, where they are found.
pub(crate) struct Ports {
    place: String,
    channels: usize,
    max_frames: usize,
    in_place: bool,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

/// The channels of one port.
pub(crate) struct Port {
    memory: Vec<Channel>,
    /// One pointer per channel, the same from `new` to drop.
    pub(crate) pointers: Box<[*mut f32]>,
}

// SAFETY: the pointers lead to memory that this value owns, or, for outputs in place, that its `inputs` own; they are
// never shared outside of a call that borrows it.
unsafe impl Send for Ports {}

impl Ports {
    /// The first port of each list is the main one, of `setup.channels`; the second input is the side chain.
    pub(crate) fn new(place: &str, setup: &Setup, inputs: &[usize], outputs: &[usize]) -> Ports {
        let port = |width: usize| Port::new(width, setup.max_frames);
        let inputs: Vec<Port> = inputs.iter().map(|&width| port(width)).collect();
        let mut outputs: Vec<Port> = outputs.iter().map(|&width| port(width)).collect();
        if setup.in_place
            && let (Some(input), Some(output)) = (inputs.first(), outputs.first_mut())
        {
            output.pointers.copy_from_slice(&input.pointers);
            output.memory.clear();
        }
        Ports {
            place: place.to_owned(),
            channels: setup.channels,
            max_frames: setup.max_frames,
            in_place: setup.in_place,
            inputs,
            outputs,
        }
    }

    /// Lays one block out for the plugin and answers its length in frames.
    pub(crate) fn fill(&mut self, audio: &[&mut [f32]], side_chain: Option<&[&[f32]]>) -> Result<usize, HostError> {
        let frames = audio.first().map_or(0, |channel| channel.len());
        self.check("number of channels", audio.len(), self.channels)?;
        for channel in audio {
            self.check("number of frames in a channel", channel.len(), frames)?;
        }
        for channel in side_chain.unwrap_or_default() {
            self.check("number of frames in a side-chain channel", channel.len(), frames)?;
        }
        if let (Some(given), Some(port)) = (side_chain, self.inputs.get(1)) {
            self.check("number of side-chain channels", given.len(), port.memory.len())?;
        }
        if frames > self.max_frames {
            let expected = format!("at most the {} of the setup", self.max_frames);
            return Err(HostError::Audio {
                place: self.place.clone(),
                what: "number of frames",
                found: frames,
                expected,
            });
        }

        for (index, port) in self.inputs.iter_mut().enumerate() {
            for (number, channel) in port.memory.iter_mut().enumerate() {
                let memory = channel.slice(frames + MARGIN_FRAMES);
                let (block, margin) = memory.split_at_mut(frames);
                match index {
                    0 => block.copy_from_slice(audio[number]),
                    1 => match side_chain {
                        Some(given) => block.copy_from_slice(given[number]),
                        None => block.fill(0.0),
                    },
                    _ => block.fill(0.0),
                }
                margin.fill(MARGIN);
            }
        }
        for channel in self.outputs.iter_mut().flat_map(|port| &mut port.memory) {
            let memory = channel.slice(frames + MARGIN_FRAMES);
            let (block, margin) = memory.split_at_mut(frames);
            // a frame that the plugin leaves unwritten must not pass for silence
            block.fill(f32::NAN);
            margin.fill(MARGIN);
        }
        Ok(frames)
    }

    /// Takes the main output of the block laid out last, after looking at all margins.
    pub(crate) fn take(&mut self, audio: &mut [&mut [f32]], bridge: &Bridge) -> Result<(), HostError> {
        let frames = audio.first().map_or(0, |channel| channel.len());
        for (name, ports) in [("input", &mut self.inputs), ("output", &mut self.outputs)] {
            for (number, channel) in ports.iter_mut().flat_map(|port| &mut port.memory).enumerate() {
                let margin = &channel.slice(frames + MARGIN_FRAMES)[frames..];
                if margin.iter().any(|sample| sample.to_bits() != MARGIN.to_bits()) {
                    let place = self.place.clone();
                    return Err(HostError::WrotePastEnd { place, port: name, channel: number, frames });
                }
            }
        }
        if !self.in_place {
            let inputs = self.inputs.iter_mut().take(1).flat_map(|port| &mut port.memory);
            let changed = inputs.zip(&*audio).any(|(channel, given)| {
                channel.slice(frames).iter().zip(&**given).any(|(now, before)| now.to_bits() != before.to_bits())
            });
            if changed {
                tick(&bridge.counts.inputs_overwritten);
            }
        }
        let main = if self.in_place { self.inputs.first_mut() } else { self.outputs.first_mut() };
        for (channel, wanted) in main.into_iter().flat_map(|port| &mut port.memory).zip(audio) {
            wanted.copy_from_slice(channel.slice(frames));
        }
        Ok(())
    }

    fn check(&self, what: &'static str, found: usize, expected: usize) -> Result<(), HostError> {
        if found == expected {
            return Ok(());
        }
        Err(HostError::Audio { place: self.place.clone(), what, found, expected: expected.to_string() })
    }
}

impl Port {
    fn new(width: usize, max_frames: usize) -> Port {
        let memory: Vec<Channel> = (0..width).map(|_| Channel::new(max_frames + MARGIN_FRAMES)).collect();
        let pointers = memory.iter().map(|channel| channel.samples.as_ptr().cast()).collect();
        Port { memory, pointers }
    }
}

/// Memory of one channel, reached by a pointer only, since a plugin holds one too.
struct Channel {
    samples: NonNull<[f32]>,
}

impl Channel {
    fn new(frames: usize) -> Channel {
        let memory: Box<[f32]> = vec![0.0; frames].into();
        Channel { samples: NonNull::from(Box::leak(memory)) }
    }

    /// The first `frames`; those asked for are never more than were made.
    fn slice(&mut self, frames: usize) -> &mut [f32] {
        // SAFETY: the memory is ours, initialised, and no call into the plugin is under way while `self` is borrowed.
        unsafe { &mut self.samples.as_mut()[..frames] }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: it came from a leaked box of this very slice and is given back once.
        drop(unsafe { Box::from_raw(self.samples.as_ptr()) });
    }
}

/// Watched frames behind each block: wider than any vector register (AVX-512 holds 16).
const MARGIN_FRAMES: usize = 32;

/// What they hold: a quiet NaN with a payload that no computation makes.
const MARGIN: f32 = f32::from_bits(0x7fc5_a5a5);
