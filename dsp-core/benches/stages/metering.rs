//! The meter, beside the `ebur128` crate in the same run.

use crate::run::{BLOCKS, noise};
use criterion::{BenchmarkId, Criterion, Throughput};
use dsp_core::block::Block;
use dsp_core::metering::correlation::Correlation;
use dsp_core::metering::loudness::LoudnessMeter;
use dsp_core::metering::meter::{Meter, MeterParams};
use dsp_core::metering::true_peak::TruePeakMeter;
use dsp_core::processor::{Processor, StreamConfig};
use ebur128::{EbuR128, Mode};
use std::hint::black_box;

const RATE_HZ: u32 = 48_000;

/// Feeds ten seconds in a ring, block by block, and reads every 10 ms.
struct Feed {
    left: Vec<f32>,
    right: Vec<f32>,
    block: usize,
    at: usize,
    unread: usize,
}

impl Feed {
    fn new(block: usize) -> Self {
        let frames = 10 * RATE_HZ as usize / block * block;
        Feed { left: noise(frames, 1), right: noise(frames, 2), block, at: 0, unread: 0 }
    }

    fn next(&mut self, take: impl FnOnce([&[f32]; 2]), read: impl FnOnce()) {
        let range = self.at..self.at + self.block;
        take([&self.left[range.clone()], &self.right[range]]);
        self.at = (self.at + self.block) % self.left.len();
        self.unread += self.block;
        if self.unread >= RATE_HZ as usize / 100 {
            self.unread = 0;
            read();
        }
    }
}

pub fn metering(c: &mut Criterion) {
    loudness(c);
    meter(c);
}

fn loudness(c: &mut Criterion) {
    let mut group = c.benchmark_group("loudness");
    for block in BLOCKS {
        group.throughput(Throughput::Elements(block as u64));
        group.bench_function(BenchmarkId::new("M S I LRA, read every 10 ms", block), |b| {
            let meter = std::cell::RefCell::new(LoudnessMeter::<2>::new());
            meter.borrow_mut().prepare(StreamConfig { sample_rate_hz: 48_000.0, max_frames: 512 }).unwrap();
            let mut feed = Feed::new(block);
            b.iter(|| {
                feed.next(
                    |c| meter.borrow_mut().process(c),
                    || {
                        black_box(meter.borrow().reading());
                    },
                );
            });
        });
        for (name, mode) in [
            ("ebur128 M S I LRA", Mode::M | Mode::S | Mode::I | Mode::LRA),
            ("ebur128 all", Mode::all() - Mode::HISTOGRAM),
        ] {
            group.bench_function(BenchmarkId::new(name, block), |b| {
                let mut meter = EbuR128::new(2, RATE_HZ, mode).unwrap();
                let mut feed = Feed::new(block);
                b.iter(|| feed.next(|c| meter.add_frames_planar_f32(&c).unwrap(), || ()));
            });
        }
    }
    group.finish();
}

fn meter(c: &mut Criterion) {
    let mut group = c.benchmark_group("meter");
    for block in BLOCKS {
        group.throughput(Throughput::Elements(block as u64));
        group.bench_function(BenchmarkId::new("whole, read every 10 ms", block), |b| {
            let meter = std::cell::RefCell::new(Meter::<2>::new());
            let config = StreamConfig { sample_rate_hz: 48_000.0, max_frames: 512 };
            meter.borrow_mut().prepare(config, &MeterParams::default()).unwrap();
            let mut feed = Feed::new(block);
            let (mut left, mut right) = (vec![0.0; block], vec![0.0; block]);
            b.iter(|| {
                feed.next(
                    |[l, r]| {
                        left.copy_from_slice(l);
                        right.copy_from_slice(r);
                        meter.borrow_mut().process(&mut Block::new([&mut left, &mut right]));
                    },
                    || {
                        black_box(meter.borrow().reading());
                    },
                );
            });
        });
        group.bench_function(BenchmarkId::new("true peak alone", block), |b| {
            let mut meter = TruePeakMeter::<2>::new(48_000.0);
            let mut feed = Feed::new(block);
            b.iter(|| feed.next(|c| meter.process(c), || ()));
        });
        group.bench_function(BenchmarkId::new("correlation alone", block), |b| {
            let mut meter = Correlation::new(48_000.0);
            let mut feed = Feed::new(block);
            b.iter(|| feed.next(|[l, r]| meter.process(l, r), || ()));
        });
    }
    group.finish();
}
