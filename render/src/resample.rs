//! Sample-rate conversion of a stream: offline, in double precision, by the Fourier transform.

use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

/// Converts a stream from one rate to another. What comes out begins where what went in begins, and is as long, to the
/// frame.
///
/// The filter is a sinc under a squared Blackman-Harris window as long as a chunk, linear in phase. The longer the chunk,
/// the steeper: at [`CHUNK_FRAMES`] the pass band ends 0.3 kHz under half the lower rate, and all beyond half of it is gone.
pub struct Converter {
    from_hz: u64,
    to_hz: u64,
    /// `None` where both rates are the same.
    fft: Option<Fft<f64>>,
    input: Vec<Vec<f64>>,
    output: Vec<Vec<f64>>,
    /// Frames still to be dropped from the front: the filter's delay.
    delay_left: usize,
    frames_in: u64,
    frames_out: u64,
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The least frames of a chunk, on the side of the lower rate.
pub const CHUNK_FRAMES: usize = 8192;

impl Converter {
    /// A converter between two rates, in hertz, that are not 0.
    #[must_use]
    pub fn new(from_hz: u32, to_hz: u32, channels: usize) -> Self {
        let (from, to) = (from_hz.max(1) as usize, to_hz.max(1) as usize);
        // both sides in whole samples, of an even number so that half of it, the delay, is whole, and with small factors
        let least = from / gcd(from, to);
        let chunk = least * (CHUNK_FRAMES * from.div_ceil(to.min(from))).div_ceil(least).next_multiple_of(8);
        let window = WindowFunction::BlackmanHarris2;
        let fft =
            (from != to).then(|| Fft::new_custom(from, to, chunk, 1, channels, window, FixedSync::Both).ok()).flatten();
        debug_assert!(from == to || fft.is_some(), "{from} to {to} Hz");
        let delay_left = fft.as_ref().map_or(0, Resampler::output_delay);
        let output_frames = fft.as_ref().map_or(0, Resampler::output_frames_max);
        Converter {
            from_hz: from as u64,
            to_hz: to as u64,
            fft,
            input: vec![vec![]; channels],
            output: vec![vec![0.0; output_frames]; channels],
            delay_left,
            frames_in: 0,
            frames_out: 0,
        }
    }

    /// Frames at the new rate of as many at the old one, rounded to the nearest.
    #[must_use]
    pub fn converted_frames(from_hz: u32, to_hz: u32, frames: u64) -> u64 {
        let (from, to) = (u128::from(from_hz.max(1)), u128::from(to_hz));
        ((u128::from(frames) * to + from / 2) / from) as u64
    }

    /// Takes in frames, and appends what is ready to `into`, one vector a channel.
    pub fn process(&mut self, channels: &[Vec<f64>], into: &mut [Vec<f64>]) {
        self.frames_in += channels.first().map_or(0, Vec::len) as u64;
        if self.fft.is_none() {
            for (to, from) in into.iter_mut().zip(channels) {
                to.extend_from_slice(from);
            }
            return;
        }
        for (to, from) in self.input.iter_mut().zip(channels) {
            to.extend_from_slice(from);
        }
        self.run(u64::MAX, into);
    }

    /// Appends the rest.
    pub fn finish(&mut self, into: &mut [Vec<f64>]) {
        let Some(chunk) = self.fft.as_ref().map(Resampler::input_frames_next) else { return };
        let (from, to) = (u128::from(self.from_hz), u128::from(self.to_hz));
        let whole = ((u128::from(self.frames_in) * to + from / 2) / from) as u64;
        while self.frames_out < whole {
            self.input.iter_mut().for_each(|c| c.resize(c.len().max(1).next_multiple_of(chunk), 0.0));
            self.run(whole, into);
        }
    }

    /// Converts all whole chunks; no more than `most` frames leave in all.
    fn run(&mut self, most: u64, into: &mut [Vec<f64>]) {
        let Some(fft) = &mut self.fft else { return };
        let channels = self.input.len();
        let mut taken = 0;
        loop {
            let frames = self.input.first().map_or(0, Vec::len) - taken;
            let chunk = fft.input_frames_next();
            if frames < chunk {
                break;
            }
            if taken > 0 {
                self.input.iter_mut().for_each(|c| drop(c.drain(..taken)));
                taken = 0;
            }
            let room = self.output.first().map_or(0, Vec::len);
            let input = SequentialSliceOfVecs::new(&self.input, channels, chunk);
            let output = SequentialSliceOfVecs::new_mut(&mut self.output, channels, room);
            let (Ok(input), Ok(mut output)) = (input, output) else { break };
            let Ok((consumed, made)) = fft.process_into_buffer(&input, &mut output, None) else { break };
            taken = consumed;
            let dropped = self.delay_left.min(made);
            self.delay_left -= dropped;
            let kept = ((made - dropped) as u64).min(most.saturating_sub(self.frames_out)) as usize;
            for (to, from) in into.iter_mut().zip(&self.output) {
                to.extend_from_slice(&from[dropped..dropped + kept]);
            }
            self.frames_out += kept as u64;
        }
        self.input.iter_mut().for_each(|c| drop(c.drain(..taken)));
    }
}
