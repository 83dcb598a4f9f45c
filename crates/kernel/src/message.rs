//! A message: payload plus ids, category and time. Everything that happens is one.

use alloc::sync::Arc;

use onex_expr::{Text, Value};

use crate::{Id, Micros};

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Category {
    /// It happened.
    Event = 0,
    /// Please do.
    Command = 1,
    /// Please perform this effect.
    Intent = 2,
    /// The result of an intent.
    Outcome = 3,
    /// A timer came due.
    Timer = 4,
    /// The engine's own bookkeeping: failed attempts, activation, cancel, redrive.
    Control = 5,
}

/// How a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Origin {
    /// From a client.
    External = 0,
    /// From an effect.
    Outcome = 1,
    /// From a timer.
    Timer = 2,
    /// From the decision on another message.
    Derived = 3,
    /// From an operator or the engine.
    Control = 4,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: Id,
    /// What kind.
    pub category: Category,
    /// How it came in.
    pub origin: Origin,
    /// Its topic; empty for timers and control messages.
    pub topic: Text,
    /// The key that keeps messages together.
    pub key: Option<Text>,
    /// A wire alias of the event's type.
    pub event_type: Option<Text>,
    /// What it says.
    pub payload: Payload,
    /// The story it belongs to.
    pub correlation_id: Id,
    /// The message that caused it.
    pub causation_id: Option<Id>,
    /// The node that produced it.
    pub node: Option<Text>,
    /// Record time.
    pub time: Micros,
    /// 0, and one more with each redrive.
    pub generation: u32,
}

/// A payload: the value, and its bytes where they were received.
#[derive(Clone, Debug)]
pub struct Payload {
    /// As decoded.
    pub value: Value,
    /// As received; `None` when the engine made it.
    pub bytes: Option<Arc<[u8]>>,
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Payload { value, bytes: None }
    }
}

/// What surrounds a payload, as expressions may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The message's id.
    pub id: Id,
    /// Its topic.
    pub topic: Text,
    /// Its key.
    pub key: Option<Text>,
    /// A wire alias of the event's type.
    pub event_type: Option<Text>,
    /// The story it belongs to.
    pub correlation_id: Id,
    /// The message that caused it.
    pub causation_id: Option<Id>,
    /// The node that produced it.
    pub node: Option<Text>,
    /// Record time.
    pub time: Micros,
}

impl Message {
    /// What surrounds its payload.
    pub fn envelope(&self) -> Envelope {
        Envelope {
            id: self.id,
            topic: self.topic.clone(),
            key: self.key.clone(),
            event_type: self.event_type.clone(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            node: self.node.clone(),
            time: self.time,
        }
    }
}

impl Envelope {
    /// `envelope` as expressions see it.
    pub fn to_value(&self) -> Value {
        let id = |id: Id| Value::text(alloc::format!("{id}"));
        let text = |text: &Option<Text>| text.clone().map_or(Value::Null, Value::String);
        Value::map([
            ("id", id(self.id)),
            ("topic", Value::String(self.topic.clone())),
            ("key", text(&self.key)),
            ("event_type", text(&self.event_type)),
            ("correlation_id", id(self.correlation_id)),
            ("causation_id", self.causation_id.map_or(Value::Null, id)),
            ("node", text(&self.node)),
            ("time", self.time.to_value()),
        ])
    }
}
