//! Other YAML that stands among contracts: whether it is one after all, and what is said when not.

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::findings::Findings;
use crate::model::At;
use crate::section::SECTIONS;
use crate::source::Source;
use crate::yaml::{Node, Tree};

/// Keys at the top level, beside those of sections, by which contracts of all dialects are told
/// from other YAML.
const TELLING: [&str; 9] = [
    "node_type",
    "contract_version",
    "node_identity",
    "node_specification",
    "handler_id",
    "handler_class",
    "projector_kind",
    "db_repository",
    "subcontract_name",
];

/// Sections whose names other YAML uses as well.
const COMMON: [&str; 3] = ["capabilities", "config", "definitions"];

/// What other YAML may be and a contract may not: these faults alone make nobody look for one.
const NO_CONTRACT: [&str; 5] = [
    code::FILE_TOO_LARGE,
    code::UNQUOTED_TEMPLATE,
    code::TOO_DEEP,
    code::TOO_MANY_NODES,
    code::ALIASES_TOO_LARGE,
];

/// Whether a file speaks like a contract.
pub(super) fn is_contract(source: &Source, root: Option<&Node>, found: &[Diagnostic]) -> bool {
    let several = found.iter().any(|finding| finding.code == code::SEVERAL_DOCUMENTS);
    root.is_some_and(|root| telling().any(|key| root.get(key).is_some()))
        || several && speaks_of_a_node(source)
}

fn telling() -> impl Iterator<Item = &'static str> {
    let sections = SECTIONS.iter().map(|section| section.key).filter(|key| !COMMON.contains(key));
    TELLING.into_iter().chain(sections)
}

/// The same of a text that is no tree: whether a line begins with such a key.
fn speaks_of_a_node(source: &Source) -> bool {
    let text = source.shown();
    let mut keys = text.lines().filter_map(|line| line.split_once(':')).map(|(key, _)| key);
    keys.any(|key| telling().any(|known| known == key))
}

/// Says that a file is no contract, or why that cannot be told.
pub(super) fn tell(
    (file, source): (u32, &Source),
    root: Option<&Node>,
    found: Vec<Diagnostic>,
    findings: &mut Findings<'_>,
) {
    let fault = found.iter().find(|finding| finding.severity == Severity::Error);
    let (at, why) = match (root.map(|root| &root.tree), fault) {
        (Some(Tree::Map(entries)), _) if !entries.is_empty() => {
            (entries[0].key_span.clone(), "no key at its top is one of a contract".to_owned())
        }
        (Some(Tree::List(_)), _) => (0..0, "it is a list".to_owned()),
        (None, Some(fault)) if fault.code != code::EMPTY_FILE => {
            if speaks_of_a_node(source) || !NO_CONTRACT.contains(&fault.code) {
                findings.extend(file, found);
                return;
            }
            (fault.span.clone(), fault.message.clone())
        }
        _ => (0..0, "it has no keys".to_owned()),
    };
    let message = format!("this file is not read as a contract: {why}");
    findings
        .note(code::NOT_A_CONTRACT, At::new(file, &at), message)
        .help("a contract says `node_type`; name the file itself to have it read as one");
}
