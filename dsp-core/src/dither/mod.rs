//! Word length: rounding to the steps of a file, with dither and noise shaping.

mod random;
pub mod shaping;

use crate::block::Block;
use crate::choices;
use crate::controls;
use crate::processor::{PrepareError, Processor, StreamConfig, Tail};
use random::Random;
use shaping::{MAX_TAPS, Shaper};

choices! {
    /// The word length that the signal is rounded to.
    pub enum DitherBits {
        /// None: every bit stays.
        Off = ("off", "Off"),
        /// Steps of 2⁻²³ of full scale.
        Bits24 = ("24_bit", "24 bit"),
        /// Steps of 2⁻¹⁹.
        Bits20 = ("20_bit", "20 bit"),
        /// Steps of 2⁻¹⁷.
        Bits18 = ("18_bit", "18 bit"),
        /// Steps of 2⁻¹⁵.
        Bits16 = ("16_bit", "16 bit"),
        /// Steps of 2⁻¹¹.
        Bits12 = ("12_bit", "12 bit"),
        /// Steps of 2⁻⁷.
        Bits8 = ("8_bit", "8 bit"),
    }
}

choices! {
    /// The noise that takes the place of distortion.
    pub enum DitherNoise {
        /// White: triangular dither of two steps (TPDF).
        White = ("white", "White"),
        /// The same distribution with its power at the top, as the difference of successive numbers.
        HighPassed = ("high_passed", "High-passed"),
        /// Triangular dither, shaped lightly: three taps, 6 dB more noise in all, 10 dB less to be heard.
        ShapedLight = ("shaped_light", "Shaped, light"),
        /// Triangular dither and the five taps of Lipshitz, Vanderkooy and Wannamaker.
        ShapedLipshitz = ("shaped_lipshitz", "Shaped, Lipshitz"),
        /// Triangular dither, shaped strongly: nine taps, 18 dB more noise in all, 19 dB less to be heard.
        ShapedStrong = ("shaped_strong", "Shaped, strong"),
    }
}

impl DitherBits {
    /// The step of this word length, full scale being 1: 2^(1 − bits). `None` for no rounding. Real-time safe.
    #[must_use]
    pub fn step(self) -> Option<f64> {
        self.bits().map(|bits| 2.0 / f64::from(1u32 << bits))
    }

    /// Bits of a word. `None` for no rounding. Real-time safe.
    #[must_use]
    pub fn bits(self) -> Option<u32> {
        match self {
            DitherBits::Off => None,
            DitherBits::Bits24 => Some(24),
            DitherBits::Bits20 => Some(20),
            DitherBits::Bits18 => Some(18),
            DitherBits::Bits16 => Some(16),
            DitherBits::Bits12 => Some(12),
            DitherBits::Bits8 => Some(8),
        }
    }
}

controls! {
    /// Dither.
    pub struct DitherParams {
        /// The word length that is rounded to.
        pub word_length: DitherBits = choice("Word Length", DitherBits::Off),
        /// The noise that takes the place of distortion.
        pub noise: DitherNoise = choice("Noise", DitherNoise::White),
        /// Digital silence stays silent.
        pub auto_blank: bool = switch("Auto Blank", true),
    }
}

/// How long the input must have been digitally silent, in all channels, until the noise stops, in seconds.
pub const BLANK_SECONDS: f64 = 0.1;

/// Rounds to the steps of a word length, so that what is left of the rounding is noise that knows nothing of the signal.
///
/// `output = round(v + dither)`, `v = input − Σ cₖ eₙ₋ₖ`, `e = output − v`, all in steps. The dither is the difference of
/// two even random numbers, two steps wide: the error's mean is 0 and its power ¼ step² whatever the signal (J. Vanderkooy
/// and S. Lipshitz, "Dither in digital audio", JAES 35(12), 1987; R. Wannamaker et al., "A theory of nonsubtractive
/// dither", IEEE Trans. Signal Processing 48(2), 2000). Shaping, by the taps c of [`shaping`], moves that noise to where the
/// ear is deaf.
///
/// Every output sample is a whole number of steps, from −1 to one step under 1: what a file of that word length holds, bit
/// for bit. What is over full scale becomes the nearest of them, as in any converter, and the shaper does not see that.
///
/// The random numbers are a hash of the frame, counted from the start of the stream: the same audio gives the same bits on
/// every run. With auto blank on, the noise stops where the input has been digitally silent for [`BLANK_SECONDS`] and comes
/// back with the first sample that is not; a stream starts blank. No latency; off, it changes no bit. Last in a chain.
#[derive(Clone, Debug)]
pub struct Dither<const CH: usize> {
    params: DitherParams,
    shapers: [Shaper; 3],
    random: Random,
    /// What the last errors still take off the samples to come, the next one first, in steps.
    owed: [[f64; MAX_TAPS + 1]; CH],
    silent_frames: usize,
    blank_frames: usize,
}

/// Added to a number of steps and taken off again it leaves the nearest whole one (half-way, the even one), for all that is
/// under 2⁵¹: the spacing of binary64 is 1 there.
const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
/// The most that one rounding is off, in steps: a whole one of dither and half of one.
const LARGEST_ROUNDING: f64 = 1.5;

impl<const CH: usize> Dither<CH> {
    /// Not prepared yet.
    #[must_use]
    pub fn new() -> Self {
        Dither {
            params: DitherParams::default(),
            shapers: [Shaper::NONE; 3],
            random: Random::default(),
            owed: [[0.0; MAX_TAPS + 1]; CH],
            silent_frames: 0,
            blank_frames: 0,
        }
    }

    /// The most by which an output sample can differ from its input, short of full scale, as a ratio to full scale:
    /// 1.5 steps, times 1 + Σ|cₖ| of the shaping. What an interpolator finds between the samples can differ by more: see
    /// the mastering bus. Real-time safe.
    #[must_use]
    pub fn largest_error(&self) -> f64 {
        let step = self.params.word_length.step().unwrap_or(0.0);
        step * LARGEST_ROUNDING * self.shaper().map_or(1.0, Shaper::magnitude)
    }

    fn shaper(&self) -> Option<&Shaper> {
        let [light, lipshitz, strong] = &self.shapers;
        match self.params.noise {
            DitherNoise::White | DitherNoise::HighPassed => None,
            DitherNoise::ShapedLight => Some(light),
            DitherNoise::ShapedLipshitz => Some(lipshitz),
            DitherNoise::ShapedStrong => Some(strong),
        }
    }

    fn forget_errors(&mut self) {
        self.owed = [[0.0; MAX_TAPS + 1]; CH];
    }

    fn round(&mut self, block: &mut Block<'_, CH>, step: f64) {
        let taps = self.shaper().map(|shaper| *shaper.taps());
        let high_passed = self.params.noise == DitherNoise::HighPassed;
        let blank_frames = if self.params.auto_blank { self.blank_frames } else { usize::MAX };
        let (scale, lowest, highest) = (1.0 / step, -1.0 / step, 1.0 / step - 1.0);
        let mut before: [i64; CH] = self.random.before();
        for n in 0..block.frames() {
            let random: [u64; CH] = self.random.next_frame();
            let inputs = block.channels_ref().map(|channel| channel[n]);
            self.silent_frames = if inputs == [0.0; CH] { self.silent_frames.saturating_add(1) } else { 0 };
            let blank = self.silent_frames >= blank_frames;
            if blank {
                self.forget_errors();
            }
            let channels = block.channels().iter_mut().zip(inputs).zip(&random).zip(&mut self.owed).zip(&mut before);
            for ((((channel, input), random), owed), before) in channels {
                let (one, other) = random::halves(*random);
                let dither = random::to_steps(one - if high_passed { *before } else { other });
                *before = one;
                if blank {
                    continue;
                }
                let wanted = f64::from(input) * scale - owed[0];
                let rounded = (wanted + dither + ROUND) - ROUND;
                if let Some(taps) = &taps {
                    let error = rounded - wanted;
                    for k in 0..MAX_TAPS {
                        owed[k] = owed[k + 1] + taps[k] * error;
                    }
                }
                channel[n] = (rounded.clamp(lowest, highest) * step) as f32;
            }
        }
    }
}

impl<const CH: usize> Processor<CH> for Dither<CH> {
    type Params = DitherParams;

    fn prepare(&mut self, config: StreamConfig, params: &DitherParams) -> Result<(), PrepareError> {
        config.check()?;
        self.params = controls::clamped(params);
        self.shapers = shaping::shapers(config.sample_rate_hz);
        self.blank_frames = (BLANK_SECONDS * config.sample_rate_hz) as usize;
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.random = Random::default();
        self.forget_errors();
        self.silent_frames = self.blank_frames;
    }

    fn set_params(&mut self, params: &DitherParams) {
        let params = controls::clamped(params);
        if params != self.params {
            self.params = params;
            // other steps, or other taps: what is owed belongs to the old ones
            self.forget_errors();
        }
    }

    fn process(&mut self, block: &mut Block<'_, CH>) {
        block.make_finite();
        match self.params.word_length.step() {
            Some(step) => self.round(block, step),
            None => {
                let frames = block.frames();
                self.random.skip(frames);
                let silent = |channel: &[f32]| channel.iter().rev().take_while(|sample| **sample == 0.0).count();
                let silent = block.channels_ref().map(silent).into_iter().fold(frames, usize::min);
                self.silent_frames = if silent == frames { self.silent_frames.saturating_add(frames) } else { silent };
            }
        }
    }

    /// Without auto blank it never ends.
    fn tail(&self) -> Tail {
        match self.params.word_length {
            DitherBits::Off => Tail::Frames(0),
            _ if self.params.auto_blank => Tail::Frames(self.blank_frames),
            _ => Tail::Infinite,
        }
    }
}

impl<const CH: usize> Default for Dither<CH> {
    fn default() -> Self {
        Self::new()
    }
}
