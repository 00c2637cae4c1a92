//! Reverb.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::space::reverb::{Reverb, ReverbParams, Space};

pub fn reverb(c: &mut Criterion) {
    let off = ReverbParams::default();
    let hall = ReverbParams { on: true, ..off };
    let moved = ReverbParams {
        decay_seconds: 3.0,
        high_corner_hz: 5000.0,
        size_percent: 120.0,
        mix_percent: 40.0,
        low_cut_hz: 120.0,
        ..hall
    };
    let still = ReverbParams { modulation_depth_percent: 0.0, ..hall };
    let room = ReverbParams { space: Space::Room, ducking_db: 12.0, ..hall };
    let frozen = ReverbParams { freeze: true, ..hall };
    stage(c, "reverb", "off", Reverb::<2>::new, off, off);
    stage(c, "reverb", "hall", Reverb::<2>::new, hall, moved);
    stage(c, "reverb", "hall, no modulation", Reverb::<2>::new, still, still);
    stage(c, "reverb", "room, ducking", Reverb::<2>::new, room, room);
    stage(c, "reverb", "frozen", Reverb::<2>::new, frozen, frozen);
}
