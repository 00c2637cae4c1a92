//! How a stage is run to be timed.

use criterion::{BenchmarkId, Criterion, Throughput};
use dsp_core::block::Block;
use dsp_core::processor::{Processor, StreamConfig};
use std::hint::black_box;

pub const RATE_HZ: f64 = 48_000.0;
/// The block sizes that everything is timed at.
pub const BLOCKS: [usize; 2] = [64, 512];

/// Noise between ±½ with beats, so that gains move. xorshift64*: Marsaglia 2003, Vigna 2016.
pub fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    (0..frames)
        .map(|n| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let unit = (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32 - 0.5;
            unit * if n / 6000 % 3 == 0 { 1.0 } else { 0.2 }
        })
        .collect()
}

/// A stage, two seconds of noise that it is fed with by turns, and the block under way.
pub struct Running<P> {
    pub stage: P,
    source: [Vec<f32>; 2],
    buffers: [Vec<f32>; 2],
    at: usize,
}

impl<P: Processor<2>> Running<P> {
    pub fn new(mut stage: P, frames: usize, params: &P::Params) -> Self {
        stage.prepare(StreamConfig { sample_rate_hz: RATE_HZ, max_frames: frames }, params).unwrap();
        let source = [1, 2].map(|seed| noise(96_000 / frames * frames, seed));
        Running { stage, source, buffers: [vec![0.0; frames], vec![0.0; frames]], at: 0 }
    }

    pub fn block(&mut self) {
        let frames = self.buffers[0].len();
        for (buffer, source) in self.buffers.iter_mut().zip(&self.source) {
            buffer.copy_from_slice(&source[self.at..self.at + frames]);
        }
        self.at = (self.at + frames) % self.source[0].len();
        let [left, right] = &mut self.buffers;
        self.stage.process(&mut Block::new([left, right]));
        black_box(&self.buffers);
    }
}

/// Times the stage that `make` makes with its controls at rest; and gliding, if `moved` differs: automation then writes one or
/// the other with every block, by turns.
pub fn stage<P: Processor<2>>(
    c: &mut Criterion,
    name: &str,
    setting: &str,
    make: impl Fn() -> P,
    params: P::Params,
    moved: P::Params,
) {
    let mut group = c.benchmark_group(name);
    for gliding in [false, true] {
        if gliding && params == moved {
            continue;
        }
        let setting = if gliding { format!("{setting}, gliding") } else { setting.to_owned() };
        for frames in BLOCKS {
            let mut running = Running::new(make(), frames, &params);
            let mut turn = false;
            group.throughput(Throughput::Elements(frames as u64));
            group.bench_function(BenchmarkId::new(&setting, frames), |b| {
                b.iter(|| {
                    if gliding {
                        turn = !turn;
                        running.stage.set_params(if turn { &moved } else { &params });
                    }
                    running.block();
                });
            });
        }
    }
    group.finish();
}

/// The slowest of 10,000 blocks against the median: a chain that saves its work up for some block fails a deadline there. The
/// work of a block is the same in every run; the quickest of seven takes the machine's other business out of it.
pub fn slowest_block<P: Processor<2>>(name: &str, make: impl Fn() -> P, params: &P::Params) {
    for frames in BLOCKS {
        let mut seconds = vec![f64::INFINITY; 10_100];
        for _ in 0..7 {
            let mut running = Running::new(make(), frames, params);
            for quickest in &mut seconds {
                let start = std::time::Instant::now();
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
            "{name}, slowest block of 10,000, {frames} frames: {:.0} ns a frame, {:.1} times the median of {:.0}",
            per_frame(slowest),
            slowest / median,
            per_frame(median),
        );
    }
}
