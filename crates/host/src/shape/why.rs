//! Why something stands where it stands.

use onex_expr::Value;
use onex_runtime::query::wait::Wait;
use onex_runtime::query::why::Why;

use super::{record, text, time};

/// An answer as JSON.
pub fn value(why: &Why) -> Value {
    Value::map([
        ("id", Value::text(why.id.as_str())),
        ("kind", Value::text(why.kind)),
        ("status", Value::text(why.status.as_str())),
        ("since", time::value(why.since)),
        ("waits_for", Value::list(why.waits_for.iter().map(wait).collect())),
        ("chain", Value::list(why.chain.iter().map(record::value).collect())),
    ])
}

/// One thing that is waited for.
pub fn wait(wait: &Wait) -> Value {
    Value::map([
        ("kind", Value::text(wait.kind)),
        ("until", time::option(wait.until)),
        ("topic", text(wait.topic.as_ref())),
        ("detail", Value::text(wait.detail.as_str())),
    ])
}
