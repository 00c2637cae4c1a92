//! What comes before the network: early reflections, and a diffuser that makes of one click a thousand.
//!
//! The diffuser is a chain of stages, each of which delays sixteen channels by different times and mixes them by an
//! orthogonal matrix. So it does not ring, as a chain of all-passes would (the same idea: R. Väänänen et al., "Efficient and
//! parametric reverberator for room acoustics modeling", ICMC 1997), and a click becomes 16 × 16 × 16 echoes. The matrices are layers of reflections of pairs; their angle sets the diffusion, from none, where
//! every channel keeps its one echo, to an eighth of a turn.

use super::kind::{SPREAD, STAGES};
use super::layout::{Layout, Layouts};
use super::ring::Ring;
use super::vectors::{HALVES, LINES, Spans, load, reflect, store};
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// The past of the input and of every stage.
#[derive(Clone, Debug)]
pub(super) struct Diffuser {
    inputs: [Ring; 2],
    stages: [[Ring; LINES]; STAGES - 1],
}

/// Share of the input in each channel: sixteen squares of it make 1.
const SHARE: f32 = 0.25;

impl Diffuser {
    /// Silent, for delays of up to `stage_frames` in each stage and reflections of up to `early_frames`. May allocate.
    pub fn new(stage_frames: [usize; STAGES], early_frames: usize) -> Self {
        let longest = |s: usize, i: usize| (stage_frames[s] as f64 * SPREAD[s][i]).ceil() as usize + 1;
        Diffuser {
            inputs: std::array::from_fn(|_| Ring::new(stage_frames[0].max(early_frames))),
            stages: std::array::from_fn(|s| std::array::from_fn(|i| Ring::new(longest(s + 1, i)))),
        }
    }

    /// Forgets all audio.
    pub fn forget(&mut self) {
        self.inputs.iter_mut().chain(self.stages.as_flattened_mut()).for_each(Ring::forget);
    }

    /// Frames until the output is silent after the input has been.
    pub fn tail_frames(&self) -> usize {
        let longest = |rings: &[Ring]| rings.iter().map(Ring::longest_frames).max().unwrap_or(0);
        longest(&self.inputs) + self.stages.iter().map(|stage| longest(stage)).sum::<usize>()
    }

    /// Takes a span of `len` frames of both sides in; gives what each output hears of the early reflections, and sixteen
    /// diffuse channels. `cosine` and `sine` are those of the diffusion's angle, frame by frame.
    #[inline(always)]
    pub fn process<S: Simd>(
        &mut self,
        simd: S,
        input: &[Lane; 2],
        layouts: &Layouts,
        [cosine, sine]: [&Lane; 2],
        len: usize,
        (early, out): (&mut [Lane; 2], &mut Spans),
    ) {
        for (ring, lane) in self.inputs.iter_mut().zip(input) {
            ring.write(lane, len);
        }
        self.early(simd, layouts, early);
        let delays = |stage: usize| [Some(&layouts.now), layouts.next.as_ref()].map(|l| l.map(|l| &l.diffuser[stage]));
        for (i, span) in out.iter_mut().enumerate() {
            read(simd, &self.inputs[i / (LINES / 2)], i, delays(0), &layouts.share, span);
        }
        mix(simd, out, cosine, sine, SHARE);
        for (s, rings) in self.stages.iter_mut().enumerate() {
            for (i, (span, ring)) in out.iter_mut().zip(rings.iter_mut()).enumerate() {
                ring.write(span, len);
                read(simd, ring, i, delays(s + 1), &layouts.share, span);
                ring.advance(len);
            }
            // the last stage's channels are mixed by the network, on their way into its lines
            if s + 2 < STAGES {
                mix(simd, out, cosine, sine, 1.0);
            }
        }
        self.inputs.iter_mut().for_each(|ring| ring.advance(len));
    }

    #[inline(always)]
    fn early<S: Simd>(&self, simd: S, layouts: &Layouts, early: &mut [Lane; 2]) {
        for (side, out) in early.iter_mut().enumerate() {
            let now = self.reflections(simd, &layouts.now, side);
            let sum = match &layouts.next {
                None => now,
                Some(next) => {
                    let next = self.reflections(simd, next, side);
                    [0, 1].map(|h| now[h] + load(simd, &layouts.share, HALVES[h]) * (next[h] - now[h]))
                }
            };
            store(sum[0], out, HALVES[0]);
            store(sum[1], out, HALVES[1]);
        }
    }

    #[inline(always)]
    fn reflections<S: Simd>(&self, simd: S, layout: &Layout, side: usize) -> [f32x16<S>; 2] {
        let mut sum = [f32x16::splat(simd, 0.0); 2];
        for (frames, gain, other) in layout.early[side].iter().take(layout.reflections[side]) {
            let from = if *other { 1 - side } else { side };
            let lane = self.inputs[from].read::<GRID_FRAMES>(*frames as usize);
            for (sum, h) in sum.iter_mut().zip(HALVES) {
                *sum += f32x16::splat(simd, *gain) * load(simd, lane, h);
            }
        }
        sum
    }
}

/// Channel `i` of a stage, delayed.
#[inline(always)]
fn read<S: Simd>(simd: S, ring: &Ring, i: usize, delays: [Option<&[u32; LINES]>; 2], share: &Lane, span: &mut Lane) {
    let [now, next] = delays.map(|d| d.map(|d| ring.read::<GRID_FRAMES>(d[i] as usize)));
    match (now, next) {
        (Some(now), Some(next)) => {
            for h in HALVES {
                let (now, next) = (load(simd, now, h), load(simd, next, h));
                store(now + load(simd, share, h) * (next - now), span, h);
            }
        }
        (Some(now), None) => *span = *now,
        _ => {}
    }
}

/// The orthogonal mix of a stage, times `gain`.
#[inline(always)]
fn mix<S: Simd>(simd: S, spans: &mut Spans, cosine: &Lane, sine: &Lane, gain: f32) {
    for h in HALVES {
        let lines = std::array::from_fn(|i| load(simd, &spans[i], h));
        let lines = reflect(lines, load(simd, cosine, h), load(simd, sine, h));
        for (line, span) in lines.iter().zip(spans.iter_mut()) {
            store(*line * gain, span, h);
        }
    }
}
