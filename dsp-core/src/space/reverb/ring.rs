//! A ring of samples from which whole spans are read at any delay.

use crate::control_grid::GRID_FRAMES;
use crate::dynamics::envelope::Lane;

/// Frames that a read may take beyond its first, and how many are kept a second time behind the ring's end, so that no
/// read has to be cut there.
pub(super) const READ_FRAMES: usize = 2 * GRID_FRAMES;

/// One channel's past. Its length is a whole number of spans of the control grid and it starts on the grid, so that a
/// span never meets its end.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    samples: Vec<f32>,
    frames: usize,
    at: usize,
}

impl Ring {
    /// Silent, for delays of up to `longest_frames`. May allocate.
    pub fn new(longest_frames: usize) -> Self {
        let frames = (longest_frames + 2 * GRID_FRAMES).next_multiple_of(GRID_FRAMES).max(READ_FRAMES);
        Ring { samples: vec![0.0; frames + READ_FRAMES], frames, at: 0 }
    }

    /// Forgets all audio; the next frame lies on the grid.
    pub fn forget(&mut self) {
        self.samples.fill(0.0);
        self.at = 0;
    }

    /// The longest delay that can be read.
    pub fn longest_frames(&self) -> usize {
        self.frames - 2 * GRID_FRAMES
    }

    /// Writes the first `len` frames of a span, in front of [`Ring::advance`].
    #[inline(always)]
    pub fn write(&mut self, span: &Lane, len: usize) {
        self.write_at(self.at, span, len);
        if self.at < READ_FRAMES {
            self.write_at(self.frames + self.at, span, len);
        }
    }

    #[inline(always)]
    fn write_at(&mut self, at: usize, span: &Lane, len: usize) {
        match self.samples.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            // a whole span, as most are, is copied without a loop
            Some(frames) if len == GRID_FRAMES => *frames = *span,
            _ => self.samples[at..at + len].copy_from_slice(&span[..len]),
        }
    }

    /// `N` frames, at most [`READ_FRAMES`], from `delay` frames before the span's first on. What lies at and beyond the
    /// newest frame written is old.
    #[inline(always)]
    pub fn read<const N: usize>(&self, delay: usize) -> &[f32; N] {
        const { assert!(N <= READ_FRAMES) };
        let ahead = self.at + self.frames - delay.min(self.frames);
        let from = if ahead >= self.frames { ahead - self.frames } else { ahead };
        match self.samples.get(from..).and_then(|rest| rest.first_chunk()) {
            Some(frames) => frames,
            None => &[0.0; N],
        }
    }

    /// Moves on by the span's length.
    #[inline(always)]
    pub fn advance(&mut self, len: usize) {
        self.at += len;
        if self.at >= self.frames {
            self.at = 0;
        }
    }
}
