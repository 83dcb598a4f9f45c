//! One step of a workflow, as a node of the graph or as an item of a list.

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    topic::name as topic_name,
    unguarded,
    workflow::coordination::Rules,
    workflow::order::Order,
    workflow::switches,
};
use crate::section::KINDS;
use crate::section::fields::Fields;
use crate::section::reading::{Reading, list};
use crate::yaml::{Node, Tree};

/// The steps of one workflow.
pub(in crate::dialect) struct Steps {
    owner: String,
    /// Whether each of them can be performed here.
    pub all_native: bool,
    /// The first handler that one names.
    pub foreign: Option<Node>,
    /// How long a run may take that says nothing itself.
    pub timeout: Option<Node>,
}

impl Steps {
    /// None yet.
    pub(in crate::dialect) fn new(owner: &str) -> Steps {
        Steps { owner: owner.to_owned(), all_native: true, foreign: None, timeout: None }
    }

    /// Steps of a list: `step` or `step_id`, what it does in words, and what it waits for.
    pub(in crate::dialect) fn listed(
        &mut self,
        reading: &mut Reading<'_, '_>,
        items: &[Node],
        workflow: Option<&str>,
    ) -> Vec<Node> {
        let named = |name: &str| match workflow {
            Some(workflow) => format!("{workflow}_{name}"),
            None => name.to_owned(),
        };
        let mut out = Vec::new();
        for item in items {
            let Some(mut fields) = Fields::open(reading, item, "the step") else { continue };
            let id = ["step_id", "step", "name"].iter().find_map(|key| fields.word(key));
            let after = fields.words("depends_on");
            fields.not_enforced(&["output", "name", "required"]);
            fields.not_enforced(&["action", "step_type", "retry_policy", "service", "input"]);
            let mut step = Made::new(&item.span);
            step.keep(&mut fields, &["description"]);
            if switches::is_off(&mut fields) {
                step.put("condition", node(Tree::Bool(false), &item.span));
            }
            if let Some(id) = &id {
                step.text("node_id", named(id.as_str()), &id.at.span());
            } else {
                fields.missing("step");
            }
            if !after.is_empty() {
                let word = |word: &crate::model::Word| text(named(word.as_str()), &word.at.span());
                let items = after.iter().map(word).collect();
                step.put("depends_on", node(Tree::List(items), &item.span));
            }
            step.keep(&mut fields, &["timeout_ms"]);
            fields.close();
            let action = item.get("action").and_then(Node::as_str).map(str::to_owned);
            self.not_native(reading, id.map(|id| id.value), item, action.as_deref());
            out.push(step.done());
        }
        out
    }

    fn not_native(
        &mut self,
        reading: &mut Reading<'_, '_>,
        id: Option<Text>,
        item: &Node,
        what: Option<&str>,
    ) {
        self.all_native = false;
        let id = id.unwrap_or_default();
        let place = item.entries().first().map_or(&item.span, |entry| &entry.value.span);
        let at = reading.at(place);
        let message = match what {
            Some(what) => format!("step `{id}` says `{what}`, which nothing here performs"),
            None => format!("step `{id}` does not say what performs it"),
        };
        reading
            .findings
            .warning(code::STEP_NOT_NATIVE, at, message)
            .help(format!("name it in `step_config`: one of {}", list(&WORKS)));
    }
}

/// Keys of `step_config` that say what a step does.
const WORKS: [&str; 8] = [
    "effect_node",
    "compute_node",
    "reducer_node",
    "workflow",
    "publish",
    "wait_ms",
    "wait_for_event",
    "fail",
];

/// Translates a node of the graph.
pub(in crate::dialect) fn translate(
    reading: &mut Reading<'_, '_>,
    item: &Node,
    steps: &mut Steps,
    rules: &Rules,
    order: &Order,
) -> Option<Node> {
    let mut fields = Fields::open(reading, item, "the graph node")?;
    let mut out = Made::new(&item.span);
    let id = fields.word("node_id").or_else(|| fields.word("step_id")).map(|word| word.value);
    if let Some(written) = fields.get("node_id").or(fields.get("step_id")) {
        out.put("node_id", written.clone());
    }
    let kind = fields.word("node_type").or_else(|| fields.word("step_type"));
    if let Some(kind) = kind {
        let lower = kind.as_str().to_ascii_lowercase();
        let plain = lower.strip_suffix("_generic").unwrap_or(&lower);
        if KINDS.iter().any(|(name, _)| *name == plain) {
            out.text("node_type", plain, &kind.at.span());
        }
    }
    out.keep(&mut fields, &["description"]);
    let after = fields.get("depends_on").or(fields.get("dependencies"));
    let is_off = switches::is_off(&mut fields);
    let name = id.as_deref().unwrap_or_default();
    let earlier = switches::skipped_by(&mut fields, name, is_off, order);
    let waits_more = order.adds(name, earlier);
    if let (false, Some(at)) =
        (rules.in_order || waits_more.is_empty(), item.get("skip_on_failure"))
    {
        let at = fields.reading.at(&at.span);
        let message = format!("the step waits for {}, whose failure skips it", list(&waits_more));
        fields.reading.findings.note(code::NOT_ENFORCED, at, message);
    }
    if let Some(after) = order.depends_on(name, after, earlier, &item.span) {
        out.put("depends_on", after);
    }
    switches::condition(&mut fields, &mut out, is_off, earlier);
    out.keep(&mut fields, &["timeout_ms"]);
    if let Some(timeout) = &rules.step_timeout {
        out.put("timeout_ms", timeout.clone());
    }
    switches::on_error(&mut fields, &mut out, rules);
    out.keep(&mut fields, &["compensation"]);
    switches::undone_by(&mut fields, &mut out, rules);
    fields.descriptive(&["node_name", "step_name", "version", "dependencies"]);
    fields.not_enforced(&NODE_SETTINGS);
    let config = fields.get("step_config");
    unguarded::keep(&mut fields, "the graph node", &mut out);
    fields.close();
    let is_told = |config: &&Node| !is_off || WORKS.iter().any(|work| config.get(work).is_some());
    let told = config.filter(is_told).and_then(|config| step_config(reading, config, steps));
    match told {
        Some(config) => out.put("step_config", config),
        None if is_off => {
            config.iter().for_each(|config| reading.acted(&config.span));
            out.put("step_config", switches::nothing(item));
        }
        None => {
            let what = item.get("target_node_type").and_then(Node::as_str);
            steps.not_native(reading, id, item, what);
        }
    }
    Some(out.done())
}

/// Settings of a node that no run has here.
const NODE_SETTINGS: [&str; 12] = [
    "contract_ref",
    "correlation_id",
    "max_cpu_percent",
    "max_memory_mb",
    "max_parallel_instances",
    "metadata",
    "order_index",
    "parallel_group",
    "priority",
    "retry_count",
    "retry_policy",
    "target_node_type",
];

/// What a step does; `None` when nothing here can do it.
fn step_config(reading: &mut Reading<'_, '_>, config: &Node, steps: &mut Steps) -> Option<Node> {
    let mut fields = Fields::open(reading, config, "`step_config`")?;
    let mut out = Made::new(&config.span);
    out.keep(&mut fields, &WORKS);
    if let Some(topic) = fields.word("target_topic") {
        match topic_name::read(topic.as_str()) {
            Some(name) if out.is_empty() => out.text("publish", name, &topic.at.span()),
            _ => fields.not_enforced(&["target_topic"]),
        }
    }
    let works = !out.is_empty();
    if works {
        out.keep(&mut fields, &["operation", "trigger", "payload", "input", "for_each"]);
        out.keep(&mut fields, &["max_parallel"]);
    }
    fields.descriptive(&["condition", "skip_condition"]);
    if let Some(handler) = fields.word("handler") {
        let at = handler.at;
        steps.foreign.get_or_insert_with(|| text(handler.value.clone(), &at.span()));
        let message = format!("`{}` of `{}` is a foreign handler", handler.as_str(), steps.owner);
        fields.reading.findings.warning(code::FOREIGN_HANDLER, at, message);
    }
    if works {
        fields.descriptive(&["description"]);
    } else {
        fields.not_enforced(&["operation", "trigger", "payload", "input", "for_each"]);
        fields.not_enforced(&["max_parallel"]);
    }
    fields.not_enforced(&STEP_SETTINGS);
    unguarded::keep(&mut fields, "`step_config`", &mut out);
    fields.close();
    works.then(|| out.done())
}

/// What steps were told besides.
const STEP_SETTINGS: [&str; 15] = [
    "adjudicator_node",
    "aggregation_strategy",
    "event_pattern",
    "event_type",
    "intent_filter",
    "intent_type",
    "output_type",
    "parallel_checks",
    "projection_name",
    "protocol",
    "reducer_protocol",
    "retry_policy",
    "time_injection",
    "timeout_evaluation",
    "timeout_ms",
];
