//! Bytes as base64 text and back; padding may be missing.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Args, Function, new_text};
use crate::Value;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("base64.encode", &["bytes -> string"], encode),
    Function::global("base64.decode", &["string -> bytes"], decode),
];

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn encode(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    match args.value(0)? {
        Value::Bytes(bytes) => {
            args.meter.read(bytes.len())?;
            new_text(ENGINE.encode(bytes), args.meter)
        }
        _ => Err(args.no_overload()),
    }
}

fn decode(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let text = args.text(0)?;
    args.meter.produce(text.len())?;
    let bytes = ENGINE
        .decode(text.as_bytes())
        .map_err(|_| failed("bad_conversion", "the text is no base64"))?;
    Ok(Value::Bytes(bytes.into()))
}
