//! The presets that come with the program.

use crate::fault::{Fault, Result};
use crate::toml_file;
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls::Controls;
use dsp_core::preset;
use std::path::Path;

/// A preset that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name, in snake case.
    pub name: &'static str,
    /// Its text: TOML, the first line a comment that says what it is for.
    pub text: &'static str,
}

impl Preset {
    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        self.text.lines().next().unwrap_or("").trim_start_matches(['#', ' '])
    }

    /// Its controls. A test reads all of them, so that nothing can be wrong here.
    #[must_use]
    pub fn params<P: Controls>(&self) -> P {
        preset::from_toml(self.text).map(|loaded| loaded.params).unwrap_or_default()
    }
}

/// A signal path that has built-in presets.
pub trait BuiltIn: Controls {
    /// What it is called on the command line.
    const KIND: &'static str;

    /// All of them, in order of name.
    fn presets() -> &'static [Preset];
}

/// The built-in preset of this name, in any case, with spaces or dashes for underscores.
#[must_use]
pub fn find<P: BuiltIn>(name: &str) -> Option<&'static Preset> {
    let name = name.to_lowercase().replace([' ', '-'], "_");
    P::presets().iter().find(|p| p.name == name)
}

/// The preset that `name` tells of: a built-in one, or a `.toml` file, looked for from `folder` on. `place` says where the
/// name stands.
///
/// # Errors
/// A name that is not known, with the nearest known one; a file that cannot be read or has faults.
pub fn read<P: BuiltIn>(name: &str, folder: &Path, place: &str) -> Result<P> {
    let is_file =
        Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml")) || name.contains(['/', '\\']);
    if is_file {
        return read_file(&folder.join(name));
    }
    find::<P>(name).map(Preset::params).ok_or_else(|| {
        let known: Vec<String> = P::presets().iter().map(|p| p.name.to_owned()).collect();
        let cure = preset::nearest(name, &known).map_or_else(
            || "name a .toml file, or see tandem preset list".to_owned(),
            |near| format!("did you mean '{near}'?"),
        );
        let what = format!("there is no built-in preset '{name}' for the {}", P::KIND);
        Fault { place: place.to_owned(), what, cure }
    })
}

fn read_file<P: Controls>(path: &Path) -> Result<P> {
    let loaded = preset::from_table(&toml_file::read(path)?, P::default());
    match loaded.troubles.into_iter().next() {
        Some(trouble) => Err(Fault::within(path, &trouble.place, trouble.what, trouble.cure)),
        None => Ok(loaded.params),
    }
}

macro_rules! built_in {
    ($params:ty, $kind:literal, [$($name:literal),+ $(,)?]) => {
        impl BuiltIn for $params {
            const KIND: &'static str = $kind;

            fn presets() -> &'static [Preset] {
                &[$(Preset {
                    name: $name,
                    text: include_str!(concat!("../presets/", $kind, "/", $name, ".toml")),
                }),+]
            }
        }
    };
}

built_in!(
    ChannelStripParams,
    "channel",
    [
        "acoustic_guitar",
        "backing_vocals",
        "bass",
        "brass",
        "drum_bus",
        "drums",
        "echo_return",
        "electric_guitar",
        "fx",
        "hall_return",
        "hi_hat",
        "keys",
        "kick",
        "lead_vocal",
        "other",
        "overheads",
        "pad",
        "percussion",
        "piano",
        "plate_return",
        "room",
        "slap_return",
        "snare",
        "snare_bottom",
        "speech",
        "strings",
        "synth",
        "toms",
    ]
);

built_in!(
    MasteringBusParams,
    "master",
    ["acoustic", "broadcast", "glue", "loud", "open", "podcast", "punchy", "transparent", "vinyl_safe", "warm",]
);
