//! Who waits for whom, and who gives up first.

use super::workflow::longest_waits;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Backoff;
use crate::link::{ATTEMPT_TIMEOUT_MS, OPERATION_TIMEOUT_MS, RUN_TIMEOUT_MS};
use crate::model::{
    ActionWork, At, EffectOperation, Located, RetryPolicy, StateMachine, Work, Workflow,
};
use crate::system::System;
use crate::yaml::Tree;

/// How long somebody says that something may take.
struct Takes {
    what: String,
    limit_ms: u64,
    at: At,
}

/// How long an operation may take, when it says so: of all attempts, or at least of one.
fn operation(operation: &EffectOperation<'_>) -> Option<Takes> {
    let name = operation.name.as_str();
    let all = operation.timeout_ms.as_ref().map(|ms| Takes {
        what: format!("the operation `{name}`"),
        limit_ms: ms.value,
        at: ms.at,
    });
    let one = operation.io.timeout_ms.map(|limit_ms| Takes {
        what: format!("an attempt of `{name}`"),
        limit_ms,
        at: operation.io.at,
    });
    all.or(one)
}

/// How long a run may take: as it says, else what its waits take one after the other.
fn run(name: &str, workflow: &Workflow<'_>) -> Option<Takes> {
    let what = format!("a run of `{name}`");
    if let Some(ms) = &workflow.timeout_ms {
        return Some(Takes { what, limit_ms: ms.value, at: ms.at });
    }
    let (step, limit_ms) =
        longest_waits(workflow).into_iter().enumerate().max_by_key(|(_, ms)| *ms)?;
    let at = workflow.nodes[step].id.at;
    (limit_ms > 0).then_some(Takes { what, limit_ms, at })
}

/// Reports a caller that gives up while what it waits for is still allowed to go on.
fn gives_up_first(caller: &str, limit: &Located<u64>, callee: Takes, findings: &mut Findings<'_>) {
    if limit.value < callee.limit_ms {
        let message = format!(
            "{caller} gives up after {} ms, {} may take {} ms",
            limit.value, callee.what, callee.limit_ms
        );
        findings
            .warning(code::GIVES_UP_FIRST, limit.at, message)
            .help("let the one that waits have the longer time")
            .related(callee.at, "what it waits for");
    }
}

/// One attempt that may take longer than all of them together.
pub(super) fn attempt(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, declared) in system.operations() {
        let attempt = declared.io.timeout_ms.unwrap_or(ATTEMPT_TIMEOUT_MS);
        let Some(limit) = declared.timeout_ms.as_ref() else {
            if declared.io.timeout_ms.is_some_and(|ms| ms > OPERATION_TIMEOUT_MS) {
                let message = format!(
                    "an attempt may take {attempt} ms, the operation ends after {OPERATION_TIMEOUT_MS} ms"
                );
                findings
                    .warning(code::GIVES_UP_FIRST, declared.io.at, message)
                    .help("raise `operation_timeout_ms`: 30000 when it is not given");
            }
            continue;
        };
        let what = "an attempt".to_owned();
        if declared.io.timeout_ms.is_some() {
            let callee = Takes { what, limit_ms: attempt, at: declared.io.at };
            gives_up_first("the operation", limit, callee, findings);
        }
    }
}

/// Retries whose pauses alone are longer than the operation.
pub(super) fn retries(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, declared) in system.operations() {
        let Some(policy) = declared.retry.as_ref().filter(|policy| policy.retries()) else {
            continue;
        };
        let limit = declared.timeout_ms.as_ref().map_or(OPERATION_TIMEOUT_MS, |ms| ms.value);
        let (Some(most), Some(base)) = (policy.max_retries, policy.base_delay_ms) else {
            continue;
        };
        let mut paused = 0u64;
        let done = (0..most).take_while(|retry| {
            paused = paused.saturating_add(pause(policy, base, *retry));
            paused < limit
        });
        let done = done.count();
        if done < most as usize {
            let message = format!(
                "the operation ends after {limit} ms: at most {done} of {most} retries fit"
            );
            findings
                .warning(code::RETRIES_DO_NOT_FIT, policy.at, message)
                .help("raise `operation_timeout_ms`, or lower `max_retries` or the delays");
        }
    }
}

/// The pause before a retry, without its random share.
fn pause(policy: &RetryPolicy, base: u64, retry: u32) -> u64 {
    let grown = match policy.backoff.unwrap_or(Backoff::Exponential) {
        Backoff::Fixed => base,
        Backoff::Linear => base.saturating_mul(u64::from(retry) + 1),
        Backoff::Exponential => base.saturating_mul(1u64.checked_shl(retry).unwrap_or(u64::MAX)),
    };
    policy.max_delay_ms.map_or(grown, |most| grown.min(most))
}

/// A step, or a whole run, that ends before what it does.
pub(super) fn workflow(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, workflow) in system.workflows() {
        for step in &workflow.nodes {
            let default = || Located { value: RUN_TIMEOUT_MS, at: step.id.at };
            let whole = workflow.timeout_ms.clone().unwrap_or_else(default);
            if let Some(own) = &step.timeout_ms {
                let what = format!("the step `{}`", step.id.as_str());
                let callee = Takes { what, limit_ms: own.value, at: own.at };
                gives_up_first("the run", &whole, callee, findings);
            }
            let Some(work) = &step.work else { continue };
            let of_all = workflow.step_timeout_ms.filter(|_| !work.is_wait());
            let of_all = of_all.map(|value| Located { value, at: step.id.at });
            let caller = format!("the step `{}`", step.id.as_str());
            match (step.timeout_ms.clone().or(of_all), callee(system, work)) {
                (Some(limit), Some(callee)) => gives_up_first(&caller, &limit, callee, findings),
                // How waits add up to more than the run is a rule of its own.
                (None, Some(callee)) if !work.is_wait() => {
                    gives_up_first("the run", &whole, callee, findings);
                }
                _ => {}
            }
        }
    }
}

/// What a step waits for, when that says how long it may take.
fn callee(system: &System<'_>, work: &Work<'_>) -> Option<Takes> {
    match work {
        Work::Effect { node, operation: name } => {
            let (effect, index) = system.operation(node, name.as_ref())?;
            operation(&system.contracts[effect].effect.as_ref()?.operations[index])
        }
        Work::Run(name) => {
            run(name.as_str(), system.contracts[system.find(name.as_str())?].workflow.as_ref()?)
        }
        Work::Wait(data) | Work::WaitFor { timeout_ms: Some(data), .. } => {
            Some(Takes { what: "its wait".to_owned(), limit_ms: work.wait_ms()?, at: data.at })
        }
        _ => None,
    }
}

/// A state whose timer fires before the intent that it waits for has ended.
pub(super) fn state(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, machine) in system.machines() {
        for (at, state) in machine.states.iter().enumerate() {
            let literal = state.timeout_ms.and_then(|data| match data.node.tree {
                Tree::Int(ms) => Some(Located { value: u64::try_from(ms).ok()?, at: data.at }),
                _ => None,
            });
            let Some(limit) = literal else { continue };
            let caller = format!("the state `{}`", state.name.as_str());
            for intent in sent_on_entry(machine, at) {
                let uses = system.intents.get(intent);
                for performer in uses.into_iter().flat_map(|uses| &uses.performers) {
                    let node = &system.contracts[performer.node];
                    let callee = match (performer.operation, &node.effect, &node.workflow) {
                        (Some(index), Some(effect), _) => operation(&effect.operations[index]),
                        (None, _, Some(begun)) => run(node.name.as_str(), begun),
                        _ => None,
                    };
                    if let Some(callee) = callee {
                        gives_up_first(&caller, &limit, callee, findings);
                    }
                }
            }
        }
    }
}

/// The intents that are sent when a state is entered.
fn sent_on_entry<'m>(machine: &'m StateMachine<'_>, state: usize) -> Vec<&'m str> {
    let entering = machine.entering(state).filter(|t| !t.trigger.is_timeout());
    let actions = entering.flat_map(|t| &t.actions).chain(&machine.states[state].entry_actions);
    let mut intents: Vec<&str> = actions
        .filter_map(|action| match &action.work {
            ActionWork::Intent { intent_type, .. } => Some(intent_type.as_str()),
            _ => None,
        })
        .collect();
    intents.sort_unstable();
    intents.dedup();
    intents
}
