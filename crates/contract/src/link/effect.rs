//! Effects: requests, answers, retries, breakers.

use onex_expr::{Place, Template, Text, Type};

use super::Linker;
use super::expression::{Expressions, Want};
use super::scope::{self, Roots};
use super::types::{self, object};
use crate::catalog::EffectKind;
use crate::graph::roots::effect as slot;
use crate::graph::{Backoff, Breaker, Effect, Operation, Published, Refusal, Retry};
use crate::model::{
    BreakerPolicy, Contract, EffectOperation, EffectOperations, Publication, RefusalRule,
    RetryPolicy,
};
use crate::schema::Schema;
use crate::system::{default_publication, idempotent};

/// Bounds one attempt unless the contract says otherwise.
pub(crate) const ATTEMPT_TIMEOUT_MS: u64 = 10_000;
/// Bounds all attempts unless the contract says otherwise.
pub(crate) const OPERATION_TIMEOUT_MS: u64 = 30_000;
/// How long a breaker stays open unless the contract says otherwise.
pub(crate) const BREAKER_TIMEOUT_MS: u64 = 60_000;
/// Statuses that are success unless the contract says otherwise.
const SUCCESS_CODES: [u16; 4] = [200, 201, 202, 204];

/// Links an effect; `None` when something in it could not be.
pub(super) fn link(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    effect: &EffectOperations<'_>,
) -> Option<Effect> {
    let operations = effect.operations.iter();
    let operations: Vec<Option<Operation>> =
        operations.map(|declared| link_one(linker, node, contract, declared)).collect();
    operations.into_iter().collect::<Option<Vec<_>>>().map(|operations| Effect { operations })
}

/// One operation, for which `linker.given` is what its callers give.
pub(super) fn link_one(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    declared: &EffectOperation<'_>,
) -> Option<Operation> {
    let kind = linker.system.catalog.effects.get(declared.io.kind.as_str())?;
    let given = linker.input().unwrap_or(Type::Dyn);
    let places = Places::of(linker.response_type(kind), given);
    operation(&mut linker.expressions(node), contract, declared, kind, &places)
}

/// The type of an operation's output: `extract`, else the outcome's payload, else the body.
pub(super) fn output_type(operation: &Operation, response: &Type) -> Type {
    let outcome = operation.outcome.as_ref().and_then(|outcome| outcome.payload.as_ref());
    match operation.extract.as_ref().or(outcome) {
        Some(template) => types::of_template(template),
        None => match response {
            Type::Object(fields) => {
                fields.fields.get("body").map_or(Type::Dyn, |field| field.ty.clone())
            }
            _ => Type::Dyn,
        },
    }
}

/// What expressions see in each place of an operation.
struct Places {
    /// In `io_config`.
    asked: Roots,
    /// In `extract` and `outcome`.
    answered: Roots,
    /// In refusals.
    refused: Roots,
    /// In `on_exhausted`.
    failed: Roots,
}

impl Places {
    fn of(response: Type, given: Type) -> Places {
        let base = Roots::new(&slot::NAMES)
            .with(slot::INPUT, given.clone())
            .with(slot::PAYLOAD, given)
            .with(slot::ENVELOPE, scope::envelope())
            .with(slot::NOW, Type::Timestamp);
        let [code, message] = scope::fault();
        let error = object([code, message, ("attempts", Type::Int)]);
        let answered = base.clone().with(slot::RESPONSE, response);
        Places {
            refused: answered.clone().with(slot::ERROR, error.clone()),
            answered,
            failed: base.clone().with(slot::ERROR, error),
            asked: base.with(slot::SECRET, Type::Dyn),
        }
    }
}

fn operation(
    expressions: &mut Expressions<'_, '_>,
    contract: &Contract<'_>,
    declared: &EffectOperation<'_>,
    kind: &EffectKind,
    places: &Places,
) -> Option<Operation> {
    let answer = &declared.response;
    let request = request(expressions, declared, kind, &places.asked);
    let idempotency_key = idempotency_key(expressions, declared, kind, &places.asked);
    let extract = match answer.extract {
        Some(data) => expressions.data_of(data, Want::Map, places.answered.scope()).map(Some),
        None => Some(None),
    };
    let outcome = published(expressions, answer.outcome.as_ref(), &places.answered);
    let refusals = refusals(expressions, &answer.refusals, &places.refused);
    let on_exhausted = published(expressions, declared.on_exhausted.as_ref(), &places.failed);
    let request = request?;
    let secrets = secrets(&request);
    let idempotent = idempotent(declared, kind);
    let default = default_publication(contract);
    let success = answer.success_codes.as_ref().map(|codes| codes.value.clone());
    Some(Operation {
        name: declared.name.value.clone(),
        kind: declared.io.kind.value.clone(),
        secrets,
        request,
        idempotency_key: idempotency_key?,
        attempt_timeout_ms: declared.io.timeout_ms.unwrap_or(ATTEMPT_TIMEOUT_MS),
        timeout_ms: declared.timeout_ms.as_ref().map_or(OPERATION_TIMEOUT_MS, |ms| ms.value),
        idempotent,
        retry: retry(declared.retry.as_ref(), idempotent),
        breaker: declared.breaker.as_ref().and_then(breaker),
        ordered: declared.ordered,
        has_status: kind.has_status,
        success_codes: success.unwrap_or_else(|| SUCCESS_CODES.to_vec()),
        extract: extract?,
        outcome: outcome?.or_else(|| {
            default.map(|topic| Published { topic: topic.value.clone(), payload: None })
        }),
        refusals: refusals?,
        on_exhausted: on_exhausted?,
    })
}

fn refusals(
    expressions: &mut Expressions<'_, '_>,
    rules: &[RefusalRule<'_>],
    roots: &Roots,
) -> Option<Vec<Refusal>> {
    let refusals: Vec<Option<Refusal>> = rules
        .iter()
        .map(|rule| {
            let outcome = published(expressions, rule.outcome.as_ref(), roots)?;
            Some(Refusal { codes: rule.codes.clone(), outcome })
        })
        .collect();
    refusals.into_iter().collect()
}

fn request(
    expressions: &mut Expressions<'_, '_>,
    declared: &EffectOperation<'_>,
    kind: &EffectKind,
    roots: &Roots,
) -> Option<Template> {
    let fields: Vec<Option<(Text, Template)>> = declared
        .io
        .fields
        .iter()
        .map(|(name, data)| {
            let place = if kind.url_fields.contains(&name.as_str()) {
                Place::Url
            } else if kind.path_fields.contains(&name.as_str()) {
                Place::Path
            } else {
                Place::Data
            };
            let template = expressions.data(*data, place, roots.scope())?;
            Some((name.value.clone(), template))
        })
        .collect();
    fields.into_iter().collect::<Option<Vec<_>>>().map(Template::map)
}

/// The key of the target: outer `None` when it could not be compiled. A kind that asks no URL has no
/// header for it.
fn idempotency_key(
    expressions: &mut Expressions<'_, '_>,
    declared: &EffectOperation<'_>,
    kind: &EffectKind,
    roots: &Roots,
) -> Option<Option<Template>> {
    let Some(data) = declared.idempotency_key else {
        return Some(None);
    };
    if kind.url_fields.is_empty() {
        let name = format!("idempotency_key of handler_type {}", kind.name);
        expressions.findings.not_built(data.at, &name);
        return None;
    }
    expressions.cel(data, Want::Key, roots.clone().without(slot::SECRET).scope()).map(Some)
}

/// A message of an end: outer `None` when it could not be compiled.
fn published(
    expressions: &mut Expressions<'_, '_>,
    publication: Option<&Publication<'_>>,
    roots: &Roots,
) -> Option<Option<Published>> {
    let Some(publication) = publication else {
        return Some(None);
    };
    let payload = match publication.payload {
        Some(data) => Some(expressions.data(data, Place::Data, roots.scope())?),
        None => None,
    };
    Some(Some(Published { topic: publication.topic.value.clone(), payload }))
}

fn secrets(request: &Template) -> Vec<Text> {
    let mut names: Vec<Text> = request
        .paths(slot::SECRET)
        .into_iter()
        .filter_map(|path| path.into_iter().next())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn retry(policy: Option<&RetryPolicy>, idempotent: bool) -> Retry {
    let off = !idempotent || policy.is_some_and(|policy| !policy.enabled);
    let given = |field: fn(&RetryPolicy) -> Option<u64>| policy.and_then(field);
    Retry {
        max_retries: if off { 0 } else { policy.and_then(|p| p.max_retries).unwrap_or(3) },
        backoff: policy.and_then(|p| p.backoff).unwrap_or(Backoff::Exponential),
        base_delay_ms: given(|p| p.base_delay_ms).unwrap_or(1_000),
        max_delay_ms: given(|p| p.max_delay_ms).unwrap_or(30_000),
        jitter_factor: policy.and_then(|p| p.jitter_factor).unwrap_or(0.1),
        status_codes: policy.and_then(|p| p.status_codes.clone()),
    }
}

fn breaker(policy: &BreakerPolicy) -> Option<Breaker> {
    policy.enabled.then(|| Breaker {
        failure_threshold: policy.failure_threshold.unwrap_or(5),
        success_threshold: policy.success_threshold.unwrap_or(2),
        timeout_ms: policy.timeout_ms.as_ref().map_or(BREAKER_TIMEOUT_MS, |ms| ms.value),
        half_open_requests: policy.half_open_requests.unwrap_or(3),
    })
}

/// What a kind's answers are, by its own schema.
pub(super) fn response_type(schema: Option<&Schema>) -> Type {
    schema.map_or(Type::Dyn, |schema| schema.ty().clone())
}
