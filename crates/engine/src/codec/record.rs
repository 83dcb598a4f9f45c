//! A record of the log: the message that was applied.
//!
//! Layout: format, category, origin, engine version, graph id, time, id, correlation id, causation
//! id?, generation, topic, key?, event type?, node?, then the payload as JSON to the end. The rows
//! of its step stand beside it in the frame.

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::json;
use onex_expr::{Text, Value};
use onex_kernel::{Category, Id, Message, Micros, Origin, Payload};

use super::wire::{Reader, put_option, put_text, put_u64};
use super::{Corrupt, FORMAT};

/// Which engine wrote a record: raised when the meaning of a step changes.
pub const ENGINE_VERSION: u64 = 1;

/// A record read back.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// The message; its payload's value is decoded by `payload`, its bytes are here.
    pub message: Message,
    /// The graph under which it was applied.
    pub graph: GraphId,
}

/// Appends the record of a message to `out`; returns how many bytes of it are the payload.
pub fn encode(out: &mut Vec<u8>, message: &Message, graph: GraphId) -> usize {
    out.push(FORMAT);
    out.push(message.category as u8);
    out.push(message.origin as u8);
    put_u64(out, ENGINE_VERSION);
    out.extend_from_slice(&graph.0);
    put_u64(out, message.time.0);
    out.extend_from_slice(&message.id.0);
    out.extend_from_slice(&message.correlation_id.0);
    put_option(out, message.causation_id, |out, id| out.extend_from_slice(&id.0));
    put_u64(out, u64::from(message.generation));
    put_text(out, &message.topic);
    put_option(out, message.key.as_deref(), put_text);
    put_option(out, message.event_type.as_deref(), put_text);
    put_option(out, message.node.as_deref(), put_text);
    let head = out.len();
    match &message.payload.bytes {
        Some(bytes) => out.extend_from_slice(bytes),
        None => json::write(&message.payload.value, out),
    }
    out.len() - head
}

/// Reads a record, its payload as bytes only: the value is `Null`.
pub fn decode(body: &[u8]) -> Result<LogRecord, Corrupt> {
    let mut reader = Reader::new(body, "log record");
    reader.format()?;
    let category = category(&mut reader)?;
    let origin = origin(&mut reader)?;
    reader.u64()?;
    let graph = GraphId(reader.array()?);
    let time: Micros = reader.micros()?;
    let id: Id = reader.id()?;
    let correlation_id = reader.id()?;
    let causation_id = reader.option(Reader::id)?;
    let generation = reader.u32()?;
    let topic: Text = reader.text()?;
    let key = reader.option(Reader::text)?;
    let event_type = reader.option(Reader::text)?;
    let node = reader.option(Reader::text)?;
    let payload = Payload { value: Value::Null, bytes: Some(Arc::from(reader.rest())) };
    let message = Message {
        id,
        category,
        origin,
        topic,
        key,
        event_type,
        payload,
        correlation_id,
        causation_id,
        node,
        time,
        generation,
    };
    Ok(LogRecord { message, graph })
}

/// The payload of a record as a value.
pub fn payload(record: &LogRecord) -> Value {
    let bytes = record.message.payload.bytes.as_deref().unwrap_or(b"null");
    json::parse(bytes, &json::Limits { depth_max: 256 }).unwrap_or(Value::Null)
}

pub(crate) fn category(reader: &mut Reader<'_>) -> Result<Category, Corrupt> {
    Ok(match reader.u8()? {
        0 => Category::Event,
        1 => Category::Command,
        2 => Category::Intent,
        3 => Category::Outcome,
        4 => Category::Timer,
        5 => Category::Control,
        _ => return Err(reader.corrupt()),
    })
}

pub(crate) fn origin(reader: &mut Reader<'_>) -> Result<Origin, Corrupt> {
    Ok(match reader.u8()? {
        0 => Origin::External,
        1 => Origin::Outcome,
        2 => Origin::Timer,
        3 => Origin::Derived,
        4 => Origin::Control,
        _ => return Err(reader.corrupt()),
    })
}
