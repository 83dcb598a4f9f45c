//! A workflow run: its head, and the rows of its steps, items and events.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::{Text, Value};

use super::{Armed, Failure, Owner};
use crate::{Envelope, Id, Message, Micros};

/// A workflow run: its head and the rows of its steps and items.
#[derive(Clone, Debug)]
pub struct Run {
    /// The head.
    pub head: RunHead,
    /// One row a step, in the graph's order.
    pub steps: Vec<StepRow>,
    /// Rows of `for_each` items by (step, item).
    pub items: BTreeMap<(u16, u32), ItemRow>,
    /// Events that were heard before the wait that may take them was reached, in the log's order.
    pub events: BTreeMap<u32, Message>,
}

/// A run's status on the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RunStatus {
    /// Begun, nothing started yet.
    Pending = 0,
    /// Under way.
    Running = 1,
    /// Held by an operator: a word that the interface keeps; nothing holds a run yet.
    Paused = 2,
    /// Ended well.
    Completed = 3,
    /// Ended badly.
    Failed = 4,
    /// Ended by request.
    Cancelled = 5,
}

impl RunStatus {
    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Pending => "pending",
            RunStatus::Running => "running",
            RunStatus::Paused => "paused",
            RunStatus::Completed => "completed",
            RunStatus::Failed => "failed",
            RunStatus::Cancelled => "cancelled",
        }
    }
}

/// Whether and how far a run was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Undoing {
    /// Nothing to undo, or not yet.
    None = 0,
    /// Under way.
    Running = 1,
    /// Everything undone.
    Done = 2,
    /// At least one compensation gave up.
    Incomplete = 3,
}

impl Undoing {
    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Undoing::None => "none",
            Undoing::Running => "running",
            Undoing::Done => "done",
            Undoing::Incomplete => "incomplete",
        }
    }
}

/// The head of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHead {
    /// Its id.
    pub id: Id,
    /// The orchestrator.
    pub node: Text,
    /// The value of `run_key`.
    pub key: Option<Text>,
    /// The run and step that began it.
    pub parent: Option<(Id, Text)>,
    /// Where it stands.
    pub status: RunStatus,
    /// Whether and how far it was undone.
    pub compensation: Undoing,
    /// What it was given.
    pub input: Value,
    /// `envelope` of the message that began it.
    pub envelope: Envelope,
    /// Hash of the start's content, to tell a repeated start from another one with the same id.
    pub input_hash: [u8; 32],
    /// The story it belongs to.
    pub correlation_id: Id,
    /// The graph it stays with.
    pub graph: GraphId,
    /// When it began.
    pub started_at: Micros,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why it is failing, timed out or cancelled; set as soon as that is certain, while attempts
    /// in flight are awaited and steps compensated.
    pub error: Option<Failure>,
    /// What it yielded.
    pub result: Value,
    /// Counts armings of its timers.
    pub armings: u64,
    /// The timer of the whole run.
    pub timer: Option<Armed>,
    /// How many events were kept so far: the number of the next one.
    pub events: u32,
    /// 0, and one more with each retry of the run.
    pub visit: u32,
    /// Intents whose outcome is awaited.
    pub in_flight: u32,
    /// The step of another run that awaits its end, or that it is undone; the run's id is that of
    /// the intent by which the step began it.
    pub answers: Option<Owner>,
}

/// A step's status on the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StepStatus {
    /// Not started.
    Pending = 0,
    /// Under way.
    Running = 1,
    /// Waits for a timer or a message.
    Waiting = 2,
    /// Ended well.
    Completed = 3,
    /// Its condition was false.
    Skipped = 4,
    /// Ended badly.
    Failed = 5,
    /// Ended by the run's end.
    Cancelled = 6,
    /// Being undone.
    Compensating = 7,
    /// Undone.
    Compensated = 8,
    /// Could not be undone.
    CompensationFailed = 9,
}

impl StepStatus {
    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Waiting => "waiting",
            StepStatus::Completed => "completed",
            StepStatus::Skipped => "skipped",
            StepStatus::Failed => "failed",
            StepStatus::Cancelled => "cancelled",
            StepStatus::Compensating => "compensating",
            StepStatus::Compensated => "compensated",
            StepStatus::CompensationFailed => "compensation_failed",
        }
    }
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// Where it stands.
    pub status: StepStatus,
    /// What it was given (null for `for_each`, whose items keep their own).
    pub input: Value,
    /// What it yielded.
    pub output: Value,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Failures of items under `continue`: (index, failure).
    pub errors: Vec<(u32, Failure)>,
    /// How often it was started.
    pub attempts: u32,
    /// When it started.
    pub started_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// The intent it awaits or ended with.
    pub intent_id: Option<Id>,
    /// Whether what it did is not known: exhausted after a sent attempt, timed out, in doubt.
    pub unknown: bool,
    /// Its place in the order in which compensation goes back; 0 as long as there is nothing that it
    /// did or may have done.
    pub end_order: u64,
    /// Items of `for_each`; `None` when it is not one.
    pub items: Option<Items>,
    /// The timer of the step: its timeout, its `wait_ms` or the pause before it is done again.
    pub timer: Option<Armed>,
    /// Tells apart the executions of one step, so that a late outcome of an earlier one is seen.
    pub visit: u32,
}

impl StepRow {
    /// A step that has not started: it needs no row.
    pub fn pending() -> StepRow {
        StepRow {
            status: StepStatus::Pending,
            input: Value::Null,
            output: Value::Null,
            error: None,
            errors: Vec::new(),
            attempts: 0,
            started_at: None,
            ended_at: None,
            intent_id: None,
            unknown: false,
            end_order: 0,
            items: None,
            timer: None,
            visit: 0,
        }
    }
}

/// Progress of `for_each`.
#[derive(Clone, Debug, PartialEq)]
pub struct Items {
    /// How many there are: the rows 0 to `total` exist.
    pub total: u32,
    /// The next one to start.
    pub next: u32,
    /// Under way.
    pub running: u32,
    /// Ended well.
    pub completed: u32,
    /// Ended badly.
    pub failed: u32,
}

/// One item of a `for_each` step.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    /// Where it stands (the same words as for a step).
    pub status: StepStatus,
    /// The item, until it is started; then what it was given.
    pub input: Value,
    /// What it yielded.
    pub output: Value,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The intent it awaits or ended with.
    pub intent_id: Option<Id>,
    /// As for a step.
    pub unknown: bool,
    /// As for a step.
    pub end_order: u64,
}
