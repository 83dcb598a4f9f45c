//! From contract text to a checked, linked graph.
//!
//! In reading order: [`source`] text as found, [`diagnostic`] what is found in it, [`catalog`] what
//! the host can perform, [`schema`] JSON Schema, [`graph`] what may run.
//! Never does I/O beyond reading files, never async, knows nothing of the runtime.

pub mod source;
pub mod diagnostic;
pub mod yaml;
pub mod catalog;
pub mod normal;
pub mod schema;
pub mod suggest;
pub mod topic;
pub mod graph;

use catalog::{Catalog, HostValues};
use diagnostic::Diagnostic;
use graph::{Graph, Kind};
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
}

/// What `onex check` tells of one contract.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// The node's name (the file's stem where it has none).
    pub name: String,
    /// Its kind, when it could be read.
    pub kind: Option<Kind>,
    /// `normal`, `G0` ... `G5`, `handler`, `projector`.
    pub dialect: &'static str,
    /// `native`, `external`, `inert`, `rejected`.
    pub status: &'static str,
    /// The normal form as YAML, when it could be read.
    pub normal_form: Option<String>,
}

/// Checks every contract and the whole system they make.
pub fn check(_sources: &[Source], _catalog: &Catalog, _host: &HostValues) -> Checked {
    unimplemented!()
}
