//! Name-based UUIDs (RFC 9562, version 5).

use alloc::string::ToString as _;

use uuid::Uuid;

use super::{Args, Function};
use crate::Value;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::global("uuid.v5", &["string -> string", "string, string -> string"], v5)];

/// Of a text in the namespace for URLs, or of a namespace and a text.
fn v5(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=2)?;
    let (namespace, text) = if args.len() == 1 {
        (Uuid::NAMESPACE_URL, args.text(0)?)
    } else {
        let namespace = Uuid::parse_str(args.text(0)?);
        (
            namespace.map_err(|_| failed("bad_conversion", "the namespace is no UUID"))?,
            args.text(1)?,
        )
    };
    Ok(Value::from(Uuid::new_v5(&namespace, text.as_bytes()).to_string()))
}
