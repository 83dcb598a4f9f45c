//! Puts contracts together and links them, without those of an old dialect that cannot run.
//!
//! A contract in the normal form that has an error stops everything. One of an old dialect is left
//! out, loudly, and the others are put together anew, until what remains has no fault.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, HostValues};
use crate::diagnostic::{Severity, code};
use crate::findings::Findings;
use crate::graph::Graph;
use crate::link::told::Told;
use crate::model::Contract;
use crate::system::System;
use crate::{check, link, stored};

/// Why a contract is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Its own file tells that it cannot run here; that was said.
    Told,
    /// Something is wrong with it, or something that it needs is not there.
    Fault,
}

/// What putting together gave.
pub(crate) struct Settled {
    /// The linked graph of what runs; absent when there is an error.
    pub graph: Option<Graph>,
    /// What those that run tell others.
    pub told: Vec<Told>,
    /// The contracts that are left out, by file.
    pub left_out: BTreeMap<u32, Reason>,
    /// What is wrong with those that have a fault.
    pub causes: BTreeMap<u32, String>,
}

/// Checks, links, leaves out what cannot run and does so again.
pub(crate) fn settle(
    mut contracts: Vec<Contract<'_>>,
    (mut left_out, mut causes): (BTreeMap<u32, Reason>, BTreeMap<u32, String>),
    catalog: &Catalog,
    host: &HostValues,
    findings: &mut Findings<'_>,
) -> Settled {
    // What is left out from the beginning is still judged once: its structure may be broken.
    let mut new: BTreeSet<u32> = left_out.keys().copied().collect();
    for contract in contracts.iter().filter(|c| left_out.get(&file(c)) == Some(&Reason::Fault)) {
        tell(contract, findings);
    }
    let refused = findings.refused_conditions();
    let is_said = |found: &crate::diagnostic::Diagnostic| {
        found.code.starts_with("C08")
            && refused.iter().any(|(file, span)| {
                *found.file == **file
                    && span.start <= found.span.start
                    && found.span.end <= span.end
            })
    };
    loop {
        let mut round = findings.scratch();
        let mild = !new.is_empty() || contracts.iter().any(|c| findings.is_old(file(c)));
        let running = if mild { contracts.clone() } else { std::mem::take(&mut contracts) };
        let system = System::new(running, catalog, host, &mut round);
        check::check(&system, &mut round);
        let linked = link::link(&system, &mut round);
        if let Some(linked) = &linked {
            check::check_linked(&system, linked, &mut round);
        }
        let told = new.clone();
        for (file, cause) in round.take_at_fault() {
            if !told.contains(&file) {
                left_out.insert(file, Reason::Fault);
                causes.insert(file, cause);
            }
            new.insert(file);
        }
        if new.is_empty() {
            findings.take_over(round, |found| !is_said(found));
            let mut linked = linked.filter(|_| !findings.has_errors());
            let told = linked.as_mut().map(|l| std::mem::take(&mut l.told)).unwrap_or_default();
            let graph = linked.map(|linked| stored::graph(&system, linked));
            return Settled { graph, told, left_out, causes };
        }
        for contract in
            contracts.iter().filter(|c| new.contains(&file(c)) && !told.contains(&file(c)))
        {
            tell(contract, findings);
        }
        let of_new: BTreeSet<&str> = new.iter().map(|file| findings.path(*file)).collect();
        let of_told: BTreeSet<&str> = told.iter().map(|file| findings.path(*file)).collect();
        let keep = |found: &crate::diagnostic::Diagnostic| {
            let told = of_told.contains(&*found.file);
            of_new.contains(&*found.file)
                && (!told || found.severity == Severity::Error)
                && !is_said(found)
        };
        let kept = keep;
        findings.take_over(round, kept);
        contracts.retain(|contract| !new.contains(&file(contract)));
        new.clear();
    }
}

fn file(contract: &Contract<'_>) -> u32 {
    contract.kind.at.file
}

fn tell(contract: &Contract<'_>, findings: &mut Findings<'_>) {
    let message =
        format!("`{}` cannot run as it stands: it is quarantined", contract.name.as_str());
    findings
        .warning(code::QUARANTINED, contract.kind.at, message)
        .help("the warnings about this file say why; the others run");
}
