//! What every schema reference means, by its place.

use std::collections::BTreeMap;

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{At, Contract, Data, SchemaRef, Word};
use crate::schema::Schema;
use crate::suggest;

/// Schemas by the place of the reference.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    by_place: BTreeMap<At, Schema>,
}

impl Schemas {
    /// Resolves every reference of every contract; one that means nothing is reported.
    pub(super) fn resolve(contracts: &[Contract<'_>], findings: &mut Findings<'_>) -> Schemas {
        let mut schemas = Schemas::default();
        for contract in contracts {
            for reference in references(contract) {
                if let Some(schema) = resolve(contracts, contract, reference, findings) {
                    schemas.by_place.insert(reference.at(), schema);
                }
            }
        }
        schemas
    }

    /// The schema of a reference.
    pub(super) fn get(&self, at: At) -> Option<&Schema> {
        self.by_place.get(&at)
    }
}

fn references<'c, 'a>(contract: &'c Contract<'a>) -> impl Iterator<Item = &'c SchemaRef<'a>> {
    let bus = &contract.event_bus;
    let heard = bus
        .subscribe
        .iter()
        .filter_map(|entry| entry.payload.as_ref());
    let published = bus
        .publish
        .iter()
        .filter_map(|entry| entry.payload.as_ref());
    let compute = contract
        .compute
        .iter()
        .flat_map(|c| c.input.iter().chain(&c.output));
    contract
        .input_model
        .iter()
        .chain(&contract.output_model)
        .chain(heard)
        .chain(published)
        .chain(compute)
}

fn resolve(
    contracts: &[Contract<'_>],
    contract: &Contract<'_>,
    reference: &SchemaRef<'_>,
    findings: &mut Findings<'_>,
) -> Option<Schema> {
    match reference {
        SchemaRef::Name(name) => named(contract, name, findings),
        SchemaRef::From { node, name, .. } => {
            let found = contracts
                .iter()
                .find(|other| other.name.value == node.value);
            let Some(other) = found else {
                let message = format!("no node is called `{}`", node.as_str());
                let names = contracts.iter().map(|other| other.name.as_str());
                let help = suggest::nearest(node.as_str(), names);
                findings
                    .error(code::UNKNOWN_DEFINITION, node.at, message)
                    .help_if(help.map(|name| format!("did you mean `{name}`?")));
                return None;
            };
            named(other, name, findings)
        }
        SchemaRef::Inline(data) => Some(Schema::any(None, data.node.to_value())),
    }
}

fn named(contract: &Contract<'_>, name: &Word, findings: &mut Findings<'_>) -> Option<Schema> {
    let found = contract
        .definitions
        .iter()
        .find(|(word, _)| word.value == name.value);
    if let Some((word, Data { node, .. })) = found {
        return Some(Schema::any(Some(word.value.to_string()), node.to_value()));
    }
    let node = contract.name.as_str();
    let message = format!("`{node}` has no definition `{}`", name.as_str());
    let names = contract.definitions.iter().map(|(word, _)| word.as_str());
    let help = match suggest::nearest(name.as_str(), names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("add it under `definitions` of `{node}`"),
    };
    findings
        .error(code::UNKNOWN_DEFINITION, name.at, message)
        .help(help);
    None
}
