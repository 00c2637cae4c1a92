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
    /// What [`make_finite`](Self::make_finite) found, as long as nobody has had the channels to write since.
    finite: Option<Found<CH>>,
}

/// What is known of samples that are finite.
#[derive(Clone, Copy, Debug)]
struct Found<const CH: usize> {
    /// The greatest magnitude in each channel, where nothing was cut off since it was found.
    peaks: Option<[f32; CH]>,
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
        Block { channels, side_chain: None, transport: Transport::default(), finite: None }
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
        self.finite = None;
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

    /// The greatest magnitude in each channel; known already where no stage has written since
    /// [`make_finite`](Self::make_finite). Real-time safe.
    #[must_use]
    pub fn peaks(&self) -> [f32; CH] {
        match self.finite {
            Some(Found { peaks: Some(peaks) }) => peaks,
            _ => self.channels_ref().map(peak),
        }
    }

    /// The channels and the side chain at once. Real-time safe.
    pub fn split(&mut self) -> (&mut [&'a mut [f32]; CH], Option<[&'a [f32]; CH]>) {
        self.finite = None;
        (&mut self.channels, self.side_chain)
    }

    /// The frames `start..start + len` as a block of their own; what lies beyond the end is cut off. Real-time safe.
    pub fn span(&mut self, start: usize, len: usize) -> Block<'_, CH> {
        let frames = self.frames();
        let start = start.min(frames);
        let end = start.saturating_add(len).min(frames);
        let side_chain = self.side_chain.map(|s| s.map(|c| &c[start..end]));
        let finite = std::mem::take(&mut self.finite);
        let finite = if end - start == frames { finite } else { finite.map(|_| Found { peaks: None }) };
        let mut channels = self.channels.iter_mut();
        Block {
            channels: std::array::from_fn(|_| match channels.next() {
                Some(c) => &mut c[start..end],
                None => &mut [],
            }),
            side_chain,
            transport: self.transport,
            finite,
        }
    }

    /// Makes samples silent that are no audio: see [`finite`]. Every stage calls it first; it costs nothing where no stage
    /// has written since the last time. Real-time safe.
    pub fn make_finite(&mut self) {
        if self.finite.is_none() {
            let mut peaks = [0.0; CH];
            for (peak, channel) in peaks.iter_mut().zip(&mut self.channels) {
                *peak = make_channel_finite(channel);
            }
            self.finite = Some(Found { peaks: Some(peaks) });
        }
    }
}

/// [`finite`] on every sample; the greatest magnitude that is left.
fn make_channel_finite(samples: &mut [f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks_mut::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        chunk.iter_mut().for_each(|x| *x = finite(*x));
        raise(&mut lanes, chunk);
    }
    rest.iter_mut().for_each(|x| *x = finite(*x));
    highest(lanes, rest)
}

/// The greatest magnitude of finite `samples`.
fn peak(samples: &[f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    chunks.iter().for_each(|chunk| raise(&mut lanes, chunk));
    highest(lanes, rest)
}

/// Peaks are found in so many lanes, which have no order to wait for.
const LANES: usize = 16;

#[inline(always)]
fn raise(lanes: &mut [f32; LANES], samples: &[f32; LANES]) {
    for (lane, x) in lanes.iter_mut().zip(samples) {
        *lane = if x.abs() > *lane { x.abs() } else { *lane };
    }
}

#[inline(always)]
fn highest(mut lanes: [f32; LANES], rest: &[f32]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for n in 0..half {
            lanes[n] = if lanes[n + half] > lanes[n] { lanes[n + half] } else { lanes[n] };
        }
        half /= 2;
    }
    rest.iter().fold(lanes[0], |high, x| high.max(x.abs()))
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
    }

    /// Peaks are those of what is in the block now, of the whole and of its spans, known from the cleaning or not, in blocks
    /// that are no multiple of the lanes.
    #[test]
    fn peaks_are_of_what_is_there() {
        for frames in [1, 15, 16, 37, 64] {
            let mut left: Vec<f32> = (0..frames).map(|n| (n as f32 - 20.0) / 64.0).collect();
            let mut right = vec![0.125; frames];
            right[frames - 1] = f32::INFINITY;
            let expected = |samples: &[f32]| samples.iter().fold(0.0f32, |high, x| high.max(x.abs()));
            let left_peak = expected(&left);
            let right_peak = if frames > 1 { 0.125 } else { 0.0 };
            let mut block = Block::new([&mut left, &mut right]);
            block.make_finite();
            assert_eq!(block.peaks(), [left_peak, right_peak]);
            assert_eq!(block.span(0, frames).peaks(), [left_peak, right_peak]);
            block.make_finite();
            let tail = block.span(frames / 2, frames);
            let [left, right] = tail.channels_ref();
            assert_eq!(tail.peaks(), [expected(left), expected(right)]);
            block.channels()[0][0] = -3.0;
            assert_eq!(block.peaks(), [3.0, right_peak]);
        }
    }
}
