//! What the host must give before the new contracts start: values, environment, secrets.

use std::collections::BTreeMap;

use onex_expr::Text;

use super::verdict::{Verdict, What};
use super::{Both, Change};
use crate::model::{Contract, Data, Word};
use crate::yaml::{Node, Tree};

/// What is asked of the host now.
pub(super) fn changes(both: &Both<'_>, old: &Contract<'_>, new: &Contract<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (root, reason) in [
        ("env", "the host does not start until the variable is set"),
        ("secret", "the host does not start until it can resolve the secret"),
    ] {
        let before = names(old.root, root);
        for (name, node) in names(new.root, root) {
            if !before.contains_key(&name) {
                let path = format!("{root}.{name}");
                let verdict = Verdict::Breaking;
                let change =
                    Change::new(new.name.as_str(), path, What::Added, verdict, reason.to_owned());
                changes.push(Change { new: both.new.place_of(new, node), ..change });
            }
        }
    }
    changes.extend(config(both, old, new));
    changes
}

fn config(both: &Both<'_>, old: &Contract<'_>, new: &Contract<'_>) -> Vec<Change> {
    let mut all: BTreeMap<&Text, [Option<&(Word, Data<'_>)>; 2]> = BTreeMap::new();
    for (side, declared) in [&old.config, &new.config].into_iter().enumerate() {
        for entry in declared {
            all.entry(&entry.0.value).or_default()[side] = Some(entry);
        }
    }
    let (was_read, is_read) = (names(old.root, "config"), names(new.root, "config"));
    let undeclared: Vec<(&Text, &&Node)> = is_read
        .iter()
        .filter(|(name, _)| !was_read.contains_key(*name) && !all.contains_key(name))
        .collect();
    let mut changes: Vec<Change> = undeclared
        .into_iter()
        .map(|(name, node)| {
            let (verdict, reason) = (Verdict::Breaking, NO_DEFAULT.to_owned());
            let path = format!("config.{name}");
            let change = Change::new(new.name.as_str(), path, What::Added, verdict, reason);
            Change { new: both.new.place_of(new, node), ..change }
        })
        .collect();
    for (name, [was, is]) in all {
        let Some((what, verdict, reason)) = judged(was, is, is_read.contains_key(name)) else {
            continue;
        };
        let path = format!("config.{name}");
        let change = Change::new(new.name.as_str(), path, what, verdict, reason.to_owned());
        changes.push(Change {
            old: was.and_then(|(word, _)| both.old.place(word.at)),
            new: is.and_then(|(word, _)| both.new.place(word.at)),
            ..change
        });
    }
    changes
}

const NO_DEFAULT: &str = "it has no default: the host does not start until it gives a value";

fn judged(
    was: Option<&(Word, Data<'_>)>,
    is: Option<&(Word, Data<'_>)>,
    is_read: bool,
) -> Option<(What, Verdict, &'static str)> {
    let what = What::of(was, is)?;
    let null = |entry: &(Word, Data<'_>)| matches!(entry.1.node.tree, Tree::Null);
    let (verdict, reason) = match (was, is) {
        (None, Some(is)) if null(is) => (Verdict::Breaking, NO_DEFAULT),
        (None, Some(_)) => (Verdict::Compatible, "its default holds where the host gives nothing"),
        (Some(_), None) if is_read => (Verdict::Breaking, NO_DEFAULT),
        (Some(_), None) => (Verdict::Compatible, "nothing reads what the host gives"),
        (Some(was), Some(is)) if super::walk::same(was.1.node, is.1.node) => return None,
        (Some(_), Some(is)) if null(is) => (Verdict::Breaking, NO_DEFAULT),
        (Some(was), Some(is)) if !null(was) && was.1.node.kind() != is.1.node.kind() => {
            (Verdict::Breaking, "a value that the host gives is of another type")
        }
        _ => (Verdict::Compatible, "the default holds where the host gives nothing"),
    };
    Some((what, verdict, reason))
}

/// Whether a text anywhere in a contract reads `<root>.<name>`.
pub(super) fn reads(node: &Node, root: &str, name: &str) -> bool {
    names(node, root).contains_key(name)
}

/// Every name that is read as `<root>.<name>`, with the text that reads it.
fn names<'n>(node: &'n Node, root: &str) -> BTreeMap<Text, &'n Node> {
    let mut names = BTreeMap::new();
    collect(node, root, &mut names);
    names
}

fn collect<'n>(node: &'n Node, root: &str, names: &mut BTreeMap<Text, &'n Node>) {
    if let Tree::String(text) = &node.tree {
        for name in names_in(text, root) {
            names.entry(name.into()).or_insert(node);
        }
    }
    node.items().iter().for_each(|item| collect(item, root, names));
    let entries = node.entries().iter();
    entries.filter(|entry| entry.key != "description").for_each(|e| collect(&e.value, root, names));
}

fn names_in<'t>(text: &'t str, root: &str) -> Vec<&'t str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices(root) {
        let follows = |c: char| is_part(c) || c == '.' || c == '"' || c == '\'';
        if text[..at].ends_with(follows) {
            continue;
        }
        let Some(rest) = text[at + root.len()..].strip_prefix('.') else {
            continue;
        };
        let rest = rest.strip_prefix('?').unwrap_or(rest);
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if end > 0 {
            found.push(&rest[..end]);
        }
    }
    found
}
