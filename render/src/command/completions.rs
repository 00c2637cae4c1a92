//! `tandem completions`.

use super::{Outcome, print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use tandem_render::fault::Result;

/// Print completions for a shell
#[derive(Args)]
#[command(after_help = "Example: tandem completions bash > ~/.local/share/bash-completion/completions/tandem")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints the shell's script.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let mut script = vec![];
    clap_complete::generate(arguments.shell, &mut crate::Arguments::command(), "tandem", &mut script);
    print(&String::from_utf8_lossy(&script));
    Ok(Outcome::Good)
}
