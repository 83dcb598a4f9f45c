//! Which files below a path are contracts.

mod host;

use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::code;
use onex_contract::source::Source;
use onex_contract::{check, load_folder};

fn folder(name: &str, files: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&root));
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder is made");
        fs::write(path, "name: x\n").expect("a file is written");
    }
    root
}

/// Names of the files below a folder, with what check says of each: the codes.
fn told(root: &Path) -> Vec<(String, Vec<&'static str>)> {
    let sources = load_folder(root).expect("the folder can be read");
    let checked = check(&sources, &host::catalog(), &HostValues::default());
    let codes = |source: &Source| {
        let found = checked.diagnostics.iter().filter(|found| found.file == source.path);
        found.map(|found| found.code).collect()
    };
    let below = |path: &str| path.strip_prefix(&format!("{}/", root.display())).map(str::to_owned);
    sources
        .iter()
        .map(|source| (below(&source.path).expect("it is below the folder"), codes(source)))
        .collect()
}

/// Names of the files below a folder that are read as contracts.
fn read(root: &Path) -> Vec<String> {
    let told = told(root).into_iter();
    told.filter(|(_, codes)| !codes.contains(&code::NOT_A_CONTRACT)).map(|(name, _)| name).collect()
}

#[test]
fn contracts_are_found_by_name_and_in_folders_called_contracts() {
    let root = folder(
        "by_name",
        &[
            "b/contract.yaml",
            "a/order.contract.yaml",
            "a/contract.yml",
            "contracts/x.yaml",
            "contracts/y.yml",
            "contracts/notes.md",
            "a/values.yaml",
            ".git/contract.yaml",
            "contracts/.hidden.yaml",
        ],
    );
    let expected = [
        "a/contract.yml",
        "a/order.contract.yaml",
        "b/contract.yaml",
        "contracts/x.yaml",
        "contracts/y.yml",
    ];
    assert_eq!(read(&root), expected);
}

#[test]
fn other_yaml_is_a_contract_when_it_speaks_like_one_and_else_is_named() {
    let root = folder("by_content", &["a/values.yaml"]);
    for (name, text) in [
        ("effect.yaml", "node_type: EFFECT\n"),
        ("machine.yml", "name: m\nstate_machine: {initial_state: s}\n"),
        ("inner.yaml", "x:\n  node_type: EFFECT\n"),
        ("list.yaml", "- a\n"),
        ("nothing.yaml", ""),
        ("several.yaml", "a: 1\n---\nb: 2\n"),
        ("both.yaml", "a: 1\n---\nnode_type: effect\n"),
        ("chart.yaml", "{{ if .x }}\na: {{ .y }}\n{{ end }}\n"),
        ("broken.yaml", "a: [1\nb: 2\n"),
    ] {
        fs::write(root.join(name), text).expect("a file is written");
    }
    let passed_over: Vec<String> = told(&root)
        .into_iter()
        .filter(|(_, codes)| codes == &[code::NOT_A_CONTRACT])
        .map(|(name, _)| name)
        .collect();
    let expected =
        ["a/values.yaml", "chart.yaml", "inner.yaml", "list.yaml", "nothing.yaml", "several.yaml"];
    assert_eq!(passed_over, expected);
    let broken = told(&root).into_iter().find(|(name, _)| name == "broken.yaml");
    assert_eq!(broken.expect("it is told").1, [code::YAML_SYNTAX]);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_told_with_its_code() {
    let root = folder("dangling", &["a.contract.yaml"]);
    let link = root.join("gone.yaml");
    std::os::unix::fs::symlink("nowhere.yaml", link).expect("a link can be made");
    let gone = told(&root).into_iter().find(|(name, _)| name == "gone.yaml");
    assert_eq!(gone.expect("it is told").1, [code::UNREADABLE_FILE]);
}

#[test]
fn one_file_may_be_named_whatever_it_is_called() {
    let root = folder("one_file", &["values.yaml"]);
    let sources = load_folder(&root.join("values.yaml")).expect("the file can be read");
    assert_eq!(sources.len(), 1);
}

#[test]
fn a_path_that_is_not_there_is_named_in_the_error() {
    let error = load_folder(Path::new("no/such/folder")).expect_err("it is not there");
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
