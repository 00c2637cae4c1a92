//! How a value glides to where a control was moved.

/// A value on its way to a target: it arrives in a fixed time, exactly, and leaves no corner on the way.
///
/// The path is the quintic that meets the present value, velocity and acceleration and comes to rest on the target
/// after `duration` frames, so that a retarget under way (automation sends one every few frames) bends the path without
/// a break up to the second derivative. Retargeted without pause it follows as the third-order low-pass
/// s³ + 9s² + 36s + 60 (s in 1/duration), close to a Bessel filter: no overshoot worth the name.
///
/// Positions depend on the count of frames alone, never on how the stream is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Polynomial in u = frame / duration, from the constant up; the value is its sum plus nothing else.
    poly: [f64; 6],
    target: f64,
    frame: u32,
    duration: u32,
}

impl Ramp {
    /// At rest at `value`, for glides of `duration_frames` (at least 1). Real-time safe.
    #[must_use]
    pub fn new(value: f64, duration_frames: u32) -> Self {
        let duration = duration_frames.max(1);
        Ramp { poly: [value, 0.0, 0.0, 0.0, 0.0, 0.0], target: value, frame: duration, duration }
    }

    /// At rest at `value`, for glides of `seconds` at `sample_rate_hz`. Real-time safe.
    #[must_use]
    pub fn with_seconds(value: f64, seconds: f64, sample_rate_hz: f64) -> Self {
        Ramp::new(value, (seconds * sample_rate_hz) as u32)
    }

    /// Starts to glide to `target` from here; nothing happens if it is the target already. Real-time safe.
    pub fn set_target(&mut self, target: f64) {
        if target == self.target {
            return;
        }
        let (x, v, a) = self.state();
        self.aim(target, [x, v, a]);
    }

    /// Starts to glide to `target` from here, to arrive after `duration_frames` (at least 1), as later glides do; nothing
    /// happens if it is the target already. Real-time safe.
    pub fn set_target_within(&mut self, target: f64, duration_frames: u32) {
        if target == self.target {
            return;
        }
        let (x, v, a) = self.state();
        let longer = f64::from(duration_frames.max(1)) / f64::from(self.duration);
        self.duration = duration_frames.max(1);
        self.aim(target, [x, v * longer, a * (longer * longer)]);
    }

    /// The quintic from value, velocity and acceleration to rest on `target`.
    fn aim(&mut self, target: f64, [x, v, a]: [f64; 3]) {
        // p(0) = x, p'(0) = v, p''(0) = a, p(1) = target, p'(1) = p''(1) = 0, u in units of the duration
        let d = target - x;
        self.poly =
            [x, v, a / 2.0, 10.0 * d - 6.0 * v - 1.5 * a, -15.0 * d + 8.0 * v + 1.5 * a, 6.0 * d - 3.0 * v - 0.5 * a];
        self.target = target;
        self.frame = 0;
    }

    /// Arrives at the target at once. Real-time safe.
    pub fn snap(&mut self) {
        *self = Ramp::new(self.target, self.duration);
    }

    /// Arrives at `value` at once. Real-time safe.
    pub fn snap_to(&mut self, value: f64) {
        *self = Ramp::new(value, self.duration);
    }

    /// Where it is going. Real-time safe.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.target
    }

    /// Whether it is still under way. Real-time safe.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.frame < self.duration
    }

    /// The value at this frame. Real-time safe.
    #[must_use]
    pub fn value(&self) -> f64 {
        if self.frame >= self.duration {
            return self.target;
        }
        let u = f64::from(self.frame) / f64::from(self.duration);
        let p = &self.poly;
        p[0] + u * (p[1] + u * (p[2] + u * (p[3] + u * (p[4] + u * p[5]))))
    }

    /// Moves on by `frames`. Real-time safe.
    pub fn advance(&mut self, frames: usize) {
        self.frame = self.duration.min(self.frame.saturating_add(u32::try_from(frames).unwrap_or(u32::MAX)));
    }

    /// The value at this frame; then moves on by one. Real-time safe.
    pub fn next_value(&mut self) -> f64 {
        let value = self.value();
        self.advance(1);
        value
    }

    /// Value, velocity and acceleration, with the duration as the unit of time.
    fn state(&self) -> (f64, f64, f64) {
        if self.frame >= self.duration {
            return (self.target, 0.0, 0.0);
        }
        let u = f64::from(self.frame) / f64::from(self.duration);
        let p = &self.poly;
        let v = p[1] + u * (2.0 * p[2] + u * (3.0 * p[3] + u * (4.0 * p[4] + u * 5.0 * p[5])));
        let a = 2.0 * p[2] + u * (6.0 * p[3] + u * (12.0 * p[4] + u * 20.0 * p[5]));
        (self.value(), v, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From rest the quintic is the smoothstep 10u³ − 15u⁴ + 6u⁵, and it ends exactly.
    #[test]
    fn from_rest_it_is_the_smoothstep() {
        let mut ramp = Ramp::new(1.0, 100);
        ramp.set_target(3.0);
        for n in 0..100 {
            let u = f64::from(n) / 100.0;
            let expected = 1.0 + 2.0 * (10.0 * u * u * u - 15.0 * u * u * u * u + 6.0 * u * u * u * u * u);
            // a dozen roundings of numbers up to 30
            assert!((ramp.next_value() - expected).abs() < 1e-13);
        }
        assert!(!ramp.is_moving());
        assert_eq!(ramp.next_value(), 3.0);
    }

    /// A retarget under way keeps value, velocity and acceleration: third differences stay as small as on a free path.
    #[test]
    fn retargets_leave_no_corner() {
        let mut ramp = Ramp::new(0.0, 960);
        let mut path = vec![];
        for n in 0..6000 {
            if n % 100 == 0 {
                ramp.set_target(f64::from((n / 100) % 7));
            }
            path.push(ramp.next_value());
        }
        let second: Vec<f64> = path.windows(3).map(|w| w[2] - 2.0 * w[1] + w[0]).collect();
        let third = second.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        // |p'''| is at most 60 d / T³ from rest; the velocity and acceleration of a path under way add less than twice that
        assert!(third < 3.0 * 60.0 * 6.0 / (960.0f64 * 960.0 * 960.0), "{third}");
    }

    /// A glide of another length keeps value and velocity too, in frames, and takes the time asked for.
    #[test]
    fn lengths_may_change_under_way() {
        let mut ramp = Ramp::new(0.0, 200);
        ramp.set_target(10.0);
        let mut path: Vec<f64> = (0..100).map(|_| ramp.next_value()).collect();
        ramp.set_target_within(-5.0, 1000);
        path.extend((0..1000).map(|_| ramp.next_value()));
        assert!(!ramp.is_moving());
        assert_eq!(ramp.value(), -5.0);
        let second: Vec<f64> = path.windows(3).map(|w| w[2] - 2.0 * w[1] + w[0]).collect();
        // from rest the second derivative is 10 √3/3 d/T² at most: 1.45e-3 a frame; a corner would be 1.875 d/T = 0.094
        assert!(second.iter().all(|s| s.abs() < 2e-3), "{:?}", second.iter().fold(0.0f64, |m, s| m.max(s.abs())));
    }

    /// The path depends on the frames passed, not on the steps they came in.
    #[test]
    fn steps_do_not_matter() {
        let (mut one, mut many) = (Ramp::new(0.0, 480), Ramp::new(0.0, 480));
        one.set_target(1.0);
        many.set_target(1.0);
        one.advance(96);
        for _ in 0..96 {
            many.next_value();
        }
        assert_eq!(one, many);
        one.set_target(-2.0);
        many.set_target(-2.0);
        one.advance(33);
        many.advance(11);
        many.advance(22);
        assert_eq!(one.value(), many.value());
    }
}
