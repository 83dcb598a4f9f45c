//! Computes: pure, so only what goes in and out matters to others.

use super::super::rule::{Judge, Rule, rule, whole};
use super::super::verdict::Verdict::{Breaking, Compatible};

const LATER: &str = "runs that have begun keep the old one; later calls use the new one";

pub(super) const RULES: &[Rule] = &[
    rule(
        "compute_operations",
        Judge::Each(
            (Compatible, "it had nothing to evaluate before"),
            (Breaking, "it has nothing to evaluate any more"),
            (Compatible, LATER),
        ),
    ),
    whole("compute_operations.input", Judge::Elsewhere),
    whole("compute_operations.output", Judge::Elsewhere),
];
