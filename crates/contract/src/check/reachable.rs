//! Which states can be entered, and which of them can be left again without help from outside.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{Contract, StateMachine, Transition, TriggerRef};
use crate::system::{System, event_segment};

/// A state that no transition leads to.
pub(super) fn unreachable_state(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        let reached = reached(machine);
        for (state, _) in machine.states.iter().zip(&reached).filter(|(_, reached)| !**reached) {
            let message = format!("no transition leads to `{}`", state.name.as_str());
            findings
                .warning(code::UNREACHABLE_STATE, state.name.at, message)
                .help("lead a transition to it, or leave it out");
        }
    }
}

/// Actions of a state that nothing enters, or that nothing leaves: an entity begins in its initial
/// state without entering it.
pub(super) fn never_acts(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        let reached = reached(machine);
        for (at, state) in machine.states.iter().enumerate().filter(|(at, _)| reached[*at]) {
            let name = state.name.as_str();
            let entered = machine.entering(at).next().is_some();
            if !entered && !state.entry_actions.is_empty() {
                let message = format!("nothing enters `{name}`: its `entry_actions` never run");
                findings
                    .warning(code::NEVER_ACTS, state.name.at, message)
                    .help("move them to the transitions that leave it, or leave them out");
            }
            let left = machine.leaving(at).any(|transition| transition.to.is_some());
            if !left && !state.terminal && !state.exit_actions.is_empty() {
                let message = format!("nothing leaves `{name}`: its `exit_actions` never run");
                findings
                    .warning(code::NEVER_ACTS, state.name.at, message)
                    .help("lead a transition out of it, or leave them out");
            }
        }
    }
}

/// Which states can be entered from the initial one; all of them when that is not known.
pub(super) fn reached(machine: &StateMachine<'_>) -> Vec<bool> {
    let mut reached = vec![false; machine.states.len()];
    let initial = machine.initial_state.as_ref().and_then(|name| machine.find(name.as_str()));
    let Some(initial) = initial else {
        return vec![true; machine.states.len()];
    };
    let mut open = vec![initial];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut reached[at], true) || machine.states[at].terminal {
            continue;
        }
        let to = machine.leaving(at).filter_map(|t| t.to.as_ref());
        open.extend(to.filter_map(|to| machine.find(to.as_str())));
    }
    reached
}

/// A state that only an entry can leave, without a timer and without saying that it waits.
pub(super) fn dead_end(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, machine) in system.machines() {
        let reached = reached(machine);
        for (at, state) in machine.states.iter().enumerate() {
            let name = state.name.as_str();
            let patient = state.terminal || state.waits_forever || state.timeout_ms.is_some();
            if patient || !reached[at] || !is_inhabited(machine, at) {
                continue;
            }
            let mut leaving = machine.leaving(at).filter(|t| t.to.is_some()).peekable();
            let message = if leaving.peek().is_none() {
                format!("nothing leaves `{name}`, and it is not terminal")
            } else if leaving.all(|t| only_entries(system, contract, &t.trigger)) {
                format!("only a message from outside leaves `{name}`")
            } else {
                continue;
            };
            findings
                .warning(code::DEAD_END, state.name.at, message)
                .help("give it `timeout_ms` and a `timeout` transition, or say `waits: forever`");
        }
    }
}

/// Whether an entity can be in the state: of the initial one only when something stays in it or
/// enters it, since an entity begins with the first message applied to it.
fn is_inhabited(machine: &StateMachine<'_>, state: usize) -> bool {
    let name = machine.states[state].name.as_str();
    let initial = machine.initial_state.as_ref().is_some_and(|initial| initial.as_str() == name);
    let acts = |t: &Transition<'_>| t.to.is_none() && !t.actions.is_empty();
    !initial || machine.leaving(state).any(acts) || machine.entering(state).next().is_some()
}

/// Whether all topics of a trigger come from outside only.
fn only_entries(system: &System<'_>, contract: &Contract<'_>, trigger: &TriggerRef<'_>) -> bool {
    if trigger.is_timeout() {
        return false;
    }
    let is_entry =
        |topic: &str| system.topics.get(topic).is_some_and(|uses| uses.producers.is_empty());
    match trigger {
        TriggerRef::Topic { topic, .. } => is_entry(topic.as_str()),
        TriggerRef::Name(name) if !system.step_triggers(contract.name.as_str()).is_empty() => {
            // Steps of runs trigger this machine too.
            let by_step = system.step_triggers(contract.name.as_str());
            !by_step.iter().any(|trigger| trigger.value == name.value)
        }
        TriggerRef::Name(name) => contract
            .event_bus
            .subscribe
            .iter()
            .map(|entry| entry.topic.as_str())
            .filter(|topic| event_segment(topic) == Some(name.as_str()))
            .all(is_entry),
    }
}
