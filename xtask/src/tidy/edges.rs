//! Crates depend on each other in the directions that ARCHITECTURE.md gives, and on no others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use crate::repository::Repository;

/// The page whose table is the law.
const PAGE: &str = "ARCHITECTURE.md";

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let allowed = table(repository.text(PAGE));
    let members: BTreeSet<&str> = repository.members().filter_map(name).collect();
    let mut findings = Vec::new();
    for package in repository.members() {
        let Some(name) = name(package) else { continue };
        let Some(allowed) = allowed.get(name) else {
            findings.push(format!("{PAGE}: the table lacks `{name}`"));
            continue;
        };
        for used in uses(package) {
            if members.contains(used) && !allowed.contains(used) {
                findings.push(format!("{PAGE}: `{name}` may not use `{used}`"));
            }
        }
    }
    for name in allowed.keys().filter(|name| !members.contains(name.as_str())) {
        findings.push(format!("{PAGE}: the table names `{name}`, which does not exist"));
    }
    findings
}

fn name(package: &Value) -> Option<&str> {
    package["name"].as_str()
}

/// What a package needs to run; tests may use more.
fn uses(package: &Value) -> impl Iterator<Item = &str> {
    package["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(name)
}

/// Rows `| package | uses | ...`, whose first two cells hold names in backquotes.
fn table(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rows = BTreeMap::new();
    let lines = page.lines().skip_while(|line| !line.starts_with("| package | uses |"));
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').collect();
        if let [_, package, used, ..] = cells.as_slice()
            && let Some(package) = quoted(package).next()
        {
            rows.insert(package.to_owned(), quoted(used).map(str::to_owned).collect());
        }
    }
    rows
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_row_by_row() {
        let page = "text\n| package | uses | holds |\n|---|---|---|\n| `a` | | x |\n| `b` | `a`, `c` | y |\n\nend";
        let rows = table(page);
        assert_eq!(rows["a"], BTreeSet::new());
        assert_eq!(rows["b"], BTreeSet::from(["a".to_owned(), "c".to_owned()]));
        assert_eq!(rows.len(), 2);
    }
}
