//! An entity of a reducer.

use onex_expr::Value;
use onex_runtime::query::entity::Entity;

use super::{count, time};

/// An entity as JSON.
pub fn value(entity: &Entity) -> Value {
    let row = &entity.row;
    let refusal = row.last_refusal.as_ref().map(|refused| {
        Value::map([
            ("offset", count(refused.offset)),
            ("trigger", Value::String(refused.trigger.clone())),
            ("guard", Value::String(refused.guard.clone())),
        ])
    });
    Value::map([
        ("node", Value::String(entity.node.clone())),
        ("key", Value::String(entity.key.clone())),
        ("state", Value::String(row.state.clone())),
        ("data", row.data.clone()),
        ("version", count(row.version)),
        ("offset", count(row.offset)),
        ("since", time::value(row.since)),
        ("timer", time::option(row.timer.map(|timer| timer.due))),
        ("last_refusal", refusal.unwrap_or(Value::Null)),
        ("updated_at", time::value(row.updated_at)),
        ("terminal", Value::Bool(entity.terminal)),
    ])
}
