//! Conditions that can never hold.

use onex_expr::{Known, SIZE, Template, Text, Value, never_all_hold};

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{self, Body};
use crate::link::Linked;
use crate::model::{At, Contract, From, StateMachine, Transition, TriggerRef};
use crate::schema::{Schema, parts_at};
use crate::system::{System, event_segment};
use crate::yaml::Tree;

/// A transition whose guards exclude each other or what the payload's schema allows.
pub(super) fn never_holds(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(machine), Body::Reducer(reducer)) = (&contract.state_machine, &node.body) else {
            continue;
        };
        for (declared, transition) in machine.transitions.iter().zip(&reducer.transitions) {
            let payload = payload(system, contract, declared);
            let from = starts(machine, declared);
            if let Some((at, several)) = contradiction(declared, transition, &from, payload) {
                let message = match several {
                    true => "these conditions can never hold together",
                    false => "this condition can never hold",
                };
                findings.warning(code::NEVER_HOLDS, at, message).help(
                    "the transition would never be taken: correct the condition, or leave it out",
                );
            }
        }
    }
}

/// A step whose condition can never hold.
pub(super) fn never_runs(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(workflow), Body::Orchestrator(run)) = (&contract.workflow, &node.body) else {
            continue;
        };
        let input = system.schema_of(contract.input_model.as_ref());
        for (declared, step) in workflow.nodes.iter().zip(&run.steps) {
            let Some(text) = step.condition.as_ref().and_then(text) else {
                continue;
            };
            let known = |path: &[Text]| known(input, "input", path);
            if never_all_hold(&[text], &known) {
                let said = declared.condition.or(declared.skip_condition);
                // In an old dialect that is a step which is switched off: its translation told.
                let is_false = said.is_some_and(|said| matches!(said.node.tree, Tree::Bool(false)));
                if is_false && findings.is_translated(declared.id.at.file) {
                    continue;
                }
                let at = said.map_or(declared.id.at, |data| data.at);
                findings.warning(code::NEVER_HOLDS, at, "this condition can never hold").help(
                    "the step would always be skipped: correct the condition, or leave it out",
                );
            }
        }
    }
}

/// The CEL of a condition; a constant counts as its value.
fn text(condition: &Template) -> Option<&str> {
    match condition {
        Template::Expr(program) if program.constant() == Some(&Value::Bool(false)) => Some("false"),
        Template::Expr(program) => Some(program.source()),
        Template::Literal(Value::Bool(false)) => Some("false"),
        _ => None,
    }
}

/// Where a transition's guards contradict; whether it takes several to do so.
fn contradiction(
    declared: &Transition<'_>,
    linked: &graph::Transition,
    from: &[Value],
    payload: Option<&Schema>,
) -> Option<(At, bool)> {
    let when = match &declared.trigger {
        TriggerRef::Topic { when: Some(when), .. } => Some(when.at),
        _ => None,
    };
    let places = when.into_iter().chain(declared.conditions.iter().map(|c| c.expression.at));
    let texts: Vec<(At, &str)> = places
        .zip(&linked.guards)
        .filter_map(|(at, guard)| Some((at, text(&guard.condition)?)))
        .collect();
    let known = |path: &[Text]| match path {
        [root, field] if root == "entity" && field == "state" => {
            Known { values: Some(from.to_vec()), ..Known::default() }
        }
        _ => known(payload, "payload", path),
    };
    if let Some((at, _)) = texts.iter().find(|(_, text)| never_all_hold(&[text], &known)) {
        return Some((*at, false));
    }
    let [_, .., (last, _)] = texts[..] else {
        return None;
    };
    let all: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
    never_all_hold(&all, &known).then_some((last, true))
}

/// The states that an entity may be in when a transition is tried.
fn starts(machine: &StateMachine<'_>, transition: &Transition<'_>) -> Vec<Value> {
    let all = machine.states.iter().map(|state| &state.name);
    match &transition.from {
        From::Any(_) => all.map(|name| Value::String(name.value.clone())).collect(),
        From::States(names) => names.iter().map(|name| Value::String(name.value.clone())).collect(),
    }
}

/// The schema of what a trigger brings, when it is one topic.
fn payload<'s>(
    system: &'s System<'_>,
    contract: &'s Contract<'_>,
    transition: &Transition<'_>,
) -> Option<&'s Schema> {
    let mut heard = contract.event_bus.subscribe.iter().filter(|entry| match &transition.trigger {
        TriggerRef::Topic { topic, .. } => topic.value == entry.topic.value,
        TriggerRef::Name(name) => event_segment(entry.topic.as_str()) == Some(name.as_str()),
    });
    let (entry, None) = (heard.next()?, heard.next()) else {
        return None;
    };
    let own = system.schema_of(entry.payload.as_ref());
    own.or_else(|| system.producer_schema(entry.topic.as_str()))
}

/// What a schema says of the value at a path that begins with this root.
fn known(schema: Option<&Schema>, root: &str, path: &[Text]) -> Known {
    let Some(schema) = schema.filter(|_| path.first().is_some_and(|first| first == root)) else {
        return Known::default();
    };
    let mut known = Known::default();
    if let Some((_, of)) = path.split_last().filter(|(last, _)| **last == SIZE) {
        return size(schema, &of[1..]);
    }
    for part in parts_at(schema.document(), path[1..].iter().map(Text::as_str)) {
        let listed = part.get("enum").and_then(Value::as_list).map(<[Value]>::to_vec);
        let constant = part.get("const").map(|value| vec![value.clone()]);
        known.values = known.values.or(constant).or(listed);
        let number = |keyword: &str| part.get(keyword).and_then(Value::as_double);
        known.least = known.least.or(number("minimum"));
        known.most = known.most.or(number("maximum"));
    }
    known
}

/// What a schema says of how many items or characters the value at a path has.
fn size(schema: &Schema, path: &[Text]) -> Known {
    let mut known = Known::default();
    for part in parts_at(schema.document(), path.iter().map(Text::as_str)) {
        let is = |kind: &str| part.get("type").and_then(Value::as_str) == Some(kind);
        let (least, most) = match (is("array"), is("string")) {
            (true, _) => ("minItems", "maxItems"),
            (_, true) => ("minLength", "maxLength"),
            _ => continue,
        };
        let number = |keyword: &str| part.get(keyword).and_then(Value::as_double);
        known.least = known.least.or(number(least));
        known.most = known.most.or(number(most));
    }
    known
}
