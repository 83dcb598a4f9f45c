//! An entity's row.

use alloc::vec::Vec;

use onex_kernel::row::{Entity, Refused};

use super::parts::{put_armed, put_id, read_armed};
use super::{Read, begin, open};
use crate::codec::value::{put as put_value, read as read_value};
use crate::codec::wire::{Reader, put_option, put_text, put_u64};

/// An entity's row.
pub fn entity(row: &Entity) -> Vec<u8> {
    let out = &mut begin();
    put_text(out, &row.state);
    put_option(out, row.previous_state.as_deref(), put_text);
    put_u64(out, row.version);
    put_u64(out, row.since.0);
    put_value(out, &row.data);
    put_option(out, row.timer, put_armed);
    put_u64(out, row.armings);
    put_u64(out, row.offset);
    put_option(out, row.last_refusal.as_ref(), |out, refused| {
        put_u64(out, refused.offset);
        put_text(out, &refused.trigger);
        put_text(out, &refused.guard);
    });
    put_u64(out, row.updated_at.0);
    put_id(out, row.correlation_id);
    core::mem::take(out)
}

/// Reads an entity's row.
pub fn read_entity(bytes: &[u8]) -> Read<Entity> {
    let reader = &mut open(bytes, "entity row")?;
    Ok(Entity {
        state: reader.text()?,
        previous_state: reader.option(Reader::text)?,
        version: reader.u64()?,
        since: reader.micros()?,
        data: read_value(reader)?,
        timer: reader.option(read_armed)?,
        armings: reader.u64()?,
        offset: reader.u64()?,
        last_refusal: reader.option(|reader| {
            Ok(Refused { offset: reader.u64()?, trigger: reader.text()?, guard: reader.text()? })
        })?,
        updated_at: reader.micros()?,
        correlation_id: reader.id()?,
    })
}
