//! What a difference means, by its place: one file a section, a table each.

mod compute;
mod contract;
mod effect;
mod state_machine;
mod workflow;

use super::rule::{self, Case, Judge, Rule};
use super::verdict::Verdict;
use super::walk::{self, Difference};
use super::{Both, Change, canonical};
use crate::model::Contract;

/// Every rule.
pub(super) const RULES: &[&[Rule]] =
    &[contract::RULES, state_machine::RULES, effect::RULES, compute::RULES, workflow::RULES];

/// A field of a message.
const PAYLOAD: Judge = Judge::Told(
    (Verdict::Compatible, "readers get a field more"),
    (Verdict::Compatible, "the field is made differently"),
);

/// What differs between two versions of a contract, as far as the place tells.
pub(super) fn changes<'a>(both: &Both<'a>, old: &Contract<'a>, new: &Contract<'a>) -> Vec<Change> {
    let (old_root, new_root) = (canonical::canonical(old.root), canonical::canonical(new.root));
    let differences = walk::differences(&old_root, &new_root);
    let change = |difference: &Difference<'_>| {
        let (rule, what) = rule::find(difference)?;
        change(rule, &Case { both, old, new, difference, what })
    };
    differences.iter().filter_map(change).collect()
}

fn change(rule: &Rule, case: &Case<'_, '_>) -> Option<Change> {
    let difference = case.difference;
    let judged = rule.judge.judge(case)?;
    let name = case.new.name.as_str();
    let path = walk::shown(&difference.path);
    let change = Change::new(name, path, difference.what(), judged.verdict, judged.reason);
    Some(Change {
        old: difference.old.and_then(|node| case.both.old.place_of(case.old, node)),
        new: difference.new.and_then(|node| case.both.new.place_of(case.new, node)),
        touches: judged.touches,
        ..change
    })
}
