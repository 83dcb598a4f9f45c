//! A pending intent's row.

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_kernel::row::{Ending, Failure, Intent, Owner};

use super::message::{put_message, read_message};
use super::parts::{put_attempts, put_failure, put_id, read_attempts, read_failure};
use super::{Read, begin, open};
use crate::codec::value::{put as put_value, read as read_value};
use crate::codec::wire::{Reader, put_option, put_text, put_u64};

/// A pending intent's row.
pub fn intent(row: &Intent) -> Vec<u8> {
    let out = &mut begin();
    put_id(out, row.id);
    put_message(out, &row.message);
    put_text(out, &row.node);
    put_text(out, &row.operation);
    put_owner(out, &row.owner);
    put_u64(out, row.offset);
    out.extend_from_slice(&row.graph.0);
    put_u64(out, u64::from(row.generation));
    for at in [row.turn_at, row.first_attempt_at, row.next_at] {
        put_option(out, at, |out, at| put_u64(out, at.0));
    }
    out.push(u8::from(row.started));
    out.push(u8::from(row.stopping));
    put_attempts(out, &row.attempts);
    core::mem::take(out)
}

/// Reads a pending intent's row.
pub fn read_intent(bytes: &[u8]) -> Read<Intent> {
    let reader = &mut open(bytes, "intent row")?;
    Ok(Intent {
        id: reader.id()?,
        message: Arc::new(read_message(reader)?),
        node: reader.text()?,
        operation: reader.text()?,
        owner: read_owner(reader)?,
        offset: reader.u64()?,
        graph: GraphId(reader.array()?),
        generation: reader.u32()?,
        turn_at: reader.option(Reader::micros)?,
        first_attempt_at: reader.option(Reader::micros)?,
        next_at: reader.option(Reader::micros)?,
        started: reader.bool()?,
        stopping: reader.bool()?,
        attempts: read_attempts(reader)?,
    })
}

pub(super) fn put_owner(out: &mut Vec<u8>, owner: &Owner) {
    match owner {
        Owner::Entity { node, key } => {
            out.push(0);
            put_text(out, node);
            put_text(out, key);
        }
        Owner::Topic => out.push(1),
        Owner::Step { run, step, item, visit, compensation } => {
            out.push(2);
            put_id(out, *run);
            put_u64(out, u64::from(*step));
            put_option(out, *item, |out, item| put_u64(out, u64::from(item)));
            put_u64(out, u64::from(*visit));
            out.push(u8::from(*compensation));
        }
    }
}

pub(super) fn read_owner(reader: &mut Reader<'_>) -> Read<Owner> {
    Ok(match reader.u8()? {
        0 => Owner::Entity { node: reader.text()?, key: reader.text()? },
        1 => Owner::Topic,
        2 => Owner::Step {
            run: reader.id()?,
            step: reader.u16()?,
            item: reader.option(Reader::u32)?,
            visit: reader.u32()?,
            compensation: reader.bool()?,
        },
        _ => return Err(reader.corrupt()),
    })
}

pub(super) fn put_ending(out: &mut Vec<u8>, ending: &Ending) {
    match ending {
        Ending::Completed(output) => {
            out.push(0);
            put_value(out, output);
        }
        Ending::Refused(failure) => put_failed(out, 1, failure),
        Ending::Exhausted { failure, unknown } => {
            put_failed(out, 2 + u8::from(*unknown), failure);
        }
        Ending::InDoubt(failure) => put_failed(out, 4, failure),
        Ending::Expired(failure) => put_failed(out, 5, failure),
        Ending::Withdrawn => out.push(6),
        Ending::Stopped { unknown, failure } => put_failed(out, 7 + u8::from(*unknown), failure),
        Ending::Undone { failure, whole, cancelled } => {
            put_failed(out, 9 + u8::from(*whole) + 2 * u8::from(*cancelled), failure)
        }
    }
}

fn put_failed(out: &mut Vec<u8>, kind: u8, failure: &Failure) {
    out.push(kind);
    put_failure(out, failure);
}

pub(super) fn read_ending(reader: &mut Reader<'_>) -> Read<Ending> {
    Ok(match reader.u8()? {
        0 => Ending::Completed(read_value(reader)?),
        1 => Ending::Refused(read_failure(reader)?),
        2 => Ending::Exhausted { failure: read_failure(reader)?, unknown: false },
        3 => Ending::Exhausted { failure: read_failure(reader)?, unknown: true },
        4 => Ending::InDoubt(read_failure(reader)?),
        5 => Ending::Expired(read_failure(reader)?),
        6 => Ending::Withdrawn,
        7 => Ending::Stopped { unknown: false, failure: read_failure(reader)? },
        8 => Ending::Stopped { unknown: true, failure: read_failure(reader)? },
        kind @ 9..=12 => Ending::Undone {
            failure: read_failure(reader)?,
            whole: (kind - 9) & 1 != 0,
            cancelled: (kind - 9) & 2 != 0,
        },
        _ => return Err(reader.corrupt()),
    })
}
