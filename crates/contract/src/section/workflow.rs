//! `workflow_coordination`: metadata, graph, rules, result and outcomes.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::reading::Reading;
use super::{publication, step_work, workflow_step};
use crate::graph::{ErrorAction, ExecutionMode};
use crate::model::{Contract, Located, RetryRule, Strategy, Workflow, WorkflowOutcomes};
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`workflow_coordination`") else {
        return;
    };
    fields.descriptive(&["version", "subcontract_version", "description"]);
    match fields.get("workflow_definition") {
        Some(node) => contract.workflow = definition(fields.reading, node),
        None => fields.missing("workflow_definition"),
    }
    fields.not_built(&["lifecycle", "event_bus"]);
    fields.close();
}

fn definition<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Workflow<'a>> {
    let mut fields = Fields::open(reading, node, "`workflow_definition`")?;
    fields.descriptive(&["version", "description"]);
    let mut workflow = Workflow {
        at: fields.head(),
        name: None,
        timeout_ms: None,
        run_key: None,
        nodes: Vec::new(),
        ids: BTreeMap::new(),
        execution_mode: ExecutionMode::Parallel,
        strategy: Strategy::FailFast,
        retry: RetryRule { max_retries: 3, backoff_ms: 2000, multiplier: 2.0 },
        step_timeout_ms: None,
        max_steps: None,
        cancel_on: Vec::new(),
        result: None,
        outcomes: WorkflowOutcomes::default(),
    };
    if let Some(node) = fields.get("workflow_metadata") {
        metadata(fields.reading, node, &mut workflow);
    }
    match fields.get("execution_graph") {
        Some(node) => graph(fields.reading, node, &mut workflow),
        None => fields.missing("execution_graph"),
    }
    if let Some(node) = fields.get("coordination_rules") {
        rules(fields.reading, node, &mut workflow);
    }
    workflow.result = fields.cel("result");
    if let Some(node) = fields.get("outcomes") {
        outcomes(fields.reading, node, &mut workflow);
    }
    if let Some(node) = fields.get("cancel_on") {
        let given = match &node.tree {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for node in given {
            workflow.cancel_on.extend(step_work::listening(fields.reading, node));
        }
    }
    fields.not_built(&["terminal_event"]);
    fields.not_enforced(&["checkpointing"]);
    fields.close();
    Some(workflow)
}

const MODES: [(&str, ExecutionMode); 2] =
    [("parallel", ExecutionMode::Parallel), ("sequential", ExecutionMode::Sequential)];

fn metadata<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, workflow: &mut Workflow<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`workflow_metadata`") else {
        return;
    };
    workflow.name = fields.word("workflow_name");
    fields.descriptive(&["workflow_version", "version", "description"]);
    if let Some(mode) = fields.choice("execution_mode", &MODES) {
        workflow.execution_mode = mode.value;
    }
    let timeout = fields.millis("timeout_ms", 1);
    smaller(&mut workflow.timeout_ms, timeout);
    workflow.run_key = fields.cel("run_key");
    fields.not_enforced(&["author", "tags", "documentation_url", "workflow_hash"]);
    fields.close();
}

/// The smaller `timeout_ms` bounds the run.
fn smaller(timeout: &mut Option<Located<u64>>, other: Option<Located<u64>>) {
    *timeout = match (timeout.take(), other) {
        (Some(a), Some(b)) => Some(if b.value < a.value { b } else { a }),
        (a, b) => a.or(b),
    };
}

fn graph<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, workflow: &mut Workflow<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`execution_graph`") else {
        return;
    };
    fields.descriptive(&["version", "description"]);
    for item in fields.items("nodes") {
        workflow_step::read(fields.reading, item).into_iter().for_each(|step| workflow.add(step));
    }
    fields.not_enforced(&["edges"]);
    if fields.get("nodes").is_none() {
        fields.missing("nodes");
    }
    fields.close();
}

fn rules(reading: &mut Reading<'_, '_>, node: &Node, workflow: &mut Workflow<'_>) {
    let Some(mut fields) = Fields::open(reading, node, "`coordination_rules`") else {
        return;
    };
    if let Some(mode) = fields.choice("execution_mode", &MODES) {
        workflow.execution_mode = mode.value;
    }
    let strategies = [
        ("fail_fast", Strategy::FailFast),
        ("compensate", Strategy::Compensate),
        ("retry", Strategy::Retry),
    ];
    if let Some(strategy) = fields.choice("failure_recovery_strategy", &strategies) {
        workflow.strategy = strategy.value;
    }
    let timeout = fields.millis("timeout_ms", 1);
    smaller(&mut workflow.timeout_ms, timeout);
    let default = workflow.retry;
    workflow.retry = RetryRule {
        max_retries: fields.count("max_retries", 0).unwrap_or(default.max_retries),
        backoff_ms: fields.millis("retry_backoff_ms", 0).map_or(default.backoff_ms, |ms| ms.value),
        multiplier: fields
            .number("retry_backoff_multiplier", 1.0, 100.0)
            .unwrap_or(default.multiplier),
    };
    workflow.step_timeout_ms = fields.millis("step_timeout_ms", 1).map(|ms| ms.value);
    let limits = ["max_parallel_branches", "max_parallel_steps"].map(|key| fields.count(key, 1));
    workflow.max_steps = limits.into_iter().flatten().min();
    let retries = workflow.strategy == Strategy::Retry
        || workflow.nodes.iter().any(|node| node.error_action.value == ErrorAction::Retry);
    if !retries {
        let keys = ["max_retries", "retry_backoff_ms", "retry_backoff_multiplier"];
        fields.idle(&keys, "it acts under the strategy `retry` or a step's `error_action: retry`");
    }
    fields.not_enforced(&[
        "parallel_execution_allowed",
        "checkpoint_enabled",
        "checkpoint_interval_ms",
        "state_persistence_enabled",
        "rollback_enabled",
        "recovery_enabled",
        "synchronization_points",
        "dependency_resolution_enabled",
        "detect_cycles",
        "fail_on_cycle",
    ]);
    fields.close();
}

fn outcomes<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, workflow: &mut Workflow<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`outcomes`") else {
        return;
    };
    let mut read = |key| {
        let node = fields.get(key)?;
        publication::read(fields.reading, node)
    };
    let outcomes = WorkflowOutcomes {
        completed: read("completed"),
        failed: read("failed"),
        cancelled: read("cancelled"),
    };
    fields.close();
    workflow.outcomes = outcomes;
}
