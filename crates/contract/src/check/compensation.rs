//! What must be undone when a run fails, and whether the contract says how.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::ErrorAction;
use crate::model::{Ancestors, CompensationRule, Contract, GraphNode, Strategy, Work, Workflow};
use crate::system::System;

/// Under `compensate`: a step with effects, after which something can still fail, that says neither
/// how it is undone nor that there is nothing to undo.
pub(super) fn unsaid(system: &System<'_>, findings: &mut Findings<'_>) {
    for (contract, workflow) in system.workflows().filter(|(_, workflow)| compensates(workflow)) {
        let ancestors = workflow.ancestors();
        for (at, step) in workflow.nodes.iter().enumerate() {
            let has_effects = matches!(step.work, Some(Work::Effect { .. }));
            if !has_effects || step.compensation.is_some() {
                continue;
            }
            let Some(why) = can_still_fail(contract, workflow, &ancestors, at) else {
                continue;
            };
            let message =
                format!("`{}` does not say how it is undone when {why}", step.id.as_str());
            findings.error(code::COMPENSATION_UNSAID, step.id.at, message).help(
                "add `compensation: {operation: ...}`, or `compensation: none` when there is nothing to undo",
            );
        }
    }
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
