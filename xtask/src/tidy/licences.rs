//! Every dependency may be used under a licence that `deny.toml` allows.

use std::collections::BTreeSet;

use super::Finding;
use crate::repository::Repository;

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let allowed = match allowed(repository.text("deny.toml")) {
        Some(allowed) => allowed,
        None => return vec!["deny.toml: no [licenses] allow".to_owned()],
    };
    repository
        .packages()
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or("none given");
            (!permits(licence, &allowed)).then(|| format!("{} is under {licence}", package["name"]))
        })
        .collect()
}

fn allowed(text: &str) -> Option<BTreeSet<String>> {
    let table: toml::Table = text.parse().ok()?;
    let list = table.get("licenses")?.get("allow")?.as_array()?;
    Some(list.iter().filter_map(|licence| licence.as_str().map(str::to_owned)).collect())
}

/// Whether one way to read an SPDX expression needs allowed licences only.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // The old form of crates: `MIT/Apache-2.0`.
    let expression = expression.replace('/', " OR ");
    alternatives(&expression).iter().any(|all| all.iter().all(|licence| allowed.contains(licence)))
}

/// The alternatives, each a list of licences that hold together.
fn alternatives(expression: &str) -> Vec<Vec<String>> {
    let expression = unwrap(expression.trim());
    if let Some((left, right)) = split(expression, " OR ") {
        let mut all = alternatives(left);
        all.extend(alternatives(right));
        return all;
    }
    if let Some((left, right)) = split(expression, " AND ") {
        let right = alternatives(right);
        return alternatives(left)
            .iter()
            .flat_map(|l| right.iter().map(move |r| [l.as_slice(), r].concat()))
            .collect();
    }
    vec![vec![expression.to_owned()]]
}

/// Splits at the first operator that stands in no parentheses.
fn split<'a>(expression: &'a str, operator: &str) -> Option<(&'a str, &'a str)> {
    expression.match_indices(operator).find_map(|(at, found)| {
        let before = &expression[..at];
        (before.matches('(').count() == before.matches(')').count())
            .then(|| (before, &expression[at + found.len()..]))
    })
}

/// Takes off parentheses around the whole.
fn unwrap(expression: &str) -> &str {
    let inner = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    match inner {
        Some(inner) if !inner.contains(['(', ')']) => inner,
        _ => expression,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_holds_when_one_alternative_does() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("(MIT OR GPL-3.0) AND BSD-2-Clause", false),
            ("MIT AND GPL-3.0", false),
            ("GPL-3.0 OR MIT AND Unicode-3.0", true),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression}");
        }
    }
}
