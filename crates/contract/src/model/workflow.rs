//! `workflow_coordination`: an execution graph and its rules.

use std::collections::{BTreeMap, BTreeSet};

use onex_expr::Text;

use super::{Ancestors, At, Contract, Data, Located, Publication, SubscribeTopic, Word};
use crate::graph::{ErrorAction, ExecutionMode};
use crate::yaml::Tree;

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Workflow<'a> {
    /// Where it stands.
    pub at: At,
    /// `workflow_name`; the node's name when not given.
    pub name: Option<Word>,
    /// The smaller of both `timeout_ms`.
    pub timeout_ms: Option<Located<u64>>,
    /// At most one live run a key.
    pub run_key: Option<Data<'a>>,
    /// Steps in the order written.
    pub nodes: Vec<GraphNode<'a>>,
    /// Steps by id, of several with one id the first.
    pub ids: BTreeMap<Text, usize>,
    /// `execution_mode`
    pub execution_mode: ExecutionMode,
    /// `failure_recovery_strategy`
    pub strategy: Strategy,
    /// How often and how slowly a failed step is done again.
    pub retry: RetryRule,
    /// Bounds each step that does not say.
    pub step_timeout_ms: Option<u64>,
    /// Steps under way at a time.
    pub max_steps: Option<u32>,
    /// Events that cancel a run.
    pub cancel_on: Vec<Listening<'a>>,
    /// The result's fields.
    pub result: Option<Data<'a>>,
    /// Messages that end a run.
    pub outcomes: WorkflowOutcomes<'a>,
}

/// See `failure_recovery_strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Stop, mark failed.
    FailFast,
    /// Undo what was done.
    Compensate,
    /// Do a failed step again.
    Retry,
}

/// `max_retries`, `retry_backoff_ms`, `retry_backoff_multiplier`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryRule {
    /// How often.
    pub max_retries: u32,
    /// First pause.
    pub backoff_ms: u64,
    /// Growth of the pause.
    pub multiplier: f64,
}

/// `outcomes`
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkflowOutcomes<'a> {
    /// When it completed.
    pub completed: Option<Publication<'a>>,
    /// When it failed.
    pub failed: Option<Publication<'a>>,
    /// When it was cancelled.
    pub cancelled: Option<Publication<'a>>,
}

/// One entry of `execution_graph.nodes`.
#[derive(Clone, Debug)]
pub(crate) struct GraphNode<'a> {
    /// `node_id`
    pub id: Word,
    /// `node_type`, as written.
    pub node_type: Option<Word>,
    /// Steps it waits for.
    pub depends_on: Vec<Word>,
    /// False: skipped.
    pub condition: Option<Data<'a>>,
    /// True: skipped.
    pub skip_condition: Option<Data<'a>>,
    /// Bounds the step.
    pub timeout_ms: Option<Located<u64>>,
    /// What its failure does.
    pub error_action: Located<ErrorAction>,
    /// How it is undone.
    pub compensation: Option<CompensationRule<'a>>,
    /// What it does; absent when that could not be read.
    pub work: Option<Work<'a>>,
    /// What it gives.
    pub input: Option<Data<'a>>,
    /// Done once an item.
    pub for_each: Option<Data<'a>>,
    /// Items at a time.
    pub max_parallel: u32,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Work<'a> {
    /// `effect_node` + `operation`
    Effect {
        /// The effect.
        node: Word,
        /// Its operation; `None`: the only one.
        operation: Option<Word>,
    },
    /// `compute_node`
    Compute(Word),
    /// `publish` + `payload`
    Publish {
        /// Where.
        topic: Word,
        /// What.
        payload: Option<Data<'a>>,
    },
    /// `reducer_node` + `trigger`
    Reduce {
        /// The reducer.
        node: Word,
        /// The event's name.
        trigger: Word,
    },
    /// `workflow`: another orchestrator.
    Run(Word),
    /// `wait_ms`
    Wait(Data<'a>),
    /// `wait_for_event`
    WaitFor {
        /// What must happen.
        event: Listening<'a>,
        /// How long at most.
        timeout_ms: Option<Data<'a>>,
    },
    /// `fail`
    Fail {
        /// Its code.
        code: Data<'a>,
        /// For people.
        message: Data<'a>,
    },
}

impl Work<'_> {
    /// Whether it waits and does nothing else.
    pub(crate) fn is_wait(&self) -> bool {
        matches!(self, Work::Wait(_) | Work::WaitFor { .. })
    }

    /// How long it waits at most, when a number stands there.
    pub(crate) fn wait_ms(&self) -> Option<u64> {
        let data = match self {
            Work::Wait(data) => Some(data),
            Work::WaitFor { timeout_ms, .. } => timeout_ms.as_ref(),
            _ => None,
        };
        match data?.node.tree {
            Tree::Int(ms) => u64::try_from(ms).ok().filter(|ms| *ms > 0),
            _ => None,
        }
    }
}

/// An event that a run listens for.
#[derive(Clone, Debug)]
pub(crate) struct Listening<'a> {
    /// On this topic.
    pub topic: Word,
    /// With this being true of it.
    pub when: Option<Data<'a>>,
}

/// `compensation`
#[derive(Clone, Debug)]
pub(crate) enum CompensationRule<'a> {
    /// `none`
    Nothing,
    /// `{effect_node, operation, input}`
    Operation {
        /// Where it stands.
        at: At,
        /// The effect; `None`: the step's.
        node: Option<Word>,
        /// Its operation; `None`: the only one.
        operation: Option<Word>,
        /// What it is given.
        input: Option<Data<'a>>,
    },
}

impl<'a> Workflow<'a> {
    /// Index of a step by id.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The steps that no other waits for, by id.
    pub(crate) fn last_steps(&self) -> Vec<&Word> {
        let waited: BTreeSet<&Text> =
            self.nodes.iter().flat_map(|node| &node.depends_on).map(|id| &id.value).collect();
        let ids = self.nodes.iter().map(|node| &node.id);
        let mut last: Vec<&Word> = ids.filter(|id| !waited.contains(&id.value)).collect();
        last.sort_unstable_by(|a, b| a.value.cmp(&b.value));
        last
    }

    /// Adds a step.
    pub(crate) fn add(&mut self, step: GraphNode<'a>) {
        self.ids.entry(step.id.value.clone()).or_insert(self.nodes.len());
        self.nodes.push(step);
    }

    /// The steps that one waits for.
    pub(crate) fn waits_on(&self, step: usize) -> impl Iterator<Item = usize> {
        self.nodes[step].depends_on.iter().filter_map(|id| self.find(id.as_str()))
    }

    /// Which steps must have ended before which others begin.
    pub(crate) fn ancestors(&self) -> Ancestors {
        let direct: Vec<Vec<usize>> =
            (0..self.nodes.len()).map(|step| self.waits_on(step).collect()).collect();
        Ancestors::of(&direct)
    }

    /// Whether a step waits for this topic.
    pub(crate) fn waits_for(&self, topic: &str) -> bool {
        self.nodes.iter().any(|node| {
            matches!(&node.work, Some(Work::WaitFor { event, .. }) if event.topic.as_str() == topic)
        })
    }

    /// Whether a message on a subscribed topic begins a run.
    pub(crate) fn begins(&self, entry: &SubscribeTopic<'_>) -> bool {
        entry.begins.unwrap_or_else(|| !self.waits_for(entry.topic.as_str()))
    }

    /// The subscribed topics whose messages begin runs.
    pub(crate) fn begun_by<'c>(
        &'c self,
        contract: &'c Contract<'_>,
    ) -> impl Iterator<Item = &'c Word> {
        let entries = contract.event_bus.subscribe.iter();
        entries.filter(|entry| self.begins(entry)).map(|entry| &entry.topic)
    }

    /// The topics that its runs listen to.
    pub(crate) fn listens(&self) -> impl Iterator<Item = &Word> {
        let waits = self.nodes.iter().filter_map(|node| match &node.work {
            Some(Work::WaitFor { event, .. }) => Some(&event.topic),
            _ => None,
        });
        waits.chain(self.cancel_on.iter().map(|event| &event.topic))
    }

    /// Everything the end of a run may publish.
    pub(crate) fn publications(&self) -> impl Iterator<Item = &Publication<'a>> {
        let outcomes = &self.outcomes;
        outcomes.completed.iter().chain(&outcomes.failed).chain(&outcomes.cancelled)
    }
}
