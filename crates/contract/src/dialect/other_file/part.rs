//! Files that are no node: parts of contracts, lists of queries.

use crate::diagnostic::code;
use crate::dialect::{
    recognise::SUBCONTRACT,
    translate::{Translated, Verdict},
};
use crate::section::reading::Reading;
use crate::yaml::Node;

/// Says what the file is, and that nothing in it acts.
pub(in crate::dialect) fn read(
    reading: &mut Reading<'_, '_>,
    root: &Node,
    dialect: &str,
) -> Translated {
    let what = match dialect {
        SUBCONTRACT => "a part of another contract",
        _ => "a list of named queries",
    };
    tell(reading, root, what);
    Translated { root: None, verdict: Verdict::Inert }
}

/// The note at the first key.
pub(in crate::dialect) fn tell(reading: &mut Reading<'_, '_>, root: &Node, what: &str) {
    let first = root.entries().first().map_or(&root.span, |entry| &entry.key_span);
    let at = reading.at(first);
    reading
        .findings
        .note(code::NOT_A_NODE, at, format!("this file is {what}: it describes no node"))
        .help("nothing in it acts here");
}
