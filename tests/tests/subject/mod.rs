//! The subject plugin (`subject/`), built and laid out as a user's disk has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tandem_host::{Format, Plugin, PluginBundle, Setup};

/// Frames by which the subject delays, as it reports.
#[allow(dead_code)]
pub const LATENCY_FRAMES: usize = 37;

/// Indices of its parameters.
#[allow(dead_code)]
pub const GAIN: usize = 0;
#[allow(dead_code)]
pub const SIDE: usize = 1;
#[allow(dead_code)]
pub const SHOW: usize = 2;
#[allow(dead_code)]
pub const MISDEED: usize = 3;

/// Both bundles.
pub fn bundles() -> [PluginBundle; 2] {
    [Format::Clap, Format::Vst3].map(bundle)
}

pub fn bundle(format: Format) -> PluginBundle {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(lay_out);
    let name = match format {
        Format::Clap => "Subject.clap",
        Format::Vst3 => "Subject.vst3",
    };
    PluginBundle::open(FOLDER.join(name)).expect("the subject opens")
}

/// An instance, active.
#[allow(dead_code)]
pub fn active(bundle: &PluginBundle, setup: Setup) -> Plugin {
    let mut plugin = bundle.create_first().expect("the subject starts");
    plugin.activate(setup).expect("the subject takes the setup");
    plugin
}

/// The format's own value of a plain one: the greatest plain values are 2, 1, 6 and 8.
#[allow(dead_code)]
pub fn native(plugin: &Plugin, parameter: usize, plain: f64) -> f64 {
    let greatest = [2.0, 1.0, 6.0, 8.0][parameter];
    plugin.to_native(parameter, plain / greatest).expect("the subject has the parameter")
}

/// `cargo test` builds examples only when it is not asked for a single test.
fn lay_out() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "tandem-host", "--example", "subject", "--message-format", "json"])
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // the artifact's own message names the file
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let library = messages
        .split('"')
        .map(|path| path.replace("\\\\", "\\"))
        .rfind(|path| {
            let path = Path::new(path);
            let is_library = path.extension().is_some_and(|x| x == std::env::consts::DLL_EXTENSION);
            is_library && path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("subject"))
        })
        .expect("cargo names the subject's library");

    // one folder per test program; renamed into place, since a run of the same program may have the old file mapped
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("subject-", env!("CARGO_CRATE_NAME")));
    let copy = |to: PathBuf| {
        std::fs::create_dir_all(to.parent().expect("inside the folder")).expect("the folder can be made");
        let beside = folder.join(format!("copy-{}", std::process::id()));
        std::fs::copy(&library, &beside).expect("the library can be copied");
        std::fs::rename(beside, to).expect("the copy can be put in its place");
    };
    let (inside, binary) = match std::env::consts::OS {
        "macos" => ("MacOS".to_owned(), "Subject".to_owned()),
        "windows" => (format!("{}-win", std::env::consts::ARCH), "Subject.vst3".to_owned()),
        system => (format!("{}-{system}", std::env::consts::ARCH), "Subject.so".to_owned()),
    };
    copy(folder.join("Subject.vst3/Contents").join(inside).join(binary));
    copy(folder.join("Subject.clap"));
    folder
}
