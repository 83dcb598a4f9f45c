//! A file's text read as a tree, in whatever dialect it is written.

use std::path::Path;

use crate::diagnostic::{Severity, code};
use crate::dialect;
use crate::findings::Findings;
use crate::source::Source;
use crate::yaml::{self, Node};

/// One file.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Index of its source.
    pub file: u32,
    /// The name to use when it does not say its own.
    pub stem: String,
    /// Its dialect.
    pub dialect: &'static str,
    /// The tree; absent when the text is no mapping.
    pub root: Option<Node>,
}

/// Reads every file.
pub(crate) fn all(sources: &[Source], findings: &mut Findings<'_>) -> Vec<Parsed> {
    (0u32..).zip(sources).map(|(file, source)| parse(file, source, findings)).collect()
}

/// Reads one file; what is wrong with its text is reported.
fn parse(file: u32, source: &Source, findings: &mut Findings<'_>) -> Parsed {
    let (root, mut found) = yaml::parse(source);
    let root = root.filter(|root| matches!(root.tree, yaml::Tree::Map(_)));
    let dialect = root.as_ref().map_or(dialect::NORMAL, dialect::recognise);
    if dialect != dialect::NORMAL {
        for finding in found.iter_mut().filter(|finding| finding.code == code::DUPLICATE_KEY) {
            finding.severity = Severity::Warning;
        }
    }
    findings.extend(found);
    Parsed { file, stem: stem(&source.path), dialect, root }
}

/// `order` of `contracts/order.contract.yaml`; the folder's name of `order/contract.yaml`.
fn stem(path: &str) -> String {
    let path = Path::new(path);
    let text =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let file = text(path.file_name()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    if stem != "contract" {
        return stem.to_owned();
    }
    text(path.parent().and_then(Path::file_name)).unwrap_or_else(|| stem.to_owned())
}
