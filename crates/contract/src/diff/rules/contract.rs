//! What a contract says of itself, its topics and intents.

use super::super::rule::{Judge, Rule, compatible, parts, rule, whole};
use super::super::verdict::Verdict::{Breaking, Compatible, NeedsMigration};

const CLOCK: &str = "the clock publishes as the new contract says from the activation on";

pub(super) const RULES: &[Rule] = &[
    rule("", compatible("it documents: nothing acts on it")),
    rule("name", Judge::Elsewhere),
    whole("node_type", compatible("the same kind in another spelling")),
    rule("contract_version", compatible("the version documents: nothing acts on it")),
    parts("capabilities", compatible("it documents")),
    rule(
        "capabilities[]",
        Judge::Each(
            (Compatible, "it offers more"),
            (Breaking, "who asks for the capability finds nobody here"),
            (Compatible, "it is offered as before, described differently"),
        ),
    ),
    rule("config", Judge::Elsewhere),
    parts("definitions", compatible("what it changes is told where it is used")),
    whole("definitions.*", compatible("what it changes is told where it is used")),
    whole("input_model", Judge::Elsewhere),
    whole("output_model", Judge::Elsewhere),
    rule("event_bus", compatible("nothing acts on it")),
    parts("event_bus.subscribe_topics", Judge::Elsewhere),
    rule(
        "event_bus.subscribe_topics[].entity_key",
        Judge::Always(
            NeedsMigration,
            "its messages find other entities than before: those that exist are no longer reached",
        ),
    ),
    rule(
        "event_bus.subscribe_topics[].begins",
        // What it means to senders is told of the topic.
        compatible("it counts for messages from the activation on"),
    ),
    rule("event_bus.subscribe_topics[].*", compatible("it documents")),
    parts("event_bus.publish_topics", Judge::Elsewhere),
    rule("event_bus.publish_topics[].*", compatible("it documents")),
    whole("event_bus.subscribe_topics[].payload", Judge::Elsewhere),
    whole("event_bus.publish_topics[].payload", Judge::Elsewhere),
    parts("event_bus.schedules", compatible(CLOCK)),
    whole("event_bus.schedules[].*", compatible(CLOCK)),
    parts("intent_consumption", compatible("a pending intent stays with the graph that sent it")),
    parts(
        "intent_consumption.subscribed_intents",
        compatible("a pending intent stays with the graph that sent it"),
    ),
];
