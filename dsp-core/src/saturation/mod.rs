//! Saturation: curves, their antiderivatives, the oversampler they run in, and the stage.

pub mod curve;
pub mod divided_difference;
pub mod emphasis;
pub mod model;
pub mod oversampler;
pub mod saturator;
pub mod shaper;
