//! A reducer's decision: guards, transition, actions, timer.

use onex_contract::graph::{Graph, NodeIndex, Trigger};
use onex_expr::Text;

use crate::row::Entity;
use crate::{Circumstances, Decision, Fault, Message};

/// The key of the entity that a message is for: 1 to 512 bytes.
pub fn entity_key(_trigger: &Trigger, _message: &Message, _fuel: u64) -> Result<Text, Fault> {
    unimplemented!()
}

/// Decides on one message, or on the entity's timer (`trigger` is then `timeout` and the message's
/// payload `{state, armed_at, due_at}`). `entity` is `None` when it does not exist yet.
pub fn reduce(
    _graph: &Graph,
    _node: NodeIndex,
    _delivery: Delivery<'_>,
    _circumstances: &Circumstances,
) -> Decision {
    unimplemented!()
}

/// What is delivered to a reducer.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Index of the trigger.
    pub trigger: u16,
    /// The entity's key.
    pub key: &'a Text,
    /// The entity, when it exists.
    pub entity: Option<&'a Entity>,
    /// The message.
    pub message: &'a Message,
}
