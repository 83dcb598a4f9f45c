//! Real contracts of every dialect load: no false alarm, and a normal form that stays as it is.
//!
//! `corpus_files` says where they are; the samples in `cases/dialect_samples` are among them.

mod corpus_files;
mod host;

use std::path::PathBuf;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::diagnostic::human::{Options, render};
use onex_contract::source::Source;
use onex_contract::{Checked, NodeReport, check, load_folder};

fn each() -> Vec<(Vec<Source>, Checked)> {
    let found = corpus_files::all();
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
            if form.contains("\nhandler_routing:") {
                assert_eq!((node.status, shown.status), ("external", "external"), "{path}");
            }
        }
    }
}

#[test]
fn what_runs_natively_has_a_normal_form_that_passes() {
    for (sources, checked) in each() {
        let runs = |node: &&NodeReport| node.status == "native" && node.cause.is_none();
        for node in checked.nodes.iter().filter(runs) {
            let form = node.normal_form.as_deref().expect("what runs was read");
            let again = [Source::new("shown.yaml", form)];
            let shown = check(&again, &host::catalog(), &HostValues::default());
            let text = render(&shown.diagnostics, &again, Options::default());
            assert!(shown.graph.is_some(), "{}\n{text}", sources[0].path);
        }
    }
}
