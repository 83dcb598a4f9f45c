//! Rows as bytes and back.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::Text;
use onex_kernel::row::{
    Armed, Entity, FailedAttempt, Failure, Intent, ItemRow, Items, Letter, Owner, Reason, Refused,
    Run, RunHead, RunStatus, StepRow, StepStatus, Undoing,
};
use onex_kernel::{Id, Message, Payload};

use super::record::{category, origin};
use super::value::{put as put_value, read as read_value};
use super::wire::{Reader, put_bytes, put_option, put_text, put_u64};
use super::{Corrupt, FORMAT};
use crate::dedupe::{Piece, Seen};

type Read<T> = Result<T, Corrupt>;

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
    });
    out
}

/// Reads a run's row: the head, and the steps and items of an ended run.
#[expect(clippy::type_complexity, reason = "the pair is taken apart at once by its only callers")]
pub fn read_run(
    bytes: &[u8],
) -> Read<(RunHead, Option<(Vec<StepRow>, BTreeMap<(u16, u32), ItemRow>)>)> {
    let reader = &mut open(bytes, "run row")?;
    let head = read_head(reader)?;
    let ended = reader.option(|reader| {
        let steps = read_list(reader, |reader| read_step(reader.bytes()?))?;
        let items = read_list(reader, |reader| {
            Ok(((reader.u16()?, reader.u32()?), read_item(reader.bytes()?)?))
        })?;
        Ok((steps, items.into_iter().collect()))
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
    put_value(out, &row.envelope);
    out.extend_from_slice(&row.input_hash);
    put_id(out, row.correlation_id);
    out.extend_from_slice(&row.graph.0);
    put_u64(out, row.started_at.0);
    put_option(out, row.ended_at, |out, at| put_u64(out, at.0));
    put_option(out, row.error.as_ref(), put_failure);
    put_value(out, &row.result);
    put_u64(out, row.armings);
    put_option(out, row.timer, put_armed);
    put_u64(out, row.ends);
    put_u64(out, u64::from(row.visit));
    put_u64(out, u64::from(row.in_flight));
    put_option(out, row.answers, put_id);
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
        envelope: read_value(reader)?,
        input_hash: reader.array()?,
        correlation_id: reader.id()?,
        graph: GraphId(reader.array()?),
        started_at: reader.micros()?,
        ended_at: reader.option(Reader::micros)?,
        error: reader.option(read_failure)?,
        result: read_value(reader)?,
        armings: reader.u64()?,
        timer: reader.option(read_armed)?,
        ends: reader.u64()?,
        visit: reader.u32()?,
        in_flight: reader.u32()?,
        answers: reader.option(Reader::id)?,
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
        put_value(out, &items.list);
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
                list: read_value(reader)?,
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
        message: read_message(reader)?,
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
    })
}

/// What waits to be applied since a turn's bound left it behind.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart at once")]
pub enum Backlog {
    /// A message to a topic.
    Message(Message),
    /// An intent for an operation.
    Intent(Intent),
    /// An intent that begins a run of this node.
    Run(Message, Text),
}

/// The row of a message that waits.
pub fn backlog_message(message: &Message) -> Vec<u8> {
    let out = &mut begin();
    out.push(0);
    put_message(out, message);
    core::mem::take(out)
}

/// The row of an intent that waits.
pub fn backlog_intent(waiting: &Intent) -> Vec<u8> {
    let out = &mut begin();
    out.push(1);
    put_bytes(out, &intent(waiting));
    core::mem::take(out)
}

/// The row of an intent that waits to begin a run.
pub fn backlog_run(message: &Message, node: &str) -> Vec<u8> {
    let out = &mut begin();
    out.push(2);
    put_message(out, message);
    put_text(out, node);
    core::mem::take(out)
}

/// Reads a row of what waits.
pub fn read_backlog(bytes: &[u8]) -> Read<Backlog> {
    let reader = &mut open(bytes, "waiting message row")?;
    Ok(match reader.u8()? {
        0 => Backlog::Message(read_message(reader)?),
        1 => Backlog::Intent(read_intent(reader.bytes()?)?),
        2 => Backlog::Run(read_message(reader)?, reader.text()?),
        _ => return Err(reader.corrupt()),
    })
}

fn begin() -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(FORMAT);
    out
}

fn open<'a>(bytes: &'a [u8], what: &'static str) -> Read<Reader<'a>> {
    let mut reader = Reader::new(bytes, what);
    reader.format()?;
    Ok(reader)
}

fn put_id(out: &mut Vec<u8>, id: Id) {
    out.extend_from_slice(&id.0);
}

fn put_armed(out: &mut Vec<u8>, armed: Armed) {
    put_u64(out, armed.arming);
    put_u64(out, armed.armed_at.0);
    put_u64(out, armed.due.0);
}

fn read_armed(reader: &mut Reader<'_>) -> Read<Armed> {
    Ok(Armed { arming: reader.u64()?, armed_at: reader.micros()?, due: reader.micros()? })
}

fn put_failure(out: &mut Vec<u8>, failure: &Failure) {
    put_text(out, &failure.code);
    put_text(out, &failure.message);
    put_option(out, failure.step.as_deref(), put_text);
}

fn read_failure(reader: &mut Reader<'_>) -> Read<Failure> {
    Ok(Failure {
        code: reader.text()?,
        message: reader.text()?,
        step: reader.option(Reader::text)?,
    })
}

fn put_attempts(out: &mut Vec<u8>, attempts: &[FailedAttempt]) {
    put_u64(out, attempts.len() as u64);
    for attempt in attempts {
        put_u64(out, attempt.at.0);
        put_text(out, &attempt.error);
        out.push(u8::from(attempt.sent));
    }
}

fn read_attempts(reader: &mut Reader<'_>) -> Read<Vec<FailedAttempt>> {
    read_list(reader, |reader| {
        Ok(FailedAttempt { at: reader.micros()?, error: reader.text()?, sent: reader.bool()? })
    })
}

fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Read<T>,
) -> Read<Vec<T>> {
    let count = reader.count()?;
    (0..count).map(|_| read(reader)).collect()
}

fn put_owner(out: &mut Vec<u8>, owner: &Owner) {
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

fn read_owner(reader: &mut Reader<'_>) -> Read<Owner> {
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

fn put_message(out: &mut Vec<u8>, message: &Message) {
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

fn read_message(reader: &mut Reader<'_>) -> Read<Message> {
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

fn read_run_status(reader: &mut Reader<'_>) -> Read<RunStatus> {
    Ok(match reader.u8()? {
        0 => RunStatus::Pending,
        1 => RunStatus::Running,
        2 => RunStatus::Paused,
        3 => RunStatus::Completed,
        4 => RunStatus::Failed,
        5 => RunStatus::Cancelled,
        _ => return Err(reader.corrupt()),
    })
}

fn read_undoing(reader: &mut Reader<'_>) -> Read<Undoing> {
    Ok(match reader.u8()? {
        0 => Undoing::None,
        1 => Undoing::Running,
        2 => Undoing::Done,
        3 => Undoing::Incomplete,
        _ => return Err(reader.corrupt()),
    })
}

fn read_step_status(reader: &mut Reader<'_>) -> Read<StepStatus> {
    Ok(match reader.u8()? {
        0 => StepStatus::Pending,
        1 => StepStatus::Running,
        2 => StepStatus::Waiting,
        3 => StepStatus::Completed,
        4 => StepStatus::Skipped,
        5 => StepStatus::Failed,
        6 => StepStatus::Cancelled,
        7 => StepStatus::Compensating,
        8 => StepStatus::Compensated,
        9 => StepStatus::CompensationFailed,
        _ => return Err(reader.corrupt()),
    })
}

fn read_reason(reader: &mut Reader<'_>) -> Read<Reason> {
    Ok(match reader.u8()? {
        0 => Reason::InvalidPayload,
        1 => Reason::Unhandled,
        2 => Reason::NoKey,
        3 => Reason::GuardError,
        4 => Reason::ExpressionError,
        5 => Reason::Refused,
        6 => Reason::CompensationFailed,
        7 => Reason::Exhausted,
        8 => Reason::InDoubt,
        9 => Reason::Expired,
        10 => Reason::Exceeded,
        11 => Reason::TooLarge,
        12 => Reason::NoRoute,
        13 => Reason::StepPanicked,
        _ => return Err(reader.corrupt()),
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

/// A piece of the dedupe window.
pub fn window(piece: &Piece) -> Vec<u8> {
    let out = &mut begin();
    put_u64(out, piece.to);
    put_u64(out, piece.seen.len() as u64);
    for seen in &piece.seen {
        put_id(out, seen.id);
        out.extend_from_slice(&seen.hash);
        put_u64(out, seen.offset);
        put_u64(out, seen.time.0);
    }
    core::mem::take(out)
}

/// Reads a piece of the dedupe window.
pub fn read_window(bytes: &[u8]) -> Read<Piece> {
    let reader = &mut open(bytes, "dedupe row")?;
    let to = reader.u64()?;
    let seen = (0..reader.count()?)
        .map(|_| {
            Ok(Seen {
                id: reader.id()?,
                hash: reader.array()?,
                offset: reader.u64()?,
                time: reader.micros()?,
            })
        })
        .collect::<Read<_>>()?;
    Ok(Piece { to, seen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use onex_expr::Value;

    #[test]
    fn rows_cut_anywhere_are_corrupt_and_never_a_panic() {
        let row = item(&ItemRow {
            status: StepStatus::Failed,
            input: Value::map([("a", Value::Int(-3)), ("b", Value::Double(0.5))]),
            output: Value::list(alloc::vec![Value::Null, Value::Bool(true), Value::text("ü")]),
            error: Some(Failure { code: "c".into(), message: "m".into(), step: None }),
            intent_id: Some(Id([9; 16])),
            unknown: true,
            end_order: 300,
        });
        assert_eq!(item(&read_item(&row).expect("it was just written")), row);
        for end in 0..row.len() {
            assert!(read_item(&row[..end]).is_err());
        }
    }
}
