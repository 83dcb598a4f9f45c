//! Findings for programs: the shape that `onex check -o json` promises.

use onex_expr::{Text, Value};

use super::{Diagnostic, Related};

/// `{code, severity, message, file, line, column, end_line, end_column, help}`, and `related`
/// where there are other places.
pub fn value(diagnostic: &Diagnostic) -> Value {
    let mut fields = vec![
        ("code", Value::text(diagnostic.code)),
        ("severity", Value::text(diagnostic.severity.word())),
        ("message", Value::text(&*diagnostic.message)),
        ("file", Value::text(&*diagnostic.file)),
        ("line", number(diagnostic.line)),
        ("column", number(diagnostic.column)),
        ("end_line", number(diagnostic.end_line)),
        ("end_column", number(diagnostic.end_column)),
        ("help", diagnostic.help.as_deref().map_or(Value::Null, Value::text)),
    ];
    if !diagnostic.related.is_empty() {
        fields.push(("related", Value::list(diagnostic.related.iter().map(related).collect())));
    }
    Value::map(fields.into_iter().map(|(name, value)| (Text::new_static(name), value)))
}

fn related(related: &Related) -> Value {
    Value::map([
        ("message", Value::text(&*related.message)),
        ("file", Value::text(&*related.file)),
        ("line", number(related.line)),
        ("column", number(related.column)),
        ("end_line", number(related.end_line)),
        ("end_column", number(related.end_column)),
    ])
}

/// A count as a value; what exceeds 64 bits cannot occur in a file.
pub(crate) fn number(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
