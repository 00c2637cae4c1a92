//! Where a sound sits: pan, width, and arrival time at each side.

pub mod delay;
pub mod diffuser;
pub mod ducking;
pub mod fractional_delay;
pub mod note_value;
pub mod panner;
pub mod reverb;
pub mod stereo;
pub mod width;
