//! What a mapping's keys mean together: duplicates and merge keys.

use std::collections::BTreeSet;

use onex_expr::Text;

use crate::diagnostic::{Diagnostic, code};
use crate::source::Source;

use super::finding::Findings;
use super::{Entry, Node, Tree};

/// An entry as written.
pub(super) struct Written {
    pub(super) entry: Entry,
    /// Whether the key was a plain word: only then `<<` merges.
    pub(super) plain: bool,
}

/// The entries that count; what is wrong with the others is added to `findings`.
pub(super) fn settle(
    source: &Source,
    mut written: Vec<Written>,
    findings: &mut Findings,
) -> Vec<Entry> {
    drop_duplicates(source, &mut written, findings);
    if !written.iter().any(is_merge) {
        return written.into_iter().map(|written| written.entry).collect();
    }
    let own = written.iter().filter(|written| !is_merge(written));
    let mut taken: BTreeSet<Text> = own.map(|written| written.entry.key.clone()).collect();
    let mut entries = Vec::with_capacity(written.len());
    for one in written {
        if !is_merge(&one) {
            entries.push(one.entry);
            continue;
        }
        match merged(one.entry.value) {
            Ok(merged) => {
                entries.extend(merged.into_iter().filter(|entry| taken.insert(entry.key.clone())));
            }
            Err(other) => findings.error(|| no_mapping(source, &one.entry.key_span, &other)),
        }
    }
    entries
}

fn is_merge(written: &Written) -> bool {
    written.plain && written.entry.key == "<<"
}

/// Reports every key that was given before; the last of each counts.
fn drop_duplicates(source: &Source, written: &mut Vec<Written>, findings: &mut Findings) {
    let mut order: Vec<usize> = (0..written.len()).collect();
    order.sort_by(|a, b| (&written[*a].entry.key, a).cmp(&(&written[*b].entry.key, b)));
    let same = |pair: &&[usize]| written[pair[0]].entry.key == written[pair[1]].entry.key;
    let pairs = order.windows(2).filter(same).map(|pair| (pair[1], pair[0]));
    let mut pairs: Vec<(usize, usize)> = pairs.collect();
    if pairs.is_empty() {
        return;
    }
    pairs.sort_unstable();
    let mut lost = vec![false; written.len()];
    for (later, earlier) in pairs {
        lost[earlier] = true;
        findings.error(|| duplicate(source, &written[earlier].entry, &written[later].entry));
    }
    let mut lost = lost.into_iter();
    written.retain(|_| !lost.next().unwrap_or(false));
}

/// The entries that a merge key brings: of one mapping, or of several, the first winning.
fn merged(value: Node) -> Result<Vec<Entry>, Node> {
    match value.tree {
        Tree::Map(entries) => Ok(entries),
        Tree::List(ref items) if items.iter().all(|item| matches!(item.tree, Tree::Map(_))) => {
            Ok(items.iter().flat_map(|item| item.entries().iter().cloned()).collect())
        }
        _ => Err(value),
    }
}

fn duplicate(source: &Source, earlier: &Entry, later: &Entry) -> Diagnostic {
    let (first, _) = source.positions(&earlier.key_span);
    let message =
        format!("`{}` was already given on line {}; the last one counts", later.key, first.line);
    Diagnostic::error(source, code::DUPLICATE_KEY, later.key_span.clone(), message)
        .with_related(source, earlier.key_span.clone(), "given here before, not used")
        .with_help("keep one of the two")
}

fn no_mapping(source: &Source, span: &std::ops::Range<usize>, value: &Node) -> Diagnostic {
    let message = format!("`<<` merges mappings, this is {}", value.kind());
    Diagnostic::error(source, code::MERGE_OF_NO_MAPPING, span.clone(), message)
        .with_help("refer to a mapping, or quote `\"<<\"` if that key is meant")
}
