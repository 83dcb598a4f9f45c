//! What every operation answers: all fields, null where one does not apply.

use std::io;

use cap_std::fs::Metadata;
use onex_expr::{Value, json};

/// The fields that more than one operation fills.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) modified_at: Option<Value>,
    /// Content and its encoding, `utf-8` or `base64`.
    pub(super) body: Option<(Value, &'static str)>,
    pub(super) entries: Option<Vec<Value>>,
}

impl Answer {
    pub(super) fn into_value(self) -> Value {
        let (body, encoding) = match self.body {
            Some((body, encoding)) => (body, Value::text(encoding)),
            None => (Value::Null, Value::Null),
        };
        Value::map([
            ("path", Value::text(self.path)),
            ("bytes", count(self.bytes)),
            ("modified_at", self.modified_at.unwrap_or(Value::Null)),
            ("body", body),
            ("encoding", encoding),
            ("entries", self.entries.map_or(Value::Null, Value::list)),
        ])
    }
}

pub(super) fn count(bytes: u64) -> Value {
    Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// RFC 3339 text, null where the file system does not say.
pub(super) fn modified_at(metadata: &Metadata) -> Value {
    timestamp(metadata).unwrap_or(Value::Null)
}

fn timestamp(metadata: &Metadata) -> io::Result<Value> {
    let modified = metadata.modified()?.into_std();
    let (seconds, nanos) = match modified.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => (after.as_secs().cast_signed(), after.subsec_nanos()),
        // Nanoseconds count forward, so a time before 1970 is in the second below it.
        Err(before) => {
            let before = before.duration();
            let seconds = -before.as_secs().cast_signed();
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds - 1, 1_000_000_000 - nanos),
            }
        }
    };
    let text = json::to_string(&Value::Timestamp { seconds, nanos });
    Ok(Value::text(text.trim_matches('"')))
}
