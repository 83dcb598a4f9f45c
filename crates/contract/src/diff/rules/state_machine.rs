//! State machines: entities move to the new one at activation, wherever they stand.

use super::super::rule::{Case, Judge, Judged, Rule, compatible, parts, rule, whole};
use super::super::verdict::Verdict::{Breaking, Compatible, NeedsDrain, NeedsMigration};
use super::super::verdict::{Touches, What};
use crate::graph::OnUnhandled;
use crate::model::{StateMachine, TIMEOUT, TriggerRef};
use crate::system::event_segment;
use crate::yaml::Node;

pub(super) const RULES: &[Rule] = &[
    rule(
        "state_machine",
        Judge::Each(
            (Compatible, "there were no entities before"),
            (NeedsMigration, "its entities have no machine any more"),
            (Compatible, "entities take it over at activation"),
        ),
    ),
    rule("state_machine.*", compatible("entities take it over at activation")),
    rule(
        "state_machine.initial_state",
        compatible("entities that exist keep their state; new ones begin in the other"),
    ),
    whole("state_machine.initial_data", Judge::Elsewhere),
    rule("state_machine.entity_key", Judge::By(entity_key)),
    rule("state_machine.on_unhandled", Judge::By(on_unhandled)),
    parts("state_machine.states", compatible("entities take it over at activation")),
    rule("state_machine.states[]", Judge::By(state)),
    rule("state_machine.states[].is_terminal", Judge::By(terminal)),
    rule(
        "state_machine.states[].timeout_ms",
        Judge::Each(
            (Compatible, "entities that are in the state have no timer until they enter it again"),
            (Compatible, "timers that are armed fire as before; no more are armed"),
            (Compatible, "timers that are armed keep their time"),
        ),
    ),
    whole("state_machine.states[].entry_actions", compatible("they act from the activation on")),
    whole("state_machine.states[].exit_actions", compatible("they act from the activation on")),
    parts("state_machine.transitions", compatible("entities take it over at activation")),
    rule("state_machine.transitions[]", Judge::By(transition)),
    rule("state_machine.transitions[].transition_name", compatible("counters take its new name")),
    rule(
        "state_machine.transitions[].to_state",
        compatible("it leads elsewhere from the activation on"),
    ),
    whole(
        "state_machine.transitions[].conditions",
        compatible("a guard judges messages from the activation on; what it refuses is counted"),
    ),
    rule(
        "state_machine.transitions[].trigger",
        compatible("a guard judges messages from the activation on; what it refuses is counted"),
    ),
    whole("state_machine.transitions[].actions", compatible("they act from the activation on")),
];

fn entity_key(case: &Case<'_, '_>) -> Judged {
    let reason = "messages find other entities than before: those that exist are no longer reached";
    Judged::new(NeedsMigration, reason).touching(entities(case, None))
}

fn on_unhandled(case: &Case<'_, '_>) -> Judged {
    let ignores = case
        .new
        .state_machine
        .as_ref()
        .is_some_and(|machine| matches!(machine.on_unhandled, OnUnhandled::Ignore));
    match ignores {
        true => Judged::new(Compatible, "what no transition mentions is ignored and counted"),
        false => Judged::new(Breaking, "what senders send and it ignored becomes a dead letter"),
    }
}

fn state(case: &Case<'_, '_>) -> Judged {
    match case.what {
        What::Added => Judged::new(Compatible, "no entity is in it yet"),
        What::Changed => Judged::new(Compatible, "entities in it take it over at activation"),
        What::Removed => {
            let reason = "entities in it would have no state: the host refuses the activation \
                          while there are any";
            let state = case.difference.item("states");
            Judged::new(NeedsMigration, reason).touching(entities(case, state))
        }
    }
}

fn terminal(case: &Case<'_, '_>) -> Judged {
    let state = case.difference.item("states");
    match case.what {
        What::Added => {
            let reason = "entities that are in it can no longer leave, and retention may drop them";
            Judged::new(NeedsDrain, reason).touching(entities(case, state))
        }
        _ => {
            let reason = "entities that ended in it are alive again, without a timer";
            Judged::new(NeedsMigration, reason).touching(entities(case, state))
        }
    }
}

fn transition(case: &Case<'_, '_>) -> Judged {
    match (case.what, case.difference.old, &case.new.state_machine) {
        (What::Removed, Some(old), Some(machine)) => removed(case, old, machine),
        (What::Added, ..) => Judged::new(Compatible, "it acts from the activation on"),
        _ => Judged::new(Compatible, "it acts differently from the activation on"),
    }
}

/// A transition is gone: what becomes of an entity that waits for it, and of the message.
fn removed(case: &Case<'_, '_>, old: &Node, machine: &StateMachine<'_>) -> Judged {
    let from = old.get("from_state").and_then(Node::as_str).unwrap_or("*");
    let state = machine.states.iter().find(|state| state.name.as_str() == from);
    if from != "*" && state.is_none() {
        return Judged::new(Compatible, "its state is removed too");
    }
    let trigger = old.get("trigger");
    let (topic, name) = match trigger.and_then(|trigger| trigger.get("topic")) {
        Some(topic) => (topic.as_str(), topic.as_str().and_then(event_segment)),
        None => (None, trigger.and_then(Node::as_str)),
    };
    let name = name.unwrap_or_default();
    let answers = |other: &TriggerRef<'_>| match other {
        TriggerRef::Name(word) => word.as_str() == name,
        TriggerRef::Topic { topic: other, .. } => match topic {
            Some(topic) => other.as_str() == topic,
            None => event_segment(other.as_str()) == Some(name),
        },
    };
    if machine.transitions.iter().any(|t| t.starts_from(from) && answers(&t.trigger)) {
        return Judged::new(Compatible, "another transition answers its trigger in that state");
    }
    let touches = entities(case, (from != "*").then_some(from));
    if name == TIMEOUT {
        let reason = "an armed timer would have no transition: the host refuses the activation \
                      while an entity waits for it";
        return Judged::new(NeedsDrain, reason).touching(touches);
    }
    let heard = &case.new.event_bus.subscribe;
    let is_heard = heard.iter().any(|entry| match topic {
        Some(topic) => entry.topic.as_str() == topic,
        None => event_segment(entry.topic.as_str()) == Some(name),
    });
    if !is_heard {
        let reason = "entities that wait for the message do not hear it any more";
        return Judged::new(NeedsDrain, reason).touching(touches);
    }
    match (state, machine.on_unhandled) {
        (Some(state), _) if state.terminal => {
            Judged::new(Compatible, "in a terminal state the message is ignored and counted")
        }
        (_, OnUnhandled::Ignore) => {
            let reason = "the message is ignored: entities that wait for it stay where they are";
            Judged::new(NeedsDrain, reason).touching(touches)
        }
        (_, OnUnhandled::DeadLetter) => {
            let reason = "the message, which senders send, becomes a dead letter `unhandled`";
            Judged::new(Breaking, reason).touching(touches)
        }
    }
}

fn entities(case: &Case<'_, '_>, state: Option<&str>) -> Touches {
    Touches::Entities { node: case.old.name.as_str().to_owned(), state: state.map(str::to_owned) }
}
