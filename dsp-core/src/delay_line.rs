//! Whole frames of delay: for dry paths beside a stage that has latency.

/// Delays one channel by a fixed number of frames.
#[derive(Clone, Debug, Default)]
pub struct DelayLine {
    ring: Vec<f32>,
    at: usize,
}

impl DelayLine {
    /// A line of `frames`, silent. May allocate.
    #[must_use]
    pub fn new(frames: usize) -> Self {
        DelayLine { ring: vec![0.0; frames], at: 0 }
    }

    /// Frames of delay. Real-time safe.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.ring.len()
    }

    /// Forgets all audio. Real-time safe.
    pub fn reset(&mut self) {
        self.ring.fill(0.0);
        self.at = 0;
    }

    /// Puts `sample` in and takes out the one that went in `frames` ago. Real-time safe.
    pub fn push(&mut self, sample: f32) -> f32 {
        let frames = self.ring.len();
        let Some(place) = self.ring.get_mut(self.at) else { return sample };
        self.at = if self.at + 1 == frames { 0 } else { self.at + 1 };
        std::mem::replace(place, sample)
    }

    /// Delays `samples` in place. Real-time safe.
    pub fn process(&mut self, samples: &mut [f32]) {
        let mut rest = samples;
        while !self.ring.is_empty() && !rest.is_empty() {
            // up to the ring's end at a time: what goes in there takes the place of what comes out
            let (now, later) = rest.split_at_mut(rest.len().min(self.ring.len() - self.at));
            self.ring[self.at..self.at + now.len()].swap_with_slice(now);
            self.at = (self.at + now.len()) % self.ring.len();
            rest = later;
        }
    }
}
