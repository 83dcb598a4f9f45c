//! What the engine takes: a closed set.

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::Graph;
use onex_expr::{Text, Value};
use onex_kernel::port::CallError;
use onex_kernel::{Id, Payload};

/// Tells replies apart; chosen by the shell, never repeated within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A row's key, and its bytes if there is such a row.
pub type LoadedRow = (Arc<[u8]>, Option<Arc<[u8]>>);

/// One input.
#[derive(Debug)]
pub enum Input {
    /// A request from outside. It is answered once with `Output::Reply`, after the sync if it
    /// changed anything.
    Received(Ticket, Request),
    /// Rows that `Output::Load` asked for: key, and bytes when the row exists.
    Loaded(Vec<LoadedRow>),
    /// The frame of the last `Output::Write` is durable.
    Synced,
    /// An attempt ended.
    Answered {
        /// The intent.
        intent: Id,
        /// The number that `Perform` gave.
        attempt: u64,
        /// The answer, or why there is none.
        answer: Result<Value, CallError>,
    },
    /// Time passed: `WakeAt` came due.
    Tick,
    /// Whether only the reserve of the disk is left: nothing new begins then.
    Reserve(bool),
    /// From now on a new graph.
    Activate(Ticket, Arc<Graph>),
    /// Finish turns and attempts in flight, begin no attempt; ends with `Output::Drained`.
    Drain,
}

/// A request from outside.
#[derive(Clone, Debug)]
pub enum Request {
    /// One message on a topic.
    Publish(Publish),
    /// Several, each on its own, in order. Answered with `Reply::Batch`.
    Batch(Vec<Publish>),
    /// Begins a run.
    Start(StartRun),
    /// Cancels a run.
    Cancel(Id),
    /// Retries a failed or cancelled run.
    Retry(Id),
    /// Puts dead letters back; with `dry_run` only says what would be.
    Redrive {
        /// Which letters.
        letters: Vec<Id>,
        /// Change nothing.
        dry_run: bool,
    },
    /// The same, also with letters that were discarded.
    RedriveDiscarded {
        /// Which letters.
        letters: Vec<Id>,
        /// Change nothing.
        dry_run: bool,
    },
    /// Lets go of dead letters.
    Discard {
        /// Which letters.
        letters: Vec<Id>,
        /// Why; it stays with them.
        reason: Text,
    },
}

/// A client's message.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Its id: the client's, or one that the shell made (then `id_given` is false).
    pub id: Id,
    /// Whether the client chose the id.
    pub id_given: bool,
    /// Where.
    pub topic: Text,
    /// Its key.
    pub key: Option<Text>,
    /// Alias of the event's type.
    pub event_type: Option<Text>,
    /// What it says, as received and decoded.
    pub payload: Payload,
    /// The story it belongs to; the message's own id when the client gave none.
    pub correlation_id: Id,
}

/// A client's start of a run.
#[derive(Clone, Debug)]
pub struct StartRun {
    /// The orchestrator.
    pub node: Text,
    /// The run's id: derived from node and Idempotency-Key, or made by the shell.
    pub run_id: Id,
    /// Whether an Idempotency-Key was given.
    pub key_given: bool,
    /// What it is given.
    pub input: Payload,
    /// The story it belongs to.
    pub correlation_id: Id,
}
