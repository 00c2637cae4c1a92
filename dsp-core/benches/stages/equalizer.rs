//! Equalizers, of the channel and of the master.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::equalizer::{
    BroadEqualizer, BroadEqualizerParams, Equalizer, EqualizerParams, Phase, Placement, Shape, Slope,
};
use dsp_core::filter::prototype;
use std::hint::black_box;

/// Bells over the whole spectrum, a shelf at either end.
fn bands<const BANDS: usize>() -> EqualizerParams<BANDS> {
    let mut params = EqualizerParams::<BANDS>::default();
    for (n, band) in params.band.iter_mut().enumerate() {
        let shape = match n {
            0 => Shape::LowShelf,
            _ if n + 1 == BANDS => Shape::HighShelf,
            _ => Shape::Bell,
        };
        (band.on, band.shape, band.q, band.gain_db) = (true, shape, 1.0, if n % 2 == 0 { 4.0 } else { -3.0 });
    }
    params
}

pub fn equalizer(c: &mut Criterion) {
    let mut equalizer = |setting: &str, params: EqualizerParams<12>, moved: EqualizerParams<12>| {
        stage(c, "equalizer", setting, Equalizer::<2, 12>::new, params, moved);
    };
    // the channel's twelve bands, so many of them on
    let of = |count: usize| {
        let mut params = EqualizerParams::<12>::default();
        params.band[..count].copy_from_slice(&bands::<12>().band[..count]);
        params
    };
    let eight = of(8);
    let mut all_moved = eight;
    all_moved.band.iter_mut().for_each(|b| b.frequency_hz *= 1.1);
    let mut one_moved = eight;
    one_moved.band[3].frequency_hz *= 1.1;
    equalizer("off", of(0), of(0));
    equalizer("8 bands", eight, all_moved);
    equalizer("8 bands, one moves", eight, one_moved);
    equalizer("12 bands", of(12), of(12));
    let mut dynamic = eight;
    dynamic.band[..8].iter_mut().for_each(|b| (b.range_db, b.threshold_db) = (-6.0, -30.0));
    equalizer("8 bands, all dynamic", dynamic, dynamic);
    let mut cuts = eight;
    for (n, band) in cuts.band.iter_mut().enumerate().take(2) {
        (band.shape, band.slope) = (if n == 0 { Shape::LowCut } else { Shape::HighCut }, Slope::Db96);
    }
    equalizer("6 bands and two cuts of 96 dB", cuts, cuts);
    let mut sides = eight;
    for (n, band) in sides.band.iter_mut().enumerate() {
        band.placement = if n % 2 == 0 { Placement::Mid } else { Placement::Side };
    }
    equalizer("8 bands, mid and side by turns", sides, sides);

    let mut group = c.benchmark_group("design");
    for omega in [0.1, 2.0] {
        group.bench_function(format!("bell at {omega}"), |b| {
            b.iter(|| prototype::bell(black_box(omega), black_box(1.0), black_box(6.0)));
        });
    }
    group.finish();
}

pub fn linear_phase(c: &mut Criterion) {
    let mut equalizer = |setting: &str, params: BroadEqualizerParams, moved: BroadEqualizerParams| {
        stage(c, "mastering equalizer", setting, BroadEqualizer::<2>::new, params, moved);
    };
    let of = |phase| BroadEqualizerParams { phase, band: bands::<8>().band, ..BroadEqualizerParams::default() };
    let medium = of(Phase::LinearMedium);
    let mut other = medium;
    other.band[3].gain_db = 5.0;
    equalizer("minimum phase", of(Phase::Minimum), of(Phase::Minimum));
    equalizer("linear phase, short", of(Phase::LinearShort), of(Phase::LinearShort));
    equalizer("linear phase, medium", medium, other);
    equalizer("linear phase, long", of(Phase::LinearLong), of(Phase::LinearLong));
    let mut sides = medium;
    for (n, band) in sides.band.iter_mut().enumerate() {
        band.placement = if n % 2 == 0 { Placement::Mid } else { Placement::Side };
    }
    equalizer("linear phase, medium, mid and side by turns", sides, sides);
}
