//! The one door to everything that is done with this workspace: `cargo xtask`.

mod bench;
mod bundle;
mod demo;
mod install;
mod layering;
mod limiter;
mod machine;
mod test;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Tandem's tasks.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Mix and master the demo session through the built plugins, in a real plugin host, and report.
    Demo {
        /// Where the mix, the master and the report go.
        #[arg(long, default_value = "target/demo")]
        out: PathBuf,
        /// The session to render instead of the demo's.
        #[arg(long, default_value = "demo/session.toml")]
        session: PathBuf,
    },
    /// Measure the limiter on the demo's mix, in every style, with meters that are not ours.
    Limiter {
        /// Where the table goes.
        #[arg(long, default_value = "docs/limiter.md")]
        out: PathBuf,
    },
    /// Check everything: formatting, lints, layers, unit and contract tests, and the built bundles in hosts.
    Test,
    /// Measure what every stage costs on this machine, into a table: some minutes, best with nothing else running.
    Bench {
        /// Where the table goes.
        #[arg(long, default_value = "docs/speed.md")]
        out: PathBuf,
    },
    /// Build the four bundles into target/bundled.
    Bundle,
    /// Copy the four bundles into your plugin folders.
    Install,
    /// Measure the tables in docs anew, and write them.
    Tables,
    /// Remove the four bundles from your plugin folders.
    Uninstall,
}

/// Bad input; a promise that was not kept is 1.
const EXIT_BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = nice_plug_xtask::chdir_workspace_root().and_then(|()| match arguments.task {
        Task::Demo { out, session } => demo::run(&session, &out),
        Task::Limiter { out } => limiter::run(&out),
        Task::Test => test::run(),
        Task::Bench { out } => bench::run(&out),
        Task::Bundle => machine::prepare().and_then(|()| bundle::build()),
        Task::Install => machine::prepare().and_then(|()| bundle::build()).and_then(|()| install::install()),
        Task::Tables => test::write_tables(),
        Task::Uninstall => install::uninstall(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            let bad_input = error.downcast_ref::<tandem_render::fault::Fault>().is_some();
            ExitCode::from(if bad_input { EXIT_BAD_INPUT } else { 1 })
        }
    }
}
