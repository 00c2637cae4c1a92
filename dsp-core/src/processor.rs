//! The contract that every stage and both chains keep.

use crate::block::Block;
use crate::controls::Controls;

/// One stage of audio processing: planar, in place, allocation-free after `prepare`.
///
/// Call order: `prepare`, then any mix of `set_params`, `reset` and `process`. `tests/contract.rs` holds every
/// implementation to these promises:
///
/// - after `reset` the stage is, bit for bit, what `prepare` left with the same controls;
/// - cutting the audio into other blocks changes no bit, while controls glide too;
/// - silence in is silence out, once the tail has passed;
/// - the latency that is reported is the latency that is measured;
/// - input that is not finite gives silence for those frames, and normal sound within a block of finite input;
/// - `set_params`, `reset` and `process` make no heap call, lock or system call and cannot panic.
pub trait Processor<const CH: usize> {
    /// A plain snapshot of the controls in user units. Dropping one on the audio thread does nothing.
    type Params: Controls;

    /// Sizes every buffer for the stream and for the structural controls in `params`, takes all of `params` without
    /// gliding, and resets. May allocate; never called while processing.
    ///
    /// # Errors
    /// [`PrepareError`] where the stream is none that Tandem can serve; the stage must then not be used.
    fn prepare(&mut self, config: StreamConfig, params: &Self::Params) -> Result<(), PrepareError>;

    /// Forgets all audio and snaps every glide to its target. Real-time safe.
    fn reset(&mut self);

    /// Moves targets; audio state stays. Clamps, never fails; structural controls stay as `prepare` took them.
    /// Real-time safe, cheap when nothing changed.
    fn set_params(&mut self, params: &Self::Params);

    /// Processes in place. Real-time safe; `block.frames()` is at most `max_frames`.
    fn process(&mut self, block: &mut Block<'_, CH>);

    /// Frames by which output lags input. Constant between two calls of `prepare`.
    fn latency_frames(&self) -> usize {
        0
    }

    /// How long output may last after the input falls silent.
    fn tail(&self) -> Tail {
        Tail::Frames(0)
    }
}

/// What a stream looks like, fixed from one `prepare` to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamConfig {
    /// Frames a second, [`MIN_SAMPLE_RATE_HZ`] to [`MAX_SAMPLE_RATE_HZ`].
    pub sample_rate_hz: f64,
    /// The longest block that `process` will be given, in frames, at least 1.
    pub max_frames: usize,
}

/// The lowest sample rate served, in hertz.
pub const MIN_SAMPLE_RATE_HZ: f64 = 8_000.0;
/// The highest sample rate served, in hertz.
pub const MAX_SAMPLE_RATE_HZ: f64 = 768_000.0;

impl StreamConfig {
    /// Checks that Tandem can serve this stream. Stages call it first in `prepare`.
    ///
    /// # Errors
    /// [`PrepareError`], with what was asked for and what there is.
    pub fn check(&self) -> Result<(), PrepareError> {
        if !(MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&self.sample_rate_hz) {
            return Err(PrepareError::SampleRate {
                supported_hz: (MIN_SAMPLE_RATE_HZ, MAX_SAMPLE_RATE_HZ),
                actual_hz: self.sample_rate_hz,
            });
        }
        if self.max_frames == 0 {
            return Err(PrepareError::NoFrames);
        }
        Ok(())
    }
}

/// How long a stage may sound on after its input has fallen silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// This many frames, beyond the latency.
    Frames(usize),
    /// No bound is known: a feedback at or over unity, say.
    Infinite,
}

impl Tail {
    /// The tail of two stages one after the other.
    #[must_use]
    pub fn then(self, next: Tail) -> Tail {
        match (self, next) {
            (Tail::Frames(a), Tail::Frames(b)) => Tail::Frames(a.saturating_add(b)),
            _ => Tail::Infinite,
        }
    }
}

/// Why a stage cannot serve a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PrepareError {
    /// The sample rate lies outside of what is served.
    SampleRate {
        /// Lowest and highest rate served, in hertz.
        supported_hz: (f64, f64),
        /// The rate asked for, in hertz.
        actual_hz: f64,
    },
    /// Blocks of no frames at all were asked for.
    NoFrames,
}

impl std::fmt::Display for PrepareError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PrepareError::SampleRate { supported_hz: (low, high), actual_hz } => {
                write!(f, "the sample rate is {actual_hz} Hz; {low} to {high} Hz are supported")
            }
            PrepareError::NoFrames => f.write_str("the largest block is 0 frames; at least 1 is needed"),
        }
    }
}

impl std::error::Error for PrepareError {}
