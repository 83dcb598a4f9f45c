//! Conditions of two or three words, such as `node_id is_present` or `retries less_than 3`, as CEL
//! (decisions D3 and D5 of the contract language).

use onex_expr::{Scope, Type};

/// What a condition turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Predicate {
    /// It means this CEL.
    Cel(String),
    /// It is a predicate, but not one that can be used; why.
    Fault(String),
}

/// The CEL of a predicate; `None` when the text is none. A name followed by a word is never CEL,
/// so nothing is misread.
pub(super) fn translate(text: &str, scope: &Scope) -> Option<Predicate> {
    let text = text.trim();
    let (field, rest) = text.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let (word, value) = match rest.split_once(char::is_whitespace) {
        Some((word, value)) => (word, Some(value.trim())),
        None => (rest, None),
    };
    if !is_path(field) || !WORDS.contains(&word) {
        return None;
    }
    if field.split('.').any(|part| part.starts_with('_')) {
        return Some(Predicate::Fault("a field beginning with `_` cannot be read".to_owned()));
    }
    Some(match value {
        None => two_words(&optional(field, scope), word),
        Some(value) => three_words(&plain(field, scope), &optional(field, scope), word, value),
    })
}

const WORDS: [&str; 20] = [
    "is_present",
    "is_absent",
    "is_true",
    "is_false",
    "is_valid",
    "is_empty",
    "not_empty",
    "equals",
    "not_equals",
    "greater_than",
    "less_than",
    "greater_than_or_equal",
    "less_than_or_equal",
    "min_length",
    "max_length",
    "exists",
    "not_exists",
    "not_in",
    "contains",
    "matches",
];

fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn two_words(field: &str, word: &str) -> Predicate {
    let value = format!("dyn({field}.orValue(null))");
    Predicate::Cel(match word {
        "is_present" | "exists" => format!("{value} != null"),
        "is_absent" | "not_exists" => format!("{value} == null"),
        "is_true" => format!("{value} == true"),
        "is_false" => format!("{value} == false"),
        "is_empty" => format!("({value} == null || size({value}) == 0)"),
        "not_empty" => format!("!({value} == null || size({value}) == 0)"),
        "is_valid" => return Predicate::Fault("`is_valid` is not built yet".to_owned()),
        _ => return Predicate::Fault(format!("`{word}` needs a value after it")),
    })
}

fn three_words(field: &str, optional: &str, word: &str, value: &str) -> Predicate {
    let number = |operator: &str| match value.parse::<f64>() {
        Ok(_) if is_number(value) => Predicate::Cel(format!("{field} {operator} {value}")),
        Ok(number) if number.is_finite() => Predicate::Cel(format!("{field} {operator} {number}")),
        _ => Predicate::Fault(format!("`{word}` needs a number, not `{value}`")),
    };
    let length = |operator: &str| match value.parse::<u32>() {
        Ok(count) => Predicate::Cel(format!("size({field}) {operator} {count}")),
        Err(_) => Predicate::Fault(format!("`{word}` needs a whole number, not `{value}`")),
    };
    match word {
        "equals" => Predicate::Cel(format!("{field} == {}", literal(value))),
        "not_equals" => Predicate::Cel(format!("{field} != {}", literal(value))),
        "greater_than" => number(">"),
        "less_than" => number("<"),
        "greater_than_or_equal" => number(">="),
        "less_than_or_equal" => number("<="),
        "min_length" => length(">="),
        "max_length" => length("<="),
        "exists" | "not_exists" => two_words(optional, word),
        "not_in" => {
            let items: Vec<String> = value
                .trim_start_matches('[')
                .trim_end_matches(']')
                .split(',')
                .map(|item| literal(item.trim()))
                .collect();
            Predicate::Cel(format!("!(dyn({field}) in [{}])", items.join(", ")))
        }
        "contains" => Predicate::Cel(format!("{field}.contains({})", text(value))),
        "matches" => Predicate::Cel(format!("{field}.matches({})", text(&format!("^(?:{value})")))),
        _ => Predicate::Fault(format!("`{word}` takes no value")),
    }
}

/// A value as a CEL literal: what JSON reads as a scalar, else text.
fn literal(value: &str) -> String {
    let quoted = value.len() >= 2
        && ['"', '\''].iter().any(|q| value.starts_with(*q) && value.ends_with(*q));
    match value {
        "true" | "false" | "null" => value.to_owned(),
        "True" | "False" => value.to_lowercase(),
        "None" => "null".to_owned(),
        _ if quoted => text(&value[1..value.len() - 1]),
        _ if is_number(value) => value.to_owned(),
        _ => text(value),
    }
}

/// Whether a value is a number as JSON writes it: `007` and `+5` are text.
fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let whole = unsigned.split(['.', 'e', 'E']).next().unwrap_or_default();
    let is_whole = whole == unsigned;
    let padded = whole.len() > 1 && whole.starts_with('0');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let point = unsigned.split_once('.').map(|(_, rest)| rest.split(['e', 'E']).next());
    let is_pointed = point.is_none_or(|part| part.is_some_and(digits));
    digits(whole)
        && !padded
        && is_pointed
        && match is_whole {
            true => value.parse::<i64>().is_ok(),
            false => value.parse::<f64>().is_ok_and(f64::is_finite),
        }
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Roots by which a field may begin.
const ROOTS: [&str; 4] = ["payload", "state", "entity", "envelope"];

/// The field's value, which must be there.
fn plain(field: &str, scope: &Scope) -> String {
    match home(field, scope) {
        Home::Rooted => field.to_owned(),
        Home::Payload | Home::Either => format!("payload.{field}"),
        Home::State => format!("state.{field}"),
    }
}

/// The field as an optional.
fn optional(field: &str, scope: &Scope) -> String {
    let below = |root: &str, field: &str| format!("{root}.?{}", field.replace('.', ".?"));
    match home(field, scope) {
        Home::Rooted => match field.split_once('.') {
            Some((root, rest)) => below(root, rest),
            None => format!("optional.of({field})"),
        },
        Home::Payload => below("payload", field),
        Home::State => below("state", field),
        Home::Either => format!("{}.or({})", below("payload", field), below("state", field)),
    }
}

enum Home {
    Rooted,
    Payload,
    State,
    Either,
}

/// A bare field is the payload's, else the state's.
fn home(field: &str, scope: &Scope) -> Home {
    let first = field.split('.').next().unwrap_or(field);
    if ROOTS.contains(&first) {
        return Home::Rooted;
    }
    let has = |root: &str| {
        let ty = scope.roots.iter().find(|known| known.name == root).map(|known| &known.ty);
        ty.and_then(|ty| has_field(ty, first))
    };
    match (has("payload"), has("state")) {
        (Some(false), Some(true)) => Home::State,
        (None, Some(true)) => Home::Either,
        _ => Home::Payload,
    }
}

/// Whether a value of the type has the field; `None` when that is not known.
fn has_field(ty: &Type, name: &str) -> Option<bool> {
    match ty {
        Type::Object(object) if object.fields.contains_key(name) => Some(true),
        Type::Object(object) if !object.open => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cel(text: &str) -> Option<Predicate> {
        translate(text, &Scope::default())
    }

    #[test]
    fn cel_is_left_alone() {
        for text in ["payload.a == 1", "a in [1]", "size(payload.a) > 0", "payload.ok", "true"] {
            assert_eq!(cel(text), None, "{text}");
        }
    }

    #[test]
    fn predicates_mean_what_their_words_say() {
        for (text, meant) in [
            ("node_id is_present", "dyn(payload.?node_id.orValue(null)) != null"),
            ("payload.a.b is_absent", "dyn(payload.?a.?b.orValue(null)) == null"),
            ("state.done is_true", "dyn(state.?done.orValue(null)) == true"),
            ("kind equals new", "payload.kind == 'new'"),
            ("retries less_than 3", "payload.retries < 3"),
            ("lines min_length 1", "size(payload.lines) >= 1"),
            ("kind not_in a, b", "!(dyn(payload.kind) in ['a', 'b'])"),
            ("code equals 007", "payload.code == '007'"),
            ("code not_in 01, 2", "!(dyn(payload.code) in ['01', 2])"),
            ("code equals +5", "payload.code == '+5'"),
            ("code equals -2.5e3", "payload.code == -2.5e3"),
            ("code equals 99999999999999999999", "payload.code == '99999999999999999999'"),
            ("retries less_than 007", "payload.retries < 7"),
            ("kind matches o'r", "payload.kind.matches('^(?:o\\'r)')"),
        ] {
            assert_eq!(cel(text), Some(Predicate::Cel(meant.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_word_that_lacks_its_value_is_a_fault() {
        for text in ["a equals", "a less_than many", "_a is_true", "a is_valid", "a is_true yes"] {
            assert!(matches!(cel(text), Some(Predicate::Fault(_))), "{text}");
        }
    }
}
