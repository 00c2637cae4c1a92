//! Inserts that call the chains of dsp-core directly, without a plugin around them.

use crate::engine::{Event, Insert, Node, Rack, Stream};
use crate::fault::{Fault, Result};
use dsp_core::block::{Block, Transport};
use dsp_core::chain::Chain;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams, MasteringReading};
use dsp_core::controls;
use dsp_core::processor::StreamConfig;
use rayon::prelude::*;

/// A rack of chains.
#[derive(Debug, Default)]
pub struct DirectRack;

/// A running chain of either kind.
pub enum DirectInsert {
    /// Tandem Channel's.
    Channel(Box<Running<ChannelStrip<2>, ChannelStripParams>>),
    /// Tandem Master's.
    Master(Box<Running<MasteringBus<2>, MasteringBusParams>>),
}

/// A chain, its controls as they now are, and the song's clock.
pub struct Running<C, P> {
    chain: C,
    params: P,
    transport: Transport,
}

impl<C: Chain<2, Params = P>, P: controls::Controls> Running<C, P> {
    fn new(stream: Stream, params: &P) -> Result<Self> {
        let mut chain = C::default();
        let config = StreamConfig { sample_rate_hz: f64::from(stream.sample_rate_hz), max_frames: stream.max_frames };
        chain.prepare(config, params).map_err(|e| Fault {
            place: "signal path".to_owned(),
            what: e.to_string(),
            cure: "use audio at a rate that is supported".to_owned(),
        })?;
        let transport = Transport { tempo_bpm: stream.tempo_bpm, playing: true };
        Ok(Running { chain, params: *params, transport })
    }

    /// Processes up to each event, then moves the controls of that frame, then goes on.
    fn process(&mut self, channels: [&mut [f32]; 2], events: &[Event], mut each: impl FnMut(&C)) {
        let mut whole = Block::new(channels).with_transport(self.transport);
        let frames = whole.frames();
        let mut start = 0;
        for simultaneous in events.chunk_by(|a, b| a.offset == b.offset) {
            let offset = simultaneous.first().map_or(frames, |e| e.offset).min(frames);
            if offset > start {
                self.chain.process(&mut whole.span(start, offset - start));
                each(&self.chain);
                start = offset;
            }
            for event in simultaneous {
                controls::set(&mut self.params, event.control, event.value);
            }
            self.chain.set_params(&self.params);
        }
        if frames > start {
            self.chain.process(&mut whole.span(start, frames - start));
            each(&self.chain);
        }
    }
}

impl Insert for DirectInsert {
    type Error = Fault;

    fn latency_frames(&mut self) -> usize {
        use dsp_core::processor::Processor;
        match self {
            DirectInsert::Channel(running) => running.chain.latency_frames(),
            DirectInsert::Master(running) => running.chain.latency_frames(),
        }
    }

    fn process(&mut self, channels: [&mut [f32]; 2], events: &[Event]) -> Result<()> {
        match self {
            DirectInsert::Channel(running) => running.process(channels, events, |_| ()),
            DirectInsert::Master(running) => running.process(channels, events, |_| ()),
        }
        Ok(())
    }
}

impl DirectInsert {
    /// What the master's meters show now; `None` on a channel.
    #[must_use]
    pub fn mastering_reading(&mut self) -> Option<MasteringReading> {
        match self {
            DirectInsert::Channel(_) => None,
            DirectInsert::Master(running) => Some(running.chain.reading()),
        }
    }
}

impl Rack for DirectRack {
    type Error = Fault;
    type Insert = DirectInsert;

    fn channel(&mut self, stream: Stream, params: &ChannelStripParams) -> Result<DirectInsert> {
        Ok(DirectInsert::Channel(Box::new(Running::new(stream, params)?)))
    }

    fn master(&mut self, stream: Stream, params: &MasteringBusParams) -> Result<DirectInsert> {
        Ok(DirectInsert::Master(Box::new(Running::new(stream, params)?)))
    }

    fn each(
        nodes: &mut [Node<DirectInsert>],
        work: impl Fn(&mut Node<DirectInsert>) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        let done: Vec<Result<()>> = nodes.par_iter_mut().map(work).collect();
        done.into_iter().collect()
    }
}
