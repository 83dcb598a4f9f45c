//! `onex check`: every finding of every contract and of the whole system.

use std::path::PathBuf;

use clap::Args;
use onex_contract::diagnostic::{Severity, json, sarif};
use onex_contract::graph::Kind;
use onex_expr::Value;

use crate::config::{Config, ConfigError};
use crate::fault::{Exit, Fault};
use crate::print;
use crate::system::{System, misread};

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: excerpt, place, remedy
    Human,
    /// For programs
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

/// What `onex check` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code 1 when there is an error. Warnings and notes do not stop a start.
  onex check                      contracts of this folder
  onex check contracts -o json    for programs")]
pub struct Arguments {
    /// Contract files, or folders with contracts
    #[arg(default_value = ".")]
    path: Vec<PathBuf>,
    /// How findings are printed
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value = "human",
        value_name = "FORMAT"
    )]
    format: Format,
    /// Configuration file (default: `onex.toml` beside the path)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let first = arguments.path.first().cloned().unwrap_or_default();
    let system = match Config::load(&first, arguments.config.as_deref(), Vec::new()) {
        Ok(config) => System::load(&arguments.path, &config, false)?,
        Err(ConfigError::Wrong(wrong)) => System::unread(&wrong),
        Err(error) => return Err(misread(error)),
    };
    match arguments.format {
        Format::Human => human(&system)?,
        Format::Json => print::value(&report(&system))?,
        Format::Sarif => {
            print::value(&sarif::log(&system.checked.diagnostics, env!("CARGO_PKG_VERSION")))?
        }
    }
    Ok(if system.count(Severity::Error) == 0 { Exit::Done } else { Exit::No })
}

fn human(system: &System) -> Result<(), Fault> {
    let findings = system.findings(print::has_colour());
    if !findings.is_empty() {
        print::line(findings)?;
    }
    print::line(summary(system))
}

/// One line: how many of what.
pub fn summary(system: &System) -> String {
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    [
        plural(system.checked.nodes.len(), "contract"),
        plural(system.count(Severity::Error), "error"),
        plural(system.count(Severity::Warning), "warning"),
        plural(system.count(Severity::Note), "note"),
    ]
    .join(", ")
}

fn report(system: &System) -> Value {
    let count = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let summary = Value::map([
        ("contracts", count(system.checked.nodes.len())),
        ("errors", count(system.count(Severity::Error))),
        ("warnings", count(system.count(Severity::Warning))),
        ("notes", count(system.count(Severity::Note))),
    ]);
    let diagnostics = system.checked.diagnostics.iter().map(json::value).collect();
    let nodes = system.checked.nodes.iter().map(|node| {
        Value::map([
            ("name", Value::text(node.name.as_str())),
            ("kind", node.kind.map_or(Value::Null, |kind| Value::text(word(kind)))),
            ("dialect", Value::text(node.dialect)),
            ("status", Value::text(node.status)),
            ("quarantined", node.cause.as_deref().map_or(Value::Null, Value::text)),
        ])
    });
    Value::map([
        ("summary", summary),
        ("diagnostics", Value::list(diagnostics)),
        ("nodes", Value::list(nodes.collect())),
    ])
}

/// The word for a kind of node.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Effect => "effect",
        Kind::Compute => "compute",
        Kind::Reducer => "reducer",
        Kind::Orchestrator => "orchestrator",
    }
}
