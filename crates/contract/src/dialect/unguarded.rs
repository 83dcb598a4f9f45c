//! Keys that no old dialect has and that read as a guard, a condition or a dependency, mistyped or
//! of another language. What they keep back must not happen, so they stay in the normal form, which
//! refuses the node.

use crate::diagnostic::code;
use crate::dialect::made::Made;
use crate::section::fields::Fields;
use crate::suggest;
use crate::yaml::Tree;

/// Keys that keep something back, as this language has them, and as others do.
const KEYS: [&str; 16] = [
    "conditions",
    "guard",
    "depends_on",
    "dependencies",
    "condition",
    "skip_condition",
    "skip_on_failure",
    "enabled",
    "when",
    "unless",
    "only_if",
    "run_if",
    "skip_if",
    "requires",
    "wait_for",
    "run_after",
];

/// Keys too short to be mistyped.
const SHORT: [&str; 4] = ["if", "after", "needs", "disabled"];

/// Parts of a key that say what it is for.
const PARTS: [&str; 5] = ["guard", "condition", "depend", "predicate", "prerequisite"];

/// Keeps such keys of a mapping of which every key that is known was asked for, in what is made of
/// it: `what`, as the normal form calls it.
pub(super) fn keep(fields: &mut Fields<'_, '_, '_, '_>, what: &str, out: &mut Made) {
    for entry in fields.node().entries() {
        let key = entry.key.as_str();
        if fields.knows(key) || matches!(entry.value.tree, Tree::Null) {
            continue;
        }
        let lower = key.to_ascii_lowercase();
        let meant = suggest::nearest(key, KEYS);
        let is_part = PARTS.iter().any(|part| lower.contains(part));
        if meant.is_none() && !is_part && !SHORT.contains(&lower.as_str()) {
            continue;
        }
        let known = meant.filter(|meant| fields.knows(meant));
        let asked =
            known.map(|known| format!("did you mean `{known}`? Until then ")).unwrap_or_default();
        let at = fields.reading.at(&entry.key_span);
        // The words of the normal form: the same finding is told once.
        let message = format!("unknown key `{key}` in {what}");
        let help = format!("{asked}the node is left out: nothing may happen unguarded");
        fields.reading.findings.error(code::UNKNOWN_KEY, at, message).help(help);
        fields.learn(&entry.key);
        out.free(entry.key.clone(), &entry.key_span, entry.value.clone());
    }
}
