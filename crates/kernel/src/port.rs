//! The seam to the outside: what an effect kind implements.

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;

use onex_expr::{Text, Value};

use crate::Id;

/// A future that may be sent between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// One effect kind. It performs one attempt and knows nothing of retries, breakers, deadlines,
/// topics or the log.
pub trait Effect: Send + Sync {
    /// Performs one attempt. The answer has the shape of the kind's response schema.
    /// Dropping the future abandons the attempt.
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>>;
}

/// One attempt.
#[derive(Clone)]
pub struct Call {
    /// `io_config` with every expression rendered; may hold secrets, so it has no `Debug`.
    pub request: Value,
    /// What the operation was given.
    pub input: Value,
    /// The idempotency key, the same on every attempt.
    pub intent_id: Id,
    /// Bounds the attempt; the shell enforces it too.
    pub timeout_ms: u64,
}

/// Why an attempt has no answer. An answer that is no success is an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CallError {
    /// Stable word: `timeout`, `connect`, `io`, `not_allowed`, `bad_request`, `too_large`, ...
    pub code: Text,
    /// For people; never a secret.
    pub message: Text,
    /// Whether another attempt may succeed.
    pub passing: bool,
    /// Whether the request may have reached the target.
    pub sent: bool,
}

/// A pure function of the user's: a compute or reducer in a sandbox.
pub trait PureFunction: Send + Sync {
    /// The same input gives the same answer.
    fn call(&self, input: &Value, fuel: u64) -> Result<Value, CallError>;
}
