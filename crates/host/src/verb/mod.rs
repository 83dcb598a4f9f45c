//! One file a command: its arguments, and what it does.

pub mod at;
pub mod backup;
pub mod bench;
pub mod census;
pub mod check;
pub mod completions;
pub mod config;
pub mod diff;
pub mod dlq;
pub mod doctor;
pub mod eval;
pub mod explain;
pub mod graph;
mod input;
mod list;
pub mod new;
pub mod publish;
pub mod restore;
pub mod run;
pub mod schema;
pub mod show;
pub mod state;
pub mod tail;
pub mod why;
pub mod workflow;

use std::future::Future;

use crate::cli::Command;
use crate::fault::{Exit, Fault};

/// Does what a command says.
pub fn run(command: Command) -> Result<Exit, Fault> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Census(arguments) => census::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Tail(arguments) => tail::run(&arguments),
        Command::Workflow(command) => workflow::run(&command),
        Command::State(command) => state::run(&command),
        Command::Dlq(command) => dlq::run(&command),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::At(arguments) => at::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Runs a command that talks to a host.
fn wait<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::doing("starting", error))?
        .block_on(work)
}
