//! What is done to sixteen lines at once: transposition and orthogonal mixes, in a fixed order.

use crate::dynamics::envelope::Lane;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// Lines of the network and channels of the diffuser, which is also the width of a vector.
pub(super) const LINES: usize = 16;
/// A span of each line.
pub(super) type Spans = [Lane; LINES];
/// The same, frame by frame.
pub(super) type Frames = [[f32; LINES]; crate::control_grid::GRID_FRAMES];

/// Where the vectors of a span start.
pub(super) const HALVES: [usize; 2] = [0, LINES];

/// Vector `h` of a lane.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, lane: &Lane, h: usize) -> f32x16<S> {
    f32x16::from_slice(simd, &lane[h..h + LINES])
}

/// Puts vector `h` of a lane back.
#[inline(always)]
pub(super) fn store<S: Simd>(vector: f32x16<S>, lane: &mut Lane, h: usize) {
    vector.store_slice(&mut lane[h..h + LINES]);
}

/// Spans of lines to frames of lines: interleaving the halves of a 16 × 16 matrix rotates the eight bits of its elements'
/// places by one, and four times that swaps rows and columns.
#[inline(always)]
fn transpose<S: Simd>(simd: S, mut rows: [f32x16<S>; LINES]) -> [f32x16<S>; LINES] {
    for _ in 0..4 {
        let mut mixed = rows;
        for i in 0..LINES / 2 {
            (mixed[2 * i], mixed[2 * i + 1]) = simd.interleave_f32x16(rows[i], rows[i + LINES / 2]);
        }
        rows = mixed;
    }
    rows
}

/// Spans to frames.
#[inline(always)]
pub(super) fn to_frames<S: Simd>(simd: S, spans: &Spans, frames: &mut Frames) {
    for h in HALVES {
        let rows = transpose(simd, std::array::from_fn(|i| load(simd, &spans[i], h)));
        for (row, frame) in rows.iter().zip(&mut frames[h..h + LINES]) {
            row.store_slice(frame);
        }
    }
}

/// Vector `h` of every line, from frames.
#[inline(always)]
pub(super) fn from_frames<S: Simd>(simd: S, frames: &Frames, h: usize) -> [f32x16<S>; LINES] {
    transpose(simd, std::array::from_fn(|i| f32x16::from_slice(simd, &frames[h + i])))
}

/// The Hadamard matrix of order 16, not yet divided by 4: four layers of sums and differences.
#[inline(always)]
pub(super) fn hadamard<S: Simd>(lines: [f32x16<S>; LINES]) -> [f32x16<S>; LINES] {
    let sums = |a, b| (a + b, a - b);
    pairs::<8, S>(pairs::<4, S>(pairs::<2, S>(pairs::<1, S>(lines, sums), sums), sums), sums)
}

/// Reflects pairs of lines in four layers, until all are mixed with all: a and b become c a + s b and s a − c b, which is
/// orthogonal where c² + s² = 1.
#[inline(always)]
pub(super) fn reflect<S: Simd>(lines: [f32x16<S>; LINES], cosine: f32x16<S>, sine: f32x16<S>) -> [f32x16<S>; LINES] {
    let mirror = |a, b| (cosine * a + sine * b, sine * a - cosine * b);
    pairs::<8, S>(pairs::<4, S>(pairs::<2, S>(pairs::<1, S>(lines, mirror), mirror), mirror), mirror)
}

/// Does `each` to the pairs of lines that lie `STRIDE` apart.
#[inline(always)]
fn pairs<const STRIDE: usize, S: Simd>(
    mut lines: [f32x16<S>; LINES],
    each: impl Fn(f32x16<S>, f32x16<S>) -> (f32x16<S>, f32x16<S>),
) -> [f32x16<S>; LINES] {
    for k in 0..LINES / 2 {
        let i = k / STRIDE * 2 * STRIDE + k % STRIDE;
        (lines[i], lines[i + STRIDE]) = each(lines[i], lines[i + STRIDE]);
    }
    lines
}
