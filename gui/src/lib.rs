//! Tandem's widgets: they paint values and own no audio state.
//!
//! - [`theme`]: colours, text, measures: everything that gives the product its face;
//! - [`binding`]: how a widget reads and moves a control;
//! - [`knob`], [`switch`], [`selector`], [`value_field`]: the controls;
//! - [`level_meter`], [`reduction_meter`], [`readout`], [`frequency_plot`]: what is measured and computed;
//!   [`band_plot`]: the response of an equalizer with its bands to be moved;
//! - [`tree`]: a chain's list of controls as sections; [`section`]: one of them on a grid; [`strip`]: tabs and bands;
//!   [`rail`]: the two ends of a chain, each with its meter.
//!
//! Every widget is painted into a rectangle that the caller chose, so that a window is a grid and nothing jumps.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod band_plot;
pub mod binding;
pub mod figures;
pub mod frequency_plot;
pub mod knob;
pub mod level_meter;
pub mod rail;
pub mod readout;
pub mod reduction_meter;
pub mod section;
pub mod selector;
pub mod strip;
pub mod switch;
pub mod theme;
pub mod tree;
pub mod value_field;
