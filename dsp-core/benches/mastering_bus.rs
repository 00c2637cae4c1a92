//! What the whole mastering bus costs a stereo frame, and its slowest block.

#![allow(clippy::disallowed_macros)] // one figure is printed here

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dsp_core::block::Block;
use dsp_core::chain::Chain;
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams};
use dsp_core::dither::{DitherBits, DitherNoise};
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;
use std::time::Instant;

const RATE_HZ: f64 = 48_000.0;

/// Seeded noise that peaks at −6 dBFS with a slow beat to it.
fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|n| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let white = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            0.5 * white * if n / 12_000 % 2 == 0 { 1.0 } else { 0.3 }
        })
        .collect()
}

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

/// The bus with what feeds it, and reads it every 10 ms.
struct Running {
    bus: MasteringBus<2>,
    source: [Vec<f32>; 2],
    buffers: [Vec<f32>; 2],
    at: usize,
    unread: usize,
}

impl Running {
    fn new(frames: usize, params: &MasteringBusParams) -> Self {
        let mut bus = MasteringBus::<2>::new();
        bus.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: frames }, params).unwrap();
        let source = [1, 2].map(|seed| noise(96_000 / frames * frames, seed));
        Running { bus, source, buffers: [vec![0.0; frames], vec![0.0; frames]], at: 0, unread: 0 }
    }

    fn block(&mut self) {
        let frames = self.buffers[0].len();
        for (buffer, source) in self.buffers.iter_mut().zip(&self.source) {
            buffer.copy_from_slice(&source[self.at..self.at + frames]);
        }
        self.at = (self.at + frames) % self.source[0].len();
        let [left, right] = &mut self.buffers;
        self.bus.process(&mut Block::new([left, right]));
        self.unread += frames;
        if self.unread >= RATE_HZ as usize / 100 {
            self.unread = 0;
            black_box(self.bus.reading());
        }
        black_box(&self.buffers);
    }
}

fn bus(c: &mut Criterion) {
    let mut group = c.benchmark_group("mastering bus, stereo");
    let (resting, working, moved) = (MasteringBusParams::default(), everything(0.0), everything(0.5));
    for frames in [64, 512] {
        group.throughput(Throughput::Elements(frames as u64));
        for (name, params, other) in
            [("at rest", resting, resting), ("settled", working, working), ("gliding", working, moved)]
        {
            let mut running = Running::new(frames, &params);
            let mut turn = false;
            group.bench_function(BenchmarkId::new(name, frames), |b| {
                b.iter(|| {
                    turn = !turn;
                    running.bus.set_params(if turn { &other } else { &params });
                    running.block();
                });
            });
        }
    }
    group.finish();
}

/// The slowest of 10,000 blocks against the median: a bus that saves its work up for some block fails a deadline there. The
/// work of a block is the same in every run; the quickest of seven takes the machine's other business out of it.
fn slowest_block(_: &mut Criterion) {
    for frames in [64, 512] {
        let mut seconds = vec![f64::INFINITY; 10_100];
        for _ in 0..7 {
            let mut running = Running::new(frames, &everything(0.0));
            for quickest in &mut seconds {
                let start = Instant::now();
                running.block();
                *quickest = quickest.min(start.elapsed().as_secs_f64());
            }
        }
        // the first blocks meet cold caches
        let mut seconds = seconds.split_off(100);
        seconds.sort_by(f64::total_cmp);
        let (median, slowest) = (seconds[seconds.len() / 2], seconds[seconds.len() - 1]);
        let per_frame = |seconds: f64| seconds * 1e9 / frames as f64;
        println!(
            "slowest block of 10,000, {frames} frames: {:.0} ns a frame, {:.1} times the median of {:.0}",
            per_frame(slowest),
            slowest / median,
            per_frame(median),
        );
    }
}

criterion_group!(benches, bus, slowest_block);
criterion_main!(benches);
