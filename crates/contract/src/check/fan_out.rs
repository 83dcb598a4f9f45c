//! One message that becomes any number of others.

use onex_expr::{Template, Text, Type, Value};

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{ActionWork, Body};
use crate::link::Linked;
use crate::model::{Contract, Data, StateMachine};
use crate::schema::{Schema, parts_at};
use crate::system::System;

/// The most items at a time that need no bound of their list.
const PARALLEL_MAX: u32 = 64;

/// A `for_each` of a state machine over a payload's list without `maxItems`: everything it sends is
/// part of one commit.
pub(super) fn unbounded_actions(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(machine), Body::Reducer(reducer)) = (&contract.state_machine, &node.body) else {
            continue;
        };
        let transitions = reducer.transitions.iter().flat_map(|transition| &transition.actions);
        let states = reducer
            .states
            .iter()
            .flat_map(|state| state.entry_actions.iter().chain(&state.exit_actions));
        for (action, declared) in transitions.chain(states).zip(declared(machine)) {
            let sends = !matches!(action.work, ActionWork::StateUpdate(_));
            let (Some(list), Some(data), true) = (&action.for_each, declared, sends) else {
                continue;
            };
            let schemas = contract.event_bus.subscribe.iter().filter_map(|entry| {
                let own = system.schema_of(entry.payload.as_ref());
                own.or_else(|| system.producer_schema(entry.topic.as_str()))
            });
            report(list, "payload", schemas, data, findings);
        }
    }
}

/// Each action's `for_each`, in the order in which they are linked.
fn declared<'m, 'a>(machine: &'m StateMachine<'a>) -> impl Iterator<Item = Option<Data<'a>>> + 'm {
    machine.actions().map(|action| action.for_each)
}

/// A step that does very many items of an unbounded list at a time.
pub(super) fn unbounded_steps(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for (contract, node) in system.contracts.iter().zip(&linked.nodes) {
        let (Some(workflow), Body::Orchestrator(run)) = (&contract.workflow, &node.body) else {
            continue;
        };
        for (declared, step) in workflow.nodes.iter().zip(&run.steps) {
            if step.max_parallel <= PARALLEL_MAX {
                continue;
            }
            if let (Some(list), Some(data)) = (&step.for_each, declared.for_each) {
                report(list, "input", inputs(system, contract), data, findings);
            }
        }
    }
}

fn inputs<'s>(
    system: &'s System<'_>,
    contract: &'s Contract<'_>,
) -> impl Iterator<Item = &'s Schema> {
    let model = system.schema_of(contract.input_model.as_ref());
    let heard = contract.event_bus.subscribe.iter().filter_map(move |entry| {
        let own = system.schema_of(entry.payload.as_ref());
        own.or_else(|| system.producer_schema(entry.topic.as_str())).filter(|_| model.is_none())
    });
    model.into_iter().chain(heard)
}

fn report<'s>(
    list: &Template,
    root: &str,
    schemas: impl Iterator<Item = &'s Schema>,
    data: Data<'_>,
    findings: &mut Findings<'_>,
) {
    let Template::Expr(program) = list else {
        return;
    };
    let Some(path) = path(program.source(), root) else {
        return;
    };
    if !matches!(program.output_type(), Type::List(_)) {
        return;
    }
    let unbounded = schemas.into_iter().any(|schema| {
        let parts = parts_at(schema.document(), path.iter().map(Text::as_str));
        !parts.is_empty() && parts.iter().all(|part| bound(part).is_none())
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

/// The fields of an expression that is nothing but a path below a root.
fn path(source: &str, root: &str) -> Option<Vec<Text>> {
    let rest = source.trim().strip_prefix(root)?.strip_prefix('.')?;
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    rest.split('.').map(|part| is_name(part).then(|| Text::from(part))).collect()
}
