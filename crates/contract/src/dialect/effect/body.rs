//! `body_template`: JSON as text, in which `${}` stands for text or, outside quotes, for a value.

use onex_expr::json::{self, Limits};
use onex_expr::{Key, Value};

use crate::dialect::made::{Made, node, text};
use crate::yaml::{Node, Tree};

/// The body as data, so that a value keeps its type and a text is escaped; as text where the
/// template is no JSON.
pub(in crate::dialect) fn read(template: &Node) -> Node {
    let Tree::String(written) = &template.tree else {
        return template.clone();
    };
    let Some((quoted, holes)) = quoted(written) else {
        return template.clone();
    };
    match json::parse(quoted.as_bytes(), &Limits::default()) {
        Ok(value) => filled(&value, &holes, template),
        Err(_) => template.clone(),
    }
}

/// The template with every placeholder as a mark in quotes, and what each mark stands for.
fn quoted(written: &str) -> Option<(String, Vec<String>)> {
    let mut out = String::new();
    let mut holes = Vec::new();
    let mut in_text = false;
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("${") {
            let end = rest.find('}')?;
            let mark = format!("{MARK}{}{MARK}", holes.len());
            holes.push(rest[..=end].to_owned());
            match in_text {
                true => out.push_str(&mark),
                false => out.push_str(&format!("\"{mark}\"")),
            }
            rest = &rest[end + 1..];
            continue;
        }
        if c == '\\' && in_text {
            let pair = rest.chars().take(2).map(char::len_utf8).sum();
            out.push_str(&rest[..pair]);
            rest = &rest[pair..];
            continue;
        }
        in_text ^= c == '"';
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Some((out, holes))
}

/// A character that stands in no template.
const MARK: char = '\u{f8ff}';

fn filled(value: &Value, holes: &[String], template: &Node) -> Node {
    let at = &template.span;
    match value {
        Value::String(words) => {
            let mut out = String::new();
            for (index, part) in words.split(MARK).enumerate() {
                match holes.get(part.parse().unwrap_or(usize::MAX)).filter(|_| index % 2 == 1) {
                    Some(hole) => out.push_str(hole),
                    None => out.push_str(&part.replace("${", "$${")),
                }
            }
            text(out, at)
        }
        Value::List(items) => {
            let items = items.iter().map(|item| filled(item, holes, template)).collect();
            node(Tree::List(items), at)
        }
        Value::Map(map) => {
            let mut out = Made::new(at);
            for (key, value) in map.iter() {
                if let Key::String(key) = key {
                    out.free(key.clone(), at, filled(value, holes, template));
                }
            }
            out.done()
        }
        other => Node { span: at.clone(), ..Node::from_value(other) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::to_yaml;

    #[test]
    fn placeholders_outside_quotes_are_values() {
        let body = |template: &str| to_yaml(&read(&Node::new(Tree::String(template.into()))));
        let template = r#"{"c": ${input.n}, "t": "a ${input.t}", "l": [${input.l}], "q": "\""}"#;
        let yaml = "c: \"${input.n}\"\nl: [\"${input.l}\"]\nq: '\"'\nt: \"a ${input.t}\"\n";
        assert_eq!(body(template), yaml);
        assert_eq!(body("plain ${input.a}"), "\"plain ${input.a}\"\n");
    }
}
