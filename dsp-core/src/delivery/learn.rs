//! What gain ahead of a limiter reaches a loudness.
//!
//! A decibel more ahead of a limiter is a loudness unit more behind it only while nothing is limited; then it is less. So
//! one measurement gives an estimate, and two or three give the gain. Nothing here moves a control: whoever holds the
//! controls (the editor's button, the program's first pass) writes the gain, and it stays.

/// Measured pairs of gain and loudness on the way to a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    target_lufs: f64,
    /// Gain in decibels and loudness in LUFS of the last two measurements, the last one first.
    measured: [Option<(f64, f64)>; 2],
}

/// The least that loudness is taken to grow by, in LU, for a decibel of gain: under this a limiter flattens all, and a step
/// by the slope would go anywhere.
const LEAST_SLOPE: f64 = 0.2;

impl Search {
    /// A search for this loudness, in LUFS.
    #[must_use]
    pub fn new(target_lufs: f64) -> Self {
        Search { target_lufs, measured: [None; 2] }
    }

    /// Takes in what loudness a gain gave, and gives the gain to try next, in decibels. Real-time safe.
    ///
    /// The secant's step, with the slope kept between 0.2 and 1 LU a decibel, which holds for every limiter; the first step
    /// takes it as 1. Loudness grows with gain and ever more slowly, so that steps fall short of the target rather than
    /// pass it.
    pub fn next_gain_db(&mut self, gain_db: f64, measured_lufs: f64) -> f64 {
        self.measured = [Some((gain_db, measured_lufs)), self.measured[0]];
        let slope = match self.measured[1] {
            Some((before_db, before_lufs)) if before_db != gain_db => {
                ((measured_lufs - before_lufs) / (gain_db - before_db)).clamp(LEAST_SLOPE, 1.0)
            }
            _ => 1.0,
        };
        gain_db + (self.target_lufs - measured_lufs) / slope
    }

    /// By how much the last measurement misses the target, in LU; positive is too soft. `None` before the first. Real-time
    /// safe.
    #[must_use]
    pub fn missing_lu(&self) -> Option<f64> {
        self.measured[0].map(|(_, lufs)| self.target_lufs - lufs)
    }
}
