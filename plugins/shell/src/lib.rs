//! What both plugins share: host glue between the framework and a chain of dsp-core. It holds no signal processing.
//!
//! - [`parameters`]: the chain's controls as host parameters, and the state as preset text;
//! - [`plugin`]: the plugin itself, generic over a [`Product`](plugin::Product);
//! - [`meters`]: numbers that pass from the audio thread to the editor without a lock;
//! - [`editor`]: what both editors share, [`equalizer`] a picture in it, [`binding`] its controls, [`window`] and [`keyboard`] its place in the host.

#![deny(missing_docs)]

pub mod binding;
pub mod editor;
pub mod equalizer;
pub mod keyboard;
pub mod meters;
pub mod parameters;
pub mod plugin;
pub mod window;
