//! Which dialect a file is written in (section 1 of the contract language).

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// The dialect of new contracts.
pub(crate) const NORMAL: &str = "normal";

/// The name of a file's dialect.
pub(crate) fn recognise(root: &Node) -> &'static str {
    let has = |key: &str| root.get(key).is_some();
    if has("projector_kind") {
        return "projector";
    }
    let capitals = match root.get("node_type").map(|node| &node.tree) {
        Some(Tree::String(word)) => {
            word.chars().any(|c| c.is_ascii_uppercase())
                && !word.chars().any(|c| c.is_ascii_lowercase())
        }
        _ => false,
    };
    let old = ["node_version", "version", "fingerprint", "node_identity", "node_specification"];
    if !capitals && !old.iter().any(|key| has(key)) {
        return NORMAL;
    }
    match () {
        () if has("handler_id") && !has("node_type") => "handler",
        () if has("fingerprint") || has("state_transitions") => "G5",
        () if has("node_specification") => "G1",
        () if has("node_identity") || has("input_state") || has("fsm") => "G0",
        () if has("consumed_events") && has("workflow_coordination") => "G2",
        () if has("event_bus") || has("descriptor") || has("runtime_profiles") => "G4",
        () if has("handler_routing") || capitals => "G3",
        () => "G1",
    }
}

/// Keys that tell an old dialect, the most telling first.
const TELLING: [&str; 6] = [
    "projector_kind",
    "fingerprint",
    "node_specification",
    "node_identity",
    "node_version",
    "version",
];

/// Reports a file of a dialect that is not read yet.
pub(crate) fn refuse(reading: &mut Reading<'_, '_>, root: &Node, dialect: &str) {
    let entries = root.entries();
    let telling = TELLING.iter().find_map(|key| entries.iter().find(|entry| entry.key == *key));
    let node_type = entries.iter().find(|entry| entry.key == "node_type");
    let span = telling.or(node_type).map_or(&root.span, |entry| &entry.key_span);
    let at = reading.at(span);
    reading
        .findings
        .error(code::DIALECT_NOT_READ, at, format!("this is dialect {dialect}, which is not read yet"))
        .help("write it in the normal form: `node_type` in lower case, `contract_version`, and one section for what the node does");
}
