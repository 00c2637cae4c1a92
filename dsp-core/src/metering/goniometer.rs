//! The last moments of left against right, for a picture.

/// Points in a snapshot.
pub const GONIOMETER_POINTS: usize = 1024;

/// Left and right at one frame.
pub type GoniometerPoint = [f32; 2];

/// Keeps the last [`GONIOMETER_POINTS`] frames; from 96 kHz on every second, fourth, eighth or sixteenth, so that a
/// snapshot always spans 14 to 28 ms from 36 kHz up.
///
/// Points are left and right as they are. Turned by 45° they are the usual picture: (R − L)/√2 across, (L + R)/√2 up.
#[derive(Clone, Debug)]
pub struct Goniometer {
    left: [f32; GONIOMETER_POINTS],
    right: [f32; GONIOMETER_POINTS],
    next: usize,
    len: usize,
    /// A point every so many frames, and frames to the next one.
    every: usize,
    wait: usize,
}

impl Goniometer {
    /// At this rate, in hertz. Real-time safe.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        let every = [16, 8, 4, 2].into_iter().find(|n| sample_rate_hz > 40_000.0 * f64::from(*n)).unwrap_or(1);
        Goniometer {
            left: [0.0; GONIOMETER_POINTS],
            right: [0.0; GONIOMETER_POINTS],
            next: 0,
            len: 0,
            every: every as usize,
            wait: 0,
        }
    }

    /// Forgets all points. Real-time safe.
    pub fn reset(&mut self) {
        (self.next, self.len, self.wait) = (0, 0, 0);
    }

    /// Takes in audio. Real-time safe.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        let frames = left.len().min(right.len());
        let points = frames.saturating_sub(self.wait).div_ceil(self.every);
        // what would be overwritten within this call is left out
        let skipped = points.saturating_sub(GONIOMETER_POINTS);
        let first = self.wait + skipped * self.every;
        let start = (self.next + skipped) % GONIOMETER_POINTS;
        for (ring, samples) in [(&mut self.left, &left[..frames]), (&mut self.right, &right[..frames])] {
            let samples = samples.get(first..).unwrap_or_default();
            let (older, newer) = ring.split_at_mut(start);
            if self.every == 1 {
                let (tail, head) = samples.split_at(samples.len().min(newer.len()));
                newer[..tail.len()].copy_from_slice(tail);
                older[..head.len()].copy_from_slice(head);
            } else {
                let places = newer.iter_mut().chain(older);
                places.zip(samples.iter().step_by(self.every)).for_each(|(place, sample)| *place = *sample);
            }
        }
        self.next = (self.next + points) % GONIOMETER_POINTS;
        self.len = (self.len + points).min(GONIOMETER_POINTS);
        self.wait = self.wait + points * self.every - frames;
    }

    /// The points, oldest first. Real-time safe.
    pub fn points(&self) -> impl ExactSizeIterator<Item = GoniometerPoint> + '_ {
        let start = self.next + GONIOMETER_POINTS - self.len;
        (0..self.len).map(move |n| {
            let at = (start + n) % GONIOMETER_POINTS;
            [self.left[at], self.right[at]]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last points come out in order, at every rate and however the stream is cut.
    #[test]
    fn keeps_the_last_points_in_order() {
        for (rate_hz, every) in [(44_100.0, 1), (48_000.0, 1), (96_000.0, 2), (192_000.0, 4), (768_000.0, 16)] {
            for block in [1, 7, 64, 1000, 4096, 50_000] {
                let mut goniometer = Goniometer::new(rate_hz);
                let left: Vec<f32> = (0..50_000).map(|n| n as f32).collect();
                let right: Vec<f32> = left.iter().map(|n| -n).collect();
                for (left, right) in left.chunks(block).zip(right.chunks(block)) {
                    goniometer.process(left, right);
                }
                let expected: Vec<GoniometerPoint> =
                    (0..50_000).step_by(every).map(|n| [n as f32, -(n as f32)]).collect();
                let expected = &expected[expected.len() - GONIOMETER_POINTS..];
                assert!(goniometer.points().eq(expected.iter().copied()), "{rate_hz} {block}");
            }
        }
        let mut goniometer = Goniometer::new(48_000.0);
        goniometer.process(&[1.0, 2.0], &[3.0, 4.0]);
        assert!(goniometer.points().eq([[1.0, 3.0], [2.0, 4.0]]));
    }
}
