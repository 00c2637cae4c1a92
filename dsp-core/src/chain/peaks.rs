//! Sample peaks of a block, for the meters at both ends of a chain.

use crate::block::Block;

/// The greatest magnitude in each channel of the last block, linear; 1 is 0 dBFS. A mono chain fills the first.
pub type Peaks = [f32; 2];

/// The peaks of `block`. Real-time safe.
#[must_use]
pub fn of<const CH: usize>(block: &Block<'_, CH>) -> Peaks {
    let mut peaks = [0.0; 2];
    peaks.iter_mut().zip(block.peaks()).for_each(|(peak, found)| *peak = found);
    peaks
}
