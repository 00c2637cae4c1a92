//! The feedback delay network: sixteen lines, their filters, and a lossless mix of all with all.
//!
//! M. Gerzon, "Synthetic stereo reverberation", Studio Sound, 1971–72; J.-M. Jot & A. Chaigne, AES 90th Convention, 1991.

use super::decay::{Absorption, Filters};
use super::layout::Layouts;
use super::modulation::Modulation;
use super::ring::Ring;
use super::vectors::{Frames, HALVES, LINES, Spans, from_frames, hadamard, load, store, to_frames};
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// Under this magnitude what runs in the lines is silence: −300 dBFS. The last bit of a 32-bit file is −187 dBFS, and no gain
/// downstream lifts 113 dB. It is cut to zero sample by sample, so that what is left can only lose energy and the tail
/// ends, without the limit cycles of rounding.
pub(super) const SILENCE: f32 = 1e-15;

/// The lines and what runs in them.
#[derive(Clone, Debug)]
pub(super) struct Network {
    rings: [Ring; LINES],
    absorption: Absorption,
    modulation: Modulation,
    spans: Spans,
    frames: Frames,
    /// Frames since the last point of the grid.
    phase: usize,
}

impl Network {
    /// Silent, for lines of up to `longest_frames`. May allocate.
    pub fn new(longest_frames: [usize; LINES], filters: Filters) -> Self {
        Network {
            rings: longest_frames.map(Ring::new),
            absorption: Absorption::new(filters),
            modulation: Modulation::new(),
            spans: [[0.0; GRID_FRAMES]; LINES],
            frames: [[0.0; LINES]; GRID_FRAMES],
            phase: 0,
        }
    }

    /// Forgets all audio; the next frame lies on the grid.
    pub fn forget(&mut self) {
        self.rings.iter_mut().for_each(Ring::forget);
        self.phase = 0;
    }

    /// The start of a stream with these filters, while there is no audio.
    pub fn snap(&mut self, filters: Filters) {
        self.absorption = Absorption::new(filters);
        self.modulation.reset();
    }

    /// The longest time through a line.
    pub fn longest_frames(&self) -> usize {
        self.rings.iter().map(Ring::longest_frames).max().unwrap_or(0)
    }

    /// On the control grid: the filters glide to `filters` by the next point, or rest; the lines' ends move.
    #[inline(always)]
    pub fn on_grid<S: Simd>(
        &mut self,
        simd: S,
        filters: Option<Filters>,
        [rate_hz, depth_frames]: [f64; 2],
        rate: f64,
        layouts: &Layouts,
    ) {
        match filters {
            Some(filters) => self.absorption.on_grid(filters),
            None => self.absorption.rest(),
        }
        self.absorption.flush(SILENCE);
        self.modulation.on_grid(simd, rate_hz, depth_frames, rate, lines(layouts));
        self.phase = 0;
    }

    /// A span of `len` frames: `input` goes in; what comes out to both sides is added to `out`.
    ///
    /// The network's mix serves the input too, as the last of the diffuser's: `mixed` of what goes in passes it, so that each line is
    /// given as many echoes as the diffuser makes in all, and `plain` of it goes into the lines as it is; at `all_mixed`, that is all
    /// and nothing throughout. Of the input itself, which is heard at once, `mixed` and `prompt` together come out. All of them frame
    /// by frame.
    #[inline(always)]
    pub fn process<S: Simd>(
        &mut self,
        simd: S,
        input: &Spans,
        ([mixed, plain, prompt], all_mixed): ([&Lane; 3], bool),
        layouts: &Layouts,
        len: usize,
        out: &mut [Lane; 2],
    ) {
        self.modulation.read(simd, &self.rings, lines(layouts), &layouts.share, self.phase, &mut self.spans);
        to_frames(simd, &self.spans, &mut self.frames);
        self.absorption.process(simd, &mut self.frames, len);
        let (quarter, floor, none) =
            (f32x16::splat(simd, 0.25), f32x16::splat(simd, SILENCE), f32x16::splat(simd, 0.0));
        for h in HALVES {
            let (mixed, plain, prompt) = (load(simd, mixed, h), load(simd, plain, h), load(simd, prompt, h));
            // even and odd lines; one side hears their sum, the other their difference; the same of pairs before the mix, see SIGNS
            let (mut sums, mut prompts) = ([none; 2], [none; 2]);
            let mut lines = from_frames(simd, &self.frames, h);
            for (i, line) in lines.iter_mut().enumerate() {
                let input = load(simd, &input[i], h);
                *line += if all_mixed { input } else { mixed * input };
                if SIGNS[i] {
                    prompts[i / 2 % 2] -= input;
                } else {
                    prompts[i / 2 % 2] += input;
                }
            }
            for (i, line) in hadamard(lines).iter().enumerate() {
                let line = *line * quarter;
                if SIGNS[i] {
                    sums[i % 2] -= line;
                } else {
                    sums[i % 2] += line;
                }
                let sum = if all_mixed { line } else { line + plain * load(simd, &input[i], h) };
                store(sum.abs().simd_ge(floor).select(sum, none), &mut self.spans[i], h);
            }
            let [even, odd] = [0, 1].map(|k| (sums[k] + prompt * prompts[k]) * quarter);
            store(load(simd, &out[0], h) + (even + odd), &mut out[0], h);
            store(load(simd, &out[1], h) + (even - odd), &mut out[1], h);
        }
        for (ring, span) in self.rings.iter_mut().zip(&self.spans) {
            ring.write(span, len);
            ring.advance(len);
        }
        self.phase += len;
    }
}

/// Which lines come out with their sign changed: (−1)^(b₀b₁ + b₂b₃) in the bits of the line's number, a bent function (O.
/// Rothaus, J. Combinatorial Theory A 20, 1976): its correlation with every row of the Hadamard matrix has one magnitude, so
/// that every line is heard equally before the mix and after it: before it with these same signs. So is its product with (−1)^b₀,
/// which the other side hears, before the mix its product with (−1)^b₁: the two are orthogonal.
const SIGNS: [bool; LINES] = {
    let mut signs = [false; LINES];
    let mut i = 0;
    while i < LINES {
        signs[i] = (i & (i >> 1) & 1) ^ ((i >> 2) & (i >> 3) & 1) == 1;
        i += 1;
    }
    signs
};

fn lines(layouts: &Layouts) -> [Option<&[u32; LINES]>; 2] {
    [Some(&layouts.now.lines), layouts.next.as_ref().map(|next| &next.lines)]
}
