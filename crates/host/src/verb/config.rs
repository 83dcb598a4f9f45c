//! `onex config print`: every effective value and where it came from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use onex_expr::{Value, json};

use crate::cli::Output;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::system::configure;

/// The commands on configuration.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every effective value and where it came from
    #[command(after_help = "\
Every key of the file has a form in the environment: `[server] listen` is ONEX_SERVER__LISTEN.
The command line wins over the environment, the environment over the file.")]
    Print(Arguments),
}

/// What `onex config print` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the contracts are: `onex.toml` is beside them
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Configuration file (default: `onex.toml` beside the path)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(command: &Command) -> Result<Exit, Fault> {
    let Command::Print(arguments) = command;
    let config = configure(&arguments.path, arguments.config.as_deref(), Vec::new())?;
    let mut settings = config.settings;
    settings.sort_by(|a, b| a.key.cmp(&b.key));
    if arguments.output.is_json() {
        let items = settings.iter().map(|setting| {
            Value::map([
                ("key", Value::text(setting.key.as_str())),
                ("value", setting.value.clone()),
                ("origin", Value::text(setting.origin.to_string())),
            ])
        });
        print::value(&Value::map([
            ("items", Value::list(items.collect())),
            ("next", Value::Null),
        ]))?;
    } else {
        let rows = settings.iter().map(|setting| {
            [setting.key.clone(), json::to_string(&setting.value), setting.origin.to_string()]
        });
        print::table(["key", "value", "from"], rows.collect())?;
    }
    Ok(Exit::Done)
}
