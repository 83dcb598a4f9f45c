//! Edges: what a producer declares or makes against what its subscribers want.

use std::collections::BTreeMap;

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{At, SubscribeTopic};
use crate::schema::Schema;
use crate::schema::fit::{Gap, gaps};
use crate::system::System;

/// Two producers that declare different payloads for one topic.
pub(super) fn producers_disagree(system: &System<'_>, findings: &mut Findings<'_>) {
    let mut topics: BTreeMap<&str, Vec<(&Schema, At)>> = BTreeMap::new();
    for entry in system.contracts.iter().flat_map(|contract| &contract.event_bus.publish) {
        if let Some(data) = &entry.payload
            && let Some(schema) = system.schema(data)
        {
            topics.entry(entry.topic.as_str()).or_default().push((schema, data.at));
        }
    }
    for (topic, declared) in topics {
        let Some(((first, place), others)) = declared.split_first() else {
            continue;
        };
        for (_, at) in others.iter().filter(|(other, _)| other.document() != first.document()) {
            findings
                .error(
                    code::PRODUCERS_DISAGREE,
                    *at,
                    format!("another producer declares `{topic}` differently"),
                )
                .help("let both name one definition: `{from: node, name: X}`")
                .related(*place, "the other one");
        }
    }
}

/// A payload that its producer declares and its subscriber cannot take.
pub(super) fn misfit(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        for entry in &contract.event_bus.subscribe {
            let Some(wanted) = system.wanted(contract, entry) else {
                continue;
            };
            let at = entry.payload.as_ref().map_or(entry.topic.at, |data| data.at);
            let Some(made) = system.producer_schema(entry.topic.as_str()) else {
                continue;
            };
            for gap in gaps(made, wanted) {
                report(&gap, entry, at, findings);
            }
        }
    }
}

fn report(gap: &Gap, entry: &SubscribeTopic<'_>, at: At, findings: &mut Findings<'_>) {
    let topic = entry.topic.as_str();
    let field = match gap.path.as_str() {
        "" => String::new(),
        path => format!("`{path}`: "),
    };
    let fits = if gap.certain { "does not fit" } else { "may not fit" };
    let message = format!("what `{topic}` carries {fits}: {field}{}", gap.message);
    match gap.certain {
        true => findings
            .error(code::EDGE_MISFIT, at, message)
            .help("let both sides name one definition: `{from: node, name: X}`"),
        false => findings.warning(code::EDGE_MAY_MISFIT, at, message).help(
            match gap.message.contains("missing") {
                true => "make it required where it is made, or optional here",
                false => "say it where it is made as narrowly as here, or here as widely as there",
            },
        ),
    };
}
