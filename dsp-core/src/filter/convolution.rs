//! Convolution with long kernels at a steady load: linear-phase filters, for any number of outputs from each channel.
//!
//! Uniformly partitioned overlap-save (T. G. Stockham, 1966; F. Wefers, *Partitioned Convolution Algorithms for Real-Time
//! Auralization*, 2015, chapter 5) in double precision: a kernel is cut into partitions of B taps; every B frames the newest
//! 2B frames of input are transformed once, multiplied with the spectra of all partitions, and transformed back. The work
//! for B frames is not done when the last of them arrives, but in equal parts at the grid points of the next B frames, so
//! that no block is dearer than another. So output lags by 2B frames, apart from what the kernel itself delays; a kernel
//! whose middle is its filter's origin has that delay anyway.
//!
//! Kernels are exchanged by a crossfade in time of both outputs. Everything counts frames: how the stream is cut changes
//! no bit.

use crate::control_grid::GRID_FRAMES;
use crate::fft::{RealFft, Spectrum, Workspace};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x8};
use fearless_simd_macros::simd;

/// Convolves `CH` channels with kernels, to one output or more of as many channels each.
#[derive(Clone, Debug)]
pub struct Convolver<const CH: usize> {
    level: Level,
    shape: Shape,
    fft: RealFft,
    work: Workspace,
    /// The work space of kernels, which are transformed while a transform of audio is under way.
    kernel_work: Workspace,
    padded: Vec<f64>,
    /// The last two partitions of input, and the one that comes in.
    window: [Vec<f64>; CH],
    incoming: [Vec<f64>; CH],
    /// The spectra of the windows of the last partitions, in a ring.
    history: [Vec<Spectrum>; CH],
    newest: usize,
    outputs: Vec<Output<CH>>,
    sums: [Spectrum; CH],
    /// What comes out of an inverse transform.
    result: Vec<f64>,
    /// Frames of the incoming partition that are there.
    at: usize,
    /// The first frame of the last span.
    start: usize,
    len: usize,
    /// The work for a partition, how many of its units are done, and what all of them cost.
    plan: Vec<Unit>,
    done: usize,
    cost: usize,
    exchange: Exchange,
}

/// How long the kernels of a [`Convolver`] are, and how many there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Taps of a partition, B: a power of two, at least [`GRID_FRAMES`].
    pub partition_frames: usize,
    /// Partitions of a kernel, at least 1.
    pub partitions: usize,
    /// Outputs, at least 1.
    pub outputs: usize,
    /// The most kernels of an output: what [`Matrix::kernels`] says of the matrices that are used.
    pub kernels: usize,
}

impl Shape {
    /// Taps of a kernel. Real-time safe.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.partition_frames * self.partitions
    }
}

/// Which kernel leads from which channel to which, in stereo. In mono there is only [`Each`](Matrix::Each).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// One kernel for every channel.
    Each,
    /// One for the left, one for the right channel.
    Sides,
    /// One for the sum, one for the difference of both channels.
    MidSide,
    /// One from each channel to each: left to left, right to left, left to right, right to right.
    Full,
}

impl Matrix {
    /// How many kernels it has. Real-time safe.
    #[must_use]
    pub fn kernels(self) -> usize {
        match self {
            Matrix::Each => 1,
            Matrix::Sides | Matrix::MidSide => 2,
            Matrix::Full => 4,
        }
    }
}

#[derive(Clone, Debug)]
struct Output<const CH: usize> {
    /// What is heard, and what will be.
    banks: [Bank; 2],
    playing: [Vec<f64>; CH],
    building: [Vec<f64>; CH],
}

/// Kernels with the way they are used.
#[derive(Clone, Debug)]
struct Bank {
    matrix: Matrix,
    /// Partitions of each kernel.
    kernels: Vec<Vec<Spectrum>>,
}

/// The passage from one bank to the other, at the borders of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    None,
    /// Begins with the next partition.
    Pending {
        partitions: usize,
    },
    /// The partition that is being worked on is this one of so many.
    Running {
        partition: usize,
        partitions: usize,
    },
    /// The first partition that knows only the new kernels is being worked on.
    Ending,
}

/// A bounded part of the work.
#[derive(Clone, Copy, Debug)]
struct Unit {
    task: Task,
    /// What everything before it costs.
    before: usize,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Part of the transform of a channel.
    Forward { channel: usize, unit: usize },
    /// Some partitions of an output, for all channels.
    Multiply { output: usize, bank: usize, first: usize },
    /// Part of the transform back.
    Inverse { channel: usize, unit: usize },
    /// The result goes to where it is played.
    Finish { output: usize, bank: usize, channel: usize },
}

/// Partitions that are multiplied in one go, so that the sum is read and written once for all of them.
const TOGETHER: usize = 4;
/// Complex numbers in a vector.
const LANES: usize = 8;

impl<const CH: usize> Convolver<CH> {
    /// Silent, with kernels of zeros. What `shape` has too little of is raised to the least there can be. May allocate.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let partition_frames = shape.partition_frames.next_power_of_two().max(GRID_FRAMES);
        let least = |n: usize| n.max(1);
        let shape = Shape {
            partition_frames,
            partitions: least(shape.partitions),
            outputs: least(shape.outputs),
            kernels: least(shape.kernels),
        };
        let len = 2 * partition_frames;
        let row = || vec![Spectrum::new(len); shape.partitions];
        let bank = || Bank { matrix: Matrix::Each, kernels: (0..shape.kernels).map(|_| row()).collect() };
        let frames = || std::array::from_fn(|_| vec![0.0; partition_frames]);
        let output = || Output { banks: [bank(), bank()], playing: frames(), building: frames() };
        let fft = RealFft::new(len);
        let multiplications = shape.partitions.div_ceil(TOGETHER);
        let most = CH * fft.units() + 2 * shape.outputs * (multiplications + CH * (fft.units() + 1));
        let mut convolver = Convolver {
            level: Level::new(),
            shape,
            fft,
            work: Workspace::new(len),
            kernel_work: Workspace::new(len),
            padded: vec![0.0; len],
            window: std::array::from_fn(|_| vec![0.0; len]),
            incoming: frames(),
            history: std::array::from_fn(|_| row()),
            newest: 0,
            outputs: (0..shape.outputs).map(|_| output()).collect(),
            sums: std::array::from_fn(|_| Spectrum::new(len)),
            result: vec![0.0; len],
            at: 0,
            start: 0,
            len: 0,
            plan: Vec::with_capacity(most),
            done: 0,
            cost: 0,
            exchange: Exchange::None,
        };
        convolver.lay_plan();
        convolver
    }

    /// Frames by which output lags the sum over the taps: twice the partition. Real-time safe.
    #[must_use]
    pub fn delay_frames(&self) -> usize {
        2 * self.shape.partition_frames
    }

    /// Lengths and counts, as they were raised. Real-time safe.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Forgets all audio. Kernels stay; an exchange that was asked for or under way is done. Real-time safe.
    pub fn reset(&mut self) {
        for line in self.window.iter_mut().chain(&mut self.incoming) {
            line.fill(0.0);
        }
        self.history.iter_mut().flatten().for_each(Spectrum::clear);
        for output in &mut self.outputs {
            output.playing.iter_mut().chain(&mut output.building).for_each(|line| line.fill(0.0));
        }
        if matches!(self.exchange, Exchange::Pending { .. } | Exchange::Running { .. }) {
            self.swap();
        }
        self.exchange = Exchange::None;
        (self.newest, self.at, self.start, self.len, self.done) = (0, 0, 0, 0, 0);
        self.lay_plan();
    }

    /// Whether an exchange was asked for or is under way: kernels cannot be written. When it is over, what is played is the
    /// new kernels' alone. Real-time safe.
    #[must_use]
    pub fn is_exchanging(&self) -> bool {
        self.exchange != Exchange::None
    }

    /// How the next kernels of an output are to be used; in mono always [`Matrix::Each`], and so where there is no room for
    /// as many kernels. Does nothing while exchanging. Real-time safe.
    pub fn set_matrix(&mut self, output: usize, matrix: Matrix) {
        let possible = CH == 2 && matrix.kernels() <= self.shape.kernels;
        if let (Exchange::None, Some(output)) = (self.exchange, self.outputs.get_mut(output)) {
            output.banks[1].matrix = if possible { matrix } else { Matrix::Each };
        }
    }

    /// Units in which a partition of a kernel is written. Real-time safe.
    #[must_use]
    pub fn write_units(&self) -> usize {
        self.fft.units()
    }

    /// One unit of writing a partition of one of the next kernels of an output: at most so many taps as it has, zeros
    /// behind them. All units in order, counted from 0, with the same arguments, and none of another partition between
    /// them. Does nothing while exchanging, or where there is no such kernel. Real-time safe.
    pub fn write_unit(&mut self, unit: usize, output: usize, kernel: usize, partition: usize, taps: &[f64]) {
        if self.exchange != Exchange::None {
            return;
        }
        let bank = self.outputs.get_mut(output).map(|output| &mut output.banks[1]);
        let Some(to) = bank.and_then(|b| b.kernels.get_mut(kernel)?.get_mut(partition)) else { return };
        if unit == 0 {
            self.padded.fill(0.0);
            for (to, tap) in self.padded.iter_mut().zip(taps).take(self.shape.partition_frames) {
                *to = *tap;
            }
        }
        self.fft.forward_unit(unit, &self.padded, to, &mut self.kernel_work);
    }

    /// Writes all partitions of one of the next kernels. Costs as many transforms. Real-time safe.
    pub fn write(&mut self, output: usize, kernel: usize, taps: &[f64]) {
        let frames = self.shape.partition_frames;
        for partition in 0..self.shape.partitions {
            let start = taps.len().min(partition * frames);
            let end = taps.len().min(start + frames);
            for unit in 0..self.write_units() {
                self.write_unit(unit, output, kernel, partition, &taps[start..end]);
            }
        }
    }

    /// From the next partition on, all outputs go over to the next kernels, in so many partitions; 0 switches. What the
    /// next kernels are is for the caller to have written, all of them, since the last exchange. Real-time safe.
    pub fn exchange(&mut self, partitions: usize) {
        if self.exchange == Exchange::None {
            self.exchange = Exchange::Pending { partitions };
        }
    }

    /// Kernels written so far are heard at once. Only where nothing sounds. Real-time safe.
    pub fn switch(&mut self) {
        if self.exchange == Exchange::None {
            self.swap();
            self.lay_plan();
        }
    }

    /// Takes in frames, up to the next grid point, and returns how many; [`output`](Self::output) has as many for each
    /// output then. Every channel must be as long as the first. Real-time safe.
    pub fn advance(&mut self, input: [&[f32]; CH]) -> usize {
        let frames = self.shape.partition_frames;
        if self.at == frames {
            self.turn_over();
        }
        if self.at.is_multiple_of(GRID_FRAMES) {
            self.work_off((self.at + GRID_FRAMES) as f64 / frames as f64);
        }
        let until_grid = GRID_FRAMES - self.at % GRID_FRAMES;
        let len = input.iter().map(|channel| channel.len()).min().unwrap_or(0).min(until_grid);
        for (to, from) in self.incoming.iter_mut().zip(input) {
            for (to, from) in to[self.at..self.at + len].iter_mut().zip(from) {
                *to = f64::from(*from);
            }
        }
        (self.start, self.len) = (self.at, len);
        self.at += len;
        len
    }

    /// What comes out with the frames that [`advance`](Self::advance) took in last. Real-time safe.
    #[must_use]
    pub fn output(&self, output: usize, channel: usize) -> &[f64] {
        let line = self.outputs.get(output).and_then(|output| output.playing.get(channel));
        line.and_then(|line| line.get(self.start..self.start + self.len)).unwrap_or(&[])
    }

    /// A partition is complete: what was built is played, and its work begins.
    fn turn_over(&mut self) {
        let frames = self.shape.partition_frames;
        for output in &mut self.outputs {
            std::mem::swap(&mut output.playing, &mut output.building);
        }
        for (window, incoming) in self.window.iter_mut().zip(&self.incoming) {
            window.copy_within(frames.., 0);
            window[frames..].copy_from_slice(incoming);
        }
        self.newest = (self.newest + 1) % self.shape.partitions;
        (self.at, self.done) = (0, 0);
        match self.exchange {
            Exchange::Pending { partitions: 0 } => self.end_exchange(),
            Exchange::Pending { partitions } => {
                self.exchange = Exchange::Running { partition: 0, partitions };
                self.lay_plan();
            }
            Exchange::Running { partition, partitions } if partition + 1 < partitions => {
                self.exchange = Exchange::Running { partition: partition + 1, partitions };
            }
            Exchange::Running { .. } => self.end_exchange(),
            Exchange::Ending => self.exchange = Exchange::None,
            Exchange::None => {}
        }
    }

    fn end_exchange(&mut self) {
        self.swap();
        self.exchange = Exchange::Ending;
        self.lay_plan();
    }

    fn swap(&mut self) {
        self.outputs.iter_mut().for_each(|output| output.banks.swap(0, 1));
    }

    /// The units of the work for one partition, in order, with what they cost: counted in vectors that are multiplied and
    /// added.
    fn lay_plan(&mut self) {
        const BUTTERFLY: usize = 6;
        self.plan.clear();
        let mut before = 0;
        let bins = self.shape.partition_frames / LANES + 1;
        let transform_units = self.fft.units();
        // a pass is about as long as the other ones
        let transform = BUTTERFLY * (bins * (usize::BITS - bins.leading_zeros() + 3) as usize) / 2;
        let per_unit = transform / transform_units + 1;
        let mut push = |plan: &mut Vec<Unit>, task, cost| {
            plan.push(Unit { task, before });
            before += cost;
        };
        for channel in 0..CH {
            (0..transform_units).for_each(|unit| push(&mut self.plan, Task::Forward { channel, unit }, per_unit));
        }
        let banks = if matches!(self.exchange, Exchange::Running { .. }) { 2 } else { 1 };
        for output in 0..self.shape.outputs {
            for bank in 0..banks {
                let matrix = self.outputs[output].banks[bank].matrix;
                let products = if matrix == Matrix::Full { 2 * CH } else { CH };
                for first in (0..self.shape.partitions).step_by(TOGETHER) {
                    let count = TOGETHER.min(self.shape.partitions - first);
                    push(&mut self.plan, Task::Multiply { output, bank, first }, products * count * bins);
                }
                for channel in 0..CH {
                    let units = 0..transform_units;
                    units.for_each(|unit| push(&mut self.plan, Task::Inverse { channel, unit }, per_unit));
                    push(&mut self.plan, Task::Finish { output, bank, channel }, bins);
                }
            }
        }
        self.cost = before;
    }

    /// Works until this part, 0 to 1, of what there is to do is done.
    fn work_off(&mut self, part: f64) {
        let until = (part * self.cost as f64) as usize;
        while let Some(unit) = self.plan.get(self.done).copied().filter(|unit| unit.before < until) {
            self.done += 1;
            self.run(unit.task);
        }
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::Forward { channel, unit } => {
                let (window, history) = (&self.window[channel], &mut self.history[channel]);
                self.fft.forward_unit(unit, window, &mut history[self.newest], &mut self.work);
            }
            Task::Multiply { output, bank, first } => self.multiply(output, bank, first),
            Task::Inverse { channel, unit } => {
                self.fft.inverse_unit(unit, &self.sums[channel], &mut self.result, &mut self.work);
            }
            Task::Finish { output, bank, channel } => self.finish(output, bank, channel),
        }
    }

    fn multiply(&mut self, output: usize, bank: usize, first: usize) {
        let count = TOGETHER.min(self.shape.partitions - first);
        let bank = &self.outputs[output].banks[bank];
        if first == 0 {
            self.sums.iter_mut().for_each(Spectrum::clear);
        }
        let (all, newest) = (self.shape.partitions, self.newest);
        let slot = |partition: usize| (newest + all - partition) % all;
        let mut add = |to: usize, kernel: usize, from: Source| {
            let (history, sum) = (&self.history, &mut self.sums[to]);
            let kernel = &bank.kernels[kernel];
            if count == TOGETHER {
                let kernels: [&Spectrum; TOGETHER] = std::array::from_fn(|n| &kernel[first + n]);
                let inputs = |channel: usize| std::array::from_fn(|n| &history[channel][slot(first + n)]);
                add_products(self.level, sum, kernels, inputs, from);
            } else {
                for partition in first..first + count {
                    let inputs = |channel: usize| [&history[channel][slot(partition)]];
                    add_products(self.level, sum, [&kernel[partition]], inputs, from);
                }
            }
        };
        match bank.matrix {
            Matrix::Each => (0..CH).for_each(|channel| add(channel, 0, Source::Channel(channel))),
            Matrix::Sides => (0..CH).for_each(|channel| add(channel, channel, Source::Channel(channel))),
            Matrix::MidSide => {
                add(0, 0, Source::Sum);
                add(1, 1, Source::Difference);
            }
            Matrix::Full => {
                for (kernel, (to, from)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
                    add(to, kernel, Source::Channel(from));
                }
            }
        }
        if bank.matrix == Matrix::MidSide
            && first + count == all
            && let [mid, side, ..] = &mut self.sums[..]
        {
            for (mid, side) in [(&mut mid.re, &mut side.re), (&mut mid.im, &mut side.im)] {
                for (m, s) in mid.iter_mut().zip(side) {
                    (*m, *s) = (0.5 * (*m + *s), 0.5 * (*m - *s));
                }
            }
        }
    }

    /// The second half of what came back is free of what the transform wraps around.
    fn finish(&mut self, output: usize, bank: usize, channel: usize) {
        let frames = self.shape.partition_frames;
        let result = &self.result[frames..];
        let building = &mut self.outputs[output].building[channel];
        match self.exchange {
            Exchange::Running { partition, partitions } if bank == 1 => {
                let all = (frames * partitions) as f64;
                for (n, (to, new)) in building.iter_mut().zip(result).enumerate() {
                    let u = (partition * frames + n + 1) as f64 / all;
                    // from 0 to 1 without a corner up to the second derivative
                    let amount = u * u * u * (10.0 - u * (15.0 - u * 6.0));
                    *to += amount * (new - *to);
                }
            }
            _ => building.copy_from_slice(result),
        }
    }
}

/// What is convolved.
#[derive(Clone, Copy, Debug)]
enum Source {
    Channel(usize),
    Sum,
    Difference,
}

/// Adds the products of `N` input spectra with as many kernel spectra to `sum`, one after the other.
fn add_products<'a, const N: usize>(
    level: Level,
    sum: &mut Spectrum,
    kernels: [&Spectrum; N],
    inputs: impl Fn(usize) -> [&'a Spectrum; N],
    from: Source,
) {
    match from {
        Source::Channel(channel) => {
            let one = inputs(channel);
            dispatch!(level, simd => products::<_, N, 0>(simd, sum, kernels, one, one));
        }
        Source::Sum => dispatch!(level, simd => products::<_, N, 1>(simd, sum, kernels, inputs(0), inputs(1))),
        Source::Difference => dispatch!(level, simd => products::<_, N, -1>(simd, sum, kernels, inputs(0), inputs(1))),
    }
}

/// The inputs are those of `one`, plus `SIGN` times those of `other`.
#[simd]
fn products<S: Simd, const N: usize, const SIGN: i8>(
    simd: S,
    sum: &mut Spectrum,
    kernels: [&Spectrum; N],
    one: [&Spectrum; N],
    other: [&Spectrum; N],
) {
    let len = sum.re.len() / LANES * LANES;
    // slices of one length, so that the loop need not look at it again
    let [kernels, one, other] = [kernels, one, other].map(|row| row.map(|s| (&s.re[..len], &s.im[..len])));
    for (v, (sum_re, sum_im)) in sum.re.chunks_exact_mut(LANES).zip(sum.im.chunks_exact_mut(LANES)).enumerate() {
        let place = LANES * v..LANES * (v + 1);
        let load = |part: &[f64]| f64x8::from_slice(simd, &part[place.clone()]);
        let (mut re, mut im) = (f64x8::from_slice(simd, sum_re), f64x8::from_slice(simd, sum_im));
        for n in 0..N {
            let (k_re, k_im) = (load(kernels[n].0), load(kernels[n].1));
            let (mut x_re, mut x_im) = (load(one[n].0), load(one[n].1));
            if SIGN > 0 {
                (x_re, x_im) = (x_re + load(other[n].0), x_im + load(other[n].1));
            } else if SIGN < 0 {
                (x_re, x_im) = (x_re - load(other[n].0), x_im - load(other[n].1));
            }
            re += x_re * k_re - x_im * k_im;
            im += x_re * k_im + x_im * k_re;
        }
        re.store_slice(sum_re);
        im.store_slice(sum_im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);
    impl Random {
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        }
        fn floats(&mut self, len: usize) -> Vec<f32> {
            (0..len).map(|_| self.next() as f32).collect()
        }
        fn taps(&mut self, len: usize) -> Vec<f64> {
            (0..len).map(|_| self.next()).collect()
        }
    }

    /// Everything that comes out, in spans as they come in blocks of `block` frames.
    fn run(convolver: &mut Convolver<2>, input: &[Vec<f32>; 2], block: usize) -> Vec<[Vec<f64>; 2]> {
        let mut out = vec![[vec![], vec![]]; convolver.shape().outputs];
        let frames = input[0].len();
        for start in (0..frames).step_by(block) {
            let (mut at, end) = (start, frames.min(start + block));
            while at < end {
                at += convolver.advance([&input[0][at..end], &input[1][at..end]]);
                for (o, out) in out.iter_mut().enumerate() {
                    (0..2).for_each(|c| out[c].extend(convolver.output(o, c)));
                }
            }
        }
        out
    }

    /// Σ h\[k\] x\[n − k\], term by term.
    fn direct(taps: &[f64], input: &[f32], n: usize) -> f64 {
        taps.iter().enumerate().take(n + 1).map(|(k, h)| h * f64::from(input[n - k])).sum()
    }

    const SHAPE: Shape = Shape { partition_frames: 64, partitions: 6, outputs: 2, kernels: 4 };

    /// Every matrix, against the sum itself, two outputs at once. The error is that of sums of 384 products of numbers
    /// under a half, 1e-14 at the most.
    #[test]
    fn is_the_sum_over_the_taps() {
        let mut random = Random(1);
        let input = [random.floats(1000), random.floats(1000)];
        for matrix in [Matrix::Each, Matrix::Sides, Matrix::MidSide, Matrix::Full] {
            let mut convolver = Convolver::<2>::new(SHAPE);
            // not all of the last partition is used
            let taps: [Vec<Vec<f64>>; 2] = std::array::from_fn(|_| (0..4).map(|_| random.taps(370)).collect());
            for (output, taps) in taps.iter().enumerate() {
                convolver.set_matrix(output, matrix);
                taps.iter().enumerate().for_each(|(kernel, taps)| convolver.write(output, kernel, taps));
            }
            convolver.switch();
            let out = run(&mut convolver, &input, 100);
            let delay = convolver.delay_frames();
            assert_eq!(delay, 128);
            for (out, h) in out.iter().zip(&taps) {
                assert!(out.iter().all(|line| line[..delay].iter().all(|s| *s == 0.0)));
                for n in 0..1000 - delay {
                    let [l, r] = &input;
                    let (mid, side): (Vec<f32>, Vec<f32>) = l.iter().zip(r).map(|(l, r)| (l + r, l - r)).unzip();
                    let d = |k: usize, x: &[f32]| direct(&h[k], x, n);
                    let (expected, tolerance) = match matrix {
                        Matrix::Each => ([d(0, l), d(0, r)], 1e-13),
                        Matrix::Sides => ([d(0, l), d(1, r)], 1e-13),
                        // the test's own sums are rounded to single precision
                        Matrix::MidSide => {
                            let (m, s) = (d(0, &mid), d(1, &side));
                            ([0.5 * (m + s), 0.5 * (m - s)], 1e-5)
                        }
                        Matrix::Full => ([d(0, l) + d(1, r), d(2, l) + d(3, r)], 1e-13),
                    };
                    for c in 0..2 {
                        let error = (out[c][n + delay] - expected[c]).abs();
                        assert!(error < tolerance, "{matrix:?}, frame {n}, channel {c}: {error:e} off");
                    }
                }
            }
        }
    }

    /// Cuts of the stream and exchanges under way change no bit; an exchange is a crossfade of both sums along
    /// 10u³ − 15u⁴ + 6u⁵, and the kernels are then the new ones.
    #[test]
    fn exchanges_crossfade() {
        let mut random = Random(2);
        let input = [random.floats(1536), random.floats(1536)];
        let (old, new) = (random.taps(384), random.taps(384));
        let run_with = |block: usize| {
            let mut convolver = Convolver::<2>::new(Shape { outputs: 1, kernels: 1, ..SHAPE });
            convolver.write(0, 0, &old);
            convolver.switch();
            convolver.write(0, 0, &new);
            let mut out = run(&mut convolver, &[input[0][..480].to_vec(), input[1][..480].to_vec()], block);
            convolver.exchange(3);
            assert!(convolver.is_exchanging());
            let rest = run(&mut convolver, &[input[0][480..].to_vec(), input[1][480..].to_vec()], block);
            (0..2).for_each(|c| out[0][c].extend(&rest[0][c]));
            assert!(!convolver.is_exchanging());
            out
        };
        let out = run_with(96);
        for block in [1, 32, 77, 480] {
            assert!(run_with(block) == out, "blocks of {block} differ");
        }
        let delay = 128;
        for n in 0..1536 - delay {
            // asked for at 480, begun with the work that starts at 512, whose output is played from 576 on
            let u = ((n + delay) as f64 - 575.0) / 192.0;
            let u = u.clamp(0.0, 1.0);
            let amount = 10.0 * u * u * u - 15.0 * u * u * u * u + 6.0 * u * u * u * u * u;
            let (a, b) = (direct(&old, &input[0], n), direct(&new, &input[0], n));
            let expected = a + amount * (b - a);
            let error = (out[0][0][n + delay] - expected).abs();
            assert!(error < 1e-13, "frame {n}: {error:e} off");
        }
    }

    /// The width of the registers changes no bit, and a reset forgets everything but the kernels.
    #[test]
    fn every_machine_has_the_same_bits() {
        let mut random = Random(3);
        let input = [random.floats(700), random.floats(700)];
        let taps = random.taps(384);
        let run_at = |level: Level| {
            let mut convolver = Convolver { level, ..Convolver::<2>::new(SHAPE) };
            convolver.set_matrix(1, Matrix::MidSide);
            (0..2).for_each(|output| (0..2).for_each(|kernel| convolver.write(output, kernel, &taps[kernel..])));
            convolver.switch();
            let out = run(&mut convolver, &input, 64);
            convolver.reset();
            assert!(run(&mut convolver, &input, 50) == out);
            out
        };
        assert!(run_at(Level::new()) == run_at(Level::baseline()));
    }
}
