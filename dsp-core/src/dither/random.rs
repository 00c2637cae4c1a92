//! Random numbers that are a function of the frame.

/// Numbers for every channel of every frame, counted from the start of the stream.
///
/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a hash of a
/// counter, so that the numbers depend on nothing but the place, and all 2⁶⁴ occur once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Random {
    frame: u64,
}

impl Random {
    /// A number for each channel of this frame; then moves on.
    #[inline(always)]
    pub fn next_frame<const CH: usize>(&mut self) -> [u64; CH] {
        let numbers = Self::at(self.frame);
        self.frame = self.frame.wrapping_add(1);
        numbers
    }

    /// The first half of each channel's number of the frame before.
    pub fn before<const CH: usize>(&self) -> [i64; CH] {
        Self::at(self.frame.wrapping_sub(1)).map(|number| halves(number).0)
    }

    pub fn skip(&mut self, frames: usize) {
        self.frame = self.frame.wrapping_add(frames as u64);
    }

    #[inline(always)]
    fn at<const CH: usize>(frame: u64) -> [u64; CH] {
        std::array::from_fn(|c| hash(frame.wrapping_mul(CH as u64).wrapping_add(c as u64)))
    }
}

/// Two independent numbers, each 0 to 2³² − 1.
#[inline(always)]
pub(super) fn halves(number: u64) -> (i64, i64) {
    ((number >> 32) as i64, (number & 0xFFFF_FFFF) as i64)
}

/// 2³² is one step.
#[inline(always)]
pub(super) fn to_steps(difference: i64) -> f64 {
    difference as f64 * (1.0 / (1u64 << 32) as f64)
}

#[inline(always)]
fn hash(counter: u64) -> u64 {
    let z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    /// The generator's first numbers from seed 0, as its authors' and Java's implementations give them.
    #[test]
    fn is_splitmix64() {
        let numbers = [0, 1, 2].map(super::hash);
        assert_eq!(numbers, [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]);
    }
}
