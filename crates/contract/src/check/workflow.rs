//! Execution graphs: names, order, what steps do, how runs end.

use std::collections::BTreeMap;

use super::reducer::twice;
use super::{kind_name, meant};
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Kind;
use crate::link::RUN_TIMEOUT_MS;
use crate::model::{Ancestors, At, CompensationRule, GraphNode, TriggerRef, Word, Work, Workflow};
use crate::system::System;

/// A workflow without steps.
pub(super) fn empty(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows().filter(|(_, workflow)| workflow.nodes.is_empty()) {
        findings
            .error(code::EMPTY_WORKFLOW, workflow.at, "the workflow has no steps")
            .help("add a node to `execution_graph.nodes`");
    }
}

/// Two steps with one id.
pub(super) fn duplicate_step(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        let mut names = workflow.nodes.iter().map(|node| &node.id);
        let mut seen: BTreeMap<&str, At> = BTreeMap::new();
        names.by_ref().for_each(|name| {
            let first = *seen.entry(name.as_str()).or_insert(name.at);
            if first != name.at {
                let message = format!("another step has the id `{}` too", name.as_str());
                findings
                    .error(code::DUPLICATE_STEP, name.at, message)
                    .help("give one of the two another `node_id`")
                    .related(first, "the other one");
            }
        });
        for node in &workflow.nodes {
            twice(node.depends_on.iter(), "dependency", findings);
        }
    }
}

/// A dependency that is no step.
pub(super) fn unknown_dependency(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for name in workflow.nodes.iter().flat_map(|node| &node.depends_on) {
            if workflow.find(name.as_str()).is_none() {
                let ids = workflow.nodes.iter().map(|node| node.id.as_str());
                let message = format!("no step has the id `{}`", name.as_str());
                findings.error(code::UNKNOWN_DEPENDENCY, name.at, message).help_with(|| {
                    meant(name.as_str(), ids, || "name the `node_id` of a step".to_owned())
                });
            }
        }
    }
}

/// Steps that wait for each other, each cycle once.
pub(super) fn cycle(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        let ancestors = workflow.ancestors();
        let mut told = vec![false; workflow.nodes.len()];
        for start in 0..workflow.nodes.len() {
            if !ancestors.has(start, start) || told[start] {
                continue;
            }
            for (other, told) in told.iter_mut().enumerate() {
                *told |= ancestors.has(start, other) && ancestors.has(other, start);
            }
            let path = path_back(workflow, &ancestors, start);
            let names: Vec<&str> = path.iter().map(|at| workflow.nodes[*at].id.as_str()).collect();
            let node = &workflow.nodes[start];
            let next = path.get(1).map(|at| workflow.nodes[*at].id.as_str());
            let edge = node.depends_on.iter().find(|name| Some(name.as_str()) == next);
            let at = edge.map_or(node.id.at, |name| name.at);
            let message = format!("steps wait for each other: {}", names.join(" -> "));
            findings
                .error(code::CYCLE, at, message)
                .help("take one of these out of a `depends_on`");
        }
    }
}

/// A shortest way along dependencies from a step back to itself, both ends included.
fn path_back(workflow: &Workflow<'_>, ancestors: &Ancestors, start: usize) -> Vec<usize> {
    let mut from: Vec<Option<usize>> = vec![None; workflow.nodes.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in workflow.waits_on(at) {
            if next == start {
                let mut path = vec![start, at];
                let mut back = at;
                while let Some(before) = from[back].filter(|_| back != start) {
                    path.push(before);
                    back = before;
                }
                path.reverse();
                if at == start {
                    path = vec![start, start];
                }
                return path;
            }
            if ancestors.has(next, start) && from[next].is_none() {
                from[next] = Some(at);
                queue.push_back(next);
            }
        }
    }
    vec![start]
}

/// Every node that a step or compensation names, with the kind it must be.
fn named<'w>(step: &'w GraphNode<'_>) -> impl Iterator<Item = (&'w Word, Kind)> {
    let work = match &step.work {
        Some(Work::Effect { node, .. }) => Some((node, Kind::Effect)),
        Some(Work::Compute(node)) => Some((node, Kind::Compute)),
        Some(Work::Reduce { node, .. }) => Some((node, Kind::Reducer)),
        Some(Work::Run(node)) => Some((node, Kind::Orchestrator)),
        _ => None,
    };
    let undo = match &step.compensation {
        Some(CompensationRule::Operation { node: Some(node), .. }) => Some((node, Kind::Effect)),
        _ => None,
    };
    work.into_iter().chain(undo)
}

/// A step that names no node, or one of another kind.
pub(super) fn unknown_node(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for (name, kind) in workflow.nodes.iter().flat_map(named) {
            let wanted = kind_name(kind);
            match system.find(name.as_str()) {
                Some(at) if system.contracts[at].kind.value == kind => {}
                Some(at) => {
                    let contract = &system.contracts[at];
                    let is = kind_name(contract.kind.value);
                    let message = format!("`{}` is {is}, not {wanted}", name.as_str());
                    findings
                        .error(code::WRONG_NODE, name.at, message)
                        .related(contract.kind.at, "its kind");
                }
                None if findings.may_be_unread(name.as_str()) => {}
                None => {
                    let help = meant(name.as_str(), system.names(kind), || {
                        format!("add a contract for {wanted} of this name")
                    });
                    let message = format!("no node is called `{}`", name.as_str());
                    findings.error(code::UNKNOWN_NODE, name.at, message).help(help);
                }
            }
        }
    }
}

/// An operation that the effect does not have, or that must be said and is not.
pub(super) fn unknown_operation(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for step in &workflow.nodes {
            let own = match &step.work {
                Some(Work::Effect { node, operation }) => {
                    operation_of(system, node, operation.as_ref(), node, findings);
                    Some(node)
                }
                _ => None,
            };
            if let Some(CompensationRule::Operation { node: other, operation, .. }) =
                &step.compensation
                && let Some(effect) = other.as_ref().or(own)
            {
                let place = other.as_ref().unwrap_or(&step.id);
                operation_of(system, effect, operation.as_ref(), place, findings);
            }
        }
    }
}

fn operation_of(
    system: &System<'_>,
    effect: &Word,
    operation: Option<&Word>,
    place: &Word,
    findings: &mut Findings<'_>,
) {
    let contract = system.find(effect.as_str()).map(|at| &system.contracts[at]);
    let Some(declared) = contract.and_then(|contract| contract.effect.as_ref()) else {
        return;
    };
    let names: Vec<&str> = declared.operations.iter().map(|o| o.name.as_str()).collect();
    match operation {
        Some(name) if declared.find(name.as_str()).is_none() => {
            let help = meant(name.as_str(), names.iter().copied(), || match names.as_slice() {
                [] => "it has none that can be used: correct its operations first".to_owned(),
                names => format!("it has {}", names.join(", ")),
            });
            let message = format!("`{}` has no operation `{}`", effect.as_str(), name.as_str());
            findings.error(code::UNKNOWN_OPERATION, name.at, message).help(help);
        }
        None if names.len() != 1 => {
            let message = format!("`{}` has several operations", effect.as_str());
            findings
                .error(code::OPERATION_UNSAID, place.at, message)
                .help(format!("add `operation:` with one of {}", names.join(", ")));
        }
        _ => {}
    }
}

/// A trigger that no transition of the reducer names.
pub(super) fn unknown_trigger(system: &System<'_>, findings: &mut Findings<'_>) {
    for step in system.workflows().flat_map(|(_, workflow)| &workflow.nodes) {
        let Some(Work::Reduce { node, trigger }) = &step.work else {
            continue;
        };
        let reducer = system.find(node.as_str()).map(|at| &system.contracts[at]);
        let Some(machine) = reducer.and_then(|contract| contract.state_machine.as_ref()) else {
            continue;
        };
        let names = machine.transitions.iter().filter_map(|transition| match &transition.trigger {
            TriggerRef::Name(name) if !transition.trigger.is_timeout() => Some(name.as_str()),
            _ => None,
        });
        let names: Vec<&str> = names.collect();
        if !names.contains(&trigger.as_str()) {
            let help = meant(trigger.as_str(), names, || {
                "name the trigger of a transition; the timer fires by itself".to_owned()
            });
            let message = format!(
                "no transition of `{}` has the trigger `{}`",
                node.as_str(),
                trigger.as_str()
            );
            findings.error(code::UNKNOWN_STEP_TRIGGER, trigger.at, message).help(help);
        }
    }
}

/// A `node_type` that does not fit what the step does.
pub(super) fn step_type(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for step in &workflow.nodes {
            let Some(said) = &step.node_type else {
                continue;
            };
            let wanted = match &step.work {
                Some(Work::Effect { .. }) => "effect",
                Some(Work::Compute(_)) => "compute",
                Some(Work::Reduce { .. }) => "reducer",
                Some(Work::Run(_)) => "orchestrator",
                _ if ["effect", "compute", "reducer", "orchestrator"].contains(&said.as_str()) => {
                    continue;
                }
                _ => "orchestrator",
            };
            if said.as_str() != wanted {
                let message =
                    format!("`node_type` is `{}`, the step needs `{wanted}`", said.as_str());
                findings
                    .error(code::STEP_TYPE_MISFIT, said.at, message)
                    .help(format!("write `node_type: {wanted}`, or leave it out"));
            }
        }
    }
}

/// A run that a message begins and whose failure nobody hears of.
pub(super) fn no_failed_outcome(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, workflow) in system.workflows() {
        let topic = workflow.begun_by(contract).next();
        let begun = topic.or(contract.subscribed_intents.first());
        if let (Some(begun), None) = (begun, &workflow.outcomes.failed) {
            let message =
                "a message begins runs of this workflow, and no message tells that one failed";
            findings
                .warning(code::NO_FAILED_OUTCOME, begun.at, message)
                .help("add `outcomes: {failed: {event: ..., payload: ...}}`");
        }
    }
}

/// Waits on one path that are longer than the run may take.
pub(super) fn waits_too_long(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        let limit = workflow.timeout_ms.as_ref().map_or(RUN_TIMEOUT_MS, |ms| ms.value);
        let longest = longest_waits(workflow);
        let waits =
            |at: &usize| workflow.nodes[*at].work.as_ref().and_then(Work::wait_ms).is_some();
        let too_long = (0..longest.len()).filter(waits).filter(|at| longest[*at] >= limit);
        // The first of them makes those after it late as well.
        if let Some(at) = too_long.min_by_key(|at| (longest[*at], *at)) {
            let message =
                format!("waits up to here take {} ms, the run ends after {limit} ms", longest[at]);
            findings
                .warning(code::WAITS_TOO_LONG, workflow.nodes[at].id.at, message)
                .help("raise `workflow_metadata.timeout_ms`");
        }
    }
}

/// How long the waits up to the end of each step take, in milliseconds.
pub(super) fn longest_waits(workflow: &Workflow<'_>) -> Vec<u64> {
    let ancestors = workflow.ancestors();
    let mut longest: Vec<u64> = vec![0; workflow.nodes.len()];
    let mut order: Vec<usize> = (0..longest.len()).collect();
    order.sort_by_key(|at| ancestors.count(*at));
    for at in order {
        let most = workflow.waits_on(at).map(|other| longest[other]).max().unwrap_or(0);
        let own = workflow.nodes[at].work.as_ref().and_then(Work::wait_ms).unwrap_or(0);
        longest[at] = most.saturating_add(own);
    }
    longest
}
