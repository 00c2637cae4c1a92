//! Planar audio whose channel count is known at compile time.

/// The song's clock as the host tells it, at the first frame of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
    /// Whether the song is running.
    pub playing: bool,
}

impl Default for Transport {
    /// 120 bpm and running: what a host that says nothing is taken to mean.
    fn default() -> Self {
        Transport { tempo_bpm: 120.0, playing: true }
    }
}

/// Some frames of audio, one slice a channel, all of one length, processed in place; and with them the side chain.
#[derive(Debug)]
pub struct Block<'a, const CH: usize> {
    channels: [&'a mut [f32]; CH],
    side_chain: Option<[&'a [f32]; CH]>,
    transport: Transport,
    /// Nobody has had the channels to write since [`make_finite`](Self::make_finite).
    is_finite: bool,
}

impl<'a, const CH: usize> Block<'a, CH> {
    /// A block over `channels`, cut to the shortest of them so that a careless caller cannot make a stage panic.
    /// Real-time safe.
    #[must_use]
    pub fn new(mut channels: [&'a mut [f32]; CH]) -> Self {
        let frames = channels.iter().map(|c| c.len()).min().unwrap_or(0);
        for channel in &mut channels {
            let whole = std::mem::take(channel);
            *channel = &mut whole[..frames];
        }
        Block { channels, side_chain: None, transport: Transport::default(), is_finite: false }
    }

    /// The same block with a side chain. One that is shorter than the block is as good as none. Real-time safe.
    #[must_use]
    pub fn with_side_chain(mut self, side_chain: Option<[&'a [f32]; CH]>) -> Self {
        let frames = self.frames();
        self.side_chain = side_chain.filter(|s| s.iter().all(|c| c.len() >= frames)).map(|s| s.map(|c| &c[..frames]));
        self
    }

    /// The same block at this point of the song. Real-time safe.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Frames in the block. Real-time safe.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, |c| c.len())
    }

    /// The song's clock at the block's first frame. Real-time safe.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// All channels. Real-time safe.
    pub fn channels(&mut self) -> &mut [&'a mut [f32]; CH] {
        self.is_finite = false;
        &mut self.channels
    }

    /// All channels, to read. Real-time safe.
    #[must_use]
    pub fn channels_ref(&self) -> [&[f32]; CH] {
        std::array::from_fn(|c| &*self.channels[c])
    }

    /// The side chain. `None` sounds the same as a silent one, in every stage. Real-time safe.
    #[must_use]
    pub fn side_chain(&self) -> Option<[&'a [f32]; CH]> {
        self.side_chain
    }

    /// The greatest magnitude in each channel. Real-time safe.
    #[must_use]
    pub fn peaks(&self) -> [f32; CH] {
        self.channels_ref().map(peak)
    }

    /// The channels and the side chain at once. Real-time safe.
    pub fn split(&mut self) -> (&mut [&'a mut [f32]; CH], Option<[&'a [f32]; CH]>) {
        self.is_finite = false;
        (&mut self.channels, self.side_chain)
    }

    /// The frames `start..start + len` as a block of their own; what lies beyond the end is cut off. Real-time safe.
    pub fn span(&mut self, start: usize, len: usize) -> Block<'_, CH> {
        let frames = self.frames();
        let start = start.min(frames);
        let end = start.saturating_add(len).min(frames);
        let side_chain = self.side_chain.map(|s| s.map(|c| &c[start..end]));
        let is_finite = std::mem::take(&mut self.is_finite);
        let mut channels = self.channels.iter_mut();
        Block {
            channels: std::array::from_fn(|_| match channels.next() {
                Some(c) => &mut c[start..end],
                None => &mut [],
            }),
            side_chain,
            transport: self.transport,
            is_finite,
        }
    }

    /// Makes samples silent that are no audio: see [`finite`]. Every stage calls it first; it costs nothing where no stage
    /// has written since the last time. Real-time safe.
    pub fn make_finite(&mut self) {
        if self.is_finite {
            return;
        }
        self.is_finite = true;
        for channel in &mut self.channels {
            for sample in channel.iter_mut() {
                *sample = finite(*sample);
            }
        }
    }
}

/// The greatest magnitude of finite `samples`; in lanes, which have no order to wait for.
fn peak(samples: &[f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks::<16>();
    let mut lanes = [0.0f32; 16];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if x.abs() > *lane { x.abs() } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(0.0, |high, x| high.max(x.abs()))
}

/// The largest magnitude that counts as audio: +100 dBFS. What is over it comes from a broken stage upstream; taken in, it
/// would ring in filters and hold a limiter down for seconds.
pub const MAX_MAGNITUDE: f32 = 1e5;

/// The sample, or silence where it is NaN, infinite, or over +100 dBFS. For a side chain, read where it is used. Real-time
/// safe.
#[must_use]
pub fn finite(sample: f32) -> f32 {
    if sample.abs() <= MAX_MAGNITUDE { sample } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cleaned once, a block is cleaned again as soon as anybody could have written to it: itself, its halves, its spans.
    #[test]
    fn what_may_be_written_is_checked_again() {
        let (mut left, mut right) = ([0.5f32, f32::NAN, 2e5, -0.25], [f32::NEG_INFINITY, 1.0, 0.0, 0.5]);
        let mut block = Block::new([&mut left, &mut right]);
        block.make_finite();
        assert_eq!(block.channels_ref(), [[0.5, 0.0, 0.0, -0.25], [0.0, 1.0, 0.0, 0.5]]);
        let writes: [fn(&mut Block<'_, 2>); 3] = [
            |block| block.channels()[0][3] = f32::NAN,
            |block| block.split().0[0][3] = f32::NAN,
            |block| block.span(2, 2).channels()[0][1] = f32::NAN,
        ];
        for write in writes {
            write(&mut block);
            block.make_finite();
            assert_eq!(block.channels_ref()[0][3], 0.0);
        }
        assert_eq!(block.peaks(), [0.5, 1.0]);
    }
}
