//! The two signal paths of the product, and what both have at their ends.

pub mod bypass;
pub mod channel_strip;
pub mod mastering_bus;
pub mod peaks;

use crate::processor::Processor;

/// A whole signal path: a processor with meters.
pub trait Chain<const CH: usize>: Processor<CH> + Default + Send + 'static {
    /// What its meters show.
    type Reading: Copy + Default + Send + 'static;

    /// What the meters show now; peaks and reductions are of the time since the last reading. Real-time safe.
    fn reading(&mut self) -> Self::Reading;
}
