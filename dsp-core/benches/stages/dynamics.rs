//! Gate and compressor.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::dynamics::compressor::{Compressor, CompressorParams};
use dsp_core::dynamics::gate::{Gate, GateParams};
use dsp_core::dynamics::key_filter::KeyFilterParams;
use dsp_core::dynamics::style::Style;

pub fn dynamics(c: &mut Criterion) {
    // as peers are measured: a low cut; and all three
    let low_cut = KeyFilterParams { on: true, low_cut_hz: 100.0, ..Default::default() };
    let key = KeyFilterParams { high_cut_hz: 9_000.0, bell_hz: 2_500.0, bell_gain_db: 4.0, ..low_cut };
    let mut gate = |setting: &str, params: GateParams| {
        stage(
            c,
            "gate",
            setting,
            Gate::<2>::new,
            params,
            GateParams { threshold_db: params.threshold_db - 2.0, ..params },
        );
    };
    let on = GateParams { on: true, threshold_db: -20.0, key: low_cut, ..Default::default() };
    gate("off", GateParams { on: false, ..on });
    gate("key filter", on);
    gate("key filter, lookahead", GateParams { lookahead_ms: 5.0, ..on });

    let clean = CompressorParams { on: true, threshold_db: -24.0, ..Default::default() };
    let mut compressor = |setting: &str, params: CompressorParams| {
        let moved = CompressorParams { threshold_db: -30.0, ratio: 3.0, make_up_db: 3.0, ..params };
        stage(c, "compressor", setting, Compressor::<2>::new, params, moved);
    };
    compressor("off", CompressorParams { on: false, ..clean });
    compressor("clean", clean);
    compressor("clean, low cut in the key", CompressorParams { key: low_cut, ..clean });
    compressor("clean, whole key filter", CompressorParams { key, ..clean });
    compressor("clean, half linked", CompressorParams { stereo_link_percent: 50.0, key, ..clean });
    compressor("FET", CompressorParams { style: Style::Fet, key: low_cut, ..clean });
    compressor(
        "opto, RMS, lookahead",
        CompressorParams { style: Style::Opto, rms_percent: 50.0, lookahead_ms: 5.0, key, ..clean },
    );
}
