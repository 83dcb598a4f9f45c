//! What waits to be applied since a turn's bound left it behind.

use alloc::vec::Vec;

use onex_kernel::row::Intent;
use onex_kernel::{Id, Message, Tidings, Told};

use super::intent::{intent, put_ending, put_owner, read_ending, read_intent, read_owner};
use super::message::{put_message, read_message};
use super::parts::put_id;
use super::{Read, begin, open};
use crate::codec::wire::{Reader, put_bytes, put_option, put_text};
use crate::work::{RunIntent, Tell, TriggerIntent};

/// What waits to be applied since a turn's bound left it behind.
#[derive(Debug)]
pub enum Backlog {
    /// A message to a topic.
    Message(Message),
    /// An intent for an operation.
    Intent(Intent),
    /// An intent that begins a run.
    Run(RunIntent),
    /// An intent that triggers a reducer.
    Trigger(TriggerIntent),
    /// Something that one run tells another.
    Tell(Tell),
}

/// What of a row that waits can be told without regard to its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Of a message or intent; the run, where one is told something.
    pub id: Id,
    /// 0 unless it was put back.
    pub generation: u32,
    /// It is not wanted any more: it will be recorded and not performed.
    pub stopping: bool,
}

impl Backlog {
    fn waits(&self) -> Waits {
        let of = |message: &Message, stopping| Waits {
            id: message.id,
            generation: message.generation,
            stopping,
        };
        match self {
            Backlog::Message(message) => of(message, false),
            Backlog::Intent(intent) => {
                Waits { id: intent.id, generation: intent.generation, stopping: intent.stopping }
            }
            Backlog::Run(intent) => of(&intent.message, false),
            Backlog::Trigger(intent) => of(&intent.message, intent.stopping),
            Backlog::Tell(tell) => Waits { id: tell.told.run, generation: 0, stopping: false },
        }
    }
}

/// Reads what waits, as far as that does not depend on its kind.
pub fn read_waits(bytes: &[u8]) -> Read<Waits> {
    read_backlog(bytes).map(|left| left.waits())
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
pub fn backlog_run(waiting: &RunIntent) -> Vec<u8> {
    let out = &mut begin();
    out.push(2);
    put_message(out, &waiting.message);
    put_text(out, &waiting.node);
    put_option(out, waiting.step.as_ref(), |out, (id, owner)| {
        put_text(out, id);
        put_owner(out, owner);
    });
    core::mem::take(out)
}

/// The row of an intent that waits to trigger a reducer.
pub fn backlog_trigger(waiting: &TriggerIntent) -> Vec<u8> {
    let out = &mut begin();
    out.push(3);
    put_message(out, &waiting.message);
    put_text(out, &waiting.node);
    put_text(out, &waiting.trigger);
    put_owner(out, &waiting.owner);
    out.push(u8::from(waiting.stopping));
    core::mem::take(out)
}

/// The row of something that waits to be told to a run.
pub fn backlog_tell(waiting: &Tell) -> Vec<u8> {
    let out = &mut begin();
    out.push(4);
    put_id(out, waiting.told.run);
    match &waiting.told.what {
        Tidings::Cancel => out.push(0),
        Tidings::Undo(owner) => {
            out.push(1);
            put_owner(out, owner);
        }
        Tidings::Ended { owner, run, ending } => {
            out.push(2);
            put_owner(out, owner);
            put_id(out, *run);
            put_ending(out, ending);
        }
    }
    put_id(out, waiting.cause);
    put_text(out, &waiting.from);
    core::mem::take(out)
}

fn read_tell(reader: &mut Reader<'_>) -> Read<Tell> {
    let run = reader.id()?;
    let what = match reader.u8()? {
        0 => Tidings::Cancel,
        1 => Tidings::Undo(read_owner(reader)?),
        2 => Tidings::Ended {
            owner: read_owner(reader)?,
            run: reader.id()?,
            ending: read_ending(reader)?,
        },
        _ => return Err(reader.corrupt()),
    };
    Ok(Tell { told: Told { run, what }, cause: reader.id()?, from: reader.text()? })
}

/// Reads a row of what waits.
pub fn read_backlog(bytes: &[u8]) -> Read<Backlog> {
    let reader = &mut open(bytes, "waiting message row")?;
    Ok(match reader.u8()? {
        0 => Backlog::Message(read_message(reader)?),
        1 => Backlog::Intent(read_intent(reader.bytes()?)?),
        2 => Backlog::Run(RunIntent {
            message: read_message(reader)?,
            node: reader.text()?,
            step: reader.option(|reader| Ok((reader.text()?, read_owner(reader)?)))?,
        }),
        3 => Backlog::Trigger(TriggerIntent {
            message: read_message(reader)?,
            node: reader.text()?,
            trigger: reader.text()?,
            owner: read_owner(reader)?,
            stopping: reader.bool()?,
        }),
        4 => Backlog::Tell(read_tell(reader)?),
        _ => return Err(reader.corrupt()),
    })
}
