//! The normal form of a contract as a tree: keys in the order of the language's page, versions as
//! text, one spelling where several are read. No default is invented and no data is touched.

use onex_expr::Text;

use crate::section::version_text;
use crate::yaml::{Entry, Node, Tree};

/// Keys of the language in the order in which they are shown; others follow as written.
const ORDER: &[&str] = &[
    // what it is
    "name",
    "node_type",
    "contract_version",
    "description",
    "metadata",
    "tags",
    "config",
    "definitions",
    "input_model",
    "output_model",
    "capabilities",
    "event_bus",
    "intent_consumption",
    "state_machine",
    "effect_operations",
    "compute_operations",
    "workflow_coordination",
    "handler_routing",
    // topics
    "subscribe_topics",
    "publish_topics",
    "topic",
    "payload",
    "subscribed_intents",
    // state machines
    "state_machine_name",
    "initial_state",
    "initial_data",
    "entity_key",
    "on_unhandled",
    "terminal_states",
    "states",
    "transitions",
    "state_name",
    "is_terminal",
    "waits",
    "transition_name",
    "from_state",
    "to_state",
    "trigger",
    "when",
    "priority",
    "conditions",
    "condition_name",
    "expression",
    "required",
    "actions",
    "action_name",
    "action_type",
    "intent_type",
    "set",
    "for_each",
    "execution_order",
    "entry_actions",
    "exit_actions",
    // effects
    "operations",
    "operation_name",
    "on_intent",
    "on_topic",
    "idempotent",
    "ordered",
    "io_config",
    "handler_type",
    "response_handling",
    "success_codes",
    "extract",
    "codes",
    "outcome",
    "refusals",
    "event",
    "operation_timeout_ms",
    "retry_policy",
    "circuit_breaker",
    "enabled",
    "max_retries",
    "backoff_strategy",
    "base_delay_ms",
    "max_delay_ms",
    "jitter_factor",
    "retryable_status_codes",
    "failure_threshold",
    "success_threshold",
    "half_open_requests",
    "on_exhausted",
    // computes
    "output",
    "pipeline",
    "step_name",
    "step_type",
    "expression_config",
    "mapping_config",
    "value",
    "field_mappings",
    // workflows
    "workflow_definition",
    "workflow_metadata",
    "execution_graph",
    "coordination_rules",
    "result",
    "outcomes",
    "workflow_name",
    "run_key",
    "nodes",
    "node_id",
    "depends_on",
    "condition",
    "skip_condition",
    "timeout_ms",
    "error_action",
    "step_config",
    "compensation",
    "effect_node",
    "compute_node",
    "operation",
    "publish",
    "wait_ms",
    "input",
    "max_parallel",
    "execution_mode",
    "failure_recovery_strategy",
    "retry_backoff_ms",
    "retry_backoff_multiplier",
    "completed",
    "failed",
    "cancelled",
];

/// Keys whose value is the user's own: shown as written.
const FREE: &[&str] = &[
    "body",
    "capabilities",
    "config",
    "content",
    "definitions",
    "extract",
    "field_mappings",
    "handler_routing",
    "headers",
    "initial_data",
    "input",
    "input_model",
    "metadata",
    "output",
    "output_model",
    "payload",
    "query_params",
    "result",
    "set",
    "tags",
    "value",
];

/// Other spellings of a key that are read.
const SPELLINGS: &[(&str, &str)] = &[("payload_schema", "payload")];

/// The normal form of a contract's tree.
pub(crate) fn normal_form(root: &Node) -> Node {
    let mut normal = ordered(root);
    if let Tree::Map(entries) = &mut normal.tree {
        for entry in entries.iter_mut().filter(|entry| entry.key == "contract_version") {
            if let Some(version) = version_text(&entry.value) {
                entry.value = Node::new(Tree::String(version));
            }
        }
    }
    normal
}

fn ordered(node: &Node) -> Node {
    match &node.tree {
        Tree::List(items) => Node::new(Tree::List(items.iter().map(ordered).collect())),
        Tree::Map(entries) => {
            let mut entries: Vec<Entry> = entries.iter().map(entry).collect();
            entries.sort_by_cached_key(|entry| rank(&entry.key));
            Node::new(Tree::Map(entries))
        }
        _ => node.clone(),
    }
}

fn entry(written: &Entry) -> Entry {
    let spelling = SPELLINGS.iter().find(|(other, _)| *other == written.key);
    let key = spelling.map_or_else(|| written.key.clone(), |(_, key)| Text::new_static(key));
    let value = match FREE.contains(&key.as_str()) {
        true => written.value.clone(),
        false => ordered(&written.value),
    };
    Entry { key, key_span: written.key_span.clone(), value }
}

fn rank(key: &str) -> usize {
    ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len())
}
