//! Pending intents: whose turn it is, when the next attempt is due, what is under way.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use onex_contract::graph::{Body, Graph, NodeIndex, Operation};
use onex_expr::Text;
use onex_kernel::breaker::Breaker;
use onex_kernel::row::{Intent, Owner};
use onex_kernel::{Id, Message, Micros};

/// Intents of one lane are performed in the order sent, one after the other: those of one reducer
/// entity to one effect, and those that one key of a topic gives to one effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    /// The emitting reducer; `None` for a topic.
    from: Option<Text>,
    key: Text,
    to: Text,
}

/// Where a pending intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Behind another one of its lane.
    Queued,
    /// It is its turn; the next attempt has a time.
    Waiting(Micros),
    /// An attempt is under way.
    InFlight,
    /// Its end is queued.
    Ending,
}

/// An intent without an outcome.
#[derive(Debug)]
pub(crate) struct Pending {
    pub intent: Intent,
    pub graph: Arc<Graph>,
    pub node: NodeIndex,
    pub operation: u16,
    pub lane: Option<Lane>,
    pub standing: Standing,
    /// Number of the attempt under way.
    pub attempt: u64,
    /// Whether an attempt began since the last start.
    pub attempted: bool,
    /// Whether the last start found that its turn had come: an attempt may have been under way
    /// when the process ended, so nobody knows whether it reached the target.
    pub uncertain: bool,
}

impl Pending {
    /// The operation that performs it.
    pub fn operation(&self) -> Option<&Operation> {
        operation(&self.graph, self.node, self.operation)
    }
}

/// An operation of a graph.
pub(crate) fn operation(graph: &Graph, node: NodeIndex, at: u16) -> Option<&Operation> {
    match &graph.node(node).body {
        Body::Effect(effect) => effect.operations.get(usize::from(at)),
        _ => None,
    }
}

/// The lane of an intent.
pub(crate) fn lane(intent: &Intent, operation: &Operation) -> Option<Lane> {
    if !operation.ordered {
        return None;
    }
    let to = intent.node.clone();
    match &intent.owner {
        Owner::Entity { node, key } => {
            Some(Lane { from: Some(node.clone()), key: key.clone(), to })
        }
        Owner::Topic => intent.message.key.clone().map(|key| Lane { from: None, key, to }),
        Owner::Step { .. } => None,
    }
}

/// All pending intents.
#[derive(Debug, Default)]
pub(crate) struct Intents {
    pending: HashMap<Id, Pending>,
    lanes: HashMap<Lane, VecDeque<Id>>,
    due: BTreeSet<(Micros, Id)>,
    breakers: HashMap<(Text, Text), Breaker>,
    attempts: u64,
    in_flight: usize,
}

impl Intents {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many attempts are under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// One of them.
    pub fn get(&self, id: Id) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// The same, to change it (its standing through `stand` only).
    pub fn get_mut(&mut self, id: Id) -> Option<&mut Pending> {
        self.pending.get_mut(&id)
    }

    /// Whether one belongs to a story.
    pub fn has_story(&self, correlation: Id) -> bool {
        self.pending.values().any(|one| one.intent.message.correlation_id == correlation)
    }

    /// Adds one. Whether it is its turn.
    pub fn add(&mut self, pending: Pending) -> bool {
        let id = pending.intent.id;
        let turn = match &pending.lane {
            None => true,
            Some(lane) => {
                let queue = self.lanes.entry(lane.clone()).or_default();
                queue.push_back(id);
                queue.len() == 1
            }
        };
        self.pending.insert(id, pending);
        turn
    }

    /// Takes one away. The next of its lane, if it was that lane's first.
    pub fn remove(&mut self, id: Id) -> Option<(Pending, Option<Id>)> {
        self.stand(id, Standing::Ending);
        let pending = self.pending.remove(&id)?;
        let Some(lane) = &pending.lane else {
            return Some((pending, None));
        };
        let mut next = None;
        if let Some(queue) = self.lanes.get_mut(lane) {
            let first = queue.front() == Some(&id);
            queue.retain(|other| *other != id);
            next = queue.front().copied().filter(|_| first);
            if queue.is_empty() {
                self.lanes.remove(lane);
            }
        }
        Some((pending, next))
    }

    /// Changes where one stands.
    pub fn stand(&mut self, id: Id, standing: Standing) {
        let Some(pending) = self.pending.get_mut(&id) else {
            return;
        };
        match pending.standing {
            Standing::Waiting(at) => {
                self.due.remove(&(at, id));
            }
            Standing::InFlight => self.in_flight -= 1,
            Standing::Queued | Standing::Ending => {}
        }
        match standing {
            Standing::Waiting(at) => {
                self.due.insert((at, id));
            }
            Standing::InFlight => {
                self.in_flight += 1;
                self.attempts += 1;
                pending.attempt = self.attempts;
            }
            Standing::Queued | Standing::Ending => {}
        }
        pending.standing = standing;
    }

    /// When the next attempt is due.
    pub fn first_due(&self) -> Option<Micros> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the next intent whose attempt is due; it stands as waiting until `stand` says else.
    pub fn pop_due(&mut self, now: Micros) -> Option<Id> {
        let (at, id) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        Some(id)
    }

    /// The breaker of an operation.
    pub fn breaker(&mut self, node: &Text, operation: &Text) -> &mut Breaker {
        self.breakers.entry((node.clone(), operation.clone())).or_default()
    }
}

/// `onex.intent.<node>.<operation>.v1`, dots and underscores as hyphens.
pub(crate) fn intent_topic(node: &str, operation: &str) -> Text {
    let dashed = |text: &str| text.replace(['_', '.'], "-");
    format!("onex.intent.{}.{}.v1", dashed(node), dashed(operation)).into()
}

/// A pending intent for an operation.
pub(crate) fn new_intent(
    graph: &Graph,
    node: NodeIndex,
    at: u16,
    message: Message,
    owner: Owner,
) -> Option<Intent> {
    let found = operation(graph, node, at)?;
    Some(Intent {
        id: message.id,
        node: graph.node(node).name.clone(),
        operation: found.name.clone(),
        owner,
        offset: 0,
        graph: graph.id,
        generation: message.generation,
        turn_at: None,
        first_attempt_at: None,
        next_at: None,
        started: false,
        stopping: false,
        attempts: Vec::new(),
        message: Arc::new(message),
    })
}
