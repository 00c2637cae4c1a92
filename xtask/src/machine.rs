//! What the machine must have beside Rust, and how it gets there.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};

/// A program that is needed, the Debian package that brings it, and what for.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 2] = [
    Need { program: "cc", package: "gcc", purpose: "linking" },
    Need { program: "c++", package: "g++", purpose: "the VST3 wrapper in the bundles" },
];

/// Makes sure that bundles can be built: installs what is missing where it may, and says what to install where not.
pub fn prepare() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|n| !is_there(n.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!("missing: {} ({}), for {}", need.program, need.package, need.purpose);
    }
    let packages: Vec<&str> = missing.iter().map(|n| n.package).collect();
    if cfg!(target_os = "linux") && is_root() && is_there("apt-get") {
        println!("installing: {}", packages.join(" "));
        apt_get(&["update", "-qq"])?;
        return apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat());
    }
    if cfg!(target_os = "macos") {
        bail!("no C or C++ compiler; install the command line tools: xcode-select --install");
    }
    if cfg!(windows) {
        bail!("no C or C++ compiler; install the Visual Studio Build Tools with the C++ workload");
    }
    bail!("no C or C++ compiler; install them: sudo apt-get install {}", packages.join(" "))
}

fn is_there(program: &str) -> bool {
    // MSVC is found by the build itself
    if cfg!(windows) {
        return true;
    }
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context("apt-get cannot be run")?;
    if !status.success() {
        bail!("apt-get {} failed", arguments.join(" "));
    }
    Ok(())
}
