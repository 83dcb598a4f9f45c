//! Scenarios: what happens to contracts and what they decide, as text beside each other.
//!
//! Each folder of `scenarios` holds contracts; each `NAME.yaml` in it a list of inputs, and `NAME.out`
//! what was decided on each. `UPDATE=1` writes the `.out` files anew; the difference is reviewed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{bench, script};

#[test]
fn scenarios_decide_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut wrong = Vec::new();
    let mut count = 0;
    for folder in sorted(&root) {
        let graph = bench::graph_of(&folder);
        for path in sorted(&folder) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            if !name.ends_with(".yaml") || name.ends_with(".contract.yaml") {
                continue;
            }
            count += 1;
            let text = fs::read_to_string(&path).expect("a scenario can be read");
            let found = script::play(&graph, &name, &text);
            let expected_path = path.with_extension("out");
            let expected = fs::read_to_string(&expected_path).unwrap_or_default();
            if found == expected {
                continue;
            }
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&expected_path, found).expect("the outcome can be written");
            } else {
                wrong.push(format!("== {}\n{}", path.display(), difference(&expected, &found)));
            }
        }
    }
    assert!(count > 0, "no scenario was found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

/// The first lines that differ.
fn difference(expected: &str, found: &str) -> String {
    let (mut a, mut b) = (expected.lines(), found.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (a.next(), b.next()) {
            (None, None) => return "they differ in line ends".into(),
            (wanted, got) if wanted != got => {
                let (wanted, got) = (wanted.unwrap_or("(end)"), got.unwrap_or("(end)"));
                return format!("line {line}\n  expected {wanted}\n  found    {got}");
            }
            _ => {}
        }
    }
}
