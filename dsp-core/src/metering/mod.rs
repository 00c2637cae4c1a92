//! What is measured and shown: loudness, peaks, correlation, word length.

pub mod k_weighting;
pub mod loudness;
mod ordered_energies;
pub mod true_peak;
