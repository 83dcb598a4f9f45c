//! Values to what JSON can hold.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key_text;
use crate::fault::{Failed, failed};
use crate::time;
use crate::value::{Key, Map, Value};

/// The value with nothing in it that JSON lacks: times, durations and bytes are text, keys are
/// text, an optional is what it holds and a missing one is left out (alone it is null). NaN and
/// infinities are refused.
pub(crate) fn plain(value: &Value) -> Result<Cow<'_, Value>, Failed> {
    if is_plain(value) { Ok(Cow::Borrowed(value)) } else { convert(value).map(Cow::Owned) }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::String(_) => true,
        Value::Double(number) => number.is_finite(),
        Value::List(items) => items.iter().all(is_plain),
        Value::Map(map) => {
            map.iter().all(|(key, value)| matches!(key, Key::String(_)) && is_plain(value))
        }
        _ => false,
    }
}

fn convert(value: &Value) -> Result<Value, Failed> {
    Ok(match value {
        Value::Double(number) if !number.is_finite() => {
            return Err(failed("not_json", "JSON has no NaN and no infinity"));
        }
        Value::Bytes(bytes) => Value::from(STANDARD.encode(bytes)),
        Value::Timestamp { seconds, nanos } => {
            Value::from(time::format_timestamp(*seconds, *nanos))
        }
        Value::Duration(nanos) => Value::from(time::format_duration(*nanos)),
        Value::Type(name) => Value::String(name.clone()),
        Value::Optional(None) => Value::Null,
        Value::Optional(Some(value)) => convert(value)?,
        Value::List(items) => {
            let there = items.iter().filter(|item| !is_none(item));
            Value::List(Arc::new(there.map(convert).collect::<Result<Vec<Value>, Failed>>()?))
        }
        Value::Map(map) => {
            let there = map.iter().filter(|(_, value)| !is_none(value));
            let entries =
                there.map(|(key, value)| Ok((Key::String(key_text(key)), convert(value)?)));
            Value::Map(Arc::new(entries.collect::<Result<Map, Failed>>()?))
        }
        other => other.clone(),
    })
}

fn is_none(value: &Value) -> bool {
    matches!(value, Value::Optional(None))
}
