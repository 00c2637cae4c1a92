//! When coefficients change: on a fixed grid that counts from the start of the stream, never at a block's border.

/// Frames from one grid point to the next. At 48 kHz a point every 0.67 ms.
pub const GRID_FRAMES: usize = 32;

/// Counts frames since the last grid point, across blocks. Two stages that started together stay together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlGrid {
    phase: usize,
}

/// A run of frames in which no coefficient may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First frame, counted within the block.
    pub start: usize,
    /// Frames in the run, 1 to [`GRID_FRAMES`].
    pub len: usize,
    /// The first frame lies on the grid: coefficients change now.
    pub on_grid: bool,
}

impl ControlGrid {
    /// Back to the start of the stream. Real-time safe.
    pub fn reset(&mut self) {
        self.phase = 0;
    }

    /// Passes over `frames` in which nothing happens. Real-time safe.
    pub fn skip(&mut self, frames: usize) {
        self.phase = (self.phase + frames) % GRID_FRAMES;
    }

    /// The next run of frames at `start` in a block of `frames` frames; `None` at its end. Real-time safe.
    pub fn next(&mut self, start: usize, frames: usize) -> Option<Span> {
        if start >= frames {
            return None;
        }
        let len = (GRID_FRAMES - self.phase).min(frames - start);
        let on_grid = self.phase == 0;
        self.phase = (self.phase + len) % GRID_FRAMES;
        Some(Span { start, len, on_grid })
    }
}

/// Copies the samples of a span, as many as both have. A whole span, which most are, takes a few vectors rather than a call.
#[inline(always)]
pub(crate) fn copy_span(to: &mut [f32], from: &[f32]) {
    match (to.first_chunk_mut::<GRID_FRAMES>(), from.first_chunk::<GRID_FRAMES>()) {
        (Some(to), Some(from)) => *to = *from,
        _ => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grid points lie at the multiples of `GRID_FRAMES` however the stream is cut.
    #[test]
    fn grid_survives_block_borders() {
        for blocks in [&[1usize; 200][..], &[7; 40], &[64, 64, 1, 511, 3], &[33, 31, 32, 96]] {
            let (mut grid, mut at) = (ControlGrid::default(), 0);
            for &frames in blocks {
                let mut start = 0;
                while let Some(span) = grid.next(start, frames) {
                    assert_eq!(span.on_grid, (at + span.start).is_multiple_of(GRID_FRAMES));
                    assert!(span.len >= 1 && span.len <= GRID_FRAMES);
                    start = span.start + span.len;
                }
                assert_eq!(start, frames);
                at += frames;
            }
        }
    }
}
