//! Who waits for whom, and who gives up first.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Backoff;
use crate::link::{ATTEMPT_TIMEOUT_MS, OPERATION_TIMEOUT_MS, RUN_TIMEOUT_MS};
use crate::model::{ActionWork, At, EffectOperation, Located, RetryPolicy, StateMachine, Work};
use crate::system::System;
use crate::yaml::Tree;

/// How long somebody says that something may take.
struct Takes {
    what: String,
    limit_ms: u64,
    at: At,
}

/// How long an operation may take, when it says so.
fn operation(operation: &EffectOperation<'_>) -> Option<Takes> {
    let what = format!("the operation `{}`", operation.name.as_str());
    let said = operation.timeout_ms.as_ref();
    said.map(|ms| Takes { what, limit_ms: ms.value, at: ms.at })
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
            if let (Some(run), Some(own)) = (&workflow.timeout_ms, &step.timeout_ms) {
                let what = format!("the step `{}`", step.id.as_str());
                let callee = Takes { what, limit_ms: own.value, at: own.at };
                gives_up_first("the run", run, callee, findings);
            }
            let Some(callee) = step.work.as_ref().and_then(|work| callee(system, work)) else {
                continue;
            };
            match (&step.timeout_ms, &workflow.timeout_ms) {
                (Some(limit), _) => {
                    let caller = format!("the step `{}`", step.id.as_str());
                    gives_up_first(&caller, limit, callee, findings);
                }
                (None, Some(limit)) => gives_up_first("the run", limit, callee, findings),
                (None, None) => {
                    let default = Located { value: RUN_TIMEOUT_MS, at: step.id.at };
                    gives_up_first("the run", &default, callee, findings);
                }
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
            let run = system.contracts[system.find(name.as_str())?].workflow.as_ref()?;
            let what = format!("a run of `{}`", name.as_str());
            run.timeout_ms.as_ref().map(|ms| Takes { what, limit_ms: ms.value, at: ms.at })
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
                        (None, _, Some(run)) => run.timeout_ms.as_ref().map(|ms| Takes {
                            what: format!("a run of `{}`", node.name.as_str()),
                            limit_ms: ms.value,
                            at: ms.at,
                        }),
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
