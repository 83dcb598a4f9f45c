//! A dead letter.

use onex_expr::Value;
use onex_kernel::row::{Letter, LetterStatus};
use onex_runtime::handle::letters::Outcome;

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
        ("discarded_at", time::option(letter.discarded.as_ref().map(|discarded| discarded.at))),
        ("discard_reason", text(letter.discarded.as_ref().map(|discarded| &discarded.reason))),
        ("status", Value::text(letter.status().as_str())),
    ])
}

/// What was done with letters, under the word for it. A reason is a list of findings, each with a
/// message.
pub fn outcome(done: &'static str, outcome: &Outcome, more: bool) -> Value {
    let refused = outcome.refused.iter().map(|(letter, why)| {
        let finding = Value::map([("message", Value::text(why.as_str()))]);
        Value::map([("id", id(*letter)), ("diagnostics", Value::list(vec![finding]))])
    });
    Value::map([
        (done, Value::list(outcome.done.iter().copied().map(id).collect())),
        ("refused", Value::list(refused.collect())),
        ("more", Value::Bool(more)),
    ])
}

/// The status that a word stands for.
pub fn read_status(word: &str) -> Option<LetterStatus> {
    LetterStatus::ALL.into_iter().find(|status| status.as_str() == word)
}
