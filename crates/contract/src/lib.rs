//! From contract text to a checked, linked graph. No I/O beyond reading files, no async, no runtime.
//!
//! In reading order: [`source`] text, [`load_folder`] where it is found, [`diagnostic`] what is found
//! in it, [`yaml`] and `parsed` a tree with places, `dialect` what it is written in, `section` one
//! contract read into `model`, [`schema`], [`suggest`] and [`topic`] what names mean, [`catalog`]
//! what the host performs, `system` all contracts with names looked up, `check` the rules, `link`
//! everything compiled into the [`graph`], `quarantine` that without what cannot run, [`normal`] and
//! `shown` the normal form, `stored` the graph as bytes, [`diff`](diff::diff) what others change,
//! [`census`](census::census) what of foreign contracts would run, [`export`] pictures and schemas.

pub mod source;

mod load;

pub mod diagnostic;
mod findings;

pub mod yaml;

mod dialect;
mod parsed;

mod model;
mod section;

pub mod schema;
pub mod suggest;
pub mod topic;

pub mod catalog;
mod system;

mod check;
mod link;
mod quarantine;

pub mod graph;

pub mod normal;
mod shown;
mod stored;

pub mod census;
pub mod diff;
pub mod export;

pub use load::load_folder;

use std::collections::BTreeMap;

use catalog::{Catalog, HostValues};
use diagnostic::{Diagnostic, Severity};
use dialect::Verdict;
use findings::Findings;
use graph::{Graph, Kind};
use model::Contract;
use parsed::Parsed;
use quarantine::Reason;
use section::reading::Reading;
use source::Source;

/// What checking a set of contracts gave.
#[derive(Debug)]
pub struct Checked {
    /// Every finding, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// One entry a contract read.
    pub nodes: Vec<NodeReport>,
    /// The linked graph; absent when a diagnostic is an error.
    pub graph: Option<Graph>,
    /// What others are told, for comparing.
    told: Vec<link::told::Told>,
}

impl Checked {
    /// Of contracts that nobody looked at, for this reason.
    pub fn unread(diagnostics: Vec<Diagnostic>) -> Checked {
        Checked { diagnostics, nodes: Vec::new(), graph: None, told: Vec::new() }
    }
}

/// What `onex check` tells of one contract.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// The index of its source.
    pub file: usize,
    /// The node's name (the file's stem where it has none).
    pub name: String,
    /// Its kind, when it could be read.
    pub kind: Option<Kind>,
    /// `normal`, `G0` ... `G5`, `handler`, `projector`; `subcontract`, `repository`, `host` describe
    /// no node.
    pub dialect: &'static str,
    /// `native`, `external`, `inert`, `rejected`; what is wrong with it leaves the first two.
    pub status: &'static str,
    /// What is wrong with one of an old dialect that is left out for a fault: code and message.
    pub cause: Option<String>,
    /// The normal form as YAML, when it could be read.
    pub normal_form: Option<String>,
}

/// Checks every contract and the whole system they make.
pub fn check(sources: &[Source], catalog: &Catalog, host: &HostValues) -> Checked {
    let mut findings = Findings::new(sources);
    let parsed = parsed::all(sources, host, &mut findings);
    let (mut left_out, mut causes) = (BTreeMap::new(), BTreeMap::new());
    let mut contracts = Vec::new();
    let mut reports = Vec::new();
    for parsed in &parsed {
        let contract = read(parsed, &mut findings);
        reports.push(report(parsed, contract.as_ref()));
        let fault = findings.take_at_fault().remove(&parsed.file);
        if let Some(reason) = parked(parsed, contract.as_ref(), fault.is_some()) {
            left_out.insert(parsed.file, reason);
        }
        causes.extend(fault.map(|cause| (parsed.file, cause)));
        contracts.extend(contract);
    }
    let settled = quarantine::settle(contracts, (left_out, causes), catalog, host, &mut findings);
    let nodes = parsed.iter().zip(reports).map(|(parsed, report)| {
        let fault = settled.left_out.get(&parsed.file) == Some(&Reason::Fault);
        let cause = settled.causes.get(&parsed.file).filter(|_| fault).cloned();
        let is_foreign = cause.as_deref().is_some_and(needs_another_host);
        let status = if is_foreign { "external" } else { report.status };
        NodeReport { status, cause, ..report }
    });
    let nodes = nodes.collect();
    Checked { diagnostics: findings.finish(), nodes, graph: settled.graph, told: settled.told }
}

/// Whether a node is left out for work that is no part of this host, not for what is wrong with it.
fn needs_another_host(cause: &str) -> bool {
    cause.starts_with(diagnostic::code::UNKNOWN_KIND)
}

/// The contract of a file, if it can be told what it is.
fn read<'a>(parsed: &'a Parsed, findings: &mut Findings<'_>) -> Option<Contract<'a>> {
    let root = parsed.normal_root()?;
    let mut found = findings.scratch();
    let mut reading = Reading::new(parsed.file, &mut found);
    let contract = section::read(&mut reading, root, &parsed.stem);
    // What is left out for another reason need not be told that its normal form is not whole.
    let runs = parsed.verdict == Verdict::Native;
    findings.take_over(found, |finding| runs || finding.severity != Severity::Warning);
    let mut contract = contract?;
    contract.normal_form = normal::to_yaml(&shown::normal_form(root)).into();
    Some(contract)
}

/// Why a file's contract is not tried: of an old dialect, and not fit for this host.
fn parked(parsed: &Parsed, contract: Option<&Contract<'_>>, fault: bool) -> Option<Reason> {
    match parsed.verdict {
        _ if contract.is_some_and(|contract| contract.foreign.is_some()) => Some(Reason::Told),
        Verdict::Native if fault => Some(Reason::Fault),
        Verdict::Native => None,
        Verdict::External | Verdict::Inert => Some(Reason::Told),
    }
}

fn report(parsed: &Parsed, contract: Option<&Contract<'_>>) -> NodeReport {
    NodeReport {
        file: parsed.file as usize,
        name: contract.map_or(parsed.stem.clone(), |contract| contract.name.as_str().to_owned()),
        kind: contract.map(|contract| contract.kind.value),
        dialect: parsed.dialect,
        status: match (contract, parsed.verdict) {
            (_, Verdict::External) => "external",
            (Some(contract), _) if contract.foreign.is_some() => "external",
            (_, Verdict::Inert) if parsed.dialect != dialect::NORMAL => "inert",
            (None, _) => "rejected",
            (Some(contract), _) if contract.is_inert() => "inert",
            (Some(_), _) => "native",
        },
        cause: None,
        normal_form: contract.map(|contract| contract.normal_form.to_string()),
    }
}
