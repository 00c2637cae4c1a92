//! What is measured and shown: loudness, peaks, correlation, word length.

pub mod correlation;
pub mod goniometer;
pub mod history;
pub mod k_weighting;
pub mod loudness;
pub mod loudness_match;
pub mod meter;
mod ordered_energies;
pub mod rms;
pub mod true_peak;
pub mod word_length;
