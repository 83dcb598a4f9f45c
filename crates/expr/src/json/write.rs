//! Values to JSON text.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::number;
use crate::value::{Key, Map, Value};
use crate::{Text, time};

/// Appends compact JSON: keys sorted, a double always with a point or exponent.
/// Timestamps are RFC 3339, durations `"90s"`, bytes base64, an optional its value or null.
/// NaN and infinity are written as null; a template refuses them before they get here.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    write_value(value, Form::Compact, out);
}

/// Compact JSON as text.
pub fn to_string(value: &Value) -> String {
    let mut out = Vec::with_capacity(64);
    write(value, &mut out);
    into_text(out)
}

/// Canonical JSON (RFC 8785), for hashing: every number as a double in its shortest form, keys
/// sorted by UTF-16.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    write_value(value, Form::Canonical, &mut out);
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Compact,
    Canonical,
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("only whole characters are written")
}

fn write_value(value: &Value, form: Form, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Optional(None) => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => match form {
            Form::Compact => number::write_int(*number, out),
            Form::Canonical => write_double(*number as f64, form, out),
        },
        Value::Double(number) => write_double(*number, form, out),
        Value::String(text) => write_text(text, out),
        Value::Type(name) => write_text(name, out),
        Value::Bytes(bytes) => write_text(&STANDARD.encode(bytes), out),
        Value::Timestamp { seconds, nanos } => {
            write_text(&time::format_timestamp(*seconds, *nanos), out)
        }
        Value::Duration(nanos) => write_text(&time::format_duration(*nanos), out),
        Value::Optional(Some(value)) => write_value(value, form, out),
        Value::List(items) => write_list(items, form, out),
        Value::Map(map) => write_map(map, form, out),
    }
}

fn write_list(items: &[Value], form: Form, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(item, form, out);
    }
    out.push(b']');
}

fn write_map(map: &Map, form: Form, out: &mut Vec<u8>) {
    out.push(b'{');
    if form == Form::Canonical && map.iter().any(|(key, _)| !is_plain(key)) {
        let mut entries: Vec<(Text, &Value)> =
            map.iter().map(|(key, value)| (key_text(key), value)).collect();
        entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        for (index, (key, value)) in entries.iter().enumerate() {
            write_entry(index, key, value, form, out);
        }
    } else {
        for (index, (key, value)) in map.iter().enumerate() {
            match key {
                Key::String(text) => write_entry(index, text, value, form, out),
                key => write_entry(index, &key_text(key), value, form, out),
            }
        }
    }
    out.push(b'}');
}

fn write_entry(index: usize, key: &str, value: &Value, form: Form, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
    write_text(key, out);
    out.push(b':');
    write_value(value, form, out);
}

/// Whether byte order is UTF-16 order for this key.
fn is_plain(key: &Key) -> bool {
    matches!(key, Key::String(text) if text.is_ascii())
}

/// A key as JSON has it: text.
pub(crate) fn key_text(key: &Key) -> Text {
    match key {
        Key::Bool(true) => Text::new_static("true"),
        Key::Bool(false) => Text::new_static("false"),
        Key::Int(number) => {
            let mut digits = Vec::with_capacity(20);
            number::write_int(*number, &mut digits);
            into_text(digits).into()
        }
        Key::String(text) => text.clone(),
    }
}

struct Bytes<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn write_double(number: f64, form: Form, out: &mut Vec<u8>) {
    if !number.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    let number = if form == Form::Canonical && number == 0.0 { 0.0 } else { number };
    let start = out.len();
    number::write_double(number, &mut Bytes(out)).expect("a vector takes every byte");
    if form == Form::Compact && !out[start..].iter().any(|byte| matches!(byte, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

/// Appends a JSON string.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(super::plain_length(rest));
        out.extend_from_slice(plain);
        let Some((byte, behind)) = special.split_first() else {
            break;
        };
        write_escape(*byte, out);
        rest = behind;
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
