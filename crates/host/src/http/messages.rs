//! `POST /v1/messages`: one message, or a batch of them: a JSON array, or JSON lines.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use onex_contract::graph::Graph;
use onex_engine::input::Publish;
use onex_expr::{Key, Map, Text, Value};
use onex_kernel::Id;
use onex_runtime::Accepted;
use onex_runtime::handle::new_id;

use super::params::Params;
use super::problem::Problem;
use super::{Json, Port, body};
use crate::config::server::Server;
use crate::shape;

/// Longest key of a message, in bytes.
const KEY_BYTES_MAX: usize = 512;

const FIELDS: [&str; 6] = ["topic", "payload", "key", "id", "correlation_id", "event_type"];

/// One of a batch as it was read, with the number of its line if it has one.
type Part = (Option<usize>, Result<Value, Problem>);

/// Publishes.
pub async fn publish(
    State(port): State<Port>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?;
    let bytes = body::read(body, &port.limits).await?;
    if body::is_lines(&headers) {
        check_count(body::lines(&bytes).count(), &port.limits)?;
        let parts = body::lines(&bytes)
            .map(|(number, line)| (Some(number), body::parse_line(line, &port.limits)));
        return Ok(batch(&port, parts).await?.into_response());
    }
    match body::parse(&bytes, &port.limits)? {
        Value::List(items) => {
            check_count(items.len(), &port.limits)?;
            let parts = items.iter().map(|item| (None, Ok(item.clone())));
            Ok(batch(&port, parts).await?.into_response())
        }
        one => {
            let message = message(&one, &port.handle.graph())?;
            Ok(accepted(port.handle.publish(message).await?).into_response())
        }
    }
}

fn accepted(accepted: Accepted) -> Json {
    let status = if accepted.repeated { StatusCode::OK } else { StatusCode::ACCEPTED };
    Json(
        status,
        Value::map([("id", shape::id(accepted.id)), ("offset", shape::count(accepted.offset))]),
    )
}

fn check_count(count: usize, limits: &Server) -> Result<(), Problem> {
    let most = limits.batch_max;
    if count <= most {
        return Ok(());
    }
    let detail = format!("a batch has at most {most} messages");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        .limit("server.batch_max")
        .help("the limit is `[server] batch_max`"))
}

async fn batch(port: &Port, parts: impl Iterator<Item = Part>) -> Result<Json, Problem> {
    let graph = port.handle.graph();
    let mut good = Vec::with_capacity(parts.size_hint().0);
    let read: Vec<(Option<usize>, Result<(), Problem>)> = parts
        .map(|(line, part)| {
            let message = part.and_then(|part| message(&part, &graph));
            (line, message.map(|message| good.push(message)))
        })
        .collect();
    let mut answers =
        if good.is_empty() { Vec::new() } else { port.handle.batch(good).await? }.into_iter();
    let items = read.into_iter().map(|(line, read)| {
        let answer = read.and_then(|()| match answers.next() {
            Some(answer) => answer.map_err(Problem::from),
            None => Err(unanswered()),
        });
        item(line, answer)
    });
    let items = Value::list(items.collect());
    Ok(Json::ok(Value::map([("items", items)])))
}

fn unanswered() -> Problem {
    let detail = "the engine gave fewer answers than there were messages";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

fn item(line: Option<usize>, answer: Result<Accepted, Problem>) -> Value {
    let mut fields = match answer {
        Ok(accepted) => vec![
            ("status", Value::Int(if accepted.repeated { 200 } else { 202 })),
            ("id", shape::id(accepted.id)),
            ("offset", shape::count(accepted.offset)),
        ],
        Err(problem) => vec![
            ("status", Value::Int(i64::from(problem.status().as_u16()))),
            ("error", problem.value()),
        ],
    };
    fields.extend(line.map(|line| ("line", shape::count(line as u64))));
    Value::map(fields)
}

/// Reads one envelope.
fn message(envelope: &Value, graph: &Graph) -> Result<Publish, Problem> {
    let bad = |detail: String| Problem::bad("invalid_envelope", detail);
    let Some(map) = envelope.as_map() else {
        return Err(bad("a message is an object".into())
            .help("{\"topic\": \"onex.evt.shop.order-placed.v1\", \"payload\": {}}"));
    };
    for (key, _) in map.iter() {
        if let Key::String(name) = key
            && !FIELDS.contains(&name.as_str())
        {
            let known = format!("there are: {}", FIELDS.join(", "));
            return Err(bad(format!("a message has no field `{name}`")).help(known));
        }
    }
    let topic = text(map, "topic")?.ok_or_else(|| bad("a message has a `topic`".into()))?;
    if !graph.topics.contains_key(&topic) {
        check_topic(&topic)?;
    }
    let Some(payload) = map.get("payload") else {
        return Err(bad("a message has a `payload`".into()));
    };
    let key = text(map, "key")?;
    if let Some(key) = &key
        && !(1..=KEY_BYTES_MAX).contains(&key.len())
    {
        return Err(bad(format!("a key has 1 to {KEY_BYTES_MAX} bytes")));
    }
    let given = id(map, "id")?;
    let id_ = given.unwrap_or_else(new_id);
    Ok(Publish {
        id: id_,
        id_given: given.is_some(),
        topic,
        key,
        event_type: text(map, "event_type")?,
        payload: body::payload(payload.clone()),
        correlation_id: id(map, "correlation_id")?.unwrap_or(id_),
    })
}

fn text(map: &Map, field: &str) -> Result<Option<Text>, Problem> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            let detail = format!("`{field}` of a message is a text");
            Err(Problem::bad("invalid_envelope", detail))
        }
    }
}

fn id(map: &Map, field: &str) -> Result<Option<Id>, Problem> {
    let Some(text) = text(map, field)? else {
        return Ok(None);
    };
    Id::parse(&text).map(Some).ok_or_else(|| {
        let detail = format!("`{field}` of a message is a UUID");
        Problem::bad("invalid_envelope", detail)
    })
}

/// What is wrong with a topic that no contract names: `onex.<kind>.<producer>.<event>.v<n>`.
fn check_topic(topic: &str) -> Result<(), Problem> {
    let wrong = |detail: String| {
        Err(Problem::bad("invalid_topic", detail)
            .help("a topic is onex.<kind>.<producer>.<event>.v<n>"))
    };
    let segments: Vec<&str> = topic.split('.').collect();
    let [prefix, kind, producer, event, version] = segments[..] else {
        return wrong(format!("a topic has five segments, this one {}", segments.len()));
    };
    if prefix != "onex" {
        return wrong("a topic begins with `onex`".into());
    }
    if !["cmd", "evt", "dlq", "intent", "snapshot"].contains(&kind) {
        return wrong("a topic's kind is cmd, evt, dlq, intent or snapshot".into());
    }
    for name in [producer, event] {
        if !is_kebab(name) {
            return wrong(format!("`{name}` is not lower-case words joined by hyphens"));
        }
    }
    let number = version.strip_prefix('v').unwrap_or_default();
    let counts = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    if !counts || number.starts_with('0') {
        return wrong("a topic ends with its version, such as v1".into());
    }
    Ok(())
}

fn is_kebab(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('-').all(word) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::check_topic;

    #[test]
    fn a_topic_has_five_segments_of_its_grammar() {
        for good in ["onex.evt.shop.order-placed.v1", "onex.cmd.a1.b.v20"] {
            assert!(check_topic(good).is_ok(), "{good}");
        }
        let bad = [
            "",
            "orders",
            "onex.evt.shop.order-placed",
            "onex.evt.shop.order-placed.v1.x",
            "local.evt.shop.order-placed.v1",
            "onex.events.shop.order-placed.v1",
            "onex.evt.Shop.order-placed.v1",
            "onex.evt.shop.order_placed.v1",
            "onex.evt.shop.order--placed.v1",
            "onex.evt.1shop.order.v1",
            "onex.evt.shop.order.1",
            "onex.evt.shop.order.v0",
            "onex.evt.shop.order.v",
        ];
        for bad in bad {
            assert!(check_topic(bad).is_err(), "{bad}");
        }
    }
}
