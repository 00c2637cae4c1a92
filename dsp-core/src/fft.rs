//! The Fourier transform of real signals whose length is a power of two, with the same bits on every machine.
//!
//! The crates that are in use elsewhere pick fused multiply-add code at run time and take their twiddle factors from the
//! platform's sine, so that their last bits differ from machine to machine. This one adds and multiplies element by
//! element in one order, whatever the width of the registers, with sines from [`crate::math`].
//!
//! N real samples are taken as N/2 complex ones (J. Cooley, P. Lewis, P. Welch, "The fast Fourier transform algorithm:
//! programming considerations", J. Sound Vib. 12(3), 1970, section 6); those go through radix-4 passes in the self-sorting
//! order of T. G. Stockham (AFIPS SJCC 1966), each from one buffer to another, real and imaginary parts apart. A transform is a row of *units* of
//! bounded work, so that the audio thread can spread a long one over many frames.

use crate::math;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f64x4};
use fearless_simd_macros::simd;
use std::ops::Range;

/// The shortest transform, in samples.
pub const MIN_LEN: usize = 32;

/// The spectrum of a real signal: the bins from 0 to the Nyquist frequency, real and imaginary parts apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    /// Real parts; behind the bins a few zeros that fill up a vector.
    pub re: Vec<f64>,
    /// Imaginary parts.
    pub im: Vec<f64>,
}

impl Spectrum {
    /// That of silence, for signals of `len` samples. May allocate.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let room = len / 2 + ROOM;
        Spectrum { re: vec![0.0; room], im: vec![0.0; room] }
    }

    /// Becomes that of silence. Real-time safe.
    pub fn clear(&mut self) {
        self.re.fill(0.0);
        self.im.fill(0.0);
    }
}

/// The Nyquist bin, and zeros after it, so that the room is a multiple of eight.
const ROOM: usize = 8;

/// What a transform needs to remember between its units.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    buffers: [Points; 2],
}

impl Workspace {
    /// For transforms of `len` samples. May allocate.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let points = || Points { re: vec![0.0; len / 2], im: vec![0.0; len / 2] };
        Workspace { buffers: [points(), points()] }
    }
}

/// The transform of one length.
#[derive(Clone, Debug)]
pub struct RealFft {
    level: Level,
    len: usize,
    /// e^(−j2πp/n), its square and its cube, real and imaginary, for four p in a row: of the first pass.
    first: Vec<[[f64; LANES]; 6]>,
    /// The same for one p, of the later passes, which all its butterflies share.
    later: Vec<Vec<[f64; 6]>>,
    /// A pass of radix 2 ends it.
    ends_in_pairs: bool,
    /// −j e^(−jπk/n) for k from 1 on, four in a row.
    turn: Vec<[[f64; LANES]; 2]>,
}

/// Complex numbers in a vector.
const LANES: usize = 4;
/// Vectors of butterflies in a unit.
const UNIT_VECTORS: usize = 64;

impl RealFft {
    /// The transform of `len` samples: raised to a power of two, at least [`MIN_LEN`]. May allocate.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let len = len.max(MIN_LEN).next_power_of_two();
        let n = len / 2;
        let twiddle = |p: usize, n: usize| -> [f64; 6] {
            let angle = |times: usize| -math::TAU * (p * times) as f64 / n as f64;
            let [a, b, c] = [1, 2, 3].map(angle);
            [math::cos(a), math::sin(a), math::cos(b), math::sin(b), math::cos(c), math::sin(c)]
        };
        let first = (0..n / 4 / LANES)
            .map(|v| {
                let of_lanes: [[f64; 6]; LANES] = std::array::from_fn(|lane| twiddle(LANES * v + lane, n));
                std::array::from_fn(|part| of_lanes.map(|w| w[part]))
            })
            .collect();
        let (mut later, mut rest) = (vec![], n / 4);
        while rest >= 4 {
            later.push((0..rest / 4).map(|p| twiddle(p, rest)).collect());
            rest /= 4;
        }
        let turn = (0..n / 2 / LANES)
            .map(|v| {
                let angle = |lane: usize| math::PI * (LANES * v + lane + 1) as f64 / n as f64;
                [
                    std::array::from_fn(|lane| -math::sin(angle(lane))),
                    std::array::from_fn(|lane| -math::cos(angle(lane))),
                ]
            })
            .collect();
        RealFft { level: Level::new(), len, first, later, ends_in_pairs: rest == 2, turn }
    }

    /// Samples in the signal. Real-time safe.
    #[allow(clippy::len_without_is_empty)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Units in a transform, forward or inverse; each is work of about the same size or less. Real-time safe.
    #[must_use]
    pub fn units(&self) -> usize {
        self.stages().map(|stage| self.vectors(stage).div_ceil(UNIT_VECTORS)).sum()
    }

    /// X\[k\] = Σ x\[n\] e^(−j2πkn/N). `input` and `output` are as long as the transform asks; otherwise nothing happens.
    /// Real-time safe.
    pub fn forward(&self, input: &[f64], output: &mut Spectrum, work: &mut Workspace) {
        (0..self.units()).for_each(|unit| self.forward_unit(unit, input, output, work));
    }

    /// x\[n\] = 1/N Σ X\[k\] e^(j2πkn/N), the inverse of [`forward`](Self::forward). Real-time safe.
    pub fn inverse(&self, input: &Spectrum, output: &mut [f64], work: &mut Workspace) {
        (0..self.units()).for_each(|unit| self.inverse_unit(unit, input, output, work));
    }

    /// One unit of [`forward`](Self::forward); all of them in order, counted from 0, with the same arguments, are the
    /// whole. Real-time safe.
    pub fn forward_unit(&self, unit: usize, input: &[f64], output: &mut Spectrum, work: &mut Workspace) {
        let Some((stage, range)) = self.find(unit) else { return };
        if input.len() != self.len || !self.fits(output, work) {
            return;
        }
        let [a, b] = &mut work.buffers;
        match stage {
            Stage::First => dispatch!(self.level, simd => self.first(simd, range, &Real(input), a)),
            Stage::Turn => {
                let from: &Points = if self.ends_in_second() { b } else { a };
                dispatch!(self.level, simd => self.part(simd, range, from, output));
            }
            Stage::Later(pass) => self.pass(pass, range, a, b),
        }
    }

    /// One unit of [`inverse`](Self::inverse), as in [`forward_unit`](Self::forward_unit). Real-time safe.
    pub fn inverse_unit(&self, unit: usize, input: &Spectrum, output: &mut [f64], work: &mut Workspace) {
        // the stage that leaves the complex signal for the real one comes first here
        let turn_units = self.vectors(Stage::Turn).div_ceil(UNIT_VECTORS);
        let place = match unit.checked_sub(turn_units) {
            None => self.find(unit + self.units() - turn_units),
            Some(unit) => self.find(unit),
        };
        let Some((stage, range)) = place else { return };
        if output.len() != self.len || !self.fits(input, work) {
            return;
        }
        let [a, b] = &mut work.buffers;
        match stage {
            Stage::Turn => dispatch!(self.level, simd => self.join(simd, range, input, b)),
            Stage::First => dispatch!(self.level, simd => self.first(simd, range, b, a)),
            Stage::Later(pass) => {
                self.pass(pass, range.clone(), a, b);
                if pass + 1 == self.later_passes() {
                    let from: &Points = if self.ends_in_second() { b } else { a };
                    self.lay_out(&range, from, output);
                }
            }
        }
    }

    fn fits(&self, spectrum: &Spectrum, work: &Workspace) -> bool {
        let (room, n) = (self.len / 2 + ROOM, self.len / 2);
        let points = work.buffers.iter().all(|b| b.re.len() == n && b.im.len() == n);
        points && spectrum.re.len() == room && spectrum.im.len() == room
    }

    fn later_passes(&self) -> usize {
        self.later.len() + usize::from(self.ends_in_pairs)
    }

    /// The first pass ends in the first buffer, each later one in the other.
    fn ends_in_second(&self) -> bool {
        self.later_passes() % 2 == 1
    }

    /// In the order of the forward transform.
    fn stages(&self) -> impl Iterator<Item = Stage> {
        let later = (0..self.later_passes()).map(Stage::Later);
        std::iter::once(Stage::First).chain(later).chain(std::iter::once(Stage::Turn))
    }

    /// Vectors that a stage works through.
    fn vectors(&self, stage: Stage) -> usize {
        match stage {
            Stage::Turn => self.turn.len(),
            _ => self.first.len(),
        }
    }

    /// The stage of a unit, and which of its vectors.
    fn find(&self, unit: usize) -> Option<(Stage, Range<usize>)> {
        let mut rest = unit;
        for stage in self.stages() {
            let vectors = self.vectors(stage);
            let units = vectors.div_ceil(UNIT_VECTORS);
            if rest < units {
                return Some((stage, rest * UNIT_VECTORS..vectors.min((rest + 1) * UNIT_VECTORS)));
            }
            rest -= units;
        }
        None
    }

    /// A pass after the first: between the buffers, forth and back.
    fn pass(&self, pass: usize, range: Range<usize>, a: &mut Points, b: &mut Points) {
        let (from, to) = if pass.is_multiple_of(2) { (&*a, b) } else { (&*b, a) };
        match self.later.get(pass) {
            Some(twiddles) => dispatch!(self.level, simd => fours(simd, range, twiddles, from, to)),
            None => dispatch!(self.level, simd => pairs(simd, range, from, to)),
        }
    }

    /// The pass over the whole length: neighbours of a vector go to places four apart.
    #[simd]
    fn first<S: Simd, P: Load>(&self, simd: S, range: Range<usize>, from: &P, to: &mut Points) {
        let quarter = self.len / 8;
        for v in range {
            let at = LANES * v;
            let y = butterfly(four(simd, from, at, quarter), six(simd, &self.first[v]));
            let place = 4 * at..4 * (at + LANES);
            interleave([y[0][0], y[1][0], y[2][0], y[3][0]], &mut to.re[place.clone()]);
            interleave([y[0][1], y[1][1], y[2][1], y[3][1]], &mut to.im[place]);
        }
    }

    /// From the spectrum of N/2 complex samples to that of N real ones, bins k and N/2 − k at a time.
    #[simd]
    fn part<S: Simd>(&self, simd: S, range: Range<usize>, from: &Points, to: &mut Spectrum) {
        let n = self.len / 2;
        if range.start == 0 {
            (to.re[0], to.im[0]) = (from.re[0] + from.im[0], 0.0);
            (to.re[n], to.im[n]) = (from.re[0] - from.im[0], 0.0);
        }
        for v in range {
            let (k, mirror) = (LANES * v + 1, n - LANES * (v + 1));
            let [z_re, z_im] = from.load(simd, k);
            let [y_re, y_im] = from.load(simd, mirror);
            let (y_re, y_im) = (y_re.reverse(), y_im.reverse());
            let w_re = f64x4::from_slice(simd, &self.turn[v][0]);
            let w_im = f64x4::from_slice(simd, &self.turn[v][1]);
            // the spectra of the even and the odd samples; the odd one is turned by half a sample
            let (e_re, e_im) = ((z_re + y_re) * 0.5, (z_im - y_im) * 0.5);
            let (o_re, o_im) = ((z_re - y_re) * 0.5, (z_im + y_im) * 0.5);
            let (t_re, t_im) = (w_re * o_re - w_im * o_im, w_re * o_im + w_im * o_re);
            (e_re + t_re).store_slice(&mut to.re[k..k + LANES]);
            (e_im + t_im).store_slice(&mut to.im[k..k + LANES]);
            (e_re - t_re).reverse().store_slice(&mut to.re[mirror..mirror + LANES]);
            (t_im - e_im).reverse().store_slice(&mut to.im[mirror..mirror + LANES]);
        }
    }

    /// The other way round; scaled by 2/N, and with real and imaginary parts in each other's place, by which a forward
    /// transform becomes the inverse one.
    #[simd]
    fn join<S: Simd>(&self, simd: S, range: Range<usize>, from: &Spectrum, to: &mut Points) {
        let n = self.len / 2;
        let half = 0.5 / n as f64;
        if range.start == 0 {
            to.im[0] = (from.re[0] + from.re[n]) * half;
            to.re[0] = (from.re[0] - from.re[n]) * half;
        }
        for v in range {
            let (k, mirror) = (LANES * v + 1, n - LANES * (v + 1));
            let [x_re, x_im] = from.load(simd, k);
            let [y_re, y_im] = from.load(simd, mirror);
            let (y_re, y_im) = (y_re.reverse(), y_im.reverse());
            let w_re = f64x4::from_slice(simd, &self.turn[v][0]);
            let w_im = f64x4::from_slice(simd, &self.turn[v][1]);
            let (e_re, e_im) = ((x_re + y_re) * half, (x_im - y_im) * half);
            let (t_re, t_im) = ((x_re - y_re) * half, (x_im + y_im) * half);
            let (o_re, o_im) = (w_re * t_re + w_im * t_im, w_re * t_im - w_im * t_re);
            (e_re + o_re).store_slice(&mut to.im[k..k + LANES]);
            (e_im + o_im).store_slice(&mut to.re[k..k + LANES]);
            (e_re - o_re).reverse().store_slice(&mut to.im[mirror..mirror + LANES]);
            (o_im - e_im).reverse().store_slice(&mut to.re[mirror..mirror + LANES]);
        }
    }

    /// The points that the vectors of the last pass have written, as real samples in a row.
    fn lay_out(&self, range: &Range<usize>, from: &Points, output: &mut [f64]) {
        let n = self.len / 2;
        let parts = if self.ends_in_pairs { 2 } else { 4 };
        let stride = n / parts;
        let per_part = LANES * range.len() * 4 / parts;
        let start = LANES * range.start * 4 / parts;
        for part in 0..parts {
            let place = part * stride + start..part * stride + start + per_part;
            let points = from.im[place.clone()].iter().zip(&from.re[place.clone()]);
            for (to, (even, odd)) in output[2 * place.start..2 * place.end].chunks_exact_mut(2).zip(points) {
                (to[0], to[1]) = (*even, *odd);
            }
        }
    }
}

/// A part of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    First,
    Later(usize),
    /// Between the spectrum of real samples and that of complex ones.
    Turn,
}

/// Complex numbers, real and imaginary parts apart.
#[derive(Clone, Debug, Default)]
struct Points {
    re: Vec<f64>,
    im: Vec<f64>,
}

/// What four complex numbers in a row can be read from.
trait Load {
    fn load<S: Simd>(&self, simd: S, at: usize) -> [f64x4<S>; 2];
}

impl Load for Points {
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, at: usize) -> [f64x4<S>; 2] {
        [f64x4::from_slice(simd, &self.re[at..at + LANES]), f64x4::from_slice(simd, &self.im[at..at + LANES])]
    }
}

impl Load for Spectrum {
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, at: usize) -> [f64x4<S>; 2] {
        [f64x4::from_slice(simd, &self.re[at..at + LANES]), f64x4::from_slice(simd, &self.im[at..at + LANES])]
    }
}

/// Real samples: the even ones are real parts, the odd ones imaginary.
struct Real<'a>(&'a [f64]);

impl Load for Real<'_> {
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, at: usize) -> [f64x4<S>; 2] {
        let samples = &self.0[2 * at..2 * (at + LANES)];
        let (low, high) = samples.split_at(LANES);
        let (re, im) = f64x4::from_slice(simd, low).deinterleave(f64x4::from_slice(simd, high));
        [re, im]
    }
}

/// Vectors from four places `quarter` apart. Written out, as everything on vectors here: what goes through the closures of
/// `std` is not compiled for the machine's registers.
#[inline(always)]
fn four<S: Simd, P: Load>(simd: S, from: &P, at: usize, quarter: usize) -> [[f64x4<S>; 2]; 4] {
    [
        from.load(simd, at),
        from.load(simd, at + quarter),
        from.load(simd, at + 2 * quarter),
        from.load(simd, at + 3 * quarter),
    ]
}

#[inline(always)]
fn store<S: Simd>([re, im]: [f64x4<S>; 2], to: &mut Points, at: usize) {
    re.store_slice(&mut to.re[at..at + LANES]);
    im.store_slice(&mut to.im[at..at + LANES]);
}

#[inline(always)]
fn six<S: Simd>(simd: S, w: &[[f64; LANES]; 6]) -> [f64x4<S>; 6] {
    [
        f64x4::from_slice(simd, &w[0]),
        f64x4::from_slice(simd, &w[1]),
        f64x4::from_slice(simd, &w[2]),
        f64x4::from_slice(simd, &w[3]),
        f64x4::from_slice(simd, &w[4]),
        f64x4::from_slice(simd, &w[5]),
    ]
}

/// The first lanes of all four, then the second ones, and so on.
#[inline(always)]
fn interleave<S: Simd>(y: [f64x4<S>; 4], to: &mut [f64]) {
    let (even_low, even_high) = y[0].interleave(y[2]);
    let (odd_low, odd_high) = y[1].interleave(y[3]);
    let (a, b) = even_low.interleave(odd_low);
    let (c, d) = even_high.interleave(odd_high);
    a.store_slice(&mut to[..LANES]);
    b.store_slice(&mut to[LANES..2 * LANES]);
    c.store_slice(&mut to[2 * LANES..3 * LANES]);
    d.store_slice(&mut to[3 * LANES..4 * LANES]);
}

/// The transform of four points, its outputs turned by 1, w, w², w³: w holds their real and imaginary parts.
#[inline(always)]
fn butterfly<S: Simd>(x: [[f64x4<S>; 2]; 4], w: [f64x4<S>; 6]) -> [[f64x4<S>; 2]; 4] {
    let [[a_re, a_im], [b_re, b_im], [c_re, c_im], [d_re, d_im]] = x;
    let (sum_re, sum_im, difference_re, difference_im) = (a_re + c_re, a_im + c_im, a_re - c_re, a_im - c_im);
    let (other_re, other_im) = (b_re + d_re, b_im + d_im);
    // j (b − d)
    let (turned_re, turned_im) = (d_im - b_im, b_re - d_re);
    [
        [sum_re + other_re, sum_im + other_im],
        turn(difference_re - turned_re, difference_im - turned_im, w[0], w[1]),
        turn(sum_re - other_re, sum_im - other_im, w[2], w[3]),
        turn(difference_re + turned_re, difference_im + turned_im, w[4], w[5]),
    ]
}

#[inline(always)]
fn turn<S: Simd>(re: f64x4<S>, im: f64x4<S>, w_re: f64x4<S>, w_im: f64x4<S>) -> [f64x4<S>; 2] {
    [re * w_re - im * w_im, re * w_im + im * w_re]
}

/// A pass of radix 4: with `twiddles.len()` = m different turns and s = n/4m butterflies to each, from x\[q + s(p + mk)\]
/// to y\[q + s(4p + k)\].
#[simd]
fn fours<S: Simd>(simd: S, range: Range<usize>, twiddles: &[[f64; 6]], from: &Points, to: &mut Points) {
    let quarter = from.re.len() / 4;
    let stride = quarter / twiddles.len();
    let per_turn = stride / LANES;
    let mut v = range.start;
    while v < range.end {
        let p = v / per_turn;
        let end = range.end.min((p + 1) * per_turn);
        let turn = &twiddles[p];
        let w = [
            f64x4::splat(simd, turn[0]),
            f64x4::splat(simd, turn[1]),
            f64x4::splat(simd, turn[2]),
            f64x4::splat(simd, turn[3]),
            f64x4::splat(simd, turn[4]),
            f64x4::splat(simd, turn[5]),
        ];
        for v in v..end {
            let at = LANES * v;
            let y = butterfly(four(simd, from, at, quarter), w);
            let place = at + 3 * p * stride;
            store(y[0], to, place);
            store(y[1], to, place + stride);
            store(y[2], to, place + 2 * stride);
            store(y[3], to, place + 3 * stride);
        }
        v = end;
    }
}

/// The last pass where it is one of radix 2; a vector of `range` stands for two.
#[simd]
fn pairs<S: Simd>(simd: S, range: Range<usize>, from: &Points, to: &mut Points) {
    let half = from.re.len() / 2;
    for v in 2 * range.start..2 * range.end {
        let at = LANES * v;
        let (a, b) = (from.load(simd, at), from.load(simd, at + half));
        store([a[0] + b[0], a[1] + b[1]], to, at);
        store([a[0] - b[0], a[1] - b[1]], to, at + half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use realfft::RealFftPlanner;

    fn noise(len: usize) -> Vec<f64> {
        let mut state = 0x5EED_u64;
        (0..len)
            .map(|_| {
                state ^= state >> 12;
                state ^= state << 25;
                state ^= state >> 27;
                (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .collect()
    }

    /// Every length agrees with realfft, forward and back. The error of a transform grows as √log₂N roundings of 1.1e-16
    /// (J. C. Schatzman, SIAM J. Sci. Comput. 17(5), 1996), so under 1e-15 of the spectrum's RMS on the whole, and the
    /// worst bin of 16,384 lies within ten times that.
    #[test]
    fn agrees_with_realfft() {
        for bits in 5..=16 {
            let len = 1 << bits;
            let (signal, fft) = (noise(len), RealFft::new(len));
            let (mut spectrum, mut work) = (Spectrum::new(len), Workspace::new(len));
            fft.forward(&signal, &mut spectrum, &mut work);
            let plan = RealFftPlanner::<f64>::new().plan_fft_forward(len);
            let (mut input, mut expected) = (signal.clone(), plan.make_output_vec());
            plan.process(&mut input, &mut expected).unwrap();
            let rms = (len as f64 / 12.0).sqrt();
            for (k, bin) in expected.iter().enumerate() {
                let error = (spectrum.re[k] - bin.re).hypot(spectrum.im[k] - bin.im);
                assert!(error < 1e-14 * rms, "bin {k} of {len} is {error:e} off");
            }
            assert!(spectrum.re[len / 2 + 1..].iter().all(|x| *x == 0.0));
            let mut back = vec![0.0; len];
            fft.inverse(&spectrum, &mut back, &mut work);
            for (n, (a, b)) in signal.iter().zip(&back).enumerate() {
                assert!((a - b).abs() < 4e-15, "sample {n} of {len}: {a} came back as {b}");
            }
        }
    }

    /// The width of the registers changes no bit.
    #[test]
    fn every_machine_has_the_same_bits() {
        let len = 2048;
        let signal = noise(len);
        let run = |level: Level| {
            let fft = RealFft { level, ..RealFft::new(len) };
            let (mut spectrum, mut work, mut back) = (Spectrum::new(len), Workspace::new(len), vec![0.0; len]);
            fft.forward(&signal, &mut spectrum, &mut work);
            fft.inverse(&spectrum, &mut back, &mut work);
            (spectrum, back)
        };
        assert!(run(Level::new()) == run(Level::baseline()));
    }

    /// What does not fit is left alone.
    #[test]
    fn wrong_lengths_do_nothing() {
        let fft = RealFft::new(64);
        let (mut spectrum, mut work) = (Spectrum::new(64), Workspace::new(64));
        fft.forward(&[1.0; 63], &mut spectrum, &mut work);
        fft.forward(&[1.0; 64], &mut Spectrum::new(32), &mut work);
        fft.forward(&[1.0; 64], &mut spectrum, &mut Workspace::new(128));
        assert!(spectrum == Spectrum::new(64));
    }
}
