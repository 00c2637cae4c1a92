//! The recent past of a stream, read at any whole delay, a span at a time.

/// Keeps the last frames of a stream so that a span can be read as one slice.
///
/// Frames are appended to a buffer that is longer than the past it must keep, and moved to its front when it is full:
/// one move of the past every [`ROOM_FRAMES`].
#[derive(Clone, Debug)]
pub(super) struct History<T> {
    buffer: Vec<T>,
    reach: usize,
    /// Where the next frame goes.
    end: usize,
}

/// The longest span.
pub(super) const SPAN_FRAMES: usize = crate::control_grid::GRID_FRAMES;
/// Frames appended between two moves.
const ROOM_FRAMES: usize = 16 * SPAN_FRAMES;

impl<T: Copy> History<T> {
    /// A past of `value` that can be read `reach` frames back. May allocate.
    pub(super) fn new(reach: usize, value: T) -> Self {
        History { buffer: vec![value; reach + ROOM_FRAMES], reach, end: reach }
    }

    /// Forgets: the past is `value`. Real-time safe.
    pub(super) fn reset(&mut self, value: T) {
        self.buffer.fill(value);
        self.end = self.reach;
    }

    /// Room for the next `frames` frames, at most [`SPAN_FRAMES`], which must all be written. Real-time safe.
    #[inline(always)]
    pub(super) fn push(&mut self, frames: usize) -> &mut [T] {
        if self.end + frames > self.buffer.len() {
            self.buffer.copy_within(self.end - self.reach..self.end, 0);
            self.end = self.reach;
        }
        let start = self.end;
        self.end += frames;
        &mut self.buffer[start..self.end]
    }

    /// The `frames` frames that were pushed last, as they were `delay` frames before; `delay` is at most the reach.
    /// Real-time safe.
    #[inline(always)]
    pub(super) fn delayed(&self, delay: usize, frames: usize) -> &[T] {
        let end = self.end - delay;
        &self.buffer[end - frames..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_back_delayed() {
        let mut history = History::new(77, -1.0);
        let mut at = 0usize;
        for frames in (0..500).map(|n| 1 + n * 7 % SPAN_FRAMES) {
            for (place, n) in history.push(frames).iter_mut().zip(at..) {
                *place = n as f32;
            }
            at += frames;
            for delay in [0, 1, 40, 77] {
                for (value, n) in history.delayed(delay, frames).iter().zip(at - frames..) {
                    assert_eq!(*value, if n < delay { -1.0 } else { (n - delay) as f32 });
                }
            }
        }
    }
}
