//! `onex publish`: one message, or many as JSON lines.

use std::sync::Arc;

use clap::Args;
use onex_expr::{Key, Value, json};

use super::{input, wait};
use crate::cli::{Host, Output};
use crate::client::Client;
use crate::fault::{Exit, Fault};
use crate::print;

/// Messages that go to the host at a time.
const BATCH: usize = 500;

/// Bytes that go to the host at a time, half of what it takes unless it is told otherwise.
const BATCH_BYTES: usize = 512 << 10;

/// What an envelope adds to a payload, roughly; a host that takes less says so.
const ENVELOPE_BYTES: usize = 256;

/// The status of a body that is too large.
const TOO_LARGE: u16 = 413;

/// A line of the input.
struct Line {
    /// From 1.
    number: usize,
    bytes: usize,
    message: Value,
}

/// What `onex publish` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex publish onex.evt.shop.order-placed.v1 --data '{\"order_id\": \"1\", \"lines\": []}'
  onex publish onex.evt.shop.order-placed.v1 --lines --data @orders.jsonl   a payload a line
  onex publish --lines < messages.jsonl                 {topic, payload, ...} a line
With --lines, refused lines are named and the others are published; exit code 4 then.
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
    let mut lines = Vec::new();
    for (index, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let number = index + 1;
        let value = input::parse(text)
            .map_err(|error| Fault::usage(format!("line {number} is no JSON: {error}")))?;
        let message = match &arguments.topic {
            Some(_) => arguments.message(value),
            None => value,
        };
        lines.push(Line { number, bytes: text.len() + ENVELOPE_BYTES, message });
    }
    let mut exit = Exit::Done;
    for batch in batches(&lines) {
        if !send(client, arguments, batch)? {
            exit = Exit::Refused;
        }
    }
    Ok(exit)
}

/// Parts that one request may hold.
fn batches(lines: &[Line]) -> impl Iterator<Item = &[Line]> {
    let mut left = lines;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = left.iter().take(BATCH).take_while(|line| {
            bytes += line.bytes;
            bytes <= BATCH_BYTES
        });
        // One that is too large alone is for the host to judge.
        let count = fits.count().max(1).min(left.len());
        let (batch, rest) = left.split_at(count);
        left = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Sends lines, in halves when they are too much for the host; whether all were taken.
fn send(client: &Client, arguments: &Arguments, lines: &[Line]) -> Result<bool, Fault> {
    let batch = Value::list(lines.iter().map(|line| line.message.clone()).collect());
    let answer = match wait(client.post("/v1/messages").body(batch).json()) {
        Ok(answer) => answer,
        Err(fault) if fault.status == Some(TOO_LARGE) => {
            return match lines {
                [line] => {
                    let error = Value::map([("detail", Value::text(fault.what))]);
                    let status = Value::Int(i64::from(TOO_LARGE));
                    let item = Value::map([("status", status), ("error", error)]);
                    arguments.show_line(line, &item)?;
                    Ok(false)
                }
                _ => {
                    let (first, second) = lines.split_at(lines.len() / 2);
                    let first = send(client, arguments, first)?;
                    Ok(send(client, arguments, second)? && first)
                }
            };
        }
        Err(fault) => {
            let from = lines.first().map_or(0, |line| line.number);
            let what = format!("line {from} and those after it were not published: {}", fault.what);
            return Err(Fault { what, ..fault });
        }
    };
    let items = answer.get("items").and_then(Value::as_list).unwrap_or_default();
    for (line, item) in lines.iter().zip(items) {
        arguments.show_line(line, item)?;
    }
    Ok(items.iter().all(|item| item.get("error").is_none()))
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

    fn show_line(&self, line: &Line, item: &Value) -> Result<(), Fault> {
        if let Some(error) = item.get("error").filter(|_| !self.output.is_json()) {
            let detail = error.get("detail").and_then(Value::as_str);
            let detail = detail.unwrap_or("no reason given");
            return print::line(format!("line {} refused: {detail}", line.number));
        }
        let number = i64::try_from(line.number).unwrap_or(i64::MAX);
        let fields = item.as_map().into_iter().flat_map(|map| map.iter());
        let fields = fields.map(|(name, value)| (name.clone(), value.clone()));
        let place = (Key::String("line".into()), Value::Int(number));
        self.show(&Value::Map(Arc::new(fields.chain([place]).collect())))
    }

    fn show(&self, answer: &Value) -> Result<(), Fault> {
        if self.output.is_json() {
            return print::value(answer);
        }
        let part = |name: &str| answer.get(name).map_or(String::new(), json::to_string);
        let id = part("id");
        print::line(format!("{} at offset {}", id.trim_matches('"'), part("offset")))
    }
}
