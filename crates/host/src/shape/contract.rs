//! The checked system: contracts, topics, and the graph they make.

use onex_contract::graph::{Body, Entry, Graph, Node, Performer, Topic};
use onex_expr::{Text, Value};

use super::digest;
use crate::verb::check::word;

/// One line about a contract.
pub fn summary(node: &Node) -> Value {
    Value::map([
        ("name", Value::String(node.name.clone())),
        ("kind", Value::text(word(node.kind()))),
        ("version", Value::String(node.version.clone())),
        ("description", Value::String(node.description.clone())),
    ])
}

/// A contract.
pub fn value(graph: &Graph, node: &Node) -> Value {
    Value::map([
        ("name", Value::String(node.name.clone())),
        ("kind", Value::text(word(node.kind()))),
        ("version", Value::String(node.version.clone())),
        ("description", Value::String(node.description.clone())),
        ("normal_form", Value::text(node.normal_form.as_ref())),
        ("contract_digest", digest(graph.id)),
    ])
}

/// A topic.
pub fn topic(graph: &Graph, topic: &Topic) -> Value {
    let name = |at| Value::String(graph.node(at).name.clone());
    let subscribers = topic.subscribers.iter().map(|subscriber| {
        let schema = subscriber.schema.as_ref();
        Value::map([
            ("node", name(subscriber.node)),
            ("begins", Value::text(begins(subscriber.entry))),
            ("schema", schema.map_or(Value::Null, |schema| schema.document().clone())),
        ])
    });
    let schema = topic.producer_schema.as_ref();
    Value::map([
        ("topic", Value::String(topic.name.clone())),
        ("ingress", Value::Bool(topic.ingress)),
        ("produced", Value::Bool(topic.produced)),
        ("subscribers", Value::list(subscribers.collect())),
        ("waiters", Value::list(topic.waiters.iter().map(|at| name(*at)).collect())),
        ("schema", schema.map_or(Value::Null, |schema| schema.document().clone())),
    ])
}

fn begins(entry: Entry) -> &'static str {
    match entry {
        Entry::Trigger(_) => "transition",
        Entry::Run => "run",
        Entry::Operation(_) => "operation",
        Entry::Evaluate => "evaluation",
    }
}

/// The graph: nodes, topics, and who performs which intent.
pub fn graph(graph: &Graph) -> Value {
    let intents = graph.performers.iter().map(|(intent, performer)| {
        let (node, operation) = performed_by(graph, performer);
        Value::map([
            ("intent", Value::String(intent.clone())),
            ("node", Value::String(node)),
            ("operation", operation.map_or(Value::Null, Value::String)),
        ])
    });
    let topics = graph.topics.values();
    Value::map([
        ("digest", digest(graph.id)),
        ("nodes", Value::list(graph.nodes.iter().map(node).collect())),
        ("topics", Value::list(topics.map(|found| topic(graph, found)).collect())),
        ("intents", Value::list(intents.collect())),
    ])
}

fn performed_by(graph: &Graph, performer: &Performer) -> (Text, Option<Text>) {
    match performer {
        Performer::Run(at) => (graph.node(*at).name.clone(), None),
        Performer::Trigger(at, trigger) => {
            let node = graph.node(*at);
            let trigger = match &node.body {
                Body::Reducer(reducer) => reducer.triggers.get(usize::from(*trigger)),
                _ => None,
            };
            (node.name.clone(), trigger.map(|trigger| trigger.name.clone()))
        }
        Performer::Operation(at, operation) => {
            let node = graph.node(*at);
            let operation = match &node.body {
                Body::Effect(effect) => effect.operations.get(usize::from(*operation)),
                _ => None,
            };
            (node.name.clone(), operation.map(|operation| operation.name.clone()))
        }
    }
}

fn node(node: &Node) -> Value {
    let names = |names: Vec<Text>| Value::list(names.into_iter().map(Value::String).collect());
    let (parts, list) = match &node.body {
        Body::Effect(effect) => {
            let operations = effect.operations.iter();
            ("operations", operations.map(|op| op.name.clone()).collect())
        }
        Body::Compute(compute) => {
            let steps = compute.steps.iter();
            ("steps", steps.map(|step| step.name.clone()).collect())
        }
        Body::Reducer(reducer) => {
            let states = reducer.states.iter();
            ("states", states.map(|state| state.name.clone()).collect())
        }
        Body::Orchestrator(orchestrator) => {
            let steps = orchestrator.steps.iter();
            ("steps", steps.map(|step| step.id.clone()).collect())
        }
    };
    Value::map([
        ("name", Value::String(node.name.clone())),
        ("kind", Value::text(word(node.kind()))),
        ("version", Value::String(node.version.clone())),
        (parts, names(list)),
    ])
}
