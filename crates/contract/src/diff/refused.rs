//! New contracts that check refuses: they never run, whatever else they change. What it refused of
//! the old ones too is no change: parts of a system are compared without the rest of it.

use super::{Both, Change, Place, Verdict, What};
use crate::Checked;
use crate::diagnostic::{Diagnostic, Severity};

/// Each error that only the new set has.
pub(super) fn changes(both: &Both<'_>, old: &Checked, new: &Checked) -> Vec<Change> {
    let is_old = |error: &Diagnostic| {
        let same = |old: &&Diagnostic| (old.code, &old.message) == (error.code, &error.message);
        old.diagnostics.iter().filter(same).any(|old| old.severity == Severity::Error)
    };
    let errors = new.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors.filter(|error| !is_old(error)).map(|error| change(both, error)).collect()
}

fn change(both: &Both<'_>, error: &Diagnostic) -> Change {
    let is_here =
        |at: u32| both.new.sources.get(at as usize).is_some_and(|source| source.path == error.file);
    let contract = both.new.system.contracts.iter().find(|c| is_here(c.name.at.file));
    // A file of which no contract could be read is named as it is.
    let name = contract.map_or(&*error.file, |contract| contract.name.as_str());
    let what = if both.old.contract(name).is_some() { What::Changed } else { What::Added };
    let reason = format!("check refuses it ({}): {}", error.code, error.message);
    let new = Place { file: error.file.clone(), line: error.line, column: error.column };
    let change = Change::new(name, String::new(), what, Verdict::Breaking, reason);
    Change { new: Some(new), ..change }
}
