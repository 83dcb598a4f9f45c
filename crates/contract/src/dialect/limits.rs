//! What a file says of all of a node's work at once: `descriptor`, `error_handling`,
//! `retry_policy`, `quarantine`, `validation`.
//!
//! It acts where an operation or a run has a place for it, and says nothing of its own. What would
//! keep work back and has no place stays in the normal form, which refuses the node.

use crate::dialect::{made::node, switch, translate::Translation};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::yaml::{Entry, Node, Tree};

/// Limits of work that does not say its own.
#[derive(Clone, Default)]
pub(super) struct Limits {
    /// How long an operation, or a run, may take.
    pub timeout: Option<Node>,
    /// Whether operations may be performed twice.
    pub idempotent: Option<Node>,
    /// How operations are tried again.
    pub retry: Option<Node>,
    /// When operations are not tried.
    pub breaker: Option<Node>,
    /// Keys of the file that were read here: they do more than document.
    pub read: Vec<&'static str>,
}

/// Reads the limits of a node that has work here which can keep them.
pub(super) fn read(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let is_effect = made.kind == Some(Kind::Effect);
    if is_aside(fields.node()) {
        fields.acts(&["quarantine"]);
        made.limits.read.push("quarantine");
    }
    if !acts(fields, made.kind) {
        return;
    }
    if let Some(descriptor) = fields.get("descriptor")
        && let Some(mut inner) = Fields::open(fields.reading, descriptor, "`descriptor`")
    {
        made.limits.read.push("descriptor");
        made.limits.timeout = inner.get("timeout_ms").cloned();
        if is_effect {
            made.limits.idempotent = inner.get("idempotent").cloned();
            policies(&mut inner, &mut made.limits);
        }
        side_by_side(&mut inner, made);
        inner.not_enforced(&DESCRIBES);
    }
    if !is_effect {
        return;
    }
    if let Some(handling) = fields.get("error_handling")
        && let Some(mut inner) = Fields::open(fields.reading, handling, "`error_handling`")
    {
        made.limits.read.push("error_handling");
        policies(&mut inner, &mut made.limits);
    }
    made.limits.read.push("retry_policy");
    made.limits.retry = made.limits.retry.take().or(fields.get("retry_policy").cloned());
}

/// Keys of `descriptor` that only describe.
const DESCRIBES: [&str; 5] =
    ["node_archetype", "purity", "isolation_policy", "observability_level", "agent_invocation"];

/// Whether the file has work that could keep a limit.
fn acts(fields: &Fields<'_, '_, '_, '_>, kind: Option<Kind>) -> bool {
    let has = |key: &str| fields.node().get(key).is_some();
    match kind {
        Some(Kind::Effect) => has("effect_operations") || has("effect"),
        Some(Kind::Orchestrator) => has("workflow_coordination"),
        _ => false,
    }
}

fn policies(said: &mut Fields<'_, '_, '_, '_>, limits: &mut Limits) {
    let (retry, breaker) = (said.get("retry_policy"), said.get("circuit_breaker"));
    limits.retry = limits.retry.take().or(retry.cloned());
    limits.breaker = limits.breaker.take().or(breaker.cloned());
}

/// Policies under which work of different entities, or several runs, may go on side by side.
const SIDE_BY_SIDE: [&str; 5] = ["concurrent", "parallel", "parallel_ok", "unlimited", "none"];

/// Work of which only one may go on at a time: nothing here keeps that.
fn side_by_side(descriptor: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let Some(policy) = descriptor.get("concurrency_policy") else { return };
    let word = policy.as_str().unwrap_or_default().to_ascii_lowercase();
    match SIDE_BY_SIDE.contains(&word.as_str()) {
        true => descriptor.not_enforced(&["concurrency_policy"]),
        false => {
            let key = descriptor.key_span("concurrency_policy");
            made.out.free("concurrency_policy".into(), &key, policy.clone());
        }
    }
}

/// Rules about what comes in, of a node that has no guards to ask for them: they stay, and the
/// normal form refuses them.
pub(super) fn refuse(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let rules = fields.node().get("validation").and_then(|section| section.get("rules"));
    let is_asked = made.kind == Some(Kind::Reducer);
    if made.runs && !is_asked && rules.is_some_and(|rules| !rules.items().is_empty()) {
        made.out.keep(fields, &["validation"]);
    }
}

/// Whether a node is put aside: `quarantine: true`, or a section that says so.
pub(super) fn is_aside(root: &Node) -> bool {
    let Some(section) = root.get("quarantine") else { return false };
    match &section.tree {
        Tree::Map(_) => section.get("enabled").is_some() && !switch::is_off(section),
        Tree::Null | Tree::Bool(false) => false,
        Tree::Bool(true) => true,
        Tree::String(word) => {
            !["false", "no", "off", "none"].contains(&word.to_ascii_lowercase().as_str())
        }
        _ => true,
    }
}

impl Limits {
    /// An operation with the limits that it does not say itself.
    pub(super) fn of_operation(&self, item: &Node) -> Node {
        let Tree::Map(entries) = &item.tree else { return item.clone() };
        let mut entries = entries.clone();
        for (key, value) in
            [("operation_timeout_ms", &self.timeout), ("idempotent", &self.idempotent)]
        {
            if let (None, Some(value)) = (item.get(key), value) {
                let (key, key_span) = (key.into(), item.span.clone());
                entries.push(Entry { key, key_span, value: value.clone() });
            }
        }
        node(Tree::Map(entries), &item.span)
    }
}
