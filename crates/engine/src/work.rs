//! Pieces of work: what arrived, what decisions sent, what is due.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::Graph;
use onex_expr::Text;
use onex_kernel::port::CallError;
use onex_kernel::row::{Ending, Intent, Owner};
use onex_kernel::{Fault, Id, Message, Told};

use crate::input::{Publish, Request, Ticket};
use crate::key::{RowKey, Timer};
use crate::output::ItemAnswer;
use crate::retain::{Entry, Kind};
use crate::schedule::Name;

/// A piece of work: becomes at most one record.
#[derive(Debug)]
pub(crate) enum Work {
    /// A client's message; `at` is its place in a batch.
    Publish { ticket: Ticket, at: Option<usize>, publish: Box<Publish> },
    /// Any other request.
    Request(Ticket, Box<Request>),
    /// A message that a decision sent.
    Message(Box<Waiting<Message>>),
    /// An intent for an operation that a decision sent.
    Intent(Box<Waiting<Intent>>),
    /// An intent that begins a run.
    IntentRun(Box<Waiting<RunIntent>>),
    /// An intent that triggers a reducer.
    Trigger(Box<Waiting<TriggerIntent>>),
    /// Something that one run tells another.
    Tell(Box<Waiting<Tell>>),
    /// An attempt may begin.
    Due(Id),
    /// An attempt ended.
    Answered { intent: Id, attempt: u64, answer: Result<onex_expr::Value, CallError> },
    /// An intent ended.
    End(Box<End>),
    /// A timer fired.
    Timer(Timer),
    /// A schedule came due.
    Schedule(Name),
    /// The schedules of the active graph are not armed yet.
    Schedules,
    /// Something is kept long enough; what a sweep has taken out.
    Sweep(Kind, Vec<Entry>),
    /// A new graph.
    Activate(Ticket, Arc<Graph>),
}

impl Work {
    /// The story that it goes on with, if it is the engine's own.
    pub fn story(&self) -> Option<Id> {
        Some(match self {
            Work::Message(waiting) => waiting.what.correlation_id,
            Work::Intent(waiting) => waiting.what.message.correlation_id,
            Work::IntentRun(waiting) => waiting.what.message.correlation_id,
            Work::Trigger(waiting) => waiting.what.message.correlation_id,
            _ => return None,
        })
    }

    /// Whether the next start finds it in a row of its own.
    pub fn is_durable(&self) -> bool {
        match self {
            Work::Message(waiting) => waiting.row.is_some(),
            Work::Intent(waiting) => waiting.row.is_some(),
            Work::IntentRun(waiting) => waiting.row.is_some(),
            Work::Trigger(waiting) => waiting.row.is_some(),
            Work::Tell(waiting) => waiting.row.is_some(),
            _ => false,
        }
    }
}

/// A message of the engine's own, and the row it stands in when an earlier turn left it behind.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    pub what: T,
    pub row: Option<RowKey>,
}

/// An intent that begins a run.
#[derive(Debug)]
pub struct RunIntent {
    /// As recorded.
    pub message: Message,
    /// The orchestrator.
    pub node: Text,
    /// Id and place of the step that begins it, if one does.
    pub step: Option<(Text, Owner)>,
}

/// An intent that triggers a reducer's entity for a step.
#[derive(Debug)]
pub struct TriggerIntent {
    /// As recorded; its payload is what the reducer sees.
    pub message: Message,
    /// The reducer.
    pub node: Text,
    /// The trigger's name.
    pub trigger: Text,
    /// The step.
    pub owner: Owner,
    /// It is not wanted any more.
    pub stopping: bool,
}

/// Something that one run tells another.
#[derive(Debug)]
pub struct Tell {
    /// Whom and what.
    pub told: Told,
    /// The message whose decision tells it.
    pub cause: Id,
    /// The orchestrator that tells it.
    pub from: Text,
}

/// How an intent ended and what that publishes.
#[derive(Debug)]
pub(crate) struct End {
    pub intent: Id,
    pub ending: Ending,
    pub publish: Option<(Text, onex_expr::Value)>,
    /// An event whose payload could not be worked out: where it would have gone, and why.
    pub unpublished: Option<(Text, Fault)>,
    /// A refusal that the contract names: an answer, not a dead letter.
    pub answered: bool,
}

/// A batch whose messages are being looked at one by one.
#[derive(Debug)]
pub(crate) struct Batch {
    pub answers: Vec<Option<ItemAnswer>>,
    pub left: usize,
}

/// What became of a piece of work.
pub(crate) enum Progress {
    /// It is done.
    Done,
    /// Rows are wanted first; here it is again.
    Missing(Work),
}
