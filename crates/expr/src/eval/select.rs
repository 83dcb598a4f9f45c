//! Fields and items, also of optionals.

use alloc::format;
use alloc::sync::Arc;

use super::Ref;
use crate::fault::{Failed, failed};
use crate::value::{Key, whole};
use crate::{Value, brief};

#[cold]
pub(super) fn no_field(field: &str) -> Failed {
    failed("no_such_field", format!("no such field: `{}`", brief(field)))
}

#[cold]
fn not_selectable(value: &Value, field: &str) -> Failed {
    failed(
        "no_such_field",
        format!("a {} has no fields, so no `{}`", value.kind_name(), brief(field)),
    )
}

/// `value.field`
pub(super) fn field<'a>(value: Ref<'a>, field: &str) -> Result<Ref<'a>, Failed> {
    match value {
        Ref::Borrowed(Value::Map(map)) => {
            map.get(field).map(Ref::Borrowed).ok_or_else(|| no_field(field))
        }
        Ref::Owned(Value::Map(map)) => {
            map.get(field).cloned().map(Ref::Owned).ok_or_else(|| no_field(field))
        }
        other => match &*other {
            Value::Optional(None) => Ok(none()),
            Value::Optional(Some(inner)) => match &**inner {
                Value::Map(map) => Ok(wrap(map.get(field))),
                inner => Err(not_selectable(inner, field)),
            },
            other => Err(not_selectable(other, field)),
        },
    }
}

/// `value.?field`: what is missing, also below null, is none.
pub(super) fn optional_field(value: &Value, field: &str) -> Result<Ref<'static>, Failed> {
    match value {
        Value::Map(map) => Ok(wrap(map.get(field))),
        Value::Null | Value::Optional(None) => Ok(none()),
        Value::Optional(Some(inner)) => optional_field(inner, field),
        other => Err(not_selectable(other, field)),
    }
}

/// `has(value.field)`
pub(super) fn has(value: &Value, field: &str) -> Result<bool, Failed> {
    match value {
        Value::Map(map) => Ok(map.get(field).is_some()),
        Value::Optional(None) => Ok(false),
        Value::Optional(Some(inner)) => has(inner, field),
        other => Err(not_selectable(other, field)),
    }
}

/// `value[index]`
pub(super) fn index<'a>(value: Ref<'a>, index: &Value) -> Result<Ref<'a>, Failed> {
    match value {
        Ref::Borrowed(Value::Optional(_)) | Ref::Owned(Value::Optional(_)) => {
            in_optional(&value, index)
        }
        Ref::Borrowed(value) => {
            item(value, index)?.map(Ref::Borrowed).ok_or_else(|| missing(value, index))
        }
        Ref::Owned(value) => {
            let found = item(&value, index)?.cloned();
            found.map(Ref::Owned).ok_or_else(|| missing(&value, index))
        }
    }
}

/// `value[?index]`
pub(super) fn optional_index(value: &Value, index: &Value) -> Result<Ref<'static>, Failed> {
    match value {
        Value::Null => Ok(none()),
        Value::Optional(_) => in_optional(value, index),
        value => Ok(wrap(item(value, index)?)),
    }
}

fn in_optional(value: &Value, index: &Value) -> Result<Ref<'static>, Failed> {
    match value {
        Value::Optional(Some(inner)) => optional_index(inner, index),
        _ => Ok(none()),
    }
}

/// The item of a list or map, if it is there.
fn item<'a>(value: &'a Value, index: &Value) -> Result<Option<&'a Value>, Failed> {
    match (value, index) {
        (Value::List(items), index) => {
            let position = match index {
                Value::Int(position) => Some(*position),
                Value::Double(number) => whole(*number),
                _ => None,
            };
            let position = position.ok_or_else(|| {
                failed(
                    "no_overload",
                    format!("a list is indexed by a whole number, not by {}", index.kind_name()),
                )
            })?;
            Ok(usize::try_from(position).ok().and_then(|position| items.get(position)))
        }
        (Value::Map(map), Value::String(name)) => Ok(map.get(name)),
        (Value::Map(map), index) => Ok(Key::from_value(index).and_then(|key| map.get_key(&key))),
        (other, _) => Err(failed("no_overload", format!("a {} has no items", other.kind_name()))),
    }
}

#[cold]
fn missing(value: &Value, index: &Value) -> Failed {
    match (value, index) {
        (Value::List(items), Value::Int(position)) => failed(
            "out_of_range",
            format!("index {position} is out of range: the list has {} items", items.len()),
        ),
        (_, Value::String(name)) => {
            failed("no_such_key", format!("no such key: `{}`", brief(name)))
        }
        (_, Value::Int(number)) => failed("no_such_key", format!("no such key: {number}")),
        _ => failed("no_such_key", "no such key"),
    }
}

fn none() -> Ref<'static> {
    Ref::Owned(Value::Optional(None))
}

fn wrap(found: Option<&Value>) -> Ref<'static> {
    Ref::Owned(Value::Optional(found.map(|value| Arc::new(value.clone()))))
}
