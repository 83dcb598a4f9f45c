//! Regular expressions (RE2 syntax, linear time): `matches`, `find`, `findAll`.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use regex::{Regex, RegexBuilder};

use super::{Args, Function};
use crate::Value;
use crate::eval::Meter;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::both("matches", &["string, string -> bool"], matches),
    Function::method("find", &["string, string -> string"], find),
    Function::method(
        "findAll",
        &["string, string -> list(string)", "string, string, int -> list(string)"],
        find_all,
    ),
];

/// A pattern that is known only while running; one known at load never gets here.
fn matches(args: &Args<'_>) -> Result<Value, Failed> {
    let [text, pattern] = args.values else {
        return Err(args.no_overload());
    };
    match (&**text, &**pattern) {
        (Value::String(text), Value::String(pattern)) => {
            let regex = regex_of(pattern, args.meter)?;
            args.meter.read(text.len())?;
            Ok(Value::Bool(regex.is_match(text)))
        }
        _ => Err(args.no_overload()),
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
            let last = shown.lines().last().unwrap_or_default().trim_start_matches("error: ");
            failed("bad_pattern", format!("the pattern cannot be read: {}", crate::brief(last)))
        })
}

/// The first match, or the empty text.
fn find(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let regex = regex_of(args.text(1)?, args.meter)?;
    let found = regex.find(args.text(0)?).map_or("", |found| found.as_str());
    args.meter.produce(found.len())?;
    Ok(Value::from(found))
}

/// Every match, or the first so many; a negative number is no bound.
fn find_all(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=3)?;
    let regex = regex_of(args.text(1)?, args.meter)?;
    let limit = if args.len() == 3 {
        usize::try_from(args.int(2)?).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    };
    let mut list = Vec::new();
    for found in regex.find_iter(args.text(0)?).take(limit) {
        args.meter.produce_items(1)?;
        args.meter.produce(found.len())?;
        list.push(Value::from(found.as_str()));
    }
    Ok(Value::List(Arc::new(list)))
}
