//! Cost of saturation, 48 kHz stereo.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use dsp_core::quality::Quality;
use dsp_core::saturation::model::Model;
use dsp_core::saturation::oversampler::{Downsampler, MAX_CHUNK_FRAMES, Upsampler};
use dsp_core::saturation::saturator::{Saturation, SaturationParams};

fn noise(frames: usize, mut seed: u64) -> Vec<f32> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..frames).map(|_| next()).collect()
}

fn saturation(c: &mut Criterion) {
    let driven = |model, quality| SaturationParams { model, quality, drive_db: 12.0, ..Default::default() };
    for frames in [64, 512] {
        let mut group = c.benchmark_group(["saturation/", if frames == 64 { "64" } else { "512" }].concat());
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, moving) in [
            ("no drive", driven(Model::Tape, Quality::Mix), false),
            ("tube, Track", driven(Model::Tube, Quality::Track), false),
            ("tube, Mix", driven(Model::Tube, Quality::Mix), false),
            ("tube, Mix, gliding", driven(Model::Tube, Quality::Mix), true),
            ("tape, Mix", driven(Model::Tape, Quality::Mix), false),
            ("diode, Mix", driven(Model::Diode, Quality::Mix), false),
            ("soft clip, Mix", driven(Model::SoftClip, Quality::Mix), false),
            ("tube, Master", driven(Model::Tube, Quality::Master), false),
            ("hard clip, Master", driven(Model::HardClip, Quality::Master), false),
        ] {
            let params = if name == "no drive" { SaturationParams { drive_db: 0.0, ..params } } else { params };
            let mut stage = Saturation::<2>::new();
            stage.prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: frames }, &params).unwrap();
            let (source_left, source_right) = (noise(frames, 1), noise(frames, 2));
            let (mut left, mut right) = (source_left.clone(), source_right.clone());
            let mut turn = false;
            group.bench_function(name, |b| {
                b.iter(|| {
                    left.copy_from_slice(&source_left);
                    right.copy_from_slice(&source_right);
                    if moving {
                        turn = !turn;
                        let by = if turn { 1.0 } else { -1.0 };
                        let (drive_db, bias_percent) = (12.0 + by, 10.0 * by);
                        stage.set_params(&SaturationParams { drive_db, bias_percent, tone_before_db: by, ..params });
                    }
                    stage.process(&mut Block::new([&mut left, &mut right]));
                });
            });
        }
    }
}

fn oversampler(c: &mut Criterion) {
    let mut group = c.benchmark_group("oversampler, mono");
    group.throughput(Throughput::Elements(MAX_CHUNK_FRAMES as u64));
    let input = noise(MAX_CHUNK_FRAMES, 3);
    for (name, stages) in [("up and down by 2", 1), ("up and down by 4", 2), ("up and down by 8", 3)] {
        let (mut up, mut down) = (Upsampler::new(stages), Downsampler::new(stages));
        let (mut raised, mut out) = (vec![0.0; MAX_CHUNK_FRAMES << stages], vec![0.0; MAX_CHUNK_FRAMES]);
        group.bench_function(name, |b| {
            b.iter(|| {
                up.process(&input, &mut raised);
                down.process(&raised, &mut out);
            });
        });
    }
}

criterion_group!(benches, saturation, oversampler);
criterion_main!(benches);
