//! `io_config.security` of a file: the limits on its path are put into the path's own template, so
//! a path that they do not allow makes the attempt fail before anything is touched.

use onex_expr::{Fuel, Program, Scope, Value};

use crate::diagnostic::code;
use crate::dialect::made::text;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node};

/// What a path `p` must keep to: conditions, all of which must hold.
pub(super) struct Sandbox {
    conditions: Vec<String>,
}

impl Sandbox {
    /// Reads the limits; `None` when one is not known, so that they cannot be kept.
    pub(super) fn read(reading: &mut Reading<'_, '_>, security: &Node) -> Option<Sandbox> {
        let is_known = |entry: &Entry| KNOWN.contains(&entry.key.as_str());
        let inner = security.get("path_validation").map_or(&[][..], Node::entries);
        if !security.entries().iter().chain(inner).all(is_known) {
            return None;
        }
        let mut fields = Fields::open(reading, security, "`security`")?;
        let mut conditions = Vec::new();
        let bases = words(&mut fields, "allowed_base_paths");
        let required = fields.flag("require_path_under_base").is_none_or(|flag| flag.value);
        fields.acts(&["require_path_under_base"]);
        if let Some(bases) = bases.filter(|_| required) {
            conditions.push("!p.contains('..')".to_owned());
            conditions.push(any(bases.iter().map(|base| under(base))));
        }
        if let Some(endings) = words(&mut fields, "validate_extension") {
            conditions.push(any(endings.iter().map(|end| format!("p.endsWith({})", quoted(end)))));
        }
        if let Some(node) = fields.get("path_validation") {
            validation(fields.reading, node, &mut conditions);
        }
        fields.close();
        Some(Sandbox { conditions })
    }

    /// The path with its limits; one that can never keep them is reported.
    pub(super) fn limit(&self, reading: &mut Reading<'_, '_>, path: &Node) -> Option<Node> {
        let (Some(written), false) = (path.as_str(), self.conditions.is_empty()) else {
            return Some(path.clone());
        };
        let all = self.conditions.join(" && ");
        match parts(written).as_deref() {
            Some([]) if holds(&quoted(written), &all) => return Some(path.clone()),
            Some([]) => {
                reading
                    .error(code::BAD_VALUE, path, "`security` does not allow this path")
                    .help("name a path within the limits");
            }
            Some([(before, first), rest @ ..]) => {
                let tail = written[before.len() + first.len() + 3..].to_owned();
                let mut terms = vec![quoted(before), "string(q)".to_owned()];
                let mut left = tail.as_str();
                for (literal, value) in rest {
                    terms.extend([quoted(literal), format!("string({value})")]);
                    left = &left[literal.len() + value.len() + 3..];
                }
                terms.push(quoted(left));
                terms.retain(|term| term != "''");
                let whole = terms.join(" + ");
                let guarded = format!("[{first}].filter(q, [{whole}].all(p, {all}))[0]");
                return Some(text(format!("{before}${{{guarded}}}{tail}"), &path.span));
            }
            None => {
                reading
                    .error(code::BAD_VALUE, path, "the limits of `security` cannot be kept here")
                    .help("write the path with plain fields such as `${input.path}`");
            }
        }
        None
    }
}

/// Every limit that is known here.
const KNOWN: [&str; 8] = [
    "allowed_base_paths",
    "require_path_under_base",
    "validate_extension",
    "path_validation",
    "enabled",
    "deny_patterns",
    "deny_absolute_paths",
    "deny_symlink_escape",
];

fn validation(reading: &mut Reading<'_, '_>, node: &Node, conditions: &mut Vec<String>) {
    let Some(mut fields) = Fields::open(reading, node, "`path_validation`") else { return };
    for pattern in words(&mut fields, "deny_patterns").unwrap_or_default() {
        let is_glob = pattern.contains(['*', '?']);
        conditions.push(match is_glob {
            true => format!("!p.matches({})", quoted(&glob(&pattern))),
            false => format!("!p.contains({})", quoted(&pattern)),
        });
    }
    if fields.flag("deny_absolute_paths").is_some_and(|flag| flag.value) {
        conditions.push("!p.startsWith('/')".to_owned());
    }
    fields.acts(&["enabled", "deny_absolute_paths"]);
    fields.descriptive(&["deny_symlink_escape"]);
    fields.idle(&["deny_symlink_escape"], "no link leads out of the folders that the host allows");
    fields.close();
}

/// Words under a key, all of which act.
fn words(fields: &mut Fields<'_, '_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
    fields.get(key)?;
    let words = fields.words(key);
    for word in &words {
        fields.reading.acted(&word.at.span());
    }
    Some(words.iter().map(|word| word.value.to_string()).collect())
}

/// At least one of these; of none, nothing.
fn any(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.collect();
    match all.is_empty() {
        true => "false".to_owned(),
        false => format!("({})", all.join(" || ")),
    }
}

fn under(base: &str) -> String {
    let base = base.trim_start_matches("./").trim_end_matches('/');
    match base {
        "" | "." => "!p.startsWith('/')".to_owned(),
        _ => {
            let [at, below, dotted] =
                [base.to_owned(), format!("{base}/"), format!("./{base}/")].map(|t| quoted(&t));
            let dot = quoted(&format!("./{base}"));
            format!("p in [{at}, {dot}] || p.startsWith({below}) || p.startsWith({dotted})")
        }
    }
}

/// A pattern of file names as a regular expression that is found anywhere in a path.
fn glob(pattern: &str) -> String {
    let mut out = String::new();
    for c in pattern.chars() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The placeholders of a template, each with the text before it; `None` when one has braces of its
/// own.
fn parts(template: &str) -> Option<Vec<(&str, &str)>> {
    let (mut parts, mut left) = (Vec::new(), template);
    if template.contains("$${") {
        return None;
    }
    while let Some((before, after)) = left.split_once("${") {
        let (value, rest) = after.split_once('}')?;
        if value.contains(['{', '\'', '"']) {
            return None;
        }
        parts.push((before, value));
        left = rest;
    }
    Some(parts)
}

/// Whether a path that is known keeps the limits.
fn holds(path: &str, all: &str) -> bool {
    let program = Program::compile(&format!("[{path}].all(p, {all})"), &Scope::default()).value;
    let held = program.and_then(|program| program.eval(&[], &mut Fuel(FUEL)).ok());
    matches!(held, Some(Value::Bool(true)))
}

/// Steps for judging one path.
const FUEL: u64 = 100_000;

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use onex_expr::{Root, Type};

    use super::*;
    use crate::findings::Findings;
    use crate::yaml::Tree;

    fn allows(template: &str, value: &str) -> bool {
        let sandbox = Sandbox {
            conditions: vec![
                "!p.contains('..')".to_owned(),
                any([under("./files/")].into_iter()),
                format!("!p.matches({})", quoted(&glob("*.bak"))),
            ],
        };
        let mut findings = Findings::new(&[]);
        let mut reading = Reading::new(0, &mut findings);
        let path = Node::new(Tree::String(template.into()));
        let limited = sandbox.limit(&mut reading, &path).expect("the limits can be kept");
        let limited = limited.as_str().expect("a path is text");
        let (_, cel) = limited.split_once("${").expect("it has a placeholder");
        let (cel, _) = cel.split_once("}").expect("it ends");
        let scope = Scope { roots: vec![Root::new("input", Type::Dyn)], ..Scope::default() };
        let program = Program::compile(cel, &scope).value.expect("the guard compiles");
        let input = Value::map([("path", Value::text(value))]);
        program.eval(&[input], &mut Fuel(FUEL)).is_ok()
    }

    #[test]
    fn a_path_outside_the_limits_fails() {
        for (template, value, is_allowed) in [
            ("${input.path}", "files/a.txt", true),
            ("${input.path}", "./files/a.txt", true),
            ("${input.path}", "files/../a.txt", false),
            ("${input.path}", "filesystem/a.txt", false),
            ("${input.path}", "files/a.bak", false),
            ("files/${input.path}.txt", "a", true),
            ("files/${input.path}.txt", "../a", false),
        ] {
            assert_eq!(allows(template, value), is_allowed, "{template} {value}");
        }
    }
}
