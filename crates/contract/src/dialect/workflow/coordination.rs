//! What a workflow says of itself besides its graph: metadata, rules, injected time.

use std::ops::Range;

use crate::diagnostic::code;
use crate::dialect::made::Made;
use crate::graph::Kind;
use crate::model::Word;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// What the rules of a workflow say.
#[derive(Default)]
pub(in crate::dialect) struct Rules {
    /// Those that the normal form has.
    pub out: Option<Node>,
    /// The timeout of a step that says none.
    pub step_timeout: Option<Node>,
    /// Whether a failed step does not stop the others.
    pub goes_on: bool,
    /// Whether nothing may run side by side, whatever the metadata say.
    pub in_order: bool,
    /// Whether a failed run is undone.
    pub compensates: bool,
}

impl Rules {
    /// Bounds the whole run.
    pub(in crate::dialect) fn put_timeout(&mut self, timeout: Node) {
        let at = timeout.span.clone();
        let mut out = Made::new(&at);
        out.put("timeout_ms", timeout);
        let added = out.done();
        match self.out.as_mut().map(|rules| &mut rules.tree) {
            Some(Tree::Map(entries)) => entries.extend_from_slice(added.entries()),
            _ => self.out = Some(added),
        }
    }
}

/// Reads `workflow_metadata`.
pub(in crate::dialect) fn metadata(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    rules: &Rules,
) -> Option<Node> {
    let mut fields = Fields::open(reading, section, "`workflow_metadata`")?;
    let mut out = Made::new(&section.span);
    out.keep(&mut fields, &["workflow_name", "description", "run_key"]);
    match rules.in_order {
        true => {
            fields.descriptive(&["execution_mode"]);
            fields.idle(&["execution_mode"], "the rules allow nothing side by side");
        }
        false => mode(&mut fields, &mut out),
    }
    out.keep(&mut fields, &["timeout_ms"]);
    fields.descriptive(&["version", "workflow_version"]);
    fields.not_enforced(&["author", "tags", "documentation_url", "workflow_hash"]);
    fields.close();
    Some(out.done())
}

/// Reads `coordination_rules`.
pub(in crate::dialect) fn rules(reading: &mut Reading<'_, '_>, section: &Node) -> Option<Rules> {
    let mut fields = Fields::open(reading, section, "`coordination_rules`")?;
    let mut out = Made::new(&section.span);
    let in_order = in_order(&mut fields, &mut out);
    mode(&mut fields, &mut out);
    let strategy = fields.word("failure_recovery_strategy");
    let goes_on = strategy.as_ref().is_some_and(|word| strategy_of(&mut fields, word, &mut out));
    if let (true, Some(word)) = (goes_on, &strategy) {
        fields.reading.acted(&word.at.span());
    }
    out.keep(
        &mut fields,
        &["timeout_ms", "max_retries", "retry_backoff_ms", "retry_backoff_multiplier"],
    );
    let step_timeout = fields.get("step_timeout_ms").cloned();
    fields.descriptive(&["version", "detect_cycles", "fail_on_cycle"]);
    fields.not_enforced(&RULES);
    fields.close();
    let out = out.done();
    let recovery = out.get("failure_recovery_strategy").and_then(Node::as_str);
    let compensates = recovery == Some("compensate");
    Some(Rules { out: Some(out), step_timeout, goes_on, in_order, compensates })
}

/// Rules that every run has here, or none.
const RULES: [&str; 15] = [
    "allow_partial_completion",
    "checkpoint_enabled",
    "checkpoint_interval_ms",
    "dependency_resolution_enabled",
    "emit_dependency_graph",
    "emit_step_metrics",
    "emit_workflow_events",
    "enable_load_balancing",
    "load_balance_strategy",
    "min_required_steps_completion_percent",
    "recovery_enabled",
    "resource_constraints",
    "rollback_enabled",
    "state_persistence_enabled",
    "synchronization_points",
];

/// Modes as they were spelled, and which of today's each is.
const MODES: [(&str, &str); 3] =
    [("sequential", "sequential"), ("parallel", "parallel"), ("batch", "parallel")];

fn mode(fields: &mut Fields<'_, '_, '_, '_>, out: &mut Made) {
    let Some(word) = fields.word("execution_mode") else { return };
    let lower = word.as_str().to_ascii_lowercase();
    match MODES.iter().find(|(old, _)| *old == lower) {
        Some((_, mode)) => {
            taken_for(fields, &word, &lower, mode);
            out.text("execution_mode", *mode, &word.at.span());
        }
        None => other(fields, &word, "the graph decides"),
    }
}

/// Where nothing may run side by side, the steps run in order, whatever the mode is.
fn in_order(fields: &mut Fields<'_, '_, '_, '_>, out: &mut Made) -> bool {
    let allowed = fields.flag("parallel_execution_allowed").filter(|allowed| !allowed.value);
    let mut at = allowed.map(|allowed| allowed.at.span());
    for key in ["max_parallel_branches", "max_parallel_steps"] {
        let one = fields.node().get(key).filter(|most| matches!(most.tree, Tree::Int(..=1)));
        match one {
            Some(one) => {
                fields.acts(&[key]);
                at = at.or_else(|| Some(one.span.clone()));
            }
            // What several may run side by side is bounded here too.
            None => out.keep(fields, &[key]),
        }
    }
    if let Some(at) = &at {
        out.text("execution_mode", "sequential", at);
        fields.idle(&["execution_mode"], "nothing may run side by side");
    }
    at.is_some()
}

/// Strategies as they were spelled; `None` for one that lets the other steps go on.
const STRATEGIES: [(&str, Option<&str>); 7] = [
    ("fail_fast", Some("fail_fast")),
    ("abort", Some("fail_fast")),
    ("retry", Some("retry")),
    ("compensate", Some("compensate")),
    ("rollback", Some("compensate")),
    ("none", None),
    ("continue", None),
];

fn strategy_of(fields: &mut Fields<'_, '_, '_, '_>, word: &Word, out: &mut Made) -> bool {
    let lower = word.as_str().to_ascii_lowercase();
    match STRATEGIES.iter().find(|(old, _)| *old == lower) {
        Some((_, Some(strategy))) => {
            taken_for(fields, word, &lower, strategy);
            out.text("failure_recovery_strategy", *strategy, &word.at.span());
            false
        }
        Some((_, None)) => true,
        None => {
            other(fields, word, "the first failed step ends the run");
            false
        }
    }
}

/// Notes a word whose meaning has another name here.
fn taken_for(fields: &mut Fields<'_, '_, '_, '_>, word: &Word, lower: &str, today: &str) {
    if lower != today {
        let message = format!("`{}` is taken for `{today}`", word.as_str());
        fields.reading.findings.note(code::NOT_ENFORCED, word.at, message);
    }
}

fn other(fields: &mut Fields<'_, '_, '_, '_>, word: &Word, instead: &str) {
    let message = format!("`{}` is not known: {instead}", word.as_str());
    fields.reading.findings.warning(code::BAD_VALUE, word.at, message);
}

/// `time_injection`: time is always that of the record here. Pure nodes could never have it.
pub(in crate::dialect) fn time_injection(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    key: &Range<usize>,
    kind: Option<Kind>,
) {
    let at = reading.at(key);
    if matches!(kind, Some(Kind::Reducer | Kind::Compute)) {
        reading
            .findings
            .error(code::WRONG_SECTION, at, "a node without effects cannot have `time_injection`")
            .help("it belongs to an orchestrator: move it to a node of its own");
        return;
    }
    if let Some(mut fields) = Fields::open(reading, section, "`time_injection`") {
        fields.descriptive(&["enabled", "source", "field", "description", "version"]);
        fields.close();
    }
    let message = "`time_injection` is not enforced: `now` is always the record's time";
    reading.findings.note(code::NOT_ENFORCED, at, message);
}
