//! One band: its glides, its voices, its dynamic part.

use crate::control_grid::GRID_FRAMES;
use crate::equalizer::design::{Route, Sections, Spec};
use crate::equalizer::detector::Detector;
use crate::equalizer::listen::{Listen, Region};
use crate::equalizer::params::BandParams;
use crate::equalizer::voice::Voice;
use crate::math;
use crate::ramp::Ramp;

/// One band of the equalizer.
#[derive(Clone, Copy, Debug)]
pub struct Band<const CH: usize> {
    params: BandParams,
    /// Frequency and Q glide in even ratios: these are natural logarithms.
    log_frequency: Ramp,
    log_q: Ramp,
    gain_db: Ramp,
    range_db: Ramp,
    threshold_db: Ramp,
    /// The voice that is or becomes the sound of the band, and the one that it replaces.
    pub voice: Voice<CH>,
    /// The voice that fades out, while `fade` lasts.
    pub old: Voice<CH>,
    fade: Option<Fade>,
    detector: Detector<CH>,
    dynamic_db: f64,
    /// The band's solo.
    pub listen: Listen<CH>,
    /// What the newest design was made from.
    designed: [f64; 3],
    /// The frequency was moved so far that gliding there would sing.
    leap: bool,
    sample_rate_hz: f64,
    fade_frames: u32,
}

/// From rest, a move of the frequency by more than this many octaves crossfades: a filter that rings and glides takes
/// what it holds along, a chirp of up to −10 dB. Smaller moves, and those of automation under way, glide.
const LEAP_OCTAVES: f64 = 1.0;

/// The passage from one voice to another. First the *input* moves over, so that the new filter starts from nothing
/// without a transient; then the old one's ringing is faded out.
#[derive(Clone, Copy, Debug)]
pub struct Fade {
    /// What the new voice gets of the input; the old one gets the rest.
    pub input: Ramp,
    /// What remains of the old voice's output.
    pub ringing: Ramp,
}

/// What all bands share at a grid point.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// Whether the equalizer is in use.
    pub on: bool,
    /// The gain scale as a factor.
    pub gain_scale: f64,
}

impl<const CH: usize> Band<CH> {
    /// A wire, for glides of `glide_frames` and fades of `fade_frames`.
    #[must_use]
    pub fn new(params: BandParams, sample_rate_hz: f64, glide_frames: u32, fade_frames: u32) -> Self {
        let ramp = |value: f64| Ramp::new(value, glide_frames);
        Band {
            params,
            log_frequency: ramp(math::ln(params.frequency_hz)),
            log_q: ramp(math::ln(params.q)),
            gain_db: ramp(params.gain_db),
            // what is loud enough takes it up at once: from 0 to 30 dB it is heard as a move of the gain by as much
            range_db: Ramp::new(params.range_db, 4 * glide_frames),
            threshold_db: ramp(params.threshold_db),
            voice: Voice::WIRE,
            old: Voice::WIRE,
            fade: None,
            detector: Detector::new(),
            dynamic_db: 0.0,
            listen: Listen::new(fade_frames),
            designed: [0.0; 3],
            leap: false,
            sample_rate_hz,
            fade_frames,
        }
    }

    /// The band's controls. Real-time safe.
    #[must_use]
    pub fn params(&self) -> &BandParams {
        &self.params
    }

    /// Moves targets. Real-time safe.
    pub fn set_params(&mut self, params: &BandParams) {
        if *params == self.params {
            return;
        }
        self.params = *params;
        let log_frequency = math::ln(params.frequency_hz);
        let move_octaves = (log_frequency - self.log_frequency.target()).abs() / math::LN_2;
        self.leap |= !self.log_frequency.is_moving() && move_octaves > LEAP_OCTAVES;
        self.log_frequency.set_target(log_frequency);
        self.log_q.set_target(math::ln(params.q));
        self.gain_db.set_target(params.gain_db);
        self.range_db.set_target(params.range_db);
        self.threshold_db.set_target(params.threshold_db);
    }

    /// Forgets all audio and arrives at every target. Real-time safe.
    pub fn reset(&mut self, shared: &Shared, solo: bool) {
        self.snap();
        self.leap = false;
        self.detector.reset();
        self.dynamic_db = 0.0;
        self.fade = None;
        self.old = Voice::WIRE;
        self.voice = self.fresh_voice(Spec::of::<CH>(shared.on, &self.params), shared);
        self.tune();
        self.listen.reset(self.region(solo));
    }

    /// At a grid point: everything that may change there. Returns whether the voices are others than before. Real-time
    /// safe.
    pub fn on_grid(&mut self, shared: &Shared, solo: bool) -> bool {
        let mut other_voices = false;
        if let Some(fade) = self.fade.as_mut().filter(|fade| !fade.input.is_moving()) {
            fade.ringing.set_target(0.0);
            if !fade.ringing.is_moving() {
                self.fade = None;
                self.old = Voice::WIRE;
                other_voices = true;
            }
        }
        let wanted = Spec::of::<CH>(shared.on, &self.params);
        let leap = std::mem::take(&mut self.leap) && self.voice.spec.is_some();
        if self.fade.is_none() && (wanted != self.voice.spec || leap) {
            self.old = self.voice;
            self.old.freeze();
            self.snap();
            if self.voice.spec.is_none() {
                self.detector.reset();
                self.dynamic_db = 0.0;
            }
            self.voice = self.fresh_voice(wanted, shared);
            let mut input = Ramp::new(0.0, self.fade_frames);
            input.set_target(1.0);
            self.fade = Some(Fade { input, ringing: Ramp::new(1.0, 2 * self.fade_frames) });
            other_voices = true;
        }

        let was_dynamic = self.dynamic_db;
        let dynamic = self.is_dynamic();
        for ramp in [&mut self.log_frequency, &mut self.log_q, &mut self.gain_db, &mut self.range_db] {
            ramp.advance(GRID_FRAMES);
        }
        self.threshold_db.advance(GRID_FRAMES);
        self.dynamic_db = if dynamic {
            self.detector.step(&self.params, self.threshold_db.value(), self.range_db.value(), self.sample_rate_hz)
        } else {
            0.0
        };
        if !dynamic && was_dynamic != 0.0 {
            self.detector.reset();
        }
        let design = match self.voice.spec {
            Some(spec) if wanted == Some(spec) => self.redesign(&spec, shared),
            _ => None,
        };
        self.voice.advance(design);
        if dynamic {
            self.tune();
        }
        if solo || self.listen.is_active() {
            self.listen.on_grid(self.region(solo));
        }
        other_voices
    }

    /// Whether the dynamic part is at work, and the key must be heard. Real-time safe.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        let Some(spec) = self.voice.spec else { return false };
        spec.shape.has_gain() && (self.range_db.target() != 0.0 || self.range_db.is_moving())
    }

    /// Hears one frame of the key. Real-time safe.
    pub fn hear(&mut self, key: &[f64; CH]) {
        let Some(spec) = self.voice.spec else { return };
        match (spec.route, &key[..]) {
            (Route::One(channel), key) => self.detector.hear(0, key.get(channel).copied().unwrap_or(0.0)),
            (Route::Mid, [left, right, ..]) => self.detector.hear(0, 0.5 * (left + right)),
            (Route::Side, [left, right, ..]) => self.detector.hear(0, 0.5 * (left - right)),
            (_, key) => key.iter().enumerate().for_each(|(channel, sample)| self.detector.hear(channel, *sample)),
        }
    }

    /// By how many decibels the dynamic part moves the gain now, before the gain scale. Real-time safe.
    #[must_use]
    pub fn dynamic_db(&self) -> f64 {
        self.dynamic_db
    }

    /// Whether any control or the passage to another voice is under way. Real-time safe.
    #[must_use]
    pub fn is_gliding(&self) -> bool {
        let ramps = [&self.log_frequency, &self.log_q, &self.gain_db, &self.range_db, &self.threshold_db];
        self.fade.is_some() || self.leap || self.voice.is_moving() || ramps.into_iter().any(Ramp::is_moving)
    }

    /// The passage under way. Real-time safe.
    pub fn fade(&mut self) -> Option<&mut Fade> {
        self.fade.as_mut()
    }

    fn snap(&mut self) {
        let ramps = [&mut self.log_frequency, &mut self.log_q, &mut self.gain_db, &mut self.range_db];
        ramps.into_iter().for_each(Ramp::snap);
        self.threshold_db.snap();
    }

    /// ω in radians per sample, Q and gain in decibels as they are at this frame.
    fn values(&self, shared: &Shared) -> [f64; 3] {
        let frequency_hz = if self.log_frequency.is_moving() {
            math::exp(self.log_frequency.value())
        } else {
            self.params.frequency_hz
        };
        let q = if self.log_q.is_moving() { math::exp(self.log_q.value()) } else { self.params.q };
        let gain_db = shared.gain_scale * (self.gain_db.value() + self.dynamic_db);
        [math::TAU * frequency_hz / self.sample_rate_hz, q, gain_db]
    }

    fn fresh_voice(&mut self, spec: Option<Spec>, shared: &Shared) -> Voice<CH> {
        self.designed = self.values(shared);
        let [omega, q, gain_db] = self.designed;
        let sections = spec.map_or(Sections::NONE, |spec| Sections::design(&spec, omega, q, gain_db));
        Voice::at_rest(spec, sections)
    }

    fn redesign(&mut self, spec: &Spec, shared: &Shared) -> Option<Sections> {
        let values = self.values(shared);
        let [omega, q, gain_db] = values;
        let heard = if spec.shape.has_gain() { values } else { [omega, q, self.designed[2]] };
        (heard != self.designed).then(|| {
            self.designed = heard;
            Sections::design(spec, omega, q, gain_db)
        })
    }

    fn tune(&mut self) {
        if let Some(Region { shape, omega, q, .. }) = self.region(true) {
            self.detector.tune(shape, omega, q);
        }
    }

    fn region(&self, wanted: bool) -> Option<Region> {
        let spec = self.voice.spec.filter(|_| wanted)?;
        let [omega, q, _] = self.values(&Shared { on: true, gain_scale: 0.0 });
        Some(Region { shape: spec.shape, route: spec.route, omega, q })
    }
}
