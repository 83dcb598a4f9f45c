//! How often something is attempted when every layer above it tries again.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::ErrorAction;
use crate::model::{EffectOperation, GraphNode, Strategy, Work, Workflow};
use crate::system::{System, idempotent};

/// The most attempts along one path before check warns.
const ATTEMPTS_MAX: u64 = 32;
/// The deepest nesting of workflows looked at; one that begins itself is an error of its own.
const NESTED_MAX: u32 = 8;
/// Retries of an operation unless the contract says otherwise.
const RETRIES: u32 = 3;

/// A step that is done again, whose operation is attempted again each time.
pub(super) fn amplified(system: &System<'_>, findings: &mut Findings<'_>) {
    let begun = Begun::of(system);
    for (contract, workflow) in system.workflows() {
        let runs = begun.times(contract.name.as_str(), NESTED_MAX);
        for step in &workflow.nodes {
            let Some(Work::Effect { node, operation }) = &step.work else {
                continue;
            };
            let Some((effect, index)) = system.operation(node, operation.as_ref()) else {
                continue;
            };
            let Some(effect) = &system.contracts[effect].effect else {
                continue;
            };
            let operation = &effect.operations[index];
            let again = visits(workflow, step).saturating_mul(runs);
            let each = attempts(system, operation);
            let all = again.saturating_mul(each);
            if again > 1 && each > 1 && all > ATTEMPTS_MAX {
                let message = format!(
                    "`{}` is attempted up to {all} times: {again} times the step, {each} attempts each",
                    step.id.as_str()
                );
                findings
                    .warning(code::RETRIES_MULTIPLY, step.id.at, message)
                    .help("retry in one place: lower `max_retries` of the operation, or do not retry the step")
                    .related(operation.name.at, "the operation retries too");
            }
        }
    }
}

/// The steps that begin runs of other workflows: whose runs, by which workflow, and how often.
struct Begun<'s>(Vec<(&'s str, &'s str, u64)>);

impl<'s> Begun<'s> {
    fn of(system: &'s System<'_>) -> Begun<'s> {
        let mut begun = Vec::new();
        for (contract, workflow) in system.workflows() {
            for step in &workflow.nodes {
                if let Some(Work::Run(callee)) = &step.work {
                    let again = visits(workflow, step);
                    begun.push((callee.as_str(), contract.name.as_str(), again));
                }
            }
        }
        Begun(begun)
    }

    /// How often one failure may begin a run of this workflow, whoever calls it.
    fn times(&self, name: &str, nested: u32) -> u64 {
        if nested == 0 {
            return 1;
        }
        let callers = self.0.iter().filter(|(callee, ..)| *callee == name);
        let times =
            callers.map(|(_, caller, again)| again.saturating_mul(self.times(caller, nested - 1)));
        times.max().unwrap_or(1)
    }
}

/// How often a step may be done.
fn visits(workflow: &Workflow<'_>, step: &GraphNode<'_>) -> u64 {
    let retries = match step.error_action.value {
        ErrorAction::Retry => true,
        ErrorAction::Stop => workflow.strategy == Strategy::Retry,
        ErrorAction::Continue | ErrorAction::Compensate => false,
    };
    if retries { 1 + u64::from(workflow.retry.max_retries) } else { 1 }
}

/// How often an operation is attempted at most.
fn attempts(system: &System<'_>, operation: &EffectOperation<'_>) -> u64 {
    let kind = system.catalog.effects.get(operation.io.kind.as_str());
    if !kind.is_some_and(|kind| idempotent(operation, kind)) {
        return 1;
    }
    match &operation.retry {
        Some(policy) if !policy.retries() => 1,
        Some(policy) => 1 + u64::from(policy.max_retries.unwrap_or(RETRIES)),
        None => 1 + u64::from(RETRIES),
    }
}
