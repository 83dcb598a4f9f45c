//! What a node answers to one delivery: rows to write, messages to send, timers to arm.
//!
//! A decision changes nothing by itself. The engine applies it as a whole or not at all.

use alloc::boxed::Box;
use alloc::vec::Vec;

use onex_contract::graph::Performer;
use onex_expr::{Text, Value};

use crate::row::{Armed, Ending, Entity, ItemRow, Owner, Reason, RunHead, StepRow};
use crate::{Id, Message, Micros};

/// The answer to one delivery.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decision {
    /// What became of the delivery.
    pub verdict: Verdict,
    /// Rows to put, each wholly.
    pub writes: Vec<RowWrite>,
    /// Messages in the order sent.
    pub messages: Vec<Produced>,
    /// Timers to arm and disarm.
    pub timers: Vec<TimerChange>,
    /// Intents for which no attempt shall start any more.
    pub stop: Vec<Id>,
    /// Dead letters beside the delivery's own fate: compensations that gave up, events of an effect
    /// or a failed run that do not fit their schema.
    pub letters: Vec<Beside>,
    /// Set when the run became terminal.
    pub ended: bool,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It acted.
    Applied,
    /// Deliberately ignored, counted under this reason.
    Ignored(Text),
    /// A guard said no, counted under its name.
    Refused {
        /// The trigger.
        trigger: Text,
        /// The guard.
        guard: Text,
    },
    /// A dead letter; nothing else of the decision counts.
    Dead(Fault),
}

/// Why a delivery is a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The reason on the interface.
    pub reason: Reason,
    /// For people; never more than 64 bytes of payload.
    pub detail: Text,
}

/// A row to put.
#[derive(Clone, Debug)]
pub enum RowWrite {
    /// The entity at hand.
    Entity(Entity),
    /// The head of the run at hand.
    Head(Box<RunHead>),
    /// A step of the run at hand.
    Step(u16, Box<StepRow>),
    /// An item of the run at hand.
    Item(u16, u32, ItemRow),
    /// Removes all item rows of a step (it is done anew).
    ClearItems(u16),
    /// An event that the run at hand keeps for a wait to come, or keeps no longer.
    Event(u32, Option<Message>),
}

/// A message that a decision sends.
#[derive(Clone, Debug)]
pub enum Produced {
    /// To a topic.
    Event(Published),
    /// To whoever performs it.
    Intent(Intended),
    /// To a run.
    Tell(Told),
}

/// Something that one run tells another.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which run is told.
    pub run: Id,
    /// What.
    pub what: Tidings,
}

/// What a run is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Tidings {
    /// It is not wanted any more.
    Cancel,
    /// What it did is to be undone, for this step.
    Undo(Owner),
    /// The run that this step began has ended, or was undone.
    Ended {
        /// The step, and whether this is about its undoing.
        owner: Owner,
        /// The run that ended.
        run: Id,
        /// How.
        ending: Ending,
    },
}

/// A message to a topic.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its id.
    pub id: Id,
    /// Where.
    pub topic: Text,
    /// Its key.
    pub key: Option<Text>,
    /// What it says.
    pub payload: Value,
}

/// An intent to perform.
#[derive(Clone, Debug)]
pub struct Intended {
    /// Its id and idempotency key.
    pub id: Id,
    /// 0, or more than before when a step whose outcome is not known is done again: the same intent
    /// under the same key.
    pub generation: u32,
    /// The topic under which it is recorded.
    pub topic: Text,
    /// Its key.
    pub key: Option<Text>,
    /// Who performs it.
    pub performer: Performer,
    /// Its payload.
    pub payload: Value,
    /// Whom its end concerns.
    pub owner: Owner,
}

/// A change of the timers of the instance at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Arm.
    Arm(TimerOf, Armed),
    /// Disarm.
    Disarm(TimerOf, Armed),
}

/// Which timer of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerOf {
    /// The state timeout of an entity, or the timeout of a whole run.
    Instance,
    /// A step: its timeout.
    Step(u16),
    /// A step: its `wait_ms`, or the pause before it is done again.
    Pause(u16),
}

/// A dead letter beside the delivery's own fate.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Why.
    pub fault: Fault,
    /// The node that could not take or perform it.
    pub node: Text,
    /// The step's id.
    pub step: Option<Text>,
    /// What it was about.
    pub subject: Subject,
}

/// What a dead letter beside a delivery is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The intent whose end is being delivered (a compensation that gave up).
    IntentAtHand,
    /// A message that was not sent.
    Unsent(Published),
    /// A message that was kept for the run at hand.
    Kept(Message),
}

/// A decision in the making, with the ids of what it produces.
#[derive(Debug)]
pub struct Draft {
    consumed: Id,
    node: Text,
    generation: u32,
    produced: u32,
    /// The decision so far.
    pub decision: Decision,
}

impl Draft {
    /// Begins a decision of `node` on the delivery of message `consumed`.
    pub fn new(consumed: Id, node: Text, generation: u32) -> Draft {
        Draft { consumed, node, generation, produced: 0, decision: Decision::new(Verdict::Applied) }
    }

    /// The id of the next thing produced.
    pub fn next_id(&mut self) -> Id {
        let id = Id::derive(self.consumed, &self.node, self.generation, self.produced);
        self.produced += 1;
        id
    }

    /// Publishes.
    pub fn publish(&mut self, topic: Text, key: Option<Text>, payload: Value) -> Id {
        let id = self.next_id();
        self.decision.messages.push(Produced::Event(Published { id, topic, key, payload }));
        id
    }
}

impl Decision {
    /// A decision that does nothing but say what became of the delivery.
    pub fn new(verdict: Verdict) -> Decision {
        Decision {
            verdict,
            writes: Vec::new(),
            messages: Vec::new(),
            timers: Vec::new(),
            stop: Vec::new(),
            letters: Vec::new(),
            ended: false,
        }
    }
}

/// What every decision may know besides rows and message.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Record time.
    pub now: Micros,
    /// Offset of the record being made.
    pub offset: u64,
    /// Fuel for all expressions of the decision.
    pub fuel: u64,
}
