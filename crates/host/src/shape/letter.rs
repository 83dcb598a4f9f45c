//! A dead letter.

use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::row::Letter;

use super::{digest, id, record, text, time};

/// A dead letter as JSON.
pub fn value(letter: &Letter) -> Value {
    let attempts = letter.attempts.iter().map(|attempt| {
        Value::map([
            ("at", time::value(attempt.at)),
            ("error", Value::String(attempt.error.clone())),
        ])
    });
    let message = &letter.message;
    let topic = (!message.topic.is_empty()).then_some(&message.topic);
    Value::map([
        ("id", id(letter.id)),
        ("reason", Value::text(letter.reason.as_str())),
        ("detail", Value::String(letter.detail.clone())),
        ("node", text(letter.node.as_ref())),
        ("operation", text(letter.operation.as_ref())),
        ("run_id", letter.run_id.map_or(Value::Null, id)),
        ("step", text(letter.step.as_ref())),
        ("topic", text(topic)),
        ("message", record::message(message, Some(letter.offset), None)),
        ("attempts", Value::list(attempts.collect())),
        ("contract_digest", digest(letter.graph)),
        ("created_at", time::value(letter.created_at)),
        ("redriven_at", time::option(letter.redriven_at)),
    ])
}

/// The answer to a redrive. A reason is a list of findings, each with a message.
pub fn redriven(redriven: &[Id], refused: &[(Id, String)]) -> Value {
    let refused = refused.iter().map(|(letter, why)| {
        let finding = Value::map([("message", Value::text(why.as_str()))]);
        Value::map([("id", id(*letter)), ("diagnostics", Value::list(vec![finding]))])
    });
    Value::map([
        ("redriven", Value::list(redriven.iter().copied().map(id).collect())),
        ("refused", Value::list(refused.collect())),
    ])
}
