//! An intent that has no outcome yet, and how it ends.

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::{Text, Value};

use super::Failure;
use crate::{Id, Message, Micros};

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
    pub message: Arc<Message>,
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
    /// A run that a step began ended badly and has undone itself what it did.
    Undone {
        /// Why it ended badly.
        failure: Failure,
        /// Whether everything was undone.
        whole: bool,
        /// Whether it was ended by request.
        cancelled: bool,
    },
}
