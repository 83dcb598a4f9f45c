//! Topics in and out: `event_bus` and the dozen other keys that said the same.

pub(in crate::dialect) mod name;

use std::collections::BTreeSet;
use std::ops::Range;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    environment,
    made::{Made, node, text},
    translate::Translation,
};
use crate::graph::Kind;
use crate::model::Word;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::topic;
use crate::yaml::{Node, Tree};

/// One topic of a node.
pub(in crate::dialect) struct Listed {
    /// Its name, in the grammar.
    pub topic: String,
    /// Where it stands.
    pub at: Range<usize>,
    /// The schema of its payload.
    pub payload: Option<Node>,
    /// The operation that takes it.
    pub operation: Option<Word>,
    /// What it is for.
    pub description: Option<Node>,
    /// Whether something in the node takes or publishes it.
    pub used: bool,
}

/// The topics of a node.
#[derive(Default)]
pub(in crate::dialect) struct Topics {
    /// What it hears.
    pub subscribe: Vec<Listed>,
    /// What it publishes.
    pub publish: Vec<Listed>,
    /// Names of the events that it says to hear, with their places.
    pub event_types: Vec<(String, Range<usize>)>,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// Collects every topic that the file lists.
pub(in crate::dialect) fn collect(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let known = made.definitions.clone();
    let mut add = |fields: &mut Fields<'_, '_, '_, '_>, way: Way, nodes: &[Node]| {
        for node in nodes {
            entry(fields.reading, node, way, made, &known);
        }
    };
    if let Some(bus) = fields.get("event_bus") {
        event_bus(fields, bus, &mut add);
    }
    for (key, way) in [
        ("subscribe_topics", Way::In),
        ("publish_topics", Way::Out),
        ("consumed_events", Way::In),
        ("published_events", Way::Out),
        ("produced_events", Way::Out),
        ("input_subscriptions", Way::In),
    ] {
        let items = several(fields, key);
        add(fields, way, items);
    }
    for (key, inner) in [
        ("topics", &[("consumes", Way::In), ("produces", Way::Out)][..]),
        ("subscriptions", &[("topics", Way::In), ("subscribe_topics", Way::In)]),
        ("publications", &[("topics", Way::Out), ("publish_topics", Way::Out)]),
        ("event_consumption", &[("subscribed_topics", Way::In), ("topics", Way::In)]),
        ("event_topics", &[("consumes", Way::In), ("subscribe", Way::In), ("publish", Way::Out)]),
        ("runtime_dispatch", &[("command_topic", Way::In)]),
    ] {
        grouped(fields, key, inner, &mut add);
    }
    fields.not_enforced(&["event_type"]);
}

type Add<'f> = dyn FnMut(&mut Fields<'_, '_, '_, '_>, Way, &[Node]) + 'f;

fn event_bus(fields: &mut Fields<'_, '_, '_, '_>, bus: &Node, add: &mut Add<'_>) {
    let Some(mut inner) = Fields::open(fields.reading, bus, "`event_bus`") else { return };
    for (key, way) in [
        ("subscribe_topics", Way::In),
        ("subscribe", Way::In),
        ("publish_topics", Way::Out),
        ("publish", Way::Out),
    ] {
        let items = several(&mut inner, key);
        add(&mut inner, way, items);
    }
    inner.descriptive(&["version", "description"]);
    inner.not_enforced(&BUS_SETTINGS);
    inner.close();
}

/// Settings of the bus that no node has here.
const BUS_SETTINGS: [&str; 28] = [
    "auto_offset_reset",
    "batch_size",
    "batch_timeout_ms",
    "cache_max_size",
    "consumer_group",
    "consumer_purpose",
    "correlation_id_propagation",
    "correlation_tracking",
    "dlq_topics",
    "enable_introspection_events",
    "enable_lifecycle_events",
    "environment",
    "event_bus_type",
    "event_validation",
    "fail_fast_on_validation_error",
    "log_event_payloads",
    "max_queue_size",
    "max_retry_attempts",
    "plugin_managed",
    "publish_topic_metadata",
    "queue_overflow_strategy",
    "request_response",
    "retry_delay_ms",
    "subcontract_version",
    "subscribe_topic_metadata",
    "topic_prefix",
    "type",
    "validation",
];

/// The items under a key: a list, or one text alone.
fn several<'a>(fields: &mut Fields<'a, '_, '_, '_>, key: &'static str) -> &'a [Node] {
    match fields.get(key) {
        Some(node) if matches!(node.tree, Tree::String(_)) => std::slice::from_ref(node),
        Some(_) => fields.items(key),
        None => &[],
    }
}

/// A mapping that groups topics by their way.
fn grouped(
    fields: &mut Fields<'_, '_, '_, '_>,
    key: &'static str,
    inner: &[(&'static str, Way)],
    add: &mut Add<'_>,
) {
    let Some(group) = fields.get(key) else { return };
    if !matches!(group.tree, Tree::Map(_)) {
        let way = if key == "publications" { Way::Out } else { Way::In };
        let items = several(fields, key);
        return add(fields, way, items);
    }
    let Some(mut group) = Fields::open(fields.reading, group, "the group of topics") else {
        return;
    };
    for (key, way) in inner {
        let items = several(&mut group, key);
        add(&mut group, *way, items);
    }
    group.not_enforced(&["consumer_group", "consumed_event_types"]);
    group.descriptive(&["version", "description", "external_trigger", "terminal_events"]);
    group.close();
}

/// One entry: a topic, or a mapping that names it.
fn entry(
    reading: &mut Reading<'_, '_>,
    written: &Node,
    way: Way,
    made: &mut Translation,
    known: &BTreeSet<Text>,
) {
    if matches!(written.tree, Tree::String(_)) {
        return list(reading, written, way, made, Said::default());
    }
    let Some(mut fields) = Fields::open(reading, written, "the topic's entry") else { return };
    let topic = fields.get("topic").or_else(|| fields.get("name"));
    let payload = payload(&mut fields, known);
    let operation = fields.word("operation");
    let description = fields.get("description").cloned();
    if let (Way::In, Some(word)) = (way, fields.word("event_type")) {
        made.topics.event_types.push((word.value.to_string(), word.at.span()));
    }
    fields.descriptive(&["description", "version", "event_type", "internal", "message_category"]);
    fields.not_enforced(&[
        "consumer_group",
        "direct_handler",
        "event_model",
        "handler",
        "kafka_config",
        "partitions",
        "provisioning_priority",
        "required",
        "retention_ms",
        "topic_config",
    ]);
    if topic.is_none() && fields.get("event_type").is_none() {
        fields.missing("topic");
    }
    fields.close();
    if let Some(topic) = topic {
        let said = Said { payload: payload.cloned(), operation, description };
        list(reading, topic, way, made, said);
    }
}

/// The schema of a topic's payload; a class of another system is none.
fn payload<'a>(fields: &mut Fields<'a, '_, '_, '_>, known: &BTreeSet<Text>) -> Option<&'a Node> {
    let mut found = None;
    for (key, keys) in [
        ("payload_schema", ["payload_schema"]),
        ("payload", ["payload"]),
        ("schema", ["schema"]),
        ("payload_model", ["payload_model"]),
    ] {
        match fields.get(key).map(|node| (node, &node.tree)) {
            Some((node, Tree::Map(_))) if found.is_none() => found = Some(node),
            Some((node, Tree::String(name))) if found.is_none() && known.contains(name) => {
                found = Some(node);
            }
            _ => fields.not_enforced(&keys),
        }
    }
    found
}

/// What an entry says of its topic.
#[derive(Default)]
struct Said {
    payload: Option<Node>,
    operation: Option<Word>,
    description: Option<Node>,
}

fn list(
    reading: &mut Reading<'_, '_>,
    written: &Node,
    way: Way,
    made: &mut Translation,
    said: Said,
) {
    let Some(topic) = topic(reading, written, made.is_strict) else { return };
    let topics = &mut made.topics;
    let list = match way {
        Way::In => &mut topics.subscribe,
        Way::Out => &mut topics.publish,
    };
    let at = written.span.clone();
    match list.iter_mut().find(|listed| listed.topic == topic) {
        Some(listed) => {
            // It is said again: one of the two stands for both.
            reading.acted(&at);
            listed.payload = listed.payload.take().or(said.payload);
            listed.operation = listed.operation.take().or(said.operation);
            listed.description = listed.description.take().or(said.description);
        }
        None => list.push(Listed {
            payload: said.payload,
            operation: said.operation,
            description: said.description,
            ..Listed::new(topic, &at)
        }),
    }
}

/// The topic that a text means; what is none is reported.
pub(in crate::dialect) fn topic(
    reading: &mut Reading<'_, '_>,
    written: &Node,
    is_strict: bool,
) -> Option<String> {
    let word = reading.word(written, "a topic")?;
    let Some(topic) = name::read(word.as_str()) else {
        if let Some(variable) = environment::unresolved(word.as_str()) {
            environment::missing(reading, written, variable, is_strict);
            return None;
        }
        let help = match topic::parse(word.as_str()) {
            Err(fault) => format!("{fault}; {}", fault.remedy(word.as_str())),
            Ok(_) => String::new(),
        };
        let message =
            format!("`{}` is outside the grammar of topics: it is left out", word.as_str());
        reading.findings.warning(code::BAD_TOPIC, word.at, message).help(help);
        return None;
    };
    if topic != word.as_str() {
        let message = format!("`{}` is read as `{topic}`", word.as_str());
        reading.findings.warning(code::BAD_TOPIC, word.at, message);
    }
    Some(topic)
}

impl Topics {
    /// Hears a topic that the node needs and does not list.
    pub(in crate::dialect) fn hear(&mut self, topic: String, at: &Range<usize>) {
        if self.subscribe.iter().all(|listed| listed.topic != topic) {
            self.subscribe.push(Listed { used: true, ..Listed::new(topic, at) });
        }
    }

    /// Lists a topic that the node publishes.
    pub(in crate::dialect) fn tell(&mut self, topic: String, at: &Range<usize>) {
        if self.publish.iter().all(|listed| listed.topic != topic) {
            self.publish.push(Listed { used: true, ..Listed::new(topic, at) });
        }
    }

    /// Leaves out what a node that runs hears and nothing in it takes.
    pub(in crate::dialect) fn settle(
        &mut self,
        reading: &mut Reading<'_, '_>,
        kind: Option<Kind>,
        runs: bool,
    ) {
        let takes_all = match kind {
            Some(Kind::Orchestrator) | None => true,
            Some(Kind::Compute) => self.publish.len() == 1,
            Some(Kind::Effect | Kind::Reducer) => false,
        };
        if !runs || takes_all {
            return;
        }
        self.subscribe.retain(|listed| {
            if !listed.used {
                let at = reading.at(&listed.at);
                let message =
                    format!("nothing in this node takes `{}`: it is left out", listed.topic);
                let found = reading.findings.warning(code::TOPIC_LEFT_OUT, at, message);
                found.help(match kind {
                    Some(Kind::Effect) => "say `on_topic` in an operation, or take the topic out",
                    _ => "add a transition with its event as `trigger`, or take the topic out",
                });
            }
            listed.used
        });
    }

    /// Writes `event_bus`.
    pub(in crate::dialect) fn put(self, out: &mut Made) {
        let lists = [("subscribe_topics", self.subscribe), ("publish_topics", self.publish)];
        let Some(at) = lists.iter().flat_map(|(_, list)| list).next().map(|l| l.at.clone()) else {
            return;
        };
        let mut bus = Made::new(&at);
        for (key, list) in lists {
            if !list.is_empty() {
                let items = list.into_iter().map(Listed::node).collect();
                bus.put(key, node(Tree::List(items), &at));
            }
        }
        out.put("event_bus", bus.done());
    }
}

impl Listed {
    fn new(topic: String, at: &Range<usize>) -> Listed {
        Listed {
            topic,
            at: at.clone(),
            payload: None,
            operation: None,
            description: None,
            used: false,
        }
    }

    fn node(self) -> Node {
        let name = text(self.topic, &self.at);
        if self.payload.is_none() && self.description.is_none() {
            return name;
        }
        let mut entry = Made::new(&self.at);
        entry.put("topic", name);
        for (key, value) in [("payload", self.payload), ("description", self.description)] {
            if let Some(value) = value {
                entry.put(key, value);
            }
        }
        entry.done()
    }
}
