//! `onex state`: entities of reducers.

use clap::{Args, Subcommand};

use super::{list, wait};
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::fault::{Exit, Fault};

/// The commands on entities.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List entities of a reducer
    List(List),
    /// Print one entity
    #[command(after_help = "\
  onex state get order 42 --min-offset 17     once the message at offset 17 is applied")]
    Get(Get),
}

/// What `onex state list` takes.
#[derive(Debug, Args)]
pub struct List {
    /// The reducer
    node: String,
    /// Only those in this state
    #[arg(long)]
    state: Option<String>,
    /// Count them by state instead
    #[arg(long, conflicts_with_all = ["state", "limit"])]
    count: bool,
    /// How many at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex state get` takes.
#[derive(Debug, Args)]
pub struct Get {
    /// The reducer
    node: String,
    /// The entity's key
    key: String,
    /// Answer once this offset is applied
    #[arg(long, value_name = "OFFSET")]
    min_offset: Option<u64>,
    /// How long to wait for that, such as 5s
    #[arg(long, value_name = "TIME", requires = "min_offset")]
    wait: Option<String>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(command: &Command) -> Result<Exit, Fault> {
    match command {
        Command::List(arguments) => entities(arguments)?,
        Command::Get(arguments) => get(arguments)?,
    }
    Ok(Exit::Done)
}

fn entities(arguments: &List) -> Result<(), Fault> {
    let client = Client::new(&arguments.host.url)?;
    let path = format!("/v1/state/{}", segment(&arguments.node));
    if arguments.count {
        let ask = client.get(path).with("count_by", Some("state"));
        return list::show_one(&wait(ask.json())?, arguments.output);
    }
    let ask = || client.get(path.as_str()).with("state", arguments.state.as_ref());
    let found = wait(list::fetch(arguments.limit, ask))?;
    let fields = ["key", "state", "version", "since", "timer", "data"];
    list::show(&found, fields, arguments.output)
}

fn get(arguments: &Get) -> Result<(), Fault> {
    let client = Client::new(&arguments.host.url)?;
    let (node, key) = (segment(&arguments.node), segment(&arguments.key));
    let ask = client
        .get(format!("/v1/state/{node}/{key}"))
        .with("min_offset", arguments.min_offset)
        .with("wait", arguments.wait.as_ref());
    list::show_one(&wait(ask.json())?, arguments.output)
}
