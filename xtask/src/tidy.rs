//! Rules that no compiler checks. One file a rule; each gives its findings, empty when it holds.

mod edges;
mod licences;
mod opening;
mod paths;
mod words;

use crate::repository::Repository;

/// What breaks a rule: place, and what is wrong there.
pub(crate) type Finding = String;

type Rule = fn(&Repository) -> Vec<Finding>;

/// Every rule by name.
const RULES: [(&str, Rule); 5] = [
    ("edges", edges::check),
    ("licences", licences::check),
    ("opening", opening::check),
    ("paths", paths::check),
    ("words", words::check),
];

/// The findings of every rule.
pub(crate) fn check(repository: &Repository) -> Vec<Finding> {
    RULES
        .iter()
        .flat_map(|(name, rule)| {
            rule(repository).into_iter().map(move |finding| format!("{name}: {finding}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_rules() {
        let repository = Repository::open().expect("the workspace can be read");
        let findings = check(&repository);
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }
}
