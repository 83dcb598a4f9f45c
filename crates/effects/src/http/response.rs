//! From an answer to data: status, headers, and a body up to the limit.

use onex_expr::{Value, json};
use onex_kernel::port::CallError;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::fault;

pub(super) async fn read(
    mut answer: Response,
    bytes_max: usize,
    target: &str,
) -> Result<Value, CallError> {
    let status = i64::from(answer.status().as_u16());
    let headers = headers(answer.headers());
    let kind = Kind::of(answer.headers());
    let too_large = || fault::too_large(format!("{target}: the answer is over {bytes_max} bytes"));
    if answer.content_length().is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > bytes_max => return Err(too_large()),
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return Err(fault::io(format!("{target}: the answer broke off"))),
        }
    }
    Ok(Value::map([
        ("status", Value::Int(status)),
        ("headers", headers),
        ("body", body(bytes, kind)),
    ]))
}

/// Names in lower case; values of one name joined as RFC 9110 section 5.3 allows.
fn headers(headers: &HeaderMap) -> Value {
    Value::map(headers.keys().map(|name| {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        (name.as_str(), Value::text(values.join(", ")))
    }))
}

/// What the target says its body is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Json,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Kind {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Kind::Json;
        };
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if essence == "application/json" || essence.ends_with("+json") {
            Kind::Json
        } else {
            Kind::Other
        }
    }
}

/// JSON as data, other text as text, anything else as base64. Of what is not called JSON only
/// whole objects and lists are read as JSON, so that a text `404` stays a text.
fn body(bytes: Vec<u8>, kind: Kind) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let structured = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    if (kind == Kind::Json || structured)
        && let Ok(value) = json::parse(&bytes, &json::Limits::default())
    {
        return value;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Value::text(text),
        Err(error) => crate::base64(error.into_bytes()),
    }
}
