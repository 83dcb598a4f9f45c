//! The picture for programs.

use onex_expr::Value;

use super::picture::{Edge, Node, Part, Picture, Topic, Way, word};

/// `{nodes, topics, edges}`.
pub fn value(picture: &Picture) -> Value {
    Value::map([
        ("nodes", Value::list(picture.nodes.iter().map(node).collect())),
        ("topics", Value::list(picture.topics.iter().map(topic).collect())),
        ("edges", Value::list(picture.edges.iter().map(edge).collect())),
    ])
}

fn node(node: &Node) -> Value {
    let way = |way: &Way| {
        Value::map([
            ("from", Value::text(node.parts[way.from].name.as_str())),
            ("to", Value::text(node.parts[way.to].name.as_str())),
            ("label", Value::text(way.label.as_str())),
        ])
    };
    Value::map([
        ("name", Value::text(node.name.as_str())),
        ("kind", Value::text(word(node.kind))),
        ("version", Value::text(node.version.as_str())),
        ("description", Value::text(node.description.as_str())),
        ("parts", Value::list(node.parts.iter().map(part).collect())),
        ("ways", Value::list(node.ways.iter().map(way).collect())),
    ])
}

fn part(part: &Part) -> Value {
    Value::map([
        ("name", Value::text(part.name.as_str())),
        ("note", Value::text(part.note.as_str())),
        ("first", Value::Bool(part.is_first)),
        ("last", Value::Bool(part.is_last)),
    ])
}

fn topic(topic: &Topic) -> Value {
    Value::map([
        ("topic", Value::text(topic.name.as_str())),
        ("entry", Value::Bool(topic.is_entry)),
        ("exit", Value::Bool(topic.is_exit)),
        ("schema", topic.schema.clone().unwrap_or(Value::Null)),
    ])
}

fn edge(edge: &Edge) -> Value {
    let (kind, from, to, label) = match edge {
        Edge::Hears { topic, node } => ("hears", topic, node, None),
        Edge::Publishes { node, topic } => ("publishes", node, topic, None),
        Edge::Intent { from, to, intent } => ("intent", from, to, Some(intent)),
        Edge::Calls { from, to, what } => ("calls", from, to, Some(what)),
    };
    Value::map([
        ("kind", Value::text(kind)),
        ("from", Value::text(from.as_str())),
        ("to", Value::text(to.as_str())),
        ("label", label.map_or(Value::Null, |label| Value::text(label.as_str()))),
    ])
}
