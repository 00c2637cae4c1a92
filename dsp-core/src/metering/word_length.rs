//! How many bits a signal uses.

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
    now: Bits,
    measured: Bits,
    hops: [Bits; WINDOW_HOPS],
    next: usize,
}

/// Which bits of the 24 were set in any sample, and whether any lay below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bits {
    set: i32,
    below: bool,
}

impl WordLengthDetector {
    /// Nothing seen yet. Real-time safe.
    #[must_use]
    pub fn new() -> Self {
        WordLengthDetector {
            now: Bits::default(),
            measured: Bits::default(),
            hops: [Bits::default(); WINDOW_HOPS],
            next: 0,
        }
    }

    /// Forgets all. Real-time safe.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Forgets the measurement, not the last three seconds. Real-time safe.
    pub fn restart(&mut self) {
        self.measured = Bits::default();
    }

    /// Takes in audio of one channel. Real-time safe.
    pub fn process(&mut self, samples: &[f32]) {
        let scale = (1u32 << (DEEPEST - 1)) as f32;
        // side by side, so that the compiler's vectors have work
        let (mut set, mut below) = ([0i32; 8], [0i32; 8]);
        let chunks = samples.chunks_exact(8);
        let mut rest = [0.0; 8];
        rest.iter_mut().zip(chunks.remainder()).for_each(|(to, from)| *to = *from);
        for chunk in chunks.chain([&rest[..]]) {
            for ((set, below), sample) in set.iter_mut().zip(&mut below).zip(chunk) {
                let scaled = sample * scale;
                // saturates beyond ±256 times full scale, which then counts as floating point
                let steps = scaled as i32;
                *set |= steps;
                *below |= i32::from(steps as f32 != scaled);
            }
        }
        self.now.set |= set.iter().fold(0, |all, s| all | s);
        self.now.below |= below.iter().any(|b| *b != 0);
    }

    /// Ends a hop; it counts as measured if `measured`. Real-time safe.
    pub fn end_hop(&mut self, measured: bool) {
        let bits = std::mem::take(&mut self.now);
        if measured {
            self.measured = self.measured.with(bits);
        }
        if let Some(hop) = self.hops.get_mut(self.next) {
            *hop = bits;
        }
        self.next = (self.next + 1) % WINDOW_HOPS;
    }

    /// Over the last three seconds; `None` of silence. Real-time safe.
    #[must_use]
    pub fn recent(&self) -> Option<WordLength> {
        self.hops.iter().fold(self.now, |all, hop| all.with(*hop)).word_length()
    }

    /// Over the measurement; `None` of silence. Real-time safe.
    #[must_use]
    pub fn measured(&self) -> Option<WordLength> {
        self.measured.word_length()
    }
}

impl Default for WordLengthDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl Bits {
    fn with(self, other: Bits) -> Bits {
        Bits { set: self.set | other.set, below: self.below | other.below }
    }

    fn word_length(self) -> Option<WordLength> {
        match self {
            Bits { below: true, .. } => Some(WordLength::Float),
            Bits { set: 0, .. } => None,
            // at full scale and above the lowest bit may be the sign's: one bit says that something is there
            Bits { set, .. } => Some(WordLength::Bits(DEEPEST.saturating_sub(set.trailing_zeros()).max(1) as u8)),
        }
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
}
