//! What to do next with a host that has just started: commands that fit its contracts.

use onex_contract::graph::{Body, Graph, Topic};
use onex_contract::schema::Schema;
use onex_expr::{Text, Value, json};

/// Deepest schema for which a sample is made up.
const DEPTH_MAX: usize = 8;

/// Commands for somebody who looks at a terminal.
pub fn text(graph: &Graph, address: &str) -> String {
    let url = if address == "127.0.0.1:8085" {
        String::new()
    } else {
        format!(" --url http://{address}")
    };
    let mut lines = vec![String::new(), "What to do next, in another terminal:".to_owned()];
    let entry = graph.topics.values().find(|topic| topic.ingress);
    if let Some(topic) = entry {
        let data = json::to_string(&sample_of(topic));
        lines.push(format!("  onex publish {}{url} --data '{data}'", topic.name));
    }
    for node in &graph.nodes {
        match &node.body {
            Body::Orchestrator(found) if entry.is_none() => {
                let input = found.input_schema.as_ref().map(sample_of_schema);
                let input = json::to_string(&input.unwrap_or_else(empty));
                let name = &node.name;
                lines.push(format!(
                    "  onex workflow start {name}{url} --wait 30s --input '{input}'"
                ));
            }
            Body::Reducer(_) => lines.push(format!("  onex state list {}{url}", node.name)),
            _ => {}
        }
    }
    lines.push(format!("  onex tail{url} --from beginning --follow"));
    lines.push(format!("  onex dlq list{url}"));
    lines.push(
        "Ctrl-C stops; kill -9 does too. Start again: everything goes on where it was.".into(),
    );
    lines.join("\n")
}

fn sample_of(topic: &Topic) -> Value {
    let schema = topic.subscribers.iter().find_map(|subscriber| subscriber.schema.as_ref());
    schema.map_or_else(empty, sample_of_schema)
}

fn sample_of_schema(schema: &Schema) -> Value {
    sample(schema.document(), "value", 0)
}

fn empty() -> Value {
    Value::map::<Text>([])
}

/// The smallest value that looks as the schema wants; not checked against it.
fn sample(schema: &Value, name: &str, depth: usize) -> Value {
    let given = ["const", "default"].iter().find_map(|key| schema.get(key));
    let listed = ["enum", "examples"].iter().find_map(|key| {
        let list = schema.get(key)?.as_list()?;
        list.first()
    });
    if let Some(value) = given.or(listed) {
        return value.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        _ if depth > DEPTH_MAX => Value::Null,
        Some("string") => Value::text(format!("{name}-1")),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(Value::Int(1)),
        Some("number") => schema.get("minimum").cloned().unwrap_or(Value::Double(1.0)),
        Some("boolean") => Value::Bool(true),
        Some("array") => match schema.get("items") {
            Some(items) => Value::list(vec![sample(items, name, depth + 1)]),
            None => Value::list(Vec::new()),
        },
        Some("object") => object(schema, depth),
        _ => Value::Null,
    }
}

fn object(schema: &Value, depth: usize) -> Value {
    let required = schema.get("required").and_then(Value::as_list);
    let names = required.unwrap_or_default().iter().filter_map(Value::as_str);
    Value::map(names.map(|name| {
        let field = schema.get_path(["properties", name]);
        let value = field.map_or(Value::Null, |field| sample(field, name, depth + 1));
        (name, value)
    }))
}
