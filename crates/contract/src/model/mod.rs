//! One contract as written, section by section: names not yet looked up, expressions not yet
//! compiled, everything with its place.
//!
//! Sections fill it, rules judge it, the linker reads it. It borrows the tree it was read from.

mod ancestors;
mod compute;
mod effect;
mod event_bus;
mod reducer;
mod workflow;

use onex_expr::Text;

pub(crate) use ancestors::Ancestors;
pub(crate) use compute::{ComputeOperation, ComputeStep, ComputeWork};
pub(crate) use effect::{
    BreakerPolicy, EffectOperation, EffectOperations, IoConfig, Publication, RefusalRule,
    ResponseHandling, RetryPolicy,
};
pub(crate) use event_bus::{EventBus, PublishTopic, Schedule, SubscribeTopic, When};
pub(crate) use reducer::{
    Action, ActionWork, Condition, From, State, StateMachine, TIMEOUT, Table, Transition,
    TriggerRef,
};
pub(crate) use workflow::{
    CompensationRule, GraphNode, Listening, RetryRule, Strategy, Work, Workflow, WorkflowOutcomes,
};

use crate::graph::Kind;
use crate::yaml::Node;

/// A place in one of the files of a check: file index and byte range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    /// Index of the source.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub at: At,
}

/// A name and where it stands.
pub(crate) type Word = Located<Text>;

/// A subtree that is data or an expression; the linker compiles it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Data<'a> {
    /// The subtree.
    pub node: &'a Node,
    /// Its place.
    pub at: At,
}

/// One contract.
#[derive(Clone, Debug)]
pub(crate) struct Contract<'a> {
    /// Its name; the file's stem when it has none.
    pub name: Word,
    /// Its kind.
    pub kind: Located<Kind>,
    /// Where it names the handlers of another system that it needs.
    pub foreign: Option<At>,
    /// The whole tree, as it was read.
    pub root: &'a Node,
    /// The normal form as YAML.
    pub normal_form: std::sync::Arc<str>,
    /// Semantic version, `1.0.0`.
    pub version: Text,
    /// Free text.
    pub description: Text,
    /// `capabilities`: what it says that it offers.
    pub capabilities: Vec<Word>,
    /// `config`: names with type and default.
    pub config: Vec<(Word, Data<'a>)>,
    /// `definitions`: named schemas.
    pub definitions: Vec<(Word, Data<'a>)>,
    /// Schema of a run's input.
    pub input_model: Option<Data<'a>>,
    /// Schema of a run's result.
    pub output_model: Option<Data<'a>>,
    /// Topics in and out.
    pub event_bus: EventBus<'a>,
    /// Intent types that begin a run.
    pub subscribed_intents: Vec<Word>,
    /// `state_machine`
    pub state_machine: Option<StateMachine<'a>>,
    /// `effect_operations`
    pub effect: Option<EffectOperations<'a>>,
    /// `compute_operations`
    pub compute: Option<ComputeOperation<'a>>,
    /// `workflow_coordination`
    pub workflow: Option<Workflow<'a>>,
    /// The sections given, for rules about which kind may have which.
    pub sections: Vec<Word>,
}

impl Word {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }
}

impl Contract<'_> {
    /// Whether it has nothing to run.
    pub(crate) fn is_inert(&self) -> bool {
        match self.kind.value {
            Kind::Effect => self.effect.is_none(),
            Kind::Compute => self.compute.is_none(),
            Kind::Reducer => self.state_machine.is_none(),
            Kind::Orchestrator => self.workflow.is_none(),
        }
    }
}
