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
    points: [GoniometerPoint; GONIOMETER_POINTS],
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
        Goniometer { points: [[0.0; 2]; GONIOMETER_POINTS], next: 0, len: 0, every: every as usize, wait: 0 }
    }

    /// Forgets all points. Real-time safe.
    pub fn reset(&mut self) {
        (self.next, self.len, self.wait) = (0, 0, 0);
    }

    /// Takes in audio. Real-time safe.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        let frames = left.len().min(right.len());
        // what would be overwritten within this call is left out
        let mut at = self.wait;
        let points = frames.saturating_sub(at).div_ceil(self.every);
        let skipped = points.saturating_sub(GONIOMETER_POINTS);
        at += skipped * self.every;
        self.next = (self.next + skipped) % GONIOMETER_POINTS;
        let mut frames_left = left.iter().zip(right).skip(at).step_by(self.every);
        while let Some(places) = self.points.get_mut(self.next..) {
            let before = frames_left.len();
            for (place, (left, right)) in
                places.iter_mut().zip(frames_left.by_ref().take(GONIOMETER_POINTS - self.next))
            {
                *place = [*left, *right];
            }
            let written = before - frames_left.len();
            self.next = (self.next + written) % GONIOMETER_POINTS;
            if frames_left.len() == 0 {
                break;
            }
        }
        self.len = (self.len + points).min(GONIOMETER_POINTS);
        self.wait = self.wait + points * self.every - frames;
    }

    /// The points, oldest first, in the two parts of the ring. Real-time safe.
    #[must_use]
    pub fn points(&self) -> [&[GoniometerPoint]; 2] {
        let start = (self.next + GONIOMETER_POINTS - self.len) % GONIOMETER_POINTS;
        let end = GONIOMETER_POINTS.min(start + self.len);
        [&self.points[start..end], &self.points[..self.len - (end - start)]]
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
                assert_eq!(goniometer.points().concat(), expected, "{rate_hz} {block}");
            }
        }
        let mut goniometer = Goniometer::new(48_000.0);
        goniometer.process(&[1.0, 2.0], &[3.0, 4.0]);
        assert_eq!(goniometer.points().concat(), [[1.0, 3.0], [2.0, 4.0]]);
    }
}
