//! What begins a run, and what uses a compute.

use std::collections::BTreeSet;

use super::meant;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Kind;
use crate::model::Work;
use crate::system::System;

/// An orchestrator whose runs no message, intent or step begins.
pub(super) fn only_by_api(system: &System<'_>, findings: &mut Findings<'_>) {
    let by_step: Vec<&str> = system
        .workflows()
        .flat_map(|(_, workflow)| &workflow.nodes)
        .filter_map(|step| match &step.work {
            Some(Work::Run(name)) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    for (contract, workflow) in system.workflows() {
        let routed = workflow.begun_by(contract).next().is_some()
            || !contract.subscribed_intents.is_empty()
            || by_step.contains(&contract.name.as_str());
        if !routed {
            let name = contract.name.as_str();
            let message =
                format!("no message or intent begins runs of `{name}`: only the API does");
            findings.note(code::ONLY_BY_API, contract.name.at, message).help(
                "if messages should begin them, add the topic to `event_bus.subscribe_topics`",
            );
        }
    }
}

/// An intent that begins runs and that nobody emits.
pub(super) fn never_begun(system: &System<'_>, findings: &mut Findings<'_>) {
    let emitted = || {
        let intents = system.intents.iter().filter(|(_, uses)| !uses.emitters.is_empty());
        intents.map(|(intent, _)| intent.as_str())
    };
    for contract in &system.contracts {
        for intent in &contract.subscribed_intents {
            let uses = system.intents.get(&intent.value);
            if uses.is_none_or(|uses| uses.emitters.is_empty()) {
                let message = format!("nobody emits the intent `{}`", intent.as_str());
                let help = meant(intent.as_str(), emitted(), || {
                    "emit it in a reducer (`intent_emission`), or leave it out".to_owned()
                });
                findings.warning(code::NEVER_BEGUN, intent.at, message).help(help);
            }
        }
    }
}

/// A compute that no step calls and no message reaches.
pub(super) fn unused_compute(system: &System<'_>, findings: &mut Findings<'_>) {
    let called: BTreeSet<&str> = system
        .workflows()
        .flat_map(|(_, workflow)| &workflow.nodes)
        .filter_map(|step| match &step.work {
            Some(Work::Compute(name)) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let computes = system.contracts.iter().filter(|contract| contract.kind.value == Kind::Compute);
    for contract in computes.filter(|contract| contract.event_bus.subscribe.is_empty()) {
        let name = contract.name.as_str();
        // Without a workflow the contracts may be a library for others.
        if system.workflows().next().is_some() && !called.contains(name) {
            findings
                .warning(
                    code::UNUSED_COMPUTE,
                    contract.name.at,
                    format!("nothing uses the compute `{name}`"),
                )
                .help("call it in a step (`compute_node`), or subscribe it to a topic");
        }
    }
}
