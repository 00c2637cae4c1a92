//! The mixer: every channel of a session through its strip to one sum, a chunk at a time.
//!
//! Each strip hears the song from its first frame, whatever is in front of it: a channel runs ahead of those that it feeds
//! by as much as they lag, and gives its sound out with its own latency taken off. So all ways to the mix are in time to
//! the frame, automation means song time everywhere, and a strip's bits depend on nothing but its own input.
//!
//! Channels work on all cores where their inserts may. Sums are taken in the session's order by whoever is fed, so
//! that no bit depends on who was ready first. Memory does not grow with the length of the song.

use super::{BlockPlan, Event, Insert, Rack, Stream, events_of};
use crate::fault::Fault;
use crate::session::{Channel, Level, Session};
use crate::stem::StemReader;

/// A running mixer.
pub struct Mixer<R: Rack> {
    /// In an order in which each stands before all that it feeds.
    nodes: Vec<Node<R::Insert>>,
    /// What each node gave.
    outlets: Vec<Outlet>,
    /// Ends of the runs of nodes that do not feed each other.
    level_ends: Vec<usize>,
    /// What feeds the mix, in the session's order.
    feeds: Vec<Feed>,
    mix: [Vec<f32>; 2],
    sample_rate_hz: f64,
    frames: u64,
    at: u64,
}

/// A channel that is being processed.
pub struct Node<I> {
    insert: I,
    source: Source,
    channel: Channel,
    /// The plan's blocks; one that a chunk's end cuts is shorter.
    blocks: Box<dyn Iterator<Item = usize> + Send>,
    sample_rate_hz: f64,
    latency: usize,
    /// By how many frames its output runs ahead of the mix.
    lead: u64,
    /// Frames of the song that went in.
    at: u64,
    events: Vec<Event>,
    work: [Vec<f32>; 2],
    /// The frames of this chunk, its latency taken off.
    fresh: [Vec<f32>; 2],
}

enum Source {
    Stem(StemReader),
    Sum(Vec<Feed>),
}

/// A way from an outlet to what it feeds.
struct Feed {
    from: usize,
    /// The gains that it is multiplied by; fixed ones of 0 dB are not in the list.
    gains: Vec<Level>,
}

/// What a channel gave, from the oldest frame that is still needed on.
#[derive(Default)]
pub struct Outlet {
    name: String,
    audio: [Vec<f32>; 2],
    /// The song's frame at which `audio` begins.
    begin: u64,
    /// The most by which what it feeds runs ahead of the mix, and the least.
    leads: (u64, u64),
}

/// Frames that the mix goes on by at a time: long enough that handing work to other cores costs nothing, short enough that
/// a hundred channels fit into little memory.
const CHUNK_FRAMES: u64 = 16_384;
/// Frames from one exact value of a moving level to the next; straight between.
const LEVEL_STEP_FRAMES: u64 = 64;

impl<R: Rack> Mixer<R> {
    /// A mixer at the session's first frame. Channels that are not heard are not there.
    ///
    /// # Errors
    /// Whatever the rack's kind reports; a stem that cannot be opened.
    pub fn new(session: &Session, rack: &mut R, plan: BlockPlan) -> Result<Self, R::Error> {
        let layout = Layout::of(session);
        let stream = Stream::of(session, plan);
        let sample_rate_hz = f64::from(session.sample_rate_hz);
        let mut nodes = vec![];
        for place in &layout.places {
            let channel = place.channel(session);
            let mut insert = rack.channel(stream, &channel.strip.start())?;
            let latency = insert.latency_frames();
            let source = match *place {
                Place::Track(i) => Source::Stem(session.tracks[i].stem.reader()?),
                bus => Source::Sum(layout.feeds_of(session, Some(bus))),
            };
            nodes.push(Node {
                insert,
                source,
                channel: channel.clone(),
                blocks: Box::new(plan.lengths(usize::MAX)),
                sample_rate_hz,
                latency,
                lead: 0,
                at: 0,
                events: vec![],
                work: Default::default(),
                fresh: Default::default(),
            });
        }
        let feeds = layout.feeds_of(session, None);
        let mut outlets: Vec<Outlet> =
            layout.places.iter().map(|p| Outlet { name: p.name(session).to_owned(), ..Outlet::default() }).collect();
        // from the mix back: whoever feeds runs ahead by as much as the fed lags
        let mut needs: Vec<Vec<u64>> = vec![vec![]; nodes.len()];
        feeds.iter().for_each(|f| needs[f.from].push(0));
        for (i, outlet) in outlets.iter_mut().enumerate().rev() {
            let own = &needs[i];
            outlet.leads = (own.iter().copied().max().unwrap_or(0), own.iter().copied().min().unwrap_or(0));
            nodes[i].lead = outlet.leads.0;
            let before = nodes[i].lead + nodes[i].latency as u64;
            if let Source::Sum(feeds) = &nodes[i].source {
                feeds.iter().for_each(|f| needs[f.from].push(before));
            }
        }
        Ok(Mixer {
            nodes,
            outlets,
            level_ends: layout.level_ends,
            feeds,
            mix: Default::default(),
            sample_rate_hz,
            frames: session.frames(),
            at: 0,
        })
    }

    /// Frames of the whole mix.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The share of the mix that is done, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.frames == 0 { 1.0 } else { self.at as f64 / self.frames as f64 }
    }

    /// The next frames of the mix, left and right; `None` after the last.
    ///
    /// # Errors
    /// Whatever an insert reports; a stem that cannot be read on.
    pub fn next_chunk(&mut self) -> Result<Option<[&[f32]; 2]>, R::Error> {
        let to = (self.at + CHUNK_FRAMES).min(self.frames);
        if to == self.at {
            return Ok(None);
        }
        self.outlets.iter_mut().for_each(|o| o.forget(self.at));
        let mut begin = 0;
        for end in &self.level_ends {
            let outlets = &self.outlets;
            R::each(&mut self.nodes[begin..*end], |node| node.advance(outlets, to))?;
            for (node, outlet) in self.nodes[begin..*end].iter_mut().zip(&mut self.outlets[begin..*end]) {
                outlet.append(&mut node.fresh);
            }
            begin = *end;
        }
        sum(&self.feeds, &self.outlets, self.at, to, self.sample_rate_hz, &mut self.mix);
        self.at = to;
        Ok(Some(self.mix.each_ref().map(Vec::as_slice)))
    }

    /// What feeds the mix, by name: these are the stems that sum to it.
    pub fn stem_names(&self) -> impl Iterator<Item = &str> {
        self.feeds.iter().map(|f| self.outlets[f.from].name.as_str())
    }

    /// The part of the last chunk that came from each of [`stem_names`](Self::stem_names), left and right.
    pub fn stem_chunks(&self) -> impl Iterator<Item = [Vec<f32>; 2]> {
        let from = self.at - self.mix[0].len() as u64;
        self.feeds.chunks(1).map(move |feed| {
            let mut stem = Default::default();
            sum(feed, &self.outlets, from, self.at, self.sample_rate_hz, &mut stem);
            stem
        })
    }
}

impl<I: Insert> Node<I> {
    /// Brings its output up to its lead before the mix's frame `to`.
    fn advance(&mut self, outlets: &[Outlet], to: u64) -> Result<(), I::Error>
    where
        I::Error: From<Fault>,
    {
        let until = to + self.lead + self.latency as u64;
        let [left, right] = &mut self.work;
        match &mut self.source {
            Source::Stem(reader) => {
                let frames = (until - self.at) as usize;
                left.resize(frames, 0.0);
                right.resize(frames, 0.0);
                reader.read([left, right])?;
            }
            Source::Sum(feeds) => sum(feeds, outlets, self.at, until, self.sample_rate_hz, &mut self.work),
        }
        let [left, right] = &mut self.work;
        let mut begin = 0;
        while begin < left.len() {
            let end = self.blocks.next().map_or(left.len(), |len| (begin + len).min(left.len()));
            let at = self.at as usize + begin;
            events_of(&self.channel.strip.lanes, at, end - begin, self.sample_rate_hz, &mut self.events);
            self.insert.process([&mut left[begin..end], &mut right[begin..end]], &self.events)?;
            begin = end;
        }
        // the first frames that came out are older than the song
        let early = (self.latency as u64).saturating_sub(self.at).min(left.len() as u64) as usize;
        for (fresh, work) in self.fresh.iter_mut().zip(&self.work) {
            fresh.extend_from_slice(&work[early..]);
        }
        self.at = until;
        Ok(())
    }
}

impl Outlet {
    /// Drops what nobody needs once the mix has reached `at`.
    fn forget(&mut self, at: u64) {
        let needed = at + self.leads.1;
        let old = needed.saturating_sub(self.begin).min(self.audio[0].len() as u64);
        self.audio.iter_mut().for_each(|c| drop(c.drain(..old as usize)));
        self.begin += old;
    }

    fn append(&mut self, fresh: &mut [Vec<f32>; 2]) {
        self.audio.iter_mut().zip(fresh).for_each(|(all, fresh)| all.append(fresh));
    }

    /// The song's frames from `from` to `to`.
    fn frames(&self, side: usize, from: u64, to: u64) -> &[f32] {
        let index = |frame: u64| (frame - self.begin) as usize;
        &self.audio[side][index(from)..index(to)]
    }
}

/// The sum of `feeds` over the song's frames from `from` to `to`, in their order.
fn sum(feeds: &[Feed], outlets: &[Outlet], from: u64, to: u64, sample_rate_hz: f64, into: &mut [Vec<f32>; 2]) {
    let frames = (to - from) as usize;
    let mut gains = vec![];
    for side in into.iter_mut() {
        side.clear();
        side.resize(frames, 0.0);
    }
    for feed in feeds {
        gains.clear();
        if !feed.gains.is_empty() {
            gains.resize(frames, 1.0);
            feed.gains.iter().for_each(|level| multiply(level, from, sample_rate_hz, &mut gains));
        }
        for (side, into) in into.iter_mut().enumerate() {
            let audio = outlets[feed.from].frames(side, from, to);
            if gains.is_empty() {
                into.iter_mut().zip(audio).for_each(|(sum, s)| *sum += s);
            } else {
                into.iter_mut().zip(audio).zip(&gains).for_each(|((sum, s), gain)| *sum += s * gain);
            }
        }
    }
}

/// Multiplies `gains`, of the song's frames from `from` on, by what `level` says.
fn multiply(level: &Level, from: u64, sample_rate_hz: f64, gains: &mut [f32]) {
    if level.points.is_empty() {
        let fixed = level.gain_at(0.0);
        return gains.iter_mut().for_each(|g| *g *= fixed);
    }
    let exact = |step: u64| level.gain_at((step * LEVEL_STEP_FRAMES) as f64 / sample_rate_hz);
    let mut step = from / LEVEL_STEP_FRAMES;
    let (mut before, mut after) = (exact(step), exact(step + 1));
    for (frame, gain) in (from..).zip(gains) {
        if frame / LEVEL_STEP_FRAMES != step {
            step += 1;
            (before, after) = (after, exact(step + 1));
        }
        let way = (frame % LEVEL_STEP_FRAMES) as f32 / LEVEL_STEP_FRAMES as f32;
        *gain *= before + (after - before) * way;
    }
}

/// A channel's place in a session.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Track(usize),
    Group(usize),
    Return(usize),
}

impl Place {
    fn channel(self, session: &Session) -> &Channel {
        match self {
            Place::Track(i) => &session.tracks[i].channel,
            Place::Group(i) => &session.groups[i].channel,
            Place::Return(i) => &session.returns[i].channel,
        }
    }

    fn name(self, session: &Session) -> &str {
        match self {
            Place::Track(i) => &session.tracks[i].name,
            Place::Group(i) => &session.groups[i].name,
            Place::Return(i) => &session.returns[i].name,
        }
    }

    fn is_heard(self, session: &Session) -> bool {
        match self {
            Place::Track(i) => session.is_audible(&session.tracks[i]),
            bus => !bus.channel(session).mute,
        }
    }

    /// All that is heard, in the session's order.
    fn all(session: &Session) -> Vec<Place> {
        let tracks = (0..session.tracks.len()).map(Place::Track);
        let groups = (0..session.groups.len()).map(Place::Group);
        let returns = (0..session.returns.len()).map(Place::Return);
        tracks.chain(groups).chain(returns).filter(|p| p.is_heard(session)).collect()
    }

    /// What it feeds, and by what gains; `None` is the mix.
    fn fed(self, session: &Session) -> Vec<(Option<Place>, Vec<Level>)> {
        let channel = self.channel(session);
        let moves = |level: &&Level| **level != Level::at(0.0);
        let after: Vec<Level> = [&channel.fader].into_iter().filter(moves).cloned().collect();
        let mut fed = vec![(channel.group.map(Place::Group), after.clone())];
        for send in &channel.sends {
            let mut gains = if send.pre_fader { vec![] } else { after.clone() };
            gains.extend([&send.level].into_iter().filter(moves).cloned());
            fed.push((Some(Place::Return(send.to)), gains));
        }
        fed
    }
}

/// Who stands where in the order of work.
struct Layout {
    places: Vec<Place>,
    level_ends: Vec<usize>,
}

impl Layout {
    /// Tracks first, then each bus after all that feed it; runs of those that do not feed each other.
    fn of(session: &Session) -> Layout {
        let mut waiting = Place::all(session);
        let (mut places, mut level_ends) = (vec![], vec![]);
        while !waiting.is_empty() {
            let feeds = |from: &Place, to: Place| from.fed(session).iter().any(|(fed, _)| *fed == Some(to));
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.iter().partition(|p| !waiting.iter().any(|from| feeds(from, **p)));
            if ready.is_empty() {
                // a loop; sessions that were read have none
                break;
            }
            places.extend(ready);
            level_ends.push(places.len());
            waiting = rest;
        }
        Layout { places, level_ends }
    }

    /// What feeds `to`, in the session's order.
    fn feeds_of(&self, session: &Session, to: Option<Place>) -> Vec<Feed> {
        let mut feeds = vec![];
        for place in Place::all(session) {
            let Some(from) = self.places.iter().position(|p| *p == place) else { continue };
            let ways = place.fed(session).into_iter().filter(|(fed, _)| *fed == to);
            feeds.extend(ways.map(|(_, gains)| Feed { from, gains }));
        }
        feeds
    }
}
