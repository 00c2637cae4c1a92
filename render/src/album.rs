//! An album: masters, and mixes mastered on the way, in a sequence, delivered in every form that is asked for.
//!
//! ```toml
//! title = "Night Lines"
//! artist = "Ensemble"
//! upc = "4006381333931"             # optional: UPC (12 digits) or EAN (13)
//! date = "2026-11-27"               # optional
//! red_book = true                   # optional: the rules of a CD must be kept
//!
//! [loudness]                        # optional: without it, levels stay as they are
//! target_lufs = -14.0
//! by = "album"                      # one gain for all, or "track": one for each
//! ceiling_dbtp = -1.0               # no gain takes a true peak over it
//!
//! [mastering]                       # for tracks that are mixes
//! target_lufs = -14.0               # what each is mastered to
//! ceiling_dbtp = -1.0               # optional: its true peak by three meters, at the mix's rate; −1 otherwise
//!
//! [[track]]
//! file = "masters/01.wav"           # relative to this file; mono or stereo
//! title = "First Light"
//! artist = "Ensemble and Guest"     # optional: the album's otherwise
//! composer = "N. N."                # optional
//! isrc = "DE-A12-26-00001"          # optional
//! gap_seconds = 2.0                 # optional: silence before it; 2 s otherwise, none before the first
//! crossfade_seconds = 0.0           # optional: instead of a gap, how long it overlaps with the one before
//! master = "glue"                   # optional: it is a mix, mastered on the way by this preset of Tandem Master: one that
//!                                   # comes with Tandem, or a .toml file
//! target_lufs = -16.0               # optional: a target of its own
//! fade_in_seconds = 0.0             # optional
//! fade_out_seconds = 0.0            # optional
//! gain_db = 0.0                     # optional
//! hidden = false                    # optional: has no number of its own. The first of all hides in the pause before
//!                                   # track 1, any other one at the end of the track before it
//!
//! [[deliver]]
//! kind = "image"                    # one file and a cue sheet, or "tracks": a file for each
//! format = "wav16"                  # wav16, wav24, wav32f, flac16, flac24, mp3, aac
//! rate_hz = 44100
//! dither = "white"                  # optional: a noise of the dither stage
//! ```
//!
//! Everything lies on a grid of 1/75 s, the frames of a CD, so that every deliverable is cut at the same places. A track that
//! follows a gap begins on the grid (its gap is up to 13 ms longer than asked). One that follows at once, or crossfades,
//! stays where it is to the sample, and its mark is the last one of the grid before it.

pub mod code;
pub mod cue;
mod deliver;
mod level;
pub mod manifest;
pub mod mixes;
pub mod order;
pub mod plan;
pub mod pq;
mod timeline;

pub use deliver::{Delivered, deliver, sha256_of as deliver_sha256};
