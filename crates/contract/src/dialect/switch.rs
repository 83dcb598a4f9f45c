//! `enabled: false`: whatever is switched off is left out before anything is translated.
//!
//! Where the switch has a meaning of its own (a policy that is off is not one that is absent, a step
//! that is off counts as done) its feature reads it.

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// Sections in which something may be switched off that would act.
const SECTIONS: [&str; 29] = [
    "compute",
    "compute_operations",
    "consumed_events",
    "effect",
    "effect_operations",
    "event_bus",
    "event_consumption",
    "event_topics",
    "fsm",
    "fsm_states",
    "handler_routing",
    "input_subscriptions",
    "intent_consumption",
    "intent_emission",
    "operation_bindings",
    "produced_events",
    "publications",
    "published_events",
    "publish_topics",
    "runtime_dispatch",
    "state_machine",
    "state_transitions",
    "subscribe_topics",
    "subscriptions",
    "topics",
    "validation",
    "workflow_coordination",
    "workflow_steps",
    "workflows",
];

/// Keys below which the switch is read by the feature itself.
const OWN: [&str; 11] = [
    "circuit_breaker",
    "coordination_rules",
    "default_circuit_breaker",
    "default_retry_policy",
    "intent_emission",
    "nodes",
    "pipeline",
    "retry_policy",
    "steps",
    "transaction",
    "workflow_steps",
];

/// Keys below which everything is the user's own data.
const DATA: [&str; 17] = [
    "action_config",
    "body",
    "body_template",
    "config",
    "definitions",
    "extract",
    "extract_fields",
    "field_mappings",
    "headers",
    "initial_data",
    "input",
    "metadata",
    "payload",
    "payload_schema",
    "query_params",
    "result",
    "set",
];

/// The file without what is switched off; a note for each.
pub(super) fn off(reading: &mut Reading<'_, '_>, root: &Node) -> Node {
    let Tree::Map(entries) = &root.tree else { return root.clone() };
    let mut left = Vec::new();
    for entry in entries {
        match SECTIONS.contains(&entry.key.as_str()) {
            true => left.extend(kept(reading, entry)),
            false => left.push(entry.clone()),
        }
    }
    Node { tree: Tree::Map(left), ..root.clone() }
}

/// Whether the switch of a mapping is off; what is neither true nor false is, too: nothing may
/// happen that was not asked for.
pub(super) fn is_off(mapping: &Node) -> bool {
    match mapping.get("enabled").map(|node| &node.tree) {
        None | Some(Tree::Null | Tree::Bool(true)) => false,
        Some(Tree::String(word)) => !word.eq_ignore_ascii_case("true"),
        Some(_) => true,
    }
}

/// The note that something is left out, at its switch.
pub(super) fn tell(reading: &mut Reading<'_, '_>, mapping: &Node, what: &str) {
    let Some(switch) = mapping.get("enabled") else { return };
    let at = reading.at(&switch.span);
    reading.findings.note(
        code::SWITCHED_OFF,
        at,
        format!("{what} is switched off: it does nothing"),
    );
}

/// A node that is off: what is shown of it must not look as if it ran.
pub(super) fn without_work(mut normal: Node) -> Node {
    if let Tree::Map(entries) = &mut normal.tree {
        entries.retain(|entry| !WORK.contains(&entry.key.as_str()));
    }
    normal
}

/// Sections of the normal form that do something.
const WORK: [&str; 7] = [
    "compute_operations",
    "effect_operations",
    "event_bus",
    "handler_routing",
    "intent_consumption",
    "state_machine",
    "workflow_coordination",
];

fn kept(reading: &mut Reading<'_, '_>, entry: &Entry) -> Option<Entry> {
    let key = entry.key.as_str();
    let value = match DATA.contains(&key) {
        true => entry.value.clone(),
        false => left(reading, &entry.value, key)?,
    };
    Some(Entry { value, ..entry.clone() })
}

/// What is left of a value below a key.
fn left(reading: &mut Reading<'_, '_>, node: &Node, key: &str) -> Option<Node> {
    let is_own = OWN.contains(&key);
    let tree = match &node.tree {
        Tree::Map(_) if !is_own && is_off(node) => {
            tell(reading, node, &format!("this part of `{key}`"));
            return None;
        }
        Tree::Map(entries) => {
            let mut left = Vec::new();
            for entry in entries {
                match entry.key == "enabled" && !is_own {
                    true => reading.acted(&entry.value.span),
                    false => left.extend(kept(reading, entry)),
                }
            }
            Tree::Map(left)
        }
        Tree::List(items) => {
            Tree::List(items.iter().filter_map(|item| left(reading, item, key)).collect())
        }
        other => other.clone(),
    };
    Some(Node { tree, ..node.clone() })
}
