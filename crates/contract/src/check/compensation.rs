//! What must be undone when a run fails, and whether the contract says how.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::ErrorAction;
use crate::model::{
    Ancestors, CompensationRule, Contract, GraphNode, Strategy, Word, Work, Workflow,
};
use crate::system::System;

/// Under `compensate`: a step with effects, after which something can still fail, that says neither
/// how it is undone nor that there is nothing to undo. A sub-workflow that says nothing is undone by
/// its own steps, which must then say it.
pub(super) fn unsaid(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, workflow) in system.workflows().filter(|(_, workflow)| compensates(workflow)) {
        let ancestors = workflow.ancestors();
        for (at, step) in workflow.nodes.iter().enumerate() {
            if step.compensation.is_some() {
                continue;
            }
            let inner = match &step.work {
                Some(Work::Effect { .. }) => None,
                Some(Work::Run(name)) => match silent(system, name.as_str(), &mut Vec::new()) {
                    Some(inner) => Some(inner),
                    None => continue,
                },
                _ => continue,
            };
            let Some(why) = can_still_fail(contract, workflow, &ancestors, at) else {
                continue;
            };
            let id = step.id.as_str();
            let Some((of, inner)) = inner else {
                let message = format!("`{id}` does not say how it is undone when {why}");
                findings.error(code::COMPENSATION_UNSAID, step.id.at, message).help(
                    "add `compensation: {operation: ...}`, or `compensation: none` when there is nothing to undo",
                );
                continue;
            };
            let message = format!(
                "`{id}` cannot be undone when {why}: step `{}` of `{of}` does not say how",
                inner.as_str()
            );
            findings
                .error(code::COMPENSATION_UNSAID, step.id.at, message)
                .help("add a `compensation` to that step, or to this one")
                .related(inner.at, "this step");
        }
    }
}

/// A step with effects of this workflow, or of one that it begins, that does not say how it is
/// undone; and the workflow. `above` are those that are being looked through.
fn silent<'s>(
    system: &'s System<'_>,
    workflow: &'s str,
    above: &mut Vec<&'s str>,
) -> Option<(&'s str, &'s Word)> {
    if above.contains(&workflow) {
        return None;
    }
    above.push(workflow);
    let nodes = &system.contracts[system.find(workflow)?].workflow.as_ref()?.nodes;
    let mut unsaid = nodes.iter().filter(|step| step.compensation.is_none());
    unsaid.find_map(|step| match step.work.as_ref()? {
        Work::Effect { .. } => Some((workflow, &step.id)),
        Work::Run(inner) => silent(system, inner.as_str(), above),
        _ => None,
    })
}

fn compensates(workflow: &Workflow<'_>) -> bool {
    let asks = |step: &GraphNode<'_>| step.error_action.value == ErrorAction::Compensate;
    workflow.strategy == Strategy::Compensate || workflow.nodes.iter().any(asks)
}

/// What can fail once a step has had its effect.
fn can_still_fail(
    contract: &Contract<'_>,
    workflow: &Workflow<'_>,
    before: &Ancestors,
    at: usize,
) -> Option<String> {
    let fails = |step: &GraphNode<'_>| step.error_action.value != ErrorAction::Continue;
    let later = workflow
        .nodes
        .iter()
        .enumerate()
        .find(|(other, step)| *other != at && !before.has(at, *other) && fails(step));
    if let Some((_, step)) = later {
        return Some(format!("`{}` fails", step.id.as_str()));
    }
    let own = &workflow.nodes[at];
    if own.for_each.is_some() && fails(own) {
        return Some("a later item fails".to_owned());
    }
    contract.output_model.as_ref().map(|_| "the result does not fit `output_model`".to_owned())
}

/// A compensation of a step that has nothing to undo.
pub(super) fn nothing_to_undo(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for step in &workflow.nodes {
            let Some(CompensationRule::Operation { at, node, .. }) = &step.compensation else {
                continue;
            };
            let has_effects = matches!(step.work, Some(Work::Effect { .. }) | None);
            if !has_effects && node.is_none() {
                let message =
                    format!("`{}` is no effect: say which effect undoes it", step.id.as_str());
                findings
                    .error(code::NEVER_BEGINS, *at, message)
                    .help("add `effect_node`, or leave the compensation out");
            }
        }
    }
}
