//! A run's decisions: which steps start, end, fail, are undone, and when the run is over.

use onex_contract::graph::{Graph, NodeIndex};
use onex_expr::{Text, Value};

use crate::decision::TimerOf;
use crate::row::{Ending, Run};
use crate::{Circumstances, Decision, Fault, Id, Message};

/// How a run begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// The run's id.
    pub run_id: Id,
    /// The value of `run_key`, as `run_key` gave it.
    pub key: Option<Text>,
    /// What it is given.
    pub input: Value,
    /// Hash of the start's content.
    pub input_hash: [u8; 32],
    /// The intent that began it, to be answered when it ends.
    pub answers: Option<Id>,
}

/// What happens to a run.
#[derive(Clone, Debug)]
pub enum RunInput<'a> {
    /// An intent of it ended.
    Ended {
        /// The step.
        step: u16,
        /// The item.
        item: Option<u32>,
        /// The step's `visit` when the intent was sent.
        visit: u32,
        /// Whether it undoes the step.
        compensation: bool,
        /// The intent.
        intent: Id,
        /// How it ended.
        ending: &'a Ending,
    },
    /// A timer of it fired; the engine has checked the arming number.
    Timer(TimerOf),
    /// An operator cancels it.
    Cancel,
    /// An operator retries it (it is failed or cancelled and not being undone).
    Retry,
}

/// The value of `workflow_metadata.run_key` for an input.
pub fn run_key(
    _graph: &Graph,
    _node: NodeIndex,
    _message: &Message,
    _input: &Value,
    _fuel: u64,
) -> Result<Option<Text>, Fault> {
    unimplemented!()
}

/// Decides on the beginning of a run: the input is checked, the first steps start.
pub fn begin(
    _graph: &Graph,
    _node: NodeIndex,
    _start: Start,
    _message: &Message,
    _circumstances: &Circumstances,
) -> Decision {
    unimplemented!()
}

/// Decides on what happens to a run. `message` is the outcome, timer or control message at hand.
pub fn advance(
    _graph: &Graph,
    _node: NodeIndex,
    _run: &Run,
    _input: RunInput<'_>,
    _message: &Message,
    _circumstances: &Circumstances,
) -> Decision {
    unimplemented!()
}
