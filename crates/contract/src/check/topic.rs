//! Topics: their grammar, who lists them, who hears them.

use std::collections::{BTreeMap, BTreeSet};

use super::spelling::Spellings;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{Kind, TICK};
use crate::model::{At, Word};
use crate::system::{Consumer, ConsumerKind, System, TopicUse, default_publication, published};
use crate::topic;

/// A topic outside the grammar.
pub(super) fn bad_topic(system: &System<'_>, findings: &mut Findings<'_>) {
    for (topic, uses) in &system.topics {
        let Err(fault) = topic::parse(topic) else {
            continue;
        };
        let producers = uses.producers.iter().copied();
        let consumers = uses.consumers.iter().map(|consumer| consumer.at);
        for at in producers.chain(consumers).chain(uses.schedules.iter().copied()) {
            findings
                .error(code::BAD_TOPIC, at, format!("`{topic}`: {fault}"))
                .help(fault.remedy(topic));
        }
    }
}

/// A topic that is published and not listed.
pub(super) fn unlisted(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        let listed = |topic: &Word| {
            contract.event_bus.publish.iter().any(|entry| entry.topic.value == topic.value)
        };
        for (topic, _) in published(contract).iter().filter(|(topic, _)| !listed(topic)) {
            let names = contract.event_bus.publish.iter().map(|entry| entry.topic.as_str());
            let help = super::meant(topic.as_str(), names, || {
                format!("add {} to `event_bus.publish_topics`", topic.as_str())
            });
            let message = format!("`{}` is not among the `publish_topics`", topic.as_str());
            findings.error(code::UNLISTED_TOPIC, topic.at, message).help(help);
        }
    }
}

/// A topic that one list has twice.
pub(super) fn listed_twice(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        let bus = &contract.event_bus;
        twice(bus.subscribe.iter().map(|entry| &entry.topic), findings);
        twice(bus.publish.iter().map(|entry| &entry.topic), findings);
        twice(bus.schedules.iter().map(|schedule| &schedule.topic), findings);
    }
}

fn twice<'w>(topics: impl Iterator<Item = &'w Word>, findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<&str, At> = BTreeMap::new();
    for topic in topics {
        let first = *seen.entry(topic.as_str()).or_insert(topic.at);
        if first != topic.at {
            let message = format!("`{}` is listed twice", topic.as_str());
            findings
                .error(code::TOPIC_LISTED_TWICE, topic.at, message)
                .help("keep one of the two")
                .related(first, "the other one");
        }
    }
}

/// A topic that is listed and that nothing in the node publishes.
pub(super) fn never_published(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        let acting: Vec<Word> = published(contract)
            .into_iter()
            .filter_map(|(topic, acts)| acts.then_some(topic))
            .collect();
        for entry in &contract.event_bus.publish {
            if !acting.iter().any(|topic| topic.value == entry.topic.value) {
                let message = format!("nothing here publishes `{}`", entry.topic.as_str());
                findings
                    .warning(code::NEVER_PUBLISHED, entry.topic.at, message)
                    .help("publish it, or leave it out of `publish_topics`");
            }
        }
    }
}

/// A subscription that nothing in the node takes.
pub(super) fn not_taken(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        for entry in &contract.event_bus.subscribe {
            let topic = &entry.topic;
            let (taken, help) = match contract.kind.value {
                Kind::Effect => (
                    contract.effect.iter().flat_map(|effect| &effect.operations).any(|operation| {
                        operation.on_topic.as_ref().is_some_and(|on| on.value == topic.value)
                    }),
                    "name it in `on_topic` of an operation",
                ),
                Kind::Compute => (
                    default_publication(contract).is_some(),
                    "list one topic in `publish_topics`: the result is published there",
                ),
                Kind::Reducer | Kind::Orchestrator => continue,
            };
            if !taken {
                let message = format!("nothing in this node takes `{}`", topic.as_str());
                findings.error(code::NOT_TAKEN, topic.at, message).help(help);
            }
        }
    }
}

/// Topics that come from outside or lead there, and those that probably only seem to.
pub(super) fn entries_and_exits(system: &System<'_>, findings: &mut Findings<'_>) {
    let meant = probably_meant(system);
    for (topic, uses) in &system.topics {
        if let Some(consumer) = by_clock(topic, uses) {
            let message = format!("`{topic}` is an entry: the clock publishes it");
            findings.note(code::ENTRY, consumer.at, message);
            continue;
        }
        let producer = uses.producers.first().or(uses.schedules.first());
        let (code, at, message) = match (producer, uses.consumers.first()) {
            (None, Some(consumer)) => (
                code::ENTRY,
                consumer.at,
                format!("`{topic}` is an entry: no contract publishes it"),
            ),
            (Some(producer), None) => {
                (code::EXIT, *producer, format!("`{topic}` is an exit: no contract consumes it"))
            }
            _ => continue,
        };
        match meant.get(topic.as_str()) {
            Some(other) => {
                findings
                    .warning(code::TOPIC_TYPO, at, message)
                    .help(format!("did you mean `{other}`?"));
            }
            None => {
                findings.note(code, at, message);
            }
        }
    }
}

/// For topics that only one side knows another one that is probably meant: the same in another
/// version first. Who lists two that look alike knows both, and two entries or two exits are whole.
fn probably_meant<'s>(system: &'s System<'_>) -> BTreeMap<&'s str, &'s str> {
    let open: Vec<&str> = system
        .topics
        .iter()
        .filter(|(_, uses)| uses.producers.is_empty() || uses.consumers.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    if open.is_empty() {
        return BTreeMap::new();
    }
    let files = |topic: &str| -> BTreeSet<u32> {
        system.topics.get(topic).into_iter().flat_map(TopicUse::files).collect()
    };
    let open = Spellings::of(open.into_iter());
    let mut meant: BTreeMap<&str, (bool, &str)> = BTreeMap::new();
    for other in system.topics.keys().map(|name| name.as_str()).chain([TICK]) {
        for (topic, is_version) in open.alike(other) {
            if completes(system, topic, other) && files(topic).is_disjoint(&files(other)) {
                let best = meant.entry(topic).or_insert((!is_version, other));
                *best = (*best).min((!is_version, other));
            }
        }
    }
    meant.into_iter().map(|(topic, (_, other))| (topic, other)).collect()
}

/// Whether the other topic has the side that this one lacks.
fn completes(system: &System<'_>, topic: &str, other: &str) -> bool {
    let (Some(uses), Some(others)) = (system.topics.get(topic), system.topics.get(other)) else {
        return other == TICK;
    };
    let made = |uses: &TopicUse| !uses.producers.is_empty() || !uses.schedules.is_empty();
    let lacks_producer = !made(uses) && (made(others) || other == TICK);
    let lacks_consumer = uses.consumers.is_empty() && !others.consumers.is_empty();
    lacks_producer || lacks_consumer
}

/// Who hears a topic on which nobody but the clock publishes.
fn by_clock<'u>(topic: &str, uses: &'u TopicUse) -> Option<&'u Consumer> {
    let ticks = topic == TICK || !uses.schedules.is_empty();
    uses.consumers.first().filter(|_| ticks && uses.producers.is_empty())
}

/// A command with two subscribers.
pub(super) fn command_shared(system: &System<'_>, findings: &mut Findings<'_>) {
    for (topic, uses) in system.topics.iter().filter(|(topic, _)| topic.starts_with("onex.cmd.")) {
        let mut owners: Vec<(usize, At)> = Vec::new();
        for consumer in &uses.consumers {
            let listing = consumer.kind == ConsumerKind::Subscription
                && system.contracts[consumer.node].kind.value == Kind::Effect;
            if !listing && consumer.kind != ConsumerKind::Run {
                owners.push((consumer.node, consumer.at));
            }
        }
        let Some(((_, first), others)) = owners.split_first() else {
            continue;
        };
        for (_, at) in others {
            findings
                .warning(
                    code::COMMAND_SHARED,
                    *at,
                    format!("the command `{topic}` has another subscriber"),
                )
                .help("a command has one owner: publish an event for the others")
                .related(*first, "the other one");
        }
    }
}
