//! Optional values. The checker finds `or` and `orValue` here; the plan has an operation for them,
//! because they evaluate their argument only when they need it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Args, Function};
use crate::Value;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("optional.of", &["A -> optional(A)"], of),
    Function::global("optional.ofNonZeroValue", &["A -> optional(A)"], of_non_zero_value),
    Function::global("optional.none", &["-> optional(A)"], none),
    Function::method("hasValue", &["optional(A) -> bool"], has_value),
    Function::method("value", &["optional(A) -> A"], value),
    Function::method("or", &["optional(A), optional(A) -> optional(A)"], |args| args.refuse()),
    Function::method("orValue", &["optional(A), A -> A"], |args| args.refuse()),
    Function::global("optional.unwrap", &["list(optional(A)) -> list(A)"], unwrap).building(),
    Function::method("unwrapOpt", &["list(optional(A)) -> list(A)"], unwrap).building(),
];

fn of(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    Ok(Value::some(args.value(0)?.clone()))
}

fn of_non_zero_value(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let value = args.value(0)?;
    let is_zero = match value {
        Value::Null
        | Value::Bool(false)
        | Value::Int(0)
        | Value::Duration(0)
        | Value::Optional(None) => true,
        Value::Double(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Timestamp { seconds, nanos } => *seconds == 0 && *nanos == 0,
        _ => false,
    };
    Ok(if is_zero { Value::Optional(None) } else { Value::some(value.clone()) })
}

fn none(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(0..=0)?;
    Ok(Value::Optional(None))
}

fn inner<'a>(args: &Args<'a>) -> Result<Option<&'a Value>, Failed> {
    match args.value(0)? {
        Value::Optional(inner) => Ok(inner.as_deref()),
        _ => Err(args.no_overload()),
    }
}

fn has_value(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    Ok(Value::Bool(inner(args)?.is_some()))
}

fn value(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    inner(args)?.cloned().ok_or_else(|| failed("no_value", "the optional has no value"))
}

/// What the optionals of a list hold.
fn unwrap(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let mut list = Vec::new();
    for item in args.list(0)? {
        let Value::Optional(inner) = item else {
            return Err(args.no_overload());
        };
        list.extend(inner.as_deref().cloned());
    }
    args.meter.produce_items(list.len())?;
    Ok(Value::List(Arc::new(list)))
}
