//! Check under damaged input: it never panics, finds nothing outside the file, and gives a graph
//! exactly when nothing found is an error.

mod host;

use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::{Severity, code};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_contract::yaml::{self, Node, Tree};
use onex_contract::{check, load_folder};
use onex_expr::{Value, json};

/// Mutants of each test.
const ROUNDS: u64 = 300;

/// A fixed sequence of numbers: the same mutants in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("below a usize")
    }
}

fn example() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/example");
    load_folder(&folder).expect("the example is there")
}

/// The example, and every sample of an old dialect as a system of its own.
fn systems() -> Vec<Vec<Source>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/dialect_samples");
    let files = std::fs::read_dir(folder).expect("the samples are there");
    let mut files: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let sample = |file| load_folder(file).expect("a sample can be read");
    let mut systems: Vec<Vec<Source>> = files.iter().map(|file| sample(file)).collect();
    let old = systems.len();
    systems.extend(std::iter::repeat_n(example(), old));
    systems
}

fn hold(sources: &[Source]) {
    let names = ["gateway", "warehouse", "carrier"];
    let config = names.map(|name| (name.to_owned(), Value::text("http://localhost"))).into();
    let host = HostValues { config: [(String::new(), config)].into(), ..HostValues::default() };
    let checked = check(sources, &host::catalog(), &host);
    let mut errors = false;
    for found in &checked.diagnostics {
        let source = sources.iter().find(|source| source.path == found.file);
        let length = source.expect("a finding is in a file that was given").bytes.len();
        assert!(found.span.start <= found.span.end && found.span.end <= length, "{found:?}");
        errors |= found.severity == Severity::Error;
    }
    assert_eq!(checked.graph.is_none(), errors, "{:#?}", checked.diagnostics);
    assert_eq!(checked.nodes.len(), sources.len());
    for node in checked.nodes.iter().filter(|node| node.dialect != "normal") {
        let Some(form) = &node.normal_form else { continue };
        let again = [Source::new("shown.yaml", form.as_str())];
        let shown = check(&again, &host::catalog(), &host);
        assert_eq!(shown.nodes[0].normal_form.as_ref(), Some(form), "showing it again");
    }
    // A name that only the mutant reads has no value, which restoring takes as an error.
    let complete = |code: &str| ![code::CONFIG_MISSING, code::ENV_MISSING].contains(&code);
    let complete = checked.diagnostics.iter().all(|found| complete(found.code));
    if let Some(graph) = checked.graph.filter(|_| complete) {
        let restored = Graph::restore(&graph.stored, &host::catalog());
        let restored = restored.unwrap_or_else(|again| panic!("{:#?}", again.diagnostics));
        assert_eq!(restored.id, graph.id);
    }
}

const PIECES: [&str; 16] = [
    "{", "}", "[", "]", ": ", ", ", "\n", "  ", "- ", "\"", "${", "null", "*", "&a ", "-1",
    "é\u{0}",
];

#[test]
fn damaged_text_is_judged_and_never_panics() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let systems = systems();
    for _ in 0..ROUNDS {
        let mut sources = systems[numbers.below(systems.len())].clone();
        let victim = numbers.below(sources.len());
        let mut bytes = sources[victim].bytes.to_vec();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            let end = (at + numbers.below(40)).min(bytes.len());
            match numbers.below(3) {
                0 => drop(bytes.drain(at..end)),
                1 => {
                    let piece = PIECES[numbers.below(PIECES.len())].bytes();
                    drop(bytes.splice(at..at, piece));
                }
                _ => {
                    let copy = bytes[at..end].to_vec();
                    let to = numbers.below(bytes.len());
                    drop(bytes.splice(to..to, copy));
                }
            }
        }
        sources[victim].bytes = bytes.into();
        hold(&sources);
    }
}

/// The node with this number, counted in the order written.
fn nth<'n>(node: &'n mut Node, left: &mut usize) -> Option<&'n mut Node> {
    if *left == 0 {
        return Some(node);
    }
    *left -= 1;
    match &mut node.tree {
        Tree::List(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Tree::Map(entries) => entries.iter_mut().find_map(|entry| nth(&mut entry.value, left)),
        _ => None,
    }
}

fn count(node: &Node) -> usize {
    let below = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    1 + below.map(count).sum::<usize>()
}

fn change(node: &mut Node, other: Node, numbers: &mut Numbers) {
    match (&mut node.tree, numbers.below(4)) {
        (Tree::Map(entries), 0) if !entries.is_empty() => {
            entries.remove(numbers.below(entries.len()));
        }
        (Tree::Map(entries), 1) if !entries.is_empty() => {
            let at = numbers.below(entries.len());
            entries[at].key = format!("{}x", entries[at].key).into();
        }
        (Tree::List(items), 0) if !items.is_empty() => {
            items.remove(numbers.below(items.len()));
        }
        (Tree::List(items), 1) if !items.is_empty() => {
            let again = items[numbers.below(items.len())].clone();
            items.push(again);
        }
        (tree, 2) => *tree = Tree::Null,
        (tree, _) => *tree = other.tree,
    }
}

#[test]
fn contracts_of_another_shape_are_judged_and_never_panic() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let systems = systems();
    for _ in 0..ROUNDS {
        let mut sources = systems[numbers.below(systems.len())].clone();
        let victim = numbers.below(sources.len());
        let (root, _) = yaml::parse(&sources[victim]);
        let mut root = root.expect("the example is YAML");
        for _ in 0..=numbers.below(2) {
            let nodes = count(&root);
            let other = nth(&mut root, &mut numbers.below(nodes)).expect("below the count").clone();
            let node = nth(&mut root, &mut numbers.below(nodes)).expect("below the count");
            change(node, other, &mut numbers);
        }
        sources[victim].bytes = json::to_string(&root.to_value()).into_bytes().into();
        hold(&sources);
    }
}

#[test]
fn files_that_are_no_contracts_are_rejected_with_a_finding() {
    for text in ["", "42", "- a", "name: [", "\u{feff}", "a: &a [*a]", "{}", "name: x", "\u{1}"] {
        let source = Source::new("x.yaml", text);
        let checked =
            check(std::slice::from_ref(&source), &host::catalog(), &HostValues::default());
        assert!(!checked.diagnostics.is_empty(), "{text:?}");
        assert!(checked.graph.is_none(), "{text:?}");
        assert_eq!(checked.nodes[0].status, "rejected", "{text:?}");
        hold(&[source]);
    }
}

#[test]
fn files_of_old_dialects_that_are_too_much_are_refused_in_time() {
    let head = "name: old\nnode_type: REDUCER_GENERIC\nnode_version: 1.0.0\n";
    let bomb = (0..60).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [*a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)
    });
    let deep = format!("state_machine: {}{}\n", "{a: ".repeat(5000), "}".repeat(5000));
    let large = format!("description: {}\n", "x".repeat(11 * 1024 * 1024));
    let tab = "state_machine:\n\tinitial_state: a\n";
    for (tail, code) in [
        (bomb.as_str(), code::ALIASES_TOO_LARGE),
        (deep.as_str(), code::TOO_DEEP),
        (large.as_str(), code::FILE_TOO_LARGE),
        (tab, code::TAB_IN_INDENTATION),
    ] {
        let source = Source::new("old.yaml", format!("{head}{tail}"));
        let sources = std::slice::from_ref(&source);
        let checked = check(sources, &host::catalog(), &HostValues::default());
        let found: Vec<&str> = checked.diagnostics.iter().map(|found| found.code).collect();
        assert!(found.contains(&code), "{code}: {found:?}");
        assert!(checked.graph.is_none(), "{code}");
    }
}
