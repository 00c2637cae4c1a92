//! Input, panner and output.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::level::{Input, InputParams, Output, OutputParams};
use dsp_core::space::panner::{Panner, PannerParams};

pub fn space(c: &mut Criterion) {
    let trim = |trim_db| InputParams { trim_db, ..Default::default() };
    stage(c, "input", "neutral", Input::<2>::new, trim(0.0), trim(0.0));
    stage(c, "input", "trim", Input::<2>::new, trim(-3.0), trim(-4.0));
    let gain = |gain_db| OutputParams { gain_db };
    stage(c, "output", "gain", Output::<2>::new, gain(-3.0), gain(-4.0));

    let neutral = PannerParams::default();
    let pan = PannerParams { pan: 30.0, ..neutral };
    let all = PannerParams { width_percent: 130.0, mono_below: true, time_pan_ms: 0.3, ..pan };
    let moved = PannerParams {
        pan: -30.0,
        time_pan_ms: 0.4,
        mono_below_hz: 140.0,
        width_percent: 140.0,
        mono_below: true,
        ..all
    };
    stage(c, "panner", "neutral", Panner::<2>::new, neutral, neutral);
    stage(c, "panner", "pan", Panner::<2>::new, pan, PannerParams { pan: -30.0, ..pan });
    stage(c, "panner", "everything", Panner::<2>::new, all, moved);
}
