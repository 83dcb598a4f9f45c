//! `${env.X:default}` and `${VAR}`: values of the environment, resolved when the file is read.

use std::collections::BTreeMap;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::made::text;
use crate::section::NOT_ENFORCED;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// The tree with its variables resolved. Where a template may stand, a variable that is set or has
/// no default is `${env.X}` of the normal form and is judged there; anywhere else its value stands.
pub(super) fn resolve(node: &Node, env: &BTreeMap<String, String>) -> Node {
    below(node, "", false, env)
}

/// Keys whose value is an expression or data with templates in the normal form, and all below them.
const TEMPLATES: [&str; 25] = [
    "body",
    "body_template",
    "condition",
    "content",
    "destination_path_template",
    "entity_key",
    "expression",
    "extract",
    "field_mappings",
    "file_path_template",
    "for_each",
    "guard",
    "headers",
    "idempotency_key",
    "input",
    "payload",
    "query_params",
    "query_template",
    "result",
    "run_key",
    "set",
    "skip_condition",
    "url_template",
    "value",
    "when",
];

fn below(node: &Node, key: &str, in_template: bool, env: &BTreeMap<String, String>) -> Node {
    let in_template = in_template || TEMPLATES.contains(&key);
    match &node.tree {
        Tree::String(written) if written.contains("${") => {
            match resolved(written, in_template, env) {
                Some(other) if !in_template => Node { tree: typed(other, key), ..bare(node) },
                Some(other) => text(other, &node.span),
                None => node.clone(),
            }
        }
        Tree::List(items) => {
            let items = items.iter().map(|item| below(item, key, in_template, env)).collect();
            Node { tree: Tree::List(items), ..bare(node) }
        }
        Tree::Map(entries) => {
            let entries = entries.iter().map(|entry| Entry {
                value: match entry.key.as_str() {
                    "description" => entry.value.clone(),
                    key => below(&entry.value, key, in_template, env),
                },
                ..entry.clone()
            });
            Node { tree: Tree::Map(entries.collect()), ..bare(node) }
        }
        _ => node.clone(),
    }
}

/// A variable is text; where a truth value or a number is wanted, it is read as one.
fn typed(value: String, key: &str) -> Tree {
    let counts = ["_ms", "_seconds", "_retries", "_threshold", "_requests", "_factor", "_parallel"];
    match value.as_str() {
        "true" => Tree::Bool(true),
        "false" => Tree::Bool(false),
        number if key == "priority" || counts.iter().any(|end| key.ends_with(end)) => {
            let whole = number.parse().ok().map(Tree::Int);
            let broken = || number.parse().ok().filter(|n: &f64| n.is_finite()).map(Tree::Double);
            whole.or_else(broken).unwrap_or_else(|| Tree::String(number.into()))
        }
        _ => Tree::String(value.into()),
    }
}

/// Reports variables without a value where nothing but a value can stand.
pub(super) fn judge(reading: &mut Reading<'_, '_>, made: &Node, is_strict: bool) {
    if let Tree::String(written) = &made.tree
        && let Some(name) = unresolved(written)
    {
        missing(reading, made, name, is_strict);
    }
    made.items().iter().for_each(|item| judge(reading, item, is_strict));
    for entry in made.entries() {
        let key = entry.key.as_str();
        if !TEMPLATES.contains(&key) && !READERS.contains(&key) && !NOT_ENFORCED.contains(&key) {
            judge(reading, &entry.value, is_strict);
        }
    }
}

/// Keys that are for readers only.
const READERS: [&str; 4] = ["capabilities", "definitions", "description", "handler_routing"];

/// The first variable of a text that has no value.
pub(super) fn unresolved(written: &str) -> Option<&str> {
    let inner = written.split("${env.").nth(1)?;
    inner.split_once('}').map(|(name, _)| name)
}

/// Says that a variable has no value.
pub(super) fn missing(reading: &mut Reading<'_, '_>, at: &Node, name: &str, is_strict: bool) {
    let at = reading.at(&at.span);
    let message = format!("the environment variable `{name}` is not set");
    let found = match is_strict {
        true => reading.findings.error(code::ENV_MISSING, at, message),
        false => reading.findings.warning(code::ENV_MISSING, at, message),
    };
    found.help(format!("set {name} where the host runs, or write `${{env.{name}:default}}`"));
}

/// The node without its content.
fn bare(node: &Node) -> Node {
    Node {
        tree: Tree::Null,
        span: node.span.clone(),
        text_map: node.text_map.clone(),
        quoted: node.quoted,
    }
}

/// The text with its variables resolved, if it has any.
fn resolved(written: &Text, in_template: bool, env: &BTreeMap<String, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = written.as_str();
    let mut changed = false;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
        out.push_str(&rest[..start]);
        match variable(&rest[start + 2..end], in_template, env) {
            Some(value) => {
                out.push_str(&value);
                changed = true;
            }
            None => out.push_str(&rest[start..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// What stands for a variable; `None` for what is none, or is written as the normal form has it.
fn variable(inner: &str, in_template: bool, env: &BTreeMap<String, String>) -> Option<String> {
    let (prefixed, inner) = match inner.strip_prefix("env.") {
        Some(name) => (true, name),
        None => (false, inner),
    };
    let (name, default) = match inner.split_once(':') {
        Some((name, default)) => (name, Some(default.strip_prefix('-').unwrap_or(default))),
        None => (inner, None),
    };
    // Data with capitals, such as `${ID}`, may be a variable; `${env.x}` always is.
    let is_meant = is_variable(name) || (prefixed && is_name(name));
    if !is_meant {
        return None;
    }
    match (env.get(name), default) {
        (Some(value), _) if !in_template => Some(value.clone()),
        (None, Some(default)) => Some(default.to_owned()),
        (_, None) if prefixed => None,
        _ => Some(format!("${{env.{name}}}")),
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_stands_where_the_environment_is_silent() {
        let env = BTreeMap::from([("SET".to_owned(), "yes".to_owned())]);
        for (written, meant) in [
            ("${env.X:./a}/b", Some("./a/b")),
            ("${X:-1}", Some("1")),
            ("${SET:1}", Some("${env.SET}")),
            ("${HOME}", Some("${env.HOME}")),
            ("${env.HOME}", None),
            ("${input.a}", None),
            ("${open", None),
        ] {
            assert_eq!(resolved(&written.into(), true, &env).as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn where_no_template_stands_the_value_does() {
        let env = BTreeMap::from([("SET".to_owned(), "yes".to_owned())]);
        for (written, meant) in [
            ("onex.evt.${SET}.b.v1", Some("onex.evt.yes.b.v1")),
            ("${env.SET:no}", Some("yes")),
            ("${env.SET}", Some("yes")),
            ("${env.HOME}", None),
        ] {
            assert_eq!(resolved(&written.into(), false, &env).as_deref(), meant, "{written}");
        }
        assert_eq!(unresolved("a ${env.HOME} b"), Some("HOME"));
        assert!(matches!(typed("250".to_owned(), "timeout_ms"), Tree::Int(250)));
        assert!(matches!(typed("250".to_owned(), "name"), Tree::String(_)));
        assert!(matches!(typed("false".to_owned(), "enabled"), Tree::Bool(false)));
    }
}
