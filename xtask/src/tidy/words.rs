//! Nothing unfinished and nothing of the machine it was written on stands in the tree.

use super::Finding;
use crate::repository::Repository;

/// Texts that must not stand in any file, each in halves so that this file may hold them.
const FORBIDDEN: [(&str, &str); 7] = [
    ("/wo", "rk/"),
    ("/home", "/"),
    ("FIX", "ME"),
    ("TO", "DO"),
    ("to", "do!("),
    ("unimpl", "emented!("),
    ("<<<<", "<<<"),
];

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        for (index, line) in file.text.lines().enumerate() {
            for word in found(line) {
                findings.push(format!("{}:{}: `{word}`", file.path, index + 1));
            }
        }
    }
    findings
}

fn found(line: &str) -> impl Iterator<Item = String> {
    FORBIDDEN
        .iter()
        .map(|(first, second)| format!("{first}{second}"))
        .filter(move |word| line.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_text_is_found_inside_a_line() {
        for (first, second) in FORBIDDEN {
            let line = format!("x {first}{second} y");
            assert!(found(&line).next().is_some(), "{line}");
        }
        assert!(found("let done = 1; // what is to do").next().is_none());
    }
}
