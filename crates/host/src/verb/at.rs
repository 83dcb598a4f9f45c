//! `onex at`: every state as it was once a record was applied, of a running host or of a data folder
//! that no host has open.

use std::path::{Path, PathBuf};

use clap::Args;
use onex_expr::{Text, Value};
use onex_runtime::query::QueryError;
use onex_runtime::query::at::{Ask, AtRest};

use super::list::cell;
use super::wait;
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::compose;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::shape;

/// States that are asked for at a time: each part is one look at the whole log.
const PAGE: usize = 10_000;

/// What `onex at` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The state at an offset is what there was once its record, and none behind it, was applied. It is read
from results that the log keeps; no contract is executed again. What the log keeps no more cannot be
told: `not retained before OFFSET`. With -o json a line is a state: an entity or a run, as of
`onex state get` and `onex workflow describe`, and its `kind`.
  onex at 4711 --node order --key 42       one entity
  onex at 4711 -o json                     everything there was
  onex at 4711 --data /var/lib/onex        of a host that is stopped")]
pub struct Arguments {
    /// The last record that is applied
    offset: u64,
    /// Of this reducer or orchestrator
    #[arg(long)]
    node: Option<String>,
    /// With this entity key, or value of a run's `run_key`
    #[arg(long)]
    key: Option<String>,
    /// How many states at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// The data folder of a host that is stopped
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    match &arguments.data {
        Some(folder) => at_rest(arguments, folder)?,
        None => running(arguments)?,
    }
    Ok(Exit::Done)
}

fn running(arguments: &Arguments) -> Result<(), Fault> {
    let client = Client::new(&arguments.host.url)?;
    let path = format!("/v1/at/{}", segment(&arguments.offset.to_string()));
    each_part(arguments, |after, limit| {
        let ask = client.get(path.as_str()).with("node", arguments.node.as_ref());
        let ask = ask.with("key", arguments.key.as_ref());
        wait(ask.with("limit", Some(limit)).with("after", after).json())
    })
}

fn at_rest(arguments: &Arguments, folder: &Path) -> Result<(), Fault> {
    let past = AtRest::open(compose::at_rest(folder)?, compose::restore()).map_err(refused)?;
    each_part(arguments, |after, limit| {
        let text = |given: &Option<String>| given.as_deref().map(Text::from);
        let ask = Ask {
            offset: arguments.offset,
            node: text(&arguments.node),
            key: text(&arguments.key),
            after: after.map(str::to_owned),
            limit,
        };
        Ok(shape::at::value(&past.at(&ask).map_err(refused)?))
    })
}

fn refused(error: QueryError) -> Fault {
    Fault::new(Exit::Refused, error.to_string())
}

/// Shows one part after the other, so that neither side holds everything at once.
fn each_part(
    arguments: &Arguments,
    mut ask: impl FnMut(Option<&str>, usize) -> Result<Value, Fault>,
) -> Result<(), Fault> {
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    let mut after: Option<String> = None;
    let (mut shown, mut begun) = (0, false);
    while left > 0 {
        let answer = ask(after.as_deref(), left.min(PAGE))?;
        if !arguments.output.is_json() && !std::mem::replace(&mut begun, true) {
            print::line(format!("at {}, {}", cell(&answer, "offset"), cell(&answer, "time")))?;
        }
        let states = answer.get("items").and_then(Value::as_list).unwrap_or_default();
        states.iter().try_for_each(|state| show(state, arguments.output))?;
        shown += states.len();
        left -= states.len().min(left);
        after = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            break;
        }
        if print::has_reader() {
            print::note(format!("{shown} states so far"));
        }
    }
    if shown == 0 && !arguments.output.is_json() {
        print::note("there were none");
    }
    Ok(())
}

fn show(state: &Value, output: Output) -> Result<(), Fault> {
    if output.is_json() {
        return print::value(state);
    }
    let text = |name: &str| cell(state, name);
    if state.get("kind").and_then(Value::as_str) == Some("run") {
        return print::line(format!(
            "run     {} {}  {}  since {}",
            text("node"),
            text("run_id"),
            text("status"),
            text("started_at")
        ));
    }
    print::line(format!(
        "entity  {}/{}  {}  version {}  {}",
        text("node"),
        text("key"),
        text("state"),
        text("version"),
        text("data")
    ))
}
