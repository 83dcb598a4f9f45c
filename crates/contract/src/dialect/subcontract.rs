//! `subcontracts`: parts of a contract in files of their own. What a part holds is read as if it
//! stood in the contract, at the place that names the part; the file itself is no contract.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::diagnostic::code;
use crate::dialect::folder::{common, parts, path_of, tidy};
use crate::dialect::recognise;
use crate::findings::Findings;
use crate::load;
use crate::model::At;
use crate::source::Source;
use crate::yaml::{self, Entry, Node, Tree};

/// The parts that contracts of old dialects name.
#[derive(Default)]
pub(crate) struct Parts {
    /// Those in files of the check: by file, the first contract that names it.
    of: BTreeMap<usize, usize>,
    /// What each contract takes in: the place that names it, and the tree.
    taken: BTreeMap<usize, Vec<(Range<usize>, Node)>>,
}

impl Parts {
    /// Finds every part; one that cannot be read is reported.
    pub(crate) fn find(
        sources: &[Source],
        roots: &[Option<&Node>],
        findings: &mut Findings<'_>,
    ) -> Parts {
        let mut found = Parts::default();
        if !roots.iter().flatten().any(|root| root.get("subcontracts").is_some()) {
            return found;
        }
        let paths: Vec<PathBuf> =
            sources.iter().map(|source| tidy(Path::new(&*source.path))).collect();
        let top = common(&paths);
        for (file, root) in roots.iter().enumerate() {
            let Some(root) = root.filter(|root| takes_in(root)) else { continue };
            let folder = paths[file].parent().unwrap_or(Path::new(""));
            for item in parts(root) {
                let Some((path, written)) = path_of(item).and_then(|n| Some((n, n.as_str()?)))
                else {
                    continue;
                };
                let full = tidy(&folder.join(written));
                // What is outside is not looked at; that it is named is reported elsewhere.
                if Path::new(written).is_absolute() || !full.starts_with(&top) {
                    continue;
                }
                let known = paths.iter().position(|path| *path == full);
                let tree = match known {
                    Some(other) if other == file => continue,
                    Some(other) => {
                        found.of.entry(other).or_insert(file);
                        roots[other].cloned()
                    }
                    None if full.is_file() => {
                        read(&full, At::new(narrow(file), &path.span), findings)
                    }
                    None => continue,
                };
                if let Some(tree) = tree.filter(|_| is_mixin(item)) {
                    found.taken.entry(file).or_default().push((path.span.clone(), tree));
                }
            }
        }
        found
    }

    /// The file that names this one as a part of itself.
    pub(crate) fn owner(&self, file: usize) -> Option<usize> {
        self.of.get(&file).copied()
    }

    /// Says of a file that it is a part of another one, and which of its keys do nothing there.
    pub(crate) fn tell(
        file: u32,
        root: Option<&Node>,
        owner: &Source,
        findings: &mut Findings<'_>,
    ) {
        let entries = root.map_or(&[][..], Node::entries);
        let at = |entry: &Entry| At::new(file, &entry.key_span);
        let message = format!("this file is a part of `{}`: it describes no node", owner.path);
        let head = entries.first().map_or(At::new(file, &(0..0)), at);
        let sections = root.map(sections).unwrap_or_default();
        let help = match sections.is_empty() {
            true => "nothing in it acts here",
            false => "what it says acts there",
        };
        findings.note(code::NOT_A_NODE, head, message).help(help);
        let is_whole =
            root.is_some_and(|root| sections.iter().any(|(_, node)| std::ptr::eq(*node, root)));
        let idle = |entry: &&Entry| {
            let is_section = sections.iter().any(|(key, _)| *key == entry.key);
            !is_section && (!is_whole || OF_THE_PART.contains(&entry.key.as_str()))
        };
        for entry in entries.iter().filter(idle).filter(|_| !sections.is_empty()) {
            let message = format!("`{}` is not enforced: it documents", entry.key);
            findings.note(code::NOT_ENFORCED, at(entry), message);
        }
    }

    /// Puts the parts of a contract into its tree; one that says what is said already is reported.
    pub(crate) fn take_in(&mut self, file: usize, root: &mut Node, findings: &mut Findings<'_>) {
        let Tree::Map(entries) = &mut root.tree else { return };
        for (span, part) in self.taken.remove(&file).unwrap_or_default() {
            for (key, value) in sections(&part) {
                if entries.iter().any(|entry| entry.key == *key) {
                    let at = At::new(narrow(file), &span);
                    let message = format!("this part says `{key}`, which the contract says too");
                    findings
                        .error(code::BAD_SUBCONTRACT, at, message)
                        .help("say it in one of the two places");
                    continue;
                }
                let value = placed(value, &span);
                entries.push(Entry { key: key.into(), key_span: span.clone(), value });
            }
        }
    }
}

fn narrow(file: usize) -> u32 {
    u32::try_from(file).unwrap_or(u32::MAX)
}

/// Whether a file is a contract that takes parts in.
fn takes_in(root: &Node) -> bool {
    !matches!(
        recognise::recognise(root),
        recognise::NORMAL | recognise::SUBCONTRACT | recognise::HOST | recognise::REPOSITORY
    )
}

/// Whether a part becomes one with the contract; that is the way where none is said.
fn is_mixin(item: &Node) -> bool {
    let way = item.get("integration_type").and_then(Node::as_str);
    way.is_none_or(|way| way.eq_ignore_ascii_case("mixin"))
}

/// A part that is no file of the check.
fn read(path: &Path, at: At, findings: &mut Findings<'_>) -> Option<Node> {
    let read = load::read(path).map_err(|error| error.to_string()).and_then(|source| {
        let (root, found) = yaml::parse(&source);
        root.ok_or_else(|| found.first().map_or(String::new(), |fault| fault.message.clone()))
    });
    read.map_err(|why| {
        let message = format!("`{}` cannot be read: {why}", path.display());
        findings.error(code::BAD_SUBCONTRACT, at, message).help("correct that file");
    })
    .ok()
}

/// Sections that a part may hold under their own names.
const SECTIONS: [&str; 21] = [
    "compute",
    "compute_operations",
    "consumed_events",
    "definitions",
    "effect",
    "effect_operations",
    "event_bus",
    "fsm",
    "fsm_states",
    "handler_routing",
    "input_subscriptions",
    "intent_consumption",
    "intent_emission",
    "operation_bindings",
    "published_events",
    "state_machine",
    "state_transitions",
    "validation",
    "workflow_coordination",
    "workflow_steps",
    "workflows",
];

/// A key by which a section is told whose keys stand at the top of the part, and the section.
const BARE: [(&str, &str); 5] = [
    ("transitions", "state_machine"),
    ("initial_state", "state_machine"),
    ("workflow_definition", "workflow_coordination"),
    ("pipeline", "compute_operations"),
    ("operations", "effect_operations"),
];

/// What a part holds, by section.
fn sections(part: &Node) -> Vec<(&str, &Node)> {
    let named = part.entries().iter().filter(|entry| SECTIONS.contains(&entry.key.as_str()));
    let named: Vec<_> = named.map(|entry| (entry.key.as_str(), &entry.value)).collect();
    if !named.is_empty() {
        return named;
    }
    let bare = BARE.iter().find(|(key, _)| part.get(key).is_some());
    bare.map(|(_, section)| (*section, part)).into_iter().collect()
}

/// A tree of another file, all of it at one place of this one; without what only says of the part
/// that it is one.
fn placed(node: &Node, at: &Range<usize>) -> Node {
    let tree = match &node.tree {
        Tree::List(items) => Tree::List(items.iter().map(|item| placed(item, at)).collect()),
        Tree::Map(entries) => {
            let own = entries.iter().filter(|entry| !OF_THE_PART.contains(&entry.key.as_str()));
            let entry = |entry: &Entry| Entry {
                key: entry.key.clone(),
                key_span: at.clone(),
                value: placed(&entry.value, at),
            };
            Tree::Map(own.map(entry).collect())
        }
        other => other.clone(),
    };
    Node { tree, span: at.clone(), ..node.clone() }
}

/// Keys by which a part tells that it is one.
const OF_THE_PART: [&str; 4] =
    ["subcontract_name", "subcontract_version", "contract_type", "integration_type"];
