//! `response_handling`: which answers are good, and what is taken from them.

use crate::diagnostic::code;
use crate::dialect::made::{Made, text};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node};

/// Translates it, for an operation of a kind.
pub(in crate::dialect) fn translate(
    reading: &mut Reading<'_, '_>,
    handling: &Node,
    kind: &str,
) -> Option<Node> {
    let mut fields = Fields::open(reading, handling, "`response_handling`")?;
    let mut out = Made::new(&handling.span);
    if kind == "filesystem" {
        fields.not_enforced(&["success_codes"]);
    } else {
        out.keep(&mut fields, &["success_codes"]);
    }
    out.keep(&mut fields, &["extract"]);
    if let Some(wanted) = fields.get("extract_fields") {
        let extract = extract(fields.reading, wanted, kind);
        if !extract.is_empty() {
            out.put("extract", extract.done());
        }
    }
    out.keep(&mut fields, &["outcome", "refusals"]);
    fields.descriptive(&["version", "extraction_engine"]);
    fields.not_enforced(&["fail_on_empty"]);
    fields.close();
    (!out.is_empty()).then(|| out.done())
}

fn extract(reading: &mut Reading<'_, '_>, wanted: &Node, kind: &str) -> Made {
    let mut out = Made::new(&wanted.span);
    for Entry { key, key_span, value } in wanted.entries() {
        let Some(path) = value.as_str() else { continue };
        let path = path.trim_start_matches('$').trim_start_matches('.');
        let from = match kind {
            "filesystem" => of_file(path).map(|field| format!("${{response.{field}}}")),
            _ if is_path(path) => Some(format!("${{response.body.?{}}}", path.replace('.', ".?"))),
            _ => None,
        };
        match from {
            Some(from) => out.free(key.clone(), key_span, text(from, &value.span)),
            None => {
                let at = reading.at(&value.span);
                let message = format!("`{key}` is not enforced: an answer has no `{path}` here");
                reading.findings.note(code::NOT_ENFORCED, at, message);
            }
        }
    }
    out
}

/// The field of an answer about a file.
fn of_file(path: &str) -> Option<&'static str> {
    const FIELDS: [(&str, &str); 9] = [
        ("path", "path"),
        ("content", "body"),
        ("body", "body"),
        ("size", "bytes"),
        ("size_bytes", "bytes"),
        ("bytes", "bytes"),
        ("modified_at", "modified_at"),
        ("files", "entries"),
        ("entries", "entries"),
    ];
    FIELDS.iter().find(|(old, _)| *old == path).map(|(_, field)| *field)
}

fn is_path(path: &str) -> bool {
    path.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
