//! A workflow run.

use onex_expr::{Text, Value};
use onex_kernel::row::{Failure, RunStatus};
use onex_runtime::Started;
use onex_runtime::query::run::{Run, Step, has_ended};

use super::{count, digest, id, text, time, why};

/// A run as JSON.
pub fn value(run: &Run) -> Value {
    let head = &run.head;
    let parent = head.parent.as_ref().map(|(run, step)| {
        Value::map([("run_id", id(*run)), ("step", Value::String(step.clone()))])
    });
    Value::map([
        ("run_id", id(head.id)),
        ("node", Value::String(head.node.clone())),
        ("key", text(head.key.as_ref())),
        ("parent", parent.unwrap_or(Value::Null)),
        ("status", Value::text(head.status.as_str())),
        ("compensation", Value::text(head.compensation.as_str())),
        ("waits_for", Value::list(run.waits_for.iter().map(why::wait).collect())),
        ("input", head.input.clone()),
        ("result", head.result.clone()),
        ("error", head.error.as_ref().map_or(Value::Null, failure)),
        ("correlation_id", id(head.correlation_id)),
        ("contract_digest", digest(head.graph)),
        ("started_at", time::value(head.started_at)),
        ("ended_at", time::option(head.ended_at)),
        ("steps", Value::list(run.steps.iter().map(step).collect())),
    ])
}

/// The answer to a start: with result or error once the run has ended.
pub fn started(started: &Started) -> Value {
    let mut entries = vec![
        ("run_id", id(started.run_id)),
        ("node", Value::String(started.node.clone())),
        ("status", Value::text(started.status.as_str())),
        ("correlation_id", id(started.correlation_id)),
    ];
    if has_ended(started.status) {
        if started.status == RunStatus::Completed {
            entries.push(("result", started.result.clone()));
        }
        if let Some((code, message, step)) = &started.error {
            entries.push(("error", error(code, message, step.as_ref())));
        }
    }
    Value::map(entries)
}

fn step(step: &Step) -> Value {
    let row = &step.row;
    let items = row.items.as_ref().map(|items| {
        Value::map([
            ("total", count(items.total)),
            ("completed", count(items.completed)),
            ("failed", count(items.failed)),
        ])
    });
    Value::map([
        ("id", Value::String(step.id.clone())),
        ("status", Value::text(row.status.as_str())),
        ("attempts", count(step.attempts)),
        ("items", items.unwrap_or(Value::Null)),
        ("output", row.output.clone()),
        ("error", row.error.as_ref().map_or(Value::Null, failure)),
        ("started_at", time::option(row.started_at)),
        ("ended_at", time::option(row.ended_at)),
    ])
}

fn failure(failure: &Failure) -> Value {
    error(&failure.code, &failure.message, failure.step.as_ref())
}

fn error(code: &Text, message: &Text, step: Option<&Text>) -> Value {
    Value::map([
        ("code", Value::String(code.clone())),
        ("message", Value::String(message.clone())),
        ("step", text(step)),
    ])
}

/// The status that a word stands for.
pub fn read_status(word: &str) -> Option<RunStatus> {
    [
        RunStatus::Pending,
        RunStatus::Running,
        RunStatus::Paused,
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
    ]
    .into_iter()
    .find(|status| status.as_str() == word)
}
