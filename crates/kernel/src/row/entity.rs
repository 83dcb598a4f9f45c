//! A reducer's entity.

use onex_expr::{Text, Value};

use super::Armed;
use crate::{Id, Micros};

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
