//! Multiband compressor, and its crossovers alone.

use crate::run::{noise, stage};
use criterion::{Criterion, Throughput};
use dsp_core::control_grid::GRID_FRAMES;
use dsp_core::dynamics::multiband::{BandCount, Multiband, MultibandParams, Phase};
use dsp_core::filter::crossover::{Crossover, MAX_BANDS, Pairs};
use fearless_simd::Level;
use std::hint::black_box;

pub fn multiband(c: &mut Criterion) {
    let of = |bands: BandCount| {
        let mut params = MultibandParams { on: true, bands, ..Default::default() };
        params.band.iter_mut().for_each(|band| band.threshold_db = -36.0);
        params
    };
    let mut multiband = |setting: &str, params: MultibandParams| {
        let mut moved = params;
        moved.band.iter_mut().for_each(|band| (band.threshold_db, band.ratio) = (-40.0, 3.0));
        moved.crossover_2_hz = 1_100.0;
        stage(c, "multiband", setting, Multiband::<2>::new, params, moved);
    };
    multiband("off", MultibandParams { on: false, ..of(BandCount::Four) });
    multiband("4 bands", of(BandCount::Four));
    multiband("6 bands", of(BandCount::Six));
    let mut key = of(BandCount::Four);
    key.band.iter_mut().for_each(|band| {
        band.key.on = true;
        band.key.low_cut_hz = 40.0;
        band.key.bell_gain_db = 3.0;
    });
    multiband("4 bands, key filters", key);
    let mut drive = of(BandCount::Four);
    drive.band.iter_mut().for_each(|band| (band.drive_db, band.width_percent) = (6.0, 120.0));
    multiband("4 bands, drive and width", drive);
    multiband("4 bands, linear phase", MultibandParams { phase: Phase::Linear, ..of(BandCount::Four) });

    let mut group = c.benchmark_group("crossover");
    group.throughput(Throughput::Elements(GRID_FRAMES as u64));
    let mut input: Pairs = [[0.0; 2]; GRID_FRAMES + 2];
    for (pair, (left, right)) in input.iter_mut().zip(noise(GRID_FRAMES, 1).into_iter().zip(noise(GRID_FRAMES, 2))) {
        *pair = [f64::from(left), f64::from(right)];
    }
    let mut out: [Pairs; MAX_BANDS] = [[[0.0; 2]; GRID_FRAMES + 2]; MAX_BANDS];
    for bands in [2, 4, 6] {
        let mut crossover = Crossover::new(&[120.0, 400.0, 1_000.0, 3_000.0, 9_000.0], bands, 48_000.0);
        group.bench_function(format!("{bands} bands"), |b| {
            b.iter(|| {
                crossover.on_grid();
                crossover.process(Level::new(), black_box(&input), black_box(&mut out), GRID_FRAMES);
            });
        });
    }
    group.finish();
}
