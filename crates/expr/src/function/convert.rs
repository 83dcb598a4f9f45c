//! Conversions between kinds of values.

use alloc::format;
use alloc::string::String;

use super::{Args, Function, new_text};
use crate::fault::{Failed, failed};
use crate::json::number::write_double;
use crate::time::{self, SECONDS_MAX, SECONDS_MIN};
use crate::{Value, brief};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("bool", &["bool -> bool", "string -> bool"], to_bool),
    Function::global(
        "int",
        &["int -> int", "double -> int", "string -> int", "timestamp -> int"],
        to_int,
    ),
    Function::global(
        "double",
        &["double -> double", "int -> double", "string -> double"],
        to_double,
    ),
    Function::global(
        "string",
        &[
            "string -> string",
            "int -> string",
            "double -> string",
            "bool -> string",
            "bytes -> string",
            "timestamp -> string",
            "duration -> string",
        ],
        to_string,
    ),
    Function::global("bytes", &["bytes -> bytes", "string -> bytes"], to_bytes),
    Function::global(
        "timestamp",
        &["timestamp -> timestamp", "string -> timestamp", "int -> timestamp"],
        to_timestamp,
    ),
    Function::global("duration", &["duration -> duration", "string -> duration"], to_duration),
    Function::global("type", &["A -> type"], type_of),
    Function::global("dyn", &["A -> dyn"], to_dyn),
];

fn bad(text: &str, what: &str) -> Failed {
    failed("bad_conversion", format!("`{}` {what}", brief(text)))
}

fn to_bool(args: &Args<'_>) -> Result<Value, Failed> {
    match args.values {
        [value] => match &**value {
            Value::Bool(truth) => Ok(Value::Bool(*truth)),
            Value::String(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
                other => Err(bad(other, "is no bool")),
            },
            _ => Err(args.no_overload()),
        },
        _ => Err(args.no_overload()),
    }
}

fn to_int(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Double(number) => {
            const TWO_63: f64 = 9_223_372_036_854_775_808.0;
            if *number > -TWO_63 && *number < TWO_63 {
                Ok(Value::Int(*number as i64))
            } else {
                Err(failed("out_of_range", "the number is outside the range of int"))
            }
        }
        Value::String(text) => text.parse().map(Value::Int).map_err(|_| bad(text, "is no int")),
        Value::Timestamp { seconds, .. } => Ok(Value::Int(*seconds)),
        _ => Err(args.no_overload()),
    }
}

fn to_double(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Double(number) => Ok(Value::Double(*number)),
        Value::String(text) => {
            text.parse().map(Value::Double).map_err(|_| bad(text, "is no double"))
        }
        _ => Err(args.no_overload()),
    }
}

fn to_string(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::String(text) => Ok(Value::String(text.clone())),
        Value::Bytes(bytes) => {
            args.meter.produce(bytes.len())?;
            let text = core::str::from_utf8(bytes)
                .map_err(|_| failed("bad_conversion", "the bytes are invalid UTF-8"))?;
            Ok(Value::String(text.into()))
        }
        other => match scalar_text(other) {
            Some(text) => new_text(text, args.meter),
            None => Err(args.no_overload()),
        },
    }
}

/// A scalar as text, numbers in shortest form. None for text itself, bytes, null and collections.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(truth) => format!("{truth}"),
        Value::Int(number) => format!("{number}"),
        Value::Double(number) => double_text(*number),
        Value::Timestamp { seconds, nanos } => time::format_timestamp(*seconds, *nanos),
        Value::Duration(nanos) => time::format_duration(*nanos),
        Value::Type(name) => String::from(name.as_str()),
        _ => return None,
    })
}

pub(crate) fn double_text(number: f64) -> String {
    let mut text = String::new();
    write_double(number, &mut text).expect("a text takes every character");
    text
}

fn to_bytes(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::Bytes(bytes) => Ok(Value::Bytes(bytes.clone())),
        Value::String(text) => {
            args.meter.produce(text.len())?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        _ => Err(args.no_overload()),
    }
}

fn to_timestamp(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::Timestamp { seconds, nanos } => {
            Ok(Value::Timestamp { seconds: *seconds, nanos: *nanos })
        }
        Value::String(text) => {
            let (seconds, nanos) = time::parse_timestamp(text).map_err(|what| bad(text, &what))?;
            Ok(Value::Timestamp { seconds, nanos })
        }
        Value::Int(seconds) if (SECONDS_MIN..=SECONDS_MAX).contains(seconds) => {
            Ok(Value::Timestamp { seconds: *seconds, nanos: 0 })
        }
        Value::Int(_) => {
            Err(failed("out_of_range", "the time is out of range: not within the years 1 and 9999"))
        }
        _ => Err(args.no_overload()),
    }
}

fn to_duration(args: &Args<'_>) -> Result<Value, Failed> {
    let [value] = args.values else {
        return Err(args.no_overload());
    };
    match &**value {
        Value::Duration(nanos) => Ok(Value::Duration(*nanos)),
        Value::String(text) => {
            time::parse_duration(text).map(Value::Duration).map_err(|what| bad(text, &what))
        }
        _ => Err(args.no_overload()),
    }
}

fn type_of(args: &Args<'_>) -> Result<Value, Failed> {
    match args.values {
        [value] => Ok(Value::Type(crate::Text::new_static(value.type_name()))),
        _ => Err(args.no_overload()),
    }
}

/// Hides what the checker knows; the value stays as it is.
fn to_dyn(args: &Args<'_>) -> Result<Value, Failed> {
    match args.values {
        [value] => Ok((**value).clone()),
        _ => Err(args.no_overload()),
    }
}
