//! A log record.

use onex_expr::Value;
use onex_kernel::{Category, Message};
use onex_runtime::query::log::Record;

use super::{count, id, text, time};

/// A record as JSON.
pub fn value(record: &Record) -> Value {
    message(&record.message, Some(record.offset), Some(record.partition))
}

/// A message as JSON; its offset and partition where they are known.
pub fn message(message: &Message, offset: Option<u64>, partition: Option<u16>) -> Value {
    let topic = (!message.topic.is_empty()).then_some(&message.topic);
    Value::map([
        ("offset", offset.map_or(Value::Null, count)),
        ("partition", partition.map_or(Value::Null, count)),
        ("id", id(message.id)),
        ("topic", text(topic)),
        ("key", text(message.key.as_ref())),
        ("category", Value::text(category(message.category))),
        ("event_type", text(message.event_type.as_ref())),
        ("payload", message.payload.value.clone()),
        ("correlation_id", id(message.correlation_id)),
        ("causation_id", message.causation_id.map_or(Value::Null, id)),
        ("node", text(message.node.as_ref())),
        ("time", time::value(message.time)),
    ])
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Event => "event",
        Category::Command => "command",
        Category::Intent => "intent",
        Category::Outcome => "outcome",
        Category::Timer => "timer",
        Category::Control => "control",
    }
}
