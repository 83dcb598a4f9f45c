//! `event_bus`: topics in and out.

use super::fields::Fields;
use super::reading::Reading;
use crate::diagnostic::code;
use crate::model::{Contract, Data, EventBus, PublishTopic, SubscribeTopic, Word};
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`event_bus`") else {
        return;
    };
    let mut bus = EventBus::default();
    for item in fields.items("subscribe_topics") {
        if let Some((topic, payload, entity_key)) = topic(fields.reading, item, true) {
            bus.subscribe.push(SubscribeTopic { topic, payload, entity_key });
        }
    }
    for item in fields.items("publish_topics") {
        if let Some((topic, payload, _)) = topic(fields.reading, item, false) {
            bus.publish.push(PublishTopic { topic, payload });
        }
    }
    fields.not_built(&["schedules", "dlq_topics", "request_response"]);
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

type Topic<'a> = (Word, Option<Data<'a>>, Option<Data<'a>>);

fn topic<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, heard: bool) -> Option<Topic<'a>> {
    if matches!(node.tree, Tree::String(_)) {
        return Some((reading.word(node, "a topic")?, None, None));
    }
    let mut fields = Fields::open(reading, node, "the topic's entry")?;
    let name = fields.required_word("topic");
    let payload = payload(&mut fields);
    let key = if heard { fields.cel("entity_key") } else { None };
    if heard {
        fields.not_built(&["begins"]);
    } else {
        fields.not_built(&["snapshot_topic"]);
    }
    fields.descriptive(&["description"]);
    fields.not_enforced(&["provisioning_priority"]);
    fields.close();
    Some((name?, payload, key))
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
