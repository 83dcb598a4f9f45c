//! Real contracts of every dialect load: no false alarm, and a normal form that stays as it is.
//!
//! They are in the folder that `ONEX_CORPUS` names, else in `../shared/corpus` beside the
//! workspace; where there is none, the samples in `cases/dialect_samples` stand for them.

mod host;

use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::diagnostic::human::{Options, render};
use onex_contract::source::Source;
use onex_contract::{Checked, check, load_folder};

fn corpus() -> PathBuf {
    if let Some(folder) = std::env::var_os("ONEX_CORPUS") {
        return folder.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = root.ancestors().skip(2).map(|folder| folder.join("../shared/corpus"));
    let found = beside.take(2).find(|folder| folder.is_dir());
    found.unwrap_or_else(|| root.join("tests/cases/dialect_samples"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the corpus can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
}

fn each() -> Vec<(Vec<Source>, Checked)> {
    let mut found = Vec::new();
    files(&corpus(), &mut found);
    let of = |path: &PathBuf| {
        let sources = load_folder(path).expect("a file can be read");
        let checked = check(&sources, &host::catalog(), &HostValues::default());
        (sources, checked)
    };
    found.iter().map(of).collect()
}

#[test]
fn no_real_contract_is_refused() {
    let mut wrong = Vec::new();
    for (sources, checked) in each() {
        let errors: Vec<_> = checked
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .cloned()
            .collect();
        if !errors.is_empty() {
            wrong.push(render(&errors, &sources, Options::default()));
        }
    }
    assert!(wrong.is_empty(), "{} refused:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_normal_form_of_each_is_read_as_such_and_stays_as_it_is() {
    for (sources, checked) in each() {
        for node in &checked.nodes {
            let Some(form) = &node.normal_form else { continue };
            let again = [Source::new("shown.yaml", form.as_str())];
            let shown = check(&again, &host::catalog(), &HostValues::default());
            let [shown] = shown.nodes.as_slice() else { panic!("one node") };
            let path = &sources[0].path;
            assert_eq!(shown.dialect, "normal", "{path}");
            assert_eq!(shown.normal_form.as_ref(), Some(form), "{path}");
            assert_eq!((&shown.name, shown.kind), (&node.name, node.kind), "{path}");
        }
    }
}

#[test]
fn what_runs_natively_has_a_normal_form_that_passes() {
    for (sources, checked) in each() {
        for node in checked.nodes.iter().filter(|node| node.status == "native") {
            let form = node.normal_form.as_deref().expect("what runs was read");
            let again = [Source::new("shown.yaml", form)];
            let shown = check(&again, &host::catalog(), &HostValues::default());
            let text = render(&shown.diagnostics, &again, Options::default());
            assert!(shown.graph.is_some(), "{}\n{text}", sources[0].path);
        }
    }
}
