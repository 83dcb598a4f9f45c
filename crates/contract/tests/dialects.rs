//! Each feature of the old dialects, in the smallest file that has it: what it is taken for, what
//! is said of it, and its normal form (`cases/dialect_samples`, `cases/dialect_refused`).

mod cases;
mod host;

use onex_contract::catalog::HostValues;
use onex_contract::check;
use onex_contract::diagnostic::human::{Options, render};

#[test]
fn each_old_file_is_read_as_beside_it() {
    compare("dialect_samples");
}

#[test]
fn what_older_hosts_refused_is_refused_as_beside_it() {
    compare("dialect_refused");
}

fn compare(folder: &str) {
    cases::compare(folder, |source| {
        let sources = std::slice::from_ref(source);
        let checked = check(sources, &host::catalog(), &HostValues::default());
        let [node] = checked.nodes.as_slice() else { panic!("one file, one report") };
        let findings = render(&checked.diagnostics, sources, Options::default());
        let form = node.normal_form.as_deref().unwrap_or("(describes no node)\n");
        let left_out = if node.cause.is_some() { ", quarantined" } else { "" };
        format!("{}, {}{left_out}\n\n{findings}\n\n{form}", node.dialect, node.status)
    });
}
