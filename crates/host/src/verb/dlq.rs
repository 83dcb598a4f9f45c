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
    /// List dead letters: those that somebody has yet to do something about
    #[command(after_help = "\
  onex dlq list --node payment
  onex dlq list --status all -o json")]
    List(List),
    /// Print one with its message and every failed attempt
    Show(Show),
    /// Put letters back: the failed node gets the message again, with the same idempotency key
    #[command(after_help = "\
Each letter is held against the contracts of today first: its node, operation and subscription must
be there and the payload must fit. What does not is refused, says why, and stays as it is.
A filter takes the oldest 10000; say it again for more. Each redrive is a control record of the log.
  onex dlq redrive 018f... --dry-run                     what would happen
  onex dlq redrive --node payment --reason exhausted     everything that a repaired target refused
  onex dlq redrive --all --rate 20/s                     no faster than the target can take it
  onex dlq redrive 018f... --discarded                   one that was let go of")]
    Redrive(Redrive),
    /// Let letters go: they wait for nobody any more, and keep the reason
    #[command(after_help = "\
A discarded letter stays in the list of --status discarded, with the reason, and each discard is a
control record of the log. A run whose compensation is discarded stays `compensation: incomplete`:
what was not undone is nobody's task of onex any more.
  onex dlq discard 018f... --reason 'refunded by hand, ticket 4711'
  onex dlq discard --reason 'test data' --node payment --before 2026-01-31T00:00:00Z")]
    Discard(Discard),
}

/// Which letters.
#[derive(Debug, Args)]
pub struct Filter {
    /// Of this node
    #[arg(long)]
    node: Option<String>,
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
    /// Given up on for this reason, such as `exhausted`
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// `open`, `redriven`, `discarded` or `all`
    #[arg(long, default_value = "open", value_parser = ["open", "redriven", "discarded", "all"])]
    status: String,
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
    /// Given up on for this reason, such as `exhausted`
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Every open letter
    #[arg(long)]
    all: bool,
    /// Say what would happen, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also letters that were discarded
    #[arg(long)]
    discarded: bool,
    /// So many a second, minute or hour, such as 20/s
    #[arg(long, value_name = "N/s")]
    rate: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// What `onex dlq discard` takes.
#[derive(Debug, Args)]
pub struct Discard {
    /// Ids of letters
    #[arg(conflicts_with_all = ["node", "of_reason", "topic", "before", "all"])]
    ids: Vec<String>,
    /// Why they are let go of; it stays with them
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Given up on for this reason, such as `exhausted`
    #[arg(long, value_name = "REASON")]
    of_reason: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Every open letter
    #[arg(long)]
    all: bool,
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
        Command::Discard(arguments) => discard(arguments),
    }
}

fn letters(arguments: &List) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let filter = &arguments.filter;
    let ask = || {
        client
            .get("/v1/dlq")
            .with("node", filter.node.as_ref())
            .with("reason", arguments.reason.as_ref())
            .with("topic", filter.topic.as_ref())
            .with("before", filter.before.as_ref())
            .with("status", Some(&arguments.status))
    };
    let found = wait(list::fetch(arguments.limit, ask))?;
    let fields = ["id", "status", "reason", "node", "topic", "created_at", "detail"];
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
    let Redrive { ids, filter, reason, all, .. } = arguments;
    let which = filter.which(ids, reason.as_ref(), *all)?;
    if *all && !arguments.dry_run && !arguments.yes && !agreed("put every open dead letter back?")?
    {
        return Err(Fault::no("nothing was put back"));
    }
    let body = Value::map([
        which,
        ("dry_run", Value::Bool(arguments.dry_run)),
        ("discarded", Value::Bool(arguments.discarded)),
        ("rate", arguments.rate.as_deref().map_or(Value::Null, Value::text)),
    ]);
    let answer = wait(client.post("/v1/dlq:redrive").body(body).json())?;
    tell(&answer, arguments.output)
}

fn discard(arguments: &Discard) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let Discard { ids, filter, of_reason, all, .. } = arguments;
    let which = filter.which(ids, of_reason.as_ref(), *all)?;
    if *all && !arguments.yes && !agreed("let every open dead letter go?")? {
        return Err(Fault::no("nothing was discarded"));
    }
    let body = Value::map([which, ("reason", Value::text(arguments.reason.as_str()))]);
    let answer = wait(client.post("/v1/dlq:discard").body(body).json())?;
    tell(&answer, arguments.output)
}

/// Prints what became of the letters; refused ones make the exit code.
fn tell(answer: &Value, output: Output) -> Result<Exit, Fault> {
    list::show_one(answer, output)?;
    if answer.get("more") == Some(&Value::Bool(true)) {
        print::note("there are more: say it again");
    }
    let refused = answer.get("refused").and_then(Value::as_list);
    Ok(if refused.is_some_and(|refused| !refused.is_empty()) { Exit::Refused } else { Exit::Done })
}

impl Filter {
    /// The letters that are meant, as the host takes it.
    fn which(
        &self,
        ids: &[String],
        reason: Option<&String>,
        all: bool,
    ) -> Result<(&'static str, Value), Fault> {
        if !ids.is_empty() {
            let ids = ids.iter().map(|id| Value::text(id.as_str()));
            return Ok(("ids", Value::list(ids.collect())));
        }
        let filter = [
            ("node", self.node.as_ref()),
            ("reason", reason),
            ("topic", self.topic.as_ref()),
            ("before", self.before.as_ref()),
        ];
        let given: Vec<_> = filter
            .into_iter()
            .filter_map(|(name, value)| Some((name, Value::text(value?.as_str()))))
            .collect();
        if given.is_empty() && !all {
            return Err(Fault::usage("which letters?")
                .help("give ids, a filter such as --node payment, or --all"));
        }
        Ok(("filter", Value::map(given)))
    }
}

/// Asks a person; a program that gives no answer has said what it wants already.
fn agreed(question: &str) -> Result<bool, Fault> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    print::note(format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Fault::doing("reading stdin", error))?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
