//! Reads a parsed contract section by section into the model.
//!
//! One file a section, one line each in [`SECTIONS`]; what no section asks for is reported.

mod capabilities;
mod compute;
mod config;
mod definitions;
mod effect;
mod event_bus;
pub(crate) mod fields;
mod handler_routing;
mod identity;
mod intent_consumption;
mod publication;
pub(crate) mod reading;
mod run_models;
mod schedule;
mod state_machine;
mod step_work;
mod workflow;
mod workflow_step;

use fields::Fields;
pub(crate) use identity::{KINDS, is_name, missing_kind, version_text};
use reading::Reading;

use crate::graph::Kind;
use crate::model::Contract;
use crate::yaml::Node;

/// One section of a contract.
pub(crate) struct Section {
    /// Its key at the top level.
    pub key: &'static str,
    /// The kinds of node that may have it.
    pub kinds: &'static [Kind],
    /// Reads it into the contract.
    pub read: for<'a> fn(&mut Reading<'_, '_>, &'a Node, &mut Contract<'a>),
}

const ALL: &[Kind] = &[Kind::Effect, Kind::Compute, Kind::Reducer, Kind::Orchestrator];

/// Every section, in the order of the normal form.
pub(crate) const SECTIONS: &[Section] = &[
    Section { key: "capabilities", kinds: ALL, read: capabilities::read },
    Section { key: "config", kinds: ALL, read: config::read },
    Section { key: "definitions", kinds: ALL, read: definitions::read },
    Section { key: "input_model", kinds: &[Kind::Orchestrator], read: run_models::read_input },
    Section { key: "output_model", kinds: &[Kind::Orchestrator], read: run_models::read_output },
    Section { key: "event_bus", kinds: ALL, read: event_bus::read },
    Section {
        key: "intent_consumption",
        kinds: &[Kind::Orchestrator],
        read: intent_consumption::read,
    },
    Section { key: "state_machine", kinds: &[Kind::Reducer], read: state_machine::read },
    Section { key: "effect_operations", kinds: &[Kind::Effect], read: effect::read },
    Section { key: "compute_operations", kinds: &[Kind::Compute], read: compute::read },
    Section { key: "workflow_coordination", kinds: &[Kind::Orchestrator], read: workflow::read },
];

/// Top-level keys of the language that this version does not perform.
const NOT_BUILT: [&str; 22] = [
    "concurrency_policy",
    "consumed_events",
    "decision_tables",
    "error_handling",
    "feature_flags",
    "handlers",
    "health_check",
    "idempotency",
    "intent_emission",
    "io_operations",
    "mcp",
    "operation_bindings",
    "projection_reader",
    "projector_kind",
    "published_events",
    "runtime_profiles",
    "staleness",
    "state_transitions",
    "subcontracts",
    "terminal_event",
    "time_injection",
    "validation",
];

/// Top-level keys that document.
pub(crate) const NOT_ENFORCED: [&str; 21] = [
    "author",
    "changelog",
    "compliance",
    "created_at",
    "dependencies",
    "descriptor",
    "documentation",
    "examples",
    "golden_path",
    "integration_testing",
    "last_modified_at",
    "license",
    "metadata",
    "node_capabilities",
    "operational_monitoring",
    "performance",
    "performance_benchmarks",
    "status",
    "tags",
    "testing",
    "testing_guidance",
];

/// Reads a whole contract; `None` when it does not even say what it is.
pub(crate) fn read<'a>(
    reading: &mut Reading<'_, '_>,
    root: &'a Node,
    stem: &str,
) -> Option<Contract<'a>> {
    let mut fields = Fields::open(reading, root, "the contract")?;
    let mut contract = identity::read(&mut fields, stem)?;
    for section in SECTIONS {
        if let Some(node) = fields.get(section.key) {
            (section.read)(fields.reading, node, &mut contract);
            contract.sections.push(fields.key(section.key));
        }
    }
    contract.foreign = handler_routing::read(&mut fields);
    fields.not_built(&NOT_BUILT);
    fields.not_enforced(&NOT_ENFORCED);
    fields.close();
    Some(contract)
}
