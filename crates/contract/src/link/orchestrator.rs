//! Orchestrators: steps, their undoing, the result and the messages that end a run.

mod ends;
mod steps;

use onex_expr::{Place, Template, Text, Type};

use super::callers::Called;
use super::expression::Want;
use super::scope::{self, Roots};
use super::types::{self, union};
use super::{Linker, node_index};
use crate::graph::roots::orchestrator as slot;
use crate::graph::{Compensation, NodeIndex, Orchestrator, Recovery, Step, StepRetry, StepWork};
use crate::model::{Contract, GraphNode, Strategy, SubscribeTopic, Word, Work, Workflow};
use crate::topic::intent_topic;
use steps::Outputs;

/// Bounds a run unless the contract says otherwise.
pub(crate) const RUN_TIMEOUT_MS: u64 = 600_000;

/// Links a workflow; `None` when something in it could not be.
pub(super) fn link(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    workflow: &Workflow<'_>,
) -> Option<Orchestrator> {
    let base = Roots::new(&slot::NAMES)
        .with(slot::INPUT, input_type(linker, contract))
        .with(slot::RUN, scope::run())
        .with(slot::ENVELOPE, scope::envelope())
        .with(slot::NOW, Type::Timestamp);
    let run_key = run_key(linker, node, contract, workflow);
    let (steps, outputs) = steps(linker, node, contract, workflow, &base);
    let cancel_on = ends::cancel_on(linker, node, workflow, &base);
    let all = base.with(slot::STEPS, outputs.so_far());

    let result = ends::result(linker, node, contract, workflow, &all);
    if let (Some(Some(template)), Some(data)) = (&result, &workflow.result) {
        outputs.check_result(data, template, linker.findings);
    }
    let said = result.as_ref().and_then(|r| r.as_ref().map(types::of_template));
    let yielded = said.clone().unwrap_or_else(|| outputs.of_last());
    linker.tell_result(contract, workflow, yielded.clone());
    let told = (said.unwrap_or(Type::Dyn), yielded);
    let outcomes = ends::outcomes(linker, node, workflow, &all, told);
    let name = workflow.name.as_ref().unwrap_or(&contract.name);
    let system = linker.system;
    Some(Orchestrator {
        workflow_name: name.value.clone(),
        timeout_ms: workflow.timeout_ms.as_ref().map_or(RUN_TIMEOUT_MS, |ms| ms.value),
        run_key: run_key?,
        input_schema: system.schema_of(contract.input_model.as_ref()).cloned(),
        output_schema: system.schema_of(contract.output_model.as_ref()).cloned(),
        steps: steps?,
        execution_mode: workflow.execution_mode,
        max_steps: workflow.max_steps,
        cancel_on: cancel_on?,
        recovery: recovery(workflow),
        step_retry: StepRetry {
            max_retries: workflow.retry.max_retries,
            backoff_ms: workflow.retry.backoff_ms,
            multiplier: workflow.retry.multiplier,
        },
        result: result?,
        outcomes: outcomes?,
    })
}

/// Every step in the order written, and what is known of their outputs; each is compiled after
/// those it waits for, whose types it sees.
fn steps<'w, 'a>(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    workflow: &'w Workflow<'a>,
    base: &Roots,
) -> (Option<Vec<Step>>, Outputs<'w, 'a>) {
    let mut outputs = Outputs::of(workflow);
    let mut steps: Vec<Option<Step>> = vec![None; workflow.nodes.len()];
    for at in outputs.order() {
        let declared = &workflow.nodes[at];
        let (step, output) = step(linker, node, contract, declared, &outputs, at, base);
        outputs.ended(at, declared, output);
        steps[at] = step;
    }
    let all = base.clone().with(slot::STEPS, outputs.so_far());
    let linked: Vec<Option<Step>> = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            let declared = &workflow.nodes[at];
            let compensation =
                ends::compensation(linker, node, contract, declared, outputs.item(at), &all);
            Some(Step { compensation: compensation?, ..step? })
        })
        .collect();
    let mut linked = linked.into_iter().collect::<Option<Vec<Step>>>();
    let complete = linked.as_mut().and_then(|steps| dependents(steps)).is_some();
    (linked.filter(|_| complete), outputs)
}

/// `input_model`, else what the subscribed topics carry; nothing is known of an intent's payload.
fn input_type(linker: &Linker<'_, '_, '_>, contract: &Contract<'_>) -> Type {
    if let Some(given) = linker.input() {
        return given;
    }
    if let Some(schema) = linker.system.schema_of(contract.input_model.as_ref()) {
        return schema.ty().clone();
    }
    if !contract.subscribed_intents.is_empty() {
        return Type::Dyn;
    }
    let entries = contract.event_bus.subscribe.iter();
    let begins = |entry: &&SubscribeTopic<'_>| {
        contract.workflow.as_ref().is_none_or(|workflow| workflow.begins(entry))
    };
    union(entries.filter(begins).map(|entry| linker.payload_type(entry)))
}

fn run_key(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    workflow: &Workflow<'_>,
) -> Option<Option<Template>> {
    let Some(key) = workflow.run_key else {
        return Some(None);
    };
    let roots = Roots::new(&slot::NAMES).with(slot::INPUT, input_type(linker, contract));
    linker.expressions(node).cel(key, Want::Key, roots.scope()).map(Some)
}

fn recovery(workflow: &Workflow<'_>) -> Recovery {
    match workflow.strategy {
        Strategy::FailFast => Recovery::FailFast,
        Strategy::Compensate => Recovery::Compensate,
        Strategy::Retry => Recovery::Retry {
            max_retries: workflow.retry.max_retries,
            backoff_ms: workflow.retry.backoff_ms,
            multiplier: workflow.retry.multiplier,
        },
    }
}

/// One step without its compensation, and what is known of its output.
fn step(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    declared: &GraphNode<'_>,
    outputs: &Outputs<'_, '_>,
    at: usize,
    base: &Roots,
) -> (Option<Step>, Type) {
    let mut roots = base.clone().with(slot::STEPS, outputs.so_far());
    let mut expressions = linker.expressions(node);
    let condition = match (declared.condition, declared.skip_condition) {
        (Some(data), _) => expressions.cel(data, Want::Bool, roots.scope()).map(Some),
        (None, Some(data)) => expressions.negated(data, roots.scope()).map(Some),
        (None, None) => Some(None),
    };
    let for_each =
        optional(declared.for_each, |data| expressions.cel(data, Want::List, roots.scope()));
    if let Some(Some(list)) = &for_each {
        roots = roots
            .with(slot::ITEM, types::item_of(&types::of_template(list)))
            .with(slot::INDEX, Type::Int);
    }
    let input = optional(declared.input, |data| expressions.data(data, Place::Data, roots.scope()));
    for template in [&condition, &for_each, &input].into_iter().flatten().flatten() {
        outputs.check(at, declared, template, expressions.findings);
    }
    let given = match &input {
        Some(Some(template)) => types::of_template(template),
        _ => base.scope().roots[slot::INPUT].ty.clone(),
    };
    let work = work(linker, node, contract, declared, &roots, &given, (outputs, at));
    ends::undone_as_given(linker, contract, declared, &given);
    let output = output_type(linker, work.as_ref());
    let waits = declared.work.as_ref().is_some_and(|work| work.is_wait());
    let default_ms = contract.workflow.as_ref().and_then(|workflow| workflow.step_timeout_ms);
    let default_ms = default_ms.filter(|_| !waits);
    let step = || {
        Some(Step {
            id: declared.id.value.clone(),
            depends_on: outputs.depends_on(at)?,
            dependents: Vec::new(),
            condition: condition?,
            timeout_ms: declared.timeout_ms.as_ref().map(|ms| ms.value).or(default_ms),
            error_action: declared.error_action.value,
            compensation: Compensation::Unsaid,
            work: work?,
            input: input?,
            for_each: for_each?,
            max_parallel: declared.max_parallel,
        })
    };
    (step(), output)
}

/// Compiles what is given: outer `None` when that failed.
fn optional<T, U>(given: Option<T>, compile: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match given {
        Some(given) => compile(given).map(Some),
        None => Some(None),
    }
}

fn output_type(linker: &Linker<'_, '_, '_>, work: Option<&StepWork>) -> Type {
    let place = match work {
        Some(StepWork::Effect { node, operation, .. }) => (node.0, *operation),
        Some(StepWork::Compute { node }) => (node.0, 0),
        Some(StepWork::WaitFor { event, .. }) => return steps::event_type(linker, &event.topic),
        Some(StepWork::Reduce { .. }) => return steps::entity_type(),
        Some(StepWork::Run { node, .. }) => {
            let contract = &linker.system.contracts[usize::from(node.0)];
            let schema = linker.system.schema_of(contract.output_model.as_ref());
            return schema.map_or(Type::Dyn, |schema| schema.ty().clone());
        }
        _ => return Type::Dyn,
    };
    linker.outputs.get(&place).cloned().unwrap_or(Type::Dyn)
}

fn work(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    declared: &GraphNode<'_>,
    roots: &Roots,
    given: &Type,
    (outputs, at): (&Outputs<'_, '_>, usize),
) -> Option<StepWork> {
    match declared.work.as_ref()? {
        Work::Effect { node: effect, operation } => {
            let (node, operation, topic) =
                operation_of(linker, contract, effect, operation.as_ref())?;
            let at = declared.input.map_or(declared.id.at, |data| data.at);
            linker.call(Called::Operation(node, operation), given, at);
            Some(StepWork::Effect { node, operation, topic })
        }
        Work::Compute(name) => {
            let system = linker.system;
            let target = system.find(name.as_str())?;
            let compute = system.contracts[target].compute.as_ref()?;
            let at = declared.input.map_or(declared.id.at, |data| data.at);
            if let Some(schema) = system.schema_of(compute.input.as_ref()) {
                linker.fits(given, schema, at, "this input", "the compute's `input`");
            }
            let node = node_index(target)?;
            linker.call(Called::Compute(node), given, at);
            Some(StepWork::Compute { node })
        }
        Work::Reduce { node: name, trigger } => {
            steps::reduce(linker, contract, (name, trigger), given, declared)
        }
        Work::Run(name) => {
            let system = linker.system;
            let target = system.find(name.as_str())?;
            system.contracts[target].workflow.as_ref()?;
            let wanted = system.contracts[target].input_model.as_ref();
            let at = declared.input.map_or(declared.id.at, |data| data.at);
            if let Some(schema) = system.schema_of(wanted) {
                linker.fits(given, schema, at, "this input", "the workflow's `input_model`");
            }
            let topic = intent_topic(contract.name.as_str(), name.as_str()).into();
            let node = node_index(target)?;
            linker.call(Called::Run(node), given, at);
            Some(StepWork::Run { node, topic })
        }
        Work::Publish { topic, payload } => {
            let payload = optional(*payload, |data| {
                linker.expressions(node).data(data, Place::Data, roots.scope())
            })?;
            if let Some(template) = &payload {
                outputs.check(at, declared, template, linker.findings);
            }
            let made = payload.as_ref().map_or(given.clone(), types::of_template);
            linker.fits_topic(&made, topic.as_str(), topic.at);
            linker.tell(topic, made);
            Some(StepWork::Publish { topic: topic.value.clone(), payload })
        }
        Work::Wait(data) => {
            let wait_ms = linker.expressions(node).data_of(*data, Want::Int, roots.scope())?;
            outputs.check(at, declared, &wait_ms, linker.findings);
            steps::check_pause(&wait_ms, *data, linker.findings);
            Some(StepWork::Wait { wait_ms })
        }
        Work::WaitFor { event, timeout_ms: given } => {
            let event = steps::listening(linker, node, event, roots);
            let timeout_ms = optional(*given, |data| {
                linker.expressions(node).data_of(data, Want::Int, roots.scope())
            });
            let (event, timeout_ms) = (event?, timeout_ms?);
            if let (Some(template), Some(data)) = (&timeout_ms, given) {
                steps::check_pause(template, *data, linker.findings);
            }
            for template in [&event.when, &timeout_ms].into_iter().flatten() {
                outputs.check(at, declared, template, linker.findings);
            }
            Some(StepWork::WaitFor { event, timeout_ms })
        }
        Work::Fail { code, message } => {
            let told = [*code, *message]
                .map(|data| linker.expressions(node).data(data, Place::Data, roots.scope()));
            let [code, message] = told;
            let (code, message) = (code?, message?);
            for template in [&code, &message] {
                outputs.check(at, declared, template, linker.findings);
            }
            Some(StepWork::Fail { code, message })
        }
    }
}

fn operation_of(
    linker: &Linker<'_, '_, '_>,
    contract: &Contract<'_>,
    effect: &Word,
    operation: Option<&Word>,
) -> Option<(NodeIndex, u16, Text)> {
    let (target, index) = linker.system.operation(effect, operation)?;
    let operations = &linker.system.contracts[target].effect.as_ref()?.operations;
    let topic = intent_topic(contract.name.as_str(), operations[index].name.as_str()).into();
    Some((node_index(target)?, u16::try_from(index).ok()?, topic))
}

fn dependents(steps: &mut [Step]) -> Option<()> {
    for at in 0..steps.len() {
        for before in steps[at].depends_on.clone() {
            steps[usize::from(before)].dependents.push(u16::try_from(at).ok()?);
        }
    }
    Some(())
}
