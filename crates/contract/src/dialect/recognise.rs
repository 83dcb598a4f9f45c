//! Which dialect a file is written in (section 1 of the contract language).

use crate::section::KINDS;
use crate::yaml::{Node, Tree};

/// The dialect of new contracts.
pub(crate) const NORMAL: &str = "normal";
/// A read model: columns, keys, and what fills them.
pub(crate) const PROJECTOR: &str = "projector";
/// A contract of one handler, without a node of its own.
pub(crate) const HANDLER: &str = "handler";
/// A part of a contract in a file of its own.
pub(crate) const SUBCONTRACT: &str = "subcontract";
/// A list of named queries.
pub(crate) const REPOSITORY: &str = "repository";
/// The settings of an old host.
pub(crate) const HOST: &str = "host";

/// Keys at the top that the normal form does not have.
const OLD: [&str; 5] =
    ["node_version", "version", "fingerprint", "node_identity", "node_specification"];

/// The name of a file's dialect.
pub(crate) fn recognise(root: &Node) -> &'static str {
    let has = |key: &str| root.get(key).is_some();
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    if has("projector_kind") {
        return PROJECTOR;
    }
    if !has("node_type")
        && let Some(dialect) = without_node_type(&has)
    {
        return dialect;
    }
    let capitals = root.get("node_type").is_some_and(is_old_kind);
    if !capitals && !any(&OLD) {
        return NORMAL;
    }
    match () {
        () if any(&["fingerprint", "state_transitions"]) => "G5",
        () if has("node_specification") => "G1",
        () if any(&["node_identity", "input_state", "fsm", "fsm_states", "workflow_steps"])
            && !any(&["definitions", "shared_models"]) =>
        {
            "G0"
        }
        () if any(&["event_bus", "descriptor", "runtime_profiles", "feature_flags"]) => "G4",
        () if any(&["handler_routing", "operation_bindings"]) => "G3",
        () if any(&["consumed_events", "workflow_coordination"]) => "G2",
        () if capitals && !any(&["version", "input_state", "shared_models"]) => "G3",
        () => "G1",
    }
}

/// Files that do not describe a node.
fn without_node_type(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    match () {
        () if any(&["handler_id", "handler_class", "handler_name"]) => Some(HANDLER),
        () if has("db_repository") => Some(REPOSITORY),
        () if any(&["subcontract_name", "subcontract_version", "contract_type"]) => {
            Some(SUBCONTRACT)
        }
        () if any(&HOST_KEYS) => Some(HOST),
        () => None,
    }
}

/// Keys by which the settings of an old host are told.
const HOST_KEYS: [&str; 7] = [
    "input_topic",
    "output_topic",
    "group_id",
    "consumer_group",
    "contract_registry",
    "local_ingress",
    "pattern_b_broker",
];

/// Whether a kind of node is in a spelling of old: in capitals, or one of the four in any case or
/// with `_GENERIC`.
fn is_old_kind(node: &Node) -> bool {
    let Tree::String(word) = &node.tree else { return false };
    let capitals = word.chars().any(|c| c.is_ascii_uppercase())
        && !word.chars().any(|c| c.is_ascii_lowercase());
    let lower = word.to_ascii_lowercase();
    let plain = lower.strip_suffix("_generic").unwrap_or(&lower);
    let is = |name: &str| KINDS.iter().any(|(known, _)| *known == name);
    capitals || (is(plain) && !is(word))
}
