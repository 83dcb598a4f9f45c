//! `${env.X:default}` and `${VAR}`: values of the environment, resolved when the file is read.

use std::collections::BTreeMap;

use onex_expr::Text;

use crate::dialect::made::text;
use crate::yaml::{Entry, Node, Tree};

/// The tree with what has a default resolved; what has none is `${env.X}` of the normal form, and
/// is judged there.
pub(super) fn resolve(node: &Node, env: &BTreeMap<String, String>) -> Node {
    match &node.tree {
        Tree::String(written) if written.contains("${") => match resolved(written, env) {
            Some(other) => text(other, &node.span),
            None => node.clone(),
        },
        Tree::List(items) => {
            let items = items.iter().map(|item| resolve(item, env)).collect();
            Node { tree: Tree::List(items), ..bare(node) }
        }
        Tree::Map(entries) => {
            let entries = entries.iter().map(|entry| Entry {
                key: entry.key.clone(),
                key_span: entry.key_span.clone(),
                value: match entry.key.as_str() {
                    "description" => entry.value.clone(),
                    _ => resolve(&entry.value, env),
                },
            });
            Node { tree: Tree::Map(entries.collect()), ..bare(node) }
        }
        _ => node.clone(),
    }
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
fn resolved(written: &Text, env: &BTreeMap<String, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = written.as_str();
    let mut changed = false;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
        out.push_str(&rest[..start]);
        match variable(&rest[start + 2..end], env) {
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
fn variable(inner: &str, env: &BTreeMap<String, String>) -> Option<String> {
    let (prefixed, inner) = match inner.strip_prefix("env.") {
        Some(name) => (true, name),
        None => (false, inner),
    };
    let (name, default) = match inner.split_once(':') {
        Some((name, default)) => (name, Some(default.strip_prefix('-').unwrap_or(default))),
        None => (inner, None),
    };
    if !is_variable(name) || (prefixed && default.is_none()) {
        return None;
    }
    match (env.contains_key(name), default) {
        (false, Some(default)) => Some(default.to_owned()),
        _ => Some(format!("${{env.{name}}}")),
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
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
            assert_eq!(resolved(&written.into(), &env).as_deref(), meant, "{written}");
        }
    }
}
