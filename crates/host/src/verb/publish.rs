//! `onex publish`: one message, or many as JSON lines.

use clap::Args;
use onex_expr::{Value, json};

use super::{input, wait};
use crate::cli::{Host, Output};
use crate::client::Client;
use crate::fault::{Exit, Fault};
use crate::print;

/// Messages that go to the host at a time.
const BATCH: usize = 500;

/// What `onex publish` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex publish onex.evt.shop.order-placed.v1 --data '{\"order_id\": \"1\", \"lines\": []}'
  onex publish onex.evt.shop.order-placed.v1 --lines --data @orders.jsonl   a payload a line
  onex publish --lines < messages.jsonl                 {topic, payload, ...} a line
The same --id with the same content again changes nothing.")]
pub struct Arguments {
    /// The topic; without one, `--lines` reads whole messages
    #[arg(required_unless_present = "lines")]
    topic: Option<String>,
    /// The payload: JSON, @FILE, or - for stdin (default: {}, with --lines stdin)
    #[arg(long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
    /// The key that keeps messages together
    #[arg(long)]
    key: Option<String>,
    /// The message's id; made when absent
    #[arg(long, value_name = "UUID", conflicts_with = "lines")]
    id: Option<String>,
    /// The story it belongs to
    #[arg(long, value_name = "UUID")]
    correlation_id: Option<String>,
    /// Read JSON lines
    #[arg(long)]
    lines: bool,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let client = Client::new(&arguments.host.url)?;
    if arguments.lines {
        return lines(&client, arguments);
    }
    let given = arguments.data.as_deref().unwrap_or("{}");
    let message = arguments.message(input::value("--data", given)?);
    let answer = wait(client.post("/v1/messages").body(message).json())?;
    arguments.show(&answer)?;
    Ok(Exit::Done)
}

fn lines(client: &Client, arguments: &Arguments) -> Result<Exit, Fault> {
    let bytes = input::bytes(arguments.data.as_deref().unwrap_or("-"))?;
    let mut messages = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value = input::parse(line)
            .map_err(|error| Fault::usage(format!("line {} is no JSON: {error}", index + 1)))?;
        messages.push(match &arguments.topic {
            Some(_) => arguments.message(value),
            None => value,
        });
    }
    let mut exit = Exit::Done;
    for batch in messages.chunks(BATCH) {
        let batch = Value::list(batch.to_vec());
        let answer = wait(client.post("/v1/messages").body(batch).json())?;
        for item in answer.get("items").and_then(Value::as_list).unwrap_or_default() {
            if item.get("error").is_some() {
                exit = Exit::Refused;
            }
            arguments.show(item)?;
        }
    }
    Ok(exit)
}

impl Arguments {
    fn message(&self, payload: Value) -> Value {
        let fields = [
            ("topic", &self.topic),
            ("key", &self.key),
            ("id", &self.id),
            ("correlation_id", &self.correlation_id),
        ];
        let given = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, Value::text(value.as_deref()?))));
        Value::map(given.chain([("payload", payload)]))
    }

    fn show(&self, answer: &Value) -> Result<(), Fault> {
        if self.output.is_json() {
            return print::value(answer);
        }
        if let Some(error) = answer.get("error") {
            let detail = error.get("detail").and_then(Value::as_str);
            return print::line(format!("refused: {}", detail.unwrap_or("no reason given")));
        }
        let part = |name: &str| answer.get(name).map_or(String::new(), json::to_string);
        let id = part("id");
        print::line(format!("{} at offset {}", id.trim_matches('"'), part("offset")))
    }
}
