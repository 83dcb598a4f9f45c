//! What of a tree of contracts would run here: a line a file, with the reason where it would not,
//! and how often each key is given that nothing enforces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Checked;
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::graph::Kind;
use crate::source::Source;

/// The census of a tree.
#[derive(Clone, Debug)]
pub struct Census {
    /// Every contract, in the order given.
    pub files: Vec<File>,
    /// Every other file, with why it is none.
    pub others: Vec<(Arc<str>, String)>,
    /// Keys that nothing enforces, by how often they are given, the most frequent first.
    pub not_enforced: Vec<(String, usize)>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is.
    pub path: Arc<str>,
    /// The node's name.
    pub name: String,
    /// Its kind, when it could be read.
    pub kind: Option<Kind>,
    /// What it is written in.
    pub dialect: &'static str,
    /// What would become of it.
    pub fate: Fate,
    /// Why, when it would not run.
    pub reason: Option<String>,
}

/// What would become of a contract here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It runs as it is.
    Native,
    /// It runs once what is wrong is put right.
    Faulty,
    /// It needs a handler or a kind of effect that is not part of this product.
    External,
    /// It has nothing to run.
    Inert,
    /// It cannot be read as a contract.
    Rejected,
}

impl Fate {
    /// Every fate, the best first.
    pub const ALL: [Fate; 5] =
        [Fate::Native, Fate::Faulty, Fate::External, Fate::Inert, Fate::Rejected];

    /// The word that all output uses.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Native => "native",
            Fate::Faulty => "faulty",
            Fate::External => "external",
            Fate::Inert => "inert",
            Fate::Rejected => "rejected",
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Fate::Native => "would run as it is",
            Fate::Faulty => "would run once what is wrong is put right",
            Fate::External => "needs what is not part of this host",
            Fate::Inert => "has nothing to run",
            Fate::Rejected => "cannot be read as a contract",
        }
    }
}

/// Takes the census of what was checked.
pub fn census(sources: &[Source], checked: &Checked) -> Census {
    let mut found: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in &checked.diagnostics {
        found.entry(&finding.file).or_default().push(finding);
    }
    let files = checked.nodes.iter().map(|node| {
        let source = &sources[node.file];
        let found = found.get(&*source.path).map_or(&[][..], Vec::as_slice);
        let has_errors = found.iter().any(|finding| finding.severity == Severity::Error);
        let fate = match node.status {
            "native" if has_errors || node.cause.is_some() => Fate::Faulty,
            "native" => Fate::Native,
            "external" => Fate::External,
            "inert" => Fate::Inert,
            _ => Fate::Rejected,
        };
        File {
            path: source.path.clone(),
            name: node.name.clone(),
            kind: node.kind,
            dialect: node.dialect,
            fate,
            reason: node.cause.clone().or_else(|| reason(fate, found)),
        }
    });
    let files = files.collect();
    let read: BTreeSet<usize> = checked.nodes.iter().map(|node| node.file).collect();
    let others = sources.iter().enumerate().filter(|(at, _)| !read.contains(at));
    let others = others.map(|(_, source)| {
        let found = found.get(&*source.path).map_or(&[][..], Vec::as_slice);
        (source.path.clone(), reason(Fate::Rejected, found).unwrap_or_default())
    });
    let others = others.collect();
    Census { files, others, not_enforced: not_enforced(&checked.diagnostics) }
}

/// The finding that tells most of why a contract does not run.
fn reason(fate: Fate, found: &[&Diagnostic]) -> Option<String> {
    let first = |wanted: &dyn Fn(&Diagnostic) -> bool| found.iter().find(|f| wanted(f)).copied();
    let grave = || first(&|f| f.severity == Severity::Error);
    // That it is quarantined says nothing of why.
    let other = || first(&|f| f.severity > Severity::Note && f.code != code::QUARANTINED);
    let named = |codes: &[&str]| first(&|f| codes.contains(&f.code)).or_else(grave).or_else(other);
    let told = match fate {
        Fate::Native => None,
        Fate::Faulty | Fate::Rejected => grave().or_else(other).or_else(|| first(&|_| true)),
        Fate::Inert => named(&[code::NOT_A_NODE, code::INERT]),
        Fate::External => named(&[code::FOREIGN_HANDLER]),
    };
    told.map(|finding| format!("{} {}", finding.code, finding.message))
}

fn not_enforced(found: &[Diagnostic]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in found.iter().filter(|finding| finding.code == code::NOT_ENFORCED) {
        let key = finding.message.split('`').nth(1).unwrap_or(&finding.message);
        *counts.entry(key).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> =
        counts.into_iter().map(|(key, count)| (key.to_owned(), count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

impl Census {
    /// How many files have this fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.files.iter().filter(|file| file.fate == fate).count()
    }
}
