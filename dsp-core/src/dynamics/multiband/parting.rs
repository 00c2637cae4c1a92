//! Crossovers of either phase.

use super::params::{MultibandParams, Phase};
use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::{Lane, pairs_of};
use crate::filter::complex::Complex;
use crate::filter::crossover::{Crossover, MAX_BANDS, MAX_CROSSOVERS, Pairs};
use crate::filter::linear_crossover::LinearCrossover;
use fearless_simd::{Level, Simd};

/// What parts the sound into bands.
#[derive(Clone, Debug)]
pub(super) enum Parting<const CH: usize> {
    Minimum(Box<Crossover>),
    Linear(Box<LinearCrossover<CH>>),
}

impl<const CH: usize> Parting<CH> {
    /// At rest. May allocate.
    pub fn new(params: &MultibandParams, sample_rate_hz: f64) -> Self {
        let (frequencies_hz, bands) = (params.crossovers_hz(), params.bands.bands());
        match params.phase {
            Phase::Minimum => Parting::Minimum(Box::new(Crossover::new(&frequencies_hz, bands, sample_rate_hz))),
            Phase::Linear => Parting::Linear(Box::new(LinearCrossover::new(&frequencies_hz, bands, sample_rate_hz))),
        }
    }

    pub fn set_targets(&mut self, frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize) {
        match self {
            Parting::Minimum(crossover) => crossover.set_targets(frequencies_hz, bands),
            Parting::Linear(crossover) => crossover.set_targets(frequencies_hz, bands),
        }
    }

    pub fn bands(&self) -> usize {
        match self {
            Parting::Minimum(crossover) => crossover.bands(),
            Parting::Linear(crossover) => crossover.bands(),
        }
    }

    pub fn reset(&mut self) {
        match self {
            Parting::Minimum(crossover) => crossover.reset(),
            Parting::Linear(crossover) => crossover.reset(),
        }
    }

    /// From silence, on a point of the grid. Kernels that have moved are still on their way.
    pub fn start(&mut self) {
        match self {
            Parting::Minimum(crossover) => crossover.reset(),
            Parting::Linear(crossover) => crossover.forget(),
        }
    }

    pub fn on_grid(&mut self) {
        match self {
            Parting::Minimum(crossover) => crossover.on_grid(),
            Parting::Linear(crossover) => crossover.on_grid(),
        }
    }

    /// Parts a span; `input` becomes as late as the bands are.
    #[inline(always)]
    pub fn split<S: Simd>(
        &mut self,
        simd: S,
        level: Level,
        input: &mut [Lane; CH],
        bands: &mut [Pairs; MAX_BANDS],
        frames: usize,
    ) {
        match self {
            Parting::Minimum(crossover) => {
                let mut pairs = [[0.0; 2]; GRID_FRAMES + 2];
                pairs_of(simd, input, &mut pairs);
                crossover.process(level, &pairs, bands, frames);
            }
            Parting::Linear(crossover) => crossover.process(input, bands, frames),
        }
    }

    pub fn response(&self, frequency_hz: f64) -> [Complex; MAX_BANDS] {
        match self {
            Parting::Minimum(crossover) => crossover.response(frequency_hz),
            Parting::Linear(crossover) => crossover.response(frequency_hz),
        }
    }

    pub fn latency_frames(&self) -> usize {
        match self {
            Parting::Minimum(_) => 0,
            Parting::Linear(crossover) => crossover.latency_frames(),
        }
    }

    pub fn tail_frames(&self) -> usize {
        match self {
            Parting::Minimum(crossover) => crossover.tail_frames(),
            Parting::Linear(crossover) => crossover.tail_frames(),
        }
    }
}
