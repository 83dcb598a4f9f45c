//! Templates of a request: one that cannot be read is refused, whoever performs the operation.

use onex_expr::{Place, Root, Scope, Template, Type};

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Everything that a template may begin with, in this or an older language. Which of them has a
/// value in this place is judged where the operation is linked.
const ROOTS: [&str; 13] = [
    "input", "payload", "envelope", "now", "config", "env", "secret", "response", "error",
    "output", "previous", "steps", "context",
];

/// Judges every template below a request.
pub(super) fn judge(reading: &mut Reading<'_, '_>, request: &Node) {
    let roots = ROOTS.iter().map(|name| Root::new(*name, Type::Dyn)).collect();
    below(reading, request, &Scope { roots, ..Scope::default() });
}

fn below(reading: &mut Reading<'_, '_>, node: &Node, scope: &Scope) {
    if let Tree::String(text) = &node.tree {
        let faults = Template::compile(text, Place::Data, scope).faults;
        for fault in faults {
            let code = match fault.kind {
                "syntax" => code::EXPRESSION_SYNTAX,
                "unknown_root" => code::UNKNOWN_ROOT,
                _ => continue,
            };
            let at = reading.at(&node.source_range(fault.range));
            reading.findings.refuse(code, at, fault.message).help_if(fault.help);
        }
    }
    node.items().iter().for_each(|item| below(reading, item, scope));
    node.entries().iter().for_each(|entry| below(reading, &entry.value, scope));
}
