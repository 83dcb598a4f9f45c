//! Rules about one contract and about the whole system. A rule only adds findings.
//!
//! One family a file, one function a rule, one line a rule in [`RULES`].

use crate::findings::Findings;
use crate::system::System;

/// One rule.
type Rule = fn(&System<'_>, &mut Findings<'_>);

/// Every rule, by family.
const RULES: &[Rule] = &[];

/// Applies every rule.
pub(crate) fn check(system: &System<'_>, findings: &mut Findings<'_>) {
    for rule in RULES {
        rule(system, findings);
    }
}
