//! `event_bus`: topics in and out.

use super::fields::Fields;
use super::reading::Reading;
use super::schedule;
use crate::diagnostic::code;
use crate::graph::Kind;
use crate::model::{Contract, Data, EventBus, PublishTopic, SubscribeTopic};
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`event_bus`") else {
        return;
    };
    let kind = contract.kind.value;
    let mut bus = EventBus::default();
    for item in fields.items("subscribe_topics") {
        bus.subscribe.extend(heard(fields.reading, item, kind));
    }
    for item in fields.items("publish_topics") {
        bus.publish.extend(published(fields.reading, item));
    }
    for item in fields.items("schedules") {
        bus.schedules.extend(schedule::read(fields.reading, item));
    }
    fields.not_built(&["dlq_topics", "request_response"]);
    fields.not_enforced(&[
        "consumer_group",
        "consumer_purpose",
        "auto_offset_reset",
        "subscribe_topic_metadata",
        "publish_topic_metadata",
        "plugin_managed",
        "event_bus_type",
    ]);
    fields.descriptive(&["description"]);
    fields.close();
    contract.event_bus = bus;
}

fn heard<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
    kind: Kind,
) -> Option<SubscribeTopic<'a>> {
    if matches!(node.tree, Tree::String(_)) {
        let topic = reading.word(node, "a topic")?;
        return Some(SubscribeTopic { topic, payload: None, entity_key: None, begins: None });
    }
    let mut fields = Fields::open(reading, node, "the topic's entry")?;
    let topic = fields.required_word("topic");
    let payload = payload(&mut fields);
    let entity_key = fields.cel("entity_key");
    let begins = fields.flag("begins").map(|flag| flag.value);
    let out_of_place = match kind {
        Kind::Orchestrator => Some("entity_key").filter(|_| entity_key.is_some()),
        _ => Some("begins").filter(|_| begins.is_some()),
    };
    if let Some(key) = out_of_place {
        let at = fields.key(key).at;
        let message = format!("`{key}` is not enforced here: nothing reads it");
        fields.reading.findings.note(code::NOT_ENFORCED, at, message);
    }
    describe(&mut fields);
    fields.close();
    Some(SubscribeTopic { topic: topic?, payload, entity_key, begins })
}

fn published<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<PublishTopic<'a>> {
    if matches!(node.tree, Tree::String(_)) {
        return Some(PublishTopic { topic: reading.word(node, "a topic")?, payload: None });
    }
    let mut fields = Fields::open(reading, node, "the topic's entry")?;
    let topic = fields.required_word("topic");
    let payload = payload(&mut fields);
    fields.not_built(&["snapshot_topic"]);
    describe(&mut fields);
    fields.close();
    Some(PublishTopic { topic: topic?, payload })
}

fn describe(fields: &mut Fields<'_, '_, '_, '_>) {
    fields.descriptive(&["description"]);
    fields.not_enforced(&["provisioning_priority"]);
}

/// The schema under `payload`; `payload_schema` is accepted for it.
fn payload<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<Data<'a>> {
    let named = fields.get("payload");
    let alias = fields.get("payload_schema");
    if let (Some(_), Some(other)) = (named, alias) {
        fields
            .reading
            .error(code::BAD_VALUE, other, "`payload` and `payload_schema` mean the same")
            .help("keep `payload`");
    }
    Some(fields.reading.data(named.or(alias)?))
}
