//! The bundles in the user's plugin folders.

use crate::bundle;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Copies all four; an older one there is replaced.
pub fn install() -> Result<()> {
    for from in bundle::all() {
        let to = place(&from)?;
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        // beside its place first: a host never finds half a bundle
        let part = to.with_added_extension("part");
        remove(&part)?;
        copy(&from, &part).with_context(|| format!("{} cannot be copied to {}", from.display(), part.display()))?;
        remove(&to)?;
        fs::rename(&part, &to).with_context(|| format!("{} cannot be put in place", to.display()))?;
        println!("installed {}", to.display());
    }
    Ok(())
}

/// Removes all four, where they are there.
pub fn uninstall() -> Result<()> {
    for bundle in bundle::all() {
        let at = place(&bundle)?;
        println!("{} {}", if remove(&at)? { "removed" } else { "not there:" }, at.display());
    }
    Ok(())
}

/// Where `bundle` belongs: the conventions of the two formats on this system, for one user.
fn place(bundle: &Path) -> Result<PathBuf> {
    let home = dirs::home_dir().context("there is no home folder; set HOME")?;
    let clap = bundle.extension().is_some_and(|e| e == "clap");
    let folder = if cfg!(target_os = "macos") {
        home.join("Library/Audio/Plug-Ins").join(if clap { "CLAP" } else { "VST3" })
    } else if cfg!(windows) {
        let local = dirs::data_local_dir().context("there is no LOCALAPPDATA")?;
        local.join("Programs/Common").join(if clap { "CLAP" } else { "VST3" })
    } else {
        home.join(if clap { ".clap" } else { ".vst3" })
    };
    Ok(folder.join(bundle.file_name().context("a bundle has a name")?))
}

/// Copies a file or a whole folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        fs::copy(from, to)?;
    }
    Ok(())
}

/// Removes a file or a whole folder; whether anything was there.
fn remove(at: &Path) -> Result<bool> {
    let removed = if at.is_dir() { fs::remove_dir_all(at) } else { fs::remove_file(at) };
    match removed {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e).with_context(|| format!("{} cannot be removed", at.display())),
    }
}
