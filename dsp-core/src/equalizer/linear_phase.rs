//! The static part of an equalizer without any turn of phase: kernels that are even about their middle.
//!
//! Controls do not glide: the next kernels are designed as the frames go by, a bounded piece at every grid point, and what
//! is heard crossfades to them.

use crate::block::Block;
use crate::control_grid::ControlGrid;
use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::equalizer::kernel_design::{KernelDesigner, Target};
use crate::equalizer::params::EqualizerParams;
use crate::filter::convolution::{Convolver, Matrix, Shape};
use crate::math;
use crate::ramp::Ramp;

/// Filters with the magnitudes of `BANDS` analogue bands. Bit-transparent, but for its delay, while they are flat.
#[derive(Clone, Debug)]
pub struct LinearPhase<const CH: usize, const BANDS: usize> {
    convolver: Convolver<CH>,
    designer: KernelDesigner<BANDS>,
    grid: ControlGrid,
    dry: [DelayLine; CH],
    /// 0: the input, delayed; 1: the convolver's output.
    wet: Ramp,
    wanted: Target<BANDS>,
    /// What the convolver's kernels are.
    heard: Option<Target<BANDS>>,
    designing: bool,
    fade_partitions: usize,
}

/// How long, in seconds, a crossfade lasts at least.
const FADE_SECONDS: f64 = 0.04;
/// In partitions.
const LEAST_FADE: usize = 4;
/// Steps of the design at a grid point.
const STEPS: usize = 2;

/// Partitions of a kernel's `partitions` taps of `partition_frames`.
#[must_use]
pub fn shape<const CH: usize>(partition_frames: usize, partitions: usize) -> Shape {
    let kernels = if CH == 2 { Matrix::Full.kernels() } else { 1 };
    Shape { partition_frames, partitions, outputs: 1, kernels }
}

/// Frames by which output lags: to the middle of the kernel, and the convolver's own. Real-time safe.
#[must_use]
pub fn latency_frames(partition_frames: usize, partitions: usize) -> usize {
    partition_frames * partitions / 2 + 2 * partition_frames
}

impl<const CH: usize, const BANDS: usize> LinearPhase<CH, BANDS> {
    /// With kernels of so many partitions, an even number, of so many frames, a power of two from [`GRID_FRAMES`] on.
    /// May allocate.
    #[must_use]
    pub fn new(
        partition_frames: usize,
        partitions: usize,
        sample_rate_hz: f64,
        params: &EqualizerParams<BANDS>,
    ) -> Self {
        let shape = shape::<CH>(partition_frames, partitions);
        let latency_frames = latency_frames(partition_frames, partitions);
        let fade_frames = FADE_SECONDS * sample_rate_hz;
        let mut linear = LinearPhase {
            convolver: Convolver::new(shape),
            designer: KernelDesigner::new(shape, sample_rate_hz),
            grid: ControlGrid::default(),
            dry: std::array::from_fn(|_| DelayLine::new(latency_frames)),
            wet: Ramp::new(0.0, fade_frames as u32),
            wanted: Target::of::<CH>(params),
            heard: None,
            designing: false,
            fade_partitions: ((fade_frames / partition_frames as f64) as usize + 1).max(LEAST_FADE),
        };
        linear.reset();
        linear
    }

    /// Frames by which output lags input. Real-time safe.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        self.dry.first().map_or(0, DelayLine::frames)
    }

    /// Frames of sound after the input has fallen silent, beyond the latency. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        // the last frame is in the windows of two partitions; their products are played two partitions after they are in
        let shape = self.convolver.shape();
        shape.taps() + 3 * shape.partition_frames - self.latency_frames()
    }

    /// Forgets all audio and arrives: where the controls have moved on since the last kernels, the next ones are designed in
    /// one go, a few milliseconds of work. Real-time safe.
    pub fn reset(&mut self) {
        self.convolver.reset();
        self.grid.reset();
        self.dry.iter_mut().for_each(DelayLine::reset);
        self.designing = false;
        if self.wanted.is_wire() {
            self.heard = None;
        } else if self.heard != Some(self.wanted) {
            self.designer.begin(&self.wanted, &mut self.convolver);
            while !self.designer.step(&mut self.convolver) {}
            self.convolver.switch();
            self.heard = Some(self.wanted);
        }
        self.wet.snap_to(if self.wanted.is_wire() { 0.0 } else { 1.0 });
    }

    /// Moves the target. Real-time safe.
    pub fn set_params(&mut self, params: &EqualizerParams<BANDS>) {
        self.wanted = Target::of::<CH>(params);
    }

    /// Processes in place. Real-time safe.
    pub fn process(&mut self, block: &mut Block<'_, CH>) {
        let (frames, mut start) = (block.frames(), 0);
        while let Some(span) = self.grid.next(start, frames) {
            if span.on_grid {
                self.on_grid();
            }
            start = span.start + span.len;
            self.process_span(&mut block.span(span.start, span.len));
        }
    }

    fn on_grid(&mut self) {
        if self.designing {
            let done = (0..STEPS).any(|_| self.designer.step(&mut self.convolver));
            if done {
                self.designing = false;
                self.heard = Some(*self.designer.target());
                let is_dry = !self.wet.is_moving() && self.wet.target() == 0.0;
                self.convolver.exchange(if is_dry { 0 } else { self.fade_partitions });
            }
        } else if self.wanted.is_wire() {
            self.wet.set_target(0.0);
        } else if self.convolver.is_exchanging() {
            // kernels can be neither written nor trusted yet
        } else if self.heard == Some(self.wanted) {
            self.wet.set_target(1.0);
        } else {
            self.designing = true;
            self.designer.begin(&self.wanted, &mut self.convolver);
        }
    }

    /// Up to the next grid point.
    fn process_span(&mut self, block: &mut Block<'_, CH>) {
        self.convolver.advance(block.channels_ref());
        let mut wet = [self.wet.target(); GRID_FRAMES];
        if self.wet.is_moving() {
            wet.iter_mut().take(block.frames()).for_each(|wet| *wet = self.wet.next_value());
        } else if self.wet.target() == 0.0 {
            self.delay(block);
            return;
        }
        self.delay(block);
        for (channel, line) in block.channels().iter_mut().enumerate() {
            let convolved = self.convolver.output(0, channel);
            for ((sample, convolved), wet) in line.iter_mut().zip(convolved).zip(wet) {
                let dry = f64::from(*sample);
                let mixed = if wet == 1.0 { *convolved } else { dry + wet * (convolved - dry) };
                *sample = math::flush(mixed) as f32;
            }
        }
    }

    fn delay(&mut self, block: &mut Block<'_, CH>) {
        for (line, channel) in self.dry.iter_mut().zip(block.channels()) {
            line.process(channel);
        }
    }
}
