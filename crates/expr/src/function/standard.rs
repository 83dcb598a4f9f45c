//! The functions of CEL's standard that are no conversions.

use alloc::format;

use regex::{Regex, RegexBuilder};

use super::{Function, no_overload};
use crate::Value;
use crate::eval::{Meter, Ref};
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::both(
        "size",
        &[
            "string -> int",
            "bytes -> int",
            "list(A) -> int",
            "map(A, B) -> int",
        ],
        size,
    ),
    Function::method("startsWith", &["string, string -> bool"], starts_with),
    Function::method("endsWith", &["string, string -> bool"], ends_with),
    Function::method("contains", &["string, string -> bool"], contains),
    Function::both("matches", &["string, string -> bool"], matches),
];

fn size(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    let [value] = args else {
        return Err(no_overload("size", args));
    };
    let count = match &**value {
        Value::String(text) => {
            meter.read(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => return Err(no_overload("size", args)),
    };
    Ok(Value::Int(count as i64))
}

fn two_texts(
    name: &str,
    args: &[Ref<'_>],
    meter: &Meter,
    test: fn(&str, &str) -> bool,
) -> Result<Value, Failed> {
    let [text, part] = args else {
        return Err(no_overload(name, args));
    };
    match (&**text, &**part) {
        (Value::String(text), Value::String(part)) => {
            meter.read(text.len() + part.len())?;
            Ok(Value::Bool(test(text, part)))
        }
        _ => Err(no_overload(name, args)),
    }
}

fn starts_with(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    two_texts("startsWith", args, meter, |text, part| {
        text.starts_with(part)
    })
}

fn ends_with(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    two_texts("endsWith", args, meter, |text, part| text.ends_with(part))
}

fn contains(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    two_texts("contains", args, meter, |text, part| text.contains(part))
}

/// A pattern that is known only while running; one known at load never gets here.
fn matches(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    let [text, pattern] = args else {
        return Err(no_overload("matches", args));
    };
    match (&**text, &**pattern) {
        (Value::String(text), Value::String(pattern)) => {
            let regex = regex_of(pattern, meter)?;
            meter.read(text.len())?;
            Ok(Value::Bool(regex.is_match(text)))
        }
        _ => Err(no_overload("matches", args)),
    }
}

/// The longest pattern, in bytes.
const PATTERN_MAX: usize = 4096;
/// The most memory that a compiled pattern may take, in bytes.
const REGEX_BYTES_MAX: usize = 1024 * 1024;
/// Steps for compiling a pattern, for each of its bytes.
const STEPS_A_PATTERN_BYTE: u64 = 64;

/// Compiles a pattern at a price: it takes microseconds.
pub(super) fn regex_of(pattern: &str, meter: &Meter) -> Result<Regex, Failed> {
    meter.spend((pattern.len() as u64 + 8) * STEPS_A_PATTERN_BYTE)?;
    compile_regex(pattern)
}

/// Compiles a pattern within the bounds on its size.
pub(crate) fn compile_regex(pattern: &str) -> Result<Regex, Failed> {
    if pattern.len() > PATTERN_MAX {
        return Err(failed(
            "bad_pattern",
            format!("the pattern has more than {PATTERN_MAX} bytes"),
        ));
    }
    RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|error| {
            let shown = format!("{error}");
            let last = shown
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            failed(
                "bad_pattern",
                format!("the pattern cannot be read: {}", crate::brief(last)),
            )
        })
}
