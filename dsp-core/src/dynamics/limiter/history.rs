//! The recent past of a stream, read at any whole delay, a span at a time.

/// Keeps the last frames of a stream so that a span can be read as one slice.
///
/// Frames are appended to a buffer that is longer than the past it must keep, and moved to its front when it is full:
/// one move of the past every [`ROOM_FRAMES`]. Spans are whole arrays, however many of their frames count: loops over them
/// have no ends to look after.
#[derive(Clone, Debug)]
pub(super) struct History<T> {
    buffer: Vec<T>,
    reach: usize,
    /// Where the next frame goes.
    end: usize,
}

/// The longest span.
pub(super) const SPAN_FRAMES: usize = crate::control_grid::GRID_FRAMES;
/// A span of one channel.
pub(super) type Frames = [f32; SPAN_FRAMES];
/// Frames appended between two moves.
const ROOM_FRAMES: usize = 16 * SPAN_FRAMES;

impl<T: Copy> History<T> {
    /// A past of `value` that can be read `reach` frames back. May allocate.
    pub(super) fn new(reach: usize, value: T) -> Self {
        History { buffer: vec![value; reach + ROOM_FRAMES + SPAN_FRAMES], reach, end: reach }
    }

    /// Forgets: the past is `value`. Real-time safe.
    pub(super) fn reset(&mut self, value: T) {
        self.buffer.fill(value);
        self.end = self.reach;
    }

    /// Appends the first `frames` of `span`. Real-time safe.
    #[inline(always)]
    pub(super) fn push(&mut self, span: &[T; SPAN_FRAMES], frames: usize) {
        if self.end > self.reach + ROOM_FRAMES {
            self.buffer.copy_within(self.end - self.reach..self.end, 0);
            self.end = self.reach;
        }
        // what is beyond `frames` is overwritten by the next span
        self.buffer[self.end..self.end + SPAN_FRAMES].copy_from_slice(span);
        self.end += frames;
    }

    /// The `frames` frames that were pushed last, as they were `delay` frames before; `delay` is at most the reach. What
    /// follows them in the span means nothing. Real-time safe.
    #[inline(always)]
    pub(super) fn delayed(&self, delay: usize, frames: usize) -> [T; SPAN_FRAMES] {
        let start = self.end - frames - delay;
        let span = &self.buffer[start..start + SPAN_FRAMES];
        std::array::from_fn(|n| span[n])
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
            history.push(&std::array::from_fn(|n| (at + n) as f32), frames);
            at += frames;
            for delay in [0, 1, 40, 77] {
                for (value, n) in history.delayed(delay, frames)[..frames].iter().zip(at - frames..) {
                    assert_eq!(*value, if n < delay { -1.0 } else { (n - delay) as f32 });
                }
            }
        }
    }
}
