//! Conversions between kinds of values.

use alloc::format;
use alloc::string::String;

use super::{Function, new_text, no_overload};
use crate::eval::{Meter, Ref};
use crate::fault::{Failed, failed};
use crate::json::number::write_double;
use crate::time::{self, SECONDS_MAX, SECONDS_MIN};
use crate::{Value, brief};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("bool", &["bool -> bool", "string -> bool"], to_bool),
    Function::global(
        "int",
        &[
            "int -> int",
            "double -> int",
            "string -> int",
            "timestamp -> int",
        ],
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
        &[
            "timestamp -> timestamp",
            "string -> timestamp",
            "int -> timestamp",
        ],
        to_timestamp,
    ),
    Function::global(
        "duration",
        &["duration -> duration", "string -> duration"],
        to_duration,
    ),
    Function::global("type", &["A -> type"], type_of),
    Function::global("dyn", &["A -> dyn"], to_dyn),
];

fn bad(text: &str, what: &str) -> Failed {
    failed("bad_conversion", format!("`{}` {what}", brief(text)))
}

fn to_bool(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    match args {
        [value] => match &**value {
            Value::Bool(truth) => Ok(Value::Bool(*truth)),
            Value::String(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
                other => Err(bad(other, "is no bool")),
            },
            _ => Err(no_overload("bool", args)),
        },
        _ => Err(no_overload("bool", args)),
    }
}

fn to_int(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("int", args));
    };
    match &**value {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Double(number) => {
            const TWO_63: f64 = 9_223_372_036_854_775_808.0;
            if *number > -TWO_63 && *number < TWO_63 {
                Ok(Value::Int(*number as i64))
            } else {
                Err(failed(
                    "out_of_range",
                    "the number is outside the range of int",
                ))
            }
        }
        Value::String(text) => text
            .parse()
            .map(Value::Int)
            .map_err(|_| bad(text, "is no int")),
        Value::Timestamp { seconds, .. } => Ok(Value::Int(*seconds)),
        _ => Err(no_overload("int", args)),
    }
}

fn to_double(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("double", args));
    };
    match &**value {
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Double(number) => Ok(Value::Double(*number)),
        Value::String(text) => text
            .parse()
            .map(Value::Double)
            .map_err(|_| bad(text, "is no double")),
        _ => Err(no_overload("double", args)),
    }
}

fn to_string(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("string", args));
    };
    match &**value {
        Value::String(text) => Ok(Value::String(text.clone())),
        Value::Bytes(bytes) => {
            meter.produce(bytes.len())?;
            let text = core::str::from_utf8(bytes)
                .map_err(|_| failed("bad_conversion", "the bytes are invalid UTF-8"))?;
            Ok(Value::String(text.into()))
        }
        other => match scalar_text(other) {
            Some(text) => new_text(text, meter),
            None => Err(no_overload("string", args)),
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

fn to_bytes(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("bytes", args));
    };
    match &**value {
        Value::Bytes(bytes) => Ok(Value::Bytes(bytes.clone())),
        Value::String(text) => {
            meter.produce(text.len())?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        _ => Err(no_overload("bytes", args)),
    }
}

fn to_timestamp(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("timestamp", args));
    };
    match &**value {
        Value::Timestamp { seconds, nanos } => Ok(Value::Timestamp {
            seconds: *seconds,
            nanos: *nanos,
        }),
        Value::String(text) => {
            let (seconds, nanos) = time::parse_timestamp(text).map_err(|what| bad(text, &what))?;
            Ok(Value::Timestamp { seconds, nanos })
        }
        Value::Int(seconds) if (SECONDS_MIN..=SECONDS_MAX).contains(seconds) => {
            Ok(Value::Timestamp {
                seconds: *seconds,
                nanos: 0,
            })
        }
        Value::Int(_) => Err(failed(
            "out_of_range",
            "the time is out of range: not within the years 1 and 9999",
        )),
        _ => Err(no_overload("timestamp", args)),
    }
}

fn to_duration(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("duration", args));
    };
    match &**value {
        Value::Duration(nanos) => Ok(Value::Duration(*nanos)),
        Value::String(text) => time::parse_duration(text)
            .map(Value::Duration)
            .map_err(|what| bad(text, &what)),
        _ => Err(no_overload("duration", args)),
    }
}

fn type_of(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    match args {
        [value] => Ok(Value::Type(crate::Text::new_static(value.type_name()))),
        _ => Err(no_overload("type", args)),
    }
}

/// Hides what the checker knows; the value stays as it is.
fn to_dyn(args: &[Ref<'_>], _: &Meter) -> Result<Value, Failed> {
    match args {
        [value] => Ok((**value).clone()),
        _ => Err(no_overload("dyn", args)),
    }
}
