//! Values inside URLs: each is one segment or one query value, and none reaches scheme or host.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::Part;
use super::render::refused;
use crate::Fault;
use crate::fault::Failed;
use crate::function::scalar_text;
use crate::value::Value;

/// Scheme and host must be known at load: an expression in them that is not made of constants is
/// a fault.
pub(super) fn check(parts: &[Part]) -> Vec<Fault> {
    let mut before = String::new();
    let mut faults = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => before.push_str(text),
            Part::Expr(program) => match program.constant() {
                Some(Value::String(text)) => before.push_str(text),
                Some(value) => before.push_str(&scalar_text(value).unwrap_or_default()),
                None if is_past_host(&before) => {}
                None => {
                    let message = "scheme and host come from literals, `config` and `env` only";
                    let fault = Fault::error("url_host", program.range(), message);
                    faults.push(
                        fault.help("put the address into `config` and begin with `${config...}/`"),
                    );
                }
            },
        }
    }
    faults
}

/// Whether what follows belongs to path, query or fragment.
fn is_past_host(before: &str) -> bool {
    match before.split_once("://") {
        Some((_, rest)) => rest.contains(['/', '?', '#']),
        None => before.starts_with('/') && !before.starts_with("//"),
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// A path segment with a value in it must be one: not empty, and not `.` or `..`, which every
/// client resolves away.
pub(super) fn check_segment(url: &str, value: Range<usize>) -> Result<(), Failed> {
    let before = &url[..value.start];
    if before.contains(['?', '#']) {
        return Ok(());
    }
    let start = before.rfind('/').map_or(0, |at| at + 1);
    let end = url[value.end..].find(['/', '?', '#']).map_or(url.len(), |at| value.end + at);
    match &url[start..end] {
        segment @ ("" | "." | "..") => {
            Err(refused("bad_segment", segment, "cannot be a segment of a URL's path"))
        }
        _ => Ok(()),
    }
}
