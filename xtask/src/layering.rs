//! The layers of ARCHITECTURE.md, checked: who may depend on whom.

use anyhow::{Result, bail};
use cargo_metadata::MetadataCommand;

/// Each of our packages, and those of ours that it may use.
const LAYERS: [(&str, &[&str]); 9] = [
    ("dsp-core", &[]),
    ("gui", &["dsp-core"]),
    ("tandem-shell", &["dsp-core", "gui"]),
    ("tandem-vst3", &[]),
    ("tandem-channel", &["dsp-core", "gui", "tandem-shell", "tandem-vst3"]),
    ("tandem-master", &["dsp-core", "gui", "tandem-shell", "tandem-vst3"]),
    ("tandem-render", &["dsp-core"]),
    ("tandem-host", &["dsp-core", "gui", "tandem-shell", "tandem-channel", "tandem-master", "tandem-render"]),
    ("xtask", &["dsp-core", "gui", "tandem-render", "tandem-host"]),
];

/// Fails on an arrow that is none of the layers'.
pub fn check() -> Result<()> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let ours: Vec<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    for package in &metadata.packages {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == package.name.as_str()) else {
            bail!(
                "{} has no place in the layers; give it one in xtask/src/layering.rs and ARCHITECTURE.md",
                package.name
            );
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            if ours.contains(&name) && !allowed.contains(&name) {
                bail!("{} depends on {name}; its layer may use: {}", package.name, allowed.join(", "));
            }
        }
    }
    Ok(())
}
