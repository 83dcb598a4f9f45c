//! What an operation's attempt means: the request before it, the judgement after it.

use onex_contract::graph::Operation;
use onex_expr::{Text, Value};

use crate::port::CallError;
use crate::{Id, Message, Micros};

/// What an attempt's answer means.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Success.
    Completed {
        /// The step's output.
        output: Value,
        /// Topic and payload to publish.
        publish: Option<(Text, Value)>,
    },
    /// A final answer that is no success.
    Refused {
        /// Stable code and text for people.
        error: (Text, Text),
        /// Topic and payload to publish.
        publish: Option<(Text, Value)>,
        /// Whether a refusal of the contract names it: then it is an answer, not a dead letter.
        answered: bool,
    },
    /// It may pass; another attempt is worth it.
    Failed {
        /// Text for people.
        error: (Text, Text),
        /// Whether the request may have reached the target.
        sent: bool,
        /// What the target asked to wait, in milliseconds (`Retry-After`).
        retry_after_ms: Option<u64>,
    },
}

/// Renders `io_config` for an intent. `secrets` is a map of the secrets that it may read.
/// The error is for people and holds no secret.
pub fn request(
    _operation: &Operation,
    _intent: &Message,
    _secrets: &Value,
    _fuel: u64,
) -> Result<Value, Text> {
    unimplemented!()
}

/// Judges an answer, or the lack of one.
pub fn judge(
    _operation: &Operation,
    _intent: &Message,
    _answer: &Result<Value, CallError>,
    _attempts: u32,
    _fuel: u64,
) -> Judgement {
    unimplemented!()
}

/// What `on_exhausted` publishes: topic and payload (default: what was given plus
/// `error {code, message, attempts}`).
pub fn on_exhausted(
    _operation: &Operation,
    _intent: &Message,
    _error: &(Text, Text),
    _attempts: u32,
    _fuel: u64,
) -> Option<(Text, Value)> {
    unimplemented!()
}

/// When the attempt after `failed` failed ones is due; `None` when none is left. The jitter is a
/// hash of intent and attempt.
pub fn next_attempt(
    _operation: &Operation,
    _intent: Id,
    _failed: u32,
    _now: Micros,
    _retry_after_ms: Option<u64>,
) -> Option<Micros> {
    unimplemented!()
}
