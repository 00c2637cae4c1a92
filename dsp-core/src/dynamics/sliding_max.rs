//! The greatest of the last few values, for lookahead.

/// The greatest of the last `window` values, each at a fixed cost on average: van Herk, "A fast algorithm for local
/// minimum and maximum filters on rectangular and octagonal kernels", Pattern Recognition Letters 13(7), 1992.
#[derive(Clone, Debug, Default)]
pub struct SlidingMax {
    /// Up to `at` the values of the block under way, beyond it the greatest of the last block from there to its end.
    values: Vec<f32>,
    at: usize,
    /// The greatest of the block under way.
    prefix: f32,
}

impl SlidingMax {
    /// Over `window` values, at least 1; before the first there were zeros. May allocate.
    #[must_use]
    pub fn new(window: usize) -> Self {
        SlidingMax { values: vec![0.0; window.max(1)], at: 0, prefix: 0.0 }
    }

    /// Back to zeros. Real-time safe.
    pub fn reset(&mut self) {
        self.values.fill(0.0);
        (self.at, self.prefix) = (0, 0.0);
    }

    /// Takes a value of at least 0 in; the greatest of the window. Real-time safe.
    pub fn push(&mut self, value: f32) -> f32 {
        let Some(place) = self.values.get_mut(self.at) else { return value };
        *place = value;
        self.prefix = if value > self.prefix { value } else { self.prefix };
        self.at += 1;
        let Some(suffix) = self.values.get(self.at) else {
            let whole = self.prefix;
            let mut greatest = 0.0;
            for value in self.values.iter_mut().rev() {
                greatest = if *value > greatest { *value } else { greatest };
                *value = greatest;
            }
            (self.at, self.prefix) = (0, 0.0);
            return whole;
        };
        if *suffix > self.prefix { *suffix } else { self.prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, for windows that do and do not divide the stream.
    #[test]
    fn it_is_the_greatest_of_the_window() {
        let values: Vec<f32> = (0..500u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
        for window in [1, 2, 3, 7, 100, 499, 600] {
            let mut sliding = SlidingMax::new(window);
            for (n, value) in values.iter().enumerate() {
                let from = (n + 1).saturating_sub(window);
                let expected = values[from..=n].iter().fold(0.0f32, |a, b| a.max(*b));
                assert_eq!(sliding.push(*value), expected, "window {window}, value {n}");
            }
        }
    }
}
