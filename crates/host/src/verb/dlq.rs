//! `onex dlq`: dead letters.

use std::io::{self, BufRead, IsTerminal};

use clap::{Args, Subcommand};
use onex_expr::Value;

use super::{list, wait};
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::fault::{Exit, Fault};
use crate::print;

/// The commands on dead letters.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List dead letters
    List(List),
    /// Print one with its message and every failed attempt
    Show(Show),
    /// Put letters back: the failed node gets the message again, with the same idempotency key
    #[command(after_help = "\
  onex dlq redrive 018f... --dry-run
  onex dlq redrive --node payment --reason exhausted")]
    Redrive(Redrive),
}

/// Which letters.
#[derive(Debug, Args)]
pub struct Filter {
    /// Of this node
    #[arg(long)]
    node: Option<String>,
    /// With this reason
    #[arg(long)]
    reason: Option<String>,
    /// About messages whose topic fits this pattern
    #[arg(long, value_name = "PATTERN")]
    topic: Option<String>,
    /// Written before this time
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
}

/// What `onex dlq list` takes.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    filter: Filter,
    /// How many at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex dlq show` takes.
#[derive(Debug, Args)]
pub struct Show {
    /// The letter's id
    id: String,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex dlq redrive` takes.
#[derive(Debug, Args)]
pub struct Redrive {
    /// Ids of letters
    #[arg(conflicts_with_all = ["node", "reason", "topic", "before", "all"])]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// Every open letter
    #[arg(long)]
    all: bool,
    /// Say what would happen, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(command: &Command) -> Result<Exit, Fault> {
    match command {
        Command::List(arguments) => letters(arguments),
        Command::Show(arguments) => show(arguments),
        Command::Redrive(arguments) => redrive(arguments),
    }
}

fn letters(arguments: &List) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let filter = &arguments.filter;
    let ask = || {
        client
            .get("/v1/dlq")
            .with("node", filter.node.as_ref())
            .with("reason", filter.reason.as_ref())
            .with("topic", filter.topic.as_ref())
            .with("before", filter.before.as_ref())
    };
    let found = wait(list::fetch(arguments.limit, ask))?;
    let fields = ["id", "reason", "node", "topic", "created_at", "redriven_at", "detail"];
    list::show(&found, fields, arguments.output)?;
    Ok(Exit::Done)
}

fn show(arguments: &Show) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let ask = client.get(format!("/v1/dlq/{}", segment(&arguments.id)));
    list::show_one(&wait(ask.json())?, arguments.output)?;
    Ok(Exit::Done)
}

fn redrive(arguments: &Redrive) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let which = arguments.which()?;
    if arguments.all && !arguments.dry_run && !arguments.yes && !agreed()? {
        return Err(Fault::no("nothing was put back"));
    }
    let body = Value::map([which, ("dry_run", Value::Bool(arguments.dry_run))]);
    let answer = wait(client.post("/v1/dlq:redrive").body(body).json())?;
    list::show_one(&answer, arguments.output)?;
    let refused = answer.get("refused").and_then(Value::as_list);
    Ok(if refused.is_some_and(|refused| !refused.is_empty()) { Exit::Refused } else { Exit::Done })
}

impl Redrive {
    fn which(&self) -> Result<(&'static str, Value), Fault> {
        if !self.ids.is_empty() {
            let ids = self.ids.iter().map(|id| Value::text(id.as_str()));
            return Ok(("ids", Value::list(ids.collect())));
        }
        let filter = [
            ("node", &self.filter.node),
            ("reason", &self.filter.reason),
            ("topic", &self.filter.topic),
            ("before", &self.filter.before),
        ];
        let given: Vec<_> = filter
            .into_iter()
            .filter_map(|(name, value)| Some((name, Value::text(value.as_deref()?))))
            .collect();
        if given.is_empty() && !self.all {
            return Err(Fault::usage("which letters?")
                .help("give ids, a filter such as --node payment, or --all"));
        }
        Ok(("filter", Value::map(given)))
    }
}

/// Asks a person; a program that gives no answer has said what it wants already.
fn agreed() -> Result<bool, Fault> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    print::note("put every open dead letter back? [y/N]");
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Fault::doing("reading stdin", error))?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
