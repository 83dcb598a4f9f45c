//! Workflows: `workflow_coordination`, and the lists of steps that came before it.

mod coordination;
mod order;
mod step;
mod switches;
mod terminal_event;

use self::coordination::Rules;
use self::order::Order;
use self::step::Steps;
use crate::dialect::{
    made::{Made, node, text},
    translate::Translation,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Translates what the file says of workflows; the first that it says counts.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let is_orchestrator = made.kind == Some(Kind::Orchestrator);
    if let Some(section) = fields.get("workflow_coordination") {
        let span = fields.key_span("workflow_coordination");
        let mut steps = Steps::new(made.name.as_str());
        let timeout = section.get("default_workflow_timeout_ms").cloned();
        steps.timeout = made.limits.timeout.clone().or(timeout);
        if let Some(section) = coordinated(fields.reading, section, &mut steps) {
            let section = terminal_event::put(fields, section, made);
            made.out.free("workflow_coordination".into(), &span, section);
            made.runs |= is_orchestrator && steps.all_native;
            made.foreign = made.foreign.take().or(steps.foreign);
        }
    }
    for key in ["workflows", "workflow_steps"] {
        let Some(section) = fields.get(key) else { continue };
        if !is_orchestrator || made.out.has("workflow_coordination") {
            fields.not_enforced(if key == "workflows" {
                &["workflows"]
            } else {
                &["workflow_steps"]
            });
            continue;
        }
        let span = fields.key_span(key);
        let mut steps = Steps::new(made.name.as_str());
        let listed = match &section.tree {
            Tree::List(items) => steps.listed(fields.reading, items, None),
            _ => several(fields.reading, section, &mut steps),
        };
        let section = whole(listed, section);
        made.out.free("workflow_coordination".into(), &span, section);
    }
    terminal_event::note(fields);
    if let Some(injection) = fields.get("time_injection") {
        let span = fields.key_span("time_injection");
        coordination::time_injection(fields.reading, injection, &span, made.kind);
    }
}

fn coordinated(reading: &mut Reading<'_, '_>, section: &Node, steps: &mut Steps) -> Option<Node> {
    let mut fields = Fields::open(reading, section, "`workflow_coordination`")?;
    let mut out = Made::new(&section.span);
    if let Some(definition) = fields.get("workflow_definition") {
        let made = workflow_definition(fields.reading, definition, steps)?;
        out.put("workflow_definition", made);
    }
    fields.descriptive(&["version", "subcontract_version", "subcontract_name", "description"]);
    fields.not_enforced(&[
        "checkpoint_interval_ms",
        "checkpointing",
        "default_workflow_timeout_ms",
        "event_bus",
        "exponential_backoff",
        "lifecycle",
        "max_concurrent_workflows",
        "max_retries",
        "node_coordination_timeout_ms",
        "retry_delay_ms",
        "step_templates",
    ]);
    fields.close();
    Some(out.done())
}

fn workflow_definition(
    reading: &mut Reading<'_, '_>,
    definition: &Node,
    steps: &mut Steps,
) -> Option<Node> {
    let mut fields = Fields::open(reading, definition, "`workflow_definition`")?;
    let mut out = Made::new(&definition.span);
    let mut rules = match fields.get("coordination_rules") {
        Some(node) => coordination::rules(fields.reading, node)?,
        None => Rules::default(),
    };
    let is_timed = |key: &str| definition.get(key).is_some_and(|s| s.get("timeout_ms").is_some());
    if let Some(timeout) = steps.timeout.take()
        && !is_timed("workflow_metadata")
        && !is_timed("coordination_rules")
    {
        rules.put_timeout(timeout);
    }
    if let Some(metadata) = fields.get("workflow_metadata") {
        out.put("workflow_metadata", coordination::metadata(fields.reading, metadata, &rules)?);
    }
    if let Some(graph) = fields.get("execution_graph") {
        out.put("execution_graph", execution_graph(fields.reading, graph, steps, &rules)?);
    }
    if let Some(rules) = rules.out {
        out.put("coordination_rules", rules);
    }
    out.keep(&mut fields, &["result", "outcomes", "cancel_on"]);
    fields.descriptive(&["version", "description", "terminal_event"]);
    fields.not_enforced(&["checkpointing"]);
    fields.close();
    Some(out.done())
}

fn execution_graph(
    reading: &mut Reading<'_, '_>,
    graph: &Node,
    steps: &mut Steps,
    rules: &Rules,
) -> Option<Node> {
    let mut fields = Fields::open(reading, graph, "`execution_graph`")?;
    let mut out = Made::new(&graph.span);
    let span = fields.get("nodes").map_or_else(|| graph.span.clone(), |nodes| nodes.span.clone());
    let order = Order::read(&mut fields, &mut out);
    let mut nodes = Vec::new();
    for item in fields.items("nodes") {
        nodes.extend(step::translate(fields.reading, item, steps, rules, &order));
    }
    out.put("nodes", node(Tree::List(nodes), &span));
    fields.descriptive(&["version", "description"]);
    fields.close();
    Some(out.done())
}

/// Each workflow with a name of its own; their steps stand side by side.
fn several(reading: &mut Reading<'_, '_>, section: &Node, steps: &mut Steps) -> Vec<Node> {
    let mut all = Vec::new();
    let one = section.entries().len() == 1;
    for entry in section.entries() {
        let Some(mut fields) = Fields::open(reading, &entry.value, "the workflow") else {
            continue;
        };
        let items = fields.items("steps");
        fields.descriptive(&["name", "description", "version"]);
        fields.not_enforced(&["trigger", "timeout_ms", "on_error", "retry_policy"]);
        let prefix = (!one).then_some(entry.key.as_str());
        all.extend(steps.listed(fields.reading, items, prefix));
        fields.close();
    }
    all
}

fn whole(nodes: Vec<Node>, section: &Node) -> Node {
    let at = &section.span;
    let mut graph = Made::new(at);
    graph.put("nodes", node(Tree::List(nodes), at));
    let mut definition = Made::new(at);
    if let [only] = section.entries() {
        let mut metadata = Made::new(at);
        metadata.put("workflow_name", text(only.key.clone(), &only.key_span));
        definition.put("workflow_metadata", metadata.done());
    }
    definition.put("execution_graph", graph.done());
    let mut out = Made::new(at);
    out.put("workflow_definition", definition.done());
    out.done()
}
