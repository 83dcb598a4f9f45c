//! The system's messages as an AsyncAPI 3.0 document: a channel a topic, an operation for each
//! node that sends or receives there. Schemas stand under `components`, by node and name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use onex_expr::{Key, Value};

use super::picture::{Edge, Picture, Topic, event};

/// What the document says of the system as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    /// The system's name.
    pub title: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// The document.
pub fn document(picture: &Picture, info: Info<'_>) -> Value {
    let mut schemas = BTreeMap::new();
    let channels: Vec<(String, Value)> = picture
        .topics
        .iter()
        .map(|topic| (topic.name.clone(), channel(topic, &mut schemas)))
        .collect();
    let operations = picture.edges.iter().filter_map(|edge| operation(picture, edge));
    Value::map([
        ("asyncapi", Value::text("3.0.0")),
        (
            "info",
            Value::map([
                ("title", Value::text(info.title)),
                ("version", Value::text(info.version)),
            ]),
        ),
        ("defaultContentType", Value::text("application/json")),
        ("channels", Value::map(channels)),
        ("operations", Value::map(operations)),
        ("components", Value::map([("schemas", Value::map(schemas))])),
    ])
}

fn channel(topic: &Topic, schemas: &mut BTreeMap<String, Value>) -> Value {
    let direction = match (topic.is_entry, topic.is_exit) {
        (true, _) => "An entry: published from outside.",
        (_, true) => "An exit: heard outside.",
        _ => "Internal to the system.",
    };
    Value::map([
        ("address", Value::text(topic.name.as_str())),
        ("description", Value::text(direction)),
        ("messages", Value::map([(message_key(topic), message(topic, schemas))])),
    ])
}

fn message_name(topic: &Topic) -> String {
    topic.schema_name.clone().unwrap_or_else(|| event(&topic.name))
}

/// The key under which a channel's message stands.
fn message_key(topic: &Topic) -> String {
    key(&message_name(topic))
}

fn message(topic: &Topic, schemas: &mut BTreeMap<String, Value>) -> Value {
    let mut fields = vec![("name", Value::text(message_name(topic)))];
    if let Some(schema) = &topic.schema {
        fields.push(("payload", payload(topic, schema, schemas)));
    }
    Value::map(fields)
}

/// The schema with its definitions moved to `components`.
fn payload(topic: &Topic, schema: &Value, schemas: &mut BTreeMap<String, Value>) -> Value {
    let prefix = topic.name.clone();
    let definitions = schema.get("$defs").and_then(Value::as_map);
    for (key, definition) in definitions.into_iter().flat_map(|map| map.iter()) {
        if let Key::String(name) = key {
            schemas.insert(component(&prefix, name), moved(definition, &prefix));
        }
    }
    moved(schema, &prefix)
}

/// A schema whose references lead to `components`, without its own definitions.
fn moved(schema: &Value, prefix: &str) -> Value {
    match schema {
        Value::List(items) => Value::list(items.iter().map(|item| moved(item, prefix)).collect()),
        Value::Map(map) => {
            let entries = map.iter().filter_map(|(key, value)| {
                let Key::String(name) = key else { return None };
                match (name.as_str(), value) {
                    ("$defs", _) => None,
                    ("$ref", Value::String(target)) => {
                        let name = target.strip_prefix("#/$defs/").unwrap_or(target);
                        let component = component(prefix, &unescaped(name));
                        let target = format!("#/components/schemas/{component}");
                        Some((name_of(key), Value::text(target)))
                    }
                    _ => Some((name_of(key), moved(value, prefix))),
                }
            });
            Value::map(entries)
        }
        other => other.clone(),
    }
}

fn name_of(key: &Key) -> String {
    match key {
        Key::String(name) => name.to_string(),
        _ => String::new(),
    }
}

/// The key of a definition under `components`.
fn component(prefix: &str, name: &str) -> String {
    key(&format!("{prefix}.{name}"))
}

/// A key that `components` allows, and that a reference can name as it is: word characters, points
/// and hyphens; any other byte as two hexadecimal digits.
fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            key.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(key, "_{byte:02X}");
        }
    }
    key
}

/// A segment of a JSON pointer in a URI fragment, as the name that it stands for.
fn unescaped(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}

fn operation(picture: &Picture, edge: &Edge) -> Option<(String, Value)> {
    let (action, node, topic) = match edge {
        Edge::Hears { topic, node } => ("receive", node, topic),
        Edge::Publishes { node, topic } => ("send", node, topic),
        Edge::Intent { .. } | Edge::Calls { .. } => return None,
    };
    let found = picture.topics.iter().find(|other| other.name == *topic)?;
    // RFC 6901, section 3: a topic of an old contract may have a slash.
    let channel = format!("#/channels/{}", topic.replace('~', "~0").replace('/', "~1"));
    let message = format!("{channel}/messages/{}", message_key(found));
    let reference = |target: String| Value::map([("$ref", Value::text(target))]);
    let description = picture.nodes.iter().find(|other| other.name == *node);
    let description = description.map(|node| node.description.as_str()).unwrap_or_default();
    let mut fields = vec![
        ("action", Value::text(action)),
        ("channel", reference(channel)),
        ("title", Value::text(node.as_str())),
        ("messages", Value::list(vec![reference(message)])),
    ];
    if !description.is_empty() {
        fields.push(("description", Value::text(description)));
    }
    Some((format!("{node}.{action}.{topic}"), Value::map(fields)))
}
