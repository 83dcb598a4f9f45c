//! `operation_bindings`: parameters of foreign handlers. Their expressions are judged, not used.

use crate::diagnostic::code;
use crate::dialect::translate::Translation;
use crate::section::fields::Fields;
use crate::section::reading::{Reading, one_of};
use crate::yaml::{Node, Tree};

/// Judges the bindings.
pub(super) fn check(fields: &mut Fields<'_, '_, '_, '_>, _: &mut Translation) {
    if let Some(section) = fields.get("operation_bindings") {
        for list in [section.get("global_bindings"), section.get("bindings")] {
            list.into_iter().for_each(|node| bindings(fields.reading, node));
        }
    }
    fields.not_enforced(&["operation_bindings"]);
}

fn bindings(reading: &mut Reading<'_, '_>, node: &Node) {
    match &node.tree {
        Tree::List(items) => items.iter().for_each(|item| bindings(reading, item)),
        Tree::Map(entries) => match node.get("expression") {
            Some(expression) => judge(reading, expression),
            None => entries.iter().for_each(|entry| bindings(reading, &entry.value)),
        },
        _ => {}
    }
}

const ROOTS: [&str; 8] =
    ["envelope", "payload", "context", "binding", "contract", "request", "result", "env"];

fn judge(reading: &mut Reading<'_, '_>, expression: &Node) {
    let Some(inner) = expression.as_str().and_then(|text| text.strip_prefix("${")) else {
        return;
    };
    let root = inner.split(['.', '}', '|', ' ']).next().unwrap_or_default();
    if !ROOTS.contains(&root) {
        let at = reading.at(&expression.span);
        let message = format!("a binding cannot begin with `{root}`");
        let help = format!("it is one of {}", one_of(&ROOTS));
        reading.findings.refuse(code::UNKNOWN_ROOT, at, message).help(help);
    }
}
