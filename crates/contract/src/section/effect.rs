//! `effect_operations`: operations, their answers, retries and breakers.

use super::fields::Fields;
use super::identity::{NAME_HELP, is_name};
use super::publication;
use super::reading::Reading;
use crate::diagnostic::code;
use crate::graph::Backoff;
use crate::model::{
    BreakerPolicy, Contract, EffectOperation, EffectOperations, IoConfig, RefusalRule,
    ResponseHandling, RetryPolicy,
};
use crate::yaml::Node;

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`effect_operations`") else {
        return;
    };
    fields.descriptive(&["subcontract_name", "version", "description"]);
    let mut operations = Vec::new();
    for item in fields.items("operations") {
        operations.extend(operation(fields.reading, item));
    }
    fields.not_built(&[
        "execution_mode",
        "default_retry_policy",
        "default_circuit_breaker",
        "transaction",
        "circuit_breaker",
    ]);
    let schema = fields.get("input_schema");
    match schema.and_then(|schema| schema.get("required_fields")) {
        Some(wanted) if !wanted.items().is_empty() => {
            let at = fields.reading.at(&wanted.span);
            fields.reading.findings.not_built(at, "required_fields");
        }
        _ => fields.not_enforced(&["input_schema"]),
    }
    fields.not_enforced(&["observability", "deterministic", "metadata"]);
    if fields.get("operations").is_none() {
        fields.missing("operations");
    }
    fields.close();
    contract.effect = Some(EffectOperations { operations });
}

fn operation<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<EffectOperation<'a>> {
    let mut fields = Fields::open(reading, node, "the operation")?;
    let name = fields.required_word("operation_name");
    fields.descriptive(&["description"]);
    let on_intent = fields.word("on_intent");
    let on_topic = fields.word("on_topic");
    let idempotent = fields.flag("idempotent");
    let ordered = fields.flag("ordered").is_none_or(|flag| flag.value);
    let io = match fields.get("io_config") {
        Some(node) => io_config(fields.reading, node),
        None => {
            fields.missing("io_config");
            None
        }
    };
    let response = match fields.get("response_handling") {
        Some(node) => response_handling(fields.reading, node),
        None => ResponseHandling::default(),
    };
    let timeout_ms = fields.millis("operation_timeout_ms", 1);
    let retry = fields.get("retry_policy").and_then(|node| retry_policy(fields.reading, node));
    let breaker =
        fields.get("circuit_breaker").and_then(|node| circuit_breaker(fields.reading, node));
    let on_exhausted =
        fields.get("on_exhausted").and_then(|node| publication::read(fields.reading, node));
    let idempotency_key = fields.cel("idempotency_key");
    if on_intent.is_none() && on_topic.is_none() {
        fields.idle(&["ordered"], "only intents of reducers and topics have an order");
    }
    fields.not_enforced(&["correlation_id", "metadata"]);
    if let Some(name) = name.as_ref().filter(|name| !is_name(name.as_str())) {
        let message = format!("`{}` cannot be an operation's name", name.as_str());
        fields.reading.findings.error(code::BAD_NAME, name.at, message).help(NAME_HELP);
    }
    fields.close();
    Some(EffectOperation {
        name: name?,
        on_intent,
        on_topic,
        idempotent,
        idempotency_key,
        ordered,
        io: io?,
        response,
        timeout_ms,
        retry,
        breaker,
        on_exhausted,
    })
}

fn io_config<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<IoConfig<'a>> {
    if matches!(node.tree, crate::yaml::Tree::List(_)) {
        let at = reading.at(&node.span);
        reading.findings.not_built(at, "io_config as a list");
        return None;
    }
    let mut fields = Fields::open(reading, node, "`io_config`")?;
    let kind = fields.required_word("handler_type");
    let timeout_ms = fields.millis("timeout_ms", 1).map(|timeout| timeout.value);
    let at = fields.at();
    let rest = fields.rest();
    Some(IoConfig { node, at, kind: kind?, timeout_ms, fields: rest })
}

fn response_handling<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> ResponseHandling<'a> {
    let Some(mut fields) = Fields::open(reading, node, "`response_handling`") else {
        return ResponseHandling::default();
    };
    let success_codes = fields.statuses("success_codes");
    let extract = fields.cel("extract");
    let outcome = fields.get("outcome").and_then(|node| publication::read(fields.reading, node));
    let mut refusals = Vec::new();
    for item in fields.items("refusals") {
        refusals.extend(refusal(fields.reading, item));
    }
    fields.not_built(&["schema", "extract_fields", "extraction_engine", "fail_on_empty"]);
    fields.close();
    ResponseHandling { success_codes, extract, outcome, refusals }
}

fn refusal<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<RefusalRule<'a>> {
    let mut fields = Fields::open(reading, node, "the refusal")?;
    let at = fields.head();
    fields.not_built(&["when"]);
    if fields.get("codes").is_none() && fields.get("when").is_none() {
        fields.missing("codes");
    }
    let codes = fields.statuses("codes").map(|codes| codes.value).unwrap_or_default();
    let outcome = fields.get("outcome").and_then(|node| publication::read(fields.reading, node));
    fields.close();
    Some(RefusalRule { at, codes, outcome })
}

fn retry_policy(reading: &mut Reading<'_, '_>, node: &Node) -> Option<RetryPolicy> {
    let mut fields = Fields::open(reading, node, "`retry_policy`")?;
    let policy = RetryPolicy {
        at: fields.at(),
        enabled: fields.flag("enabled").is_none_or(|flag| flag.value),
        max_retries: fields.count("max_retries", 0),
        backoff: fields
            .choice(
                "backoff_strategy",
                &[
                    ("exponential", Backoff::Exponential),
                    ("linear", Backoff::Linear),
                    ("fixed", Backoff::Fixed),
                ],
            )
            .map(|choice| choice.value),
        base_delay_ms: fields.millis("base_delay_ms", 1).map(|delay| delay.value),
        max_delay_ms: fields.millis("max_delay_ms", 1).map(|delay| delay.value),
        jitter_factor: fields.number("jitter_factor", 0.0, 0.5),
        status_codes: fields.statuses("retryable_status_codes").map(|codes| codes.value),
    };
    fields.not_built(&["retryable_errors"]);
    if !policy.enabled {
        fields.idle(&RETRY_KEYS, "the policy is not `enabled`");
    }
    fields.close();
    if policy.max_retries.is_some_and(|retries| retries > RETRIES_MAX) {
        let message = format!("`max_retries` is at most {RETRIES_MAX}");
        reading.error(code::BAD_VALUE, node, message);
    }
    Some(policy)
}

/// Keys of a policy beside `enabled`.
const RETRY_KEYS: [&str; 6] = [
    "max_retries",
    "backoff_strategy",
    "base_delay_ms",
    "max_delay_ms",
    "jitter_factor",
    "retryable_status_codes",
];

/// Most retries of one operation.
const RETRIES_MAX: u32 = 100;

fn circuit_breaker(reading: &mut Reading<'_, '_>, node: &Node) -> Option<BreakerPolicy> {
    let mut fields = Fields::open(reading, node, "`circuit_breaker`")?;
    let policy = BreakerPolicy {
        at: fields.at(),
        enabled: fields.flag("enabled").is_some_and(|flag| flag.value),
        failure_threshold: fields.count("failure_threshold", 1),
        success_threshold: fields.count("success_threshold", 1),
        timeout_ms: fields.millis("timeout_ms", 1),
        half_open_requests: fields.count("half_open_requests", 1),
    };
    if !policy.enabled {
        let keys = ["failure_threshold", "success_threshold", "timeout_ms", "half_open_requests"];
        fields.idle(&keys, "a breaker acts with `enabled: true`");
    }
    fields.close();
    Some(policy)
}
