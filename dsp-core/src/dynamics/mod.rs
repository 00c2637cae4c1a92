//! What turns level into gain.

pub mod ballistics;
pub mod compressor;
pub mod envelope;
pub mod gain_curve;
pub mod key_filter;
pub mod sliding_max;
pub mod style;
