//! Sessions, files and measurements: what the `tandem` program does with the signal paths of dsp-core.
//!
//! - [`session`]: a session file, read and checked;
//! - [`album`]: masters in a sequence, delivered in every form;
//! - [`audio_file`]: audio in and out of files, a few frames at a time;
//! - [`beside`]: files written beside their place, nothing half-written left behind;
//! - [`engine`]: tracks through inserts to a mix and a master, whatever the inserts are;
//! - [`starting_session`]: a session to start from, made of a folder of stems by their names ([`nomenclature`]);
//! - [`mixing`]: a session to a mix on disk, with headroom;
//! - [`mastering`]: a mix to a master that is as loud as its target, and under its ceiling by three meters ([`true_peaks`]);
//! - [`presets`]: those that come with the program;
//! - [`stem`], [`scratch`]: stereo audio that is read, or kept between two passes, a few frames at a time;
//! - [`direct`]: inserts that call the chains of dsp-core directly;
//! - [`measurement`]: what a file measures;
//! - [`report`]: a mix and its master on one page, and as JSON;
//! - [`check`]: whether a file is right for what it is meant for;
//! - [`figures`]: every figure of a file, in one pass;
//! - [`resample`]: sample-rate conversion of a stream;
//! - [`show`]: how figures are written for people;
//! - [`toml_file`]: TOML files of ours;
//! - [`verify`]: whether a delivery is still what was delivered;
//! - [`fault`]: what went wrong, where, and the cure.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod album;
pub mod audio_file;
pub mod beside;
pub mod check;
pub mod direct;
pub mod engine;
pub mod fault;
pub mod figures;
pub mod mastering;
pub mod measurement;
pub mod mixing;
pub mod nomenclature;
pub mod presets;
pub mod report;
pub mod resample;
pub mod scratch;
pub mod session;
pub mod show;
pub mod starting_session;
pub mod stem;
pub mod toml_file;
pub mod true_peaks;
pub mod verify;
