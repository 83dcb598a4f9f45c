//! Pairs of contracts, each with the verdict that it must get: `diff/labels.txt` has a line a
//! pair, written by hand; `diff/<pair>/{old,new}` are the contracts (files, or folders where it
//! takes several) and `expected.txt` the whole answer, which `UPDATE=1` writes anew. Contracts that
//! many pairs need and none changes are in `diff/beside`.

mod host;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::diff::{Diff, Set, diff, human, json};
use onex_contract::source::Source;
use onex_contract::{Checked, check, load_folder};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff")
}

fn labels() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("labels.txt")).expect("the labels are there");
    let pair = |line: &str| {
        let (name, verdict) = line.split_once(": ").expect("a line is `pair: verdict`");
        (name.to_owned(), verdict.to_owned())
    };
    text.lines().map(pair).collect()
}

/// The contracts of a side: of `old.yaml`, or of every file in `old`; and those of `beside` that
/// either side asks for and this one does not bring.
fn sources(pair: &Path, side: &str) -> Vec<Source> {
    let mut found = brought(pair, side);
    let both = [brought(pair, "old"), brought(pair, "new")].concat();
    for file in files(&root().join("beside")) {
        let name = file.file_stem().expect("a contract has a name").to_string_lossy().into_owned();
        let asked = [format!("_node: {name}"), format!("intent_type: {name}.")];
        let asks = both.iter().any(|source| asked.iter().any(|ask| text(source).contains(ask)));
        let named = format!("name: {name}\n");
        if asks && !found.iter().any(|source| text(source).starts_with(&named)) {
            found.extend(read(&root(), &file));
        }
    }
    found
}

fn brought(pair: &Path, side: &str) -> Vec<Source> {
    let alone = pair.join(format!("{side}.yaml"));
    match alone.exists() {
        true => read(pair, &alone),
        false => files(&pair.join(side)).iter().flat_map(|file| read(pair, file)).collect(),
    }
}

fn text(source: &Source) -> &str {
    std::str::from_utf8(&source.bytes).expect("a contract is text")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).expect("a pair has two sides");
    let mut files: Vec<PathBuf> =
        found.map(|file| file.expect("a folder can be listed").path()).collect();
    files.sort();
    files
}

/// A contract, named by its place below the folder.
fn read(folder: &Path, file: &Path) -> Vec<Source> {
    let name = file.strip_prefix(folder).expect("it is inside").display().to_string();
    let found = load_folder(file).expect("a contract can be read").into_iter();
    found.map(|source| source.at(name.as_str())).collect()
}

fn compared(pair: &Path) -> Diff {
    diffed(&sources(pair, "old"), &sources(pair, "new"))
}

fn diffed(old: &[Source], new: &[Source]) -> Diff {
    let (before, after) = (checked(old), checked(new));
    diff(Set { sources: old, checked: &before }, Set { sources: new, checked: &after })
}

fn checked(sources: &[Source]) -> Checked {
    check(sources, &host::catalog(), &HostValues::default())
}

#[test]
fn every_pair_gets_its_verdict_and_its_reasons() {
    let labels = labels();
    let mut wrong = Vec::new();
    for (name, verdict) in &labels {
        let pair = root().join(name);
        let diff = compared(&pair);
        let answer = human::render(&diff, false);
        if diff.verdict().words() != verdict {
            wrong.push(format!("{name} should be {verdict}:\n{answer}"));
        }
        for error in &diff.old_errors {
            wrong.push(format!("{name}: {}:{} {}", error.file, error.line, error.message));
        }
        let expected = pair.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, answer).expect("an expectation can be written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*answer) {
            wrong.push(format!("{name}: now\n{answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(labels.len() >= 60, "only {} pairs", labels.len());
}

#[test]
fn every_folder_of_pairs_is_labelled() {
    let labels = labels();
    for entry in fs::read_dir(root()).expect("the folder is there") {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        assert!(
            !path.is_dir() || name == "beside" || labels.contains_key(&name),
            "{name} has no label"
        );
    }
}

#[test]
fn a_set_compared_with_itself_does_not_change() {
    for name in labels().keys() {
        for side in ["old", "new"] {
            let sources = sources(&root().join(name), side);
            let diff = diffed(&sources, &sources);
            assert!(diff.changes.is_empty(), "{name}/{side}: {:?}", diff.changes);
        }
    }
}

#[test]
fn what_touches_nothing_alive_is_compatible() {
    let mut diff = compared(&root().join("reducer_state_removed"));
    diff.count_alive(|_| Some(3));
    assert_eq!(diff.verdict().words(), "needs migration");
    assert!(human::render(&diff, false).contains("alive now: 3"));
    diff.count_alive(|_| Some(0));
    assert_eq!(diff.verdict().words(), "compatible");
}

#[test]
fn programs_get_every_change_with_its_places() {
    let value = json::value(&compared(&root().join("reducer_state_removed")));
    let first = value.get("changes").and_then(|c| c.as_list()).expect("a list")[0].clone();
    assert_eq!(
        first.to_json(),
        r#"{"alive":null,"change":"removed","contract":"order","new":null,"old":{"column":7,"file":"old.yaml","line":20},"path":"state_machine.states[held]","reason":"entities in it would have no state: the host refuses the activation while there are any","touches":{"kind":"entity","node":"order","state":"held"},"verdict":"needs migration"}"#
    );
    assert_eq!(value.get("verdict").and_then(|v| v.as_str()), Some("needs migration"));
}
