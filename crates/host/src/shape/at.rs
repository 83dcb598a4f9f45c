//! States of a moment.

use onex_expr::Value;
use onex_runtime::query::at::{Answer, State};

use super::{count, entity, run, time, with};

/// States as JSON.
pub fn value(answer: &Answer) -> Value {
    Value::map([
        ("offset", count(answer.offset)),
        ("time", time::value(answer.time)),
        ("items", Value::list(answer.states.iter().map(state).collect())),
        ("next", answer.next.as_deref().map_or(Value::Null, Value::text)),
    ])
}

/// An entity or a run, and which of them it is.
fn state(state: &State) -> Value {
    let (kind, value) = match state {
        State::Entity(entity) => ("entity", entity::value(entity)),
        State::Run(run) => ("run", run::value(run)),
    };
    with(&value, [("kind", Value::text(kind))])
}
