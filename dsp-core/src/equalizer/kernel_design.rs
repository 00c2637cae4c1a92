//! From bands to the kernels of a linear-phase filter, in steps that the audio thread can afford.
//!
//! The magnitudes of the analogue filters are sampled at the bins of a transform, with no phase; its inverse is an even
//! impulse response, which a window ends. The window is flat over the inner half, so that filters which have died away
//! there keep their magnitude, and falls over the outer half as the integral of a four-term Blackman-Harris window
//! (F. J. Harris, Proc. IEEE 66(1), 1978, table I): it is a rectangle convolved with that window, whose side lobes are
//! under −92 dB.

use crate::equalizer::design::{Route, Spec};
use crate::equalizer::params::{EqualizerParams, Shape};
use crate::fft::{RealFft, Spectrum, Workspace};
use crate::filter::analogue::Analogue;
use crate::filter::convolution::{Convolver, Matrix, Shape as Partitions};
use crate::filter::prototype::Side;
use crate::math;
use fearless_simd::Level;

/// What kernels are made from: the static part of bands, as far as it is heard without its phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target<const BANDS: usize> {
    filters: [Option<Filter>; BANDS],
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Filter {
    spec: Spec,
    frequency_hz: f64,
    q: f64,
    gain_db: f64,
}

impl<const BANDS: usize> Target<BANDS> {
    /// That of these controls in `CH` channels. Real-time safe.
    #[must_use]
    pub fn of<const CH: usize>(params: &EqualizerParams<BANDS>) -> Self {
        let mut filters = [None; BANDS];
        for (place, band) in filters.iter_mut().zip(&params.band) {
            let gain_db = if band.shape.has_gain() { 0.01 * params.gain_scale_percent * band.gain_db } else { 0.0 };
            let heard = |spec: &Spec| spec.shape != Shape::AllPass && (gain_db != 0.0 || !spec.shape.has_gain());
            *place = Spec::of::<CH>(params.on, band).filter(heard).map(|spec| Filter {
                spec,
                frequency_hz: band.frequency_hz,
                q: band.q,
                gain_db,
            });
        }
        Target { filters }
    }

    /// Whether nothing is to be filtered. Real-time safe.
    #[must_use]
    pub fn is_wire(&self) -> bool {
        self.filters.iter().all(Option::is_none)
    }

    /// The fewest kernels that will do. Real-time safe.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        let any = |wanted: fn(&Route) -> bool| self.filters.iter().flatten().any(|f| wanted(&f.spec.route));
        let sides = any(|route| matches!(route, Route::One(_)));
        let mid_side = any(|route| matches!(route, Route::Mid | Route::Side));
        match (sides, mid_side) {
            (false, false) => Matrix::Each,
            (true, false) => Matrix::Sides,
            (false, true) => Matrix::MidSide,
            (true, true) => Matrix::Full,
        }
    }
}

impl Filter {
    fn analogue(&self) -> Analogue {
        let (q, gain_db, order) = (self.q, self.gain_db, self.spec.order);
        match self.spec.shape {
            Shape::Bell => Analogue::bell(q, gain_db),
            Shape::LowShelf => Analogue::low_shelf(q, gain_db),
            Shape::HighShelf => Analogue::high_shelf(q, gain_db),
            Shape::Tilt => Analogue::tilt(q, gain_db),
            Shape::LowCut => Analogue::cut(Side::Low, q, order),
            Shape::HighCut => Analogue::cut(Side::High, q, order),
            Shape::Notch => Analogue::notch(q),
            // an all-pass is no filter without its phase
            Shape::BandPass | Shape::AllPass => Analogue::band_pass(q),
        }
    }
}

/// Makes the kernels of a convolver's first output.
#[derive(Clone, Debug)]
pub struct KernelDesigner<const BANDS: usize> {
    level: Level,
    sample_rate_hz: f64,
    partitions: Partitions,
    fft: RealFft,
    work: Workspace,
    amplitude: Spectrum,
    response: Vec<f64>,
    /// From the middle to the end.
    window: Vec<f64>,
    /// Those of one partition.
    taps: Vec<f64>,
    target: Target<BANDS>,
    analogues: [Option<Analogue>; BANDS],
    step: usize,
}

/// Bins whose magnitudes are found in one step.
const CHUNK: usize = 64;
type Chunk = [f64; CHUNK];

impl<const BANDS: usize> KernelDesigner<BANDS> {
    /// For kernels of that length. May allocate.
    #[must_use]
    pub fn new(partitions: Partitions, sample_rate_hz: f64) -> Self {
        let half = partitions.taps() / 2;
        let fft = RealFft::new(partitions.taps());
        let len = fft.len();
        KernelDesigner {
            level: Level::new(),
            sample_rate_hz,
            partitions,
            fft,
            work: Workspace::new(len),
            amplitude: Spectrum::new(len),
            response: vec![0.0; len],
            window: (0..=half).map(|n| window(n as f64 / half as f64)).collect(),
            taps: vec![0.0; partitions.partition_frames],
            target: Target { filters: [None; BANDS] },
            analogues: [None; BANDS],
            step: 0,
        }
    }

    /// What the kernels are or were made from. Real-time safe.
    #[must_use]
    pub fn target(&self) -> &Target<BANDS> {
        &self.target
    }

    /// Begins anew. Real-time safe.
    pub fn begin<const CH: usize>(&mut self, target: &Target<BANDS>, convolver: &mut Convolver<CH>) {
        self.target = *target;
        for (analogue, filter) in self.analogues.iter_mut().zip(&target.filters) {
            *analogue = filter.as_ref().map(Filter::analogue);
        }
        self.step = 0;
        convolver.set_matrix(0, target.matrix());
    }

    /// One step: at most some 64 bins' magnitudes, or a unit of a transform. Returns whether it was the last: the next
    /// kernels of the convolver, which must not be exchanging, are complete. Real-time safe.
    pub fn step<const CH: usize>(&mut self, convolver: &mut Convolver<CH>) -> bool {
        let (chunks, units) = (self.amplitude.re.len().div_ceil(CHUNK), self.fft.units());
        let write_units = convolver.write_units();
        let each = chunks + units + self.partitions.partitions * write_units;
        let (kernel, step) = (self.step / each, self.step % each);
        if step < chunks {
            self.sample(kernel, step * CHUNK);
        } else if step < chunks + units {
            self.fft.inverse_unit(step - chunks, &self.amplitude, &mut self.response, &mut self.work);
        } else {
            let (partition, unit) = ((step - chunks - units) / write_units, (step - chunks - units) % write_units);
            if unit == 0 {
                self.cut_out(partition);
            }
            convolver.write_unit(unit, 0, kernel, partition, &self.taps);
        }
        self.step += 1;
        self.step >= each * self.target.matrix().kernels()
    }

    /// The amplitude of a kernel at the bins from `first` on.
    fn sample(&mut self, kernel: usize, first: usize) {
        let matrix = self.target.matrix();
        let mut paths: [Chunk; 4] = [[1.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK], [1.0; CHUNK]];
        let mut magnitudes = [0.0; CHUNK];
        for (filter, analogue) in self.target.filters.iter().zip(&self.analogues) {
            let (Some(filter), Some(analogue)) = (filter, analogue) else { continue };
            let route = filter.spec.route;
            let heard = match (matrix, route) {
                (Matrix::Sides, Route::One(channel)) => channel == kernel,
                (Matrix::MidSide, Route::Mid) => kernel == 0,
                (Matrix::MidSide, Route::Side) => kernel == 1,
                _ => true,
            };
            if heard {
                let step = self.sample_rate_hz / (self.fft.len() as f64 * filter.frequency_hz);
                analogue.magnitudes(self.level, first, step, &mut magnitudes);
                if matrix == Matrix::Full {
                    pass_through(&mut paths, route, &magnitudes);
                } else {
                    scale(&mut paths[0], &magnitudes);
                }
            }
        }
        let path = if matrix == Matrix::Full { kernel } else { 0 };
        for (to, amplitude) in self.amplitude.re.iter_mut().skip(first).zip(&paths[path.min(3)]) {
            *to = *amplitude;
        }
    }

    /// The taps of a partition.
    fn cut_out(&mut self, partition: usize) {
        let middle = self.partitions.taps() / 2;
        let first = partition * self.partitions.partition_frames;
        for (n, tap) in self.taps.iter_mut().enumerate() {
            let distance = (first + n).abs_diff(middle);
            let value = self.response.get(distance).zip(self.window.get(distance));
            *tap = value.map_or(0.0, |(response, window)| response * window);
        }
    }
}

/// A filter of these magnitudes behind what there is from channel to channel: left to left, right to left, left to right,
/// right to right.
fn pass_through(paths: &mut [Chunk; 4], route: Route, magnitudes: &Chunk) {
    let [left_left, right_left, left_right, right_right] = paths;
    match route {
        Route::Each => paths.iter_mut().for_each(|path| scale(path, magnitudes)),
        Route::One(0) => [left_left, right_left].into_iter().for_each(|path| scale(path, magnitudes)),
        Route::One(_) => [left_right, right_right].into_iter().for_each(|path| scale(path, magnitudes)),
        Route::Mid | Route::Side => {
            let sign = if route == Route::Mid { 1.0 } else { -1.0 };
            for (left, right) in [(left_left, left_right), (right_left, right_right)] {
                for ((left, right), magnitude) in left.iter_mut().zip(right).zip(magnitudes) {
                    let change = 0.5 * (*left + sign * *right) * (magnitude - 1.0);
                    *left += change;
                    *right += sign * change;
                }
            }
        }
    }
}

fn scale(path: &mut Chunk, magnitudes: &Chunk) {
    path.iter_mut().zip(magnitudes).for_each(|(path, magnitude)| *path *= magnitude);
}

/// At `place` from the middle (0) to the end (1).
fn window(place: f64) -> f64 {
    const HARRIS: [f64; 4] = [0.35875, 0.48829, 0.14128, 0.01168];
    let fall = 2.0 * place - 1.0;
    if fall <= 0.0 {
        return 1.0;
    }
    let [a0, a1, a2, a3] = HARRIS;
    let wave = |n: f64| math::sin(n * math::TAU * fall) / (n * math::TAU);
    (1.0 - (fall - (a1 * wave(1.0) - a2 * wave(2.0) + a3 * wave(3.0)) / a0)).clamp(0.0, 1.0)
}
