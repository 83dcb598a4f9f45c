//! What a literal token means.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::Value;

/// What is wrong with a literal, and where in it.
pub(crate) type Bad = (Range<usize>, &'static str);

/// A whole number; `negative` when a minus stands before it, so that -2^63 can be written.
pub(crate) fn int(text: &str, negative: bool) -> Option<i64> {
    let magnitude = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => text.parse::<u64>().ok()?,
    };
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// A string or bytes literal, prefix and quotes included.
pub(crate) fn text(token: &str) -> Result<Value, Bad> {
    let quote_at = token.find(['"', '\'']).unwrap_or(0);
    let prefix = &token[..quote_at];
    let is_raw = prefix.contains(['r', 'R']);
    let is_bytes = prefix.contains(['b', 'B']);
    let quoted = &token[quote_at..];
    let width = if quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''"))
    {
        3
    } else {
        1
    };
    let body = &quoted[width..quoted.len() - width];
    let start = quote_at + width;
    if is_bytes {
        let bytes = if is_raw { body.as_bytes().to_vec() } else { unescape_bytes(body, start)? };
        Ok(Value::Bytes(bytes.into()))
    } else if is_raw || !body.contains('\\') {
        Ok(Value::String(body.into()))
    } else {
        unescape_text(body, start).map(|text| Value::String(text.into()))
    }
}

/// One escape sequence.
enum Escape {
    Char(char),
    /// `\x`, `\u`, `\U` and octal: a code point in text; `\x` and octal a byte in bytes.
    Code {
        code: u32,
        is_byte: bool,
    },
}

fn unescape_text(body: &str, start: usize) -> Result<String, Bad> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let begin = start + body.len() - rest.len() + at;
        let (escape, len) = escape(&rest[at..]).ok_or_else(|| unknown(&rest[at..], begin))?;
        out.push(match escape {
            Escape::Char(found) => found,
            Escape::Code { code, .. } => {
                char::from_u32(code).ok_or((begin..begin + len, "this is no Unicode character"))?
            }
        });
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    Ok(out)
}

fn unescape_bytes(body: &str, start: usize) -> Result<Vec<u8>, Bad> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let begin = start + body.len() - rest.len() + at;
        let (escape, len) = escape(&rest[at..]).ok_or_else(|| unknown(&rest[at..], begin))?;
        match escape {
            Escape::Char(found) => out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes()),
            Escape::Code { code, is_byte: true } => {
                out.push(
                    u8::try_from(code)
                        .map_err(|_| (begin..begin + len, "this is more than a byte"))?,
                );
            }
            Escape::Code { .. } => return Err((begin..begin + len, "bytes take no \\u and \\U")),
        }
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

fn unknown(text: &str, begin: usize) -> Bad {
    (begin..begin + text.chars().take(2).map(char::len_utf8).sum::<usize>(), "unknown escape")
}

/// The escape that a text begins with, and its length in bytes.
fn escape(text: &str) -> Option<(Escape, usize)> {
    let found = match *text.as_bytes().get(1)? {
        byte @ (b'\\' | b'?' | b'"' | b'\'' | b'`') => char::from(byte),
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\u{b}',
        b'x' | b'X' => return code(text, 2, 2, 16),
        b'u' => return code(text, 2, 4, 16),
        b'U' => return code(text, 2, 8, 16),
        b'0'..=b'3' => return code(text, 1, 3, 8),
        _ => return None,
    };
    Some((Escape::Char(found), 2))
}

fn code(text: &str, skip: usize, digits: usize, radix: u32) -> Option<(Escape, usize)> {
    let part = text.get(skip..skip + digits)?;
    if !part.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(part, radix).ok()?;
    Some((Escape::Code { code, is_byte: digits < 4 }, skip + digits))
}
