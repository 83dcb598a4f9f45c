//! Outcomes that arrive when the entity has already ended, or where nothing answers them.

use std::collections::{BTreeMap, BTreeSet};

use super::reachable::reached;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::OnUnhandled;
use crate::model::{Action, ActionWork, Contract, StateMachine, Transition, TriggerRef};
use crate::system::{System, event_segment};

/// A terminal state that can be entered while an intent of the entity is pending, in which a
/// topic that tells its outcome is not answered.
pub(super) fn late_outcome(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let answers = answers(system, contract, machine);
        let pending = pending(machine, contract, &answers);
        for (at, state) in machine.states.iter().enumerate().filter(|(_, state)| state.terminal) {
            for intent in &pending[at] {
                let open = answers[intent].iter().filter(|topic| {
                    !machine.leaving(at).any(|t| t.to.is_none() && hears(contract, t, topic))
                });
                for topic in open {
                    let name = state.name.as_str();
                    let message = format!(
                        "`{name}` can be entered while `{intent}` is pending, and does not answer `{topic}`"
                    );
                    let event = event_segment(topic).unwrap_or(topic);
                    findings.warning(code::LATE_OUTCOME, state.name.at, message).help(format!(
                        "add {{from_state: {name}, trigger: {event}}} with what undoes it, or with nothing to ignore it"
                    ));
                }
            }
        }
    }
}

/// A state that waits for nothing else can be entered while an intent of the entity is pending,
/// and a topic that tells its outcome is not answered there: it would be a dead letter.
pub(super) fn unanswered(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        if machine.on_unhandled == OnUnhandled::Ignore {
            continue;
        }
        let answers = answers(system, contract, machine);
        let pending = pending(machine, contract, &answers);
        for (at, state) in machine.states.iter().enumerate().filter(|(_, state)| !state.terminal) {
            for (intent, topic) in
                pending[at].iter().flat_map(|i| answers[i].iter().map(move |t| (i, t)))
            {
                let name = state.name.as_str();
                if machine.leaving(at).any(|t| hears(contract, t, topic)) {
                    continue;
                }
                let message = format!(
                    "`{name}` can be entered while `{intent}` is pending, and no transition of it answers `{topic}`"
                );
                let event = event_segment(topic).unwrap_or(topic);
                findings.warning(code::UNANSWERED, state.name.at, message).help(format!(
                    "add {{from_state: {name}, trigger: {event}, ...}}: without one it becomes a dead letter"
                ));
            }
        }
    }
}

/// A state that waits for the outcome of an intent, without a timer, and hears only of success.
pub(super) fn failure_unheard(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let answers = answers(system, contract, machine);
        let pending = pending(machine, contract, &answers);
        for (at, state) in machine.states.iter().enumerate() {
            // Waiting for ever is meant where something else may come; an answer that never comes
            // is a dead letter, whatever the state says.
            let else_left = machine.leaving(at).any(|t| {
                let answer = |topic: &&str| hears(contract, t, topic);
                t.to.is_some() && !pending[at].iter().any(|i| answers[i].iter().any(answer))
            });
            let patient =
                state.terminal || state.timeout_ms.is_some() || (state.waits_forever && else_left);
            let leaves = |topic: &&str| {
                machine.leaving(at).any(|t| t.to.is_some() && hears(contract, t, topic))
            };
            for intent in pending[at].iter().filter(|_| !patient) {
                let waited = answers[intent].iter().any(leaves);
                if waited && !tells_failure(system, contract, intent) {
                    let message = format!(
                        "`{}` waits for `{intent}`, and no message tells that it failed",
                        state.name.as_str()
                    );
                    findings.warning(code::FAILURE_UNHEARD, state.name.at, message).help(
                        "publish an event in `on_exhausted` (of a workflow: `outcomes.failed`) and hear it here, or give the state `timeout_ms`",
                    );
                }
            }
        }
    }
}

/// Whether the machine hears a topic that tells that an intent came to nothing.
fn tells_failure(system: &System<'_>, contract: &Contract<'_>, intent: &str) -> bool {
    let heard = |topic: &str| {
        contract.event_bus.subscribe.iter().any(|entry| entry.topic.as_str() == topic)
    };
    let performers = system.intents.get(intent).map(|uses| uses.performers.as_slice());
    performers.unwrap_or_default().iter().any(|performer| {
        let node = &system.contracts[performer.node];
        let operation = performer.operation.zip(node.effect.as_ref());
        let exhausted =
            operation.and_then(|(at, effect)| effect.operations[at].on_exhausted.as_ref());
        let run = node.workflow.as_ref().filter(|_| performer.operation.is_none());
        let failed = run.and_then(|workflow| workflow.outcomes.failed.as_ref());
        exhausted.or(failed).is_some_and(|end| heard(end.topic.as_str()))
    })
}

/// The intents a machine emits, each with the subscribed topics that tell how it ended.
fn answers<'s>(
    system: &'s System<'_>,
    contract: &'s Contract<'_>,
    machine: &'s StateMachine<'_>,
) -> BTreeMap<&'s str, Vec<&'s str>> {
    let mut answers = BTreeMap::new();
    for intent in machine.actions().filter_map(intent_of) {
        let performers = system.intents.get(intent).map(|uses| uses.performers.as_slice());
        let mut topics: Vec<&str> = Vec::new();
        for performer in performers.unwrap_or_default() {
            let node = &system.contracts[performer.node];
            let operation = performer.operation.zip(node.effect.as_ref());
            let ends = operation.map(|(at, effect)| effect.operations[at].publications());
            topics.extend(ends.into_iter().flatten().map(|end| end.topic.as_str()));
            let run = node.workflow.iter().filter(|_| performer.operation.is_none());
            topics.extend(
                run.flat_map(|workflow| workflow.publications()).map(|end| end.topic.as_str()),
            );
        }
        let heard = |topic: &&str| {
            contract.event_bus.subscribe.iter().any(|entry| entry.topic.as_str() == *topic)
        };
        topics.retain(heard);
        topics.sort_unstable();
        topics.dedup();
        answers.insert(intent, topics);
    }
    answers
}

fn intent_of<'m>(action: &'m Action<'_>) -> Option<&'m str> {
    match &action.work {
        ActionWork::Intent { intent_type, .. } => Some(intent_type.as_str()),
        _ => None,
    }
}

fn hears(contract: &Contract<'_>, transition: &Transition<'_>, topic: &str) -> bool {
    match &transition.trigger {
        TriggerRef::Topic { topic: named, .. } => named.as_str() == topic,
        TriggerRef::Name(name) => {
            event_segment(topic) == Some(name.as_str())
                && contract.event_bus.subscribe.iter().any(|entry| entry.topic.as_str() == topic)
        }
    }
}

/// For each state the intents that may be pending in it.
fn pending<'m>(
    machine: &'m StateMachine<'_>,
    contract: &Contract<'_>,
    answers: &BTreeMap<&'m str, Vec<&'m str>>,
) -> Vec<BTreeSet<&'m str>> {
    let reached = reached(machine);
    let mut pending: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); machine.states.len()];
    let mut open: Vec<usize> = (0..reached.len()).filter(|at| reached[*at]).rev().collect();
    while let Some(from) = open.pop() {
        for transition in machine.leaving(from) {
            let to = match &transition.to {
                Some(_) if machine.states[from].terminal => continue,
                Some(to) => machine.find(to.as_str()),
                None => Some(from),
            };
            let Some(to) = to else { continue };
            let answered = |intent: &&&str| {
                answers[**intent].iter().any(|topic| hears(contract, transition, topic))
            };
            let mut after: BTreeSet<&str> =
                pending[from].iter().filter(|intent| !answered(intent)).copied().collect();
            after.extend(emitted(machine, transition, from, to));
            let before = pending[to].len();
            pending[to].extend(after);
            if pending[to].len() > before {
                open.push(to);
            }
        }
    }
    pending
}

fn emitted<'m>(
    machine: &'m StateMachine<'_>,
    transition: &'m Transition<'_>,
    from: usize,
    to: usize,
) -> Vec<&'m str> {
    let mut actions: Vec<&Action<'_>> = transition.actions.iter().collect();
    if transition.to.is_some() {
        actions.extend(&machine.states[from].exit_actions);
        actions.extend(&machine.states[to].entry_actions);
    }
    actions.into_iter().filter_map(intent_of).collect()
}
