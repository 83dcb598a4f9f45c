//! Effects: kinds, requests, answers, retries, breakers, triggers.

use onex_expr::{Key, Value};

use super::meant;
use super::reducer::twice;
use crate::catalog::EffectKind;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::link::{BREAKER_TIMEOUT_MS, OPERATION_TIMEOUT_MS};
use crate::model::{At, CompensationRule, EffectOperation, Word, Work};
use crate::schema::Schema;
use crate::system::{System, idempotent, verb};
use crate::yaml::{Node, Tree};

/// Kinds of the language that this version does not perform.
const NOT_BUILT: [&str; 11] = [
    "consul",
    "db",
    "infisical",
    "kafka",
    "llm",
    "logger",
    "postgres",
    "process",
    "slack",
    "sqlite",
    "vault",
];

/// Operations whose kind the host has.
fn of_known_kind<'s, 'a>(
    system: &'s System<'a>,
) -> impl Iterator<Item = (&'s EffectOperation<'a>, &'a EffectKind)> {
    system.operations().filter_map(|(_, operation)| {
        Some((operation, system.catalog.effects.get(operation.io.kind.as_str())?))
    })
}

/// A kind that the host does not have.
pub(super) fn unknown_kind(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, operation) in system.operations() {
        let kind = &operation.io.kind;
        if system.catalog.effects.contains_key(kind.as_str()) {
            continue;
        }
        if NOT_BUILT.contains(&kind.as_str()) && findings.is_translated(kind.at.file) {
            let message = format!("this host has no effect `{}`", kind.as_str());
            let help = "the node is left out until a host has it; the others run";
            findings.error(code::UNKNOWN_KIND, kind.at, message).help(help);
            continue;
        }
        if NOT_BUILT.contains(&kind.as_str()) {
            findings.not_built(kind.at, &format!("handler_type: {}", kind.as_str()));
            continue;
        }
        let known: Vec<&str> = system.catalog.effects.keys().copied().collect();
        let help = meant(kind.as_str(), known.iter().copied(), || {
            format!("this host has {}", known.join(", "))
        });
        let message = format!("unknown handler_type `{}`", kind.as_str());
        findings.error(code::UNKNOWN_KIND, kind.at, message).help(help);
    }
}

/// A request that its kind does not take. What an expression yields is not known and not judged.
pub(super) fn io_config(system: &System<'_>, findings: &mut Findings<'_>) {
    for (operation, kind) in of_known_kind(system) {
        let Ok(schema) = Schema::from_json(kind.config_schema) else {
            continue;
        };
        let document = schema.document();
        let closed = document.get("additionalProperties").and_then(Value::as_bool) == Some(false);
        let fields: Vec<&str> = match document.get("properties").and_then(Value::as_map) {
            Some(properties) if closed => {
                properties.iter().filter_map(|(key, _)| name(key)).collect()
            }
            _ => operation.io.fields.iter().map(|(name, _)| name.as_str()).collect(),
        };
        let mut known = operation.io.node.clone();
        if let Tree::Map(entries) = &mut known.tree {
            entries.retain(|entry| COMMON.contains(&&*entry.key) || fields.contains(&&*entry.key));
        }
        let given = operation.io.fields.iter().map(|(name, _)| name);
        for field in given.filter(|field| !fields.contains(&field.as_str())) {
            let help = meant(field.as_str(), fields.iter().copied(), || {
                format!("it has {}", fields.join(", "))
            });
            let message = format!("`{}` has no field `{}`", kind.name, field.as_str());
            findings.error(code::IO_CONFIG_MISFIT, field.at, message).help(help);
        }
        for misfit in schema.validate(&known.to_value()).err().unwrap_or_default() {
            let (node, at) = place(operation, &misfit.at);
            if !holds_expression(node) {
                let message = format!("`{}` does not take this: {}", kind.name, misfit.message);
                findings.error(code::IO_CONFIG_MISFIT, at, message);
            }
        }
    }
}

/// Fields that every kind has.
const COMMON: [&str; 2] = ["handler_type", "timeout_ms"];

fn name(key: &Key) -> Option<&str> {
    match key {
        Key::String(name) => Some(name),
        _ => None,
    }
}

/// The node that a JSON pointer into the request means, or the nearest one above it.
fn place<'a>(operation: &EffectOperation<'a>, pointer: &str) -> (&'a Node, At) {
    let mut node = operation.io.node;
    let mut at = operation.io.at;
    for part in pointer.split('/').skip(1) {
        let name = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.tree {
            Tree::List(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
            _ => node.get(&name),
        };
        let Some(next) = next else { break };
        node = next;
        at = At::new(at.file, &node.span);
    }
    (node, at)
}

fn holds_expression(node: &Node) -> bool {
    matches!(&node.tree, Tree::String(text) if text.contains("${"))
}

/// A request that needs a body and has none.
pub(super) fn body_missing(system: &System<'_>, findings: &mut Findings<'_>) {
    for (operation, kind) in of_known_kind(system) {
        let Some(verb) = verb(operation, kind) else {
            continue;
        };
        let needs = kind.body_verbs.iter().any(|known| known.eq_ignore_ascii_case(&verb));
        let has = operation.io.fields.iter().any(|(name, _)| name.as_str() == "body");
        if needs && !has {
            findings
                .error(code::BODY_MISSING, operation.io.kind.at, format!("{verb} needs a `body`"))
                .help("add `body: ...`, or `body: null` for none");
        }
    }
}

/// Two operations of one effect with one name.
pub(super) fn duplicate_operation(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, effect) in system.effects() {
        twice(effect.operations.iter().map(|operation| &operation.name), "operation", findings);
    }
}

/// Retries of an operation that must not be repeated.
pub(super) fn retry_not_idempotent(system: &System<'_>, findings: &mut Findings<'_>) {
    for (operation, kind) in of_known_kind(system) {
        let Some(policy) = operation.retry.as_ref().filter(|policy| policy.retries()) else {
            continue;
        };
        if !idempotent(operation, kind) {
            let name = operation.name.as_str();
            let message = format!("`{name}` is not idempotent: it is never tried again");
            findings.error(code::RETRY_NOT_IDEMPOTENT, policy.at, message).help(
                "send the key (`headers: {Idempotency-Key: \"${envelope.id}\"}`) or say `idempotent: true` if the target takes repeats",
            );
        }
    }
}

/// A breaker that stays open for longer than the operation lasts.
pub(super) fn breaker_too_slow(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, operation) in system.operations() {
        let Some(breaker) = operation.breaker.as_ref().filter(|breaker| breaker.enabled) else {
            continue;
        };
        let open = breaker.timeout_ms.as_ref().map_or(BREAKER_TIMEOUT_MS, |ms| ms.value);
        let lasts = operation.timeout_ms.as_ref().map_or(OPERATION_TIMEOUT_MS, |ms| ms.value);
        if open >= lasts {
            let at = breaker.timeout_ms.as_ref().map_or(breaker.at, |ms| ms.at);
            let message = format!(
                "the breaker stays open for {open} ms, the operation ends after {lasts} ms"
            );
            findings.warning(code::BREAKER_TOO_SLOW, at, message).help(
                "make the breaker's `timeout_ms` smaller than `operation_timeout_ms`: no attempt would come after it opened",
            );
        }
    }
}

/// Rules about statuses where answers have none.
pub(super) fn no_status(system: &System<'_>, findings: &mut Findings<'_>) {
    for (operation, kind) in of_known_kind(system).filter(|(_, kind)| !kind.has_status) {
        let response = &operation.response;
        let codes = response.success_codes.iter().map(|codes| codes.at);
        for at in codes.chain(response.refusals.iter().map(|refusal| refusal.at)) {
            let message = format!("answers of `{}` have no status", kind.name);
            findings.error(code::NO_STATUS, at, message).help("leave this out");
        }
    }
}

/// A status that two rules judge.
pub(super) fn code_twice(system: &System<'_>, findings: &mut Findings<'_>) {
    for (_, operation) in system.operations() {
        let response = &operation.response;
        let success = response.success_codes.as_ref().map(|codes| codes.value.as_slice());
        let mut seen: Vec<u16> = success.unwrap_or_default().to_vec();
        for refusal in &response.refusals {
            for code in &refusal.codes {
                if seen.contains(code) {
                    let message = format!("{code} is judged by another rule already");
                    findings
                        .error(code::CODE_TWICE, refusal.at, message)
                        .help("name each status once, in `success_codes` or in one refusal");
                }
                seen.push(*code);
            }
        }
    }
}

/// An operation that no intent, topic, step or compensation triggers.
pub(super) fn never_triggered(system: &System<'_>, findings: &mut Findings<'_>) {
    let used = used_by_steps(system);
    for (node, contract) in system.contracts.iter().enumerate() {
        let Some(effect) = &contract.effect else {
            continue;
        };
        for (index, operation) in effect.operations.iter().enumerate() {
            let emitted = |intent: &Word| {
                system.intents.get(&intent.value).is_some_and(|uses| !uses.emitters.is_empty())
            };
            let triggered = operation.on_topic.is_some()
                || operation.on_intent.as_ref().is_some_and(emitted)
                || used.contains(&(node, index));
            if triggered {
                continue;
            }
            let message = format!("nothing triggers the operation `{}`", operation.name.as_str());
            let help = match &operation.on_intent {
                Some(intent) => format!("no reducer emits the intent `{}`", intent.as_str()),
                None => "give it `on_intent` or `on_topic`, or use it in a step".to_owned(),
            };
            findings.warning(code::NEVER_TRIGGERED, operation.name.at, message).help(help);
        }
    }
}

fn used_by_steps(system: &System<'_>) -> Vec<(usize, usize)> {
    let mut used = Vec::new();
    for (_, workflow) in system.workflows() {
        for step in &workflow.nodes {
            let Some(Work::Effect { node, operation }) = &step.work else {
                continue;
            };
            used.extend(system.operation(node, operation.as_ref()));
            if let Some(CompensationRule::Operation { node: other, operation, .. }) =
                &step.compensation
            {
                used.extend(system.operation(other.as_ref().unwrap_or(node), operation.as_ref()));
            }
        }
    }
    used
}
