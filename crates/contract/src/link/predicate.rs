//! Conditions of two or three words, such as `node_id is_present` or `retries less_than 3`, as CEL
//! (decisions D3 and D5 of the contract language).

use onex_expr::{Program, Scope, Type};

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
        Some(value) => three_words(&Read::new(field, scope), word, value),
    })
}

const WORDS: [&str; 21] = [
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
    "is_in",
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

/// A field that a condition of three words reads.
struct Read {
    /// Its value, which must be there.
    plain: String,
    /// The same as an optional.
    optional: String,
    /// What is declared of it.
    ty: Type,
}

impl Read {
    fn new(field: &str, scope: &Scope) -> Read {
        let plain = plain(field, scope);
        let ty = declared(&plain, scope);
        Read { plain, optional: optional(field, scope), ty }
    }

    /// Its text: a text as it is, anything else in its one spelling as JSON.
    fn text(&self) -> String {
        let plain = &self.plain;
        match self.ty {
            Type::String => plain.clone(),
            _ => format!("(type(dyn({plain})) == string ? dyn({plain}) : json.format({plain}))"),
        }
    }
}

fn three_words(field: &Read, word: &str, value: &str) -> Predicate {
    let plain = &field.plain;
    let number = |operator: &str| match value.parse::<f64>() {
        Ok(_) if is_number(value) => Predicate::Cel(format!("{plain} {operator} {value}")),
        Ok(number) if number.is_finite() => Predicate::Cel(format!("{plain} {operator} {number}")),
        _ => Predicate::Fault(format!("`{word}` needs a number, not `{value}`")),
    };
    let length = |operator: &str| match value.parse::<u32>() {
        Ok(count) => Predicate::Cel(format!("size({plain}) {operator} {count}")),
        Err(_) => Predicate::Fault(format!("`{word}` needs a whole number, not `{value}`")),
    };
    match word {
        "equals" => Predicate::Cel(same(field, value, "==", "")),
        "not_equals" => Predicate::Cel(same(field, value, "!=", "!")),
        "greater_than" => number(">"),
        "less_than" => number("<"),
        "greater_than_or_equal" => number(">="),
        "less_than_or_equal" => number("<="),
        "min_length" => length(">="),
        "max_length" => length("<="),
        "exists" | "not_exists" => two_words(&field.optional, word),
        "is_in" => Predicate::Cel(among(plain, value)),
        "not_in" => Predicate::Cel(format!("!({})", among(plain, value))),
        "contains" => Predicate::Cel(format!("{}.contains({})", field.text(), text(value))),
        "matches" => {
            let pattern = text(&format!("^(?:{value})"));
            let probe = Program::compile(&format!("''.matches({pattern})"), &Scope::default());
            if let Some(fault) = probe.faults.first() {
                return Predicate::Fault(format!("`{word}` needs a pattern: {}", fault.message));
            }
            Predicate::Cel(format!("{}.matches({pattern})", field.text()))
        }
        _ => Predicate::Fault(format!("`{word}` takes no value")),
    }
}

/// Whether the field is what is written, be it text or not; nothing but its type tells `3` the
/// number from `3` the text, and where that is not known both are meant.
fn same(field: &Read, value: &str, operator: &str, not: &str) -> String {
    let plain = &field.plain;
    match (literals(value).as_slice(), &field.ty) {
        ([only], _) => format!("{plain} {operator} {only}"),
        ([as_text, _], Type::String) => format!("{plain} {operator} {as_text}"),
        ([_, scalar], Type::Int | Type::Double | Type::Bool | Type::Null) => {
            format!("{plain} {operator} {scalar}")
        }
        (both, _) => format!("{not}(dyn({plain}) in [{}])", both.join(", ")),
    }
}

/// Whether the field is one of a list, by the same measure.
fn among(plain: &str, list: &str) -> String {
    let items: Vec<String> = items(list).into_iter().flat_map(literals).collect();
    format!("dyn({plain}) in [{}]", items.join(", "))
}

/// The items of a comma list, with brackets around it or without; a comma in quotes parts nothing.
fn items(list: &str) -> Vec<&str> {
    let inner = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(list);
    let (mut items, mut from, mut quote) = (Vec::new(), 0, None);
    for (index, c) in inner.char_indices() {
        let begins = inner[from..index].trim().is_empty();
        match c {
            ',' if quote.is_none() => {
                items.push(inner[from..index].trim());
                from = index + 1;
            }
            '\'' | '"' if quote.is_none() && begins => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            _ => {}
        }
    }
    items.push(inner[from..].trim());
    items
}

/// What a value may mean, as CEL literals: itself as text and, where JSON (or Python) reads it as a
/// scalar, that. In quotes it is text.
fn literals(value: &str) -> Vec<String> {
    let quoted = value.len() >= 2
        && ['"', '\''].iter().any(|q| value.starts_with(*q) && value.ends_with(*q));
    if quoted {
        return vec![text(&value[1..value.len() - 1])];
    }
    let scalar = match value {
        "true" | "false" | "null" => value.to_owned(),
        "True" | "False" => value.to_lowercase(),
        "None" => "null".to_owned(),
        _ if is_number(value) => value.to_owned(),
        _ => return vec![text(value)],
    };
    vec![text(value), scalar]
}

/// The declared type of a field.
fn declared(path: &str, scope: &Scope) -> Type {
    let mut parts = path.split('.');
    let root = parts.next().unwrap_or_default();
    let root = scope.roots.iter().find(|known| known.name == root).map(|known| &known.ty);
    let ty = parts.try_fold(root, |ty, part| match ty? {
        Type::Object(object) => Some(object.fields.get(part).map(|field| &field.ty)),
        _ => None,
    });
    ty.flatten().cloned().unwrap_or(Type::Dyn)
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
mod tests;
