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
        let heard: Vec<Vec<&str>> =
            machine.transitions.iter().map(|transition| topics(contract, transition)).collect();
        for (transition, fate) in machine.transitions.iter().zip(fates(machine, &heard)) {
            let Fate::After(Some(other)) = fate else { continue };
            let other = &machine.transitions[other];
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

/// What becomes of a transition, as far as is known.
#[derive(Clone, Copy)]
enum Fate {
    /// Always after another one, when there is any.
    After(Option<usize>),
    /// There is a state in which it is tried.
    Tried,
}

/// The fate of each transition, given the topics that each hears.
fn fates(machine: &StateMachine<'_>, heard: &[Vec<&str>]) -> Vec<Fate> {
    let mut fates = vec![Fate::After(None); heard.len()];
    let reached = reached(machine);
    for (at, state) in machine.states.iter().enumerate().filter(|(at, _)| reached[*at]) {
        let rivals: Vec<usize> = machine.leaving_at(at).map(|(index, _)| index).collect();
        for &index in &rivals {
            let leaves = state.terminal && machine.transitions[index].to.is_some();
            for topic in heard[index].iter().filter(|_| !leaves) {
                let Fate::After(before) = fates[index] else { break };
                fates[index] = match preempting(machine, heard, index, &rivals, topic) {
                    Some(other) => Fate::After(before.or(Some(other))),
                    None => Fate::Tried,
                };
            }
        }
    }
    fates
}

/// The transition that comes before another of the same state, whatever the message holds.
fn preempting(
    machine: &StateMachine<'_>,
    heard: &[Vec<&str>],
    index: usize,
    rivals: &[usize],
    topic: &str,
) -> Option<usize> {
    let wild = |t: &Transition<'_>| matches!(t.from, From::Any(_));
    let transition = &machine.transitions[index];
    rivals.iter().copied().find(|at| {
        let other = &machine.transitions[*at];
        let rival = *at != index && heard[*at].contains(&topic);
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
