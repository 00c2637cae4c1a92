//! Limiter, and its detector alone.

use crate::run::{BLOCKS, noise, stage};
use criterion::{BenchmarkId, Criterion, Throughput};
use dsp_core::dynamics::limiter::{Limiter, LimiterParams};
use dsp_core::metering::true_peak::TruePeak;
use std::hint::black_box;

pub fn limiter(c: &mut Criterion) {
    // some 6 dB of limiting, and all that automation may move
    let [params, moved] = [6.0, 7.0].map(|gain_db| LimiterParams {
        gain_db,
        ceiling_dbtp: gain_db - 8.0,
        release_ms: 10.0 * gain_db,
        ..Default::default()
    });
    stage(c, "limiter", "transparent", Limiter::<2>::new, params, moved);

    let mut group = c.benchmark_group("true peak, one channel");
    for rate_hz in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        for frames in BLOCKS {
            let input = noise(frames, 1);
            let mut peaks = vec![0.0; frames];
            let mut detector = TruePeak::new(rate_hz);
            group.throughput(Throughput::Elements(frames as u64));
            group.bench_function(BenchmarkId::new(format!("{rate_hz} Hz"), frames), |b| {
                b.iter(|| detector.process(black_box(&input), black_box(&mut peaks)));
            });
        }
    }
    group.finish();
}
