//! A dead letter's row.

use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_kernel::row::{Discarded, Letter};

use super::intent::{put_owner, read_owner};
use super::message::{put_message, read_message};
use super::parts::{put_attempts, put_id, read_attempts};
use super::word::read_reason;
use super::{Read, begin, open};
use crate::codec::wire::{Reader, put_option, put_text, put_u64};

/// A dead letter's row.
pub fn letter(row: &Letter) -> Vec<u8> {
    let out = &mut begin();
    put_id(out, row.id);
    out.push(row.reason as u8);
    put_text(out, &row.detail);
    put_option(out, row.node.as_deref(), put_text);
    put_option(out, row.operation.as_deref(), put_text);
    put_option(out, row.run_id, put_id);
    put_option(out, row.step.as_deref(), put_text);
    put_message(out, &row.message);
    put_u64(out, row.offset);
    put_option(out, row.owner.as_ref(), put_owner);
    put_attempts(out, &row.attempts);
    out.extend_from_slice(&row.graph.0);
    put_u64(out, row.created_at.0);
    put_option(out, row.redriven_at, |out, at| put_u64(out, at.0));
    put_option(out, row.discarded.as_ref(), |out, discarded| {
        put_u64(out, discarded.at.0);
        put_text(out, &discarded.reason);
    });
    core::mem::take(out)
}

/// Reads a dead letter's row.
pub fn read_letter(bytes: &[u8]) -> Read<Letter> {
    let reader = &mut open(bytes, "dead letter row")?;
    Ok(Letter {
        id: reader.id()?,
        reason: read_reason(reader)?,
        detail: reader.text()?,
        node: reader.option(Reader::text)?,
        operation: reader.option(Reader::text)?,
        run_id: reader.option(Reader::id)?,
        step: reader.option(Reader::text)?,
        message: read_message(reader)?,
        offset: reader.u64()?,
        owner: reader.option(read_owner)?,
        attempts: read_attempts(reader)?,
        graph: GraphId(reader.array()?),
        created_at: reader.micros()?,
        redriven_at: reader.option(Reader::micros)?,
        discarded: reader
            .option(|reader| Ok(Discarded { at: reader.micros()?, reason: reader.text()? }))?,
    })
}

/// How many letters are open.
pub fn count(count: u64) -> Vec<u8> {
    let out = &mut begin();
    put_u64(out, count);
    core::mem::take(out)
}

/// Reads how many letters are open.
pub fn read_count(bytes: &[u8]) -> Read<u64> {
    open(bytes, "count of dead letters")?.u64()
}
