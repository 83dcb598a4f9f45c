//! Nothing in a file of an old dialect is silently ignored: whatever value is changed, either what
//! runs or what is said changes, or a finding names the value, its key or what holds it.
//!
//! Over the samples and the corpus that `tests/corpus.rs` describes.

mod corpus_files;
mod host;

use std::collections::BTreeSet;
use std::ops::Range;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Diagnostic;
use onex_contract::source::Source;
use onex_contract::yaml::{self, Node, Tree};
use onex_contract::{Checked, check, load_folder};

/// Findings that speak of everything below the key or value where they stand.
const COVERING: [&str; 5] = ["C0201", "C0203", "C0206", "C0207", "C0307"];
/// At a switch it speaks of what holds the switch, at an item of the item.
const SWITCHED_OFF: &str = "C1013";
/// Files that are said to be no contract of a node: nothing in them acts.
const WHOLE: [&str; 2] = ["subcontract", "repository"];

fn checked(source: &Source) -> Checked {
    check(std::slice::from_ref(source), &host::catalog(), &HostValues::default())
}

/// Everything that a check tells, without places.
fn told(checked: &Checked) -> Vec<String> {
    let said =
        |found: &Diagnostic| format!("{} {:?} {}", found.code, found.severity, found.message);
    let mut told: Vec<String> = checked.diagnostics.iter().map(said).collect();
    for node in &checked.nodes {
        told.push(format!("{} {:?} {} {:?}", node.name, node.kind, node.status, node.normal_form));
    }
    told
}

/// Values that no finding names, nor any key above them.
fn unnamed(node: &Node, named: &Named, found: &mut Vec<Range<usize>>, tree: &mut Vec<Node>) {
    let at = (node.span.start, node.span.end);
    let switches = ["enabled", "quarantine"].into_iter().filter_map(|key| node.get(key));
    let mut switches = switches.map(|switch| (switch.span.start, switch.span.end));
    if named.covered.contains(&at) || switches.any(|switch| named.off.contains(&switch)) {
        return;
    }
    node.items().iter().for_each(|item| unnamed(item, named, found, tree));
    for entry in node.entries() {
        let key = (entry.key_span.start, entry.key_span.end);
        let is_leaf = entry.value.entries().is_empty() && entry.value.items().is_empty();
        let listed =
            named.listed.contains(&(entry.key.to_string(), named.line(entry.key_span.start)));
        let is_named =
            listed || named.covered.contains(&key) || (is_leaf && named.spoken.contains(&key));
        if !is_named {
            unnamed(&entry.value, named, found, tree);
        }
    }
    let is_leaf = !matches!(node.tree, Tree::Null | Tree::List(_) | Tree::Map(_));
    if is_leaf && !named.spoken.contains(&at) {
        found.push(node.span.clone());
        tree.push(node.clone());
    }
}

/// Places of findings.
struct Named {
    /// Keys and the other lines that a note says they are on.
    listed: BTreeSet<(String, usize)>,
    source: Source,
    /// Switches that say that what holds them is left out.
    off: BTreeSet<(usize, usize)>,
    covered: BTreeSet<(usize, usize)>,
    spoken: BTreeSet<(usize, usize)>,
}

impl Named {
    fn line(&self, byte: usize) -> usize {
        self.source.positions(&(byte..byte)).0.line
    }
}

/// The key of a note and each other line that it lists.
fn listed(found: &Diagnostic) -> Vec<(String, usize)> {
    let Some((_, lines)) = found.message.split_once("(also on lines ") else { return Vec::new() };
    let key = found.message.split('`').nth(1).unwrap_or_default();
    let lines = lines.trim_end_matches(')').split(", ").filter_map(|line| line.parse().ok());
    lines.map(|line| (key.to_owned(), line)).collect()
}

/// The file with another value in one place.
fn changed(source: &Source, node: &Node) -> Source {
    let mut bytes = source.bytes.to_vec();
    let span = node.span.clone();
    match &node.tree {
        Tree::Bool(truth) => drop(bytes.splice(span, (!truth).to_string().into_bytes())),
        Tree::Int(number) => drop(bytes.splice(span, (number + 1).to_string().into_bytes())),
        Tree::Double(_) => drop(bytes.splice(span, b"7.25".to_vec())),
        // A text of one line becomes another word; of a longer one only the begin changes.
        _ if !bytes[span.clone()].contains(&b'\n') => drop(bytes.splice(span, b"zz9".to_vec())),
        _ => {
            let is_quoted = matches!(bytes[span.start], b'"' | b'\'');
            bytes.insert(span.start + usize::from(is_quoted), b'x');
        }
    }
    Source::new(source.path.clone(), bytes)
}

#[test]
fn every_value_acts_or_is_named() {
    let mut silent = Vec::new();
    for path in corpus_files::all() {
        let sources = load_folder(&path).expect("a file can be read");
        let [source] = sources.as_slice() else { panic!("one file") };
        let before = checked(source);
        let [node] = before.nodes.as_slice() else { continue };
        let Some(root) = yaml::parse(source).0 else { continue };
        if node.dialect == "normal" || WHOLE.contains(&node.dialect) {
            continue;
        }
        let places = |wanted: &dyn Fn(&str) -> bool| {
            let found = before.diagnostics.iter().filter(|found| wanted(found.code));
            found.map(|found| (found.span.start, found.span.end)).collect()
        };
        let named = Named {
            listed: before.diagnostics.iter().flat_map(listed).collect(),
            source: source.clone(),
            off: places(&|code| code == SWITCHED_OFF),
            covered: places(&|code| COVERING.contains(&code) || code == SWITCHED_OFF),
            spoken: places(&|code| !code.starts_with("C01")),
        };
        let (mut spans, mut nodes) = (Vec::new(), Vec::new());
        unnamed(&root, &named, &mut spans, &mut nodes);
        let told_before = told(&before);
        for (span, node) in spans.iter().zip(&nodes) {
            if told(&checked(&changed(source, node))) == told_before {
                let line = source.bytes[..span.start].iter().filter(|b| **b == b'\n').count() + 1;
                silent.push(format!("{}:{line}: {:?}", path.display(), node.tree));
            }
        }
    }
    assert!(silent.is_empty(), "{} values are ignored:\n{}", silent.len(), silent.join("\n"));
}
