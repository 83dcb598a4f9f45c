//! Who hears and who publishes each topic.

use std::collections::BTreeMap;

use onex_expr::Text;

use crate::graph::Kind;
use crate::model::{ActionWork, At, Contract, Word, Work};

/// One topic's uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct TopicUse {
    /// The places that publish to it, in order of node name.
    pub producers: Vec<At>,
    /// Who hears it, in order of node name.
    pub consumers: Vec<Consumer>,
    /// The schedules on which the clock publishes to it.
    pub schedules: Vec<At>,
}

impl TopicUse {
    /// The files that name it, some more than once.
    pub fn files(&self) -> impl Iterator<Item = u32> + '_ {
        let said = self.producers.iter().chain(&self.schedules).map(|at| at.file);
        said.chain(self.consumers.iter().map(|consumer| consumer.at.file))
    }
}

/// One place that hears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consumer {
    /// Index of the contract.
    pub node: usize,
    /// Where it says so.
    pub at: At,
    /// How.
    pub kind: ConsumerKind,
}

/// How a topic is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsumerKind {
    /// `subscribe_topics`
    Subscription,
    /// `on_topic` of the operation with this index.
    Operation(usize),
    /// A wait or `cancel_on` of a workflow.
    Run,
}

/// Collects every use of every topic.
pub(super) fn collect(contracts: &[Contract<'_>]) -> BTreeMap<Text, TopicUse> {
    let mut topics: BTreeMap<Text, TopicUse> = BTreeMap::new();
    for (node, contract) in contracts.iter().enumerate() {
        for entry in &contract.event_bus.subscribe {
            let consumer = Consumer { node, at: entry.topic.at, kind: ConsumerKind::Subscription };
            topics.entry(entry.topic.value.clone()).or_default().consumers.push(consumer);
        }
        for (topic, kind) in operations_on_topics(contract) {
            let consumer = Consumer { node, at: topic.at, kind };
            topics.entry(topic.value.clone()).or_default().consumers.push(consumer);
        }
        for topic in contract.workflow.iter().flat_map(|workflow| workflow.listens()) {
            let consumer = Consumer { node, at: topic.at, kind: ConsumerKind::Run };
            topics.entry(topic.value.clone()).or_default().consumers.push(consumer);
        }
        for schedule in &contract.event_bus.schedules {
            let uses = topics.entry(schedule.topic.value.clone()).or_default();
            uses.schedules.push(schedule.topic.at);
        }
        for (topic, _) in published(contract) {
            topics.entry(topic.value).or_default().producers.push(topic.at);
        }
    }
    topics
}

fn operations_on_topics<'c>(
    contract: &'c Contract<'_>,
) -> impl Iterator<Item = (&'c Word, ConsumerKind)> {
    let operations = contract.effect.iter().flat_map(|effect| effect.operations.iter().enumerate());
    operations.filter_map(|(index, operation)| {
        operation.on_topic.as_ref().map(|topic| (topic, ConsumerKind::Operation(index)))
    })
}

/// Every topic a contract publishes to, and whether the place acts or only lists it.
pub(crate) fn published(contract: &Contract<'_>) -> Vec<(Word, bool)> {
    let mut topics: Vec<(Word, bool)> = Vec::new();
    if let Some(machine) = &contract.state_machine {
        for action in machine.actions() {
            if let ActionWork::Event { topic, .. } = &action.work {
                topics.push((topic.clone(), true));
            }
        }
    }
    if let Some(effect) = &contract.effect {
        let publications = effect.operations.iter().flat_map(|operation| operation.publications());
        topics.extend(publications.map(|publication| (publication.topic.clone(), true)));
    }
    if let Some(workflow) = &contract.workflow {
        topics.extend(workflow.publications().map(|end| (end.topic.clone(), true)));
        for node in &workflow.nodes {
            if let Some(Work::Publish { topic, .. }) = &node.work {
                topics.push((topic.clone(), true));
            }
        }
    }
    let default = default_publication(contract);
    for entry in &contract.event_bus.publish {
        let acts = default.is_some_and(|topic| topic.value == entry.topic.value);
        topics.push((entry.topic.clone(), acts));
    }
    topics
}

/// The one topic where an effect's output, or a compute's result, is published without saying so.
pub(crate) fn default_publication<'c>(contract: &'c Contract<'_>) -> Option<&'c Word> {
    let [entry] = contract.event_bus.publish.as_slice() else {
        return None;
    };
    let publishes = match contract.kind.value {
        Kind::Effect => {
            let operations = &contract.effect.as_ref()?.operations;
            let [operation] = operations.as_slice() else {
                return None;
            };
            let named =
                operation.publications().any(|other| other.topic.value == entry.topic.value);
            !named && operation.response.outcome.is_none()
        }
        Kind::Compute => !contract.event_bus.subscribe.is_empty(),
        Kind::Reducer | Kind::Orchestrator => false,
    };
    publishes.then_some(&entry.topic)
}

/// The event segment of a topic, which is the trigger of its messages.
pub(crate) fn event_segment(topic: &str) -> Option<&str> {
    let bytes = topic.as_bytes();
    let dot = |from: usize| Some(from + bytes[from..].iter().position(|byte| *byte == b'.')?);
    let begin = (0..3).try_fold(0, |from, _| Some(dot(from)? + 1))?;
    Some(&topic[begin..dot(begin).unwrap_or(topic.len())])
}
