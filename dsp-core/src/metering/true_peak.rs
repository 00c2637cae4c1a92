//! True peak: how high the sound goes between its samples.

use crate::math;
use fearless_simd::{Level, dispatch, f32x16, prelude::*};
use fearless_simd_macros::simd;

/// Finds the peaks of one channel, between samples too, frame by frame.
///
/// The method is that of ITU-R BS.1770-5, Annex 2 (oversample, take the magnitude), made exact where the standard allows
/// error. Its attachment 1 gives the most that a peak can be missed by at `n` times the rate: −20 log10(cos(π f / (n fs))),
/// 0.14 dB at n = 8 and f = 0.45 fs. What is missed here is less than 0.002 dB up to 20 kHz, at every rate from 44.1 kHz:
///
/// - The interpolator is a sinc under a Kaiser window (Kaiser 1974), β = 8: 75 dB, 0.0016 dB. It is that accurate up to
///   0.4535 fs with 56 taps, which serve rates under 47 kHz (20 kHz at 44.1), and up to 0.4167 fs with 32 taps, which serve
///   the rest (20 kHz at 48).
/// - Rates under 88.2 kHz are interpolated 8 times, under 176.4 kHz 4 times, others twice: at least 352.8 kHz where peaks of
///   20 kHz matter, so f / (n fs) stays the same.
/// - Between the points lies the top of the sine through the highest point and its two neighbours, which is exact for a
///   sine and at worst 0.003 dB above the top of a parabola through them. With the points y₋, y, y₊, and
///   a = (y₋ + y₊)/2 − y, b = (y₊ − y₋)/2, a sine A cos(h(k − δ)) has a = y (cos h − 1) and b = A sin(hδ) sin h, hence
///   A² = y² + (b / sin h)² = y² (1 + b² / (|a| (2|y| − |a|))).
///
/// Each lane of the vectors is a frame of its own, so neither the width of the registers nor the partition into blocks
/// changes a bit. Input must be finite; what is under −300 dBFS counts as silence.
#[derive(Clone, Debug)]
pub struct TruePeak {
    interpolator: Interpolator,
    level: Level,
    /// The frames that went in; from `HISTORY` frames before `end` they are still needed.
    input: Vec<f32>,
    /// Where the next frame goes.
    end: usize,
    /// The last point of the frame before: the left neighbour of a frame's first.
    before: f32,
}

/// True peaks of several channels, held until they are taken.
#[derive(Clone, Debug)]
pub struct TruePeakMeter<const CH: usize> {
    detectors: [TruePeak; CH],
    held: [f32; CH],
}

impl TruePeak {
    /// A detector for this rate, in hertz, with the widest vectors that the machine has. May allocate.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        TruePeak::with_level(sample_rate_hz, Level::new())
    }

    /// The same on vectors of this level. The bits are those of every other level. May allocate.
    #[must_use]
    pub fn with_level(sample_rate_hz: f64, level: Level) -> Self {
        TruePeak {
            interpolator: Interpolator::new(sample_rate_hz),
            level,
            input: vec![0.0; BUFFER_FRAMES + LANES],
            end: HISTORY,
            before: 0.0,
        }
    }

    /// Frames by which peaks lag the input: half the taps, 28 under 47 kHz, 16 from there. Real-time safe.
    #[must_use]
    pub fn delay_frames(&self) -> usize {
        match self.interpolator {
            Interpolator::Eight56(_) => 28,
            Interpolator::Eight32(_) | Interpolator::Four32(_) | Interpolator::Two32(_) => 16,
        }
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.input.fill(0.0);
        self.end = HISTORY;
        self.before = 0.0;
    }

    /// For every frame of `input` the greatest magnitude from the frame that came [`delay_frames`](Self::delay_frames)
    /// before until just before its successor: a peak on frame n, or between n and n + 1, is in `peaks[n + delay]`. A peak
    /// is counted where the point nearest to it lies, so one less than half a point (1/16 frame at 8 points) before frame
    /// n + 1 is in `peaks[n + 1 + delay]`. As many frames as the shorter of the two slices. Real-time safe.
    pub fn process(&mut self, input: &[f32], peaks: &mut [f32]) {
        for (input, peaks) in input.chunks(CHUNK_FRAMES).zip(peaks.chunks_mut(CHUNK_FRAMES)) {
            let frames = input.len().min(peaks.len());
            if self.end + frames > BUFFER_FRAMES {
                self.input.copy_within(self.end - HISTORY..self.end, 0);
                self.end = HISTORY;
            }
            for (to, from) in self.input[self.end..].iter_mut().zip(&input[..frames]) {
                *to = if from.abs() < SILENCE { 0.0 } else { *from };
            }
            // the last vector may reach over the end: its lanes there are not used
            let from = &self.input[self.end - HISTORY..self.end + frames + LANES];
            self.end += frames;
            let (level, before, peaks) = (self.level, self.before, &mut peaks[..frames]);
            self.before = match &self.interpolator {
                Interpolator::Eight56(i) => dispatch!(level, simd => i.peaks(simd, from, before, peaks)),
                Interpolator::Eight32(i) => dispatch!(level, simd => i.peaks(simd, from, before, peaks)),
                Interpolator::Four32(i) => dispatch!(level, simd => i.peaks(simd, from, before, peaks)),
                Interpolator::Two32(i) => dispatch!(level, simd => i.peaks(simd, from, before, peaks)),
            };
        }
    }

    /// The greatest of the peaks that `process` would give. Real-time safe.
    #[must_use]
    pub fn process_max(&mut self, input: &[f32]) -> f32 {
        let mut peaks = [0.0; CHUNK_FRAMES];
        let mut max = 0.0f32;
        for chunk in input.chunks(CHUNK_FRAMES) {
            let peaks = &mut peaks[..chunk.len()];
            self.process(chunk, peaks);
            max = peaks.iter().fold(max, |m, p| if *p > m { *p } else { m });
        }
        max
    }
}

impl<const CH: usize> TruePeakMeter<CH> {
    /// A meter for this rate, in hertz. May allocate.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        TruePeakMeter { detectors: std::array::from_fn(|_| TruePeak::new(sample_rate_hz)), held: [0.0; CH] }
    }

    /// Forgets all audio and the held peaks. Real-time safe.
    pub fn reset(&mut self) {
        self.detectors.iter_mut().for_each(TruePeak::reset);
        self.held = [0.0; CH];
    }

    /// Takes audio in. Real-time safe.
    pub fn process(&mut self, channels: [&[f32]; CH]) {
        for ((held, detector), channel) in self.held.iter_mut().zip(&mut self.detectors).zip(channels) {
            *held = held.max(detector.process_max(channel));
        }
    }

    /// Takes in silence until the last frames of a recording have been measured too. Real-time safe.
    pub fn finish(&mut self) {
        let silence = [0.0; HISTORY];
        self.process([&silence; CH]);
    }

    /// The greatest magnitude of each channel since `take`, as a ratio to full scale: 20 log10 of it are dBTP. Real-time
    /// safe.
    #[must_use]
    pub fn held(&self) -> [f32; CH] {
        self.held
    }

    /// The same; then holds anew. Real-time safe.
    pub fn take(&mut self) -> [f32; CH] {
        std::mem::replace(&mut self.held, [0.0; CH])
    }
}

/// Frames that are worked on at once.
const CHUNK_FRAMES: usize = 64;
/// Frames kept before what is still needed moves to the front.
const BUFFER_FRAMES: usize = 1024;
/// Frames in a vector.
const LANES: usize = 16;
/// Frames that the longest interpolator looks back on.
const HISTORY: usize = 55;
/// −300 dBFS: what is quieter is none, so that no product is denormal.
const SILENCE: f32 = 1e-15;

/// Shape of the window.
const KAISER_BETA: f64 = 8.0;

/// The interpolators by rate: points a frame, taps.
#[derive(Clone, Debug)]
enum Interpolator {
    Eight56(Box<Polyphase<4, 28>>),
    Eight32(Box<Polyphase<4, 16>>),
    Four32(Box<Polyphase<2, 16>>),
    Two32(Box<Polyphase<1, 16>>),
}

impl Interpolator {
    fn new(sample_rate_hz: f64) -> Self {
        if sample_rate_hz < 47_000.0 {
            Interpolator::Eight56(Box::new(Polyphase::new()))
        } else if sample_rate_hz < 88_000.0 {
            Interpolator::Eight32(Box::new(Polyphase::new()))
        } else if sample_rate_hz < 176_000.0 {
            Interpolator::Four32(Box::new(Polyphase::new()))
        } else {
            Interpolator::Two32(Box::new(Polyphase::new()))
        }
    }
}

/// Interpolates `2 HALF` points a frame with `2 PAIRS` taps.
///
/// The kernel h is even, so the points at τ and 1 − τ have mirrored taps. Of the frames j and 1 − j (j = 1 … PAIRS; the
/// point lies between 0 and 1), with taps h(τ − j) and h(1 − τ − j), the sum is weighted by (h(τ − j) + h(1 − τ − j))/2
/// and the difference by (h(τ − j) − h(1 − τ − j))/2: that is one point; with the difference turned around it is the
/// mirrored one. So two points cost one's multiplications.
#[derive(Clone, Debug)]
struct Polyphase<const HALF: usize, const PAIRS: usize> {
    /// From the outermost pair to the innermost; by τ = 1/(2 HALF) … 1/2.
    even: [[f32; HALF]; PAIRS],
    odd: [[f32; HALF]; PAIRS],
}

impl<const HALF: usize, const PAIRS: usize> Polyphase<HALF, PAIRS> {
    fn new() -> Self {
        let mut taps = Polyphase { even: [[0.0; HALF]; PAIRS], odd: [[0.0; HALF]; PAIRS] };
        for (pair, (even, odd)) in taps.even.iter_mut().zip(&mut taps.odd).enumerate() {
            let j = (PAIRS - pair) as f64;
            for (point, (even, odd)) in even.iter_mut().zip(odd).enumerate() {
                let tau = (point + 1) as f64 / (2 * HALF) as f64;
                let near = kernel(tau - j, PAIRS as f64);
                let far = kernel(1.0 - tau - j, PAIRS as f64);
                *even = ((near + far) / 2.0) as f32;
                *odd = ((near - far) / 2.0) as f32;
            }
        }
        taps
    }

    /// The peaks of the frames whose last taps are the last of `input`, [`LANES`] more being there to be read. `before` is
    /// the last point of the frame before; the last point of the last frame is returned.
    #[simd]
    fn peaks<S: Simd>(&self, simd: S, input: &[f32], before: f32, peaks: &mut [f32]) -> f32 {
        // a shorter interpolator begins its taps later in the history
        let input = &input[HISTORY + 1 - 2 * PAIRS..];
        let frames = peaks.len();
        let mut last = f32x16::splat(simd, before);
        for (group, peaks) in peaks.chunks_mut(LANES).enumerate() {
            let start = group * LANES;
            let window = &input[start..start + 2 * PAIRS - 1 + LANES];
            let tops;
            (tops, last) = self.group(last, window);
            if peaks.len() == LANES {
                tops.store_slice(peaks);
            } else {
                peaks.copy_from_slice(&tops.as_slice()[..peaks.len()]);
            }
        }
        last.as_slice()[(frames + LANES - 1) % LANES]
    }

    /// The peaks of sixteen frames, one in each lane, and their last points.
    #[simd]
    fn group<S: Simd>(&self, last: f32x16<S>, window: &[f32]) -> (f32x16<S>, f32x16<S>) {
        let simd = last.token();
        let zero = f32x16::splat(simd, 0.0);
        // one after the other: sixteen registers hold either
        let (mut sum, mut difference) = ([zero; HALF], [zero; HALF]);
        let pairs = || window.windows(LANES).zip(window.windows(LANES).rev());
        for ((older, newer), even) in pairs().zip(&self.even) {
            let s = f32x16::from_slice(simd, newer) + f32x16::from_slice(simd, older);
            for point in 0..HALF {
                sum[point] += s * even[point];
            }
        }
        for ((older, newer), odd) in pairs().zip(&self.odd) {
            let d = f32x16::from_slice(simd, newer) - f32x16::from_slice(simd, older);
            for point in 0..HALF - 1 {
                difference[point] += d * odd[point];
            }
        }
        let here = f32x16::from_slice(simd, &window[PAIRS - 1..PAIRS - 1 + LANES]);
        let next = f32x16::from_slice(simd, &window[PAIRS..PAIRS + LANES]);
        // the points before the half in order, then the half, then the mirrored ones backwards
        let point = |p: usize| {
            if p == 0 {
                here
            } else if p < HALF {
                sum[p - 1] + difference[p - 1]
            } else if p == HALF {
                sum[HALF - 1]
            } else if p < 2 * HALF {
                sum[2 * HALF - 1 - p] - difference[2 * HALF - 1 - p]
            } else {
                next
            }
        };
        let end = point(2 * HALF - 1);
        // the highest point of each frame with its neighbours, by rounds; of equals the earlier wins
        let mut tops = [(here.abs(), last.slide::<{ LANES - 1 }>(end), here, point(1)); 8];
        for (p, top) in tops.iter_mut().enumerate().take(2 * HALF).skip(1) {
            *top = (point(p).abs(), point(p - 1), point(p), point(p + 1));
        }
        let mut count = 2 * HALF;
        while count > 1 {
            count /= 2;
            for p in 0..count {
                let (a, b) = (tops[2 * p], tops[2 * p + 1]);
                let higher = b.0.simd_gt(a.0);
                tops[p] = (
                    higher.select(b.0, a.0),
                    higher.select(b.1, a.1),
                    higher.select(b.2, a.2),
                    higher.select(b.3, a.3),
                );
            }
        }
        let (magnitude, left, centre, right) = tops[0];
        let a = ((left + right) * 0.5 - centre).abs();
        // at a frame's end a neighbour may be higher; the top is then the next frame's, and this one's is on the border
        let b = ((right - left) * 0.5).abs().min(a);
        // under a band limit 2|y| − |a| is over |y|; the tiny number keeps 0/0 out
        let below = a * (magnitude * 2.0 - a).max(magnitude) + 1e-36;
        let ratio = (b * b / below + 1.0).sqrt();
        (magnitude * ratio, end)
    }
}

/// The interpolating kernel at `t` frames from its centre; zero at the other frames and beyond `reach` of them.
fn kernel(t: f64, reach: f64) -> f64 {
    let inside = 1.0 - (t / reach) * (t / reach);
    if inside <= 0.0 {
        return 0.0;
    }
    let sinc = if t == 0.0 { 1.0 } else { math::sin(math::PI * t) / (math::PI * t) };
    sinc * bessel_i0(KAISER_BETA * inside.sqrt()) / bessel_i0(KAISER_BETA)
}

/// The modified Bessel function of the first kind and order zero, by its series Σ (x/2)^2k / k!².
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
