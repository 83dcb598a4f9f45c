//! One message that becomes any number of others.

use onex_expr::{Template, Text, Value};

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{Action, ActionWork, Body};
use crate::link::Linked;
use crate::model::{self, Contract, Data, SubscribeTopic, Transition, TriggerRef};
use crate::schema::{Schema, parts_at};
use crate::system::{System, event_segment};

/// A `for_each` of a state machine over a payload's list without `maxItems`: everything it sends is
/// part of one commit.
pub(super) fn unbounded_actions(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(machine), Body::Reducer(reducer)) = (&contract.state_machine, &node.body) else {
            continue;
        };
        for (declared, transition) in machine.transitions.iter().zip(&reducer.transitions) {
            let heard = heard(system, contract, std::iter::once(declared));
            judge(&declared.actions, &transition.actions, &heard, findings);
        }
        for (at, (declared, state)) in machine.states.iter().zip(&reducer.states).enumerate() {
            let entered = heard(system, contract, machine.entering(at));
            judge(&declared.entry_actions, &state.entry_actions, &entered, findings);
            let left = machine.leaving(at).filter(|transition| transition.to.is_some());
            let left = heard(system, contract, left);
            judge(&declared.exit_actions, &state.exit_actions, &left, findings);
        }
    }
}

/// What is known of the payload of each topic that these transitions hear.
fn heard<'s, 't>(
    system: &'s System<'_>,
    contract: &'s Contract<'_>,
    transitions: impl Iterator<Item = &'t Transition<'t>>,
) -> Vec<Option<&'s Schema>> {
    let triggers: Vec<&TriggerRef<'_>> = transitions.map(|t| &t.trigger).collect();
    let hears = |topic: &str| {
        triggers.iter().any(|trigger| match trigger {
            TriggerRef::Topic { topic: named, .. } => named.as_str() == topic,
            TriggerRef::Name(name) => event_segment(topic) == Some(name.as_str()),
        })
    };
    let entries = contract.event_bus.subscribe.iter().filter(|e| hears(e.topic.as_str()));
    entries.map(|entry| schema(system, entry)).collect()
}

fn schema<'s>(system: &'s System<'_>, entry: &'s SubscribeTopic<'_>) -> Option<&'s Schema> {
    let own = system.schema_of(entry.payload.as_ref());
    own.or_else(|| system.producer_schema(entry.topic.as_str()))
}

fn judge(
    declared: &[model::Action<'_>],
    linked: &[Action],
    heard: &[Option<&Schema>],
    findings: &mut Findings<'_>,
) {
    for (declared, action) in declared.iter().zip(linked) {
        let sends = !matches!(action.work, ActionWork::StateUpdate(_));
        if let (Some(list), Some(data), true) = (&action.for_each, declared.for_each, sends) {
            report(list, "payload", heard, data, findings);
        }
    }
}

/// A step that does several items of an unbounded list at a time, or publishes a message for each
/// in a run that a message begins; otherwise, one after the other, they only take their time, which
/// the run bounds.
pub(super) fn unbounded_steps(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(workflow), Body::Orchestrator(run)) = (&contract.workflow, &node.body) else {
            continue;
        };
        for (declared, step) in workflow.nodes.iter().zip(&run.steps) {
            let multiplies = matches!(declared.work, Some(model::Work::Publish { .. }))
                && !contract.event_bus.subscribe.is_empty();
            if step.max_parallel <= 1 && !multiplies {
                continue;
            }
            if let (Some(list), Some(data)) = (&step.for_each, declared.for_each) {
                report(list, "input", &inputs(system, contract), data, findings);
            }
        }
    }
}

/// What is known of the input of runs: by the model, else by each topic that begins them.
fn inputs<'s>(system: &'s System<'_>, contract: &'s Contract<'_>) -> Vec<Option<&'s Schema>> {
    match system.schema_of(contract.input_model.as_ref()) {
        Some(model) => vec![Some(model)],
        None => contract.event_bus.subscribe.iter().map(|entry| schema(system, entry)).collect(),
    }
}

/// Reports a list of which nothing tells how long it may be, in one of the messages heard.
fn report(
    list: &Template,
    root: &str,
    heard: &[Option<&Schema>],
    data: Data<'_>,
    findings: &mut Findings<'_>,
) {
    let Template::Expr(program) = list else {
        return;
    };
    let Some(path) = path(program.source(), root) else {
        return;
    };
    let unbounded = heard.iter().any(|schema| {
        let fields = path.iter().map(Text::as_str);
        let parts = schema.map(|schema| parts_at(schema.document(), fields));
        parts.is_none_or(|parts| parts.iter().all(|part| bound(part).is_none()))
    });
    if unbounded {
        let message = format!("nothing bounds how many items `{}` has", program.source());
        findings
            .warning(code::UNBOUNDED, data.at, message)
            .help("give the list `maxItems` in its schema");
    }
}

fn bound(part: &Value) -> Option<i64> {
    part.get("maxItems").and_then(Value::as_int)
}

/// What makes a list of another one that is no longer.
const NO_LONGER: [&str; 6] = ["map", "filter", "distinct", "sort", "sortBy", "reverse"];

/// The fields of a list below a root, also of one that is mapped or filtered.
fn path(source: &str, root: &str) -> Option<Vec<Text>> {
    let rest = source.trim().strip_prefix(root)?.strip_prefix('.')?;
    let fields = match rest.split_once('(') {
        Some((called, _)) => {
            let (fields, function) = called.rsplit_once('.')?;
            NO_LONGER.contains(&function).then_some(fields)?
        }
        None => rest,
    };
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    fields.split('.').map(|part| is_name(part).then(|| Text::from(part))).collect()
}
