//! `response_handling`: which answers are good, and what is taken from them.

use std::fmt::Write as _;

use crate::diagnostic::code;
use crate::dialect::made::{Made, text};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

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
    match fields.get("fail_on_empty") {
        // That an empty answer is a failure: the normal form judges it.
        Some(Node { tree: Tree::Bool(true), .. }) => out.keep(&mut fields, &["fail_on_empty"]),
        Some(_) => fields.idle(&["fail_on_empty"], "an empty answer is an answer"),
        None => {}
    }
    fields.close();
    (!out.is_empty()).then(|| out.done())
}

fn extract(reading: &mut Reading<'_, '_>, wanted: &Node, kind: &str) -> Made {
    let mut out = Made::new(&wanted.span);
    for Entry { key, key_span, value } in wanted.entries() {
        let Some(path) = value.as_str() else { continue };
        let from = match kind {
            "filesystem" => of_file(path).map(|field| format!("${{response.{field}}}")),
            _ => of_body(path).map(|path| format!("${{response.body{path}}}")),
        };
        let why = match kind {
            "filesystem" => "an answer about a file has no such field",
            _ => "only names and places in lists are read, such as `$.items[0].id`",
        };
        match from {
            Some(from) => out.free(key.clone(), key_span, text(from, &value.span)),
            None => {
                let at = reading.at(&value.span);
                let message = format!("`{key}` is not enforced: `{path}`: {why}");
                reading.findings.note(code::NOT_ENFORCED, at, message);
            }
        }
    }
    out
}

/// The field of an answer about a file.
fn of_file(path: &str) -> Option<&'static str> {
    let path = path.trim_start_matches('$').trim_start_matches('.');
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

/// A path into a body: names after dots or in brackets, and places in lists. What is not there is
/// absent.
fn of_body(path: &str) -> Option<String> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut out = String::new();
    let mut is_first = true;
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let (within, after) = bracket.split_once(']')?;
            let _ = write!(out, "[?{}]", place(within)?);
            rest = after;
        } else {
            let named = rest.strip_prefix('.').or(is_first.then_some(rest))?;
            let (name, after) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
            if !is_name(name) {
                return None;
            }
            let _ = write!(out, ".?{name}");
            rest = after;
        }
        is_first = false;
    }
    (!is_first).then_some(out)
}

/// What stands in brackets: a place in a list, or a name in quotes.
fn place(within: &str) -> Option<String> {
    let quoted = |quote| within.strip_prefix(quote)?.strip_suffix(quote);
    match quoted('\'').or_else(|| quoted('"')) {
        Some(name) => {
            let is_plain =
                |c: char| !c.is_control() && !['\'', '"', '\\', '$', '{', '}'].contains(&c);
            name.chars().all(is_plain).then(|| format!("'{name}'"))
        }
        None => within.parse::<u32>().ok().map(|place| place.to_string()),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
