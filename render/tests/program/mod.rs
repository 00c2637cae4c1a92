//! Running the built program, as a person would.
#![allow(dead_code)] // every test file takes what it needs

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of the program left.
pub struct Run {
    /// Its exit status.
    pub status: i32,
    /// What it printed.
    pub output: String,
    /// What it complained about.
    pub errors: String,
}

/// Runs `tandem` with these arguments.
pub fn tandem(arguments: &[&str]) -> Run {
    let out = Command::new(env!("CARGO_BIN_EXE_tandem")).args(arguments).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { status: out.status.code().expect("no signal"), output: text(out.stdout), errors: text(out.stderr) }
}

/// What is in a folder, in order.
pub fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
}
