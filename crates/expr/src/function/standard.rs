//! The functions of CEL's standard that are no conversions.

use super::{Args, Function};
use crate::Value;
use crate::fault::Failed;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::both(
        "size",
        &["string -> int", "bytes -> int", "list(A) -> int", "map(A, B) -> int"],
        size,
    ),
    Function::method("startsWith", &["string, string -> bool"], starts_with),
    Function::method("endsWith", &["string, string -> bool"], ends_with),
    Function::method("contains", &["string, string -> bool"], contains),
];

fn size(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    let count = match &**value {
        Value::String(text) => {
            args.meter.read(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => return Err(args.no_overload()),
    };
    Ok(Value::Int(count as i64))
}

fn two_texts(args: &Args<'_>, test: fn(&str, &str) -> bool) -> Result<Value, Failed> {
    let [text, part] = args.values else {
        return Err(args.no_overload());
    };
    match (&**text, &**part) {
        (Value::String(text), Value::String(part)) => {
            args.meter.read(text.len() + part.len())?;
            Ok(Value::Bool(test(text, part)))
        }
        _ => Err(args.no_overload()),
    }
}

fn starts_with(args: &Args<'_>) -> Result<Value, Failed> {
    two_texts(args, |text, part| text.starts_with(part))
}

fn ends_with(args: &Args<'_>) -> Result<Value, Failed> {
    two_texts(args, |text, part| text.ends_with(part))
}

fn contains(args: &Args<'_>) -> Result<Value, Failed> {
    two_texts(args, |text, part| text.contains(part))
}
