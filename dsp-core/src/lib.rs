//! Tandem's signal processing.
//!
//! Every stage keeps one contract, [`processor::Processor`]: prepared once, then fed snapshots of its controls and
//! blocks of audio, in place, without touching the heap. The two signal paths of the product, [`chain::channel_strip`]
//! and [`chain::mastering_bus`], are structs of such stages. Nothing here knows a host, a window, a file, a thread or a
//! clock, and nothing depends on how the audio is cut into blocks.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod block;
pub mod chain;
pub mod control_grid;
pub mod controls;
pub mod delay_line;
pub mod delivery;
pub mod dither;
pub mod dynamics;
pub mod equalizer;
pub mod fft;
pub mod filter;
pub mod level;
pub mod math;
pub mod metering;
pub mod preset;
pub mod processor;
pub mod quality;
pub mod ramp;
pub mod range;
pub mod saturation;
pub mod space;
pub mod text;
