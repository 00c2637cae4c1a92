//! The channel strip.

use crate::run::{slowest_block, stage};
use criterion::Criterion;
use dsp_core::chain::channel_strip::{ChannelStrip, ChannelStripParams};
use dsp_core::dynamics::style::Style;
use dsp_core::quality::Quality;

/// Every module at work, as hard as an engineer would have it: eight bands, two of them dynamic; quality `Mix`.
fn everything() -> ChannelStripParams {
    let mut p = ChannelStripParams::default();
    p.input.trim_db = -1.0;
    p.gate.on = true;
    p.gate.threshold_db = -50.0;
    p.gate.key.on = true;
    for (n, band) in p.eq.band.iter_mut().enumerate().take(8) {
        band.on = true;
        band.gain_db = if n % 2 == 0 { 3.0 } else { -2.0 };
        band.range_db = if n < 2 { -4.0 } else { 0.0 };
    }
    p.compressor.on = true;
    p.compressor.style = Style::Clean;
    p.compressor.threshold_db = -24.0;
    p.compressor.key.on = true;
    p.compressor.mix_percent = 80.0;
    p.saturation.drive_db = 6.0;
    p.saturation.quality = Quality::Mix;
    p.panner.pan = 20.0;
    p.panner.width_percent = 120.0;
    p.panner.mono_below = true;
    p.delay.on = true;
    p.delay.mix_percent = 20.0;
    p.reverb.on = true;
    p.reverb.mix_percent = 20.0;
    p.output.gain_db = -3.0;
    p
}

/// What a hand on a controller moves at once: one control of each module.
fn moved(params: &ChannelStripParams) -> ChannelStripParams {
    let mut p = *params;
    p.gate.threshold_db += 3.0;
    p.eq.band[3].frequency_hz *= 1.2;
    p.compressor.threshold_db += 3.0;
    p.saturation.drive_db += 1.0;
    p.panner.pan -= 10.0;
    p.delay.feedback_percent += 5.0;
    p.reverb.decay_seconds += 0.5;
    p.output.gain_db -= 1.0;
    p
}

pub fn strip(c: &mut Criterion) {
    let (nothing, all) = (ChannelStripParams::default(), everything());
    stage(c, "channel strip", "nothing on", ChannelStrip::<2>::new, nothing, nothing);
    stage(c, "channel strip", "everything on", ChannelStrip::<2>::new, all, moved(&all));
    slowest_block("channel strip", ChannelStrip::<2>::new, &all);
}
