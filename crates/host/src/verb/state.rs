//! `onex state`: entities of reducers.

use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::{list, wait};
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::config::unit;
use crate::fault::{Exit, Fault};

/// How long a state is waited for.
const UNTIL: Duration = Duration::from_secs(30);

/// How often an entity is looked at meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The status of an entity that does not exist.
const NOT_FOUND: u16 = 404;

/// The commands on entities.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List entities of a reducer
    List(List),
    /// Print one entity
    #[command(after_help = "\
  onex state get order 42 --min-offset 17     once the message at offset 17 is applied
  onex state get order 42 --until shipped     once it is shipped")]
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
    /// Answer once it is in this state; exit code 1 when it is not in time
    #[arg(long, value_name = "STATE", conflicts_with = "min_offset")]
    until: Option<String>,
    /// How long to wait for either, such as 5s (default: 30s for a state)
    #[arg(long, value_name = "TIME")]
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
        Command::Get(arguments) if arguments.until.is_some() => return until(arguments),
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

/// Asks until the entity is in a state.
fn until(arguments: &Get) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let (node, key) = (segment(&arguments.node), segment(&arguments.key));
    let path = format!("/v1/state/{node}/{key}");
    let most = match &arguments.wait {
        Some(text) => unit::read_duration(text)
            .ok_or_else(|| Fault::usage(format!("--wait is a span of time, not {text}")))?,
        None => UNTIL,
    };
    let began = Instant::now();
    loop {
        let asked = wait(client.get(path.as_str()).json());
        let state = asked.as_ref().ok().and_then(|found| found.get("state")?.as_str());
        let reached = state == arguments.until.as_deref();
        // Its first message may not be applied yet.
        let is_missing = asked.as_ref().is_err_and(|fault| fault.status == Some(NOT_FOUND));
        if reached || began.elapsed() >= most || (asked.is_err() && !is_missing) {
            list::show_one(&asked?, arguments.output)?;
            return Ok(if reached { Exit::Done } else { Exit::No });
        }
        thread::sleep(ASK_EVERY);
    }
}
