//! How many bits a signal uses.

use fearless_simd::{Level, Simd, dispatch, f32x8, i32x8, prelude::*};
use fearless_simd_macros::simd;

/// Hops over which the bits in use are told: three seconds.
const WINDOW_HOPS: usize = 300;
/// Bits of the finest step that is looked at: steps of 2⁻²³ of full scale.
const DEEPEST: u32 = 24;

/// The word length of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordLength {
    /// Every sample is a multiple of 2^(1 − bits) of full scale: what a file of this word length holds, 1 to 24.
    Bits(u8),
    /// Some sample lies between the steps of 24 bits: floating point.
    Float,
}

/// Finds the coarsest steps of full scale that all samples of one or more channels lie on.
///
/// Exact: a sample of binary32 times 2²³ is rounded nowhere, and all its bits are looked at.
#[derive(Clone, Debug)]
pub struct WordLengthDetector {
    level: Level,
    now: Bits,
    measured: Bits,
    hops: [Bits; WINDOW_HOPS],
    next: usize,
}

/// Bit n is set if that bit of the 24, counted from the finest, was set in any sample; [`BELOW`] if a sample lay between
/// the steps. What is above full scale counts as the bit of full scale.
type Bits = u32;

const BELOW: Bits = 1 << DEEPEST;

impl WordLengthDetector {
    /// Nothing seen yet. Real-time safe.
    #[must_use]
    pub fn new() -> Self {
        WordLengthDetector { level: Level::new(), now: 0, measured: 0, hops: [0; WINDOW_HOPS], next: 0 }
    }

    /// Forgets all. Real-time safe.
    pub fn reset(&mut self) {
        (self.now, self.measured, self.hops, self.next) = (0, 0, [0; WINDOW_HOPS], 0);
    }

    /// Forgets the measurement, not the last three seconds. Real-time safe.
    pub fn restart(&mut self) {
        self.measured = 0;
    }

    /// Takes in audio of one channel. Real-time safe.
    pub fn process(&mut self, samples: &[f32]) {
        // nothing more can be learnt in this hop
        if self.now & BELOW == 0 {
            self.now |= dispatch!(self.level, simd => bits(simd, samples));
        }
    }

    /// Ends a hop; it counts as measured if `measured`. Real-time safe.
    pub fn end_hop(&mut self, measured: bool) {
        let bits = std::mem::take(&mut self.now);
        if measured {
            self.measured |= bits;
        }
        if let Some(hop) = self.hops.get_mut(self.next) {
            *hop = bits;
        }
        self.next = (self.next + 1) % WINDOW_HOPS;
    }

    /// Over the last three seconds; `None` of silence. Real-time safe.
    #[must_use]
    pub fn recent(&self) -> Option<WordLength> {
        word_length(self.hops.iter().fold(self.now, |all, hop| all | hop))
    }

    /// Over the measurement; `None` of silence. Real-time safe.
    #[must_use]
    pub fn measured(&self) -> Option<WordLength> {
        word_length(self.measured)
    }
}

fn word_length(bits: Bits) -> Option<WordLength> {
    match bits {
        0 => None,
        _ if bits & BELOW != 0 => Some(WordLength::Float),
        _ => Some(WordLength::Bits(DEEPEST.saturating_sub(bits.trailing_zeros()) as u8)),
    }
}

#[simd]
fn bits<S: Simd>(simd: S, samples: &[f32]) -> Bits {
    let scale = f32x8::splat(simd, (1u32 << (DEEPEST - 1)) as f32);
    // conversion is exact within, and what is cut off differs from what it was
    let (low, high) = (f32x8::splat(simd, -(2.0f32 * (1 << 29) as f32)), f32x8::splat(simd, 2.0f32 * (1 << 29) as f32));
    let (zero, one) = (i32x8::splat(simd, 0), i32x8::splat(simd, 1));
    let (mut set, mut below) = (zero, zero);
    let chunks = samples.chunks_exact(8);
    let mut rest = [0.0; 8];
    rest.iter_mut().zip(chunks.remainder()).for_each(|(to, from)| *to = *from);
    for chunk in chunks.chain([&rest[..]]) {
        let scaled = f32x8::from_slice(simd, chunk) * scale;
        let steps: i32x8<S> = scaled.max(low).min(high).to_int();
        let exact: f32x8<S> = steps.to_float();
        set |= steps;
        below |= exact.simd_eq(scaled).select(zero, one);
    }
    let any = |lanes: i32x8<S>| lanes.as_slice().iter().fold(0, |all, lane| all | lane);
    let set = any(set);
    let within = set.cast_unsigned() & (BELOW - 1);
    // at twice full scale and above no bit of the 24 may be set, and yet something is there
    let set = if set != 0 && within == 0 { BELOW >> 1 } else { within };
    if any(below) == 0 { set } else { set | BELOW }
}

impl Default for WordLengthDetector {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of n bits are 2^(1 − n): from the definition of a two's complement word.
    #[test]
    fn finds_the_step() {
        for bits in 2..=24u8 {
            let step = 2.0f32 / (1u64 << bits) as f32;
            let mut detector = WordLengthDetector::new();
            // one odd multiple among even ones is enough, wherever it is
            for n in [0.0, -4.0 * step, 2.0 * step, -1.0] {
                detector.process(&[n; 13]);
            }
            detector.end_hop(true);
            assert_ne!(detector.measured(), Some(WordLength::Bits(bits)));
            detector.process(&[0.0, 0.0, -3.0 * step, 0.0, 2.0 * step]);
            detector.end_hop(true);
            assert_eq!(detector.recent(), Some(WordLength::Bits(bits)));
            assert_eq!(detector.measured(), Some(WordLength::Bits(bits)));
        }
    }

    #[test]
    fn what_has_no_word_length_is_float() {
        for sample in [0.1, 1.0 / (1u32 << 24) as f32, 1e-30, 300.3, 1e9] {
            let mut detector = WordLengthDetector::new();
            detector.process(&[0.5, sample]);
            assert_eq!(detector.recent(), Some(WordLength::Float), "{sample}");
        }
    }

    /// Silence has none; the window forgets after three seconds and the measurement does not.
    #[test]
    fn window_and_measurement() {
        let mut detector = WordLengthDetector::new();
        assert_eq!((detector.recent(), detector.measured()), (None, None));
        detector.process(&[0.1]);
        detector.end_hop(true);
        for _ in 0..300 {
            assert_eq!(detector.recent(), Some(WordLength::Float));
            detector.process(&[0.25]);
            detector.end_hop(true);
        }
        assert_eq!(detector.recent(), Some(WordLength::Bits(3)));
        assert_eq!(detector.measured(), Some(WordLength::Float));
        detector.restart();
        detector.process(&[0.1]);
        detector.end_hop(false);
        assert_eq!(detector.measured(), None);
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        for scale in [1.0, 1.0 / 64.0, 1e-8, 512.0] {
            let steps: Vec<f32> = (0..333).map(|n| (n * 37 % 256 - 128) as f32 / 128.0 * scale).collect();
            let [one, other] = [Level::baseline(), Level::new()].map(|l| dispatch!(l, simd => bits(simd, &steps)));
            assert_eq!(one, other, "{scale}");
        }
    }
}
