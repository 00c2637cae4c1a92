//! A plugin whose every answer is known, in both formats, for the host's own tests. It delays by `LATENCY_FRAMES`,
//! multiplies by a gain, can show what its host tells it, and misbehaves on request.

#![allow(non_snake_case, clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks)]

mod clap;
#[cfg(target_os = "linux")]
mod clap_editor;
mod dsp;
#[cfg(target_os = "linux")]
mod editor;
mod vst3;
#[cfg(target_os = "linux")]
mod vst3_editor;
