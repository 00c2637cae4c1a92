//! What is measured and shown.

pub mod true_peak;
