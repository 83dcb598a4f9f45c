//! What every schema reference means, by its place.

use std::collections::BTreeMap;

use crate::diagnostic::{Severity, code};
use crate::findings::Findings;
use crate::model::{At, Contract, Data};
use crate::schema::{self, Definitions, Schema};

/// Schemas by the place of the reference.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    by_place: BTreeMap<At, Schema>,
}

impl Schemas {
    /// Compiles every reference of every contract, and checks every definition.
    pub(super) fn resolve(contracts: &[Contract<'_>], findings: &mut Findings<'_>) -> Schemas {
        let mut definitions = Definitions::default();
        for contract in contracts {
            for (name, data) in &contract.definitions {
                definitions.add(contract.name.as_str(), name.as_str(), data.node);
            }
        }
        let mut schemas = Schemas::default();
        // What many subscribers name is compiled once.
        let mut by_name: BTreeMap<(&str, &str), Schema> = BTreeMap::new();
        for contract in contracts {
            let owner = contract.name.as_str();
            for (_, data) in &contract.definitions {
                check(owner, data, &definitions, findings);
            }
            for reference in references(contract) {
                let named = schema::named(owner, reference.node);
                if let Some(known) = named.and_then(|name| by_name.get(&name)) {
                    schemas.by_place.insert(reference.at, Schema::clone(known));
                    continue;
                }
                let sound = check(owner, reference, &definitions, findings);
                match Schema::compile(owner, reference.node, &definitions) {
                    Ok(schema) => {
                        by_name.extend(named.map(|name| (name, schema.clone())));
                        schemas.by_place.insert(reference.at, schema);
                    }
                    Err(fault) if sound && !findings.has_errors() => {
                        findings.error(code::NOT_A_SCHEMA, reference.at, fault.message);
                    }
                    Err(_) => {}
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

/// Reports what is wrong with a schema; whether nothing is.
fn check(
    owner: &str,
    data: &Data<'_>,
    definitions: &Definitions<'_>,
    findings: &mut Findings<'_>,
) -> bool {
    let found = schema::check(findings.source(data.at), owner, data.node, definitions);
    let sound = found.iter().all(|finding| finding.severity < Severity::Error);
    findings.extend(data.at.file, found);
    sound
}

fn references<'c, 'a>(contract: &'c Contract<'a>) -> impl Iterator<Item = &'c Data<'a>> {
    let bus = &contract.event_bus;
    let heard = bus.subscribe.iter().filter_map(|entry| entry.payload.as_ref());
    let published = bus.publish.iter().filter_map(|entry| entry.payload.as_ref());
    let compute = contract.compute.iter().flat_map(|c| c.input.iter().chain(&c.output));
    let models = contract.input_model.iter().chain(&contract.output_model);
    models.chain(heard).chain(published).chain(compute)
}
