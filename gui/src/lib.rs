//! Tandem's widgets: they paint values and own no audio state.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
