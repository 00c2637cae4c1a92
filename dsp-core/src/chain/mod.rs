//! The two signal paths of the product, and what both have at their ends.

pub mod bypass;
pub mod channel_strip;
pub mod live_meter;
pub mod mastering_bus;
pub mod modules;
pub mod peaks;

use crate::processor::Processor;

/// A whole signal path: a processor with meters.
pub trait Chain<const CH: usize>: Processor<CH> + Default + Send + 'static {
    /// What its meters show.
    type Reading: Copy + Default + Send + 'static;

    /// Starts or stops what is measured for a reader only, such as true peaks and loudness for an editor; it is off at
    /// first, and costs only while on. The sound does not depend on it. Real-time safe.
    fn set_watched(&mut self, watched: bool);

    /// What the meters show now; peaks and reductions are of the time since the last reading. Real-time safe.
    fn reading(&mut self) -> Self::Reading;
}
