//! What can go wrong while hosting, told so that the reader knows the place, the finding, the expectation and the cure.

use std::path::PathBuf;

/// An error of the host or of the plugin that it hosts. `place` is always the bundle's path, with the plugin's name
/// where one is known; the other fields are what the message says of them.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Nothing is at this path.
    #[error("{path}: nothing is there; build the bundles first (`cargo xtask bundle`) or correct the path")]
    NotFound { path: PathBuf },

    /// The path ends with neither `.clap` nor `.vst3`.
    #[error("{path}: the name ends with neither .clap nor .vst3; give the path of a bundle")]
    UnknownFormat { path: PathBuf },

    /// The bundle has no binary for this platform.
    #[error("{path}: found no binary for this platform, expected {expected}; bundle the plugin again on this platform")]
    NoBinary { path: PathBuf, expected: String },

    /// The dynamic linker or the plugin's own entry refused.
    #[error("{path}: cannot be loaded: {reason}; check that it was built for this machine (`file`, `ldd`)")]
    Load { path: PathBuf, reason: String },

    /// The bundle offers no plugin of the name or id asked for.
    #[error("{path}: has no plugin \"{wanted}\", it offers {offered:?}; ask for one of these by name or id")]
    NoSuchPlugin { path: PathBuf, wanted: String, offered: Vec<String> },

    /// The plugin could not be created.
    #[error("{place}: could not be created: {reason}")]
    Create { place: String, reason: String },

    /// A call of the plugin's answered with a failure.
    #[error("{place}: {call} failed: found {found}, expected {expected}")]
    Call { place: String, call: &'static str, found: String, expected: &'static str },

    /// The plugin lacks an interface that the call needs.
    #[error("{place}: has no {interface}, which {call} needs; leave the call out for this plugin")]
    Missing { place: String, interface: &'static str, call: &'static str },

    /// The plugin does not run with as many channels.
    #[error(
        "{place}: refuses {wanted} channels in and out, it stays at {offered}; \
         activate it with a width for which `supports_channels` is true"
    )]
    Layout { place: String, wanted: usize, offered: String },

    /// The call needs an active plugin.
    #[error("{place}: {call} needs an active plugin; call `activate` first")]
    NotActive { place: String, call: &'static str },

    /// The call needs an inactive plugin.
    #[error("{place}: {call} needs an inactive plugin; call `deactivate` first")]
    StillActive { place: String, call: &'static str },

    /// A setup that no host would give.
    #[error("{place}: setup field {field} is {found}, expected {expected}")]
    Setup { place: String, field: &'static str, found: String, expected: &'static str },

    /// A parameter index beyond the list. It is never passed on: wrappers are known to abort on it.
    #[error("{place}: parameter index {index} is beyond the list of {count}; look indices up by name with `parameter`")]
    ParameterIndex { place: String, index: usize, count: usize },

    /// No parameter has this name.
    #[error("{place}: no parameter is named \"{name}\"; the nearest are {nearest:?}")]
    ParameterName { place: String, name: String, nearest: Vec<String> },

    /// The plugin cannot read a text as a value of the parameter.
    #[error("{place}: parameter \"{parameter}\" does not take the text \"{text}\"")]
    Text { place: String, parameter: String, text: String },

    /// The audio given to `process` has the wrong shape.
    #[error("{place}: {what} is {found}, expected {expected}")]
    Audio { place: String, what: &'static str, found: usize, expected: String },

    /// An event lies outside its block.
    #[error("{place}: an event at offset {offset} is outside a block of {frames} frames; split events per block")]
    EventOutside { place: String, offset: usize, frames: usize },

    /// The plugin wrote past the end of a buffer: a bug of the plugin's.
    #[error("{place}: wrote past the end of {port} channel {channel} in a block of {frames} frames; mend the plugin")]
    WrotePastEnd { place: String, port: &'static str, channel: usize, frames: usize },

    /// A saved state that cannot be this plugin's.
    #[error("{place}: this state cannot be loaded: found {found}, expected {expected}")]
    State { place: String, found: String, expected: String },

    /// The editor could not be opened or drawn.
    #[error("{place}: editor: {reason}")]
    Editor { place: String, reason: String },

    /// A stem of the session that is being rendered cannot be read.
    #[error(transparent)]
    Stem(#[from] tandem_render::fault::Fault),
}
