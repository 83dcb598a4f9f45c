//! `onex workflow`: starts, lists, describes, cancels and retries runs.

use clap::{Args, Subcommand};
use onex_expr::Value;

use super::{input, list, wait};
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::fault::{Exit, Fault};

/// The commands on runs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a run
    #[command(after_help = "\
  onex workflow start fulfil_order --input '{\"order_id\": \"1\"}' --wait 30s
Exit code 1 when the run has failed or was cancelled.")]
    Start(Start),
    /// List runs
    List(List),
    /// Print a run with its steps and what it waits for
    Describe(Describe),
    /// Cancel a run: attempts under way end, then what was done is undone
    Cancel(One),
    /// Retry a failed or cancelled run from where it failed
    Retry(One),
}

/// What `onex workflow start` takes.
#[derive(Debug, Args)]
pub struct Start {
    /// The orchestrator
    node: String,
    /// The run's input: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON|@FILE|-", default_value = "{}")]
    input: String,
    /// How long to wait for its end, such as 30s
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
    /// The story it belongs to
    #[arg(long, value_name = "UUID")]
    correlation_id: Option<String>,
    /// The same key begins the same run only once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex workflow list` takes.
#[derive(Debug, Args)]
pub struct List {
    /// Of this orchestrator
    #[arg(long)]
    node: Option<String>,
    /// pending, running, paused, completed, failed or cancelled
    #[arg(long)]
    status: Option<String>,
    /// With this value of `run_key`
    #[arg(long)]
    key: Option<String>,
    /// Of this story
    #[arg(long, value_name = "UUID")]
    correlation_id: Option<String>,
    /// Begun after this time
    #[arg(long, value_name = "TIME")]
    started_after: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex workflow describe` takes.
#[derive(Debug, Args)]
pub struct Describe {
    /// The run's id
    run_id: String,
    /// How long to wait for its end, such as 30s
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What commands on one run take.
#[derive(Debug, Args)]
pub struct One {
    /// The run's id
    run_id: String,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(command: &Command) -> Result<Exit, Fault> {
    match command {
        Command::Start(arguments) => start(arguments),
        Command::List(arguments) => runs(arguments),
        Command::Describe(arguments) => describe(arguments),
        Command::Cancel(arguments) => steer(arguments, "cancel"),
        Command::Retry(arguments) => steer(arguments, "retry"),
    }
}

fn start(arguments: &Start) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let ask = client
        .post(format!("/v1/workflows/{}", segment(&arguments.node)))
        .with("wait", arguments.wait.as_ref())
        .header("Correlation-Id", arguments.correlation_id.as_deref())
        .header("Idempotency-Key", arguments.idempotency_key.as_deref())
        .body(input::value("--input", &arguments.input)?);
    let answer = wait(ask.json())?;
    list::show_one(&answer, arguments.output)?;
    Ok(exit_of(&answer))
}

fn runs(arguments: &List) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let ask = || {
        client
            .get("/v1/workflows")
            .with("node", arguments.node.as_ref())
            .with("status", arguments.status.as_ref())
            .with("key", arguments.key.as_ref())
            .with("correlation_id", arguments.correlation_id.as_ref())
            .with("started_after", arguments.started_after.as_ref())
    };
    let found = wait(list::fetch(arguments.limit, ask))?;
    let fields = ["run_id", "node", "status", "compensation", "started_at", "ended_at"];
    list::show(&found, fields, arguments.output)?;
    Ok(Exit::Done)
}

fn describe(arguments: &Describe) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let ask = client
        .get(format!("/v1/workflows/{}", segment(&arguments.run_id)))
        .with("wait", arguments.wait.as_ref());
    list::show_one(&wait(ask.json())?, arguments.output)?;
    Ok(Exit::Done)
}

fn steer(arguments: &One, verb: &str) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let run = segment(&arguments.run_id);
    let ask = client.post(format!("/v1/workflows/{run}:{verb}"));
    list::show_one(&wait(ask.json())?, arguments.output)?;
    Ok(Exit::Done)
}

/// A run that failed is an answer that is no.
fn exit_of(answer: &Value) -> Exit {
    match answer.get("status").and_then(Value::as_str) {
        Some("failed" | "cancelled") => Exit::No,
        _ => Exit::Done,
    }
}
