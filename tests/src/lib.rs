//! A headless host for CLAP and VST 3 effects. It loads built bundles as a DAW does and knows nothing of what is inside
//! them, so a test on top of it tests what users install.
//!
//! - [`PluginBundle`] opens a bundle and makes instances of its plugins.
//! - [`Plugin`] is an instance: parameters, state, activation, audio, editor. [`Plugin::split`] parts it into
//!   [`MainSide`] and [`AudioSide`], so that both run at once as in a DAW.
//! - Both formats answer alike; where they differ, values are the format's own and [`ParameterInfo::to_native`] leads
//!   there from 0 to 1.
//! - What a plugin asks of its host is granted where that needs no decision, counted, and reported by
//!   [`MainSide::take_requests`].
//!
//! Audio passes through memory of the host's own. Each block is laid out with a watched margin, unwritten output shows
//! as NaN, and overwritten inputs are counted.

#![warn(missing_docs, clippy::undocumented_unsafe_blocks)]

mod bridge;
mod bundle;
mod call_stack;
mod clap;
mod editor;
mod error;
pub mod heap_watch;
mod plugin;
mod ports;
pub mod rack;
mod run_loop;
pub mod system_calls;
mod thread_role;
mod types;
mod vst3;
#[cfg(target_os = "linux")]
mod window;

pub use bundle::{PluginBundle, PluginName};
pub use editor::{EditorOptions, Picture};
pub use error::HostError;
pub use plugin::{AudioSide, MainSide, Plugin};
pub use types::{Edit, Event, Format, ParameterInfo, RemotePage, Requests, Setup, SideChain, Status, Tail, Transport};
