//! Gate, equalizer, compressor and saturation, in an order that can change while music plays.

use crate::block::{self, Block};
use crate::choices;
use crate::dynamics::compressor::{Compressor, CompressorParams, CompressorReading};
use crate::dynamics::gate::{Gate, GateParams, GateReading};
use crate::equalizer::{Equalizer, EqualizerParams};
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::ramp::Ramp;
use crate::saturation::saturator::{Saturation, SaturationParams};

use super::channel_strip::CHANNEL_BANDS;

choices! {
    /// In what order the modules of a channel work: every order in which the gate comes before the compressor.
    pub enum Order {
        /// Clean first, then shape, then control, then colour.
        GateEqCompSat = ("gate_eq_comp_sat", "Gate EQ Comp Sat"),
        /// The compressor hears what the equalizer has not touched.
        GateCompEqSat = ("gate_comp_eq_sat", "Gate Comp EQ Sat"),
        /// Colour between shape and control.
        GateEqSatComp = ("gate_eq_sat_comp", "Gate EQ Sat Comp"),
        /// Colour between control and shape.
        GateCompSatEq = ("gate_comp_sat_eq", "Gate Comp Sat EQ"),
        /// Colour, then shape, then control.
        GateSatEqComp = ("gate_sat_eq_comp", "Gate Sat EQ Comp"),
        /// Colour, then control, then shape.
        GateSatCompEq = ("gate_sat_comp_eq", "Gate Sat Comp EQ"),
        /// The gate hears what the equalizer has made.
        EqGateCompSat = ("eq_gate_comp_sat", "EQ Gate Comp Sat"),
        /// Shape, gate, colour, control.
        EqGateSatComp = ("eq_gate_sat_comp", "EQ Gate Sat Comp"),
        /// Shape, colour, then both dynamics.
        EqSatGateComp = ("eq_sat_gate_comp", "EQ Sat Gate Comp"),
        /// Colour first, as from a machine, then as usual.
        SatGateEqComp = ("sat_gate_eq_comp", "Sat Gate EQ Comp"),
        /// Colour first, then both dynamics, then shape.
        SatGateCompEq = ("sat_gate_comp_eq", "Sat Gate Comp EQ"),
        /// Colour first, then shape, then both dynamics.
        SatEqGateComp = ("sat_eq_gate_comp", "Sat EQ Gate Comp"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Module {
    Gate,
    Eq,
    Comp,
    Sat,
}

impl Order {
    fn sequence(self) -> [Module; 4] {
        use Module::{Comp, Eq, Gate, Sat};
        match self {
            Order::GateEqCompSat => [Gate, Eq, Comp, Sat],
            Order::GateCompEqSat => [Gate, Comp, Eq, Sat],
            Order::GateEqSatComp => [Gate, Eq, Sat, Comp],
            Order::GateCompSatEq => [Gate, Comp, Sat, Eq],
            Order::GateSatEqComp => [Gate, Sat, Eq, Comp],
            Order::GateSatCompEq => [Gate, Sat, Comp, Eq],
            Order::EqGateCompSat => [Eq, Gate, Comp, Sat],
            Order::EqGateSatComp => [Eq, Gate, Sat, Comp],
            Order::EqSatGateComp => [Eq, Sat, Gate, Comp],
            Order::SatGateEqComp => [Sat, Gate, Eq, Comp],
            Order::SatGateCompEq => [Sat, Gate, Comp, Eq],
            Order::SatEqGateComp => [Sat, Eq, Gate, Comp],
        }
    }
}

/// What the modules are set to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ModulesParams {
    pub order: Order,
    pub gate: GateParams,
    pub eq: EqualizerParams<CHANNEL_BANDS>,
    pub compressor: CompressorParams,
    pub saturation: SaturationParams,
}

/// The four modules, and a second set that takes over when the order changes.
///
/// Modules have memory, so none can be moved while it sounds. When another order is asked for, the set that stands by
/// starts in that order beside the one that is heard, runs along unheard until its filters and its gains know the
/// programme, and then the two are crossfaded, linearly: they play the same music. What was asked for meanwhile comes
/// next. Both sets have the same latency.
#[derive(Clone, Debug)]
pub(crate) struct Modules<const CH: usize> {
    params: ModulesParams,
    heard: Rack<CH>,
    standby: Rack<CH>,
    /// Frames since the standby began to run along, while it does.
    along: Option<usize>,
    warm_up_frames: usize,
    fade_frames: usize,
    /// The standby's audio.
    audio: Frames<CH>,
    key: KeyLine<CH>,
}

/// Frames at a time: what lies beside the sound meanwhile stays small, and near.
const MAX_SPAN: usize = 256;

/// A span of planar audio.
type Frames<const CH: usize> = [Vec<f32>; CH];

/// How long a new order runs along unheard, beyond the latency, in seconds: longer than attacks last, and most releases.
pub(crate) const WARM_UP_SECONDS: f64 = 0.3;
/// How long the crossfade to it takes, in seconds.
pub(crate) const FADE_SECONDS: f64 = 0.05;

impl<const CH: usize> Modules<CH> {
    pub fn prepare(&mut self, config: StreamConfig, params: &ModulesParams) -> Result<(), PrepareError> {
        self.params = *params;
        self.heard.prepare(config, params)?;
        self.standby.prepare(config, params)?;
        let frames = |seconds: f64| (seconds * config.sample_rate_hz) as usize;
        self.warm_up_frames = self.heard.latency_frames() + frames(WARM_UP_SECONDS);
        self.fade_frames = frames(FADE_SECONDS);
        self.audio = std::array::from_fn(|_| vec![0.0; config.max_frames.min(MAX_SPAN)]);
        self.key = KeyLine::new(config.max_frames.min(MAX_SPAN), self.heard.latency_frames());
        self.along = None;
        Ok(())
    }

    pub fn reset(&mut self) {
        self.heard.start_in(&self.params);
        self.key.reset();
        self.along = None;
    }

    pub fn set_params(&mut self, params: &ModulesParams) {
        self.params = *params;
        self.heard.set_params(params);
        if self.along.is_some() {
            self.standby.set_params(params);
        }
    }

    pub fn process(&mut self, block: &mut Block<'_, CH>) {
        if self.along.is_none() && self.params.order == self.heard.order && block.frames() <= MAX_SPAN {
            // as it is, with what is known of it
            self.key.take(block);
            return self.heard.process(block, &mut self.key);
        }
        let mut start = 0;
        while start < block.frames() {
            if self.along.is_none() && self.params.order != self.heard.order {
                self.standby.start_in(&self.params);
                self.along = Some(0);
            }
            let most = match self.along {
                None => MAX_SPAN,
                // where the standby is heard first, and where it is heard alone, a span ends
                Some(n) if n < self.warm_up_frames => self.warm_up_frames - n,
                Some(n) => self.warm_up_frames + self.fade_frames - n,
            };
            let mut span = block.span(start, most.min(MAX_SPAN));
            start += span.frames();
            self.key.take(&span);
            if let Some(along) = self.along {
                self.process_both(&mut span, along);
            } else {
                self.heard.process(&mut span, &mut self.key);
            }
        }
    }

    fn process_both(&mut self, block: &mut Block<'_, CH>, along: usize) {
        let frames = block.frames();
        for (audio, channel) in self.audio.iter_mut().zip(block.channels_ref()) {
            audio[..frames].copy_from_slice(channel);
        }
        let mut other = Block::new(self.audio.each_mut().map(|audio| &mut audio[..frames]))
            .with_side_chain(block.side_chain())
            .with_transport(block.transport());
        self.heard.process(block, &mut self.key);
        self.standby.process(&mut other, &mut self.key);
        if along >= self.warm_up_frames {
            let mut share = Ramp::new(0.0, self.fade_frames as u32);
            share.set_target(1.0);
            share.advance(along - self.warm_up_frames);
            for (channel, other) in block.channels().iter_mut().zip(&self.audio) {
                let mut share = share;
                for (heard, other) in channel.iter_mut().zip(other) {
                    let (a, b) = (f64::from(*heard), f64::from(*other));
                    *heard = (a + share.next_value() * (b - a)) as f32;
                }
            }
        }
        self.along = Some(along + frames);
        if along + frames >= self.warm_up_frames + self.fade_frames {
            std::mem::swap(&mut self.heard, &mut self.standby);
            self.along = None;
        }
    }

    pub fn latency_frames(&self) -> usize {
        self.heard.latency_frames()
    }

    pub fn tail(&self) -> Tail {
        let heard = self.heard.tail();
        match (self.along, heard, self.standby.tail()) {
            (None, ..) => heard,
            // what the standby has still to say comes after it has taken over
            (Some(_), Tail::Frames(a), Tail::Frames(b)) => {
                Tail::Frames(a.max(b).saturating_add(self.warm_up_frames + self.fade_frames))
            }
            _ => Tail::Infinite,
        }
    }

    pub fn set_measuring(&mut self, measuring: bool) {
        self.heard.compressor.set_measuring(measuring);
        self.standby.compressor.set_measuring(measuring);
    }

    pub fn reading(&mut self) -> (GateReading, CompressorReading) {
        (self.heard.gate.reading(), self.heard.compressor.reading())
    }
}

impl<const CH: usize> Default for Modules<CH> {
    fn default() -> Self {
        Modules {
            params: ModulesParams::default(),
            heard: Rack::default(),
            standby: Rack::default(),
            along: None,
            warm_up_frames: 0,
            fade_frames: 0,
            audio: std::array::from_fn(|_| vec![]),
            key: KeyLine::default(),
        }
    }
}

/// The four modules in one order.
#[derive(Clone, Debug, Default)]
struct Rack<const CH: usize> {
    order: Order,
    gate: Gate<CH>,
    eq: Equalizer<CH, CHANNEL_BANDS>,
    compressor: Compressor<CH>,
    saturation: Saturation<CH>,
    /// Frames by which the sound is late at each module that hears the side chain.
    gate_late: usize,
    eq_late: usize,
    compressor_late: usize,
}

impl<const CH: usize> Rack<CH> {
    fn prepare(&mut self, config: StreamConfig, params: &ModulesParams) -> Result<(), PrepareError> {
        self.gate.prepare(config, &params.gate)?;
        self.eq.prepare(config, &params.eq)?;
        self.compressor.prepare(config, &params.compressor)?;
        self.saturation.prepare(config, &params.saturation)?;
        self.put_in_order(params.order);
        Ok(())
    }

    /// Forgets everything, and begins with these controls. Real-time safe.
    fn start_in(&mut self, params: &ModulesParams) {
        self.set_params(params);
        self.gate.reset();
        self.eq.reset();
        self.compressor.reset();
        self.saturation.reset();
        self.put_in_order(params.order);
    }

    fn put_in_order(&mut self, order: Order) {
        self.order = order;
        let mut before = 0;
        for module in order.sequence() {
            match module {
                Module::Gate => {
                    self.gate_late = before;
                    before += self.gate.latency_frames();
                }
                Module::Eq => {
                    self.eq_late = before;
                    before += self.eq.latency_frames();
                }
                Module::Comp => {
                    self.compressor_late = before;
                    before += self.compressor.latency_frames();
                }
                Module::Sat => before += self.saturation.latency_frames(),
            }
        }
    }

    fn set_params(&mut self, params: &ModulesParams) {
        self.gate.set_params(&params.gate);
        self.eq.set_params(&params.eq);
        self.compressor.set_params(&params.compressor);
        self.saturation.set_params(&params.saturation);
    }

    fn process(&mut self, block: &mut Block<'_, CH>, key: &mut KeyLine<CH>) {
        for module in self.order.sequence() {
            match module {
                Module::Gate if self.gate_late == 0 => self.gate.process(block),
                Module::Gate => self.gate.process(&mut key.aligned(block, self.gate_late)),
                Module::Eq if self.eq_late == 0 => self.eq.process(block),
                Module::Eq => self.eq.process(&mut key.aligned(block, self.eq_late)),
                Module::Comp if self.compressor_late == 0 => self.compressor.process(block),
                Module::Comp => self.compressor.process(&mut key.aligned(block, self.compressor_late)),
                Module::Sat => self.saturation.process(block),
            }
        }
    }

    fn latency_frames(&self) -> usize {
        self.gate.latency_frames()
            + self.eq.latency_frames()
            + self.compressor.latency_frames()
            + self.saturation.latency_frames()
    }

    fn tail(&self) -> Tail {
        self.gate.tail().then(self.eq.tail()).then(self.compressor.tail()).then(self.saturation.tail())
    }
}

/// The side chain, as late as the sound is at a module that hears it.
#[derive(Clone, Debug)]
struct KeyLine<const CH: usize> {
    /// Empty where nothing is ever late.
    rings: Frames<CH>,
    /// Where the next frame goes.
    at: usize,
    late: Frames<CH>,
}

impl<const CH: usize> KeyLine<CH> {
    /// For blocks of `max_frames`, as late as `most` frames. May allocate.
    fn new(max_frames: usize, most: usize) -> Self {
        let (ring, late) = if most > 0 { (most + max_frames, max_frames) } else { (0, 0) };
        KeyLine {
            rings: std::array::from_fn(|_| vec![0.0; ring]),
            at: 0,
            late: std::array::from_fn(|_| vec![0.0; late]),
        }
    }

    /// Forgets everything.
    fn reset(&mut self) {
        self.rings.iter_mut().for_each(|ring| ring.fill(0.0));
        self.at = 0;
    }

    /// Takes the side chain of a block in; one that is not connected is silent, and so is what comes late of it.
    fn take(&mut self, block: &Block<'_, CH>) {
        let (frames, side_chain) = (block.frames(), block.side_chain());
        let mut end = self.at;
        for (c, ring) in self.rings.iter_mut().enumerate() {
            let key = side_chain.and_then(|s| s.get(c).copied()).unwrap_or(&[]);
            let samples = key.iter().map(|x| block::finite(*x)).chain(std::iter::repeat(0.0)).take(frames);
            end = (self.at + frames) % ring.len().max(1);
            let (before, behind) = ring.split_at_mut(self.at);
            let mut places = behind.iter_mut().chain(before);
            samples.zip(&mut places).for_each(|(sample, place)| *place = sample);
        }
        self.at = end;
    }

    /// The block that was taken in last, with its side chain `late` frames late.
    fn aligned<'a>(&'a mut self, block: &'a mut Block<'_, CH>, late: usize) -> Block<'a, CH> {
        let frames = block.frames();
        for (ring, lane) in self.rings.iter().zip(&mut self.late) {
            let start = (self.at + 2 * ring.len() - frames.min(ring.len()) - late.min(ring.len())) % ring.len().max(1);
            let (before, behind) = ring.split_at(start.min(ring.len()));
            lane.iter_mut().take(frames).zip(behind.iter().chain(before)).for_each(|(to, from)| *to = *from);
        }
        let late = self.late.each_ref().map(|late| late.get(..frames).unwrap_or(&[]));
        block.span(0, frames).with_side_chain(Some(late))
    }
}

impl<const CH: usize> Default for KeyLine<CH> {
    fn default() -> Self {
        KeyLine::new(0, 0)
    }
}
