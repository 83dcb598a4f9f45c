//! Rows of a run: its head, and its steps and items.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::Text;
use onex_kernel::row::{ItemRow, Items, Run, RunHead, StepRow};
use onex_kernel::{Id, Message};

use super::intent::{put_owner, read_owner};
use super::message::{put_envelope, put_message, read_envelope, read_message};
use super::parts::{put_armed, put_failure, put_id, read_armed, read_failure, read_list};
use super::word::{read_run_status, read_step_status, read_undoing};
use super::{Read, begin, open};
use crate::codec::value::{put as put_value, read as read_value};
use crate::codec::wire::{Reader, put_bytes, put_option, put_text, put_u64};

/// What stands in the row of an ended run beside its head.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its steps.
    pub steps: Vec<StepRow>,
    /// Its items.
    pub items: BTreeMap<(u16, u32), ItemRow>,
    /// Events that no wait had taken.
    pub events: BTreeMap<u32, Message>,
}

/// A run's row: its head, and once it has ended its steps and items too, so that an ended run is
/// one row.
pub fn run(row: &RunHead, ended: Option<&Run>) -> Vec<u8> {
    let mut out = head(row);
    put_option(&mut out, ended, |out, run| {
        put_u64(out, run.steps.len() as u64);
        for row in &run.steps {
            put_bytes(out, &step(row));
        }
        put_u64(out, run.items.len() as u64);
        for ((step, index), row) in &run.items {
            put_u64(out, u64::from(*step));
            put_u64(out, u64::from(*index));
            put_bytes(out, &item(row));
        }
        put_u64(out, run.events.len() as u64);
        for (at, message) in &run.events {
            put_u64(out, u64::from(*at));
            put_message(out, message);
        }
    });
    out
}

/// Reads a run's row: the head, and the steps and items of an ended run.
pub fn read_run(bytes: &[u8]) -> Read<(RunHead, Option<Ended>)> {
    let reader = &mut open(bytes, "run row")?;
    let head = read_head(reader)?;
    let ended = reader.option(|reader| {
        let steps = read_list(reader, |reader| read_step(reader.bytes()?))?;
        let items = read_list(reader, |reader| {
            Ok(((reader.u16()?, reader.u32()?), read_item(reader.bytes()?)?))
        })?;
        let events = read_list(reader, |reader| Ok((reader.u32()?, read_message(reader)?)))?;
        Ok(Ended {
            steps,
            items: items.into_iter().collect(),
            events: events.into_iter().collect(),
        })
    })?;
    Ok((head, ended))
}

fn head(row: &RunHead) -> Vec<u8> {
    let out = &mut begin();
    put_id(out, row.id);
    put_text(out, &row.node);
    put_option(out, row.key.as_deref(), put_text);
    put_option(out, row.parent.as_ref(), |out, (run, step)| {
        put_id(out, *run);
        put_text(out, step);
    });
    out.push(row.status as u8);
    out.push(row.compensation as u8);
    put_value(out, &row.input);
    put_envelope(out, &row.envelope);
    out.extend_from_slice(&row.input_hash);
    put_id(out, row.correlation_id);
    out.extend_from_slice(&row.graph.0);
    put_u64(out, row.started_at.0);
    put_option(out, row.ended_at, |out, at| put_u64(out, at.0));
    put_option(out, row.error.as_ref(), put_failure);
    put_value(out, &row.result);
    put_u64(out, row.armings);
    put_option(out, row.timer, put_armed);
    put_u64(out, u64::from(row.events));
    put_u64(out, u64::from(row.visit));
    put_u64(out, u64::from(row.in_flight));
    put_option(out, row.answers.as_ref(), put_owner);
    core::mem::take(out)
}

fn read_head(reader: &mut Reader<'_>) -> Read<RunHead> {
    Ok(RunHead {
        id: reader.id()?,
        node: reader.text()?,
        key: reader.option(Reader::text)?,
        parent: reader.option(|reader| Ok((reader.id()?, reader.text()?)))?,
        status: read_run_status(reader)?,
        compensation: read_undoing(reader)?,
        input: read_value(reader)?,
        envelope: read_envelope(reader)?,
        input_hash: reader.array()?,
        correlation_id: reader.id()?,
        graph: GraphId(reader.array()?),
        started_at: reader.micros()?,
        ended_at: reader.option(Reader::micros)?,
        error: reader.option(read_failure)?,
        result: read_value(reader)?,
        armings: reader.u64()?,
        timer: reader.option(read_armed)?,
        events: reader.u32()?,
        visit: reader.u32()?,
        in_flight: reader.u32()?,
        answers: reader.option(read_owner)?,
    })
}

/// A step's row.
pub fn step(row: &StepRow) -> Vec<u8> {
    let out = &mut begin();
    out.push(row.status as u8);
    put_value(out, &row.input);
    put_value(out, &row.output);
    put_option(out, row.error.as_ref(), put_failure);
    put_u64(out, row.errors.len() as u64);
    for (index, failure) in &row.errors {
        put_u64(out, u64::from(*index));
        put_failure(out, failure);
    }
    put_u64(out, u64::from(row.attempts));
    put_option(out, row.started_at, |out, at| put_u64(out, at.0));
    put_option(out, row.ended_at, |out, at| put_u64(out, at.0));
    put_option(out, row.intent_id, put_id);
    out.push(u8::from(row.unknown));
    put_u64(out, row.end_order);
    put_option(out, row.items.as_ref(), |out, items| {
        for number in [items.total, items.next, items.running, items.completed, items.failed] {
            put_u64(out, u64::from(number));
        }
    });
    put_option(out, row.timer, put_armed);
    put_u64(out, u64::from(row.visit));
    core::mem::take(out)
}

/// Reads a step's row.
pub fn read_step(bytes: &[u8]) -> Read<StepRow> {
    let reader = &mut open(bytes, "step row")?;
    Ok(StepRow {
        status: read_step_status(reader)?,
        input: read_value(reader)?,
        output: read_value(reader)?,
        error: reader.option(read_failure)?,
        errors: read_list(reader, |reader| Ok((reader.u32()?, read_failure(reader)?)))?,
        attempts: reader.u32()?,
        started_at: reader.option(Reader::micros)?,
        ended_at: reader.option(Reader::micros)?,
        intent_id: reader.option(Reader::id)?,
        unknown: reader.bool()?,
        end_order: reader.u64()?,
        items: reader.option(|reader| {
            Ok(Items {
                total: reader.u32()?,
                next: reader.u32()?,
                running: reader.u32()?,
                completed: reader.u32()?,
                failed: reader.u32()?,
            })
        })?,
        timer: reader.option(read_armed)?,
        visit: reader.u32()?,
    })
}

/// An item's row.
pub fn item(row: &ItemRow) -> Vec<u8> {
    let out = &mut begin();
    out.push(row.status as u8);
    put_value(out, &row.input);
    put_value(out, &row.output);
    put_option(out, row.error.as_ref(), put_failure);
    put_option(out, row.intent_id, put_id);
    out.push(u8::from(row.unknown));
    put_u64(out, row.end_order);
    core::mem::take(out)
}

/// Reads an item's row.
pub fn read_item(bytes: &[u8]) -> Read<ItemRow> {
    let reader = &mut open(bytes, "item row")?;
    Ok(ItemRow {
        status: read_step_status(reader)?,
        input: read_value(reader)?,
        output: read_value(reader)?,
        error: reader.option(read_failure)?,
        intent_id: reader.option(Reader::id)?,
        unknown: reader.bool()?,
        end_order: reader.u64()?,
    })
}

/// A value row (the id of a run under its key, the active graph).
pub fn id_row(id: Id) -> Vec<u8> {
    let out = &mut begin();
    put_id(out, id);
    core::mem::take(out)
}

/// Reads the id of a run under its key.
pub fn read_id_row(bytes: &[u8]) -> Read<Id> {
    open(bytes, "run key row")?.id()
}

/// The row of an event that a run keeps.
pub fn event(message: &Message) -> Vec<u8> {
    let out = &mut begin();
    put_message(out, message);
    core::mem::take(out)
}

/// Reads an event that a run keeps.
pub fn read_event(bytes: &[u8]) -> Read<Message> {
    read_message(&mut open(bytes, "event row")?)
}

/// The row of a run that listens: where its plan stands.
pub fn listener(graph: GraphId, node: &str) -> Vec<u8> {
    let out = &mut begin();
    out.extend_from_slice(&graph.0);
    put_text(out, node);
    core::mem::take(out)
}

/// Reads the row of a run that listens.
pub fn read_listener(bytes: &[u8]) -> Read<(GraphId, Text)> {
    let reader = &mut open(bytes, "listener row")?;
    Ok((GraphId(reader.array()?), reader.text()?))
}
