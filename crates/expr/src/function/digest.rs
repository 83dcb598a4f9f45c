//! Hashes as lower-case hex: of text, of bytes, and of anything else as canonical JSON.

use alloc::borrow::Cow;

use sha2::Digest as _;

use super::format::hex;
use super::{Args, Function};
use crate::fault::Failed;
use crate::{Value, json};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("hash.sha256", &["dyn -> string"], sha256),
    Function::global("hash.blake3", &["dyn -> string"], blake3),
];

fn content<'a>(args: &Args<'a>) -> Result<Cow<'a, [u8]>, Failed> {
    args.expect(1..=1)?;
    let value = args.value(0)?;
    args.meter.walk(value)?;
    Ok(match value {
        Value::String(text) => Cow::Borrowed(text.as_bytes()),
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        other => {
            let plain = json::plain(other)?;
            Cow::Owned(json::canonical(&plain))
        }
    })
}

fn sha256(args: &Args<'_>) -> Result<Value, Failed> {
    Ok(Value::from(hex(&sha2::Sha256::digest(content(args)?))))
}

fn blake3(args: &Args<'_>) -> Result<Value, Failed> {
    Ok(Value::from(hex(blake3::hash(&content(args)?).as_bytes())))
}
