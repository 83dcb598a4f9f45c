//! The linked system: everything compiled, every name an index, nothing left to look up or to fail.
//!
//! This is what the kernel reads. It is built once at load and shared.

mod compute;
mod effect;
mod orchestrator;
mod reducer;
pub mod roots;
mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_expr::{Text, Value};

pub use compute::{Compute, ComputeStep, ComputeWork};
pub use effect::{Backoff, Breaker, Effect, Operation, Published, Refusal, Retry};
pub use orchestrator::{
    Compensation, ErrorAction, ExecutionMode, Listening, Orchestrator, Outcomes, Recovery, Step,
    StepRetry, StepWork,
};
pub use reducer::{Action, ActionWork, Guard, OnUnhandled, Reducer, State, Transition, Trigger};
pub use schedule::{DUE_AT, Missed, SEQUENCE, Schedule, TICK, TICK_MS, TICKER, Timing, zone};

use crate::schema::Schema;

/// Digest of the normal form of all contracts with their resolved values: BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphId(pub [u8; 32]);

impl std::fmt::Display for GraphId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Index of a node in `Graph::nodes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u16);

/// The four kinds of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// All I/O.
    Effect,
    /// Pure transformation.
    Compute,
    /// Pure state machine.
    Reducer,
    /// Coordinates workflows; the only one that publishes.
    Orchestrator,
}

/// A checked system.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Digest of `stored`.
    pub id: GraphId,
    /// Every node, by name.
    pub nodes: Vec<Node>,
    /// Every topic that a contract names, by name.
    pub topics: BTreeMap<Text, Topic>,
    /// Who performs each intent type.
    pub performers: BTreeMap<Text, Performer>,
    /// When the clock publishes: by node, then topic.
    pub schedules: Vec<Schedule>,
    /// What `Graph::restore` needs to build the same graph again: normal forms and resolved,
    /// non-secret values.
    pub stored: Arc<[u8]>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: Text,
    /// Semantic version as written, `1.0.0`.
    pub version: Text,
    /// The contract's description.
    pub description: Text,
    /// The normal form as YAML.
    pub normal_form: Arc<str>,
    /// What it does.
    pub body: Body,
}

/// What a node does.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a node, made once and never moved")]
pub enum Body {
    /// See [`Effect`].
    Effect(Effect),
    /// See [`Compute`].
    Compute(Compute),
    /// See [`Reducer`].
    Reducer(Reducer),
    /// See [`Orchestrator`].
    Orchestrator(Orchestrator),
}

/// One topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// `onex.<kind>.<producer>.<event>.v<n>`.
    pub name: Text,
    /// Whether clients may publish to it: an entry, or listed in `[ingress] allow`.
    pub ingress: bool,
    /// Whether any contract publishes to it.
    pub produced: bool,
    /// Who gets each message, in order of node name; each is one delivery.
    pub subscribers: Vec<Subscriber>,
    /// Orchestrators whose runs listen to it.
    pub waiters: Vec<NodeIndex>,
    /// Schema that producers declare for it.
    pub producer_schema: Option<Schema>,
}

/// One delivery of a topic.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Who.
    pub node: NodeIndex,
    /// Which part of the node.
    pub entry: Entry,
    /// What the node wants of the payload.
    pub schema: Option<Schema>,
}

/// What a delivery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A step of the state machine under this trigger (index into `Reducer::triggers`).
    Trigger(u16),
    /// A run.
    Run,
    /// An intent for this operation (index into `Effect::operations`).
    Operation(u16),
    /// An evaluation whose result is published on the topic.
    Evaluate,
}

/// Who performs an intent type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Performer {
    /// An operation of an effect.
    Operation(NodeIndex, u16),
    /// A run of an orchestrator.
    Run(NodeIndex),
    /// A trigger of a reducer (index into `Reducer::triggers`).
    Trigger(NodeIndex, u16),
}

impl Graph {
    /// The node of this index.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[usize::from(index.0)]
    }

    /// The schedule of a node for a topic.
    pub fn schedule(&self, node: &str, topic: &str) -> Option<&Schedule> {
        let place = |schedule: &Schedule| {
            (schedule.node.as_str(), schedule.topic.as_str()).cmp(&(node, topic))
        };
        self.schedules.binary_search_by(place).ok().map(|at| &self.schedules[at])
    }

    /// The index of a node by name.
    pub fn find(&self, name: &str) -> Option<NodeIndex> {
        let at = self.nodes.binary_search_by(|node| node.name.as_str().cmp(name)).ok()?;
        u16::try_from(at).ok().map(NodeIndex)
    }
}

impl Node {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.body {
            Body::Effect(_) => Kind::Effect,
            Body::Compute(_) => Kind::Compute,
            Body::Reducer(_) => Kind::Reducer,
            Body::Orchestrator(_) => Kind::Orchestrator,
        }
    }
}

/// A literal that stands in the model where a contract gives data without expressions.
pub type Literal = Value;
