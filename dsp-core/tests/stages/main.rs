//! Each stage against closed forms, standards and tools that are not ours; a module for each folder or stage, in one program, so that
//! what all of them use is compiled once. `cargo test -p dsp-core --test stages reverb:: -- --nocapture` shows one stage's figures.

mod automation;
mod chain;
mod controls;
mod delay;
mod delivery;
mod dither;
mod dynamics;
mod ebu;
mod equalizer;
mod filter;
mod input;
mod limiter;
mod linear_phase;
mod mastering_bus;
mod measure;
mod metering;
mod multiband;
mod peak_meters;
mod reverb;
mod saturation;
mod space;
mod styles;
mod true_peak;
