//! The equalizer: bands in series, each matched to its analogue prototype up to the Nyquist frequency, without latency.
//!
//! - Shapes, and how they are designed: [`crate::filter::prototype`] and [`crate::filter::matched`].
//! - Numbers glide in 20 ms, frequency and Q in even ratios; designs are made on the control grid, and coefficients
//!   follow a cubic between them. Shapes, slopes, placements and switches crossfade.
//! - Dynamic bands move their gain with the level in the band.
//! - [`Curve`] is the exact response for the editor.
//! - [`broad`] is the mastering equalizer, which has it in linear phase too.

mod band;
pub mod broad;
mod curve;
mod design;
mod detector;
mod kernel_design;
mod linear_phase;
mod listen;
pub mod params;
mod rack;
mod voice;

use crate::block::{self, Block};
use crate::control_grid::{ControlGrid, GRID_FRAMES};
use crate::controls;
use crate::equalizer::band::{Band, Shared};
use crate::equalizer::rack::Rack;
use crate::filter::cascade::{Line, MAX_SPAN};
use crate::filter::complex::Complex;
use crate::filter::section::Section;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use crate::ramp::Ramp;

pub use broad::{BROAD_BANDS, BroadEqualizer, BroadEqualizerParams, Phase};
pub use curve::Curve;
pub use params::{BandParams, EqualizerParams, Key, Placement, Shape, Slope};

/// How long a moved control takes to arrive, in seconds; at low sample rates a little longer, so that designs stay close.
pub const GLIDE_SECONDS: f64 = 0.02;
const LEAST_GLIDE_FRAMES: u32 = 24 * GRID_FRAMES as u32;

/// An equalizer of `BANDS` bands for one or two channels. Bit-transparent while off and while every band is off.
#[derive(Clone, Debug)]
pub struct Equalizer<const CH: usize, const BANDS: usize> {
    config: StreamConfig,
    /// As given, to see quickly that nothing changed.
    given: EqualizerParams<BANDS>,
    target: EqualizerParams<BANDS>,
    /// `target` waits for the next grid point.
    pending: bool,
    grid: ControlGrid,
    bands: Vec<Band<CH>>,
    rack: Rack<CH>,
    gain_scale: Ramp,
    polarity: Ramp,
    /// How much of the output gives way to the bands that are soloed.
    solo: Ramp,
    /// Something sounds, glides or fades: frames must be processed.
    active: bool,
    /// Nothing but filters that stand still: several grid spans may be processed at once.
    quiet: bool,
    /// Grid points since the last one at which quiet filters' states are looked after.
    points: usize,
    lines: Lines<CH>,
    key: Lines<CH>,
}

/// What the bands do at this moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<const BANDS: usize> {
    /// By how many decibels the dynamic part of each band moves its gain, gain scale aside.
    pub dynamic_db: [f64; BANDS],
}

/// Some frames of audio in double precision.
type Lines<const CH: usize> = [Line; CH];

const QUIET_POINTS: usize = MAX_SPAN / GRID_FRAMES;

impl<const CH: usize, const BANDS: usize> Equalizer<CH, BANDS> {
    /// Not prepared yet. May allocate.
    #[must_use]
    pub fn new() -> Self {
        let mut equalizer = Equalizer {
            config: StreamConfig { sample_rate_hz: 48_000.0, max_frames: 1 },
            given: EqualizerParams::default(),
            target: EqualizerParams::default(),
            pending: false,
            grid: ControlGrid::default(),
            bands: vec![],
            rack: Rack::new(BANDS),
            gain_scale: Ramp::new(1.0, 1),
            polarity: Ramp::new(1.0, 1),
            solo: Ramp::new(0.0, 1),
            active: false,
            quiet: false,
            points: 0,
            lines: [[0.0; _]; CH],
            key: [[0.0; _]; CH],
        };
        equalizer.build();
        equalizer
    }

    /// What the dynamic parts do. Real-time safe.
    #[must_use]
    pub fn reading(&self) -> Reading<BANDS> {
        let mut dynamic_db = [0.0; BANDS];
        for (place, band) in dynamic_db.iter_mut().zip(&self.bands) {
            *place = band.dynamic_db();
        }
        Reading { dynamic_db }
    }

    /// Gain and phase at `hz` from each input channel to each output channel (`[output][input]`; mono is left) once
    /// all glides have arrived, dynamic parts as they are now. Solo is not part of it. Real-time safe.
    #[must_use]
    pub fn response(&self, hz: f64) -> [[Complex; 2]; 2] {
        let z = Complex::from_angle(math::TAU * hz / self.config.sample_rate_hz);
        let voices = self.bands.iter().filter_map(|band| Some((band.voice.spec?.route, band.voice.newest())));
        curve::matrix(voices.map(|(route, sections)| (route, curve::response(sections, z))), self.polarity.target())
    }

    fn build(&mut self) {
        let glide_frames = ((GLIDE_SECONDS * self.config.sample_rate_hz) as u32).max(LEAST_GLIDE_FRAMES);
        let ramp = |value: f64| Ramp::new(value, glide_frames);
        (self.gain_scale, self.polarity, self.solo) = (ramp(1.0), ramp(1.0), ramp(0.0));
        self.bands.clear();
        let rate_hz = self.config.sample_rate_hz;
        self.bands
            .extend(self.target.band.iter().map(|params| Band::new(*params, rate_hz, glide_frames, glide_frames)));
        self.arrive();
    }

    fn arrive(&mut self) {
        self.grid.reset();
        self.points = QUIET_POINTS - 1;
        self.pending = false;
        self.adopt();
        for ramp in [&mut self.gain_scale, &mut self.polarity, &mut self.solo] {
            ramp.snap();
        }
        let shared = self.shared();
        for band in &mut self.bands {
            let solo = is_soloed(&self.target, band.params());
            band.reset(&shared, solo);
        }
        self.rack.clear();
        self.rack.lay_out(&mut self.bands);
        self.take_stock();
    }

    fn adopt(&mut self) {
        for (band, params) in self.bands.iter_mut().zip(&self.target.band) {
            band.set_params(params);
        }
        self.gain_scale.set_target(0.01 * self.target.gain_scale_percent);
        self.polarity.set_target(if self.target.on && self.target.phase_invert { -1.0 } else { 1.0 });
        let any_solo = self.target.band.iter().any(|band| is_soloed(&self.target, band));
        self.solo.set_target(if any_solo { 1.0 } else { 0.0 });
    }

    fn shared(&self) -> Shared {
        Shared { on: self.target.on, gain_scale: self.gain_scale.value() }
    }

    fn on_grid(&mut self) {
        self.points = (self.points + 1) % QUIET_POINTS;
        if self.pending {
            self.pending = false;
            self.adopt();
        } else if !self.active {
            return;
        } else if self.quiet {
            if self.points == 0 {
                self.rack.flush();
            }
            return;
        }
        self.gain_scale.advance(GRID_FRAMES);
        let shared = self.shared();
        let mut other_voices = false;
        for band in &mut self.bands {
            let solo = is_soloed(&self.target, band.params());
            other_voices |= band.on_grid(&shared, solo);
        }
        if other_voices {
            self.rack.lay_out(&mut self.bands);
        } else {
            self.rack.show(&self.bands);
        }
        self.take_stock();
    }

    fn take_stock(&mut self) {
        let ramps = [&self.gain_scale, &self.polarity, &self.solo].into_iter().any(Ramp::is_moving);
        let solo = self.solo.target() != 0.0 || self.bands.iter().any(|b| b.listen.is_active());
        let glides = ramps || self.bands.iter().any(|b| b.is_gliding());
        let dynamic = self.bands.iter().any(Band::is_dynamic);
        self.active = glides || solo || !self.rack.is_empty() || self.polarity.target() != 1.0;
        self.quiet = !glides && !solo && !dynamic;
    }

    fn process_span(&mut self, block: &mut Block<'_, CH>, start: usize, len: usize) {
        let (channels, side_chain) = block.split();
        for (line, channel) in self.lines.iter_mut().zip(channels.iter()) {
            for (to, from) in line.iter_mut().zip(channel.iter().skip(start).take(len)) {
                *to = f64::from(*from);
            }
        }
        if !self.quiet {
            self.hear(side_chain, start, len);
        }
        self.rack.process(&mut self.bands, &mut self.lines, len);
        if !self.quiet {
            self.listen(len);
        }
        if self.polarity.is_moving() {
            for frame in 0..len {
                let polarity = self.polarity.next_value();
                self.lines.iter_mut().filter_map(|line| line.get_mut(frame)).for_each(|s| *s *= polarity);
            }
        } else if self.polarity.target() != 1.0 {
            self.lines.iter_mut().flat_map(|line| line.iter_mut().take(len)).for_each(|s| *s = -*s);
        }
        for (line, channel) in self.lines.iter().zip(channels.iter_mut()) {
            for (from, to) in line.iter().zip(channel.iter_mut().skip(start).take(len)) {
                *to = *from as f32;
            }
        }
    }

    /// The dynamic bands hear their key.
    fn hear(&mut self, side_chain: Option<[&[f32]; CH]>, start: usize, len: usize) {
        if !self.bands.iter().any(Band::is_dynamic) {
            return;
        }
        for (n, line) in self.key.iter_mut().enumerate() {
            let key = side_chain.and_then(|s| s.get(n).copied()).unwrap_or(&[]);
            let samples = key.iter().skip(start).map(|s| f64::from(block::finite(*s)));
            for (to, from) in line.iter_mut().zip(samples.chain(std::iter::repeat(0.0))).take(len) {
                *to = from;
            }
        }
        for band in self.bands.iter_mut().filter(|band| band.is_dynamic()) {
            let key = if band.params().key == Key::SideChain { &self.key } else { &self.lines };
            for frame in 0..len {
                band.hear(&frame_of(key, frame));
            }
        }
    }

    /// What is soloed takes the place of the whole.
    fn listen(&mut self, len: usize) {
        let heard = self.bands.iter().any(|b| b.listen.is_active());
        if !heard && !self.solo.is_moving() && self.solo.target() == 0.0 {
            return;
        }
        for frame in 0..len {
            let input = frame_of(&self.lines, frame);
            let dry = 1.0 - self.solo.next_value();
            let mut output = input.map(|s| dry * s);
            for band in self.bands.iter_mut().filter(|b| b.listen.is_active()) {
                band.listen.add(&input, &mut output);
            }
            for (line, output) in self.lines.iter_mut().zip(output) {
                if let Some(sample) = line.get_mut(frame) {
                    *sample = output;
                }
            }
        }
    }
}

impl<const CH: usize, const BANDS: usize> Processor<CH> for Equalizer<CH, BANDS> {
    type Params = EqualizerParams<BANDS>;

    fn prepare(&mut self, config: StreamConfig, params: &Self::Params) -> Result<(), PrepareError> {
        config.check()?;
        self.config = config;
        self.given = *params;
        self.target = controls::clamped(params);
        self.build();
        Ok(())
    }

    fn reset(&mut self) {
        self.arrive();
    }

    fn set_params(&mut self, params: &Self::Params) {
        if *params == self.given {
            return;
        }
        self.given = *params;
        self.target = controls::clamped(params);
        self.pending = true;
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        let frames = block.frames();
        let mut start = 0;
        while let Some(span) = self.grid.next(start, frames) {
            if span.on_grid {
                self.on_grid();
            }
            start = span.start + span.len;
            while self.quiet && !self.pending && self.points + 1 < QUIET_POINTS {
                let Some(next) = self.grid.next(start, frames) else { break };
                start = next.start + next.len;
                self.points += 1;
            }
            if self.active {
                self.process_span(block, span.start, start - span.start);
            }
        }
    }

    fn tail(&self) -> Tail {
        // until +100 dBFS, and 40 dB of resonance, have died away to the floor of the states, each section on its own
        let decades = math::ln(f64::from(block::MAX_MAGNITUDE) * 1e2 / math::STATE_FLOOR);
        let ringing =
            |section: &Section| decades / -math::ln(section.slowest_pole().max(1e-9)).min(-1e-12) + GRID_FRAMES as f64;
        let voices = self.bands.iter().flat_map(|band| [&band.voice, &band.old]);
        let in_series = voices.filter(|v| v.spec.is_some()).flat_map(|v| v.newest().iter());
        let mut frames: f64 = in_series.map(ringing).sum();
        // what is soloed runs side by side, after them
        let listens = self.bands.iter().map(|b| &b.listen).filter(|l| l.is_active());
        frames += listens.map(|l| ringing(l.section())).fold(0.0, f64::max);
        if frames == 0.0 {
            Tail::Frames(0)
        } else if frames < LONGEST_TAIL_SECONDS * self.config.sample_rate_hz {
            Tail::Frames(frames as usize)
        } else {
            Tail::Infinite
        }
    }
}

/// Longer ringing is as good as endless, in seconds.
const LONGEST_TAIL_SECONDS: f64 = 60.0;

impl<const CH: usize, const BANDS: usize> Default for Equalizer<CH, BANDS> {
    fn default() -> Self {
        Self::new()
    }
}

fn is_soloed<const BANDS: usize>(params: &EqualizerParams<BANDS>, band: &BandParams) -> bool {
    params.on && band.on && band.solo
}

fn frame_of<const CH: usize>(lines: &Lines<CH>, frame: usize) -> [f64; CH] {
    std::array::from_fn(|c| lines.get(c).and_then(|line| line.get(frame)).copied().unwrap_or(0.0))
}
