//! What a file measures.

use dsp_core::metering::loudness::LoudnessMeter;
use dsp_core::processor::{PrepareError, StreamConfig};
use serde::Serialize;
