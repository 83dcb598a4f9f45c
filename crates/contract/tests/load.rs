//! Which files below a path are contracts.

use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::{load_folder, load_tree};

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

fn found(root: &Path) -> Vec<String> {
    let sources = load_folder(root).expect("the folder can be read");
    let below = |path: &str| path.strip_prefix(&format!("{}/", root.display())).map(str::to_owned);
    sources.iter().map(|source| below(&source.path).expect("it is below the folder")).collect()
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
    assert_eq!(found(&root), expected);
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

#[test]
fn a_foreign_tree_is_searched_for_whatever_speaks_of_a_node() {
    let root = folder("foreign", &["a/contract.yaml", "a/values.yaml", "b/notes.md"]);
    fs::write(root.join("b_effect.yaml"), "node_type: EFFECT\n").expect("a file is written");
    fs::write(root.join("inner.yaml"), "x:\n  node_type: EFFECT\n").expect("a file is written");
    let sources = load_tree(&root).expect("the folder can be read");
    let names: Vec<&str> =
        sources.iter().filter_map(|source| source.path.rsplit('/').next()).collect();
    assert_eq!(names, ["contract.yaml", "b_effect.yaml"]);
}
