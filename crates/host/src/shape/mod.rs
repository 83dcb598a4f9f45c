//! What things look like as JSON, on the port and in `-o json` alike: one file a thing.

pub mod at;
pub mod chain;
pub mod contract;
pub mod entity;
pub mod health;
pub mod letter;
pub mod record;
pub mod run;
pub mod time;
pub mod why;

use onex_contract::graph::GraphId;
use onex_expr::{Key, Text, Value};
use onex_kernel::Id;
use onex_runtime::query::Page;

/// An id.
pub fn id(id: Id) -> Value {
    Value::text(id.to_string())
}

/// A text, or null.
pub fn text(text: Option<&Text>) -> Value {
    text.map_or(Value::Null, |text| Value::String(text.clone()))
}

/// A count. JSON numbers end where i64 does.
pub fn count(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

/// The digest of a graph.
pub fn digest(graph: GraphId) -> Value {
    Value::text(graph.to_string())
}

/// A thing with more fields.
fn with<const N: usize>(thing: &Value, more: [(&'static str, Value); N]) -> Value {
    let mut map = thing.as_map().cloned().unwrap_or_default();
    for (name, value) in more {
        map.insert(Key::String(name.into()), value);
    }
    Value::Map(map.into())
}

/// A list.
pub fn page<T>(page: &Page<T>, shape: impl Fn(&T) -> Value) -> Value {
    let next = page.next.as_deref();
    Value::map([
        ("items", Value::list(page.items.iter().map(shape).collect())),
        ("next", next.map_or(Value::Null, Value::text)),
    ])
}
