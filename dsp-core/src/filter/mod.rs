//! Filters: second-order sections, their design from analogue prototypes, and cascades of them in vector lanes.

pub mod analogue;
pub mod cascade;
pub mod complex;
pub mod convolution;
pub mod crossover;
pub mod direct_form;
pub mod linear_crossover;
pub mod matched;
pub mod prototype;
pub mod section;
