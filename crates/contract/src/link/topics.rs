//! Topics of the graph: who gets each message, and as what.

use std::collections::BTreeMap;

use onex_expr::Text;

use super::{Linker, node_index};
use crate::graph::{Body, Entry, Node, NodeIndex, Subscriber, TICK, Topic};
use crate::model::SubscribeTopic;
use crate::schema::Schema;
use crate::system::{Consumer, ConsumerKind, TopicUse};

/// Every topic that a contract names.
pub(super) fn link(linker: &Linker<'_, '_, '_>, nodes: &[Node]) -> Option<BTreeMap<Text, Topic>> {
    let system = linker.system;
    let mut topics = BTreeMap::new();
    for (name, uses) in &system.topics {
        let mut subscribers: Vec<Subscriber> = Vec::new();
        let is_operation = |c: &&Consumer| matches!(c.kind, ConsumerKind::Operation(_));
        let operations = uses.consumers.iter().filter(is_operation);
        let subscriptions = uses.consumers.iter().filter(|c| c.kind == ConsumerKind::Subscription);
        for consumer in operations.chain(subscriptions) {
            subscribers.extend(subscriber(linker, nodes, name, consumer)?);
        }
        subscribers.sort_by_key(|subscriber| subscriber.node);
        let produced = !uses.producers.is_empty();
        let consumed = !uses.consumers.is_empty();
        let allowed = system.host.ingress_allow.iter().any(|allowed| allowed == name.as_str());
        topics.insert(
            name.clone(),
            Topic {
                name: name.clone(),
                ingress: allowed || (consumed && !produced && name != TICK),
                produced,
                subscribers,
                waiters: waiters(uses)?,
                producer_schema: system.producer_schema(name).cloned(),
            },
        );
    }
    Some(topics)
}

fn waiters(uses: &TopicUse) -> Option<Vec<NodeIndex>> {
    let listening = uses.consumers.iter().filter(|c| c.kind == ConsumerKind::Run);
    let mut waiters = listening.map(|c| node_index(c.node)).collect::<Option<Vec<_>>>()?;
    waiters.dedup();
    Some(waiters)
}

/// The delivery of one consumer; inner `None`: a listing that only gives the schema, of an effect or
/// of a topic that a workflow waits for.
fn subscriber(
    linker: &Linker<'_, '_, '_>,
    nodes: &[Node],
    topic: &Text,
    consumer: &Consumer,
) -> Option<Option<Subscriber>> {
    let entry = match (&nodes[consumer.node].body, consumer.kind) {
        (_, ConsumerKind::Operation(index)) => Entry::Operation(u16::try_from(index).ok()?),
        (Body::Reducer(reducer), _) => {
            let heard = |trigger: &crate::graph::Trigger| trigger.topic.as_ref() == Some(topic);
            let index = reducer.triggers.iter().position(heard)?;
            Entry::Trigger(u16::try_from(index).ok()?)
        }
        (Body::Orchestrator(_), _) => {
            let contract = &linker.system.contracts[consumer.node];
            let workflow = contract.workflow.as_ref()?;
            let entries = &contract.event_bus.subscribe;
            let mut listed = entries.iter().filter(|entry| entry.topic.value == *topic);
            if !listed.any(|entry| workflow.begins(entry)) {
                return Some(None);
            }
            Entry::Run
        }
        (Body::Compute(_), _) => Entry::Evaluate,
        (Body::Effect(_), _) => return Some(None),
    };
    let node = node_index(consumer.node)?;
    Some(Some(Subscriber { node, entry, schema: schema(linker, consumer.node, topic) }))
}

/// What a node wants of a topic's payload: as the subscription says, else as the node's input.
fn schema(linker: &Linker<'_, '_, '_>, node: usize, topic: &Text) -> Option<Schema> {
    let system = linker.system;
    let contract = &system.contracts[node];
    let listed = |entry: &&SubscribeTopic<'_>| entry.topic.value == *topic;
    let entry = contract.event_bus.subscribe.iter().find(listed);
    let own = entry.and_then(|entry| entry.payload.as_ref());
    let compute = contract.compute.as_ref().and_then(|compute| compute.input.as_ref());
    system.schema_of(own.or(contract.input_model.as_ref()).or(compute)).cloned()
}
