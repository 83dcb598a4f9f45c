//! What a node says that it offers, and what its operations do.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Kind;
use crate::model::EffectOperation;
use crate::system::System;

/// A capability of an effect that no operation provides, and an operation that none covers.
pub(super) fn compared(system: &System<'_>, findings: &mut Findings<'_>) {
    let effects = system.contracts.iter().filter(|contract| contract.kind.value == Kind::Effect);
    for contract in effects.filter(|contract| !contract.capabilities.is_empty()) {
        let operations = contract.effect.as_ref().map_or(&[][..], |effect| &effect.operations);
        for offered in &contract.capabilities {
            if !operations.iter().any(|operation| provides(operation, offered.as_str())) {
                let message = format!("no operation provides `{}`", offered.as_str());
                findings
                    .warning(code::CAPABILITY_DIFFERS, offered.at, message)
                    .help("name it as an intent type, as what its types begin with, or as an operation; or leave it out");
            }
        }
        for operation in operations {
            if !contract.capabilities.iter().any(|c| provides(operation, c.as_str())) {
                let name = operation.name.as_str();
                let message = format!("the operation `{name}` is not among the `capabilities`");
                let offer = operation.on_intent.as_ref().map_or(name, |intent| intent.as_str());
                findings
                    .warning(code::CAPABILITY_DIFFERS, operation.name.at, message)
                    .help(format!("add `{offer}` to `capabilities`"));
            }
        }
    }
}

/// Whether a capability is the operation, its intent type, or what that begins with.
fn provides(operation: &EffectOperation<'_>, capability: &str) -> bool {
    let intent = operation.on_intent.as_ref().map_or("", |intent| intent.as_str());
    let below = intent.strip_prefix(capability).is_some_and(|rest| rest.starts_with('.'));
    operation.name.as_str() == capability || intent == capability || below
}
