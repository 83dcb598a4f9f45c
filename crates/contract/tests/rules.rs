//! Every rule has a case that breaks it and a twin that does not:
//! `cases/<family>/<code>/{bad,good}/*.yaml`, with what check says in the `.txt` beside each folder.
//! `UPDATE=1` writes the expectations anew.

mod host;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::catalog::{HostValues, Place};
use onex_contract::diagnostic::Severity;
use onex_contract::diagnostic::human::{Options, render};
use onex_contract::source::Source;
use onex_contract::{Checked, check, load_folder};
use onex_expr::Value;

/// Families whose cases are folders of contracts.
const FAMILIES: [&str; 10] = [
    "section",
    "identity",
    "reducer",
    "workflow",
    "effect",
    "topic",
    "expression",
    "host",
    "system",
    "dialect",
];

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases = Vec::new();
    for family in FAMILIES {
        let folder = fs::read_dir(root.join(family)).expect("the family has cases");
        cases.extend(folder.map(|entry| entry.expect("a folder can be listed").path()));
    }
    cases.sort();
    cases
}

fn checked(folder: &Path) -> (Vec<Source>, Checked) {
    let mut sources = Vec::new();
    let files = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> =
        files.map(|f| f.expect("a folder can be listed").path()).collect();
    files.sort();
    for file in files {
        for source in load_folder(&file).expect("a case can be read") {
            let path = Path::new(&*source.path).to_owned();
            let name = path.strip_prefix(folder).expect("it is in the folder").to_string_lossy();
            sources.push(source.at(&*name));
        }
    }
    let config = [("limit", Value::text("many")), ("volume", Value::Int(3))];
    let config = config.map(|(name, value)| (name.to_owned(), value));
    let host = HostValues {
        config: [(String::new(), config.into())].into(),
        ingress_allow: vec![allowed(folder).to_owned()],
        places: places(folder),
        env: [("REGION".to_owned(), "north".to_owned())].into(),
        secrets: vec!["TOKEN".to_owned()],
        allow: [("http", "loopback"), ("filesystem", "/srv/files")]
            .map(|(kind, allowed)| (kind.to_owned(), vec![allowed.to_owned()]))
            .into(),
        ..HostValues::default()
    };
    let checked = check(&sources, &host::catalog(), &host);
    (sources, checked)
}

/// The topic that the host lets clients publish to.
fn allowed(folder: &Path) -> &'static str {
    match folder.ends_with("C0906/bad") {
        true => "onex.evt.House.rang",
        false => "onex.evt.house.rang.v1",
    }
}

/// Where the host was told what a case is about; elsewhere it is not judged.
fn places(folder: &Path) -> BTreeMap<String, Place> {
    let text = "[config]\nvolume = 3\n[ingress]\nallow = [\"{}\"]\n";
    let text = &text.replace("{}", allowed(folder));
    let about = |code: &str| folder.parent().is_some_and(|case| case.ends_with(code));
    let keys = [
        ("C0904", "config.volume", 9..19),
        ("C0905", "ingress.allow", 30..64),
        ("C0906", "ingress.allow", 30..64),
    ];
    let place = |span| Place { source: Source::new("onex.toml", text), span };
    let judged = keys.into_iter().filter(|(code, ..)| about(code));
    judged.map(|(_, key, span)| (key.to_owned(), place(span))).collect()
}

fn compare(expected: &Path, answer: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(expected, answer).expect("an expectation can be written");
    } else if fs::read_to_string(expected).ok().as_deref() != Some(answer) {
        wrong.push(format!("{}: now\n{answer}", expected.display()));
    }
}

#[test]
fn every_rule_finds_its_case_and_spares_the_twin() {
    let mut wrong = Vec::new();
    for case in cases() {
        let code = case.file_name().expect("a case has a name").to_string_lossy().into_owned();
        for (twin, breaks) in [("bad", true), ("good", false)] {
            let (sources, checked) = checked(&case.join(twin));
            let found = &checked.diagnostics;
            let is_found = found.iter().any(|diagnostic| diagnostic.code == code);
            let has_errors = found.iter().any(|d| d.severity == Severity::Error);
            let text = render(found, &sources, Options::default());
            compare(&case.join(format!("{twin}.txt")), &text, &mut wrong);
            if is_found != breaks {
                wrong.push(format!("{code}/{twin}: found {is_found}\n{text}"));
            }
            if !breaks && has_errors {
                wrong.push(format!("{code}/{twin} has errors\n{text}"));
            }
            if checked.graph.is_some() == has_errors {
                wrong.push(format!("{code}/{twin}: a graph and errors exclude each other\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}
