//! What a new set of contracts changes, and what becomes of what is alive when it is activated: a
//! run and a pending intent stay with the graph that began them, entities move at once.
//!
//! In reading order: `verdict` the four answers, `refused` what check says no to, `canonical` one spelling for what means the same,
//! `walk` where two contracts differ, `rule` and `rules` what a difference at a place means, then
//! what a place alone cannot tell: [`schema`] wider and narrower payloads, `schemas` where they
//! stand, `told` what messages and results hold, `topics` who hears and publishes, `readers` who hears in another way, `data` the fields of entities, `needs` what the host
//! must give. [`human`] and [`json`] print. How many instances a change touches is for whoever
//! asks a host ([`Touches`]).

mod canonical;
mod contracts;
mod data;
pub mod human;
pub mod json;
mod needs;
mod readers;
mod refused;
mod rule;
mod rules;
pub mod schema;
mod schemas;
mod told;
mod topics;
mod verdict;
mod walk;

use std::sync::Arc;

pub use verdict::{Touches, Verdict, What};

use crate::Checked;
use crate::catalog::{Catalog, HostValues};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Findings;
use crate::model::{At, Contract};
use crate::parsed;
use crate::source::Source;
use crate::system::System;
use crate::yaml::Node;

/// What differs between two sets of contracts.
#[derive(Clone, Debug)]
pub struct Diff {
    /// Each change, the gravest first.
    pub changes: Vec<Change>,
    /// Why contracts of the old set could not be read.
    pub old_errors: Vec<Diagnostic>,
    /// Why check refuses the new set.
    pub new_errors: Vec<Diagnostic>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it asks for.
    pub verdict: Verdict,
    /// The node.
    pub contract: String,
    /// The place in its contract, such as `state_machine.states[paid].timeout_ms`; empty for the
    /// whole contract.
    pub path: String,
    /// Added, removed or changed.
    pub what: What,
    /// Why the verdict is as it is.
    pub reason: String,
    /// Where it stood.
    pub old: Option<Place>,
    /// Where it stands.
    pub new: Option<Place>,
    /// The instances that it can touch.
    pub touches: Touches,
    /// How many of them there are, once a host was asked.
    pub alive: Option<u64>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One of the two sets.
struct Side<'a> {
    sources: &'a [Source],
    system: System<'a>,
}

/// Both sets.
struct Both<'a> {
    old: Side<'a>,
    new: Side<'a>,
}

/// A set of contracts and what check says of it.
#[derive(Clone, Copy, Debug)]
pub struct Set<'s> {
    /// Its files.
    pub sources: &'s [Source],
    /// What check says.
    pub checked: &'s Checked,
}

/// Compares two sets of contracts. What check refuses of the new one and did not of the old one is
/// breaking; where it cannot read a contract nothing is compared.
pub fn diff(before: Set<'_>, after: Set<'_>) -> Diff {
    let (old, new, checked) = (before.sources, after.sources, after.checked);
    let catalog = Catalog::default();
    let host = HostValues::default();
    let (mut old_found, mut new_found) = (Findings::new(old), Findings::new(new));
    let old_parsed = parsed::all(old, &host, &mut old_found);
    let new_parsed = parsed::all(new, &host, &mut new_found);
    let old_contracts = old_parsed.iter().filter_map(|p| crate::read(p, &mut old_found)).collect();
    let new_contracts = new_parsed.iter().filter_map(|p| crate::read(p, &mut new_found)).collect();
    let both = Both {
        old: Side {
            sources: old,
            system: System::new(old_contracts, &catalog, &host, &mut old_found),
        },
        new: Side {
            sources: new,
            system: System::new(new_contracts, &catalog, &host, &mut new_found),
        },
    };
    let mut changes = refused::changes(&both, before.checked, checked);
    if checked.nodes.iter().all(|node| node.status != "rejected") {
        changes.extend(both.changes());
        changes.extend(told::changes(&both, before.checked, checked));
    }
    sort(&mut changes);
    let new_errors = errors(checked.diagnostics.clone());
    Diff { changes, old_errors: errors(old_found.finish()), new_errors }
}

fn errors(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.retain(|finding| finding.severity == Severity::Error);
    found
}

/// The gravest first, then by contract and place.
fn sort(changes: &mut Vec<Change>) {
    changes.sort_by(|a, b| {
        (b.verdict, &a.contract, &a.path, a.what, &a.reason).cmp(&(
            a.verdict,
            &b.contract,
            &b.path,
            b.what,
            &b.reason,
        ))
    });
    changes.dedup();
}

impl Diff {
    /// The gravest verdict.
    pub fn verdict(&self) -> Verdict {
        self.changes.iter().map(|change| change.verdict).max().unwrap_or(Verdict::Compatible)
    }

    /// How many changes have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.changes.iter().filter(|change| change.verdict == verdict).count()
    }

    /// Takes note of how many instances each change touches, as a host counted them: what touches
    /// none is compatible.
    pub fn count_alive(&mut self, mut alive: impl FnMut(&Touches) -> Option<u64>) {
        for change in &mut self.changes {
            change.alive = match change.touches {
                Touches::Nothing => None,
                ref touches => alive(touches),
            };
            let waits = matches!(change.verdict, Verdict::NeedsDrain | Verdict::NeedsMigration);
            if waits && change.alive == Some(0) {
                change.verdict = Verdict::Compatible;
                change.reason = format!("there is none alive; otherwise: {}", change.reason);
            }
        }
        sort(&mut self.changes);
    }
}

impl Change {
    fn new(contract: &str, path: String, what: What, verdict: Verdict, reason: String) -> Change {
        Change {
            verdict,
            contract: contract.to_owned(),
            path,
            what,
            reason,
            old: None,
            new: None,
            touches: Touches::Nothing,
            alive: None,
        }
    }
}

impl<'a> Both<'a> {
    /// Everything that differs.
    fn changes(&self) -> Vec<Change> {
        let mut changes = contracts::changes(self);
        for (old, new) in self.pairs() {
            changes.extend(rules::changes(self, old, new));
            changes.extend(schemas::changes(self, old, new));
            changes.extend(data::changes(self, old, new));
            changes.extend(needs::changes(self, old, new));
        }
        changes.extend(topics::changes(self));
        changes.extend(readers::changes(self));
        changes
    }

    /// The contracts that are in both sets and of one kind.
    fn pairs(&self) -> impl Iterator<Item = (&Contract<'a>, &Contract<'a>)> {
        self.old.system.contracts.iter().filter_map(|old| {
            let new = self.new.contract(old.name.as_str())?;
            (old.kind.value == new.kind.value).then_some((old, new))
        })
    }
}

impl<'a> Side<'a> {
    /// The contract of a node.
    fn contract(&self, name: &str) -> Option<&Contract<'a>> {
        self.system.find(name).map(|at| &self.system.contracts[at])
    }

    /// The contract that stands in a file.
    fn contract_of(&self, at: At) -> Option<&Contract<'a>> {
        self.system.contracts.iter().find(|contract| contract.name.at.file == at.file)
    }

    /// A place for people.
    fn place(&self, at: At) -> Option<Place> {
        let source = self.sources.get(at.file as usize)?;
        let (start, _) = source.positions(&at.span());
        Some(Place { file: source.path.clone(), line: start.line, column: start.column })
    }

    /// The place of a part of a contract.
    fn place_of(&self, contract: &Contract<'_>, node: &Node) -> Option<Place> {
        self.place(At::new(contract.name.at.file, &node.span))
    }
}
