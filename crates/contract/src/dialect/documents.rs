//! Keys at the top that describe and do not act.

use crate::diagnostic::code;
use crate::dialect::translate::Translation;
use crate::section::NOT_ENFORCED;
use crate::section::fields::Fields;

/// Takes over what the normal form also keeps for readers.
pub(super) fn keep(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    made.out.keep(fields, &["capabilities"]);
    made.out.keep(fields, &besides(&made.limits.read, &NOT_ENFORCED));
    if fields.node().get("config").is_some_and(|config| !config.entries().is_empty()) {
        made.out.keep(fields, &["config"]);
    }
}

/// Notes what is accepted and has no place in the normal form.
pub(super) fn note(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    fields.not_enforced(&["uuid", "hash", "node_id", "fingerprint"]);
    fields.not_enforced(&besides(&made.limits.read, &DOCUMENTS));
    fields.descriptive(&made.limits.read);
    fields.descriptive(&["subcontracts"]);
    let prefixed: Vec<_> = fields
        .node()
        .entries()
        .iter()
        .filter(|entry| PREFIXES.iter().any(|prefix| entry.key.starts_with(prefix)))
        .map(|entry| (entry.key.clone(), entry.key_span.clone()))
        .collect();
    for (key, span) in prefixed {
        if fields.learn(&key) {
            let at = fields.reading.at(&span);
            let message = format!("`{key}` is not enforced: it documents");
            fields.reading.findings.note(code::NOT_ENFORCED, at, message);
        }
    }
}

/// The keys that were not read as more than documents.
fn besides(read: &[&'static str], keys: &[&'static str]) -> Vec<&'static str> {
    keys.iter().filter(|key| !read.contains(key)).copied().collect()
}

/// Sets of keys of which new ones keep appearing.
const PREFIXES: [&str; 7] =
    ["testing", "performance", "documentation", "metadata", "compliance", "monitoring", "x-"];

/// Every other key that was ever written at the top.
const DOCUMENTS: [&str; 101] = [
    "activation",
    "adapters",
    "advanced_features",
    "aggregation",
    "aggregation_strategy",
    "algorithm",
    "background_tasks",
    "base_class",
    "capability_inputs",
    "capability_outputs",
    "conditional_branching",
    "configuration",
    "contract_driven",
    "contract_type",
    "created",
    "database_schema",
    "deployment",
    "determinism",
    "endpoints",
    "entrypoint",
    "env_dependencies",
    "environment",
    "error_codes",
    "error_handling",
    "error_types",
    "event_categories",
    "events",
    "execute_method",
    "execution",
    "execution_capabilities",
    "execution_constraints",
    "feature_flags",
    "handler_category",
    "handler_class",
    "handler_module",
    "handler_type",
    "handlers",
    "health",
    "health_check",
    "health_checks",
    "idempotency",
    "infrastructure",
    "input_contract",
    "input_state",
    "intent_architecture",
    "io_operations",
    "kafka",
    "legacy",
    "lifecycle",
    "logging",
    "maintainer",
    "mcp",
    "metrics",
    "mixin_capabilities",
    "mixins",
    "model_config",
    "models",
    "namespace",
    "node_identity",
    "node_specification",
    "observability",
    "onex_compliance",
    "operational",
    "operations",
    "output_contract",
    "output_state",
    "owner",
    "persistence",
    "production_features",
    "profile_tags",
    "projection_reader",
    "protocols",
    "quality_gates",
    "quarantine",
    "resource_limits",
    "resources",
    "retry_policy",
    "routing",
    "runtime_profiles",
    "scalability",
    "security",
    "services",
    "shared_model_dependencies",
    "shared_models",
    "staleness",
    "state_management",
    "state_model",
    "state_schema",
    "streaming",
    "supported_rules",
    "supports_health_check",
    "supports_lifecycle",
    "supports_provisioning",
    "thunk_emission",
    "tier_configuration",
    "timing_constraints",
    "tool_specification",
    "updated",
    "updated_at",
    "validation_rules",
    "wiring_config",
];
