//! The memory of a loop.

/// The last samples of one channel.
#[derive(Clone, Debug)]
pub(super) struct Line {
    ring: Vec<f32>,
    /// Where the next sample goes.
    at: usize,
    /// Samples written since it was forgotten: what is older is silent, so that forgetting costs nothing.
    filled: usize,
}

impl Line {
    /// Remembers `frames`, silent. May allocate.
    pub fn new(frames: usize) -> Self {
        // every page is written once here, not on the audio thread; what is written is never read
        Line { ring: vec![f32::MAX; frames], at: 0, filled: 0 }
    }

    /// Forgets all audio.
    pub fn forget(&mut self) {
        (self.at, self.filled) = (0, 0);
    }

    /// Fills `samples` with what was written `age` frames ago and on: the newest sample is of age 1.
    #[inline(always)]
    pub fn read(&self, age: usize, samples: &mut [f32]) {
        let frames = self.ring.len();
        let age = age.min(frames);
        let start = if self.at >= age { self.at - age } else { self.at + frames - age };
        let first = samples.len().min(frames - start);
        let (before, behind) = samples.split_at_mut(first);
        before.copy_from_slice(&self.ring[start..start + first]);
        let rest = behind.len().min(start);
        behind[..rest].copy_from_slice(&self.ring[..rest]);
        if age > self.filled {
            let silent = samples.len().min(age - self.filled);
            samples[..silent].fill(0.0);
        }
    }

    /// Takes `samples` in.
    #[inline(always)]
    pub fn write(&mut self, samples: &[f32]) {
        let frames = self.ring.len();
        let (first, rest) = samples.split_at(samples.len().min(frames - self.at));
        self.ring[self.at..self.at + first.len()].copy_from_slice(first);
        let rest = &rest[..rest.len().min(frames)];
        self.ring[..rest.len()].copy_from_slice(rest);
        self.at = if rest.is_empty() && self.at + first.len() < frames { self.at + first.len() } else { rest.len() };
        self.filled = (self.filled + samples.len()).min(frames);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted samples, in pieces of odd lengths over several turns: each age gives the count that long ago, zero before
    /// the beginning.
    #[test]
    fn every_age_is_found() {
        let mut line = Line::new(100);
        let mut written = 0usize;
        for len in [1, 7, 32, 31, 5, 32, 32, 32, 18, 32, 29].into_iter().cycle().take(60) {
            let samples: Vec<f32> = (0..len).map(|n| (written + n + 1) as f32).collect();
            line.write(&samples);
            written += len;
            for age in 1..=100 {
                let mut read = vec![-1.0; age.min(50)];
                line.read(age, &mut read);
                for (n, sample) in read.iter().enumerate() {
                    let expected = (written + n + 1).saturating_sub(age);
                    assert_eq!(*sample, expected as f32, "age {age} of {written}");
                }
            }
        }
        line.forget();
        let mut read = [1.0; 32];
        line.read(64, &mut read);
        assert_eq!(read, [0.0; 32]);
    }
}
