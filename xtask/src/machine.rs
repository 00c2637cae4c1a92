//! What the machine must have beside Rust, and how it gets there.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that is needed, the Debian package that brings it, and what for.
struct Need {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

const NEEDS: [Need; 1] = [Need { program: "cc", package: "gcc", purpose: "linking" }];

/// What editors are drawn on in tests where there is no screen: an X server without one, and OpenGL in software.
const DISPLAY_PACKAGES: [&str; 6] =
    ["xvfb", "libgl1", "libgl1-mesa-dri", "libx11-xcb1", "libxcursor1", "libxkbcommon-x11-0"];

/// Programs that read in tests what the program `tandem` wrote, and the Debian packages that bring them. Where one is not
/// there, its tests say that they are skipped.
const READERS: [(&str, &str); 3] = [("ffprobe", "ffmpeg"), ("metaflac", "flac"), ("cueprint", "cuetools")];

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
        bail!("no C compiler; install the command line tools: xcode-select --install");
    }
    if cfg!(windows) {
        bail!("no C compiler; install the Visual Studio Build Tools with the C++ workload");
    }
    bail!("no C compiler; install one: sudo apt-get install {}", packages.join(" "))
}

/// Installs the independent readers of audio files where it may, and says which tests do without them where not.
pub fn readers() -> Result<()> {
    let runs = |program: &str| {
        // they do not agree on how to ask for their version; that they start is enough
        let asked = Command::new(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok()
    };
    let missing: Vec<&str> =
        READERS.iter().filter(|(program, _)| !runs(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !(cfg!(target_os = "linux") && is_root() && is_there("apt-get")) {
        println!("not here, and their tests are skipped: {}", missing.join(" "));
        return Ok(());
    }
    println!("installing: {}", missing.join(" "));
    apt_get(&["update", "-qq"])?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], &missing[..]].concat())
}

/// A display for tests of editors: the one that there is, or an X server of our own for as long as the value lives.
pub struct Display {
    server: Option<Child>,
    /// What `DISPLAY` is to be in child processes, where it is not what it is here.
    pub name: Option<String>,
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // it may have ended by itself; there is nothing to mend then
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// A display that child processes can draw on.
pub fn display() -> Result<Display> {
    if !cfg!(target_os = "linux") || std::env::var_os("DISPLAY").is_some() {
        return Ok(Display { server: None, name: None });
    }
    if Command::new("Xvfb").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        if !(is_root() && is_there("apt-get")) {
            bail!("no X server for the editors; install one: sudo apt-get install {}", DISPLAY_PACKAGES.join(" "));
        }
        println!("installing: {}", DISPLAY_PACKAGES.join(" "));
        apt_get(&["update", "-qq"])?;
        apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], &DISPLAY_PACKAGES[..]].concat())?;
    }
    // it chooses a free number and tells it on its standard output
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-noreset", "-screen", "0", "1600x1200x24"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("Xvfb cannot be run")?;
    let mut number = String::new();
    if let Some(output) = server.stdout.take() {
        BufReader::new(output).read_line(&mut number)?;
    }
    let display = Display { server: Some(server), name: Some(format!(":{}", number.trim())) };
    if number.trim().is_empty() {
        bail!("Xvfb did not start; see `Xvfb :99`");
    }
    Ok(display)
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
