//! A diff for programs.

use onex_expr::Value;

use super::{Change, Diff, Place, Touches, Verdict};
use crate::diagnostic;

/// `{verdict, summary, changes, errors}`.
pub fn value(diff: &Diff) -> Value {
    let count = |verdict: Verdict| (verdict.words().replace(' ', "_"), number(diff.count(verdict)));
    let errors = |found: &[diagnostic::Diagnostic]| {
        Value::list(found.iter().map(diagnostic::json::value).collect())
    };
    Value::map([
        ("verdict", Value::text(diff.verdict().words())),
        ("summary", Value::map(Verdict::ALL.map(count))),
        ("changes", Value::list(diff.changes.iter().map(change).collect())),
        (
            "errors",
            Value::map([("old", errors(&diff.old_errors)), ("new", errors(&diff.new_errors))]),
        ),
    ])
}

fn change(change: &Change) -> Value {
    Value::map([
        ("verdict", Value::text(change.verdict.words())),
        ("contract", Value::text(change.contract.as_str())),
        ("path", Value::text(change.path.as_str())),
        ("change", Value::text(change.what.word())),
        ("reason", Value::text(change.reason.as_str())),
        ("old", change.old.as_ref().map_or(Value::Null, place)),
        ("new", change.new.as_ref().map_or(Value::Null, place)),
        ("touches", touches(&change.touches)),
        (
            "alive",
            change
                .alive
                .map_or(Value::Null, |alive| Value::Int(alive.try_into().unwrap_or(i64::MAX))),
        ),
    ])
}

fn place(place: &Place) -> Value {
    Value::map([
        ("file", Value::text(&*place.file)),
        ("line", number(place.line)),
        ("column", number(place.column)),
    ])
}

fn touches(touches: &Touches) -> Value {
    match touches {
        Touches::Nothing => Value::Null,
        Touches::Entities { node, state } => Value::map([
            ("kind", Value::text("entity")),
            ("node", Value::text(node.as_str())),
            ("state", state.as_deref().map_or(Value::Null, Value::text)),
        ]),
        Touches::Runs { node } => {
            Value::map([("kind", Value::text("run")), ("node", Value::text(node.as_str()))])
        }
    }
}

fn number(count: usize) -> Value {
    diagnostic::json::number(count)
}
