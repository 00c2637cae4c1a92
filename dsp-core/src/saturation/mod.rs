//! Saturation: curves, their antiderivatives, the oversampler they run in, and the stage.

mod channel;
pub mod curve;
pub mod divided_difference;
pub mod emphasis;
mod gain_line;
pub mod model;
pub mod oversampler;
pub mod saturator;
pub mod shaper;
mod tone;
mod voice;
