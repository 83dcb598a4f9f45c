//! What kind of node a contract is, and whether it can be that.

use super::kind_name;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Kind;
use crate::section::SECTIONS;
use crate::system::System;

/// A section that this kind of node cannot have.
pub(super) fn wrong_section(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in &system.contracts {
        for word in &contract.sections {
            let section = SECTIONS.iter().find(|section| section.key == word.as_str());
            let Some(section) = section.filter(|s| !s.kinds.contains(&contract.kind.value)) else {
                continue;
            };
            let kind = kind_name(contract.kind.value);
            let others: Vec<&str> = section.kinds.iter().map(|kind| kind_name(*kind)).collect();
            let message = format!("{kind} cannot have `{}`", word.as_str());
            findings
                .error(code::WRONG_SECTION, word.at, message)
                .help(format!("it belongs to {}: move it to a node of its own", others.join(", ")))
                .related(contract.kind.at, "the kind");
        }
    }
}

/// A node that has nothing to run.
pub(super) fn inert(system: &System<'_>, findings: &mut Findings<'_>) {
    for contract in system.contracts.iter().filter(|c| c.is_inert() && c.foreign.is_none()) {
        let (kind, section) = match contract.kind.value {
            Kind::Effect => ("an effect", "effect_operations"),
            Kind::Compute => ("a compute", "compute_operations"),
            Kind::Reducer => ("a reducer", "state_machine"),
            Kind::Orchestrator => ("an orchestrator", "workflow_coordination"),
        };
        if contract.sections.iter().any(|word| word.as_str() == section) {
            continue;
        }
        let message = format!("`{}` has nothing to run", contract.name.as_str());
        findings
            .error(code::INERT, contract.kind.at, message)
            .help(format!("{kind} says what it does in `{section}`"));
    }
}
