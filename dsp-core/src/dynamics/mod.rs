//! What turns level into gain.

pub mod ballistics;
pub mod compressor;
pub mod envelope;
pub mod gain_curve;
pub mod gate;
pub(crate) mod glides;
pub mod key_filter;
pub mod limiter;
mod linking;
mod make_up;
pub mod multiband;
pub mod sliding_max;
pub mod style;
mod svf_cascade;
