//! State machines: names, triggers, competing transitions, timers.

use std::collections::BTreeMap;

use super::meant;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::link::transition_name;
use crate::model::{At, Data, From, StateMachine, TIMEOUT, Transition, TriggerRef, Word};
use crate::system::{System, event_segment};
use crate::yaml::Tree;

/// A state that is named and not declared.
pub(super) fn unknown_state(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        let from = machine.transitions.iter().flat_map(|transition| match &transition.from {
            From::Any(_) => [].as_slice(),
            From::States(names) => names.as_slice(),
        });
        let to = machine.transitions.iter().filter_map(|transition| transition.to.as_ref());
        for name in machine.initial_state.iter().chain(from).chain(to) {
            if machine.find(name.as_str()).is_some() {
                continue;
            }
            let states = machine.states.iter().map(|state| state.name.as_str());
            let message = format!("unknown state `{}`", name.as_str());
            findings.error(code::UNKNOWN_STATE, name.at, message).help_with(|| {
                match name.as_str() {
                    "*" => "leave `to_state` out: the entity stays where it is".to_owned(),
                    word => meant(word, states, || "declare it under `states`".to_owned()),
                }
            });
        }
    }
}

/// Two states, or two transitions, with one name.
pub(super) fn duplicate_name(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        let states = machine.states.iter().map(|state| &state.name);
        twice(states, "state", findings);
        let transitions = machine.transitions.iter().filter_map(|t| t.name.as_ref());
        twice(transitions, "transition", findings);
    }
}

/// Reports every name that has come before.
pub(super) fn twice<'w>(
    names: impl Iterator<Item = &'w Word>,
    what: &str,
    findings: &mut Findings<'_>,
) {
    let mut seen: BTreeMap<&str, At> = BTreeMap::new();
    for name in names {
        let first = *seen.entry(name.as_str()).or_insert(name.at);
        if first != name.at {
            let message = format!("another {what} is called `{}` too", name.as_str());
            findings
                .error(code::DUPLICATE_NAME, name.at, message)
                .help("rename one of the two")
                .related(first, "the other one");
        }
    }
}

/// A trigger that no subscribed topic has.
pub(super) fn unknown_trigger(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let topics = || contract.event_bus.subscribe.iter().map(|entry| entry.topic.as_str());
        let by_step = system.step_triggers(contract.name.as_str());
        for transition in &machine.transitions {
            let (name, help) = match &transition.trigger {
                TriggerRef::Name(name) => {
                    let known = name.as_str() == TIMEOUT
                        || by_step.iter().any(|trigger| trigger.value == name.value)
                        || topics().any(|topic| event_segment(topic) == Some(name.as_str()))
                        // Of a topic that is none it was said what to write.
                        || topics().any(|topic| is_in_none(topic, name.as_str()));
                    if known {
                        continue;
                    }
                    let events = topics().filter_map(event_segment).chain([TIMEOUT]);
                    let text = name.as_str();
                    let otherwise = || match event_segment(text) {
                        Some(event) => format!("write `{event}`, or `{{topic: {text}}}`"),
                        None => format!("subscribe to a topic whose event is `{text}`"),
                    };
                    (name, meant(text, events, otherwise))
                }
                TriggerRef::Topic { topic, .. } => {
                    if topics().any(|known| known == topic.as_str()) {
                        continue;
                    }
                    let otherwise = || "list it in `event_bus.subscribe_topics`".to_owned();
                    (topic, meant(topic.as_str(), topics(), otherwise))
                }
            };
            let message = format!("no subscribed topic has the trigger `{}`", name.as_str());
            findings.error(code::NO_SUCH_TRIGGER, name.at, message).help(help);
        }
    }
}

/// Whether a topic outside the grammar has the word as its last that is no version.
fn is_in_none(topic: &str, word: &str) -> bool {
    crate::topic::parse(topic).is_err() && topic.split('.').any(|part| part == word)
}

/// The topics that a trigger means; the timer is a topic of its own.
fn topics_of<'c>(trigger: &'c TriggerRef<'_>, topics: &[&'c str]) -> Vec<&'c str> {
    match trigger {
        TriggerRef::Name(name) if name.as_str() == TIMEOUT => vec![TIMEOUT],
        TriggerRef::Name(name) => {
            let meant = |topic: &&str| event_segment(topic) == Some(name.as_str());
            let named: Vec<&str> = topics.iter().copied().filter(meant).collect();
            // What only steps of runs trigger has no topic: its name stands for it.
            if named.is_empty() { vec![name.as_str()] } else { named }
        }
        TriggerRef::Topic { topic, .. } => vec![topic.as_str()],
    }
}

/// The states that a transition starts from; a wildcard is one of its own, since exact ones
/// pre-empt it.
fn states_of<'c>(transition: &'c Transition<'_>) -> Vec<&'c str> {
    match &transition.from {
        From::Any(_) => vec!["*"],
        From::States(names) => names.iter().map(Word::as_str).collect(),
    }
}

/// Two transitions of one state and trigger with the same priority, of which both could be meant.
pub(super) fn ambiguous(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let topics: Vec<&str> =
            contract.event_bus.subscribe.iter().map(|entry| entry.topic.as_str()).collect();
        let mut seen: BTreeMap<(&str, &str, i64), (usize, At)> = BTreeMap::new();
        for (index, transition) in machine.transitions.iter().enumerate() {
            for state in states_of(transition) {
                for topic in topics_of(&transition.trigger, &topics) {
                    let key = (state, topic, transition.priority);
                    let at = transition.trigger.at();
                    let (first, other) = *seen.entry(key).or_insert((index, at));
                    if first == index {
                        continue;
                    }
                    let name = transition_name(&machine.transitions[first]);
                    let message = format!(
                        "in state `{state}` this competes with `{name}` at priority {}",
                        transition.priority
                    );
                    findings
                        .error(code::AMBIGUOUS_TRANSITION, at, message)
                        .help("give one of them a higher `priority`: it is tried first")
                        .related(other, "the other one");
                }
            }
        }
    }
}

/// A transition that would leave a terminal state.
pub(super) fn leaves_terminal(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        for transition in machine.transitions.iter().filter(|t| t.to.is_some()) {
            let From::States(names) = &transition.from else {
                continue;
            };
            for name in names {
                let terminal =
                    machine.find(name.as_str()).is_some_and(|at| machine.states[at].terminal);
                if terminal {
                    let message = format!("`{}` is terminal: nothing leaves it", name.as_str());
                    findings.error(code::LEAVES_TERMINAL, name.at, message).help(
                        "leave `to_state` out to act and stay, or make the state not terminal",
                    );
                }
            }
        }
    }
}

fn timeouts<'m, 'a>(machine: &'m StateMachine<'a>) -> impl Iterator<Item = &'m Transition<'a>> {
    machine.transitions.iter().filter(|transition| transition.trigger.is_timeout())
}

/// A state with a timer whose expiry nothing answers.
pub(super) fn timeout_unhandled(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        for (at, state) in machine.states.iter().enumerate() {
            let Some(timeout) = state.timeout_ms.filter(is_time) else {
                continue;
            };
            if state.terminal {
                let message = format!("`{}` is terminal: no timer runs in it", state.name.as_str());
                findings
                    .error(code::TIMEOUT_UNHANDLED, timeout.at, message)
                    .help("leave `timeout_ms` out");
            } else if !machine.leaving(at).any(|t| t.trigger.is_timeout()) {
                let name = state.name.as_str();
                let message = format!("no transition of `{name}` answers its timeout");
                findings
                    .error(code::TIMEOUT_UNHANDLED, timeout.at, message)
                    .help(format!("add {{from_state: {name}, to_state: ..., trigger: timeout}}"));
            }
        }
    }
}

/// A transition for a timer that is never armed.
pub(super) fn timeout_never_fires(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        let timed = |name: &str| {
            machine.find(name).is_none_or(|at| machine.states[at].timeout_ms.is_some())
        };
        for transition in timeouts(machine) {
            match &transition.from {
                From::Any(at) if machine.states.iter().all(|s| s.timeout_ms.is_none()) => {
                    findings
                        .error(code::TIMEOUT_NEVER_FIRES, *at, "no state has a timeout")
                        .help("add `timeout_ms` to a state");
                }
                From::Any(_) => {}
                From::States(names) => {
                    for name in names.iter().filter(|name| !timed(name.as_str())) {
                        let message = format!("state `{}` has no timeout", name.as_str());
                        findings
                            .error(code::TIMEOUT_NEVER_FIRES, name.at, message)
                            .help("add `timeout_ms` to the state");
                    }
                }
            }
        }
    }
}

/// Whether what stands there may be a time: another mistake is not about the timer.
fn is_time(timeout: &Data<'_>) -> bool {
    match &timeout.node.tree {
        Tree::Int(1..) => true,
        Tree::String(text) => text.contains("${"),
        _ => false,
    }
}

/// A literal timeout that is no whole number of at least 1, or null in a state that may not wait.
pub(super) fn bad_timeout(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        for state in &machine.states {
            let Some(timeout) = state.timeout_ms.filter(|timeout| !is_time(timeout)) else {
                continue;
            };
            let message = match &timeout.node.tree {
                Tree::Null if state.waits_forever => continue,
                Tree::Null => "null is for a state that says `waits: forever`",
                _ => "`timeout_ms` is a whole number of at least 1, or an expression in `${}`",
            };
            findings.error(code::BAD_TIMEOUT, timeout.at, message);
        }
    }
}

/// A subscribed topic that no transition mentions.
pub(super) fn nothing_heard(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        for entry in &contract.event_bus.subscribe {
            let topic = [entry.topic.as_str()];
            let heard = |t: &Transition<'_>| topics_of(&t.trigger, &topic).contains(&topic[0]);
            let valid = event_segment(topic[0]).is_some();
            if valid && !machine.transitions.iter().any(heard) {
                let message = format!("no transition mentions `{}`", entry.topic.as_str());
                findings.warning(code::NOTHING_HEARD, entry.topic.at, message).help(
                    "add a transition for it, or leave the topic out: its messages would be dead letters",
                );
            }
        }
    }
}
