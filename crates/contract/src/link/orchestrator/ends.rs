//! How a run ends: its result, the messages that tell of it, and what undoes its steps.

use onex_expr::{Place, Template, Text, Type};

use super::super::Linker;
use super::super::callers::Called;
use super::super::expression::Want;
use super::super::scope::{self, Roots};
use super::super::types::{self, nullable, object};
use super::steps::listening;
use super::{operation_of, optional};
use crate::graph::roots::orchestrator as slot;
use crate::graph::{Compensation, Listening, Outcomes};
use crate::model::{CompensationRule, Contract, GraphNode, Publication, Work, Workflow};

/// How a step is undone.
pub(super) fn compensation(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    declared: &GraphNode<'_>,
    output: Type,
    all: &Roots,
) -> Option<Compensation> {
    let (effect, operation, input) = match &declared.compensation {
        None => return Some(Compensation::Unsaid),
        Some(CompensationRule::Nothing) => return Some(Compensation::Nothing),
        Some(CompensationRule::Operation { node, operation, input, .. }) => {
            (node, operation, input)
        }
    };
    let own = match &declared.work {
        Some(Work::Effect { node, .. }) => Some(node),
        _ => None,
    };
    let undone = object([
        ("input", Type::Dyn),
        ("output", nullable(output)),
        ("intent_id", Type::String),
        ("status", Type::String),
    ]);
    let roots = all.clone().with(slot::STEP, undone);
    let given = *input;
    let input =
        optional(given, |data| linker.expressions(node).data(data, Place::Data, roots.scope()));
    let (node, operation, topic) =
        operation_of(linker, contract, effect.as_ref().or(own)?, operation.as_ref())?;
    if let (Some(Some(template)), Some(data)) = (&input, given) {
        let made = types::of_template(template);
        linker.call(Called::Operation(node, operation), &made, data.at);
    }
    Some(Compensation::Operation { node, operation, topic, input: input? })
}

/// Notes what undoes a step is given, where that is what the step was given.
pub(super) fn undone_as_given(
    linker: &mut Linker<'_, '_, '_>,
    contract: &Contract<'_>,
    declared: &GraphNode<'_>,
    given: &Type,
) {
    if let (
        Some(Work::Effect { node: own, .. }),
        Some(CompensationRule::Operation { node, operation, input: None, .. }),
    ) = (&declared.work, &declared.compensation)
        && let Some((node, operation, _)) =
            operation_of(linker, contract, node.as_ref().unwrap_or(own), operation.as_ref())
    {
        let at = declared.input.map_or(declared.id.at, |data| data.at);
        linker.call(Called::Operation(node, operation), given, at);
    }
}

/// The result's fields: inner `None` when the contract does not say them.
pub(super) fn result(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    workflow: &Workflow<'_>,
    roots: &Roots,
) -> Option<Option<Template>> {
    let Some(data) = workflow.result else {
        return Some(None);
    };
    let template = linker.expressions(node).data_of(data, Want::Map, roots.scope())?;
    let system = linker.system;
    if let Some(schema) = system.schema_of(contract.output_model.as_ref()) {
        linker.fits(
            &types::of_template(&template),
            schema,
            data.at,
            "the result",
            "`output_model`",
        );
    }
    Some(Some(template))
}

/// The events that cancel a run.
pub(super) fn cancel_on(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    workflow: &Workflow<'_>,
    roots: &Roots,
) -> Option<Vec<Listening>> {
    let events = workflow.cancel_on.iter();
    let linked: Vec<_> = events.map(|event| listening(linker, node, event, roots)).collect();
    linked.into_iter().collect()
}

/// The messages that end a run.
pub(super) fn outcomes(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    workflow: &Workflow<'_>,
    roots: &Roots,
    (said, yielded): (Type, Type),
) -> Option<Outcomes> {
    let [code, message] = scope::fault();
    let error = object([code, message, ("step", nullable(Type::String))]);
    let roots = roots.clone().with(slot::RESULT, nullable(said)).with(slot::ERROR, nullable(error));
    let declared = &workflow.outcomes;
    let fault = types::plus(&roots.scope().roots[slot::INPUT].ty, "error");
    let completed = publication(linker, node, declared.completed.as_ref(), &roots, &yielded);
    let failed = publication(linker, node, declared.failed.as_ref(), &roots, &fault);
    let cancelled = publication(linker, node, declared.cancelled.as_ref(), &roots, &fault);
    let failed = failed?;
    Some(Outcomes {
        completed: completed?,
        cancelled: cancelled?.or_else(|| failed.clone()),
        failed,
    })
}

fn publication(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    declared: Option<&Publication<'_>>,
    roots: &Roots,
    otherwise: &Type,
) -> Option<Option<(Text, Option<Template>)>> {
    let Some(declared) = declared else {
        return Some(None);
    };
    let mut expressions = linker.expressions(node);
    let payload =
        optional(declared.payload, |data| expressions.data(data, Place::Data, roots.scope()))?;
    if let Some(template) = &payload {
        let made = types::of_template(template);
        linker.fits_topic(&made, declared.topic.as_str(), declared.topic.at);
    }
    let made = payload.as_ref().map_or(otherwise.clone(), types::of_template);
    linker.tell(&declared.topic, made);
    Some(Some((declared.topic.value.clone(), payload)))
}
