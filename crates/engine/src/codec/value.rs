//! A value as bytes: a tag, then its content.

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_expr::{Key, Map, Text, Value};

use super::Corrupt;
use super::wire::{Reader, put_bytes, put_text, put_u64};

/// Deeper nesting than any message or template may have.
const DEPTH_MAX: usize = 256;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const DOUBLE: u8 = 4;
const STRING: u8 = 5;
const LIST: u8 = 6;
const MAP: u8 = 7;
const BYTES: u8 = 8;
const TIMESTAMP: u8 = 9;

/// Appends a value. Rows hold JSON values and timestamps; what else an expression can yield was
/// turned into JSON by its template, so it is written as null here.
pub fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Int(number) => {
            out.push(INT);
            put_u64(out, ((number << 1) ^ (number >> 63)) as u64);
        }
        Value::Double(number) => {
            out.push(DOUBLE);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::String(text) => {
            out.push(STRING);
            put_text(out, text);
        }
        Value::List(items) => {
            out.push(LIST);
            put_u64(out, items.len() as u64);
            for item in items.iter() {
                put(out, item);
            }
        }
        Value::Map(map) => {
            out.push(MAP);
            put_u64(out, map.len() as u64);
            for (key, value) in map.iter() {
                match key {
                    Key::String(text) => put_text(out, text),
                    Key::Int(number) => put_text(out, &alloc::format!("{number}")),
                    Key::Bool(truth) => put_text(out, if *truth { "true" } else { "false" }),
                }
                put(out, value);
            }
        }
        Value::Bytes(bytes) => {
            out.push(BYTES);
            put_bytes(out, bytes);
        }
        Value::Timestamp { seconds, nanos } => {
            out.push(TIMESTAMP);
            out.extend_from_slice(&seconds.to_le_bytes());
            out.extend_from_slice(&nanos.to_le_bytes());
        }
        Value::Null | Value::Duration(_) | Value::Type(_) | Value::Optional(_) => out.push(NULL),
    }
}

/// Reads a value.
pub fn read(reader: &mut Reader<'_>) -> Result<Value, Corrupt> {
    read_at(reader, 0)
}

fn read_at(reader: &mut Reader<'_>, depth: usize) -> Result<Value, Corrupt> {
    if depth > DEPTH_MAX {
        return Err(reader.corrupt());
    }
    Ok(match reader.u8()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        INT => {
            let zigzag = reader.u64()?;
            Value::Int((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
        }
        DOUBLE => Value::Double(f64::from_le_bytes(reader.array()?)),
        STRING => Value::String(reader.text()?),
        LIST => {
            let count = reader.count()?;
            let mut items = Vec::with_capacity(count);
            for _ in 0..count {
                items.push(read_at(reader, depth + 1)?);
            }
            Value::list(items)
        }
        MAP => Value::Map(Arc::new(read_map(reader, depth)?)),
        BYTES => Value::Bytes(reader.bytes()?.into()),
        TIMESTAMP => Value::Timestamp {
            seconds: i64::from_le_bytes(reader.array()?),
            nanos: u32::from_le_bytes(reader.array()?),
        },
        _ => return Err(reader.corrupt()),
    })
}

fn read_map(reader: &mut Reader<'_>, depth: usize) -> Result<Map, Corrupt> {
    let count = reader.count()?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let key: Text = reader.text()?;
        entries.push((Key::String(key), read_at(reader, depth + 1)?));
    }
    Ok(entries.into_iter().collect())
}
