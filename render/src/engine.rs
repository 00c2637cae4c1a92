//! Tracks through inserts to a mix and a master, whatever the inserts are: plugins in a host, or the chains called
//! directly. Both give the same bits.

mod mixer;

pub use mixer::{Mixer, Node, Outlet};

use crate::fault::Fault;
use crate::session::{Lane, Session, Strip};
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::math;
use sha2::{Digest, Sha256};

/// Frames from one automation event to the next on a sloping lane. Counted from the start of the stream, like
/// everything that is heard.
pub const AUTOMATION_STEP_FRAMES: usize = 64;

/// A control that moves within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Frame within the block.
    pub offset: usize,
    /// Index in the list of controls.
    pub control: usize,
    /// The control's value.
    pub value: f64,
}

/// Something that audio goes through: a running strip or bus.
pub trait Insert {
    /// What can go wrong in it.
    type Error;

    /// Frames by which its output lags.
    fn latency_frames(&mut self) -> usize;

    /// Processes stereo in place. `events` are in order of their offsets, all within the block.
    ///
    /// # Errors
    /// Whatever the insert's kind reports.
    fn process(&mut self, channels: [&mut [f32]; 2], events: &[Event]) -> Result<(), Self::Error>;
}

/// Where inserts come from.
pub trait Rack {
    /// What can go wrong; stems can, too.
    type Error: From<Fault>;
    /// Its inserts.
    type Insert: Insert<Error = Self::Error>;

    /// A channel strip that starts with `params`.
    ///
    /// # Errors
    /// Where the strip cannot be set up.
    fn channel(&mut self, stream: Stream, params: &ChannelStripParams) -> Result<Self::Insert, Self::Error>;

    /// A mastering bus that starts with `params`.
    ///
    /// # Errors
    /// Where the bus cannot be set up.
    fn master(&mut self, stream: Stream, params: &MasteringBusParams) -> Result<Self::Insert, Self::Error>;

    /// Does `work` on every node, in any order: one after the other, unless the inserts may run on other threads.
    ///
    /// # Errors
    /// That of the first node, in their order, whose work failed.
    fn each(
        nodes: &mut [Node<Self::Insert>],
        work: impl Fn(&mut Node<Self::Insert>) -> Result<(), Self::Error> + Send + Sync,
    ) -> Result<(), Self::Error> {
        nodes.iter_mut().try_for_each(work)
    }
}

/// What an insert is to run in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stream {
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// The longest block.
    pub max_frames: usize,
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
}

impl Stream {
    /// The stream of a session.
    #[must_use]
    pub fn of(session: &Session, plan: BlockPlan) -> Self {
        let Session { sample_rate_hz, tempo_bpm, .. } = *session;
        Stream { sample_rate_hz, max_frames: plan.max_frames(), tempo_bpm }
    }
}

/// How a stream is cut into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPlan {
    /// All of this many frames, but the last.
    Fixed(usize),
    /// Anything from 1 frame to `max`, from a generator that starts at `seed`.
    Random {
        /// Start of the generator, not 0.
        seed: u64,
        /// The longest block.
        max: usize,
    },
}

impl BlockPlan {
    /// The longest block.
    #[must_use]
    pub fn max_frames(&self) -> usize {
        match self {
            BlockPlan::Fixed(frames) => (*frames).max(1),
            BlockPlan::Random { max, .. } => (*max).max(1),
        }
    }

    /// The lengths of all blocks of a stream of `frames`, in order.
    pub fn lengths(&self, frames: usize) -> impl Iterator<Item = usize> + Send + use<> {
        let (plan, mut left) = (*self, frames);
        let mut state = match plan {
            BlockPlan::Random { seed, .. } => seed.max(1),
            BlockPlan::Fixed(_) => 1,
        };
        std::iter::from_fn(move || {
            let len = match plan {
                BlockPlan::Fixed(_) => plan.max_frames(),
                BlockPlan::Random { .. } => {
                    // xorshift64: Marsaglia 2003
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    1 + (state % plan.max_frames() as u64) as usize
                }
            };
            let len = len.min(left);
            left -= len;
            (len > 0).then_some(len)
        })
    }
}

/// What a session became.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The sum of all that feeds the mix.
    pub mix: [Vec<f32>; 2],
    /// The mix through the mastering bus.
    pub master: [Vec<f32>; 2],
}

/// Runs a whole session in memory. `progress` hears what is being done and the share of all work that is done.
///
/// Every way to the mix, and the master, is brought into time by the latency that its inserts report; the result is as
/// long as the longest stem.
///
/// # Errors
/// Whatever the rack's kind reports; a stem that cannot be read to its end.
pub fn render<R: Rack>(
    session: &Session,
    rack: &mut R,
    plan: BlockPlan,
    mut progress: impl FnMut(&str, f64),
) -> Result<Rendered, R::Error> {
    let mut mixer = Mixer::new(session, rack, plan)?;
    let mut mix = [vec![], vec![]];
    // the master is one strip more
    let mix_share = session.tracks.len() as f64 / (session.tracks.len() + 1) as f64;
    while let Some([left, right]) = mixer.next_chunk()? {
        mix[0].extend_from_slice(left);
        mix[1].extend_from_slice(right);
        progress("Mix", mix_share * mixer.share());
    }
    let gain = gain(session.mix_gain_db.unwrap_or(0.0));
    mix.iter_mut().flatten().for_each(|s| *s *= gain);
    let frames = mix[0].len();
    let stream = Stream::of(session, plan);
    let mut insert = rack.master(stream, &session.master.start())?;
    let master = through(&mut insert, &mix, frames, stream, &session.master, plan)?;
    progress("Master", 1.0);
    Ok(Rendered { mix, master })
}

/// A gain in decibels as the factor that samples are multiplied by.
#[must_use]
pub fn gain(db: f64) -> f32 {
    math::db_to_gain(db) as f32
}

/// Runs `audio` through an insert with its automation, and takes the insert's latency off the front. The result has
/// `frames` frames.
///
/// # Errors
/// Whatever the insert reports.
pub fn through<I: Insert, P>(
    insert: &mut I,
    audio: &[Vec<f32>; 2],
    frames: usize,
    stream: Stream,
    strip: &Strip<P>,
    plan: BlockPlan,
) -> Result<[Vec<f32>; 2], I::Error> {
    let latency = insert.latency_frames();
    let total = frames + latency;
    let mut out = audio.clone();
    out.iter_mut().for_each(|c| c.resize(total, 0.0));
    let mut events = vec![];
    let mut at = 0;
    for len in plan.lengths(total) {
        events_of(&strip.lanes, at, len, f64::from(stream.sample_rate_hz), &mut events);
        let [left, right] = &mut out;
        insert.process([&mut left[at..at + len], &mut right[at..at + len]], &events)?;
        at += len;
    }
    Ok(out.map(|c| c[latency..].to_vec()))
}

/// The events of all lanes in the `len` frames from `at`, in order of time.
fn events_of(lanes: &[Lane], at: usize, len: usize, sample_rate_hz: f64, events: &mut Vec<Event>) {
    events.clear();
    for lane in lanes {
        lane_events(lane, at, len, sample_rate_hz, events);
    }
    events.sort_by_key(|e| e.offset);
}

/// The events of one lane in the `len` frames from `at`: one at the start of the stream, one at each point, and steps
/// between points of different value.
fn lane_events(lane: &Lane, at: usize, len: usize, sample_rate_hz: f64, events: &mut Vec<Event>) {
    let frame_of = |seconds: f64| (seconds * sample_rate_hz).round() as usize;
    for frame in at..at + len {
        let on_point = lane.points.iter().any(|(t, _)| frame_of(*t) == frame);
        if frame != 0 && !on_point && !frame.is_multiple_of(AUTOMATION_STEP_FRAMES) {
            continue;
        }
        let value = lane.value_at(frame as f64 / sample_rate_hz);
        let before = frame.checked_sub(AUTOMATION_STEP_FRAMES).map(|f| lane.value_at(f as f64 / sample_rate_hz));
        // where nothing moves nothing is sent; which events those are must not depend on the block's border
        if frame == 0 || on_point || before != Some(value) {
            events.push(Event { offset: frame - at, control: lane.control, value });
        }
    }
}

/// SHA-256 of the bits of planar stereo, left then right, little-endian, in hexadecimal.
#[must_use]
pub fn sha256(audio: &[Vec<f32>; 2]) -> String {
    let mut hash = Sha256::new();
    for channel in audio {
        for sample in channel {
            hash.update(sample.to_le_bytes());
        }
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
