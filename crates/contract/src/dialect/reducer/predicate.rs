//! Conditions in words. The normal form reads most of them as they are; what older files had
//! besides is put into its words, and what is no condition at all is refused.

use std::collections::BTreeMap;

use onex_expr::Text;

use crate::dialect::reducer::validation::Rule;

/// What a condition of an old file means.
#[derive(Debug, PartialEq)]
pub(in crate::dialect) enum Meaning {
    /// These conditions of the normal form, all of them.
    All(Vec<String>),
    /// A predicate of two words that nobody knows: the node cannot run.
    Unknown,
    /// No condition; why.
    None(&'static str),
}

/// Reads a condition.
pub(in crate::dialect) fn read(text: &str, rules: &BTreeMap<Text, Rule>) -> Meaning {
    let text = text.trim();
    if text.is_empty() {
        return Meaning::None("it says nothing");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default();
    let as_it_is = || Meaning::All(vec![text.to_owned()]);
    if first.split('.').any(|part| part.starts_with('_')) && is_path(first) {
        return Meaning::None("a field that begins with `_` cannot be read");
    }
    let rooted = ROOTS.contains(&first.split('.').next().unwrap_or(first));
    if !is_path(first) || (rooted && !words.get(1).is_some_and(|word| is_word(word))) {
        // A call, a literal or a path from a root: an expression of today.
        return as_it_is();
    }
    let rest = || text[first.len()..].trim_start();
    match words.as_slice() {
        [field, "is_valid"] => Meaning::All(valid(field, rules)),
        [_, word] if TWO.contains(word) => as_it_is(),
        [_, _] => Meaning::Unknown,
        [field, operator, ..] => {
            let value = rest()[operator.len()..].trim();
            three(field, operator, value)
                .map_or_else(|| none(operator), |text| Meaning::All(vec![text]))
        }
        _ => Meaning::None("a condition is a field and a predicate"),
    }
}

fn none(operator: &str) -> Meaning {
    match operator {
        "&&" | "||" | "+" | "-" | "?" => {
            Meaning::None("an expression names the root of each field, such as `payload.`")
        }
        _ => Meaning::None("a condition has two words, or a field, an operator and a value"),
    }
}

/// Whether a text is a condition in words, such as `approved is_true` or `count equals 3`.
pub(in crate::dialect) fn is_in_words(text: &str) -> bool {
    let sign = text.split_whitespace().nth(1).unwrap_or_default();
    let is_word = sign.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let known = TWO.iter().chain(OPERATORS.iter().map(|(_, word)| word)).any(|word| *word == sign);
    is_word && known && !text.contains(['(', '&', '|'])
}

const ROOTS: [&str; 6] = ["payload", "state", "entity", "envelope", "config", "env"];
const TWO: [&str; 8] = [
    "is_present",
    "is_absent",
    "is_true",
    "is_false",
    "is_empty",
    "not_empty",
    "exists",
    "not_exists",
];

/// Operators and the word of the normal form for each.
const OPERATORS: [(&str, &str); 21] = [
    ("==", "equals"),
    ("!=", "not_equals"),
    (">", "greater_than"),
    ("<", "less_than"),
    (">=", "greater_than_or_equal"),
    ("<=", "less_than_or_equal"),
    ("equals", "equals"),
    ("not_equals", "not_equals"),
    ("greater_than", "greater_than"),
    ("less_than", "less_than"),
    ("greater_than_or_equal", "greater_than_or_equal"),
    ("less_than_or_equal", "less_than_or_equal"),
    ("min_length", "min_length"),
    ("max_length", "max_length"),
    ("exists", "exists"),
    ("not_exists", "not_exists"),
    ("in", "is_in"),
    ("is_in", "is_in"),
    ("not_in", "not_in"),
    ("contains", "contains"),
    ("matches", "matches"),
];

fn is_word(word: &str) -> bool {
    TWO.contains(&word)
        || word == "is_valid"
        || OPERATORS
            .iter()
            .any(|(known, _)| *known == word && known.starts_with(char::is_alphabetic))
}

fn three(field: &str, operator: &str, value: &str) -> Option<String> {
    let (_, word) = OPERATORS.iter().find(|(known, _)| *known == operator)?;
    is_one(word, value).then(|| format!("{field} {word} {value}"))
}

/// Whether a value is one word: a word, words in quotes, or, for a list, one after each comma.
fn is_one(operator: &str, value: &str) -> bool {
    let is_word = |text: &str| {
        let text = text.trim();
        let within = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
        let quoted = within('"').or_else(|| within('\''));
        quoted.is_some_and(|text| !text.contains(['"', '\'']))
            || !text.contains(char::is_whitespace)
    };
    match operator {
        "is_in" | "not_in" => value.trim_matches(['[', ']']).split(',').all(is_word),
        _ => is_word(value),
    }
}

/// `is_valid`: present, and one of the values that its rule allows.
fn valid(field: &str, rules: &BTreeMap<Text, Rule>) -> Vec<String> {
    let mut all = vec![format!("{field} is_present")];
    let values = rules.iter().find(|(name, _)| *name == field).map(|(_, rule)| &rule.values);
    if let Some(values) = values.filter(|values| !values.is_empty()) {
        all.push(one_of(field, values.iter().map(Text::as_str)));
    }
    all
}

fn one_of<'v>(field: &str, values: impl Iterator<Item = &'v str>) -> String {
    let values: Vec<String> = values.map(escaped).collect();
    format!("{field} matches (?:{})$", values.join("|"))
}

/// A text as a pattern that only itself fits.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && !matches!(c, '_' | '-' | ' ' | '/') && c.is_ascii() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Meaning {
        Meaning::All(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn every_form_is_read() {
        let rule = Rule { values: vec!["a.b".into(), "c".into()], acts: Vec::new() };
        let rules = BTreeMap::from([("kind".into(), rule)]);
        for (text, meaning) in [
            ("node_id is_present", all(&["node_id is_present"])),
            ("kind is_valid", all(&["kind is_present", "kind matches (?:a\\.b|c)$"])),
            ("other is_valid", all(&["other is_present"])),
            ("retries  < 3", all(&["retries less_than 3"])),
            ("kind == new", all(&["kind equals new"])),
            ("kind in a, b", all(&["kind is_in a, b"])),
            ("kind in 'a b', c", all(&["kind is_in 'a b', c"])),
            ("kind equals 'a b'", all(&["kind equals 'a b'"])),
            ("lines min_length 1", all(&["lines min_length 1"])),
            ("payload.a == 1", all(&["payload.a == 1"])),
            ("state.done is_true", all(&["state.done is_true"])),
            ("size(payload.a) > 1", all(&["size(payload.a) > 1"])),
            ("done is_odd", Meaning::Unknown),
        ] {
            assert_eq!(read(text, &rules), meaning, "{text}");
        }
        for text in [
            "",
            " ",
            "_a is_true",
            "done",
            "a equal b",
            "a && b",
            "a equals b c",
            "a < 3 4",
            "a in b, c d",
            "payload.a equals b c",
        ] {
            assert!(matches!(read(text, &rules), Meaning::None(_)), "{text}");
        }
    }
}
