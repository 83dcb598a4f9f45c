//! Pairs of contracts, each with the verdict that it must get: `diff/labels.txt` has a line a
//! pair, written by hand; `diff/<pair>/{old,new}` are the contracts (files, or folders where it
//! takes several) and `expected.txt` the whole answer, which `UPDATE=1` writes anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::diagnostic::code;
use onex_contract::diff::{Diff, diff, human, json};
use onex_contract::load_folder;
use onex_contract::source::Source;

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

/// The contracts of a side: of `old.yaml`, or of every file in `old`.
fn sources(pair: &Path, side: &str) -> Vec<Source> {
    let alone = pair.join(format!("{side}.yaml"));
    let mut files = vec![alone.clone()];
    if !alone.exists() {
        let folder = fs::read_dir(pair.join(side)).expect("a pair has two sides");
        files = folder.map(|file| file.expect("a folder can be listed").path()).collect();
        files.sort();
    }
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(pair).expect("it is inside").display().to_string();
        let found = load_folder(file).expect("a contract can be read");
        found.into_iter().map(move |source| source.at(name.as_str()))
    };
    files.iter().flat_map(read).collect()
}

fn compared(pair: &Path) -> Diff {
    diff(&sources(pair, "old"), &sources(pair, "new"))
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
        let errors = diff.old_errors.iter().chain(&diff.new_errors);
        for error in errors.filter(|error| error.code != code::NOT_BUILT) {
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
        assert!(!path.is_dir() || labels.contains_key(&name), "{name} has no label");
    }
}

#[test]
fn a_set_compared_with_itself_does_not_change() {
    for name in labels().keys() {
        for side in ["old", "new"] {
            let sources = sources(&root().join(name), side);
            let diff = diff(&sources, &sources);
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
