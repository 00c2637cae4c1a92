//! The four bundles: both plugins, as CLAP and as VST3.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// The packages that become bundles.
const PACKAGES: [&str; 2] = ["tandem-channel", "tandem-master"];
/// The names of the bundles, as `bundler.toml` has them.
const NAMES: [&str; 2] = ["Tandem Channel", "Tandem Master"];
const FORMATS: [&str; 2] = ["clap", "vst3"];

/// Builds them in release mode into `target/bundled`.
pub fn build() -> Result<()> {
    let mut arguments = vec!["bundle".to_owned()];
    arguments.extend(PACKAGES.iter().flat_map(|p| ["-p".to_owned(), (*p).to_owned()]));
    arguments.push("--release".to_owned());
    nice_plug_xtask::main_with_args("cargo xtask", arguments)?;
    for path in all() {
        if !path.exists() {
            bail!("{} was not made; see the messages of the build above", path.display());
        }
    }
    Ok(())
}

/// Where a bundle is: `name` as in the product, `format` the extension.
pub fn path(name: &str, format: &str) -> PathBuf {
    Path::new("target/bundled").join(format!("{name}.{format}"))
}

/// Where all four are.
pub fn all() -> Vec<PathBuf> {
    FORMATS.iter().flat_map(|f| NAMES.iter().map(|n| path(n, f))).collect()
}
