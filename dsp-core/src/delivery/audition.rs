//! Listening to a master as a service will play it.

use super::{Rule, ServiceLimiter};
use crate::block::Block;
use crate::choices;
use crate::controls;
use crate::math;
use crate::processor::{PrepareError, Processor, StreamConfig};
use crate::ramp::Ramp;
use crate::range::{Range, Unit};

choices! {
    /// The services of `delivery.toml`, in its order.
    pub enum AuditionService {
        /// Spotify as it comes.
        Spotify = ("spotify", "Spotify"),
        /// Spotify with its volume level at Loud, limiter and all.
        SpotifyLoud = ("spotify_loud", "Spotify Loud"),
        /// Spotify with its volume level at Quiet.
        SpotifyQuiet = ("spotify_quiet", "Spotify Quiet"),
        /// Apple Music: an estimate.
        AppleMusic = ("apple_music", "Apple Music (estimate)"),
        /// YouTube.
        YouTube = ("youtube", "YouTube"),
        /// TIDAL.
        Tidal = ("tidal", "TIDAL"),
        /// Amazon Music.
        AmazonMusic = ("amazon_music", "Amazon Music"),
        /// Deezer.
        Deezer = ("deezer", "Deezer"),
        /// Broadcast by EBU R 128.
        EbuR128 = ("ebu_r128", "EBU R 128"),
        /// Single tracks of music by AES TD1008.
        AesMusicTrack = ("aes_music_track", "AES music, by track"),
        /// Albums by AES TD1008.
        AesMusicAlbum = ("aes_music_album", "AES music, by album"),
        /// Speech by AES TD1008.
        AesSpeech = ("aes_speech", "AES speech"),
    }
}

/// How many services there are.
pub const SERVICES: usize = AuditionService::ALL.len();

controls! {
    /// Audition: the master at a service's gain.
    pub struct AuditionParams {
        /// Whether it is heard.
        pub on: bool = switch("On", false),
        /// Whose playback.
        pub service: AuditionService = choice("Service", AuditionService::Spotify),
        /// The gain that is played, in decibels: measured, then written here. It follows nothing.
        pub gain_db: f64 = float("Gain", Range::linear(-40.0, 30.0, 0.0, Unit::Decibel, 2)),
    }
}

/// How long gain and limiter take to come and go, in seconds.
pub const AUDITION_GLIDE_SECONDS: f64 = 0.02;

/// What each service does, in the order of [`AuditionService::ALL`]. May allocate, the first time.
///
/// # Panics
/// Never: a test finds every key in the file.
#[must_use]
pub fn rules() -> [Rule; SERVICES] {
    std::array::from_fn(|n| {
        let key = AuditionService::CHOICES[n].key;
        super::service(key).expect("delivery.toml has every service that can be chosen").rule
    })
}

/// Plays exactly `gain_db`, and behind it the limiter that the service has, if it has one. Off, or at 0 dB without a limiter
/// at work, it changes no bit; no latency.
///
/// Of Spotify Loud's limiter its threshold (−1 dB, by sample values), attack (5 ms) and release (100 ms) are published. Taken
/// here: one gain for both channels, on its way to threshold/|sample| by one-poles of these time constants, no lookahead,
/// and full scale behind it, where a player clips.
#[derive(Clone, Debug)]
pub struct Audition<const CH: usize> {
    params: AuditionParams,
    sample_rate_hz: f64,
    limiters: [Option<ServiceLimiter>; SERVICES],
    gain: Ramp,
    /// 0 without the limiter, 1 with it.
    limited: Ramp,
    limiter: Smoothed,
}

/// The limiter's gain under way.
#[derive(Clone, Copy, Debug)]
struct Smoothed {
    gain: f64,
    threshold: f64,
    /// Share of the way that is left after a frame.
    attack: f64,
    release: f64,
}

impl<const CH: usize> Audition<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Audition {
            params: AuditionParams::default(),
            sample_rate_hz: 48_000.0,
            limiters: [None; SERVICES],
            gain: Ramp::new(1.0, 1),
            limited: Ramp::new(0.0, 1),
            limiter: Smoothed { gain: 1.0, threshold: 1.0, attack: 0.0, release: 0.0 },
        }
    }

    fn chosen(&self) -> Option<ServiceLimiter> {
        self.limiters.get(self.params.service as usize).copied().flatten().filter(|_| self.params.on)
    }

    fn retarget(&mut self) {
        self.gain.set_target(if self.params.on { math::db_to_gain(self.params.gain_db) } else { 1.0 });
        self.limited.set_target(if self.chosen().is_some() { 1.0 } else { 0.0 });
        if let Some(limiter) = self.chosen() {
            let left = |ms: f64| math::exp(-1.0 / (0.001 * ms * self.sample_rate_hz));
            self.limiter.threshold = math::db_to_gain(limiter.threshold_dbfs);
            (self.limiter.attack, self.limiter.release) = (left(limiter.attack_ms), left(limiter.release_ms));
        }
    }

    fn limits(&self) -> bool {
        self.limited.is_moving() || self.limited.target() != 0.0
    }
}

impl Smoothed {
    fn next(&mut self, level: f64) -> f64 {
        let wanted = if level > self.threshold { self.threshold / level } else { 1.0 };
        let left = if wanted < self.gain { self.attack } else { self.release };
        self.gain = wanted + (self.gain - wanted) * left;
        self.gain
    }
}

impl<const CH: usize> Processor<CH> for Audition<CH> {
    type Params = AuditionParams;

    fn prepare(&mut self, config: StreamConfig, params: &AuditionParams) -> Result<(), PrepareError> {
        config.check()?;
        self.params = controls::clamped(params);
        self.sample_rate_hz = config.sample_rate_hz;
        self.limiters = rules().map(|rule| rule.limiter);
        let ramp = |value| Ramp::with_seconds(value, AUDITION_GLIDE_SECONDS, config.sample_rate_hz);
        (self.gain, self.limited) = (ramp(1.0), ramp(0.0));
        self.retarget();
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.gain.snap();
        self.limited.snap();
        self.limiter.gain = 1.0;
    }

    fn set_params(&mut self, params: &AuditionParams) {
        let params = controls::clamped(params);
        if params != self.params {
            self.params = params;
            self.retarget();
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        for n in 0..block.frames() {
            if !self.gain.is_moving() && !self.limits() {
                self.limiter.gain = 1.0;
                let gain = self.gain.value();
                if gain != 1.0 {
                    let samples = block.channels().iter_mut().flat_map(|channel| channel[n..].iter_mut());
                    samples.for_each(|sample| *sample = (f64::from(*sample) * gain) as f32);
                }
                return;
            }
            let gain = self.gain.next_value();
            let mut samples = block.channels_ref().map(|channel| f64::from(channel[n]) * gain);
            if self.limits() {
                let level = samples.iter().fold(0.0, |level: f64, sample| level.max(sample.abs()));
                let (limiter_gain, limited) = (self.limiter.next(level), self.limited.next_value());
                samples = samples.map(|s| s + limited * ((s * limiter_gain).clamp(-1.0, 1.0) - s));
            }
            for (channel, sample) in block.channels().iter_mut().zip(samples) {
                channel[n] = sample as f32;
            }
        }
    }
}

impl<const CH: usize> Default for Audition<CH> {
    fn default() -> Self {
        Self::new()
    }
}
