//! What is kept: rows of entities, runs, intents and letters. Plain data; the engine's codec knows
//! how they look on disk.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::{Text, Value};

use crate::{Id, Message, Micros};

/// A reducer's entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Name of the state.
    pub state: Text,
    /// Name of the state before.
    pub previous_state: Option<Text>,
    /// One more with each delivery that took a transition.
    pub version: u64,
    /// When the state was entered.
    pub since: Micros,
    /// The machine's data.
    pub data: Value,
    /// The armed timer.
    pub timer: Option<Armed>,
    /// Counts armings; a timer that fires with another number is stale.
    pub armings: u64,
    /// Offset of the last message that took a transition.
    pub offset: u64,
    /// The last message that a guard refused.
    pub last_refusal: Option<Refused>,
    /// When it last changed.
    pub updated_at: Micros,
    /// The story of the last message that took a transition: its timer belongs to it.
    pub correlation_id: Id,
}

/// An armed timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Armed {
    /// Its arming number.
    pub arming: u64,
    /// When it was armed.
    pub armed_at: Micros,
    /// When it fires.
    pub due: Micros,
}

/// A message that a guard refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Its offset.
    pub offset: u64,
    /// Under which trigger.
    pub trigger: Text,
    /// Which guard.
    pub guard: Text,
}

/// What failed and why: a stable code, a message for people, and the step when inside a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Such as `timeout`, `refused`, `exhausted`, `cancelled`, `invalid_result`.
    pub code: Text,
    /// For people; never a secret.
    pub message: Text,
    /// The step.
    pub step: Option<Text>,
}

/// A workflow run: its head and the rows of its steps and items.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The head.
    pub head: RunHead,
    /// One row a step, in the graph's order.
    pub steps: Vec<StepRow>,
    /// Rows of `for_each` items by (step, item).
    pub items: BTreeMap<(u16, u32), ItemRow>,
}

/// A run's status on the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RunStatus {
    /// Begun, nothing started yet.
    Pending = 0,
    /// Under way.
    Running = 1,
    /// Held by an operator.
    Paused = 2,
    /// Ended well.
    Completed = 3,
    /// Ended badly.
    Failed = 4,
    /// Ended by request.
    Cancelled = 5,
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
    pub envelope: Value,
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
    /// Always 0: the order of ends is that of their records, so that an end leaves the head alone.
    pub ends: u64,
    /// 0, and one more with each retry of the run.
    pub visit: u32,
    /// Intents whose outcome is awaited.
    pub in_flight: u32,
    /// The intent that began the run, to be answered when it ends (`subscribed_intents`).
    pub answers: Option<Id>,
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

/// Progress of `for_each`.
#[derive(Clone, Debug, PartialEq)]
pub struct Items {
    /// Always null: every item has a row from the start, so that an end does not write them all.
    pub list: Value,
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

/// Whom the end of an intent concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A reducer's entity; nobody is told but by the outcome's event.
    Entity {
        /// The reducer.
        node: Text,
        /// The entity.
        key: Text,
    },
    /// A message on a topic that the operation subscribes to.
    Topic,
    /// A step of a run.
    Step {
        /// The run.
        run: Id,
        /// The step's index.
        step: u16,
        /// The item's index.
        item: Option<u32>,
        /// The step's `visit`.
        visit: u32,
        /// Whether it undoes the step.
        compensation: bool,
    },
}

/// A recorded intent that has no outcome yet.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Its id: the idempotency key and `envelope.id` of every attempt.
    pub id: Id,
    /// The message as recorded: topic, payload, correlation.
    pub message: Message,
    /// The effect that performs it.
    pub node: Text,
    /// Name of the operation.
    pub operation: Text,
    /// Whom its end concerns.
    pub owner: Owner,
    /// Offset of the record that sent it: its place in the queue of its lane.
    pub offset: u64,
    /// The graph it stays with.
    pub graph: GraphId,
    /// 0, and one more with each redrive or retry that keeps the key.
    pub generation: u32,
    /// When its turn came (it stands first in its lane): starts the wait for a breaker.
    pub turn_at: Option<Micros>,
    /// When the first attempt of this generation began: starts the deadline.
    pub first_attempt_at: Option<Micros>,
    /// When the next attempt is due.
    pub next_at: Option<Micros>,
    /// Whether an attempt of a not idempotent operation was begun (synced before the call).
    pub started: bool,
    /// No further attempt is wanted (its run is ending, or its step timed out).
    pub stopping: bool,
    /// Failed attempts so far.
    pub attempts: Vec<FailedAttempt>,
}

/// One failed attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedAttempt {
    /// When.
    pub at: Micros,
    /// What went wrong; never a secret.
    pub error: Text,
    /// Whether the request may have reached the target.
    pub sent: bool,
}

/// How an intent ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Performed.
    Completed(Value),
    /// A final answer that is no success: nothing was done.
    Refused(Failure),
    /// Given up: attempts or time used up. `unknown`: an attempt may have reached the target.
    Exhausted {
        /// Why.
        failure: Failure,
        /// Whether an attempt may have reached the target.
        unknown: bool,
    },
    /// Not idempotent, begun before a crash, outcome never seen.
    InDoubt(Failure),
    /// Waited too long for an open breaker before its first attempt.
    Expired(Failure),
    /// Stopped before any attempt.
    Withdrawn,
    /// Stopped between attempts: what it did is not known if `unknown`.
    Stopped {
        /// Whether an attempt may have reached the target.
        unknown: bool,
        /// The last failure.
        failure: Failure,
    },
}

/// A message given up on.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its id.
    pub id: Id,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub detail: Text,
    /// The node that could not take or perform it.
    pub node: Option<Text>,
    /// The operation, for an intent.
    pub operation: Option<Text>,
    /// The run, for a compensation.
    pub run_id: Option<Id>,
    /// The step's id.
    pub step: Option<Text>,
    /// The message as it was.
    pub message: Message,
    /// Its offset.
    pub offset: u64,
    /// The intent as it was, so that redrive can go on with it.
    pub owner: Option<Owner>,
    /// Failed attempts.
    pub attempts: Vec<FailedAttempt>,
    /// The graph at the time.
    pub graph: GraphId,
    /// When it was written.
    pub created_at: Micros,
    /// When it was put back.
    pub redriven_at: Option<Micros>,
}

/// Why a message is a dead letter (interfaces.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// It does not satisfy a schema.
    InvalidPayload = 0,
    /// No transition mentions it.
    Unhandled = 1,
    /// No entity key.
    NoKey = 2,
    /// A guard failed while running.
    GuardError = 3,
    /// Another expression failed while running.
    ExpressionError = 4,
    /// The target said no for good.
    Refused = 5,
    /// A step could not be undone.
    CompensationFailed = 6,
    /// Attempts or time used up.
    Exhausted = 7,
    /// Begun before a crash, outcome never seen.
    InDoubt = 8,
    /// Waited too long for an open breaker.
    Expired = 9,
    /// Out of fuel.
    Exceeded = 10,
    /// Larger than a limit.
    TooLarge = 11,
    /// Nobody takes it.
    NoRoute = 12,
    /// Its step panicked.
    StepPanicked = 13,
}

impl Reason {
    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InvalidPayload => "invalid_payload",
            Reason::Unhandled => "unhandled",
            Reason::NoKey => "no_key",
            Reason::GuardError => "guard_error",
            Reason::ExpressionError => "expression_error",
            Reason::Refused => "refused",
            Reason::CompensationFailed => "compensation_failed",
            Reason::Exhausted => "exhausted",
            Reason::InDoubt => "in_doubt",
            Reason::Expired => "expired",
            Reason::Exceeded => "exceeded",
            Reason::TooLarge => "too_large",
            Reason::NoRoute => "no_route",
            Reason::StepPanicked => "step_panicked",
        }
    }
}
