//! JSON text to values and back.

use alloc::format;

use super::{Args, Function, new_text};
use crate::Value;
use crate::fault::{Failed, failed};
use crate::json::{self, Limits};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("json.parse", &["string -> dyn", "bytes -> dyn"], parse).building(),
    Function::global("json.format", &["dyn -> string"], format),
];

/// What a value takes at most for each byte of its text.
const BYTES_A_TEXT_BYTE: usize = 16;

fn parse(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let text = match args.value(0)? {
        Value::String(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        _ => return Err(args.no_overload()),
    };
    args.meter.produce(text.len().saturating_mul(BYTES_A_TEXT_BYTE))?;
    json::parse(text, &Limits::default())
        .map_err(|error| failed("bad_conversion", format!("the text is no JSON: {error}")))
}

fn format(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let value = args.value(0)?;
    args.meter.walk(value)?;
    let plain = json::plain(value)?;
    new_text(json::to_string(&plain), args.meter)
}
