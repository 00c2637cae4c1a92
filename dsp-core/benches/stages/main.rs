//! What every stage and both chains cost at 48 kHz, stereo, in blocks of 64 and 512 frames, settled and gliding; a module for
//! each folder or stage. `cargo bench -p dsp-core -- reverb` measures one of them, `cargo xtask bench` all, into docs/speed.md.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // a bench names its rows, prints figures, and its noise is its own

mod channel_strip;
mod delay;
mod dither;
mod dynamics;
mod equalizer;
mod limiter;
mod mastering_bus;
mod metering;
mod multiband;
mod reverb;
mod run;
mod saturation;
mod space;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    channel_strip::strip,
    equalizer::equalizer,
    dynamics::dynamics,
    saturation::saturation,
    space::space,
    delay::delay,
    reverb::reverb,
    mastering_bus::bus,
    equalizer::linear_phase,
    multiband::multiband,
    limiter::limiter,
    dither::dither,
    metering::metering,
);
criterion_main!(benches);
