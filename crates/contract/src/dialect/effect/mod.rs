//! `effect_operations`, or `effect` with one operation directly in it.

mod body;
mod io;
mod query;
mod response;
mod sandbox;
mod template;

use self::query::Query;
use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node},
    translate::Translation,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Translates the section.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    for key in ["effect_operations", "effect"] {
        let Some(section) = fields.get(key) else { continue };
        if made.out.has("effect_operations") || !matches!(section.tree, Tree::Map(_)) {
            fields.not_enforced(if key == "effect" { &["effect"] } else { &["effect_operations"] });
            continue;
        }
        let span = fields.key_span(key);
        let operations = match section.get("operations") {
            Some(_) => operations(fields.reading, section, made),
            None => single(fields.reading, section, made),
        };
        let Some(operations) = operations else { continue };
        made.out.free("effect_operations".into(), &span, operations);
        made.runs |= made.kind == Some(Kind::Effect);
    }
}

/// What a section says for operations that do not say it themselves.
#[derive(Clone, Copy, Default)]
struct Defaults<'n> {
    retry: Option<&'n Node>,
    breaker: Option<&'n Node>,
}

fn operations(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    made: &mut Translation,
) -> Option<Node> {
    let mut fields = Fields::open(reading, section, "`effect_operations`")?;
    let list = fields.get("operations")?;
    let limits = made.limits.clone();
    let breaker = fields.get("default_circuit_breaker").or(fields.get("circuit_breaker"));
    let defaults = Defaults {
        retry: fields.get("default_retry_policy").or(limits.retry.as_ref()),
        breaker: breaker.or(limits.breaker.as_ref()),
    };
    let mut out = Vec::new();
    let mut queries = Vec::new();
    for item in fields.items("operations") {
        let item = limits.of_operation(&io::spelled(item));
        queries.extend(query::read(fields.reading, &item));
        out.extend(operation(fields.reading, &item, defaults, made));
    }
    if let Some(transaction) = fields.get("transaction") {
        one_connection(fields.reading, transaction, &queries);
    }
    // Fields without which nothing may be performed: the normal form judges them.
    let schema = fields.get("input_schema").filter(|schema| {
        schema.get("required_fields").is_some_and(|wanted| !wanted.items().is_empty())
    });
    fields.descriptive(&["version", "subcontract_version", "subcontract_name", "description"]);
    fields.not_enforced(&[
        "deterministic",
        "execution_mode",
        "metadata",
        "observability",
        "transaction",
    ]);
    if schema.is_none() {
        fields.not_enforced(&["input_schema"]);
    }
    fields.close();
    let mut section = Made::new(&list.span);
    section.put("operations", node(Tree::List(out), &list.span));
    schema.into_iter().for_each(|schema| section.put("input_schema", schema.clone()));
    Some(section.done())
}

/// A transaction is of one connection, and of nothing but a database.
fn one_connection(reading: &mut Reading<'_, '_>, transaction: &Node, queries: &[Query]) {
    let enabled = transaction.get("enabled").is_some_and(query::is_true);
    if enabled && queries.iter().any(|query| !query.is_of_database) {
        reading
            .error(
                code::BAD_QUERY,
                transaction,
                "only operations of a database can be one transaction",
            )
            .help("leave `transaction` out, or give the other operations a node of their own");
        return;
    }
    let first = queries.first();
    let differs =
        queries.iter().any(|query| Some(&query.connection) != first.map(|q| &q.connection));
    if enabled && differs {
        reading
            .error(code::BAD_QUERY, transaction, "a transaction cannot span two connections")
            .help("use one `connection_name` in every operation");
    }
}

/// Keys of an operation that say what it does.
fn single(reading: &mut Reading<'_, '_>, section: &Node, made: &mut Translation) -> Option<Node> {
    // One operation alone spans no two connections; its query is judged all the same.
    let limits = made.limits.clone();
    let section = &limits.of_operation(&io::spelled(section));
    let _: Option<Query> = query::read(reading, section);
    let defaults = Defaults { retry: limits.retry.as_ref(), breaker: limits.breaker.as_ref() };
    let operation = operation(reading, section, defaults, made)?;
    let mut out = Made::new(&section.span);
    out.put("operations", node(Tree::List(vec![operation]), &section.span));
    Some(out.done())
}

fn operation(
    reading: &mut Reading<'_, '_>,
    item: &Node,
    defaults: Defaults<'_>,
    made: &mut Translation,
) -> Option<Node> {
    let mut fields = Fields::open(reading, item, "the operation")?;
    let mut out = Made::new(&item.span);
    out.keep(&mut fields, &["operation_name"]);
    let name = fields.word("name").or_else(|| fields.word("subcontract_name"));
    if let (false, Some(name)) = (out.has("operation_name"), name) {
        out.text("operation_name", name.value, &name.at.span());
    }
    out.keep(&mut fields, &["description", "on_intent", "on_topic", "idempotent", "ordered"]);
    taken_from(fields.reading, &mut out, item, made);
    let request = fields.get("io_config");
    let kind = request.and_then(|io| io.get("handler_type")).and_then(Node::as_str).unwrap_or("");
    let lists = item.get("metadata").and_then(|m| m.get("scan_mode")).is_some();
    if let Some(request) = request {
        template::judge(fields.reading, request);
        out.put("io_config", io::translate(fields.reading, request, lists)?);
    }
    if let Some(handling) = fields.get("response_handling")
        && let Some(handling) = response::translate(fields.reading, handling, kind)
    {
        out.put("response_handling", handling);
    }
    out.keep(&mut fields, &["operation_timeout_ms"]);
    let may_retry = request.is_some_and(|request| io::is_idempotent(item, request));
    let own = fields.get("retry_policy");
    if let Some(policy) = own.or(defaults.retry.filter(|_| may_retry)) {
        out.put("retry_policy", retry(fields.reading, policy, own.is_some())?);
    }
    let own = fields.get("circuit_breaker");
    if let Some(policy) = own.or(defaults.breaker) {
        out.put("circuit_breaker", breaker(fields.reading, policy)?);
    }
    out.keep(&mut fields, &["on_exhausted"]);
    fields.descriptive(&["version", "subcontract_version", "correlation_id", "operation_type"]);
    fields.not_enforced(&["metadata", "execution_mode", "observability", "transaction"]);
    fields.close();
    Some(out.done())
}

/// A topic that the file sends to this operation.
fn taken_from(reading: &mut Reading<'_, '_>, out: &mut Made, item: &Node, made: &mut Translation) {
    let name = item.get("operation_name").and_then(Node::as_str);
    if let Some(on) = item.get("on_topic").and_then(Node::as_str) {
        for listed in made.topics.subscribe.iter_mut().filter(|listed| listed.topic == on) {
            listed.used = true;
        }
    }
    for listed in &mut made.topics.subscribe {
        let Some(operation) = &listed.operation else { continue };
        if name == Some(operation.as_str()) && !out.has("on_topic") {
            out.text("on_topic", listed.topic.as_str(), &listed.at);
            listed.used = true;
            reading.acted(&operation.at.span());
        }
    }
}

fn retry(reading: &mut Reading<'_, '_>, policy: &Node, is_own: bool) -> Option<Node> {
    let mut fields = Fields::open(reading, policy, "`retry_policy`")?;
    let mut out = Made::new(&policy.span);
    out.keep(&mut fields, &["enabled", "max_retries", "backoff_strategy", "base_delay_ms"]);
    if let Some(delay) = fields.get("initial_delay_ms") {
        out.put("base_delay_ms", delay.clone());
    }
    out.keep(&mut fields, &["max_delay_ms", "jitter_factor", "retryable_status_codes"]);
    if is_own {
        fields.not_enforced(&["retryable_errors", "exponential_base", "retry_on"]);
    }
    fields.descriptive(&["version", "retryable_errors", "exponential_base", "retry_on"]);
    fields.close();
    Some(out.done())
}

fn breaker(reading: &mut Reading<'_, '_>, policy: &Node) -> Option<Node> {
    let mut fields = Fields::open(reading, policy, "`circuit_breaker`")?;
    let mut out = Made::new(&policy.span);
    out.keep(&mut fields, &["enabled", "failure_threshold", "success_threshold", "timeout_ms"]);
    for (old, new) in
        [("reset_timeout_ms", "timeout_ms"), ("half_open_max_requests", "half_open_requests")]
    {
        if let Some(value) = fields.get(old) {
            out.put(new, value.clone());
        }
    }
    out.keep(&mut fields, &["half_open_requests"]);
    fields.descriptive(&["version", "per_backend", "backends"]);
    fields.close();
    Some(out.done())
}
