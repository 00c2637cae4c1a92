//! Saturation, and its oversampler alone.

use crate::run::{noise, stage};
use criterion::{Criterion, Throughput};
use dsp_core::quality::Quality;
use dsp_core::saturation::model::Model;
use dsp_core::saturation::oversampler::{Downsampler, MAX_CHUNK_FRAMES, Scratch, Upsampler};
use dsp_core::saturation::saturator::{Saturation, SaturationParams};

pub fn saturation(c: &mut Criterion) {
    let driven = |model, quality| SaturationParams { model, quality, drive_db: 12.0, ..Default::default() };
    let mut saturation = |setting: &str, params: SaturationParams| {
        let moved = SaturationParams { drive_db: 13.0, bias_percent: 10.0, tone_before_db: 1.0, ..params };
        stage(
            c,
            "saturation",
            setting,
            Saturation::<2>::new,
            params,
            if params.drive_db > 0.0 { moved } else { params },
        );
    };
    saturation("no drive", SaturationParams { drive_db: 0.0, ..driven(Model::Tape, Quality::Mix) });
    saturation("tube, Track", driven(Model::Tube, Quality::Track));
    saturation("tube, Mix", driven(Model::Tube, Quality::Mix));
    saturation("tape, Mix", driven(Model::Tape, Quality::Mix));
    saturation("diode, Mix", driven(Model::Diode, Quality::Mix));
    saturation("soft clip, Mix", driven(Model::SoftClip, Quality::Mix));
    saturation("tube, Master", driven(Model::Tube, Quality::Master));
    saturation("hard clip, Master", driven(Model::HardClip, Quality::Master));

    let mut group = c.benchmark_group("oversampler, one channel");
    group.throughput(Throughput::Elements(MAX_CHUNK_FRAMES as u64));
    let input = noise(MAX_CHUNK_FRAMES, 3);
    for (name, stages) in [("up and down by 2", 1), ("up and down by 4", 2), ("up and down by 8", 3)] {
        let (mut up, mut down, mut scratch) = (Upsampler::new(stages), Downsampler::new(stages), Scratch::new());
        let (mut raised, mut out) = (vec![0.0; MAX_CHUNK_FRAMES << stages], vec![0.0; MAX_CHUNK_FRAMES]);
        group.bench_function(name, |b| {
            b.iter(|| {
                up.process(&input, &mut raised, &mut scratch);
                down.process(&raised, &mut out, &mut scratch);
            });
        });
    }
    group.finish();
}
