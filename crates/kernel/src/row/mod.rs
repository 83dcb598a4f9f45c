//! What is kept: rows of entities, runs, intents and letters. Plain data; the engine's codec knows
//! how they look on disk.

mod entity;
mod intent;
mod letter;
mod run;

use onex_expr::Text;

use crate::Micros;

pub use entity::{Entity, Refused};
pub use intent::{Ending, FailedAttempt, Intent, Owner};
pub use letter::{Discarded, Letter, LetterStatus, Reason};
pub use run::{ItemRow, Items, Run, RunHead, RunStatus, StepRow, StepStatus, Undoing};

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
