//! Where a sound sits: pan, width, and arrival time at each side.

pub mod fractional_delay;
pub mod panner;
pub mod width;
