//! Transitions that others always pre-empt.

use super::reachable::reached;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::link::transition_name;
use crate::model::{Contract, From, StateMachine, Transition, TriggerRef};
use crate::system::{System, event_segment};

/// A transition that is never tried: in each of its states one of higher priority has no guard, or
/// exact ones leave nothing to a wildcard.
pub(super) fn never_tried(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let reached = reached(machine);
        for transition in &machine.transitions {
            let topics = topics(contract, transition);
            let mut by: Vec<&Transition<'_>> = Vec::new();
            let mut tried = topics.is_empty();
            for (at, state) in machine.states.iter().enumerate() {
                let name = state.name.as_str();
                let applies = reached[at]
                    && transition.starts_from(name)
                    && !(state.terminal && transition.to.is_some());
                if !applies {
                    continue;
                }
                for topic in &topics {
                    match preempting(contract, machine, transition, name, topic) {
                        Some(other) => by.push(other),
                        None => tried = true,
                    }
                }
            }
            let Some(other) = by.first().filter(|_| !tried) else {
                continue;
            };
            let message = format!(
                "`{}` is never tried: `{}` always comes first",
                transition_name(transition),
                transition_name(other)
            );
            findings
                .warning(code::NEVER_TRIED, transition.trigger.at(), message)
                .help("give the other one a condition or a lower `priority`, or leave this one out")
                .related(other.trigger.at(), "the one that comes first");
        }
    }
}

/// The transition that comes before another in a state, whatever the message holds.
fn preempting<'m, 'a>(
    contract: &Contract<'_>,
    machine: &'m StateMachine<'a>,
    transition: &Transition<'_>,
    state: &str,
    topic: &str,
) -> Option<&'m Transition<'a>> {
    let wild = |t: &Transition<'_>| matches!(t.from, From::Any(_));
    machine.transitions.iter().find(|other| {
        let rival = !std::ptr::eq(*other, transition)
            && other.starts_from(state)
            && topics(contract, other).contains(&topic);
        let unguarded = other.conditions.is_empty()
            && !matches!(&other.trigger, TriggerRef::Topic { when: Some(_), .. });
        match (wild(transition), wild(other)) {
            (true, false) => rival,
            (false, true) => false,
            _ => rival && unguarded && other.priority > transition.priority,
        }
    })
}

/// The topics that a transition hears; the timer counts as one.
fn topics<'c>(contract: &'c Contract<'_>, transition: &'c Transition<'_>) -> Vec<&'c str> {
    match &transition.trigger {
        trigger if trigger.is_timeout() => vec![crate::model::TIMEOUT],
        TriggerRef::Topic { topic, .. } => vec![topic.as_str()],
        TriggerRef::Name(name) => contract
            .event_bus
            .subscribe
            .iter()
            .map(|entry| entry.topic.as_str())
            .filter(|topic| event_segment(topic) == Some(name.as_str()))
            .collect(),
    }
}
