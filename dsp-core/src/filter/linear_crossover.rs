//! Crossovers that turn no phase: the magnitudes of Linkwitz-Riley filters, without their all-passes.
//!
//! A Butterworth low-pass of second order, once forward and once backward in time, has the magnitude of the two in a row
//! that make a Linkwitz-Riley filter, 1/(1 + x⁴), and no phase at all; and what it leaves of the sound, x⁴/(1 + x⁴), is
//! the high-pass. So the low-passes L₁, L₂ … of all crossovers are convolutions with symmetric kernels, and the bands are
//! L₁, L₂ − L₁, …, 1 − Lₙ: whatever the kernels are, and while they change, the sum is the delayed input.
//!
//! The kernel has a closed form. With u = (z − 1)/(z + 1) and g = tan(π f / rate), H = g⁴/(g⁴ + u⁴) has its stable poles at
//! u = g e^(±3jπ/4), z = (1 + u)/(1 − u), with the residues −u/(2 (1 − u)²), so that
//!
//! h\[n\] = Re(−u z^(|n| − 1)/(1 − u)²), n ≠ 0, and h\[0\] is that plus g⁴/(1 + g⁴).
//!
//! It rings before the sound as it rings after it, by e^(−√2 π f t): the pre-echo that is every such filter's own. Kernels
//! last 85 ms on either side. From 37 Hz up what is cut off is less than −120 dB; below, a kernel fades out in its last
//! quarter, and its slope is a little gentler.

use crate::control_grid::GRID_FRAMES;
use crate::delay_line::DelayLine;
use crate::filter::complex::Complex;
use crate::filter::convolution::{Convolver, Shape};
use crate::filter::crossover::{MAX_BANDS, MAX_CROSSOVERS, Pairs, TOP};
use crate::math;

/// Parts one or two channels into one to six bands of linear phase.
#[derive(Clone, Debug)]
pub struct LinearCrossover<const CH: usize> {
    sample_rate_hz: f64,
    convolver: Convolver<CH>,
    /// Taps on either side of the middle.
    half: usize,
    delays: [DelayLine; CH],
    wanted: Parting,
    playing: Parting,
    update: Update,
    taps: Vec<f64>,
}

/// tan(π f / rate) of each crossover that is in use; none passes everything.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Parting {
    warped: [Option<f64>; MAX_CROSSOVERS],
    bands: usize,
}

/// On the way to other kernels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Update {
    None,
    /// So many partitions have been written.
    Writing(Parting, usize),
    /// The convolver goes over.
    Exchanging(Parting),
}

/// Partitions of a kernel.
const PARTITIONS: usize = 16;
/// Partitions that are written at a grid point.
const WRITTEN_TOGETHER: usize = 2;
/// Partitions that an exchange of kernels takes: 32 ms.
const EXCHANGE_PARTITIONS: usize = 3;

impl<const CH: usize> LinearCrossover<CH> {
    /// At rest: crossovers at `frequencies_hz`, of which the first `bands` − 1 are in use. May allocate.
    #[must_use]
    pub fn new(frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize, sample_rate_hz: f64) -> Self {
        // about 10.7 ms
        let mut partition_frames = 128;
        while partition_frames as f64 * 1.4 < sample_rate_hz * 512.0 / 48_000.0 {
            partition_frames *= 2;
        }
        let shape = Shape { partition_frames, partitions: PARTITIONS, outputs: MAX_CROSSOVERS, kernels: 1 };
        let convolver = Convolver::new(shape);
        let half = shape.taps() / 2 - 1;
        let latency = convolver.delay_frames() + half;
        let wanted = Parting::new(frequencies_hz, bands, sample_rate_hz);
        let mut crossover = LinearCrossover {
            sample_rate_hz,
            convolver,
            half,
            delays: std::array::from_fn(|_| DelayLine::new(latency)),
            wanted,
            playing: Parting { warped: [None; MAX_CROSSOVERS], bands: 0 },
            update: Update::None,
            taps: vec![0.0; partition_frames],
        };
        crossover.reset();
        crossover
    }

    /// Frames by which the bands lag the input. Real-time safe.
    #[must_use]
    pub fn latency_frames(&self) -> usize {
        self.convolver.delay_frames() + self.half
    }

    /// Moves to these frequencies, in hertz, and to this many bands, 1 to [`MAX_BANDS`]: new kernels are written in the next
    /// grid points, and fade in. A crossover that is set below the one before it stands where that one stands. Real-time safe.
    pub fn set_targets(&mut self, frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize) {
        self.wanted = Parting::new(frequencies_hz, bands, self.sample_rate_hz);
    }

    /// Bands in use, those on their way out included. Real-time safe.
    #[must_use]
    pub fn bands(&self) -> usize {
        match self.update {
            Update::Exchanging(next) => self.playing.bands.max(next.bands),
            _ => self.playing.bands,
        }
    }

    /// Forgets all audio and arrives at once. Writes all kernels anew if they have moved. Real-time safe.
    pub fn reset(&mut self) {
        self.forget();
        if self.playing != self.wanted {
            let next = self.wanted;
            (0..self.partitions()).for_each(|place| self.write(&next, place));
            self.convolver.switch();
            self.playing = next;
        }
    }

    /// Forgets all audio; kernels that have been asked for are on their way still. For grid points only. Real-time safe.
    pub fn forget(&mut self) {
        self.convolver.reset();
        self.delays.iter_mut().for_each(DelayLine::reset);
        if let Update::Exchanging(next) = self.update {
            self.playing = next;
        }
        self.update = Update::None;
    }

    /// What happens on a point of the control grid: kernels are written, a few at a time. Real-time safe.
    pub fn on_grid(&mut self) {
        match self.update {
            Update::None if self.wanted == self.playing => {}
            Update::None => self.update = Update::Writing(self.wanted, 0),
            Update::Writing(next, written) => {
                let until = (written + WRITTEN_TOGETHER).min(self.partitions());
                (written..until).for_each(|place| self.write(&next, place));
                self.update = Update::Writing(next, until);
                if until == self.partitions() {
                    self.convolver.exchange(EXCHANGE_PARTITIONS);
                    self.update = Update::Exchanging(next);
                }
            }
            Update::Exchanging(next) => {
                if !self.convolver.is_exchanging() {
                    (self.playing, self.update) = (next, Update::None);
                }
            }
        }
    }

    /// Parts `frames` frames, no further than to the next point of the grid, into [`bands`](Self::bands) bands; `input`
    /// becomes what it was a latency ago, which is the sum of the bands. Real-time safe.
    pub fn process(&mut self, input: &mut [[f32; GRID_FRAMES]; CH], bands: &mut [Pairs; MAX_BANDS], frames: usize) {
        let frames = frames.min(GRID_FRAMES);
        self.convolver.advance(std::array::from_fn(|c| &input[c][..frames]));
        let last = self.bands() - 1;
        for (c, (lane, delay)) in input.iter_mut().zip(&mut self.delays).enumerate() {
            delay.process(&mut lane[..frames]);
            let mut below: &[f64] = &[0.0; GRID_FRAMES];
            for (crossover, band) in bands.iter_mut().enumerate().take(last) {
                let low = self.convolver.output(crossover, c);
                for (pair, (low, below)) in band.iter_mut().zip(low.iter().zip(below)) {
                    pair[c & 1] = low - below;
                }
                below = low;
            }
            for (pair, (all, below)) in bands[last].iter_mut().zip(lane.iter().zip(below)).take(frames) {
                pair[c & 1] = f64::from(*all) - below;
            }
        }
    }

    /// Gain of each band at `frequency_hz`, the latency apart, as the kernels were before any that are on their way; 0 for
    /// bands that are not in use. Exact but for what a kernel below 37 Hz lacks. Real-time safe.
    #[must_use]
    pub fn response(&self, frequency_hz: f64) -> [Complex; MAX_BANDS] {
        let t = math::tan(math::PI * (frequency_hz / self.sample_rate_hz).clamp(0.0, 0.499_999));
        let mut bands = [Complex::ZERO; MAX_BANDS];
        let mut below = 0.0;
        for (band, warped) in bands.iter_mut().zip(self.playing.warped.iter().chain([&None])) {
            let low = warped.map_or(1.0, |g| {
                let w = t / g;
                1.0 / (1.0 + w * w * w * w)
            });
            *band = Complex { re: low - below, im: 0.0 };
            below = low;
        }
        bands
    }

    /// Frames until all bands are silent after their input has been, the latency apart: until the last partition has left
    /// the convolution. Real-time safe.
    #[must_use]
    pub fn tail_frames(&self) -> usize {
        self.convolver.shape().taps() + 2 * self.convolver.shape().partition_frames
    }

    /// Partitions of all kernels.
    fn partitions(&self) -> usize {
        MAX_CROSSOVERS * PARTITIONS
    }

    /// Writes one partition of all kernels'.
    fn write(&mut self, parting: &Parting, place: usize) {
        let (crossover, partition) = (place / PARTITIONS, place % PARTITIONS);
        let first = partition * self.taps.len();
        let half = self.half;
        match parting.warped[crossover] {
            Some(g) => low_pass_taps(g, half, first, &mut self.taps),
            None => {
                for (n, tap) in self.taps.iter_mut().enumerate() {
                    *tap = if first + n == half { 1.0 } else { 0.0 };
                }
            }
        }
        for unit in 0..self.convolver.write_units() {
            self.convolver.write_unit(unit, crossover, 0, partition, &self.taps);
        }
    }
}

impl Parting {
    fn new(frequencies_hz: &[f64; MAX_CROSSOVERS], bands: usize, sample_rate_hz: f64) -> Self {
        let bands = bands.clamp(1, MAX_BANDS);
        let mut least = 0.0;
        let mut warped = [None; MAX_CROSSOVERS];
        for (warped, hz) in warped.iter_mut().zip(frequencies_hz).take(bands - 1) {
            least = hz.min(TOP * sample_rate_hz).max(least);
            *warped = Some(math::tan(math::PI * least / sample_rate_hz));
        }
        Parting { warped, bands }
    }
}

/// Fills `taps` with those from `first` on of a low-pass at g = tan(π f / rate) of `half` taps on either side of its middle.
fn low_pass_taps(g: f64, half: usize, first: usize, taps: &mut [f64]) {
    // u = g (−1 + j)/√2
    let u = Complex { re: -g / math::SQRT_2, im: g / math::SQRT_2 };
    let over = Complex { re: 1.0 - u.re, im: -u.im }.recip();
    let pole = Complex { re: 1.0 + u.re, im: u.im } * over;
    let residue = (u * over * over).scale(-1.0);
    let (radius, angle) = (0.5 * math::ln(pole.power()), pole.phase());
    let fade_from = half - half / 4;
    let fade = |from_middle: usize| match from_middle {
        n if n <= fade_from => 1.0,
        n if n > half => 0.0,
        n => 0.5 + 0.5 * math::cos(math::PI * (n - fade_from) as f64 / (half + 1 - fade_from) as f64),
    };
    // outwards from the tap nearest to the middle, on either side: so nothing grows
    let outwards = |from_middle: usize, taps: &mut dyn Iterator<Item = &mut f64>| {
        let power = from_middle as f64 - 1.0;
        let mut z = (residue * Complex::from_angle(angle * power)).scale(math::exp(radius * power));
        for (n, tap) in taps.enumerate() {
            *tap = z.re * fade(from_middle + n);
            z = z * pole;
        }
    };
    let after = half.saturating_sub(first).min(taps.len());
    let (left, right) = taps.split_at_mut(after);
    if !left.is_empty() {
        outwards(half - (first + left.len() - 1), &mut left.iter_mut().rev());
    }
    if let Some(from_middle) = (first + after).checked_sub(half) {
        outwards(from_middle, &mut right.iter_mut());
        if from_middle == 0 && !right.is_empty() {
            let g4 = g * g * g * g;
            right[0] += g4 / (1.0 + g4);
        }
    }
}
