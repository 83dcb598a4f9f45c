//! `onex completions`: what a shell needs to complete commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::fault::{Exit, Fault};
use crate::print;

/// What `onex completions` takes.
#[derive(Debug, Args)]
#[command(after_help = "  onex completions bash > ~/.local/share/bash-completion/completions/onex")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let mut out = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "onex", &mut out);
    print::text(String::from_utf8_lossy(&out))?;
    Ok(Exit::Done)
}
