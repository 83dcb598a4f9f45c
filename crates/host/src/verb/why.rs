//! `onex why`: what something waits for, since when, and how it came to be.

use clap::Args;
use onex_expr::Value;

use super::list::cell;
use super::wait;
use crate::cli::{Host, Output};
use crate::client::{Client, segment};
use crate::fault::{Exit, Fault};
use crate::print;

/// What `onex why` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex why 018f6f7e-...      a run, intent, message or dead letter
  onex why order/42          an entity
  onex why 42                every entity with this key")]
pub struct Arguments {
    /// A run, intent, message or letter id, NODE/KEY, or an entity's key
    id: String,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    let ask = client.get(format!("/v1/why/{}", segment(&arguments.id)));
    let answer = wait(ask.json())?;
    if arguments.output.is_json() {
        print::value(&answer)?;
        return Ok(Exit::Done);
    }
    match answer.get("items").and_then(Value::as_list) {
        Some(items) => items.iter().try_for_each(tell)?,
        None => tell(&answer)?,
    }
    Ok(Exit::Done)
}

fn tell(why: &Value) -> Result<(), Fault> {
    print::line(format!(
        "{} {} is {} since {}",
        cell(why, "kind"),
        cell(why, "id"),
        cell(why, "status"),
        cell(why, "since")
    ))?;
    let list = |name: &str| why.get(name).and_then(Value::as_list).unwrap_or_default();
    let waits = list("waits_for");
    if waits.is_empty() {
        print::line("  waits for nothing")?;
    }
    for wait in waits {
        let until = match wait.get("until") {
            Some(Value::String(until)) => format!(", until {until}"),
            _ => String::new(),
        };
        let topic = match wait.get("topic") {
            Some(Value::String(topic)) => format!(" ({topic})"),
            _ => String::new(),
        };
        print::line(format!(
            "  waits for a {}: {}{topic}{until}",
            cell(wait, "kind"),
            cell(wait, "detail")
        ))?;
    }
    for (index, record) in list("chain").iter().enumerate() {
        print::line(format!(
            "  {} {:>8}  {}  {:<8} {}",
            if index == 0 { "comes of" } else { "    from" },
            cell(record, "offset"),
            cell(record, "time"),
            cell(record, "category"),
            cell(record, "topic")
        ))?;
    }
    Ok(())
}
