//! Everything that must hold before a change lands.

use crate::{bundle, layering, machine};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::Instant;

/// Runs all checks, the cheapest first; stops at the first that fails.
pub fn run() -> Result<()> {
    let start = Instant::now();
    let step = |name: &str, done: &dyn Fn() -> Result<()>| {
        println!("\n== {name}");
        let began = Instant::now();
        done().with_context(|| name.to_owned())?;
        println!("== {name}: ok, {} s", began.elapsed().as_secs());
        anyhow::Ok(())
    };
    step("machine", &|| machine::prepare().and_then(|()| machine::readers()))?;
    step("formatting", &|| cargo(&["fmt", "--all", "--check"]))?;
    step("layers", &layering::check)?;
    step("lints", &|| cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    step("unit and contract tests", &|| {
        cargo(&[
            "test",
            "--quiet",
            "-p",
            "dsp-core",
            "-p",
            "gui",
            "-p",
            "tandem-render",
            "-p",
            "tandem-vst3",
            "-p",
            "xtask",
        ])
    })?;
    step("bundles", &bundle::build)?;
    step("bundles in hosts", &|| {
        let display = machine::display()?;
        let mut tests = command(&["test", "-p", "tandem-host"]);
        if let Some(name) = &display.name {
            tests.env("DISPLAY", name);
        }
        run_to_success(tests)
    })?;
    println!("\nall checks passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Has the tests that keep a table in `docs` write it instead of comparing.
pub fn write_tables() -> Result<()> {
    let mut tests = command(&["test", "-p", "dsp-core", "--test", "stages", "automation::"]);
    tests.env("TANDEM_WRITE_TABLES", "1");
    run_to_success(tests)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run_to_success(command(arguments))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.args(arguments);
    command
}

fn run_to_success(mut command: Command) -> Result<()> {
    let status = command.status().context("cargo cannot be run")?;
    if !status.success() {
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(())
}
