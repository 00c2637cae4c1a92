//! The mastering bus.

use crate::run::{BLOCKS, Running, slowest_block, stage};
use criterion::{BenchmarkId, Criterion, Throughput};
use dsp_core::chain::Chain;
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams};
use dsp_core::dither::{DitherBits, DitherNoise};
use std::hint::black_box;

/// Everything at work: eight bands, warmth, width, some 6 dB of limiting, shaped dither, the meter.
fn everything(moved: f64) -> MasteringBusParams {
    let mut params = MasteringBusParams::default();
    for (n, band) in params.eq.band.iter_mut().enumerate() {
        band.on = true;
        band.gain_db = if n % 2 == 0 { 1.5 } else { -1.0 } + moved;
    }
    params.multiband.on = true;
    params.warmth.drive_db = 6.0 + moved;
    params.stereo.width_percent = 110.0 + moved;
    params.stereo.mono_below = true;
    params.limiter.gain_db = 6.0 + moved;
    params.dither.word_length = DitherBits::Bits16;
    params.dither.noise = DitherNoise::ShapedStrong;
    params
}

pub fn bus(c: &mut Criterion) {
    let (resting, working) = (MasteringBusParams::default(), everything(0.0));
    stage(c, "mastering bus", "as it comes", MasteringBus::<2>::new, resting, resting);
    stage(c, "mastering bus", "everything on", MasteringBus::<2>::new, working, everything(0.5));
    let mut group = c.benchmark_group("mastering bus");
    for frames in BLOCKS {
        let mut running = Running::new(MasteringBus::<2>::new(), frames, &working);
        let mut unread = 0;
        group.throughput(Throughput::Elements(frames as u64));
        group.bench_function(BenchmarkId::new("everything on, read every 10 ms", frames), |b| {
            b.iter(|| {
                running.block();
                unread += frames;
                if unread >= 480 {
                    unread = 0;
                    black_box(running.stage.reading());
                }
            });
        });
    }
    group.finish();
    slowest_block("mastering bus", MasteringBus::<2>::new, &working);
}
