//! Topics of the graph: who gets each message, and as what.

use std::collections::BTreeMap;

use onex_expr::Text;

use super::{Linker, node_index};
use crate::graph::{Body, Entry, Node, Subscriber, Topic};
use crate::model::SubscribeTopic;
use crate::schema::Schema;
use crate::system::{Consumer, ConsumerKind};

/// Every topic that a contract names.
pub(super) fn link(linker: &Linker<'_, '_, '_>, nodes: &[Node]) -> Option<BTreeMap<Text, Topic>> {
    let system = linker.system;
    let mut topics = BTreeMap::new();
    for (name, uses) in &system.topics {
        let mut subscribers: Vec<Subscriber> = Vec::new();
        let operations = uses.consumers.iter().filter(|c| c.kind != ConsumerKind::Subscription);
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
                ingress: allowed || (consumed && !produced),
                produced,
                subscribers,
                waiters: Vec::new(),
                producer_schema: system.producer_schema(name).cloned(),
            },
        );
    }
    Some(topics)
}

/// The delivery of one consumer; inner `None`: an effect's listing, which only gives the schema.
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
        (Body::Orchestrator(_), _) => Entry::Run,
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
