//! `onex tail`: messages of the log, or the chain of causes of one of them.

use clap::Args;
use http_body_util::BodyExt;
use onex_expr::{Value, json};

use super::{input, wait};
use crate::cli::{Host, Output};
use crate::client::{Client, unreachable};
use crate::fault::{Exit, Fault};
use crate::print;

mod chain;

/// Messages that are asked for at a time.
const PAGE: usize = 1000;

/// What `onex tail` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex tail 'onex.evt.shop.**' --follow
  onex tail --from 1200 --limit 10 -o json
  onex tail --chain 018f...          why it came about, and everything that came of it
With --chain a line is a record, below the one that it came of, with the time that lies between;
`>` marks what was asked for. Looked for in the newest part of the log, or from --from on.")]
pub struct Arguments {
    /// Topics: `*` stands for one segment, `**` for any number
    pattern: Option<String>,
    /// Where to begin: an offset, `beginning`, or a time (default: beginning; with --follow, now)
    #[arg(long, value_name = "OFFSET")]
    from: Option<String>,
    /// How many messages at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Wait for more
    #[arg(short, long)]
    follow: bool,
    /// Causes and effects of this message, run, intent, dead letter or story
    #[arg(long, value_name = "ID", conflicts_with_all = ["pattern", "limit", "follow"])]
    chain: Option<String>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    if let Some(id) = &arguments.chain {
        wait(chain::tell(&client, id, arguments.from.as_ref(), arguments.output))?;
    } else if arguments.follow {
        wait(follow(&client, arguments))?;
    } else {
        wait(list(&client, arguments))?;
    }
    Ok(Exit::Done)
}

async fn list(client: &Client, arguments: &Arguments) -> Result<(), Fault> {
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    let mut after: Option<String> = None;
    while left > 0 {
        let first = after.is_none();
        let answer = client
            .get("/v1/log")
            .with("topic", arguments.pattern.as_ref())
            .with("from", arguments.from.as_ref().filter(|_| first))
            .with("after", after.as_ref())
            .with("limit", Some(left.min(PAGE)))
            .json()
            .await?;
        let items = answer.get("items").and_then(Value::as_list);
        for record in items.unwrap_or_default() {
            show(record, arguments.output)?;
            left = left.saturating_sub(1);
        }
        match answer.get("next").and_then(Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(())
}

async fn follow(client: &Client, arguments: &Arguments) -> Result<(), Fault> {
    let response = client
        .get("/v1/log")
        .with("follow", Some(true))
        .with("topic", arguments.pattern.as_ref())
        .with("from", arguments.from.as_ref())
        .with("limit", arguments.limit)
        .send()
        .await?;
    let mut body = response.into_body();
    let mut text: Vec<u8> = Vec::new();
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let Some(frame) = body.frame().await else {
            break;
        };
        let frame = frame.map_err(|error| unreachable(&arguments.host.url, &error.to_string()))?;
        if let Some(data) = frame.data_ref() {
            text.extend_from_slice(data);
        }
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            if let Some(data) = line.trim_ascii().strip_prefix(b"data:") {
                let record = input::parse(data.trim_ascii()).map_err(Fault::no)?;
                show(&record, arguments.output)?;
                left = left.saturating_sub(1);
            }
        }
    }
    if left > 0 && arguments.limit.is_none() {
        return Err(unreachable(&arguments.host.url, "the host ended the stream"));
    }
    Ok(())
}

fn show(record: &Value, output: Output) -> Result<(), Fault> {
    if output.is_json() {
        return print::value(record);
    }
    let text = |name: &str| match record.get(name) {
        Some(Value::String(text)) => text.to_string(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => json::to_string(other),
    };
    print::line(format!(
        "{:>8}  {}  {:<8} {}  {}",
        text("offset"),
        text("time"),
        text("category"),
        text("topic"),
        text("payload")
    ))
}
