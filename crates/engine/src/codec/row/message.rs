//! A message within a row, and what surrounds its payload.

use alloc::vec::Vec;

use onex_kernel::{Envelope, Message, Payload};

use super::Read;
use super::parts::put_id;
use crate::codec::record::{category, origin};
use crate::codec::value::{put as put_value, read as read_value};
use crate::codec::wire::{Reader, put_option, put_text, put_u64};

pub(super) fn put_message(out: &mut Vec<u8>, message: &Message) {
    put_id(out, message.id);
    out.push(message.category as u8);
    out.push(message.origin as u8);
    put_text(out, &message.topic);
    put_option(out, message.key.as_deref(), put_text);
    put_option(out, message.event_type.as_deref(), put_text);
    put_value(out, &message.payload.value);
    put_id(out, message.correlation_id);
    put_option(out, message.causation_id, put_id);
    put_option(out, message.node.as_deref(), put_text);
    put_u64(out, message.time.0);
    put_u64(out, u64::from(message.generation));
}

pub(super) fn read_message(reader: &mut Reader<'_>) -> Read<Message> {
    Ok(Message {
        id: reader.id()?,
        category: category(reader)?,
        origin: origin(reader)?,
        topic: reader.text()?,
        key: reader.option(Reader::text)?,
        event_type: reader.option(Reader::text)?,
        payload: Payload::from(read_value(reader)?),
        correlation_id: reader.id()?,
        causation_id: reader.option(Reader::id)?,
        node: reader.option(Reader::text)?,
        time: reader.micros()?,
        generation: reader.u32()?,
    })
}

pub(super) fn put_envelope(out: &mut Vec<u8>, envelope: &Envelope) {
    put_id(out, envelope.id);
    put_text(out, &envelope.topic);
    put_option(out, envelope.key.as_deref(), put_text);
    put_option(out, envelope.event_type.as_deref(), put_text);
    put_id(out, envelope.correlation_id);
    put_option(out, envelope.causation_id, put_id);
    put_option(out, envelope.node.as_deref(), put_text);
    put_u64(out, envelope.time.0);
}

pub(super) fn read_envelope(reader: &mut Reader<'_>) -> Read<Envelope> {
    Ok(Envelope {
        id: reader.id()?,
        topic: reader.text()?,
        key: reader.option(Reader::text)?,
        event_type: reader.option(Reader::text)?,
        correlation_id: reader.id()?,
        causation_id: reader.option(Reader::id)?,
        node: reader.option(Reader::text)?,
        time: reader.micros()?,
    })
}
